"""The market a local exchange plays back: listings, their events, and how far they have come.

An exchange's time is moved from outside, by hand or by a clock. What has happened up to then is
the market: the latest quote of each listing, the trades so far under consecutive ids, and the
bars made of them. Prices and sizes stay decimal text, exactly as they were recorded.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import groupby
from typing import Any

from logos.core.messages import Bar, MarketEvent, Quote, Trade

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Top:
    """The best bid and ask with their sizes, and a number that grows with every change."""

    ts_ns: int
    update_id: int
    bid: str
    ask: str
    bid_size: str
    ask_size: str


@dataclass(frozen=True, slots=True)
class Print:
    """One trade; `side` is the aggressor's ("BUY", "SELL" or "")."""

    ts_ns: int
    trade_id: int
    price: str
    size: str
    side: str


@dataclass(frozen=True, slots=True)
class Candle:
    """One bar by its open time."""

    opened_ns: int
    interval_ns: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    trades: int


@dataclass(slots=True)
class Listing:
    """One market of the exchange and everything that will happen in it, in order of time."""

    market_id: str
    base: str
    quote: str
    tick: str = "0.01"
    lot: str = "0.00001"
    minimum_quantity: str = "0.00001"
    maximum_quantity: str = "9000"
    minimum_notional: str = "5"
    is_trading: bool = True
    tops: list[Top] = field(default_factory=list)
    prints: list[Print] = field(default_factory=list)
    bars: list[Candle] = field(default_factory=list)
    """Recorded bars; without any, bars are made of the trades."""

    def load(
        self, events: Iterable[MarketEvent], place: Callable[[int], int] = lambda ts_ns: ts_ns
    ) -> None:
        """Append quotes, trades and bars, in order; two-sided bars are passed over.

        `place` says when the exchange says it happened, for a recording's time.
        """
        for event in events:
            ts_ns = place(event.ts_ns)
            units = event.instrument
            if isinstance(event, Quote):
                self.add_top(
                    ts_ns,
                    units.price_text(event.bid_units),
                    units.price_text(event.ask_units),
                    units.quantity_text(max(0, event.bid_size_units)),
                    units.quantity_text(max(0, event.ask_size_units)),
                )
            elif isinstance(event, Trade):
                size = units.quantity_text(max(0, event.size_units))
                self.add_print(ts_ns, units.price_text(event.price_units), size, event.aggressor)
            elif isinstance(event, Bar):
                self.bars.append(
                    Candle(
                        place(event.opened_ns),
                        event.interval_ns,
                        units.price_text(event.open_units),
                        units.price_text(event.high_units),
                        units.price_text(event.low_units),
                        units.price_text(event.close_units),
                        units.quantity_text(max(0, event.volume_units)),
                        trades=1,
                    )
                )

    def add_top(self, ts_ns: int, bid: str, ask: str, bid_size: str, ask_size: str) -> None:
        """One more change of the best prices, not earlier than the last."""
        self.tops.append(Top(ts_ns, len(self.tops) + 1, bid, ask, bid_size, ask_size))

    def add_print(self, ts_ns: int, price: str, size: str, side: str) -> None:
        """One more trade, not earlier than the last."""
        self.prints.append(Print(ts_ns, len(self.prints) + 1, price, size, side))

    def correct(self, opened_ns: int, **figures: Any) -> None:
        """Tell a recorded bar with other figures from now on, as a late trade makes exchanges do
        (ccxt issue 6742: Kraken's volumes go on changing after the close)."""
        place = [each.opened_ns for each in self.bars].index(opened_ns)
        self.bars[place] = replace(self.bars[place], **figures)

    def top_at(self, now_ns: int) -> Top | None:
        """The best prices as they stand."""
        index = bisect_right(self.tops, now_ns, key=lambda top: top.ts_ns)
        return self.tops[index - 1] if index else None

    def prints_until(self, now_ns: int) -> Sequence[Print]:
        """All trades so far."""
        return self.prints[: bisect_right(self.prints, now_ns, key=lambda each: each.ts_ns)]

    def candles(self, start_ns: int, now_ns: int, interval_ns: int) -> list[Candle]:
        """The bars from `start_ns` on, the one still open last. A span without trades has none."""
        if self.bars:
            start = bisect_left(self.bars, start_ns, key=lambda each: each.opened_ns)
            return self.bars[start : bisect_right(self.bars, now_ns, key=lambda x: x.opened_ns)]
        first = bisect_left(self.prints, start_ns, key=lambda each: each.ts_ns)
        last = bisect_right(self.prints, now_ns, key=lambda each: each.ts_ns)
        spans = groupby(self.prints[first:last], key=lambda each: each.ts_ns // interval_ns)
        return [_candle(list(prints), interval_ns) for _, prints in spans]


def _candle(prints: Sequence[Print], interval_ns: int) -> Candle:
    prices = [Decimal(each.price) for each in prints]
    volume = sum((Decimal(each.size) for each in prints), Decimal(0))
    return Candle(
        prints[0].ts_ns // interval_ns * interval_ns,
        interval_ns,
        prints[0].price,
        str(max(prices)),
        str(min(prices)),
        prints[-1].price,
        f"{volume:f}",
        len(prints),
    )


class Market:
    """All listings and the exchange's time."""

    def __init__(self, listings: Iterable[Listing], now_ns: int | None = None) -> None:
        self.listings = {listing.market_id: listing for listing in listings}
        firsts = [each[0].ts_ns for each in self._streams() if each]
        firsts += [each.bars[0].opened_ns for each in self.listings.values() if each.bars]
        self.now_ns = now_ns if now_ns is not None else min(firsts, default=0) - 1
        self.skew_ns = 0
        """How far the exchange's own clock is ahead in what it says."""

    @property
    def last_ns(self) -> int:
        """When the last event happens."""
        lasts = [each[-1].ts_ns for each in self._streams() if each]
        bars = [each.bars[-1] for each in self.listings.values() if each.bars]
        lasts += [bar.opened_ns + bar.interval_ns for bar in bars]
        return max(lasts, default=self.now_ns)

    def _streams(self) -> list[Sequence[Top] | Sequence[Print]]:
        return [
            stream
            for listing in self.listings.values()
            for stream in (listing.tops, listing.prints)
        ]

    def between(self, start_ns: int, end_ns: int) -> list[tuple[Listing, Top | Print]]:
        """What happens after `start_ns` up to `end_ns`, by time."""
        found: list[tuple[Listing, Top | Print]] = []
        for listing in self.listings.values():
            for stream in (listing.tops, listing.prints):
                first = bisect_right(stream, start_ns, key=lambda each: each.ts_ns)
                last = bisect_right(stream, end_ns, key=lambda each: each.ts_ns)
                found += [(listing, each) for each in stream[first:last]]
        found.sort(key=lambda pair: pair[1].ts_ns)
        return found

    def next_ns(self) -> int | None:
        """When the next event happens, or None after the last."""
        upcoming = []
        for stream in self._streams():
            index = bisect_right(stream, self.now_ns, key=lambda each: each.ts_ns)
            if index < len(stream):
                upcoming.append(stream[index].ts_ns)
        return min(upcoming, default=None)
