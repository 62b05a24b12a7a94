"""Bars of several lengths: as a plain recomputation has them, told in order, and none early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from bar_helpers import Listener, figures
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.config import make_config
from logos.core.engine import TradingCore
from logos.core.gates import InProcessSwitch
from logos.core.instrument import instrument
from logos.core.messages import Bar, Flatten, MarketEvent, Quote, QuoteBar, TimePassed, Trade
from logos.core.records import PaperFillRecord
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import FillRule, Side
from logos.errors import StrategyError
from logos.session.plan import NoFeed, make_plan
from logos.testing.builders import bar, fills_in, paper_rules, quote, quote_bar, trade, trading_core

S = 1_000_000_000
ONE = instrument("ONE", tick="0.01", lot="1", quote="USD", settlement="margin")
TWO = instrument("TWO", tick="0.01", lot="1", quote="USD", settlement="margin")
SHOP = instrument("SHOP", tick="0.01", lot="1", quote="USD", hours=["mon 14:30-21:00"])
"""Open from 14:30 to 21:00 on Mondays."""


def heard(core: TradingCore, events: Sequence[MarketEvent | TimePassed]) -> Any:
    core.start(events[0].ts_ns)
    for event in events:
        core.step(event)
    return core.strategy


def planned(strategy: Strategy, sources: dict[str, str]) -> TradingCore:
    """A core of a plan that knows what the bars of its symbols are made of."""
    config = make_config({"instruments": {"ONE": {"tick": "0.01", "lot": "1", "quote": "USD"}}})
    plan = make_plan(config, strategy=strategy, feed=NoFeed())
    return replace(plan, bar_sources=sources).make_core("test", InProcessSwitch())


# ---- against a recomputation that shares nothing ----

Row = tuple[int, int, str, Any]
"""Told at, end, symbol and timeframe, the bar: as a listener should have it."""


def plain_bars(
    events: Sequence[Any], lengths: dict[str, int], symbols: Sequence[str]
) -> list[tuple[int, str, tuple[Any, ...]]]:
    """All bars of all symbols from prints, quotes or bars: (told at, timeframe, figures)."""
    rows = []
    for symbol in symbols:
        own = [event for event in events if event.symbol == symbol]
        if not own:
            continue
        of_bars = isinstance(own[0], Bar)
        first_ns = own[0].opened_ns
        for name, length in lengths.items():
            groups: dict[int, list[Any]] = {}
            for event in own:
                groups.setdefault(event.opened_ns // length, []).append(event)
            for number, group in groups.items():
                start, end = number * length, (number + 1) * length
                if of_bars:
                    times = [e.ts_ns for e in own if e.ts_ns == end or e.opened_ns >= end]
                else:
                    times = [e.ts_ns for e in events if e.ts_ns >= end]
                if not times or start < first_ns:
                    continue
                rows.append(
                    (min(times), end, length, symbols.index(symbol), name, made(group, end, length))
                )
    rows.sort(key=lambda row: row[:4])
    return [(row[0], row[4], row[5]) for row in rows]


def made(group: list[Any], end: int, length: int) -> tuple[Any, ...]:
    head = (end, group[0].symbol, length)
    if isinstance(group[0], Quote):
        bids, asks = [e.bid_units for e in group], [e.ask_units for e in group]
        sides = [(p[0], max(p), min(p), p[-1]) for p in (bids, asks)]
        return (*head, *sides[0], *sides[1], -1, 0)
    if isinstance(group[0], Trade):
        prices = [e.price_units for e in group]
        sizes = [e.size_units for e in group]
        four = (prices[0], max(prices), min(prices), prices[-1])
    else:
        sizes = [e.volume_units for e in group]
        high, low = max(e.high_units for e in group), min(e.low_units for e in group)
        four = (group[0].open_units, high, low, group[-1].close_units)
    return (*head, *four, -1 if -1 in sizes else sum(sizes), 0)


steps = st.sampled_from([0, 0, S // 2, S, S, 2 * S, 5 * S, 31 * S])
ticks = st.lists(
    st.tuples(steps, st.sampled_from([ONE, TWO]), st.integers(-40, 40), st.integers(-1, 9)),
    min_size=1,
    max_size=60,
)


def tick_events(rows: Any, kind: str) -> list[Any]:
    now_ns = 1_000_000_000 * S
    events: list[Any] = []
    for step, traded, move, size in rows:
        now_ns += step
        price = 10_000 + move
        if kind == "quotes":
            spread = abs(size)
            events.append(Quote(now_ns, traded.symbol, price, price + spread, size, size, traded))
        else:
            events.append(Trade(now_ns, traded.symbol, price, size, "", traded))
    return events


@pytest.mark.long
@pytest.mark.parametrize("kind", ["quotes", "trades"])
@settings(max_examples=60, deadline=None)
@given(rows=ticks)
def test_bars_of_ticks_are_those_of_a_plain_recomputation(kind: str, rows: Any) -> None:
    events = tick_events(rows, kind)
    listener = heard(trading_core(Listener(), ONE, TWO), events)
    lengths = {"2s": 2 * S, "6s": 6 * S}
    expected = plain_bars(events, lengths, ["ONE", "TWO"])
    assert [(at, name, figures(bar)) for at, name, bar, _ in listener.told] == expected
    check_history(listener)


@settings(max_examples=60, deadline=None)
@given(rows=ticks)
def test_bars_of_bars_are_those_of_a_plain_recomputation(rows: Any) -> None:
    events: list[Any] = []
    last_ns = dict.fromkeys(("ONE", "TWO"), 0)
    for step, traded, move, size in rows:
        before_ns = max(last_ns.values()) or 1_000_000_000 * S
        # Bars follow each other; those of two symbols may close together.
        ts_ns = max(before_ns + step // S * S, last_ns[traded.symbol] + S)
        last_ns[traded.symbol] = ts_ns
        open_, close = 10_000 + move, 10_000 - move
        high, low = max(open_, close) + 3, min(open_, close) - 2
        events.append(Bar(ts_ns, traded.symbol, S, open_, high, low, close, size, traded))
    events.sort(key=lambda event: event.ts_ns)
    listener = heard(trading_core(Listener(), ONE, TWO), events)
    expected = plain_bars(events, {"2s": 2 * S, "6s": 6 * S}, ["ONE", "TWO"])
    found = [(at, name, figures(bar)) for at, name, bar, _ in listener.told]
    # Symbols are told each with its own bars here, so that they need not alternate in one order.
    for symbol in ("ONE", "TWO"):
        own = [row for row in found if row[2][1] == symbol]
        assert own == [row for row in expected if row[2][1] == symbol]
    check_history(listener)


def check_history(listener: Listener) -> None:
    """History is what was told so far of the symbol and timeframe, the bar itself at the end."""
    seen: dict[tuple[str, str], list[float]] = {}
    for now_ns, name, told, closes in listener.told:
        assert now_ns >= told.ts_ns, "a bar was told before it was closed"
        seen.setdefault((told.symbol, name), []).append(told.close)
        assert closes == seen[told.symbol, name][-3:]


# ---- when a bar is told ----


def test_a_bar_of_quotes_is_told_after_the_event_that_closes_it_has_met_the_market() -> None:
    """The order meets the price of that event: the one before it is no longer to be had."""
    listener = Listener()
    listener.timeframes = ("2s",)  # the class has said that it declares them
    listener.answers["2s"] = market(Side.BUY, 1)
    core = trading_core(listener, ONE, rules=paper_rules(FillRule.BID_ASK))
    core.start(0)
    records = core.step(quote(ONE, 0, "10", "11")) + core.step(quote(ONE, 1 * S, "20", "21"))
    assert fills_in(records) == []
    [fill] = fills_in(core.step(quote(ONE, 2 * S, "30", "31")))
    assert fill.price_units == 3100
    assert figures(listener.told[0][2])[3:11] == (1000, 2000, 1000, 2000, 1100, 2100, 1100, 2100)


def test_the_passing_of_time_closes_a_bar_of_trades() -> None:
    core = trading_core(Listener(), ONE)
    listener = heard(core, [trade(ONE, 0, "10"), TimePassed(2 * S - 1)])
    assert listener.told == []
    core.step(TimePassed(2 * S))
    assert [bar.close for _, _, bar, _ in listener.told] == [10]


def test_gaps_make_no_bars_and_an_unfinished_bar_is_never_told() -> None:
    core = trading_core(Listener(), ONE)
    events = [trade(ONE, at * S, price) for at, price in ((0, "10"), (7, "11"), (31, "12"))]
    listener = heard(core, events)
    assert [(name, bar.ts_ns // S) for _, name, bar, _ in listener.told] == [
        ("2s", 2),
        ("6s", 6),
        ("2s", 8),
        ("6s", 12),
    ]
    core.stop()
    assert len(listener.told) == 4


def test_trading_hours_align_bars_and_cut_the_last_one_at_the_close() -> None:
    """From 14:30 on in hours of an hour and a half; the last one is an hour long."""

    class Hourly(Listener):
        timeframes = ("30m", "90m", "1d")

    minute = 60 * S
    monday = 4 * 86_400 * S  # 1970-01-05
    times = [860, 870, 900, 1019, 1020, 1259, 1260, 1300, 10_080 + 870]
    core = trading_core(Hourly(), SHOP)
    listener = heard(core, [trade(SHOP, monday + at * minute, "10") for at in times])
    ends = {
        name: [
            (bar.ts_ns - monday) // minute for _, which, bar, _ in listener.told if which == name
        ]
        for name in Hourly.timeframes
    }
    assert ends["90m"] == [960, 1050, 1260]
    assert ends["1d"] == [1260]
    days = [bar for _, name, bar, _ in listener.told if name == "1d"]
    assert (days[0].opened_ns - monday) // minute == 870


def test_a_week_begins_on_monday_and_a_day_at_midnight() -> None:
    class Slow(Listener):
        timeframes = ("1d", "1w")

    day = 86_400 * S
    core = trading_core(Slow(), ONE)
    # 1970-01-05 was a Monday.
    listener = heard(core, [trade(ONE, at * day, "10") for at in range(4, 12)])
    assert [(name, bar.ts_ns // day) for _, name, bar, _ in listener.told][-2:] == [
        ("1d", 11),
        ("1w", 11),
    ]


def test_bars_are_made_while_nobody_may_be_asked() -> None:
    switch = InProcessSwitch()
    listener = Listener()
    core = trading_core(listener, ONE, switch=switch)
    heard(core, [trade(ONE, 0, "10")])
    switch.engage("enough", "ann")
    for second in range(1, 6):
        core.step(trade(ONE, second * S, f"{10 + second}"))
    assert listener.told == []
    switch.flag[0] = 0
    core.step(trade(ONE, 6 * S, "16"))
    assert [(name, bar.close) for _, name, bar, _ in listener.told] == [("2s", 15), ("6s", 15)]
    assert listener.told[0][3] == [11, 13, 15], "history has no holes"


def test_a_session_that_is_flattened_tells_its_strategy_no_more_bars() -> None:
    core = trading_core(Listener(), ONE)
    listener = heard(core, [trade(ONE, 0, "10")])
    core.step(Flatten(S, "enough", "ann"))
    core.step(TimePassed(9 * S))
    core.step(trade(ONE, 20 * S, "10"))
    assert listener.told == []


def test_an_order_of_the_first_bar_is_carried_out_before_the_next_is_told() -> None:
    class Looking(Listener):
        timeframes = ("1m", "2m")

        def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
            self.told.append((0, context.timeframe, context.position("ONE"), []))
            return market(Side.BUY, 1) if context.timeframe == "1m" else None

        def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
            assert context.timeframe == ""
            return None

    core = trading_core(Looking(), ONE, rules=paper_rules(FillRule.DECISION_CLOSE))
    listener = heard(core, [bar(ONE, number, "10 11 9 10") for number in (1, 2)])
    assert [(name, int(held)) for _, name, held, _ in listener.told] == [
        ("1m", 0),
        ("1m", 1),
        ("2m", 2),
    ]


# ---- what bars are made of ----


@pytest.mark.parametrize(("source", "count"), [("bars", 2), ("quote_bars", 1), ("", 2)])
def test_bars_of_two_kinds_of_one_symbol_do_not_both_feed_a_strategy(
    source: str, count: int
) -> None:
    class Plain(Listener):
        timeframes = ()
        history = 5

    events: list[MarketEvent] = [
        bar(ONE, 1, "10 11 9 10"),
        quote_bar(ONE, 1, "10 11 9 10", "11 12 10 11"),
        bar(ONE, 2, "10 11 9 10"),
    ]
    core = planned(Plain(), {"ONE": source} if source else {})
    assert len(heard(core, events).told) == count


def test_prices_that_cannot_be_prices_make_no_bar() -> None:
    core = trading_core(Listener(), ONE)
    listener = heard(
        core, [quote(ONE, 0, "10", "11"), quote(ONE, S, "50", "11"), quote(ONE, 2 * S, "10", "11")]
    )
    assert [bar.ask_high_units for _, _, bar, _ in listener.told] == [1100]


def test_a_bar_that_comes_again_is_left_out_and_said_once() -> None:
    listener = Listener()
    core = trading_core(listener, ONE)
    core.start(0)
    for closed in (1, 2, 1, 1):
        late = Bar(3 * S, "ONE", S, 1000, 1000, 1000, 1000, 1, ONE, closed * S)
        core.run([late])
    warnings = [each.code for each in core.take_effects() if hasattr(each, "code")]
    assert warnings == ["LATE_BAR"]
    assert [figures(bar)[-2] for _, _, bar, _ in listener.told] == [2]


def test_data_that_is_too_coarse_ends_the_session_by_name() -> None:
    core = trading_core(Listener(), ONE)
    core.start(0)
    with pytest.raises(StrategyError, match="ONE has bars of 1m, of which no bar of 2s"):
        core.step(bar(ONE, 1, "10 11 9 10"))
