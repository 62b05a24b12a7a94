"""A request on its way through the gateway, and what its thread tells the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any

from logos.adapters.mt5.gateway.door import Leaving
from logos.adapters.mt5.gateway.wire import Question, Reply


@dataclass(slots=True, eq=False)
class Job:
    """One request; its `future` belongs to the loop, everything else to the thread serving it."""

    symbol: str
    question: Question
    leaving: Leaving | None
    future: asyncio.Future[Reply]
    queued_ns: int = field(default_factory=perf_counter_ns)
    confirmed_ns: int = 0
    """When it is known to have been read, where its answer is awaited without the lock."""
    is_given_up: bool = False
    """Whether nobody waits for it any more. Set by the loop."""

    def finish(self, reply: Reply) -> None:
        """It was answered. In the loop."""
        if not self.future.done():
            self.future.set_result(reply)

    def fail(self, error: Exception) -> None:
        """It was not. In the loop."""
        if not self.future.done():
            self.future.set_exception(error)


class Posts:
    """Calls that a thread wants made in the loop, in its order: one wake-up for all that wait."""

    def __init__(self, on_error: Callable[[BaseException], None]) -> None:
        """`on_error` hears of a call that raised, in the loop. Make it in the loop."""
        self._loop = asyncio.get_running_loop()
        self._on_error = on_error
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._is_called = False

    def __call__(self, function: Callable[..., object], *values: Any) -> None:
        """Have `function` called in the loop, soon."""
        self._calls.append((function, values))
        if not self._is_called:
            self._is_called = True
            self._loop.call_soon_threadsafe(self._call_all)

    def _call_all(self) -> None:
        self._is_called = False  # what is added from here on calls again
        calls = self._calls
        while calls:
            function, values = calls.popleft()
            try:
                function(*values)
            except Exception as error:
                self._on_error(error)
