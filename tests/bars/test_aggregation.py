"""Bars that anyone can make: by time, count, volume and value, against plain recomputations."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.aggregation import DollarBars, TickBars, TimeBars, VolumeBars
from logos.core.instrument import instrument
from logos.core.messages import Bar, MarketEvent, QuoteBar, Trade
from logos.testing.builders import bar, quote, quote_bar, trade

S = 1_000_000_000
ONE = instrument("ONE", tick="0.01", lot="0.001", quote="USD", multiplier="10")

trades = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 500), st.integers(0, 900)), max_size=60
)


def prints(rows: list[tuple[int, int, int]]) -> list[Trade]:
    now_ns, found = 0, []
    for step, price, size in rows:
        now_ns += step * S
        found.append(Trade(now_ns, "ONE", price, size, "", ONE))
    return found


def grouped(events: list[Trade], is_full: Callable[[list[Trade]], bool]) -> list[list[Trade]]:
    groups: list[list[Trade]] = [[]]
    for event in events:
        groups[-1].append(event)
        if is_full(groups[-1]):
            groups.append([])
    return groups[:-1]


def plain(group: list[Trade]) -> Bar:
    prices = [event.price_units for event in group]
    return Bar(
        group[-1].ts_ns,
        "ONE",
        group[-1].ts_ns - group[0].ts_ns,
        *(prices[0], max(prices), min(prices), prices[-1]),
        sum(event.size_units for event in group),
        ONE,
    )


MAKERS: dict[str, tuple[Callable[[], Any], Callable[[list[Trade]], bool]]] = {
    "ticks": (lambda: TickBars(3), lambda group: len(group) == 3),
    "volume": (
        lambda: VolumeBars("1.2"),
        lambda group: sum(Fraction(each.size_units, 1000) for each in group) >= Fraction("1.2"),
    ),
    "dollars": (
        lambda: DollarBars(25),
        lambda group: (
            sum(Fraction(each.size_units * each.price_units * 10, 100_000) for each in group) >= 25
        ),
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("name", MAKERS)
@given(rows=trades, cut=st.integers(0, 60))
def test_a_bar_is_closed_by_the_event_that_fills_it(name: str, rows: Any, cut: int) -> None:
    make, is_full = MAKERS[name]
    events = prints(rows)
    maker, found = make(), []
    for number, event in enumerate(events):
        if number == cut:
            maker = make().load(json.loads(json.dumps(maker.save())))
        found += maker.add(event)
    assert found == [plain(group) for group in grouped(events, is_full)]


@pytest.mark.long
@given(rows=trades, cut=st.integers(0, 60))
def test_time_bars_are_closed_by_the_event_after_them(rows: Any, cut: int) -> None:
    events = prints(rows)
    maker, found = TimeBars("5s"), []
    for number, event in enumerate(events):
        if number == cut:
            maker = TimeBars("5s").load(json.loads(json.dumps(maker.save())))
        found += maker.add(event)
    slots: dict[int, list[Trade]] = {}
    for event in events:
        slots.setdefault(event.ts_ns // (5 * S), []).append(event)
    whole = [slot for slot in sorted(slots)[:-1] if slot * 5 * S >= events[0].ts_ns]
    expected = []
    for slot in whole:
        one = plain(slots[slot])
        names = {name: getattr(one, name) for name in one.__struct_fields__}
        expected.append(Bar(**{**names, "ts_ns": (slot + 1) * 5 * S, "interval_ns": 5 * S}))
    assert found == expected


def test_time_bars_of_bars_are_closed_by_the_bar_that_ends_them() -> None:
    maker = TimeBars("2m")
    made = [maker.add(bar(ONE, number, f"{number} 9 1 {number}", "1")) for number in range(3, 7)]
    assert [[(each.ts_ns // (60 * S), each.open, each.close) for each in row] for row in made] == [
        [],
        [(4, 3.0, 4.0)],
        [],
        [(6, 5.0, 6.0)],
    ]
    again = maker.add(bar(ONE, 5, "1 1 1 1", "1"))
    assert again == []


def test_quotes_make_two_sided_bars() -> None:
    maker = TickBars(2)
    made = [
        maker.add(quote(ONE, at * S, bid, ask)) for at, bid, ask in ((1, "1", "2"), (4, "3", "4"))
    ]
    [found] = made[1]
    assert isinstance(found, QuoteBar)
    assert (found.bid_open_units, found.bid_close_units, found.ask_high_units) == (100, 300, 400)
    assert (found.opened_ns, found.ts_ns, found.volume_units) == (S, 4 * S, -1)
    assert maker.add(quote(ONE, 5 * S, "9", "2")) == []
    assert maker.save()["prices"] == []


@pytest.mark.parametrize(
    ("maker", "event", "words"),
    [
        (TickBars(1), bar(ONE, 1, "1 1 1 1"), "how many ticks"),
        (VolumeBars(1), quote(ONE, 1, "1", "2"), "no traded volume"),
        (VolumeBars(1), trade(ONE, 1, "1"), "no traded volume"),
        (DollarBars(1), quote_bar(ONE, 1, "1 1 1 1", "2 2 2 2", "5"), "no traded volume"),
        (VolumeBars("0.0001"), trade(ONE, 1, "1", "1"), "decimals"),
        (TimeBars("1m"), bar(ONE, 1, "1 1 1 1", interval_ns=90 * S), "no bar of 1m"),
    ],
)
def test_what_cannot_be_measured_is_refused(maker: Any, event: MarketEvent, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        maker.add(event)


@pytest.mark.parametrize(
    ("kind", "measure"),
    [
        (TickBars, 0),
        (TickBars, 1.5),
        (VolumeBars, 0),
        (VolumeBars, 0.1),
        (VolumeBars, Decimal("nan")),
        (DollarBars, "-1"),
        (TimeBars, "60s"),
    ],
)
def test_a_measure_that_is_none_is_refused(kind: Any, measure: Any) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        kind(measure)
