"""A gateway reached without sockets: the real ib_async's bytes, handed over in a story's loop.

The library stays as it is, down to its protocol; in place of the system's connections stand pipes
in memory, in which bytes are under way for as long as a clock moved by hand says. A pipe keeps the
order of what goes in; what is closed tells the other end behind the bytes that went before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from exchange_side import Way

from logos.simulators.ib import TwsGateway

Serve = Callable[[asyncio.StreamReader, Any], Coroutine[Any, Any, None]]


class _Pipe:
    """One direction: what goes in comes out in order, None at the end."""

    def __init__(self, way: Way, take: Callable[[bytes | None], object]) -> None:
        self._way, self._take = way, take
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.is_closed = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    def put(self, data: bytes) -> None:
        if not self.is_closed:
            self._waiting.put_nowait(data)

    def close(self) -> None:
        """Nothing more goes in."""
        if not self.is_closed:
            self.is_closed = True
            self._waiting.put_nowait(None)

    async def _run(self) -> None:
        data: bytes | None = b""
        while data is not None:
            data = await self._waiting.get()
            await self._way.wait()
            self._take(data)


class _Ends:
    """Both ends of one connection: a transport for the client, a writer for the gateway."""

    def __init__(self, protocol: Any, serve: Serve, way: Way) -> None:
        self._protocol = protocol
        self._reader = asyncio.StreamReader()
        self._to_gateway = _Pipe(way, self._feed)
        self._to_client = _Pipe(way, self._tell)
        self._is_lost = False
        self._serving = asyncio.get_running_loop().create_task(serve(self._reader, _Writer(self)))

    def _feed(self, data: bytes | None) -> None:
        if data is None:
            self._reader.feed_eof()
        elif not self._to_client.is_closed:
            self._reader.feed_data(data)

    def _tell(self, data: bytes | None) -> None:
        if self._is_lost:
            return
        if data is None:
            self._is_lost = True
            self._to_gateway.close()
            self._protocol.connection_lost(None)
        else:
            self._protocol.data_received(data)

    # ---- the client's end, as `asyncio.Transport` ----

    def write(self, data: bytes) -> None:
        self._to_gateway.put(data)

    def write_eof(self) -> None:
        """`close` follows."""

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self._to_gateway.close()
        if not self._is_lost:
            self._is_lost = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    # ---- the gateway's ----

    def say(self, data: bytes) -> None:
        self._to_client.put(data)

    def hang_up(self) -> None:
        if not self._to_client.is_closed:
            self._to_client.close()
            self._reader.feed_eof()

    @property
    def is_hung_up(self) -> bool:
        return self._to_client.is_closed


class _Writer:
    """As `asyncio.StreamWriter`."""

    def __init__(self, ends: _Ends) -> None:
        self._ends = ends

    def write(self, data: bytes) -> None:
        self._ends.say(data)

    def is_closing(self) -> bool:
        return self._ends.is_hung_up

    def close(self) -> None:
        self._ends.hang_up()

    async def wait_closed(self) -> None:
        """At once: nobody waits for the bytes that are under way."""


class StoryGateway(TwsGateway):
    """A gateway in a story's loop, at `PORT`, as long as it is started."""

    PORT = 4002

    def __init__(self, way: Way, **options: Any) -> None:
        super().__init__(**options)
        self._way = way
        self.port = self.PORT
        self.is_up = False

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, in the running loop."""
        self.is_up = True
        loop: Any = asyncio.get_running_loop()
        loop.create_connection = self._connect
        return self.port

    async def stop(self) -> None:
        """Listen no more, and close what is open."""
        self.is_up = False
        await super().stop()

    async def _connect(self, factory: Callable[[], Any], _host: str, port: int) -> tuple[Any, Any]:
        await self._way.wait()
        if not self.is_up or port != self.port:
            raise ConnectionRefusedError(111, f"Connect call failed ('127.0.0.1', {port})")
        protocol = factory()
        return _Ends(protocol, self._serve, self._way), protocol
