"""Settings that the library refuses are told in words, by what ships and what restores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from kafka_broker import broker_library

from logos.config.tables.kafka import Security, ShipKafkaSettings
from logos.config.tables.kafka_options import KEY_PASSWORD, kafka_options
from logos.errors import ConfigError
from logos.observe.shipping.kafka import KafkaTarget
from logos.observe.shipping.reading import KafkaTopics


@pytest.mark.parametrize(
    "connect",
    [
        lambda options: KafkaTarget(options, "logos.", "zstd"),
        lambda options: KafkaTopics(options, "logos."),
    ],
    ids=["ship", "restore"],
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
