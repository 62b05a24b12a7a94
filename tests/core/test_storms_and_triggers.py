"""The window of a refusal storm moves on, and what ended a session stays its reason."""

from __future__ import annotations

from logos.core.gates import InProcessSwitch
from logos.core.guards import SessionGuards
from logos.core.instrument import instrument
from logos.core.safety import SafetyMonitor
from logos.core.strategy import Strategy
from logos.core.types import SwitchState
from logos.testing.builders import trading_core

COIN = instrument("COIN", tick="0.01", lot="1", quote="USD")


def test_a_storm_is_counted_in_a_window_that_moves_on() -> None:
    guards = SessionGuards()
    guards.limit_refusals(3, 10)
    assert [guards.see_refusal(at) for at in (0, 1, 2, 20, 21, 22, 23)] == [False] * 6 + [True]
    assert [guards.see_refusal(at) for at in (23, 23, 23, 23)] == [False] * 3 + [True]


def test_without_a_count_there_is_no_storm() -> None:
    guards = SessionGuards()
    assert not any(guards.see_refusal(0) for _ in range(100))


def test_a_reset_switch_is_no_reason_any_more_unless_the_session_ended_by_it() -> None:
    switch = InProcessSwitch()
    core = trading_core(Strategy(), COIN, switch=switch)
    safety = SafetyMonitor(core.order_manager, switch, False)
    switch.engage("rehearsed", "test")
    safety.see_switch("tick")
    assert safety.trigger == "kill switch: rehearsed (by test)"
    switch.flag[0] = SwitchState.SAFE
    safety.see_switch("tick")
    assert safety.trigger == ""
    safety.is_halted = True
    safety.trigger = "guard MAX_DRAWDOWN"
    switch.set_reduce_only("rehearsed", "test")
    safety.see_switch("tick")
    assert safety.trigger == "guard MAX_DRAWDOWN"
