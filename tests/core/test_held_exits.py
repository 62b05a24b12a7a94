"""Exits at a real venue: held by the engine until their price, and never two for one position."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_bars import COIN, FUTURE, held, sizes

from logos.core.engine import TradingCore
from logos.core.messages import ResumeTrading, Suspend, TimePassed
from logos.core.outbox import CancelOrder
from logos.core.records import OrderRecord, Record, WarningRecord
from logos.core.strategy import Answer, Cancel, Replace, Side, Target, limit, market, stop
from logos.core.types import NS_PER_DAY, NS_PER_SECOND, Code, ReportKind, SwitchState, TimeInForce
from logos.testing.builders import Scripted, ends_in, fills_in, quote, quote_bar, refusals_in
from logos.testing.venue_core import outbox_of, report, venue_core

S = NS_PER_SECOND
A_BRACKET = market(Side.BUY, 10, stop_loss=95, take_profit=105)


class Bench:
    """A session at a venue: its quotes, what leaves, and what the venue says."""

    def __init__(self, script: dict[int, Answer], traded: Any = COIN, **how: Any) -> None:
        self.traded = traded
        self.core: TradingCore = venue_core(Scripted(script), traded, **how)
        self.records: list[Record] = self.core.start(1)
        self.now_ns = S

    def quote(self, bid: str, after_s: int = 1) -> list[tuple[Any, ...]]:
        """A quote at `bid`, the ask a cent above; what left because of it."""
        self.now_ns += after_s * S
        ask = f"{float(bid) + 0.01:.2f}"
        return self._step(quote(self.traded, self.now_ns, bid, ask))

    def says(self, kind: ReportKind, number: int, **how: Any) -> list[tuple[Any, ...]]:
        """The venue's word on the order of that number; what left because of it."""
        return self._step(report(kind, self.now_ns, f"test-{number}", **how))

    def fills(self, number: int, quantity: int, price: int = 10000) -> list[tuple[Any, ...]]:
        name = f"{number}:{len(self.records)}"
        how = {"quantity": quantity, "price": price, "fill_id": name}
        return self.says(ReportKind.FILLED, number, **how)

    def waits(self, seconds: int) -> list[tuple[Any, ...]]:
        self.now_ns += seconds * S
        return self._step(TimePassed(self.now_ns))

    def tells(self, command: Any) -> list[tuple[Any, ...]]:
        return self._step(command)

    def _step(self, event: Any) -> list[tuple[Any, ...]]:
        self.core.run([event])
        self.records += self.core.take_effects()
        return [_shown(each) for each in outbox_of(self.core).take()]

    @property
    def working(self) -> list[tuple[int, str, int]]:
        """Number, status and remaining quantity of every open order."""
        [state] = self.core.order_manager.states.values()
        return [(each.order_id, each.status.value, each.remaining) for each in state.working]

    @property
    def warnings(self) -> list[str]:
        found = [each for each in self.records if isinstance(each, WarningRecord)]
        return [f"{each.code}: {each.detail}" for each in found]


def _shown(request: Any) -> tuple[Any, ...]:
    number = int(request.client_order_id.rpartition("-")[2])
    if isinstance(request, CancelOrder):
        return "cancel", number
    terms = request.terms
    price = (terms.limit_price,) if terms.limit_price else ()
    return terms.type.value, number, terms.side.value, terms.quantity, *price


def with_a_bracket(filled: int = 10, **how: Any) -> Bench:
    """Ten bought with a stop at 95 (order 2) and a target at 105 (order 3), filled so far."""
    bench = Bench({1: A_BRACKET}, **how)
    assert bench.quote("100") == [("MARKET", 1, "BUY", 10)]
    assert bench.fills(1, filled) == []
    return bench


# ---- held, and sent when their price is reached ----


def test_exits_of_a_bracket_are_held_and_nothing_of_them_leaves() -> None:
    bench = with_a_bracket()
    assert bench.working == [(2, "HELD", 10), (3, "HELD", 10)]
    assert outbox_of(bench.core).open == {}
    assert bench.quote("95.01") == []


def test_a_stop_that_is_reached_leaves_as_a_market_order() -> None:
    bench = with_a_bracket()
    assert bench.quote("95") == [("MARKET", 2, "SELL", 10)]
    assert bench.working == [(2, "NEW", 10), (3, "HELD", 10)]
    assert bench.fills(2, 10, 9499) == []
    assert (held(bench.core), bench.working) == (0, [])
    assert ends_in(bench.records)[3] == "CANCELLED GROUP_FILLED"


def test_a_target_that_is_reached_leaves_as_a_limit_order() -> None:
    bench = with_a_bracket()
    assert bench.quote("105") == [("LIMIT", 3, "SELL", 10, 10500)]
    bench.fills(3, 10, 10500)
    assert (held(bench.core), bench.working) == (0, [])


def test_a_short_is_bought_back_where_the_ask_reaches_its_stop() -> None:
    bench = Bench({1: market(Side.SELL, 10, stop_loss=105, take_profit=95)}, traded=FUTURE)
    bench.quote("100")
    bench.fills(1, 10)
    assert bench.quote("104.98") == []
    assert bench.quote("104.99") == [("MARKET", 2, "BUY", 10)]


def test_exits_follow_a_partial_entry() -> None:
    bench = with_a_bracket(filled=4)
    assert bench.working[1:] == [(2, "HELD", 4), (3, "HELD", 4)]
    bench.fills(1, 6)
    assert bench.working == [(2, "HELD", 10), (3, "HELD", 10)]
    assert sizes(bench.records) == [(2, 10), (3, 10)]


def test_an_order_that_only_reduces_is_held_and_cut_to_what_is_left() -> None:
    script: dict[int, Answer] = {
        1: market(Side.BUY, 10),
        2: stop(Side.SELL, 20, 95, reduce_only=True),
        3: market(Side.SELL, 4),
    }
    bench = Bench(script)
    bench.quote("100")
    bench.fills(1, 10)
    assert bench.quote("100") == []
    assert bench.quote("100") == [("MARKET", 3, "SELL", 4)]
    bench.fills(3, 4)
    assert bench.working == [(2, "HELD", 6)]
    assert bench.quote("90") == [("MARKET", 2, "SELL", 6)]


def test_a_market_order_that_only_reduces_leaves_at_once() -> None:
    bench = Bench({1: market(Side.BUY, 10), 2: market(Side.SELL, 99, reduce_only=True)})
    bench.quote("100")
    bench.fills(1, 10)
    assert bench.quote("100") == [("MARKET", 2, "SELL", 10)]


def test_a_stop_that_was_passed_before_it_was_there_leaves_at_once() -> None:
    bench = Bench({1: A_BRACKET})
    bench.quote("100")
    bench.quote("94")
    assert bench.fills(1, 10) == [("MARKET", 2, "SELL", 10)]


def test_of_a_bar_that_was_open_before_the_exit_only_the_close_counts() -> None:
    bench = with_a_bracket()
    early = quote_bar(COIN, 1, "100 100 90 99", "100 100 90 99")
    assert early.opened_ns < bench.now_ns
    assert bench._step(early) == []
    late = quote_bar(COIN, 2, "99 100 90 99", "99 100 90 99")
    assert late.opened_ns > bench.now_ns
    assert bench._step(late) == [("MARKET", 2, "SELL", 10)]


def test_a_day_order_ends_with_its_day_while_it_is_held() -> None:
    day = stop(Side.SELL, 10, 95, reduce_only=True, time_in_force=TimeInForce.DAY)
    bench = Bench({1: market(Side.BUY, 10), 2: day})
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("100")
    assert bench.quote("90", after_s=NS_PER_DAY // S) == []
    assert ends_in(bench.records)[2] == "EXPIRED DAY_ENDED"


# ---- never two for one position ----


def test_a_stop_waits_until_the_target_at_the_venue_has_ended() -> None:
    bench = with_a_bracket()
    bench.quote("105")
    assert bench.quote("95") == [("cancel", 3)]
    assert bench.quote("94") == [], "a cancel that is asked for may be too late"
    assert bench.says(ReportKind.CANCELLED, 3) == [("MARKET", 2, "SELL", 10)]
    assert ends_in(bench.records)[3] == "CANCELLED EXIT_REACHED"


def test_what_the_target_filled_before_its_cancel_is_not_sold_again() -> None:
    bench = with_a_bracket()
    bench.quote("105")
    bench.quote("95")
    assert bench.fills(3, 7, 10500) == []
    assert bench.says(ReportKind.CANCELLED, 3) == [("MARKET", 2, "SELL", 3)]


def test_a_target_that_fills_whole_in_spite_of_its_cancel_leaves_no_stop() -> None:
    bench = with_a_bracket()
    bench.quote("105")
    bench.quote("95")
    assert bench.fills(3, 10, 10500) == []
    assert bench.working == []
    assert bench.quote("90") == []


def test_a_target_waits_for_a_stop_at_the_venue_and_cancels_nothing() -> None:
    bench = with_a_bracket()
    bench.quote("95")
    assert bench.quote("106") == []
    bench.fills(2, 10)
    assert bench.working == []


def test_both_reached_by_one_bar_sends_the_stop_alone() -> None:
    bench = with_a_bracket()
    bar = quote_bar(COIN, 2, "100 106 94 100", "100 106 94 100")
    assert bench._step(bar) == [("MARKET", 2, "SELL", 10)]


def test_an_order_whose_fate_is_unknown_is_waited_for() -> None:
    bench = with_a_bracket()
    bench.quote("105")
    bench.says(ReportKind.UNKNOWN, 3, detail="timeout")
    assert bench.quote("94") == [("cancel", 3)]
    assert bench.waits(3600) == []
    assert bench.fills(3, 10, 10500) == []
    assert (held(bench.core), bench.working) == (0, [])


def test_a_plain_sale_that_rests_is_cancelled_before_the_stop_leaves() -> None:
    script: dict[int, Answer] = {1: A_BRACKET, 2: limit(Side.SELL, 10, 110)}
    bench = Bench(script, traded=FUTURE)
    bench.quote("100")
    bench.fills(1, 10)
    assert bench.quote("100") == [("LIMIT", 4, "SELL", 10, 11000)]
    assert bench.quote("95") == [("cancel", 4)]
    assert bench.says(ReportKind.CANCELLED, 4) == [("MARKET", 2, "SELL", 10)]


def test_a_plain_sale_on_its_way_is_waited_for_and_the_stop_cut() -> None:
    bench = Bench({1: A_BRACKET, 2: market(Side.SELL, 6)}, traded=FUTURE)
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("100")
    assert bench.quote("95") == []
    assert bench.fills(4, 6) == [("MARKET", 2, "SELL", 4)]


def test_no_plain_order_is_made_beside_an_exit_that_is_under_way() -> None:
    bench = Bench({1: A_BRACKET, 3: market(Side.SELL, 10)}, traded=FUTURE)
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("95")
    assert bench.quote("95") == []
    assert refusals_in(bench.records) == [Code.EXIT_UNDER_WAY]


def test_a_target_is_reached_after_the_exit_that_was_under_way() -> None:
    bench = Bench({1: A_BRACKET, 3: Target(-5)}, traded=FUTURE)
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("95")
    assert bench.quote("95") == []
    assert bench.fills(2, 10) == [("MARKET", 4, "SELL", 5)]


def test_two_groups_together_never_leave_for_more_than_is_held() -> None:
    exits = [stop(Side.SELL, 7, 95, reduce_only=True, group=name) for name in ("a", "b")]
    bench = Bench({1: market(Side.BUY, 10), 2: exits})
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("100")
    assert bench.quote("95") == [("MARKET", 2, "SELL", 7), ("MARKET", 3, "SELL", 3)]


def test_of_two_entries_that_exclude_each_other_one_is_at_the_venue() -> None:
    pair = [stop(Side.BUY, 10, 105, group="break"), stop(Side.SELL, 10, 95, group="break")]
    bench = Bench({1: pair}, traded=FUTURE)
    assert bench.quote("100") == []
    assert bench.quote("105") == [("MARKET", 1, "BUY", 10)]
    assert bench.quote("94") == [], "the first may still fill"
    bench.fills(1, 10)
    assert ends_in(bench.records)[2] == "CANCELLED GROUP_FILLED"


def test_an_entry_that_fills_on_while_its_stop_is_under_way_has_a_stop_for_the_rest() -> None:
    bench = with_a_bracket(filled=6)
    assert bench.quote("95") == [("MARKET", 2, "SELL", 6)]
    assert bench.fills(1, 4) == []
    assert bench.working == [(2, "NEW", 6), (3, "HELD", 10), (4, "HELD", 4)]
    assert bench.fills(2, 6) == [("MARKET", 4, "SELL", 4)]
    assert bench.working == [(3, "HELD", 4), (4, "NEW", 4)]
    bench.fills(4, 4)
    assert (held(bench.core), bench.working) == (0, [])


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


def test_the_end_of_a_session_names_what_was_held() -> None:
    bench = with_a_bracket()
    bench.core.begin_stop()
    bench.records += bench.core.take_effects()
    assert bench.warnings == [
        "PROTECTION_ENDS: 2 held exits (orders 2, 3) cancelled (SESSION_ENDED); "
        "10 COIN is left unprotected"
    ]
    assert bench.working == []


def test_a_fill_that_comes_after_the_halt_makes_no_exit() -> None:
    bench = with_a_bracket(filled=4, halt_on_engage=True)
    bench.core.switch.engage("drill", "ann")
    bench.waits(1)
    assert bench.core.is_halted
    assert bench.fills(1, 6) == []
    assert bench.working == []
    assert [each.quantity_units for each in fills_in(bench.records)] == [4, 6]
