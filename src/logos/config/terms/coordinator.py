"""Whether the coordinator of a fleet can be used as its settings say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from logos.config.settings import Config
from logos.config.tables.coordinator import CoordinatorBackend, CoordinatorSettings
from logos.loopback import is_loopback
from logos.paths import FLEET_NAME

PASSWORD: Final = "LOGOS_FLEET_PASSWORD"  # noqa: S105 - the name of a variable
_WHERE: Final = "killswitch.coordinator"
_SCHEMES: Final = {
    CoordinatorBackend.ETCD: ("https", "http"),
    CoordinatorBackend.REDIS: ("rediss", "redis", "sentinels", "sentinel"),
}
_OPEN: Final = ("http", "redis", "sentinel")
_TTL_S: Final = (2, 60)


def coordinator_of(config: Config) -> CoordinatorSettings | None:
    """The settings of the fleet's coordinator; None where there is none."""
    table = config.killswitch
    return None if isinstance(table, msgspec.UnsetType) else table.coordinator


def coordinator_problems(config: Config) -> list[str]:
    """Everything about the coordinator that makes no sense or is unsafe, a text each."""
    settings = coordinator_of(config)
    return [] if settings is None else [f"{_WHERE}.{each}" for each in _problems(settings)]


def _problems(settings: CoordinatorSettings) -> Iterator[str]:
    if not FLEET_NAME.fullmatch(settings.fleet):
        yield "fleet is 1 to 64 letters, digits, '_', '-' and '.', the first a letter or a digit"
    if not settings.endpoints:
        yield "endpoints names no member"
    for url in settings.endpoints:
        yield from _endpoint_problems(settings, url)
    low_s, high_s = _TTL_S
    if not low_s <= settings.ttl_s <= high_s:
        yield f"ttl_s is {low_s} to {high_s} seconds, not {settings.ttl_s}"
    elif not 0 < settings.poll_ms * 3 <= settings.ttl_s * 1000:
        yield (
            f"poll_ms is above 0 and at most a third of the time to live "
            f"({settings.ttl_s * 1000 // 3}), not {settings.poll_ms}: one lost answer must not "
            "stop the fleet"
        )
    if settings.key and not settings.certificate:
        yield "key needs certificate, the file with the certificate that belongs to it"
    if len({urlsplit(url).scheme.startswith("sentinel") for url in settings.endpoints}) > 1:
        yield "endpoints are all Sentinels, or none is"
    elif _has_sentinels(settings) != bool(settings.service):
        yield "service is what Sentinels call the master: it goes with sentinel:// endpoints only"


def _has_sentinels(settings: CoordinatorSettings) -> bool:
    return any(urlsplit(url).scheme.startswith("sentinel") for url in settings.endpoints)


def _endpoint_problems(settings: CoordinatorSettings, url: str) -> Iterator[str]:
    schemes = _SCHEMES[settings.backend]
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
        parts = urlsplit("")
    if parts.username or parts.password:
        yield f"endpoints may hold no user or password: they go into user and {PASSWORD}"
        return
    if parts.scheme not in schemes or not host or not port or parts.path not in ("", "/"):
        yield f"endpoints: {url!r} is not SCHEME://HOST:PORT with {' or '.join(schemes)}"
    elif parts.scheme in _OPEN and not is_loopback(host):
        secure = "https" if settings.backend is CoordinatorBackend.ETCD else "rediss"
        yield (
            f"endpoints: {url!r} is not this machine, and {parts.scheme}:// is not encrypted: "
            f"whoever is on the way could permit what was stopped; use {secure}://"
        )
