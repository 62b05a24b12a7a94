"""An event loop for stories that have neither sockets, threads nor real timers: only tasks.

It does what asyncio's own does with what is ready, and nothing besides: it asks the system for no
events and no time. Where nothing is ready nobody will ever make anything ready, and that is said.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

Result = TypeVar("Result")


class _Ready:
    """One call that is to be made; as `asyncio.Handle`, without what only debugging needs."""

    __slots__ = ("call", "cancelled_", "context", "given")
    _source_traceback = None

    def __init__(
        self, call: Callable[..., object], given: tuple[Any, ...], context: Context | None
    ):
        self.call, self.given = call, given
        self.context = context
        self.cancelled_ = False

    def cancel(self) -> None:
        self.cancelled_ = True

    def cancelled(self) -> bool:
        return self.cancelled_


class StoryLoop(asyncio.BaseEventLoop):
    """Runs tasks; raises AssertionError where all of them wait and nothing can wake any."""

    _ready: Any

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> Any:
        self._check_closed()  # type: ignore[attr-defined]
        ready = _Ready(callback, args, context)
        self._ready.append(ready)
        return ready

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def time(self) -> float:
        """A story takes no time but its own clock's."""
        return 0.0

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> Any:
        """A call that never comes due; it can be cancelled."""
        assert when > 0
        return _Ready(callback, args, context)

    def _run_once(self) -> None:
        waiting = self._ready
        if not waiting:
            raise AssertionError("every task waits, and nothing can wake any")
        for _ in range(len(waiting)):
            each = waiting.popleft()
            if each.cancelled_:
                continue
            if each.context is None:
                each.call(*each.given)
            else:
                each.context.run(each.call, *each.given)

    def _process_events(self, _: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""


_COLLECTED_EVERY = 50
_played = 0


def run_story(story: Coroutine[Any, Any, Result]) -> Result:
    """As `asyncio.run`, in a loop of these."""
    global _played
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=StoryLoop) as runner:
            return runner.run(story)
    finally:
        _played += 1
        if _played % _COLLECTED_EVERY == 0:
            gc.collect()
        gc.enable()
