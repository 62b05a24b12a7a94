"""Claims to shards at a real etcd: one owner at a time, and none that comes back."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from etcd_servers import Cluster, etcd
from fleet_helpers import SECOND, record

from logos.killswitch.fleet.claims import ShardStore
from logos.killswitch.fleet.permit import boot_ns
from logos.killswitch.fleet.records import ClaimLostError, CoordinatorError, EngineEntry
from logos.killswitch.fleet.shards import ShardTakenError, begin_budgets
from logos.killswitch.fleet.store import Coordinator

pytestmark = pytest.mark.long


class Clock:
    """A clock that can be ahead of the machine's, for one owner."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def __call__(self) -> int:
        return boot_ns() + self.ahead_ns


class Owner(NamedTuple):
    store: ShardStore
    clock: Clock

    def poll(self, token: str = "a") -> Decimal | None:
        entry = EngineEntry(
            token=token, host="h", workspace="", session="", pid=1, ttl_ns=SECOND, shard="s0"
        )
        polled = self.store.poll(entry)
        assert polled.listed_until_ns > self.clock()
        return None if polled.budgets is None else Decimal(1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with etcd(tmp_path_factory.mktemp("etcd")) as running:
        yield running


def terms(cluster: Cluster, fleet: str) -> Coordinator:
    return Coordinator(fleet, "etcd", tuple(cluster.urls), SECOND, SECOND // 5, shard="s0")


@pytest.fixture
def two(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[tuple[Owner, Owner]]:
    """Two that want the same shard."""
    fleet = f"f{abs(hash(request.node.name))}"
    clocks = Clock(), Clock()
    stores = [ShardStore(terms(cluster, fleet), clock) for clock in clocks]
    stores[0].swap(record(1), 0)
    yield Owner(stores[0], clocks[0]), Owner(stores[1], clocks[1])
    for each in stores:
        each.close()


def test_one_owns_the_shard_and_the_next_claim_has_the_next_epoch(two: tuple[Owner, Owner]) -> None:
    first, second = two
    claim = first.store.claim("a", Path("/srv/a"))
    assert (claim.epoch, claim.token, claim.workspace) == (1, "a", "/srv/a")
    assert first.store.claim("a", Path("/srv/a")) == claim, "its answer may have been lost"
    with pytest.raises(ShardTakenError, match=r"owned by .* /srv/a .*by claim 1"):
        second.store.claim("b", Path("/srv/b"))
    first.poll()
    assert first.store.claims() == {"s0": (claim, True)}
    first.store.release()
    assert first.store.claims() == {"s0": (claim, False)}
    assert second.store.claim("b", Path("/srv/b")).epoch == 2
    with pytest.raises(ClaimLostError, match=r"has ended; the newest, 2, is of .* /srv/b"):
        first.poll()


def test_what_an_owner_with_records_said_last_outlives_it(two: tuple[Owner, Owner]) -> None:
    first, second = two
    first.store.claim("a", Path("/srv/a"))
    first.poll()
    assert second.store.last() is None, "it has no session yet"
    entry = EngineEntry(
        token="a", host="h", workspace="/srv/a", session="desk-s0", pid=1, ttl_ns=SECOND,
        shard="s0", claim=1, written=70,
    )  # fmt: skip
    first.store.poll(entry)
    first.store.close()
    assert second.store.last() == entry
    answer = second.store.ask("/v3/kv/range", {"key": second.store._last_key})
    assert answer["kvs"][0].get("lease", "0") == "0"


def test_without_the_claim_there_is_no_renewal(two: tuple[Owner, Owner], cluster: Cluster) -> None:
    first, second = two
    with pytest.raises(ClaimLostError):
        second.poll()
    first.store.claim("a", Path("/srv"))
    first.poll()
    fleet = first.store._fleet
    cluster.control("del", f"logos/{fleet}/claims/s0")
    cluster.control("put", f"logos/{fleet}/claims/s0", "somebody's")
    with pytest.raises(ClaimLostError):
        first.poll()
    with pytest.raises(ClaimLostError):
        first.poll()
    with pytest.raises(CoordinatorError, match="is not the claim to a shard"):
        second.store.claim("b", Path("/srv"))


def test_a_lease_that_ended_takes_the_claim_along_for_good(
    two: tuple[Owner, Owner], cluster: Cluster
) -> None:
    first, second = two
    first.store.claim("a", Path("/srv"))
    first.poll()
    cluster.control("lease", "revoke", f"{int(first.store._lease):x}")
    assert second.store.claim("b", Path("/srv")).epoch == 2
    with pytest.raises(ClaimLostError):
        first.poll()


def test_an_owner_whose_permit_ran_out_gives_the_shard_up(two: tuple[Owner, Owner]) -> None:
    first, second = two
    first.store.claim("a", Path("/srv"))
    first.poll()
    first.clock.ahead_ns = SECOND
    with pytest.raises(ClaimLostError):
        first.poll()
    assert second.store.claim("b", Path("/srv")).epoch == 2


def test_the_ledger_is_changed_by_whoever_has_read_its_newest_version(
    two: tuple[Owner, Owner],
) -> None:
    first, second = two
    assert first.store.budgets() == (None, "0")
    ledger = begin_budgets(Decimal("10.5"), {"s0": Decimal(7)})
    assert first.store.swap_budgets(ledger, "0")
    assert not second.store.swap_budgets(ledger, "0")
    found, revision = second.store.budgets()
    assert found == ledger
    assert second.store.swap_budgets(ledger, revision)
    assert not first.store.swap_budgets(ledger, revision)
    first.store.claim("a", Path("/srv"))
    assert first.poll() is not None, "a renewal brings the ledger"
