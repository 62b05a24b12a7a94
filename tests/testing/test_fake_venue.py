"""The fake venue itself: its books are right whatever it says."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from link_helpers import coin, run

from logos.core.messages import Quote
from logos.core.outbox import SubmitOrder
from logos.core.strategy import limit
from logos.core.types import OrderStatus, OrderType, Side, TimeInForce
from logos.execution.clock import SystemClock
from logos.testing.builders import Scripted
from logos.testing.clock import ManualClock
from logos.testing.fake_books import FakeBooks
from logos.testing.fake_venue import FakeVenue, Faults, FillRules
from logos.testing.venue_core import outbox_of, venue_core
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable

COIN, PERP = coin(), coin("PERP", "margin", base="PBASE")


def an_order() -> SubmitOrder:
    """A buy of two coins at ten, approved by a core."""
    core = venue_core(Scripted({1: limit(Side.BUY, "2", "10")}), COIN)
    core.run([Quote(1, "COIN", 999, 1000, -1, -1, COIN)])
    (request,) = outbox_of(core).take()
    assert isinstance(request, SubmitOrder)
    return request


def venue(fills: FillRules | None = None, **faults: Any) -> FakeVenue:
    made = FakeVenue(
        [COIN], ManualClock(), Random(1), {"USD": "100"}, fills=fills, faults=Faults(**faults)
    )
    made.set_price("COIN", 1000)
    return made


def test_a_fill_moves_money_coins_and_the_fee() -> None:
    there = venue(FillRules(1, 0, 0))
    order = run(there.submit(an_order()))
    assert (order.status, order.filled_units) == (OrderStatus.FILLED, 2000)
    (fill,) = run(there.fills_since(0))
    assert fill.fee == Decimal("0.004000")
    assert run(there.balances()) == {"USD": Decimal("79.996000"), "COIN": Decimal(2)}


@pytest.mark.parametrize(
    ("fault", "error"),
    [("turned_away", NotSent), ("refused", Refused)],
)
def test_what_is_turned_away_or_refused_never_reached_the_books(
    fault: str, error: type[Exception]
) -> None:
    there = venue(None, **{fault: 1.0})
    with pytest.raises(error):
        run(there.submit(an_order()))
    assert (there.submits, there.reached) == ({"test-1": 1}, {})


@pytest.mark.parametrize(("fault", "arrives"), [("lost_before", False), ("lost_after", True)])
def test_a_lost_order_arrives_or_not_and_sending_it_again_is_noticed(
    fault: str, arrives: bool
) -> None:
    there = venue(None, **{fault: 1.0}, timeout_s=0.0, late_s=0.0)
    with pytest.raises(OutcomeUnknown):
        run(there.submit(an_order()))
    assert (run(there.find("test-1", "COIN")) is not None) == arrives
    there.calm()
    if not arrives:
        run(there.submit(an_order()))
        assert there.resent == ["test-1"]


def test_an_unavailable_venue_answers_no_question_and_a_calm_one_does() -> None:
    there = venue(unavailable=1.0)
    for question in (there.open_orders, there.positions, there.balances, there.check):
        with pytest.raises(Unavailable):
            run(question())
    there.calm()
    assert run(there.open_orders()) == []


def test_an_id_that_comes_twice_is_no_order() -> None:
    books = FakeBooks([COIN], {})
    books.add("test-1", "COIN", Side.BUY, OrderType.LIMIT, 5, 1000, TimeInForce.GTC)
    with pytest.raises(AssertionError, match="came twice"):
        books.add("test-1", "COIN", Side.BUY, OrderType.LIMIT, 5, 1000, TimeInForce.GTC)


fills = st.lists(
    st.tuples(st.booleans(), st.integers(1, 5000), st.integers(1, 5000)), min_size=1, max_size=20
)


@settings(deadline=None)
@given(fills)
def test_money_plus_what_is_open_is_conserved_to_the_last_digit(
    rows: list[tuple[bool, int, int]],
) -> None:
    books = FakeBooks([PERP], {"USD": "1000"})
    paid = flow = Decimal(0)
    for number, (is_buy, quantity, price) in enumerate(rows):
        side = Side.BUY if is_buy else Side.SELL
        order = books.add(
            f"s-{number}", "PERP", side, OrderType.LIMIT, quantity, price, TimeInForce.GTC
        )
        fill = books.fill(order, quantity, price, False, number, 0)
        paid += fill.fee
        value = Decimal(quantity * price).scaleb(-5)
        flow += -value if is_buy else value
    assert books.balances["USD"] == Decimal(1000) - paid + flow + books.cost("PERP")
    sold = sum(quantity if is_buy else -quantity for is_buy, quantity, _ in rows)
    assert books.positions["PERP"] == sold


def test_the_system_clock_stands_still_when_the_machines_is_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_ns = [100]
    monkeypatch.setattr("time.time_ns", lambda: now_ns[0])
    clock = SystemClock()
    assert clock.now_ns() == 100
    now_ns[0] = 40
    assert clock.now_ns() == 100
    now_ns[0] = 101
    assert clock.now_ns() == 101
    run(clock.sleep(0))
