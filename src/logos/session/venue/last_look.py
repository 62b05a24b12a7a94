"""Holdings are compared at every end of a live session, however it came to it.

Problem: what differs after the last comparison of the timer is found by nobody: the session has
ended, and the next one takes what there is for its beginning. Method: before a session ends, stops
or fails, the venue and the books are compared once more, within a time. What differs goes the road
of every difference: through the inbox, on record, to the kill switch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from logos.core.clock import Clock
from logos.core.types import NS_PER_SECOND
from logos.session.outcome import AGREED
from logos.venues.contract import VenueError


class LastLook:
    """One comparison at the end of one session."""

    def __init__(
        self,
        compare: Callable[[], Awaitable[Sequence[str]]],
        clock: Clock,
        wake: Callable[[], object],
        tell: Callable[[str], object],
        limit_s: float,
    ) -> None:
        """`compare` raises VenueError when the venue cannot be asked; `wake` lets the loop turn."""
        self._compare = compare
        self._clock = clock
        self._wake = wake
        self._tell = tell
        self._limit_s = limit_s
        self._until_ns = 0
        self._task: asyncio.Task[None] | None = None
        self._is_heard = False
        self.outcome = "not made"
        """What came of it, in words."""

    def is_over(self) -> bool:
        """Whether the session may end now; begins the comparison when it is first asked.

        True only after the loop has turned once more: what was found is in the books then.
        """
        if self._task is None:
            self._until_ns = self._clock.now_ns() + round(self._limit_s * NS_PER_SECOND)
            self._task = asyncio.get_running_loop().create_task(self._look())
            return False
        if not self._task.done():
            if self._clock.now_ns() < self._until_ns:
                return False
            self._say(f"not finished within {self._limit_s:g} s")
            self._task.cancel()
            return True
        if not self._is_heard:
            self._is_heard = True
            self._wake()
            return False
        return True

    async def _look(self) -> None:
        try:
            found = await self._compare()
            self.outcome = "; ".join(found) or AGREED
        except VenueError as error:
            self._say(f"not made: {error}")
        finally:
            self._wake()

    def _say(self, outcome: str) -> None:
        self.outcome = outcome
        self._tell(f"reconciliation: the comparison at the end of the session was {outcome}")

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
