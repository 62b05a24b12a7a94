"""Guards that halt the session: what they cancel, what they keep out, and old prices in time."""

from __future__ import annotations

from typing import Any

import pytest
from guard_helpers import AT_ONCE, BUY, SELL, A, Rig, contract, trips_in

from logos.core.guards import Action
from logos.core.handlers.events import OrderEvent
from logos.core.messages import Lag, PauseSymbol, TimePassed
from logos.core.records import GuardRecord, OrderUpdate
from logos.core.strategy import Context, limit, market
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND, Code, SwitchState
from logos.testing.builders import Scripted, ends_in, guards_in, quote, trading_core

S = NS_PER_SECOND
STALE = Code.STALE_DATA
STORM = Code.REFUSAL_STORM
MONDAY = 4 * NS_PER_DAY  # 5 January 1970
OFFICE = {"hours": ["mon-fri 13:30-20:00"]}


def told(rig: Rig) -> list[tuple[int, str, str]]:
    """When each guard acted, what it did, and about whom."""
    found = [each for each in rig.records if isinstance(each, GuardRecord)]
    return [(each.ts_ns, each.action, each.subject) for each in found]


def pass_time(rig: Rig, at_ns: int) -> None:
    """Let time pass to `at_ns` without any price."""
    rig.records += rig.core.step(TimePassed(at_ns))


# ---- what a halt does ----


def test_a_halt_cancels_what_rests_and_lets_nothing_more_leave_and_no_switch_knows() -> None:
    rig = Rig(max_position="10", actions={Code.MAX_POSITION: Action.HALT})
    rig.show(100, limit(BUY, 1, 90))
    rig.show(100, [market(BUY, 11), market(BUY, 1)])
    assert rig.core.is_halted
    assert ends_in(rig.records)[1] == "CANCELLED CANCELLED_BY_GUARD"
    assert trips_in(rig.records) == [[Code.MAX_POSITION], [Code.SESSION_HALTED]]
    assert guards_in(rig.records) == [(Code.MAX_POSITION, "halt")]
    assert rig.core.order_manager.order_count == 1
    assert rig.core.switch.authority() is SwitchState.SAFE
    assert rig.core.trigger == "guard MAX_POSITION: 12 could result, the limit is 10"


def test_after_a_halt_events_are_left_alone_and_the_strategy_is_not_asked() -> None:
    rig = Rig(max_position="10", actions={Code.MAX_POSITION: Action.HALT})
    events = [quote(A, number, "100", "100") for number in (1, 2, 3)]
    rig.script.update({1: market(BUY, 11), 2: market(BUY, 1), 3: market(BUY, 1)})
    rig.core.run(events)
    assert rig.core.order_manager.tick_id == 1
    assert len(rig.strategy.seen) == 1
    rig.core.stop()
    assert rig.core.order_manager.order_count == 0


@pytest.mark.parametrize("rests", [False, True])
def test_a_drawdown_that_halts_does_so_at_its_own_tick(rests: bool) -> None:
    actions = {Code.MAX_DRAWDOWN: Action.HALT}
    rig = Rig(max_drawdown="50", actions=actions)
    rig.show(100, [market(BUY, 1), *([limit(BUY, 1, 1)] if rests else [])])
    asked = len(rig.strategy.seen)
    rig.show(49, market(BUY, 1))
    assert rig.core.is_halted
    assert rig.core.trigger.startswith("guard MAX_DRAWDOWN: ")
    assert len(rig.strategy.seen) == asked


def test_a_loss_that_halts_keeps_the_fill_from_the_strategy() -> None:
    rig = Rig(max_consecutive_losses=1, actions={Code.CONSECUTIVE_LOSSES: Action.HALT})
    rig.show(100, market(BUY, 1))
    rig.show(90, [market(SELL, 1), market(BUY, 1)])
    assert rig.core.is_halted
    assert [fill.side for fill in rig.strategy.fills] == [BUY]
    assert rig.core.order_manager.states["AAA"].inventory.position == 0
    rig.core.stop()
    assert rig.core.order_manager.order_count == 2
    assert rig.core.trigger.startswith("guard CONSECUTIVE_LOSSES: 1 ")


def test_a_loss_that_engages_keeps_the_fill_from_the_strategy_also_after_a_reset() -> None:
    rig = Rig(max_consecutive_losses=1, actions={Code.CONSECUTIVE_LOSSES: Action.ENGAGE})
    rig.show(100, market(BUY, 1))
    rig.show(90, [market(SELL, 1), market(BUY, 1)])
    assert rig.core.switch.authority() is SwitchState.ENGAGED
    assert [fill.side for fill in rig.strategy.fills] == [BUY]
    rig.core.switch.flag[0] = SwitchState.SAFE  # type: ignore[index]
    rig.show(90)
    assert [fill.side for fill in rig.strategy.fills] == [BUY]


def test_what_an_engagement_cancelled_is_not_told_after_a_reset() -> None:
    class Hearing(Scripted):
        def on_order(self, context: Context, event: OrderEvent) -> None:
            heard.append(event.change.value)

    heard: list[str] = []
    core = trading_core(Hearing({1: limit(BUY, 1, 90)}), A, rules=AT_ONCE)
    core.start(0)
    core.step(quote(A, 1, "100", "100"))
    before = list(heard)
    core.switch.engage("a drill", "ann")
    records = core.step(quote(A, 2, "100", "100"))
    [ended] = [each for each in records if isinstance(each, OrderUpdate)]
    assert ended.status.value == "CANCELLED"
    core.switch.flag[0] = SwitchState.SAFE  # type: ignore[index]
    core.step(quote(A, 3, "100", "100"))
    core.step(quote(A, 4, "100", "100"))
    assert heard == before != []


def test_the_first_that_acted_is_the_trigger_and_not_the_last_that_spoke() -> None:
    actions = {Code.MAX_ORDER_QUANTITY: Action.ENGAGE, Code.MAX_POSITION: Action.HALT}
    rig = Rig(max_order_quantity="5", max_position="10", actions=actions)
    rig.show(100, market(BUY, 11))
    assert guards_in(rig.records) == [
        (Code.MAX_ORDER_QUANTITY, "engage"),
        (Code.MAX_POSITION, "halt"),
    ]
    assert rig.core.trigger == "kill switch: guard MAX_ORDER_QUANTITY (by guard)"


def test_an_engagement_is_the_trigger_by_its_first_reason() -> None:
    rig = Rig(halt_on_engage=True)
    rig.core.switch.engage("first", "ann")
    rig.show(100)
    rig.core.switch.engage("second", "ben")
    assert rig.core.trigger == "kill switch: first (by ann)"


# ---- a storm of refusals ----

STORMY: dict[str, Any] = {"max_position": "10", "max_refusals": 3, "refusals_window_ns": 10}


def test_one_refusal_more_than_the_window_allows_halts() -> None:
    rig = Rig(**STORMY)
    for _ in range(3):
        rig.show(100, market(BUY, 11))
    assert not rig.core.is_halted
    rig.show(100, market(BUY, 11))
    assert guards_in(rig.records) == [(STORM, "halt")]
    assert rig.core.trigger == "guard REFUSAL_STORM: more than 3 refusals in 0.00000001 s"


def test_a_refusal_as_old_as_the_window_does_not_count() -> None:
    rig = Rig(**STORMY)
    for at_ns in (1, 2, 3):
        rig.show(100, market(BUY, 11), at_ns=at_ns)
    rig.show(100, market(BUY, 11), at_ns=11)
    assert not rig.core.is_halted
    rig.show(100, market(BUY, 11), at_ns=11)
    assert rig.core.is_halted


def test_refusals_of_a_paused_symbol_make_no_storm() -> None:
    rig = Rig(**STORMY)
    rig.core.step(PauseSymbol(0, "look", "ann", "AAA"))
    for _ in range(9):
        rig.show(100, market(BUY, 1))
    assert not rig.core.is_halted


def test_a_storm_that_only_refuses_is_recorded_and_counted_anew() -> None:
    rig = Rig(**STORMY, actions={STORM: Action.REFUSE})
    rig.show(100, [market(BUY, 11)] * 8)
    assert guards_in(rig.records) == [(STORM, "refuse")] * 2
    assert not rig.core.is_halted


# ---- old prices, by the passing of time ----


def test_a_silent_symbol_halts_the_session_though_nothing_is_ordered() -> None:
    rig = Rig(stale_after_ns=10 * S)
    rig.show(100, at_ns=S)
    pass_time(rig, 11 * S)
    assert not rig.core.is_halted
    pass_time(rig, 11 * S + 1)
    assert rig.core.is_halted
    assert told(rig) == [(11 * S + 1, "halt", "AAA")]
    assert (
        rig.core.trigger == "guard STALE_DATA: AAA has shown no price for 10 s, the limit is 10 s"
    )


@pytest.mark.parametrize("action", list(Action))
def test_silence_carries_out_its_action_once(action: Action) -> None:
    rig = Rig(stale_after_ns=10, actions={STALE: action})
    rig.show(100, at_ns=1)
    for at_ns in range(12, 50):
        pass_time(rig, at_ns)
    assert told(rig) == [(12, action.value, "AAA")]
    assert rig.core.is_halted is (action is Action.HALT)
    engaged = rig.core.switch.authority() is SwitchState.ENGAGED
    assert engaged is (action is Action.ENGAGE)


def test_each_silence_is_told() -> None:
    rig = Rig(stale_after_ns=10, actions={STALE: Action.REFUSE})
    for at_ns in (1, 30, 60):
        rig.show(100, at_ns=at_ns)
        pass_time(rig, at_ns + 25)
    assert [each[0] for each in told(rig)] == [26, 55, 85]


def test_another_symbols_events_show_the_silence_of_one() -> None:
    rig = Rig(stale_after_ns=10)
    rig.show(100, at_ns=1)
    for at_ns in range(2, 12):
        rig.show(100, symbol="BBB", at_ns=at_ns)
    assert not rig.core.is_halted
    rig.show(100, symbol="BBB", at_ns=12)
    assert told(rig) == [(12, "halt", "AAA")]


def test_a_gap_that_a_price_of_the_symbol_itself_ends_is_no_silence() -> None:
    rig = Rig(stale_after_ns=10)
    for at_ns in (1, 1000, 5000):
        rig.show(100, market(BUY, 1), at_ns=at_ns)
    assert told(rig) == []
    assert rig.core.order_manager.order_count == 3


def test_crossed_quotes_do_not_end_a_silence() -> None:
    rig = Rig(stale_after_ns=10)
    rig.show(100, at_ns=1)
    for at_ns in (20, 21, 22):
        rig.core.step(quote(A, at_ns, "101", "100"))
    assert rig.core.is_halted


def test_a_price_that_was_late_when_it_came_is_old_at_once() -> None:
    rig = Rig(stale_after_ns=10)
    rig.show(100, at_ns=1)
    rig.core.step(Lag(5, "AAA", 11))
    pass_time(rig, 5)
    assert told(rig) == [(5, "halt", "AAA")]


def test_a_symbol_without_a_price_is_not_silent_and_an_order_in_it_is_refused_only() -> None:
    rig = Rig(stale_after_ns=10, actions={STALE: Action.ENGAGE})
    rig.show(100, market(BUY, 1, symbol="BBB"), at_ns=10**9)
    assert trips_in(rig.records) == [[Code.NO_REFERENCE_PRICE]]
    assert told(rig) == []
    assert rig.core.switch.authority() is SwitchState.SAFE


def test_a_symbol_that_showed_its_first_price_late_is_watched_from_then_on() -> None:
    rig = Rig(stale_after_ns=10)
    for at_ns in range(1, 60, 3):
        rig.show(100, symbol="BBB", at_ns=at_ns)
    rig.show(100, at_ns=60)
    for at_ns in range(61, 71, 3):
        rig.show(100, symbol="BBB", at_ns=at_ns)
    assert told(rig) == []
    rig.show(100, symbol="BBB", at_ns=71)
    assert told(rig) == [(71, "halt", "AAA")]


def test_a_paused_symbol_is_not_silent() -> None:
    rig = Rig(stale_after_ns=10)
    rig.show(100, at_ns=1)
    rig.core.step(PauseSymbol(1, "its feed is down", "ann", "AAA"))
    pass_time(rig, 1000)
    assert told(rig) == []


def test_while_its_market_is_closed_a_symbol_is_not_silent_nor_right_after_it_opened() -> None:
    rig = Rig(contract("AAA", **OFFICE), contract("BBB"), stale_after_ns=10 * S)
    closes, opens = MONDAY + 1200 * NS_PER_MINUTE, MONDAY + NS_PER_DAY + 810 * NS_PER_MINUTE
    rig.show(100, at_ns=closes - 8 * S)
    for at_ns in (closes + 5 * S, opens - S, opens, opens + 5 * S, opens + 9 * S):
        pass_time(rig, at_ns)
    assert told(rig) == []
    pass_time(rig, opens + 71 * S)
    assert told(rig) == [(opens + 71 * S, "halt", "AAA")]


def test_an_order_while_the_market_is_closed_halts_nothing_for_its_old_price() -> None:
    rig = Rig(contract("AAA", **OFFICE), contract("BBB"), stale_after_ns=10 * S)
    rig.show(100, at_ns=MONDAY + 1199 * NS_PER_MINUTE)
    for minutes in (1201, 1300):
        later = MONDAY + minutes * NS_PER_MINUTE
        rig.show(100, market(BUY, 1, symbol="AAA"), symbol="BBB", at_ns=later)
    assert trips_in(rig.records)[0] == [Code.MARKET_CLOSED, STALE]
    assert [each for each in told(rig) if each[2] == "AAA"] == []


def test_a_market_open_without_a_break_is_one_span_over_the_end_of_the_week() -> None:
    spans = contract("AAA", hours=["mon-sun 00:00-24:00"])
    assert spans.has_been_open(MONDAY - 30 * NS_PER_DAY, MONDAY + 3 * NS_PER_DAY)
    office = contract("AAA", **OFFICE)
    noon, opens = MONDAY + 900 * NS_PER_MINUTE, MONDAY + 810 * NS_PER_MINUTE
    assert office.has_been_open(opens, noon)
    assert not office.has_been_open(opens - 1, noon)
    assert not office.has_been_open(opens - 2, opens - 1)
