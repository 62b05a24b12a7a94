"""Whose turn it is to ask an exchange, and what its answers say is left.

Problem: ccxt lets requests out one after another, a cancel behind every question that came before
it. Method: where a profile states the exchange's counters (`Profile.budget`), the venue's own queue
spends them, cancels first, and ccxt's is off. What an answer says is left is kept for that queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from logos.adapters.ccxt.profiles.profile import Left, Profile
from logos.core.clock import Clock
from logos.venues.budget import Allowance
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
        self._pace: Pace | None = None
        self._allowances: dict[str, Allowance] = {}
        self._fetch = exchange.fetch
        self._on_answer = exchange.on_rest_response
        exchange.fetch = self._paced
        exchange.on_rest_response = self._heard

    @property
    def allowances(self) -> Sequence[Allowance]:
        """What the latest answers say is left, one for each pool that they speak of."""
        return tuple(self._allowances.values())

    def use(self, pace: Pace) -> None:
        """Await `pace` before every request. ccxt's own spacing ends where counters are stated."""
        self._pace = pace
        if self._profile.budget is not None:
            self._exchange.enableRateLimit = False

    async def _paced(self, *arguments: Any, **named: Any) -> Any:
        if self._pace is not None:
            await self._pace()
        return await self._fetch(*arguments, **named)

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
