"""`logos sessions list`: the running sessions of this user, whatever their workspace."""

from __future__ import annotations

import argparse
import json
import sys
import time

from logos.cli.exit_codes import exit_codes
from logos.cli.running.here import find_here
from logos.cli.status import look, verdict_of
from logos.core.types import NS_PER_SECOND
from logos.errors import WorkspaceError

_HEADINGS = ("session", "workspace", "kind", "state", "age")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos sessions`."""
    parser.epilog = exit_codes({0: "done", 2: "a wrong command line, or LOGOS_HOME is no folder"})
    commands = parser.add_subparsers(dest="sessions_command", metavar="COMMAND", required=True)
    listing = commands.add_parser("list", help="running sessions: name, workspace, state, age")
    listing.add_argument("--here", action="store_true", help="only this workspace")
    listing.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Print a line for each session that runs or died."""
    try:
        here = find_here()
    except WorkspaceError as error:
        print(f"logos sessions: {error}", file=sys.stderr)
        return 2
    now_ns = time.time_ns()
    rows = [
        (
            session.session_id or "(no id yet)",
            str(session.workspace or "not known"),
            session.kind,
            verdict_of(session, now_ns),
            max(0, now_ns - session.since_ns) // NS_PER_SECOND if session.since_ns else None,
        )
        for session in look(here, here_only=options.here)
    ]
    if options.json:
        print(json.dumps([dict(zip(_HEADINGS, row, strict=True)) for row in rows], indent=2))
        return 0
    if not rows:
        print("no session is running")
        return 0
    table = [_HEADINGS, *((*row[:4], _age(row[4])) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADINGS))]
    for row in table:
        print(
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    return 0


def _age(seconds: int | None) -> str:
    """Hours, minutes and seconds since the session began."""
    if seconds is None:
        return "?"
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
