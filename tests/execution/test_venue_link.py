"""The link to a venue, one fault at a time: the rows of docs/RECONCILIATION.md."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from link_bench import AT_ONCE, BUY, LinkBench, story
from link_helpers import coin, rest

from logos.core.context import CoreView
from logos.core.messages import Quote, Report, TimePassed
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.strategy import Cancel, Replace, limit
from logos.core.types import OrderStatus, ReportKind, Side, SwitchState
from logos.execution.order_match import fee_units, is_fill_of, plain
from logos.testing.builders import Scripted, guards_in
from logos.testing.fake_venue import Faults
from logos.testing.venue_core import outbox_of, venue_core
from logos.venues.contract import OutcomeUnknown, Unavailable, VenueFill, VenueOrder

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


# ---- cancels ----


def test_a_cancel_before_the_order_was_sent_ends_it_here_and_its_successor_is_sent() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(turned_away=1.0, retry_after_s=1.0)
        bench.quote()
        await bench.wait(0.25)
        bench.quote()
        bench.wish()
        await bench.wait(2)
        assert bench.kinds == ["CANCELLED", "ACCEPTED"]
        assert bench.venue.reached == {"test-2": 1}

    story(work, script={1: BUY, 2: Replace(tag="mine", limit_price="9")})


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "silent", "turned_away"])
def test_a_cancel_is_asked_for_until_the_order_has_ended(fault: str) -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        bench.wish(**{fault: 0.9}, late_s=0.0)
        bench.switch.engage("test", "test")
        bench.core.run([TimePassed(bench.clock.now_ns())])
        bench.send()
        await bench.wait(40)
        bench.wish()
        await bench.wait(60)
        assert bench.kinds == ["ACCEPTED", "CANCELLED"]
        assert bench.venue.books.orders["test-1"].status is OrderStatus.CANCELLED

    story(work)


def test_fills_are_reported_while_a_cancel_cannot_be_had() -> None:
    async def work(bench: LinkBench) -> None:
        async def cancel(request: CancelOrder) -> None:
            raise OutcomeUnknown("no answer")

        bench.quote()
        await bench.wait(1)
        bench.venue.cancel = cancel  # type: ignore[method-assign]
        bench.quote()
        await bench.wait(1)
        bench.venue._fill("test-1", 700)
        await bench.wait(2)
        assert bench.held == 700

    story(work, script={1: BUY, 2: Cancel(tag="mine")})


def test_a_venue_is_not_pestered_with_cancels() -> None:
    async def work(bench: LinkBench) -> None:
        asked: list[float] = []

        async def cancel(request: CancelOrder) -> None:
            asked.append(bench.clock.now_ns() / 1e9)

        bench.quote()
        await bench.wait(1)
        bench.venue.cancel = cancel  # type: ignore[method-assign]
        bench.quote()
        await bench.wait(10)
        assert 4 <= len(asked) <= 6

    story(work, script={1: BUY, 2: Cancel(tag="mine")})


def test_a_fill_that_races_a_cancel_is_booked_before_the_end() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        bench.wish(racing=1.0)
        bench.quote()
        await bench.wait(3)
        filled = bench.venue.books.orders["test-1"].filled
        assert 0 < filled < 2000
        assert bench.kinds == ["ACCEPTED", "FILLED", "CANCELLED"]
        assert bench.held == filled

    story(work, script={1: BUY, 2: Cancel(tag="mine")})


def test_a_last_fill_that_the_ended_order_does_not_count_yet_is_not_forgotten() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        bench.wish(racing=1.0)
        find, lags = bench.venue.find, [True]

        async def stale(client_order_id: str, symbol: str) -> VenueOrder | None:
            there = await find(client_order_id, symbol)
            assert there is not None
            return msgspec.structs.replace(there, filled_units=0) if lags[0] else there

        bench.venue.find = stale  # type: ignore[method-assign]
        bench.quote()
        await bench.wait(3)
        assert bench.kinds == ["ACCEPTED", "FILLED"]
        lags[0] = False
        await bench.wait(1)
        assert bench.kinds == ["ACCEPTED", "FILLED", "CANCELLED"]
        assert bench.held == bench.venue.books.orders["test-1"].filled

    story(work, script={1: BUY, 2: Cancel(tag="mine")})


# ---- what the venue lists ----


def test_late_shuffled_and_repeated_fills_are_each_booked_once() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(unsorted=1.0, listed_s=6.0)
        bench.quote()
        await bench.wait(1)
        for _ in range(10):
            bench.venue._fill("test-1", 200)
            await bench.wait(0.5)
        await bench.wait(8)
        assert bench.kinds == ["ACCEPTED"] + ["FILLED"] * 10
        assert (bench.held, bench.order) == (2000, None)
        assert not bench.is_stopped

    story(work)


def test_an_acknowledgement_that_comes_late_changes_nothing() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(slow=1.0, slow_s=9.0)
        bench.quote()
        await bench.wait(12)
        assert bench.kinds == ["ACCEPTED", "FILLED"]

    story(work, fills=AT_ONCE)


def test_fills_that_stay_missing_stop_trading_and_are_booked_when_they_come() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(listed_s=60.0)
        bench.quote()
        await bench.wait(14)
        assert bench.kinds == ["ACCEPTED", "DIFFERENCE"]
        assert bench.is_stopped
        (guard,) = bench.guards()
        assert "says 2000 units are filled and lists fills of 0" in guard.detail
        await bench.wait(60)
        assert bench.kinds == ["ACCEPTED", "DIFFERENCE", "FILLED"], "said once, then explained"
        assert (bench.held, bench.order) == (2000, None)

    story(work, fills=AT_ONCE)


def test_an_order_not_found_for_a_while_and_then_filled_is_booked() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(lost_after=1.0, late_s=0.0, timeout_s=0.5, hidden=1.0, hidden_s=9.0)
        bench.quote()
        await bench.wait(15)
        assert bench.kinds == ["UNKNOWN", "FILLED"]
        assert bench.held == 2000

    story(work, fills=AT_ONCE)


def test_a_denial_does_not_count_over_an_outage_of_the_venue() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(lost_before=1.0, timeout_s=0.5)
        bench.quote()
        await bench.wait(3)
        bench.wish(unavailable=1.0)
        await bench.wait(60)
        bench.wish()
        while not bench.link._kept["test-1"].doubt:
            await bench.wait(0.25)
        await bench.wait(8)
        assert bench.kinds == ["UNKNOWN"], "denied for eight seconds since it is back"
        await bench.wait(4)
        assert bench.kinds == ["UNKNOWN", "NOT_SENT"]

    story(work)


def test_an_order_that_the_venue_had_taken_and_denies_stops_trading_and_is_followed_on() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        order = bench.venue.books.orders.pop("test-1")
        await bench.wait(12)
        assert bench.kinds == ["ACCEPTED", "DIFFERENCE"]
        assert "no longer knows an order it had taken" in bench.guards()[0].detail
        bench.venue.books.orders["test-1"] = order
        await bench.wait(12)
        assert order.status is OrderStatus.CANCELLED, "trading stopped: it is cancelled there"
        assert bench.kinds == ["ACCEPTED", "DIFFERENCE", "CANCELLED"]

    story(work)


def test_an_order_that_was_taken_and_then_rejected_has_ended_and_stops_nothing() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        assert bench.kinds == ["ACCEPTED"]
        order = bench.venue.books.orders["test-1"]
        order.status, order.reason = OrderStatus.REJECTED, "no margin after all"
        await bench.wait(3)
        assert bench.kinds == ["ACCEPTED", "CANCELLED"], "it was open for us, and is not now"
        assert bench.order is None
        assert not bench.is_stopped
        assert bench.guards() == []

    story(work)


def test_another_order_under_our_id_is_a_difference_and_its_fills_are_not_ours() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(lost_before=1.0, timeout_s=0.1)
        bench.quote()
        await bench.wait(0.5)
        books = bench.venue.books
        order = books.add("test-1", "COIN", Side.SELL, BUY.type, 700, 1000, BUY.time_in_force)
        books.fill(order, 700, 1000, True, bench.clock.now_ns(), 0)
        bench.wish()
        await bench.wait(30)
        assert bench.kinds == ["UNKNOWN", "DIFFERENCE"]
        assert "another order under this id: SELL 700 units" in bench.guards()[0].detail
        assert bench.held == 0

    story(work)


def test_an_order_that_expires_at_the_venue_ends_here() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        bench.venue._expire("test-1")
        await bench.wait(1)
        assert bench.kinds == ["ACCEPTED", "EXPIRED"]

    story(work)


@pytest.mark.parametrize("skew_s", [-50.0, 3600.0])
def test_fills_are_found_by_a_venue_whose_clock_is_wrong(skew_s: float) -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        assert bench.held == 2000

    story(work, fills=AT_ONCE, faults=Faults(skew_s=skew_s))


def test_an_unavailable_venue_is_asked_again_when_it_wishes() -> None:
    async def work(bench: LinkBench) -> None:
        asked: list[int] = []

        async def find(client_order_id: str, symbol: str) -> VenueOrder | None:
            asked.append(bench.clock.now_ns())
            raise Unavailable("maintenance", 20.0)

        bench.quote()
        bench.venue.find = find  # type: ignore[method-assign]
        await bench.wait(50)
        assert len(asked) == 3

    story(work)


def test_a_fill_whose_fee_cannot_be_booked_is_booked_without_it_and_stops_trading() -> None:
    async def work(bench: LinkBench) -> None:
        listed = bench.venue.fills_since

        async def in_points(ts_ns: int) -> Sequence[VenueFill]:
            return [
                msgspec.structs.replace(fill, fee_currency="POINTS") for fill in await listed(ts_ns)
            ]

        bench.venue.fills_since = in_points  # type: ignore[method-assign]
        bench.quote()
        await bench.wait(2)
        assert bench.kinds == ["ACCEPTED", "DIFFERENCE", "FILLED"]
        assert "only fees in USD can be booked" in bench.guards()[0].detail
        assert (bench.held, bench.core.order_manager.states["COIN"].fees) == (2000, 0)

    story(work, fills=AT_ONCE)


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


# ---- words ----


def fill_of(**what: Any) -> VenueFill:
    fill = VenueFill(
        "F1", "", "V1", "COIN", Side.BUY, 5, 1000, Decimal("0.000001"), "USD", False, 0
    )
    return msgspec.structs.replace(fill, **what)


@pytest.mark.parametrize(
    ("fee", "currency", "units"),
    [
        ("0", "POINTS", 0),
        ("0.000001", "USD", 1),
        ("1.50", "USD", 1_500_000),
        ("0.0000001", "USD", None),
        ("-0.5", "USD", None),
        ("0.1", "COIN", None),
    ],
)
def test_only_fees_that_are_exact_in_the_ledger_are_booked(
    fee: str, currency: str, units: int | None
) -> None:
    scales = CoreView(venue_core(Scripted(), COIN).order_manager).symbols["COIN"]
    assert fee_units(scales, fill_of(fee=Decimal(fee), fee_currency=currency)) == units


def test_a_fill_belongs_to_an_order_by_its_client_id_or_else_by_the_venues() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        (outstanding,) = CoreView(bench.core.order_manager).outstanding()
        order = outstanding.terms
        await bench.wait(1)
        there = bench.venue.books.view(bench.venue.books.orders["test-1"])
        assert is_fill_of(order, there, fill_of(client_order_id="test-1", venue_order_id=""))
        assert is_fill_of(order, there, fill_of())
        assert not is_fill_of(order, there, fill_of(client_order_id="test-2"))
        assert not is_fill_of(order, there, fill_of(venue_order_id="V2"))
        assert not is_fill_of(order, there, fill_of(symbol="OTHER"))
        anonymous = msgspec.structs.replace(there, venue_order_id="")
        assert not is_fill_of(order, anonymous, fill_of(venue_order_id=""))

    story(work)


def test_the_switch_is_engaged_by_a_difference_and_not_by_a_doubt() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(lost_before=1.0, timeout_s=0.1)
        bench.quote()
        await bench.wait(20)
        assert guards_in(bench.records) == []
        assert bench.switch.authority() is SwitchState.SAFE

    story(work)


def test_a_venues_words_can_always_be_written_down() -> None:
    assert plain("no \ud800 margin") == "no \\ud800 margin"
    assert len(plain("<html>" * 100_000)) == 1_000
    assert msgspec.json.encode(plain("\udfff" * 5_000))
