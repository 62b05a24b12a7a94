"""What `logos kill` stops: the workspaces whose switch it engages, and how far each session came.

Problem: in an emergency nobody thinks of folders. Bare `logos kill` must reach every running
session of the user, say of each whether it is BLOCKED (sends nothing new) and DRAINED (nothing of
it rests at a venue), and must not say that something was stopped when nothing was. Method: the
registry of running sessions names their workspaces; the switch of each is engaged, all at the same
time, and read back; then every session is waited for, a bounded time.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from logos import paths
from logos.cli.running.here import find_here, is_same, not_here, say
from logos.core.types import SwitchState
from logos.errors import WorkspaceError
from logos.killswitch.breaker import CircuitBreaker, user_name
from logos.killswitch.records import Mode
from logos.killswitch.status import EngageResult, clear_command
from logos.session.presence.draining import complaint
from logos.session.presence.found import FoundSession, find_sessions

EXIT_DONE: Final = 0
EXIT_USAGE: Final = 2
EXIT_NOT_DRAINED: Final = 3
EXIT_NOTHING: Final = 5
EXIT_NOT_WRITTEN: Final = 6

_PRECEDENCE: Final = (EXIT_DONE, EXIT_NOTHING, EXIT_NOT_WRITTEN, EXIT_NOT_DRAINED)
"""Of two exit codes the later one here counts."""

POLL_S: Final = 0.02
INCOMPLETE_S: Final = 4.5
"""When a kill that is not complete yet says so, by name; it goes on waiting."""
_ENGAGE_S_MAX: Final = 10.0
"""How long a switch may take to be engaged; its folder may lie on a disk that does not answer."""


class Order(msgspec.Struct, frozen=True):
    """What the operator wants."""

    action: Literal["engage", "reduce-only"]
    reason: str
    by: str
    timeout_s: float
    here_only: bool
    """Only the workspace that the command is given in."""
    session_id: str
    """Only the workspaces in which a session of this id runs; empty: all."""

    @property
    def wanted(self) -> SwitchState:
        """The state that the switch has to have afterwards, or a more severe one."""
        return SwitchState.ENGAGED if self.action == "engage" else SwitchState.REDUCE_ONLY

    @property
    def intent(self) -> str:
        """What is about to be done, in words."""
        if self.action == "engage":
            return "engaging the kill switch"
        return "setting REDUCE_ONLY on the kill switch"


class Engaged(msgspec.Struct, frozen=True):
    """What came of one workspace's switch."""

    workspace: Path
    mode: Mode
    result: EngageResult | None
    """None when its folder did not answer in time."""

    def is_proved(self, wanted: SwitchState) -> bool:
        """Whether the marker or the record was read back from the disk."""
        result = self.result
        return result is not None and result.state >= wanted and (result.marked or result.recorded)


def stop(order: Order) -> int:
    """Do it, and say what came of it; the exit code, see `logos.cli.kill`."""
    here, mistyped = None, ""
    try:
        here = find_here()
    except WorkspaceError as error:
        mistyped = str(error)
    if order.here_only and here is None:
        print(f"nothing was stopped: {mistyped or not_here()}", file=sys.stderr)
        return EXIT_USAGE
    before = find_sessions(*([] if here is None else [here]))
    targets = _targets(order, here, before)
    # An operator in the wrong folder must see it at once; what fails to print is met later.
    for workspace in targets:
        say(f"{order.intent} of workspace {workspace}")
    done = _engage_all(order, targets)
    if mistyped or (here is None and not targets):
        print(mistyped or not_here(), file=sys.stderr)
    code = _tell_engaged(order, here, done)
    if order.wanted is SwitchState.ENGAGED:
        code = max(code, _Scope(here, targets, order).wait(before, done), key=_PRECEDENCE.index)
    elif not done:
        code = EXIT_NOTHING
    for each in done:
        if each.result is not None:
            folder, epoch = switch_folder(each.workspace), each.result.epoch
            print(f"to clear: {clear_command(folder, epoch, each.mode)}")
    return EXIT_USAGE if mistyped and code in (EXIT_DONE, EXIT_NOTHING) else code


def switch_folder(workspace: Path) -> Path:
    """Where the kill switch of a workspace is."""
    return paths.state_dir(workspace) / "kill-switch"


def _targets(order: Order, here: Path | None, before: Sequence[FoundSession]) -> list[Path]:
    """The workspaces whose switch is to be engaged, the one that one is in first."""
    found = [] if here is None or order.session_id else [here]
    for session in before:
        if not session.running or session.workspace is None or not session.sends_orders:
            continue
        if order.here_only and not is_same(session.workspace, here):
            continue
        if order.session_id not in ("", session.session_id):
            continue
        if not any(is_same(session.workspace, each) for each in found):
            found.append(session.workspace)
    return found


def _engage_all(order: Order, targets: Sequence[Path]) -> list[Engaged]:
    """Engage all at the same time: one that hangs must not keep another one from it."""
    done: dict[Path, Engaged] = {}

    def engage(workspace: Path) -> None:
        breaker = CircuitBreaker(switch_folder(workspace))
        try:
            tighten = breaker.engage if order.action == "engage" else breaker.set_reduce_only
            result = tighten(order.reason, order.by)
            mode: Mode = "live" if breaker.status().armed_for == "live" else "paper"
            done[workspace] = Engaged(workspace, mode, result)
        finally:
            breaker.close()

    threads = [threading.Thread(target=engage, args=(each,), daemon=True) for each in targets]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + _ENGAGE_S_MAX
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [done.get(each) or Engaged(each, "paper", None) for each in targets]


def _tell_engaged(order: Order, here: Path | None, done: Sequence[Engaged]) -> int:
    """Say what was read back of each switch. EXIT_NOT_WRITTEN unless all is recorded."""
    code = EXIT_DONE
    for each in done:
        is_alone = len(done) == 1 and is_same(each.workspace, here)
        where = "" if is_alone else f"workspace {each.workspace}: "
        result = each.result
        if result is None:
            print(f"{where}NOT {order.wanted.name}: its folder did not answer", flush=True)
            code = EXIT_NOT_WRITTEN
            continue
        if each.is_proved(order.wanted):
            print(f"{where}{result.state.name} at epoch {result.epoch}", flush=True)
        else:
            print(
                f"{where}NOT {order.wanted.name}: neither the marker nor the record is on the disk",
                flush=True,
            )
        for problem in result.problems:
            print(f"not written: {problem}", file=sys.stderr)
        if not result.recorded:
            reach = (
                "the marker stops every session"
                if result.marked
                else "only the flag in memory may be set; sessions may trade on"
            )
            print(
                f"{where}the arm record could not be written ({reach}): stop the sessions "
                "yourself, make room or repair the folder, then run `logos kill` again",
                file=sys.stderr,
            )
            code = EXIT_NOT_WRITTEN
    return code


class _Scope:
    """The sessions that are to be stopped, and what is said of each."""

    def __init__(self, here: Path | None, targets: Sequence[Path], order: Order) -> None:
        self._here = here
        self._targets = targets
        self._order = order

    def wait(self, before: Sequence[FoundSession], done: Sequence[Engaged]) -> int:
        """Wait until every session has stopped; print each. An exit code.

        `before` are the sessions that were there before the engagement: one may have halted and
        gone since. A session that is blocked and knows of the last grant is blocked by what came
        after it. One that names an older epoch may not have noticed yet that it was allowed to
        trade again.
        """
        granted = {
            each.workspace: each.result.granted_epoch for each in done if each.result is not None
        }
        there = {each.key: each for each in before}
        for each in find_sessions(*self._targets):
            there[each.key] = _latest(there.get(each.key, each), each)
        was_running = {each.key for each in before if each.running}
        waiting = {}
        for key, session in there.items():
            if not self._is_in(session):
                continue
            if not session.running and key not in was_running:
                print(f"{self._name(session)}: {_end_of(session)}")
            elif not session.sends_orders:
                print(f"{self._name(session)}: a {session.kind}, which sends no orders")
            else:
                waiting[key] = session
        if not waiting:
            print(self._nothing())
            self._tell_others(before)
            return EXIT_NOTHING
        is_left = self._wait_for(waiting, granted)
        self._tell_others(before)
        return EXIT_NOT_DRAINED if is_left else EXIT_DONE

    def _wait_for(self, waiting: dict[str, FoundSession], granted: dict[Path, int]) -> bool:
        """Print each session that has stopped, and name those that have not; whether there are."""
        began_s, since_ns = time.monotonic(), time.time_ns()
        timeout_s = self._order.timeout_s
        is_said = False
        while True:
            found = find_sessions(*self._targets)
            for key, old in sorted(waiting.items(), key=lambda each: each[1].session_id):
                session = _same_session(old, found)
                if session is None:
                    has_shown = old.report or old.kind == "sweep"
                    how = "it has ended" if has_shown else "it ended before its first heartbeat"
                    print(f"{self._name(old, pid=False)}: BLOCKED, DRAINED ({how})")
                    del waiting[key]
                elif session.has_stopped(self._granted(session, granted)):
                    print(f"{self._name(session)}: BLOCKED, DRAINED")
                    del waiting[key]
                else:
                    waiting[key] = _latest(old, session)
            if not waiting:
                return False
            # Of a process that died without a word nothing more will be heard.
            can_answer = any(session.running for session in waiting.values())
            waited_s = time.monotonic() - began_s
            if not can_answer or waited_s >= timeout_s:
                break
            if not is_said and waited_s >= INCOMPLETE_S:
                is_said = True
                self._say_incomplete(waiting, granted, since_ns)
                print(f"waiting up to {timeout_s - waited_s:.0f} s more", file=sys.stderr)
            time.sleep(POLL_S)
        self._say_incomplete(waiting, granted, since_ns)
        return True

    def _say_incomplete(
        self, waiting: dict[str, FoundSession], granted: dict[Path, int], since_ns: int
    ) -> None:
        """Name every session that has not stopped, and its orders that may rest."""
        sys.stdout.flush()
        print("KILL_INCOMPLETE", file=sys.stderr)
        for session in waiting.values():
            line = self._complaint(session, self._granted(session, granted), since_ns)
            print(line, file=sys.stderr, flush=True)

    def _granted(self, session: FoundSession, granted: dict[Path, int]) -> int:
        found = (epoch for path, epoch in granted.items() if is_same(path, session.workspace))
        return next(found, sys.maxsize)  # a switch that did not answer stopped nobody

    def _is_in(self, session: FoundSession) -> bool:
        """Whether the session is one that the command has to stop."""
        if session.workspace is None:
            return not self._order.here_only and not self._order.session_id
        return any(is_same(session.workspace, each) for each in self._targets)

    def _name(self, session: FoundSession, *, pid: bool = True) -> str:
        noun = "sweep" if session.kind == "sweep" else "session"
        name = f"{noun} {session.session_id or '(without an id yet)'}"
        if session.workspace is None:
            return "a session"
        if not is_same(session.workspace, self._here):
            name += f" of workspace {session.workspace}"
        return f"{name} (pid {session.pid})" if pid and session.pid and session.running else name

    def _nothing(self) -> str:
        if self._order.session_id:
            return f"no session {self._order.session_id} is running"
        return "no session is running" + (" in this workspace" if self._order.here_only else "")

    def _tell_others(self, before: Sequence[FoundSession]) -> None:
        """Name the sessions that run and that the command was not to stop."""
        for session in before:
            if session.running and session.sends_orders and not self._is_in(session):
                print(f"{self._name(session)} runs on; `logos kill` without options stops it")

    def _complaint(self, session: FoundSession, granted_epoch: int, since_ns: int) -> str:
        name = self._name(session)
        if session.problem:
            return f"{self._name(session, pid=False)}: NOT KNOWN TO BE BLOCKED: {session.problem}"
        if session.report is None:
            return (
                f"{name}: NOT KNOWN TO BE BLOCKED: it is starting and has no heartbeat yet; repeat "
                f"`logos kill`; if it hangs, end it: kill -9 {session.pid}"
            )
        return complaint(
            session.report,
            granted_epoch,
            since_ns,
            time.time_ns(),
            name=name,
            is_elsewhere=session.running and session.report.process_is_gone,
        )


def _same_session(old: FoundSession, found: Sequence[FoundSession]) -> FoundSession | None:
    """What is found of the session `old` now: by its key, else by its workspace and id."""
    by_key = next((each for each in found if each.key == old.key), None)
    if by_key is not None or not old.session_id:
        return by_key
    return next(
        (
            each
            for each in found
            if each.session_id == old.session_id and is_same(each.workspace, old.workspace)
        ),
        None,
    )


def _latest(old: FoundSession, new: FoundSession) -> FoundSession:
    """What is known of a session: a heartbeat that was there is gone when the session is ending."""
    return old if new.report is None and new.running else new


def _end_of(session: FoundSession) -> str:
    """Why a session that left its heartbeat does not run."""
    if session.report is not None and session.report.process_is_gone:
        return f"its process {session.pid} is gone"
    return f"process {session.pid} does not run it any more"


def login() -> str:
    """The name of this user."""
    return user_name() or "unknown"
