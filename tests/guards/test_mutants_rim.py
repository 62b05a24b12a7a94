"""What a live session hears besides prices: what small changes of the core showed to be untested.

Operators' pauses, lags of data, and the orders and reports of a core whose venue is a real one;
every test here notices a change of `core/` or of `execution/venue_link.py` that the other tests did
not. See `tests/helpers/mutation.py`.
"""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from guard_helpers import BUY, SELL, A, B, Desk, trips_in

from logos.core.context import CoreView
from logos.core.engine import TradingCore
from logos.core.gates import InProcessSwitch
from logos.core.guards import SessionGuards
from logos.core.messages import (
    Flatten,
    Lag,
    PauseSymbol,
    Report,
    ResumeTrading,
    Suspend,
    UnpauseSymbol,
)
from logos.core.outbox import Outbox, SubmitOrder
from logos.core.records import CommandRecord, WarningRecord
from logos.core.strategy import Answer, Cancel, Strategy, limit, market
from logos.core.types import Code, FillRule, ReportKind, Side
from logos.execution.venue_link import VenueLink
from logos.testing.builders import (
    Scripted,
    ends_in,
    fills_in,
    guards_in,
    orders_in,
    paper_rules,
    quote,
    trade,
    trading_core,
)
from logos.testing.clock import ManualClock
from logos.testing.fake_venue import FakeVenue
from logos.testing.venue_core import outbox_of, report, venue_core

# ---- lag ----


@pytest.mark.parametrize(("lag_ns", "is_stale"), [(0, False), (7, False), (8, True)])
def test_a_price_is_as_old_as_its_receipt_and_its_lag_together(lag_ns: int, is_stale: bool) -> None:
    desk = Desk(stale_after_ns=10)
    desk.show(100)
    desk.core.step(Lag(1, "AAA", lag_ns))
    desk.show(100, market(BUY, 1, symbol="AAA"), symbol="BBB", at_ns=4)
    assert trips_in(desk.records) == ([[Code.STALE_DATA]] if is_stale else [])
    assert len(orders_in(desk.records)) == (0 if is_stale else 1)


# ---- a symbol is paused ----


def test_a_paused_symbol_orders_nothing_and_keeps_nothing_open_and_the_others_trade() -> None:
    desk = Desk()
    bids = [limit(BUY, 1, 90), limit(BUY, 1, 90, symbol="BBB")]
    desk.show(100, symbol="BBB")
    desk.show(100, bids)
    records = desk.core.step(PauseSymbol(3, "look", "ann", "AAA"))
    assert records[0] == CommandRecord(3, 2, "pause", "look", "ann", "AAA")
    assert ends_in(records) == {1: "CANCELLED CANCELLED_BY_OPERATOR"}
    assert [len(desk.core.order_manager.states[name].working) for name in ("AAA", "BBB")] == [0, 1]
    records = desk.show(100, [market(BUY, 1), market(BUY, 1, symbol="BBB")], at_ns=4)
    assert trips_in(records) == [[Code.SYMBOL_PAUSED]]
    assert [fill.symbol for fill in fills_in(records)] == ["BBB"]


def test_a_symbol_that_is_paused_no_more_orders_again() -> None:
    desk = Desk()
    desk.show(100)
    desk.core.step(PauseSymbol(2, "look", "ann", "AAA"))
    records = desk.core.step(UnpauseSymbol(3, "fine", "bob", "AAA"))
    assert records == [CommandRecord(3, 1, "unpause", "fine", "bob", "AAA")]
    records = desk.show(100, market(BUY, 1), at_ns=4)
    assert trips_in(records) == []
    assert len(fills_in(records)) == 1


# ---- the session is closed, and opened again ----


def test_a_closed_session_cancels_and_asks_nobody_until_it_is_opened_again() -> None:
    desk = Desk()
    desk.show(100, limit(BUY, 1, 90))
    core = desk.core
    records = core.step(Suspend(2, "lunch", "ann"))
    assert records[0] == CommandRecord(2, 1, "suspend", "lunch", "ann")
    assert ends_in(records) == {1: "CANCELLED CANCELLED_BY_OPERATOR"}
    assert core.is_suspended
    desk.show(100, market(BUY, 1), at_ns=3)
    assert len(desk.strategy.seen) == 1
    records = core.step(ResumeTrading(4, "back", "bob"))
    assert records == [CommandRecord(4, 2, "resume", "back", "bob")]
    assert not core.is_suspended
    records = desk.show(100, market(SELL, 1), at_ns=5)
    assert len(desk.strategy.seen) == 2
    assert [fill.side for fill in fills_in(records)] == [SELL]
    assert len(desk.strategy.fills) == 1, "it is told of its fills again"


def test_a_closed_session_that_is_flattened_is_closed_no_more() -> None:
    desk = Desk()
    desk.show(100, market(BUY, 2))
    desk.core.step(Suspend(2, "lunch", "ann"))
    desk.core.step(Flatten(3, "enough", "ann"))
    assert not desk.core.is_suspended, "it works on closing what is held"
    assert desk.core.order_manager.states["AAA"].inventory.position == 0


# ---- a core whose venue is a real one ----


def core_of_a_venue(strategy: Strategy, rules_of_paper: FillRule, latency_ns: int) -> TradingCore:
    """A core of AAA with an outbox, and with rules that only a paper market would follow."""
    paper = trading_core(strategy, A, B)
    rules = paper_rules(rules_of_paper, latency_ns=latency_ns)
    desk = paper.order_manager
    return TradingCore(
        "test", desk.states, desk.account, strategy, InProcessSwitch(), rules, SessionGuards(),
        0, {}, 0, False, Outbox(),
    )  # fmt: skip


@pytest.mark.parametrize("rule", list(FillRule))
def test_the_rules_of_the_paper_market_are_not_a_venues(rule: FillRule) -> None:
    script: dict[int, Answer] = {1: market(BUY, 1)}
    core = core_of_a_venue(Scripted(script), rule, latency_ns=500)
    core.start(0)
    core.run([trade(A, 1, "100"), trade(A, 2, "101")])
    (request,) = outbox_of(core).take()
    order = outbox_of(core).open[request.client_order_id]
    assert (order.created_ns, order.arrival_ns) == (1, 1), "nothing is simulated on its way"
    assert order.is_open
    assert fills_in(core.take_effects()) == []


def test_market_data_behind_the_halt_is_left_alone_in_a_later_batch_as_well() -> None:
    core = venue_core(Scripted(), A, halt_on_engage=True)
    core.start(0)
    core.switch.engage("drill", "ann")
    core.run([quote(A, 1, "100", "100")])
    assert core.is_halted
    core.run([quote(A, ts_ns, "100", "100") for ts_ns in (2, 3)])
    assert (core.order_manager.now_ns, core.order_manager.tick_id, core.blocked_count) == (1, 1, 1)


# ---- reports ----


def with_a_bid(answer_at_two: Answer = None) -> TradingCore:
    """A core with one order at its venue, a bid for two; it began in 1970, at 0."""
    core = venue_core(Scripted({1: limit(BUY, 2, 90, tag="x"), 2: answer_at_two}), A)
    core.start(0)
    core.run([quote(A, 0, "100", "100")])
    core.take_effects()
    return core


def test_a_word_of_a_venue_to_a_session_without_one_stops_trading() -> None:
    core = trading_core(Scripted(), A)
    core.start(0)
    records = core.step(report(ReportKind.ACCEPTED, 1))
    assert guards_in(records) == [(Code.RECONCILIATION, "engage")]


def test_the_smallest_price_is_a_price_of_a_fill_as_well() -> None:
    core = with_a_bid()
    records = core.step(report(ReportKind.FILLED, 1, quantity=1, price=1))
    assert guards_in(records) == []
    assert [fill.price_units for fill in fills_in(records)] == [1]


def test_only_a_venue_that_says_something_is_quoted() -> None:
    core = with_a_bid()
    records = core.step(report(ReportKind.ACCEPTED, 1))
    assert not [each for each in records if isinstance(each, WarningRecord)]


def test_a_cancel_that_was_wanted_at_the_first_moment_of_all_was_wanted() -> None:
    core = with_a_bid(Cancel(tag="x"))
    core.run([report(ReportKind.ACCEPTED, 0), quote(A, 0, "100", "100")])
    core.run([report(ReportKind.CANCELLED, 0)])
    assert ends_in(core.take_effects()) == {1: "CANCELLED CANCELLED_BY_STRATEGY"}


# ---- the link's own gate ----


@pytest.mark.parametrize("state", ["SAFE", "REDUCE_ONLY", "ENGAGED"])
def test_an_order_that_closes_a_position_leaves_unless_the_switch_is_engaged(state: str) -> None:
    core = venue_core(Scripted({1: market(BUY, 2), 2: market(SELL, 2)}), A)
    core.start(1)
    core.run([quote(A, 1, "100", "100")])
    outbox_of(core).take()
    core.run([report(ReportKind.FILLED, 2, quantity=2, price=100), quote(A, 3, "100", "100")])
    requests = outbox_of(core).take()
    assert [each.terms.signed_quantity for each in requests if isinstance(each, SubmitOrder)] == [
        -2
    ]
    if state == "REDUCE_ONLY":
        core.switch.set_reduce_only("careful", "ann")
    elif state == "ENGAGED":
        core.switch.engage("drill", "ann")

    async def send() -> tuple[list[Report], dict[str, int]]:
        clock = ManualClock()
        reports: list[Report] = []
        venue = FakeVenue([A], clock, Random(1), {"USD": "1000"})
        venue.set_price("AAA", 100)
        link = VenueLink(
            venue,
            CoreView(core.order_manager),
            core.switch,
            clock,
            Random(2),
            reports.append,
        )
        serving = asyncio.create_task(link.run())
        link.dispatch(requests)
        while not reports and not clock.sleepers:
            await asyncio.sleep(0)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        return reports, venue.submits

    reports, submits = asyncio.run(asyncio.wait_for(send(), 20))
    assert submits == ({} if state == "ENGAGED" else {"test-2": 1})
    words = "kill switch before it left: drill (by ann)"
    expected = (ReportKind.NOT_SENT, words) if state == "ENGAGED" else (ReportKind.ACCEPTED, "")
    assert [(said.kind, said.detail) for said in reports] == [expected]


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(
    ("quantities", "leaves"),
    [([2], [True]), ([3], [False]), ([1, 2], [False, False]), ([1, 1], [True, True])],
)
def test_reduce_only_lets_leave_what_closes_the_position_with_all_that_is_on_its_way(
    side: Side, quantities: list[int], leaves: list[bool]
) -> None:
    other = SELL if side is BUY else BUY
    price = 110 if other is SELL else 90
    closing = [limit(other, quantity, price) for quantity in quantities]
    core = venue_core(Scripted({1: market(side, 2), 2: closing}), A)
    core.start(1)
    core.run([quote(A, 1, "100", "100")])
    outbox_of(core).take()
    core.run([report(ReportKind.FILLED, 2, quantity=2, price=100), quote(A, 3, "100", "100")])
    requests = outbox_of(core).take()
    orders = [request.terms for request in requests if isinstance(request, SubmitOrder)]
    assert len(orders) == len(quantities)
    view = CoreView(core.order_manager)
    assert {view.why_closed(core.switch, order) for order in orders} == {None}
    core.switch.set_reduce_only("careful", "ann")
    assert [view.why_closed(core.switch, order) for order in orders] == [
        None if may else Code.REDUCE_ONLY for may in leaves
    ]
