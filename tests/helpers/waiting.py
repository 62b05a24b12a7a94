"""Waiting in tests: for a condition, never for a time, and never for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from logos.venues.contract import Unavailable

T = TypeVar("T")

PATIENCE_S: Final = 30.0
"""Far beyond what a busy machine needs, and below the time limit of a test."""

_PAUSE_S: Final = 0.002


async def until(
    condition: Callable[[], bool],
    waited_for: str,
    background: asyncio.Task[Any] | None = None,
    meanwhile: Callable[[], Awaitable[object]] | None = None,
) -> None:
    """Let the event loop run until `condition` holds, and do `meanwhile` each time it did not.

    Raises AssertionError naming `waited_for` after `PATIENCE_S`, and what `background` raised, or
    AssertionError if it returned, as soon as that task has ended.
    """
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        if background is not None and background.done():
            background.result()
            raise AssertionError(f"the background task ended before: {waited_for}")
        assert time.monotonic() < deadline_s, f"waited {PATIENCE_S:g} s in vain: {waited_for}"
        await asyncio.sleep(_PAUSE_S)
        if meanwhile is not None:
            await meanwhile()


async def until_answered(ask: Callable[[], Awaitable[T]], waited_for: str) -> T:
    """Ask again for as long as the venue is `Unavailable`; raises like `until`."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await ask()
        except Unavailable:
            assert time.monotonic() < deadline_s, f"waited {PATIENCE_S:g} s in vain: {waited_for}"
            await asyncio.sleep(_PAUSE_S)


def wait_until(
    condition: Callable[[], bool], waited_for: str, patience_s: float = PATIENCE_S
) -> None:
    """The same without an event loop, for what another thread or process does."""
    deadline_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline_s, f"waited {patience_s:g} s in vain: {waited_for}"
        time.sleep(_PAUSE_S)
