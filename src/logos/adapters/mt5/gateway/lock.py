"""One lock, many symbols: they share its time, and none is crowded out.

The problem is a symbol with a hundred requests waiting, beside one with a single request; or a
symbol whose requests each hold the lock until they time out. Here each symbol has a queue of its
own, and the next one served is the waiting symbol that has used the least time. Where requests
take equally long that is turn by turn. A symbol whose request took a second waits until each of
the others that want it has had a second too. Who comes back after a pause starts level with the
symbol that is being served: time cannot be saved up. The queues are bounded.

Whoever wants something served puts it in, in any thread; one thread takes it out and serves it, and
has the lock from `take` to `release`.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

from logos.errors import LogosError

Item = TypeVar("Item")


class QueueFullError(LogosError):
    """A symbol has as many requests waiting as it may have."""


class FairQueue(Generic[Item]):
    """What waits to be served; `waiting_max` requests of each symbol may wait."""

    def __init__(self, waiting_max: int) -> None:
        if waiting_max < 1:
            raise ValueError(f"at least one request must be able to wait, not {waiting_max}")
        self._waiting_max = waiting_max
        self._mutex = threading.Lock()
        # Only symbols with somebody waiting are in it, in the order of their turns.
        self._queues: dict[str, deque[Item]] = {}
        self._used: dict[str, int] = {}
        """Time used by each symbol that is ahead of `_level`; all others are level with it."""
        self._level = 0
        self._holder = ""
        self._is_held = False
        self.waiting_peak = 0
        """The most requests that ever waited for one symbol."""

    @property
    def is_held(self) -> bool:
        """Whether something is being served."""
        return self._is_held

    @property
    def has_any(self) -> bool:
        """Whether anything waits."""
        return bool(self._queues)

    def waiting(self, symbol: str) -> int:
        """How many requests of `symbol` wait."""
        return len(self._queues.get(symbol, ()))

    def put(self, symbol: str, item: Item) -> None:
        """Wait for a turn of `symbol`. Raises QueueFullError at once."""
        with self._mutex:
            queue = self._queues.get(symbol)
            if queue is None:
                queue = self._queues[symbol] = deque()
            if len(queue) >= self._waiting_max:
                words = f"{len(queue)} requests of {symbol or 'no symbol'} wait already"
                raise QueueFullError(words)
            queue.append(item)
            self.waiting_peak = max(self.waiting_peak, len(queue))

    def drop(self, symbol: str, item: Item) -> bool:
        """Wait no more; whether it did."""
        with self._mutex:
            queue = self._queues.get(symbol)
            if queue is None or item not in queue:
                return False
            queue.remove(item)
            if not queue:
                del self._queues[symbol]
            return True

    def take(self) -> Item | None:
        """Whose turn it is, who has the lock from here on; None when nobody waits."""
        with self._mutex:
            if self._is_held:
                raise RuntimeError("the lock is held already")
            if not self._queues:
                return None
            # Among equals the one whose turn is longest ago: the first in the order.
            symbol = min(self._queues, key=self._used_by)
            queue = self._queues.pop(symbol)
            item = queue.popleft()
            if queue:
                self._queues[symbol] = queue
            self._is_held = True
            self._holder = symbol
            self._level = self._used_by(symbol)
            # Whoever is not ahead of the level is level with it, and need not be remembered.
            if len(self._used) > 2 * len(self._queues) + 16:
                ahead = self._used.items()
                self._used = {name: used for name, used in ahead if used > self._level}
            return item

    def release(self, used: int) -> None:
        """Give the lock up after `used` (any unit of time)."""
        with self._mutex:
            if not self._is_held:
                raise RuntimeError("the lock was released, and nobody had it")
            self._is_held = False
            self._used[self._holder] = self._used_by(self._holder) + used

    def clear(self) -> list[Item]:
        """Everything that waits, which waits no more."""
        with self._mutex:
            left = [item for queue in self._queues.values() for item in queue]
            self._queues.clear()
            return left

    def _used_by(self, symbol: str) -> int:
        return max(self._level, self._used.get(symbol, 0))
