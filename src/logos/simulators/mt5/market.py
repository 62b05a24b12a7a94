"""The simulated terminal's market: prices, candles, and where they come from.

A symbol's prices come from a seeded generator or from recorded quotes, played round and round. A
candle is made of bids, as MetaTrader makes it; it closes with the first price of the next period.
Only minutes are kept; longer candles are made of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from logos.core.instrument import Instrument
from logos.core.messages import Quote
from logos.data.defects import CROSSED
from logos.data.replay import ReplayFeed
from logos.data.source import discover
from logos.data.synthetic import tick_events
from logos.errors import DataError

MINUTES_KEPT: Final = 50_000
TICK: Final = "TICK"
PERIODS_S: Final = {
    "M1": 60,
    "M5": 300,
    "M15": 900,
    "M30": 1800,
    "H1": 3600,
    "H4": 14400,
    "D1": 86400,
}

Prices = Iterator[tuple[int, int]]


class Candle(msgspec.Struct):
    """Bid prices in units, and how many prices there were, from `opened_s` on."""

    opened_s: int
    open_units: int
    high_units: int
    low_units: int
    close_units: int
    ticks: int

    def add(self, price_units: int) -> None:
        """One more price."""
        self.high_units = max(self.high_units, price_units)
        self.low_units = min(self.low_units, price_units)
        self.close_units = price_units
        self.ticks += 1

    def merge(self, later: Candle) -> None:
        """Make this candle longer by one that follows it."""
        self.high_units = max(self.high_units, later.high_units)
        self.low_units = min(self.low_units, later.low_units)
        self.close_units = later.close_units
        self.ticks += later.ticks


class SymbolMarket:
    """Prices and candles of one symbol."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.bid_units = 0
        self.ask_units = 0
        self.minutes: deque[Candle] = deque(maxlen=MINUTES_KEPT)
        """The last one may still be open."""
        self.subscriptions: list[str] = []
        """Timeframes that the client asked for, in its order."""

    @property
    def has_price(self) -> bool:
        """Whether there has been a price yet."""
        return self.bid_units > 0

    def price(self, bid_units: int, ask_units: int, time_s: int) -> list[tuple[str, Candle]]:
        """Take one price; the subscribed candles that it closes."""
        self.bid_units = bid_units
        self.ask_units = ask_units
        minute_s = time_s - time_s % 60
        if self.minutes and self.minutes[-1].opened_s >= minute_s:
            self.minutes[-1].add(bid_units)
            return []
        before_s = self.minutes[-1].opened_s if self.minutes else None
        self.minutes.append(Candle(minute_s, bid_units, bid_units, bid_units, bid_units, 1))
        if before_s is None:
            return []
        closed = []
        for timeframe in self.subscriptions:
            period_s = PERIODS_S.get(timeframe)
            if period_s is None or minute_s // period_s == before_s // period_s:
                continue
            closed.append((timeframe, self._candle_at(before_s - before_s % period_s, period_s)))
        return closed

    def last_closed(self, timeframe: str) -> Candle | None:
        """The last candle that is over."""
        candles = self.candles(timeframe, 0, 2**62)
        return candles[-2] if len(candles) > 1 else None

    def candles(self, timeframe: str, from_s: int, to_s: int) -> list[Candle]:
        """Candles that open from `from_s` to `to_s`, oldest first; the last may be open."""
        period_s = PERIODS_S[timeframe]
        found: list[Candle] = []
        for minute in self.minutes:
            opened_s = minute.opened_s - minute.opened_s % period_s
            if not from_s <= opened_s <= to_s:
                continue
            if found and found[-1].opened_s == opened_s:
                found[-1].merge(minute)
            else:
                found.append(msgspec.structs.replace(minute, opened_s=opened_s))
        return found

    def _candle_at(self, opened_s: int, period_s: int) -> Candle:
        whole: Candle | None = None
        for minute in reversed(self.minutes):
            if minute.opened_s < opened_s:
                break
            if minute.opened_s < opened_s + period_s:
                later = whole
                whole = msgspec.structs.replace(minute, opened_s=opened_s)
                if later is not None:
                    whole.merge(later)
        assert whole is not None
        return whole


def synthetic_prices(instrument: Instrument, seed: int, start_ticks: int) -> Prices:
    """Prices without end from the seeded generator, in units."""
    for chunk in tick_events([instrument], 2**62, seed, start_ticks=start_ticks, chunk_size=64):
        for quote in chunk:
            yield quote.bid_units, quote.ask_units


def recorded_prices(instrument: Instrument, path: Path) -> Prices:
    """Recorded quotes, round and round, in units. Raises DataError for what cannot be used."""

    found = discover(path, overrides={path.name: {"symbol": instrument.symbol}})
    if [source.kind for source in found] != ["quotes"]:
        raise DataError(f"{path}: one file of quotes is needed (timestamp,bid,ask)")
    feed = ReplayFeed(found, {instrument.symbol: instrument}, accept=frozenset((CROSSED,)))
    while True:
        for chunk in feed.chunks():
            for event in chunk:
                if isinstance(event, Quote) and event.bid_units <= event.ask_units:
                    yield event.bid_units, event.ask_units
