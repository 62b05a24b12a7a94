"""A simulated exchange reached without sockets: the real ccxt's requests handed to its handlers.

A request takes time by a clock that is moved by hand, and none without one, so a seed repeats a
story. What the server does on purpose happens as on a real connection: a request that is never
answered hangs, an aborted one breaks. And as there, a request that has left arrives, whatever has
become of who sent it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp import HttpVersion11, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from logos.simulators.exchange.server import Exchange


class Transport:
    """What a handler may break."""

    def __init__(self) -> None:
        self.is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True

    def get_extra_info(self, *_: object) -> None:
        return None


def server_request(
    method: str, url: URL, headers: Mapping[str, str], body: bytes, transport: Transport
) -> web.Request:
    """The request as aiohttp's server makes it of what it has read."""
    loop = asyncio.get_running_loop()
    payload = StreamReader(BaseProtocol(loop), 2**20, loop=loop)
    payload.feed_data(body)
    payload.feed_eof()
    told = CIMultiDict(headers)
    told["Host"], told["Content-Length"] = url.host or "", f"{len(body)}"
    raw = tuple((name.encode(), value.encode()) for name, value in told.items())
    # As it was sent: what is signed is the query as it stands.
    there = URL(url.raw_path_qs, encoded=True)
    message = RawRequestMessage(
        method,
        url.raw_path_qs,
        HttpVersion11,
        CIMultiDictProxy(told),
        raw,
        False,
        None,
        False,
        False,
        there,
    )
    protocol: Any = SimpleNamespace(
        transport=transport, ssl_context=None, peername=None, sockname=None, loop=loop
    )
    nobody: Any = None  # neither writer nor task: an answer is handed over, not written
    return web.Request(message, payload, protocol, nobody, nobody, loop)


class Told:
    """An answer as ccxt reads it."""

    def __init__(self, response: web.Response) -> None:
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        self._text = response.text or ""

    async def text(self, **_: object) -> str:
        return self._text

    async def read(self) -> bytes:
        return self._text.encode()


class Wire:
    """In place of the HTTP session of a ccxt exchange (`aiohttp.ClientSession`)."""

    def __init__(
        self, exchange: Exchange, wait: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """`wait` takes as long as a request does to the exchange, or its answer back."""
        self._wait = wait
        self._under_way: set[asyncio.Task[web.StreamResponse]] = set()
        self._app = exchange.app
        self._app.freeze()
        self._retry_connection = True
        self.headers: dict[str, str] = {}

    @asynccontextmanager
    async def _ask(self, method: str, url: URL, **how: Any) -> AsyncIterator[Told]:
        body = how.get("data") or b""
        transport = Transport()
        request = server_request(method, url, how.get("headers") or {}, body, transport)
        if self._wait is None:
            response = await self._handled(request)
        else:
            arriving = asyncio.create_task(self._arrived(request, self._wait))
            self._under_way.add(arriving)
            arriving.add_done_callback(self._under_way.discard)
            response = await asyncio.shield(arriving)
            await self._wait()
        if transport.is_aborted:
            raise aiohttp.ServerDisconnectedError
        assert isinstance(response, web.Response)
        yield Told(response)

    async def _arrived(
        self, request: web.Request, wait: Callable[[], Awaitable[None]]
    ) -> web.StreamResponse:
        await wait()
        return await self._handled(request)

    async def _handled(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._app._handle(request)
        except web.HTTPException as error:
            return error

    def get(self, url: URL, **how: Any) -> Any:
        return self._ask("GET", url, **how)

    def post(self, url: URL, **how: Any) -> Any:
        return self._ask("POST", url, **how)

    def put(self, url: URL, **how: Any) -> Any:
        return self._ask("PUT", url, **how)

    def delete(self, url: URL, **how: Any) -> Any:
        return self._ask("DELETE", url, **how)

    async def close(self) -> None:
        """Nothing is open."""
        await asyncio.sleep(0)
