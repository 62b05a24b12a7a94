"""`logos kill`: stop all trading on this machine, see how it stands, and allow it again.

Problem: in an emergency the shortest command must do the right thing, and say truthfully how far
it got. Method: bare `logos kill` engages the switch and then waits, for a bounded time, until every
running session reports BLOCKED (sends nothing new) and DRAINED (nothing of it rests at a venue).

Exit codes:
  0  done; for `status`: SAFE
  1  for `status`: REDUCE_ONLY or ENGAGED
  2  the command line is wrong
  3  KILL_INCOMPLETE: a session did not report BLOCKED and DRAINED in time; it is named, and its
     orders that may still rest at the venue
  4  the reset was refused, or the history is damaged; the message says why and what to do
  6  engaged, but not written down everywhere; the message says what failed
"""

from __future__ import annotations

import argparse
import getpass
import sys
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import msgspec

from logos import paths
from logos.core.types import NS_PER_SECOND, SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.history import CircuitBreakerMonitor
from logos.killswitch.records import Mode, SwitchError, Transition
from logos.killswitch.status import EngageResult, SwitchStatus, clear_command, sentence
from logos.session.presence.draining import complaint
from logos.session.presence.heartbeat import SessionReport, read_sessions, sessions_folder

EXIT_DONE: Final = 0
EXIT_NOT_SAFE: Final = 1
EXIT_USAGE: Final = 2
EXIT_NOT_DRAINED: Final = 3
EXIT_REFUSED: Final = 4
EXIT_NOT_WRITTEN: Final = 6

REASON_DEFAULT: Final = "operator"
TIMEOUT_DEFAULT_S: Final = 15.0
"""Longer than a venue needs to settle an order: `execution.tracked.LinkRules.settle_s`."""
INCOMPLETE_S: Final = 4.5
"""When a kill that is not complete yet says so, by name; it goes on waiting."""
_SHOWN_MODE: Final = "show whether this mode may trade (default: paper)"
_HINT_ONLY: Final = "only the in-memory flag is set; other processes may not see it"
_PERMIT: Final = "what trading to permit (default: paper)"
_EPOCH: Final = "the epoch to clear, from `logos kill status`"
POLL_S: Final = 0.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the arguments of `logos kill`; `run` understands what it then parses."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = "Stop all trading on this machine (bare `logos kill` engages at once)."
    parser.epilog = (__doc__ or "").partition("\n\n")[2].partition("\n\n")[2]
    _add_engage_arguments(parser, default=None)
    commands = parser.add_subparsers(dest="kill_command", metavar="COMMAND")
    engage = commands.add_parser("engage", help="stop all trading (the default)")
    _add_engage_arguments(engage, default=argparse.SUPPRESS)
    reduce_only = commands.add_parser("reduce-only", help="allow only orders that reduce")
    _add_engage_arguments(reduce_only, default=argparse.SUPPRESS)
    status = commands.add_parser("status", help="how the switch stands, and what clears it")
    status.add_argument("--json", action="store_true", help="one JSON object")
    status.add_argument("--mode", choices=("paper", "live"), default="paper", help=_SHOWN_MODE)
    reset = commands.add_parser("reset", help="allow trading again; a person's decision")
    reset.add_argument("--by", required=True, metavar="WHO", help="the person who decides")
    reset.add_argument("--reason", required=True, metavar="R", help="why it is safe again")
    reset.add_argument("--epoch", required=True, type=int, metavar="N", help=_EPOCH)
    reset.add_argument("--mode", choices=("paper", "live"), default="paper", help=_PERMIT)
    history = commands.add_parser("history", help="who changed the switch, when and why")
    history.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_engage_arguments(parser: argparse.ArgumentParser, default: str | None) -> None:
    # argparse lets a subcommand's defaults overwrite what stood before it; SUPPRESS prevents that.
    parser.add_argument("--reason", metavar="R", default=default, help="why (default: operator)")
    parser.add_argument("--by", metavar="WHO", default=default, help="who (default: your login)")
    parser.add_argument(
        "--timeout",
        metavar="S",
        type=_seconds,
        default=TIMEOUT_DEFAULT_S if default is None else default,
        help=f"how long to wait for running sessions, seconds (default: {TIMEOUT_DEFAULT_S:g})",
    )


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 3_600:
        raise argparse.ArgumentTypeError("the timeout is between 0 and 3600 seconds")
    return value


def run(args: argparse.Namespace) -> int:
    """Do what was parsed; the exit code, see the module. Prints; raises nothing for the disk."""
    command = args.kill_command or "engage"
    if command == "history":
        return _history(args.json)
    mode: Mode = "live" if getattr(args, "mode", "paper") == "live" else "paper"
    breaker = CircuitBreaker(paths.state_dir() / "kill-switch", mode=mode)
    try:
        if command == "status":
            return _status(breaker, args.json)
        if command == "reset":
            return _reset(breaker, args)
        if command == "reduce-only":
            intent = "setting REDUCE_ONLY on the kill switch"
            return _tighten(breaker, breaker.set_reduce_only, intent, args)
        return _tighten(breaker, breaker.engage, "engaging the kill switch", args)
    finally:
        breaker.close()


def _tighten(
    breaker: CircuitBreaker,
    tighten: Callable[[str, str], EngageResult],
    intent: str,
    args: argparse.Namespace,
) -> int:
    before = read_sessions(sessions_folder())
    # An operator in the wrong folder must see it at once. Nothing may keep the switch from its
    # work, so the folder is named before, and an output that is closed is met after.
    with suppress(OSError):
        print(f"{intent} of workspace {paths.home()}", flush=True)
    result = tighten(args.reason or REASON_DEFAULT, args.by or _login())
    print(f"{result.state.name} at epoch {result.epoch}")
    for problem in result.problems:
        print(f"not written: {problem}", file=sys.stderr)
    code = EXIT_DONE
    if not result.recorded:
        reach = "the marker stops every session" if result.marked else _HINT_ONLY
        print(
            f"the arm record could not be written ({reach}): stop the sessions yourself, "
            "make room or repair the folder, then run `logos kill` again",
            file=sys.stderr,
        )
        code = EXIT_NOT_WRITTEN
    if result.state is SwitchState.ENGAGED:
        code = _wait_for_sessions(before, result.granted_epoch, args.timeout) or code
    mode: Mode = "live" if breaker.status().armed_for == "live" else "paper"
    print(f"to clear: {clear_command(breaker.folder, result.epoch, mode)}")
    return code


def _wait_for_sessions(before: list[SessionReport], granted_epoch: int, timeout_s: float) -> int:
    """Wait until every session has stopped; print each. 0 or EXIT_NOT_DRAINED.

    `before` are the sessions that were there before the engagement: one may have halted and gone
    since.

    A session that is blocked and knows of the last grant is blocked by what came after it. One
    that names an older epoch may not have noticed yet that it was allowed to trade again.
    """
    folder = sessions_folder()
    there = {report.session_id: report for report in (*before, *read_sessions(folder))}
    was_running = {report.session_id for report in before if report.running}
    for old in there.values():
        if not old.running and old.session_id not in was_running:
            print(f"session {old.session_id}: {_end_of(old)}")
    waiting = was_running | {report.session_id for report in there.values() if report.running}
    if not waiting:
        print("no session is running")
    began_s, since_ns = time.monotonic(), time.time_ns()
    is_said = False
    while True:
        found = {report.session_id: report for report in read_sessions(folder)}
        for session_id in sorted(waiting):
            report = found.get(session_id)
            if report is None:
                print(f"session {session_id}: BLOCKED, DRAINED (it has ended)")
                waiting.discard(session_id)
            elif report.has_stopped(granted_epoch):
                print(f"session {session_id} (pid {report.pid}): BLOCKED, DRAINED")
                waiting.discard(session_id)
        if not waiting:
            return EXIT_DONE
        # Of a process that died without a word nothing more will be heard.
        can_answer = any(found[session_id].running for session_id in waiting)
        waited_s = time.monotonic() - began_s
        if not can_answer or waited_s >= timeout_s:
            break
        if not is_said and waited_s >= INCOMPLETE_S:
            is_said = True
            _say_incomplete(waiting, found, granted_epoch, since_ns)
            print(f"waiting up to {timeout_s - waited_s:.0f} s more", file=sys.stderr, flush=True)
        time.sleep(POLL_S)
    _say_incomplete(waiting, found, granted_epoch, since_ns)
    return EXIT_NOT_DRAINED


def _say_incomplete(
    waiting: Collection[str],
    found: Mapping[str, SessionReport],
    granted_epoch: int,
    since_ns: int,
) -> None:
    """Name every session that has not stopped, and its orders that may rest."""
    print("KILL_INCOMPLETE", file=sys.stderr)
    for session_id in sorted(waiting):
        line = complaint(found[session_id], granted_epoch, since_ns, time.time_ns())
        print(line, file=sys.stderr, flush=True)


def _end_of(report: SessionReport) -> str:
    """Why a session that left its heartbeat does not run."""
    if report.process_is_gone:
        return f"its process {report.pid} is gone"
    return f"process {report.pid} does not run it any more"


def _status(breaker: CircuitBreaker, as_json: bool) -> int:
    status = breaker.status()
    if as_json:
        print(encode_status(status))
    else:
        print(sentence(status))
        for cause in status.causes:
            print(f"  {cause}")
        if status.clear_command:
            print(f"to clear: {status.clear_command}")
    return EXIT_DONE if status.state is SwitchState.SAFE else EXIT_NOT_SAFE


def encode_status(status: SwitchStatus) -> str:
    """The status as one JSON object, the state by name."""
    fields = msgspec.structs.asdict(status)
    return msgspec.json.encode({**fields, "state": status.state.name}).decode()


def _reset(breaker: CircuitBreaker, args: argparse.Namespace) -> int:
    try:
        status = breaker.reset(args.by, args.reason, args.epoch)
    except ValueError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    except SwitchError as error:
        print(error, file=sys.stderr)
        return EXIT_REFUSED
    print(sentence(status))
    if status.state is not SwitchState.SAFE:
        for cause in status.causes:
            print(f"  {cause}", file=sys.stderr)
        return EXIT_REFUSED
    return EXIT_DONE


def _history(as_json: bool) -> int:
    try:
        transitions = CircuitBreakerMonitor(paths.state_dir() / "kill-switch").history()
    except SwitchError as error:
        print(error, file=sys.stderr)
        return EXIT_REFUSED
    for transition in transitions:
        print(msgspec.json.encode(transition).decode() if as_json else _history_line(transition))
    if not transitions and not as_json:
        print("the switch has no history")
    return EXIT_DONE


def _history_line(transition: Transition) -> str:
    moment = datetime.fromtimestamp(transition.time_ns // NS_PER_SECOND, UTC)
    return (
        f"{moment:%Y-%m-%d %H:%M:%S} UTC  epoch {transition.epoch}  "
        f"{transition.was} -> {transition.state}  by {transition.who}: {transition.why}"
    )


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
