"""News of orders from a local broker's `trade_updates`: all of ours, nothing of others, no lies."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from venue_tools import PAPER_KEY, PAPER_SECRET, BrokerDesk, broker_desk

from logos.core.outbox import CancelOrder, SubmitOrder
from logos.simulators.exchange.faults import Fault
from logos.venues.contract import SIGN_OF_LIFE_S, OrderNews, Unavailable

ALIVE = OrderNews("", is_sign_of_life=True)


async def heard(events: AsyncIterator[OrderNews]) -> OrderNews:
    async with asyncio.timeout(10):
        return await anext(events)


async def listening(desk: BrokerDesk) -> AsyncIterator[OrderNews]:
    events = desk.venue.order_events()
    assert await heard(events) == ALIVE
    assert desk.account.updates.listening == 1
    return events


@pytest.mark.parametrize("is_binary", [True, False])
def test_every_change_of_an_order_of_ours_is_news_of_it(is_binary: bool) -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            desk.account.updates.is_binary = is_binary
            events = await listening(desk)
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.account.fill("s-1-1", "4")
            await desk.venue.cancel(CancelOrder("s-1-1", "AAPL"))
            told = [await heard(events) for _ in range(4)]  # accepted, new, a fill, canceled
            assert told == [OrderNews("s-1-1")] * 4
            await events.aclose()  # type: ignore[attr-defined]

    asyncio.run(story())


def test_what_others_do_is_a_sign_of_life_only() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            events = await listening(desk)
            desk.account.place_by_hand(
                {
                    "symbol": "AAPL", "side": "sell", "type": "limit", "time_in_force": "day",
                    "qty": "1", "limit_price": "900.00", "client_order_id": "by-hand",
                }
            )  # fmt: skip
            assert await heard(events) == ALIVE
            await events.aclose()  # type: ignore[attr-defined]

    asyncio.run(story())


def test_a_quiet_stream_is_pinged_and_tells_that_it_lives() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            events = await listening(desk)
            for _ in range(3):
                waiting = asyncio.ensure_future(heard(events))
                began_ns = desk.clock.now_ns()
                await desk.clock.next_wake()
                assert await waiting == ALIVE
                assert desk.clock.now_ns() - began_ns < SIGN_OF_LIFE_S * 10**9
            await desk.account.updates.ping()
            await events.aclose()  # type: ignore[attr-defined]

    asyncio.run(story())


def test_a_lost_connection_ends_the_news_and_a_new_one_can_be_asked_for() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            events = await listening(desk)
            assert desk.account.updates.disconnect_all() == 1
            with pytest.raises(Unavailable, match="trade_updates"):
                await heard(events)
            again = await listening(desk)
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            assert await heard(again) == OrderNews("s-1-1")
            await again.aclose()  # type: ignore[attr-defined]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("fault", "word"), [(Fault.MALFORMED, "not JSON"), (Fault.RESET_BEFORE, "Connection")]
)
def test_a_message_that_cannot_be_read_ends_the_news(fault: Fault, word: str) -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            events = await listening(desk)
            desk.exchange.fail("WS", fault)
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            with pytest.raises(Unavailable, match=word):
                await heard(events)

    asyncio.run(story())


@pytest.mark.long
def test_a_broker_that_answers_no_ping_counts_as_lost() -> None:
    async def story() -> None:
        async with broker_desk(timeout_s=0.3) as desk:
            events = await listening(desk)
            [listener] = desk.account.updates._listeners
            assert listener.request.transport is not None
            listener.request.transport.pause_reading()
            waiting = asyncio.ensure_future(heard(events))
            await desk.clock.next_wake()
            with pytest.raises(Unavailable, match="no pong"):
                await waiting

    asyncio.run(story())


def test_keys_that_are_not_taken_are_said_so_and_not_shown() -> None:
    async def story() -> None:
        async with broker_desk(secret="another-secret", is_open=False) as desk:
            with pytest.raises(Unavailable, match="the keys are unauthorized") as caught:
                await heard(desk.venue.order_events())
            assert "another-secret" not in str(caught.value)
            await desk.exchange.close()
            with pytest.raises(Unavailable):
                await heard(desk.venue.order_events())

    asyncio.run(story())


def test_the_library_s_own_client_hears_the_local_stream() -> None:
    """The local broker is right where somebody else's client understands it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from alpaca.trading.stream import TradingStream

    async def story() -> None:
        async with broker_desk() as desk:
            url = desk.exchange.url.replace("http", "ws") + "/stream"
            stream: Any = TradingStream(PAPER_KEY, PAPER_SECRET, url_override=url)
            told: list[Any] = []
            arrived = asyncio.Event()

            async def take(update: Any) -> None:
                told.append(update)
                arrived.set()

            stream.subscribe_trade_updates(take)
            await stream._start_ws()
            consuming = asyncio.ensure_future(stream._consume())
            while not desk.account.updates.listening:
                await desk.exchange.wait_for_request()
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.account.fill("s-1-1", "4", "149.9987")
            async with asyncio.timeout(10):
                while len(told) < 3:
                    arrived.clear()
                    await arrived.wait()
            consuming.cancel()
            with suppress(asyncio.CancelledError):
                await consuming
            await stream.close()
            fill = told[-1]
            assert (str(fill.event), fill.qty, fill.position_qty) == ("partial_fill", 4, 4)
            assert fill.order.client_order_id == "s-1-1"
            assert fill.order.filled_avg_price == "149.9987"

    asyncio.run(story())
