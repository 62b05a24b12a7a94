"""What only reduces is held up by few guards, and what is in flight counts at its worst."""

from __future__ import annotations

from typing import Any

import pytest
from guard_helpers import BUY, REFUSE, SELL, Rig, trips_in

from logos.core.strategy import Answer, Cancel, Replace, Target, limit, market
from logos.core.types import Code, FillRule, TimeInForce
from logos.testing.builders import paper_rules

POSITION = {"max_position": "10"}
GROSS = {"max_gross_exposure": "2000"}

LOST: dict[str, Any] = {
    "max_drawdown": "1",
    "max_daily_loss": "1",
    "max_consecutive_losses": 1,
    "actions": REFUSE,
}


def test_what_only_reduces_is_not_held_up_by_gross_exposure_or_margin() -> None:
    rig = Rig(max_gross_exposure="1000", cash={"USD": "10"})
    rig.show(100, market(BUY, 10))
    rig.show(200, [market(SELL, 4), market(BUY, 1), market(SELL, 6)])
    assert trips_in(rig.records) == [[Code.GROSS_EXPOSURE]]
    assert rig.core.order_manager.states["AAA"].inventory.position == 0


def test_what_only_reduces_is_not_held_up_by_losses() -> None:
    rig = Rig(**LOST)
    rig.show(100, market(BUY, 10))
    rig.show(99, [market(SELL, 1), market(SELL, 1), market(BUY, 1), market(SELL, 8)])
    assert trips_in(rig.records) == [
        [Code.MAX_DRAWDOWN, Code.MAX_DAILY_LOSS, Code.CONSECUTIVE_LOSSES]
    ]
    assert rig.core.order_manager.states["AAA"].inventory.position == 0


@pytest.mark.parametrize(
    ("how", "answer", "code"),
    [
        ({"max_order_quantity": "5"}, market(SELL, 6), Code.MAX_ORDER_QUANTITY),
        ({"max_order_notional": "1000"}, market(SELL, 6), Code.MAX_ORDER_NOTIONAL),
        ({"max_open_orders": 1}, [limit(BUY, 1, 1), market(SELL, 1)], Code.MAX_OPEN_ORDERS),
        ({"collar": "0.1"}, limit(SELL, 1, 400), Code.PRICE_COLLAR),
        (
            {"max_orders": 6, "max_orders_window_ns": 100},
            [market(SELL, 1), market(SELL, 1)],
            Code.ORDER_RATE,
        ),
        ({"duplicate_window_ns": 100}, [limit(SELL, 1, 300)] * 2, Code.DUPLICATE_ORDER),
    ],
)
def test_the_other_guards_hold_up_what_reduces(
    how: dict[str, Any], answer: Answer, code: Code
) -> None:
    rig = Rig(**how)
    for number in range(1, 6):  # orders small enough for any of these limits
        rig.show(100, market(BUY, 2), at_ns=number * 200 if "duplicate_window_ns" in how else None)
    rig.show(200, answer)
    assert trips_in(rig.records) == [[code]]


def test_closing_one_side_of_a_hedge_is_held_to_the_net_exposure() -> None:
    rig = Rig(max_net_exposure="1500")
    rig.show(100, symbol="BBB")
    rig.show(100, [market(BUY, 10), market(SELL, 20, symbol="BBB")])
    rig.show(100, [market(SELL, 6), market(SELL, 5)])
    assert trips_in(rig.records) == [[Code.NET_EXPOSURE]]
    assert rig.core.order_manager.states["AAA"].inventory.position == 5


def test_cancels_pass_whatever_is_tripped() -> None:
    rig = Rig(max_orders=1, max_orders_window_ns=1000, max_open_orders=1, **LOST)
    rig.show(100, limit(BUY, 1, 90, tag="x"))
    rig.show(100, [market(BUY, 1), Cancel(tag="x")])
    assert trips_in(rig.records) == [[Code.MAX_OPEN_ORDERS, Code.ORDER_RATE]]
    assert rig.core.order_manager.guards.open_orders == 0


# ---- exposure in flight, the hard cases ----


def test_an_order_that_closed_counts_as_soon_as_another_has_closed_for_it() -> None:
    rig = Rig(**GROSS)
    rig.show(100, symbol="BBB")
    rig.show(100, market(BUY, 10))
    rig.show(100, limit(SELL, 10, 110))
    rig.show(100, market(SELL, 10))
    rig.show(100, [market(BUY, 10, symbol="BBB"), limit(BUY, 9, 100, symbol="BBB")])
    assert trips_in(rig.records) == [[Code.GROSS_EXPOSURE]]  # 1,100 and 1,000; 900 pass


def test_a_flip_is_judged_at_the_price_it_would_be_made_at() -> None:
    how = {"max_gross_exposure": "2200"}
    for price, refused in ((110, []), (111, [[Code.GROSS_EXPOSURE]])):
        rig = Rig(**how)
        rig.show(100, market(BUY, 10))
        rig.show(100, limit(SELL, 30, price))
        assert trips_in(rig.records) == refused


def test_a_target_that_flips_at_the_limit_passes() -> None:
    rig = Rig(max_gross_exposure="1000", max_net_exposure="1000", max_position="10")
    rig.show(100, Target(10))
    rig.show(100, Target(-10))
    rig.show(100, Target(10))
    assert trips_in(rig.records) == []
    assert rig.core.order_manager.states["AAA"].inventory.position == 10


def test_market_orders_that_wait_for_the_next_price_are_in_flight() -> None:
    rig = Rig(**POSITION, rules=paper_rules(FillRule.NEXT_OPEN))
    rig.show(100, market(BUY, 6))
    rig.show(100, [market(BUY, 4), market(BUY, 1)])
    assert trips_in(rig.records) == [[Code.MAX_POSITION]]


def test_what_fills_within_the_answer_counts_for_the_rest_of_it() -> None:
    rig = Rig(**POSITION)
    rig.show(100, [market(BUY, 10), market(SELL, 10), market(BUY, 10), market(BUY, 1)])
    assert trips_in(rig.records) == [[Code.MAX_POSITION]]


# ---- what becomes of an order in flight, for each guard that counts it ----

REST = limit(BUY, 8, 90, tag="x")
STORIES: dict[str, tuple[list[tuple[Answer, str]], int]] = {
    # what was answered, with the size shown then; the last buy at 100 that passes a limit of ten
    "resting": ([(limit(BUY, 8, 100), "0")], 2),
    "partly filled": ([(limit(BUY, 8, 100), "3")], 2),
    "wholly filled": ([(limit(BUY, 8, 100), "8")], 2),
    "partly filled and cancelled": (
        [(limit(BUY, 8, 100, tag="x"), "3"), (Cancel(tag="x"), "0")],
        7,
    ),
    "the rest of an IOC": ([(limit(BUY, 8, 100, time_in_force=TimeInForce.IOC), "3")], 7),
    "cancelled": ([(REST, "0"), (Cancel(tag="x"), "0")], 10),
    "replaced by less": ([(REST, "0"), (Replace(tag="x", quantity=3), "0")], 7),
    "replaced by too much": ([(REST, "0"), (Replace(tag="x", quantity=12), "0")], 10),
    "partly filled and replaced": (
        [(limit(BUY, 8, 100, tag="x"), "3"), (Replace(tag="x", quantity=5), "0")],
        5,
    ),
}


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"max_position": "10"}, Code.MAX_POSITION),
        ({"max_gross_exposure": "1000"}, Code.GROSS_EXPOSURE),
        ({"max_net_exposure": "1000"}, Code.NET_EXPOSURE),
    ],
)
def test_each_fate_of_an_order_is_counted_by_each_limit(
    story: str, how: dict[str, Any], code: Code
) -> None:
    steps, last = STORIES[story]
    shared = paper_rules(FillRule.DECISION_CLOSE, participation="1")
    for quantity, refused in ((last, []), (last + 1, [[code]])):
        rig = Rig(**how, rules=shared)
        for answer, size in steps:
            rig.show(100, answer, sizes=size)
        before = len(trips_in(rig.records))
        rig.show(100, limit(BUY, quantity, 100), sizes="0")
        assert trips_in(rig.records)[before:] == refused


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"max_open_orders": 1}, Code.MAX_OPEN_ORDERS),
        ({"max_total_open_orders": 1}, Code.MAX_TOTAL_OPEN_ORDERS),
    ],
)
@pytest.mark.parametrize(
    ("story", "is_open"),
    [
        ("resting", True),
        ("partly filled", True),
        ("wholly filled", False),
        ("partly filled and cancelled", False),
        ("the rest of an IOC", False),
        ("cancelled", False),
        ("replaced by less", True),
        ("partly filled and replaced", True),
    ],
)
def test_each_fate_of_an_order_is_counted_among_the_open_ones(
    story: str, is_open: bool, how: dict[str, Any], code: Code
) -> None:
    rig = Rig(**how, rules=paper_rules(FillRule.DECISION_CLOSE, participation="1"))
    for answer, size in STORIES[story][0]:
        rig.show(100, answer, sizes=size)
    rig.show(100, limit(BUY, 1, 100), sizes="0")
    assert trips_in(rig.records) == ([[code]] if is_open else [])


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"max_position": "10"}, Code.MAX_POSITION),
        ({"max_gross_exposure": "1000"}, Code.GROSS_EXPOSURE),
        ({"max_net_exposure": "1000"}, Code.NET_EXPOSURE),
    ],
)
def test_sales_in_flight_count_like_buys(how: dict[str, Any], code: Code) -> None:
    for quantity, refused in ((2, []), (3, [[code]])):
        rig = Rig(**how, rules=paper_rules(FillRule.DECISION_CLOSE, participation="1"))
        rig.show(100, limit(SELL, 8, 100), sizes="3")
        rig.show(100, limit(SELL, quantity, 100), sizes="0")
        assert trips_in(rig.records) == refused


def test_exposure_is_held_to_the_last_digit_of_its_limit() -> None:
    for money, refused in (("1000", []), ("999.99999999", [[Code.GROSS_EXPOSURE]])):
        rig = Rig(max_gross_exposure=money)
        rig.show(100, market(BUY, 10))
        assert trips_in(rig.records) == refused


def test_open_orders_keep_their_own_price_beside_a_cheaper_one() -> None:
    rig = Rig(max_gross_exposure="924")
    rig.show(100, limit(BUY, 5, 95))
    rig.show(100, limit(BUY, 5, 90))  # 475 and 450
    assert trips_in(rig.records) == [[Code.GROSS_EXPOSURE]]


def test_what_a_flip_would_add_follows_the_mark() -> None:
    for quantity, refused in ((9, []), (10, [[Code.GROSS_EXPOSURE]])):
        rig = Rig(**GROSS)
        rig.show(100, symbol="BBB")
        rig.show(100, market(BUY, 10))
        rig.show(100, limit(SELL, 20, 110))  # short 10 at 110 at the worst, whatever the mark
        rig.show(80, market(BUY, quantity, symbol="BBB"))
        assert trips_in(rig.records) == refused
