"""Requests to Alpaca, each made once in a thread, their failures as what is known after them.

Problem: the alpaca-py library is synchronous, repeats requests by itself, and waits for an answer
without end. Method: every request runs in a thread, with a timeout on the connection and one around
it all; repeating is off. A request that was given up may still arrive: its outcome is unknown.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from logos.adapters.alpaca.budget import RateBudget
from logos.core.clock import Backoff
from logos.venues.contract import Pace, Refused
from logos.venues.failures import Failure, Knowledge, order_error, question_error
from logos.venues.ids import require_named
from logos.venues.redact import Redactor, Revealable

with warnings.catch_warnings():
    # The library also imports a websocket client that has announced its retirement.
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.trading.client import TradingClient

KNOWLEDGE: Final[dict[int, Knowledge]] = {
    400: Knowledge.REFUSED,
    401: Knowledge.REFUSED,
    403: Knowledge.REFUSED,
    404: Knowledge.REFUSED,
    422: Knowledge.REFUSED,
    429: Knowledge.NOT_SENT,
}
"""What a status says of an order that was being sent; any other leaves the outcome unknown."""

_THREADS: Final = 16
_ABSENT: Final = object()
_GRACE_S: Final = 0.5
"""What a thread gets beyond its own timeouts before nobody waits for it any more."""


class _Client(TradingClient):
    """The library's client, with a timeout and without repeating anything."""

    timeout_s: float = 10.0
    hear: Callable[[Mapping[str, str]], object] = staticmethod(lambda _headers: None)
    """Told the headers of every answer."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._session.hooks["response"].append(self._note)

    def _note(self, response: requests.Response, *_: object, **__: object) -> None:
        self.hear(response.headers)

    def _one_request(self, method: str, url: str, opts: dict[str, Any], retry: int) -> Any:  # noqa: ARG002
        limits = {"timeout": (self.timeout_s, self.timeout_s)}
        return super()._one_request(method, url, {**opts, **limits}, 0)

    def close(self) -> None:
        """Release the connections."""
        self._session.close()


class Connection:
    """One account's requests. Make it in the event loop's thread; close it when done."""

    def __init__(
        self,
        key: Revealable,
        secret: Revealable,
        *,
        sandbox: bool,
        url: str,
        timeout_s: float,
        redactor: Redactor,
        backoff: Backoff,
        budget: RateBudget,
    ) -> None:
        self._client = _Client(
            key.reveal(), secret.reveal(), paper=sandbox, raw_data=True, url_override=url or None
        )
        self._client.timeout_s = timeout_s
        # Threads of its own: a broker that hangs must not hold up the rest of the process.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="alpaca")
        self._timeout_s = timeout_s
        self._redactor = redactor
        self._backoff = backoff
        self._budget = budget
        self.pace: Pace | None = None
        """Awaited before every request; see `Budgeted.use_pace`."""
        self._client.hear = budget.hear

    def close(self) -> None:
        """Release the connections; what waits for a thread is not sent any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    async def place(self, what: str, order: Mapping[str, str]) -> Any:
        """The answer to an order. Raises Refused, NotSent or OutcomeUnknown."""
        require_named(what, order.get("client_order_id", ""), *order.values())
        answer, failure = await self._try(partial(self._client.post, "/orders", dict(order)))
        if failure is not None:
            raise order_error(what, failure)
        return answer

    async def cancel(self, what: str, venue_order_id: str) -> None:
        """Ask for a cancel. Raises Refused, NotSent or OutcomeUnknown."""
        path = f"/orders/{venue_order_id}"
        require_named(what, venue_order_id, path)
        answer, failure = await self._try(partial(self._client.delete, path))
        if failure is None and answer is not None:
            failure = Failure(Knowledge.UNKNOWN, "the answer to the cancel cannot be read")
        if failure is not None:
            raise order_error(what, failure)

    async def ask(
        self,
        what: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        may_be_absent: bool = False,
    ) -> Any:
        """The JSON answer to a question; None where it may be absent and is (404).

        Raises Unavailable.
        """
        call = partial(self._client.get, path, dict(parameters or {}))
        answer, failure = await self._try(call, absent_status=404 if may_be_absent else 0)
        if failure is None and answer is None:
            # Only a 404 says that something is not there.
            failure = Failure(Knowledge.UNKNOWN, "the answer is empty", self._backoff.next_s())
        if failure is not None:
            raise question_error(what, failure)
        return None if answer is _ABSENT else answer

    async def sign_in(self, what: str) -> None:
        """See that the keys are taken. Raises Refused when they are not, and Unavailable."""
        _, failure = await self._try(partial(self._client.get, "/account"))
        if failure is not None and failure.knowledge is Knowledge.REFUSED:
            raise Refused(f"{what}: refused: {failure.words}")
        if failure is not None:
            raise question_error(what, failure)

    async def _try(
        self, call: Callable[[], Any], absent_status: int = 0
    ) -> tuple[Any, Failure | None]:
        """The answer, or what is known after the failure."""
        if self.pace is not None:
            await self.pace()
        try:
            async with asyncio.timeout(2 * self._timeout_s + _GRACE_S):
                answer = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except Exception as error:
            # Whatever breaks while a request is under way says nothing about what became of it.
            status = error.status_code if isinstance(error, APIError) else None
            if status is not None and status == absent_status:
                return _ABSENT, None
            return None, self._failure(error, status)
        self._backoff.reset()
        return answer, None

    def _failure(self, error: Exception, status: int | None) -> Failure:
        words = f"{type(error).__name__}: {error}"
        knowledge = Knowledge.UNKNOWN
        if status is not None:
            words = f"HTTP {status}: {error}"
            knowledge = KNOWLEDGE.get(status, Knowledge.UNKNOWN)
        elif _never_connected(error):
            knowledge = Knowledge.NOT_SENT
        if "client_order_id must be unique" in str(error):
            knowledge = Knowledge.UNKNOWN
        if status == 401:
            words += "; check the key, and that it is for paper or live as configured"
        wait_s = 0.0 if knowledge is Knowledge.REFUSED else self._backoff.next_s()
        asked_s = self._asked_wait_s(error)
        demand_s = asked_s if status == 429 else None
        words = self._redactor.clean(words)
        return Failure(knowledge, words, max(wait_s, asked_s), demand_s)

    def _asked_wait_s(self, error: Exception) -> float:
        """The wait that Alpaca asks for, 0 when it asks for none."""
        response = error.response if isinstance(error, APIError) else None
        if response is None:
            return 0.0
        asked = str(response.headers.get("Retry-After", ""))
        if asked.isdecimal():
            return float(asked)
        if response.status_code != 429:
            return 0.0
        return self._budget.wait_s(response.headers)


def _never_connected(error: Exception) -> bool:
    """Whether the request cannot have left this machine."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError))
