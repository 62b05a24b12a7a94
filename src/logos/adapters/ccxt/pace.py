"""Whose turn it is to ask an exchange, and what its answers say is left.

Problem: ccxt lets requests out one after another, a cancel behind every question that came before
it. Method: the queue of the session spends what the exchange bears, cancels first, and ccxt's own
is out of use. What an exchange bears its profile states (`Profile.budget`); for one that states
nothing it is what ccxt knows: how much comes back each second, and what each kind of request costs,
learned as requests are made. A request waits before it is signed, so that no signature grows old.
What an answer says is left is kept for that queue. Without a session (a dry run) ccxt spaces them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from logos.adapters.ccxt.profiles.profile import Left, Profile
from logos.core.clock import Clock
from logos.execution.sending.lane import CALL
from logos.venues.budget import Allowance, Budget, Pool, RequestKind
from logos.venues.contract import Pace

_NS_PER_MS: Final = 1_000_000
_RESET_MS_MAX: Final = 60_000
"""No count that an exchange keeps here runs longer; a number beyond it is about something else."""


class Pacing:
    """The requests of one ccxt exchange: each in its turn, each answer's headers read."""

    def __init__(self, exchange: Any, profile: Profile, clock: Clock) -> None:
        self._exchange = exchange
        self._profile = profile
        self._clock = clock
        self._is_limited = bool(exchange.enableRateLimit)
        self._pace: Pace | None = None
        self._allowances: dict[str, Allowance] = {}
        self._costs: dict[RequestKind, float] = {}
        self._learned: Budget | None = None
        self._on_answer = exchange.on_rest_response
        exchange.on_rest_response = self._heard

    @property
    def budget(self) -> Budget | None:
        """What the exchange bears: as its profile states it, else in ccxt's units of cost; None
        where nothing is to be paced."""
        if self._profile.budget is not None:
            return self._profile.budget
        if not self._is_limited:
            return None
        if self._learned is None or self._learned.pools[0].costs != self._costs:
            per_s = 1000 / float(self._exchange.rateLimit)
            pool = Pool("requests", max(per_s, 1.0), per_s, 1.0, dict(self._costs))
            self._learned = Budget((pool,))
        return self._learned

    @property
    def allowances(self) -> Sequence[Allowance]:
        """What the latest answers say is left, one for each pool that they speak of."""
        return tuple(self._allowances.values())

    def use(self, pace: Pace) -> None:
        """Await `pace` before every request. ccxt's own spacing ends."""
        self._pace = pace
        self._exchange.throttle = self._throttle
        self._exchange.enableRateLimit = True  # so that ccxt asks its hook before each request

    async def _throttle(self, cost: float | None = None) -> None:
        """ccxt's hook before each request, with what that costs in its units."""
        call = CALL.get()
        if call is not None and cost is not None:
            self._costs[call.kind] = max(self._costs.get(call.kind, 0.0), float(cost))
        if self._pace is not None:
            await self._pace()

    def _heard(
        self, code: int, reason: str, url: str, method: str, headers: Any, *rest: Any
    ) -> Any:
        """ccxt's hook for every answer as it came."""
        left = self._profile.left
        path = urlsplit(url).path
        if left is not None and any(piece in path for piece in left.paths):
            self._note(left, headers)
        return self._on_answer(code, reason, url, method, headers, *rest)

    def _note(self, left: Left, headers: Mapping[str, str]) -> None:
        told = str(headers.get(left.header, ""))
        if not told.isdecimal():
            return
        now_ns = self._clock.now_ns()
        closed_ns = 0
        if int(told) == 0:
            closed_ns = now_ns + reset_ms(left, headers) * _NS_PER_MS
        self._allowances[left.pool] = Allowance(left.pool, float(told), now_ns, closed_ns)


def reset_ms(left: Left, headers: Mapping[str, str]) -> int:
    """Milliseconds until the exchange counts anew; 0 where the answer does not say."""
    told = str(headers.get(left.reset_ms_header, ""))
    return min(int(told), _RESET_MS_MAX) if told.isdecimal() else 0


def asked_s(profile: Profile, headers: Mapping[str, str] | None) -> float:
    """Seconds for which an exchange that is asked too much wants to be left alone; 0: not said."""
    if headers is None:
        return 0.0
    retry = str(headers.get("Retry-After", ""))
    if retry.isdecimal():
        return float(retry)
    return 0.0 if profile.left is None else reset_ms(profile.left, headers) / 1000
