"""Keeps Python's collector of cycles from holding up a session, live or at speed.

Nearly all that a session drops is freed at once, by counting references; the collector looks for
what only cycles keep alive, and everything stands still while it does. What it looks through grows
with what was loaded and with what a strategy keeps: tens of milliseconds for a whole look. So here

- what is there when the session goes live, and whatever outlives two looks afterwards, is set aside
  (`gc.freeze`): no look passes through it again, so none is longer than what is new deserves;
- what is new is looked through after `_THRESHOLDS`, and at a heartbeat that finds nothing waiting
  (a session on recorded data has a heartbeat at each of its batches, and is never waiting);
- a cycle that was set aside and dropped later stays until there is a whole look, which comes at the
  first heartbeat that finds twice as much allocated as after the last. That one may be long; memory
  that nothing else frees is never more than what was in use.

How long each look took is counted with the rest that a live run measures. All of it is undone when
the session ends. Python sets aside everything or nothing, and takes back everything: where the
process had set things aside before (a server does that before it forks), nothing more is, and
looks may be as long as what was not.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

from logos.execution.latency import LatencyHistogram

_THRESHOLDS: Final = (700, 1, 10)
"""New objects before a look at them (CPython's own number), and such looks before one at their
survivors: 2,000 objects at most, a fraction of a millisecond."""
_GROWTH: Final = 2
_LOOK_EVERY: Final = 60
"""Heartbeats between two counts of what is allocated: each takes a tenth of a millisecond."""


class Collector:
    """The collector's manners for one session. Use it in a `with`."""

    _in_charge: Collector | None = None
    """Who has changed the process's settings: the first of several sessions in one process."""

    def __init__(self, allocated: Callable[[], int] = sys.getallocatedblocks) -> None:
        """`allocated` counts what the process holds."""
        self.pauses = LatencyHistogram()
        """How long each look took, nanoseconds."""
        self._allocated = allocated
        self._whole_at = 0
        self._beats = 0
        self._began_ns = 0
        self._thresholds: tuple[int, int, int] = (0, 0, 0)
        self._sets_aside = False

    def __enter__(self) -> Self:
        if Collector._in_charge is None:
            Collector._in_charge = self
            self._sets_aside = not gc.get_freeze_count()
            if self._sets_aside:
                gc.freeze()
            self._whole_at = _GROWTH * self._allocated()
            self._thresholds = gc.get_threshold()
            gc.set_threshold(*_THRESHOLDS)
        gc.callbacks.append(self._see)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        gc.callbacks.remove(self._see)
        if Collector._in_charge is self:
            Collector._in_charge = None
            gc.set_threshold(*self._thresholds)
            if self._sets_aside:
                gc.unfreeze()

    def beat(self, is_quiet: bool) -> None:
        """A heartbeat; `is_quiet`: nothing waits, so look now and not when something comes."""
        if Collector._in_charge is not self:
            return
        self._beats += 1
        if self._beats % _LOOK_EVERY == 0 and self._allocated() >= self._whole_at:
            if self._sets_aside:
                gc.unfreeze()
            gc.collect()
            self._whole_at = _GROWTH * self._allocated()
        elif is_quiet:
            gc.collect(1)

    def _see(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._began_ns = time.perf_counter_ns()
            return
        self.pauses.add(time.perf_counter_ns() - self._began_ns)
        if info["generation"] and self._sets_aside and Collector._in_charge is self:
            gc.freeze()
