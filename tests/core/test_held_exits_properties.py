"""Random sessions at a venue that fills, refuses and cancels as it likes: exits never flip.

Whatever the strategy asks, in whatever order things happen, snapshots taken and put back: no exit
fills beyond what is held, of one group at most one order is at the venue, no client id leaves
twice, both positions are the same, and `verify` has nothing to say.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scripted_bars import COIN, FUTURE
from venue_of_orders import OrderVenue

from logos.audit.orders import OrderJudge
from logos.audit.rules import SessionRules
from logos.config import make_config
from logos.core.engine import TradingCore
from logos.core.messages import Event, ResumeTrading, Suspend, TimePassed
from logos.core.records import Record
from logos.core.saved.state import is_savable, restore_core, save_core
from logos.core.strategy import (
    Answer,
    Cancel,
    Context,
    Replace,
    Strategy,
    Target,
    limit,
    market,
    stop,
    stop_limit,
)
from logos.core.types import NS_PER_SECOND, OrderStatus, ReportKind, Side, TimeInForce
from logos.testing.builders import quote
from logos.testing.venue_core import outbox_of, venue_core

CONFIG = make_config(
    {
        "account": {"balances": {"USD": "1000000"}},
        "instruments": {
            "COIN": {"tick": "0.01", "lot": "1", "quote": "USD"},
            "FUTURE": {"tick": "0.01", "lot": "1", "quote": "USD", "settlement": "margin"},
        },
        "risk": {"unlimited": True},
    }
)

sides = st.sampled_from(Side)
sizes = st.integers(1, 12)
prices = st.integers(88, 112)
tags = st.sampled_from(["", "a", "b"])
groups = st.sampled_from(["", "g", "h"])
forces = st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC])


def exits() -> st.SearchStrategy[Any]:
    """Orders that only reduce, or belong to a group, or both."""
    how: dict[str, Any] = {"tag": tags, "group": groups, "reduce_only": st.booleans()}
    return st.one_of(
        st.builds(stop, sides, sizes, prices, **how),
        st.builds(limit, sides, sizes, prices, time_in_force=forces, **how),
        st.builds(stop_limit, sides, sizes, prices, prices, **how),
        st.builds(market, sides, sizes, **how),
    )


@st.composite
def brackets(draw: st.DrawFn) -> Any:
    side, low, high = draw(sides), draw(st.integers(85, 97)), draw(st.integers(103, 115))
    loss, profit = (low, high) if side is Side.BUY else (high, low)
    how = {"stop_loss": loss, "take_profit": draw(st.sampled_from([profit, None]))}
    if draw(st.booleans()):
        return market(side, draw(sizes), tag=draw(tags), **how)  # type: ignore[arg-type]
    return limit(side, draw(sizes), 100, tag=draw(tags), **how)  # type: ignore[arg-type]


answers = st.lists(
    st.one_of(
        brackets(),
        brackets(),
        exits(),
        st.builds(Target, st.integers(-10, 10)),
        st.builds(market, sides, sizes),
        st.builds(limit, sides, sizes, prices, tag=tags),
        st.builds(Cancel, st.integers(1, 12)),
        st.builds(Replace, st.integers(1, 12), stop_price=prices),
    ),
    max_size=3,
)


class Puppet(Strategy):
    """Answers what it was last told to."""

    def __init__(self) -> None:
        self.answer: Answer = None

    def on_quote(self, context: Context, quote: object) -> Answer:
        answer, self.answer = self.answer, None
        return answer


class HeldExitsMachine(RuleBasedStateMachine):
    """One session and its venue, in steps of any kind."""

    @initialize(is_margin=st.booleans())
    def begin(self, is_margin: bool) -> None:
        self.traded = FUTURE if is_margin else COIN
        self.core = self._make()
        self.venue = OrderVenue()
        self.now_ns = NS_PER_SECOND
        self.judge = OrderJudge("test", SessionRules.of(CONFIG), has_ledger=True)
        self.count = 0
        self._see(self.core.start(1))
        self._step(quote(self.traded, self.now_ns, "100", "100.01"))

    def _make(self) -> TradingCore:
        cash = {"USD": "1000000"}
        return venue_core(Puppet(), self.traded, cash=cash)

    def _see(self, records: list[Record]) -> None:
        for record in records:
            self.count += 1
            self.judge.see(self.count, record)

    def _step(self, event: Event) -> None:
        self.core.run([event])
        self._see(self.core.take_effects())
        self.venue.take(outbox_of(self.core).take(), self.core)

    # ---- the market and the strategy ----

    @rule(bid=st.integers(84, 116), answer=st.one_of(st.none(), answers), after_s=st.integers(0, 5))
    def quotes(self, bid: int, answer: Any, after_s: int) -> None:
        self.now_ns += after_s * NS_PER_SECOND + 1
        strategy = self.core.strategy
        assert isinstance(strategy, Puppet)
        strategy.answer = answer
        self._step(quote(self.traded, self.now_ns, f"{bid}", f"{bid}.01"))

    @rule(seconds=st.integers(1, 70))
    def waits(self, seconds: int) -> None:
        self.now_ns += seconds * NS_PER_SECOND
        self._step(TimePassed(self.now_ns))

    @rule()
    def is_suspended_and_resumed(self) -> None:
        self._step(Suspend(self.now_ns, "stop", "test"))
        self._step(ResumeTrading(self.now_ns, "resumed", "test"))

    @precondition(lambda self: self.count > 40)
    @rule()
    def only_reduces_from_now_on(self) -> None:
        self.core.switch.set_reduce_only("test", "test")
        self._step(TimePassed(self.now_ns))

    @precondition(lambda self: self.count > 60)
    @rule()
    def is_engaged(self) -> None:
        self.core.switch.engage("test", "test")
        self._step(TimePassed(self.now_ns))

    @rule()
    def is_put_back_from_a_snapshot(self) -> None:
        if not is_savable(self.core):
            return
        state = json.loads(json.dumps(save_core(self.core)))
        core = self._make()
        restore_core(core, state)
        # The switch is outside of the session.
        core.switch.flag[0] = self.core.switch.flag[0]  # type: ignore[index]
        assert save_core(core) == save_core(self.core)
        self.core = core

    # ---- the venue ----

    @precondition(lambda self: self.venue.open)
    @rule(pick=st.integers(0, 9), part=st.integers(1, 12))
    def venue_fills(self, pick: int, part: int) -> None:
        there = self.venue.open[pick % len(self.venue.open)]
        self._step(self.venue.fill(there, min(part, there.remaining), self.now_ns))

    @precondition(lambda self: self.venue.open)
    @rule(pick=st.integers(0, 9), kind=st.sampled_from([ReportKind.ACCEPTED, ReportKind.UNKNOWN]))
    def venue_speaks(self, pick: int, kind: ReportKind) -> None:
        there = self.venue.open[pick % len(self.venue.open)]
        self._step(self.venue.word(there, kind, self.now_ns))

    @precondition(lambda self: self.venue.open)
    @rule(pick=st.integers(0, 9))
    def venue_ends(self, pick: int) -> None:
        there = self.venue.open[pick % len(self.venue.open)]
        kinds = [ReportKind.CANCELLED, ReportKind.EXPIRED]
        if not there.is_known:
            kinds += [ReportKind.REJECTED, ReportKind.NOT_SENT]
        kind = ReportKind.CANCELLED if there.is_cancel_asked else kinds[pick % len(kinds)]
        self._step(self.venue.end(there, kind, self.now_ns))

    # ---- what always holds ----

    @invariant()
    def nothing_is_wrong(self) -> None:
        if hasattr(self, "venue"):
            assert self.venue.problems(self.core) == []
            assert self.judge.findings == []

    def teardown(self) -> None:
        if not hasattr(self, "venue"):
            return
        self.core.begin_stop()
        self._see(self.core.take_effects())
        self.venue.take(outbox_of(self.core).take(), self.core)
        while self.venue.open:
            self._step(self.venue.end(self.venue.open[0], ReportKind.CANCELLED, self.now_ns))
        self._see(self.core.finish())
        self.judge.close()
        assert self.venue.problems(self.core) == []
        assert self.judge.findings == []
        [state] = self.core.order_manager.states.values()
        assert state.working == []
        assert state.exit_orders == 0
        assert not any(order.status is OrderStatus.HELD for order in state.working)


class LongMachine(HeldExitsMachine):
    """The same, for longer."""


TestHeldExits = pytest.mark.long(HeldExitsMachine.TestCase)
TestHeldExits.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestHeldExitsAtLength = pytest.mark.campaign(pytest.mark.timeout(300)(LongMachine.TestCase))
TestHeldExitsAtLength.settings = settings(max_examples=500, stateful_step_count=60, deadline=None)
