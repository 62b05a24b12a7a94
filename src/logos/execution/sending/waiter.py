"""One that waits for its turn in the queue before a venue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from logos.venues.budget import RequestKind


@dataclass(slots=True, eq=False)
class Waiter:
    """Since when it waits, until when it may leave (None: at any time), and its turn."""

    kind: RequestKind
    since_ns: int
    may_leave: Callable[[], bool]
    until_ns: int | None
    turn: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
