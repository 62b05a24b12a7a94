"""The wall clock of a live session."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """`logos.core.clock.Clock` of this machine: a clock that was set back stands still instead."""

    def __init__(self) -> None:
        self._latest_ns = 0

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC; never less than the last answer."""
        now_ns = time.time_ns()
        if now_ns > self._latest_ns:
            self._latest_ns = now_ns
        return self._latest_ns

    async def sleep(self, seconds: float) -> None:
        """Return once this much time has passed."""
        await asyncio.sleep(seconds)
