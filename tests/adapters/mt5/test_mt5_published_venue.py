"""The venue at the published Expert Advisor, whose entries do not say whose they are."""

from __future__ import annotations

import asyncio

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from mt5_helpers import an_order, coin
from mt5_published import BTC, SYMBOL, limit, stage

from logos.core.outbox import CancelOrder
from logos.core.types import OrderStatus, OrderType, Side
from logos.simulators.mt5.faults import FaultPlan
from logos.simulators.mt5.market import SymbolMarket
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable


def test_a_market_order_is_filled_by_the_deal_that_names_no_order() -> None:
    async def scenario() -> None:
        async with stage() as on:
            told = await on.venue.submit(an_order(BTC, Side.BUY, 150))
            assert (told.status, told.filled_units) == (OrderStatus.ACCEPTED, 0)
            found = await on.settled()
            assert (found.status, found.filled_units) == (OrderStatus.FILLED, 150)
            [fill] = await on.fills()
            assert (fill.client_order_id, fill.quantity_units) == ("run-1", 150)
            assert (fill.price_units, fill.side) == (10_010, Side.BUY)
            assert await on.venue.positions() == {SYMBOL: 150}
            assert on.stops == []

    asyncio.run(scenario())


def test_a_deal_made_by_hand_is_nobodys_and_does_not_fill_a_market_order() -> None:
    async def scenario() -> None:
        async with stage() as on:
            on.by_hand(True, 150)
            await on.venue.submit(an_order(BTC, Side.BUY, 100))
            on.by_hand(True, 50)
            on.by_hand(False, 100)
            assert (await on.settled()).filled_units == 100
            owners = [(f.client_order_id, f.quantity_units) for f in await on.fills()]
            assert owners == [("", 150), ("run-1", 100), ("", 50), ("", 100)]

    asyncio.run(scenario())


def test_each_of_many_orders_gets_its_own_deal() -> None:
    async def scenario() -> None:
        async with stage() as on:
            sizes = [100, 200, 100, 300]
            for number, size in enumerate(sizes, 1):
                await on.venue.submit(an_order(BTC, Side.BUY, size, name=f"run-{number}"))
            for number, size in enumerate(sizes, 1):
                assert (await on.settled(f"run-{number}")).filled_units == size
            owners = [f.client_order_id for f in await on.fills()]
            assert owners == ["run-1", "run-2", "run-3", "run-4"]

    asyncio.run(scenario())


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, 9_900), (Side.SELL, 10_200)])
def test_a_waiting_order_is_known_by_its_ticket_and_filled_by_what_was_dealt_at_its_price(
    side: Side, price: int
) -> None:
    async def scenario() -> None:
        async with stage() as on:
            told = await on.venue.submit(limit(price, side=side))
            assert told.status is OrderStatus.ACCEPTED
            [waiting] = await on.venue.open_orders()
            assert (waiting.client_order_id, waiting.limit_price_units) == ("run-1", price)
            # A trade by hand on the same side, at a price that it could have: it still waits.
            on.by_hand(side is Side.BUY, 40)
            found = await on.settled()
            assert (found.status, found.filled_units) == (OrderStatus.ACCEPTED, 0)
            on.price(price - 20 if side is Side.BUY else price + 10, price + 10)
            on.price(price - 20 if side is Side.BUY else price + 10, price)
            found = await on.settled()
            assert (found.status, found.filled_units) == (OrderStatus.FILLED, 100)

    asyncio.run(scenario())


def test_a_cancelled_order_is_told_as_cancelled() -> None:
    async def scenario() -> None:
        async with stage() as on:
            await on.venue.submit(limit(9_000))
            await on.venue.cancel(CancelOrder("run-1", SYMBOL))
            found = await on.settled()
            assert (found.status, found.filled_units) == (OrderStatus.CANCELLED, 0)
            with pytest.raises(Refused):
                await on.venue.cancel(CancelOrder("run-1", SYMBOL))

    asyncio.run(scenario())


def test_an_order_in_an_unknown_symbol_is_refused_in_the_terminals_words() -> None:
    async def scenario() -> None:
        async with stage() as on:
            del on.box.simulator.terminal.markets[SYMBOL]
            on.box.simulator.terminal.markets["OTHER"] = other_market()
            with pytest.raises(Refused, match="4301: Unknown symbol"):
                await on.venue.submit(an_order(BTC))

    asyncio.run(scenario())


def other_market() -> SymbolMarket:
    market = SymbolMarket(coin("OTHER"))
    market.price(10_000, 10_010, 1_000)
    return market


# ---- lost answers ----


@pytest.mark.long
@pytest.mark.parametrize("kind", [OrderType.MARKET, OrderType.LIMIT])
def test_an_order_whose_answer_is_lost_is_recognised_by_the_streaming_port(kind: OrderType) -> None:
    async def scenario() -> None:
        async with stage() as on:
            on.box.simulator.faults = FaultPlan(lost=1.0)
            wanted = an_order(BTC, Side.BUY, 100, kind, 9_000 if kind is OrderType.LIMIT else 0)
            with pytest.raises(OutcomeUnknown):
                await on.venue.submit(wanted)
            on.box.simulator.faults = FaultPlan()
            found = await on.settled()
            is_filled = kind is OrderType.MARKET
            assert found.status is (OrderStatus.FILLED if is_filled else OrderStatus.ACCEPTED)
            assert on.box.simulator.book.client_ids == {"run-1": 1}

    asyncio.run(scenario())


@pytest.mark.long
@pytest.mark.parametrize("kind", [OrderType.MARKET, OrderType.LIMIT])
def test_without_that_it_is_the_only_entry_that_it_can_be(kind: OrderType) -> None:
    async def scenario() -> None:
        async with stage() as on:
            on.box.simulator.faults = FaultPlan(lost=1.0)
            price = 9_000 if kind is OrderType.LIMIT else 0
            with pytest.raises(OutcomeUnknown):
                await on.venue.submit(an_order(BTC, Side.BUY, 100, kind, price))
            on.box.simulator.faults = FaultPlan()
            while await on.box.gateway.next_transaction(0.05):
                pass  # the streaming port's word is lost too
            found = await on.settled()
            is_filled = kind is OrderType.MARKET
            assert found.status is (OrderStatus.FILLED if is_filled else OrderStatus.ACCEPTED)

    asyncio.run(scenario())


@pytest.mark.long
def test_two_entries_that_it_can_be_are_a_doubt_and_the_session_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("logos.adapters.mt5.unmarked.DOUBT_S", 0.0)

    async def scenario() -> None:
        async with stage() as on:
            on.box.simulator.faults = FaultPlan(lost=1.0)
            with pytest.raises(OutcomeUnknown):
                await on.venue.submit(an_order(BTC, Side.BUY, 100))
            on.box.simulator.faults = FaultPlan()
            while await on.box.gateway.next_transaction(0.05):
                pass
            on.by_hand(True, 100)
            with pytest.raises(Unavailable, match="cannot be told whose"):
                await on.venue.find("run-1", SYMBOL)
            assert len(on.stops) == 1
            assert "run-1" in on.stops[0]
            with pytest.raises(NotSent, match="still unknown"):
                await on.venue.submit(an_order(BTC, Side.BUY, 100, name="run-2"))

    asyncio.run(scenario())


def test_an_order_that_was_never_read_is_not_there_once_positions_agree() -> None:
    async def scenario() -> None:
        async with stage() as on:
            on.box.simulator.faults = FaultPlan(unread=1.0)
            with pytest.raises(OutcomeUnknown):
                await on.venue.submit(an_order(BTC))
            on.box.simulator.faults = FaultPlan()
            on.by_hand(False, 70)  # another side: it cannot be the order
            on.price()
            assert await on.venue.find("run-1", SYMBOL) is None
            await on.venue.submit(an_order(BTC))
            assert (await on.settled()).status is OrderStatus.FILLED

    asyncio.run(scenario())


@pytest.mark.long
def test_never_there_is_not_said_against_positions() -> None:
    """The deal is not listed yet (no price since), and the position has moved."""

    async def scenario() -> None:
        async with stage() as on:
            on.box.simulator.faults = FaultPlan(lost=1.0)
            with pytest.raises(OutcomeUnknown):
                await on.venue.submit(an_order(BTC))
            on.box.simulator.faults = FaultPlan()
            while await on.box.gateway.next_transaction(0.05):
                pass
            deals = on.box.simulator.book.deals
            hidden = list(deals)
            deals.clear()
            with pytest.raises(Unavailable, match="holds 100 units, and its deals make it 0"):
                await on.venue.find("run-1", SYMBOL)
            deals.extend(hidden)
            assert (await on.settled()).status is OrderStatus.FILLED

    asyncio.run(scenario())


def test_another_process_says_nothing_of_an_order_while_there_are_entries_of_nobody() -> None:
    async def scenario() -> None:
        async with stage() as on:
            await on.venue.submit(limit(9_000))
            later = on.another()
            await later.open()
            with pytest.raises(Unavailable, match="cannot be told whose"):
                await later.find("run-1", SYMBOL)

    asyncio.run(scenario())
