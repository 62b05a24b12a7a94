"""A local Alpaca with market data, a feed on it, and a clock that keeps its time."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from live_helpers import RecordingSink
from venue_tools import Word

from logos.adapters.alpaca.feed import AlpacaFeed, AlpacaMarket
from logos.adapters.alpaca.group import Plan
from logos.adapters.alpaca.market_data import DataAccess
from logos.core.instrument import Instrument, instrument
from logos.simulators.alpaca import AlpacaData, AlpacaDataStream
from logos.simulators.exchange.market import Listing, Market
from logos.simulators.exchange.server import Exchange
from logos.testing.clock import START_NS, ManualClock

KEY = "PKDATA1234567890WXYZ"
SECRET = "q3LmZv8RtYpW1zB6nC4dF9gH2jK7sA5uEiOoXxCc"


@dataclass
class AlpacaWorld:
    """The place, its market data, and the feed's side."""

    exchange: Exchange
    data: AlpacaData
    streams: AlpacaDataStream
    clock: ManualClock
    sink: RecordingSink
    key: str

    async def go_to(self, now_ns: int) -> None:
        """Let the time of both go on to `now_ns`."""
        self.clock.set_ns(max(now_ns, self.clock.now_ns()))
        await self.exchange.advance_to(now_ns)


@asynccontextmanager
async def alpaca_world(
    *, key: str = KEY, middlewares: Sequence[Any] = (), requests_a_minute: int = 0
) -> AsyncIterator[AlpacaWorld]:
    """AAPL at 200.00 bid and 200.02 asked, BTC/USD about 100,000, nothing traded yet."""
    share = Listing("AAPL", "AAPL", "USD", lot="1")
    share.add_top(START_NS, "200.00", "200.02", "5", "7")
    coin = Listing("BTC/USD", "BTC", "USD")
    coin.add_top(START_NS, "100000.00", "100010.00", "1.5", "0.25")
    exchange = Exchange(Market([share, coin], START_NS))
    exchange.app.middlewares.extend(middlewares)
    data = AlpacaData(exchange, key, SECRET, requests_a_minute=requests_a_minute)
    streams = AlpacaDataStream(data)
    async with exchange:
        yield AlpacaWorld(exchange, data, streams, ManualClock(), RecordingSink(), key)


def alpaca_feed(
    there: AlpacaWorld, names: Mapping[str, str], plan: Plan, **access: Any
) -> AlpacaFeed:
    """A feed of these symbols, each with Alpaca's name."""
    words: dict[str, Any] = {
        "key": Word(there.key),
        "secret": Word(SECRET),
        "url": there.exchange.url,
    }
    return AlpacaFeed(
        {symbol: AlpacaMarket(unit(symbol), name) for symbol, name in names.items()},
        there.clock,
        Random(1),
        DataAccess(**(words | access)),
        plan,
    )


def unit(symbol: str) -> Instrument:
    """An instrument in cents."""
    lot = "1" if symbol == "AAPL" else "0.00001"
    return instrument(symbol, tick="0.01", lot=lot, quote="USD")
