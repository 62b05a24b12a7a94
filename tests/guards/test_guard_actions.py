"""What guards do besides refusing, and the guards that watch every tick."""

from __future__ import annotations

from typing import Any

import pytest
from guard_helpers import BUY, SELL, A, Rig, contract, trips_in

from logos.core.guards import DEFAULT_ACTIONS, Action, SessionGuards
from logos.core.guards.table import GUARDS
from logos.core.records import GuardRecord, Record, SwitchRecord
from logos.core.strategy import Answer, Weight, limit, market, stop
from logos.core.types import NS_PER_DAY, Code, FillRule, SwitchState
from logos.testing.builders import (
    Scripted,
    ends_in,
    fee_schedule,
    guards_in,
    paper_rules,
    trade,
    trading_core,
)

DRAWDOWN = Code.MAX_DRAWDOWN
DAILY = Code.MAX_DAILY_LOSS
LOSSES = Code.CONSECUTIVE_LOSSES


def on_ticks(records: list[Record]) -> list[tuple[int, Code]]:
    """The tick and the code of every guard record."""
    return [(each.tick_id, each.code) for each in records if isinstance(each, GuardRecord)]


def state(rig: Rig) -> SwitchState:
    found: SwitchState = rig.core.switch.authority()
    return found


def test_losses_engage_old_prices_and_storms_halt_and_all_others_only_refuse_by_default() -> None:
    guards = SessionGuards()
    more = {code: guards.action(code) for code in GUARDS}
    more = {code: action for code, action in more.items() if action is not Action.REFUSE}
    losses = dict.fromkeys((DRAWDOWN, DAILY, LOSSES), Action.ENGAGE)
    halts = dict.fromkeys((Code.STALE_DATA, Code.REFUSAL_STORM), Action.HALT)
    assert more == DEFAULT_ACTIONS == {**losses, **halts}


# ---- guards before an order ----

TRIPPED: list[tuple[Code, dict[str, Any], Answer]] = [
    (Code.MAX_POSITION, {"max_position": "10"}, market(BUY, 11)),
    (Code.MAX_ORDER_QUANTITY, {"max_order_quantity": "10"}, market(BUY, 11)),
    (Code.PRICE_COLLAR, {"collar": "0.1"}, limit(BUY, 1, 80)),
    (Code.GROSS_EXPOSURE, {"max_gross_exposure": "1000"}, market(BUY, 11)),
    (Code.INSUFFICIENT_FUNDS, {"cash": {"USD": "10"}}, market(BUY, 11)),
    (Code.ORDER_RATE, {"max_orders": 1, "max_orders_window_ns": 100}, [market(BUY, 1)] * 2),
    (Code.NO_REFERENCE_PRICE, {}, market(BUY, 1, symbol="BBB")),
    (Code.NO_REFERENCE_PRICE, {}, Weight(1, "BBB")),
]


@pytest.mark.parametrize(("code", "how", "answer"), TRIPPED)
def test_a_guard_that_only_refuses_leaves_the_switch_alone(
    code: Code, how: dict[str, Any], answer: Answer
) -> None:
    rig = Rig(**how)
    rig.show(100, answer)
    assert trips_in(rig.records) == [[code]]
    assert guards_in(rig.records) == []
    assert state(rig) is SwitchState.SAFE


@pytest.mark.parametrize(("code", "how", "answer"), TRIPPED)
def test_a_guard_may_set_reduce_only(code: Code, how: dict[str, Any], answer: Answer) -> None:
    rig = Rig(**how, actions={code: Action.REDUCE_ONLY})
    rig.show(100, limit(BUY, 1, 99), at_ns=10**6)
    rig.show(100, answer, at_ns=2 * 10**6)
    assert trips_in(rig.records) == [[code]]
    assert guards_in(rig.records) == [(code, "reduce_only")]
    assert state(rig) is SwitchState.REDUCE_ONLY
    assert ends_in(rig.records)[1] == "CANCELLED CANCELLED_BY_KILL_SWITCH"
    held = rig.core.order_manager.states["AAA"].inventory.position
    rig.show(100, [market(BUY, 1), market(SELL, held)] if held else market(BUY, 1), at_ns=10**9)
    assert trips_in(rig.records)[1:] == [[Code.REDUCE_ONLY]]
    assert rig.core.order_manager.states["AAA"].inventory.position == 0


@pytest.mark.parametrize(("code", "how", "answer"), TRIPPED)
def test_a_guard_may_engage_the_switch(code: Code, how: dict[str, Any], answer: Answer) -> None:
    rig = Rig(**how, actions={code: Action.ENGAGE})
    rig.show(100, limit(BUY, 1, 99), at_ns=10**6)
    rig.show(100, answer, at_ns=2 * 10**6)
    assert trips_in(rig.records) == [[code]]
    assert guards_in(rig.records) == [(code, "engage")]
    assert state(rig) is SwitchState.ENGAGED
    assert rig.core.switch.why() == f"guard {code.value} (by guard)"
    assert ends_in(rig.records)[1] == "CANCELLED CANCELLED_BY_KILL_SWITCH"
    made = rig.core.order_manager.order_count
    rig.show(100, market(BUY, 1), at_ns=10**9)
    assert rig.core.blocked_count == 1
    assert rig.core.order_manager.order_count == made


def test_no_reference_price_acts_where_both_sides_are_needed_too() -> None:
    core = trading_core(
        Scripted({1: market(BUY, 1)}),
        A,
        rules=paper_rules(FillRule.BID_ASK),
        actions={Code.NO_REFERENCE_PRICE: Action.ENGAGE},
    )
    records = core.start(0) + core.step(trade(A, 1, "100"))
    assert guards_in(records) == [(Code.NO_REFERENCE_PRICE, "engage")]
    assert core.is_blocked


def test_the_rest_of_an_answer_meets_the_engaged_switch_at_gate_2() -> None:
    rig = Rig(max_position="10", actions={Code.MAX_POSITION: Action.ENGAGE})
    rig.show(100, [market(BUY, 1), market(BUY, 11), market(BUY, 1)])
    assert trips_in(rig.records) == [
        [Code.MAX_POSITION],
        [Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING],
    ]
    assert rig.core.order_manager.order_count == 1


def test_two_guards_on_one_order_both_act_and_the_more_severe_holds() -> None:
    actions = {
        Code.MAX_ORDER_QUANTITY: Action.REDUCE_ONLY,
        Code.MAX_POSITION: Action.ENGAGE,
        Code.GROSS_EXPOSURE: Action.REDUCE_ONLY,
    }
    rig = Rig(max_order_quantity="5", max_position="10", max_gross_exposure="100", actions=actions)
    rig.show(100, market(BUY, 11))
    assert guards_in(rig.records) == [
        (Code.MAX_ORDER_QUANTITY, "reduce_only"),
        (Code.MAX_POSITION, "engage"),
        (Code.GROSS_EXPOSURE, "reduce_only"),
    ]
    states = [each.state for each in rig.records if isinstance(each, SwitchRecord)]
    assert states == ["REDUCE_ONLY", "ENGAGED"]
    assert state(rig) is SwitchState.ENGAGED


# ---- drawdown ----


def test_a_drawdown_trips_on_a_tick_without_any_order_and_is_recorded_once() -> None:
    rig = Rig(max_drawdown="50")
    rig.show(100, market(BUY, 1))
    rig.show(50)
    assert on_ticks(rig.records) == []
    for price in (49, 48, 20):
        rig.show(price)
    assert on_ticks(rig.records) == [(3, DRAWDOWN)]
    assert state(rig) is SwitchState.ENGAGED
    assert rig.core.blocked_count == 2


@pytest.mark.parametrize("rests", [False, True])
def test_gate_1_blocks_the_tick_after_the_one_that_tripped(rests: bool) -> None:
    rig = Rig(max_drawdown="50", halt_on_engage=True)
    rig.show(100, [market(BUY, 1), *([limit(BUY, 1, 1)] if rests else [])])
    made = rig.core.order_manager.order_count
    rig.show(49, market(BUY, 1))
    assert rig.core.order_manager.order_count == made
    assert not rig.core.is_halted
    rig.show(49, market(BUY, 1))
    assert rig.core.is_halted
    assert rig.core.order_manager.order_count == made


def test_a_drawdown_counts_from_every_new_high() -> None:
    rig = Rig(max_drawdown="50", actions={DRAWDOWN: Action.REFUSE})
    rig.show(100, market(BUY, 1))
    for price in (300, 250, 249):
        rig.show(price)
    assert on_ticks(rig.records) == [(4, DRAWDOWN)]
    rig.show(250, market(BUY, 1))  # within the limit again: refused no longer
    assert trips_in(rig.records) == []
    rig.show(240)
    assert len(on_ticks(rig.records)) == 1  # said already, since the high of 300
    for price in (330, 305, 304):  # two are held now: a new high of 560, and 52 below it
        rig.show(price)
    assert on_ticks(rig.records) == [(4, DRAWDOWN), (9, DRAWDOWN)]


def test_the_share_grows_with_the_high_water_mark() -> None:
    rig = Rig(max_drawdown_share="0.1", cash={"USD": "1000"}, actions={DRAWDOWN: Action.REFUSE})
    rig.show(100, market(BUY, 10))
    for price in (200, 180, 179):  # the mark is 2000: 1800 is just within
        rig.show(price)
    assert on_ticks(rig.records) == [(4, DRAWDOWN)]


@pytest.mark.parametrize(
    ("money", "share", "last_inside"),
    [("50", "0.1", 50), ("200", "0.1", 0), ("50", "0", 50), ("0", "0.05", 50)],
)
def test_of_money_and_share_the_tighter_counts(money: str, share: str, last_inside: int) -> None:
    rig = Rig(max_drawdown=money, max_drawdown_share=share, cash={"USD": "1000"})
    rig.show(100, market(BUY, 1))
    rig.show(max(last_inside, 1))
    assert on_ticks(rig.records) == []
    if last_inside:
        rig.show(last_inside - 1)
        assert on_ticks(rig.records) == [(3, DRAWDOWN)]


def test_a_share_of_nothing_is_a_limit_and_not_none() -> None:
    rig = Rig(
        contract(leverage=1, initial_margin="0"),
        max_drawdown="50",
        max_drawdown_share="0.1",
        cash={},
    )
    rig.show(100, market(BUY, 1))
    rig.show(99)
    assert on_ticks(rig.records) == [(2, DRAWDOWN)]


def test_a_loss_by_fees_alone_is_a_drawdown() -> None:
    fees = fee_schedule(per_fill="51")
    rig = Rig(contract(fees=fees), max_drawdown="50")
    rig.show(100, market(BUY, 1))
    assert on_ticks(rig.records) == [(1, DRAWDOWN)]


def test_drawdowns_are_of_each_currency_by_itself() -> None:
    euro = contract("BBB", quote="EUR")
    rig = Rig(A, euro, max_drawdown="50", actions={DRAWDOWN: Action.REFUSE})
    rig.show(100, symbol="BBB")
    rig.show(100, market(BUY, 1))
    rig.show(49, [market(BUY, 1), market(BUY, 1, symbol="BBB")])
    assert trips_in(rig.records) == [[DRAWDOWN]]
    [record] = [each for each in rig.records if isinstance(each, GuardRecord)]
    assert (record.subject, record.action) == ("USD", "refuse")
    assert rig.core.order_manager.states["BBB"].inventory.position == 1


# ---- the day ----


def test_a_daily_loss_counts_from_the_beginning_of_the_utc_day() -> None:
    rig = Rig(max_daily_loss="50", actions={DAILY: Action.REFUSE})
    rig.show(200, market(BUY, 1), at_ns=NS_PER_DAY - 10)
    rig.show(150, at_ns=NS_PER_DAY - 1)
    assert on_ticks(rig.records) == []
    rig.show(149, market(BUY, 1), at_ns=NS_PER_DAY)  # another day: 1 is lost since its beginning
    assert (on_ticks(rig.records), trips_in(rig.records)) == ([], [])
    rig.show(124, at_ns=NS_PER_DAY + 1)  # two are held: 51 lost today
    assert on_ticks(rig.records) == [(4, DAILY)]
    rig.show(100, market(BUY, 1), at_ns=NS_PER_DAY + 2)
    assert trips_in(rig.records) == [[DAILY]]
    rig.show(100, market(BUY, 1), at_ns=2 * NS_PER_DAY)
    assert len(trips_in(rig.records)) == 1  # a new day
    rig.show(80, at_ns=2 * NS_PER_DAY + 1)
    assert on_ticks(rig.records) == [(4, DAILY), (7, DAILY)]


def test_a_loss_overnight_belongs_to_the_new_day() -> None:
    rig = Rig(max_daily_loss="50")
    rig.show(200, market(BUY, 1), at_ns=NS_PER_DAY - 1)
    rig.show(149, at_ns=NS_PER_DAY)
    assert on_ticks(rig.records) == [(2, DAILY)]


def test_a_standing_drawdown_is_not_recorded_again_each_day() -> None:
    rig = Rig(max_drawdown="50", actions={DRAWDOWN: Action.REFUSE})
    rig.show(100, market(BUY, 1))
    for day in (1, 2, 3):
        rig.show(40 - day, at_ns=day * NS_PER_DAY)
    assert on_ticks(rig.records) == [(2, DRAWDOWN)]


def test_one_loss_guard_does_not_hide_the_other() -> None:
    rig = Rig(max_daily_loss="50", max_drawdown="90", actions={DAILY: Action.REDUCE_ONLY})
    rig.show(100, market(BUY, 1))
    for price in (49, 11, 10, 9):
        rig.show(price)
    assert guards_in(rig.records) == [(DAILY, "reduce_only"), (DRAWDOWN, "engage")]
    assert on_ticks(rig.records)[1] == (5, DRAWDOWN)


def test_the_first_to_trip_is_not_recorded_again_with_the_second() -> None:
    actions = {DRAWDOWN: Action.REFUSE, DAILY: Action.REFUSE}
    rig = Rig(max_drawdown="50", max_daily_loss="90", actions=actions)
    rig.show(100, market(BUY, 1))
    for price in (49, 11, 9, 8):
        rig.show(price)
    assert on_ticks(rig.records) == [(2, DRAWDOWN), (4, DAILY)]


# ---- losses in a row ----


def results(*prices: int) -> Rig:
    """Buys one at 100 and sells it at each of `prices`, with a limit of 2 losses in a row."""
    rig = Rig(max_consecutive_losses=2)
    for price in prices:
        rig.show(100, market(BUY, 1))
        rig.show(price, market(SELL, 1))
    return rig


def test_losses_in_a_row_trip_as_the_last_is_booked() -> None:
    assert on_ticks(results(99, 99).records) == [(4, LOSSES)]
    assert state(results(99, 99)) is SwitchState.ENGAGED


@pytest.mark.parametrize("between", [100, 101])
def test_a_result_that_is_no_loss_begins_anew(between: int) -> None:
    rig = results(99, between, 99)
    assert on_ticks(rig.records) == []
    rig.show(100, market(BUY, 1))
    rig.show(98, market(SELL, 1))
    assert on_ticks(rig.records) == [(8, LOSSES)]


def test_fees_of_both_sides_make_a_loss() -> None:
    rig = Rig(contract(fees=fee_schedule(per_fill="1")), max_consecutive_losses=1)
    rig.show(100, market(BUY, 1))
    rig.show(102, market(SELL, 1))
    assert on_ticks(rig.records) == []
    rig.show(102, market(BUY, 1))
    rig.show(103, market(SELL, 1))
    assert on_ticks(rig.records) == [(4, LOSSES)]


def test_opening_fills_are_no_results() -> None:
    rig = Rig(contract(fees=fee_schedule(per_fill="1")), max_consecutive_losses=1)
    for _ in range(5):
        rig.show(100, market(BUY, 1))
    assert on_ticks(rig.records) == []


# ---- several on one event ----


def test_all_guards_that_trip_on_one_tick_are_recorded_in_order() -> None:
    rig = Rig(max_drawdown="50", max_daily_loss="50", max_consecutive_losses=1)
    rig.show(100, market(BUY, 2))
    rig.show(100, stop(SELL, 1, 90))
    rig.show(60)  # the stop loses 40, and so does what is left
    assert on_ticks(rig.records) == [(3, DRAWDOWN), (3, DAILY), (3, LOSSES)]
    states = [each.state for each in rig.records if isinstance(each, SwitchRecord)]
    assert states == ["ENGAGED"]


def test_reduce_only_by_a_guard_keeps_what_closes() -> None:
    rig = Rig(max_drawdown="50", actions={DRAWDOWN: Action.REDUCE_ONLY})
    rig.show(100, market(BUY, 10))
    rig.show(100, [limit(SELL, 6, 120), limit(BUY, 1, 80), limit(SELL, 5, 121)])
    rig.show(90)
    ended = ends_in(rig.records)
    assert ended[2] == "ACCEPTED"
    assert ended[3] == ended[4] == "CANCELLED CANCELLED_BY_KILL_SWITCH"
    rig.show(90, [market(SELL, 5), market(SELL, 4)])
    assert trips_in(rig.records) == [[DRAWDOWN]]  # with 6 in flight, 5 more could open a short
    assert rig.core.order_manager.states["AAA"].inventory.position == 6
