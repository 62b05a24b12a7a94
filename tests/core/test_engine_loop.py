"""The loop over events: batches, halts, prices that are none, flattening, days and samples."""

from __future__ import annotations

from typing import Any

import pytest
from guard_helpers import AT_ONCE, BUY, SELL, A
from msgspec import Struct

from logos.core.messages import Engage, Event, Flatten, Quote, Trade
from logos.core.records import AccountRecord, CommandRecord, PaperFillRecord
from logos.core.strategy import Answer, Context, Strategy, limit, market
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, FillRule, SwitchState
from logos.errors import InvariantBroken
from logos.testing.builders import (
    Scripted,
    bar,
    ends_in,
    fills_in,
    orders_in,
    paper_rules,
    quote,
    refusals_in,
    trade,
    trading_core,
)

# ---- the loop ----


def test_no_event_may_be_older_than_the_start() -> None:
    core = trading_core(Scripted(), A)
    core.start(10)
    with pytest.raises(InvariantBroken, match="time ran back from 10 to 9"):
        core.step(quote(A, 9, "100", "100"))


def test_what_a_strategy_answers_at_the_end_fills_and_is_told_before_the_end() -> None:
    strategy = Scripted({1: market(BUY, 1), -1: market(SELL, 1, symbol="AAA")})
    core = trading_core(strategy, A, rules=AT_ONCE)
    core.start(0)
    core.step(quote(A, 1, "100", "100"))
    assert not core.order_manager.is_ending
    core.stop()
    assert core.order_manager.is_ending
    assert [fill.side for fill in strategy.fills] == [BUY, SELL]


def test_a_session_that_failed_leaves_no_order_open() -> None:
    core = trading_core(Scripted({1: limit(BUY, 1, 90)}), A)
    records = core.start(0) + core.step(quote(A, 1, "100", "100")) + core.abort()
    assert ends_in(records) == {1: "CANCELLED SESSION_ENDED"}


def prices(kind: Any, *texts: str, first_ns: int = 1) -> list[Event]:
    """Quotes or prints of AAA, a nanosecond apart."""
    return [
        quote(A, ts_ns, text, text) if kind is Quote else trade(A, ts_ns, text)
        for ts_ns, text in enumerate(texts, first_ns)
    ]


@pytest.mark.parametrize("kind", [Quote, Trade])
def test_blocked_events_of_one_batch_are_all_counted_and_reach_no_strategy(kind: Any) -> None:
    strategy = Scripted()
    core = trading_core(strategy, A)
    core.start(0)
    core.switch.engage("drill", "ann")
    core.run(prices(kind, "100", "101", "102"))
    assert core.blocked_count == 3
    assert core.order_manager.now_ns == 3
    assert strategy.seen == []


@pytest.mark.parametrize("kind", [Quote, Trade])
def test_the_rest_of_a_batch_is_left_alone_once_the_session_is_halted(kind: Any) -> None:
    core = trading_core(Scripted(), A, halt_on_engage=True)
    core.start(0)
    core.run(prices(kind, "100"))
    core.switch.engage("drill", "ann")
    core.run(prices(kind, "101", "102", "103", first_ns=2))
    assert core.blocked_count == 1
    assert core.order_manager.now_ns == 2


@pytest.mark.parametrize("kind", [Quote, Trade])
def test_a_command_to_flatten_takes_the_strategy_off_the_rest_of_its_batch(kind: Any) -> None:
    strategy = Scripted()
    core = trading_core(strategy, A)
    core.start(0)
    core.run(
        [
            *prices(kind, "100"),
            Flatten(2, "enough", "ann"),
            *prices(kind, "100", "100", first_ns=3),
        ]
    )
    assert len(strategy.seen) == 1


def test_a_share_of_the_market_that_is_next_to_nothing_is_still_a_bound() -> None:
    rules = paper_rules(FillRule.DECISION_CLOSE, participation="0.000000001")
    core = trading_core(Scripted({1: market(BUY, 1)}), A, rules=rules)
    core.start(0)
    records = core.step(quote(A, 1, "100", "100", "5", "5"))
    assert orders_in(records)
    assert not fills_in(records)


def test_without_a_share_of_the_market_sizes_do_not_matter() -> None:
    core = trading_core(Scripted({1: limit(BUY, 5, 90)}), A)
    core.start(0)
    core.run([quote(A, 1, "100", "100", "1", "1"), quote(A, 2, "90", "90", "1", "1")])
    assert core.order_manager.states["AAA"].inventory.position == 5


@pytest.mark.parametrize(("bid", "ask"), [("0", "100"), ("0", "0"), ("101", "100")])
def test_a_quote_without_two_good_prices_moves_nothing(bid: str, ask: str) -> None:
    core = trading_core(Scripted(), A)
    core.start(0)
    core.run([quote(A, 1, "100", "110"), quote(A, 2, bid, ask)])
    book = core.order_manager.states["AAA"]
    assert (book.bid, book.ask, core.bad_price_count) == (100, 110, 1)


def test_the_smallest_price_is_a_price_also_while_an_order_rests() -> None:
    core = trading_core(Scripted({1: limit(BUY, 1, 1)}), A)
    core.start(0)
    core.run([quote(A, 1, "100", "110"), quote(A, 2, "1", "2")])
    book = core.order_manager.states["AAA"]
    assert (book.bid, book.ask, core.bad_price_count) == (1, 2, 0)


class Silent(Strategy):
    """Has nothing to say to any event."""


@pytest.mark.parametrize("kind", [Quote, Trade])
def test_a_strategy_that_does_not_listen_is_not_called(kind: Any) -> None:
    core = trading_core(Silent(), A)
    core.start(0)
    core.run(prices(kind, "100", "101"))
    assert core.order_manager.tick_id == 2, "each event is one tick all the same"


class Listening(Scripted):
    """Keeps the order in which it was told of events and fills."""

    def __init__(self, script: dict[int, Answer]) -> None:
        super().__init__(script)
        self.told: list[str] = []

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.told.append(f"event {quote.ts_ns}")
        return super().on_quote(context, quote)

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        self.told.append(f"event {trade.ts_ns}")
        return super().on_trade(context, trade)

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        self.told.append(f"fill of {fill.order_id}")
        return None


@pytest.mark.parametrize("kind", [Quote, Trade])
def test_a_fill_is_told_before_the_event_that_made_it_and_before_the_next_one(kind: Any) -> None:
    strategy = Listening({1: limit(BUY, 1, 90), 2: market(BUY, 1)})
    core = trading_core(strategy, A, rules=AT_ONCE)
    core.start(0)
    core.run(prices(kind, "100", "90", "95"))
    assert strategy.told == ["event 1", "fill of 1", "event 2", "fill of 2", "event 3"]


class Riddle(Struct):
    """An event of a kind that the core does not know."""

    ts_ns: int
    symbol: str


def test_an_event_of_an_unknown_kind_is_a_broken_invariant() -> None:
    core = trading_core(Scripted(), A)
    core.start(0)
    with pytest.raises(InvariantBroken, match="an event of unknown type Riddle"):
        core.run([Riddle(1, "AAA")])  # type: ignore[list-item]


# ---- flatten ----


@pytest.mark.parametrize("kind", [Quote, Trade])
def test_flatten_cancels_closes_and_leaves_the_strategy_out(kind: Any) -> None:
    last = market(BUY, 1, symbol="AAA")
    strategy = Scripted({1: [market(BUY, 5), limit(BUY, 1, 90)], -1: last})
    core = trading_core(strategy, A, rules=AT_ONCE)
    core.start(0)
    core.run(prices(kind, "100"))
    assert len(strategy.fills) == 1
    core.take_effects()
    core.run([Flatten(2, "enough", "ann")])
    records = core.take_effects()
    assert records[0] == CommandRecord(2, 1, "flatten", "enough", "ann")
    assert ends_in(records) == {2: "CANCELLED CANCELLED_BY_OPERATOR", 3: "FILLED"}
    core.run(prices(kind, "100", "100", first_ns=3))
    records = core.take_effects() + core.stop()
    assert orders_in(records) == []
    assert refusals_in(records) == []
    assert (len(strategy.seen), len(strategy.fills)) == (1, 1)


def test_a_loss_that_flattening_makes_counts_before_the_next_event() -> None:
    core = trading_core(Scripted({1: market(BUY, 1)}), A, rules=AT_ONCE, max_consecutive_losses=1)
    core.start(0)
    core.run(prices(Quote, "100", "90"))
    assert core.switch.authority() is SwitchState.SAFE
    core.run([Flatten(2, "enough", "ann")])
    assert core.switch.authority() is SwitchState.ENGAGED


@pytest.mark.parametrize("kind", ["quotes", "prints", "bars"])
def test_flatten_goes_on_closing_where_an_order_was_not_enough(kind: str) -> None:
    events: list[Event] = []
    for number in range(1, 7):
        if kind == "quotes":
            events.append(quote(A, number * NS_PER_MINUTE, "100", "100", "3", "3"))
        elif kind == "prints":
            events.append(trade(A, number * NS_PER_MINUTE, "100", "3"))
        else:
            events.append(bar(A, number, "100 100 100 100", "3"))
    rules = paper_rules(FillRule.NEXT_OPEN, participation="1")
    core = trading_core(Scripted({1: market(BUY, 3)}), A, rules=rules)
    core.start(0)
    core.run(events[:2])
    book = core.order_manager.states["AAA"]
    assert book.inventory.position == 3
    core.switch.engage("drill", "ann")
    core.run([Flatten(2 * NS_PER_MINUTE, "enough", "ann")])
    assert book.inventory.position == 3, "an engaged switch refuses that, too"
    core.switch.flag[0] = SwitchState.SAFE  # type: ignore[index]
    core.run(events[2:])
    assert book.inventory.position == 0


# ---- days and samples ----


@pytest.mark.parametrize("kind", [Quote, Trade])
@pytest.mark.parametrize("sample_ns", [0, 10])
@pytest.mark.parametrize(
    ("times_ns", "is_tripped"),
    [((100, 200, 300), True), ((100, 200, NS_PER_DAY), False), ((100, 200, NS_PER_DAY + 1), False)],
    ids=["one day", "the second loss at midnight", "the second loss after midnight"],
)
def test_the_loss_of_a_day_counts_from_its_midnight_however_often_it_is_sampled(
    kind: Any, sample_ns: int, times_ns: tuple[int, ...], is_tripped: bool
) -> None:
    strategy = Scripted({1: market(BUY, 1)})
    core = trading_core(strategy, A, rules=AT_ONCE, max_daily_loss="50", sample_ns=sample_ns)
    core.start(0)
    for ts_ns, price in zip(times_ns, ("100", "70", "40"), strict=True):
        core.run(prices(kind, price, first_ns=ts_ns))
    assert (core.switch.authority() is SwitchState.ENGAGED) is is_tripped


@pytest.mark.parametrize("kind", [Quote, Trade])
def test_the_books_are_sampled_at_the_first_event_on_or_after_each_interval(kind: Any) -> None:
    core = trading_core(Scripted(), A, sample_ns=10)
    records = core.start(5)
    for ts_ns in (9, 10, 11, 19, 35, 39, 40):
        core.run(prices(kind, "100", first_ns=ts_ns))
        records += core.take_effects()
    sampled = [each.ts_ns for each in records if isinstance(each, AccountRecord)]
    assert sampled == [5, 10, 30, 40]


def test_a_command_is_no_tick_and_takes_no_sample() -> None:
    core = trading_core(Scripted(), A, sample_ns=10)
    core.start(5)
    core.run([Flatten(25, "enough", "ann"), Engage(25, "enough", "ann")])
    assert not [each for each in core.take_effects() if isinstance(each, AccountRecord)]
    core.run(prices(Quote, "100", first_ns=25))
    sampled = [each.ts_ns for each in core.take_effects() if isinstance(each, AccountRecord)]
    assert sampled == [20]


def test_no_command_may_be_older_than_what_came_before() -> None:
    core = trading_core(Scripted(), A)
    core.start(10)
    with pytest.raises(InvariantBroken, match="time ran back from 10 to 9"):
        core.run([Engage(9, "drill", "ann")])
