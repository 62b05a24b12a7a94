"""One lock, many symbols: who waits longest in turn, and none is crowded out.

The problem is a symbol with a hundred requests waiting, beside one with a single request. With one
queue the single request waits for all hundred. Here each symbol has a queue of its own and the
symbols take turns: a request waits for at most one request of each other symbol for every request
of its own symbol that is ahead of it. The queues are bounded.
"""

from __future__ import annotations

import asyncio
from collections import deque


class QueueFullError(Exception):
    """A symbol has as many requests waiting as it may have."""


class FairLock:
    """A lock for one event loop; `waiting_max` requests of each symbol may wait for it."""

    def __init__(self, waiting_max: int) -> None:
        if waiting_max < 1:
            raise ValueError(f"at least one request must be able to wait, not {waiting_max}")
        self._waiting_max = waiting_max
        # Only symbols with somebody waiting are in it, in the order of their turns.
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}
        self._is_held = False
        self.waiting_peak = 0
        """The most requests that ever waited for one symbol."""

    @property
    def is_held(self) -> bool:
        """Whether somebody has it."""
        return self._is_held

    def waiting(self, symbol: str) -> int:
        """How many requests of `symbol` wait."""
        return len(self._queues.get(symbol, ()))

    async def acquire(self, symbol: str) -> None:
        """Return once it is this request's turn. Raises QueueFullError at once, without waiting."""
        if not self._is_held:
            self._is_held = True
            return
        queue = self._queues.get(symbol)
        if queue is None:
            queue = self._queues[symbol] = deque()
        if len(queue) >= self._waiting_max:
            raise QueueFullError(f"{len(queue)} requests of {symbol or 'no symbol'} wait already")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        self.waiting_peak = max(self.waiting_peak, len(queue))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # The lock was handed over in the moment of the cancel: pass it on.
                self.release()
            elif turn in queue:
                queue.remove(turn)
                if not queue:
                    self._queues.pop(symbol, None)
            raise

    def release(self) -> None:
        """Hand the lock to the next symbol's first request, or put it down."""
        if not self._is_held:
            raise RuntimeError("the lock was released, and nobody had it")
        while self._queues:
            symbol, queue = next(iter(self._queues.items()))
            turn = queue.popleft()
            del self._queues[symbol]
            if queue:
                self._queues[symbol] = queue
            if not turn.done():
                turn.set_result(None)
                return
        self._is_held = False
