"""Messages to Kafka brokers: each acknowledged by all replicas, or known not to be.

The producer is idempotent and waits for all in-sync replicas (`acks=all`). It tries for as long as
it takes: a broker that is absent, slow or full is waited for, and nothing is given up, because what
was not acknowledged is still in the journal. What a broker will never take (a message that is too
large, a topic that is not there) is told with its reason.

All messages of a session go to one partition of each topic, so they arrive in order there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol
from zlib import crc32

from logos.config.tables.kafka_options import checked_options
from logos.errors import LogosError
from logos.observe.shipping.messages import (
    CLAIM_HEADER,
    DECISIONS_TOPIC,
    JOURNAL_TOPIC,
    Message,
)

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Producer
    from confluent_kafka import Message as Delivered

KINDS: Final = (JOURNAL_TOPIC, DECISIONS_TOPIC)

MESSAGE_BYTES_MAX: Final = 17 << 20
"""The longest line of a journal, and what is added to it."""

_QUEUE_MESSAGES: Final = 100_000
_QUEUE_KBYTES: Final = 65_536
_ASK_TIMEOUT_S: Final = 2.0
_ASK_AGAIN_S: Final = 2.0
_POLL_S: Final = 0.2
_FULL_TRIES: Final = 10
_CLOSE_TIMEOUT_S: Final = 2.0
_STUCK_S: Final = 10.0
"""The library tries again by itself, in silence, what brokers cannot store now."""


class Refused(LogosError):
    """The brokers will never take a message as it is; the message says why and what to do."""


class Target(Protocol):
    """Where messages go. Every method returns within seconds, whatever the other side does."""

    name: str
    problem: str
    is_connected: bool

    def send(self, session_id: str, messages: Sequence[Message]) -> Batch: ...

    def wait(self) -> None: ...

    def close(self) -> None: ...


class Batch:
    """Messages on their way. `is_done` once all are acknowledged, or one is known to have failed.

    `refused`: why one will never be taken; empty: it may be sent again.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.left = count
        self.has_failed = False
        self.refused = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing more will be heard of its messages."""
        return self.left <= 0

    @property
    def is_acknowledged(self) -> bool:
        """Whether all replicas have all of it."""
        return self.is_done and not self.has_failed


class KafkaTarget:
    """Brokers, as a `Target`.

    `options` are librdkafka's for the connection, `prefix` what topics begin with. Topics that are
    missing are made with `partitions` (0: they are not) and `replicas`; there must be one for each
    of `kinds`. Raises ConfigError for options that the library refuses, ImportError without it.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        prefix: str,
        compression: str,
        partitions: int = 0,
        replicas: int = 1,
        kinds: Sequence[str] = KINDS,
    ) -> None:
        self.name = f"kafka:{options['bootstrap.servers']}"
        self.problem = "not connected yet"
        self.is_connected = False
        self._prefix = prefix
        self._kinds = tuple(kinds)
        self._to_make = (partitions, replicas)
        self._options = {
            **options,
            "error_cb": self._on_error,
            "log_level": 0,  # what it would print is told by `problem`
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": compression,
            "linger.ms": 5,
            "message.timeout.ms": 0,
            "message.max.bytes": MESSAGE_BYTES_MAX,
            "queue.buffering.max.messages": _QUEUE_MESSAGES,
            "queue.buffering.max.kbytes": _QUEUE_KBYTES,
            "reconnect.backoff.max.ms": 2_000,
            "topic.metadata.refresh.interval.ms": 10_000,
        }
        self._partitions: dict[str, int] = {}
        self._ask_again_s = 0.0
        self._is_broken = False
        self._on_way = 0
        """Messages of which nothing was heard yet."""
        self._heard_s = 0.0
        """When something was heard of the last, or the first of them were sent."""
        self._producer = self._make()

    def _make(self) -> Producer:
        from confluent_kafka import KafkaException, Producer

        self._is_broken = False
        self._on_way = 0
        self._partitions = {}
        with checked_options(KafkaException):
            return Producer(self._options)

    def close(self) -> None:
        """Let go of the brokers; what was not acknowledged is forgotten here."""
        self._producer.purge()
        self._producer.flush(_CLOSE_TIMEOUT_S)
        del self._producer  # which ends its threads

    def _on_error(self, error: KafkaError) -> None:
        """What the library says of the connection as a whole."""
        from confluent_kafka import KafkaError as Codes

        self.problem = str(error.str())
        self._is_broken = self._is_broken or bool(error.fatal())
        if error.code() == Codes._ALL_BROKERS_DOWN or error.fatal():
            self.is_connected = False

    def wait(self) -> None:
        """Let what is on its way arrive, a moment long."""
        self._producer.poll(_POLL_S)
        if self._on_way and not self.problem and time.monotonic() - self._heard_s >= _STUCK_S:
            self.problem = (
                "the brokers answer, and store nothing (a full disk, or too few replicas in sync): "
                "see their logs"
            )

    def send(self, session_id: str, messages: Sequence[Message]) -> Batch:
        """Hand over messages, all of one session; they are on their way when this returns.

        A batch that has failed already where the brokers do not answer.
        """
        if self._is_broken:
            self._producer.purge()
            self._producer = self._make()
        batch = Batch(len(messages))
        if not self._know_topics(batch):
            return batch
        if not self._on_way:
            self._heard_s = time.monotonic()

        def on_delivery(error: KafkaError | None, _message: Delivered) -> None:
            self._on_delivery(batch, error)

        for number, message in enumerate(messages):
            topic = self._prefix + message.kind
            partition = home_partition(session_id, self._partitions[topic])
            if not self._produce(topic, partition, message, on_delivery):
                batch.has_failed = True
                batch.left -= len(messages) - number
                break
            self._on_way += 1
        self._producer.poll(0)
        return batch

    def _produce(self, topic: str, partition: int, message: Message, on_delivery: Any) -> bool:
        """Queue one message; False when the queue stays full."""
        headers: dict[str, str | bytes | None] | None = None
        if message.claim:
            headers = {CLAIM_HEADER: str(message.claim).encode()}
        for _ in range(_FULL_TRIES):
            try:
                self._producer.produce(
                    topic,
                    message.value,
                    message.key,
                    partition,
                    on_delivery=on_delivery,
                    headers=headers,
                )
                return True
            except BufferError:
                self._producer.poll(_POLL_S)
        return False

    def _on_delivery(self, batch: Batch, error: KafkaError | None) -> None:
        batch.left -= 1
        self._on_way = max(self._on_way - 1, 0)  # of a producer before this one, say
        self._heard_s = time.monotonic()
        if error is None:
            self.is_connected = True
            self.problem = ""
            return
        batch.has_failed = True
        words = str(error.str())
        if error.code() in _refusals():
            batch.refused = words
        elif error.code() not in _purged():
            self.problem = words

    def _know_topics(self, batch: Batch) -> bool:
        """Find out how many partitions the topics have; whether all are there."""
        from confluent_kafka import KafkaException

        topics = [self._prefix + kind for kind in self._kinds]
        missing = [topic for topic in topics if topic not in self._partitions]
        if not missing:
            return True
        batch.left, batch.has_failed = 0, True
        if time.monotonic() < self._ask_again_s:
            return False
        self._ask_again_s = time.monotonic() + _ASK_AGAIN_S
        try:
            absent = self._find(missing)
            if absent:
                self._make_topics(absent)
                absent = self._find(absent)
        except KafkaException as error:
            self.is_connected = False
            self.problem = str(error.args[0].str())
            self._ask_again_s = time.monotonic() + _ASK_AGAIN_S
            return False
        if absent:
            return False
        self.is_connected, self.problem = True, ""
        batch.left, batch.has_failed = batch.count, False
        return True

    def _find(self, topics: Sequence[str]) -> list[str]:
        """Take note of how many partitions each of `topics` has; those that are not there."""
        # Of all topics: to ask for one by its name would make it, with the brokers' own defaults.
        there = self._producer.list_topics(timeout=_ASK_TIMEOUT_S).topics
        absent = []
        for topic in topics:
            found = there.get(topic)
            if found is None or found.error is not None or not found.partitions:
                absent.append(topic)
            else:
                self._partitions[topic] = len(found.partitions)
        return absent

    def _make_topics(self, topics: Sequence[str]) -> None:
        """Make topics that are missing, if that is wanted; they are looked for again later."""
        partitions, replicas = self._to_make
        self.problem = (
            f"the brokers do not have {', '.join(topics)}: make these topics, or have them made by "
            "create_partitions in [ship.kafka] (--create-partitions N)"
        )
        if not partitions:
            return
        from confluent_kafka.admin import AdminClient
        from confluent_kafka.cimpl import NewTopic

        admin = AdminClient(
            {key: value for key, value in self._options.items() if key in _CONNECTION}
        )
        wanted = [NewTopic(topic, partitions, replicas) for topic in topics]
        made = admin.create_topics(wanted, request_timeout=_ASK_TIMEOUT_S)
        self.problem = f"{', '.join(topics)} are being made"
        for topic, each in made.items():
            error = each.exception(timeout=2 * _ASK_TIMEOUT_S)
            if error is not None and not _is_there(error):
                self.problem = f"topic {topic} cannot be made: {error}"
        self._ask_again_s = 0.0


def home_partition(session_id: str, count: int) -> int:
    """In which of `count` partitions of a topic all messages of a session are."""
    return crc32(session_id.encode()) % count


_CONNECTION: Final = frozenset(
    (
        "bootstrap.servers",
        "security.protocol",
        "sasl.mechanism",
        "sasl.username",
        "sasl.password",
        "ssl.ca.location",
        "ssl.certificate.location",
        "ssl.key.location",
        "ssl.key.password",
        "client.id",
    )
)
"""The options that are about the connection alone."""


def _is_there(error: BaseException) -> bool:
    from confluent_kafka import KafkaError

    return bool(error.args and error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS)


def _refusals() -> frozenset[int]:
    """The codes of what will be refused however often it is tried."""
    from confluent_kafka import KafkaError

    return frozenset(
        (
            KafkaError.MSG_SIZE_TOO_LARGE,
            KafkaError.RECORD_LIST_TOO_LARGE,
            KafkaError.INVALID_MSG,
            KafkaError.INVALID_RECORD,
        )
    )


def _purged() -> frozenset[int]:
    """The codes of messages that we ourselves took back."""
    from confluent_kafka import KafkaError

    return frozenset((KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT))
