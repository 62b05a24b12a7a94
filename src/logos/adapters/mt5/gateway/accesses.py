"""Each access to the terminal, in pairs in the gateway's log: the lock taken, the lock let go.

One record says which symbol took the lock, for which request (`kind` and `token`), as which of the
symbol's accesses (`access#N`, counted by symbol from 1 in each process) and after what wait; one
says how long it was held and what came of the request. `grep` and `awk` on the one file find who
held the lock when, and whether anything was lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import perf_counter_ns
from typing import Final

from logos.adapters.mt5.gateway.lock import FairLock
from logos.adapters.mt5.gateway.log import GatewayStats
from logos.adapters.mt5.gateway.wire import Question

WHOLE_ACCOUNT: Final = "*"
"""What the log calls the symbol of a question about the whole account."""

Say = Callable[..., None]


class Accesses:
    """The lock of a gateway, and the records of its use."""

    def __init__(self, lock: FairLock, stats: GatewayStats, say: Say) -> None:
        self._lock = lock
        self._stats = stats
        self._say = say
        self._lock_id = 0
        self._counts: Counter[str] = Counter()

    @asynccontextmanager
    async def access(self, symbol: str, question: Question) -> AsyncIterator[None]:
        """Hold the lock for `question`, in the turn of `symbol` (empty: the whole account).

        Raises QueueFullError when too many requests of the symbol wait already.
        """
        started_ns = perf_counter_ns()
        await self._lock.acquire(symbol)
        self._lock_id += 1
        name = symbol or WHOLE_ACCOUNT
        self._counts[name] += 1
        which = {
            "symbol": name,
            "lock_id": self._lock_id,
            "access": f"access#{self._counts[name]}",
        }
        acquired_ns = perf_counter_ns()
        wait_ns = acquired_ns - started_ns
        self._stats.wait_ns_max = max(self._stats.wait_ns_max, wait_ns)
        try:
            request = {"kind": question.kind, "token": question.token}
            self._say("ZMQ_LOCK_ACQUIRE", **which, **request, wait_ns=wait_ns)
            yield
        finally:
            hold_ns = perf_counter_ns() - acquired_ns
            self._stats.hold_ns_max = max(self._stats.hold_ns_max, hold_ns)
            try:
                came = {"outcome": question.outcome.value}
                if question.rid:
                    came["rid"] = question.rid
                self._say("ZMQ_LOCK_RELEASE", **which, **came, hold_ns=hold_ns)
            finally:
                self._lock.release(hold_ns)
