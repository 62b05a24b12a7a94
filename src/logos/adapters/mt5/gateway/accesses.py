"""Each access to the terminal, in pairs in the gateway's log: the lock taken, the lock let go.

One record says which symbol took the lock, for which request (`kind` and `token`), as which of the
symbol's accesses (`access#N`, counted by symbol from 1 in each process) and after what wait; one
says how long it was held and what came of the request. `grep` and `awk` on the one file find who
held the lock when, and whether anything was lost. The first is with the system before the request
leaves, the second with the next write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Final

from logos.adapters.mt5.gateway.log import GatewayStats, Records
from logos.adapters.mt5.gateway.wire import Question

WHOLE_ACCOUNT: Final = "*"
"""What the log calls the symbol of a question about the whole account."""


class Accesses:
    """The records of the lock of one gateway, whose thread alone uses it."""

    def __init__(
        self, release: Callable[[int], None], stats: GatewayStats, records: Records
    ) -> None:
        """`release` lets go of the lock, after so many nanoseconds."""
        self._release = release
        self._stats = stats
        self._records = records
        self._lock_id = 0
        self._counts: Counter[str] = Counter()

    @contextmanager
    def access(self, symbol: str, question: Question, queued_ns: int) -> Iterator[None]:
        """The lock was taken for `question`, of `symbol` (empty: the whole account), which waited
        since `queued_ns` (`perf_counter_ns`); it is let go at the end."""
        self._lock_id += 1
        name = symbol or WHOLE_ACCOUNT
        self._counts[name] += 1
        which = {
            "symbol": name,
            "lock_id": self._lock_id,
            "access": f"access#{self._counts[name]}",
        }
        acquired_ns = perf_counter_ns()
        wait_ns = acquired_ns - queued_ns
        self._stats.wait_ns_max = max(self._stats.wait_ns_max, wait_ns)
        try:
            request = {"kind": question.kind, "token": question.token}
            self._records.say("ZMQ_LOCK_ACQUIRE", **which, **request, wait_ns=wait_ns)
            yield
        finally:
            hold_ns = perf_counter_ns() - acquired_ns
            self._stats.hold_ns_max = max(self._stats.hold_ns_max, hold_ns)
            try:
                came = {"outcome": question.outcome.value}
                if question.rid:
                    came["rid"] = question.rid
                self._records.say("ZMQ_LOCK_RELEASE", **which, **came, hold_ns=hold_ns)
            finally:
                self._release(hold_ns)
