"""A strategy and bars in tables, for tests of the library."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from places import CACHE

from logos import Answer, Bar, Context, QuoteBar, Strategy, Target

CASH = {"USD": 100_000}

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


class Crossing(Strategy):
    """Long above the mean of the last closes, flat below."""

    def __init__(self, length: int = 60) -> None:
        self.length = length
        self.closes: deque[float] = deque(maxlen=length)

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        self.closes.append(bar.close)
        if len(self.closes) < self.length:
            return None
        return Target(50 if bar.close > sum(self.closes) / self.length else 0)


def frame() -> pd.DataFrame:
    """The bundled bars of ACME, their times as the index."""
    return pd.read_csv(CACHE / "ACME_1m_bars.csv", index_col=0, parse_dates=True)
