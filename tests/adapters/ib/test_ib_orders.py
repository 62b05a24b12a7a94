"""Orders through the real ib_async at the simulated gateway: accept, find, cancel, fill, lose."""

from __future__ import annotations

from ib_desk import IbDesk, ib_desk  # first

# isort: split

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest
from ib_world import until
from venue_tools import approved, share
from waiting import until_answered

from logos.core.outbox import SubmitOrder
from logos.core.types import OrderStatus, OrderType, Side, TimeInForce
from logos.simulators.ib import Listing
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable

Story = Callable[[IbDesk], Coroutine[Any, Any, None]]


def run(story: Story, **options: Any) -> None:
    async def whole() -> None:
        async with ib_desk(**options) as desk:
            await story(desk)
            assert desk.gateway.unread == []

    asyncio.run(whole())


def test_an_order_arrives_with_exact_figures_under_our_id_and_is_found_with_theirs() -> None:
    async def story(desk: IbDesk) -> None:
        taken = await desk.venue.submit(desk.buy("s-1-7", "12", "150.01"))
        [there] = desk.gateway.desk.book.orders
        assert (there.quantity, there.limit, there.order_ref) == (
            Decimal(12),
            Decimal("150.01"),
            "s-1-7",
        )
        assert (there.kind, there.tif, there.account) == ("LMT", "GTC", "DU1234567")
        found = await desk.venue.find("s-1-7", "AAPL")
        assert found == taken
        assert taken.venue_order_id == str(there.perm_id)
        assert (taken.quantity_units, taken.limit_price_units) == (12, 15_001)
        assert await desk.venue.open_orders() == [taken]

    run(story)


@pytest.mark.parametrize(
    ("limit", "stop", "kind", "word"),
    [
        ("", "", OrderType.MARKET, "MKT"),
        ("150.00", "", OrderType.LIMIT, "LMT"),
        ("", "250.00", OrderType.STOP, "STP"),
        ("251.00", "250.00", OrderType.STOP_LIMIT, "STP LMT"),
    ],
)
@pytest.mark.parametrize("tif", [TimeInForce.DAY, TimeInForce.GTC])
def test_every_type_is_read_back(
    limit: str, stop: str, kind: OrderType, word: str, tif: TimeInForce
) -> None:
    async def story(desk: IbDesk) -> None:
        await desk.venue.submit(desk.buy("s-1-1", "1", limit, stop=stop, time_in_force=tif))
        [there] = desk.gateway.desk.book.orders
        assert (there.kind, there.tif) == (word, tif.value)
        found = await desk.venue.find("s-1-1", "AAPL")
        assert found is not None
        assert (found.type, found.status) == (kind, OrderStatus.ACCEPTED)

    run(story)


def test_an_order_is_taken_by_the_brokers_word_only() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.desk.whims.holds_orders = True
        with desk.impatient(), pytest.raises(OutcomeUnknown, match="no word within"):
            await desk.venue.submit(desk.buy("s-1-1"))
        with pytest.raises(Unavailable, match="has not said yet"):
            await desk.venue.find("s-1-1", "AAPL")
        with pytest.raises(Unavailable, match="has not said yet"):
            await desk.venue.open_orders()
        desk.gateway.desk.accept_held()
        found = await desk.venue.find("s-1-1", "AAPL")
        assert found is not None
        assert found.status is OrderStatus.ACCEPTED

    run(story)


def test_a_warning_is_no_refusal() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.desk.whims.warn_next = "Your order will not be placed before the open"
        desk.gateway.desk.whims.holds_orders = True
        work = asyncio.ensure_future(desk.venue.submit(desk.buy("s-1-1")))
        await until(lambda: desk.gateway.desk.book.orders)
        desk.gateway.desk.accept_held()
        assert (await work).status is OrderStatus.ACCEPTED

    run(story)


@pytest.mark.parametrize(
    ("quantity", "limit", "words"),
    [("10", "13.275", "multiples of 0.01"), ("0.5", "13.27", "multiples of 1")],
)
def test_what_is_off_the_steps_is_refused_here(quantity: str, limit: str, words: str) -> None:
    async def story(desk: IbDesk) -> None:
        with pytest.raises(Refused, match=words):
            await desk.venue.submit(desk.buy("s-1-1", quantity, limit))
        assert desk.gateway.asked(3) == 0

    run(story, what=share(tick="0.001", lot="0.1"))


def test_the_step_of_a_price_depends_on_the_price() -> None:
    stepped = Listing(
        265598,
        "AAPL",
        min_tick="0.0001",
        rules=(("0.0", "0.0001"), ("1.0", "0.01"), ("100.0", "0.05")),
    )

    async def story(desk: IbDesk) -> None:
        await desk.venue.submit(desk.buy("s-1-1", "1", "0.9999"))
        await desk.venue.submit(desk.buy("s-1-2", "1", "99.99"))
        with pytest.raises(Refused, match=r"multiples of 0.05 at 100.01"):
            await desk.venue.submit(desk.buy("s-1-3", "1", "100.01"))

    run(story, what=share(tick="0.0001"), gateway={"listings": [stepped]})


def test_a_rejection_is_a_refusal_with_the_brokers_reason() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.desk.whims.reject_next = "Insufficient margin"
        with pytest.raises(Refused, match="201: Order rejected - reason:Insufficient margin"):
            await desk.venue.submit(desk.buy("s-1-1"))
        found = await desk.venue.find("s-1-1", "AAPL")
        assert found is not None
        assert found.status is OrderStatus.REJECTED
        assert "Insufficient margin" in found.reason

    run(story)


def test_a_read_only_gateway_refuses() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.desk.whims.is_read_only = True
        with pytest.raises(Refused, match=r"321.*Read-Only"):
            await desk.venue.submit(desk.buy("s-1-1"))
        assert await desk.venue.find("s-1-1", "AAPL") is None

    run(story)


@pytest.mark.parametrize(
    ("tif", "status"),
    [(TimeInForce.IOC, OrderStatus.CANCELLED), (TimeInForce.FOK, OrderStatus.CANCELLED)],
)
def test_what_must_fill_at_once_and_does_not_is_over(tif: TimeInForce, status: OrderStatus) -> None:
    async def story(desk: IbDesk) -> None:
        await desk.venue.submit(desk.buy("s-1-1", time_in_force=tif))
        found = await desk.venue.find("s-1-1", "AAPL")
        assert found is not None
        assert (found.status, found.filled_units) == (status, 0)

    run(story)


def test_a_cancel_is_taken_and_the_order_is_over() -> None:
    async def story(desk: IbDesk) -> None:
        await desk.venue.submit(desk.buy("s-1-1"))
        await desk.venue.cancel(desk.cancel("s-1-1"))
        found = await desk.venue.find("s-1-1", "AAPL")
        assert found is not None
        assert found.status is OrderStatus.CANCELLED
        assert await desk.venue.open_orders() == []
        with pytest.raises(Refused, match="10148"):
            await desk.venue.cancel(desk.cancel("s-1-1"))
        with pytest.raises(Refused, match="no such order is open"):
            await desk.venue.cancel(desk.cancel("s-1-2"))

    run(story)


def test_a_cancel_that_is_only_requested_leaves_the_order_open() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.desk.whims.holds_cancels = True
        await desk.venue.submit(desk.buy("s-1-1"))
        await desk.venue.cancel(desk.cancel("s-1-1"))
        found = await desk.venue.find("s-1-1", "AAPL")
        assert found is not None
        assert found.status is OrderStatus.ACCEPTED

    run(story)


def test_a_market_order_fills_and_costs_its_commission() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.quote("AAPL", "257.94", "257.95")
        await desk.venue.submit(desk.buy("s-1-1", "3", ""))
        found = await desk.venue.find("s-1-1", "AAPL")
        assert found is not None
        assert (found.status, found.filled_units) == (OrderStatus.FILLED, 3)
        [fill] = await desk.venue.fills_since(0)
        assert (fill.quantity_units, fill.price_units, fill.side) == (3, 25_795, Side.BUY)
        assert (fill.fee, fill.fee_currency) == (Decimal(1), "USD")
        assert (fill.client_order_id, fill.venue_order_id) == ("s-1-1", found.venue_order_id)
        assert abs(fill.ts_ns - desk.gateway.now_ns()) < 60 * 10**9

    run(story)


def test_part_of_an_order_fills_and_the_rest_is_cancelled() -> None:
    async def story(desk: IbDesk) -> None:
        await desk.venue.submit(desk.buy("s-1-1"))
        desk.gateway.desk.fill(desk.gateway.order("s-1-1"), "4", "13.20")
        found = await desk.venue.find("s-1-1", "AAPL")
        assert found is not None
        assert (found.status, found.filled_units) == (OrderStatus.PARTIALLY_FILLED, 4)
        await desk.venue.cancel(desk.cancel("s-1-1"))
        found = await desk.venue.find("s-1-1", "AAPL")
        assert found is not None
        assert (found.status, found.filled_units) == (OrderStatus.CANCELLED, 4)
        assert [fill.quantity_units for fill in await desk.venue.fills_since(0)] == [4]

    run(story)


def test_a_fill_waits_for_its_commission() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.desk.whims.late_commissions = True
        desk.gateway.quote("AAPL", "257.94", "257.95")
        await desk.venue.submit(desk.buy("s-1-1", "3", ""))
        with pytest.raises(Unavailable, match=r"commission of execution .* was not told yet"):
            await desk.venue.fills_since(0)
        desk.gateway.desk.tell_commissions()
        [fill] = await until_answered(lambda: desk.venue.fills_since(0), "the commission")
        assert fill.fee == Decimal(1)

    run(story)


def test_a_better_price_than_the_tick_is_booked_exactly() -> None:
    async def story(desk: IbDesk) -> None:
        await desk.venue.submit(desk.buy("s-1-1", "4", "150.00"))
        desk.gateway.desk.fill(desk.gateway.order("s-1-1"), "4", "149.9987")
        [fill] = await desk.venue.fills_since(0)
        assert fill.price_units == 14_999
        assert fill.fee == Decimal(1) + 4 * Decimal("0.0087")

    run(story)


def test_a_correction_replaces_what_was_not_told_yet_and_nothing_that_was() -> None:
    async def story(desk: IbDesk) -> None:
        await desk.venue.submit(desk.buy("s-1-1"))
        order = desk.gateway.order("s-1-1")
        first = desk.gateway.desk.fill(order, "4", "13.20")
        desk.gateway.desk.correct(first, "4", "13.10")
        [fill] = await desk.venue.fills_since(0)
        assert (fill.fill_id[-3:], fill.price_units) == (".02", 1_310)
        second = desk.gateway.desk.fill(order, "2", "13.20")
        told = await desk.venue.fills_since(0)
        desk.gateway.desk.correct(second, "1", "13.20")
        assert await desk.venue.fills_since(0) == told
        found = await desk.venue.find("s-1-1", "AAPL")
        assert found is not None
        assert found.filled_units == 5, "the order says what its executions do not: a difference"

    run(story)


def test_orders_of_other_clients_are_strangers_and_only_their_client_cancels_them() -> None:
    async def story(desk: IbDesk) -> None:
        other = desk.another(2, "t-1")
        same = desk.another(3, "s-1")
        try:
            await other.open()
            await same.open()
            await other.submit(desk.buy("t-1-1"))
            await same.submit(desk.buy("s-1-9"))
            mine, theirs = await desk.venue.open_orders()
            assert {mine.client_order_id, theirs.client_order_id} == {"", "s-1-9"}
            with pytest.raises(Refused, match="client 3 made it"):
                await desk.venue.cancel(desk.cancel("s-1-9"))
        finally:
            await other.close()
            await same.close()

    run(story)


def test_holdings_are_those_of_the_account() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.quote("AAPL", "257.94", "257.95")
        await desk.venue.submit(desk.buy("s-1-1", "3", ""))
        assert await desk.venue.positions() == {"AAPL": 3}
        assert await desk.venue.balances() == {"USD": Decimal("99225.15")}

    run(story, what=share(settlement="margin"))


def test_what_is_owned_is_a_balance() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.quote("AAPL", "257.94", "257.95")
        await desk.venue.submit(desk.buy("s-1-1", "3", ""))
        assert await desk.venue.positions() == {}
        assert (await desk.venue.balances())[desk.share.base] == 3

    run(story, what=share(settlement="spot"))


def test_a_stranger_to_the_session_is_not_asked_about() -> None:
    async def story(desk: IbDesk) -> None:
        other = share(symbol="TSLA")
        with pytest.raises(Refused, match="no symbol of this session"):
            await desk.venue.submit(
                SubmitOrder(approved(other, Side.BUY, "1", "13.27"), "s-1-1", 0)
            )
        with pytest.raises(Refused, match="no symbol of this session"):
            await desk.venue.find("s-1-1", "TSLA")

    run(story)


def test_nothing_is_sent_before_it_is_open() -> None:
    async def story(desk: IbDesk) -> None:
        with pytest.raises((NotSent, Refused)):
            await desk.venue.submit(desk.buy("s-1-1"))
        with pytest.raises(Unavailable, match="not open"):
            await desk.venue.open_orders()
        assert desk.gateway.heard == []

    run(story, is_open=False)
