"""What a person is told of the connection to a target: that it is away, why, and that it is back.

A client library says the same thing in many words and many times a second while brokers are away.
Each kind of problem is therefore told once, and "connected" once when it is over. A connection that
comes and goes says nothing new until it has been well for a while; one that stays away after that
is told again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

WELL_S: Final = 60.0
"""After so long without a problem, the next one is news again."""
AWAY_S: Final = 10.0
"""A problem that was told before is told again when it lasts so long."""
_KINDS_MAX: Final = 8
"""Of problems that are told before it is well again."""
_FIGURES: Final = re.compile(r"\d+")


class Notices:
    """Tells of one target. `tell` hears a line each, `clock` is in seconds and never goes back."""

    def __init__(
        self,
        name: str,
        tell: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._tell = tell
        self._clock = clock
        self._kinds: set[str] = set()
        self._is_told_away = False
        self._away_since_s: float | None = None
        self._well_since_s: float | None = None

    def see(self, problem: str) -> None:
        """Take note of how it stands now; `problem` is empty when all is well."""
        now_s = self._clock()
        if problem:
            self._see_problem(problem, now_s)
            return
        self._away_since_s = None
        if self._is_told_away:
            self._is_told_away = False
            self._tell(f"{self._name}: connected")
        if self._well_since_s is None:
            self._well_since_s = now_s
        elif now_s - self._well_since_s >= WELL_S:
            self._kinds.clear()

    def _see_problem(self, problem: str, now_s: float) -> None:
        self._well_since_s = None
        if self._away_since_s is None:
            self._away_since_s = now_s
        kind = _FIGURES.sub("#", problem)
        is_new = kind not in self._kinds and len(self._kinds) < _KINDS_MAX
        is_long = not self._is_told_away and now_s - self._away_since_s >= AWAY_S
        if is_new or is_long:
            self._kinds.add(kind)
            self._is_told_away = True
            self._tell(f"{self._name}: {problem}; nothing is lost by waiting")
