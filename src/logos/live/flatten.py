"""`logos flatten`: close every position of a stopped or crashed session, on the record.

The session goes on from where it stood without its strategy: open orders are cancelled, positions
are closed by market orders that pass the same guards and both gates, and nothing more is traded.
While the kill switch is engaged no order leaves, these included: reset it first.
"""

from __future__ import annotations

import argparse

from logos.live.attempt import ProgressBar, attempt
from logos.session import SessionResult
from logos.session.recovery import Flatten, resume


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos flatten`."""
    parser.add_argument("session_id", metavar="ID", help="a session that is not running")
    parser.add_argument("--by", required=True, metavar="WHO", help="who orders it")
    parser.add_argument("--reason", required=True, metavar="R", help="why")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(options: argparse.Namespace) -> int:
    """Flatten the session; returns the exit code."""

    def go(bar: ProgressBar) -> SessionResult:
        order = Flatten(by=options.by, reason=options.reason)
        return resume(options.session_id, on_plan=bar.start, flatten=order)

    return attempt(go, options, "flatten")
