"""Bars in a table, for tests of the library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

WORDS: dict[str, Any] = {"symbol": "ACME", "tick": "0.01", "lot": "1", "quote": "USD"}
T0 = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


def rows(count: int = 3, **changes: Any) -> list[dict[str, Any]]:
    """Bars of one minute; `changes` are columns' values in the second row."""
    made = [
        {
            "timestamp": T0 + timedelta(minutes=number),
            "open": 10.0,
            "high": 10.5,
            "low": 9.5,
            "close": 10.25,
            "volume": 100 + number,
        }
        for number in range(count)
    ]
    made[1].update(changes)
    return made


def ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000
