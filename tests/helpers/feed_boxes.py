"""A box for each live feed, on its local simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

import ib_libraries  # noqa: F401 - first
from alpaca_boxes import AlpacaPolledBox, AlpacaStreamedBox
from alpaca_world import alpaca_world
from exchange_box import SECRET, ExchangeBox
from feed_box import FeedBox
from live_helpers import (
    OPENS_NS,
    World,
    ccxt_feed,
    listed,
    listing,
    text,
    traded,
    world,
)
from mt5_helpers import Bench, Hand, HandClock, bench, coin, quiet
from venue_tools import replacing, share

from logos.adapters.ib.connection import Address
from logos.adapters.ib.feed import IbFeed, IbMarket
from logos.adapters.ib.lines import Plan as IbPlan
from logos.adapters.mt5.feed import Mt5Feed, Mt5FeedSymbol
from logos.adapters.mt5.gateway.settings import GatewaySettings
from logos.adapters.yahoo.feed import YahooFeed, YahooMarket
from logos.core.messages import Quote
from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND
from logos.feeds.contract import FeedState
from logos.feeds.paced import PacedFeed
from logos.simulators.exchange.market import Candle
from logos.simulators.ib import TwsGateway
from logos.simulators.mt5.simulator import SimOptions
from logos.testing.clock import START_NS, ManualClock

UNKNOWN: Final = "NOPE"
"""A symbol of which no place has anything."""


class CcxtPolledBox(ExchangeBox):
    """Trades, asked for every second."""

    symbol = "BTCUSDT"
    path = "aggTrades"
    first = 6_000_000
    transport = "poll"

    def __init__(self, there: World, replaced: dict[str, object], symbols: Sequence[str]) -> None:
        super().__init__(there, replaced)
        names = {each: f"{each.removesuffix('USDT')}/USDT" for each in symbols}
        self.feed = ccxt_feed(
            there,
            kind="trades",
            transport=self.transport,
            markets=names,
            # A key alone is no reason for ccxt to ask about the account.
            options={"enableRateLimit": False, "apiKey": SECRET},
        )

    def moment_ns(self, number: int) -> int:
        return START_NS + (number + 1) * NS_PER_SECOND // 10

    async def make(self, count: int) -> None:
        market = self.there.exchange.market.listings[self.symbol]
        for _ in range(count):
            price = text(self.first + self.made)
            market.add_print(self.moment_ns(self.made), price, "0.01000", "BUY")
            self.made += 1
            await self._go_to(self.moment_ns(self.made - 1))


class CcxtStreamedBox(CcxtPolledBox):
    """Trades by websocket; what was missed is asked for."""

    transport = "websocket"
    _stream = "btcusdt@aggTrade"

    async def ready(self) -> None:
        await super().ready()
        await self.until(lambda: self._stream in self.there.streams.subscriptions, "a subscription")

    async def turn(self) -> None:
        # Only a wait before the next try: the silence of a stream is not to be over by itself.
        if self.states()[-1:] == [FeedState.RETRYING] and self.there.clock.sleepers:
            await self.there.clock.next_wake()
        await asyncio.sleep(0)

    async def cut(self) -> None:
        await super().cut()
        assert self.there.streams.disconnect_all() == 1

    async def chatter(self) -> None:
        """Pings, and answers to subscriptions, then a silence that is looked into."""
        for connection in self.there.streams._connections:
            for number in range(3):
                await connection.socket.ping(b"alive")
                await connection.socket.send_json({"result": None, "id": 900 + number})
        asked = self.there.exchange.asked(self.path)
        await self.there.clock.wait_for_sleepers()
        await self.there.clock.advance(31)
        await self.until(lambda: self.there.exchange.asked(self.path) > asked, "a look")


class YahooBox(ExchangeBox):
    """Closed minutes, polled; the service's own time says what has closed."""

    symbol = "SPY"
    path = "chart/SPY"
    first = 18_744

    def __init__(
        self, there: World, replaced: dict[str, object], symbols: Sequence[str], folder: Path
    ) -> None:
        super().__init__(there, replaced)
        markets = {each: YahooMarket(traded(each, lot="1"), each) for each in symbols}
        url = there.exchange.url
        self.feed = YahooFeed(
            markets, there.clock, Random(1), url=url, cache_dir=folder, timeout_s=10.0
        )

    def moment_ns(self, number: int) -> int:
        return OPENS_NS + (number + 1) * NS_PER_MINUTE

    async def make(self, count: int) -> None:
        self.made += count
        await self._go_to(self.moment_ns(self.made - 1) + 5 * NS_PER_SECOND)

    async def begin(self) -> None:
        """The market opens before the feed begins."""
        await self._go_to(OPENS_NS + 5 * NS_PER_SECOND)


class Mt5Box(FeedBox):
    """Candles of a minute, pushed by the simulated terminal."""

    symbol = "BTCUSD"
    first = 10_000

    def __init__(self, there: Bench, hand: Hand, symbols: Sequence[str]) -> None:
        super().__init__()
        self._there = there
        self._hand = hand
        self._began_s = hand.now_s
        self.feed = Mt5Feed(
            there.gateway,
            {each: Mt5FeedSymbol(coin(each), f"{each}.s") for each in symbols},
            "M1",
            HandClock(hand),
            Random(1),
            silence_s=60.0,
        )

    async def ready(self) -> None:
        market = self._there.simulator.terminal.markets["BTCUSD.s"]
        await self.until(lambda: bool(market.subscriptions), "a subscription")

    def moment_ns(self, number: int) -> int:
        return (self._began_s + 60 * (number + 1)) * NS_PER_SECOND

    async def make(self, count: int) -> None:
        for _ in range(count):
            self.made += 1
            self._hand.now_s += 60
            bid = self.first + self.made
            terminal = self._there.simulator.terminal
            if terminal.is_connected:
                terminal.price("BTCUSD.s", bid, bid + 10)
            else:
                terminal.markets["BTCUSD.s"].price(bid, bid + 10, 1000 * self._hand.now_s)

    async def cut(self) -> None:
        self._there.simulator.terminal.set_connected(False)

    async def mend(self) -> None:
        self._there.simulator.terminal.set_connected(True)

    async def chatter(self) -> None:
        """The gateway's heartbeats and their answers."""
        before = self._heartbeats()
        await self.until(lambda: self._heartbeats() >= before + 3, "three heartbeats")

    def _heartbeats(self) -> int:
        return sum(each["action"] == "BALANCE" for each in self._there.audited("request"))


class IbBox(FeedBox):
    """Closed minutes of a share, asked of a gateway."""

    symbol = "AAPL"
    first = 18_850

    def __init__(self, gateway: TwsGateway, clock: ManualClock, symbols: Sequence[str]) -> None:
        super().__init__()
        self._gateway = gateway
        self._clock = clock
        markets = {each: IbMarket(share(each), each) for each in symbols}
        address = Address("127.0.0.1", gateway.port, 2)
        self.feed = IbFeed(markets, clock, Random(1), address, IbPlan("bars"))

    def moment_ns(self, number: int) -> int:
        return START_NS + (number + 1) * NS_PER_MINUTE

    async def make(self, count: int) -> None:
        for _ in range(count):
            for _ in range(3):  # whoever is about to wait begins to
                await asyncio.sleep(0)
            begin_ns = self.moment_ns(self.made) - NS_PER_MINUTE
            self._clock.set_ns(max(begin_ns, self._clock.now_ns()))
            self._gateway.trade(self.symbol, text(self.first + self.made))
            self.made += 1
            seconds = (self.moment_ns(self.made - 1) - self._clock.now_ns()) / NS_PER_SECOND
            await self._clock.advance(seconds + 2)

    async def turn(self) -> None:
        if self._clock.sleepers and self._clock.now_ns() < self.moment_ns(self.made) - 1:
            limit_ns = self.moment_ns(self.made) - 1
            await self._clock.advance(min(1.0, (limit_ns - self._clock.now_ns()) / NS_PER_SECOND))
        await asyncio.sleep(0)

    async def cut(self) -> None:
        await self._gateway.stop()

    async def mend(self) -> None:
        await self._gateway.start()

    async def chatter(self) -> None:
        """Notices of the gateway."""
        for _ in range(3):
            self._gateway.tell_notice(2104)
        for _ in range(20):
            await asyncio.sleep(0)


class PacedBox(FeedBox):
    """A recording of a quote a second, played at its pace."""

    symbol = "BTCUSDT"
    has_connection = False
    first = 6_000_000
    _length = 60

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        units = traded(self.symbol)
        quotes = [
            Quote(number * NS_PER_SECOND, self.symbol, bid, bid + 1, 1, 1, units)
            for number, bid in enumerate(range(self.first, self.first + self._length))
        ]
        self.feed = PacedFeed([quotes[:7], quotes[7:]], [self.symbol], self.clock, 1.0)

    def moment_ns(self, number: int) -> int:
        return START_NS + number * NS_PER_SECOND

    async def make(self, count: int) -> None:
        self.made += count

    async def turn(self) -> None:
        if self.clock.sleepers:
            await self.clock.next_wake()
        await asyncio.sleep(0)

    async def cut(self) -> None:
        raise AssertionError("a recording has no connection")

    mend = chatter = cut


NAMES: Final = (
    "ccxt polled",
    "ccxt streamed",
    "alpaca polled",
    "alpaca streamed",
    "yahoo",
    "mt5",
    "ib",
    "replay",
)
CONNECTED: Final = NAMES[:-1]
"""A recording cannot be lost, holds no symbol that it has not, and says nothing but its data."""
CREDENTIALED: Final = ("ccxt polled", "ccxt streamed", "alpaca polled", "alpaca streamed")
"""The others are given no credential: the gateway's keys are no part of the MT5 feed."""

_FRAMES: Final = GatewaySettings(reply_timeout_s=10.0, heartbeat_s=0.05, dead_after_s=60.0)


@asynccontextmanager
async def feed_box(name: str, folder: Path, *symbols: str) -> AsyncIterator[FeedBox]:
    """A box, its feed not yet begun; `symbols` in place of the one that the place has."""
    async with AsyncExitStack() as stack:
        if name == "replay":
            yield PacedBox()
        elif name == "ib":
            clock = ManualClock()
            gateway = await stack.enter_async_context(TwsGateway(now_ns=clock.now_ns))
            yield IbBox(gateway, clock, symbols or (IbBox.symbol,))
        elif name == "mt5":
            hand = Hand()
            options = SimOptions()
            there = await stack.enter_async_context(
                bench(options, quiet("BTCUSD.s"), settings=_FRAMES, clock=hand)
            )
            yield Mt5Box(there, hand, symbols or (Mt5Box.symbol,))
        else:
            replaced: dict[str, object] = {}
            middlewares = [replacing(replaced)]
            if name.startswith("alpaca"):
                box = AlpacaPolledBox if name == "alpaca polled" else AlpacaStreamedBox
                market = await stack.enter_async_context(
                    alpaca_world(key=SECRET, middlewares=middlewares)
                )
                yield box(market, replaced, symbols or (box.symbol,))
            elif name == "yahoo":
                place = world(listed("SPY", _minutes()), middlewares=middlewares)
                yahoo = YahooBox(
                    await stack.enter_async_context(place),
                    replaced,
                    symbols or (YahooBox.symbol,),
                    folder,
                )
                await yahoo.begin()
                yield yahoo
            else:
                kind = CcxtPolledBox if name == "ccxt polled" else CcxtStreamedBox
                place = world(listing(), middlewares=middlewares)
                exchange = await stack.enter_async_context(place)
                yield kind(exchange, replaced, symbols or (CcxtPolledBox.symbol,))


def _minutes() -> list[Candle]:
    prices = [YahooBox.first + minute for minute in range(60)]
    return [
        Candle(
            OPENS_NS + minute * NS_PER_MINUTE,
            NS_PER_MINUTE,
            text(price - 1),
            text(price + 6),
            text(price - 4),
            text(price),
            "1200",
            trades=3,
        )
        for minute, price in enumerate(prices)
    ]
