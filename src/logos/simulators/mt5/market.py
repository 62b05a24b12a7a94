"""The simulated terminal's market: prices, candles, and where they come from.

A symbol's prices come from a seeded generator or from recorded quotes, played round and round. A
candle is made of bids, as MetaTrader makes it; it closes with the first price of the next period.
Only minutes are kept; longer candles are made of them. Weeks begin on Sunday and months on their
first day, as MetaTrader's do. The latest prices are kept one by one as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
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
TICKS_KEPT: Final = 20_000
TICK: Final = "TICK"
_DAY_S: Final = 86_400
_SUNDAY_S: Final = 3 * _DAY_S
"""The first Sunday of the epoch, which began on a Thursday."""
MONTH: Final = "MN1"
PERIODS_S: Final = {
    "M1": 60,
    "M5": 300,
    "M15": 900,
    "M30": 1800,
    "H1": 3600,
    "H2": 7200,
    "H3": 10800,
    "H4": 14400,
    "H6": 21600,
    "H8": 28800,
    "H12": 43200,
    "D1": _DAY_S,
    "W1": 7 * _DAY_S,
    MONTH: 31 * _DAY_S,
}
"""Every timeframe of the bridge; a month's length is the longest that one has."""


def period_start(timeframe: str, time_s: int) -> int:
    """When the candle of that timeframe began in which `time_s` (seconds) lies."""
    if timeframe == MONTH:
        day = datetime.fromtimestamp(time_s, UTC).replace(day=1, hour=0, minute=0, second=0)
        return int(day.timestamp())
    period_s = PERIODS_S[timeframe]
    shift_s = _SUNDAY_S if timeframe == "W1" else 0
    return time_s - (time_s - shift_s) % period_s


Prices = Iterator[tuple[int, int]]


class Candle(msgspec.Struct):
    """Bid prices in units, and how many prices there were, from `opened_s` on.

    `spread_units` is the difference of ask and bid at its last price.
    """

    opened_s: int
    open_units: int
    high_units: int
    low_units: int
    close_units: int
    ticks: int
    spread_units: int = 0

    def add(self, price_units: int, spread_units: int = 0) -> None:
        """One more price."""
        self.spread_units = spread_units
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
        self.spread_units = later.spread_units


class SymbolMarket:
    """Prices and candles of one symbol."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.bid_units = 0
        self.ask_units = 0
        self.minutes: deque[Candle] = deque(maxlen=MINUTES_KEPT)
        """The last one may still be open."""
        self.ticks: deque[tuple[int, int, int]] = deque(maxlen=TICKS_KEPT)
        """The latest prices: (milliseconds, bid, ask)."""
        self.subscriptions: list[str] = []
        """Timeframes that the client asked for, in its order."""

    @property
    def has_price(self) -> bool:
        """Whether there has been a price yet."""
        return self.bid_units > 0

    @property
    def last_ms(self) -> int:
        """When the latest price came; 0 before the first."""
        return self.ticks[-1][0] if self.ticks else 0

    def price(self, bid_units: int, ask_units: int, time_ms: int) -> list[tuple[str, Candle]]:
        """Take one price at `time_ms` (milliseconds); the subscribed candles that it closes."""
        self.bid_units = bid_units
        self.ask_units = ask_units
        self.ticks.append((time_ms, bid_units, ask_units))
        spread = ask_units - bid_units
        minute_s = time_ms // 1000 // 60 * 60
        if self.minutes and self.minutes[-1].opened_s >= minute_s:
            self.minutes[-1].add(bid_units, spread)
            return []
        before_s = self.minutes[-1].opened_s if self.minutes else None
        self.minutes.append(Candle(minute_s, bid_units, bid_units, bid_units, bid_units, 1, spread))
        if before_s is None:
            return []
        closed = []
        for timeframe in self.subscriptions:
            if timeframe == TICK:
                continue
            opened_s = period_start(timeframe, before_s)
            if opened_s != period_start(timeframe, minute_s):
                closed.append((timeframe, self._candle_at(timeframe, opened_s)))
        return closed

    def before_this(self, timeframe: str) -> Candle | None:
        """The candle before the one that is open now; None where there is none."""
        if not self.minutes:
            return None
        now_s = period_start(timeframe, self.minutes[-1].opened_s)
        for minute in reversed(self.minutes):
            if minute.opened_s < now_s:
                return self._candle_at(timeframe, period_start(timeframe, minute.opened_s))
        return None

    def last_closed(self, timeframe: str) -> Candle | None:
        """The last candle that is over."""
        candles = self.candles(timeframe, 0, 2**62)
        return candles[-2] if len(candles) > 1 else None

    def candles(self, timeframe: str, from_s: int, to_s: int) -> list[Candle]:
        """Candles that open from `from_s` to `to_s`, oldest first; the last may be open."""
        found: list[Candle] = []
        for minute in self.minutes:
            opened_s = period_start(timeframe, minute.opened_s)
            if not from_s <= opened_s <= to_s:
                continue
            if found and found[-1].opened_s == opened_s:
                found[-1].merge(minute)
            else:
                found.append(msgspec.structs.replace(minute, opened_s=opened_s))
        return found

    def _candle_at(self, timeframe: str, opened_s: int) -> Candle:
        whole: Candle | None = None
        for minute in reversed(self.minutes):
            if minute.opened_s < opened_s:
                break
            if period_start(timeframe, minute.opened_s) == opened_s:
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
