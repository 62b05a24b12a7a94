"""The gateway's four ZeroMQ sockets: connected, bounded, read without ever losing a frame.

One thread has them, and waits for all of them at once: what comes by itself is handed over while it
waits for something else, but for the first moments in which a request is being confirmed. Waiting
is polling: a poll takes nothing from a socket, so giving it up loses nothing. Nothing lingers: what
was not sent when a socket is closed is thrown away.

ZeroMQ connects again by itself after most failures, not after all: a connection that went silent
without a word looks alive, and one that carried a frame beyond the hard bound is never made again.
So a port that brought nothing for `renew_after_s` is opened anew once somebody listened in vain,
and so are all of them after the terminal was found dead. While a terminal dies, a socket may say
that it has a frame and have none after all (zmq.Again): it is waited for again. Whatever else a
socket fails with, its port is opened anew, and whoever listened hears a `PortError`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter_ns
from typing import Any, Final, Protocol

import zmq

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
_FRAMES_MAX: Final = 256
"""How many frames of a port are handed over before the others have their turn."""

_ALONE_MS: Final = 2
"""For so long a confirmation is waited for alone: a terminal that is well needs a fraction."""

Plain = zmq.Socket[bytes]


class PortError(LogosError):
    """A port failed and was opened anew; what was on its way is lost."""


class Takes(Protocol):
    """Who takes what comes by itself."""

    def wants(self, name: str) -> bool:
        """Whether a frame of that port would be taken now."""

    def take(self, name: str, frame: bytes | PortError) -> None:
        """One frame, or that its port failed."""


class Waker:
    """Ends a wait of the thread, from any other."""

    def __init__(self) -> None:
        self.descriptor, self._end = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._end, False)

    def wake(self) -> None:
        """End the wait that is, or the next one."""
        with suppress(BlockingIOError):  # full: it will wake anyway
            os.write(self._end, b"\0")

    def clear(self) -> None:
        """It is awake."""
        with suppress(BlockingIOError):
            os.read(self.descriptor, 4096)

    def close(self) -> None:
        """Let go of the descriptors."""
        os.close(self.descriptor)
        os.close(self._end)


class Sockets:
    """Connections to one terminal; make it inside the thread that uses it."""

    def __init__(
        self,
        endpoints: Endpoints,
        settings: GatewaySettings,
        curve: CurveKeys | None,
        takes: Takes,
        waker: Waker,
    ) -> None:
        self._endpoints = endpoints
        self._settings = settings
        self._curve = curve
        self._takes = takes
        self._waker = waker
        self._context: zmq.Context[Plain] = zmq.Context()
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
        for socket in self._sockets.values():
            socket.close(linger=0)
        self._context.term()

    def reopen(self, name: str) -> None:
        """A new connection in the place of the old one."""
        self._sockets[name].close(linger=0)
        self._sockets[name] = self._connect(name)
        self._heard_ns[name] = perf_counter_ns()

    def distrust(self) -> None:
        """Every port is to be opened anew when it is next listened to in vain."""
        for name in (DATA, LIVE, STREAMING):
            self._heard_ns[name] = -self._renew_after_ns

    def send(self, frame: bytes) -> None:
        """Send a request. Raises zmq.ZMQError, zmq.Again where no terminal is connected."""
        self._sockets[SYSTEM].send(frame, zmq.NOBLOCK)

    def can_send(self, deadline_ns: int, is_over: Callable[[], bool]) -> bool:
        """Whether a terminal is connected to the request socket by then (`perf_counter_ns`)."""
        if _is_ready(self._sockets[SYSTEM], zmq.POLLOUT):
            return True
        while not self.hand_over(_left_ms(deadline_ns), SYSTEM, zmq.POLLOUT):
            if is_over() or perf_counter_ns() >= deadline_ns:
                return False
        return True

    def receive(self, name: str, deadline_ns: int, is_over: Callable[[], bool]) -> bytes | None:
        """The next frame; None when none came by then, or it `is_over`. Raises PortError."""
        is_alone = name == SYSTEM
        while not is_over():
            try:
                left_ms = _left_ms(deadline_ns)
                if is_alone:
                    is_alone, is_ready = False, self._is_confirmed(min(left_ms, _ALONE_MS))
                else:
                    is_ready = self.hand_over(left_ms, name)
                if is_ready:
                    return self._read(name)
            except zmq.Again:
                pass  # its sender has gone, and the frame with it
            except zmq.ZMQError as error:
                self.reopen(name)
                raise PortError(f"the {name} port failed: {error.strerror}") from None
            if perf_counter_ns() >= deadline_ns:
                break
        return None

    def _is_confirmed(self, wait_ms: int) -> bool:
        """Whether something comes to the request socket so soon. Nothing else is looked at: each
        price that wakes the thread would have it wait for the interpreter, with the lock held."""
        system, waker = self._sockets[SYSTEM], self._waker
        ready: dict[Any, int] = dict(
            zmq.zmq_poll([(system, zmq.POLLIN), (waker.descriptor, zmq.POLLIN)], wait_ms)
        )
        if waker.descriptor in ready:
            waker.clear()
        return system in ready

    def hand_over(self, wait_ms: int, wanted: str = "", flag: int = zmq.POLLIN) -> bool:
        """Wait for anything, so long at most, and hand over what came by itself; whether `wanted`
        is ready. Raises zmq.ZMQError of `wanted`."""
        others = [name for name in (STREAMING, DATA, LIVE) if name != wanted]
        if wanted == SYSTEM and flag == zmq.POLLIN:
            others.remove(DATA)  # no answer before its request is known to have been read
        others = [name for name in others if self._takes.wants(name)]
        polled: list[Any] = [(self._sockets[name], zmq.POLLIN) for name in others]
        if wanted:
            polled.append((self._sockets[wanted], flag))
        polled.append((self._waker.descriptor, zmq.POLLIN))
        ready: dict[Any, int] = dict(zmq.zmq_poll(polled, wait_ms))
        if self._waker.descriptor in ready:
            self._waker.clear()
        for name in others:
            if self._sockets[name] in ready:
                self._hand_over(name)
        return bool(wanted) and self._sockets[wanted] in ready

    def hand_over_now(self) -> None:
        """The same of what is there already: each socket is asked, which takes a tenth of a poll
        and leaves this thread the interpreter."""
        for name in (STREAMING, DATA, LIVE):
            if self._takes.wants(name) and _is_ready(self._sockets[name], zmq.POLLIN):
                self._hand_over(name)

    def _hand_over(self, name: str) -> None:
        socket = self._sockets[name]
        try:
            for _ in range(_FRAMES_MAX):
                if not self._takes.wants(name):
                    return
                self._takes.take(name, self._read(name))
                # Most often there is no more, and an exception that says so costs more than asking.
                if not _is_ready(socket, zmq.POLLIN):
                    return
        except zmq.Again:
            return
        except zmq.ZMQError as error:
            self.reopen(name)
            self._takes.take(name, PortError(f"the {name} port failed: {error.strerror}"))

    def _read(self, name: str) -> bytes:
        parts: list[bytes] = self._sockets[name].recv_multipart(zmq.NOBLOCK)
        self._heard_ns[name] = perf_counter_ns()
        return parts[0] if len(parts) == 1 else SEVERAL_PARTS

    def drain(self) -> int:
        """Throw away the answers that wait, before a request is sent; how many there were."""
        self.renew(DATA)
        count = 0
        while True:
            try:
                self._sockets[DATA].recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return count
            count += 1

    def renew(self, name: str) -> None:
        """Open a port anew that has been silent for too long: what it looks like proves nothing."""
        if perf_counter_ns() - self._heard_ns[name] >= self._renew_after_ns:
            self.reopen(name)

    def _connect(self, name: str) -> Plain:
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


def _is_ready(socket: Plain, flag: int) -> bool:
    """Whether it can be read or written now."""
    events = socket.getsockopt(zmq.EVENTS)
    assert isinstance(events, int)
    return bool(events & flag)


def _left_ms(deadline_ns: int) -> int:
    return max(0, (deadline_ns - perf_counter_ns() + 999_999) // 1_000_000)
