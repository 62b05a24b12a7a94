"""The round trip of an order at Alpaca, step by step, of shares and of coins.

The table "What is shown" of docs/VENUES.md names these steps, and no other.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from places import PROJECT
from venue_boxes import AlpacaBox, box

from logos.core.types import OrderStatus, Side
from logos.venues.contract import OutcomeUnknown


async def accept(there: AlpacaBox) -> None:
    order = await there.submit(there.rest(10))
    assert (order.status, order.filled_units) == (OrderStatus.ACCEPTED, 0)
    assert order.quantity_units == 10 * there.lot
    assert there.arrived() == ["s-1-1"]


async def find(there: AlpacaBox) -> None:
    order = await there.submit(there.rest(10))
    again = there.another()
    await again.open()
    try:
        assert await again.find("s-1-1", there.symbol) == order
        assert await again.find("s-1-2", there.symbol) is None
    finally:
        await again.close()


async def cancel(there: AlpacaBox) -> None:
    await there.submit(there.rest(10))
    again = there.another()
    await again.open()
    try:
        await again.cancel(there.cancel_of())
    finally:
        await again.close()
    assert (await there.find()).status is OrderStatus.CANCELLED
    assert list(await there.venue.open_orders()) == []


async def partial(there: AlpacaBox) -> None:
    await there.submit(there.rest(10))
    there.fill("s-1-1", 4)
    order = await there.find()
    assert (order.status, order.filled_units) == (OrderStatus.PARTIALLY_FILLED, 4 * there.lot)
    there.fill("s-1-1", 6)
    fills = await there.venue.fills_since(there.since_ns)
    assert [fill.quantity_units for fill in fills] == [4 * there.lot, 6 * there.lot]
    assert (await there.find()).status is OrderStatus.FILLED


async def lost_answer(there: AlpacaBox) -> None:
    there.lose("submit", is_handled=True)
    with pytest.raises(OutcomeUnknown):
        await there.submit(there.rest(10))
    assert (await there.find()).status is OrderStatus.ACCEPTED
    assert there.arrived() == ["s-1-1"]


async def duplicate(there: AlpacaBox) -> None:
    await there.submit(there.rest(10))
    with pytest.raises(OutcomeUnknown, match="must be unique"):
        await there.submit(there.rest(10))
    assert there.arrived() == ["s-1-1"]


async def many_fills(there: AlpacaBox) -> None:
    await there.submit(there.rest(130))
    for _ in range(130):
        there.fill("s-1-1", 1)
    fills = await there.venue.fills_since(there.since_ns)
    assert len({fill.fill_id for fill in fills}) == 130
    assert sum(fill.quantity_units for fill in fills) == 130 * there.lot


async def fee(there: AlpacaBox) -> None:
    before = await there.venue.balances()
    await there.submit(there.rest(10))
    there.fill("s-1-1", 10)
    [fill] = await there.venue.fills_since(there.since_ns)
    bought = there.instrument.quantity_decimal(10 * there.lot)
    is_coin = "/" in there.symbol
    assert fill.fee == (bought * Decimal("0.0025") if is_coin else 0)
    base = there.instrument.base
    arrived = (await there.venue.balances())[base] - before[base]
    assert arrived == bought - fill.fee


async def market_buy(there: AlpacaBox) -> None:
    await there.submit(there.at_once(10))
    [fill] = await there.venue.fills_since(there.since_ns)
    assert (fill.side, fill.quantity_units) == (Side.BUY, 10 * there.lot)
    assert (await there.find()).status is OrderStatus.FILLED


STEPS: dict[str, Callable[[AlpacaBox], Awaitable[None]]] = {
    "accept": accept,
    "find": find,
    "cancel": cancel,
    "partial": partial,
    "lost answer": lost_answer,
    "duplicate": duplicate,
    "130 fills": many_fills,
    "fee": fee,
    "market buy": market_buy,
}


@pytest.mark.parametrize("name", ["alpaca", "alpaca coins"])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_the_round_trip(step: str, name: str) -> None:
    async def story() -> None:
        async with asyncio.timeout(30), box(name) as there:
            assert isinstance(there, AlpacaBox)
            await STEPS[step](there)

    asyncio.run(story())


def test_the_documented_table_has_these_steps_and_no_other() -> None:
    text = (PROJECT / "docs" / "VENUES.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| step | what holds |\n|---|---|\n")
    rows = table.partition("\n\n")[0]
    assert re.findall(r"^\| ([^|]+) \|", rows, re.MULTILINE) == list(STEPS)
