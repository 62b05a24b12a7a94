"""What stands in the coordinator: the switch of a fleet, and one entry for each engine.

Keys begin with `logos/FLEET/`. `switch` holds a `FleetRecord`; `engines/TOKEN` an `EngineEntry`,
under a lease, so that what died is forgotten. Values are JSON. A switch record that does not read
back as one is never believed: it counts as ENGAGED.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import msgspec

from logos.core.types import NS_PER_SECOND, SwitchState
from logos.errors import LogosError
from logos.killswitch.records import EPOCH_MAX, NOT_READABLE, StateName
from logos.paths import FLEET_NAME

SCHEMA: Final = "logos.fleet/1"
VALUE_BYTES_MAX: Final = 8_192
MARGIN_NS: Final = NS_PER_SECOND
"""How much longer than its time to live a permit is waited for, before it counts as expired: what
two clocks may differ by in their rates, many times over."""


class CoordinatorError(LogosError):
    """The coordinator did not answer, or not as it should; the message says what and where."""


class ClaimLostError(CoordinatorError):
    """The shard is not this engine's any more; the message says whose it is."""


class ValueDamagedError(LogosError, ValueError):
    """A value of the coordinator is not what it should be; the message says in which way."""


class FleetRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The switch of a fleet, as the coordinator holds it."""

    schema: str
    epoch: int
    """Counts transitions, from 1; each has its own."""
    state: StateName
    who: str
    why: str
    time_ns: int
    """When, nanoseconds since 1970 UTC by the clock of who wrote it; for people only."""

    @property
    def severity(self) -> SwitchState:
        """The state as a number that compares."""
        return SwitchState[self.state]


class EngineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine says of itself each time it renews its permit."""

    token: str
    """Of this life of the session; the last part of its key."""
    host: str
    workspace: str
    session: str
    pid: int
    ttl_ns: int
    """How long one of its permits lasts at most."""
    renewed_ns: int = 0
    """When it did, nanoseconds since 1970 UTC by its own clock; for people only."""
    renewals: int = 0
    """How often it has renewed: two readings of it can be told apart by this."""
    epoch: int = 0
    """The newest epoch of the fleet's switch that it has acted upon."""
    state: str = ""
    """The state of its machine's switch."""
    blocked: bool = False
    """It has taken note of an engaged switch, and sends no new order."""
    drained: bool = False
    """And nothing of it rests at a venue, on evidence."""
    ended: bool = False
    """The session has ended: it renews no more."""
    is_real: bool = False
    """Its orders go to a venue; False: they meet the paper market."""
    differences: int = 0
    """What its last comparison with its venue could not explain."""
    shard: str = ""
    """The shard that it owns; empty: none."""
    claim: int = 0
    """The epoch of its claim to it."""
    budget: Decimal | None = None
    """The limit of exposure that is in force in it, durable, in money; None: not said yet."""
    ledger: int = 0
    """The version of the ledger of budgets that this limit is of."""
    exposure: Decimal = Decimal(0)
    """What it holds, everything in flight filled, in money of the currency with the most."""
    written: int = 0
    """Records of its session that its disk had when it said that."""

    @property
    def name(self) -> str:
        """The engine in words."""
        return f"{self.host} {self.workspace} session {self.session or '(without an id yet)'}"

    def has_stopped(self, epoch: int) -> bool:
        """Whether it is BLOCKED and DRAINED and knows of `epoch`, or ended with nothing left."""
        return self.drained and (self.ended or (self.blocked and self.epoch >= epoch))


_encode = msgspec.json.Encoder().encode
_decode_record = msgspec.json.Decoder(FleetRecord).decode
_decode_entry = msgspec.json.Decoder(EngineEntry).decode


def encode(value: FleetRecord | EngineEntry) -> bytes:
    """A value as the coordinator holds it."""
    return _encode(value)


def decode_record(value: bytes) -> FleetRecord:
    """The switch of a fleet. Raises ValueDamagedError, in words."""
    if len(value) > VALUE_BYTES_MAX:
        raise ValueDamagedError(f"is larger than {VALUE_BYTES_MAX} bytes")
    try:
        record = _decode_record(value)
    except NOT_READABLE as error:
        raise ValueDamagedError(f"is not the switch of a fleet ({error})") from None
    if record.schema != SCHEMA:
        raise ValueDamagedError(f"has the schema {record.schema[:40]!r}, not {SCHEMA!r}")
    if not 1 <= record.epoch <= EPOCH_MAX:
        raise ValueDamagedError(f"has the impossible epoch {record.epoch}")
    return record


def decode_entry(value: bytes) -> EngineEntry:
    """The entry of an engine. Raises ValueDamagedError, in words."""
    if len(value) > VALUE_BYTES_MAX:
        raise ValueDamagedError(f"is larger than {VALUE_BYTES_MAX} bytes")
    try:
        return _decode_entry(value)
    except NOT_READABLE as error:
        raise ValueDamagedError(f"is not the entry of an engine ({error})") from None


def check_name(name: str) -> str:
    """The name of a fleet, as it is. Raises ValueError for one that cannot be part of a key."""
    if not FLEET_NAME.fullmatch(name):
        raise ValueError(
            f"{name[:80]!r} is no name of a fleet: 1 to 64 letters, digits, '_', '-' and '.', the "
            "first a letter or a digit"
        )
    return name


def switch_key(fleet: str) -> str:
    """The key of a fleet's switch."""
    return f"logos/{fleet}/switch"


def engines_prefix(fleet: str) -> str:
    """What the keys of a fleet's engines begin with."""
    return f"logos/{fleet}/engines/"


class Reading(msgspec.Struct, frozen=True):
    """One linearizable look at the switch of a fleet."""

    cluster: str
    """Which cluster answered: its id."""
    position: int
    """How far its history has come; never less than before. 0: it does not say."""
    value: bytes | None
    """What the key holds; None when it is not there."""
    revision: int
    """Which change of the key this is, for a compare-and-set; 0 when it is not there."""


Backend = Literal["etcd", "redis"]
