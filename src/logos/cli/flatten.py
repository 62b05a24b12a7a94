"""`logos flatten`: close every position of a stopped or crashed session, on the record.

The session continues from where it stood, without its strategy: open orders are cancelled,
positions are closed by market orders that pass the same guards and both gates, and nothing more is
traded.
One that ran on live data continues on live data, and ends once nothing is held.
While the kill switch is engaged no order leaves, these included: reset it first.
"""

from __future__ import annotations

import argparse

from logos.cli.exit_codes import exit_codes
from logos.cli.run_command import ProgressBar, add_shown, attempt
from logos.cli.trade import add_leave
from logos.config import live_overrides
from logos.core.messages import NOW, Flatten
from logos.session import SessionResult
from logos.session.entry import resume


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos flatten`."""
    parser.epilog = exit_codes()
    parser.add_argument("session_id", metavar="ID", help="a session that is not running")
    parser.add_argument("--by", required=True, metavar="WHO", help="who orders it")
    parser.add_argument("--reason", required=True, metavar="R", help="why")
    add_leave(parser)
    add_shown(parser)


def run(options: argparse.Namespace) -> int:
    """Flatten the session; returns the exit code."""

    def go(bar: ProgressBar) -> SessionResult:
        order = Flatten(NOW, options.reason, options.by)
        given = live_overrides(options.live, options.i_acknowledge_risk)
        return resume(
            options.session_id,
            on_plan=bar.start,
            beside=bar.screen.beside,
            tell=bar.screen.tell,
            flatten=order,
            is_acknowledged=bool(given),
        )

    return attempt(go, options, "flatten")
