"""Nights and late commissions at a gateway: what cannot be known is said, and nothing is lost."""

from __future__ import annotations

from ib_nights import MIDNIGHT_NS, Nights, nights  # first

# isort: split

import pytest

from logos.adapters.ib.venue import IbVenue
from logos.core.strategy import limit, market
from logos.core.types import NS_PER_SECOND, ReportKind, Side

SINCE_MIDNIGHT = "a gateway tells executions and ended orders since its midnight only"
MINUTE_NS = 60 * NS_PER_SECOND
RESTING = {1: limit(Side.BUY, "10", "99.00")}


async def outage_over_midnight(there: Nights, *fills: tuple[str, str]) -> None:
    """The gateway is down from 23:50 to 0:10; these (order, quantity) fill in its first minute."""
    there.jump(MIDNIGHT_NS - 10 * MINUTE_NS)
    await there.wait(15)
    await there.gateway.stop()
    await there.wait(5)
    for name, quantity in fills:
        there.desk.fill(there.order(name), quantity, str(there.order(name).limit))
    there.jump(MIDNIGHT_NS + 10 * MINUTE_NS)
    there.desk.roll_back()
    await there.gateway.start()
    await there.wait(120)


@pytest.mark.parametrize(
    ("quantity", "words"),
    [
        ("4", "says 4 units are filled and lists fills of 0"),
        ("10", "no longer knows an order it had taken"),
    ],
)
def test_a_fill_that_a_midnight_hides_stops_trading_and_is_named(quantity: str, words: str) -> None:
    async def story(there: Nights) -> None:
        await there.quote()
        await there.wait(2)
        await outage_over_midnight(there, ("test-1", quantity))
        told = there.words("test-1", ReportKind.DIFFERENCE)
        assert words in told
        assert SINCE_MIDNIGHT in told
        assert ReportKind.FILLED not in there.kinds("test-1")
        assert there.switch.authority()
        assert any("AAPL" in each for each in there.differences)

    nights(RESTING, story)


@pytest.mark.parametrize("quantity", ["4", "10"])
def test_a_tws_that_shows_the_trades_of_days_brings_such_a_fill_back(quantity: str) -> None:
    async def story(there: Nights) -> None:
        there.gateway.days_shown = 7
        await there.quote()
        await there.wait(2)
        await outage_over_midnight(there, ("test-1", quantity))
        await there.wait(30)
        assert there.kinds("test-1") == [ReportKind.ACCEPTED, ReportKind.FILLED]
        assert there.differences == []
        assert there.link.open_count == (quantity != "10")

    nights(RESTING, story)


def test_a_fill_of_an_outage_within_the_day_is_booked() -> None:
    async def story(there: Nights) -> None:
        await there.quote()
        await there.wait(2)
        await there.gateway.restart(are_ids_kept=False)
        there.desk.fill(there.order("test-1"), "4", "99.00")
        await there.wait(60)
        assert there.kinds("test-1") == [ReportKind.ACCEPTED, ReportKind.FILLED]
        assert there.differences == []

    nights(RESTING, story)


@pytest.mark.parametrize("days_shown", [1, 7])
def test_two_orders_nobody_knows_of_that_cancel_out_behind_a_midnight_are_not_forgotten(
    days_shown: int,
) -> None:
    """What is held agrees then, and would bear out that neither was ever there."""

    async def story(there: Nights) -> None:
        there.gateway.days_shown = days_shown
        there.desk.whims.is_deaf_to_orders = True
        there.desk.whims.commission = "0"
        there.jump(MIDNIGHT_NS - 10 * MINUTE_NS)
        await there.wait(15)
        place = there.gateway._answers[3]

        def place_and_end(seat: object, row: list[str]) -> None:
            place(seat, row)  # type: ignore[arg-type]
            if len(there.desk.book.orders) == 2:
                there.gateway.is_up = False
                there.gateway.drop()

        there.gateway._answers[3] = place_and_end
        await there.quote()
        assert len(there.desk.book.orders) == 2
        for name in ("test-1", "test-2"):
            there.desk.fill(there.order(name), "10", "99.00")
        there.jump(MIDNIGHT_NS + 10 * MINUTE_NS)
        await there.gateway.start()
        await there.wait(300)
        assert there.desk.book.positions["DU1234567", 265598][0] == 100
        told = [there.kinds(name) for name in ("test-1", "test-2")]
        assert not any(ReportKind.NOT_SENT in each for each in told)
        assert [ReportKind.DIFFERENCE in each for each in told] == [True, True]
        if days_shown == 1:
            assert any(SINCE_MIDNIGHT in each for each in there.differences)
            assert any("holdings prove nothing of both" in each for each in there.differences)

    both = [limit(Side.BUY, "10", "99.00"), limit(Side.SELL, "10", "99.00")]
    nights({1: both}, story)


def test_an_order_that_ended_just_before_midnight_is_known_after_it() -> None:
    async def story(there: Nights) -> None:
        await there.quote()
        await there.wait(2)
        there.jump(MIDNIGHT_NS - NS_PER_SECOND)
        there.desk.end(there.order("test-1"), "Cancelled", "Cancelled by Trader")
        there.jump(MIDNIGHT_NS + NS_PER_SECOND)
        await there.wait(60)
        assert there.kinds("test-1") == [ReportKind.ACCEPTED, ReportKind.CANCELLED]
        assert there.differences == []

    nights(RESTING, story)


# ---- commissions ----

BUYS = {1: market(Side.BUY, "3")}


async def bought(there: Nights) -> None:
    """A market order that fills at once, its commission held back."""
    there.gateway.quote("AAPL", "99.99", "100.00")
    there.desk.whims.late_commissions = True
    await there.quote()
    await there.wait(1)


@pytest.mark.parametrize("is_pending", [False, True])
def test_a_commission_that_never_comes_is_waited_for_and_then_said_to_be_unknown(
    is_pending: bool,
) -> None:
    async def story(there: Nights) -> None:
        there.desk.whims.are_late_pending = is_pending
        await bought(there)
        await there.wait(50)
        assert there.kinds("test-1") == [ReportKind.ACCEPTED]
        [said] = there.said
        assert "commission of execution 00025b46.63f8f39c.01.01 of test-1 was not told" in said
        assert "60 s in all" in said
        await there.wait(60)
        told = there.words("test-1", ReportKind.DIFFERENCE)
        assert "is booked without its fee, whose amount is not known" in told
        assert "account's statement" in told
        [fill] = [each for each in there.told if each.kind is ReportKind.FILLED]
        assert (fill.quantity_units, fill.fee_units) == (3, 0)
        assert there.switch.authority()

    nights(BUYS, story)


@pytest.mark.parametrize("is_pending", [False, True])
def test_a_commission_that_comes_late_is_booked(is_pending: bool) -> None:
    async def story(there: Nights) -> None:
        there.desk.whims.are_late_pending = is_pending
        await bought(there)
        await there.wait(40)
        there.desk.tell_commissions()
        await there.wait(5)
        [fill] = [each for each in there.told if each.kind is ReportKind.FILLED]
        assert fill.fee_units == 10 ** there.core.order_manager.states["AAPL"].ledger.decimals
        assert there.differences == []

    nights(BUYS, story)


def test_the_words_of_a_venue_reach_whoever_listens() -> None:
    heard: list[str] = []

    async def story(there: Nights) -> None:
        assert isinstance(there.venue, IbVenue)
        there.venue.on_words = heard.append
        await bought(there)
        await there.wait(10)
        assert len(heard) == 1

    nights(BUYS, story)
