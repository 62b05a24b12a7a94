"""`logos resume`: resume a stopped or crashed session, or seal it at its last record."""

from __future__ import annotations

import argparse

from logos.cli.exit_codes import exit_codes
from logos.cli.run_command import ProgressBar, add_shown, attempt
from logos.cli.trade import add_leave
from logos.config import live_overrides
from logos.session import SessionResult
from logos.session.entry import resume


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos resume`."""
    parser.epilog = exit_codes()
    parser.add_argument("session_id", metavar="ID", help="the session to resume")
    parser.add_argument(
        "--seal",
        action="store_true",
        help="do not resume: bring a crashed session to its last record and seal it there",
    )
    parser.add_argument(
        "--no-snapshot",
        action="store_true",
        help="run the session again from its beginning, without its snapshot",
    )
    add_leave(parser)
    add_shown(parser)


def run(options: argparse.Namespace) -> int:
    """Resume the session; returns the exit code."""

    def go(bar: ProgressBar) -> SessionResult:
        given = live_overrides(options.live, options.i_acknowledge_risk)
        return resume(
            options.session_id,
            on_plan=bar.start,
            beside=bar.screen.beside,
            tell=bar.screen.tell,
            seal=options.seal,
            use_snapshot=not options.no_snapshot,
            is_acknowledged=bool(given),
        )

    return attempt(go, options, "resume")
