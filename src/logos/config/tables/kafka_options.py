"""How a Kafka client connects: from the settings, and the secrets that are not among them.

The user name and the passwords come from the environment or `.env`. What would send a password, or
what a session wrote, over a network in clear is refused unless the settings say so by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec

from logos.config.environment import Environment
from logos.config.secret import Secret
from logos.config.tables.kafka import KafkaSettings, LiveKafkaSettings, Security, ShipKafkaSettings
from logos.errors import ConfigError
from logos.loopback import is_loopback

USERNAME: Final = "LOGOS_KAFKA_USERNAME"
PASSWORD: Final = "LOGOS_KAFKA_PASSWORD"  # noqa: S105 - the name of a variable
KEY_PASSWORD: Final = "LOGOS_KAFKA_KEY_PASSWORD"  # noqa: S105 - the name of a variable

if TYPE_CHECKING:
    from logos.config.settings import Config

_BROKER: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")
_RECONNECT_MS: Final = 2_000
_SASL: Final = (Security.SASL_PLAINTEXT, Security.SASL_SSL)
_TLS: Final = (Security.SSL, Security.SASL_SSL)


def kafka_problems(settings: KafkaSettings, where: str) -> list[str]:
    """What makes no sense in a table, or would be unsafe, a text each. `where` is its name."""
    problems = []
    hosts = []
    for broker in settings.brokers.split(","):
        found = _BROKER.fullmatch(broker.strip())
        if found is None or not 0 < int(found[2]) < 65_536:
            problems.append(
                f"{where}.brokers is HOST:PORT, or several with commas between, not "
                f"{_without_login(settings.brokers)!r}"
            )
            break
        hosts.append(found[1].strip("[]"))
    away = [host for host in hosts if not is_loopback(host)]
    if away and settings.security is Security.NONE:
        problems.append(
            f"{where}.security: {away[0]} is not this machine; say how the connection is "
            "protected: sasl_ssl, ssl, or plaintext for a network where nobody else listens"
        )
    if away and settings.security is Security.SASL_PLAINTEXT:
        problems.append(
            f"{where}.security: sasl_plaintext would send the password to {away[0]} where others "
            "can read it: use sasl_ssl"
        )
    if bool(settings.certificate_file) != bool(settings.key_file):
        problems.append(f"{where}: certificate_file and key_file go together")
    files = settings.ca_file or settings.certificate_file
    if files and settings.security not in _TLS:
        problems.append(f"{where}: certificates are for security = ssl or sasl_ssl")
    if isinstance(settings, ShipKafkaSettings):
        if not _TOPIC.fullmatch(settings.prefix + "x"):
            problems.append(f"{where}.prefix is of letters, digits, '.', '_' and '-'")
        if settings.create_partitions < 0 or settings.create_replicas < 1:
            problems.append(f"{where}: create_partitions is 0 or more, create_replicas 1 or more")
    if isinstance(settings, LiveKafkaSettings):
        problems += _live_problems(settings, where)
    return problems


def _live_problems(settings: LiveKafkaSettings, where: str) -> list[str]:
    problems = []
    topics = [*settings.topics, *([settings.signals] if settings.signals else [])]
    for topic in topics:
        if not _TOPIC.fullmatch(topic):
            problems.append(f"{where}: {topic!r} is no topic: letters, digits, '.', '_', '-'")
    if len(set(topics)) != len(topics):
        problems.append(f"{where}: a topic is named twice: {', '.join(topics)}")
    if settings.signal_age_max_s <= 0:
        problems.append(f"{where}.signal_age_max_s must be above 0")
    return problems


def signal_topic(config: Config) -> str:
    """The topic whose signals a session acts out; empty: none."""
    settings = config.live.kafka
    return "" if isinstance(settings, msgspec.UnsetType) else settings.signals


def kafka_options(
    settings: KafkaSettings, environment: Environment | Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What librdkafka is to be given for the connection, secrets among it: never show it.

    `environment`: an Environment, or variables in place of the process's. Raises ConfigError for
    secrets that are missing, or `.env` that cannot be read.
    """
    if not isinstance(environment, Environment):
        environment = Environment.read(environment)
    security = Security.PLAINTEXT if settings.security is Security.NONE else settings.security
    options: dict[str, Any] = {
        "bootstrap.servers": ",".join(each.strip() for each in settings.brokers.split(",")),
        "security.protocol": security.value,
        "client.id": "logos",
    }
    if security in _SASL:
        options["sasl.mechanism"] = settings.sasl.value
        options["sasl.username"] = _needed(environment, USERNAME).reveal()
        options["sasl.password"] = _needed(environment, PASSWORD).reveal()
        # Else the library waits a tenth of a second, after each refusal again: a wrong password
        # would be tried eight times a second, which locks accounts.
        options["reconnect.backoff.ms"] = _RECONNECT_MS
    if security in _TLS:
        names = (
            ("ssl.ca.location", settings.ca_file),
            ("ssl.certificate.location", settings.certificate_file),
            ("ssl.key.location", settings.key_file),
        )
        options |= {name: value for name, value in names if value}
        found = environment.find(KEY_PASSWORD)
        if found is not None:
            options["ssl.key.password"] = found.value
    return options


@contextmanager
def checked_options(refusal: type[Exception]) -> Iterator[None]:
    """Raise ConfigError where the library refuses its options: a file of no certificate, say.

    `refusal` is the library's exception, which this room may not import.
    """
    try:
        yield
    except refusal as error:
        why = error.args[0].str()
        raise ConfigError(f"no connection to brokers can be made of the settings: {why}") from None


def _needed(environment: Environment, name: str) -> Secret:
    found = environment.find(name)
    if found is None:
        raise ConfigError(
            f"the brokers want a user name and a password: set {USERNAME} and {PASSWORD} in the "
            f"environment or in {environment.path} (readable by you alone: chmod 600)"
        )
    return Secret(found.value)


def _without_login(text: str) -> str:
    """What was written for an address, without what may be a password before an @."""
    return re.sub(r"[^,@]*@", "***@", text)
