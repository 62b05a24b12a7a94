"""Reads what topics hold of one session, to their end as it is now.

Where the end is the brokers are not asked: what they say of it is not the same everywhere. A mark
is written into each partition instead, and all before it is read. Two who read at the same time
write a mark each. Partitions are assigned, no group is joined, nothing is committed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import msgspec

from logos.config.tables.kafka_options import checked_options
from logos.errors import LogosError
from logos.observe.shipping.kafka import home_partition
from logos.observe.shipping.messages import CLAIM_HEADER, MESSAGE_SCHEMA

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

Take = Callable[[bytes, int], object]
"""Called with the value of each message of the session, and the claim in its header."""

MARK: Final = "mark"
_ASK_TIMEOUT_S: Final = 10.0
_SILENT_S: Final = 20.0
_POLL_S: Final = 0.2
_MESSAGES_MAX: Final = 1_000


class TopicsUnreadable(LogosError):
    """The brokers do not answer, or do not have the topics; the message says which."""


class KafkaTopics:
    """The topics that `logos ship` writes to. Close it."""

    def __init__(self, options: Mapping[str, Any], prefix: str) -> None:
        """`options` are librdkafka's for the connection.

        Raises ConfigError for options that the library refuses, ImportError without it.
        """
        from confluent_kafka import Consumer, KafkaException, Producer

        quiet = {"log_level": 0, "error_cb": self._on_error}
        self._prefix = prefix
        self._trouble = ""
        with checked_options(KafkaException):
            self._producer = Producer({**options, **quiet, "acks": "all", "linger.ms": 0})
            self._consumer: Consumer = Consumer(
                {
                    **options,
                    **quiet,
                    "group.id": "logos-restore",  # the library wants a name; no group is joined
                    "enable.auto.commit": False,
                    "auto.offset.reset": "earliest",
                    "allow.auto.create.topics": False,
                    "fetch.wait.max.ms": 50,
                    "fetch.message.max.bytes": 32 << 20,
                }
            )

    def _on_error(self, error: Any) -> None:
        self._trouble = str(error.str())

    def close(self) -> None:
        """Let go of the brokers."""
        self._consumer.close()
        self._producer.purge()
        self._producer.flush(1.0)

    def partitions(self, kind: str, session_id: str) -> list[int]:
        """The partitions of a topic, that which has the session's messages first.

        Raises TopicsUnreadable.
        """
        from confluent_kafka import KafkaException

        topic = self._prefix + kind
        try:
            there = self._consumer.list_topics(timeout=_ASK_TIMEOUT_S).topics.get(topic)
        except KafkaException as error:
            raise TopicsUnreadable(f"the brokers do not answer: {error.args[0].str()}") from None
        if there is None or there.error is not None or not there.partitions:
            raise TopicsUnreadable(f"the brokers have no topic {topic}: was it shipped there?")
        count = len(there.partitions)
        home = home_partition(session_id, count)
        return [home, *(number for number in range(count) if number != home)]

    def read(self, kind: str, partition: int, session_id: str, take: Take) -> None:
        """Give `take` all messages of a session in one partition, in order.

        Raises TopicsUnreadable, and what `take` raises.
        """
        from confluent_kafka import OFFSET_BEGINNING, TopicPartition

        topic = self._prefix + kind
        mark = self._mark(topic, partition, session_id)
        self._consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        own = f"{session_id}:".encode()
        for message in self._messages(f"{topic}, partition {partition}"):
            key, value = message.key() or b"", message.value() or b""
            if not key.startswith(own):
                continue
            if key.endswith(MARK.encode()):
                if value == mark:
                    return
                continue
            take(value, _claim_in(message))

    def _mark(self, topic: str, partition: int, session_id: str) -> bytes:
        """Write a mark at the end of a partition; its value."""
        key = f"{session_id}:{MARK}".encode()
        mark = msgspec.json.encode(
            {"schema": MESSAGE_SCHEMA, "session": session_id, MARK: token_hex(16)}
        )
        problems: list[str] = []

        def heard(error: Any, _message: Any) -> None:
            if error is not None:
                problems.append(str(error.str()))

        self._producer.produce(topic, mark, key, partition, on_delivery=heard)
        if self._producer.flush(_ASK_TIMEOUT_S) or problems:
            why = "; ".join(problems) or self._trouble or "no answer"
            raise TopicsUnreadable(f"nothing can be written to {topic}: {why}")
        return mark

    def _messages(self, where: str) -> Iterator[Message]:
        """Messages as they come. Raises TopicsUnreadable when none comes for long."""
        heard_s = time.monotonic()
        while True:
            for message in self._consumer.consume(_MESSAGES_MAX, _POLL_S):
                error = message.error()
                if error is not None:
                    raise TopicsUnreadable(f"{where}: {error.str()}")
                heard_s = time.monotonic()
                yield message
            if time.monotonic() - heard_s > _SILENT_S:
                raise TopicsUnreadable(
                    f"{where}: not read to its end: {self._trouble or 'nothing comes any more'}"
                )


def _claim_in(message: Message) -> int:
    headers: list[tuple[str, bytes]] = list(message.headers() or ())  # type: ignore[arg-type]
    for name, value in headers:
        if name == CLAIM_HEADER and value.isdigit():
            return int(value)
    return 0
