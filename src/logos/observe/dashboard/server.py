"""Serves the dashboard with uvicorn: bounded connections, no waiting for slow ones, an end at once.

uvicorn waits without end for a client that sends half a request or does not read its answer. Here
each has its time, counted in the connection itself; the others are served meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any, Final

from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from logos.observe.dashboard.app import Dashboard
from logos.observe.serving import Certificate

CONNECTIONS_MAX: Final = 64
"""At a time; further ones are closed at once."""
REQUEST_S: Final = 10.0
"""How long a client may take for a request."""
STALLED_S: Final = 20.0
"""How long a client may leave unread what it was sent."""
_HEAD_BYTES_MAX: Final = 16 << 10
_KEEP_ALIVE_S: Final = 15
_SEND_BYTES: Final = 256 << 10
"""What the system holds for a client that does not read; without a bound it is megabytes."""


class DashboardServer:
    """The server; it listens from when it is made, and answers while `run` does."""

    def __init__(
        self, address: tuple[str, int], dashboard: Dashboard, certificate: Certificate | None = None
    ) -> None:
        """Port 0 is any free one. Raises OSError for an address that cannot be listened on and for
        files of TLS that cannot be used (ssl.SSLError is one)."""
        self._dashboard = dashboard
        self._socket = _listening(address)
        try:
            config = Config(
                dashboard,
                http=_Connection,
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=1,
                ssl_certfile=None if certificate is None else certificate.certificate,
                ssl_keyfile=None if certificate is None else certificate.key,
            )
            config.load()
            if config.ssl is not None:
                config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
        except BaseException:
            self._socket.close()
            raise
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # the words of strangers
        self._is_tls = dashboard.is_tls = config.ssl is not None
        dashboard.cookie = f"{dashboard.cookie}_{self._socket.getsockname()[1]}"
        self._server = _Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopped = False

    @property
    def url(self) -> str:
        """Where the page is."""
        host, port = self._socket.getsockname()[:2]
        name = f"[{host}]" if ":" in host else host
        return f"{'https' if self._is_tls else 'http'}://{name}:{port}/"

    def run(self) -> None:
        """Serve until `stop`, or in the main thread until SIGINT or SIGTERM."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self._end)
        if self._is_stopped:
            self._socket.close()
            return
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """End `run`; from any thread."""
        self._is_stopped = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._dashboard.closing.set()
        self._server.should_exit = True
        for connection in list(self._server.server_state.connections):
            if isinstance(connection, _Connection):
                connection.end_if_stalled()


class _Server(Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours."""
        yield


class _Connection(H11Protocol):
    """One connection, with a time for what it has to do."""

    _asking: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Take it, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
            return
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        """A part of a request."""
        super().data_received(data)
        self._wait_for_request()

    def _wait_for_request(self) -> None:
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if is_answering:
            self._forget_request()
        elif self._asking is None:
            self._asking = self.loop.call_later(REQUEST_S, self.transport.abort)

    def _forget_request(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def pause_writing(self) -> None:
        """The client does not read: what waits for it is bounded, and so is the time."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def end_if_stalled(self) -> None:
        """Close a connection that would wait for a client."""
        if self._stalled is not None or self._asking is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._forget_request()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().connection_lost(exc)


def _listening(address: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)
        made.bind(address)
        made.listen(2 * CONNECTIONS_MAX)
        made.setblocking(False)
    except OSError as error:
        made.close()
        place = f"{address[0]}:{address[1]}"
        raise OSError(error.errno, error.strerror, place) from None
    return made
