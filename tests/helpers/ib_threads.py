"""A simulated gateway in a thread of its own, for commands that have a loop of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from logos.simulators.ib import TwsGateway


@contextmanager
def gateway_in_thread(
    beat: Callable[[TwsGateway, int], None] | None = None, every_s: float = 0.02, **options: Any
) -> Iterator[TwsGateway]:
    """The gateway, listening. `beat` moves its market: called every so often with its count."""
    there, loop = TwsGateway(**options), asyncio.new_event_loop()
    serving = threading.Thread(target=loop.run_forever)
    serving.start()
    asyncio.run_coroutine_threadsafe(there.start(), loop).result(30)
    count = 0

    def again() -> None:
        nonlocal count
        assert beat is not None
        beat(there, count)
        count += 1
        loop.call_later(every_s, again)

    if beat is not None:
        loop.call_soon_threadsafe(again)
    try:
        yield there
    finally:
        asyncio.run_coroutine_threadsafe(there.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        serving.join(30)
        loop.close()
