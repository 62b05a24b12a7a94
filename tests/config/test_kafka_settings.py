"""Settings of connections to Kafka brokers: what is refused, and what a client is given."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from logos.config import ConfigError, config_hash, make_config
from logos.config.tables.kafka import LiveKafkaSettings, Sasl, Security, ShipKafkaSettings
from logos.config.tables.kafka_options import (
    KEY_PASSWORD,
    PASSWORD,
    USERNAME,
    kafka_options,
    kafka_problems,
)

AWAY = "kafka.example:9093"


def ship(**words: Any) -> ShipKafkaSettings:
    return ShipKafkaSettings(**{"brokers": "127.0.0.1:9092", **words})


def live(**words: Any) -> LiveKafkaSettings:
    return LiveKafkaSettings(**{"brokers": "127.0.0.1:9092", **words})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            ship(brokers="nowhere"),
            "k.brokers is HOST:PORT, or several with commas between, not",
        ),
        (ship(brokers="h:0"), "is HOST:PORT"),
        (ship(brokers="h:65536"), "is HOST:PORT"),
        (ship(brokers="user:hunter2@h:1"), "not '***@h:1'"),
        (
            ship(brokers=AWAY),
            "k.security: kafka.example is not this machine; say how",
        ),
        (
            ship(brokers=AWAY, security=Security.SASL_PLAINTEXT),
            "k.security: sasl_plaintext would send the password to kafka.example where others",
        ),
        (ship(certificate_file="a"), "k: certificate_file and key_file go together"),
        (ship(ca_file="a"), "k: certificates are for security = ssl or sasl_ssl"),
        (ship(prefix="a b"), "k.prefix is of letters, digits, '.', '_' and '-'"),
        (
            ship(create_partitions=-1),
            "k: create_partitions is 0 or more, create_replicas 1",
        ),
        (ship(create_replicas=0), "create_replicas 1 or more"),
        (live(topics=["a/b"]), "k: 'a/b' is no topic: letters, digits, '.', '_', '-'"),
        (live(topics=["a"], signals="a"), "k: a topic is named twice: a, a"),
        (live(signal_age_max_s=0), "k.signal_age_max_s must be above 0"),
    ],
)
def test_what_makes_no_sense_or_is_unsafe_is_named(settings: Any, words: str) -> None:
    assert any(words in problem for problem in kafka_problems(settings, "k"))


@pytest.mark.parametrize(
    "settings",
    [
        ship(),
        ship(brokers="localhost:1,[::1]:2, 127.0.0.9:65535"),
        ship(brokers=AWAY, security=Security.PLAINTEXT),
        ship(brokers=AWAY, security=Security.SASL_SSL, ca_file="ca"),
        ship(security=Security.SASL_PLAINTEXT),
        live(topics=["a", "b.c"], signals="s"),
    ],
)
def test_what_makes_sense_is_taken(settings: Any) -> None:
    assert kafka_problems(settings, "k") == []


def test_secrets_come_from_the_environment_and_are_in_no_setting() -> None:
    settings = ship(
        brokers=f"{AWAY}, kafka-2.example:1",
        security=Security.SASL_SSL,
        sasl=Sasl.SCRAM_SHA_256,
        ca_file="ca.pem",
        certificate_file="c.pem",
        key_file="k.pem",
    )
    secrets = {USERNAME: "ann", PASSWORD: "hunter2", KEY_PASSWORD: "hunter3"}
    assert kafka_options(settings, secrets) == {
        "bootstrap.servers": f"{AWAY},kafka-2.example:1",
        "security.protocol": "sasl_ssl",
        "client.id": "logos",
        "sasl.mechanism": "SCRAM-SHA-256",
        "reconnect.backoff.ms": 2_000,
        "sasl.username": "ann",
        "sasl.password": "hunter2",
        "ssl.ca.location": "ca.pem",
        "ssl.certificate.location": "c.pem",
        "ssl.key.location": "k.pem",
        "ssl.key.password": "hunter3",
    }
    with pytest.raises(ConfigError, match="want a user name and a password: set LOGOS_KAFKA_USER"):
        kafka_options(settings, {USERNAME: "ann"})
    assert kafka_options(ship(), secrets) == {
        "bootstrap.servers": "127.0.0.1:9092",
        "security.protocol": "plaintext",
        "client.id": "logos",
    }


def test_a_session_without_such_tables_has_the_settings_that_it_had() -> None:
    plain = make_config({})
    assert plain.ship is msgspec.UNSET
    assert b'"ship"' not in msgspec.json.encode(plain)
    given = make_config({"ship": {"kafka": {"brokers": "127.0.0.1:1"}}})
    assert config_hash(given) != config_hash(plain)
    with pytest.raises(ConfigError, match="is not this machine"):
        make_config({"ship": {"kafka": {"brokers": AWAY}}})
