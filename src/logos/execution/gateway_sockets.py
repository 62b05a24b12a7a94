"""The gateway's four ZeroMQ sockets: connected, bounded, read without ever losing a frame.

Waiting is polling: a poll takes nothing from the socket, so giving it up (a timeout, a cancel)
loses nothing. Nothing lingers: what was not sent when a socket is closed is thrown away.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import Final

import zmq
import zmq.asyncio

from logos.execution.gateway_settings import CurveKeys, Endpoints, GatewaySettings

SYSTEM: Final = "system"
DATA: Final = "data"
LIVE: Final = "live"
STREAMING: Final = "streaming"

_OK_BYTES_MAX: Final = 1024
_RECONNECT_MS: Final = 50
_RECONNECT_MS_MAX: Final = 1000


class Sockets:
    """Connections to one terminal; make it inside the event loop that uses it."""

    def __init__(
        self, endpoints: Endpoints, settings: GatewaySettings, curve: CurveKeys | None
    ) -> None:
        self._endpoints = endpoints
        self._settings = settings
        self._curve = curve
        self._context = zmq.asyncio.Context()
        self._sockets = {
            SYSTEM: self._connect(zmq.REQ, endpoints.system, _OK_BYTES_MAX),
            DATA: self._connect(zmq.PULL, endpoints.data, settings.reply_bytes_max),
            LIVE: self._connect(zmq.PULL, endpoints.live, settings.push_bytes_max),
            STREAMING: self._connect(zmq.PULL, endpoints.streaming, settings.push_bytes_max),
        }

    def close(self) -> None:
        """Close all of them."""
        for socket in self._sockets.values():
            socket.close(linger=0)
        self._context.term()

    def reopen_system(self) -> None:
        """A new request socket: the old one's strict turns are over."""
        self._sockets[SYSTEM].close(linger=0)
        self._sockets[SYSTEM] = self._connect(zmq.REQ, self._endpoints.system, _OK_BYTES_MAX)

    async def can_send(self, deadline_ns: int) -> bool:
        """Whether a terminal is connected to the request socket by then (`perf_counter_ns`)."""
        return await self._poll(SYSTEM, zmq.POLLOUT, deadline_ns)

    async def send(self, frame: bytes) -> None:
        """Send a request. Raises zmq.ZMQError."""
        await self._sockets[SYSTEM].send(frame, zmq.NOBLOCK)

    async def receive(self, name: str, deadline_ns: int) -> bytes | None:
        """The next frame; None when none came by then; empty for a message of several parts."""
        if not await self._poll(name, zmq.POLLIN, deadline_ns):
            return None
        parts: list[bytes] = await self._sockets[name].recv_multipart(zmq.NOBLOCK)
        return parts[0] if len(parts) == 1 else b""

    def drain(self) -> int:
        """Throw away the answers that wait; how many there were."""
        data: zmq.Socket[bytes] = zmq.Socket(shadow=self._sockets[DATA])
        count = 0
        while True:
            try:
                data.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return count
            count += 1

    async def _poll(self, name: str, flag: int, deadline_ns: int) -> bool:
        left_ms = max(0, (deadline_ns - perf_counter_ns() + 999_999) // 1_000_000)
        socket = self._sockets[name]
        # The library's types leave the second argument out.
        return bool(await socket.poll(left_ms, flag))  # type: ignore[call-arg]

    def _connect(self, kind: int, port: int, bytes_max: int) -> zmq.asyncio.Socket:
        socket = self._context.socket(kind)
        socket.linger = 0
        # A peer that sends more is cut off by ZeroMQ before it is in memory.
        socket.setsockopt(zmq.MAXMSGSIZE, bytes_max)
        socket.setsockopt(zmq.RCVHWM, self._settings.push_frames_max)
        # Without a terminal nothing is queued: what could not be sent is known not to have left.
        socket.setsockopt(zmq.IMMEDIATE, 1)
        socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, _RECONNECT_MS_MAX)
        if ":" in self._endpoints.host:
            socket.setsockopt(zmq.IPV6, 1)
        if self._curve is not None:
            socket.curve_publickey = self._curve.public.encode()
            socket.curve_secretkey = self._curve.reveal().encode()
            socket.curve_serverkey = self._curve.server_public.encode()
        socket.connect(self._endpoints.address(port))
        return socket
