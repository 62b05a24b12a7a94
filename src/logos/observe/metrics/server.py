"""Serves the page over HTTP: `/metrics` for Prometheus, `/-/healthy` for probes.

Figures of trading are nobody else's business. Without credentials it listens on this machine alone
and answers only to names of this machine: a page of a browser that a foreign name was bound to is
refused. Elsewhere it wants a bearer token or a user and password (from the environment or `.env`),
and TLS. A client that is slow or opens many connections holds up nobody but itself.
"""

from __future__ import annotations

import base64
import gzip
import socket
import ssl
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from logos.config.environment import Environment
from logos.config.secret import Secret
from logos.errors import ConfigError
from logos.loopback import is_loopback
from logos.observe.metrics.exposition import Page
from logos.observe.serving import Certificate, check_address, is_equal, is_named_here

TOKEN: Final = "LOGOS_METRICS_TOKEN"  # noqa: S105 - the name of a variable
USER: Final = "LOGOS_METRICS_USER"
PASSWORD: Final = "LOGOS_METRICS_PASSWORD"  # noqa: S105 - the name of a variable
TIMEOUT_S: Final = 10.0
"""How long a client may take for its request, and to read the answer."""
CONNECTIONS_MAX: Final = 16
"""At a time; further ones are closed at once."""
_GZIP_LEVEL: Final = 1


class Access(NamedTuple):
    """Who may read the page. Both None: whoever is on this machine."""

    bearer: Secret | None = None
    basic: Secret | None = None
    """`user:password`."""

    @property
    def is_open(self) -> bool:
        """Whether no credentials are asked for."""
        return self.bearer is None and self.basic is None

    def allows(self, authorization: str) -> bool:
        """Whether the header `Authorization` may pass. Takes as long for a near miss as for any."""
        if self.is_open:
            return True
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() == "bearer" and self.bearer is not None:
            return is_equal(given.strip(), self.bearer.reveal())
        if scheme.lower() == "basic" and self.basic is not None:
            try:
                decoded = base64.b64decode(given.strip(), validate=True).decode()
            except ValueError:
                return False
            return is_equal(decoded, self.basic.reveal())
        return False


def read_access(environment: Environment) -> Access:
    """The credentials that a scrape must have, from the environment or `.env`.

    Raises ConfigError for half of a pair, and when `.env` cannot be read.
    """
    found = {name: environment.find(name) for name in (TOKEN, USER, PASSWORD)}
    values = {name: each.value for name, each in found.items() if each is not None}
    if (USER in values) != (PASSWORD in values):
        given, missing = (USER, PASSWORD) if USER in values else (PASSWORD, USER)
        raise ConfigError(f"{given} is set and {missing} is not: set both, or neither")
    if ":" in values.get(USER, ""):
        raise ConfigError(f"{USER} has a colon, which no user of basic authentication may have")
    return Access(
        Secret(values[TOKEN]) if TOKEN in values else None,
        Secret(f"{values[USER]}:{values[PASSWORD]}") if USER in values else None,
    )


def check_listening(
    host: str, access: Access, certificate: Certificate | None, *, is_plain: bool
) -> None:
    """Raise ConfigError unless it is safe to listen on `host`; `is_plain`: without TLS, on a
    network that is trusted, as the operator says."""
    credentials = f"{TOKEN}, or {USER} and {PASSWORD}"
    check_address(host, credentials, certificate, is_open=access.is_open, is_plain=is_plain)


class MetricsServer:
    """The server, in threads of its own from the moment that it is made; `close` ends it."""

    def __init__(
        self,
        address: tuple[str, int],
        page: Page,
        access: Access = Access(),  # noqa: B008 - it cannot change
        certificate: Certificate | None = None,
    ) -> None:
        """Port 0 is any free one. Raises OSError for an address that cannot be listened on and for
        files of TLS that cannot be used (ssl.SSLError is one)."""
        self._server = _Server(address, _Handler)
        try:
            self._server.page = page
            self._server.access = access
            self._server.names_any = not is_loopback(address[0]) or not access.is_open
            if certificate is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                context.load_cert_chain(certificate.certificate, certificate.key)
                self._server.context = context
        except BaseException:
            self._server.server_close()
            raise
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the page is."""
        host, port = self._server.server_address[:2]
        name = f"[{host!s}]" if ":" in str(host) else str(host)
        scheme = "http" if self._server.context is None else "https"
        return f"{scheme}://{name}:{port}/metrics"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    page: Page
    access: Access
    names_any = False
    """Whether a request may name any host."""
    context: ssl.SSLContext | None = None
    daemon_threads = True
    block_on_close = False
    request_queue_size = 2 * CONNECTIONS_MAX  # with fewer a burst waits a second for its next try

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self._free = threading.BoundedSemaphore(CONNECTIONS_MAX)
        super().__init__(address, handler)

    def process_request(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        """In a thread of its own, if there is one left."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        """TLS begins here, where a client that says nothing waits alone."""
        try:
            request.settimeout(TIMEOUT_S)
            if self.context is not None:
                request = self.context.wrap_socket(request, server_side=True)
            super().process_request_thread(request, client_address)
        except OSError:
            self.shutdown_request(request)
        finally:
            self._free.release()

    def handle_error(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        """A client that goes away is no error; a fault of ours is one, and stays visible."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = TIMEOUT_S
    server_version = "logos"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer one request."""
        path = urlsplit(self.path).path
        if not self.server.names_any and not is_named_here(self.headers.get("Host", "")):
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, b"not a name of this machine\n")
        elif path == "/-/healthy":
            self._answer(HTTPStatus.OK, b"ok\n")
        elif path != "/metrics":
            self._answer(HTTPStatus.NOT_FOUND, b"the metrics are at /metrics\n")
        elif not self.server.access.allows(self.headers.get("Authorization", "")):
            self._answer(HTTPStatus.UNAUTHORIZED, b"credentials are needed\n")
        else:
            content, content_type = self.server.page.encoded(self.headers.get("Accept", ""))
            self._answer(HTTPStatus.OK, content, content_type)

    def _answer(
        self, status: HTTPStatus, content: bytes, content_type: str = "text/plain; charset=utf-8"
    ) -> None:
        is_packed = "gzip" in self.headers.get("Accept-Encoding", "")
        if is_packed:
            content = gzip.compress(content, _GZIP_LEVEL)
        self.send_response(status)
        if status is HTTPStatus.UNAUTHORIZED:
            scheme = "Basic" if self.server.access.bearer is None else "Bearer"
            self.send_header("WWW-Authenticate", f'{scheme} realm="logos"')
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        if is_packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are not logged: a request's line is in the words of strangers."""
