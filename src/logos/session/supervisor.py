"""What stops a session from outside: the kill switch of this machine, and signals.

- The switch is shared by all processes; a thread of ours looks at its files twenty times a second,
  so that a bare `touch` is seen at the next tick even while no order asks gate 2.
- SIGUSR1 engages the switch. SIGINT and SIGTERM ask the session to end in order; a second one ends
  it where it stands, and says what that costs.
- The heartbeat shows `logos kill` how far this session has come, and `logos status` that it moves.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final, Self

from logos import paths
from logos.core.engine import TradingCore
from logos.core.gates import Switch
from logos.core.types import SwitchState
from logos.errors import LogosError
from logos.interrupts import OperatorInterrupt
from logos.journal.entries import JOURNAL
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.records import SwitchError
from logos.session.presence.heartbeat import HeartbeatFile, heartbeat_path
from logos.shown import lines

_LOOK_INTERVAL_S: Final = 0.05
_HEARTBEAT_S: Final = 1.0
"""Between two heartbeats of a session on recorded data; a live one has a timer of its own."""


class SwitchEngagedError(LogosError):
    """The kill switch does not allow a session to start; the message says how to clear it."""


def tell_operator(text: str) -> None:
    """Say something on standard error."""
    print(lines(text), file=sys.stderr)


class SessionSwitch(CircuitBreaker):
    """The machine's switch, whose reasons leave out when it happened.

    They go into the journal, where the time that counts is the event's.
    """

    __slots__ = ()

    def why(self) -> str:
        status = self.status()
        reason = status.why or "; ".join(status.causes)
        return f"{reason} (by {status.who})" if status.who else reason


def open_switch(
    tell: Callable[[str], object],
    home: Path | None = None,
    *,
    may_be_engaged: bool = False,
    is_real: bool = False,
) -> SessionSwitch:
    """The kill switch of the workspace `home` (None: the machine's), ready for a session.

    A machine with no history is armed for paper, and `tell` hears of it. `is_real`: for orders that
    leave this process; a person must have armed the switch for them (`logos kill reset --mode
    live`), on this machine and for this version.

    Raises SwitchEngagedError when the switch is engaged or cannot be judged, unless it
    `may_be_engaged` because the session to be resumed was ending on that account.
    """
    folder = paths.within(home, paths.state_dir()) / "kill-switch"
    breaker = SessionSwitch(folder, mode="live" if is_real else "paper")
    try:
        if breaker.arm_if_new():
            tell(f"kill switch: first use of this workspace; armed for paper in {breaker.folder}")
    except SwitchError as error:
        breaker.close()
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from None  # nothing engaged it: the folder cannot be written
        raise SwitchEngagedError(str(error)) from None
    if breaker.authority() is SwitchState.ENGAGED and not may_be_engaged:
        status = breaker.status()
        breaker.close()
        raise SwitchEngagedError(
            f"{CircuitBreaker.why(breaker)}\nNothing is traded until a person clears it:\n  "
            f"{status.clear_command}"
        )
    return breaker


class SessionSupervisor:
    """Watches one running session; use it in a `with` around the events."""

    def __init__(
        self,
        session_id: str,
        switch: Switch,
        core: TradingCore,
        home: Path | None = None,
        entry: str = "",
        *,
        takes_signals: bool = True,
    ) -> None:
        """Begin the heartbeat; the session must hold its journal, and has read no data yet.

        `entry` is the token of its entry in the registry of running sessions. Without
        `takes_signals` the process's signals stay with the program around it.
        Raises OSError when the heartbeat cannot be written, or the id is running already.
        """
        self.stop_requested = False
        self.may_rest: Callable[[str], bool] = lambda _client_order_id: True
        """Whether an open order may rest at the venue; asked while the session is blocked."""
        self._takes_signals = takes_signals
        self._switch = switch
        self._core = core
        self._done = threading.Event()
        self._watcher: threading.Thread | None = None
        self._beaten_s = time.monotonic()
        self._is_live = False
        self._handlers: dict[int, Any] = {}
        self._heartbeat = HeartbeatFile(
            heartbeat_path(session_id, home),
            session_id,
            paths.within(home, paths.session_dir(session_id)) / JOURNAL,
            entry,
        )
        if isinstance(switch, CircuitBreaker):
            self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        if self._watcher is not None:
            self._watcher.start()
        is_main = threading.current_thread() is threading.main_thread()
        if self._takes_signals and is_main:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._on_stop)
            self._handlers[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, self._on_engage)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._done.set()
        if self._watcher is not None:
            self._watcher.join()
        self.close()

    def close(self) -> None:
        """The session is over: end its heartbeat. Raises OSError."""
        self._heartbeat.close()

    def show_stuck(self, words: str) -> None:
        """Show `logos status` which of the user's code does not return; "": all does. OSError."""
        self._heartbeat.show_stuck(words)

    def report(self) -> None:
        """Show `logos kill` where the session stands, and now and then that it moves.

        Raises OSError when an acknowledgement cannot be written.
        """
        if isinstance(self._switch, CircuitBreaker):
            is_blocked = self._core.is_blocked
            resting = self._resting() if is_blocked else ()
            has_drained = is_blocked and not resting
            self._heartbeat.acknowledge(is_blocked, has_drained, self._switch.epoch, resting)
        if self._is_live:
            return
        now_s = time.monotonic()
        if now_s - self._beaten_s >= _HEARTBEAT_S:
            self._beaten_s = now_s
            with suppress(OSError):  # a disk that refuses it is the journal's to report
                self.beat(time.time_ns())

    def _resting(self) -> Sequence[str]:
        """Open orders that may rest at a venue: all, until there is evidence that they do not."""
        order_manager = self._core.order_manager
        if order_manager.outbox is not None:
            return [name for name in order_manager.outbox.open if self.may_rest(name)]
        states = order_manager.states.values()
        return [order.client_order_id for state in states for order in state.working]

    def beat(self, now_ns: int, **live: object) -> None:
        """Show that the session moves, and its figures; those of a `live` one besides.

        `now_ns` is now, nanoseconds since 1970 UTC; `live` are fields of `Heartbeat`. Once they
        are given, the session beats by its own timer. Raises OSError.
        """
        self._is_live = self._is_live or bool(live)
        core, order_manager = self._core, self._core.order_manager
        states = order_manager.states
        self._heartbeat.beat(
            now_ns,
            is_live=self._is_live,
            ticks=order_manager.tick_id,
            orders=order_manager.order_count,
            fills=order_manager.fill_count,
            open_orders=order_manager.guards.open_orders,
            switch=core.switch_state.name,
            suspended=core.is_suspended,
            paused=tuple(symbol for symbol, state in states.items() if state.is_paused),
            symbols=tuple(states),
            **live,
        )

    def _watch(self) -> None:
        # authority() never raises; looking is what brings a bare marker into the shared flag.
        while not self._done.wait(_LOOK_INTERVAL_S):
            self._switch.authority()

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        if self.stop_requested:
            print(
                "logos: terminated by a second signal; the journal is whole up to its last flush, "
                "the artifacts may lack their last rows",
                file=sys.stderr,
            )
            raise OperatorInterrupt
        self.stop_requested = True

    def _on_engage(self, _number: int, _frame: FrameType | None) -> None:
        # Not in the handler itself: it may have interrupted the switch's own locked code.
        threading.Thread(target=self._switch.engage, args=("SIGUSR1", "signal")).start()
