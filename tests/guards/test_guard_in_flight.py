"""What only reduces is held up by few guards, and what is in flight counts at its worst."""

from __future__ import annotations

from typing import Any

import pytest
from guard_helpers import BUY, REFUSE, SELL, Desk, trips_in

from logos.core.strategy import Answer, Cancel, Target, limit, market
from logos.core.types import Code, FillRule
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
    desk = Desk(max_gross_exposure="1000", cash={"USD": "10"})
    desk.show(100, market(BUY, 10))
    desk.show(200, [market(SELL, 4), market(BUY, 1), market(SELL, 6)])
    assert trips_in(desk.records) == [[Code.GROSS_EXPOSURE]]
    assert desk.core.desk.books["AAA"].inventory.position == 0


def test_what_only_reduces_is_not_held_up_by_losses() -> None:
    desk = Desk(**LOST)
    desk.show(100, market(BUY, 10))
    desk.show(99, [market(SELL, 1), market(SELL, 1), market(BUY, 1), market(SELL, 8)])
    assert trips_in(desk.records) == [
        [Code.MAX_DRAWDOWN, Code.MAX_DAILY_LOSS, Code.CONSECUTIVE_LOSSES]
    ]
    assert desk.core.desk.books["AAA"].inventory.position == 0


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
    desk = Desk(**how)
    for number in range(1, 6):  # orders small enough for any of these limits
        desk.show(100, market(BUY, 2), at_ns=number * 200 if "duplicate_window_ns" in how else None)
    desk.show(200, answer)
    assert trips_in(desk.records) == [[code]]


def test_closing_one_side_of_a_hedge_is_held_to_the_net_exposure() -> None:
    desk = Desk(max_net_exposure="1500")
    desk.show(100, symbol="BBB")
    desk.show(100, [market(BUY, 10), market(SELL, 20, symbol="BBB")])
    desk.show(100, [market(SELL, 6), market(SELL, 5)])
    assert trips_in(desk.records) == [[Code.NET_EXPOSURE]]
    assert desk.core.desk.books["AAA"].inventory.position == 5


def test_cancels_pass_whatever_is_tripped() -> None:
    desk = Desk(max_orders=1, max_orders_window_ns=1000, max_open_orders=1, **LOST)
    desk.show(100, limit(BUY, 1, 90, tag="x"))
    desk.show(100, [market(BUY, 1), Cancel(tag="x")])
    assert trips_in(desk.records) == [[Code.MAX_OPEN_ORDERS, Code.ORDER_RATE]]
    assert desk.core.desk.guards.open_orders == 0


# ---- exposure in flight, the hard cases ----


def test_an_order_that_closed_counts_as_soon_as_another_has_closed_for_it() -> None:
    desk = Desk(**GROSS)
    desk.show(100, symbol="BBB")
    desk.show(100, market(BUY, 10))
    desk.show(100, limit(SELL, 10, 110))
    desk.show(100, market(SELL, 10))
    desk.show(100, [market(BUY, 10, symbol="BBB"), limit(BUY, 9, 100, symbol="BBB")])
    assert trips_in(desk.records) == [[Code.GROSS_EXPOSURE]]  # 1,100 and 1,000; 900 pass


def test_a_flip_is_judged_at_the_price_it_would_be_made_at() -> None:
    how = {"max_gross_exposure": "2200"}
    for price, refused in ((110, []), (111, [[Code.GROSS_EXPOSURE]])):
        desk = Desk(**how)
        desk.show(100, market(BUY, 10))
        desk.show(100, limit(SELL, 30, price))
        assert trips_in(desk.records) == refused


def test_a_target_that_flips_at_the_limit_passes() -> None:
    desk = Desk(max_gross_exposure="1000", max_net_exposure="1000", max_position="10")
    desk.show(100, Target(10))
    desk.show(100, Target(-10))
    desk.show(100, Target(10))
    assert trips_in(desk.records) == []
    assert desk.core.desk.books["AAA"].inventory.position == 10


def test_market_orders_that_wait_for_the_next_price_are_in_flight() -> None:
    desk = Desk(**POSITION, rules=paper_rules(FillRule.NEXT_OPEN))
    desk.show(100, market(BUY, 6))
    desk.show(100, [market(BUY, 4), market(BUY, 1)])
    assert trips_in(desk.records) == [[Code.MAX_POSITION]]


def test_what_fills_within_the_answer_counts_for_the_rest_of_it() -> None:
    desk = Desk(**POSITION)
    desk.show(100, [market(BUY, 10), market(SELL, 10), market(BUY, 10), market(BUY, 1)])
    assert trips_in(desk.records) == [[Code.MAX_POSITION]]
