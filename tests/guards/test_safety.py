"""Limits, and the safety monitor that watches them and the switch."""

from __future__ import annotations

import pytest
from guard_helpers import AT_ONCE, BUY, SELL, A, Rig, contract

from logos.core.gates import InProcessSwitch
from logos.core.guards import Action, LedgerLimits, Limits, SessionGuards
from logos.core.messages import Quote
from logos.core.records import GuardRecord, PaperFillRecord, Record
from logos.core.strategy import Answer, Context, limit, market
from logos.core.types import Code, Side, SwitchState
from logos.testing.builders import Scripted, ends_in, fee_schedule, quote, refusals_in, trading_core

DRAWDOWN = Code.MAX_DRAWDOWN
DAILY = Code.MAX_DAILY_LOSS
LOSSES = Code.CONSECUTIVE_LOSSES


def on_ticks(records: list[Record]) -> list[tuple[int, Code]]:
    """The tick and the code of every guard record."""
    return [(each.tick_id, each.code) for each in records if isinstance(each, GuardRecord)]


def test_nothing_is_limited_unless_it_is_asked_for() -> None:
    symbol, ledger, session = Limits(), LedgerLimits(), SessionGuards()
    assert [
        symbol.order_notional,
        symbol.position,
        symbol.collar_rate,
        symbol.order_quantity,
        symbol.open_orders,
        symbol.stale_after_ns,
        symbol.duplicate_window_ns,
    ] == [0] * 7
    assert [
        ledger.gross_exposure,
        ledger.net_exposure,
        ledger.drawdown,
        ledger.drawdown_rate,
        ledger.daily_loss,
    ] == [0] * 5
    assert not ledger.has_loss_limit
    assert [
        session.open_orders_limit,
        session.order_count,
        session.order_window_ns,
        session.consecutive_losses_limit,
    ] == [0] * 4


# ---- the end of a session ----


@pytest.mark.parametrize("is_engaged", [False, True])
@pytest.mark.parametrize("halts", [False, True])
def test_an_engagement_after_the_last_tick_halts_a_session_that_is_to_halt(
    is_engaged: bool, halts: bool
) -> None:
    rig = Rig(halt_on_engage=halts)
    rig.show(100)
    if is_engaged:
        rig.core.switch.engage("drill", "ann")
    rig.core.stop()
    assert rig.core.is_halted is (is_engaged and halts)


# ---- what trips once ----


def test_a_loss_of_the_day_is_told_once_although_a_drawdown_follows() -> None:
    actions = {DRAWDOWN: Action.REFUSE, DAILY: Action.REFUSE}
    rig = Rig(max_daily_loss="50", max_drawdown="80", actions=actions)
    rig.show(100, market(BUY, 1))
    for price in (49, 48, 19, 18, 17):
        rig.show(price)
    assert on_ticks(rig.records) == [(2, DAILY), (4, DRAWDOWN)]


def test_a_drawdown_is_told_once_although_a_loss_of_the_day_follows() -> None:
    actions = {DRAWDOWN: Action.REFUSE, DAILY: Action.REFUSE}
    rig = Rig(max_daily_loss="80", max_drawdown="50", actions=actions)
    rig.show(100, market(BUY, 1))
    for price in (49, 48, 19, 18, 17):
        rig.show(price)
    assert on_ticks(rig.records) == [(2, DRAWDOWN), (4, DAILY)]


def test_a_run_of_losses_is_told_once_and_anew_after_a_gain() -> None:
    rig = Rig(max_consecutive_losses=1, actions={LOSSES: Action.REFUSE})
    rig.show(100, market(BUY, 6))
    for price in (99, 98, 101, 99, 98):
        rig.show(price, market(SELL, 1))
    assert on_ticks(rig.records) == [(2, LOSSES), (5, LOSSES)]


def test_the_very_first_result_may_be_one_loss_too_many() -> None:
    dear = contract(fees=fee_schedule(per_unit="1"))
    rig = Rig(dear, max_consecutive_losses=1)
    rig.show(100, [market(BUY, 1), market(SELL, 1)])
    assert on_ticks(rig.records) == [(1, LOSSES)]
    assert rig.core.switch.authority() is SwitchState.ENGAGED


# ---- what the watch does when the switch moves ----


@pytest.mark.parametrize(("side", "other"), [(BUY, SELL), (SELL, BUY)])
def test_reduce_only_keeps_what_closes_the_position_to_the_last_unit(
    side: Side, other: Side
) -> None:
    away = 120 if side is BUY else 80
    rig = Rig()
    rig.show(100, market(side, 5))
    rig.show(100, [limit(other, 2, away), limit(other, 3, away), limit(other, 1, away)])
    rig.core.switch.set_reduce_only("careful", "ann")
    rig.show(100)
    book = rig.core.order_manager.states["AAA"]
    assert [order.remaining for order in book.working] == [2, 3]


class StopsAtItsFirstFill(Scripted):
    """Engages the switch at its first fill, and orders all the same."""

    switch: InProcessSwitch

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        self.fills.append(fill)
        self.switch.engage("enough", "strategy")
        return market(BUY, 1)


def test_a_strategy_is_told_of_no_more_fills_once_the_switch_is_seen_engaged() -> None:
    strategy = StopsAtItsFirstFill({1: [market(BUY, 1), market(BUY, 2)]})
    strategy.switch = InProcessSwitch()
    core = trading_core(strategy, A, rules=AT_ONCE, switch=strategy.switch)
    records = core.start(0) + core.step(quote(A, 1, "100", "100"))
    assert [fill.order_id for fill in strategy.fills] == [1]
    assert refusals_in(records) == [Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING]


class Resets(Scripted):
    """Sees the switch turned back to SAFE while it decides, and orders."""

    switch: InProcessSwitch

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        if self.switch.flag[0]:
            self.switch.flag[0] = SwitchState.SAFE
            return limit(BUY, 1, 90)
        return None


def test_an_order_made_right_after_a_reset_is_left_alone() -> None:
    strategy = Resets()
    strategy.switch = InProcessSwitch()
    core = trading_core(strategy, A, switch=strategy.switch)
    records = core.start(0) + core.step(quote(A, 1, "100", "100"))
    core.switch.set_reduce_only("careful", "ann")
    for ts_ns in (2, 3):
        records += core.step(quote(A, ts_ns, "100", "100"))
    assert core.switch_state is SwitchState.SAFE
    assert ends_in(records) == {1: "ACCEPTED"}
