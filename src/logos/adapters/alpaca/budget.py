"""How many requests Alpaca bears, and how much of that is ours.

Problem: 200 requests a minute are the account's, whichever session makes them. Two sessions that
each spend them all are both turned away, cancels first of all. Method: a session takes its share
of the limit, and of what the answers say is left; the limit itself is read from the answers, as
accounts may have a higher one. Market data has a limit of its own and is not counted here.

alpaca.markets/support/usage-limit-api-calls; forum.alpaca.markets/t/executing-orders/12029 for the
headers of every answer: X-RateLimit-Limit, -Remaining, and -Reset in seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from logos.core.clock import Clock
from logos.core.types import NS_PER_SECOND
from logos.venues.budget import Allowance, Budget, Pool

POOL: Final = "requests of the account"
A_MINUTE: Final = 200
"""What is documented, until an answer says otherwise."""

_WINDOW_S: Final = 60
_BURST: Final = 0.25
"""How much of a minute's requests may go out at once; the rest comes back evenly."""


class RateBudget:
    """What one session may ask of an account: all of it, unless it takes a share."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._part = 1.0
        self._a_minute = A_MINUTE
        self._allowance: Allowance | None = None

    def use_share(self, percent: int) -> None:
        """Take this part of the limit. Raises ValueError unless it is from 1 to 100."""
        if not 0 < percent <= 100:
            raise ValueError(f"the share of requests is from 1 to 100 percent, not {percent}")
        self._part = percent / 100

    @property
    def budget(self) -> Budget:
        """The counter: a pool that lets out no more than our share in any minute."""
        ours = self._a_minute * self._part
        size = max(1.0, ours * _BURST)
        return Budget((Pool(POOL, size, max(ours - size, 1.0) / _WINDOW_S),))

    @property
    def allowances(self) -> Sequence[Allowance]:
        """What the latest answer says is left for us."""
        return () if self._allowance is None else (self._allowance,)

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take note of the headers of an answer; called from the threads that ask."""
        now_ns = self._clock.now_ns()
        limit, left = _number(headers, "Limit"), _number(headers, "Remaining")
        if limit is None or left is None:
            return
        self._a_minute = max(1, limit)
        until_ns = now_ns + round(self.wait_s(headers) * NS_PER_SECOND)
        self._allowance = Allowance(POOL, left * self._part, now_ns, until_ns)

    def wait_s(self, headers: Mapping[str, str]) -> float:
        """Seconds until the account's count begins anew; 0 where the answer does not say."""
        reset_s = _number(headers, "Reset")
        if reset_s is None:
            return 0.0
        # A clock that is off must not make a wait of hours.
        return min(max(reset_s - self._clock.now_ns() / NS_PER_SECOND, 0.0), float(_WINDOW_S))


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(f"X-RateLimit-{name}", "")
    return int(text) if text.isdecimal() else None
