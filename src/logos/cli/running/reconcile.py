"""`logos reconcile`: book what a venue proves of a session that a difference had halted.

Without `--no-dry-run` it asks, shows, and changes nothing. With it, missing fills and ends go into
the session's record under the operator's name and reason, all of them or none; the session is
stopped then, and `logos resume` goes on. Nothing is sent to the venue but questions.
"""

from __future__ import annotations

import argparse

from logos.cli.exit_codes import SESSION_CODES, exit_codes
from logos.cli.run_command import ProgressBar, add_shown, attempt
from logos.cli.trade import add_leave
from logos.config import ConfigError, live_overrides
from logos.session import ExitCode, SessionResult
from logos.session.opening.spec import SessionSpec
from logos.session.venue.repair import Findings, book, look
from logos.venues.contract import VenueError

_CODES = {
    **{code: SESSION_CODES[code] for code in (0, 1, 2, 6, 7, 8, 9)},
    0: "shown or booked, and nothing is left",
    4: "something is in the way, or holdings differ all the same: nothing was booked",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos reconcile`."""
    parser.epilog = exit_codes(dict(sorted(_CODES.items())))
    parser.add_argument("session_id", metavar="ID", help="a session that a difference halted")
    parser.add_argument("--by", required=True, metavar="WHO", help="who decides it")
    parser.add_argument("--reason", required=True, metavar="R", help="why it is right")
    parser.add_argument(
        "--dry-run",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="only show what would be booked (the default)",
    )
    parser.add_argument(
        "--adjust",
        action="store_true",
        help="what no fill explains is the account owner's, not the session's",
    )
    add_leave(parser, "needed to book: it decides on a session that sends real orders")
    add_shown(parser)


def run(options: argparse.Namespace) -> int:
    """Show or book it; returns the exit code."""
    is_in_the_way = False

    def go(bar: ProgressBar) -> SessionResult | None:
        nonlocal is_in_the_way
        if not options.by.strip() or not options.reason.strip():
            raise ConfigError("--by and --reason are for the record: neither may be empty")
        given = live_overrides(options.live, options.i_acknowledge_risk)
        spec = SessionSpec(
            session_id=options.session_id, tell=bar.screen.tell, is_acknowledged=bool(given)
        )
        if not options.dry_run:
            _check_leave(options)
        try:
            found = look(spec)
        except VenueError as error:
            raise ConfigError(f"venue: {error}; nothing was booked") from None
        if options.adjust:
            found.obstacles += found.unsound()
        for line in _lines(found, options.adjust):
            bar.say(line)
        is_in_the_way = bool(found.obstacles or (found.left and not options.adjust))
        if options.dry_run or is_in_the_way:
            bar.say("nothing was booked" + ("" if is_in_the_way else ": --no-dry-run books it"))
            return None
        return book(spec, found, options.by, options.reason)

    code = attempt(go, options, "reconcile")
    return int(ExitCode.HALTED) if code == 0 and is_in_the_way else code


def _check_leave(options: argparse.Namespace) -> None:
    """Booking decides on a session that sends real orders: it takes the two flags of `resume`."""
    if not (options.live and options.i_acknowledge_risk):
        raise ConfigError("--no-dry-run needs --live and --i-acknowledge-risk, as `logos resume`")


def _lines(found: Findings, is_adjusting: bool) -> list[str]:
    """What was found, a line each."""
    lines = [f"book    {line}" for line in found.booked]
    for name, amount in sorted(found.left.items()):
        what = "is the account owner's from now on" if is_adjusting else "no fill explains"
        lines.append(f"{'adjust' if is_adjusting else 'LEFT  '}  {amount:f} {name} {what}")
    lines += [f"STOP    {line}" for line in found.obstacles]
    if found.left and not is_adjusting:
        lines.append(
            "What is left is a deposit, a withdrawal, a trade by hand or a fill that nothing "
            "names. If it is the owner's, --adjust says so; if not, start a new session whose "
            "account.balances are what is there"
        )
    if not found.booked and not found.left and not found.obstacles:
        lines.append("books and venue agree: nothing is missing but the decision")
    return lines
