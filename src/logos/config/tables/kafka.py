"""`[ship.kafka]` and `[live.kafka]`: where Kafka brokers are, what is sent there and read there.

Passwords are never here: they come from the environment or `.env` (LOGOS_KAFKA_USERNAME,
LOGOS_KAFKA_PASSWORD, LOGOS_KAFKA_KEY_PASSWORD).
"""

from __future__ import annotations

import enum

import msgspec

from logos.config.tables.base import Settings


class Security(enum.Enum):
    """How a connection to brokers is protected."""

    NONE = ""
    PLAINTEXT = "plaintext"
    SSL = "ssl"
    SASL_PLAINTEXT = "sasl_plaintext"
    SASL_SSL = "sasl_ssl"


class Sasl(enum.Enum):
    """How a client proves who it is, by user name and password."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class Compression(enum.Enum):
    """How messages are compressed on their way."""

    NONE = "none"
    GZIP = "gzip"
    SNAPPY = "snappy"
    LZ4 = "lz4"
    ZSTD = "zstd"


class Start(enum.Enum):
    """Where a new session begins to read a topic."""

    END = "end"
    BEGINNING = "beginning"


class KafkaSettings(Settings, frozen=True, kw_only=True):
    """What every connection to brokers needs."""

    brokers: str = ""
    """Addresses, "HOST:PORT,HOST:PORT"."""
    security: Security = Security.NONE
    """plaintext, ssl, sasl_plaintext or sasl_ssl. Empty: plaintext, to brokers of this machine."""
    sasl: Sasl = Sasl.SCRAM_SHA_512
    """PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; with sasl_plaintext and sasl_ssl."""
    ca_file: str = ""
    """Certificates that the brokers' are checked against; empty: those of the system."""
    certificate_file: str = ""
    """A client certificate of your own, PEM; empty: none."""
    key_file: str = ""
    """Its key, PEM."""


class ShipKafkaSettings(KafkaSettings, frozen=True, kw_only=True):
    """`[ship.kafka]`: where `logos ship` sends what sessions wrote. It changes no session."""

    prefix: str = "logos."
    """What the names of topics begin with: "logos." makes logos.journal and logos.decisions."""
    inputs: bool = False
    """Whether what live sessions recorded goes to a topic too (logos.inputs): with it another
    machine can go on with a session of which only the topics are left; see docs/SCALE.md."""
    compression: Compression = Compression.ZSTD
    """none, gzip, snappy, lz4 or zstd."""
    create_partitions: int = 0
    """Topics that are missing are made, with so many partitions; 0: they must be there."""
    create_replicas: int = 1
    """Of how many brokers each partition of such a topic is kept."""


class ShipSettings(Settings, frozen=True, kw_only=True):
    """`[ship]`: where `logos ship` sends what sessions wrote. It changes no session."""

    kafka: ShipKafkaSettings = ShipKafkaSettings()
    """Kafka brokers."""


class LiveKafkaSettings(KafkaSettings, frozen=True, kw_only=True):
    """`[live.kafka]`: topics that a live session reads; see docs/KAFKA.md."""

    topics: list[str] = []
    """Of market data, for live.feed = "kafka"."""
    signals: str = ""
    """A topic of signals, which the session acts out instead of a strategy; empty: none."""
    signal_age_max_s: int = 60
    """A signal that is older when it comes is not acted out, in seconds; above 0."""
    partitions: list[int] | msgspec.UnsetType = msgspec.UNSET
    """Only these partitions of each topic, by number. Not set: all."""
    start: Start = Start.END
    """Where a new session begins: end or beginning. A resumed one continues where it was."""
