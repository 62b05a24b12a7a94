"""`logos sessions list`: a line for each session of the workspace; `--running`: of all of them."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from logos.cli.running.standing import clock, session_as_json
from logos.cli.status import look
from logos.core.types import NS_PER_SECOND
from logos.session.stored.sessions import StoredSession, stored_sessions
from logos.session.stored.sizes import in_words

_RUNNING_HEADINGS = ("session", "workspace", "kind", "state", "age")
_HEADINGS = ("session", "began (UTC)", "ended (UTC)", "mode", "data", "outcome", "size", "holds")


def list_stored(options: argparse.Namespace, workspace: Path) -> int:
    """Print the sessions of the workspace, in order of their beginning."""
    sessions = stored_sessions(workspace)
    if options.json:
        print(json.dumps([session_as_json(each) for each in sessions], indent=2))
    elif not sessions:
        print("no sessions")
    else:
        print_table([_HEADINGS, *(_row(each) for each in sessions)])
    return 0


def _row(session: StoredSession) -> tuple[str, ...]:
    outcome = session.status
    if session.exit_code:
        outcome += f" ({session.exit_code})"
    return (
        session.session_id,
        in_minutes(session.began),
        in_minutes(session.ended),
        session.mode,
        session.data,
        outcome,
        in_words(session.sizes.total),
        "?" if session.held is None else session.held.words(),
    )


def in_minutes(moment: str) -> str:
    """A time of a session's files to the minute; "?" when it has none."""
    return moment[:16].replace("T", " ") if moment else "?"


def list_running(options: argparse.Namespace, here: Path | None) -> int:
    """Print a line for each session of the user that runs or died, whatever its workspace."""
    now_ns = time.time_ns()
    rows = [
        (
            session.session_id or "(no id yet)",
            str(session.workspace or "not known"),
            session.kind,
            session.verdict(now_ns),
            max(0, now_ns - session.since_ns) // NS_PER_SECOND if session.since_ns else None,
        )
        for session in look(here, here_only=options.here)
    ]
    if options.json:
        found = [dict(zip(_RUNNING_HEADINGS, row, strict=True)) for row in rows]
        print(json.dumps(found, indent=2))
    elif not rows:
        print("no session is running")
    else:
        print_table([_RUNNING_HEADINGS, *((*row[:4], _age(row[4])) for row in rows)])
    return 0


def print_table(table: Sequence[Sequence[str]]) -> None:
    """Print rows of cells in columns as wide as they must be."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _age(seconds: int | None) -> str:
    """Hours, minutes and seconds since the session began."""
    return "?" if seconds is None else clock(seconds)
