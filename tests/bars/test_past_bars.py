"""A session that joins a market under way, and is given the bars from before: as if it had always
been there, or without the bars that it cannot know."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bar_helpers import Listener, figures
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.engine import TradingCore
from logos.core.instrument import instrument
from logos.core.messages import Backfill, Bar, PastBar, TimePassed, Trade
from logos.core.records import WarmUpRecord, WarningRecord
from logos.core.saved.state import restore_core, save_core
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import Code, Side
from logos.testing.builders import bar, orders_in, refusals_in, trade, trading_core

S = 1_000_000_000
ONE = instrument("ONE", tick="0.01", lot="1", quote="USD", settlement="margin")

trades = st.lists(
    st.tuples(st.integers(0, 2500), st.integers(1, 99), st.integers(1, 9)), min_size=1, max_size=50
)


def told(listener: Listener) -> list[tuple[str, tuple[Any, ...]]]:
    return [(name, figures(each)) for _, name, each, _ in listener.told]


def run_through(core: TradingCore, events: list[Any], cut: int) -> None:
    """Every event; before number `cut` the core is saved, and another goes on."""
    core.start(events[0].ts_ns)
    for number, event in enumerate(events):
        if number == cut:
            state = json.loads(json.dumps(save_core(core)))
            core = trading_core(core.strategy, ONE)
            restore_core(core, state)
        core.step(event)


@pytest.mark.long
@settings(max_examples=120, deadline=None)
@given(rows=trades, share=st.integers(0, 100), lag=st.integers(0, 3), cut=st.integers(0, 80))
def test_with_its_past_a_session_is_told_what_one_is_that_saw_it_all(
    rows: Any, share: int, lag: int, cut: int
) -> None:
    now_ns = 0
    # The first trade at the beginning of a bar: so all of them were seen whole.
    everything = [Trade(0, "ONE", 50, 1, "", ONE)]
    for step, price, size in rows:
        now_ns += step * 1_000_000
        everything.append(Trade(now_ns, "ONE", price, size, "", ONE))
    end = TimePassed(now_ns + 20 * S)
    whole = Listener()
    run_through(trading_core(whole, ONE), [*everything, end], -1)
    # It joins somewhere, is told at once what has closed, and after the bar in which it joined what
    # that was: a while later, when more bars may have closed.
    join_ns = now_ns * share // 100
    live = [event for event in everything if event.ts_ns >= join_ns]
    first_ns = live[0].ts_ns if live else join_ns
    joint_ns = (first_ns // (2 * S) + 1) * 2 * S
    vendor = [each for _, name, each, _ in whole.told if name == "2s"]
    over_ns = joint_ns + lag * S
    events: list[Any] = [Backfill(join_ns, "ONE", False)]
    events += [PastBar(join_ns, "ONE", each) for each in vendor if each.ts_ns <= join_ns]
    events += [event for event in live if event.ts_ns < over_ns]
    events += [PastBar(over_ns, "ONE", each) for each in vendor if join_ns < each.ts_ns <= joint_ns]
    events.append(Backfill(over_ns, "ONE", True, joint_ns))
    events += [event for event in live if event.ts_ns >= over_ns]
    events.append(TimePassed(max(end.ts_ns, over_ns)))
    joined = Listener()
    run_through(trading_core(joined, ONE), events, cut)
    assert told(joined) == told(whole)
    assert [closes for *_, closes in joined.told] == [closes for *_, closes in whole.told]


@pytest.mark.parametrize("until_ns", [0, 4 * S])
def test_without_the_bar_in_which_it_joined_no_bar_with_that_hole_is_told(until_ns: int) -> None:
    listener = Listener()
    core = trading_core(listener, ONE)
    past = [Bar(end * S, "ONE", 2 * S, 10, 10, 10, 10, 1, ONE) for end in (2, 4)]
    events: list[Any] = [Backfill(5 * S, "ONE", False)]
    events += [PastBar(5 * S, "ONE", each) for each in past]
    events += [trade(ONE, 5 * S, "10"), Backfill(7 * S, "ONE", True, until_ns, "it did not answer")]
    events += [trade(ONE, at * S, "10") for at in (7, 9, 11, 13, 25)]
    core.start(events[0].ts_ns)
    core.run(events)
    ends = [(name, each.ts_ns // S) for _, name, each, _ in listener.told]
    assert ends == [
        *[("2s", 2), ("2s", 4), ("2s", 8), ("2s", 10), ("2s", 12), ("6s", 12)],
        *[("2s", 14), ("6s", 18)],
    ]
    [warning] = [each for each in core.take_effects() if isinstance(each, WarningRecord)]
    assert (warning.code, warning.detail) == ("BACKFILL", "it did not answer")


class Buyer(Strategy):
    """Buys at each bar."""

    warmup: int | str = 3

    def on_bar(self, context: Context, bar: Any) -> Answer:
        return market(Side.BUY, 1)


def test_past_bars_count_for_the_warm_up_of_a_session_on_bars() -> None:
    """The data's own bars: past ones are told first, one that came twice is told once."""
    minute = 60 * S
    core = trading_core(Buyer(), ONE)
    bars = [bar(ONE, number, "10 11 9 10") for number in range(1, 6)]
    core.start(3 * minute)
    records = core.step(Backfill(3 * minute, "ONE", False))
    records += core.step(PastBar(3 * minute, "ONE", bars[1]))
    records += core.step(PastBar(3 * minute, "ONE", bars[2]))
    records += core.step(bars[3])
    assert refusals_in(records) == [Code.WARMING_UP] * 2
    records = core.step(PastBar(4 * minute, "ONE", bars[3]))
    records += core.step(Backfill(4 * minute, "ONE", True, 4 * minute))
    [warm] = [each for each in records if isinstance(each, WarmUpRecord)]
    assert (warm.bars, warm.past_bars, warm.since_ns) == (3, 3, minute)
    assert len(orders_in(core.step(bars[4]))) == 1


def test_a_past_that_is_long_enough_ends_a_warm_up_of_time() -> None:
    class Patient(Buyer):
        warmup = "3m"

    minute = 60 * S
    core = trading_core(Patient(), ONE)
    core.start(4 * minute)
    records = core.step(Backfill(4 * minute, "ONE", False))
    for number in (1, 2, 3, 4):
        records += core.step(PastBar(4 * minute, "ONE", bar(ONE, number, "10 11 9 10")))
    records += core.step(Backfill(4 * minute, "ONE", True, 4 * minute))
    # The first past bar began at 0: three minutes of it had passed before the last was told.
    [warm] = [each for each in records if isinstance(each, WarmUpRecord)]
    assert (warm.past_bars, warm.since_ns) == (1, 0)
    assert refusals_in(records)[:1] == [Code.WARMING_UP]
