"""`logos sessions list`: a line for each session of the workspace; `--running`: of all of them."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any, Final

from logos.cli.running.standing import clock, session_as_json
from logos.cli.status import look
from logos.core.types import NS_PER_SECOND
from logos.session.stored.results import Results, results_of
from logos.session.stored.sessions import StoredSession, stored_sessions
from logos.session.stored.sizes import in_words

_RUNNING_HEADINGS = ("session", "workspace", "kind", "state", "age")
_HEADINGS = (
    *("session", "began (UTC)", "ended (UTC)", "mode", "data", "outcome", "net", "%", "trades"),
    *("size", "holds"),
)
_NUMBERS: Final = frozenset(("net", "%", "trades", "size"))
_CURRENCIES_MAX: Final = 2


def list_stored(options: argparse.Namespace, workspace: Path) -> int:
    """Print the sessions of the workspace, in order of their beginning."""
    sessions = stored_sessions(workspace)
    found = [(each, results_of(each.folder)) for each in sessions]
    if options.json:
        told = [{**session_as_json(each), **results_as_json(of)} for each, of in found]
        print(json.dumps(told, indent=2))
    elif not sessions:
        print("no sessions")
    else:
        print_table([_HEADINGS, *(_row(each, of) for each, of in found)], right=_NUMBERS)
    return 0


def results_as_json(results: Results) -> dict[str, Any]:
    """What a session came to, as JSON values: money as text, `net_ratio` 0.01 for one per cent."""
    first = results.first
    return {
        "net": {each.currency: f"{each.net:f}" for each in results.currencies},
        "total_net": None if results.total is None else f"{results.total.net:f}",
        "total_currency": None if results.total is None else results.total.currency,
        "net_ratio": None if first is None else first.ratio,
        "trades": results.trips,
    }


def _net(results: Results) -> str:
    """The total, or each currency's; "?" while nothing is known."""
    if results.first is not None:
        return results.first.words()
    shown = [each.words() for each in results.currencies[:_CURRENCIES_MAX]]
    more = len(results.currencies) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more > 0 else [])]) or "?"


def _ratio(results: Results) -> str:
    ratio = None if results.first is None else results.first.ratio
    return "" if ratio is None else f"{ratio * 100:+,.2f}"


def _row(session: StoredSession, results: Results) -> tuple[str, ...]:
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
        _net(results),
        _ratio(results),
        "?" if results.trips is None else f"{results.trips:,}",
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


def print_table(table: Sequence[Sequence[str]], right: Container[str] = ()) -> None:
    """Print rows of cells in columns as wide as they must be, those named `right` to the right."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        cells = (
            f"{cell:>{width}}" if name in right else f"{cell:{width}}"
            for cell, width, name in zip(row, widths, table[0], strict=True)
        )
        print("  ".join(cells).rstrip())


def _age(seconds: int | None) -> str:
    """Hours, minutes and seconds since the session began."""
    return "?" if seconds is None else clock(seconds)
