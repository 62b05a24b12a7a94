"""The ports of the simulated terminal: one is asked, and by three it tells things.

What comes is read as soon as the event loop has a turn for it, with no task or future for each
request: a terminal is not to be what bounds a stress run. Sending never waits.

Its own mode keeps what there is no client for and sends it in its order once there is one; the
published Expert Advisor sends without waiting and keeps nothing (JsonAPI.mq5:697-705).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final

import zmq

PENDING_MAX: Final = 10_000
"""Frames that wait for a client, for each port; more are dropped and counted."""

_CANNOT_SEND_S: Final = 0.02


class SystemPort:
    """The router that requests come to; made in the event loop that reads it."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.socket = context.socket(zmq.ROUTER)
        """To be bound."""
        self._has_news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        descriptor = self.socket.getsockopt(zmq.FD)
        assert isinstance(descriptor, int)
        self._descriptor = descriptor
        self._loop.add_reader(self._descriptor, self._on_news)

    def _on_news(self) -> None:
        # Asking takes back the news, which would come again at once and for ever.
        events = self.socket.getsockopt(zmq.EVENTS)
        assert isinstance(events, int)
        if events & zmq.POLLIN:
            self._has_news.set()

    def read(self) -> list[bytes] | None:
        """The next request, in the parts of its message; None where there is none."""
        try:
            return self.socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    async def next(self) -> list[bytes]:
        """The next request; waits for it. There is a turn of the loop before each."""
        await asyncio.sleep(0)
        while (parts := self.read()) is None:
            self._has_news.clear()
            if (parts := self.read()) is not None:  # news of it was taken back by a sending
                return parts
            await self._has_news.wait()
        return parts

    def confirm(self, client: bytes) -> None:
        """Tell a client that its request was read; one that has gone is not told."""
        self.socket.send_multipart([client, b"", b"OK"], zmq.NOBLOCK)

    def close(self) -> None:
        """Close it."""
        self._loop.remove_reader(self._descriptor)
        self.socket.close(linger=0)


class PushPorts:
    """PUSH sockets by name; `keeps`: whether a frame without a client waits for one."""

    def __init__(self, names: Iterable[str], keeps: bool) -> None:
        self._keeps = keeps
        self._sockets: dict[str, zmq.Socket[bytes]] = {}
        self._pending: dict[str, deque[bytes]] = {name: deque() for name in names}
        self._wakes: dict[str, asyncio.Event] = {}
        self.dropped = 0
        """Frames for which there was no client, or no room."""

    def make(self, name: str, context: zmq.Context[zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
        """The socket of a port, to be bound."""
        made = self._sockets[name] = context.socket(zmq.PUSH)
        self._wakes[name] = asyncio.Event()
        return made

    def close(self) -> None:
        """Close all of them."""
        for socket in self._sockets.values():
            socket.close(linger=0)
        self._sockets.clear()

    def push(self, name: str, frame: bytes) -> None:
        """Send a frame now if that is possible, in its turn otherwise."""
        socket = self._sockets.get(name)
        if socket is None:
            return
        pending = self._pending[name]
        if not pending:
            try:
                socket.send(frame, zmq.NOBLOCK)
                return
            except zmq.Again:
                if not self._keeps:
                    self.dropped += 1
                    return
        if len(pending) >= PENDING_MAX:
            pending.popleft()
            self.dropped += 1
        pending.append(frame)
        self._wakes[name].set()

    async def send(self, name: str) -> None:
        """Send what had to wait, for ever, in its order, as soon as somebody is there."""
        pending, wake = self._pending[name], self._wakes[name]
        socket = self._sockets[name]
        while True:
            if not pending:
                wake.clear()
                await wake.wait()
            try:
                socket.send(pending[0], zmq.NOBLOCK)
                pending.popleft()
            except zmq.Again:
                await asyncio.sleep(_CANNOT_SEND_S)
