"""A thread that sees when the event loop is blocked: nothing inside the loop could.

A strategy that computes for a minute, a disk that does not answer, a process that was suspended:
meanwhile no event is seen and no order leaves, so nothing is to be stopped; but somebody should
know, and it should be on record.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from logos.execution.pulse import Pulse

_LOOK_INTERVAL_S: Final = 0.1


class StallWatch:
    """Watches a counter that grows while the event loop runs. Use it in a `with`."""

    def __init__(
        self,
        beats: Callable[[], int],
        limit_s: float,
        tell: Callable[[str], object],
    ) -> None:
        """A counter that has not moved for `limit_s` is a stall, which `tell` hears of once."""
        self._beats = beats
        self._limit_s = limit_s
        self._tell = tell
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stall watch", daemon=True)
        self._seen = -1
        self._moved_s = 0.0
        self._is_told = False
        self._looks = 0
        self._pulse = Pulse("that watches the event loop", lambda: self._looks)
        self.stalls = 0
        self.longest_s = 0.0

    def __enter__(self) -> StallWatch:
        self.look(time.monotonic())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def look(self, now_s: float) -> None:
        """Compare the counter with what it was; `now_s` is a monotonic time in seconds."""
        beats = self._beats()
        if beats != self._seen:
            if self._is_told:
                self._tell(f"event loop resumed after {now_s - self._moved_s:.1f} s")
            self._seen = beats
            self._moved_s = now_s
            self._is_told = False
            return
        still_s = now_s - self._moved_s
        self.longest_s = max(self.longest_s, still_s if still_s >= self._limit_s else 0.0)
        if still_s >= self._limit_s and not self._is_told:
            self._is_told = True
            self.stalls += 1
            self._tell(
                f"event loop blocked for {still_s:.1f} s: no event is handled and no order leaves "
                "until the strategy, the disk or the machine lets it continue"
            )

    def problem(self) -> str:
        """What is wrong with the watching thread, in words; "" while all is well."""
        return self._pulse.problem(self._thread.is_alive(), time.monotonic())

    def _run(self) -> None:
        while not self._done.wait(min(self._limit_s / 4, _LOOK_INTERVAL_S)):
            self.look(time.monotonic())
            self._looks += 1
