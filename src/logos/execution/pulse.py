"""Whether a thread beside the session still moves: what a heartbeat is to the session.

A thread counts its rounds. Whoever depends on it asks now and then: a thread that has ended, or has
made no round for `SILENCE_S` of the asker's own time, is a problem. Time in which the asker did not
ask (a long computation, a process that was suspended) counts as `CREDIT_S` at most, so that a
machine that wakes up finds no fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

SILENCE_S: Final = 0.6
"""Asked at least every `CREDIT_S`, a thread that hangs is found within a second."""
CREDIT_S: Final = 0.2


class Pulse:
    """Whether a thread still moves, for those who depend on it."""

    def __init__(self, name: str, beats: Callable[[], int], silence_s: float = SILENCE_S) -> None:
        """`beats` grows while the thread moves."""
        self._name = name
        self._beats = beats
        self._silence_s = silence_s
        self._seen = -1
        self._silent_s = 0.0
        self._asked_s = 0.0

    def problem(self, is_alive: bool, now_s: float) -> str:
        """What is wrong with the thread, in words; "" while all is well. `now_s` is monotonic."""
        if not is_alive:
            return f"the thread {self._name} has ended"
        beats = self._beats()
        if beats != self._seen:
            self._seen = beats
            self._silent_s = 0.0
        else:
            self._silent_s += min(now_s - self._asked_s, CREDIT_S)
        self._asked_s = now_s
        if self._silent_s < self._silence_s:
            return ""
        return f"the thread {self._name} has been silent for {self._silent_s:.1f} s"
