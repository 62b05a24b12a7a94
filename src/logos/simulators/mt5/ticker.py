"""When each symbol has its next price: one task for all, which never lets requests wait for long.

A task for each symbol costs the event loop a timer for each price. With fifty symbols at a few
milliseconds that is most of a processor, and a terminal that is behind with its prices would answer
nobody any more. So one task waits for whoever is next, and a symbol that is more than `LATE_S`
behind passes over what it missed, as a busy terminal does: the latest price is the market's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from heapq import heapify, heapreplace
from typing import Final

LATE_S: Final = 0.005
"""What a timer of the system may be late by without a price being passed over."""


class Ticker:
    """Calls `tick` with each symbol, every so many seconds (`intervals_s`)."""

    def __init__(self, intervals_s: Mapping[str, float], tick: Callable[[str], object]) -> None:
        self._intervals_s = dict(intervals_s)
        self._tick = tick
        self.passed_over = 0
        """Prices that there was no time for."""

    async def run(self) -> None:
        """Until cancelled. There must be a symbol."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        due = [(began_s + each_s, name) for name, each_s in self._intervals_s.items()]
        heapify(due)
        while True:
            await asyncio.sleep(max(0.0, due[0][0] - loop.time()))
            now_s = loop.time()
            while due[0][0] <= now_s:
                at_s, symbol = due[0]
                heapreplace(due, (self._after(at_s, now_s, symbol), symbol))
                self._tick(symbol)

    def _after(self, at_s: float, now_s: float, symbol: str) -> float:
        """When the price after the one of `at_s` is due."""
        interval_s = self._intervals_s[symbol]
        next_s = at_s + interval_s
        if next_s >= now_s - LATE_S:
            return next_s
        self.passed_over += int((now_s - next_s) / interval_s)
        return now_s + interval_s
