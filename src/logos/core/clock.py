"""What the live parts need of time: one object to ask, and one way to wait.

The core itself knows no clock. Feeds, venues and the live engine are given one, so that a test can
move time by hand and a replay needs none.
"""

from __future__ import annotations

from random import Random
from typing import Final, Protocol

_CAP_S: Final = 60.0


class Clock(Protocol):
    """Wall time that never runs backwards, and a way to wait for it."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC; never less than the last answer."""

    async def sleep(self, seconds: float) -> None:
        """Return once this much time has passed."""


class Backoff:
    """How long to wait before trying again: twice as long each time, up to a cap, with jitter.

    The jitter (from half of the wait to all of it) comes from the session's seeded generator, so
    that a hundred clients do not come back at the same instant and a test knows when they do.
    """

    def __init__(self, random: Random, first_s: float = 0.5, cap_s: float = _CAP_S) -> None:
        self._random = random
        self._first_s = first_s
        self._cap_s = cap_s
        self.failures = 0
        """Failures in a row."""

    def next_s(self) -> float:
        """Count one failure; the seconds to wait before the next try."""
        # Beyond 32 doublings the cap has long been reached, whatever the first wait was.
        wait_s = min(self._cap_s, self._first_s * float(1 << min(self.failures, 32)))
        self.failures += 1
        return wait_s * (0.5 + self._random.random() / 2)

    def reset(self) -> None:
        """It worked: the next failure is the first again."""
        self.failures = 0
