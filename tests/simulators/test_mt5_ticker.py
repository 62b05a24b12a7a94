"""Prices of the simulated terminal: each symbol by its own interval, none at others' expense."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import pytest

from logos.simulators.mt5.ticker import LATE_S, Ticker


class HandLoop:
    """A loop's clock that a test moves: what is slept goes by, and a price may take long."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.sleeps = 0

    def time(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        self.now_s += seconds
        if self.now_s >= 101.0:
            raise asyncio.CancelledError


def prices_in_a_second(
    monkeypatch: pytest.MonkeyPatch, cost_s: float, **intervals_s: float
) -> tuple[Counter[str], Ticker, HandLoop]:
    hand = HandLoop()
    seen: Counter[str] = Counter()

    def tick(symbol: str) -> None:
        seen[symbol] += 1
        hand.now_s += cost_s

    ticker = Ticker(intervals_s, tick)
    monkeypatch.setattr("logos.simulators.mt5.ticker.asyncio.get_running_loop", lambda: hand)
    monkeypatch.setattr("logos.simulators.mt5.ticker.asyncio.sleep", hand.sleep)
    work = ticker.run()
    with suppress(asyncio.CancelledError):
        work.send(None)
    return seen, ticker, hand


def test_each_symbol_has_its_own_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, ticker, _ = prices_in_a_second(monkeypatch, 0.0, A=0.001, B=0.01, C=0.25)
    assert 990 <= seen["A"] <= 1000
    assert 98 <= seen["B"] <= 100
    assert 3 <= seen["C"] <= 4
    assert ticker.passed_over == 0


def test_who_is_behind_passes_over_what_it_missed_and_lets_others_have_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Prices take four times as long as there is time for: they come as often as there is time for
    them, and after each few the loop is free for requests."""
    seen, ticker, hand = prices_in_a_second(monkeypatch, 0.002, A=0.001, B=0.001)
    made = sum(seen.values())
    assert 400 <= made <= 510
    assert abs(seen["A"] - seen["B"]) <= 10
    assert ticker.passed_over > 500
    # At most what became due within the time that a timer may be late by, for each symbol.
    assert made / hand.sleeps <= 2 * (LATE_S / 0.001 + 2)
