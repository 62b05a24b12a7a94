"""Standing targets: what a person means by "be there", whatever rests, flies or is refused."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_bars import COIN, FLAT, FUTURE, held, lived, signed

from logos.core.commands import make_command
from logos.core.gates import InProcessSwitch
from logos.core.instrument import instrument
from logos.core.records import Record, WarningRecord
from logos.core.strategy import Answer, Target, Weight, limit, market, stop
from logos.core.types import Code, FillRule, Side
from logos.testing.builders import (
    Scripted,
    bar,
    ends_in,
    fee_schedule,
    fills_in,
    orders_in,
    paper_rules,
    quote,
    refusals_in,
    trade,
    trading_core,
)


def warnings(records: list[Record]) -> list[tuple[str, str]]:
    return [(each.code, each.detail) for each in records if isinstance(each, WarningRecord)]


# ---- what rests (one row of the table each) ----

LONG_WITH = {
    "a protective stop": stop(Side.SELL, 10, 90),
    "a stop that only reduces": stop(Side.SELL, 10, 90, reduce_only=True),
    "a resting profit target": limit(Side.SELL, 10, 110),
    "an entry below": limit(Side.BUY, 10, 90),
    "an entry above": stop(Side.BUY, 10, 110),
}


@pytest.mark.parametrize("traded", [COIN, FUTURE], ids=["spot", "margin"])
@pytest.mark.parametrize("resting", LONG_WITH.values(), ids=LONG_WITH)
def test_a_flat_target_leaves_nothing_held_and_nothing_that_could_open(
    resting: Answer, traded: Any
) -> None:
    script: dict[int, Answer] = {1: market(Side.BUY, 10), 2: resting, 3: Target(0)}
    core, records = lived(script, *[FLAT] * 4, traded=traded)
    [state] = core.order_manager.states.values()
    assert refusals_in(records) == []
    assert (held(core), state.working, state.target) == (0, [], None)
    assert ends_in(records)[2] in ("CANCELLED CANCELLED_BY_TARGET", "CANCELLED POSITION_CLOSED")


@pytest.mark.parametrize(
    ("resting", "rest"),
    [
        ("a protective stop", [5]),  # cut to the target
        ("a stop that only reduces", [5]),
        ("a resting profit target", [5]),
        ("an entry below", []),
        ("an entry above", []),
    ],
)
def test_a_smaller_target_sells_down_and_keeps_what_protects_the_rest(
    resting: str, rest: list[int]
) -> None:
    script: dict[int, Answer] = {1: market(Side.BUY, 10), 2: LONG_WITH[resting], 3: Target(5)}
    core, records = lived(script, *[FLAT] * 4, traded=FUTURE)
    assert refusals_in(records) == []
    assert held(core) == 5
    assert [order.remaining for order in core.order_manager.states["FUTURE"].working] == rest


def test_a_larger_target_keeps_what_protects() -> None:
    script: dict[int, Answer] = {1: market(Side.BUY, 10), 2: stop(Side.SELL, 10, 90), 3: Target(15)}
    core, records = lived(script, *[FLAT] * 4)
    assert (held(core), signed(records)) == (15, [10, -10, 5])
    assert [order.remaining for order in core.order_manager.states["COIN"].working] == [10]


def test_a_trailing_stop_beside_targets_never_doubles_a_position() -> None:
    script: dict[int, Answer] = {
        number: [Target(10), stop(Side.SELL, 10, 90 + number)] for number in range(1, 6)
    }
    core, records = lived(script, *[FLAT] * 7, traded=FUTURE)
    assert [order for order in signed(records) if order > 0] == [10]
    assert held(core) == 10


# ---- what flies ----


def test_a_wish_to_be_flat_while_the_entry_flies_is_not_lost() -> None:
    core = trading_core(
        Scripted({1: Target(10), 2: Target(0)}), COIN, rules=paper_rules(latency_ns=15)
    )
    records = core.start(1)
    for ts_ns in (1, 2, 20, 30, 40):
        records += core.step(quote(COIN, ts_ns, "100", "100"))
    assert refusals_in(records) == []
    assert (signed(records), held(core)) == ([10, -10], 0)
    assert core.order_manager.targeted == []


def test_a_partly_filled_entry_is_sold_as_far_as_it_comes() -> None:
    core = trading_core(
        Scripted({1: Target(10), 3: Target(0)}), COIN, rules=paper_rules(participation="1")
    )
    records = core.start(1)
    for number, size in enumerate(["10", "4", "3", "50", "50"], 1):
        records += core.step(trade(COIN, number, "100", size))
    assert held(core) == 0
    assert refusals_in(records) == []


def test_with_latency_a_stop_is_cancelled_before_the_position_is_sold() -> None:
    rules = paper_rules(latency_ns=5)
    script: dict[int, Answer] = {1: Target(10), 3: stop(Side.SELL, 10, 90), 4: Target(0)}
    core = trading_core(Scripted(script), FUTURE, rules=rules)
    records = core.start(1)
    for ts_ns in (1, 10, 20, 30, 40, 50):
        records += core.step(quote(FUTURE, ts_ns, "100", "100"))
    order = next(each for each in orders_in(records)[2:])
    assert (signed(records), held(core)) == ([10, -10, -10], 0)
    assert order.ts_ns == 40, "the cancel was asked for at 30 and had effect at 40"


def test_a_target_that_was_reached_does_not_come_back_after_its_stop() -> None:
    script: dict[int, Answer] = {1: Target(10), 2: stop(Side.SELL, 10, 95)}
    core, records = lived(script, FLAT, FLAT, "100 100 90 100", *[FLAT] * 3)
    assert (signed(records), held(core)) == ([10, -10], 0)


def test_an_explicit_order_takes_the_place_of_a_target() -> None:
    core, _ = lived({1: [Target(10), market(Side.BUY, 5)]}, *[FLAT] * 4)
    assert held(core) == 15


def test_a_new_target_replaces_the_old_one() -> None:
    core, records = lived({1: Target(10), 2: Target(3), 3: Target(-2)}, *[FLAT] * 5, traded=FUTURE)
    assert (signed(records), held(core)) == ([10, -7, -5], -2)


# ---- what is refused ----


def test_what_passes_is_waited_for_and_said_once() -> None:
    core = trading_core(
        Scripted({1: [Side.BUY, Target(10)]}),
        COIN,
        max_orders=1,
        max_orders_window_ns=50,
    )
    records = core.start(1)
    for ts_ns in (10, 20, 30, 40, 70, 80):
        records += core.step(quote(COIN, ts_ns, "100", "100"))
    assert refusals_in(records) == [Code.ORDER_RATE]
    assert (signed(records), held(core)) == ([1, 9], 10)


def test_a_limit_ends_a_target_that_would_add() -> None:
    script: dict[int, Answer] = {1: Target(10)}
    core, records = lived(script, *[FLAT] * 3, max_position="5")
    assert refusals_in(records) == [Code.MAX_POSITION]
    assert (signed(records), core.order_manager.targeted) == ([], [])


def test_a_target_that_shrinks_stands_against_any_refusal() -> None:
    script: dict[int, Answer] = {1: Target(10), 2: Target(0)}
    prices = [FLAT, FLAT, FLAT, "10 10 10 10", "10 10 10 10"]
    how = {"max_order_notional": "1000"}
    core, records = lived(script, *["100 100 100 100", "101 101 101 101", *prices[2:]], **how)
    assert refusals_in(records) == [Code.MAX_ORDER_NOTIONAL], "1,010 of 1,000, said once"
    assert held(core) == 0


def test_an_order_that_keeps_failing_is_given_up_in_words() -> None:
    """Each fill at the next open costs more than there is, by a gap that no room covers."""
    gaps = ["2000 2000 100 100"] * 8
    core, records = lived({1: Target(10)}, FLAT, *gaps, cash={"USD": "1000"})
    assert list(ends_in(records).values()) == ["CANCELLED INSUFFICIENT_FUNDS"] * 4
    assert warnings(records) == [
        ("TARGET_GIVEN_UP", "given up after 4 orders that ended without their fill")
    ]
    assert held(core) == 0


def test_what_was_on_its_way_at_the_end_is_said_and_is_no_fault() -> None:
    core, records = lived({1: Target(10)}, FLAT)
    records += core.stop()
    assert warnings(records) == [
        ("TARGET_PENDING", "target 10 was on its way when the events ended, 0 held")
    ]


def test_a_target_set_at_the_very_end_is_said_too() -> None:
    core, records = lived({1: Target(10), -1: Target(0, "COIN")}, FLAT, FLAT)
    records += core.stop()
    assert [code for code, _ in warnings(records)] == ["TARGET_PENDING"]


def test_a_target_whose_earlier_order_failed_was_not_reached() -> None:
    """Its first order cost more than there was, by a gap; the second is open at the end."""
    gap = "2000 2000 100 100"
    core, records = lived({1: Target(10)}, FLAT, gap, cash={"USD": "1000"})
    records += core.stop()
    assert warnings(records) == [
        ("TARGET_NOT_REACHED", "target 10 was not reached, 0 held: its order was open")
    ]


@pytest.mark.parametrize("word", ["suspend", "pause", "flatten"])
def test_an_operator_ends_what_was_wished(word: str) -> None:
    core = trading_core(Scripted({1: Target(10)}), COIN, max_orders=1, max_orders_window_ns=10**9)
    core.start(1)
    core.step(quote(COIN, 1, "100", "100"))
    core.step(make_command(word, 1, "rehearsed", "test", "COIN" if word == "pause" else ""))
    assert core.order_manager.targeted == []


def test_reduce_only_ends_a_target_that_adds_and_not_one_that_shrinks() -> None:
    switch = InProcessSwitch()
    script: dict[int, Answer] = {1: Target(10), 3: Target(15), 4: Target(0)}
    core = trading_core(Scripted(script), COIN, switch=switch)
    records = core.start(1)
    for number in range(1, 7):
        if number == 3:
            switch.set_reduce_only("rehearsed", "test")
        records += core.step(bar(COIN, number, FLAT))
    assert refusals_in(records) == [Code.REDUCE_ONLY]
    assert (signed(records), held(core)) == ([10, -10], 0)


# ---- weights ----

FEES = fee_schedule(taker="0.001", maker="0.001")
COSTLY = instrument("COSTLY", tick="0.01", lot="0.01", quote="USD", fees=FEES)
COSTLY_FUTURE = instrument(
    "COSTLY", tick="0.01", lot="0.01", quote="USD", fees=FEES, settlement="margin"
)


@pytest.mark.parametrize("traded", [COSTLY, COSTLY_FUTURE], ids=["spot", "margin"])
def test_a_weight_of_one_leaves_room_for_fees_slippage_and_the_next_tick(traded: Any) -> None:
    rules = paper_rules(slippage="0.001")
    up = "100.4 100.4 100.4 100.4"
    core, records = lived({1: Weight(1)}, FLAT, up, up, traded=traded, rules=rules)
    assert refusals_in(records) == []
    [fill] = fills_in(records)
    [ledger] = core.order_manager.account.ledgers
    spent = fill.quantity * fill.price + fill.fee
    assert 0 <= 1_000_000 - spent < 10_000, "under one per cent is left"
    assert ledger.fees > 0
    assert core.order_manager.targeted == []


def test_a_weight_is_reached_once_its_order_is_filled_whatever_the_price_does_then() -> None:
    core, records = lived({1: Weight("0.5")}, FLAT, *[f"{p} {p} {p} {p}" for p in (90, 120, 60)])
    assert signed(records) == [5000]
    assert core.order_manager.targeted == []


def test_a_weight_of_half_is_not_cut() -> None:
    _, records = lived({1: Weight("0.5")}, FLAT, FLAT)
    assert [(order.quantity_units, order.notes) for order in orders_in(records)] == [(5000, "")]


def test_a_weight_that_was_cut_says_so() -> None:
    _, records = lived({1: Weight(1)}, FLAT, FLAT)
    [order] = orders_in(records)
    assert order.notes == "cut from 10000 to leave room for fees and price"


def test_a_weight_that_pays_for_no_lot_says_that() -> None:
    _, records = lived({1: Weight(1)}, FLAT, FLAT, cash={"USD": "100"})
    assert refusals_in(records) == [Code.INSUFFICIENT_FUNDS]


@pytest.mark.parametrize(("weight", "orders"), [("0.4", 2), ("1", 3)])
def test_a_weight_turns_a_margin_position_round_in_two_orders_where_one_is_too_dear(
    weight: str, orders: int
) -> None:
    script: dict[int, Answer] = {1: Weight(weight), 3: Weight(f"-{weight}")}
    core, records = lived(script, *[FLAT] * 7, traded=COSTLY_FUTURE)
    assert refusals_in(records) == []
    assert held(core) < -350_000
    assert len(orders_in(records)) == orders
    assert core.order_manager.targeted == []


def test_where_nothing_can_be_borrowed_a_short_target_closes_what_is_held() -> None:
    core, records = lived({1: Target(10), 2: Target(-5)}, *[FLAT] * 5)
    assert refusals_in(records) == [Code.INSUFFICIENT_BORROW]
    assert (signed(records), held(core)) == ([10, -10], 0)
    records = core.stop()
    assert [code for code, _ in warnings(records)] == ["TARGET_NOT_REACHED"]


def test_targets_at_once() -> None:
    core = trading_core(
        Scripted({1: Target(10), 2: Target(4), 3: Target(0)}),
        COIN,
        rules=paper_rules(FillRule.BID_ASK),
    )
    records = core.start(1)
    for number in range(1, 5):
        records += core.step(quote(COIN, number, "99", "101"))
    assert (signed(records), held(core)) == ([10, -6, -4], 0)
    assert core.order_manager.targeted == []
