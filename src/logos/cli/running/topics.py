"""The topics to which sessions were shipped, for commands that read them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from logos.config.tables.kafka import ShipKafkaSettings
from logos.config.tables.kafka_options import kafka_options, kafka_problems
from logos.errors import ConfigError
from logos.installation import install_command
from logos.observe.shipping.reading import KafkaTopics


@contextmanager
def topics_of(settings: ShipKafkaSettings) -> Iterator[KafkaTopics]:
    """The topics, to be read. Raises ConfigError without brokers, or without the library."""
    if not settings.brokers:
        raise ConfigError("no brokers are named: give --kafka HOST:PORT, or [ship.kafka] brokers")
    problems = kafka_problems(settings, "ship.kafka")
    if problems:
        raise ConfigError("; ".join(problems))
    try:
        topics = KafkaTopics(kafka_options(settings), settings.prefix)
    except ImportError as error:
        raise ConfigError(
            f"reading from Kafka needs a library that is not installed ({error.name}): "
            f"{install_command('kafka')}"
        ) from None
    try:
        yield topics
    finally:
        topics.close()
