"""etcd as a coordinator, through its JSON gateway: HTTP and JSON of the standard library.

What counts on the way: keys and values are base64 and numbers are texts; a refused compare-and-set
has no `succeeded` at all, a missing key no `kvs`, an expired lease no `TTL`. A serializable read
answers without a majority, so none is made here: an engine's renewal and its look at the switch are
one transaction with a write in it, which a majority has to agree to.

A lease is kept alive before the transaction. The permit may not outlive it: whoever lists the
engines must find each that may still trade.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from logos.core.types import NS_PER_SECOND
from logos.killswitch.fleet.permit import boot_ns
from logos.killswitch.fleet.records import (
    MARGIN_NS,
    CoordinatorError,
    EngineEntry,
    FleetRecord,
    Reading,
    ValueDamagedError,
    decode_entry,
    encode,
    engines_prefix,
    switch_key,
)
from logos.killswitch.fleet.store import Coordinator, Polled

T = TypeVar("T")

_ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
_LINE_BYTES_MAX: Final = 1024 * 1024
_MESSAGE_CHARACTERS_MAX: Final = 200
LEASE_GONE: Final = "requested lease not found"
_LOGIN_AGAIN: Final = ("invalid auth token", "revision of auth store is old")
_NOT_ETCD: Final = (ValueError, KeyError, TypeError, IndexError, AttributeError)
"""What reading an answer of another shape than etcd's may raise."""


class _RefusedError(Exception):
    """etcd answered with an error; its message."""


class _Endpoint:
    """One connection to one endpoint, kept open."""

    def __init__(self, url: str, terms: Coordinator) -> None:
        parts = urlsplit(url)
        self.url = url
        self._host = parts.hostname or ""
        self._port = parts.port
        self._context: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._context = _tls(terms)
        self._connection: http.client.HTTPConnection | None = None

    def post(
        self, path: str, body: Mapping[str, Any], token: str, timeout_s: float
    ) -> http.client.HTTPResponse:
        """The answer, its head read. Raises OSError, http.client.HTTPException."""
        connection = self._connection
        if connection is None:
            if self._context is None:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
            else:
                connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=timeout_s, context=self._context
                )
            self._connection = connection
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = token
        connection.request("POST", path, json.dumps(body), headers)
        return connection.getresponse()

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.sock is not None:
            with suppress(OSError):  # else a thread that reads holds the closing up
                connection.sock.shutdown(socket.SHUT_RDWR)
        connection.close()


def _tls(terms: Coordinator) -> ssl.SSLContext:
    """Raises CoordinatorError when the files cannot be used; names them, shows nothing of them."""
    try:
        context = ssl.create_default_context(cafile=terms.ca)
        if terms.certificate is not None:
            context.load_cert_chain(terms.certificate, terms.key)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        names = ", ".join(str(each) for each in (terms.ca, terms.certificate, terms.key) if each)
        raise CoordinatorError(
            f"the TLS files cannot be used ({names}): {type(error).__name__}"
        ) from None
    return context


class EtcdStore:
    """The switch of one fleet in etcd."""

    limits: Final = ""

    def __init__(self, terms: Coordinator, clock: Callable[[], int] = boot_ns) -> None:
        """Connects to nobody yet. Raises CoordinatorError when the TLS files cannot be used."""
        self._terms = terms
        self._clock = clock
        self._endpoints = [_Endpoint(url, terms) for url in terms.endpoints]
        self._watching = [_Endpoint(url, terms) for url in terms.endpoints]
        self._first = 0
        self._token = ""
        self._lease = ""
        self._listed_until_ns = 0
        self._switch = b64(switch_key(terms.fleet).encode())
        self._stream: http.client.HTTPResponse | None = None
        self._stream_number = 0

    # ---- what a coordinator does ----

    def poll(self, entry: EngineEntry) -> Polled:
        """As `Store.poll`."""
        self.keep_lease()
        key = engines_prefix(self._terms.fleet) + entry.token
        put = {"key": b64(key.encode()), "value": b64(encode(entry)), "lease": self._lease}
        try:
            answer = self.ask(
                "/v3/kv/txn",
                {"success": [{"request_range": {"key": self._switch}}, {"request_put": put}]},
            )
        except CoordinatorError as error:
            if LEASE_GONE in str(error):
                self._lease = ""
            raise
        reading = understood(lambda: reading_of(answer, answer["responses"][0]["response_range"]))
        return Polled(reading, self._listed_until_ns)

    def read(self) -> Reading:
        """As `Store.read`."""
        answer = self.ask("/v3/kv/range", {"key": self._switch})
        return understood(lambda: reading_of(answer, answer))

    def swap(self, record: FleetRecord, revision: int) -> int:
        """As `Store.swap`."""
        is_at = {"key": self._switch, "result": "EQUAL", "target": "MOD"}
        put = {"key": self._switch, "value": b64(encode(record))}
        answer = self.ask(
            "/v3/kv/txn",
            {
                "compare": [{**is_at, "mod_revision": str(revision)}],
                "success": [{"request_put": put}],
            },
        )
        if not answer.get("succeeded"):
            return 0
        return understood(lambda: int(answer["header"]["revision"]))

    def engines(self) -> Sequence[EngineEntry]:
        """As `Store.engines`."""
        prefix = engines_prefix(self._terms.fleet).encode()
        end = prefix[:-1] + bytes([prefix[-1] + 1])
        answer = self.ask("/v3/kv/range", {"key": b64(prefix), "range_end": b64(end)})

        def entries() -> list[EngineEntry]:
            found = []
            for each in answer.get("kvs", ()):
                name = base64.b64decode(each["key"]).decode()
                try:
                    found.append(decode_entry(base64.b64decode(each.get("value", ""))))
                except ValueDamagedError as error:
                    raise CoordinatorError(f"the entry {name} {error}") from None
            return found

        return understood(entries)

    def wait(self, timeout_s: float) -> bool:
        """As `Store.wait`. A watch on the key; a cluster without a leader ends it."""
        del timeout_s  # the socket's own: an idle watch ends, and is begun anew
        try:
            stream = self._stream or self._open_watch()
            line = stream.readline(_LINE_BYTES_MAX)
            news = json.loads(line)["result"]
        except (OSError, http.client.HTTPException, *_NOT_ETCD):
            self._end_watch()
            return False
        return bool(news.get("events")) or bool(news.get("canceled"))

    def close(self) -> None:
        """As `Store.close`."""
        for each in (*self._endpoints, *self._watching):
            each.close()

    # ---- parts ----

    def keep_lease(self) -> None:
        """See to it that there is a lease, kept alive a moment ago. Raises CoordinatorError."""
        began_ns = self._clock()
        if self._lease:
            answer = self.ask("/v3/lease/keepalive", {"ID": self._lease})
            alive = understood(lambda: int(answer["result"].get("TTL", "0")))
            if alive:
                self._listed_until_ns = began_ns + alive * NS_PER_SECOND - MARGIN_NS
                return
        seconds = self._terms.lease_ns // NS_PER_SECOND
        answer = self.ask("/v3/lease/grant", {"TTL": str(seconds)})
        granted = understood(lambda: (str(answer["ID"]), int(answer["TTL"])))
        self._lease = granted[0]
        self._listed_until_ns = began_ns + granted[1] * NS_PER_SECOND - MARGIN_NS

    def ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of the first endpoint that gives one. Raises CoordinatorError."""
        problems = []
        for number in range(len(self._endpoints)):
            at = (self._first + number) % len(self._endpoints)
            endpoint = self._endpoints[at]
            try:
                answer = self._ask_one(endpoint, path, body)
            except _RefusedError as error:
                problems.append(f"{endpoint.url}: {error}")
                if LEASE_GONE in str(error):
                    break
            except (OSError, http.client.HTTPException, *_NOT_ETCD) as error:
                endpoint.close()
                problems.append(f"{endpoint.url}: {_words(error)}")
            else:
                self._first = at
                return answer
        raise CoordinatorError(f"etcd did not answer: {'; '.join(problems)}")

    def _ask_one(self, endpoint: _Endpoint, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if self._terms.user and not self._token:
            self._log_in(endpoint)
        try:
            return self._post(endpoint, path, body)
        except _RefusedError as error:
            if not self._terms.user or not any(word in str(error) for word in _LOGIN_AGAIN):
                raise
        self._log_in(endpoint)
        return self._post(endpoint, path, body)

    def _log_in(self, endpoint: _Endpoint) -> None:
        password = self._terms.password
        secret = "" if password is None else password()
        login = {"name": self._terms.user, "password": secret}
        self._token = ""
        self._token = str(self._post(endpoint, "/v3/auth/authenticate", login)["token"])

    def _post(self, endpoint: _Endpoint, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        response = endpoint.post(path, body, self._token, self._terms.request_s)
        content = response.read(_ANSWER_BYTES_MAX + 1)
        if len(content) > _ANSWER_BYTES_MAX:
            raise OSError(f"its answer is larger than {_ANSWER_BYTES_MAX} bytes")
        if response.status != http.client.OK:
            raise _RefusedError(_message(content) or f"HTTP status {response.status}")
        answer = json.loads(content)
        if not isinstance(answer, dict):
            raise TypeError("not an object")
        return answer

    def _open_watch(self) -> http.client.HTTPResponse:
        """A watch on the switch, at another endpoint than the last one."""
        self._stream_number += 1
        endpoint = self._watching[self._stream_number % len(self._watching)]
        endpoint.close()
        created = {"create_request": {"key": self._switch, "progress_notify": True}}
        idle_s = max(2 * self._terms.ttl_ns / NS_PER_SECOND, 10.0)
        stream = endpoint.post("/v3/watch", created, self._token, idle_s)
        if stream.status != http.client.OK:
            raise OSError(f"HTTP status {stream.status}")
        self._stream = stream
        return stream

    def _end_watch(self) -> None:
        self._stream = None
        self._watching[self._stream_number % len(self._watching)].close()


def reading_of(answer: Mapping[str, Any], found: Mapping[str, Any]) -> Reading:
    """The reading in the range `found` of an answer. Raises what `understood` takes up."""
    header = answer["header"]
    cluster, position = str(header["cluster_id"]), int(header["revision"])
    kvs = found.get("kvs")
    if not kvs:
        return Reading(cluster, position, None, 0)
    value = base64.b64decode(kvs[0].get("value", ""), validate=True)
    return Reading(cluster, position, value, int(kvs[0]["mod_revision"]))


def understood(read: Callable[[], T]) -> T:
    """What `read` makes of an answer. Raises CoordinatorError for one of another shape."""
    try:
        return read()
    except _NOT_ETCD as error:
        raise CoordinatorError(f"etcd answered in an unknown form ({_words(error)})") from None


def b64(value: bytes) -> str:
    """A key or value as the gateway takes it."""
    return base64.b64encode(value).decode()


def _words(error: BaseException) -> str:
    text = str(error)[:_MESSAGE_CHARACTERS_MAX]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _message(content: bytes) -> str:
    """What etcd says in an error; made to fit one line."""
    try:
        text = str(json.loads(content)["message"])
    except _NOT_ETCD:
        text = content[:_MESSAGE_CHARACTERS_MAX].decode(errors="replace")
    return "".join(c if c.isprintable() else " " for c in text)[:_MESSAGE_CHARACTERS_MAX].strip()
