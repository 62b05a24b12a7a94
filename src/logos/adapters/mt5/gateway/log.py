"""What a gateway tells of itself: records for its log, and counts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from logos.core.clock import Clock

Log = Callable[[Mapping[str, object]], None]
"""Takes one record of JSON values at a time."""


class GatewayStats:
    """What happened so far; times are nanoseconds. The loop and the gateway's thread count."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self.answered = 0
        self.lost = 0
        self.strays = 0
        """Answers that came too late or twice and were dropped."""
        self.hold_ns_max = 0
        self.wait_ns_max = 0
        """These two are the thread's alone."""

    def add(self, *, answered: int = 0, lost: int = 0, strays: int = 0) -> None:
        """Count so many more."""
        with self._mutex:
            self.answered += answered
            self.lost += lost
            self.strays += strays


class Records:
    """Writes a gateway's log, for the loop and the gateway's thread: its times never go back."""

    def __init__(self, clock: Clock, log: Log, flush: Callable[[], None]) -> None:
        """`log` may keep records until `flush` writes them in one piece."""
        self._clock = clock
        self._log = log
        self._flush = flush
        self._mutex = threading.Lock()

    def say(self, action: str, **values: object) -> None:
        """One record, of now."""
        with self._mutex:
            self._log({"ts_ns": self._clock.now_ns(), "action": action, **values})

    def flush(self) -> None:
        """Have the system take what was said: a killed process must have said what it sent."""
        with self._mutex:
            self._flush()
