"""The ports by which the simulated terminal tells things: sending never waits.

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
