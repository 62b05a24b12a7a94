"""Settings that the library refuses are told in words, by what ships, restores and reads prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from kafka_broker import broker_library

from logos.adapters.kafka.feed import KafkaFeed
from logos.config.tables.kafka import LiveKafkaSettings, Security, ShipKafkaSettings
from logos.config.tables.kafka_options import KEY_PASSWORD, kafka_options
from logos.core.instrument import instrument
from logos.errors import ConfigError
from logos.observe.shipping.kafka import KafkaTarget
from logos.observe.shipping.reading import KafkaTopics
from logos.testing.clock import ManualClock

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")


@pytest.mark.parametrize(
    "connect",
    [
        lambda options: KafkaTarget(options, "logos.", "zstd"),
        lambda options: KafkaTopics(options, "logos."),
        lambda options: KafkaFeed(
            {"ACME": ACME},
            ManualClock(),
            Random(1),
            options,
            LiveKafkaSettings(brokers="127.0.0.1:9093", topics=["quotes"]),
        ),
    ],
    ids=["ship", "restore", "feed"],
)
def test_files_that_hold_no_certificate_are_told_without_the_secrets(
    tmp_path: Path, connect: Callable[[Mapping[str, Any]], object]
) -> None:
    broker_library()
    ca = tmp_path / "ca.pem"
    ca.write_text("no certificate")
    settings = ShipKafkaSettings(brokers="127.0.0.1:9093", security=Security.SSL, ca_file=str(ca))
    options = kafka_options(settings, {KEY_PASSWORD: "correct horse"})
    with pytest.raises(ConfigError, match=r"ssl\.ca\.location failed") as caught:
        connect(options)
    assert "correct horse" not in str(caught.value)
