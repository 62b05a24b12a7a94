"""`logos sessions sizes`: what each session takes on the disk, for an event and for an hour."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any, Final

from logos.cli.running.standing import ns
from logos.cli.sessions.listing import print_table
from logos.core.types import NS_PER_SECOND
from logos.session.presence.heartbeat import heartbeat_path, read_heartbeat
from logos.session.stored.sessions import RUNNING, StoredSession, stored_sessions
from logos.session.stored.sizes import KINDS, in_words

_HOUR_NS: Final = 3_600 * NS_PER_SECOND
_HEADINGS = ("session", *KINDS, "total", "an event", "an hour")


def show_sizes(options: argparse.Namespace, workspace: Path) -> int:
    """Print a line for each session, and one for all."""
    now_ns = time.time_ns()
    rows = [_measured(each, workspace, now_ns) for each in stored_sessions(workspace)]
    totals = {name: sum(row["bytes"][name] for row in rows) for name in (*KINDS, "total")}
    if options.json:
        print(json.dumps({"sessions": rows, "bytes": totals}, indent=2))
        return 0
    if not rows:
        print("no sessions")
        return 0
    table = [_HEADINGS, *(_row(row["session_id"], row["bytes"], row) for row in rows)]
    print_table([*table, _row("all", totals, {})])
    return 0


def _row(name: str, sizes: dict[str, int], rates: dict[str, Any]) -> tuple[str, ...]:
    figures = (rates.get("bytes_an_event"), rates.get("bytes_an_hour"))
    return (
        name,
        *(in_words(sizes[kind]) for kind in (*KINDS, "total")),
        *("" if figure is None else in_words(figure) for figure in figures),
    )


def _measured(session: StoredSession, workspace: Path, now_ns: int) -> dict[str, Any]:
    """One session's bytes; per event where events are counted, per hour of the wall's clock."""
    total = session.sizes.total
    ticks = session.ticks
    until_ns = ns(session.ended)
    if session.status == RUNNING:
        report = read_heartbeat(heartbeat_path(session.session_id, workspace))
        beat = None if report is None else report.heartbeat
        ticks, until_ns = None if beat is None else beat.ticks, now_ns
    lasted_ns = until_ns - ns(session.began) if session.began else 0
    return {
        "session_id": session.session_id,
        "status": session.status,
        "bytes": {**session.sizes.by_kind(), "total": total},
        "events": ticks,
        "bytes_an_event": round(total / ticks) if ticks else None,
        # What lasted a second says nothing of an hour.
        "bytes_an_hour": total * _HOUR_NS // lasted_ns if lasted_ns > _HOUR_NS // 60 else None,
    }
