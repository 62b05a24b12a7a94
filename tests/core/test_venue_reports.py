"""A core whose venue is a real one, and what that venue reports."""

from __future__ import annotations

import pytest
from guard_helpers import BUY, A, B

from logos.core.engine import TradingCore
from logos.core.gates import InProcessSwitch
from logos.core.guards import SessionGuards
from logos.core.outbox import Outbox
from logos.core.records import WarningRecord
from logos.core.strategy import Answer, Cancel, Strategy, limit, market
from logos.core.types import Code, FillRule, ReportKind
from logos.testing.builders import (
    Scripted,
    ends_in,
    fills_in,
    guards_in,
    paper_rules,
    quote,
    trade,
    trading_core,
)
from logos.testing.venue_core import outbox_of, report, venue_core

# ---- a core whose venue is a real one ----


def core_of_a_venue(strategy: Strategy, rules_of_paper: FillRule, latency_ns: int) -> TradingCore:
    """A core of AAA with an outbox, and with rules that only a paper market would follow."""
    paper = trading_core(strategy, A, B)
    rules = paper_rules(rules_of_paper, latency_ns=latency_ns)
    own = paper.order_manager
    return TradingCore(
        "test", own.states, own.account, strategy, InProcessSwitch(), rules, SessionGuards(),
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
