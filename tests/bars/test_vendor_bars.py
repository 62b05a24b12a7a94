"""On a real recording, bars made of its quotes are the vendor's own, price for price."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from logos.core.instrument import instrument
from logos.core.messages import Bar, MarketEvent, QuoteBar
from logos.core.strategy import Answer, Context, Strategy
from logos.data.replay import ReplayFeed
from logos.data.source import discover
from logos.testing.builders import run, trading_core

GOLD = instrument("XAUUSD", tick="0.001", lot="1", quote="USD", settlement="margin")
MINUTE_NS = 60_000_000_000


class Both(Strategy):
    timeframes = ("1m", "1h")

    def __init__(self) -> None:
        self.bars: dict[str, dict[int, tuple[int, ...]]] = {"1m": {}, "1h": {}}

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        assert isinstance(bar, QuoteBar)
        self.bars[context.timeframe][bar.ts_ns] = (
            *(bar.bid_open_units, bar.bid_high_units, bar.bid_low_units, bar.bid_close_units),
            *(bar.ask_open_units, bar.ask_high_units, bar.ask_low_units, bar.ask_close_units),
        )
        return None


def events_of(*paths: Path) -> list[MarketEvent]:
    accept = frozenset({"gap", "duplicate", "unchanged", "zero_volume", "flat"})
    feed = ReplayFeed(discover(list(paths)), {"XAUUSD": GOLD}, accept=accept)
    return [event for chunk in feed.chunks() for event in chunk]


def test_bars_of_real_quotes_are_the_bars_of_their_vendor(market_data: Path) -> None:
    quotes = events_of(market_data / "quotes" / "XAUUSD_oanda_tick_2014-05-04.csv")
    stem = "XAUUSD_oanda_1m_2014-05-04_09"
    vendor = events_of(*(market_data / "bars" / f"{stem}_{side}.csv" for side in ("bid", "ask")))
    # The first quote of the next day closes the last minute.
    last_ns = (quotes[-1].ts_ns // MINUTE_NS + 1) * MINUTE_NS
    found: list[Any] = []
    for events in (quotes, [bar for bar in vendor if bar.ts_ns <= last_ns]):
        strategy = Both()
        core = trading_core(strategy, GOLD)
        run(core, events)
        found.append(strategy.bars)
    of_quotes, of_bars = found
    # The recording begins half a second into its first minute and hour, which are not told, and
    # ends before its last ones are over.
    first, *minutes = of_bars["1m"]
    assert len(minutes) == 119
    assert of_quotes["1m"] == {end: of_bars["1m"][end] for end in minutes[:-1]}
    assert first == min(of_bars["1m"])
    assert len(of_bars["1h"]) == 2
