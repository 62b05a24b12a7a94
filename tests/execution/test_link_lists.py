"""What a venue lists, late, missing and wrong: rows of docs/RECONCILIATION.md."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from link_bench import AT_ONCE, BUY, LinkBench, story
from link_helpers import coin
from traffic import Traffic, resting

from logos.core.context import CoreView
from logos.core.strategy import market
from logos.core.types import OrderStatus, Side, SwitchState
from logos.execution.order_match import fee_units, is_fill_of, plain
from logos.testing.builders import Scripted, guards_in
from logos.testing.fake_venue import FakeVenue, Faults
from logos.testing.venue_core import venue_core
from logos.venues.contract import Unavailable, VenueFill, VenueOrder

COIN = coin()


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
        ("-0.5", "USD", -500_000),
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


def test_a_market_order_is_looked_for_in_no_list_of_what_rests() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        await traffic.rest_orders(5)
        bench.venue._fills = AT_ONCE
        traffic.begin()
        bench.quote()
        await bench.wait(0.1)
        assert bench.kinds[-2:] == ["ACCEPTED", "FILLED"]
        assert (traffic.counts["open_orders"], traffic.counts["find"]) == (0, 1)

    story(work, script=resting(5) | {6: market(Side.BUY, "1")})


def test_a_venue_that_looks_fills_up_is_asked_for_those_of_one_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def fills_of(
        venue: FakeVenue, client_order_id: str, since_ns: int
    ) -> Sequence[VenueFill]:
        asked.append(client_order_id)
        fills = await FakeVenue.fills_since(venue, since_ns)
        return [each for each in fills if each.client_order_id == client_order_id]

    monkeypatch.setattr(FakeVenue, "fills_of", fills_of, raising=False)

    async def work(bench: LinkBench) -> None:
        bench.wish()
        bench.quote()
        await bench.wait(1)
        for _ in range(3):
            bench.venue._fill("test-1", 200)
            await bench.wait(2)
        bench.venue._cancel("test-1")
        await bench.wait(4)
        assert bench.kinds == ["ACCEPTED", *["FILLED"] * 3, "CANCELLED"]
        assert bench.held == 600
        assert set(asked) == {"test-1"}

    story(work)
