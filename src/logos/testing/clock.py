"""A clock that a test moves by hand: waiting for it takes no time at all.

A sleeper wakes when `advance` has passed its moment, in the order of the moments. Whoever moves
the clock first waits until the code under test has come to rest in a `sleep`, so that nothing
depends on how fast the machine is.
"""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from typing import Final

from logos.core.types import NS_PER_SECOND

START_NS: Final = 1_767_225_600 * NS_PER_SECOND  # 2026-01-01T00:00Z


class ManualClock:
    """A `logos.core.clock.Clock` whose time changes only with `advance`."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self._now_ns = now_ns
        self._order = count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._changed = asyncio.Event()

    def now_ns(self) -> int:
        """The time as it was last set."""
        return self._now_ns

    @property
    def sleepers(self) -> int:
        """How many are waiting."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Return once the clock has been moved this far; at once, but not before others ran, for 0.

        Cancelling works as for `asyncio.sleep`.
        """
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        due_ns = self._now_ns + round(seconds * NS_PER_SECOND)
        heapq.heappush(self._sleepers, (due_ns, next(self._order), future))
        self._changed.set()
        try:
            await future
        finally:
            self._changed.set()

    async def wait_for_sleepers(self, at_least: int = 1) -> None:
        """Return once so many are waiting."""
        while self.sleepers < at_least:
            self._changed.clear()
            await self._changed.wait()

    async def advance(self, seconds: float) -> None:
        """Move the clock; everybody due wakes, in order, and runs until it waits again.

        What a sleeper does when it wakes may put it to sleep again within the time that passes:
        it wakes again then.
        """
        end_ns = self._now_ns + round(seconds * NS_PER_SECOND)
        while True:
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            if not self._sleepers or self._sleepers[0][0] > end_ns:
                break
            due_ns, _, future = heapq.heappop(self._sleepers)
            self._now_ns = max(self._now_ns, due_ns)
            future.set_result(None)
            # Twice: once for the sleeper to wake, once for what it started to begin.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        self._now_ns = end_ns

    def set_ns(self, now_ns: int) -> None:
        """Jump without waking anybody; never backwards."""
        if now_ns < self._now_ns:
            raise ValueError(f"the clock cannot go back from {self._now_ns} to {now_ns}")
        self._now_ns = now_ns

    async def next_wake(self) -> float:
        """Wait for a sleeper, then move the clock to the earliest one's moment; seconds moved."""
        await self.wait_for_sleepers()
        due_ns = min(due_ns for due_ns, _, future in self._sleepers if not future.done())
        seconds = max(0, due_ns - self._now_ns) / NS_PER_SECOND
        await self.advance(seconds)
        return seconds
