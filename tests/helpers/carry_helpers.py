"""Small paper sessions that carry each other on: one symbol, a few quotes, a script."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path
from typing import Any

from session_helpers import ListFeed

from logos import session
from logos.config import make_config
from logos.core.instrument import instrument
from logos.core.messages import Event
from logos.core.strategy import limit, market
from logos.core.types import Side
from logos.session import SessionSpec, open_session
from logos.testing.builders import Scripted, quote

BEGIN = 1_700_000_000 * 10**9

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
SCRIPT = {1: market(Side.BUY, 5), 3: limit(Side.BUY, 2, "50", tag="rests")}


def few(first: int, last: int, price: int = 100) -> list[Event]:
    return [
        quote(ACME, BEGIN + each * 10**9, f"{price + each}.00", f"{price + each}.02")
        for each in range(first, last + 1)
    ]


def small(session_id: str, **tables: Any) -> dict[str, Any]:
    return {
        "session": {"id": session_id},
        "risk": {"unlimited": True},
        "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
        "account": {"balances": {"USD": "10000"}},
        **tables,
    }


def trade(
    home: Path,
    session_id: str,
    part: list[Event],
    script: dict[int, Any] | None = None,
    carry: str = "",
    **tables: Any,
) -> session.SessionResult:
    return session.run(
        make_config(small(session_id, **tables)),
        strategy=Scripted(script or {}),
        feed=ListFeed(part),
        home=home,
        carry=carry,
    )


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with open(folder / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def folder_of(home: Path, session_id: str) -> Path:
    return home / "runs" / "live" / "sessions" / session_id


def stop_after(home: Path, session_id: str, ticks: int) -> session.SessionResult:
    """A session on paper that an operator stops behind so many quotes, an order resting."""
    feed = ListFeed(few(1, ticks + 5))
    spec = SessionSpec(
        config=make_config(small(session_id)), strategy=Scripted(SCRIPT), feed=feed, home=home
    )
    with open_session(spec) as opened:
        for batch in itertools.islice(feed.chunks(), ticks):
            opened.apply(batch)
        opened.supervisor.stop_requested = True
        opened.apply([])
        assert opened.result is not None
        return opened.result
