"""The memory of a live feed: each row once, in order, and every hole told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.core.types import NS_PER_MINUTE
from logos.feeds.sequence import BarSequence, RawBar, RawTrade, TradeSequence

START_NS = 1_000_000


def trade(number: int, ts_ns: int | None = None) -> RawTrade:
    return RawTrade(str(number), START_NS + number if ts_ns is None else ts_ns, "1", "1", "buy")


def bar(minute: int) -> RawBar:
    return RawBar(minute * NS_PER_MINUTE, "1", "1", "1", "1", "1")


def numbers(trades: list[RawTrade]) -> list[int]:
    return [int(each.trade_id) for each in trades]


pages = st.lists(
    st.lists(st.integers(1, 60), max_size=12).map(lambda ids: [trade(number) for number in ids]),
    max_size=12,
)


@pytest.mark.long
@given(pages)
def test_with_consecutive_ids_each_comes_once_ascending_and_holes_add_up(
    told: list[list[RawTrade]],
) -> None:
    sequence = TradeSequence(START_NS, are_ids_consecutive=True)
    had: list[int] = []
    for page in told:
        joins = sequence.joins_on(page) or not sequence.last_id
        missing = sequence.missing
        taken = sequence.take(page)
        had += numbers(taken.fresh)
        assert bool(taken.gap) == (sequence.missing > missing)
        if joins and had[: len(had) - len(taken.fresh)]:
            assert taken.gap == ""
    assert had == sorted(set(had))
    if had:
        # What was had and what is missing make up everything from the first to the last.
        assert len(had) + sequence.missing == had[-1] - had[0] + 1


@pytest.mark.long
@given(pages)
def test_with_ids_that_are_names_each_comes_once_and_none_is_dropped(
    told: list[list[RawTrade]],
) -> None:
    sequence = TradeSequence(START_NS)
    had: list[int] = []
    for page in told:
        had += numbers(sequence.take(page).fresh)
    assert len(had) == len(set(had))
    assert set(had) == {int(each.trade_id) for page in told for each in page}


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(0, 30))
def test_old_news_is_never_given_out(ids: list[int], start: int) -> None:
    for are_ids_consecutive in (True, False):
        start_ns = START_NS + start
        sequence = TradeSequence(start_ns, are_ids_consecutive=are_ids_consecutive)
        fresh = sequence.take([trade(number) for number in ids]).fresh
        assert all(each.ts_ns >= start_ns for each in fresh)
        assert set(numbers(fresh)) == {number for number in ids if number >= start}


def test_a_page_of_strangers_does_not_join_on_and_is_told() -> None:
    sequence = TradeSequence(START_NS)
    sequence.take([trade(1), trade(2)])
    assert sequence.joins_on([trade(2), trade(3)])
    assert not sequence.joins_on([trade(4), trade(5)])
    assert sequence.take([trade(4), trade(5)], follows=True).gap == ""
    assert "(trade 5) may be missing" in sequence.take([trade(8)]).gap


def test_what_is_older_than_anything_remembered_is_not_given_out_again() -> None:
    sequence = TradeSequence(START_NS)
    for first in range(1, 25_001, 1_000):
        sequence.take([trade(number) for number in range(first, first + 1_000)])
    assert sequence.take([trade(3)]).fresh == []
    assert sequence.take([trade(24_000)]).fresh == []
    assert numbers(sequence.take([trade(26_000)]).fresh) == [26_000]


@pytest.mark.long
@given(st.lists(st.lists(st.integers(0, 40), max_size=10), max_size=10), st.integers(0, 45))
def test_bars_come_once_ascending_closed_and_holes_add_up(
    told: list[list[int]], closed: int
) -> None:
    sequence = BarSequence(NS_PER_MINUTE, 0)
    had: list[int] = []
    closed_ns = closed * NS_PER_MINUTE
    missing = 0
    for page in told:
        taken = sequence.take([bar(minute) for minute in page], closed_ns)
        missing += int(taken.gap.split()[0]) if taken.gap else 0
        minutes = [each.opened_ns // NS_PER_MINUTE for each in taken.fresh]
        assert all(minute < closed or minute < max(page) for minute in minutes)
        had += minutes
    assert had == sorted(set(had))
    if had:
        assert len(had) + missing == had[-1] - had[0] + 1


def test_only_minutes_of_a_session_can_be_missing() -> None:
    sequence = BarSequence(NS_PER_MINUTE, 0)
    sequence.take([bar(8)], 100 * NS_PER_MINUTE)
    sessions = [(0, 10 * NS_PER_MINUTE), (50 * NS_PER_MINUTE, 60 * NS_PER_MINUTE)]
    taken = sequence.take([bar(52)], 100 * NS_PER_MINUTE, sessions=sessions)
    assert taken.gap == "3 bars are missing from 1970-01-01T00:09:00Z on"
