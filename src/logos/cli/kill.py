"""`logos kill`: stop all trading on this machine, see how it stands, and allow it again.

Problem: in an emergency the shortest command must do the right thing, and say truthfully how far
it got. Method: bare `logos kill` engages the switch of every workspace in which a session of this
user runs, and of the one it is given in; then it waits, for a bounded time, until every running
session reports BLOCKED (sends nothing new) and DRAINED (nothing of it rests at a venue). `--here`
and `--session ID` narrow it; `status`, `reset` and `history` are of one workspace. `--fleet NAME`
engages the switch of a fleet of machines besides, and waits for every engine of it; `reset --fleet
NAME` resets that switch, and no machine's own.

Exit codes:
  0  done; for `status`: SAFE
  1  for `status`: REDUCE_ONLY or ENGAGED
  2  the command line is wrong, LOGOS_HOME names no folder, or there is no workspace
  3  KILL_INCOMPLETE: a session did not report BLOCKED and DRAINED in time; it is named, and its
     orders that may still rest at the venue; with --fleet also an engine that neither reported so
     nor has a permit that is proved to have expired
  4  the reset was refused, or the history is damaged; the message says why and what to do
  5  no session was running, so there was nothing to stop; the workspace engaged is named
  6  not engaged, or not recorded everywhere; the message says what failed; with --fleet also: the
     coordinator could not be written
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from logos.cli.running.here import find_named, say
from logos.cli.running.stopping import (
    EXIT_DONE,
    EXIT_USAGE,
    Order,
    login,
    stop,
    switch_folder,
)
from logos.core.types import NS_PER_SECOND, SwitchState
from logos.errors import WorkspaceError
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.history import CircuitBreakerMonitor
from logos.killswitch.records import Mode, SwitchError, Transition
from logos.killswitch.status import SwitchStatus, sentence
from logos.session.presence.resetting import reset

EXIT_NOT_SAFE: Final = 1
EXIT_REFUSED: Final = 4

REASON_DEFAULT: Final = "operator"
TIMEOUT_DEFAULT_S: Final = 15.0
"""Longer than a venue needs to settle an order: `execution.tracked.LinkRules.settle_s`."""
_SHOWN_MODE: Final = "show whether this mode may trade (default: paper)"
_PERMIT: Final = "what trading to permit (default: paper)"
_EPOCH: Final = "the epoch to clear, from `logos kill status`"


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
    again = commands.add_parser("reset", help="allow trading again; a person's decision")
    again.add_argument("--by", required=True, metavar="WHO", help="the person who decides")
    again.add_argument("--reason", required=True, metavar="R", help="why it is safe again")
    again.add_argument("--epoch", required=True, type=int, metavar="N", help=_EPOCH)
    again.add_argument("--mode", choices=("paper", "live"), default="paper", help=_PERMIT)
    again.add_argument(
        "--force", action="store_true", help="whatever stands in the way; it goes into the history"
    )
    add_fleet_arguments(again, None)
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
    parser.add_argument(
        "--here",
        action="store_true",
        default=False if default is None else default,
        help="only this workspace (default: every one in which a session of yours runs)",
    )
    parser.add_argument(
        "--session",
        metavar="ID",
        default=default,
        help="only the workspace in which this session runs; its switch stops all sessions there",
    )
    add_fleet_arguments(parser, default)


def add_fleet_arguments(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add `--fleet` and `--config`."""
    words = "the switch of this fleet, over its coordinator (docs/FLEET.md)"
    parser.add_argument("--fleet", metavar="NAME", default=default, help=words)
    words = "settings that name the fleet's coordinator (default: as its last session here)"
    parser.add_argument("--config", metavar="FILE", default=default, help=words)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 3_600:
        raise argparse.ArgumentTypeError("the timeout is between 0 and 3600 seconds")
    return value


def run(args: argparse.Namespace) -> int:
    """Do what was parsed; the exit code, see the module. Prints; raises nothing for the disk."""
    command = args.kill_command or "engage"
    if command in ("engage", "reduce-only"):
        order = Order(
            "engage" if command == "engage" else "reduce-only",
            args.reason or REASON_DEFAULT,
            args.by or login(),
            args.timeout,
            args.here,
            args.session or "",
        )
        if args.fleet is None:
            return stop(order)
        from logos.cli.running.fleet import stop_fleet  # an emergency loads what it needs

        return stop_fleet(args.fleet, args.config, order)
    if command == "reset" and args.fleet is not None:
        from logos.cli.running.fleet import reset_fleet

        return reset_fleet(args)
    try:
        workspace = find_named()
    except WorkspaceError as error:
        print(f"logos kill {command}: {error}", file=sys.stderr)
        return EXIT_USAGE
    if command == "reset" or not args.json:
        say(f"kill switch of workspace {workspace}")
    if command == "history":
        return _history(workspace, args.json)
    mode: Mode = "live" if args.mode == "live" else "paper"
    breaker = CircuitBreaker(switch_folder(workspace), mode=mode)
    try:
        return (
            _status(breaker, args.json) if command == "status" else _reset(breaker, args, workspace)
        )
    finally:
        breaker.close()


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


def _reset(breaker: CircuitBreaker, args: argparse.Namespace, home: Path) -> int:
    try:
        forced, epoch = args.force, args.epoch
        status = reset(breaker, args.by, args.reason, epoch, is_forced=forced, home=home)
    except ValueError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    except (SwitchError, OSError) as error:
        print(error, file=sys.stderr)
        return EXIT_REFUSED
    print(sentence(status))
    if status.state is not SwitchState.SAFE:
        for cause in status.causes:
            print(f"  {cause}", file=sys.stderr)
        return EXIT_REFUSED
    return EXIT_DONE


def _history(workspace: Path, as_json: bool) -> int:
    try:
        transitions = CircuitBreakerMonitor(switch_folder(workspace)).history()
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
