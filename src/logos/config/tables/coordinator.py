"""`[killswitch.coordinator]`: one kill switch for the engines of many machines."""

from __future__ import annotations

import enum

import msgspec

from logos.config.tables.base import Settings


class CoordinatorBackend(enum.Enum):
    """What keeps the switch of a fleet."""

    ETCD = "etcd"
    REDIS = "redis"


class CoordinatorSettings(Settings, frozen=True, kw_only=True):
    """`[killswitch.coordinator]`: where the switch of the fleet is. The password is never here; see
    docs/FLEET.md."""

    fleet: str
    """The name of the fleet: its engines share one switch."""
    backend: CoordinatorBackend = CoordinatorBackend.ETCD
    """etcd, or redis, which cannot promise that a kill outlives a failover."""
    endpoints: list[str]
    """Every member, such as "https://etcd1:2379"; redis: "rediss://HOST:PORT", or Sentinels as
    "sentinel://HOST:PORT"."""
    ttl_s: int = 5
    """How long an engine may trade without having read the switch, in seconds; 2 to 60."""
    poll_ms: int = 1000
    """Milliseconds from one reading to the next; at most a third of the time to live."""
    ca: str = ""
    """A file with the certificates that the members' are checked against; empty: the system's."""
    certificate: str = ""
    """A file with the certificate to show; empty: none."""
    key: str = ""
    """The file with its key; empty: it is in the same file."""
    user: str = ""
    """Who to log in as; empty: nobody. The password is LOGOS_FLEET_PASSWORD."""
    service: str = ""
    """What the Sentinels call the master; "sentinel://" only."""
    shard: str | msgspec.UnsetType = msgspec.UNSET
    """The shard that the session owns; `logos fleet start` writes it. Not set: none."""


class KillSwitchSettings(Settings, frozen=True, kw_only=True):
    """`[killswitch]`: what the kill switch of this machine obeys besides its files."""

    coordinator: CoordinatorSettings
    """The switch of a fleet."""
