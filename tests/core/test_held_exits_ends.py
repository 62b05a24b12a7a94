"""Exits at a real venue that it does not fill, and the ends of a session that holds some."""

from __future__ import annotations

from typing import Any

import pytest
from held_bench import A_BRACKET, Bench, with_a_bracket

from logos.core.instrument import rate_units
from logos.core.messages import Flatten, PauseSymbol, ResumeTrading, Suspend
from logos.core.prices.watch import PriceWatch
from logos.core.records import OrderRecord
from logos.core.strategy import Cancel, Replace
from logos.core.types import Code, ReportKind, SwitchState
from logos.testing.builders import fills_in, quote, refusals_in
from logos.testing.venue_core import outbox_of

# ---- what a venue does not fill is held again ----


@pytest.mark.parametrize(
    "kind", [ReportKind.REJECTED, ReportKind.NOT_SENT, ReportKind.CANCELLED, ReportKind.EXPIRED]
)
def test_an_exit_that_was_not_filled_is_held_and_sent_again(kind: ReportKind) -> None:
    bench = with_a_bracket()
    bench.quote("95")
    assert bench.says(kind, 2) == []
    assert bench.working == [(3, "HELD", 10), (4, "HELD", 10)]
    assert bench.waits(1) == []
    assert bench.waits(1) == [("MARKET", 4, "SELL", 10)]
    [warning] = bench.warnings
    assert warning.startswith("EXIT_NOT_FILLED: exit order 2 ended ")
    assert warning.endswith("10 are unprotected; held again as order 4, to be sent in 2 s")
    orders = [each for each in bench.records if isinstance(each, OrderRecord)]
    assert orders[-1].follows == 2
    assert bench.says(ReportKind.REJECTED, 4) == []
    assert bench.waits(3) == []
    assert bench.waits(1) == [("MARKET", 5, "SELL", 10)], "after 2 s, then 4"


def test_what_is_left_of_an_exit_that_was_filled_in_part_is_held_again() -> None:
    bench = with_a_bracket()
    bench.quote("95")
    bench.fills(2, 6)
    bench.says(ReportKind.EXPIRED, 2)
    assert bench.working == [(3, "HELD", 4), (4, "HELD", 4)]
    assert bench.quote("95", after_s=2) == [("MARKET", 4, "SELL", 4)]


def test_an_exit_that_its_strategy_cancels_is_not_held_again() -> None:
    bench = Bench({1: A_BRACKET, 3: Cancel(tag="stop")})
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("95")
    assert bench.quote("95") == [("cancel", 2)]
    assert bench.says(ReportKind.CANCELLED, 2) == []
    assert bench.working == [(3, "HELD", 10)]


def test_a_stop_is_trailed_while_it_is_held() -> None:
    bench = Bench({1: A_BRACKET, 2: Replace(tag="stop", stop_price=98)})
    bench.quote("100")
    bench.fills(1, 10)
    assert bench.quote("100") == []
    assert bench.quote("98") == [("MARKET", 4, "SELL", 10)]


def test_a_stop_reached_while_no_data_came_leaves_at_the_first_price_and_says_so() -> None:
    bench = with_a_bracket()
    assert bench.quote("80", after_s=40) == [("MARKET", 2, "SELL", 10)]
    words = "order 2: its stop of 95.00 is reached at 80.00, after 40 s without a price"
    assert bench.warnings == [f"EXIT_LATE: {words}"]


# ---- the kill switch, a stop, an end ----


@pytest.mark.long
def test_the_engaged_switch_ends_what_is_held_and_says_what_is_unprotected() -> None:
    bench = with_a_bracket()
    bench.core.switch.engage("drill", "ann")
    assert bench.quote("95") == []
    assert bench.working == []
    assert bench.warnings == [
        "PROTECTION_ENDS: 2 held exits (orders 2, 3) cancelled (CANCELLED_BY_KILL_SWITCH); "
        "10 COIN is left unprotected"
    ]


def test_reduce_only_lets_an_exit_pass() -> None:
    bench = with_a_bracket()
    bench.core.switch.set_reduce_only("drill", "ann")
    assert bench.quote("95") == [("MARKET", 2, "SELL", 10)]


class LatchedAtGate:
    """A switch that is engaged when gate 2 looks, and not before."""

    epoch = 0

    def __init__(self) -> None:
        self.flag = bytearray(1)
        self.is_latched = False

    def authority(self) -> Any:
        return SwitchState.ENGAGED if self.is_latched else SwitchState.SAFE

    def engage(self, reason: str, by: str) -> None:
        self.is_latched = True

    def set_reduce_only(self, reason: str, by: str) -> None: ...

    def why(self) -> str:
        return "touched"


def test_gate_2_is_asked_again_when_an_exit_is_sent() -> None:
    switch = LatchedAtGate()
    bench = with_a_bracket(switch=switch)
    switch.is_latched = True
    assert bench.quote("95") == []
    assert bench.working == []
    assert Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING in refusals_in(bench.records)


def test_a_session_that_is_to_stop_keeps_what_is_held_and_sends_nothing() -> None:
    bench = with_a_bracket()
    bench.tells(Suspend(bench.now_ns, "stop", "ann"))
    assert bench.working == [(2, "HELD", 10), (3, "HELD", 10)]
    assert bench.quote("90") == []
    assert bench.warnings[0] == (
        "PROTECTION_ENDS: protection ends with this process: 2 held exits (orders 2, 3) of "
        "10 COIN; resumed, they stand again"
    )
    bench.tells(ResumeTrading(bench.now_ns, "resumed", "ann"))
    assert bench.waits(1) == [("MARKET", 2, "SELL", 10)]


def test_an_exit_that_is_cancelled_for_the_stop_of_the_session_stands_again() -> None:
    bench = with_a_bracket()
    bench.quote("95")
    assert bench.tells(Suspend(bench.now_ns, "stop", "ann")) == [("cancel", 2)]
    bench.says(ReportKind.CANCELLED, 2)
    assert bench.working == [(3, "HELD", 10), (4, "HELD", 10)]


def test_the_end_of_such_a_cancel_may_come_after_the_resume() -> None:
    bench = with_a_bracket()
    bench.quote("95")
    bench.tells(Suspend(bench.now_ns, "stop", "ann"))
    bench.tells(ResumeTrading(bench.now_ns, "resumed", "ann"))
    bench.says(ReportKind.CANCELLED, 2)
    assert bench.working == [(3, "HELD", 10), (4, "HELD", 10)]
    assert bench.waits(2) == [("MARKET", 4, "SELL", 10)]


def test_flatten_ends_what_is_held_and_closes_the_position_once() -> None:
    bench = with_a_bracket()
    bench.quote("105")
    assert bench.tells(Flatten(bench.now_ns, "drill", "ann")) == [("cancel", 3)]
    assert bench.working == [(3, "NEW", 10)]
    assert bench.says(ReportKind.CANCELLED, 3) == []
    assert bench.working == [], "no exit comes again"
    assert bench.quote("100") == [("MARKET", 4, "SELL", 10)]


def test_a_paused_symbol_has_no_exit_again() -> None:
    bench = with_a_bracket()
    bench.quote("95")
    bench.tells(PauseSymbol(bench.now_ns, "look", "ann", "COIN"))
    assert bench.says(ReportKind.CANCELLED, 2) == []
    assert bench.working == []
    assert bench.warnings[0].startswith("PROTECTION_ENDS: 1 held exit (order 3) cancelled")


def test_the_end_of_a_session_names_what_was_held() -> None:
    bench = with_a_bracket()
    bench.core.begin_stop()
    bench.records += bench.core.take_effects()
    assert bench.warnings == [
        "PROTECTION_ENDS: 2 held exits (orders 2, 3) cancelled (SESSION_ENDED); "
        "10 COIN is left unprotected"
    ]
    assert bench.working == []


def test_an_exit_that_ends_after_the_session_has_begun_to_end_is_not_held_again() -> None:
    bench = with_a_bracket()
    bench.quote("95")
    bench.core.begin_stop()
    outbox_of(bench.core).take()
    assert bench.says(ReportKind.REJECTED, 2) == []
    assert bench.working == []


def test_a_fill_that_comes_after_the_halt_makes_no_exit() -> None:
    bench = with_a_bracket(filled=4, halt_on_engage=True)
    bench.core.switch.engage("drill", "ann")
    bench.waits(1)
    assert bench.core.is_halted
    assert bench.fills(1, 6) == []
    assert bench.working == []
    assert [each.quantity_units for each in fills_in(bench.records)] == [4, 6]


def watched() -> Bench:
    """A bracket of a symbol whose prices are held against a band of 20 %."""
    bench = Bench({1: A_BRACKET})
    for state in bench.core.order_manager.states.values():
        state.watch = PriceWatch(1, rate_units("0.2"), 0, 0, True)
    bench.quote("100")
    bench.fills(1, 10)
    return bench


def test_a_price_that_looks_like_a_splits_ends_what_is_held_and_says_so() -> None:
    bench = watched()
    assert bench.quote("50", after_s=600) == []
    assert bench.quote("50", after_s=600) == []
    assert bench.working == []
    assert bench.warnings[-1].startswith("SPLIT_SUSPECTED: ")
    assert bench.warnings[-2].startswith("PROTECTION_ENDS: 2 held exits (orders 2, 3) cancelled")


def test_a_bid_that_is_no_market_reaches_no_stop() -> None:
    bench = watched()
    assert bench.step(quote(bench.traded, bench.now_ns, "1", "100.01")) == []
    assert bench.working == [(2, "HELD", 10), (3, "HELD", 10)]
    assert any(each.startswith("FILL_HELD_BACK: order 2") for each in bench.warnings)
