"""The Yahoo feed through the real yfinance, against a local chart service that fails on demand."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from aiohttp import web
from live_helpers import (
    OPENS_NS,
    World,
    following,
    listed,
    run,
    timeout_s,
    traded,
    world,
    yahoo_minutes,
)

from logos.adapters.yahoo.client import YahooClient
from logos.adapters.yahoo.feed import YahooFeed, YahooMarket
from logos.core.messages import Bar
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND
from logos.feeds.common import Trouble
from logos.feeds.contract import FeedFailedError, FeedState
from logos.simulators.exchange.faults import Fault
from logos.testing.clock import START_NS

# What yfinance itself does with pandas is not ours to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:yfinance"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
    pytest.mark.filterwarnings("ignore:Timestamp.utcnow"),
]

CLOSES_NS = START_NS + 20 * 60 * NS_PER_MINUTE


def feed_of(there: World, folder: Path, *symbols: str, **settings: Any) -> YahooFeed:
    defaults: dict[str, Any] = {"url": there.exchange.url, "cache_dir": folder, "timeout_s": 10.0}
    return YahooFeed(
        {symbol: YahooMarket(traded(symbol, lot="1"), symbol) for symbol in symbols or ["SPY"]},
        there.clock,
        Random(1),
        **(defaults | settings),
    )


async def go_to(there: World, now_ns: int) -> None:
    await there.exchange.advance_to(now_ns)
    there.clock.set_ns(now_ns)


def opened(there: World) -> list[int]:
    """Minutes since the opening of the bars that came."""
    return [(event_ns - OPENS_NS) // NS_PER_MINUTE - 1 for event_ns in there.sink.event_times_ns]


@pytest.mark.long
def test_closed_bars_come_once_and_exact(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30))) as there:
            await go_to(there, OPENS_NS + 5 * NS_PER_SECOND)
            async with following(feed_of(there, tmp_path), there.sink):
                for _ in range(40):
                    await there.pass_time(10)
            assert opened(there) == [0, 1, 2, 3, 4, 5]
            first = there.sink.events[0]
            assert isinstance(first, Bar)
            figures = first.open_units, first.high_units, first.low_units, first.close_units
            assert figures == (18_743, 18_750, 18_740, 18_744)
            assert first.volume_units == 1_200
            assert there.sink.states("SPY") == [FeedState.LIVE]
            host = there.exchange.url.removeprefix("http://")
            assert {request.host for request in there.exchange.requests} == {host}

    run(work())


@pytest.mark.long
@pytest.mark.parametrize(
    "fault",
    [
        Fault.TIMEOUT_BEFORE,
        Fault.RESET_BEFORE,
        Fault.RATE_LIMIT,
        Fault.SERVER_ERROR,
        Fault.UNAVAILABLE,
        Fault.MALFORMED,
        Fault.TRUNCATED,
        Fault.DUPLICATE,
        Fault.REORDERED,
        Fault.LATE,
    ],
    ids=str,
)
def test_no_failure_costs_a_bar_or_gives_one_twice(fault: Fault, tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30))) as there:
            await go_to(there, OPENS_NS)
            feed = feed_of(there, tmp_path, timeout_s=timeout_s(fault))
            async with following(feed, there.sink):
                await there.pass_time(65)
                there.exchange.fail("chart/SPY", fault, times=2)
                for _ in range(30):
                    await there.pass_time(10)
            assert opened(there) == [0, 1, 2, 3, 4, 5]
            assert there.sink.details(FeedState.GAP) == []
            assert there.sink.states("SPY")[-1] is FeedState.LIVE

    run(work())


@pytest.mark.long
def test_a_closed_market_is_told_from_missing_minutes(tmp_path: Path) -> None:
    async def work() -> None:
        next_day_ns = OPENS_NS + NS_PER_DAY
        bars = yahoo_minutes(OPENS_NS, 390) + yahoo_minutes(next_day_ns, 30, without=range(2, 5))
        async with world(listed("SPY", bars)) as there:
            await go_to(there, CLOSES_NS - 2 * NS_PER_MINUTE)
            async with following(feed_of(there, tmp_path), there.sink):
                for _ in range(20):
                    await there.pass_time(15)
                assert opened(there) == [388, 389]
                assert there.sink.states("SPY") == [FeedState.LIVE, FeedState.CLOSED]
                assert there.sink.details(FeedState.CLOSED) == [
                    "the market is closed since 2026-01-01T20:00:00Z"
                ]
                await go_to(there, next_day_ns - 30 * NS_PER_SECOND)
                await there.clock.next_wake()
                for _ in range(40):
                    await there.pass_time(15)
            assert opened(there)[2:9] == [1440 + minute for minute in (0, 1, 5, 6, 7, 8)][:7]
            assert there.sink.details(FeedState.GAP) == [
                "bars: 3 bars are missing from 2026-01-02T13:32:00Z on"
            ]
            assert there.sink.states("SPY")[2] is FeedState.LIVE

    run(work())


def test_our_clock_ahead_gives_no_open_bar(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30))) as there:
            await go_to(there, OPENS_NS)
            there.clock.set_ns(OPENS_NS + 50 * NS_PER_SECOND)
            async with following(feed_of(there, tmp_path), there.sink):
                for _ in range(13):
                    await there.pass_time(10)
            last_ns = there.sink.event_times_ns[-1]
            assert last_ns <= there.exchange.market.now_ns
            assert opened(there) == [0, 1]

    run(work())


def test_one_unknown_ticker_does_not_stop_the_others(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30))) as there:
            await go_to(there, OPENS_NS)
            async with following(feed_of(there, tmp_path, "SPY", "NOPE"), there.sink):
                await there.sink.until(lambda: FeedState.CLOSED in there.sink.states("NOPE"))
                for _ in range(8):
                    await there.pass_time(10)
            assert opened(there) == [0]
            assert "of 'NOPE': No data found" in there.sink.details(FeedState.CLOSED)[0]

    run(work())


def test_no_ticker_that_exists_is_a_failure_for_good(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30))) as there:
            with pytest.raises(FeedFailedError, match="of 'NOPE': No data found"):
                await feed_of(there, tmp_path, "NOPE").run(there.sink)

    run(work())


def test_a_feed_that_ends_closes_its_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[YahooClient] = []
    monkeypatch.setattr(YahooClient, "close", lambda client: closed.append(client))

    async def work() -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30))) as there:
            await go_to(there, OPENS_NS + 5 * NS_PER_SECOND)
            async with following(feed_of(there, tmp_path), there.sink):
                await there.pass_time(10)
                assert closed == []
            assert len(closed) == 1

    run(work())


def test_the_market_is_open_in_any_of_the_sessions_that_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a silence the chart of five days is asked for, which tells of five sessions."""
    chart = YahooClient.chart

    def with_yesterday(self: YahooClient, *arguments: Any) -> Any:
        told = chart(self, *arguments)
        day = [(start - NS_PER_DAY, end - NS_PER_DAY) for start, end in told.sessions]
        return msgspec.structs.replace(told, sessions=[*day, *told.sessions])

    async def work() -> None:
        monkeypatch.setattr(YahooClient, "chart", with_yesterday)
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30))) as there:
            await go_to(there, OPENS_NS + 5 * NS_PER_SECOND)
            async with following(feed_of(there, tmp_path), there.sink):
                for _ in range(8):
                    await there.pass_time(10)
            assert there.sink.states("SPY") == [FeedState.LIVE]

    run(work())


def test_bars_from_before_now_are_the_closed_ones_each_with_its_end(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30, without=range(4, 6)))) as there:
            now_ns = OPENS_NS + 10 * NS_PER_MINUTE + 30 * NS_PER_SECOND
            await go_to(there, now_ns)
            feed = feed_of(there, tmp_path)
            bars = await feed.past_bars("SPY", "1m", OPENS_NS + 2 * NS_PER_MINUTE, now_ns)
            ends = [(each.ts_ns - OPENS_NS) // NS_PER_MINUTE for each in bars]
            assert ends == [3, 4, 7, 8, 9, 10]

    run(work())


@pytest.mark.long
def test_our_clock_that_jumps_ahead_closes_no_bar(tmp_path: Path) -> None:
    """Not even where the answers tell no time: then the next bar closes the last."""

    async def work(tells_time: bool) -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30))) as there:
            there.exchange.tells_time = tells_time
            await go_to(there, OPENS_NS)
            async with following(feed_of(there, tmp_path), there.sink):
                await there.pass_time(10)
                await there.clock.advance(55)
                await there.clock.wait_for_sleepers(1)
                assert there.sink.events == []
                for _ in range(12):
                    await there.pass_time(10)
            assert opened(there) == [0, 1]

    run(work(tells_time=True))
    run(work(tells_time=False))


def test_a_bar_that_is_told_differently_later_is_said_once_and_not_given_again(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        spy = listed("SPY", yahoo_minutes(OPENS_NS, 30))
        async with world(spy) as there:
            await go_to(there, OPENS_NS)
            async with following(feed_of(there, tmp_path), there.sink):
                await there.pass_time(65)
                assert opened(there) == [0]
                spy.correct(OPENS_NS, volume="1312")
                for _ in range(12):
                    await there.pass_time(10)
            assert opened(there) == [0, 1, 2]
            assert there.sink.details(FeedState.GAP) == [
                "bars: the bar of 2026-01-01T13:30:00Z was corrected: volume 1200 is now 1312"
            ]

    run(work())


def test_yahoo_s_last_word_on_a_ticker_ends_it_in_yahoo_s_words(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30))) as there:
            await go_to(there, OPENS_NS)
            there.yahoo.shells.add("THF")
            words = "Yahoo says of 'NOPE': No data found, symbol may be delisted; "
            words += "Yahoo knows 'THF' by name only"
            with pytest.raises(FeedFailedError, match=words):
                await feed_of(there, tmp_path, "NOPE", "THF").run(there.sink)

    run(work())


def test_a_page_in_place_of_yahoo_s_word_is_no_last_word(tmp_path: Path) -> None:
    """A machine in between answers 404 with a page: nothing is said about the ticker."""
    pages = {"left": 2}

    @web.middleware
    async def lost(request: web.Request, handler: Any) -> web.StreamResponse:
        if "chart" in request.path and pages["left"]:
            pages["left"] -= 1
            return web.Response(status=404, text="<html>Not Found</html>")
        return await handler(request)  # type: ignore[no-any-return]

    async def work() -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30)), middlewares=[lost]) as there:
            await go_to(there, OPENS_NS)
            async with following(feed_of(there, tmp_path), there.sink):
                for _ in range(8):
                    await there.pass_time(10)
            assert opened(there) == [0]
            assert "status 404 without Yahoo's words" in there.sink.details(FeedState.RETRYING)[0]

    run(work())


def test_a_ticker_that_had_bars_is_asked_for_again_before_its_denial_is_believed(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 60))) as there:
            await go_to(there, OPENS_NS)
            task = asyncio.create_task(feed_of(there, tmp_path).run(there.sink))
            await there.pass_time(65)
            there.yahoo.denied["SPY"] = 3
            for _ in range(30):
                await there.pass_time(10)
            assert opened(there)[-1] >= 4
            assert FeedState.CLOSED not in there.sink.states("SPY")
            there.yahoo.denied["SPY"] = 100
            while "denial 5" not in " ".join(there.sink.details(FeedState.RETRYING)):
                await there.exchange.advance(60)
                await there.clock.next_wake()
                await there.clock.wait_for_sleepers(1)
            await there.clock.next_wake()
            with pytest.raises(FeedFailedError, match="symbol may be delisted"):
                await task
            assert there.yahoo.denied["SPY"] == 100 - 6

    run(work())


@pytest.mark.long
def test_a_ticker_without_a_trade_today_is_waited_for(tmp_path: Path) -> None:
    """yfinance calls such a chart that of a delisted ticker; Yahoo does not."""

    async def work() -> None:
        later_ns = OPENS_NS + 3 * NS_PER_MINUTE
        async with world(listed("SPY", yahoo_minutes(later_ns, 30))) as there:
            await go_to(there, OPENS_NS)
            async with following(feed_of(there, tmp_path), there.sink):
                for _ in range(32):
                    await there.pass_time(10)
            assert opened(there)[:2] == [3, 4]
            assert there.sink.details(FeedState.RETRYING) == []

    run(work())


def test_a_cause_is_told_without_the_words_of_the_library_about_itself(tmp_path: Path) -> None:
    with socket.socket() as closed:  # bound and never listened at: a connection is refused
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        client = YahooClient(url=f"http://127.0.0.1:{port}", timeout_s=10.0, cache_dir=tmp_path)
        with pytest.raises(Trouble) as caught:
            client.chart("SPY", "1m", "1d")
        client.close()
    words = str(caught.value)
    assert words.startswith("SPY: ConnectionError: curl: (7) Failed to connect to 127.0.0.1")
    assert "libcurl-errors" not in words
    assert not words.endswith(".")
