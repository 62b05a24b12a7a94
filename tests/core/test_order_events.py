"""`on_order` hears every transition of every order that the journal holds, in order."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from logos.core.commands import make_command
from logos.core.engine import TradingCore
from logos.core.handlers.events import OrderChange, OrderEvent
from logos.core.instrument import instrument
from logos.core.messages import Event, Quote
from logos.core.records import OrderUpdate, PaperFillRecord, Record, RefusalRecord
from logos.core.strategy import (
    Answer,
    Cancel,
    Context,
    OrderRequest,
    Replace,
    Strategy,
    Target,
    limit,
    market,
    stop,
)
from logos.core.types import Code, FillRule, OrderStatus, ReportKind, Side, TimeInForce
from logos.errors import StrategyError
from logos.testing.builders import paper_rules, quote, trading_core
from logos.testing.venue_core import report, venue_core

COIN = instrument("COIN", tick="1", lot="1", quote="USD", settlement="margin", leverage=10)
OTHER = instrument("OTHER", tick="1", lot="1", quote="USD", settlement="margin", leverage=10)
BUY, SELL = Side.BUY, Side.SELL


class Hearing(Strategy):
    """Answers quotes as it is told, and keeps what it hears."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.heard: list[OrderEvent | PaperFillRecord] = []

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self.answers.pop(0) if self.answers else None

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        self.heard.append(fill)
        return None

    def on_order(self, context: Context, event: OrderEvent) -> Answer:
        self.heard.append(event)
        return None

    @property
    def changes(self) -> list[str]:
        return [
            "FILL" if isinstance(each, PaperFillRecord) else f"{each.change.value} {each.order_id}"
            for each in self.heard
        ]


def played(strategy: Strategy, *prices: str, **options: Any) -> TradingCore:
    """A core that has seen quotes of these prices ("bid ask"), a nanosecond apart."""
    options.setdefault("rules", paper_rules(FillRule.BID_ASK))
    core = trading_core(strategy, COIN, **options)
    core.start(0)
    for number, text in enumerate(prices, start=1):
        core.step(quote(COIN, number, *text.split()))
    return core


def test_an_order_is_accepted_then_filled_and_then_no_more_is_heard() -> None:
    strategy = Hearing(market(BUY, 1, tag="in"))
    played(strategy, "9 10")
    assert strategy.changes == ["ACCEPTED 1", "FILL"]
    [event, _] = strategy.heard
    assert isinstance(event, OrderEvent)
    assert (event.tag, event.side, event.code, event.ts_ns) == ("in", BUY, None, 1)
    assert (event.quantity, event.filled) == (Decimal(1), Decimal(0))


def test_cancel_and_replace_are_heard_with_what_was_filled() -> None:
    strategy = Hearing(
        [limit(BUY, 5, 8, tag="low"), limit(BUY, 5, 7, tag="lower")],
        [Cancel(tag="low"), Replace(tag="lower", limit_price=6)],
    )
    played(strategy, "9 10", "9 10")
    assert strategy.changes == [
        *("ACCEPTED 1", "ACCEPTED 2", "CANCELLED 1", "REPLACED 2", "ACCEPTED 3"),
    ]
    codes = [each.code for each in strategy.heard if isinstance(each, OrderEvent)]
    assert codes[2:4] == [Code.CANCELLED_BY_STRATEGY, Code.REPLACED]


def test_a_day_order_expires_and_a_partial_one_says_how_much_it_got() -> None:
    strategy = Hearing(None, limit(BUY, 10, 10, time_in_force=TimeInForce.IOC))
    core = trading_core(strategy, COIN, rules=paper_rules(FillRule.BID_ASK, participation="0.5"))
    core.start(0)
    for number in (1, 2):
        core.step(quote(COIN, number, "9", "10", "8", "8"))
    assert strategy.changes == ["ACCEPTED 1", "FILL", "CANCELLED 1"]
    ended = strategy.heard[-1]
    assert isinstance(ended, OrderEvent)
    assert ended.code is Code.IOC_REMAINDER
    assert (ended.quantity, ended.filled) == (Decimal(10), Decimal(4))
    strategy = Hearing(limit(BUY, 1, 5, time_in_force=TimeInForce.DAY))
    core = played(strategy, "9 10")
    core.step(quote(COIN, 86_400 * 10**9 + 1, "9", "10"))
    assert strategy.changes == ["ACCEPTED 1", "EXPIRED 1"]


@pytest.mark.parametrize(
    ("answer", "code", "names"),
    [
        (market(BUY, -1, tag="t", group="g"), Code.NEGATIVE_QUANTITY, ("t", "g")),
        (market(BUY, 10**9, tag="t"), Code.INSUFFICIENT_FUNDS, ("t", "")),
        (market(SELL, 1, reduce_only=True, tag="t"), Code.NOTHING_TO_REDUCE, ("t", "")),
        (market(BUY, 1, symbol="NOPE", tag="t"), Code.UNKNOWN_SYMBOL, ("t", "")),
        (Cancel(tag="nobody"), Code.UNKNOWN_ORDER, ("nobody", "")),
        (Target("1e9"), Code.INSUFFICIENT_FUNDS, ("", "")),
    ],
)
def test_a_refusal_is_heard_with_its_code_its_words_and_the_names_it_was_given(
    answer: Answer, code: Code, names: tuple[str, str]
) -> None:
    strategy = Hearing(answer)
    played(strategy, "9 10")
    [event] = strategy.heard
    assert isinstance(event, OrderEvent)
    assert (event.change, event.code, event.order_id) == (OrderChange.REFUSED, code, 0)
    assert (event.tag, event.group) == names
    assert event.detail
    assert event.side is None
    assert event.quantity == event.filled == 0


def test_the_exits_of_a_bracket_are_heard_to_work_to_grow_and_to_end() -> None:
    strategy = Hearing(market(BUY, 4, stop_loss=5, take_profit=20, tag="in"), market(SELL, 1))
    played(strategy, "9 10", "9 10", "20 21")
    assert strategy.changes == [
        *("ACCEPTED 1", "FILL", "ACCEPTED 2", "ACCEPTED 3"),
        *("ACCEPTED 4", "FILL", "RESIZED 2", "RESIZED 3"),
        *("FILL", "CANCELLED 2"),
    ]
    working = strategy.heard[2]
    assert isinstance(working, OrderEvent)
    assert (working.tag, working.group, str(working.quantity)) == ("in.stop", "#1", "4")
    cut = strategy.heard[6]
    assert isinstance(cut, OrderEvent)
    assert cut.quantity == 3


def test_what_an_operator_cancels_is_heard_at_once_and_may_be_answered() -> None:
    class Answering(Hearing):
        def on_order(self, context: Context, event: OrderEvent) -> Answer:
            super().on_order(context, event)
            if event.change is OrderChange.CANCELLED:
                return limit(BUY, 1, 6)
            return None

    strategy = Answering(limit(BUY, 1, 5))
    core = played(strategy, "9 10")
    core.run([make_command("pause", 1, "enough", "ann", "COIN")])
    assert strategy.changes == ["ACCEPTED 1", "CANCELLED 1", "REFUSED 0"]
    refused = strategy.heard[-1]
    assert isinstance(refused, OrderEvent)
    assert refused.code is Code.SYMBOL_PAUSED


def test_nobody_hears_anything_while_the_switch_is_engaged() -> None:
    strategy = Hearing(limit(BUY, 1, 5))
    core = played(strategy, "9 10")
    core.switch.engage("enough", "ann")
    core.step(quote(COIN, 2, "9", "10"))
    assert strategy.changes == ["ACCEPTED 1"]


def test_orders_that_end_with_the_session_are_not_heard() -> None:
    strategy = Hearing(limit(BUY, 1, 5))
    core = played(strategy, "9 10")
    core.stop()
    assert strategy.changes == ["ACCEPTED 1"]


class Stubborn(Strategy):
    """Asks for the impossible, and again whenever that is refused."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return market(BUY, -1)

    def on_order(self, context: Context, event: OrderEvent) -> Answer:
        return market(BUY, -1)


def test_a_refusal_that_is_answered_by_what_is_refused_does_not_go_on_for_ever() -> None:
    with pytest.raises(StrategyError, match="on_order keeps answering"):
        played(Stubborn(), "9 10")


def test_an_error_in_on_order_names_it() -> None:
    class Failing(Strategy):
        def on_quote(self, context: Context, quote: Quote) -> Answer:
            return market(BUY, 1)

        def on_order(self, context: Context, event: OrderEvent) -> Answer:
            raise RuntimeError("no idea")

    with pytest.raises(StrategyError, match="raised in on_order: RuntimeError: no idea"):
        played(Failing(), "9 10")


def test_what_was_not_heard_yet_is_saved() -> None:
    """A pause between two events is heard within it: nothing waits when a core is at rest."""
    strategy = Hearing(limit(BUY, 1, 5))
    core = played(strategy, "9 10")
    core.run([make_command("pause", 1, "enough", "ann", "COIN")])
    assert core.order_manager.news == []


def test_at_a_real_venue_its_reports_are_heard() -> None:
    strategy = Hearing([limit(BUY, 2, 8), limit(BUY, 2, 7), limit(BUY, 2, 6)])
    core = venue_core(strategy, COIN)
    core.start(0)
    core.run([quote(COIN, 1, "9", "10")])
    for kind, order_id in (
        (ReportKind.UNKNOWN, 1),
        (ReportKind.ACCEPTED, 1),
        (ReportKind.REJECTED, 2),
        (ReportKind.ACCEPTED, 3),
        (ReportKind.EXPIRED, 3),
        (ReportKind.CANCELLED, 1),
    ):
        core.step(report(kind, 2, f"test-{order_id}"))
    assert strategy.changes == [
        *("UNKNOWN 1", "ACCEPTED 1", "REFUSED 2", "ACCEPTED 3", "EXPIRED 3", "CANCELLED 1"),
    ]
    codes = [each.code for each in strategy.heard if isinstance(each, OrderEvent)]
    assert codes == [
        *(None, None, Code.REJECTED_BY_VENUE, None, Code.EXPIRED_AT_VENUE),
        Code.CANCELLED_BY_VENUE,
    ]


# ---- exactly the journal's transitions, over random markets ----


class Restless(Strategy):
    """Orders whatever there is, from a generator of its own, and answers what it hears."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.heard: list[tuple[object, ...]] = []
        self.made = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return [self._request(quote) for _ in range(self.chance.randint(0, 3))]

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        self.heard.append(("FILL", fill.order_id, fill.position_units))
        return None

    def on_order(self, context: Context, event: OrderEvent) -> Answer:
        code = "" if event.code is None else event.code.value
        self.heard.append(
            (event.change.value, event.order_id, event.symbol, code, event.filled_units)
        )
        if self.chance.random() < 0.1:
            return market(self.chance.choice((BUY, SELL)), 1, symbol=event.symbol)
        return None

    def _request(self, quote: Quote) -> OrderRequest | Cancel | Replace | Target:
        chance = self.chance
        side = chance.choice((BUY, SELL))
        size, price = chance.randint(0, 9), quote.bid_units + chance.randint(-4, 4)
        self.made += 1
        kind = chance.randint(0, 8)
        if kind == 0:
            return market(side, size)
        if kind == 1:
            lifetime = chance.choice(list(TimeInForce))
            return limit(side, size, price, time_in_force=lifetime, tag=f"t{self.made % 5}")
        if kind == 2:
            return stop(side, size, price, reduce_only=chance.random() < 0.5)
        if kind == 3:
            return market(side, size, stop_loss=quote.bid_units - 3, take_profit=price + 9)
        if kind == 4:
            return limit(side, size, price, group="pair")
        if kind == 5:
            return Target(chance.randint(-9, 9))
        if kind == 6:
            return Replace(tag=f"t{self.made % 5}", quantity=size, limit_price=price)
        return Cancel(tag=f"t{self.made % 5}")


def expected(records: Sequence[Record]) -> list[tuple[object, ...]]:
    """What the journal's records say a strategy should have heard."""
    names = {
        OrderStatus.ACCEPTED: "ACCEPTED",
        OrderStatus.CANCELLED: "CANCELLED",
        OrderStatus.EXPIRED: "EXPIRED",
        OrderStatus.REJECTED: "REFUSED",
    }
    found: list[tuple[object, ...]] = []
    for each in records:
        if isinstance(each, PaperFillRecord):
            found.append(("FILL", each.order_id, each.position_units))
        elif isinstance(each, RefusalRecord):
            found.append(("REFUSED", 0, each.symbol, each.code.value, 0))
        elif isinstance(each, OrderUpdate):
            name = names.get(each.status, "")
            if each.quantity_units:
                name = "RESIZED"
            elif each.reason == "REPLACED":
                name = "REPLACED"
            elif each.status in (OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED):
                continue
            found.append((name, each.order_id, each.symbol, each.reason, each.filled_units))
    return found


def _market(seed: int, count: int) -> list[Event]:
    chance = Random(seed)
    now_ns, middle = 86_400 * 10**9 - count * 10**9 // 2, {"COIN": 100, "OTHER": 100}
    events: list[Event] = []
    for _ in range(count):
        traded = chance.choice((COIN, OTHER))
        now_ns += chance.choice((0, 10**9, 3 * 10**9))
        middle[traded.symbol] = max(20, middle[traded.symbol] + chance.randint(-5, 5))
        bid = middle[traded.symbol]
        sizes = (str(chance.randint(0, 20)), str(chance.randint(0, 20)))
        events.append(quote(traded, now_ns, str(bid), str(bid + chance.randint(0, 2)), *sizes))
        if chance.random() < 0.03:
            word = chance.choice(("pause", "unpause"))
            events.append(make_command(word, now_ns, "a drill", "ann", traded.symbol))
    return events


@pytest.mark.parametrize(
    "rules",
    [
        paper_rules(FillRule.BID_ASK, participation="0.5"),
        paper_rules(FillRule.NEXT_OPEN, latency_ns=1_500_000_000),
    ],
    ids=["at once, in parts", "later"],
)
@given(seed=some.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_what_is_heard_is_exactly_what_the_journal_holds_over_random_markets(
    rules: Any, seed: int
) -> None:
    strategy = Restless(seed)
    core = trading_core(strategy, COIN, OTHER, rules=rules, max_open_orders=12)
    records = core.start(0)
    for event in _market(seed, 60):
        records += core.step(event)
    assert not core.is_halted
    assert strategy.heard == expected(records)


def test_the_random_markets_show_every_change() -> None:
    seen: set[str] = set()
    for seed in range(12):
        strategy = Restless(seed)
        rules = paper_rules(FillRule.BID_ASK, participation="0.5")
        core = trading_core(strategy, COIN, OTHER, rules=rules)
        core.start(0)
        core.run(_market(seed, 60))
        seen |= {str(each[0]) for each in strategy.heard}
    every = {"ACCEPTED", "REFUSED", "CANCELLED", "EXPIRED", "REPLACED", "RESIZED", "FILL"}
    assert every - seen == set()
