"""Lets a command run until SIGTERM or SIGINT, and end in order then.

A signal's handler runs in the main thread between any two of its steps, so it may set no
`threading.Event`: the step that it interrupts may hold the lock of that event, and nobody would
ever let go of it. A SimpleQueue may be put into from anywhere.
"""

from __future__ import annotations

import signal
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final, Self

_ENDING: Final = (signal.SIGTERM, signal.SIGINT)


class UntilSignal:
    """Whether a signal to end has come since the beginning of a `with`. For the main thread."""

    def __init__(self) -> None:
        self._has_come = False
        self._wakes: SimpleQueue[None] = SimpleQueue()
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for each in _ENDING:
            self._before[each] = signal.signal(each, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def is_set(self) -> bool:
        """Whether one has come."""
        return self._has_come

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until one comes, but no more than `timeout` seconds; whether one has come."""
        if not self._has_come:
            with suppress(Empty):
                self._wakes.get(timeout=timeout)
        return self._has_come

    def _hear(self, *_: object) -> None:
        self._has_come = True
        self._wakes.put(None)
