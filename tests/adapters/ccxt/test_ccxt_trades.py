"""Reading all fills page by page: none lost, whatever the pages hold."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.adapters.ccxt.pages import Page, whole
from logos.adapters.ccxt.profiles.binance import BINANCE
from logos.adapters.ccxt.profiles.profile import DAY_MS
from logos.adapters.ccxt.profiles.unknown import unknown
from logos.venues.records import Unreadable

PAGE = 1000


async def trades_by_number(fetch: Any, since_ms: int, end_ms: int) -> Page:
    """As Binance is asked."""
    return await whole(fetch, BINANCE.fills, since_ms, end_ms)


async def trades_by_time(fetch: Any, since_ms: int) -> Page:
    """As exchanges are asked of which nothing more is known."""
    return await whole(fetch, unknown("any").fills, since_ms)


class Trades:
    """An exchange that holds these trades, in pages of at most `cap`."""

    def __init__(self, times_ms: list[int], cap: int) -> None:
        self.rows = [
            {"id": str(number + 1), "timestamp": at_ms}
            for number, at_ms in enumerate(sorted(times_ms))
        ]
        self.cap = cap
        self.asked = 0

    async def fetch(self, since_ms: int | None, limit: int, parameters: dict[str, Any]) -> Page:
        self.asked += 1
        assert self.asked < 10_000
        first = int(parameters.get("fromId", 0))
        until_ms = parameters.get("until", 2**62)
        found = [
            row
            for row in self.rows
            if (since_ms or 0) <= row["timestamp"] <= until_ms and int(row["id"]) >= first  # type: ignore[operator, call-overload]
        ]
        return list(found[: min(limit, self.cap)])


TIMES = st.lists(st.integers(0, 5 * DAY_MS), max_size=60)


@given(TIMES, st.integers(0, 5 * DAY_MS), st.integers(1, 10))
def test_by_number_every_trade_from_the_moment_on_is_found(
    times_ms: list[int], since_ms: int, cap: int
) -> None:
    trades = Trades(times_ms, cap)
    found = asyncio.run(trades_by_number(trades.fetch, since_ms, 5 * DAY_MS))
    ids = {row["id"] for row in found}
    assert ids == {row["id"] for row in trades.rows if row["timestamp"] >= since_ms}  # type: ignore[operator]


@given(st.lists(st.integers(0, 500), max_size=60, unique=True), st.integers(0, 500))
def test_by_time_every_trade_from_the_moment_on_is_found(
    times_ms: list[int], since_ms: int
) -> None:
    trades = Trades(times_ms, 2)
    found = asyncio.run(trades_by_time(trades.fetch, since_ms))
    ids = {row["id"] for row in found}
    assert ids == {row["id"] for row in trades.rows if row["timestamp"] >= since_ms}  # type: ignore[operator]


def test_by_time_more_in_one_millisecond_than_a_page_holds_is_said() -> None:
    with pytest.raises(Unreadable, match="one millisecond"):
        asyncio.run(trades_by_time(Trades([5] * (PAGE + 1), PAGE).fetch, 5))


def test_a_list_that_never_goes_on_ends() -> None:
    async def same(_: int | None, __: int, ___: dict[str, Any]) -> Page:
        return [{"id": "7", "timestamp": 5}]

    assert len(asyncio.run(trades_by_number(same, 0, 10))) == 1


@pytest.mark.parametrize("row", [{"timestamp": 5}, {"id": "x", "timestamp": 5}, {"id": 7}])
def test_a_trade_without_its_number_is_unreadable(row: dict[str, object]) -> None:
    async def one(_: int | None, __: int, ___: dict[str, Any]) -> Page:
        return [row]

    with pytest.raises(Unreadable):
        asyncio.run(trades_by_number(one, 0, 10))


def test_a_trade_without_its_time_is_unreadable() -> None:
    async def one(_: int | None, __: int, ___: dict[str, Any]) -> Page:
        return [{"id": "1"}]

    with pytest.raises(Unreadable):
        asyncio.run(trades_by_time(one, 0))
