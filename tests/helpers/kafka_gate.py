"""A gate before a real broker: TLS, client certificates, passwords, and a full disk.

The broker that tests can have (Tansu) does none of these. The gate passes on all else untouched, so
that clients are answered by a real broker, and what they check is what librdkafka checks.

What it answers itself, after https://kafka.apache.org/protocol.html:

| what | to | chapter there |
|---|---|---|
| TLS, with the certificate it is given; clients' certificates | every connection | Python's ssl |
| PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 | SaslHandshake (17), SaslAuthenticate (36) | SASL |
| SASL_AUTHENTICATION_FAILED (58), then no more | a wrong user or password | Error Codes |
| an error of the partition; nothing is stored | Produce (0) from version 3, one partition | API |

KAFKA_STORAGE_ERROR (56) is what a broker says whose log directory failed, a full disk among the
reasons; NOT_ENOUGH_REPLICAS (19) what one says that has lost the others; MESSAGE_TOO_LARGE (10) is
not to be tried again. Not shown here: what a broker does besides when its disk is full.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from kafka_logins import Denied, Exchange, Login
from servers import HOST

PRODUCE, SASL_HANDSHAKE, SASL_AUTHENTICATE = 0, 17, 36
STORAGE_ERROR, NOT_ENOUGH_REPLICAS, MESSAGE_TOO_LARGE = 56, 19, 10
SASL_FAILED, UNSUPPORTED_MECHANISM = 58, 33
FLEXIBLE_PRODUCE = 9
FLEXIBLE_AUTHENTICATE = 2


@dataclass
class Gate:
    """Listens at `port` and passes on to `target`, the port of a broker."""

    context: ssl.SSLContext | None = None
    login: Login | None = None
    target: int = 0
    error: int = 0
    """What producers are answered; 0: what the broker answers."""
    refused: int = 0
    """How many produce requests were answered with an error."""
    logins_s: list[float] = field(default_factory=list)
    """When somebody began to log in, on the monotonic clock."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        _end(self._listener)
        with self.lock:
            for each in self._open:
                _end(each)
        self._accepting.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server: socket.socket | None = None
        try:
            client.settimeout(20)
            if self.context is not None:
                client = self.context.wrap_socket(client, server_side=True)
            server = socket.create_connection((HOST, self.target), 5)
            with self.lock:
                self._open |= {client, server}
            self._pass_on(client, server)
        except (OSError, EOFError):  # a client that trusts nobody leaves; so do we
            pass
        finally:
            _end(client)
            if server is not None:
                _end(server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """One request after the other: each is answered before the next is read."""
        login = self.login
        is_known = login is None
        exchange: Exchange | None = None
        while True:
            frame = _frame(client)
            key, version, correlation = struct.unpack_from(">hhi", frame)
            if key == SASL_HANDSHAKE and login is not None:
                self.logins_s.append(time.monotonic())
                words, _ = _string(frame, _after_head(frame))
                name = login.mechanism.encode()
                code = 0 if words == name else UNSUPPORTED_MECHANISM
                _send(client, struct.pack(">ihih", correlation, code, 1, len(name)) + name)
                exchange = Exchange(login)
            elif key == SASL_AUTHENTICATE and exchange is not None:
                try:
                    answer = exchange.answer(_said(frame, version))
                except Denied as error:
                    _send(client, _authenticated(correlation, version, b"", str(error)))
                    return
                _send(client, _authenticated(correlation, version, answer))
                is_known = exchange.is_over
            elif key == PRODUCE and self.error:
                self.refused += 1
                _send(client, _refusal(frame, version, correlation, self.error))
            else:
                assert is_known or key == 18, f"request {key} before the password"
                _send(server, frame)
                _send(client, _frame(server))


def _said(frame: bytes, version: int) -> bytes:
    """What a client says to log in."""
    place = _after_head(frame)
    if version >= FLEXIBLE_AUTHENTICATE:
        length, place = _varint(frame, place + 1)
        return frame[place : place + length - 1]
    [length] = struct.unpack_from(">i", frame, place)
    return frame[place + 4 : place + 4 + length]


def _authenticated(correlation: int, version: int, answer: bytes, denied: str = "") -> bytes:
    code, words = SASL_FAILED if denied else 0, denied.encode()
    if version >= FLEXIBLE_AUTHENTICATE:
        said = _length(len(words) + 1 if words else 0) + words
        head = struct.pack(">ibh", correlation, 0, code)
        return head + said + _length(len(answer) + 1) + answer + struct.pack(">qb", 0, 0)
    said = struct.pack(">h", len(words) if words else -1) + words
    life = struct.pack(">q", 0) if version == 1 else b""
    return (
        struct.pack(">ih", correlation, code)
        + said
        + struct.pack(">i", len(answer))
        + answer
        + life
    )


def _refusal(frame: bytes, version: int, correlation: int, code: int) -> bytes:
    """The answer to a produce request of one partition."""
    place = _after_head(frame)
    failed = (code, -1, -1, -1)  # base offset, time of appending, start of the log
    if version >= FLEXIBLE_PRODUCE:
        length, place = _varint(frame, place + 1)  # the head's tags, the transactional id
        place += max(length - 1, 0) + 6
        topics, place = _varint(frame, place)
        length, place = _varint(frame, place)
        name = frame[place : place + length - 1]
        partitions, place = _varint(frame, place + length - 1)
        assert (topics, partitions) == (2, 2), "one partition of one topic"
        [number] = struct.unpack_from(">i", frame, place)
        head = struct.pack(">ibbb", correlation, 0, 2, length) + name + b"\x02"
        body = struct.pack(">ihqqq", number, *failed) + b"\x01\x00\x00"
        return head + body + b"\x00" + struct.pack(">ib", 0, 0)
    _, place = _string(frame, place)
    name, partition_place = _string(frame, place + 10)
    topics, partitions = (*struct.unpack_from(">i", frame, place + 6),
                          *struct.unpack_from(">i", frame, partition_place))  # fmt: skip
    assert (topics, partitions) == (1, 1), "one partition of one topic"
    [number] = struct.unpack_from(">i", frame, partition_place + 4)
    head = struct.pack(">iih", correlation, 1, len(name)) + name + struct.pack(">i", 1)
    body = struct.pack(">ihqq", number, *failed[:3])
    body += struct.pack(">q", -1) if version >= 5 else b""
    body += struct.pack(">ih", 0, -1) if version >= 8 else b""
    return head + body + struct.pack(">i", 0)


# ---- the wire's forms ----


def _after_head(frame: bytes) -> int:
    """Behind the client's name; the tags of a flexible head come there."""
    return _string(frame, 8)[1]


def _string(frame: bytes, place: int) -> tuple[bytes, int]:
    [length] = struct.unpack_from(">h", frame, place)
    end = place + 2 + max(length, 0)
    return frame[place + 2 : end], end


def _varint(frame: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = frame[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, place


def _length(value: int) -> bytes:
    """As `_varint` reads it."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))


def _frame(source: socket.socket) -> bytes:
    [size] = struct.unpack(">i", _exactly(source, 4))
    return _exactly(source, size)


def _exactly(source: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        data = source.recv(size - len(found))
        if not data:
            raise EOFError
        found += data
    return found


def _send(sink: socket.socket, frame: bytes) -> None:
    sink.sendall(struct.pack(">i", len(frame)) + frame)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextmanager
def gate(context: ssl.SSLContext | None = None, login: Login | None = None) -> Iterator[Gate]:
    """A gate, closed in the end."""
    made = Gate(context, login)
    try:
        yield made
    finally:
        made.close()
