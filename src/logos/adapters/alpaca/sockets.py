"""One websocket to Alpaca, heard message by message, with signs of life from its pings.

Problem: a connection can be dead and look alive. Method: after a silence it is pinged, and a pong
is a sign of life; without one it is lost. Reconnecting is for whoever hears it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from logos.core.clock import Clock
from logos.errors import LogosError

QUIET_S: Final = 8.0
"""How long nothing may come before the other side is pinged."""
_FRAME_MAX: Final = 2**24

_Answer = TypeVar("_Answer")


class SocketLost(LogosError):
    """The connection could not be made, or is there no more; the message says why."""


class Socket:
    """An open connection. Figures of messages stay text; every method raises SocketLost."""

    def __init__(self, connection: ClientConnection, clock: Clock, timeout_s: float) -> None:
        self._connection = connection
        self._clock = clock
        self._timeout_s = timeout_s
        self._next: asyncio.Task[Any] | None = None

    async def say(self, words: Mapping[str, Any]) -> None:
        """Send one message."""
        await _known(self._connection.send(json.dumps(words)))

    async def hear(self) -> Any:
        """The next message, which answers something: it is there within the timeout."""
        waiting = self._waiting()
        # Of the machine's time, as every answer over HTTP is waited for.
        if not (await asyncio.wait({waiting}, timeout=self._timeout_s))[0]:
            raise SocketLost(f"no answer within {self._timeout_s:g} s")
        return self._heard(waiting)

    async def hear_or_pong(self) -> Any:
        """The next message; None after a silence in which the other side answered a ping."""
        waiting = self._waiting()
        sleeper = asyncio.ensure_future(self._clock.sleep(QUIET_S))
        try:
            await asyncio.wait({waiting, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
        if waiting.done():
            return self._heard(waiting)
        pong = await _known(self._connection.ping())
        try:
            async with asyncio.timeout(self._timeout_s):
                await _known(pong)
        except TimeoutError:
            raise SocketLost(f"no pong within {self._timeout_s:g} s") from None
        return None

    def drop(self) -> None:
        """Wait for no more messages."""
        if self._next is not None:
            self._next.cancel()

    def _waiting(self) -> asyncio.Task[Any]:
        """The one task that waits for the next message: giving up a wait loses none."""
        if self._next is None:
            self._next = asyncio.ensure_future(_known(self._connection.recv()))
        return self._next

    def _heard(self, waiting: asyncio.Task[Any]) -> Any:
        self._next = None
        try:
            # The frames of the paper account are binary; they hold the same text.
            return json.loads(waiting.result(), parse_float=str)
        except ValueError:
            raise SocketLost("a message is not JSON") from None


@asynccontextmanager
async def open_socket(
    url: str, clock: Clock, timeout_s: float, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Socket]:
    """A connection to `url` (ws or wss). Raises SocketLost when none can be made."""
    connection = await _known(
        connect(
            url,
            additional_headers=dict(headers or {}),
            open_timeout=timeout_s,
            ping_interval=None,
            close_timeout=1.0,
            max_size=_FRAME_MAX,
        )
    )
    socket = Socket(connection, clock, timeout_s)
    try:
        yield socket
    finally:
        socket.drop()
        await connection.close()


def socket_url(url: str, path: str) -> str:
    """The websocket at `path` of an address."""
    return f"{url.rstrip('/').replace('http', 'ws', 1)}{path}"


async def _known(call: Awaitable[_Answer]) -> _Answer:
    """What a call gives; whatever a connection dies of is SocketLost."""
    try:
        return await call
    except (WebSocketException, OSError, EOFError) as error:
        words = f"{type(error).__name__}: {error}"
    raise SocketLost(words)
