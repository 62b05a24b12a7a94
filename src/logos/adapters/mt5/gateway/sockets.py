"""The gateway's four ZeroMQ sockets: connected, bounded, read without ever losing a frame.

Waiting is polling: a poll takes nothing from the socket, so giving it up (a timeout, a cancel)
loses nothing. Nothing lingers: what was not sent when a socket is closed is thrown away.

ZeroMQ connects again by itself after most failures, not after all: a connection that went silent
without a word looks alive, and one that carried a frame beyond the hard bound is never made again.
So a port that brought nothing for `renew_after_s` is opened anew by whoever listened in vain, and
so are all of them after the terminal was found dead. While a terminal dies, a socket may say that
it has a frame and have none after all (zmq.Again): it is waited for again. Whatever else a socket
fails with, its port is opened anew, and whoever listened hears a `PortError`.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import Final

import zmq
import zmq.asyncio

from logos.adapters.mt5.gateway.settings import CurveKeys, Endpoints, GatewaySettings
from logos.errors import LogosError

SYSTEM: Final = "system"
DATA: Final = "data"
LIVE: Final = "live"
STREAMING: Final = "streaming"

FRAME_BYTES_MAX: Final = 64 * 1024 * 1024
"""The hard bound: ZeroMQ ends a connection on which a longer frame comes, before it is read."""

SEVERAL_PARTS: Final = b"\x00"
"""What a message of several parts, which nobody sends, is read as: it is no JSON."""

_RECONNECT_MS: Final = 50
_RECONNECT_MS_MAX: Final = 1000


class PortError(LogosError):
    """A port failed and was opened anew; what was on its way is lost."""


class Sockets:
    """Connections to one terminal; make it inside the event loop that uses it."""

    def __init__(
        self, endpoints: Endpoints, settings: GatewaySettings, curve: CurveKeys | None
    ) -> None:
        self._endpoints = endpoints
        self._settings = settings
        self._curve = curve
        self._is_closed = False
        self._context = zmq.asyncio.Context()
        self._ports = {
            SYSTEM: (zmq.REQ, endpoints.system),
            DATA: (zmq.PULL, endpoints.data),
            LIVE: (zmq.PULL, endpoints.live),
            STREAMING: (zmq.PULL, endpoints.streaming),
        }
        self._sockets = {name: self._connect(name) for name in self._ports}
        self._heard_ns = dict.fromkeys(self._ports, perf_counter_ns())
        self._renew_after_ns = round(settings.renew_after_s * 1_000_000_000)

    def close(self) -> None:
        """Close all of them."""
        self._is_closed = True
        for socket in self._sockets.values():
            socket.close(linger=0)
        self._context.term()

    def reopen(self, name: str) -> None:
        """A new connection in the place of the old one. Nobody may be waiting at it."""
        self._sockets[name].close(linger=0)
        self._sockets[name] = self._connect(name)
        self._heard_ns[name] = perf_counter_ns()

    def distrust(self) -> None:
        """Every port is to be opened anew when it is next listened to in vain."""
        for name in (DATA, LIVE, STREAMING):
            self._heard_ns[name] = -self._renew_after_ns

    async def can_send(self, deadline_ns: int) -> bool:
        """Whether a terminal is connected to the request socket by then (`perf_counter_ns`)."""
        return await self._poll(SYSTEM, zmq.POLLOUT, deadline_ns)

    async def send(self, frame: bytes) -> None:
        """Send a request. Raises zmq.ZMQError."""
        await self._sockets[SYSTEM].send(frame, zmq.NOBLOCK)

    async def receive(self, name: str, deadline_ns: int) -> bytes | None:
        """The next frame; None when none came by then. Raises PortError."""
        try:
            while await self._poll(name, zmq.POLLIN, deadline_ns):
                try:
                    parts: list[bytes] = await self._sockets[name].recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    continue  # its sender has gone, and the frame with it
                self._heard_ns[name] = perf_counter_ns()
                return parts[0] if len(parts) == 1 else SEVERAL_PARTS
        except zmq.ZMQError as error:
            if not self._is_closed:
                self.reopen(name)
            raise PortError(f"the {name} port failed: {error.strerror}") from None
        # Now rather than at the next call: who hears of the silence asks what was missed.
        if name in (LIVE, STREAMING):
            self._renew(name)
        return None

    def drain(self) -> int:
        """Throw away the answers that wait, before a request is sent; how many there were."""
        self._renew(DATA)
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

    def _renew(self, name: str) -> None:
        """Open a port anew that has been silent for too long: what it looks like proves nothing."""
        if perf_counter_ns() - self._heard_ns[name] >= self._renew_after_ns:
            self.reopen(name)

    def _connect(self, name: str) -> zmq.asyncio.Socket:
        kind, port = self._ports[name]
        socket = self._context.socket(kind)
        socket.linger = 0
        socket.setsockopt(zmq.MAXMSGSIZE, FRAME_BYTES_MAX)
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
