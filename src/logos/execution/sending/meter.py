"""What is used of one pool of a venue's budget, in whole nanoseconds.

Problem: sums of decimal fractions drift, and a queue that waits for a moment which never quite
comes waits for ever. Method: what is used of a pool is kept as the moment at which all of it has
come back. A request moves that moment on by the time in which its cost comes back.
"""

from __future__ import annotations

from typing import Final

from logos.core.types import NS_PER_SECOND
from logos.venues.budget import Pool, RequestKind

_QUESTIONS_LEAVE: Final = 2
"""Questions leave one part in so many of a pool to orders and cancels, where there may be any."""


def rank_of(kind: RequestKind) -> int:
    """Who goes first: 0 (cancels) before 1 (orders) before 2 (questions)."""
    if kind is RequestKind.CANCEL:
        return 0
    return 1 if kind is RequestKind.ORDER else 2


class Meter:
    """What is used of one pool."""

    def __init__(self, pool: Pool, before: Meter | None = None) -> None:
        """`before` is what the pool was until now, where the venue has changed its terms."""
        self.name = pool.name
        self._per_s = pool.per_s
        self._size_ns = self._ns(pool.size)
        self._cost_ns = {kind: self._ns(pool.cost_of(kind)) for kind in RequestKind}
        self.free_ns: int = 0 if before is None else before.free_ns
        """When nothing of it is used any more."""
        self._change_ns = max(self._cost_ns[RequestKind.CANCEL], self._cost_ns[RequestKind.ORDER])

    def _ns(self, units: float) -> int:
        return round(units * NS_PER_SECOND / self._per_s)

    def cost_ns(self, kind: RequestKind) -> int:
        """The time in which what one request takes comes back; 0: it takes nothing here."""
        return self._cost_ns[kind]

    def wait_ns(self, kind: RequestKind, now_ns: int, may_need: int = 0, ahead_ns: int = 0) -> int:
        """How long until there is room for one more, after others that take `ahead_ns`. So many
        orders and cancels may have to leave meanwhile: questions leave room for them."""
        cost_ns = self._cost_ns[kind]
        if not cost_ns:
            return 0
        used_ns = max(self.free_ns - now_ns, 0) + ahead_ns
        # One that takes more than there ever is goes when nothing is used.
        limit_ns = max(self._size_ns - self._left_ns(kind, may_need), cost_ns)
        return max(used_ns + cost_ns - limit_ns, 0)

    def _left_ns(self, kind: RequestKind, may_need: int) -> int:
        """What a request of that kind leaves of the pool."""
        if kind is RequestKind.CANCEL:
            return 0
        if kind is RequestKind.ORDER:
            return self._cost_ns[RequestKind.CANCEL]
        return min(self._size_ns // _QUESTIONS_LEAVE, may_need * self._change_ns)

    def take(self, kind: RequestKind, now_ns: int) -> None:
        """Count one request, whether there is room or not."""
        self.free_ns = max(self.free_ns, now_ns) + self._cost_ns[kind]

    def give_back(self, kind: RequestKind) -> None:
        """One that was counted is not made."""
        self.free_ns -= self._cost_ns[kind]

    def adopt(self, free_ns: int | None, now_ns: int) -> None:
        """Count what others count as well: so much is used until then; None: all of it is. A clock
        that was set back makes nobody wait for longer than all of it takes."""
        latest_ns = now_ns + self._size_ns
        self.free_ns = latest_ns if free_ns is None else min(free_ns, latest_ns + self._size_ns)

    def hear(self, left: float, heard_ns: int) -> None:
        """The venue said then that so much is left: it counts where it is less than we think."""
        self.free_ns = max(self.free_ns, heard_ns + self._size_ns - self._ns(max(left, 0.0)))
