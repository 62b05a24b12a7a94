"""Orders at a local broker through the real alpaca-py: what is sent, what comes back, exactly."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from venue_tools import NOW_NS, approved, broker_desk, share

from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import OrderStatus, OrderType, Side, TimeInForce
from logos.simulators.alpaca import BrokerOrder
from logos.simulators.exchange.faults import Fault
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable


def test_an_order_arrives_with_exactly_the_figures_of_its_units() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            order = await desk.venue.submit(SubmitOrder(desk.limit_buy("12", "150.01"), "s-1-7", 0))
            [placed] = desk.account.orders
            assert (str(placed.quantity), str(placed.limit)) == ("12", "150.01")
            assert (placed.client_id, placed.kind, placed.time_in_force) == (
                "s-1-7",
                "limit",
                "gtc",
            )
            assert order.client_order_id == "s-1-7"
            assert order.venue_order_id == placed.order_id
            assert (order.quantity_units, order.limit_price_units) == (12, 15_001)
            assert order.status is OrderStatus.ACCEPTED

    asyncio.run(story())


def test_many_decimals_of_a_share_stay_as_they_are() -> None:
    async def story() -> None:
        async with broker_desk(what=share(lot="0.000000001")) as desk:
            day = approved(
                desk.share, Side.BUY, "0.123456789", "150.07", time_in_force=TimeInForce.DAY
            )
            order = await desk.venue.submit(SubmitOrder(day, "s-1-1", 0))
            [placed] = desk.account.orders
            assert str(placed.quantity) == "0.123456789"
            assert order.quantity_units == 123_456_789
            with pytest.raises(Refused, match="by DAY orders only"):
                await desk.venue.submit(SubmitOrder(desk.limit_buy("0.5", "150.00"), "s-1-2", 0))
            assert desk.exchange.asked("POST") == 1

    asyncio.run(story())


@pytest.mark.parametrize(
    ("limit", "stop", "kind"),
    [
        ("", "", OrderType.MARKET),
        ("150.00", "", OrderType.LIMIT),
        ("", "250.00", OrderType.STOP),
        ("251.00", "250.00", OrderType.STOP_LIMIT),
    ],
)
@pytest.mark.parametrize("time_in_force", list(TimeInForce))
def test_every_type_and_time_in_force_of_shares_is_read_back(
    limit: str, stop: str, kind: OrderType, time_in_force: TimeInForce
) -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            buy = approved(desk.share, Side.BUY, "1", limit, stop=stop, time_in_force=time_in_force)
            order = await desk.venue.submit(SubmitOrder(buy, "s-1-1", 0))
            assert order.type is kind
            assert desk.account.orders[0].time_in_force == time_in_force.value.lower()
            assert await desk.venue.find("s-1-1", "AAPL") == order

    asyncio.run(story())


def test_coins_have_no_day_orders() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            for time_in_force in (TimeInForce.DAY, TimeInForce.FOK):
                buy = approved(desk.coin, Side.BUY, "0.1", "9.00", time_in_force=time_in_force)
                with pytest.raises(Refused, match="GTC and IOC"):
                    await desk.venue.submit(SubmitOrder(buy, "s-1-1", 0))
            buy = approved(desk.coin, Side.BUY, "0.1", "9.00")
            assert (await desk.venue.submit(SubmitOrder(buy, "s-1-2", 0))).symbol == "BTC/USD"

    asyncio.run(story())


def test_a_closed_market_keeps_orders_until_it_opens() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            desk.account.is_open = False
            market_order = approved(desk.share, Side.BUY, "1", time_in_force=TimeInForce.DAY)
            order = await desk.venue.submit(SubmitOrder(market_order, "s-1-1", 0))
            assert order.status is OrderStatus.ACCEPTED
            assert order.is_waiting
            at_once = approved(desk.share, Side.BUY, "1", time_in_force=TimeInForce.IOC)
            assert (
                await desk.venue.submit(SubmitOrder(at_once, "s-1-2", 0))
            ).status is OrderStatus.CANCELLED
            desk.account.is_open = True
            await desk.exchange.advance(1)
            found = await desk.venue.find("s-1-1", "AAPL")
            assert found is not None
            assert found.status is OrderStatus.FILLED
            assert not found.is_waiting

    asyncio.run(story())


@pytest.mark.parametrize(
    ("side", "symbol", "quantity", "price", "words"),
    [
        (Side.BUY, "AAPL", "1000", "150.00", "insufficient buying power"),
        (Side.SELL, "BTC/USD", "1", "99000.00", "insufficient balance"),
    ],
)
def test_a_refusal_of_the_broker_is_final(
    side: Side, symbol: str, quantity: str, price: str, words: str
) -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            what = desk.share if symbol == "AAPL" else desk.coin
            with pytest.raises(Refused, match=words):
                await desk.venue.submit(
                    SubmitOrder(approved(what, side, quantity, price), "s-1-1", 0)
                )
            assert desk.account.orders == []
            assert await desk.venue.find("s-1-1", symbol) is None

    asyncio.run(story())


def test_the_same_client_id_twice_is_not_known_rather_than_refused() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            with pytest.raises(OutcomeUnknown, match="must be unique"):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            assert len(desk.account.orders) == 1

    asyncio.run(story())


def test_cancels_by_client_id_also_of_an_order_it_has_not_seen() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            await desk.venue.cancel(CancelOrder("s-1-1", "AAPL"))
            with pytest.raises(Refused, match="order is already in"):
                await desk.venue.cancel(CancelOrder("s-1-1", "AAPL"))
            with pytest.raises(Refused, match="no such order"):
                await desk.venue.cancel(CancelOrder("s-1-9", "AAPL"))
            desk.account.place_by_hand(
                {
                    "symbol": "AAPL", "side": "buy", "type": "limit", "time_in_force": "day",
                    "qty": "1", "limit_price": "1.00", "client_order_id": "s-1-5",
                }
            )  # fmt: skip
            desk.exchange.fail("by_client_order_id", Fault.UNAVAILABLE)
            with pytest.raises(NotSent):
                await desk.venue.cancel(CancelOrder("s-1-5", "AAPL"))
            await desk.venue.cancel(CancelOrder("s-1-5", "AAPL"))
            assert [order.status for order in desk.account.orders] == ["canceled", "canceled"]

    asyncio.run(story())


def test_a_fill_may_slip_in_before_a_cancel() -> None:
    async def story() -> None:
        async with broker_desk() as desk:

            def slip(order: BrokerOrder) -> None:
                desk.account.fill(order.client_id, "4")

            desk.account.troubles.before_cancel = slip
            await desk.venue.submit(SubmitOrder(desk.limit_buy("10"), "s-1-1", 0))
            await desk.venue.cancel(CancelOrder("s-1-1", "AAPL"))
            found = await desk.venue.find("s-1-1", "AAPL")
            assert found is not None
            assert (found.status, found.filled_units) == (OrderStatus.CANCELLED, 4)

    asyncio.run(story())


def test_fills_come_exactly_in_order_and_page_by_page() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy("300", "150.00"), "s-1-1", 0))
            for number in range(250):
                desk.account.fill("s-1-1", "1", "149.99")
                desk.exchange.market.now_ns += number % 2
            fills = await desk.venue.fills_since(NOW_NS)
            assert len(fills) == 250
            assert len({fill.fill_id for fill in fills}) == 250
            assert {fill.price_units for fill in fills} == {14_999}
            assert {fill.client_order_id for fill in fills} == {"s-1-1"}
            assert [fill.ts_ns for fill in fills] == sorted(fill.ts_ns for fill in fills)
            assert len(await desk.venue.fills_since(fills[200].ts_ns)) == 50
            for fault in (Fault.DUPLICATE, Fault.REORDERED):
                desk.exchange.fail("activities", fault)
                assert {fill.fill_id for fill in await desk.venue.fills_since(NOW_NS)} <= {
                    fill.fill_id for fill in fills
                }

    asyncio.run(story())


def test_open_orders_include_strangers_and_pages() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-0", 0))
            body = {
                "symbol": "AAPL", "side": "sell", "type": "limit", "time_in_force": "day",
                "qty": "1", "limit_price": "900.00",
            }  # fmt: skip
            for number in range(1_200):
                desk.exchange.market.now_ns += 1_000 * (number % 3)
                desk.account.place_by_hand(body | {"client_order_id": f"hand-{number}"})
            orders = await desk.venue.open_orders()
            assert len(orders) == 1_201
            assert [order.client_order_id for order in orders if order.client_order_id] == ["s-1-0"]
            assert orders[1].side is Side.SELL

    asyncio.run(story())


def test_what_is_owned_is_a_balance_and_what_is_on_margin_a_position() -> None:
    held = {"AAPL": Decimal(-7), "BTC/USD": Decimal("0.09975"), "TSLA": Decimal(1)}

    async def story(settlement: str) -> tuple[object, object]:
        async with broker_desk(what=share(settlement=settlement)) as desk:
            desk.account.held = dict(held)
            return await desk.venue.positions(), await desk.venue.balances()

    money, coins = {"USD": Decimal(100_000)}, {"BTC/USD": Decimal("0.09975")}
    assert asyncio.run(story("margin")) == ({"AAPL": -7}, money | coins)
    assert asyncio.run(story("spot")) == ({}, money | coins | {"AAPL": Decimal(-7)})


def test_what_is_not_open_sends_nothing() -> None:
    async def story() -> None:
        async with broker_desk(is_open=False) as desk:
            with pytest.raises(NotSent):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            with pytest.raises(NotSent):
                await desk.venue.cancel(CancelOrder("s-1-1", "AAPL"))
            with pytest.raises(Unavailable):
                await desk.venue.find("s-1-1", "AAPL")
            with pytest.raises(Refused, match="no symbol"):
                await desk.venue.find("s-1-1", "DOGE")
            await desk.venue.close()
            await desk.venue.close()
            assert not desk.exchange.requests

    asyncio.run(story())
