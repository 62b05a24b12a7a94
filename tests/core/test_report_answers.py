"""What the strategy, the switch and the end of a session make of a venue's reports."""

from __future__ import annotations

import pytest
from report_helpers import (
    ACCEPTED,
    BUY_TWO,
    COIN,
    NEW,
    PART,
    UNKNOWN,
    at,
    filled,
    order_of,
    started,
    told,
    updates_in,
    with_order,
)

from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote, Suspend, TimePassed
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.records import (
    PaperFillRecord,
    RefusalRecord,
)
from logos.core.strategy import Answer, Cancel, Context, Replace, Strategy, limit, market
from logos.core.types import Code, OrderStatus, ReportKind, Side, SwitchState
from logos.testing.builders import Scripted, fills_in, orders_in
from logos.testing.venue_core import outbox_of, report, venue_core

# ---- what the strategy is told, and what it wants ----


class Chaser(Strategy):
    """Buys once; answers each fill with a small sale."""

    def __init__(self) -> None:
        self.fills: list[PaperFillRecord] = []

    def on_start(self, context: Context) -> Answer:
        return None

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return BUY_TWO if not context.open_orders("COIN") and not self.fills else None

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        self.fills.append(fill)
        return market(Side.SELL, "0.1") if fill.side is Side.BUY else None


def test_the_strategy_hears_of_its_fills_and_answers_them() -> None:
    strategy = Chaser()
    core = started(strategy)
    outbox_of(core).take()
    records = told(core, report(ReportKind.ACCEPTED, 2), filled(3, 500))
    assert [fill.quantity_units for fill in strategy.fills] == [500]
    assert [order.side for order in orders_in(records)] == [Side.SELL]
    (request,) = outbox_of(core).take()
    assert isinstance(request, SubmitOrder)
    assert request.client_order_id == "test-2"


def test_an_engaged_switch_books_the_fill_and_does_not_ask_the_strategy() -> None:
    strategy = Chaser()
    core = started(strategy)
    core.switch.engage("test", "test")
    records = told(core, filled(3, 500))
    assert [each.quantity_units for each in fills_in(records)] == [500]
    assert strategy.fills == []
    assert orders_in(records) == []


def test_a_cancel_is_requested_once_however_often_it_is_wanted() -> None:
    core = started(Scripted({1: BUY_TWO, 2: Cancel(tag="mine"), 3: Cancel(tag="mine")}))
    outbox_of(core).take()
    told(core, report(ReportKind.ACCEPTED, 2), at(3), at(4))
    core.switch.engage("test", "test")
    told(core, at(5))
    (request,) = outbox_of(core).take()
    assert isinstance(request, CancelOrder)
    assert order_of(core).status is ACCEPTED
    records = told(core, report(ReportKind.CANCELLED, 6))
    assert updates_in(records) == ["CANCELLED CANCELLED_BY_KILL_SWITCH"]


@pytest.mark.parametrize("status", [NEW, UNKNOWN, ACCEPTED, PART])
def test_the_kill_switch_asks_for_the_cancel_of_every_open_order(status: OrderStatus) -> None:
    core = with_order(status)
    core.switch.engage("test", "test")
    told(core, TimePassed(4))
    (request,) = outbox_of(core).take()
    assert request == CancelOrder("test-1", "COIN")
    assert order_of(core).is_open


def test_the_successor_of_a_replaced_order_is_sent_when_the_venue_has_ended_the_old_one() -> None:
    new = Replace(tag="mine", quantity=3, limit_price="9.5")
    core = started(Scripted({1: BUY_TWO, 2: new}))
    outbox_of(core).take()
    assert orders_in(told(core, report(ReportKind.ACCEPTED, 2), filled(2, 500), at(3))) == []
    (request,) = outbox_of(core).take()
    assert isinstance(request, CancelOrder)
    records = told(core, report(ReportKind.CANCELLED, 4))
    (order,) = orders_in(records)
    assert (order.quantity_units, order.limit_price_units, order.tag) == (2500, 950, "mine")
    assert updates_in(records) == ["CANCELLED REPLACED"]


def test_an_order_that_filled_before_its_replacement_has_no_successor() -> None:
    core = started(Scripted({1: BUY_TWO, 2: Replace(tag="mine", limit_price="9.5")}))
    records = told(core, report(ReportKind.ACCEPTED, 2), at(3), filled(4, 2000))
    assert updates_in(records)[-1] == "FILLED"
    assert orders_in(records) == []


def test_a_killed_order_that_was_to_be_replaced_has_no_successor() -> None:
    core = started(Scripted({1: BUY_TWO, 2: Replace(tag="mine", limit_price="9.5")}))
    told(core, report(ReportKind.ACCEPTED, 2), at(3))
    core.switch.engage("test", "test")
    records = told(core, TimePassed(4), report(ReportKind.CANCELLED, 5))
    assert updates_in(records) == ["CANCELLED CANCELLED_BY_KILL_SWITCH"]
    assert orders_in(records) == []


# ---- gates ----


def test_reduce_only_cancels_what_could_grow_a_position() -> None:
    script: dict[int, Answer] = {1: BUY_TWO, 2: limit(Side.SELL, "0.3", 11)}
    core = started(Scripted(script))
    told(core, filled(2, 500), at(3))
    outbox_of(core).take()
    core.switch.set_reduce_only("test", "test")
    told(core, TimePassed(4))
    assert [each.client_order_id for each in outbox_of(core).take()] == ["test-1"]


def test_reduce_only_lets_through_what_shrinks_the_position_and_nothing_else() -> None:
    script: dict[int, Answer] = {
        1: BUY_TWO,
        2: market(Side.SELL, "1.5"),
        3: market(Side.SELL, "0.6"),
        4: market(Side.BUY, "0.1"),
    }
    core = started(Scripted(script))
    told(core, filled(2, 2000))
    core.switch.set_reduce_only("test", "test")
    records = told(core, at(4), at(5), at(6))
    assert [order.quantity_units for order in orders_in(records)] == [1500]
    refused = [each.code for each in records if isinstance(each, RefusalRecord)]
    assert refused == [Code.INSUFFICIENT_BORROW, Code.REDUCE_ONLY]


def test_gate_2_refuses_an_order_once_the_switch_is_engaged_and_nothing_leaves() -> None:
    class EngagesBetweenTheGates:
        """A switch of its own: the compiled one cannot be inherited from."""

        epoch = 0

        def __init__(self) -> None:
            self._switch = InProcessSwitch()
            self.flag = self._switch.flag
            self.engage = self._switch.engage
            self.set_reduce_only = self._switch.set_reduce_only
            self.why = self._switch.why

        def authority(self) -> SwitchState:
            self.engage("between the gates", "test")
            return self._switch.authority()

    core = venue_core(Scripted({1: BUY_TWO}), COIN, switch=EngagesBetweenTheGates())
    records = told(core, at(1))
    assert [each.code for each in records if isinstance(each, RefusalRecord)] == [
        Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING
    ]
    assert outbox_of(core).take() == []


# ---- the end ----


def test_a_stop_asks_for_cancels_and_books_what_the_venue_says_of_them() -> None:
    core = with_order(ACCEPTED)
    core.begin_stop()
    assert [each.client_order_id for each in outbox_of(core).take()] == ["test-1"]
    records = told(core, filled(3, 700), report(ReportKind.CANCELLED, 4))
    assert updates_in(records) == ["PARTIALLY_FILLED", "CANCELLED SESSION_ENDED"]
    core.finish()
    assert core.order_manager.states["COIN"].inventory.position == 700


def test_a_session_that_ends_sends_no_successors() -> None:
    core = started(Scripted({1: BUY_TWO, 2: Replace(tag="mine", limit_price="9.5")}))
    told(core, report(ReportKind.ACCEPTED, 2), at(3))
    core.begin_stop()
    records = told(core, report(ReportKind.CANCELLED, 4))
    assert updates_in(records) == ["CANCELLED SESSION_ENDED"]
    assert orders_in(records) == []


def test_a_session_that_halts_in_a_batch_still_books_the_reports_behind_it() -> None:
    core = with_order(ACCEPTED, halt_on_engage=True)
    core.switch.engage("test", "test")
    ticks = core.order_manager.tick_id
    records = told(core, TimePassed(3), filled(4, 700), at(5), filled(6, 1300))
    assert core.is_halted
    assert [fill.quantity_units for fill in fills_in(records)] == [700, 1300]
    assert outbox_of(core).open == {}
    assert core.order_manager.tick_id == ticks + 3, "the quote was left alone"


def test_a_halted_session_that_waits_for_its_venue_books_every_report() -> None:
    core = with_order(ACCEPTED, halt_on_engage=True)
    core.switch.engage("test", "test")
    told(core, TimePassed(3))
    core.begin_stop()
    records = told(core, filled(4, 700), at(5), report(ReportKind.CANCELLED, 6))
    assert updates_in(records) == ["PARTIALLY_FILLED", "CANCELLED CANCELLED_BY_KILL_SWITCH"]
    assert outbox_of(core).open == {}


def test_an_operator_who_closes_the_session_has_its_orders_cancelled_and_reports_booked() -> None:
    strategy = Chaser()
    core = started(strategy)
    outbox_of(core).take()
    told(core, Suspend(2, "lunch", "me"))
    assert len(outbox_of(core).take()) == 1
    records = told(core, filled(3, 700), report(ReportKind.CANCELLED, 4))
    assert updates_in(records)[-1] == "CANCELLED CANCELLED_BY_OPERATOR"
    assert strategy.fills == []


@pytest.mark.parametrize("wish", [Cancel(tag="mine"), Replace(tag="mine", limit_price="9.5")])
def test_a_strategy_that_wants_it_too_does_not_take_a_cancel_from_the_switch(
    wish: Answer,
) -> None:
    core = started(Scripted({1: BUY_TWO, 2: wish}))
    told(core, report(ReportKind.ACCEPTED, 2))
    core.switch.set_reduce_only("test", "test")
    told(core, TimePassed(3), at(4))
    records = told(core, report(ReportKind.CANCELLED, 5))
    assert updates_in(records) == ["CANCELLED CANCELLED_BY_KILL_SWITCH"]
    assert orders_in(records) == []
