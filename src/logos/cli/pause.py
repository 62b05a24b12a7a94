"""`logos pause` (and `--undo`): one symbol of a running live session, or all of it."""

from __future__ import annotations

import argparse
import getpass
import sys
import time

from logos.cli.exit_codes import exit_codes
from logos.cli.status import running_live
from logos.core.messages import NOW, PauseSymbol, ResumeTrading, Suspend, UnpauseSymbol
from logos.paths import check_session_id
from logos.session import ExitCode
from logos.session.presence.commands import SentCommand, send_command

_PATIENCE_S = 10.0
_LOOK_S = 0.05


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
    except ValueError as error:
        return _complain(str(error), ExitCode.BAD_CONFIGURATION)
    status = running_live(options.session)
    if status is None:
        return _complain(
            f"live session {options.session} does not run here (see `logos status`)",
            ExitCode.BAD_CONFIGURATION,
        )
    if options.symbol and options.symbol not in status.symbols:
        return _complain(
            f"session {options.session} does not trade {options.symbol}; it trades "
            f"{', '.join(status.symbols)}",
            ExitCode.BAD_CONFIGURATION,
        )
    by = options.by or getpass.getuser()
    command: SentCommand
    if options.symbol:
        of_symbol = UnpauseSymbol if options.undo else PauseSymbol
        command = of_symbol(NOW, options.reason, by, options.symbol)
    else:
        of_session = ResumeTrading if options.undo else Suspend
        command = of_session(NOW, options.reason, by)
    path = send_command(options.session, command)
    deadline = time.monotonic() + _PATIENCE_S
    while path.exists():
        if time.monotonic() >= deadline:
            path.unlink(missing_ok=True)
            return _complain(
                f"session {options.session} did not carry out the command within "
                f"{_PATIENCE_S:.0f} s; it was withdrawn. See `logos status`, or `logos kill`",
                ExitCode.INTERNAL_ERROR,
            )
        time.sleep(_LOOK_S)
    if path.with_suffix(".bad").exists():
        return _complain(
            f"session {options.session} refused the command; see the session's standard error",
            ExitCode.INTERNAL_ERROR,
        )
    what = options.symbol or "the session"
    print(f"{options.session}: {what} {'trades again' if options.undo else 'is paused'}")
    return 0


def _complain(text: str, code: ExitCode) -> int:
    print(f"logos pause: {text}", file=sys.stderr)
    return int(code)
