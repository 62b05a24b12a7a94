"""Every fault at every request to the broker: the right exception, and at most one order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
from live_helpers import timeout_s
from venue_tools import NOW_NS, BrokerDesk, broker_desk

from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import OrderStatus
from logos.simulators.exchange.faults import Fault
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable, VenueError

TIMEOUT_S = 0.5
UNHANDLED: list[tuple[Fault, type[VenueError]]] = [
    (Fault.TIMEOUT_BEFORE, OutcomeUnknown),
    (Fault.RESET_BEFORE, OutcomeUnknown),
    (Fault.SERVER_ERROR, OutcomeUnknown),
    (Fault.UNAVAILABLE, OutcomeUnknown),
    (Fault.MAINTENANCE, OutcomeUnknown),
    (Fault.RATE_LIMIT, NotSent),
]
HANDLED: list[tuple[Fault, type[VenueError]]] = [
    (Fault.TIMEOUT_AFTER, OutcomeUnknown),
    (Fault.RESET_AFTER, OutcomeUnknown),
    (Fault.SERVER_ERROR_AFTER, OutcomeUnknown),
    (Fault.MALFORMED, OutcomeUnknown),
    (Fault.TRUNCATED, OutcomeUnknown),
]
QUESTIONS: dict[str, tuple[str, Callable[[BrokerDesk], Awaitable[Any]]]] = {
    "find": ("by_client_order_id", lambda desk: desk.venue.find("s-1-1", "AAPL")),
    "open orders": ("GET /v2/orders", lambda desk: desk.venue.open_orders()),
    "fills": ("activities", lambda desk: desk.venue.fills_since(NOW_NS)),
    "positions": ("positions", lambda desk: desk.venue.balances()),
    "balances": ("GET /v2/account", lambda desk: desk.venue.balances()),
}


@pytest.mark.long
@pytest.mark.parametrize(("fault", "expected"), UNHANDLED + HANDLED)
def test_an_order_under_a_fault(fault: Fault, expected: type[VenueError]) -> None:
    async def story() -> None:
        async with broker_desk(timeout_s=timeout_s(fault)) as desk:
            desk.exchange.fail("POST /v2/orders", fault)
            with pytest.raises(expected) as caught:
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            assert "s-1-1" in str(caught.value)
            assert desk.exchange.asked("POST") == 1
            is_there = (fault, expected) in HANDLED
            assert len(desk.account.orders) == int(is_there)
            found = await desk.venue.find("s-1-1", "AAPL")
            assert (found is not None) == is_there

    asyncio.run(story())


@pytest.mark.long
@pytest.mark.parametrize(("fault", "expected"), UNHANDLED + HANDLED)
def test_a_cancel_under_a_fault(fault: Fault, expected: type[VenueError]) -> None:
    async def story() -> None:
        async with broker_desk(timeout_s=timeout_s(fault)) as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.exchange.fail("DELETE /v2/orders", fault)
            with pytest.raises(expected):
                await desk.venue.cancel(CancelOrder("s-1-1", "AAPL"))
            assert desk.exchange.asked("DELETE") == 1
            found = await desk.venue.find("s-1-1", "AAPL")
            assert found is not None
            is_done = (fault, expected) in HANDLED
            assert found.status is (OrderStatus.CANCELLED if is_done else OrderStatus.ACCEPTED)

    asyncio.run(story())


@pytest.mark.long
@pytest.mark.parametrize("fault", [fault for fault, _ in UNHANDLED + HANDLED])
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_under_a_fault_stays_open_and_is_answered_the_next_time(
    question: str, fault: Fault
) -> None:
    async def story() -> None:
        async with broker_desk(timeout_s=timeout_s(fault)) as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.account.fill("s-1-1", "1")
            where, ask = QUESTIONS[question]
            desk.exchange.fail(where, fault)
            before = desk.exchange.asked(where)
            with pytest.raises(Unavailable) as caught:
                await ask(desk)
            assert desk.exchange.asked(where) == before + 1
            assert caught.value.retry_after_s > 0
            assert await ask(desk)

    asyncio.run(story())


@pytest.mark.long
@pytest.mark.parametrize("fault", [fault for fault, _ in UNHANDLED + HANDLED])
def test_opening_under_a_fault_can_be_tried_again(fault: Fault) -> None:
    async def story() -> None:
        async with broker_desk(timeout_s=timeout_s(fault), is_open=False) as desk:
            desk.exchange.fail("/v2/account", fault)
            with pytest.raises(Unavailable):
                await desk.venue.open()
            await desk.venue.open()
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))

    asyncio.run(story())


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("answer", [{"msg": "later"}, [1], "words", None])
def test_an_answer_of_another_shape_is_no_answer(question: str, answer: object) -> None:
    """A proxy or a broken server may answer a question with other JSON."""
    paths = {
        "find": "orders:by_client_order_id", "open orders": "orders", "positions": "positions",
        "fills": "account/activities/FILL", "balances": "account",
    }  # fmt: skip

    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.replaced[f"GET /v2/{paths[question]}"] = answer
            with pytest.raises(Unavailable):
                await QUESTIONS[question][1](desk)
            desk.replaced["POST /v2/orders"] = answer
            with pytest.raises(OutcomeUnknown):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-2", 0))

    asyncio.run(story())


def test_the_wait_is_what_the_broker_asks_for() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            desk.exchange.fail("POST", Fault.RATE_LIMIT, retry_after_s=77)
            with pytest.raises(NotSent) as caught:
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            assert caught.value.retry_after_s == 77

    asyncio.run(story())


def test_a_broker_that_nobody_answers_for_was_sent_nothing() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.exchange.close()
            with pytest.raises(NotSent):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            with pytest.raises(Unavailable):
                await desk.venue.find("s-1-1", "AAPL")

    asyncio.run(story())


def test_wrong_credentials_are_said_so() -> None:
    async def story() -> None:
        async with broker_desk(secret="another-secret", is_open=False) as desk:
            with pytest.raises(Refused, match="check the key"):
                await desk.venue.open()
            with pytest.raises(Refused, match="check the key"):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            assert desk.account.orders == []

    asyncio.run(story())


def test_an_order_may_be_not_found_for_a_moment() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.account.troubles.not_found["s-1-1"] = 1
            assert await desk.venue.find("s-1-1", "AAPL") is None
            assert await desk.venue.find("s-1-1", "AAPL") is not None

    asyncio.run(story())


@pytest.mark.long
def test_an_answer_that_is_given_up_may_still_come_and_is_nobody_s() -> None:
    async def story() -> None:
        async with broker_desk(timeout_s=TIMEOUT_S) as desk:
            desk.account.troubles.hold = asyncio.Event()
            with pytest.raises(OutcomeUnknown):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.account.troubles.hold.set()
            found = await desk.venue.find("s-1-1", "AAPL")
            assert found is not None
            assert len(desk.account.orders) == 1

    asyncio.run(story())


def test_requests_that_hang_do_not_hold_up_others() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.exchange.fail("positions", Fault.TIMEOUT_BEFORE, times=8)
            hanging = [asyncio.ensure_future(desk.venue.balances()) for _ in range(8)]
            while desk.exchange.asked("positions") < 8:
                await asyncio.sleep(0)
            await desk.venue.cancel(CancelOrder("s-1-1", "AAPL"))
            assert desk.account.order("s-1-1").status == "canceled"
            assert not any(each.done() for each in hanging)
            await desk.exchange.close()
            for each in await asyncio.gather(*hanging, return_exceptions=True):
                assert isinstance(each, Unavailable)

    asyncio.run(story())


@pytest.mark.long
def test_a_seeded_storm_never_makes_two_orders_of_one_client_id() -> None:
    odds = {
        Fault.RESET_BEFORE: 0.08,
        Fault.RESET_AFTER: 0.08,
        Fault.RATE_LIMIT: 0.1,
        Fault.SERVER_ERROR: 0.05,
        Fault.SERVER_ERROR_AFTER: 0.08,
        Fault.MALFORMED: 0.08,
        Fault.TRUNCATED: 0.08,
    }

    async def place(desk: BrokerDesk, client_id: str) -> bool:
        while True:
            try:
                await desk.venue.submit(SubmitOrder(desk.limit_buy("1"), client_id, 0))
                return True
            except NotSent:
                continue
            except OutcomeUnknown:
                while True:
                    try:
                        return await desk.venue.find(client_id, "AAPL") is not None
                    except Unavailable:
                        continue

    async def story() -> None:
        async with broker_desk() as desk:
            desk.exchange.faults.roll(Random(7), odds)
            known = {number: await place(desk, f"s-1-{number}") for number in range(100)}
            desk.exchange.faults.clear()
            ids = [order.client_id for order in desk.account.orders]
            assert len(ids) == len(set(ids))
            assert set(ids) == {f"s-1-{number}" for number, is_there in known.items() if is_there}
            assert 0 < sum(known.values()) < 100

    asyncio.run(story())
