"""A tick as a program of one's own has it: an event of logos, or a mapping with its figures.

    {"symbol": "ACME", "bid": "187.57", "ask": "187.59"}                 a quote
    {"symbol": "ACME", "price": "187.58", "size": 100, "side": "buy"}    a trade
    {"symbol": "ACME", "open": ..., "high": ..., "low": ..., "close": ..., "interval": "1m"}

`time` is when it is known (with its zone, or an epoch number); left out, it is now. Figures are
read as those of tables are: text and Decimals exactly, floats by the nearest tick.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from logos.core.instrument import Instrument
from logos.core.messages import Bar, MarketEvent, Quote, QuoteBar, Trade
from logos.data.readers.numbers import RowError
from logos.data.readers.rows import check_bar
from logos.data.source import interval_from_text
from logos.errors import DataError
from logos.library.amounts import PriceCells, SizeCells
from logos.library.cells import read_side
from logos.library.moments import MomentReader
from logos.library.table import Column, Times

Tick = MarketEvent | Mapping[str, Any]

_EVENTS: Final = (Quote, Trade, Bar, QuoteBar)
_QUOTE: Final = frozenset(("bid", "ask", "bid_size", "ask_size"))
_TRADE: Final = frozenset(("price", "size", "side"))
_BAR: Final = frozenset(("open", "high", "low", "close", "volume", "interval"))
_TIMES: Final = ("time", "timestamp", "ts_ns")


class TickReader:
    """Makes events of ticks, for one session's instruments."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._prices = {name: PriceCells(each) for name, each in instruments.items()}
        self._sizes = {name: SizeCells(each) for name, each in instruments.items()}
        self._moments = MomentReader(None)
        self._latest_ns = 0

    def event(self, tick: Tick) -> MarketEvent:
        """The event of one tick. Raises DataError for one that is none, or is late."""
        if isinstance(tick, _EVENTS):
            event: MarketEvent = tick
            if event.symbol not in self._instruments:
                raise DataError(self._unknown(event.symbol))
        elif isinstance(tick, Mapping):
            try:
                event = self._made(tick)
            except RowError as error:
                raise DataError(f"tick of {tick.get('symbol', '?')}: {error}") from None
        else:
            raise DataError(f"not a tick: a {type(tick).__name__}; give an event or a mapping")
        if event.ts_ns < self._latest_ns:
            raise DataError(
                f"tick of {event.symbol}: it is {(self._latest_ns - event.ts_ns) / 1e9:g} s older "
                "than the tick before it; ticks must come in order of time"
            )
        self._latest_ns = event.ts_ns
        return event

    def go_on_from(self, ts_ns: int) -> None:
        """Nothing older than this may come."""
        self._latest_ns = max(self._latest_ns, ts_ns)

    def _made(self, tick: Mapping[str, Any]) -> MarketEvent:
        symbol = str(tick.get("symbol", ""))
        if not symbol and len(self._instruments) == 1:
            symbol = next(iter(self._instruments))
        if symbol not in self._instruments:
            raise DataError(self._unknown(symbol))
        given = tick.keys() - {"symbol", *_TIMES}
        ts_ns = self._time(tick)
        each, prices, sizes = self._instruments[symbol], self._prices[symbol], self._sizes[symbol]
        if {"bid", "ask"} <= given <= _QUOTE:
            return Quote(
                ts_ns,
                symbol,
                prices[tick["bid"]],
                prices[tick["ask"]],
                sizes[tick.get("bid_size")],
                sizes[tick.get("ask_size")],
                each,
            )
        if {"price"} <= given <= _TRADE:
            side = read_side(tick.get("side"))
            return Trade(ts_ns, symbol, prices[tick["price"]], sizes[tick.get("size")], side, each)
        if {"open", "high", "low", "close", "interval"} <= given <= _BAR:
            return self._bar(tick, ts_ns, symbol)
        raise DataError(
            f"tick of {symbol}: {', '.join(sorted(given)) or 'no figures'} make no quote (bid, "
            "ask), no trade (price) and no bar (open, high, low, close, interval)"
        )

    def _bar(self, tick: Mapping[str, Any], ts_ns: int, symbol: str) -> Bar:
        names = ("open", "high", "low", "close")
        open_, high, low, close = (self._prices[symbol][tick[name]] for name in names)
        check_bar((open_, high, low, close))
        volume = self._sizes[symbol][tick.get("volume")]
        interval_ns = interval_from_text(tick["interval"])
        each = self._instruments[symbol]
        return Bar(ts_ns, symbol, interval_ns, open_, high, low, close, volume, each)

    def _time(self, tick: Mapping[str, Any]) -> int:
        for name in _TIMES:
            if tick.get(name) is not None:
                return self._moments.read_all(Column([tick[name]], Times.NONE))[0]
        return max(time.time_ns(), self._latest_ns)

    def _unknown(self, symbol: str) -> str:
        known = ", ".join(self._instruments)
        return f"tick of {symbol!r}: this engine trades {known}, and nothing else"
