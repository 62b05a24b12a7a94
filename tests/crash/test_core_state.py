"""A core that is saved between any two events and restored goes on exactly as if nothing was."""

from __future__ import annotations

import ast
import importlib
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any

import pytest
from crash_sessions import START_NS, STORIES
from crash_strategies import SYMBOLS, Saving
from hypothesis import given, settings
from hypothesis import strategies as some

from logos.config import make_config
from logos.core.engine import TradingCore
from logos.core.fees import FeeRule
from logos.core.gates import InProcessSwitch
from logos.core.guards import LedgerLimits, Limits
from logos.core.instrument import FeeSchedule, Instrument
from logos.core.matching import PaperRules
from logos.core.messages import Bar, Engage, Event, Quote, Trade
from logos.core.orders import StandingTarget
from logos.core.outbox import Outbox, SubmitOrder
from logos.core.prices.watch import CorporateAction
from logos.core.risk import Approved
from logos.core.saved.state import NotThisCore, is_savable, restore_core, save_core
from logos.core.saved.table import TABLE
from logos.core.strategy import Answer, Context, Strategy, Target, can_save
from logos.core.types import NS_PER_DAY
from logos.session.build import make_instruments
from logos.session.plan import make_plan

FEED = type("NoFeed", (), {"chunks": lambda _: iter(())})()

STATELESS = {
    CorporateAction: "from the settings",
    FeeSchedule: "from the settings",
    FeeRule: "an instrument's fees, from the settings",
    Instrument: "from the settings",
    LedgerLimits: "from the settings",
    Limits: "from the settings",
    PaperRules: "from the settings",
}


class Everything(Saving):
    """Restless on quotes, trades and bars alike, and it answers its fills."""

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return self.on_quote(context, _as_quote(trade.ts_ns, trade, trade.price_units))

    def on_bar(self, context: Context, bar: Any) -> Answer:
        return self.on_quote(context, _as_quote(bar.ts_ns, bar, bar.close_units))

    def on_fill(self, context: Context, fill: Any) -> Answer:
        self._seen += 1
        return None

    def save(self) -> dict[str, Any]:
        return super().save()

    def load(self, context: Context, state: dict[str, Any]) -> None:
        super().load(context, state)


class Barred(Everything):
    """And it asks for bars of two lengths, their history and a warm-up."""

    timeframes = ("5s", "20s")
    history = 4
    warmup = 3

    def on_bar(self, context: Context, bar: Any) -> Answer:
        self._seen += round(sum(context.history(bar.symbol, 3)))
        price = bar.close_units if type(bar) is Bar else bar.bid_close_units
        return self.on_quote(context, _as_quote(bar.ts_ns, bar, price))

    def save(self) -> dict[str, Any]:
        return super().save()

    def load(self, context: Context, state: dict[str, Any]) -> None:
        super().load(context, state)


def _as_quote(ts_ns: int, event: Any, price: int) -> Quote:
    return Quote(ts_ns, event.symbol, price, price, 50, 50, event.instrument)


@dataclass(frozen=True)
class Market:
    """Settings and events that follow from one seed."""

    seed: int
    paper: dict[str, Any] = field(default_factory=dict)
    risk: dict[str, Any] = field(default_factory=dict)
    on_engaged: str = "halt"
    strategy: type[Everything] = Everything
    bar_sources: dict[str, str] = field(default_factory=dict)
    is_wild: bool = False
    """Stub bids and bad lows; the first symbol is split at midnight, the second looks like it, and
    a third pays a dividend."""

    @property
    def config(self) -> dict[str, Any]:
        base = deepcopy(STORIES["trading"].config)
        base["paper"] = {"fill": "bid_ask", **self.paper}
        base["risk"] = self.risk
        base["switch"] = {"on_engaged": self.on_engaged}
        base["session"]["seed"] = self.seed
        base["account"].update(report_in="USD", rates={"EUR": "1.1"})
        if self.is_wild:
            midnight = datetime.fromtimestamp((START_NS // NS_PER_DAY + 1) * 86_400, UTC).date()
            base["instruments"][SYMBOLS[0]]["splits"] = [f"{midnight} 2:1"]
            base["instruments"][SYMBOLS[2]]["dividends"] = [f"{midnight} 0.01"]
        if self.seed % 2:
            base["instruments"]["BBB"].update(settlement="spot", leverage=1)
        return base

    def core(self, switch: InProcessSwitch) -> TradingCore:
        config = make_config(self.config)
        plan = make_plan(config, strategy=self.strategy(), feed=FEED)
        return replace(plan, bar_sources=self.bar_sources).make_core("saved", switch)

    def events(self, count: int) -> list[Event]:
        """Quotes, trades, bars and an operator's word, of symbols that wander over midnight."""
        instruments = make_instruments(make_config(self.config).instruments)
        chance = Random(self.seed)
        middle = dict.fromkeys(SYMBOLS, 10_000)
        now_ns = (START_NS // NS_PER_DAY + 1) * NS_PER_DAY - count // 2 * 1_000_000_000
        found: list[Event] = []
        for _ in range(count):
            symbol = chance.choice(SYMBOLS)
            middle[symbol] = max(100, middle[symbol] + chance.randint(-40, 40))
            now_ns += chance.choice((0, 500_000_000, 2_000_000_000))
            bid, traded = middle[symbol], instruments[symbol]
            is_next_day = now_ns // NS_PER_DAY > START_NS // NS_PER_DAY
            if self.is_wild and is_next_day and symbol != SYMBOLS[2]:
                bid //= 2
            kind = chance.random()
            if kind < 0.7:
                ask = bid + chance.randint(-1, 3)
                if self.is_wild and chance.random() < 0.1:
                    bid = 1
                sizes = chance.randint(0, 60), chance.randint(0, 60)
                found.append(Quote(now_ns, symbol, bid, ask, *sizes, traded))
            elif kind < 0.8:
                found.append(Trade(now_ns, symbol, bid, chance.randint(1, 60), "", traded))
            elif kind < 0.995:
                high, low = bid + 9, bid - 9
                if self.is_wild and chance.random() < 0.3:
                    low = 1
                found.append(Bar(now_ns, symbol, 10**9, bid, high, low, bid + 3, 90, traded))
            elif self.on_engaged == "block":
                found.append(Engage(now_ns, "enough", "ann"))
        return found


GUARDS = {
    "duplicate_window_s": 20,
    "total": {
        "max_gross_exposure": "200000",
        "max_orders": 5,
        "max_orders_window_s": 9,
        "max_drawdown": "900",
        "max_daily_loss": "300",
        "max_consecutive_losses": 3,
    },
    "actions": {"max_drawdown": "reduce_only", "consecutive_losses": "refuse"},
}
LOSSES = {"total": {"max_daily_loss": "100"}}
MARKETS = {
    "plain": Market(2),
    "latency and participation": Market(3, {"participation": "0.25", "latency_ms": "1500"}),
    "spot and next open": Market(5, {"fill": "next_open", "slippage_ticks": 1}),
    "guards": Market(4, {"latency_ms": "700"}, GUARDS, "block"),
    "blocked": Market(7, {"participation": "0.5"}, LOSSES, "block"),
    "splits and bad prices": Market(11, is_wild=True),
    "splits and bad prices, later": Market(
        12, {"fill": "next_open", "latency_ms": "700"}, is_wild=True
    ),
    "halted": Market(8, {}, LOSSES),
    "reduced": Market(7, {}, {**LOSSES, "actions": {"max_daily_loss": "reduce_only"}}, "block"),
    "bars of quotes": Market(9, {"fill": "next_open"}, strategy=Barred),
    "bars of trades and of bars": Market(
        10, {}, GUARDS, "block", Barred, {SYMBOLS[0]: "trades", SYMBOLS[1]: "bars"}
    ),
}
EVENTS = 150


def restored(core: TradingCore, market: Market) -> TradingCore:
    """Another core, made from what is left of this one on a disk."""
    assert isinstance(core.switch, InProcessSwitch)
    assert isinstance(core.strategy, Everything)
    switch = InProcessSwitch()
    switch.flag[0] = core.switch.flag[0]
    switch._reason = core.switch._reason
    other = market.core(switch)
    restore_core(other, json.loads(json.dumps(save_core(core))))
    other.strategy.load(None, json.loads(json.dumps(core.strategy.save())))  # type: ignore[arg-type]
    return other


@pytest.mark.long
@pytest.mark.parametrize("name", MARKETS)
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(cut=some.integers(0, EVENTS - 1))
def test_a_core_saved_after_any_event_makes_the_same_records_from_there_on(
    name: str, cut: int
) -> None:
    market = MARKETS[name]
    events = market.events(EVENTS)
    core = market.core(InProcessSwitch())
    core.start(events[0].ts_ns)
    core.run(events[:cut])
    core.take_effects()
    if core.is_halted:
        assert not is_savable(core)
        return
    other = restored(core, market)
    for event in events[cut:]:
        if core.is_halted:
            break
        assert other.step(event) == core.step(event)
    assert other.is_halted == core.is_halted
    assert other.stop() == core.stop()
    assert is_savable(other) == is_savable(core)
    if is_savable(core):
        assert save_core(other) == save_core(core)


@pytest.mark.long
def test_the_markets_show_what_is_hard_to_save() -> None:
    """Partial fills, stops that wait, cancels under way, replacements, closed lots, guards."""
    seen: set[str] = set()
    for market in MARKETS.values():
        core = market.core(InProcessSwitch())
        events = market.events(EVENTS)
        core.start(events[0].ts_ns)
        for event in events:
            core.step(event)
            if not core.is_halted:
                seen |= set(_facts(save_core(core)))
    missing = FACTS - seen
    assert not missing, missing


FACTS = {
    *("partial", "cancel under way", "replacement", "triggered", "duplicates", "window"),
    *("lots", "losses", "tripped", "floor", "engaged", "reduced", "liquidity"),
}


def _facts(state: dict[str, Any]) -> Iterator[str]:
    for order in state["orders"]:
        yield "partial" if order["filled"] else ""
        yield "cancel under way" if order["cancel_at_ns"] >= 0 else ""
        yield "replacement" if order["replacement"] else ""
        yield "triggered" if order["triggered"] else ""
    for book in state["states"].values():
        yield "duplicates" if book["recent_orders"] else ""
        yield "lots" if len(book["inventory"]["lots"]) > 1 else ""
        yield "liquidity" if book["buy_left"] > 0 else ""
    for ledger in state["ledgers"].values():
        yield "tripped" if ledger["drawdown_tripped"] or ledger["daily_loss_tripped"] else ""
        yield "floor" if ledger["floor"] > 0 else ""
    yield "window" if state["guards"]["_order_times_ns"] else ""
    yield "losses" if state["guards"]["consecutive_losses"] else ""
    yield "engaged" if state["safety"]["seen"] == 2 else ""
    yield "reduced" if state["safety"]["seen"] == 1 else ""


# ---- nothing can be forgotten ----


def attributes_of(kind: type) -> set[str]:
    """What a class declares or its `__init__` sets, from its source: compiled classes hide it."""
    source = Path(str(importlib.import_module(kind.__module__).__file__))
    tree = ast.parse(source.with_name(kind.__module__.rpartition(".")[2] + ".py").read_text())
    [found] = [node for node in tree.body if getattr(node, "name", "") == kind.__name__]
    names: set[str] = set()
    for node in ast.walk(found):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            if ast.unparse(target) == "__slots__" and isinstance(node, ast.Assign):
                return set(ast.literal_eval(node.value))
            if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
                names.add(target.attr)
    return names


def parts_of(root: object) -> Iterator[object]:
    """Everything a core reaches that is of a class of the core's own."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, (list, tuple, set)):
            waiting += list(part)
        elif isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif type(part).__module__.startswith("logos.core.") and not isinstance(part, Enum):
            if isinstance(part, (Strategy, InProcessSwitch)) or hasattr(part, "__struct_fields__"):
                continue
            if callable(part):  # a function of the context: compiled, it is of a class of core's
                continue
            yield part
            waiting += [getattr(part, name) for name in attributes_of(type(part))]


@pytest.mark.long
def test_every_attribute_of_every_class_of_a_core_is_saved_or_left_out_for_a_reason() -> None:
    market = MARKETS["bars of quotes"]
    core = market.core(InProcessSwitch())
    events = market.events(EVENTS)
    core.start(events[0].ts_ns)
    core.run(events)
    state = next(iter(core.order_manager.states.values()))
    core.order_manager.set_target(state, StandingTarget(Target(1)))
    found = {type(part): part for part in parts_of(core)}
    unknown = found.keys() - TABLE.keys() - STATELESS.keys()
    assert unknown == set()
    # Not made in the paper market, and held to the same.
    outside = {Outbox, SubmitOrder, Approved}
    assert TABLE.keys() - found.keys() - outside == set()
    for kind, fields in TABLE.items():
        named = [*fields.saved, *fields.handled, *fields.left]
        assert len(named) == len(set(named)), kind
        assert set(named) == attributes_of(kind), kind
        assert all(fields.left.values()), kind


def test_what_is_saved_stays_shared() -> None:
    market = MARKETS["latency and participation"]
    core = market.core(InProcessSwitch())
    events = market.events(EVENTS)
    core.start(events[0].ts_ns)
    core.run(events)
    core.take_effects()
    other = restored(core, market)
    account = other.order_manager.account
    for book in other.order_manager.states.values():
        assert any(book.ledger is ledger for ledger in account.ledgers)
        assert any(book.base_wallet is wallet for wallet in account.wallets)
    for ledger in account.ledgers:
        assert ledger.total is account.total


# ---- what does not fit ----


def test_a_core_that_is_not_at_rest_is_not_saved() -> None:
    market = MARKETS["plain"]
    core = market.core(InProcessSwitch())
    core.order_manager.effects = core.start(START_NS)
    with pytest.raises(ValueError, match="not at rest"):
        save_core(core)


@pytest.mark.long
@pytest.mark.parametrize(
    "key",
    ["time", "agenda", "notes", "order_manager", "wallets", "ledgers", "states", "random", "total"],
)
def test_a_state_that_lacks_a_part_or_has_another_is_refused(key: str) -> None:
    market = MARKETS["plain"]
    core = market.core(InProcessSwitch())
    core.start(START_NS)
    state = save_core(core)
    without = {name: value for name, value in state.items() if name != key}
    other = {**state, key: {"strange": 1}}
    for wrong in (without, other):
        with pytest.raises(NotThisCore):
            restore_core(market.core(InProcessSwitch()), wrong)


class Inheriting(Saving):
    """Remembers something that its parent knows nothing of."""


def test_a_strategy_that_inherits_its_saving_is_not_saved() -> None:
    assert can_save(Saving())
    assert not can_save(Inheriting())
    assert not can_save(Strategy())
    with pytest.raises(NotImplementedError):
        Strategy().save()
