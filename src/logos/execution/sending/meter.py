"""What is used of one pool of a venue's budget, in whole nanoseconds.

Problem: sums of decimal fractions drift, and a queue that waits for a moment which never quite
comes waits for ever. Method: what is used of a pool is kept as the moment at which all of it has
come back. A request moves that moment on by the time in which its cost comes back.

The venue counts others as well: another program of the account, another account at this address.
Where it says how much is left until it counts anew, no more than that goes out before then.
"""

from __future__ import annotations

from typing import Final

from logos.core.types import NS_PER_SECOND
from logos.venues.budget import Allowance, Pool, RequestKind

_QUESTIONS_LEAVE: Final = 2
"""Questions leave one part in so many of a pool to orders and cancels, where there may be any."""
_SPARE: Final = 10
"""Of what the venue says is left, questions do not touch the last tenth of a pool which orders and
cancels need: others, who use it too, cannot be told to stop."""


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
        self.left_ns: int = 0 if before is None else before.left_ns
        """What may still go out until `until_ns`, by the venue's word; it may fall below 0."""
        self.until_ns: int = 0 if before is None else before.until_ns
        """When the venue counts anew; in the past where it said nothing."""
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
        kept_ns = self._kept_ns(kind, may_need)
        used_ns = max(self.free_ns - now_ns, 0) + ahead_ns
        # One that takes more than there ever is goes when nothing is used.
        limit_ns = max(self._size_ns - kept_ns, cost_ns)
        wait_ns = max(used_ns + cost_ns - limit_ns, 0)
        if kind.is_question and self._change_ns:
            kept_ns = max(kept_ns, self._size_ns // _SPARE)
        if now_ns < self.until_ns and cost_ns + ahead_ns + kept_ns > self.left_ns:
            wait_ns = max(wait_ns, self.until_ns - now_ns)
        return wait_ns

    def _kept_ns(self, kind: RequestKind, may_need: int) -> int:
        """What a request of that kind leaves of the pool."""
        if kind is RequestKind.CANCEL:
            return 0
        if kind is RequestKind.ORDER:
            return self._cost_ns[RequestKind.CANCEL]
        return min(self._size_ns // _QUESTIONS_LEAVE, may_need * self._change_ns)

    def take(self, kind: RequestKind, now_ns: int, times: int = 1) -> None:
        """Count one request, or so many, whether there is room or not."""
        self.free_ns = max(self.free_ns, now_ns) + times * self._cost_ns[kind]
        self.left_ns -= times * self._cost_ns[kind]

    def give_back(self, kind: RequestKind) -> None:
        """One that was counted is not made."""
        self.free_ns -= self._cost_ns[kind]
        self.left_ns += self._cost_ns[kind]

    def adopt(self, free_ns: int | None, now_ns: int, said: tuple[int, int] = (0, 0)) -> None:
        """Count what others count as well: so much is used until then; None: all of it is. `said`
        is what the venue said to any of them, `left_ns` and `until_ns`. A clock that was set back
        makes nobody wait for longer than all of it takes."""
        latest_ns = now_ns + self._size_ns
        self.free_ns = latest_ns if free_ns is None else min(free_ns, latest_ns + self._size_ns)
        self.left_ns, self.until_ns = said

    def hear(self, said: Allowance) -> None:
        """Take the venue's word on what is left, where that is less than we think. In one of its
        windows that only falls: its answer may not know yet what is under way from here."""
        told_ns = self._ns(max(said.left, 0.0))
        if not said.until_ns:
            self.free_ns = max(self.free_ns, said.heard_ns + self._size_ns - told_ns)
        elif said.until_ns <= said.heard_ns:
            return  # of a window that is over
        elif self.until_ns <= said.heard_ns:
            self.left_ns, self.until_ns = told_ns, said.until_ns
        else:
            self.left_ns = min(self.left_ns, told_ns)
            self.until_ns = min(self.until_ns, said.until_ns)

    def is_short(self, now_ns: int, may_need: int) -> bool:
        """Whether questions wait for the venue to count anew, for it says that little is left."""
        finds = [kind for kind in RequestKind if kind.is_question and self._cost_ns[kind]]
        is_left = now_ns < self.until_ns
        return is_left and any(
            self.wait_ns(kind, now_ns, may_need) >= self.until_ns - now_ns for kind in finds
        )

    def left(self) -> float:
        """What the venue says is left, in its own units."""
        return max(self.left_ns, 0) * self._per_s / NS_PER_SECOND
