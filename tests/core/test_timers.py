"""Timers fall due at the first moment at or after their time, in order, each time once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from logos.core.commands import make_command
from logos.core.engine import TradingCore
from logos.core.guards import Action
from logos.core.handlers.agenda import TIMERS_MAX
from logos.core.handlers.events import Timer
from logos.core.instrument import instrument
from logos.core.messages import Bar, Event, Quote, QuoteBar, TimePassed
from logos.core.saved.state import restore_core, save_core
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND, Code, FillRule, Side
from logos.errors import StrategyError
from logos.testing.builders import (
    bar,
    fills_in,
    orders_in,
    paper_rules,
    quote,
    refusals_in,
    trading_core,
)
from logos.testing.venue_core import venue_core

COIN = instrument("COIN", tick="1", lot="1", quote="USD")
OTHER = instrument("OTHER", tick="1", lot="1", quote="USD")
SECOND, MINUTE = NS_PER_SECOND, NS_PER_MINUTE


class Timed(Strategy):
    """Sets timers as it starts, and keeps what it is called for: the timer, now, and the bids."""

    def __init__(self, *wishes: tuple[str, Any]) -> None:
        self.wishes = wishes
        self.context: Any = None
        self.calls: list[tuple[str, int, int]] = []
        self.seen: list[dict[str, Any]] = []
        self.log: list[str] = []

    def on_start(self, context: Context) -> Answer:
        self.context = context
        for number, (kind, what) in enumerate(self.wishes):
            if kind == "at":
                context.at(what, name=f"{number}")
            else:
                context.every(what, align=kind == "every", name=f"{number}")
        return None

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.log.append(f"quote {quote.symbol} {quote.bid_units}")
        return None

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        self.log.append(f"bar {bar.symbol}")
        return None

    def on_timer(self, context: Context, timer: Timer) -> Answer:
        self.calls.append((timer.name, timer.due_ns, context.now_ns))
        self.seen.append({symbol: context.bid(symbol) for symbol in context.symbols})
        self.log.append(f"timer {timer.name}")
        return None

    def on_stop(self, context: Context) -> Answer:
        self.log.append("stop")
        return None


def played(strategy: Strategy, events: Sequence[Event], **options: Any) -> TradingCore:
    options.setdefault("rules", paper_rules(FillRule.BID_ASK))
    core = trading_core(strategy, COIN, OTHER, **options)
    core.start(events[0].ts_ns)
    core.run(events)
    return core


def coin(seconds: float, bid: int) -> Quote:
    return quote(COIN, round(seconds * SECOND), str(bid), str(bid))


def other(seconds: float, bid: int) -> Quote:
    return quote(OTHER, round(seconds * SECOND), str(bid), str(bid))


# ---- what a call sees ----


def test_a_timer_is_called_when_all_events_of_its_moment_have_been_handled() -> None:
    strategy = Timed(("at", 10 * SECOND))
    played(strategy, [coin(9, 1), coin(10, 2), other(10, 3), coin(11, 4)])
    assert strategy.log == [
        *("quote COIN 1", "quote COIN 2", "quote OTHER 3", "timer 0", "quote COIN 4"),
    ]
    assert strategy.calls == [("0", 10 * SECOND, 10 * SECOND)]
    assert strategy.seen == [{"COIN": 2, "OTHER": 3}], "of every symbol then, and nothing later"


def test_one_between_two_events_is_called_with_the_second_and_its_time() -> None:
    strategy = Timed(("at", 10 * SECOND))
    played(strategy, [coin(9, 1), coin(12, 2), other(12, 3), coin(13, 4)])
    assert strategy.calls == [("0", 10 * SECOND, 12 * SECOND)]
    assert strategy.seen == [{"COIN": 2, "OTHER": 3}]


def test_what_is_due_at_the_last_moment_is_called_before_the_session_stops() -> None:
    strategy = Timed(("at", 10 * SECOND), ("at", 11 * SECOND))
    core = played(strategy, [coin(9, 1), coin(10, 2)])
    assert strategy.calls == []
    core.stop()
    assert strategy.log[-2:] == ["timer 0", "stop"]


def test_its_orders_meet_the_next_events_as_those_of_a_bar_do() -> None:
    class Timing(Timed):
        def on_timer(self, context: Context, timer: Timer) -> Answer:
            super().on_timer(context, timer)
            return market(Side.BUY, 1, symbol="COIN")

    bars = [bar(COIN, number, f"{number} 9 1 {number}") for number in (1, 2, 3, 4)]
    strategy = Timing(("at", 2 * MINUTE))
    core = trading_core(strategy, COIN, rules=paper_rules(FillRule.NEXT_OPEN))
    records = core.start(MINUTE)
    for each in bars:
        records += core.step(each)
    [order], [fill] = orders_in(records), fills_in(records)
    assert (order.ts_ns, order.tick_id, order.reference_price_units) == (2 * MINUTE, 2, 2)
    assert (fill.ts_ns, fill.price_units) == (3 * MINUTE, 3), "the open of the bar that follows"


def test_a_timers_symbol_is_what_its_answer_is_about() -> None:
    class Buying(Timed):
        def on_start(self, context: Context) -> Answer:
            context.at(2 * SECOND, symbol="OTHER")
            return None

        def on_timer(self, context: Context, timer: Timer) -> Answer:
            return Side.BUY

    core = played(Buying(), [coin(1, 5), other(2, 5), coin(3, 5)])
    assert core.order_manager.states["OTHER"].inventory.position == 1
    nameless = Timed(("at", SECOND))
    nameless.on_timer = lambda context, timer: Side.BUY  # type: ignore[method-assign]
    with pytest.raises(StrategyError, match="needs a symbol"):
        played(nameless, [coin(1, 5), coin(2, 5)])


# ---- intervals ----


def test_an_aligned_interval_falls_on_its_multiples_and_says_what_it_missed() -> None:
    strategy = Timed(("every", "1m"))
    played(strategy, [coin(s, 1) for s in (30, 59, 60, 61, 119, 250, 251, 300, 301)])
    due = [(due // SECOND, now // SECOND) for _, due, now in strategy.calls]
    assert due == [(60, 60), (120, 250), (300, 300)]
    missed: list[int] = []
    again = Timed(("every", "1m"))
    again.on_timer = lambda context, timer: missed.append(timer.missed)  # type: ignore[method-assign]
    played(again, [coin(s, 1) for s in (30, 59, 60, 61, 119, 250, 251, 300, 301)])
    assert missed == [0, 2, 0], "180 and 240 passed with 120"


def test_one_that_is_not_aligned_counts_from_when_it_was_set() -> None:
    strategy = Timed(("from now", timedelta(seconds=20)))
    played(strategy, [coin(s, 1) for s in (5, 25, 26, 45, 46)])
    assert [due // SECOND for _, due, _ in strategy.calls] == [25, 45]


def test_timers_of_one_moment_are_called_in_order_of_time_and_then_as_they_were_set() -> None:
    strategy = Timed(("at", 8 * SECOND), ("every", "4s"), ("at", 7 * SECOND), ("at", 8 * SECOND))
    played(strategy, [coin(3, 1), coin(9, 1), coin(10, 1)])
    assert [name for name, _, _ in strategy.calls] == ["1", "2", "0", "3"]


def test_a_timer_can_be_cancelled_by_itself_or_by_its_number() -> None:
    strategy = Timed()
    core = played(strategy, [coin(1, 1)])
    kept, first, second = (strategy.context.every("1s", name=name) for name in "abc")
    assert strategy.context.cancel_timer(first)
    assert strategy.context.cancel_timer(second.timer_id)
    assert not strategy.context.cancel_timer(first)
    assert kept.interval_ns == SECOND
    core.run([coin(2, 1), coin(3, 1)])
    assert [name for name, _, _ in strategy.calls] == ["a"]
    with pytest.raises(TypeError):
        strategy.context.cancel_timer("a")


def test_one_may_cancel_another_of_the_same_moment() -> None:
    class Cancelling(Timed):
        def on_timer(self, context: Context, timer: Timer) -> Answer:
            context.cancel_timer(timer.timer_id + 1)
            return super().on_timer(context, timer)

    strategy = Cancelling(("at", SECOND), ("at", SECOND), ("at", SECOND))
    played(strategy, [coin(1, 1), coin(2, 1)])
    assert [name for name, _, _ in strategy.calls] == ["0", "2"]


def test_a_time_that_has_passed_falls_due_at_this_moment_and_within_a_call_at_the_next() -> None:
    class Again(Timed):
        def on_timer(self, context: Context, timer: Timer) -> Answer:
            context.at(0, name="again")
            return super().on_timer(context, timer)

    strategy = Again(("at", -5))
    played(strategy, [coin(1, 1), coin(2, 1), other(2, 1), coin(3, 1), coin(4, 1)])
    assert [now // SECOND for _, _, now in strategy.calls] == [1, 2, 3]


# ---- who is not asked ----


def test_what_falls_due_while_the_switch_is_engaged_is_passed_over() -> None:
    strategy = Timed(("at", 2 * SECOND), ("every", "1s"))
    core = played(strategy, [coin(0.5, 1)])
    core.switch.engage("enough", "ann")
    core.run([coin(2, 1), coin(3, 1)])
    assert strategy.calls == []
    core.stop()
    assert strategy.calls == []


def test_while_the_session_is_suspended_time_passes_unheard() -> None:
    strategy = Timed(("at", 2 * SECOND), ("every", "3s"))
    core = played(strategy, [coin(0.5, 1)])
    core.run([make_command("suspend", SECOND, "lunch", "ann"), coin(2, 1), coin(4, 1)])
    core.run([make_command("resume", 5 * SECOND, "back", "ann"), coin(6, 1), coin(7, 1)])
    assert [(name, now // SECOND) for name, _, now in strategy.calls] == [("1", 6)]


# ---- a session with a clock ----


def test_where_a_clock_ticks_it_calls_at_its_own_time_and_market_data_do_not() -> None:
    strategy = Timed(("at", 10 * SECOND))
    events: list[Event] = [TimePassed(SECOND), coin(2, 1), coin(11, 2), coin(11.5, 3)]
    played(strategy, [*events, TimePassed(12 * SECOND), coin(13, 4)])
    assert strategy.calls == [("0", 10 * SECOND, 12 * SECOND)]
    assert strategy.seen == [{"COIN": 3, "OTHER": None}]


def test_after_a_long_silence_a_call_has_the_time_of_the_clock_and_old_prices_are_refused() -> None:
    class Buying(Timed):
        def on_timer(self, context: Context, timer: Timer) -> Answer:
            super().on_timer(context, timer)
            return market(Side.BUY, 1, symbol="COIN")

    strategy = Buying(("at", 11 * SECOND))
    events: list[Event] = [TimePassed(SECOND), coin(10, 1), TimePassed(3_600 * SECOND)]
    only_refused = {Code.STALE_DATA: Action.REFUSE}
    core = played(strategy, events, stale_after_ns=60 * SECOND, actions=only_refused)
    assert [now // SECOND for _, _, now in strategy.calls] == [3_600]
    assert refusals_in(core.take_effects()) == [Code.STALE_DATA]


def test_bounds_of_timers() -> None:
    strategy = Timed()
    played(strategy, [coin(1, 1)])
    with pytest.raises(ValueError, match="at least 1 s"):
        strategy.context.every("500ms")
    with pytest.raises(KeyError):
        strategy.context.at(5, symbol="NOPE")
    with pytest.raises(TypeError):
        strategy.context.every("1m", name=3)
    for _ in range(TIMERS_MAX):
        strategy.context.at(10**15)
    with pytest.raises(StrategyError, match="1000 timers"):
        strategy.context.at(10**15)


# ---- over random markets, saved and restored anywhere ----

_MOMENTS = some.lists(some.integers(0, 40), min_size=2, max_size=30).map(sorted)
_WISHES = some.lists(
    some.one_of(
        some.tuples(some.just("at"), some.integers(0, 45).map(lambda s: s * SECOND)),
        some.tuples(some.sampled_from(["every", "from now"]), some.integers(1, 9)),
    ),
    max_size=6,
)


def test_after_the_end_no_timer_is_called_while_a_venue_still_reports() -> None:
    strategy = Timed(("from now", 5))
    core = venue_core(strategy, COIN)
    core.start(0)
    core.step(TimePassed(6 * SECOND))
    assert len(strategy.calls) == 1
    core.begin_stop()
    core.step(TimePassed(30 * SECOND))
    assert len(strategy.calls) == 1


def _recount(
    wishes: Sequence[tuple[str, int]], moments: Sequence[int]
) -> list[tuple[str, int, int]]:
    """What should be called, worked out from the rule alone: name, due and time of each call."""
    times = sorted(set(moments))
    calls: list[tuple[int, int, int]] = []
    for number, (kind, what) in enumerate(wishes):
        if kind == "at":
            due = max(what // SECOND, times[0])
            calls += [(now, due, number) for now in times if now >= due][:1]
            continue
        due = times[0] + what if kind == "from now" else (times[0] // what + 1) * what
        for now in times:
            if now >= due:
                calls.append((now, due, number))
                due += ((now - due) // what + 1) * what
    return [(str(number), due * SECOND, now * SECOND) for now, due, number in sorted(calls)]


@pytest.mark.long
@given(wishes=_WISHES, moments=_MOMENTS, cut=some.integers(0, 29))
@settings(max_examples=100, deadline=None)
def test_every_timer_is_called_once_for_each_time_in_order_also_when_saved_in_between(
    wishes: list[tuple[str, int]], moments: list[int], cut: int
) -> None:
    chance = Random(len(moments))
    events = [quote(chance.choice((COIN, OTHER)), s * SECOND, "5", "6") for s in moments]
    straight = Timed(*wishes)
    played(straight, events).stop()
    assert straight.calls == _recount(wishes, moments)
    first = Timed(*wishes)
    core = played(first, events[: cut + 1])
    core.take_effects()
    second = Timed()
    restored = trading_core(second, COIN, OTHER, rules=paper_rules(FillRule.BID_ASK))
    restore_core(restored, json.loads(json.dumps(save_core(core))))
    restored.run(events[cut + 1 :])
    restored.stop()
    assert first.calls + second.calls == straight.calls
