"""Small sessions for the tests of analyses: bars of a file, and a strategy by script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from logos import session
from logos.core.gates import InProcessSwitch
from logos.core.strategy import Answer, Strategy
from logos.testing.builders import Scripted

START = datetime(2026, 1, 5, 10, tzinfo=UTC)


def write_bars(
    path: Path,
    prices: Sequence[str],
    step: timedelta = timedelta(minutes=1),
    start: datetime = START,
) -> Path:
    """A file of bars; each of `prices` is "open high low close"."""
    lines = ["timestamp,open,high,low,close,volume"]
    for place, each in enumerate(prices):
        moment = start + place * step
        lines.append(f"{moment:%Y-%m-%dT%H:%M:%SZ},{each.replace(' ', ',')},1000")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run_bars(
    home: Path,
    prices: Mapping[str, Sequence[str]],
    answers: Mapping[int, Answer] | None = None,
    *,
    terms: Mapping[str, Mapping[str, Any]] | None = None,
    strategy: Strategy | None = None,
    step: timedelta = timedelta(minutes=1),
    **tables: Any,
) -> session.SessionResult:
    """Run a session over files of bars, by symbol; `answers` by the number of the bar seen."""
    names = {timedelta(minutes=1): "1m", timedelta(hours=1): "1h", timedelta(days=1): "1d"}
    files = [
        write_bars(home / "data" / f"{symbol}_{names[step]}_bars.csv", each, step)
        for symbol, each in prices.items()
    ]
    base = {"quote": "USD", "tick": "0.01", "lot": "1", "fees": {"decimals": 2}}
    config: dict[str, Any] = {
        "session": {"id": "small", "sample_interval_s": 60},
        "data": {"paths": [str(path) for path in files], "accept": ["gap"]},
        "instruments": {symbol: {**base, **(terms or {}).get(symbol, {})} for symbol in prices},
        "account": {"balances": {"USD": "10000"}},
        "paper": {"fill": "next_open"},
        "risk": {"unlimited": True},
        **tables,
    }
    return session.run(
        config, strategy=strategy or Scripted(answers or {}), switch=InProcessSwitch(), home=home
    )
