"""A local Alpaca reached without sockets and threads: the real alpaca-py's requests, handed over.

The library stays as it is, down to the prepared request of `requests`; in place of its connection
stands the server's handler, and in place of the threads a task that waits, by a clock moved by
hand, for as long as a request and its answer are under way. What a thread does is kept: a request
that nobody waits for any more arrives all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import requests
from aiohttp import web
from exchange_side import Way
from exchange_wire import Transport, server_request
from requests.adapters import BaseAdapter
from yarl import URL

from logos.adapters.alpaca.connection import Connection
from logos.simulators.exchange.server import Exchange
from logos.testing.clock import ManualClock


class NeverAnswered(requests.exceptions.ReadTimeout):
    """As after the library's own timeout, which is still to be waited for."""


class HandedOver(BaseAdapter):
    """In place of the connections of a `requests.Session`."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._app = exchange.app
        self._app.freeze()

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> Any:
        """The answer to a request, handled now. Raises as `requests` does."""
        body: Any = request.body or b""
        headers: Any = request.headers
        transport = Transport()
        there = server_request(
            str(request.method),
            URL(str(request.url), encoded=True),
            dict(headers),
            body.encode() if isinstance(body, str) else body,
            transport,
        )
        handling = self._app._handle(there)
        try:
            handling.send(None)
        except StopIteration as done:
            answer = done.value
        except web.HTTPException as error:
            answer = error
        else:
            handling.close()
            raise NeverAnswered("Read timed out.", request=request)
        if transport.is_aborted:
            raise requests.exceptions.ConnectionError("Connection aborted.", request=request)
        told = requests.Response()
        told.status_code, told.reason = answer.status, answer.reason
        told.headers.update(answer.headers)
        told._content = answer.body if isinstance(answer.body, bytes) else b""
        told.encoding, told.url, told.request = "utf-8", str(request.url), request
        return told

    def close(self) -> None:
        """Nothing is open."""


class ByTheClock(Executor):
    """In place of the threads of a connection: calls begin after a moment, and end after one."""

    def __init__(self, way: Way, clock: ManualClock, timeout_s: float) -> None:
        self._way, self._clock, self._timeout_s = way, clock, timeout_s
        self._under_way: set[asyncio.Task[None]] = set()

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Begin a call; whoever waits for it may give up, and it goes on."""
        told: Future[Any] = Future()
        told.set_running_or_notify_cancel()
        task = asyncio.create_task(self._run(told, lambda: call(*arguments, **named)))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return told

    async def _run(self, told: Future[Any], call: Callable[[], Any]) -> None:
        await self._way.wait()
        try:
            answer = call()
        except Exception as error:
            is_silent = isinstance(error, NeverAnswered)
            await (self._clock.sleep(self._timeout_s) if is_silent else self._way.wait())
            told.set_exception(error)
        else:
            await self._way.wait()
            told.set_result(answer)


def hand_over(
    connection: Connection, exchange: Exchange, way: Way, clock: ManualClock, timeout_s: float
) -> None:
    """Let the requests of a connection reach that exchange without sockets and threads."""
    connection._threads.shutdown(wait=False)
    threads: Any = ByTheClock(way, clock, timeout_s)
    connection._threads = threads
    connection._client._session.mount("http://", HandedOver(exchange))
