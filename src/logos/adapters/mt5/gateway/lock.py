"""One lock, many symbols: they share its time, and none is crowded out.

The problem is a symbol with a hundred requests waiting, beside one with a single request; or a
symbol whose requests each hold the lock until they time out. Here each symbol has a queue of its
own, and the next one served is the waiting symbol that has used the least time. Where requests
take equally long that is turn by turn. A symbol whose request took a second waits until each of
the others that want it has had a second too. Who comes back after a pause starts level with the
symbol that is being served: time cannot be saved up. The queues are bounded.
"""

from __future__ import annotations

import asyncio
from collections import deque

from logos.errors import LogosError


class QueueFullError(LogosError):
    """A symbol has as many requests waiting as it may have."""


class FairLock:
    """A lock for one event loop; `waiting_max` requests of each symbol may wait for it."""

    def __init__(self, waiting_max: int) -> None:
        if waiting_max < 1:
            raise ValueError(f"at least one request must be able to wait, not {waiting_max}")
        self._waiting_max = waiting_max
        # Only symbols with somebody waiting are in it, in the order of their turns.
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}
        self._used: dict[str, int] = {}
        """Time used by each symbol that is ahead of `_level`; all others are level with it."""
        self._level = 0
        self._holder = ""
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
            self._hold(symbol)
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
                self.release(0)
            elif turn in queue:
                queue.remove(turn)
                if not queue:
                    self._queues.pop(symbol, None)
            raise

    def release(self, used: int) -> None:
        """Give it up after `used` (any unit of time) to the waiting symbol that used the least."""
        if not self._is_held:
            raise RuntimeError("the lock was released, and nobody had it")
        self._is_held = False
        self._used[self._holder] = self._used_by(self._holder) + used
        while self._queues:
            # Among equals the one whose turn is longest ago: the first in the order.
            symbol = min(self._queues, key=self._used_by)
            queue = self._queues.pop(symbol)
            turn = queue.popleft()
            if queue:
                self._queues[symbol] = queue
            if not turn.done():
                self._hold(symbol)
                turn.set_result(None)
                return

    def _hold(self, symbol: str) -> None:
        self._is_held = True
        self._holder = symbol
        self._level = self._used_by(symbol)
        # Whoever is not ahead of the level is level with it, and need not be remembered.
        if len(self._used) > 2 * len(self._queues) + 16:
            ahead = self._used.items()
            self._used = {name: used for name, used in ahead if used > self._level}

    def _used_by(self, symbol: str) -> int:
        return max(self._level, self._used.get(symbol, 0))
