"""A local exchange, a feed on it, and a sink that remembers: what the tests of live feeds share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import feed_libraries  # noqa: F401 - before anything that needs one

from logos.adapters.ccxt.feed import CcxtFeed, CcxtMarket
from logos.core.instrument import Instrument, instrument
from logos.core.messages import MarketEvent
from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND
from logos.feeds.contract import FeedNews, FeedState, LiveFeed
from logos.simulators.exchange.binance import BinanceShape
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.market import Candle, Listing, Market
from logos.simulators.exchange.server import Exchange
from logos.simulators.exchange.streams import BinanceStreams
from logos.simulators.exchange.yahoo import YahooShape
from logos.testing.clock import START_NS, ManualClock

PATIENCE_S = 60
"""After this a test that hangs fails; a busy machine is no hang."""
MS = 1_000_000

OPENS_NS = START_NS + (13 * 60 + 30) * NS_PER_MINUTE
"""When the market of the Yahoo tests opens."""


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine; one that hangs fails."""

    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await work

    asyncio.run(bounded())


@dataclass
class RecordingSink:
    """Keeps everything; `capacity` is how many events it takes before it has no room."""

    capacity: int = 10**9
    events: list[MarketEvent] = field(default_factory=list)
    event_times_ns: list[int] = field(default_factory=list)
    said: list[FeedNews] = field(default_factory=list)
    refusals: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def market(self, event: MarketEvent, event_ns: int) -> bool:
        if len(self.events) >= self.capacity:
            self.refusals += 1
            self.changed.set()
            return False
        self.events.append(event)
        self.event_times_ns.append(event_ns)
        self.changed.set()
        return True

    async def room(self) -> None:
        await self.until(lambda: len(self.events) < self.capacity)

    def news(self, news: FeedNews) -> None:
        self.said.append(news)
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once `condition` holds after something came in."""
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    def states(self, symbol: str) -> list[FeedState]:
        return [each.state for each in self.said if each.symbol == symbol]

    def details(self, state: FeedState) -> list[str]:
        return [each.detail for each in self.said if each.state is state]


def timeout_s(fault: Fault) -> float:
    """Short where the fault is that no answer comes; else a busy machine is no fault."""
    return 0.5 if fault in (Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER) else 10.0


def traded(symbol: str = "BTCUSDT", tick: str = "0.01", lot: str = "0.00001") -> Instrument:
    return instrument(symbol, tick=tick, lot=lot, quote="USDT", base=symbol[:3])


def listing(market_id: str = "BTCUSDT", trades: int = 0, every_s: float = 0.1) -> Listing:
    """A market with a quote at once, then `trades` trades and as many quotes, each `every_s`."""
    made = Listing(market_id, market_id[:3], "USDT")
    made.add_top(START_NS, text(6_000_000), text(6_000_001), "1.50000", "0.25000")
    for number in range(1, trades + 1):
        ts_ns = START_NS + round(number * every_s * NS_PER_SECOND)
        cents = 6_000_000 + number
        made.add_top(ts_ns, text(cents), text(cents + 1), "1.50000", "0.25000")
        made.add_print(ts_ns, text(cents), "0.01000", "BUY" if number % 2 else "SELL")
    return made


def text(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


@dataclass
class World:
    """An exchange under way and a clock that keeps its time."""

    exchange: Exchange
    streams: BinanceStreams
    clock: ManualClock
    sink: RecordingSink
    yahoo: YahooShape

    async def pass_time(self, seconds: float, sleepers: int = 1) -> None:
        """Let time pass for both; return when the feed has come to rest again."""
        await self.clock.wait_for_sleepers(sleepers)
        await self.exchange.advance(seconds)
        await self.clock.advance(seconds)
        await self.clock.wait_for_sleepers(sleepers)

    async def pass_until(self, condition: Callable[[], bool], step_s: float = 1.0) -> None:
        """Let time pass, step by step, until `condition` holds."""
        while not condition():
            await self.pass_time(step_s)


@asynccontextmanager
async def world(*listings: Listing, middlewares: Sequence[Any] = ()) -> AsyncIterator[World]:
    exchange = Exchange(Market(listings, START_NS))
    exchange.app.middlewares.extend(middlewares)
    BinanceShape(exchange)
    yahoo = YahooShape(exchange)
    streams = BinanceStreams(exchange)
    async with exchange:
        yield World(exchange, streams, ManualClock(exchange.market.now_ns), RecordingSink(), yahoo)


@asynccontextmanager
async def following(feed: LiveFeed, sink: RecordingSink) -> AsyncIterator[asyncio.Task[None]]:
    """The feed as a task; cancelled at the end, unless it has failed, which fails the test."""
    task = asyncio.create_task(feed.run(sink))
    task.add_done_callback(lambda _: sink.changed.set())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def ccxt_feed(
    there: World,
    *,
    kind: str,
    transport: str = "poll",
    markets: Mapping[str, str] | None = None,
    instruments: Mapping[str, Instrument] | None = None,
    exchange_id: str = "binance",
    **settings: Any,
) -> CcxtFeed:
    """A feed of the local exchange, with no pauses of the library's own."""
    names = markets or {"BTCUSDT": "BTC/USDT"}
    units = instruments or {}
    defaults: dict[str, Any] = {
        "timeout_ms": 10_000,
        "options": {"enableRateLimit": False},
        "url": there.exchange.url,
    }
    return CcxtFeed(
        exchange_id,
        {symbol: CcxtMarket(units.get(symbol, traded(symbol)), names[symbol]) for symbol in names},
        there.clock,
        Random(1),
        kind=kind,
        transport=transport,
        **(defaults | settings),
    )


def minute_bars(count: int, without: range = range(0)) -> Listing:
    made = Listing("BTCUSDT", "BTC", "USDT")
    for minute in range(count):
        if minute in without:
            continue
        cents = 6_000_000 + 10 * minute
        made.bars.append(
            Candle(
                START_NS + minute * NS_PER_MINUTE,
                NS_PER_MINUTE,
                text(cents),
                text(cents + 5),
                text(cents - 5),
                text(cents + 1),
                "1.25000",
                trades=7,
            )
        )
    return made


def yahoo_minutes(start_ns: int, count: int, without: range = range(0)) -> list[Candle]:
    return [
        Candle(
            start_ns + minute * NS_PER_MINUTE,
            NS_PER_MINUTE,
            text(18_743 + minute),
            text(18_750 + minute),
            text(18_740 + minute),
            text(18_744 + minute),
            "1200",
            trades=3,
        )
        for minute in range(count)
        if minute not in without
    ]


def listed(symbol: str, bars: list[Candle]) -> Listing:
    made = Listing(symbol, symbol, "USD")
    made.bars = bars
    return made


async def subscribed(there: World, *streams: str) -> None:
    """Until the feed listens: asking for what it missed comes before, so it has settled."""
    await there.sink.until(lambda: FeedState.LIVE in there.sink.states("BTCUSDT"))
    while not set(streams) <= set(there.streams.subscriptions):
        await there.exchange.wait_for_request()
