"""`logos replay`: run a session again from its data and compare every byte."""

from __future__ import annotations

import argparse

from logos.cli.exit_codes import exit_codes
from logos.cli.run_command import ProgressBar, attempt
from logos.session.entry import compared, replay
from logos.session.history import find_session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos replay`."""
    parser.epilog = exit_codes()
    parser.add_argument("session_id", metavar="ID", help="the session to run again")
    parser.add_argument("--quiet", action="store_true", help="say nothing but differences")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(options: argparse.Namespace) -> int:
    """Replay the session; 0 when every byte is the same."""

    def go(bar: ProgressBar) -> None:
        replay(options.session_id, on_plan=bar.start)
        if not options.quiet:
            count = len(compared(find_session(options.session_id)))
            bar.say(f"session {options.session_id}: {count} files replayed to the same bytes")

    return attempt(go, options, "replay")
