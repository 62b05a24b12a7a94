"""What a coordinator must be able to do, whatever it is; and how it is reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from logos.core.types import NS_PER_SECOND
from logos.killswitch.fleet.records import Backend, EngineEntry, FleetRecord, Reading

REQUEST_S: Final = 1.0
"""How long one endpoint may take to answer; the next one is asked after that."""
LEASE_OF_TTL: Final = 3
"""The entry of an engine outlives its permits: its lease is so many times their time to live."""
CLAIM_MARGIN_NS: Final = 2 * NS_PER_SECOND
"""How much longer than a permit the claim to a shard lasts: a leader of etcd that was cut off may
answer for its claim a moment longer, and clocks differ in their rates."""


@dataclass(frozen=True, slots=True)
class Coordinator:
    """Where the coordinator is, and how it is talked to. Shows no password."""

    fleet: str
    backend: Backend
    endpoints: tuple[str, ...]
    """Each a URL: `https://HOST:PORT`, `redis://HOST:PORT`; of Sentinels `sentinel://HOST:PORT`."""
    ttl_ns: int
    poll_ns: int
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    user: str = ""
    password: Callable[[], str] | None = None
    """Gives the password when it is needed; None: there is none."""
    service: str = ""
    """What the Sentinels call the master; Redis only."""
    shard: str = ""
    """The shard that the engine owns; empty: none."""

    @property
    def lease_ns(self) -> int:
        """How long the entry of an engine stays after its last renewal; whole seconds. The claim to
        a shard is under the same lease, which is short: nobody trades the shard before its end."""
        least_ns = LEASE_OF_TTL * self.ttl_ns
        if self.shard:
            least_ns = self.ttl_ns + CLAIM_MARGIN_NS
        return -(-least_ns // NS_PER_SECOND) * NS_PER_SECOND

    @property
    def request_s(self) -> float:
        """How long one request to one endpoint may take, seconds."""
        return min(REQUEST_S, self.ttl_ns / NS_PER_SECOND / 4)


class Polled(NamedTuple):
    """A reading of the switch that was taken in one with the renewal of an entry."""

    reading: Reading
    listed_until_ns: int
    """Until when (CLOCK_BOOTTIME) the entry is certain to be found by whoever looks."""
    budgets: bytes | None = None
    """What stands in the ledger of budgets, for an engine that owns a shard."""


class Store(Protocol):
    """A coordinator. Every method raises CoordinatorError; one thread at a time, but for `wait`."""

    @property
    def limits(self) -> str:
        """What this backend cannot promise, in words; empty where it keeps what it says."""

    def poll(self, entry: EngineEntry) -> Polled:
        """Renew `entry` and read the switch, in one step that no majority can have missed."""

    def read(self) -> Reading:
        """Read the switch, linearizable."""

    def swap(self, record: FleetRecord, revision: int) -> int:
        """Write the switch if it is still at `revision` (0: not there); its new revision.

        0 when it is not: somebody else has written it since.
        """

    def engines(self) -> Sequence[EngineEntry]:
        """Every entry there is. Raises CoordinatorError too for one that cannot be read."""

    def wait(self, timeout_s: float) -> bool:
        """Wait until the switch may have changed; False when nothing was heard in that time.

        Only hastens: what is not heard is found by `poll`. For a thread of its own.
        """

    def close(self) -> None:
        """Let go of all connections."""
