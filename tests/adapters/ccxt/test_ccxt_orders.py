"""Orders at a local exchange through the real ccxt: what is sent, what comes back, exactly."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from venue_tools import NOW_NS, approved, bitcoin, exchange_desk

from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import OrderStatus, OrderType, Side, TimeInForce
from logos.simulators.exchange.account import PlacedOrder
from logos.simulators.exchange.faults import Fault
from logos.venues.contract import OutcomeUnknown, Refused


def test_an_order_arrives_with_exactly_the_figures_of_its_units() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            order = await desk.venue.submit(
                SubmitOrder(desk.limit_buy("0.12345", "90000.01"), "s-1-7", 0)
            )
            [placed] = desk.account.orders
            assert (str(placed.quantity), str(placed.limit)) == ("0.12345", "90000.01")
            assert placed.client_id == "s-1-7"
            assert order.client_order_id == "s-1-7"
            assert order.venue_order_id == "1001"
            assert (order.quantity_units, order.filled_units) == (12345, 0)
            assert order.limit_price_units == 9_000_001
            assert order.status is OrderStatus.ACCEPTED
            assert order.type is OrderType.LIMIT
            assert order.side is Side.BUY

    asyncio.run(story())


def test_a_market_order_comes_back_filled() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            sale = approved(desk.instrument, Side.SELL, "0.5", time_in_force=TimeInForce.IOC)
            order = await desk.venue.submit(SubmitOrder(sale, "s-1-1", 0))
            assert order.status is OrderStatus.FILLED
            assert order.filled_units == order.quantity_units == 50_000
            assert order.limit_price_units == 0
            [fill] = await desk.venue.fills_since(NOW_NS)
            assert fill.price_units == 9_999_000
            assert fill.fee == Decimal("49.995")
            assert fill.fee_currency == "USDT"
            assert fill.client_order_id == "s-1-1"
            assert not fill.is_maker

    asyncio.run(story())


@pytest.mark.parametrize(
    ("time_in_force", "price", "status"),
    [
        (TimeInForce.IOC, "90000.00", OrderStatus.EXPIRED),
        (TimeInForce.FOK, "90000.00", OrderStatus.EXPIRED),
        (TimeInForce.IOC, "100000.00", OrderStatus.FILLED),
        (TimeInForce.GTC, "100000.00", OrderStatus.FILLED),
    ],
)
def test_time_in_force_is_the_exchange_s(
    time_in_force: TimeInForce, price: str, status: OrderStatus
) -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            buy = approved(desk.instrument, Side.BUY, "0.01", price, time_in_force=time_in_force)
            assert (await desk.venue.submit(SubmitOrder(buy, "s-1-1", 0))).status is status

    asyncio.run(story())


def test_a_stop_limit_is_read_back_as_one() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            stop = approved(desk.instrument, Side.SELL, "0.01", "89000.00", stop="90000.00")
            order = await desk.venue.submit(SubmitOrder(stop, "s-1-1", 0))
            [placed] = desk.account.orders
            assert (placed.kind, placed.stop) == ("STOP_LOSS_LIMIT", Decimal(90_000))
            assert order.type is OrderType.STOP_LIMIT
            assert order.limit_price_units == 8_900_000

    asyncio.run(story())


@pytest.mark.parametrize(
    ("changes", "quantity", "price", "words"),
    [
        ({"lot": "0.000001"}, "0.001001", "90000.00", "quantity 0.001001 is no multiple"),
        ({"tick": "0.001"}, "0.001", "90000.001", "price 90000.001 is no multiple"),
        ({"lot": "0.000000001"}, "0.000000001", "90000.00", "quantity 0.000000001 is no multiple"),
    ],
)
def test_an_order_that_ccxt_would_round_is_refused_before_anything_is_sent(
    changes: dict[str, str], quantity: str, price: str, words: str
) -> None:
    async def story() -> None:
        async with exchange_desk(what=bitcoin(**changes)) as desk:
            with pytest.raises(Refused, match=words):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(quantity, price), "s-1-1", 0))
            assert desk.exchange.asked("POST") == 0

    asyncio.run(story())


def test_what_the_exchange_has_not_is_refused_before_anything_is_sent() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            coin = desk.instrument
            by_day = approved(coin, Side.BUY, "1", "9.00", time_in_force=TimeInForce.DAY)
            at_once = approved(coin, Side.BUY, "1", time_in_force=TimeInForce.FOK)
            for order, words in [(by_day, "no DAY orders"), (at_once, "fill-or-kill")]:
                with pytest.raises(Refused, match=words):
                    await desk.venue.submit(SubmitOrder(order, "s-1-1", 0))
            with pytest.raises(Refused, match="SESSION-NUMBER"):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "not ours", 0))
            with pytest.raises(Refused, match="no symbol of this session"):
                await desk.venue.find("s-1-1", "DOGE")
            assert desk.exchange.asked("POST") == 0

    asyncio.run(story())


@pytest.mark.parametrize(
    ("quantity", "price", "words"),
    [
        ("2", "90000.00", "insufficient balance"),
        ("0.00001", "90000.00", "NOTIONAL"),
    ],
)
def test_a_refusal_of_the_exchange_is_final(quantity: str, price: str, words: str) -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            with pytest.raises(Refused, match=words):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(quantity, price), "s-1-1", 0))
            assert desk.account.orders == []
            assert await desk.venue.find("s-1-1", "BTCUSDT") is None

    asyncio.run(story())


def test_a_closed_market_refuses() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            desk.exchange.market.listings["BTCUSDT"].is_trading = False
            with pytest.raises(Refused, match="Market is closed"):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))

    asyncio.run(story())


def test_the_same_client_id_twice_is_not_known_rather_than_refused() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            with pytest.raises(OutcomeUnknown, match="Duplicate"):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            assert len(desk.account.orders) == 1
            found = await desk.venue.find("s-1-1", "BTCUSDT")
            assert found is not None
            assert found.status is OrderStatus.ACCEPTED

    asyncio.run(story())


def test_a_cancel_ends_an_order_and_a_second_one_has_nothing_to_cancel() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            await desk.venue.cancel(CancelOrder("s-1-1", "BTCUSDT"))
            found = await desk.venue.find("s-1-1", "BTCUSDT")
            assert found is not None
            assert found.status is OrderStatus.CANCELLED
            with pytest.raises(Refused, match="Unknown order"):
                await desk.venue.cancel(CancelOrder("s-1-1", "BTCUSDT"))
            with pytest.raises(Refused, match="Unknown order"):
                await desk.venue.cancel(CancelOrder("s-1-2", "BTCUSDT"))

    asyncio.run(story())


def test_a_fill_may_slip_in_before_a_cancel() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:

            def slip(order: PlacedOrder) -> None:
                desk.account.fill(order.client_id, "0.0004")

            desk.account.troubles.before_cancel = slip
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            await desk.venue.cancel(CancelOrder("s-1-1", "BTCUSDT"))
            found = await desk.venue.find("s-1-1", "BTCUSDT")
            assert found is not None
            assert (found.status, found.filled_units) == (OrderStatus.CANCELLED, 40)

            def slip_whole(order: PlacedOrder) -> None:
                desk.account.fill(order.client_id, "0.001")

            desk.account.troubles.before_cancel = slip_whole
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-2", 0))
            with pytest.raises(Refused, match="Unknown order"):
                await desk.venue.cancel(CancelOrder("s-1-2", "BTCUSDT"))
            found = await desk.venue.find("s-1-2", "BTCUSDT")
            assert found is not None
            assert found.status is OrderStatus.FILLED

    asyncio.run(story())


def test_an_order_may_be_not_found_for_a_moment() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.account.troubles.not_found["s-1-1"] = 2
            assert await desk.venue.find("s-1-1", "BTCUSDT") is None
            assert await desk.venue.find("s-1-1", "BTCUSDT") is None
            assert await desk.venue.find("s-1-1", "BTCUSDT") is not None

    asyncio.run(story())


def test_open_orders_include_strangers_without_an_id_of_ours() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.account.place_by_hand("BTCUSDT", "SELL", "0.1", "200000")
            desk.account.place_by_hand("BTCUSDT", "SELL", "0.1", "200000", "other-1-1")
            desk.account.fill("s-1-1", "0.0003")
            orders = await desk.venue.open_orders()
            assert [order.client_order_id for order in orders] == ["s-1-1", "", ""]
            assert orders[0].status is OrderStatus.PARTIALLY_FILLED
            assert orders[0].filled_units == 30

    asyncio.run(story())


@pytest.mark.parametrize("fault", [Fault.DUPLICATE, Fault.REORDERED])
def test_lists_that_repeat_or_shuffle_rows_change_nothing(fault: Fault) -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            for _ in range(5):
                desk.account.fill("s-1-1", "0.0001")
                await desk.exchange.advance(0.001)
            desk.account.place_by_hand("BTCUSDT", "BUY", "0.01", "1000")
            whole = await desk.venue.fills_since(NOW_NS)
            orders = await desk.venue.open_orders()
            desk.exchange.fail("myTrades", fault)
            desk.exchange.fail("openOrders", fault)
            assert await desk.venue.fills_since(NOW_NS) == whole
            again = await desk.venue.open_orders()
            assert sorted(again, key=str) == sorted(orders, key=str)
            assert [fill.fill_id for fill in whole] == ["1", "2", "3", "4", "5"]

    asyncio.run(story())


def test_fills_that_a_list_holds_back_come_with_the_same_answer_or_the_next() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            for _ in range(6):
                desk.account.fill("s-1-1", "0.0001")
            desk.exchange.fail("myTrades", Fault.LATE, times=2)
            first = await desk.venue.fills_since(NOW_NS)
            second = await desk.venue.fills_since(NOW_NS)
            ids = {fill.fill_id for fill in [*first, *second]}
            assert ids == {"1", "2", "3", "4", "5", "6"}

    asyncio.run(story())


@pytest.mark.long
def test_thousands_of_fills_over_many_days_are_read_page_by_page() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy("0.03"), "s-1-1", 0))
            desk.exchange.market.now_ns += 3 * 86_400 * 10**9
            for number in range(2_500):
                desk.account.fill("s-1-1", "0.00001")
                desk.exchange.market.now_ns += (number % 3 == 0) * 10**6
            desk.clock.set_ns(desk.exchange.market.now_ns)
            fills = await desk.venue.fills_since(NOW_NS)
            assert [fill.fill_id for fill in fills] == [str(each + 1) for each in range(2_500)]
            later = await desk.venue.fills_since(fills[1_000].ts_ns)
            assert later == [fill for fill in fills if fill.ts_ns >= fills[1_000].ts_ns]

    asyncio.run(story())


def test_balances_hold_what_orders_lock() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy("0.5"), "s-1-1", 0))
            assert await desk.venue.balances() == {"BTC": Decimal(1), "USDT": Decimal(100_000)}
            assert await desk.venue.positions() == {}

    asyncio.run(story())


def test_every_address_is_the_local_server() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            hosts = {urlsplit(url).netloc for url in desk.venue.urls}
            assert hosts == {urlsplit(desk.exchange.url).netloc}
            assert len(desk.venue.urls) >= 4

    asyncio.run(story())


def test_a_long_session_name_gets_a_short_id_at_the_exchange_and_is_found_by_it() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            client_id = "a" * 64 + "-12"
            order = await desk.venue.submit(SubmitOrder(desk.limit_buy(), client_id, 0))
            assert order.client_order_id == client_id
            [placed] = desk.account.orders
            assert len(placed.client_id) <= 36
            found = await desk.venue.find(client_id, "BTCUSDT")
            assert found is not None
            assert found.client_order_id == client_id
            await desk.venue.cancel(CancelOrder(client_id, "BTCUSDT"))
            assert await desk.venue.open_orders() == []

    asyncio.run(story())
