"""Bars through the real library: closed ones only, each once, holes asked for again or told."""

from __future__ import annotations

import pytest
from live_helpers import (
    World,
    ccxt_feed,
    following,
    minute_bars,
    run,
    timeout_s,
    traded,
    world,
)

from logos.core.messages import Bar
from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND
from logos.feeds.contract import FeedFailedError, FeedState
from logos.simulators.exchange.faults import Fault
from logos.testing.clock import START_NS


def bars_of(there: World) -> list[Bar]:
    return [event for event in there.sink.events if isinstance(event, Bar)]


def opened(there: World) -> list[int]:
    """Which minutes came, by the close that the feed says."""
    return [(event_ns - START_NS) // NS_PER_MINUTE - 1 for event_ns in there.sink.event_times_ns]


async def ten_minutes(there: World, feed_settings: dict[str, object] | None = None) -> None:
    settings = feed_settings or {}
    async with following(ccxt_feed(there, kind="bars", **settings), there.sink):  # type: ignore[arg-type]
        for _ in range(60):
            await there.pass_time(10)


def test_each_bar_comes_once_after_its_close() -> None:
    async def work() -> None:
        async with world(minute_bars(20)) as there:
            await ten_minutes(there)
            assert opened(there) == list(range(9))
            first = bars_of(there)[0]
            figures = first.open_units, first.high_units, first.low_units, first.close_units
            assert figures == (6_000_000, 6_000_005, 5_999_995, 6_000_001)
            assert first.volume_units == 125_000
            assert first.interval_ns == NS_PER_MINUTE
            for bar, closed_ns in zip(bars_of(there), there.sink.event_times_ns, strict=True):
                assert closed_ns <= bar.ts_ns <= closed_ns + 10 * NS_PER_SECOND
            assert there.sink.details(FeedState.GAP) == []

    run(work())


def test_an_open_bar_is_not_delivered_even_when_our_clock_is_ahead() -> None:
    async def work() -> None:
        async with world(minute_bars(20)) as there:
            there.clock.set_ns(START_NS + 47 * NS_PER_SECOND)
            await ten_minutes(there)
            # The exchange is where it is, whatever our clock says.
            assert opened(there) == list(range(9))
            assert "-47.0 s from ours" in there.sink.details(FeedState.LIVE)[1]

    run(work())


@pytest.mark.long
@pytest.mark.parametrize(
    "fault",
    [
        Fault.TIMEOUT_BEFORE,
        Fault.RESET_AFTER,
        Fault.RATE_LIMIT,
        Fault.SERVER_ERROR,
        Fault.MALFORMED,
        Fault.TRUNCATED,
        Fault.MAINTENANCE,
        Fault.DUPLICATE,
        Fault.REORDERED,
        Fault.LATE,
    ],
    ids=str,
)
def test_no_failure_costs_a_bar_or_gives_one_twice(fault: Fault) -> None:
    async def work() -> None:
        async with world(minute_bars(20)) as there:
            there.exchange.fail("klines", fault, after=3, times=4)
            await ten_minutes(there, {"timeout_ms": 1_000 * timeout_s(fault)})
            assert opened(there) == list(range(9))
            assert there.sink.details(FeedState.GAP) == []

    run(work())


def test_a_hole_in_one_answer_is_filled_by_asking_again() -> None:
    async def work() -> None:
        async with world(minute_bars(40)) as there:
            async with following(ccxt_feed(there, kind="bars"), there.sink):
                await there.pass_time(61)
                there.exchange.fail("klines", Fault.UNAVAILABLE, times=1)
                await there.pass_time(60)
                there.exchange.fail("klines", Fault.GAP, times=1)
                await there.exchange.advance(600)
                await there.pass_time(1_200)
            assert opened(there)[:20] == list(range(20))
            assert there.sink.details(FeedState.GAP) == []

    run(work())


def test_bars_that_the_exchange_does_not_have_are_told() -> None:
    async def work() -> None:
        async with world(minute_bars(20, without=range(4, 6))) as there:
            await ten_minutes(there)
            assert opened(there) == [0, 1, 2, 3, 6, 7, 8]
            assert there.sink.details(FeedState.GAP) == [
                "bars: 2 bars are missing from 2026-01-01T00:04:00Z on"
            ]

    run(work())


def test_a_bar_off_the_tick_is_left_out_and_told() -> None:
    async def work() -> None:
        async with world(minute_bars(20)) as there:
            coarse = {"BTCUSDT": traded(tick="0.05")}
            await ten_minutes(there, {"instruments": coarse})
            assert bars_of(there) == []
            [told] = [each for each in there.sink.details(FeedState.GAP) if "1 so far" in each]
            assert "off_tick" in told

    run(work())


def test_bars_from_before_now_are_the_closed_ones_each_with_its_end() -> None:
    """The last of ten minutes is still open; an answer that fails is asked for again."""

    async def work() -> None:
        async with world(minute_bars(20, without=range(3, 4))) as there:
            await there.exchange.advance(570)
            there.clock.set_ns(there.exchange.market.now_ns)
            feed = ccxt_feed(there, kind="trades")
            minute = START_NS + 2 * NS_PER_MINUTE
            bars = await feed.past_bars("BTCUSDT", "1m", minute, there.clock.now_ns())
            assert [(each.ts_ns - START_NS) // NS_PER_MINUTE for each in bars] == [
                *(3, 5, 6, 7, 8, 9)
            ]
            assert {each.interval_ns for each in bars} == {NS_PER_MINUTE}
            assert there.sink.events == []

    run(work())


NO_TIME = {"enableRateLimit": False, "has": {"fetchTime": False}}
"""ccxt's options of an exchange that has no question for its time."""


def test_our_clock_that_jumps_ahead_closes_no_bar() -> None:
    """The offset of the clocks was measured before; what counts is the time in the answer."""

    async def work() -> None:
        async with world(minute_bars(20)) as there:
            async with following(ccxt_feed(there, kind="bars"), there.sink):
                await there.pass_time(10)
                await there.clock.advance(55)
                await there.clock.wait_for_sleepers(1)
                assert bars_of(there) == []
                for _ in range(12):
                    await there.pass_time(10)
            assert opened(there) == [0, 1]
            for closed_ns in there.sink.event_times_ns:
                assert closed_ns <= there.exchange.market.now_ns

    run(work())


def test_an_exchange_that_is_not_asked_for_its_time_tells_it_in_the_date_of_its_answers() -> None:
    async def work() -> None:
        async with world(minute_bars(20)) as there:
            there.clock.set_ns(START_NS + 47 * NS_PER_SECOND)
            await ten_minutes(there, {"options": NO_TIME})
            assert opened(there) == list(range(9))
            assert there.exchange.asked("/api/v3/time") == 0
            assert "from ours" in there.sink.details(FeedState.LIVE)[1]

    run(work())


def test_without_a_date_the_exchange_is_asked_for_its_time_before_its_bars() -> None:
    async def work() -> None:
        async with world(minute_bars(20)) as there:
            there.exchange.tells_time = False
            there.clock.set_ns(START_NS + 47 * NS_PER_SECOND)
            await ten_minutes(there)
            assert opened(there) == list(range(9))

    run(work())


def test_where_no_time_is_told_at_all_the_next_bar_closes_the_last() -> None:
    async def work() -> None:
        async with world(minute_bars(20)) as there:
            there.exchange.tells_time = False
            await ten_minutes(there, {"options": NO_TIME})
            assert opened(there) == list(range(9))
            for bar, closed_ns in zip(bars_of(there), there.sink.event_times_ns, strict=True):
                assert bar.ts_ns >= closed_ns
            feed = ccxt_feed(there, kind="bars", options=NO_TIME)
            with pytest.raises(FeedFailedError, match="tells no time"):
                await feed.past_bars("BTCUSDT", "1m", START_NS, there.clock.now_ns())

    run(work())


def test_a_bar_that_is_read_at_its_end_and_written_after_it_is_not_closed_yet() -> None:
    """A `Date` is whole seconds and is written when the rows were read already."""

    async def work() -> None:
        async with world(minute_bars(20, without=range(1, 2))) as there:
            feed = ccxt_feed(there, kind="bars", settle_s=0.0)
            async with following(feed, there.sink):
                await there.pass_time(60)
                assert bars_of(there) == []
                await there.pass_time(1)
            assert opened(there) == [0]

    run(work())


def test_a_bar_that_is_told_differently_later_is_said_once_and_not_given_again() -> None:
    async def work() -> None:
        listing = minute_bars(20)
        async with world(listing) as there:
            async with following(ccxt_feed(there, kind="bars"), there.sink):
                await there.pass_time(62)
                assert opened(there) == [0]
                listing.correct(START_NS, close="60000.04", volume="1.50000")
                for _ in range(18):
                    await there.pass_time(10)
            assert opened(there) == [0, 1, 2, 3]
            assert bars_of(there)[0].close_units == 6_000_001
            assert there.sink.details(FeedState.GAP) == [
                "bars: the bar of 2026-01-01T00:00:00Z was corrected: "
                "close 60000.01 is now 60000.04, volume 1.25 is now 1.5"
            ]

    run(work())


def test_a_bar_that_is_told_again_as_something_that_cannot_be_read_is_said() -> None:
    async def work() -> None:
        listing = minute_bars(20)
        async with world(listing) as there:
            async with following(ccxt_feed(there, kind="bars"), there.sink):
                await there.pass_time(62)
                listing.correct(START_NS, close="60000.013")
                await there.pass_time(60)
            assert opened(there) == [0, 1]
            [told] = there.sink.details(FeedState.GAP)
            assert "off_tick" in told

    run(work())
