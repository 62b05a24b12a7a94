"""Held exits at their edges: times, sizes, other orders, and what a gate lets pass."""

from __future__ import annotations

from typing import Any

import pytest
from held_bench import A_BRACKET, Bench, with_a_bracket
from scripted_bars import COIN, FUTURE

from logos.core.context import CoreView
from logos.core.instrument import instrument
from logos.core.messages import PauseSymbol, UnpauseSymbol
from logos.core.outbox import SubmitOrder
from logos.core.records import OrderUpdate, SwitchRecord
from logos.core.strategy import Answer, limit, market, stop, stop_limit
from logos.core.types import Code, OrderStatus, ReportKind, Side, SwitchState, TimeInForce
from logos.session.recorded import RecordedSwitch, Recording
from logos.testing.builders import ends_in, quote, quote_bar, refusals_in
from logos.testing.venue_core import outbox_of

BUY, SELL = Side.BUY, Side.SELL


def bought(*exits: Any, traded: Any = COIN, **how: Any) -> Bench:
    """Ten bought at 100, and what the strategy answered at the second quote."""
    bench = Bench({1: market(BUY, 10), 2: list(exits)}, traded=traded, **how)
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("100")
    return bench


@pytest.mark.parametrize(("silent_s", "warns"), [(10, False), (11, True)])
def test_a_stop_is_late_after_more_than_ten_seconds(silent_s: int, warns: bool) -> None:
    bench = with_a_bracket()
    bench.quote("95", after_s=silent_s)
    assert any(each.startswith("EXIT_LATE") for each in bench.warnings) is warns


def test_the_close_of_a_bar_that_was_open_before_reaches_a_stop() -> None:
    bench = with_a_bracket()
    assert bench.step(quote_bar(COIN, 1, "100 100 94 94", "100 100 94 94")) == [
        ("MARKET", 2, "SELL", 10)
    ]


def test_a_target_is_never_late() -> None:
    bench = with_a_bracket()
    assert bench.quote("105", after_s=60) == [("LIMIT", 3, "SELL", 10, 10500)]
    assert bench.warnings == []


def test_an_exit_is_tried_again_ever_more_slowly_up_to_a_minute() -> None:
    bench = with_a_bracket()
    bench.quote("95")
    number = 2
    for wait_s in (2, 4, 8, 16, 32, 60, 60):
        bench.says(ReportKind.REJECTED, number)
        number += 2 if number == 2 else 1
        assert bench.waits(wait_s - 1) == []
        assert bench.waits(1) == [("MARKET", number, "SELL", 10)], wait_s


def test_a_target_that_was_not_filled_waits_for_its_price_again() -> None:
    bench = with_a_bracket()
    bench.quote("105")
    bench.says(ReportKind.REJECTED, 3)
    assert bench.working == [(2, "HELD", 10), (4, "HELD", 10)]
    assert bench.quote("104", after_s=5) == []
    assert bench.quote("105") == [("LIMIT", 4, "SELL", 10, 10500)]


def test_a_stop_limit_is_sent_at_its_limit() -> None:
    bench = bought(stop_limit(SELL, 10, 95, 94, reduce_only=True))
    assert bench.quote("95") == [("LIMIT", 2, "SELL", 10, 9400)]


def test_an_immediate_limit_is_sent_at_once_and_not_again() -> None:
    now = limit(SELL, 10, 101, reduce_only=True, time_in_force=TimeInForce.IOC)
    bench = bought(now)
    assert [number for number, _, _ in bench.working] == [2]
    assert bench.working[0][1] == "NEW"
    bench.says(ReportKind.CANCELLED, 2)
    assert bench.working == []


def test_an_order_of_the_other_side_stays_where_it_is() -> None:
    bench = bought(stop(SELL, 10, 95, reduce_only=True), limit(BUY, 5, 90), traded=FUTURE)
    assert bench.quote("95") == [("MARKET", 2, "SELL", 10)]
    assert bench.working == [(2, "NEW", 10), (3, "NEW", 5)]


def test_exits_of_no_group_are_no_pair() -> None:
    bench = bought(stop(SELL, 4, 95, reduce_only=True), stop(SELL, 6, 94, reduce_only=True))
    assert bench.quote("95") == [("MARKET", 2, "SELL", 4)]
    assert bench.quote("94") == [("MARKET", 3, "SELL", 6)]


def test_a_second_exit_waits_while_the_first_covers_all_and_goes_when_it_fails() -> None:
    pair = [stop(SELL, 10, 95, reduce_only=True, group=name) for name in ("a", "b")]
    bench = bought(*pair)
    assert bench.quote("95") == [("MARKET", 2, "SELL", 10)]
    assert bench.says(ReportKind.REJECTED, 2) == [("MARKET", 3, "SELL", 10)]
    bench.fills(3, 10)
    assert bench.working == []
    assert ends_in(bench.records)[4] == "CANCELLED POSITION_CLOSED"


def test_a_held_entry_waits_for_an_exit_of_its_side_and_cancels_it_not() -> None:
    entry = stop(SELL, 3, 95, group="short")
    bench = bought(stop(SELL, 10, 96, reduce_only=True), entry, traded=FUTURE)
    assert bench.quote("96") == [("MARKET", 2, "SELL", 10)]
    assert bench.quote("95") == []
    assert bench.fills(2, 10) == [("MARKET", 3, "SELL", 3)]


def test_a_stop_of_a_pair_of_entries_takes_the_place_of_a_limit_that_rests() -> None:
    pair: list[Answer] = [limit(BUY, 5, 98, group="g"), stop(BUY, 5, 103, group="g")]
    bench = Bench({1: pair}, traded=FUTURE)  # type: ignore[dict-item]
    bench.quote("100")
    assert bench.quote("97") == [("LIMIT", 1, "BUY", 5, 9800)]
    assert bench.quote("103") == [("cancel", 1)]
    assert bench.says(ReportKind.CANCELLED, 1) == [("MARKET", 2, "BUY", 5)]


def test_what_is_made_in_a_paused_symbol_is_sent_when_it_trades_again() -> None:
    bench = Bench({1: A_BRACKET})
    bench.quote("100")
    bench.tells(PauseSymbol(bench.now_ns, "look", "ann", "COIN"))
    bench.fills(1, 10)
    assert bench.quote("94") == []
    bench.tells(UnpauseSymbol(bench.now_ns, "go on", "ann", "COIN"))
    assert bench.quote("99") == [("MARKET", 2, "SELL", 10)]


def test_an_exit_that_has_become_too_small_to_be_sent_ends_with_the_reason() -> None:
    coarse = instrument("COARSE", tick="0.01", lot="1", min_quantity="5", quote="USD")
    exits = stop(SELL, 10, 95, reduce_only=True)
    bench = Bench({1: market(BUY, 10), 2: exits, 3: market(SELL, 7)}, traded=coarse)
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("100")
    bench.quote("100")
    bench.fills(3, 7)
    assert bench.quote("95") == []
    assert refusals_in(bench.records) == [Code.BELOW_MINIMUM_QUANTITY]
    assert ends_in(bench.records)[2] == "CANCELLED BELOW_MINIMUM_QUANTITY"


class ReduceOnlyAtGate:
    """A switch that only lets reduce when gate 2 looks, and says so to nobody before."""

    epoch = 0

    def __init__(self) -> None:
        self.flag = bytearray(1)
        self.state = SwitchState.SAFE

    def authority(self) -> SwitchState:
        return self.state

    def engage(self, reason: str, by: str) -> None: ...

    def set_reduce_only(self, reason: str, by: str) -> None: ...

    def why(self) -> str:
        return "touched"


def test_a_held_entry_does_not_pass_a_gate_that_only_lets_reduce() -> None:
    switch = ReduceOnlyAtGate()
    pair: list[Answer] = [stop(BUY, 5, 103, group="g"), stop(SELL, 5, 97, group="g")]
    bench = Bench({1: pair}, traded=FUTURE, switch=switch)  # type: ignore[dict-item]
    bench.quote("100")
    switch.state = SwitchState.REDUCE_ONLY
    assert bench.quote("103") == []
    assert Code.REDUCE_ONLY in refusals_in(bench.records)
    assert bench.working == []


def test_an_exit_passes_a_gate_that_only_lets_reduce_beside_another() -> None:
    switch = ReduceOnlyAtGate()
    exits = [stop(SELL, 5, 95, reduce_only=True), stop(SELL, 5, 95, reduce_only=True)]
    bench = bought(*exits, switch=switch)
    switch.state = SwitchState.REDUCE_ONLY
    assert bench.quote("95") == [("MARKET", 2, "SELL", 5), ("MARKET", 3, "SELL", 5)]


def test_a_market_order_that_buys_a_short_back_leaves_at_once() -> None:
    back = market(BUY, 10, reduce_only=True)
    bench = Bench({1: market(SELL, 10), 2: back}, traded=FUTURE)
    bench.quote("100")
    bench.fills(1, 10)
    assert bench.quote("100") == [("MARKET", 2, "BUY", 10)]


def test_a_plain_stop_at_the_venue_is_in_the_way_also_after_its_price_was_passed() -> None:
    bench = bought(stop(SELL, 10, 95, reduce_only=True), stop(SELL, 10, 97), traded=FUTURE)
    assert bench.quote("96") == []
    assert bench.quote("95") == [("cancel", 3)]


def test_an_exit_that_is_younger_than_the_last_price_is_late_by_its_own_age() -> None:
    bench = Bench({1: A_BRACKET})
    bench.quote("100")
    bench.waits(20)
    bench.fills(1, 10)
    assert bench.quote("95", after_s=5) == [("MARKET", 2, "SELL", 10)]
    assert bench.warnings == []


def test_of_a_bar_that_opened_as_the_exit_was_made_every_price_counts() -> None:
    bench = Bench({1: A_BRACKET})
    bench.quote("100")
    bench.waits(58)
    bench.fills(1, 10)
    bar = quote_bar(COIN, 2, "100 100 94 99", "100 100 94 99")
    assert bar.opened_ns == bench.now_ns
    assert bench.step(bar) == [("MARKET", 2, "SELL", 10)]


def test_a_day_order_at_the_venue_ends_when_the_venue_says_so() -> None:
    rests = limit(BUY, 5, 90, time_in_force=TimeInForce.DAY)
    bench = bought(stop(SELL, 10, 80, reduce_only=True), rests, traded=FUTURE)
    bench.quote("100", after_s=2 * 86_400)
    assert bench.working == [(2, "HELD", 10), (3, "NEW", 5)]


def test_a_fill_after_a_guard_has_halted_the_session_makes_no_exit() -> None:
    bench = with_a_bracket(filled=4)
    bench.core._safety._halt("guard MAX_DRAWDOWN: drill")
    assert bench.core.is_halted
    bench.fills(1, 6)
    assert [number for number, _, _ in bench.working] == []


# ---- what is sent, and what is on record ----


def test_the_stop_of_a_pair_goes_first_in_whatever_order_they_were_made() -> None:
    pair = (limit(SELL, 10, 105, reduce_only=True, group="g"),)
    bench = bought(*pair, stop(SELL, 10, 95, reduce_only=True, group="g"))
    assert bench.step(quote_bar(COIN, 2, "100 106 94 100", "100 106 94 100")) == [
        ("MARKET", 3, "SELL", 10)
    ]


def test_a_limit_waits_for_one_of_its_group_that_rests_and_cancels_it_not() -> None:
    rests = stop_limit(SELL, 10, 95, 94, reduce_only=True, group="g")
    bench = bought(rests, limit(SELL, 10, 105, reduce_only=True, group="g"))
    assert bench.quote("95") == [("LIMIT", 2, "SELL", 10, 9400)]
    assert bench.quote("105") == []
    assert bench.says(ReportKind.CANCELLED, 2) == [("LIMIT", 3, "SELL", 10, 10500)]


def test_a_target_as_well_has_a_plain_sale_cancelled_first() -> None:
    bench = bought(limit(SELL, 10, 105, reduce_only=True), limit(SELL, 10, 110), traded=FUTURE)
    assert bench.quote("105") == [("cancel", 3)]


def test_an_exit_is_held_again_for_its_own_size_and_no_more() -> None:
    bench = bought(stop(SELL, 6, 95, reduce_only=True))
    bench.quote("95")
    bench.says(ReportKind.REJECTED, 2)
    assert bench.working == [(3, "HELD", 6)]


def test_an_entry_that_was_refused_is_not_made_again() -> None:
    entry = stop(BUY, 5, 103, group="g")
    bench = Bench({1: market(SELL, 10), 2: entry}, traded=FUTURE)
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("100")
    assert bench.quote("103") == [("MARKET", 2, "BUY", 5)]
    bench.says(ReportKind.REJECTED, 2)
    assert bench.working == []


def test_a_held_sale_that_only_shrinks_passes_a_gate_that_only_lets_reduce() -> None:
    switch = ReduceOnlyAtGate()
    bench = bought(stop(SELL, 10, 95, group="g"), traded=FUTURE, switch=switch)
    switch.state = SwitchState.REDUCE_ONLY
    assert bench.quote("95") == [("MARKET", 2, "SELL", 10)]


def test_the_journal_says_what_an_exit_was_cut_to_and_when_it_was_sent() -> None:
    exits = [stop(SELL, 7, 95, reduce_only=True), stop(SELL, 7, 95, reduce_only=True)]
    bench = bought(*exits)
    bench.quote("95")
    updates = [each for each in bench.records if isinstance(each, OrderUpdate)]
    assert [
        (each.status.value, each.quantity_units, each.ts_ns == bench.now_ns)
        for each in updates
        if each.order_id == 3
    ] == [("HELD", 0, False), ("HELD", 3, True), ("NEW", 0, True)]


def test_the_venue_hears_of_an_exit_as_it_is_sent_and_a_resumed_link_the_same() -> None:
    bench = bought(stop(SELL, 10, 95, reduce_only=True))
    bench.now_ns += 3600 * 10**9
    bench.core.run([quote(COIN, bench.now_ns, "95", "95.01")])
    [sent] = outbox_of(bench.core).take()
    assert isinstance(sent, SubmitOrder)
    assert (sent.terms.created_ns, sent.terms.stop_price) == (bench.now_ns, 0)
    [outstanding] = CoreView(bench.core.order_manager).outstanding()
    assert outstanding.terms == sent.terms


class EngagedAtLook:
    """A switch that a person engages just before gate 2 looks for the n-th time."""

    epoch = 0

    def __init__(self, looks: int) -> None:
        self.flag = bytearray(1)
        self.left = looks

    def authority(self) -> SwitchState:
        self.left -= 1
        if self.left <= 0:
            self.flag[0] = SwitchState.ENGAGED
        return SwitchState(self.flag[0])

    def engage(self, reason: str, by: str) -> None: ...

    def set_reduce_only(self, reason: str, by: str) -> None: ...

    def why(self) -> str:
        return "touched"


def lived(switch: Any) -> Bench:
    """Two exits of one symbol that one quote reaches."""
    exits = [stop(SELL, 5, 95, reduce_only=True), stop(SELL, 5, 95, reduce_only=True)]
    bench = Bench({1: market(BUY, 10), 2: list(exits)}, switch=switch)
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("100")
    bench.quote("95")
    return bench


def test_a_replay_sees_the_switch_between_two_exits_of_one_event() -> None:
    # The entry, two exits that are made, the first that is sent; then the second.
    bench = lived(EngagedAtLook(5))
    [change] = [each for each in bench.records if isinstance(each, SwitchRecord)]
    assert (change.seen_at, change.orders) == ("order", 4)
    sent = [each for each in bench.records if isinstance(each, OrderUpdate)]
    assert [each.order_id for each in sent if each.status is OrderStatus.NEW] == [2]
    recording = Recording([change], [], 100, bench.now_ns, 4, is_whole=True)
    again = lived(RecordedSwitch(recording, None))
    assert again.records == bench.records
