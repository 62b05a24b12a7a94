"""`logos pause` (and `--undo`): one symbol of a running live session, or all of it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import NamedTuple

from logos.cli.exit_codes import exit_codes
from logos.cli.running.here import find_here, is_same, say
from logos.core.messages import NOW, PauseSymbol, ResumeTrading, Suspend, UnpauseSymbol
from logos.errors import WorkspaceError
from logos.killswitch.breaker import user_name
from logos.paths import check_session_id
from logos.session import ExitCode
from logos.session.presence.commands import SentCommand, send_command
from logos.session.presence.found import find_sessions
from logos.session.presence.heartbeat import Heartbeat

_PATIENCE_S = 10.0
_LOOK_S = 0.05


class Wish(NamedTuple):
    """What an operator wants of a live session; an empty `symbol` is all of it."""

    session_id: str
    symbol: str
    undo: bool
    reason: str
    by: str

    def command(self) -> SentCommand:
        """The command that is sent."""
        if self.symbol:
            of_symbol = UnpauseSymbol if self.undo else PauseSymbol
            return of_symbol(NOW, self.reason, self.by, self.symbol)
        of_session = ResumeTrading if self.undo else Suspend
        return of_session(NOW, self.reason, self.by)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos pause`."""
    parser.epilog = exit_codes(
        {
            0: "the session carried the command out",
            1: "it did not",
            2: "no such live session or symbol, or a wrong command line",
        }
    )
    parser.add_argument("session", metavar="ID", help="a running live session")
    parser.add_argument("--symbol", default="", help="only this symbol (default: all of it)")
    parser.add_argument("--undo", action="store_true", help="let it trade again")
    parser.add_argument("--reason", default="", help="for the record")
    parser.add_argument("--by", default="", metavar="WHO", help="default: the user's name")


def run(options: argparse.Namespace) -> int:
    """Send the command and wait until the session has carried it out."""
    try:
        check_session_id(options.session)
        here = find_here()
    except (ValueError, WorkspaceError) as error:
        return _complain(str(error), ExitCode.BAD_CONFIGURATION)
    found = running_live(options.session, here)
    if not found:
        return _complain(
            f"no live session {options.session} is running (see `logos status`)",
            ExitCode.BAD_CONFIGURATION,
        )
    if len(found) > 1:
        places = " or ".join(f"LOGOS_HOME={workspace}" for workspace, _ in found)
        return _complain(
            f"live sessions {options.session} run in {len(found)} workspaces; say which: {places}",
            ExitCode.BAD_CONFIGURATION,
        )
    [(workspace, beat)] = found
    say(f"workspace {workspace}")
    if options.symbol and options.symbol not in beat.symbols:
        return _complain(
            f"session {options.session} does not trade {options.symbol}; it trades "
            f"{', '.join(beat.symbols)}",
            ExitCode.BAD_CONFIGURATION,
        )
    by = options.by or user_name()
    wish = Wish(options.session, options.symbol, options.undo, options.reason, by)
    return carry_out(wish, workspace)


def carry_out(wish: Wish, workspace: Path) -> int:
    """Send the command to the session, which runs in `workspace`; wait until it is carried out.

    Prints what came of it; returns the exit code.
    """
    path = send_command(wish.session_id, wish.command(), workspace)
    deadline = time.monotonic() + _PATIENCE_S
    while path.exists():
        if time.monotonic() >= deadline:
            path.unlink(missing_ok=True)
            return _complain(
                f"session {wish.session_id} did not carry out the command within "
                f"{_PATIENCE_S:.0f} s; it was withdrawn. See `logos status`, or `logos kill`",
                ExitCode.INTERNAL_ERROR,
            )
        time.sleep(_LOOK_S)
    if path.with_suffix(".bad").exists():
        return _complain(
            f"session {wish.session_id} refused the command; see the session's standard error",
            ExitCode.INTERNAL_ERROR,
        )
    what = wish.symbol or "the session"
    print(f"{wish.session_id}: {what} {'trades again' if wish.undo else 'is paused'}")
    return 0


def running_live(session_id: str, here: Path | None = None) -> list[tuple[Path, Heartbeat]]:
    """The live sessions of this id that run, with their workspaces; the one of `here` alone, if
    one runs there."""
    found = []
    for session in find_sessions(*([] if here is None else [here])):
        beat = None if session.report is None else session.report.heartbeat
        if session.session_id != session_id or beat is None or session.workspace is None:
            continue
        if session.running and not session.problem and beat.is_live:
            found.append((session.workspace, beat))
    return [each for each in found if is_same(each[0], here)] or found


def _complain(text: str, code: ExitCode) -> int:
    print(f"logos pause: {text}", file=sys.stderr)
    return int(code)
