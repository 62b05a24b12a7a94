"""Waiting for something that comes often, at most for some time, without a timer for each wait.

The problem: each price wakes two tasks that wait for it no longer than so many seconds. A timer
that is made for a wait and taken back a millisecond later costs more than the wait. So there is one
timer for all waits: it looks when it is due, and goes on to the deadline of whoever waits then.
"""

from __future__ import annotations

import asyncio


class Bell:
    """One waits, anybody rings. A ring while nobody waits is lost: look before waiting."""

    __slots__ = ("_timer", "_until_s", "_waiting")

    def __init__(self) -> None:
        self._waiting: asyncio.Future[None] | None = None
        self._until_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def ring(self) -> None:
        """End the wait. In the loop."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Wait for a ring, at most so long."""
        loop = asyncio.get_running_loop()
        self._until_s = until_s = loop.time() + seconds
        timer = self._timer
        if timer is not None and timer.when() > until_s:
            timer.cancel()
            timer = None
        if timer is None:
            self._timer = loop.call_at(until_s, self._look)
        self._waiting = loop.create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _look(self) -> None:
        """The timer is due, for this wait or for one before it."""
        self._timer = None
        if self._waiting is None:
            return
        loop = self._waiting.get_loop()
        if loop.time() >= self._until_s:
            self.ring()
        else:
            self._timer = loop.call_at(self._until_s, self._look)
