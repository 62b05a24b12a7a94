"""Whose turn it is to ask an exchange, and what its answers say is left.

Problem: ccxt lets requests out one after another, a cancel behind every question that came before
it. Method: the queue of the session spends what the exchange bears, cancels first, and ccxt's own
is out of use. What an exchange bears its profile states (`Profile.budget`); for one that states
nothing it is what ccxt knows: how much comes back each second, and what each kind of request costs,
learned as requests are made. A request waits before it is signed, so that no signature grows old.
What an answer says is left is kept for that queue. Without a session (a dry run) ccxt spaces them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from logos.adapters.ccxt.answers import served_ns
from logos.adapters.ccxt.profiles.profile import Counter, Left, Profile, Reset
from logos.core.clock import Clock
from logos.core.types import NS_PER_SECOND
from logos.execution.sending.lane import CALL
from logos.venues.budget import Allowance, Budget, Pool, RequestKind
from logos.venues.contract import Pace, Unavailable

_NS_OF: Final = {Reset.MS_SINCE_1970: 1_000_000, Reset.S_SINCE_1970: NS_PER_SECOND}
_RESET_S_MAX: Final = 60
"""No count that an exchange keeps here runs longer than this, or than its own window; a number
beyond is about something else."""


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
        if not self._is_limited:
            return None
        if self._profile.budget is not None:
            return self._profile.budget
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
        request = f"{method} {urlsplit(url).path}"
        now_ns = self._clock.now_ns()
        for left in self._profile.left:
            if any(piece in request for piece in left.requests):
                body = str(rest[0]) if rest else ""
                told = told_left(left, headers, body, now_ns)
                if told is not None:
                    self._allowances[left.pool] = told
        return self._on_answer(code, reason, url, method, headers, *rest)

    async def ask_counter(self, ask: Callable[..., Awaitable[Any]]) -> None:
        """Ask how much is left, where the profile knows the question. Where that fails, what was
        heard before counts for as long as it does."""
        counter = self._profile.counter
        if counter is None:
            return
        call = partial(counter.ask, self._exchange)
        with suppress(Unavailable, ValueError):
            answer = await ask(f"{self._profile.exchange_id}: {counter.pool}", call)
            self._note_counter(counter, answer)

    def _note_counter(self, counter: Counter, answer: Any) -> None:
        """Take the answer to it. Raises ValueError for one of another shape."""
        fields = answer if isinstance(answer, Mapping) else {}
        told = (str(fields.get(counter.limit, "")), str(fields.get(counter.used, "")))
        if not all(map(_is_number, told)):
            raise ValueError(f"no {counter.limit} and {counter.used} in the answer")
        now_ns = self._clock.now_ns()
        left = max(int(told[0]) - int(told[1]), 0)
        until_ns = now_ns + (counter.holds_s if left else counter.empty_s) * NS_PER_SECOND
        self._allowances[counter.pool] = Allowance(counter.pool, left, now_ns, until_ns)


def told_left(left: Left, headers: Mapping[str, str], body: str, now_ns: int) -> Allowance | None:
    """What an answer that came now says is left, where it does."""
    if left.refusal and left.refusal in body:
        until_ns = now_ns + round(_number(headers, "Retry-After") * NS_PER_SECOND)
        until_ns = max(until_ns, _window_end_ns(left, headers, now_ns))
        return Allowance(left.pool, 0.0, now_ns, until_ns)
    told = header(headers, left.header)
    if not _is_number(told):
        return None
    much = float(max(left.used_of - int(told), 0) if left.used_of else int(told))
    reset_ns = now_ns + round(reset_s(left, headers, now_ns) * NS_PER_SECOND)
    until_ns = reset_ns if reset_ns > now_ns else _window_end_ns(left, headers, now_ns)
    return Allowance(left.pool, much, now_ns, until_ns)


def _window_end_ns(left: Left, headers: Mapping[str, str], now_ns: int) -> int:
    """When the window in which an answer was written is over."""
    window_ns = left.window_s * NS_PER_SECOND
    if not left.is_aligned:
        return now_ns + window_ns
    # The answer may have been under way when the next window began. Where it holds no date, our own
    # clock has to do.
    written_ns = served_ns(headers) or now_ns
    return (written_ns // window_ns + 1) * window_ns


def reset_s(left: Left, headers: Mapping[str, str], now_ns: int) -> float:
    """Seconds until the exchange counts anew, as the answer's header says; 0 where it does not."""
    told = _number(headers, left.reset_header)
    if left.reset is Reset.MS_LEFT:
        seconds = told / 1000
    else:
        seconds = (told * _NS_OF[left.reset] - now_ns) / NS_PER_SECOND if told else 0.0
    return min(max(seconds, 0.0), float(max(_RESET_S_MAX, left.window_s)))


def header(headers: Mapping[str, str], name: str) -> str:
    """A header's text, however its name is written there (RFC 9110, 5.1); empty: there is none."""
    wanted = name.casefold()
    return next((str(text) for each, text in headers.items() if each.casefold() == wanted), "")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _number(headers: Mapping[str, str], name: str) -> int:
    told = header(headers, name) if name else ""
    return int(told) if _is_number(told) else 0


def asked_s(
    profile: Profile, headers: Mapping[str, str] | None, words: str, now_ns: int
) -> tuple[float | None, float]:
    """Seconds for which an exchange that is asked too much wants nothing at all, and no questions;
    0: not said; None: it means one pool alone, of which `told_left` knows. `words` are those of its
    refusal."""
    if headers is None:
        return 0.0, 0.0
    retry_s = float(_number(headers, "Retry-After"))
    if any(left.refusal and left.refusal in words for left in profile.left):
        return None, retry_s
    if retry_s:
        return retry_s, retry_s
    whole = [reset_s(left, headers, now_ns) for left in profile.left if left.stops_all]
    return max(whole, default=0.0), max(whole, default=0.0)
