"""One question that several ask: made once, and given up when nobody waits for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


class Shared(Generic[Answer]):
    """The answer to `work`, for everybody who calls `answer`. Its task begins in the next step."""

    def __init__(self, work: Coroutine[Any, Any, Answer]) -> None:
        self._task = asyncio.get_running_loop().create_task(work)
        self._askers = 0

    @property
    def is_over(self) -> bool:
        """Whether it has failed or was given up: there is nothing to join."""
        task = self._task
        return task.done() and (task.cancelled() or task.exception() is not None)

    @property
    def has_askers(self) -> bool:
        """Whether anybody waits for the answer."""
        return self._askers > 0

    async def answer(self) -> Answer:
        """The answer, perhaps there already; raises what the work does. Whoever is cancelled here
        takes nobody along."""
        self._askers += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._askers -= 1
            if not self._askers:
                self._task.cancel()
