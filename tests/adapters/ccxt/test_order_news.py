"""News of orders through the real ccxt from private streams that speak as each exchange documents.

All of ours, nothing of others, and no stream that is dead and looks alive.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from round_trips import CASES, STREAMS, Bench, bench

from logos.adapters.ccxt.profiles import PROFILES
from logos.adapters.ccxt.venue import CcxtVenue
from logos.core.outbox import CancelOrder
from logos.execution.looking.order_stream import OrderStream
from logos.simulators.exchange.faults import Fault
from logos.venues.contract import SIGN_OF_LIFE_S, OrderNews, Unavailable

ALIVE = OrderNews("", is_sign_of_life=True)
LISTENED = [case for case in CASES if case.exchange_id in STREAMS]

each = pytest.mark.parametrize("case", LISTENED, ids=lambda case: case.exchange_id)


async def heard(events: AsyncIterator[OrderNews]) -> OrderNews:
    async with asyncio.timeout(20):
        return await anext(events)


async def listening(here: Bench, venue: CcxtVenue | None = None) -> AsyncIterator[OrderNews]:
    events = (venue or here.venue).order_events()
    assert events is not None
    assert await heard(events) == ALIVE
    assert here.stream.listening == 1
    return events


async def news(events: AsyncIterator[OrderNews], until: int) -> list[str]:
    """What the next `until` news are about; signs of life are passed over."""
    found: list[str] = []
    while len(found) < until:
        told = await heard(events)
        if not told.is_sign_of_life:
            found.append(told.client_order_id)
    return found


@each
def test_every_change_of_an_order_of_ours_is_news_of_it(case: Any) -> None:
    async def story() -> None:
        async with bench(case) as here:
            events = await listening(here)
            await here.submit(1)
            here.account.fill(here.placed()[0].client_id, "0.0004")
            await here.venue.cancel(CancelOrder("s-1-1", "COIN"))
            # Kraken tells of a new order twice; all but the first name it by Kraken's id alone.
            count = 4 if case.exchange_id == "kraken" else 3
            assert await news(events, count) == ["s-1-1"] * count
            await events.aclose()  # type: ignore[attr-defined]
            assert here.stream.listening == 0

    asyncio.run(story())


@each
def test_what_is_told_wakes_whoever_asks_and_a_lost_stream_is_said(case: Any) -> None:
    """The whole road: the link's listener on the real stream, which is lost and comes again."""

    async def story() -> None:
        async with bench(case) as here:
            woken: list[str] = []
            told: list[tuple[str, bool]] = []
            changed = asyncio.Event()

            def hear(name: str) -> None:
                woken.append(name)
                changed.set()

            def tell(words: str, is_alive: bool) -> None:
                told.append((words, is_alive))
                changed.set()

            async def until(condition: Any) -> None:
                async with asyncio.timeout(20):
                    while not condition():
                        changed.clear()
                        await changed.wait()

            stream = OrderStream(here.venue, here.clock, Random(1), hear, tell)
            running = asyncio.ensure_future(stream.run())
            await until(lambda: any(is_alive for _, is_alive in told))
            assert woken == [""]
            await here.submit(1)
            await until(lambda: "s-1-1" in woken)
            here.stream.disconnect_all()
            await until(lambda: told[-1][1] is False)
            assert "was lost" in told[-1][0]
            assert woken[-1] == ""
            # It is connected again after a pause.
            await here.clock.next_wake()
            await until(lambda: sum(is_alive for _, is_alive in told) == 2)
            running.cancel()
            await asyncio.wait({running})

    asyncio.run(story())


@each
def test_what_others_do_is_a_sign_of_life_or_of_any(case: Any) -> None:
    """A stranger's id shows that the stream is alive; an order without one may be of anybody."""

    async def story() -> None:
        async with bench(case) as here:
            events = await listening(here)
            here.account.place_by_hand(here.case.market_id(), "BUY", "0.002", "80000", "web-1")
            assert await heard(events) == ALIVE
            await events.aclose()  # type: ignore[attr-defined]

    asyncio.run(story())


@each
def test_a_quiet_stream_is_pinged_and_tells_that_it_lives(case: Any) -> None:
    async def story() -> None:
        async with bench(case) as here:
            events = await listening(here)
            for _ in range(3):
                waiting = asyncio.ensure_future(heard(events))
                began_ns = here.clock.now_ns()
                await here.clock.next_wake()
                assert await waiting == ALIVE
                assert here.clock.now_ns() - began_ns < SIGN_OF_LIFE_S * 10**9
            await events.aclose()  # type: ignore[attr-defined]

    asyncio.run(story())


@pytest.mark.long
@each
def test_an_exchange_that_answers_no_ping_counts_as_lost(case: Any) -> None:
    async def story() -> None:
        async with bench(case, timeout_s=0.5) as here:
            events = await listening(here)
            here.stream.fall_silent()
            waiting = asyncio.ensure_future(heard(events))
            await here.clock.next_wake()
            with pytest.raises(Unavailable, match="no answer to a ping"):
                await waiting

    asyncio.run(story())


@pytest.mark.parametrize("fault", [Fault.RESET_BEFORE, Fault.MALFORMED], ids=str)
@each
def test_a_message_that_cannot_be_had_ends_the_news(case: Any, fault: Fault) -> None:
    async def story() -> None:
        async with bench(case) as here:
            events = await listening(here)
            here.exchange.fail("WS NEW", fault)
            await here.submit(1)
            with pytest.raises(Unavailable, match=f"{case.exchange_id}: order stream"):
                await news(events, 100)

    asyncio.run(story())


@pytest.mark.parametrize(
    # Hyperliquid's subscription is by address alone, and not signed.
    "case",
    [case for case in LISTENED if case.exchange_id != "hyperliquid"],
    ids=lambda case: case.exchange_id,
)
def test_a_wrong_key_is_said_and_not_shown(case: Any) -> None:
    async def story() -> None:
        async with bench(case) as here:
            # "c2VjcmV0" is a secret that Kraken could have made.
            here.venue._exchange.secret = "c2VjcmV0LW9mLW5vYm9keQ=="
            events = here.venue.order_events()
            assert events is not None
            with pytest.raises(Unavailable) as caught:
                await heard(events)
            assert case.keys.key not in str(caught.value)
            assert case.keys.secret not in str(caught.value)
            assert here.stream.listening == 0

    asyncio.run(story())


def test_an_exchange_that_ends_the_stream_is_taken_at_its_word() -> None:
    async def story() -> None:
        async with bench(CASES[0]) as here:
            events = await listening(here)
            here.stream.terminate()
            with pytest.raises(Unavailable, match="the exchange has ended it"):
                await heard(events)

    asyncio.run(story())


def test_streams_that_are_on_are_those_that_are_shown_here() -> None:
    on = {name for name, profile in PROFILES.items() if profile.stream is not None}
    assert on == set(STREAMS)


def test_a_venue_that_is_not_to_listen_has_no_stream() -> None:
    async def story() -> None:
        async with bench(CASES[0]) as here:
            here.venue.hears_orders = False
            assert here.venue.order_events() is None

    asyncio.run(story())
