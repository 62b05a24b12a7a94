"""Reads topics of Kafka brokers: all partitions, from given offsets, without a consumer group.

Partitions are assigned here and not by a group: a group may give a partition to another member
while this one still believes it has it, and one session must read it all. Where to read on is
recorded with what was read, so nothing is committed to the brokers.

The library calls block, so they run in a thread, one at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from logos.config.tables.kafka_options import checked_options
from logos.feeds.common import Trouble
from logos.feeds.contract import FeedFailedError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, TopicPartition

_ASK_TIMEOUT_S: Final = 5.0
_LOOK_TIMEOUT_S: Final = 1.0
_POLL_S: Final = 0.1
_MESSAGES_MAX: Final = 500

_T = TypeVar("_T")


class Received(NamedTuple):
    """One message. `source` is its partition: "topic/0"."""

    source: str
    topic: str
    offset: int
    value: bytes | None


class Lost(NamedTuple):
    """What was to be read of a partition is not there any more; it is read from its beginning."""

    source: str
    offset: int


class TopicReader:
    """The messages of some topics. Use it in one event loop, and close it.

    `options` are librdkafka's for the connection. Raises ConfigError for options that the library
    refuses, ImportError without it.
    """

    def __init__(self, options: Mapping[str, Any], topics: Sequence[str]) -> None:
        from confluent_kafka import Consumer, KafkaException

        self._topics = list(topics)
        self._trouble = ""
        with checked_options(KafkaException):
            self._consumer = Consumer(
                {
                    **options,
                    "error_cb": self._on_error,
                    "group.id": "logos",  # the library wants a name; no group is joined
                    "enable.auto.commit": False,
                    "auto.offset.reset": "error",
                    "allow.auto.create.topics": False,
                    "isolation.level": "read_committed",
                    "fetch.wait.max.ms": 100,
                    "reconnect.backoff.max.ms": 2_000,
                    "log_level": 0,
                }
            )

    def _on_error(self, error: KafkaError) -> None:
        self._trouble = str(error.str())

    async def begin(
        self,
        offset_of: Callable[[str], int | None],
        *,
        from_end: bool,
        only: Sequence[int] | None = None,
    ) -> None:
        """Read each partition (None: all; else `only` these) on behind the offset that `offset_of`
        has for it.

        One without an offset: from its beginning; or `from_end`, if no partition of its topic has
        one. Raises Trouble while the brokers do not answer, FeedFailedError for a topic or
        partition that they do not have.
        """
        partitions = await self._call(self._partitions)
        from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, TopicPartition

        wanted: list[TopicPartition] = []
        for topic, count in partitions.items():
            chosen = range(count) if only is None else sorted(only)
            if missing := [number for number in chosen if number >= count]:
                raise FeedFailedError(
                    f"topic {topic!r} has the partitions 0 to {count - 1}, and not {missing[0]}: "
                    "correct the partitions of [live.kafka], or of the shard"
                )
            had = {number: offset_of(_source(topic, number)) for number in chosen}
            is_new = all(offset is None for offset in had.values())
            start = OFFSET_END if is_new and from_end else OFFSET_BEGINNING
            wanted += [
                TopicPartition(topic, number, start if offset is None else offset + 1)
                for number, offset in had.items()
            ]
        self._consumer.assign(wanted)

    def _partitions(self) -> dict[str, int]:
        from confluent_kafka import KafkaException

        found: dict[str, int] = {}
        try:
            there = self._consumer.list_topics(timeout=_ASK_TIMEOUT_S).topics
        except KafkaException as error:
            raise Trouble(f"the brokers do not answer: {error.args[0].str()}") from None
        for topic in self._topics:
            if topic not in there or there[topic].error is not None:
                raise FeedFailedError(f"the brokers have no topic {topic!r}: correct [live.kafka]")
            found[topic] = len(there[topic].partitions)
        return found

    async def take(self) -> list[Received | Lost]:
        """What has come, in order by partition; empty after a tenth of a second without any.

        Raises Trouble when the brokers do not answer; reading on goes by itself then, and
        `is_answered` says whether they do again.
        """
        return await self._call(self._take)

    async def is_answered(self) -> bool:
        """Whether the brokers answer now."""
        return await self._call(self._is_answered)

    def _is_answered(self) -> bool:
        from confluent_kafka import KafkaException

        try:
            self._consumer.list_topics(timeout=_LOOK_TIMEOUT_S)
        except KafkaException:
            return False
        return True

    def _take(self) -> list[Received | Lost]:
        from confluent_kafka import KafkaError

        first = self._consumer.poll(_POLL_S)
        if first is None:
            if self._trouble:
                trouble, self._trouble = self._trouble, ""
                raise Trouble(trouble)
            return []
        found: list[Received | Lost] = []
        for message in (first, *self._consumer.consume(_MESSAGES_MAX, 0)):
            error = message.error()
            topic = str(message.topic())
            source = _source(topic, int(message.partition() or 0))
            if error is None:
                found.append(Received(source, topic, int(message.offset() or 0), message.value()))
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                self._begin_anew(topic, int(message.partition() or 0))
                found.append(Lost(source, int(message.offset() or 0)))
            else:
                self._trouble = str(error.str())
        return found

    def _begin_anew(self, topic: str, partition: int) -> None:
        from confluent_kafka import OFFSET_BEGINNING, TopicPartition

        self._consumer.incremental_unassign([TopicPartition(topic, partition)])
        self._consumer.incremental_assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])

    async def close(self) -> None:
        """Let go of the brokers."""
        await self._call(self._consumer.close)

    async def _call(self, work: Callable[[], _T]) -> _T:
        """Do `work` in a thread; who is cancelled meanwhile still waits for its end."""
        task = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            with suppress(Exception):
                await task
            raise


def check_options(options: Mapping[str, Any]) -> None:
    """Raise ConfigError for options that the library refuses, ImportError without it."""
    from confluent_kafka import Consumer, KafkaException

    with checked_options(KafkaException):
        Consumer({**options, "group.id": "logos", "log_level": 0}).close()


def _source(topic: str, partition: int) -> str:
    return f"{topic}/{partition}"
