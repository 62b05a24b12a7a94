"""The MT5 feed: closed candles once, in order, across everything that can cut it off."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from mt5_helpers import FAST, Bench, Hand, HandClock, bench, coin, endpoints, quiet
from waiting import until

from logos.adapters.mt5.feed import Mt5Feed, Mt5FeedSymbol
from logos.adapters.mt5.gateway.settings import GatewaySettings
from logos.core.messages import Bar, MarketEvent, Quote
from logos.core.types import SIZE_UNKNOWN
from logos.feeds.contract import FeedFailedError, FeedNews, FeedState
from logos.simulators.mt5.faults import FaultPlan
from logos.simulators.mt5.simulator import SimOptions, Simulator

BTC, ETH = "BTCUSD.s", "ETHUSD.s"


class Sink:
    """Keeps what it is given; `refuse` makes it full so many times."""

    def __init__(self) -> None:
        self.events: list[tuple[MarketEvent, int]] = []
        self.told: list[FeedNews] = []
        self.refuse = 0

    def market(self, event: MarketEvent, event_ns: int) -> bool:
        if self.refuse:
            self.refuse -= 1
            return False
        self.events.append((event, event_ns))
        return True

    async def room(self) -> None:
        await asyncio.sleep(0)

    def news(self, news: FeedNews) -> None:
        self.told.append(news)

    def states(self, symbol: str) -> list[FeedState]:
        return [news.state for news in self.told if news.symbol == symbol]

    def minutes(self, symbol: str) -> list[int]:
        """When the candles of a symbol opened, in seconds of the source."""
        found = []
        for event, event_ns in self.events:
            if isinstance(event, Bar) and event.symbol == symbol:
                found.append(event_ns // 1_000_000_000 - 60)
        return found


class Stage:
    """A terminal whose minutes a test lets pass, and a feed that listens."""

    def __init__(self, box: Bench, hand: Hand, feed: Mt5Feed) -> None:
        self.box = box
        self.hand = hand
        self.sink = Sink()
        self.feed = feed
        self.task = asyncio.create_task(feed.run(self.sink))

    async def subscribed(self) -> None:
        terminal = self.box.simulator.terminal
        markets = terminal.markets.values()
        await until(lambda: all(m.subscriptions for m in markets), "subscriptions", self.task)

    def minute(self, *symbols: str, bid: int = 10_000) -> None:
        """One minute passes, and each symbol has a price in the new one."""
        self.hand.now_s += 60
        for symbol in symbols or (BTC,):
            self.box.simulator.terminal.price(symbol, bid, bid + 10)

    async def has(self, count: int) -> None:
        """Wait until so many events were delivered; fails when the feed ends before."""
        await until(lambda: len(self.sink.events) >= count, f"{count} events", self.task)

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def _stage(box: Bench, hand: Hand, timeframe: str = "M1", silence_s: float = 60.0) -> Stage:
    symbols = {
        name.removesuffix(".s"): Mt5FeedSymbol(coin(name.removesuffix(".s")), name)
        for name in box.simulator.terminal.instruments
    }
    feed = Mt5Feed(box.gateway, symbols, timeframe, HandClock(hand), Random(1), silence_s=silence_s)
    return Stage(box, hand, feed)


def test_candles_of_several_symbols_come_once_and_under_the_session_names() -> None:
    async def scenario() -> None:
        hand = Hand()
        async with bench(None, quiet(BTC), quiet(ETH), clock=hand) as box:
            stage = _stage(box, hand)
            stage.sink.refuse = 2
            await stage.subscribed()
            start = hand.now_s
            for number in range(3):
                stage.minute(BTC, ETH, bid=10_000 + number)
            await stage.has(6)
            assert stage.sink.minutes("BTCUSD") == [start, start + 60, start + 120]
            assert stage.sink.minutes("ETHUSD") == [start, start + 60, start + 120]
            bar = stage.sink.events[-1][0]
            assert isinstance(bar, Bar)
            assert (bar.open_units, bar.close_units, bar.volume_units) == (10_001, 10_001, -1)
            assert bar.volume_units == SIZE_UNKNOWN
            assert stage.sink.states("BTCUSD") == [FeedState.CONNECTING, FeedState.LIVE]
            await stage.end()

    asyncio.run(scenario())


def test_a_terminal_that_lost_its_broker_repeats_nothing_and_loses_nothing() -> None:
    async def scenario() -> None:
        hand = Hand()
        async with bench(None, quiet(BTC), clock=hand) as box:
            stage = _stage(box, hand)
            await stage.subscribed()
            start = hand.now_s
            stage.minute()
            await stage.has(1)
            terminal = box.simulator.terminal
            terminal.set_connected(False)
            states = stage.sink.states
            await until(lambda: FeedState.RETRYING in states("BTCUSD"), "a retry", stage.task)
            # Three minutes of which nothing was pushed, then the last candle again.
            for _ in range(3):
                hand.now_s += 60
                terminal.markets[BTC].price(10_000, 10_010, 1000 * hand.now_s)
            terminal.set_connected(True)
            await stage.has(4)
            stage.minute()
            await stage.has(5)
            assert stage.sink.minutes("BTCUSD") == [start + 60 * n for n in range(5)]
            assert stage.sink.states("BTCUSD")[-1] is FeedState.LIVE
            await stage.end()

    asyncio.run(scenario())


def test_a_candle_that_was_lost_on_the_way_is_asked_for() -> None:
    async def scenario() -> None:
        hand = Hand()
        async with bench(None, quiet(BTC), clock=hand) as box:
            stage = _stage(box, hand)
            await stage.subscribed()
            start = hand.now_s
            stage.minute()
            await stage.has(1)
            hand.now_s += 60
            box.simulator.terminal.markets[BTC].price(
                10_000, 10_010, 1000 * hand.now_s
            )  # not pushed
            stage.minute()
            await stage.has(3)
            assert stage.sink.minutes("BTCUSD") == [start, start + 60, start + 120]
            assert FeedState.GAP not in stage.sink.states("BTCUSD")
            await stage.end()

    asyncio.run(scenario())


def test_a_gap_is_told_when_the_history_cannot_be_had() -> None:
    async def scenario() -> None:
        hand = Hand()
        async with bench(None, quiet(BTC), settings=FAST, clock=hand) as box:
            stage = _stage(box, hand)
            await stage.subscribed()
            start = hand.now_s
            stage.minute()
            await stage.has(1)
            box.simulator.faults = FaultPlan(lost=1.0)
            hand.now_s += 60
            box.simulator.terminal.markets[BTC].price(10_000, 10_010, 1000 * hand.now_s)
            stage.minute()
            await stage.has(2)
            assert stage.sink.minutes("BTCUSD") == [start, start + 120]
            assert FeedState.GAP in stage.sink.states("BTCUSD")
            await stage.end()

    asyncio.run(scenario())


def test_minutes_without_prices_are_no_gap() -> None:
    async def scenario() -> None:
        hand = Hand()
        async with bench(None, quiet(BTC), clock=hand) as box:
            stage = _stage(box, hand)
            await stage.subscribed()
            start = hand.now_s
            stage.minute()
            await stage.has(1)
            hand.now_s += 600
            stage.minute()
            stage.minute()
            await stage.has(3)
            assert stage.sink.minutes("BTCUSD") == [start, start + 60, start + 720]
            assert FeedState.GAP not in stage.sink.states("BTCUSD")
            await stage.end()

    asyncio.run(scenario())


@pytest.mark.long
def test_a_terminal_that_was_restarted_is_asked_again() -> None:
    async def scenario() -> None:
        hand = Hand()
        hasty = GatewaySettings(reply_timeout_s=0.1, heartbeat_s=0.05, dead_after_s=0.2)
        async with bench(None, quiet(BTC), settings=hasty, clock=hand) as box:
            stage = _stage(box, hand, silence_s=0.1)
            await stage.subscribed()
            start = hand.now_s
            stage.minute()
            await stage.has(1)
            ends = endpoints(box.simulator)
            await box.simulator.stop()
            await until(lambda: bool(box.deaths), "the gateway finds the terminal dead")
            ports = (ends.system, ends.data, ends.live, ends.streaming)
            again = Simulator({BTC: quiet(BTC)}, SimOptions(ports=ports), lambda _: None, hand)
            # What the broker knows outlives the terminal.
            again.terminal.markets[BTC].minutes = box.simulator.terminal.markets[BTC].minutes
            await again.start()
            try:
                stage.box = Bench(again, box.gateway, [])
                market = again.terminal.markets[BTC]
                await until(lambda: bool(market.subscriptions), "a subscription", stage.task)
                stage.minute()
                await stage.has(2)
                assert stage.sink.minutes("BTCUSD") == [start, start + 60]
                await stage.end()
            finally:
                await again.stop()

    asyncio.run(scenario())


def test_prices_come_as_quotes() -> None:
    async def scenario() -> None:
        hand = Hand()
        async with bench(None, quiet(BTC), clock=hand) as box:
            stage = _stage(box, hand, "TICK")
            await stage.subscribed()
            for number in range(3):
                hand.now_s += 1
                box.simulator.terminal.price(BTC, 10_000 + number, 10_010 + number)
            await stage.has(3)
            quotes = [event for event, _ in stage.sink.events if isinstance(event, Quote)]
            assert [(q.bid_units, q.ask_units) for q in quotes] == [
                (10_000, 10_010),
                (10_001, 10_011),
                (10_002, 10_012),
            ]
            assert stage.sink.events[-1][1] == hand()
            await stage.end()

    asyncio.run(scenario())


def test_a_symbol_that_the_terminal_lacks_is_closed_and_the_others_go_on() -> None:
    async def scenario() -> None:
        hand = Hand()
        async with bench(None, quiet(BTC), clock=hand) as box:
            symbols = {
                "BTCUSD": Mt5FeedSymbol(coin("BTCUSD"), BTC),
                "NONE": Mt5FeedSymbol(coin("NONE"), "NONE.s"),
            }
            feed = Mt5Feed(box.gateway, symbols, "M1", HandClock(hand), Random(1), silence_s=60.0)
            stage = Stage(box, hand, feed)
            await stage.subscribed()
            stage.minute()
            await stage.has(1)
            assert stage.sink.states("NONE") == [FeedState.CONNECTING, FeedState.CLOSED]
            await stage.end()

    asyncio.run(scenario())


def test_a_feed_of_which_the_terminal_has_nothing_fails_and_says_what_to_do() -> None:
    async def scenario() -> None:
        hand = Hand()
        async with bench(None, quiet(BTC), clock=hand) as box:
            symbols = {"BTCUSD": Mt5FeedSymbol(coin("BTCUSD"), "BTCUSD")}
            feed = Mt5Feed(box.gateway, symbols, "M1", HandClock(hand), Random(1), silence_s=60.0)
            with pytest.raises(FeedFailedError, match="suffix"):
                await feed.run(Sink())

    asyncio.run(scenario())
    with pytest.raises(FeedFailedError, match="M2"):
        Mt5Feed(FakeLink([]), {}, "M2", HandClock(Hand()), Random(1), silence_s=1.0)


# ---- frames that no terminal should send ----


class FakeLink:
    """Answers every question well and pushes the given frames, then nothing."""

    lives = 0

    def __init__(self, frames: list[dict[str, Any]]) -> None:
        self._frames = list(frames)
        self.is_empty = asyncio.Event()

    async def open(self) -> None: ...

    async def request(self, symbol: str, fields: Mapping[str, object]) -> dict[str, Any]:
        return {"error": False, "data": [None]}

    async def next_live(self, timeout_s: float) -> dict[str, Any] | None:
        if self._frames:
            return self._frames.pop(0)
        self.is_empty.set()
        await asyncio.Event().wait()
        return None


GOOD = [1_700_000_040, 100, 101, 99, 100, 5]


@pytest.mark.parametrize(
    "frame",
    [
        {"status": "CONNECTED"},
        {"status": "CONNECTED", "data": None},
        {"status": "CONNECTED", "data": [1, 2]},
        {"status": "CONNECTED", "data": ["now", 100, 101, 99, 100, 5]},
        {"status": "CONNECTED", "data": [10**18, 100, 101, 99, 100, 5]},
        {"status": "CONNECTED", "data": [1_700_000_040, "100", 101, 99, 100, 5]},
        {"status": "CONNECTED", "data": [1_700_000_040, 100, 98, 99, 100, 5]},
        {"status": "CONNECTED", "data": [1_700_000_040, -1, 101, 99, 100, 5]},
        {"status": "CONNECTED", "data": [1_700_000_040, True, 101, 99, 100, 5]},
        {"status": "CONNECTED", "symbol": "OTHER", "data": GOOD},
        {"status": "CONNECTED", "symbol": 7, "data": GOOD},
        {"status": "CONNECTED", "timeframe": "H1", "data": GOOD},
        {"status": "SOMETHING", "data": GOOD},
        {"status": ["CONNECTED"], "data": GOOD},
        {},
    ],
)
def test_a_frame_that_cannot_be_used_is_left_out_and_the_feed_goes_on(
    frame: dict[str, Any],
) -> None:
    async def scenario() -> None:
        hand = Hand(1_699_999_980)
        link = FakeLink([frame, {"status": "CONNECTED", "data": GOOD}])
        symbols = {"BTCUSD": Mt5FeedSymbol(coin("BTCUSD"), BTC)}
        feed = Mt5Feed(link, symbols, "M1", HandClock(hand), Random(1), silence_s=60.0)
        sink = Sink()
        task = asyncio.create_task(feed.run(sink))
        await link.is_empty.wait()
        assert sink.minutes("BTCUSD") == [1_700_000_040]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scenario())
