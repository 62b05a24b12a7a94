"""Small files, instruments and readings that the feed tests share."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

import pytest
from places import required_market_data

from logos.core.instrument import Instrument, instrument
from logos.core.messages import MarketEvent
from logos.core.types import NS_PER_MINUTE
from logos.data.defects import ACCEPTABLE_KINDS
from logos.data.layout import BARS, QUOTE_BARS
from logos.data.readers.optional import arrow_available
from logos.data.replay import ReplayFeed
from logos.data.source import DataSource
from logos.data.suggest import draft_instrument

BAR_HEADER = "timestamp,open,high,low,close,volume"
QUOTE_HEADER = "timestamp,bid,ask,bid_size,ask_size"
TRADE_HEADER = "timestamp,price,size,side"

needs_arrow = pytest.mark.skipif(
    not arrow_available(), reason="the fast reader needs the extra logos-trading[parquet]"
)
READERS = [
    pytest.param(False, id="careful"),
    pytest.param(True, id="fast", marks=needs_arrow),
]


def traded(symbol: str = "BTCUSD", tick: str = "0.01", lot: str = "0.0001") -> Instrument:
    return instrument(symbol, tick=tick, lot=lot, quote="USD")


def write(path: Path, header: str, rows: Iterable[str], end: str = "\n") -> Path:
    """A CSV file (compressed when its name says so); `end` follows the last row."""
    text = "\n".join([header, *rows]) + end
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        path.write_bytes(text.encode())
    return path


def source_of(path: Path, kind: str = BARS, ask_path: Path | None = None) -> DataSource:
    interval_ns = NS_PER_MINUTE if kind in (BARS, QUOTE_BARS) else None
    return DataSource(path, "BTCUSD", kind, interval_ns, ask_path)


def bar_row(minute: int, prices: str = "10,12,9,11", volume: str = "1") -> str:
    return f"2024-01-02T{minute // 60:02d}:{minute % 60:02d}:00Z,{prices},{volume}"


def events_of(
    source: DataSource,
    *,
    fast: bool | None = None,
    accept: frozenset[str] = ACCEPTABLE_KINDS,
    instrument: Instrument | None = None,
) -> list[MarketEvent]:
    instruments = {source.symbol: instrument or traded()}
    feed = ReplayFeed([source], instruments, accept=accept, fast=fast)
    return [event for chunk in feed.chunks() for event in chunk]


def market_folder() -> Path:
    """The folder of real recordings; skips the test where it is absent."""
    return required_market_data().resolve()


def instruments_of(sources: list[DataSource]) -> dict[str, Instrument]:
    """One instrument for each symbol, fine enough for all of its sources."""
    steps: dict[str, dict[str, str]] = {}
    for source in sources:
        table = draft_instrument(source).assumed()
        finest = steps.setdefault(source.symbol, {"tick": "1", "lot": "1"})
        for name in finest:
            finest[name] = max(finest[name], table[name], key=len)
    return {symbol: traded(symbol, **finest) for symbol, finest in steps.items()}
