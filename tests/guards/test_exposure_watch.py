"""Exposure that prices alone take above its limit is acted on by itself, where settings say so."""

from __future__ import annotations

from typing import Any

import pytest
from guard_helpers import BUY, SELL, Rig

from logos.core.gates import InProcessSwitch
from logos.core.guards import Action
from logos.core.records import GuardRecord
from logos.core.saved.state import restore_core, save_core
from logos.core.strategy import market
from logos.core.types import NEVER_NS, NS_PER_SECOND, Code, SwitchState

SECOND = NS_PER_SECOND


def rig(action: Action, code: Code = Code.GROSS_EXPOSURE, **limits: Any) -> Rig:
    return Rig(cash={"USD": "10000"}, actions={code: action}, **limits)


def trips(made: Rig) -> list[tuple[Code, str, str]]:
    records = [each for each in made.records if isinstance(each, GuardRecord)]
    return [(each.code, each.action, each.detail) for each in records]


def rising(made: Rig, *prices: int) -> None:
    """A second between two prices; the first is bought at."""
    for number, price in enumerate(prices, start=1):
        made.show(price, market(BUY, 5) if number == 1 else None, at_ns=number * SECOND)


def test_a_session_halts_by_itself_a_look_after_its_exposure_passed_the_limit() -> None:
    made = rig(Action.HALT, max_gross_exposure="600")
    rising(made, 100, 120, 121)
    assert trips(made) == []
    assert not made.core.is_halted, "600 was allowed, and the 605 of this price are not judged yet"
    made.show(121, at_ns=4 * SECOND)
    assert made.core.is_halted
    words = "about 605 USD is held, the limit is about 600"
    assert trips(made) == [(Code.GROSS_EXPOSURE, "halt", words)]
    assert made.core.trigger == f"guard GROSS_EXPOSURE: {words}"


def test_without_an_action_of_its_own_the_guard_judges_orders_alone() -> None:
    made = rig(Action.REFUSE, max_gross_exposure="600")
    rising(made, 100, 200, 200, 200)
    assert trips(made) == []


def test_it_engages_the_switch_once_and_again_after_it_was_below() -> None:
    switch = InProcessSwitch()
    made = rig(Action.ENGAGE, max_gross_exposure="600", switch=switch)
    rising(made, 100, 130, 130, 130)
    assert switch.authority() is SwitchState.ENGAGED
    assert len(trips(made)) == 1
    for second, price in ((5, 100), (6, 130), (7, 130)):
        made.show(price, at_ns=second * SECOND)
    assert len(trips(made)) == 2


def test_the_limit_may_be_a_part_of_equity_which_the_loss_itself_makes_smaller() -> None:
    made = rig(Action.REDUCE_ONLY, gross_share="0.05")
    made.show(100, market(SELL, 5), at_ns=SECOND)
    made.show(100, at_ns=2 * SECOND)
    assert trips(made) == [], "500 of 10,000"
    made.show(101, at_ns=3 * SECOND)
    made.show(101, at_ns=4 * SECOND)
    [(_, action, words)] = trips(made)
    assert (action, words) == ("reduce_only", "about 505 USD is held, the limit is about 499")


def test_net_exposure_is_watched_either_way() -> None:
    made = rig(Action.HALT, Code.NET_EXPOSURE, max_net_exposure="600")
    made.show(100, market(SELL, 5), at_ns=SECOND)
    made.show(130, at_ns=2 * SECOND)
    made.show(130, at_ns=3 * SECOND)
    assert [code for code, _, _ in trips(made)] == [Code.NET_EXPOSURE]


def test_gross_exposure_is_left_to_orders_where_only_net_exposure_is_watched() -> None:
    made = rig(Action.HALT, Code.NET_EXPOSURE, max_gross_exposure="600", max_net_exposure="5000")
    rising(made, 100, 130, 130, 130)
    assert trips(made) == []


def test_net_exposure_is_left_to_orders_where_only_gross_exposure_is_watched() -> None:
    made = rig(Action.HALT, max_gross_exposure="5000", max_net_exposure="600")
    rising(made, 100, 130, 130, 130)
    assert trips(made) == []


@pytest.mark.parametrize("code", [Code.GROSS_EXPOSURE, Code.NET_EXPOSURE])
def test_an_action_without_a_limit_acts_on_nothing(code: Code) -> None:
    made = rig(Action.HALT, code)
    rising(made, 100, 130, 130, 130)
    assert trips(made) == []


def test_without_an_action_nothing_is_to_be_looked_at_again() -> None:
    made = rig(Action.REFUSE, max_gross_exposure="600", max_net_exposure="600")
    assert made.core._safety.see_time(SECOND, "") == NEVER_NS


def test_exposure_is_looked_at_once_a_second() -> None:
    made = rig(Action.HALT, max_gross_exposure="600")
    rising(made, 100)
    for tenths in (12, 15, 19):
        made.show(130, at_ns=tenths * SECOND // 10)
    assert trips(made) == []
    made.show(130, at_ns=2 * SECOND)
    assert len(trips(made)) == 1


@pytest.mark.parametrize("is_saved", [False, True])
def test_a_core_from_a_snapshot_does_not_act_on_the_same_passing_again(is_saved: bool) -> None:
    made = rig(Action.REDUCE_ONLY, max_gross_exposure="600")
    rising(made, 100, 130, 130)
    assert len(trips(made)) == 1
    if is_saved:
        other = rig(Action.REDUCE_ONLY, max_gross_exposure="600")
        restore_core(other.core, save_core(made.core))
        other.records, other.ts_ns = [], made.ts_ns
        made = other
    made.records.clear()
    made.show(131, at_ns=9 * SECOND)
    made.show(131, at_ns=11 * SECOND)
    assert trips(made) == []
