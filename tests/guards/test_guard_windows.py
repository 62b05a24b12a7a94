"""Guards that look at the clock: the order rate, duplicates, staleness, market hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from guard_helpers import BUY, SELL, A, B, Rig, contract, trips_in
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.guards import Action, SessionGuards
from logos.core.instrument import instrument
from logos.core.messages import MarketEvent
from logos.core.records import RefusalRecord
from logos.core.strategy import Answer, Cancel, OrderRequest, Replace, limit, market
from logos.core.types import Code, TimeInForce
from logos.testing.builders import Scripted, bar, orders_in, quote, trade, trading_core

DAY = 86_400 * 10**9
MINUTE = 60 * 10**9
times = st.lists(st.integers(0, 12), max_size=60)

# ---- order rate ----


@settings(deadline=None)
@given(gaps=times, count=st.integers(1, 5), window_ns=st.integers(1, 20))
def test_the_order_rate_is_that_of_a_list_of_all_orders(
    gaps: list[int], count: int, window_ns: int
) -> None:
    guards = SessionGuards(order_count=count, order_window_ns=window_ns)
    made: list[int] = []
    now_ns = 0
    for gap in gaps:
        now_ns += gap
        is_full = sum(now_ns - window_ns < each <= now_ns for each in made) >= count
        assert guards.is_rate_exceeded(now_ns) is is_full
        if not is_full:
            made.append(now_ns)
            guards.see_order(now_ns)


@settings(deadline=None, max_examples=40)
@given(gaps=times, count=st.integers(1, 5), window_ns=st.integers(1, 20))
def test_no_window_ever_holds_more_orders_than_allowed(
    gaps: list[int], count: int, window_ns: int
) -> None:
    rig = Rig(max_orders=count, max_orders_window_ns=window_ns)
    for gap in gaps:
        answer = [market(BUY, 1), market(SELL, 1, symbol="AAA")]
        rig.show(100, answer, at_ns=rig.ts_ns + gap)
    made = [order.ts_ns for order in orders_in(rig.records)]
    for end in made:
        assert sum(end - window_ns < each <= end for each in made) <= count


def test_only_orders_that_were_made_count_towards_the_rate() -> None:
    rig = Rig(max_orders=2, max_orders_window_ns=100, max_order_quantity="1")
    rig.show(100, [market(BUY, 2)] * 5)
    rig.show(100, [market(BUY, 1), Cancel(99), market(BUY, 1), market(BUY, 1)])
    assert trips_in(rig.records)[5:] == [[Code.UNKNOWN_ORDER], [Code.ORDER_RATE]]


def test_the_rate_is_of_all_symbols_together() -> None:
    rig = Rig(max_orders=1, max_orders_window_ns=100)
    rig.show(100, symbol="BBB")
    rig.show(100, [market(BUY, 1), market(BUY, 1, symbol="BBB")])
    assert trips_in(rig.records) == [[Code.ORDER_RATE]]


def test_the_successor_of_a_replaced_order_is_an_order() -> None:
    rig = Rig(max_orders=2, max_orders_window_ns=100)
    rig.show(100, limit(BUY, 1, 90, tag="x"))
    rig.show(100, Replace(tag="x", limit_price=91))
    rig.show(100, Replace(tag="x", limit_price=92))
    assert trips_in(rig.records) == [[Code.ORDER_RATE]]
    assert (
        rig.core.order_manager.guards.open_orders == 0
    )  # the cancel passed, its successor did not


# ---- duplicates ----


@pytest.mark.parametrize(
    "other",
    [
        limit(SELL, 1, 90),
        limit(BUY, 2, 90),
        limit(BUY, 1, 91),
        limit(BUY, 1, 90, time_in_force=TimeInForce.DAY),
        limit(BUY, 1, 90, symbol="BBB"),
        market(BUY, 1),
    ],
)
def test_what_differs_in_anything_is_no_duplicate(other: OrderRequest) -> None:
    rig = Rig(duplicate_window_ns=100)
    rig.show(90, symbol="BBB")
    rig.show(90, [limit(BUY, 1, 90), other])
    assert trips_in(rig.records) == []


def test_a_tag_makes_no_other_order() -> None:
    rig = Rig(duplicate_window_ns=100)
    rig.show(100, [limit(BUY, 1, 90, tag="x"), limit(BUY, 1, 90, tag="y")])
    assert trips_in(rig.records) == [[Code.DUPLICATE_ORDER]]


def test_a_refused_duplicate_does_not_extend_the_window() -> None:
    rig = Rig(duplicate_window_ns=10)
    for at_ns in (1, 6, 10, 11):
        rig.show(100, market(BUY, 1), at_ns=at_ns)
    assert trips_in(rig.records) == [[Code.DUPLICATE_ORDER]] * 2
    assert [order.ts_ns for order in orders_in(rig.records)] == [1, 11]


@settings(deadline=None, max_examples=40)
@given(
    steps=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), max_size=40),
    window_ns=st.integers(1, 20),
)
def test_duplicates_are_those_of_a_list_of_all_orders(
    steps: list[tuple[int, int]], window_ns: int
) -> None:
    rig = Rig(duplicate_window_ns=window_ns)
    made: list[tuple[int, int]] = []
    for gap, quantity in steps:
        rig.show(100, market(BUY, quantity), at_ns=rig.ts_ns + gap)
        if not any(q == quantity and rig.ts_ns - at < window_ns for at, q in made):
            made.append((rig.ts_ns, quantity))
    orders = [(order.ts_ns, order.quantity_units) for order in orders_in(rig.records)]
    assert orders == made


def test_a_storm_of_different_orders_forgets_none_within_the_window() -> None:
    rig = Rig(duplicate_window_ns=10**6)
    rig.show(100, [limit(BUY, 1 + n, 90) for n in range(1000)])
    rig.show(100, [limit(BUY, 1 + n, 90) for n in range(1000)])
    assert trips_in(rig.records) == [[Code.DUPLICATE_ORDER]] * 1000
    rig.show(100, [limit(BUY, 1 + n, 90) for n in range(1000)], at_ns=rig.ts_ns + 10**6)
    assert rig.core.order_manager.order_count == 2000
    assert len(rig.core.order_manager.states["AAA"].recent_orders) <= 2000


# ---- stale data ----


def stale(*events: MarketEvent, answer: Answer, limit_ns: int = 10) -> list[Code]:
    """Codes of the refusals of `answer`, given to the last of `events`."""
    refuse = {Code.STALE_DATA: Action.REFUSE}
    core = trading_core(
        Scripted({len(events): answer}), A, B, stale_after_ns=limit_ns, actions=refuse
    )
    records = core.start(0)
    for event in events:
        records += core.step(event)
    return [each.code for each in records if isinstance(each, RefusalRecord)]


OTHER = quote(B, 12, "100", "100")
ON_A = market(BUY, 1, symbol="AAA")


def test_a_crossed_quote_is_no_price_and_refreshes_nothing() -> None:
    good, crossed = quote(A, 1, "100", "100"), quote(A, 5, "101", "100")
    assert stale(good, crossed, OTHER, answer=ON_A) == [Code.STALE_DATA]
    assert stale(good, quote(A, 5, "100", "100"), OTHER, answer=ON_A) == []


def test_a_print_does_not_refresh_a_symbol_that_has_quotes() -> None:
    assert stale(quote(A, 1, "100", "100"), trade(A, 5, "100"), OTHER, answer=ON_A) == [
        Code.STALE_DATA
    ]
    assert stale(trade(A, 1, "100"), trade(A, 5, "100"), OTHER, answer=ON_A) == []


def test_a_bar_is_as_old_as_its_close() -> None:
    first = bar(A, 1, "100 100 100 100")
    for late_ns, codes in ((10, []), (11, [Code.STALE_DATA])):
        other = quote(B, MINUTE + late_ns, "100", "100")
        assert stale(first, other, answer=ON_A) == codes


def test_the_same_price_again_is_fresh() -> None:
    same = [quote(A, ts_ns, "100", "100") for ts_ns in (1, 6, 11)]
    assert stale(*same, quote(B, 21, "100", "100"), answer=ON_A) == []


# ---- market hours ----


def open_minutes(*hours: str) -> list[int]:
    """The minutes of the week (from Monday 00:00) at which it is open."""
    traded = contract(hours=hours)
    monday = 4 * DAY
    return [n for n in range(7 * 1440) if traded.is_open(monday + n * MINUTE)]


def test_hours_are_half_open_spans_of_each_day() -> None:
    expected = [day * 1440 + minute for day in range(5) for minute in range(13 * 60 + 30, 20 * 60)]
    assert open_minutes("mon-fri 13:30-20:00") == expected


def test_a_week_round_the_weekend_is_written_as_spans() -> None:
    minutes = open_minutes("sun 22:00-24:00", "mon-thu 00:00-24:00", "fri 00:00-22:00")
    closed = set(range(7 * 1440)) - set(minutes)
    assert closed == set(range(4 * 1440 + 22 * 60, 6 * 1440 + 22 * 60))


def test_the_week_wraps_without_a_gap() -> None:
    always = contract(hours=["mon-sun 00:00-24:00"])
    sunday_night = 4 * DAY - 1
    for week in range(3):
        for offset_ns in (0, 1):
            assert always.is_open(sunday_night + week * 7 * DAY + offset_ns)
    sunday = contract(hours=["sun 23:59-24:00"])
    assert sunday.is_open(sunday_night)
    assert not sunday.is_open(sunday_night + 1)
    assert not sunday.is_open(sunday_night - MINUTE)


@given(st.integers(0, 2**62))
def test_hours_agree_with_the_calendar(ts_ns: int) -> None:
    seconds = ts_ns // 10**9 % (400 * 366 * 86_400)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    traded = contract(hours=["tue-wed 09:15-17:45"])
    minute = moment.hour * 60 + moment.minute
    expected = moment.weekday() in (1, 2) and 9 * 60 + 15 <= minute < 17 * 60 + 45
    assert traded.is_open(seconds * 10**9) is expected


@pytest.mark.parametrize(
    "text",
    [
        "fri-mon 00:00-24:00",
        "mon 20:00-13:30",
        "mon 13:30-13:30",
        "mon-fri",
        "mon 24:01-25:00",
        "mon 1330-2000",
        "mon 13:60-20:00",
        "monday 13:30-20:00",
        "mon 13:30",
        "",
    ],
)
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    terms: dict[str, Any] = {"tick": "1", "lot": "1", "quote": "USD", "hours": [text]}
    with pytest.raises(ValueError, match="instrument AAA: hours"):
        instrument("AAA", **terms)


def test_what_rests_stays_when_the_market_closes_and_cancels_pass() -> None:
    rig = Rig(contract(hours=["thu 00:00-00:01"]))
    rig.show(100, limit(BUY, 1, 90, tag="x"), at_ns=1)
    rig.show(100, [market(BUY, 1)], at_ns=MINUTE)
    assert rig.core.order_manager.guards.open_orders == 1
    rig.show(100, Cancel(tag="x"), at_ns=MINUTE + 1)
    assert trips_in(rig.records) == [[Code.MARKET_CLOSED]]
    assert rig.core.order_manager.guards.open_orders == 0
