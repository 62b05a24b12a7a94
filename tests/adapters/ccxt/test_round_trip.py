"""The round trip of an order at each exchange, through the real ccxt: what docs/VENUES.md shows.

Each test is a column of the table of exchanges there; its docstring is the column's title.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from functools import wraps
from typing import Any

import pytest
from round_trips import CASES, Bench, Case, bench

from logos.adapters.ccxt.venue import CcxtVenue
from logos.core.outbox import CancelOrder
from logos.core.types import OrderStatus, OrderType, Side
from logos.simulators.exchange.faults import Fault
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable

pytestmark = pytest.mark.long
Trip = Callable[[Bench], Awaitable[None]]


def at(cases: Sequence[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.exchange_id)


each = at(CASES)


def trip_at(cases: Sequence[Case]) -> Callable[[Trip], Any]:
    """A story at a bench, as a test for each of these exchanges."""

    def made_of(story: Trip) -> Any:
        @at(cases)
        @wraps(story)
        def test(case: Case) -> None:
            async def run() -> None:
                async with bench(case) as made:
                    await story(made)

            asyncio.run(run())

        del test.__wrapped__  # its signature is the test's own
        return test

    return made_of


trip = trip_at(CASES)


@trip
async def test_accept(made: Bench) -> None:
    """accept"""
    price = "90000.01" if made.case.tick == "0.01" else "90001"
    order = await made.submit(1, "0.12345", price)
    [placed] = made.placed()
    assert (str(placed.quantity), str(placed.limit)) == ("0.12345", price)
    assert (placed.kind, placed.side, placed.time_in_force) == ("LIMIT", "BUY", "GTC")
    assert order.status is OrderStatus.ACCEPTED
    assert order.client_order_id == "s-1-1"
    assert order.venue_order_id
    assert (order.quantity_units, order.filled_units) == (12345, 0)
    assert (order.side, order.type) == (Side.BUY, OrderType.LIMIT)
    assert order.limit_price_units == made.price(price)


@trip
async def test_find(made: Bench) -> None:
    """find"""
    sent = await made.submit(1)
    there = await made.venue.find("s-1-1", "COIN")
    assert there is not None
    assert (there.client_order_id, there.venue_order_id) == ("s-1-1", sent.venue_order_id)
    assert (there.status, there.quantity_units) == (OrderStatus.ACCEPTED, 100)
    assert await made.venue.find("s-1-2", "COIN") is None
    # A second life of the session, which has no answer of the exchange in its memory.
    async with made.another_life() as again:
        there = await again.find("s-1-1", "COIN")
        assert there is not None
        assert there.venue_order_id == sent.venue_order_id
        assert await again.find("s-1-2", "COIN") is None


@trip
async def test_find_after_its_end(made: Bench) -> None:
    """find after its end"""
    await made.submit(1)
    await made.submit(2)
    made.account.fill(made.placed()[0].client_id, "0.001")
    await made.venue.cancel(CancelOrder("s-1-2", "COIN"))
    await _both_ended(made.venue)
    async with made.another_life() as again:
        await _both_ended(again)


async def _both_ended(venue: CcxtVenue) -> None:
    filled, ended = await venue.find("s-1-1", "COIN"), await venue.find("s-1-2", "COIN")
    assert filled is not None
    assert ended is not None
    assert (filled.status, filled.filled_units) == (OrderStatus.FILLED, 100)
    assert (ended.status, ended.filled_units) == (OrderStatus.CANCELLED, 0)


@trip
async def test_cancel(made: Bench) -> None:
    """cancel, of the one"""
    strange = made.of_stranger()
    for number in (1, 2, 3):
        await made.submit(number)
    await made.venue.cancel(CancelOrder("s-1-2", "COIN"))
    assert [order.is_open for order in made.placed()] == [True, True, False, True]
    assert strange.is_open
    with pytest.raises(Refused):
        await made.venue.cancel(CancelOrder("s-1-2", "COIN"))
    with pytest.raises(Refused):
        await made.venue.cancel(CancelOrder("s-1-9", "COIN"))
    assert [order.is_open for order in made.placed()] == [True, True, False, True]


@trip
async def test_cancel_by_another_life(made: Bench) -> None:
    """cancel after a restart"""
    await made.submit(1)
    await made.submit(2)
    async with made.another_life() as again:
        await again.cancel(CancelOrder("s-1-1", "COIN"))
    assert [order.is_open for order in made.placed()] == [False, True]


@trip
async def test_partial_fill(made: Bench) -> None:
    """partial fill"""
    await made.submit(1, "0.003")
    made.account.fill(made.placed()[0].client_id, "0.001")
    there = await made.venue.find("s-1-1", "COIN")
    assert there is not None
    assert (there.status, there.filled_units) == (OrderStatus.PARTIALLY_FILLED, 100)
    [fill] = await made.venue.fills_since(_day(made))
    assert (fill.client_order_id, fill.side) == ("s-1-1", Side.BUY)
    assert (fill.quantity_units, fill.price_units) == (100, made.price("90000"))
    assert fill.is_maker
    assert fill.ts_ns == made.account.executions[0].time_ms * 1_000_000
    [paid] = made.account.executions
    assert (fill.fee, fill.fee_currency, fill.other_fees) == (paid.fee, paid.fee_asset, ())
    assert fill.fee > 0
    await made.venue.cancel(CancelOrder("s-1-1", "COIN"))
    there = await made.venue.find("s-1-1", "COIN")
    assert there is not None
    assert (there.status, there.filled_units) == (OrderStatus.CANCELLED, 100)


@each
@pytest.mark.parametrize("fault", [Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER])
def test_lost_answer(case: Case, fault: Fault) -> None:
    """lost answer"""

    async def run() -> None:
        async with bench(case) as made:
            made.exchange.fail(made.requests["create"], fault)
            with made.impatient(), pytest.raises(OutcomeUnknown):
                await made.submit(1)
            there = await made.venue.find("s-1-1", "COIN")
            if fault is Fault.TIMEOUT_BEFORE:
                assert there is None
                assert made.placed() == []
                return
            assert there is not None
            assert there.status is OrderStatus.ACCEPTED
            await made.venue.cancel(CancelOrder("s-1-1", "COIN"))
            assert [order.is_open for order in made.placed()] == [False]

    asyncio.run(run())


@trip
async def test_unsure(made: Bench) -> None:
    """words for a lost answer"""
    made.exchange.fail(made.requests["create"], Fault.UNSURE)
    with pytest.raises(OutcomeUnknown):
        await made.submit(1)
    there = await made.venue.find("s-1-1", "COIN")
    assert there is not None
    assert there.status is OrderStatus.ACCEPTED


@trip
async def test_rate_limit(made: Bench) -> None:
    """too many requests"""
    made.exchange.fail(made.requests["create"], Fault.RATE_LIMIT)
    with pytest.raises(NotSent):
        await made.submit(1)
    made.exchange.fail(made.requests["find"], Fault.RATE_LIMIT)
    assert made.placed() == []
    await made.submit(2)
    made.exchange.faults.clear()
    made.exchange.fail(made.requests["find"], Fault.RATE_LIMIT)
    with pytest.raises(Unavailable):
        await made.venue.find("s-1-2", "COIN")
    made.exchange.faults.clear()
    made.exchange.fail(made.requests["cancel"], Fault.RATE_LIMIT)
    with pytest.raises(NotSent):
        await made.venue.cancel(CancelOrder("s-1-2", "COIN"))
    assert [order.is_open for order in made.placed()] == [True]


@trip
async def test_duplicate_id(made: Bench) -> None:
    """duplicate id"""
    first = await made.submit(1)
    if made.case.repeats_an_order:
        assert await made.submit(1) == first
    else:
        with pytest.raises(OutcomeUnknown):
            await made.submit(1)
    assert len(made.placed()) == 1
    there = await made.venue.find("s-1-1", "COIN")
    assert there is not None


@trip
async def test_refusals(made: Bench) -> None:
    """a plain no"""
    with pytest.raises(Refused):
        await made.submit(1, "50")  # more than there is
    with pytest.raises(Refused):
        await made.submit(2, "0.00001", "90000.00")  # worth too little
    made.account.may_trade = False
    with pytest.raises(Refused):
        await made.submit(3)
    assert made.placed() == []


@trip
async def test_130_fills(made: Bench) -> None:
    """130 fills"""
    await made.submit(1, "0.2")
    await made.submit(2, "0.2")
    ours = [order.client_id for order in made.placed()]
    for number in range(130):
        made.account.fill(ours[number % 2], "0.001")
        await made.pass_time(37)
    fills = await made.venue.fills_since(0 if made.case.exchange_id == "kraken" else _day(made))
    assert len(fills) == 130
    assert len({fill.fill_id for fill in fills}) == 130
    assert [fill.ts_ns for fill in fills] == sorted(fill.ts_ns for fill in fills)
    assert sum(fill.client_order_id == "s-1-1" for fill in fills) == 65
    # From a moment on: that of the 101st, itself included.
    since_ns = made.account.executions[100].time_ms * 1_000_000
    assert len(await made.venue.fills_since(since_ns)) == 30


def _day(made: Bench) -> int:
    """A day before now, as a session asks from about its beginning on."""
    return made.clock.now_ns() - 86_400 * 10**9


@trip
async def test_130_fills_at_once(made: Bench) -> None:
    """130 fills in one millisecond"""
    await made.submit(1, "0.2")
    name = made.placed()[0].client_id
    for _ in range(130):
        made.account.fill(name, "0.001")
    if not made.case.goes_on_within_a_moment:
        with pytest.raises(Unavailable, match="more rows in one millisecond than a page holds"):
            await made.venue.fills_since(_day(made))
        return
    fills = await made.venue.fills_since(_day(made))
    assert len({fill.fill_id for fill in fills}) == 130


@trip_at([case for case in CASES if case.has_two_fees])
async def test_two_fees(made: Bench) -> None:
    """fee in two coins, where there is one"""
    made.charge(("BTC", "0.000001"), (made.case.third_coin, "0.5"))
    await made.submit(1)
    made.account.fill(made.placed()[0].client_id, "0.001")
    if not made.case.tells_two_fees_in_one_form:
        # A fee that cannot be read is said, and never 0.
        with pytest.raises(Unavailable, match="tells fees in"):
            await made.venue.fills_since(_day(made))
        return
    [fill] = await made.venue.fills_since(_day(made))
    assert (fill.fee, fill.fee_currency) == (Decimal("0.000001"), "BTC")
    assert fill.other_fees == ((made.case.third_coin, Decimal("0.5")),)


@trip_at([case for case in CASES if case.has_third_fee])
async def test_third_fee(made: Bench) -> None:
    """fee in a third coin, where there is one"""
    made.charge((made.case.third_coin, "0.5"))
    await made.submit(1)
    made.account.fill(made.placed()[0].client_id, "0.001")
    [fill] = await made.venue.fills_since(_day(made))
    assert (fill.fee, fill.fee_currency, fill.other_fees) == (
        Decimal("0.5"),
        made.case.third_coin,
        (),
    )


@trip
async def test_market_buy(made: Bench) -> None:
    """market buy"""
    request = made.at_market(1, Side.BUY, "0.012")
    await made.send(request)
    [placed] = made.placed()
    kind = "LIMIT" if Side.BUY in made.case.priced else "MARKET"
    assert (placed.kind, placed.side, placed.filled) == (kind, "BUY", Decimal("0.012"))
    assert kind == "MARKET" or placed.time_in_force == "IOC"
    there = await made.venue.find("s-1-1", "COIN")
    assert there is not None
    assert (there.status, there.filled_units) == (OrderStatus.FILLED, 1200)
    assert (there.quantity_units, there.type) == (1200, OrderType.MARKET)


@trip
async def test_market_sell(made: Bench) -> None:
    """market sell"""
    await made.send(made.at_market(1, Side.SELL, "0.012"))
    [placed] = made.placed()
    assert (placed.side, placed.filled) == ("SELL", Decimal("0.012"))
    there = await made.venue.find("s-1-1", "COIN")
    assert there is not None
    assert (there.status, there.filled_units, there.side) == (OrderStatus.FILLED, 1200, Side.SELL)


@trip
async def test_open_orders(made: Bench) -> None:
    """open orders, others' too"""
    made.of_stranger()
    await made.submit(1)
    await made.submit(2)
    listed = await made.venue.open_orders()
    assert sorted(order.client_order_id for order in listed) == ["", "s-1-1", "s-1-2"]
    async with made.another_life() as again:
        listed = await again.open_orders()
        assert sorted(order.client_order_id for order in listed) == ["", "s-1-1", "s-1-2"]


@trip
async def test_130_open_orders(made: Bench) -> None:
    """130 open orders"""
    for _ in range(129):
        made.of_stranger()
        await made.pass_time(1)
    await made.submit(1)
    listed = await made.venue.open_orders()
    assert len({order.venue_order_id for order in listed}) == 130
    assert [order.client_order_id for order in listed if order.client_order_id] == ["s-1-1"]


@trip
async def test_balances(made: Bench) -> None:
    """balances"""
    await made.submit(1)
    held = await made.venue.balances()
    assert held["BTC"] == Decimal(10)
    assert held[made.case.quote] == Decimal(1_000_000)


@each
def test_a_wrong_key(case: Case) -> None:
    """a wrong key"""

    async def run() -> None:
        async with bench(case) as made:
            other = made.make("s-1")
            setattr(other._exchange, *made.case.wrong_key)
            try:
                if case.asks_with_keys_at_open:
                    with pytest.raises(Unavailable, match="nauthorized"):
                        await other.open()
                    return
                await other.open()
                with pytest.raises(Refused):
                    await other.submit(made.order(1))
            finally:
                await other.close()
            assert made.placed() == []

    asyncio.run(run())
