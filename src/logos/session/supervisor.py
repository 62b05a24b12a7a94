"""What stops a session from outside: the kill switch of this machine, and signals.

It stands before the session reads any data or its journal: safety first, then the rest.

- The switch is shared by all processes; a thread of ours looks at its files twenty times a second,
  so that a bare `touch` is seen at the next tick even while no order asks gate 2. Should the thread
  die or hang, the switch is engaged (see `presence.watcher`).
- SIGUSR1 engages the switch. SIGINT and SIGTERM ask the session to end in order; a second one ends
  it where it stands, and says what that costs. While a session is being made, the first one ends
  it at once: nothing has happened yet.
- The heartbeat shows `logos kill` how far this session has come, and `logos status` that it moves.
- A service manager that started the process is told the same (see `presence.service`).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple, Self

from logos.core.engine import TradingCore
from logos.core.exits.lost import protection_words
from logos.core.gates import Switch
from logos.core.types import SwitchState
from logos.errors import LogosError
from logos.interrupts import OperatorInterrupt
from logos.killswitch.breaker import CircuitBreaker
from logos.session.presence.heartbeat import HeartbeatFile, PermitStands, heartbeat_path
from logos.session.presence.service import ServiceNotifier
from logos.session.presence.watcher import Watcher
from logos.session.stored.next_steps import resume_command
from logos.shown import lines

_HEARTBEAT_S: Final = 1.0
"""Between two heartbeats of a session on recorded data; a live one has a timer of its own."""


def tell_operator(text: str) -> None:
    """Say something on standard error."""
    print(lines(text), file=sys.stderr)


class SessionStoppedError(LogosError):
    """A signal stopped a session before its first event, or a replay before its end."""

    def __init__(self, session_id: str, *, is_replay: bool, is_real: bool = False) -> None:
        """`is_real`: its orders go to a venue."""
        super().__init__(
            f"the replay of session {session_id} was stopped by a signal: nothing was compared"
            if is_replay
            else f"session {session_id} was stopped by a signal before it began, nothing was "
            f"traded; go on with: {resume_command(session_id, is_real=is_real)}"
        )
        self.is_replay = is_replay


class StopWhileStartingError(OperatorInterrupt):
    """SIGINT or SIGTERM came while the session was being made; nothing may catch it on the way."""


class Stand(NamedTuple):
    """How far a session has come with an engaged switch, as it last said."""

    blocked: bool = False
    drained: bool = False
    epoch: int = 0
    """Of the machine's switch, as the session saw it then."""


class SessionSupervisor:
    """Watches one session from before it reads anything; use it in a `with`.

    Handlers and watcher stand when the `with` begins; `begin` shows the session from then on, and
    `attach` tells of the core once there is one.
    """

    def __init__(
        self, switch: Switch, *, takes_signals: bool = True, sends_orders: bool = True
    ) -> None:
        """`switch` is what signals engage, until `attach` names another.

        Without `takes_signals` the process's signals stay with the program around it. A session
        that `sends_orders` engages the switch when the thread that watches it falls silent.
        """
        self.stop_requested = False
        self.session_id = ""
        """Empty before `begin`."""
        self.may_rest: Callable[[str], bool] = lambda _client_order_id: True
        """Whether an open order may rest at the venue; asked while the session is blocked."""
        self.differences: Callable[[], int] = lambda: 0
        """How much the last comparison with the venue could not explain."""
        self.on_stop: Callable[[], object] = bool
        """Called in the handler of a signal that asks for a stop."""
        self.stand = Stand()
        self._beside: Callable[[], str] = str
        self.fleet: Callable[[], str] = str
        """How the permit of its fleet stands, in words; "" where there is no fleet."""
        self.permit: Callable[[], PermitStands | None] = lambda: None
        """The same in figures."""
        self.heed: Callable[[Any], object] = bool
        """Called with a live session before its first new event, and at each heartbeat."""
        self._takes_signals = takes_signals
        self._sends_orders = sends_orders
        self._core: TradingCore | None = None
        self._heartbeat: HeartbeatFile | None = None
        self._lock = threading.Lock()
        self._watcher = Watcher(switch, self._note)
        self._service: ServiceNotifier | None = None
        self._beaten_s = time.monotonic()
        self._is_live = False
        self._is_closed = False
        self._may_rest = False
        self._may_interrupt = False
        self._problem = ""
        self._handlers: dict[int, Any] = {}
        self._mask: set[int] | None = None

    def __enter__(self) -> Self:
        self._watcher.start()
        is_main = threading.current_thread() is threading.main_thread()
        if self._takes_signals and is_main:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._on_stop)
            self._handlers[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, self._on_engage)
            # Whoever started us may have held them back until now; see `held_signals`.
            self._mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, self._handlers)
            # Whoever has the process's signals is the process's service, too.
            self._service = ServiceNotifier.of(os.environ, tell_operator, os.getpid())
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The session is over: signals, watcher and heartbeat end. Once; raises OSError."""
        if self._is_closed:
            return
        self._is_closed = True
        is_left = self._may_rest if self._core is None else self._may_rest_at_venue(self._core)
        self.stand = self.stand._replace(drained=not is_left)
        if self._mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._watcher.stop()
        if self._service is not None:
            self._service.close()
        if self._heartbeat is not None:
            self._heartbeat.close()

    @property
    def is_closed(self) -> bool:
        """Whether the session is over."""
        return self._is_closed

    # ---- the start ----

    def begin(
        self,
        session_id: str,
        home: Path | None,
        journal: Path,
        entry: str = "",
        *,
        may_rest: bool = False,
    ) -> None:
        """Show the session from now on, by its heartbeat in the workspace `home`.

        The process must hold the lock on `journal`; `entry` is the token of its entry in the
        registry of running sessions; `may_rest`: orders of an earlier life may rest at a venue.
        Raises OSError when the heartbeat cannot be written, or the id is running already.
        """
        self.session_id = session_id
        with self._lock:
            self._may_rest = may_rest
            if self._heartbeat is None:  # one that is started anew is shown already
                path = heartbeat_path(session_id, home)
                self._heartbeat = HeartbeatFile(path, session_id, journal, entry)

    def watch(self, switch: Switch, beside: Callable[[], str] = str) -> None:
        """This is the switch from now on. `beside` says what is wrong with a thread that it depends
        on; "" while all is well."""
        self._watcher.switch = switch
        self._beside = beside

    @contextmanager
    def interruptible(self, phase: str) -> Iterator[Callable[[], object]]:
        """While this lasts a signal to stop ends it at once, by StopWhileStartingError.

        Nothing may be under way that must be brought to its end. `phase` says what is done, for
        `logos status`; call what the `with` gives now and then, to show that it moves. Raises
        OSError when the heartbeat cannot be written.
        """
        self._show_phase(phase)
        self._may_interrupt = True
        try:
            if self.stop_requested:
                raise StopWhileStartingError
            yield self._move
        finally:
            self._may_interrupt = False

    def attach(self, core: TradingCore) -> None:
        """There is a core from now on, which answers for the session. Raises OSError."""
        with self._lock:
            self._core = core
        self._show_phase("")

    def ready(self) -> None:
        """The session meets its first new event next: what it is opened for begins."""
        if self._service is not None:
            self._service.ready(self.session_id)

    def _move(self) -> None:
        """The start moves: say so now and then."""
        if self._service is not None:
            self._service.turn()
        now_s = time.monotonic()
        if now_s - self._beaten_s >= _HEARTBEAT_S:
            self._beaten_s = now_s
            with self._lock, suppress(OSError):  # a disk that refuses it is the journal's to report
                if self._heartbeat is not None:
                    self._heartbeat.beat(time.time_ns())

    def _show_phase(self, phase: str) -> None:
        if self._service is not None:
            self._service.starting(phase)
        with self._lock:
            if self._heartbeat is not None:
                self._heartbeat.show_phase(time.time_ns(), phase)

    def _note(self) -> None:
        """In the watcher's thread: a session without a core answers `logos kill` from here.

        What has no core sends nothing; what an earlier life of it left may rest.
        """
        switch = self._watcher.switch
        if self._core is not None or not isinstance(switch, CircuitBreaker):
            return
        is_blocked = switch.authority() is SwitchState.ENGAGED
        with self._lock, suppress(OSError):
            if self._core is None and self._heartbeat is not None:
                has_drained = is_blocked and not self._may_rest
                self.stand = Stand(is_blocked, has_drained, switch.epoch)
                self._heartbeat.acknowledge(*self.stand)

    # ---- while it runs ----

    def problem(self) -> str:
        """What is wrong with the watching of this session, in words; "" while all is well.

        The first time that something is, the kill switch is engaged over it.
        """
        if not self._sends_orders or self._is_closed or self._problem:
            return self._problem
        self._problem = self._watcher.problem() or self._beside()
        if self._problem:
            self._watcher.switch.engage(self._problem, "supervisor")
        return self._problem

    def show_stuck(self, words: str) -> None:
        """Show `logos status` which of the user's code does not return; "": all does. OSError."""
        if self._heartbeat is not None:
            self._heartbeat.show_stuck(words)

    def report(self) -> None:
        """Show `logos kill` where the session stands, and now and then that it moves.

        Raises OSError when an acknowledgement cannot be written.
        """
        if self._service is not None:
            self._service.turn()
        self.problem()
        core, switch = self._core, self._watcher.switch
        if core is None or self._heartbeat is None:
            return
        if isinstance(switch, CircuitBreaker):
            is_blocked = core.is_blocked
            resting = self._resting(core) if is_blocked else ()
            has_drained = is_blocked and not resting
            if self.stand != (is_blocked, has_drained, switch.epoch):
                self.stand = Stand(is_blocked, has_drained, switch.epoch)
            self._heartbeat.acknowledge(is_blocked, has_drained, self.stand.epoch, resting)
        if self._is_live:
            return
        now_s = time.monotonic()
        if now_s - self._beaten_s >= _HEARTBEAT_S:
            self._beaten_s = now_s
            with suppress(OSError):
                self.beat(time.time_ns())

    def _resting(self, core: TradingCore) -> Sequence[str]:
        """Open orders that may rest at a venue: all, until there is evidence that they do not."""
        order_manager = core.order_manager
        if order_manager.outbox is not None:
            return [name for name in order_manager.outbox.open if self.may_rest(name)]
        states = order_manager.states.values()
        return [order.client_order_id for state in states for order in state.working]

    def _may_rest_at_venue(self, core: TradingCore) -> bool:
        return core.order_manager.outbox is not None and bool(self._resting(core))

    def beat(self, now_ns: int, **live: object) -> None:
        """Show that the session moves, and its figures; those of a `live` one besides.

        `now_ns` is now, nanoseconds since 1970 UTC; `live` are fields of `Heartbeat`. Once they
        are given, the session beats by its own timer. Raises OSError.
        """
        self._is_live = self._is_live or bool(live)
        core = self._core
        if core is None or self._heartbeat is None:
            return
        order_manager = core.order_manager
        states = order_manager.states
        self._heartbeat.beat(
            now_ns,
            phase="",
            is_live=self._is_live,
            ticks=order_manager.tick_id,
            orders=order_manager.order_count,
            fills=order_manager.fill_count,
            open_orders=order_manager.guards.open_orders,
            switch=core.switch_state.name,
            suspended=core.is_suspended,
            paused=tuple(symbol for symbol, state in states.items() if state.is_paused),
            symbols=tuple(states),
            is_real=order_manager.outbox is not None,
            differences=self.differences(),
            fleet=self.fleet(),
            permit=self.permit(),
            protection=protection_words(states.values()),
            **live,
        )

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        if self.stop_requested:
            print(
                "logos: terminated by a second signal; the journal is whole up to its last flush, "
                "the artifacts may lack their last rows",
                file=sys.stderr,
            )
            raise OperatorInterrupt
        self.stop_requested = True
        self.on_stop()
        if self._may_interrupt:
            raise StopWhileStartingError

    def _on_engage(self, _number: int, _frame: FrameType | None) -> None:
        # Not in the handler itself: it may have interrupted the switch's own locked code.
        self._watcher.engage("SIGUSR1", "signal")
