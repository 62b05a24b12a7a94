"""An order's way to a venue and what goes wrong on it: rows of docs/RECONCILIATION.md."""

from __future__ import annotations

import pytest
from link_bench import AT_ONCE, BUY, LinkBench, story
from link_helpers import coin, rest

from logos.core.messages import Quote, Report
from logos.core.outbox import SubmitOrder
from logos.core.strategy import Cancel, limit
from logos.core.types import OrderStatus, ReportKind, Side
from logos.testing.venue_core import outbox_of
from logos.venues.contract import Unavailable, VenueOrder

COIN = coin()

# ---- all is well ----


def test_an_order_is_sent_accepted_filled_and_ends() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        assert bench.kinds == ["ACCEPTED", "FILLED"]
        assert (bench.held, bench.order, bench.link.open_count) == (2000, None, 0)

    story(work, fills=AT_ONCE)


def test_a_cancel_is_asked_for_at_once_and_reported_when_the_venue_has_ended_the_order() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(3.1)
        bench.quote()
        await rest()
        assert bench.venue.books.orders["test-1"].status is OrderStatus.CANCELLED
        await bench.wait(1)
        assert bench.kinds == ["ACCEPTED", "CANCELLED"]
        assert bench.order is None

    story(work, script={1: BUY, 2: Cancel(tag="mine")})


# ---- timeouts of an order ----


def test_a_timeout_before_accept_is_unknown_and_then_never_sent() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(lost_before=1.0)
        bench.quote()
        await bench.wait(6)
        assert bench.kinds == ["UNKNOWN"]
        bench.wish()
        await bench.wait(8)
        assert bench.kinds == ["UNKNOWN"], "a denial counts only after its time"
        await bench.wait(8)
        assert bench.kinds == ["UNKNOWN", "NOT_SENT"]
        assert bench.venue.submits == {"test-1": 1}
        assert bench.order is None
        assert not bench.is_stopped

    story(work)


@pytest.mark.parametrize("late_s", [0.0, 8.0])
def test_a_timeout_after_accept_is_found_out_and_never_sent_again(late_s: float) -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(lost_after=1.0, late_s=late_s)
        bench.quote()
        await bench.wait(6)
        bench.wish()
        await bench.wait(10)
        assert bench.kinds == ["UNKNOWN", "FILLED"]
        assert bench.venue.submits == {"test-1": 1}
        assert bench.held == 2000

    story(work, fills=AT_ONCE)


@pytest.mark.parametrize("has_arrived", [True, False])
def test_a_half_open_connection_is_given_up_and_the_order_is_asked_for(has_arrived: bool) -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(silent=1.0, silent_arrives=float(has_arrived))
        bench.quote()
        await bench.wait(14)
        assert bench.kinds == []
        await bench.wait(2)
        assert bench.kinds[0] == "UNKNOWN"
        bench.wish()
        await bench.wait(60)
        assert bool(bench.venue.reached) == has_arrived
        assert bench.kinds == ["UNKNOWN", "FILLED" if has_arrived else "NOT_SENT"]

    story(work, fills=AT_ONCE)


def test_an_error_of_a_kind_no_submit_should_raise_is_a_doubt_and_no_death() -> None:
    async def work(bench: LinkBench) -> None:
        async def submit(request: SubmitOrder) -> VenueOrder:
            raise Unavailable("an answer nobody can read")

        bench.venue.submit = submit  # type: ignore[method-assign]
        bench.quote()
        await bench.wait(1)
        assert bench.kinds == ["UNKNOWN"]

    story(work)


# ---- the venue turns an order away ----


def test_an_order_that_was_turned_away_is_sent_again_while_it_is_young() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(turned_away=1.0, retry_after_s=0.5)
        bench.quote()
        await bench.wait(0.25)
        bench.wish()
        await bench.wait(2)
        assert bench.kinds == ["ACCEPTED"]
        assert bench.venue.submits["test-1"] > 1
        assert bench.venue.reached == {"test-1": 1}

    story(work)


@pytest.mark.parametrize("retry_after_s", [0.0, 60.0], ids=["429 again and again", "maintenance"])
def test_an_order_that_is_turned_away_for_too_long_was_never_sent(retry_after_s: float) -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(turned_away=1.0, retry_after_s=retry_after_s)
        bench.quote()
        await bench.wait(4)
        assert bench.kinds == ["NOT_SENT"]
        assert bench.venue.reached == {}

    story(work)


@pytest.mark.parametrize("fault", ["refused", "rejected"])
def test_a_refusal_and_a_rejection_are_final(fault: str) -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(**{fault: 1.0})
        bench.quote()
        await bench.wait(2)
        assert bench.kinds == ["REJECTED"]
        assert bench.venue.submits == {"test-1": 1}

    story(work)


# ---- the gates ----


def test_the_switch_is_asked_once_more_right_before_an_order_leaves() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        bench.switch.engage("test", "test")
        await bench.wait(1)
        assert bench.venue.submits == {}
        assert bench.kinds == ["NOT_SENT"]

    story(work)


def test_a_switch_that_engages_while_an_order_waits_to_be_sent_again_keeps_it_here() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(turned_away=1.0, retry_after_s=1.0)
        bench.quote()
        await bench.wait(0.5)
        bench.wish()
        bench.switch.engage("test", "test")
        await bench.wait(2)
        assert bench.venue.submits == {"test-1": 1}
        assert bench.kinds == ["NOT_SENT"]

    story(work)


def test_reduce_only_keeps_an_order_here_that_does_not_reduce() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        bench.switch.set_reduce_only("test", "test")
        await bench.wait(1)
        assert bench.venue.submits == {}
        assert bench.kinds == ["NOT_SENT"]

    story(work)


def test_reduce_only_lets_an_order_leave_that_reduces() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        bench.quote()
        bench.switch.set_reduce_only("test", "test")
        await bench.wait(1)
        assert bench.venue.reached == {"test-1": 1, "test-2": 1}
        assert bench.held == 500

    story(work, script={1: BUY, 2: limit(Side.SELL, "1.5", "10")}, fills=AT_ONCE)


# ---- another life ----


@pytest.mark.parametrize("status", [OrderStatus.NEW, OrderStatus.UNKNOWN])
@pytest.mark.parametrize("is_there", [True, False], ids=["it is there", "it is not"])
def test_an_order_of_an_earlier_life_is_asked_for_and_never_sent(
    status: OrderStatus, is_there: bool
) -> None:
    async def work(bench: LinkBench) -> None:
        bench.core.run([Quote(bench.clock.now_ns(), "COIN", 999, 1000, -1, -1, COIN)])
        (request,) = outbox_of(bench.core).take()
        if status is OrderStatus.UNKNOWN:
            bench.core.run([Report(bench.clock.now_ns(), ReportKind.UNKNOWN, "test-1")])
        if is_there:
            assert isinstance(request, SubmitOrder)
            bench.venue._arrive(request.terms, False)
        bench.link.adopt()
        bench.link.adopt()
        await bench.wait(15)
        assert bench.venue.submits == {}
        begin = ["UNKNOWN"] if status is OrderStatus.NEW else []
        assert bench.kinds == begin + (["FILLED"] if is_there else ["NOT_SENT"])
        assert not bench.is_stopped

    story(work, fills=AT_ONCE)


def test_fills_that_were_reported_in_an_earlier_life_are_not_reported_again() -> None:
    async def work(bench: LinkBench) -> None:
        bench.core.run([Quote(bench.clock.now_ns(), "COIN", 999, 1000, -1, -1, COIN)])
        (request,) = outbox_of(bench.core).take()
        assert isinstance(request, SubmitOrder)
        bench.venue._arrive(request.terms, False)
        bench.venue._fill("test-1", 700)
        now_ns, kind = bench.clock.now_ns(), ReportKind.FILLED
        bench.core.run([Report(now_ns, kind, "test-1", "", 700, 1000, 1400, True, "F1")])
        bench.venue._fill("test-1", 300)
        bench.link.adopt([("test-1", "F1")])
        await bench.wait(1)
        assert bench.held == 1000
        assert not bench.is_stopped

    story(work)


def test_a_cancel_wanted_in_an_earlier_life_is_asked_for_in_this_one() -> None:
    async def work(bench: LinkBench) -> None:
        bench.core.run([Quote(bench.clock.now_ns(), "COIN", 999, 1000, -1, -1, COIN)])
        (request,) = outbox_of(bench.core).take()
        assert isinstance(request, SubmitOrder)
        bench.venue._arrive(request.terms, False)
        bench.core.run([Quote(bench.clock.now_ns(), "COIN", 999, 1000, -1, -1, COIN)])
        assert len(outbox_of(bench.core).take()) == 1
        bench.link.adopt()
        await bench.wait(1)
        assert bench.kinds == ["UNKNOWN", "ACCEPTED", "CANCELLED"]

    story(work, script={1: BUY, 2: Cancel(tag="mine")})
