"""The streamed ccxt feed, through the real library's websockets, on connections that fail."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest
from live_helpers import World, ccxt_feed, following, listing, run, subscribed, world

from logos.adapters.ccxt.client import TUNINGS, Tuning
from logos.core.messages import Quote, Trade
from logos.feeds.contract import FeedState
from logos.simulators.exchange.faults import Fault

TRADES = "btcusdt@aggTrade"
QUOTES = "btcusdt@bookTicker"


def prices(there: World) -> list[int]:
    return [event.price_units for event in there.sink.events if isinstance(event, Trade)]


def bids(there: World) -> list[int]:
    return [event.bid_units for event in there.sink.events if isinstance(event, Quote)]


def test_every_trade_and_every_quote_comes_in_order() -> None:
    async def work() -> None:
        async with world(listing(trades=300)) as there:
            feed = ccxt_feed(there, kind="both", transport="websocket")
            async with following(feed, there.sink):
                await subscribed(there, TRADES, QUOTES)
                await there.exchange.advance(30)
                await there.sink.until(lambda: len(there.sink.events) == 601)
            assert prices(there) == list(range(6_000_001, 6_000_301))
            assert bids(there) == list(range(6_000_000, 6_000_301))

    run(work())


@pytest.mark.parametrize(
    "fault", [Fault.DUPLICATE, Fault.LATE, Fault.GAP, Fault.TRUNCATED], ids=str
)
def test_messages_twice_late_or_lost_are_put_right(fault: Fault) -> None:
    async def work() -> None:
        async with world(listing(trades=100)) as there:
            feed = ccxt_feed(there, kind="trades", transport="websocket")
            async with following(feed, there.sink):
                await subscribed(there, TRADES)
                there.exchange.fail(f"WS {TRADES}", fault, after=10, times=3)
                await there.exchange.advance(10)
                await there.sink.until(lambda: len(there.sink.events) == 100)
            assert prices(there) == list(range(6_000_001, 6_000_101))
            assert there.sink.details(FeedState.GAP) == []

    run(work())


def test_after_a_disconnect_everything_missed_is_asked_for() -> None:
    async def work() -> None:
        async with world(listing(trades=100)) as there:
            feed = ccxt_feed(there, kind="trades", transport="websocket")
            async with following(feed, there.sink):
                await subscribed(there, TRADES)
                await there.exchange.advance(2)
                await there.sink.until(lambda: len(there.sink.events) == 20)
                assert there.streams.disconnect_all() == 1
                await there.sink.until(lambda: FeedState.RETRYING in there.sink.states("BTCUSDT"))
                await there.exchange.advance(5)
                await there.clock.next_wake()
                await there.sink.until(lambda: len(there.sink.events) == 70)
                while TRADES not in there.streams.subscriptions:
                    await there.exchange.wait_for_request()
                await there.exchange.advance(3)
                await there.sink.until(lambda: len(there.sink.events) == 100)
            assert prices(there) == list(range(6_000_001, 6_000_101))
            assert there.sink.details(FeedState.GAP) == []
            assert there.sink.states("BTCUSDT") == [
                FeedState.LIVE,
                FeedState.RETRYING,
                FeedState.LIVE,
            ]

    run(work())


@pytest.mark.parametrize("are_ids_consecutive", [True, False])
def test_a_connection_lost_while_the_feed_was_busy_costs_no_trade(
    are_ids_consecutive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library connects again by itself then, and says nothing."""
    known = TUNINGS["binance"]
    tuning = msgspec.structs.replace(
        known,
        are_ids_consecutive=are_ids_consecutive,
        from_id=known.from_id if are_ids_consecutive else "",
    )
    monkeypatch.setitem(cast("dict[str, Tuning]", TUNINGS), "binance", tuning)

    async def work() -> None:
        async with world(listing(trades=100)) as there:
            feed = ccxt_feed(there, kind="trades", transport="websocket")
            async with following(feed, there.sink):
                await subscribed(there, TRADES)
                there.sink.capacity = 5
                await there.exchange.advance(2)
                await there.sink.until(lambda: there.sink.refusals > 0)
                assert there.streams.disconnect_all() == 1
                await there.exchange.advance(3)
                there.sink.capacity = 10**9
                there.sink.changed.set()
                while TRADES not in there.streams.subscriptions:
                    await there.exchange.wait_for_request()
                await there.exchange.advance(5)
                await there.sink.until(lambda: len(there.sink.events) == 100)
            assert prices(there) == list(range(6_000_001, 6_000_101))
            assert there.sink.details(FeedState.GAP) == []

    run(work())


@pytest.mark.parametrize("kind", ["trades", "quotes"])
def test_a_connection_that_falls_silent_is_found_out_by_asking(kind: str) -> None:
    async def work() -> None:
        async with world(listing(trades=100)) as there:
            stream = TRADES if kind == "trades" else QUOTES
            feed = ccxt_feed(there, kind=kind, transport="websocket", silence_s=20)
            async with following(feed, there.sink):
                await subscribed(there, stream)
                await there.exchange.advance(2)
                count = 20 if kind == "trades" else 21
                await there.sink.until(lambda: len(there.sink.events) == count)
                await there.clock.wait_for_sleepers()
                there.exchange.fail(f"WS {stream}", Fault.TIMEOUT_BEFORE, times=1)
                await there.exchange.advance(3)
                await there.clock.wait_for_sleepers()
                await there.clock.advance(21)
                await there.sink.until(lambda: FeedState.RETRYING in there.sink.states("BTCUSDT"))
                assert (
                    "silent for 20 s while the market moved"
                    in (there.sink.details(FeedState.RETRYING)[0])
                )
                await there.clock.next_wake()
                while stream not in there.streams.subscriptions:
                    await there.exchange.wait_for_request()
                await there.exchange.advance(5)
                found = prices if kind == "trades" else bids
                await there.sink.until(lambda: found(there)[-1] == 6_000_100)
            if kind == "trades":
                assert prices(there) == list(range(6_000_001, 6_000_101))

    run(work())


@pytest.mark.parametrize(("kind", "count"), [("trades", 20), ("quotes", 21)])
def test_a_quiet_market_is_no_failure(kind: str, count: int) -> None:
    async def work() -> None:
        async with world(listing(trades=20)) as there:
            feed = ccxt_feed(there, kind=kind, transport="websocket", silence_s=20)
            async with following(feed, there.sink):
                await subscribed(there, TRADES if kind == "trades" else QUOTES)
                await there.exchange.advance(2)
                await there.sink.until(lambda: len(there.sink.events) == count)
                for _ in range(5):
                    await there.clock.wait_for_sleepers()
                    await there.clock.advance(20)
                await there.clock.wait_for_sleepers()
            assert len(there.sink.events) == count
            assert there.sink.states("BTCUSDT") == [FeedState.LIVE]
            assert there.exchange.asked("depth" if kind == "quotes" else "aggTrades") >= 6

    run(work())


def test_streams_go_to_no_other_host() -> None:
    async def work() -> None:
        async with world(listing(trades=10)) as there:
            feed = ccxt_feed(there, kind="both", transport="websocket")
            async with following(feed, there.sink):
                await subscribed(there, TRADES, QUOTES)
            host = there.exchange.url.removeprefix("http://")
            assert {request.host for request in there.exchange.requests} == {host}
            assert there.exchange.asked("GET /ws/") == 2

    run(work())
