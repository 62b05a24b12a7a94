"""Random strategies that mix targets, brackets, groups, reduce-only orders, replaces, cancels and
timers, on markets with crossed quotes and gaps: reduce-only never opens or flips, a target is
reached or explained, books add up.

The journal alone is judged: every order and fill is booked again from its records.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.audit.orders import OrderJudge
from logos.audit.rules import SessionRules
from logos.config import make_config
from logos.core.engine import TradingCore
from logos.core.handlers.events import Timer
from logos.core.instrument import instrument
from logos.core.messages import MarketEvent
from logos.core.records import (
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    Record,
)
from logos.core.saved.state import is_savable, restore_core, save_core
from logos.core.strategy import (
    Answer,
    Cancel,
    Context,
    Replace,
    Target,
    Weight,
    limit,
    market,
    stop,
    stop_limit,
)
from logos.core.types import FillRule, Side
from logos.testing.builders import Scripted, bar, paper_rules, quote, quote_bar, trade, trading_core

SPOT = instrument("SPOT", tick="0.1", lot="1", quote="USD")
MARGIN = instrument("MARGIN", tick="0.1", lot="1", quote="USD", settlement="margin")

CONFIG = make_config(
    {
        "account": {"balances": {"USD": "1500"}},
        "instruments": {
            "SPOT": {"tick": "0.1", "lot": "1", "quote": "USD"},
            "MARGIN": {"tick": "0.1", "lot": "1", "quote": "USD", "settlement": "margin"},
        },
    }
)
"""What `verify` would judge such a session by."""

sides = st.sampled_from([Side.BUY, Side.SELL])
quantities = st.integers(1, 12)
prices = st.integers(85, 115)
groups = st.sampled_from(["", "", "g", "h"])
flags = st.booleans()
tags = st.sampled_from(["", "a", "b"])


@st.composite
def requests(draw: st.DrawFn) -> Any:
    kind = draw(st.integers(0, 9))
    side, quantity, price = draw(sides), draw(quantities), draw(prices)
    options: dict[str, Any] = {"tag": draw(tags), "group": draw(groups), "reduce_only": draw(flags)}
    if kind <= 1:
        return Target(draw(st.integers(-12, 12)))
    if kind == 2:
        return Weight(draw(st.sampled_from(["-1", "-0.5", "0", "0.3", "1"])))
    if kind == 3:
        low, high = draw(st.integers(80, 99)), draw(st.integers(101, 120))
        down, up = (low, high) if side is Side.BUY else (high, low)
        profit = draw(st.sampled_from([up, None]))
        return market(side, quantity, tag=options["tag"], stop_loss=down, take_profit=profit)
    if kind == 4:
        return limit(side, quantity, price, **options)
    if kind == 5:
        return stop(side, quantity, price, **options)
    if kind == 6:
        return stop_limit(side, quantity, price, price, **options)
    if kind == 7:
        return Replace(tag=draw(tags), order_id=draw(st.integers(0, 8)), quantity=quantity)
    if kind == 8:
        return Cancel(tag=draw(tags), order_id=draw(st.integers(0, 8)))
    return market(side, quantity, **options)


answers = st.one_of(st.none(), requests(), st.lists(requests(), max_size=3))
scripts = st.dictionaries(st.integers(1, 12), answers)


@st.composite
def events(draw: st.DrawFn, traded: Any) -> list[MarketEvent]:
    made: list[MarketEvent] = []
    number = 0
    for _ in range(draw(st.integers(1, 13))):
        number += draw(st.sampled_from([1, 1, 1, 1, 45]))
        at = number * 60_000_000_000
        low, high = sorted((draw(prices), draw(prices)))
        size = draw(st.sampled_from([None, "3", "0", "50"]))
        kind = draw(st.integers(0, 3))
        first, last = (low, high) if draw(flags) else (high, low)
        path = f"{first} {high} {low} {last}"
        if kind == 0:
            bid, ask = draw(st.sampled_from([(low, high), (low, high), (high, low)]))
            made.append(quote(traded, at, str(bid), str(ask), size, size))
        elif kind == 1:
            made.append(trade(traded, at, str(low), size))
        elif kind == 2:
            made.append(bar(traded, number, path, size))
        else:
            asks = f"{first + 1} {high + 1} {low + 1} {last + 1}"
            made.append(quote_bar(traded, number, path, asks, size))
    return made


class Timed(Scripted):
    """Answers its timers as well: the n-th call (from 1) with `timed[n]`."""

    def __init__(self, script: dict[int, Answer], timed: dict[int, Answer], symbol: str) -> None:
        super().__init__(script)
        self.timed = timed
        self.symbol = symbol
        self.due: list[int] = []

    def on_start(self, context: Context) -> Answer:
        context.every("150s", symbol=self.symbol)
        context.at(200_000_000_000, symbol=self.symbol)
        return None

    def on_timer(self, context: Context, timer: Timer) -> Answer:
        self.due.append(timer.due_ns)
        return self.timed.get(len(self.due))


class Judge:
    """Books the records again, and holds every fill against what its order was allowed."""

    def __init__(self) -> None:
        self.position = 0
        self.orders: dict[int, OrderRecord] = {}
        self.quantity: dict[int, int] = {}
        self.filled: dict[int, int] = {}
        self.group_exits: dict[str, int] = {}

    def see(self, record: Record) -> None:
        if isinstance(record, OrderRecord):
            self.orders[record.order_id] = record
            self.quantity[record.order_id] = record.quantity_units
            self.filled[record.order_id] = 0
        elif isinstance(record, OrderUpdate):
            if record.quantity_units:
                self.quantity[record.order_id] = record.quantity_units
            assert record.filled_units <= self.quantity[record.order_id]
        elif isinstance(record, PaperFillRecord):
            self._fill(record)

    def _fill(self, fill: PaperFillRecord) -> None:
        order = self.orders[fill.order_id]
        signed = fill.quantity_units if fill.side is Side.BUY else -fill.quantity_units
        if order.reduce_only:
            assert self.position * signed < 0, "a reduce-only order opened or added"
            assert abs(signed) <= abs(self.position), "a reduce-only order flipped the position"
        self.position += signed
        self.filled[fill.order_id] += fill.quantity_units
        assert self.filled[fill.order_id] <= self.quantity[fill.order_id]
        assert fill.position_units == self.position
        if order.group.startswith("#"):
            entry = int(order.group[1:])
            done = self.group_exits.get(order.group, 0) + fill.quantity_units
            self.group_exits[order.group] = done
            assert done <= self.filled[entry], "the exits of a bracket sold more than it bought"


def lived(
    strategy: Timed, coming: list[MarketEvent], traded: Any, how: dict[str, Any]
) -> tuple[TradingCore, list[Record]]:
    core = trading_core(strategy, traded, cash={"USD": "1500"}, **how)
    records = core.start(coming[0].ts_ns - 1)
    for event in coming:
        records += core.step(event)
        state = core.order_manager.states[traded.symbol]
        for order in state.working:
            if order.reduce_only:
                assert order.remaining <= abs(state.inventory.position)
        assert state.exit_orders == sum(order.has_exit_terms for order in state.working)
        assert state.is_busy == (bool(state.working) or state.target is not None)
        plain = [order for order in state.working if not order.reduce_only]
        assert state.open_buy == sum(order.remaining for order in plain if order.is_buy)
        assert state.open_sell == sum(order.remaining for order in plain if not order.is_buy)
    return core, records + core.stop()


ways = st.fixed_dictionaries(
    {
        "rules": st.builds(
            paper_rules,
            st.sampled_from(list(FillRule)),
            participation=st.sampled_from(["0", "0.5"]),
            latency_ns=st.sampled_from([0, 0, 61_000_000_000]),
            slippage_ticks=st.sampled_from([0, 1]),
        ),
        "max_position": st.sampled_from(["0", "0", "20"]),
        "borrow": st.just({"SPOT": "0", "MARGIN": "0", "USD": "0"}),
    }
)


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from([SPOT, MARGIN]), scripts, scripts, ways)
def test_exits_and_targets_keep_their_word(
    data: st.DataObject,
    traded: Any,
    script: dict[int, Answer],
    timed: dict[int, Answer],
    how: dict[str, Any],
) -> None:
    how = {**how, "borrow": {traded.base: "0"}}
    coming = data.draw(events(traded))
    strategy = Timed(script, timed, traded.symbol)
    core, records = lived(strategy, coming, traded, how)
    assert strategy.due == sorted(strategy.due)
    assert len(set(strategy.due)) == len(strategy.due)
    assert all(due <= coming[-1].ts_ns for due in strategy.due)
    judge = Judge()
    auditor = OrderJudge("test", SessionRules.of(CONFIG), has_ledger=True)
    for sequence, record in enumerate(records):
        judge.see(record)
        auditor.see(sequence, record)
    auditor.close()
    assert auditor.findings == []
    assert auditor.books.get(traded.symbol) is None or (
        auditor.books[traded.symbol].position == judge.position
    )
    assert core.order_manager.targeted == []
    assert sum(wallet.locked for wallet in core.order_manager.account.wallets) == 0


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([SPOT, MARGIN]), scripts, scripts, ways)
def test_a_core_that_was_saved_at_any_event_goes_on_to_the_same_records(
    data: st.DataObject,
    traded: Any,
    script: dict[int, Answer],
    timed: dict[int, Answer],
    how: dict[str, Any],
) -> None:
    how = {**how, "borrow": {traded.base: "0"}, "cash": {"USD": "1500"}}
    coming = data.draw(events(traded))
    at = data.draw(st.integers(0, len(coming) - 1))
    strategy = Timed(script, timed, traded.symbol)
    core = trading_core(strategy, traded, **how)
    core.start(coming[0].ts_ns - 1)
    for event in coming[:at]:
        core.step(event)
    core.take_effects()
    if not is_savable(core):
        return
    saved = save_core(core)
    other = Timed(script, timed, traded.symbol)
    other.seen, other.due = list(strategy.seen), list(strategy.due)
    again = trading_core(other, traded, **how)
    restore_core(again, saved)
    for event in coming[at:]:
        assert again.step(event) == core.step(event)
    assert again.stop() == core.stop()
