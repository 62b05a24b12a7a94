"""Work that waits for the disk, in threads of its own that nobody waits for at the end.

A pool of the standard library is joined when Python ends, and one read of a slow disk would hold up
Ctrl-C. These threads are daemons: what they do is reading alone.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Background:
    """Runs functions in threads, a bounded number at a time."""

    def __init__(self, threads_max: int) -> None:
        self._free = asyncio.Semaphore(threads_max)

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `work` returns or raises. Who is cancelled meanwhile does not wait for it."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[R] = loop.create_future()

        def finish(result: R | None, error: BaseException | None) -> None:
            self._free.release()
            if done.cancelled():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]

        def in_thread() -> None:
            result: R | None = None
            problem: BaseException | None = None
            try:
                result = work(*args, **kwargs)
            except BaseException as error:
                problem = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(finish, result, problem)

        await self._free.acquire()
        threading.Thread(target=in_thread, daemon=True, name="dashboard").start()
        return await done
