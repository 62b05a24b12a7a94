"""Alpaca's market data through a feed: what is told once, what closes a bar, what is never mended.

The contract that every feed keeps is tried in tests/feeds/test_feed_contract.py.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from alpaca_world import KEY, SECRET, AlpacaWorld, alpaca_feed, alpaca_world
from live_helpers import following

from logos.adapters.alpaca.group import Plan
from logos.core.messages import Bar, Quote, Trade
from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND
from logos.feeds.contract import FeedFailedError, FeedState
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.market import Listing
from logos.testing.clock import START_NS

BOTH = {"AAPL": "AAPL", "BTCUSD": "BTC/USD"}


def at(seconds: float) -> int:
    return START_NS + round(seconds * NS_PER_SECOND)


@asynccontextmanager
async def heard(names: dict[str, str], plan: Plan, **world: Any) -> AsyncIterator[AlpacaWorld]:
    """A world with a feed under way, which is LIVE."""
    async with asyncio.timeout(30), alpaca_world(**world) as there:
        feed = alpaca_feed(there, names, plan)
        async with following(feed, there.sink):
            for symbol in names:
                await live(there, symbol)
            yield there


async def live(there: AlpacaWorld, symbol: str, times: int = 1) -> None:
    await until(there, lambda: there.sink.states(symbol).count(FeedState.LIVE) >= times)


async def until(there: AlpacaWorld, condition: Callable[[], bool]) -> None:
    """Until `condition` holds; the clock runs where somebody waits for it and must."""
    while not condition():
        if there.sink.states("AAPL")[-1:] == [FeedState.RETRYING] and there.clock.sleepers:
            await there.clock.next_wake()
        await asyncio.sleep(0)


async def asked_again(there: AlpacaWorld) -> None:
    """The next poll is over."""
    await there.clock.wait_for_sleepers()
    await there.clock.next_wake()
    await there.clock.wait_for_sleepers()


def prints(there: AlpacaWorld, *trades: tuple[float, str, str], symbol: str = "AAPL") -> None:
    market = there.exchange.market.listings[symbol]
    for seconds, price, size in trades:
        market.add_print(at(seconds), price, size, "SELL")


# ---- quotes and trades ----


@pytest.mark.parametrize("transport", ["poll", "websocket"])
def test_shares_and_coins_come_together_each_from_its_own_place(transport: str) -> None:
    async def story() -> None:
        async with heard(BOTH, Plan("both", transport)) as there:
            share, coin = there.exchange.market.listings.values()
            await until(there, lambda: len(there.sink.events) == 2)
            share.add_top(at(1), "200.01", "200.03", "4", "6")
            coin.add_print(at(1.5), "100005.5", "0.123", "BUY")
            await there.go_to(at(2))
            if transport == "poll":
                await asked_again(there)
            await until(there, lambda: len(there.sink.events) == 4)
            first, second = (each for each in there.sink.events[2:])
            quote, trade = (first, second) if isinstance(first, Quote) else (second, first)
            assert isinstance(quote, Quote)
            assert isinstance(trade, Trade)
            assert (quote.bid_units, quote.ask_units, quote.bid_size_units) == (20_001, 20_003, 4)
            assert (trade.price_units, trade.size_units) == (10_000_550, 12_300)
            assert trade.aggressor == "BUY"
            moments = dict(zip(there.sink.events, there.sink.event_times_ns, strict=True))
            assert (moments[quote], moments[trade]) == (at(1), at(1.5))

    asyncio.run(story())


def test_a_side_that_nobody_quotes_is_no_price() -> None:
    async def story() -> None:
        async with heard({"AAPL": "AAPL"}, Plan("quotes", "websocket")) as there:
            share = there.exchange.market.listings["AAPL"]
            share.add_top(at(1), "", "200.03", "", "6")
            share.add_top(at(2), "", "200.04", "", "6")
            share.add_top(at(3), "200.01", "200.04", "4", "6")
            await there.go_to(at(4))
            await until(there, lambda: len(there.sink.events) == 2)
            assert [each.bid_units for each in there.sink.events] == [20_000, 20_001]  # type: ignore[union-attr]
            [words] = there.sink.details(FeedState.GAP)
            assert "nobody quotes one side" in words

    asyncio.run(story())


def test_of_the_delayed_feed_of_shares_there_are_quotes_and_nothing_else() -> None:
    async def story() -> None:
        async with asyncio.timeout(30), alpaca_world() as there:
            feed = alpaca_feed(there, BOTH, Plan("quotes", "poll"), source="delayed_sip")
            assert feed.past_intervals == ()
            async with following(feed, there.sink):
                await until(there, lambda: len(there.sink.events) == 2)
            for kind in ("trades", "both", "bars"):
                with pytest.raises(ValueError, match=r"of delayed_sip .* quotes only"):
                    alpaca_feed(there, BOTH, Plan(kind, "poll"), source="delayed_sip")
            coins = {"BTCUSD": "BTC/USD"}  # there is one feed of coins
            assert alpaca_feed(there, coins, Plan("bars", "poll"), source="delayed_sip")

    asyncio.run(story())


def test_pages_are_read_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logos.adapters.alpaca.market_data._PAGE", 7)

    async def story() -> None:
        async with heard({"AAPL": "AAPL"}, Plan("trades", "poll")) as there:
            prints(there, *[(1 + number / 100, f"200.{number:02d}", "1") for number in range(40)])
            await there.go_to(at(3))
            await asked_again(there)
            await until(there, lambda: len(there.sink.events) == 40)
            assert [each.price_units for each in there.sink.events] == list(range(20_000, 20_040))  # type: ignore[union-attr]

    asyncio.run(story())


def test_a_trade_that_is_withdrawn_is_said_and_not_taken_back() -> None:
    async def story() -> None:
        async with heard({"AAPL": "AAPL"}, Plan("trades", "websocket")) as there:
            prints(there, (1, "200.10", "3"))
            await there.go_to(at(2))
            await until(there, lambda: len(there.sink.events) == 1)
            await there.streams.withdraw("AAPL", 1)
            await until(there, lambda: bool(there.sink.details(FeedState.GAP)))
            assert "trade 1 was withdrawn" in there.sink.details(FeedState.GAP)[0]

    asyncio.run(story())


def test_what_a_stream_leaves_out_is_found_in_its_silence() -> None:
    async def story() -> None:
        async with heard({"AAPL": "AAPL"}, Plan("trades", "websocket")) as there:
            there.exchange.fail("WS t AAPL", Fault.TIMEOUT_AFTER)
            prints(there, (1, "200.10", "3"), (2, "200.20", "4"))
            await there.go_to(at(3))
            while not there.sink.events:
                await asked_again(there)
                await asyncio.sleep(0)
            await live(there, "AAPL", 2)
            assert len(there.sink.events) == 2
            [words] = there.sink.details(FeedState.RETRYING)
            assert "silent for 32 s while the market moved" in words

    asyncio.run(story())


# ---- bars ----


async def minute(there: AlpacaWorld, number: int, price: str) -> None:
    """One trade within that minute."""
    prints(there, (60 * number + 10, price, "5"))
    await there.go_to(at(60 * number + 30))


@pytest.mark.parametrize("transport", ["poll", "websocket"])
def test_a_bar_is_closed_by_alpaca_s_word_and_not_by_our_clock(transport: str) -> None:
    async def story() -> None:
        async with heard({"AAPL": "AAPL"}, Plan("bars", transport)) as there:
            await minute(there, 0, "200.10")
            # Our clock is hours ahead; Alpaca's has not come to the end of the minute.
            there.clock.set_ns(at(10_000))
            for _ in range(3):
                await asked_again(there)
            assert there.sink.events == []
            await there.exchange.advance_to(at(61))
            if transport == "poll":
                await asked_again(there)
            await until(there, lambda: len(there.sink.events) == 1)
            [bar] = there.sink.events
            assert isinstance(bar, Bar)
            assert (bar.close_units, bar.volume_units) == (20_010, 5)
            assert there.sink.event_times_ns == [START_NS + NS_PER_MINUTE]

    asyncio.run(story())


@pytest.mark.parametrize("transport", ["poll", "websocket"])
def test_a_correction_after_the_close_is_said_and_the_bar_not_told_again(transport: str) -> None:
    async def story() -> None:
        async with heard({"AAPL": "AAPL"}, Plan("bars", transport)) as there:
            await minute(there, 0, "200.10")
            await there.go_to(at(62))
            if transport == "poll":
                await asked_again(there)
            await until(there, lambda: len(there.sink.events) == 1)
            await there.streams.correct("AAPL", START_NS, c=200.3, h=200.3)
            await minute(there, 1, "200.20")
            await there.go_to(at(122))
            if transport == "poll":
                await asked_again(there)
            await until(there, lambda: len(there.sink.events) == 2)
            [words] = there.sink.details(FeedState.GAP)
            assert "was corrected: high 200.1 is now 200.3, close 200.1 is now 200.3" in words
            assert [each.close_units for each in there.sink.events] == [20_010, 20_020]  # type: ignore[union-attr]

    asyncio.run(story())


def test_a_minute_without_a_trade_has_no_bar_and_is_no_gap() -> None:
    async def story() -> None:
        async with heard({"AAPL": "AAPL"}, Plan("bars", "websocket")) as there:
            await minute(there, 0, "200.10")
            await minute(there, 4, "200.20")
            await there.go_to(at(302))
            await until(there, lambda: len(there.sink.events) == 2)
            assert there.sink.details(FeedState.GAP) == []

    asyncio.run(story())


def test_bars_from_before_now_can_be_asked_for() -> None:
    async def story() -> None:
        async with alpaca_world() as there:
            prints(there, *[(60 * number + 5, f"200.{number:02d}", "1") for number in range(30)])
            await there.go_to(at(29 * 60 + 30))
            feed = alpaca_feed(there, {"AAPL": "AAPL"}, Plan("quotes", "poll"))
            assert "4h" in feed.past_intervals
            bars = await feed.past_bars("AAPL", "5m", START_NS, at(29 * 60 + 30))
            assert [bar.close_units for bar in bars] == [20_004, 20_009, 20_014, 20_019, 20_024]
            assert bars[-1].ts_ns == at(1500)

    asyncio.run(story())


# ---- what stands in the way ----


@pytest.mark.parametrize(
    ("access", "words"),
    [
        ({"key": "another"}, "check the keys"),
        ({"source": "sip"}, "does not permit querying recent SIP data"),
    ],
)
def test_what_no_second_try_mends_ends_the_feed(access: dict[str, Any], words: str) -> None:
    async def story() -> None:
        async with asyncio.timeout(30), alpaca_world() as there:
            if "key" in access:
                there.key = access["key"]
            options = {name: each for name, each in access.items() if name != "key"}
            feed = alpaca_feed(there, {"AAPL": "AAPL"}, Plan("trades", "websocket"), **options)
            with pytest.raises(FeedFailedError, match=words) as caught:
                await feed.run(there.sink)
            assert SECRET not in str(caught.value)

    asyncio.run(story())


def test_too_many_symbols_for_the_subscription_end_it_in_words() -> None:
    async def story() -> None:
        async with asyncio.timeout(30), alpaca_world() as there:
            there.streams.symbols_max = 1
            other = Listing("MSFT", "MSFT", "USD")
            other.add_top(START_NS, "400.00", "400.02", "5", "7")
            there.exchange.market.listings["MSFT"] = other
            feed = alpaca_feed(there, {"AAPL": "AAPL", "MSFT": "MSFT"}, Plan("trades", "websocket"))
            with pytest.raises(FeedFailedError, match=r"405.*fewer symbols"):
                await feed.run(there.sink)

    asyncio.run(story())


def test_a_stream_that_another_process_hears_is_waited_for() -> None:
    async def story() -> None:
        async with heard({"AAPL": "AAPL"}, Plan("trades", "websocket")) as there:
            second = alpaca_feed(there, {"AAPL": "AAPL"}, Plan("trades", "websocket"))
            sink = type(there.sink)()
            async with following(second, sink):
                await sink.until(lambda: bool(sink.details(FeedState.RETRYING)))
                assert "406" in sink.details(FeedState.RETRYING)[0]
                assert "another process" in sink.details(FeedState.RETRYING)[0]
            assert there.sink.details(FeedState.RETRYING) == []

    asyncio.run(story())


def test_a_429_is_waited_out_until_the_minute_is_over() -> None:
    async def story() -> None:
        async with alpaca_world(requests_a_minute=4) as there:
            feed = alpaca_feed(there, {"AAPL": "AAPL"}, Plan("trades", "poll"))
            async with asyncio.timeout(30), following(feed, there.sink):
                await live(there, "AAPL")
                while not there.sink.details(FeedState.RETRYING):
                    await asked_again(there)
                words = there.sink.details(FeedState.RETRYING)[0]
                assert "429" in words
                assert "again in 60.0 s" in words

    asyncio.run(story())


@pytest.mark.parametrize(
    ("plan", "source", "words"),
    [
        (Plan("news", "poll"), "iex", "kind is one of"),
        (Plan("trades", "pigeon"), "iex", "transport is one of"),
        (Plan("bars", "poll", "1d"), "iex", "interval is one of"),
        (Plan("bars", "poll"), "nyse", "feed of shares is one of"),
    ],
)
def test_a_plan_that_is_none_is_refused(plan: Plan, source: str, words: str) -> None:
    async def story() -> None:
        async with alpaca_world() as there:
            with pytest.raises(ValueError, match=words):
                alpaca_feed(there, {"AAPL": "AAPL"}, plan, source=source)
            with pytest.raises(ValueError, match="no symbols"):
                alpaca_feed(there, {}, Plan("trades", "poll"))

    asyncio.run(story())


# ---- the local Alpaca itself ----


def test_the_library_s_own_clients_understand_the_local_market_data() -> None:
    """In MessagePack and over pages, as alpaca-py asks for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from alpaca.data.historical import StockHistoricalDataClient
        from alpaca.data.live import StockDataStream
        from alpaca.data.requests import StockBarsRequest
        from alpaca.data.timeframe import TimeFrame

    async def story() -> None:
        async with asyncio.timeout(30), alpaca_world() as there:
            url = there.exchange.url
            stream: Any = StockDataStream(
                KEY, SECRET, url_override=url.replace("http", "ws") + "/v2/iex"
            )
            told: list[Any] = []

            async def take(point: Any) -> None:
                told.append(point)

            for subscribe in (stream.subscribe_trades, stream.subscribe_updated_bars):
                subscribe(take, "AAPL")
            stream.subscribe_bars(take, "AAPL")
            await stream._start_ws()
            await stream._send_subscribe_msg()
            consuming = asyncio.ensure_future(stream._consume())
            while "bars AAPL" not in there.streams.subscriptions:
                await asyncio.sleep(0)
            await minute(there, 0, "200.1")
            await there.go_to(at(62))
            await there.streams.correct("AAPL", START_NS, c=200.3)
            while len(told) < 3:
                await asyncio.sleep(0)
            consuming.cancel()
            await asyncio.wait({consuming})
            await stream.close()
            trade, bar, corrected = told
            assert (trade.price, trade.size, str(trade.exchange)) == (200.1, 5, "V")
            assert (bar.close, corrected.close) == (200.1, 200.3)
            assert bar.timestamp == corrected.timestamp
            client: Any = StockHistoricalDataClient(KEY, SECRET, url_override=url)
            asked = StockBarsRequest(symbol_or_symbols="AAPL", timeframe=TimeFrame.Minute)
            found = await asyncio.to_thread(client.get_stock_bars, asked)
            assert [each.close for each in found["AAPL"]] == [200.3]

    asyncio.run(story())
