"""Every fault at every request: the right exception, and at most one order at the exchange."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import Any

import aiohttp
import ccxt.async_support
import pytest
from ccxt.base.errors import error_hierarchy
from live_helpers import timeout_s
from venue_tools import KEY, NOW_NS, SECRET, Desk, exchange_desk

from logos.adapters.ccxt.connection import KNOWLEDGE, Connection
from logos.adapters.ccxt.profiles.binance import BINANCE
from logos.core.clock import Backoff
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import OrderStatus
from logos.simulators.exchange.faults import Fault
from logos.testing.clock import ManualClock
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable, VenueError
from logos.venues.failures import Knowledge
from logos.venues.redact import Redactor

UNHANDLED: list[tuple[Fault, type[VenueError]]] = [
    (Fault.TIMEOUT_BEFORE, OutcomeUnknown),
    (Fault.RESET_BEFORE, OutcomeUnknown),
    (Fault.SERVER_ERROR, OutcomeUnknown),
    (Fault.UNAVAILABLE, OutcomeUnknown),
    (Fault.RATE_LIMIT, NotSent),
    (Fault.MAINTENANCE, OutcomeUnknown),
]
HANDLED: list[tuple[Fault, type[VenueError]]] = [
    (Fault.TIMEOUT_AFTER, OutcomeUnknown),
    (Fault.RESET_AFTER, OutcomeUnknown),
    (Fault.SERVER_ERROR_AFTER, OutcomeUnknown),
    (Fault.MALFORMED, OutcomeUnknown),
    (Fault.TRUNCATED, OutcomeUnknown),
]
QUESTIONS: dict[str, tuple[str, Callable[[Desk], Awaitable[Any]]]] = {
    "find": ("GET /api/v3/order", lambda desk: desk.venue.find("s-1-1", "BTCUSDT")),
    "open orders": ("openOrders", lambda desk: desk.venue.open_orders()),
    "fills": ("myTrades", lambda desk: desk.venue.fills_since(NOW_NS)),
    "balances": ("account", lambda desk: desk.venue.balances()),
}


@pytest.mark.long
@pytest.mark.parametrize(("fault", "expected"), UNHANDLED + HANDLED)
def test_an_order_under_a_fault(fault: Fault, expected: type[VenueError]) -> None:
    async def story() -> None:
        async with exchange_desk(timeout_s=timeout_s(fault)) as desk:
            desk.exchange.fail("POST /api/v3/order", fault)
            with pytest.raises(expected) as caught:
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            assert "s-1-1" in str(caught.value)
            assert desk.exchange.asked("POST") == 1
            is_there = (fault, expected) in HANDLED
            assert len(desk.account.orders) == int(is_there)
            found = await desk.venue.find("s-1-1", "BTCUSDT")
            assert (found is not None) == is_there

    asyncio.run(story())


@pytest.mark.long
@pytest.mark.parametrize(("fault", "expected"), UNHANDLED + HANDLED)
def test_a_cancel_under_a_fault(fault: Fault, expected: type[VenueError]) -> None:
    async def story() -> None:
        async with exchange_desk(timeout_s=timeout_s(fault)) as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.exchange.fail("DELETE /api/v3/order", fault)
            with pytest.raises(expected):
                await desk.venue.cancel(CancelOrder("s-1-1", "BTCUSDT"))
            assert desk.exchange.asked("DELETE") == 1
            found = await desk.venue.find("s-1-1", "BTCUSDT")
            assert found is not None
            is_done = (fault, expected) in HANDLED
            assert found.status is (OrderStatus.CANCELLED if is_done else OrderStatus.ACCEPTED)
            assert len(desk.account.orders) == 1

    asyncio.run(story())


@pytest.mark.long
@pytest.mark.parametrize("fault", [fault for fault, _ in UNHANDLED + HANDLED])
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_under_a_fault_stays_open_and_is_answered_the_next_time(
    question: str, fault: Fault
) -> None:
    async def story() -> None:
        async with exchange_desk(timeout_s=timeout_s(fault)) as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.account.fill("s-1-1", "0.0001")
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
@pytest.mark.parametrize(("fault", "_expected"), UNHANDLED + HANDLED)
def test_opening_under_a_fault_can_be_tried_again(fault: Fault, _expected: object) -> None:
    async def story() -> None:
        async with exchange_desk(timeout_s=timeout_s(fault), is_open=False) as desk:
            desk.exchange.fail("exchangeInfo", fault)
            with pytest.raises(Unavailable):
                await desk.venue.open()
            await desk.venue.open()
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))

    asyncio.run(story())


@pytest.mark.parametrize("error", [ccxt.InvalidOrder, ccxt.RateLimitExceeded, ccxt.OrderNotFound])
def test_an_answer_that_ccxt_cannot_digest_is_no_refusal(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exchange took the request; what the library says of its answer proves nothing."""

    def stumble(*_: object) -> None:
        raise error("cannot parse")

    async def story() -> None:
        async with exchange_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            monkeypatch.setattr(ccxt.async_support.binance, "parse_order", stumble)
            with pytest.raises(OutcomeUnknown):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-2", 0))
            with pytest.raises(OutcomeUnknown):
                await desk.venue.cancel(CancelOrder("s-1-1", "BTCUSDT"))
            assert [order.status for order in desk.account.orders] == ["CANCELED", "NEW"]

    asyncio.run(story())


@pytest.mark.parametrize(
    "answer",
    [
        {"code": -1003, "msg": "Too many requests."},
        {"code": -2010, "msg": "Account has insufficient balance for requested action."},
        {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."},
    ],
)
def test_after_a_5xx_nobody_knows_whatever_it_says(answer: dict[str, object]) -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            desk.replaced["POST /api/v3/order"] = (answer, 503)
            with pytest.raises(OutcomeUnknown):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.replaced["POST /api/v3/order"] = (answer, 400)
            with pytest.raises((Refused, NotSent)):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))

    asyncio.run(story())


def test_the_wait_is_what_the_exchange_asks_for() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            desk.exchange.fail("POST", Fault.RATE_LIMIT, retry_after_s=77)
            with pytest.raises(NotSent) as caught:
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            assert caught.value.retry_after_s == 77

    asyncio.run(story())


def test_an_exchange_that_nobody_answers_for_was_sent_nothing() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            await desk.exchange.close()
            # The kept connection breaks while it is used: nobody knows.
            with pytest.raises(OutcomeUnknown):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            with pytest.raises(Unavailable):
                await desk.venue.find("s-1-1", "BTCUSDT")
            with pytest.raises(NotSent, match="ClientConnectorError"):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))

    asyncio.run(story())


def test_a_venue_that_was_closed_sends_nothing() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            await desk.venue.close()
            await desk.venue.close()
            with pytest.raises(NotSent):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            with pytest.raises(NotSent):
                await desk.venue.cancel(CancelOrder("s-1-1", "BTCUSDT"))
            with pytest.raises(Unavailable):
                await desk.venue.find("s-1-1", "BTCUSDT")
            assert desk.exchange.asked("POST") + desk.exchange.asked("DELETE") == 0

    asyncio.run(story())


@pytest.mark.parametrize("skew_s", [-60, 60])
def test_a_clock_that_is_wrong_keeps_orders_from_being_handled(skew_s: int) -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            desk.exchange.market.skew_ns = skew_s * 10**9
            with pytest.raises(NotSent, match="set this machine's clock"):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            assert desk.account.orders == []

    asyncio.run(story())


def test_a_late_acknowledgement_within_the_timeout_is_an_answer_like_any_other() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            desk.account.troubles.hold = asyncio.Event()
            sending = asyncio.ensure_future(
                desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            )
            while not desk.account.orders:
                await asyncio.sleep(0)
            desk.account.fill("s-1-1", "0.0005")
            desk.account.troubles.hold.set()
            order = await sending
            # The answer was made before the fill; asking again shows it.
            assert order.status is OrderStatus.ACCEPTED
            found = await desk.venue.find("s-1-1", "BTCUSDT")
            assert found is not None
            assert found.filled_units == 50

    asyncio.run(story())


def test_wrong_credentials_are_refused_with_what_to_do() -> None:
    async def story() -> None:
        for key, secret in (("another-key", SECRET), (KEY, "another-secret")):
            async with exchange_desk(key=key, secret=secret) as desk:
                with pytest.raises(Refused, match="check the key, its permissions"):
                    await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
                assert desk.account.orders == []

    asyncio.run(story())


@pytest.mark.long
def test_a_seeded_storm_never_makes_two_orders_of_one_client_id() -> None:
    """Orders and cancels under random faults, sent again only when NotSent says it is safe."""
    odds = {
        Fault.RESET_BEFORE: 0.08,
        Fault.RESET_AFTER: 0.08,
        Fault.RATE_LIMIT: 0.1,
        Fault.SERVER_ERROR: 0.05,
        Fault.SERVER_ERROR_AFTER: 0.08,
        Fault.MAINTENANCE: 0.05,
        Fault.MALFORMED: 0.08,
        Fault.TRUNCATED: 0.08,
    }

    async def place(desk: Desk, client_id: str) -> bool:
        while True:
            try:
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), client_id, 0))
                return True
            except NotSent:
                continue
            except OutcomeUnknown:
                while True:
                    try:
                        return await desk.venue.find(client_id, "BTCUSDT") is not None
                    except Unavailable:
                        continue

    async def story() -> None:
        async with exchange_desk() as desk:
            desk.exchange.faults.roll(Random(42), odds)
            known = {number: await place(desk, f"s-1-{number}") for number in range(150)}
            desk.exchange.faults.clear()
            ids = [order.client_id for order in desk.account.orders]
            assert len(ids) == len(set(ids))
            assert set(ids) == {f"s-1-{number}" for number, is_there in known.items() if is_there}
            assert 0 < sum(known.values()) < 150
            assert len(desk.exchange.faults.spoiled) > 50

    asyncio.run(story())


@pytest.mark.parametrize("where", ["openOrders", "myTrades", "account", "order"])
@pytest.mark.parametrize("answer", [{}, {"msg": "later"}, [1], "words", None])
def test_an_answer_of_another_shape_is_no_answer(where: str, answer: object) -> None:
    """A proxy or a broken server may answer a question with other JSON."""

    async def story() -> None:
        async with exchange_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.replaced[f"GET /api/v3/{where}"] = answer
            questions: dict[str, Callable[[], Awaitable[object]]] = {
                "openOrders": desk.venue.open_orders,
                "myTrades": lambda: desk.venue.fills_since(NOW_NS),
                "account": desk.venue.balances,
                "order": lambda: desk.venue.find("s-1-1", "BTCUSDT"),
            }
            with pytest.raises(Unavailable):
                await questions[where]()
            desk.replaced["POST /api/v3/order"] = desk.replaced["DELETE /api/v3/order"] = answer
            with pytest.raises(OutcomeUnknown):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-2", 0))
            assert len(desk.account.orders) == 1

    asyncio.run(story())


def exceptions_of(tree: dict[str, Any]) -> Iterator[str]:
    for name, inner in tree.items():
        yield name
        yield from exceptions_of(inner)


EXPECTED_UNKNOWN = {
    "BaseError", "ExchangeError", "OperationFailed", "NetworkError", "ExchangeNotAvailable",
    "RequestTimeout", "BadResponse", "NullResponse", "CancelPending", "UnsubscribeError",
    "InvalidAddress", "AddressPending", "ChecksumError", "DuplicateOrderId", "OrderNotCached",
    "OrderNotFound",
}  # fmt: skip
EXPECTED_NOT_SENT = {
    "DDoSProtection", "RateLimitExceeded", "OnMaintenance", "InvalidNonce", "ExchangeClosedByUser",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(exceptions_of(error_hierarchy)))
def test_every_exception_of_ccxt_is_sorted(name: str) -> None:
    async def story() -> None:
        async def fail() -> None:
            raise getattr(ccxt, name)("words")

        class Silent:
            last_response_headers = None

        connection = Connection(Silent(), BINANCE, Redactor([]), Backoff(Random(1)), ManualClock())
        expected: type[VenueError] = Refused
        if name in EXPECTED_UNKNOWN:
            expected = OutcomeUnknown
        elif name in EXPECTED_NOT_SENT:
            expected = NotSent
        with pytest.raises(expected, match="words"):
            await connection.order("order", "s-1-1", fail)
        with pytest.raises(Unavailable, match="words"):
            await connection.ask("question", fail)

    asyncio.run(story())


def test_the_table_names_only_exceptions_that_exist() -> None:
    assert set(KNOWLEDGE) <= set(exceptions_of(error_hierarchy))
    assert set(KNOWLEDGE.values()) == set(Knowledge)


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (socket.gaierror("no such host"), NotSent),
        (aiohttp.ConnectionTimeoutError(), NotSent),
        (aiohttp.ServerDisconnectedError(), OutcomeUnknown),
        (aiohttp.ClientOSError(), OutcomeUnknown),
        (TimeoutError(), OutcomeUnknown),
    ],
)
def test_what_never_connected_was_not_sent(cause: Exception, expected: type[VenueError]) -> None:
    async def story() -> None:
        async def fail() -> None:
            raise ccxt.ExchangeNotAvailable("words") from cause

        class Silent:
            last_response_headers = None

        connection = Connection(Silent(), BINANCE, Redactor([]), Backoff(Random(1)), ManualClock())
        with pytest.raises(expected) as caught:
            await connection.order("order", "s-1-1", fail)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None

    asyncio.run(story())
