"""What a task awaits of the inbox.

These functions stand beside the inbox because it is compiled and they must not be. With the loop
that awaits them compiled (mypyc 2.4), the second live session of a process raised the exception of
the first again; as far as it was followed, of a coroutine that awaits while an exception passes
through its `finally`.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from logos.core.messages import Event

Taken = tuple[list[Event], list[int]]
"""Events in order, and when each arrived, `perf_counter_ns`."""


class Waits(Protocol):
    """What is waited for; see `logos.execution.incoming.inbox.Inbox`."""

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to take."""

    @property
    def room_wanted(self) -> asyncio.Event | None:
        """What to wait for while there is no room; None: there is some."""

    def expect(self, waiter: asyncio.Future[None] | None) -> None:
        """Have this woken when there is something to take; None: nobody waits any more."""

    def take_now(self) -> Taken:
        """All that waits."""


async def wait_and_take(inbox: Waits) -> Taken:
    """All that waits; waits for the first."""
    if inbox.is_idle:
        waiter = asyncio.get_running_loop().create_future()
        inbox.expect(waiter)
        try:
            await waiter
        finally:
            inbox.expect(None)
    return inbox.take_now()


async def wait_for_room(inbox: Waits) -> None:
    """Return once there is room for market data."""
    while (room := inbox.room_wanted) is not None:
        await room.wait()
