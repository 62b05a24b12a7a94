"""The contract of venues (`logos.venues.contract`), kept by every venue over its simulator.

One test says one sentence of the contract and is run for every venue; what only one venue does
stands in that venue's own tests. `test_contract_failures` has what failures mean.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from venue_box import Box
from venue_boxes import BOXES
from venue_contract import every_venue, in_parts, says_whose, tell, times

from logos.core.fixed import to_decimal
from logos.core.types import OrderStatus, OrderType, Side, TimeInForce
from logos.venues.contract import OutcomeUnknown, Refused

# ---- orders ----


@every_venue
def test_a_venue_says_its_name_and_what_it_takes(name: str) -> None:
    async def story(there: Box) -> None:
        assert there.venue.name
        can = there.venue.capabilities
        assert can.is_sandbox
        assert {OrderType.MARKET, OrderType.LIMIT} <= can.order_types
        assert {TimeInForce.GTC, TimeInForce.IOC} <= can.times_in_force
        assert not can.has_replace

    tell(name, story)


@every_venue
@pytest.mark.parametrize("side", list(Side))
def test_an_order_that_rests_is_told_as_it_was_sent(name: str, side: Side) -> None:
    async def story(there: Box) -> None:
        order = there.rest(7, side)
        told = await there.submit(order)
        assert (told.client_order_id, told.symbol) == ("s-1-1", there.symbol)
        assert (told.side, told.type) == (side, OrderType.LIMIT)
        assert (told.quantity_units, told.filled_units) == (7 * there.lot, 0)
        assert told.limit_price_units == order.intent.limit_price
        assert told.status is OrderStatus.ACCEPTED
        assert told.venue_order_id
        assert await there.find() == told
        assert list(await there.venue.open_orders()) == [told]
        assert times(there) == 1

    tell(name, story)


@every_venue
@pytest.mark.parametrize("side", list(Side))
def test_a_market_order_is_filled_and_its_fill_is_listed(name: str, side: Side) -> None:
    async def story(there: Box) -> None:
        told = await there.submit(there.at_once(3, side))
        if name == "fake":
            assert told.status is OrderStatus.CANCELLED  # it fills by hand only
            return
        if name in ("mt5 published", "ib"):
            assert told.status is OrderStatus.ACCEPTED  # its answer does not say that it was dealt
            told = await there.find()
        assert (told.status, told.side, told.type) == (OrderStatus.FILLED, side, OrderType.MARKET)
        assert told.filled_units == told.quantity_units == 3 * there.lot
        assert (await there.find()).filled_units == told.filled_units
        assert not await there.venue.open_orders()
        fills = await there.venue.fills_since(there.since_ns)
        assert sum(fill.quantity_units for fill in fills) == 3 * there.lot
        for fill in fills:
            assert (fill.client_order_id, fill.symbol, fill.side) == ("s-1-1", there.symbol, side)
            assert fill.venue_order_id == told.venue_order_id
            assert fill.price_units > 0
            assert fill.fee >= 0
            assert fill.ts_ns > 0
            assert fill.fill_id

    tell(name, story)


@in_parts
def test_an_order_filled_in_part_says_how_much_and_keeps_it_when_it_is_cancelled(name: str) -> None:
    async def story(there: Box) -> None:
        await there.submit(there.rest(10))
        there.fill("s-1-1", 3)
        part = await there.find()
        assert (part.status, part.filled_units) == (OrderStatus.PARTIALLY_FILLED, 3 * there.lot)
        [listed] = await there.venue.open_orders()
        assert listed == part
        await there.cancel()
        gone = await there.find()
        assert (gone.status, gone.filled_units) == (OrderStatus.CANCELLED, 3 * there.lot)
        assert gone.quantity_units == 10 * there.lot

    tell(name, story)


@every_venue
def test_an_order_that_filled_while_it_rested_is_found_filled_at_its_limit(name: str) -> None:
    async def story(there: Box) -> None:
        told = await there.submit(there.rest(10))
        there.fill("s-1-1", 10)
        found = await there.find()
        assert (found.status, found.filled_units) == (OrderStatus.FILLED, 10 * there.lot)
        [fill] = await there.venue.fills_since(there.since_ns)
        assert fill.price_units == told.limit_price_units
        assert fill.quantity_units == 10 * there.lot
        with pytest.raises(Refused):
            await there.cancel()

    tell(name, story)


@every_venue
def test_a_cancel_ends_an_order_once(name: str) -> None:
    async def story(there: Box) -> None:
        await there.submit(there.rest())
        await there.cancel()
        assert (await there.find()).status is OrderStatus.CANCELLED
        assert not await there.venue.open_orders()
        with pytest.raises(Refused):
            await there.cancel()
        with pytest.raises(Refused):
            await there.cancel("s-1-9")

    tell(name, story)


@every_venue
def test_an_order_that_was_never_sent_is_not_found(name: str) -> None:
    async def story(there: Box) -> None:
        assert await there.venue.find("s-1-1", there.symbol) is None

    tell(name, story)


@pytest.mark.long
@every_venue
def test_an_id_that_is_none_of_ours_is_refused_and_nothing_is_sent(name: str) -> None:
    async def story(there: Box) -> None:
        there.by_hand()
        before = there.requests()
        with pytest.raises(Refused, match="SESSION-NUMBER"):
            await there.venue.find("", there.symbol)  # a stranger's order has none: it is not ours
        for client_order_id in ("no number", "s-1-", "-1", "s 1-1", "s-1-1\n"):
            with pytest.raises(Refused, match="SESSION-NUMBER"):
                await there.submit(there.rest(), client_order_id)
            with pytest.raises(Refused, match="SESSION-NUMBER"):
                await there.cancel(client_order_id)
            with pytest.raises(Refused, match="SESSION-NUMBER"):
                await there.venue.find(client_order_id, there.symbol)
        assert there.requests() == before
        [stranger] = await there.venue.open_orders()
        assert stranger.client_order_id == ""

    tell(name, story)


@every_venue
def test_a_symbol_that_is_none_of_the_session_s_is_refused_and_nothing_is_sent(name: str) -> None:
    async def story(there: Box) -> None:
        before = there.requests()
        with pytest.raises(Refused, match="OTHER"):
            await there.submit(there.stranger())
        with pytest.raises(Refused, match="OTHER"):
            await there.venue.cancel(there.cancel_of("s-1-1", "OTHER"))
        with pytest.raises(Refused, match="OTHER"):
            await there.venue.find("s-1-1", "OTHER")
        assert there.requests() == before

    tell(name, story)


@every_venue
def test_an_id_that_is_sent_again_makes_no_second_order(name: str) -> None:
    async def story(there: Box) -> None:
        first = await there.submit(there.rest())
        with pytest.raises(OutcomeUnknown, match="s-1-1"):
            await there.submit(there.rest())
        assert times(there) == 1
        assert await there.find() == first

    tell(name, story)


@every_venue
def test_a_stranger_s_order_is_open_too_without_a_client_id(name: str) -> None:
    async def story(there: Box) -> None:
        there.by_hand()
        [order] = await there.venue.open_orders()
        assert order.client_order_id == ""
        assert (order.symbol, order.side) == (there.symbol, Side.SELL)
        assert order.venue_order_id
        assert not await there.venue.fills_since(there.since_ns)

    tell(name, story)


@says_whose
def test_a_session_finds_and_cancels_what_it_sent_before_it_was_restarted(name: str) -> None:
    async def story(there: Box) -> None:
        await there.submit(there.rest(), "s-1-1")
        await there.submit(there.rest(), "s-1-2")
        there.fill("s-1-2", 10)
        again = there.another()
        await again.open()
        try:
            found = await again.find("s-1-1", there.symbol)
            assert found is not None
            assert (found.client_order_id, found.status) == ("s-1-1", OrderStatus.ACCEPTED)
            filled = await again.find("s-1-2", there.symbol)
            assert filled is not None
            assert (filled.status, filled.filled_units) == (OrderStatus.FILLED, 10 * there.lot)
            [fill] = await again.fills_since(there.since_ns)
            assert fill.client_order_id == "s-1-2"
            await again.cancel(there.cancel_of("s-1-1"))
            assert not await again.open_orders()
        finally:
            await again.close()

    tell(name, story)


@pytest.mark.parametrize("name", [each for each in BOXES if each != "fake"])
def test_another_session_s_orders_are_nobody_s(name: str) -> None:
    async def story(there: Box) -> None:
        await there.submit(there.rest())
        other = there.another("other")
        await other.open()
        try:
            [order] = await other.open_orders()
            assert order.client_order_id == ""
        finally:
            await other.close()

    tell(name, story)


# ---- fills and holdings ----


@says_whose
def test_fills_come_oldest_first_from_the_moment_asked_for_on(name: str) -> None:
    async def story(there: Box) -> None:
        for number in range(1, 5):
            await there.submit(there.rest(), f"s-1-{number}")
        for number in (3, 1, 4, 2):
            there.fill(f"s-1-{number}", 10)
            await there.pass_time(1.0)
        fills = await there.venue.fills_since(there.since_ns)
        assert [fill.client_order_id for fill in fills] == ["s-1-3", "s-1-1", "s-1-4", "s-1-2"]
        assert len({fill.fill_id for fill in fills}) == 4
        moments = [fill.ts_ns for fill in fills]
        assert moments == sorted(set(moments))
        for place, moment in enumerate(moments):
            since = await there.venue.fills_since(moment)
            assert list(since) == list(fills[place:])
        assert not await there.venue.fills_since(moments[-1] + 1_000_000_000)

    tell(name, story)


@pytest.mark.long
@in_parts
def test_more_fills_than_a_page_holds_come_all_and_once(name: str) -> None:
    count = 1_003

    async def story(there: Box) -> None:
        await there.submit(there.rest(count, Side.SELL))
        for _ in range(count):
            there.fill("s-1-1", 1)
        fills = await there.venue.fills_since(there.since_ns)
        assert len(fills) == len({fill.fill_id for fill in fills}) == count
        assert sum(fill.quantity_units for fill in fills) == count * there.lot
        assert (await there.find()).status is OrderStatus.FILLED

    tell(name, story)


@every_venue
def test_what_is_owned_and_held_follows_the_fills(name: str) -> None:
    async def story(there: Box) -> None:
        before = await there.venue.balances()
        assert await there.venue.positions() in ({}, {there.symbol: 0})
        await there.submit(there.rest(10))
        assert await there.venue.balances() == before, "what an order locks is owned"
        there.fill("s-1-1", 10)
        after = await there.venue.balances()
        [fill] = await there.venue.fills_since(there.since_ns)
        instrument = there.instrument
        if there.keeps_positions:
            assert await there.venue.positions() == {there.symbol: 10 * there.lot}
        else:
            value = instrument.value(fill.price_units, 10 * there.lot)
            paid = to_decimal(value, instrument.value_decimals)
            bought = instrument.quantity_decimal(10 * there.lot)
            fees = {fill.fee_currency: fill.fee}
            quote, base = instrument.quote, instrument.base
            spent = paid + fees.get(quote, Decimal(0))
            assert after[quote] == before[quote] - spent
            assert after[base] == before[base] + bought - fees.get(base, Decimal(0))
            assert await there.venue.positions() == {}

    tell(name, story)
