"""The wall clock of a live session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from logos.core.clock import Clock

CallOff = Callable[[], object]


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

    def call_later(self, seconds: float, function: Callable[[], object]) -> CallOff:
        """As the function of that name; a timer of the loop, which costs a tenth of a task."""
        return asyncio.get_running_loop().call_later(seconds, function).cancel


def call_later(clock: Clock, seconds: float, function: Callable[[], object]) -> CallOff:
    """Have `function` called in the running loop once this much time has passed on `clock`; calling
    what is returned calls it off."""
    own = getattr(clock, "call_later", None)
    if own is not None:
        call_off: CallOff = own(seconds, function)
        return call_off

    async def wait() -> None:
        await clock.sleep(seconds)
        function()

    return asyncio.get_running_loop().create_task(wait()).cancel
