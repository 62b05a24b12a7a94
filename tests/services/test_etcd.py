"""A real etcd through its JSON gateway: what the client believes, and what it makes of trouble."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from etcd_servers import Cluster, etcd, make_tls
from fleet_helpers import closed_while_it_waits, record, terms, value_of
from servers import free_ports

from logos.killswitch.fleet.etcd import EtcdStore
from logos.killswitch.fleet.permit import boot_ns
from logos.killswitch.fleet.records import CoordinatorError, EngineEntry
from logos.killswitch.fleet.store import Coordinator

NAMES = (f"fleet-{number}" for number in itertools.count())


def entry(token: str, renewals: int = 0) -> EngineEntry:
    return EngineEntry(
        token=token, host="h", workspace="w", session="s", pid=1, ttl_ns=5, renewals=renewals
    )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with etcd(tmp_path_factory.mktemp("etcd")) as running:
        yield running


@pytest.fixture
def of_fleet(cluster: Cluster) -> Coordinator:
    return terms(*cluster.urls, fleet=next(NAMES))


def test_the_switch_is_written_by_compare_and_set_and_read_back(of_fleet: Coordinator) -> None:
    store = EtcdStore(of_fleet)
    empty = store.read()
    assert (empty.value, empty.revision) == (None, 0)
    revision = store.swap(record(1), 0)
    assert revision > empty.position
    assert store.swap(record(1, who="eve"), 0) == 0, "there is one already"
    reading = store.read()
    assert (reading.value, reading.revision) == (value_of(record(1)), revision)
    assert reading.position >= revision
    assert reading.cluster == empty.cluster != ""
    assert store.swap(record(2), revision) > revision
    assert store.swap(record(2, who="eve"), revision) == 0, "somebody was faster"
    store.close()


def test_a_renewal_reads_the_switch_and_lists_the_engine_in_one_step(
    of_fleet: Coordinator,
) -> None:
    store = EtcdStore(of_fleet)
    revision = store.swap(record(1), 0)
    before_ns = boot_ns()
    first = store.poll(entry("a"))
    assert (first.reading.value, first.reading.revision) == (value_of(record(1)), revision)
    assert first.listed_until_ns > before_ns + of_fleet.ttl_ns
    second = store.poll(entry("a", renewals=1))
    assert second.reading.position > first.reading.position, "a write, so a majority has seen it"
    store.poll(entry("b"))
    assert [(each.token, each.renewals) for each in store.engines()] == [("a", 1), ("b", 0)]
    store.close()


def test_an_entry_goes_with_its_lease_and_comes_with_a_new_one(
    cluster: Cluster, of_fleet: Coordinator
) -> None:
    store = EtcdStore(of_fleet)
    store.poll(entry("a"))
    [lease] = cluster.control("lease", "list").splitlines()[1:2]
    for each in cluster.control("lease", "list").splitlines()[1:]:
        cluster.control("lease", "revoke", each)
    assert lease
    assert store.engines() == []
    store.poll(entry("a", renewals=1))
    assert [each.renewals for each in store.engines()] == [1]
    store.close()


def test_a_value_that_is_no_entry_is_told_not_skipped(
    cluster: Cluster, of_fleet: Coordinator
) -> None:
    cluster.control("put", f"logos/{of_fleet.fleet}/engines/x", "{}")
    store = EtcdStore(of_fleet)
    with pytest.raises(CoordinatorError, match="engines/x is not the entry of an engine"):
        store.engines()
    store.close()


def test_a_watch_hears_of_a_change(of_fleet: Coordinator) -> None:
    listening, writing = EtcdStore(of_fleet), EtcdStore(of_fleet)
    assert not listening.wait(1), "the watch stands, and there is no news"
    writing.swap(record(1), 0)
    assert listening.wait(1)
    listening.close()
    writing.close()


def test_a_close_does_not_wait_for_a_watch_that_hears_nothing(of_fleet: Coordinator) -> None:
    store = EtcdStore(of_fleet)
    assert not store.wait(1)
    assert not closed_while_it_waits(store)


def test_another_endpoint_is_asked_when_one_does_not_answer(of_fleet: Coordinator) -> None:
    [nobody] = free_ports(1)
    endpoints = (f"http://127.0.0.1:{nobody}", *of_fleet.endpoints)
    store = EtcdStore(terms(*endpoints, fleet=of_fleet.fleet))
    assert store.read().value is None
    alone = EtcdStore(terms(endpoints[0]))
    with pytest.raises(CoordinatorError, match=f"etcd did not answer: {endpoints[0]}: Connection"):
        alone.read()
    store.close()


def test_a_member_that_stands_still_is_given_up_in_time(
    cluster: Cluster, of_fleet: Coordinator
) -> None:
    store = EtcdStore(terms(*cluster.urls, ttl_s=0.4, fleet=of_fleet.fleet))
    store.read()
    cluster.members[0].freeze()
    try:
        with pytest.raises(CoordinatorError, match="TimeoutError: timed out"):
            store.read()
    finally:
        cluster.members[0].thaw()
    assert store.read().value is None, "and asked again by a new connection"
    store.close()


@pytest.mark.long
def test_encrypted_and_with_a_password(tmp_path: Path) -> None:
    tls = make_tls(tmp_path)
    files: dict[str, Any] = {"ca": tls.ca, "certificate": tls.client, "key": tls.client_key}
    with etcd(tmp_path / "etcd", tls=tls) as cluster:
        flags = ("--cacert", str(tls.ca), "--cert", str(tls.client), "--key", str(tls.client_key))
        for command in ("role add root", "user add root:s3cret-word", "user grant-role root root"):
            cluster.control(*flags, *command.split())
        cluster.control(*flags, "auth", "enable")
        user: dict[str, Any] = {"user": "root", **files}
        store = EtcdStore(terms(*cluster.urls, password=lambda: "s3cret-word", **user))
        assert store.swap(record(1), 0) > 0
        store.poll(entry("a"))
        store._token = "not-of-this-cluster.1"
        assert store.read().revision > 0, "logged in again"
        store.close()
        for other, words in (
            ({"password": lambda: "wrong-word", **user}, "authentication failed"),
            (files, "user name is empty|permission denied"),
            ({**user, "certificate": None, "key": None}, "SSL|reset|alert|Remote"),
            ({**user, "ca": None}, "CERTIFICATE_VERIFY_FAILED"),
        ):
            refused = EtcdStore(terms(*cluster.urls, **other))
            with pytest.raises(CoordinatorError, match=words) as refusal:
                refused.read()
            assert "word" not in str(refusal.value).replace("password", "")
            refused.close()


def test_tls_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "ca.crt"
    broken.write_text("nothing")
    with pytest.raises(CoordinatorError, match=f"the TLS files cannot be used .{broken}."):
        EtcdStore(terms("https://127.0.0.1:1", ca=broken))
