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
        """The next message, however long it takes to come within the timeout."""
        message = await self._within(self._timeout_s)
        if message is None:
            raise SocketLost(f"no answer within {self._timeout_s:g} s")
        return message[0]

    async def hear_or_pong(self) -> Any:
        """The next message; None after a silence in which the other side answered a ping."""
        message = await self._within(QUIET_S)
        if message is not None:
            return message[0]
        pong = await _known(self._connection.ping())
        waiting = asyncio.ensure_future(_known(pong))
        if not await self._done(waiting, self._timeout_s):
            raise SocketLost(f"no pong within {self._timeout_s:g} s")
        return None

    def drop(self) -> None:
        """Wait for no more messages."""
        if self._next is not None:
            self._next.cancel()

    async def _within(self, seconds: float) -> tuple[Any] | None:
        """The next message; None when it takes longer. It is waited for by one task, so that
        giving up the wait loses no message."""
        if self._next is None:
            self._next = asyncio.ensure_future(_known(self._connection.recv()))
        task = self._next
        if not await self._done(task, seconds, keeps=True):
            return None
        self._next = None
        try:
            # The frames of the paper account are binary; they hold the same text.
            return (json.loads(task.result(), parse_float=str),)
        except ValueError:
            raise SocketLost("a message is not JSON") from None

    async def _done(self, task: asyncio.Task[Any], seconds: float, keeps: bool = False) -> bool:
        sleeper = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({task, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            if not keeps and not task.done():
                task.cancel()
        if not task.done():
            return False
        task.result()
        return True


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
    except (WebSocketException, OSError, TimeoutError, EOFError) as error:
        words = f"{type(error).__name__}: {error}"
    raise SocketLost(words)
