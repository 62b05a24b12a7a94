"""One ccxt exchange object, made safe: text instead of floats, no retries, no keys in any log.

Problem: ccxt has one family of exceptions in which "refused", "not handled" and "nobody knows" are
mixed, repeats requests if told to, and logs requests whole. Method: `KNOWLEDGE` sorts every class
of exception; whatever is not in that table leaves the outcome unknown. Nothing is sent twice:
ccxt's own retries are off, and so are those of the HTTP library under it.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from decimal import localcontext
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import ccxt.async_support as ccxt

from logos.adapters.ccxt.pace import asked_s
from logos.adapters.ccxt.profiles.profile import Profile
from logos.adapters.ccxt.sandbox import has_sandbox, without_sandbox
from logos.core.clock import Backoff, Clock
from logos.venues.contract import Refused
from logos.venues.failures import Failure, Knowledge, order_error, question_error
from logos.venues.ids import require_named
from logos.venues.redact import Redactor

KNOWLEDGE: Final[dict[str, Knowledge]] = {
    "ArgumentsRequired": Knowledge.REFUSED,
    "AuthenticationError": Knowledge.REFUSED,
    "BadRequest": Knowledge.REFUSED,
    "InsufficientFunds": Knowledge.REFUSED,
    "InvalidOrder": Knowledge.REFUSED,
    "InvalidProxySettings": Knowledge.REFUSED,
    "NotSupported": Knowledge.REFUSED,
    "OperationRejected": Knowledge.REFUSED,
    "DDoSProtection": Knowledge.NOT_SENT,
    "ExchangeClosedByUser": Knowledge.NOT_SENT,
    "InvalidNonce": Knowledge.NOT_SENT,
    "OnMaintenance": Knowledge.NOT_SENT,
    "RateLimitExceeded": Knowledge.NOT_SENT,
    "ChecksumError": Knowledge.UNKNOWN,
    "DuplicateOrderId": Knowledge.UNKNOWN,
    "OrderNotCached": Knowledge.UNKNOWN,
    "OrderNotFound": Knowledge.UNKNOWN,
}
"""What an exception of ccxt says of an order that was being sent. The nearest class of its bases
that stands here decides; one without any (ExchangeError, NetworkError, RequestTimeout,
ExchangeNotAvailable, BadResponse...) leaves the outcome unknown."""

_NEVER_CONNECTED: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    socket.gaierror,
)
_WAS_TAKEN: ContextVar[bool] = ContextVar("_WAS_TAKEN", default=False)
_MUST_NAME: ContextVar[str | None] = ContextVar("_MUST_NAME", default=None)
"""The order's id, as the exchange gets it, that every request which changes something must hold;
None for a question."""
_RATE_KINDS: Final = (ccxt.DDoSProtection, ccxt.RateLimitExceeded)


class _SilentLogger:
    """Takes what ccxt would log and drops it."""

    def debug(self, *_: object) -> None: ...

    warning = info = error = debug


def make_exchange(
    profile: Profile,
    clock: Clock,
    *,
    sandbox: bool,
    url: str,
    timeout_s: float,
    limit_rate: bool,
) -> Any:
    """A ccxt exchange for spot trading, without credentials yet.

    Raises Refused for an unknown id or a missing sandbox.
    """
    exchange_id = profile.exchange_id
    if exchange_id not in ccxt.exchanges:
        raise Refused(
            f"ccxt knows no exchange {exchange_id!r}; use one of its ids, such as binance"
        )
    exchange = getattr(ccxt, exchange_id)(
        {
            "enableRateLimit": limit_rate,
            "timeout": int(timeout_s * 1000),
            "options": {**profile.options, "maxRetriesOnFailure": 0, "defaultType": "spot"},
        }
    )
    # Numbers stay the text they came as; ccxt's default would make them floats.
    exchange.number = str
    # At debug level ccxt logs whole requests, keys included.
    exchange.logger = _SilentLogger()
    # Signatures carry our clock's time, so that a wrong clock shows and a test can set it.
    exchange.nonce = exchange.milliseconds = lambda: clock.now_ns() // 1_000_000
    exchange.seconds = lambda: clock.now_ns() // 1_000_000_000
    exchange.fetch = _noting(exchange.fetch, profile)
    # ccxt would make an empty list of an answer that is none.
    exchange.on_rest_response = partial(_check_answer, profile)
    exchange.has["fetchCurrencies"] = False
    for name in profile.switched_off:
        setattr(exchange, name, _nothing)
    if sandbox:
        if not has_sandbox(profile):
            raise Refused(without_sandbox(exchange_id))
        exchange.set_sandbox_mode(True)
    hostname = str(getattr(exchange, "hostname", None) or "")
    exchange.urls["api"] = _named_host(exchange.urls["api"], hostname)
    if url:
        exchange.urls["api"] = _with_host(exchange.urls["api"], url)
    if url.startswith("http://"):
        exchange.timeout_on_exit = 0  # the wait is for TLS connections to say goodbye
    return exchange


def open_session(exchange: Any) -> None:
    """Make the HTTP session. Must run in the event loop."""
    exchange.open()
    # The HTTP library would repeat questions and cancels by itself when a kept connection breaks.
    exchange.session._retry_connection = False


def _noting(
    fetch: Callable[..., Awaitable[Any]], profile: Profile
) -> Callable[..., Awaitable[Any]]:
    """`fetch`, leaving word in `_WAS_TAKEN` whether the last request came back as a success."""

    async def noting(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        _WAS_TAKEN.set(False)
        _check_named(url, method, headers, body)
        _check_allowed(profile, method, body)
        answer = await fetch(url, method, headers, body)
        _WAS_TAKEN.set(True)
        _check_shape(profile, url, body, answer)
        _end_list(profile, url, answer)
        return answer

    return noting


async def _nothing(*_: Any, **__: Any) -> bool:
    """In place of a method of ccxt that is switched off."""
    return True


def _check_allowed(profile: Profile, method: str, body: Any) -> None:
    """Raise Refused for a request that holds what its exchange's profile forbids."""
    text = str(body or "")
    for name in profile.forbidden if method != "GET" else ():
        if f'"{name}"' in text:
            raise Refused(f"{profile.exchange_id}: not sent: the request holds {name!r}")


def _check_named(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> None:
    """Raise Refused for an order or a cancel that does not hold the id of its order."""
    name = _MUST_NAME.get()
    if name is not None and method != "GET":
        require_named(
            f"{method} {urlsplit(url).path}", name, url, str(headers or ""), str(body or "")
        )


def _check_answer(
    profile: Profile,
    code: int,
    reason: str,
    url: str,
    method: str,
    _: object,
    body: str,
    *__: object,
) -> str:
    """ccxt's hook for every answer as it came: a 5xx is one, whatever it says, and a success must
    be whole JSON of the right shape.
    """
    where = f"{profile.exchange_id} {method} {url} {code} {reason}"
    if code >= 500:
        # Whatever code is inside: Binance says that after a 5xx nobody knows what was executed.
        raise ccxt.ExchangeNotAvailable(f"{where}: {body}")
    _check_absent(profile, url, where, body)
    if not 200 <= code < 300:
        return body
    try:
        json.loads(body)
    except ValueError:
        raise ccxt.BadResponse(f"{where}: the answer is not JSON, or not all of it") from None
    return body


def _check_absent(profile: Profile, url: str, where: str, body: str) -> None:
    """Raise OrderNotFound for an answer that says so in words which ccxt takes for others."""
    path = urlsplit(url).path
    for piece, told in profile.absent.items():
        if piece in path and any(words in body for words in told):
            raise ccxt.OrderNotFound(f"{where}: {body}")


def _check_shape(profile: Profile, url: str, body: Any, answer: Any) -> None:
    """Raise BadResponse for a good answer without what it must hold: ccxt would make an empty list
    or account of it. An answer that tells an error was sorted by ccxt before."""
    path = urlsplit(url).path
    asked = f"{path} {_kind(body)}"
    shapes = profile.shapes.items()
    held = next((held for end, held in shapes if path.endswith(end) or asked.endswith(end)), None)
    if held is None:
        return
    where = f"{profile.exchange_id} {path}"
    if not held and not isinstance(answer, list):
        raise ccxt.BadResponse(f"{where}: the answer is no list")
    for name in held.split(".") if held else ():
        answer = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(answer, dict | list):
        raise ccxt.BadResponse(f"{where}: the answer holds no {held}")


def _end_list(profile: Profile, url: str, answer: Any) -> None:
    """Take the cursor off an empty page: ccxt would put it into a first row that is not there."""
    path = urlsplit(url).path
    held = next((held for end, held in profile.shapes.items() if path.endswith(end)), "")
    if isinstance(answer, dict) and answer.get(held) == []:
        answer.pop("cursor", None)


def _kind(body: Any) -> str:
    """The `type` of a question whose address it shares with others (Hyperliquid's /info)."""
    try:
        asked = json.loads(body) if body else None
    except (TypeError, ValueError):
        return ""
    return str(asked.get("type", "")) if isinstance(asked, dict) else ""


def urls_of(addresses: Any) -> list[str]:
    """Every address in a value of `exchange.urls`."""
    if isinstance(addresses, dict):
        return [url for inner in addresses.values() for url in urls_of(inner)]
    return [addresses] if isinstance(addresses, str) else []


def private_urls(exchange: Any) -> list[str]:
    """The addresses that orders go to."""
    api = exchange.urls["api"]
    return urls_of(api.get("private", api) if isinstance(api, dict) else api)


def _named_host(addresses: Any, hostname: str) -> Any:
    """`addresses` with the exchange's host in place of ccxt's `{hostname}`."""
    if isinstance(addresses, dict):
        return {name: _named_host(inner, hostname) for name, inner in addresses.items()}
    if not isinstance(addresses, str):
        return addresses
    return addresses.replace("{hostname}", hostname)


def _with_host(addresses: Any, url: str) -> Any:
    """`addresses` with the scheme and host of `url` in place of their own."""
    if isinstance(addresses, dict):
        return {name: _with_host(inner, url) for name, inner in addresses.items()}
    if not isinstance(addresses, str):
        return addresses
    to, old = urlsplit(url), urlsplit(addresses)
    return urlunsplit((to.scheme, to.netloc, to.path.rstrip("/") + old.path, old.query, ""))


class Connection:
    """Requests to one exchange, each made once, their failures as this project's errors."""

    def __init__(
        self, exchange: Any, profile: Profile, redactor: Redactor, backoff: Backoff, clock: Clock
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._profile = profile
        self._is_open = _words(("duplicate", *profile.unknown, *profile.exists))
        self._is_no = _words(profile.refused)
        self._redactor = redactor
        self._backoff = backoff

    async def order(self, what: str, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """The answer to an order, whose request must hold its id `name`. Raises Refused, NotSent
        or OutcomeUnknown."""
        answer, error = await self._try(call, name)
        if error is None:
            return answer
        failure = self._failure(error)
        error = None  # its traceback holds the request
        raise order_error(what, failure)

    async def cancel(self, what: str, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """The answer to a cancel, whose request must hold the order's id `name`. Raises Refused,
        NotSent or OutcomeUnknown."""
        answer, error = await self._try(call, name)
        if error is None:
            return answer
        if isinstance(error, ccxt.CancelPending):
            return {}
        failure = self._failure(error)
        if isinstance(error, ccxt.OrderNotFound) and not _WAS_TAKEN.get():
            failure = Failure(Knowledge.REFUSED, failure.words)
        error = None
        raise order_error(what, failure)

    async def ask(
        self,
        what: str,
        call: Callable[[], Awaitable[Any]],
        absent: type[Exception] | tuple[type[Exception], ...] = (),
    ) -> Any:
        """The answer to a question, None when it fails with `absent`. Raises Unavailable."""
        answer, error = await self._try(call)
        if error is None:
            return answer
        if isinstance(error, absent):
            return None
        failure = self._failure(error)
        error = None
        raise question_error(what, failure)

    async def _try(
        self, call: Callable[[], Awaitable[Any]], name: str | None = None
    ) -> tuple[Any, Exception | None]:
        _WAS_TAKEN.set(False)
        _MUST_NAME.set(name)
        try:
            # ccxt sets the rounding of whatever decimal context it finds.
            with localcontext():
                answer = await call()
        except Exception as error:
            # Whatever breaks while a request is under way, an answer that ccxt stumbles over
            # included, says nothing about what the exchange did with it.
            return None, error
        self._backoff.reset()
        return answer, None

    def _failure(self, error: Exception) -> Failure:
        """What is known after `error`, in words without credentials."""
        kind = type(error).__name__
        knowledge = next(
            (
                KNOWLEDGE[base.__name__]
                for base in type(error).__mro__
                if base.__name__ in KNOWLEDGE
            ),
            Knowledge.UNKNOWN,
        )
        cause = error.__cause__
        if isinstance(error, Refused):
            knowledge = Knowledge.REFUSED  # held back here, by `_check_named`
        if isinstance(cause, _NEVER_CONNECTED):
            knowledge = Knowledge.NOT_SENT
        # The exchange took the request; it is ccxt that cannot digest the answer.
        if _WAS_TAKEN.get():
            knowledge = Knowledge.UNKNOWN
        if self._is_no.search(str(error)) and not _WAS_TAKEN.get():
            knowledge = Knowledge.REFUSED
        # An id that was used before, or a timeout between the exchange's own machines, comes as
        # an error of any kind; what became of the request is for a question to say.
        if self._is_open.search(str(error)):
            knowledge = Knowledge.UNKNOWN
        words = f"{kind}: {error}"
        if isinstance(error, ccxt.AuthenticationError):
            words += "; check the key, its permissions and its list of addresses at the exchange"
        elif isinstance(error, ccxt.InvalidNonce):
            words += "; set this machine's clock"
        elif cause is not None:
            words += f" ({type(cause).__name__})"
        demand_s: float | None = None
        retry_s = 0.0
        if isinstance(error, _RATE_KINDS):
            headers, now_ns = self._exchange.last_response_headers, self._clock.now_ns()
            demand_s, retry_s = asked_s(self._profile, headers, str(error), now_ns)
        wait_s = 0.0 if knowledge is Knowledge.REFUSED else self._backoff.next_s()
        words = self._redactor.clean(words)
        return Failure(knowledge, words, max(wait_s, retry_s), demand_s)


def _words(told: tuple[str, ...]) -> re.Pattern[str]:
    """Codes and words as they are looked for in a failure's text; without any, nothing is found."""
    either = "|".join(re.escape(each) for each in told) or r"(?!)"
    return re.compile(rf"(?<![\w.])(?:{either})(?!\w)", re.IGNORECASE)
