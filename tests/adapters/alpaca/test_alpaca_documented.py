"""What Alpaca's documentation says its answers may be, and what the venue makes of each.

The statuses are those of docs.alpaca.markets/docs/orders-at-alpaca ("Order Lifecycle"), and of
`OrderStatus` in alpaca-py, which has one more.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from venue_tools import NOW_NS, BrokerDesk, approved, broker_desk, share

# isort: split
from alpaca.trading.enums import OrderStatus as Documented  # the venue's import bears its warning

from logos.adapters.alpaca.budget import RateBudget
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import NS_PER_SECOND, OrderStatus, Side, TimeInForce
from logos.simulators.alpaca import BrokerOrder
from logos.testing.clock import ManualClock
from logos.venues.budget import Allowance
from logos.venues.contract import OutcomeUnknown, Refused, Unavailable
from logos.venues.ids import ClientIds, IdRule

ENDS = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "replaced": OrderStatus.CANCELLED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}


@pytest.mark.parametrize("status", [each.value for each in Documented])
def test_every_documented_status_is_known_and_open_unless_it_is_an_end(status: str) -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            if status == "partially_filled":
                desk.account.fill("s-1-1", "4")
            elif status == "filled":
                desk.account.fill("s-1-1", "10")
            else:
                desk.account.put("s-1-1", status)
            found = await desk.venue.find("s-1-1", "AAPL")
            assert found is not None
            expected = ENDS.get(status, OrderStatus.ACCEPTED)
            if status == "partially_filled":
                expected = OrderStatus.PARTIALLY_FILLED
            assert found.status is expected
            listed = [each.client_order_id for each in await desk.venue.open_orders()]
            assert listed == ([] if status in ENDS else ["s-1-1"])

    asyncio.run(story())


def by_hand(desk: BrokerDesk, **changes: str) -> None:
    body = {
        "symbol": "AAPL", "side": "buy", "type": "limit", "time_in_force": "day",
        "limit_price": "150.00", "client_order_id": f"hand-{len(desk.account.orders)}",
    }  # fmt: skip
    desk.account.place_by_hand(body | changes)


def test_orders_of_others_by_value_in_fractions_and_of_unknown_kinds_do_not_hide_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            by_hand(desk, notional="100")
            by_hand(desk, qty="0.25")
            by_hand(desk, qty="3", type="trailing_stop", trail_percent="2")
            by_hand(desk, qty="3")
            monkeypatch.setattr(BrokerOrder, "OPEN", BrokerOrder.OPEN | {"asleep"})
            desk.account.put("hand-4", "asleep")
            by_hand(desk, qty="3", limit_price="0.12345")
            ours, by_value, fraction, trailing, unknown, fine = await desk.venue.open_orders()
            assert (ours.client_order_id, ours.quantity_units) == ("s-1-1", 10)
            others = (by_value, fraction, trailing, unknown, fine)
            assert {each.client_order_id for each in others} == {""}
            assert {each.symbol for each in others} == {"AAPL"}
            assert "quantity is missing" in by_value.reason
            assert "finer lot" in fraction.reason
            assert "trailing_stop" in trailing.reason
            assert "asleep" in unknown.reason
            assert "finer tick" in fine.reason
            assert [each.quantity_units for each in others] == [0, 0, 3, 3, 0]

    asyncio.run(story())


def test_a_fraction_that_somebody_else_bought_blocks_nothing_and_is_owned_exactly() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            by_hand(desk, qty="0.25")
            desk.account.fill("s-1-1", "4")
            desk.account.fill("hand-1", "0.25")
            [fill] = await desk.venue.fills_since(NOW_NS)
            assert (fill.client_order_id, fill.quantity_units) == ("s-1-1", 4)
            assert (await desk.venue.balances())["AAPL"] == Decimal("4.25")

    asyncio.run(story())


def test_an_order_replaced_by_its_owner_has_ended_and_the_other_is_a_stranger() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.account.replace("s-1-1", "140.00")
            found = await desk.venue.find("s-1-1", "AAPL")
            assert found is not None
            assert found.status is OrderStatus.CANCELLED
            [other] = await desk.venue.open_orders()
            assert (other.client_order_id, other.limit_price_units) == ("", 14_000)

    asyncio.run(story())


def test_a_cancel_that_the_broker_cannot_take_now_is_refused_and_asked_for_again() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            desk.account.put("s-1-1", "pending_replace")
            with pytest.raises(Refused, match="pending_replace"):
                await desk.venue.cancel(CancelOrder("s-1-1", "AAPL"))
            desk.account.put("s-1-1", "new")
            await desk.venue.cancel(CancelOrder("s-1-1", "AAPL"))

    asyncio.run(story())


@pytest.mark.parametrize(
    ("side", "price", "units", "fee"),
    [
        (Side.BUY, "149.9987", 14_999, "0.0348"),
        (Side.BUY, "149.99", 14_999, "0"),
        (Side.SELL, "300.0013", 30_001, "0.0348"),
        (Side.SELL, "300.01", 30_001, "0"),
    ],
)
def test_a_fill_finer_than_the_tick_costs_exactly_what_it_cost(
    side: Side, price: str, units: int, fee: str
) -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            desk.account.held["AAPL"] = Decimal(10)
            limit = "150.00" if side is Side.BUY else "300.00"
            order = approved(desk.share, side, "10", limit)
            await desk.venue.submit(SubmitOrder(order, "s-1-1", 0))
            desk.account.fill("s-1-1", "4", price)
            [fill] = await desk.venue.fills_since(NOW_NS)
            assert (fill.price_units, fill.fee, fill.fee_currency) == (units, Decimal(fee), "USD")
            sign = 1 if side is Side.BUY else -1
            booked = -sign * Decimal(units) / 100 * 4 - fill.fee
            assert booked == -sign * Decimal(price) * 4
            assert Decimal(100_000) + booked == (await desk.venue.balances())["USD"]

    asyncio.run(story())


def test_an_id_that_is_too_long_is_shortened_and_recognised() -> None:
    ids = ClientIds(IdRule(128, True), "s")
    assert ids.to_venue("s-7") == "s-7"

    async def story() -> None:
        session = "s" * 64
        async with broker_desk() as desk:
            venue = desk.another(session)
            await venue.open()
            try:
                name = f"{session}-1234567890123456789"
                order = await venue.submit(SubmitOrder(desk.limit_buy(), name, 0))
                assert order.client_order_id == name
                assert len(desk.account.orders[0].client_id) <= 128
                [listed] = await venue.open_orders()
                assert listed.client_order_id == name
            finally:
                await venue.close()

    asyncio.run(story())


def test_a_hundred_and_thirty_fills_come_whole_from_pages_that_begin_with_the_newest() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy("130"), "s-1-1", 0))
            for _ in range(130):
                desk.account.fill("s-1-1", "1")
            before = desk.exchange.asked("activities/FILL")
            fills = await desk.venue.fills_since(NOW_NS)
            assert len({fill.fill_id for fill in fills}) == 130
            assert desk.exchange.asked("activities/FILL") - before == 2
            # A broker that forgets where the page ended.
            page = [{"id": f"a::{number}"} for number in range(100)]
            desk.replaced["GET /v2/account/activities/FILL"] = page
            with pytest.raises(Unavailable, match="brought nothing new"):
                await desk.venue.fills_since(NOW_NS)

    asyncio.run(story())


# ---- how much may be asked ----


def test_the_budget_is_the_documented_one_and_follows_the_answers() -> None:
    async def story() -> None:
        async with broker_desk(requests_a_minute=1000, is_open=False) as desk:
            [pool] = desk.venue.budget.pools
            assert pool.size + 60 * pool.per_s == pytest.approx(200)
            assert not desk.venue.allowances
            await desk.venue.open()
            [pool] = desk.venue.budget.pools
            assert pool.size + 60 * pool.per_s == pytest.approx(1000)
            [left] = desk.venue.allowances
            assert left.left == 1000 - len(desk.exchange.requests)

    asyncio.run(story())


def test_a_session_takes_its_share_only() -> None:
    async def story() -> None:
        async with broker_desk(requests_a_minute=200) as desk:
            desk.venue.use_share(25)
            await desk.venue.balances()
            [pool] = desk.venue.budget.pools
            assert pool.size + 60 * pool.per_s == pytest.approx(50)
            [left] = desk.venue.allowances
            assert left.left == (200 - len(desk.exchange.requests)) / 4

    asyncio.run(story())
    for percent in (0, 101):
        with pytest.raises(ValueError, match="from 1 to 100 percent"):
            RateBudget(ManualClock(NOW_NS)).use_share(percent)


def test_one_request_too_many_waits_until_the_minute_is_over() -> None:
    async def story() -> None:
        async with broker_desk(requests_a_minute=20) as desk:
            await desk.exchange.advance(15)
            await desk.clock.advance(15)
            for _ in range(20 - len(desk.exchange.requests)):
                assert await desk.venue.find("s-1-1", "AAPL") is None
            with pytest.raises(Unavailable) as caught:
                await desk.venue.find("s-1-1", "AAPL")
            assert caught.value.demand_s == 45
            assert caught.value.retry_after_s >= 45
            now_ns = desk.clock.now_ns()
            [left] = desk.venue.allowances
            name = desk.venue.budget.pools[0].name
            assert left == Allowance(name, 0.0, now_ns, now_ns + 45 * NS_PER_SECOND)
            await desk.exchange.advance(45)
            await desk.clock.advance(45)
            assert await desk.venue.find("s-1-1", "AAPL") is None

    asyncio.run(story())


def test_every_request_asks_for_its_turn() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            turns = 0

            async def pace() -> None:
                nonlocal turns
                turns += 1

            desk.venue.use_pace(pace)
            before = len(desk.exchange.requests)
            await desk.venue.submit(SubmitOrder(desk.limit_buy("130"), "s-1-1", 0))
            for _ in range(130):
                desk.account.fill("s-1-1", "1")
            await desk.venue.fills_since(NOW_NS)
            await desk.venue.balances()
            await desk.venue.open_orders()
            assert turns == len(desk.exchange.requests) - before

    asyncio.run(story())


def test_an_order_sent_twice_under_one_id_is_found_once() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            with pytest.raises(OutcomeUnknown):
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            assert len(await desk.venue.open_orders()) == 1

    asyncio.run(story())


def test_a_market_order_fills_whatever_the_price() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            order = approved(desk.share, Side.BUY, "3", time_in_force=TimeInForce.DAY)
            await desk.venue.submit(SubmitOrder(order, "s-1-1", 0))
            [fill] = await desk.venue.fills_since(NOW_NS)
            assert (fill.quantity_units, fill.price_units) == (3, 20_001)
            found = await desk.venue.find("s-1-1", "AAPL")
            assert found is not None
            assert found.status is OrderStatus.FILLED

    asyncio.run(story())


def test_shares_finer_than_the_lot_are_not_held_on_margin() -> None:
    async def story() -> None:
        async with broker_desk(what=share(settlement="margin")) as desk:
            desk.account.held["AAPL"] = Decimal("0.5")
            with pytest.raises(Unavailable, match="finer lot"):
                await desk.venue.positions()

    asyncio.run(story())
