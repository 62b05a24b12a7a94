"""A real Redis: what the client believes, and what Redis cannot promise."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from fleet_helpers import closed_while_it_waits, record, terms, value_of
from servers import Server, free_ports, program, running
from waiting import wait_until

from logos.core.types import SwitchState
from logos.killswitch.fleet.connect import connect
from logos.killswitch.fleet.permit import Permit, boot_ns
from logos.killswitch.fleet.reader import PermitReader
from logos.killswitch.fleet.records import CoordinatorError, EngineEntry
from logos.killswitch.fleet.redis import RedisStore
from logos.killswitch.fleet.store import Coordinator
from logos.killswitch.fleet.switch import PermittedBreaker

NAMES = (f"fleet-{number}" for number in itertools.count())


def entry(token: str, renewals: int = 0, epoch: int = 0) -> EngineEntry:
    return EngineEntry(
        token=token, host="h", workspace="w", session="s", pid=1, ttl_ns=5, renewals=renewals
    )


@contextmanager
def redis_server(folder: Path, *flags: str) -> Iterator[Server]:
    [port] = free_ports(1)
    binary = program("redis-server", "redis-server")
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--repl-diskless-sync-delay", "0", *flags]
    with running(command, folder, port) as server:
        yield server


def of(*servers: Server, **other: Any) -> Coordinator:
    urls = [f"redis://{each.address}" for each in servers]
    return terms(*urls, backend="redis", **{"fleet": next(NAMES), **other})


def client(server: Server) -> redis.Redis:
    return redis.Redis(host="127.0.0.1", port=server.port)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


def test_the_switch_is_written_by_compare_and_set_and_read_back(server: Server) -> None:
    store = RedisStore(of(server))
    empty = store.read()
    assert (empty.value, empty.revision) == (None, 0)
    revision = store.swap(record(1), 0)
    assert revision
    assert store.swap(record(1, who="eve"), 0) == 0, "there is one already"
    reading = store.read()
    assert (reading.value, reading.revision) == (value_of(record(1)), revision)
    assert reading.cluster == empty.cluster != ""
    assert store.swap(record(2), revision)
    assert store.swap(record(2, who="eve"), revision) == 0, "somebody was faster"
    store.close()


def test_a_renewal_lists_the_engine_until_its_lease_ends(server: Server) -> None:
    at = of(server)
    store = RedisStore(at)
    store.swap(record(1), 0)
    before_ns = boot_ns()
    polled = store.poll(entry("a"))
    assert polled.reading.value == value_of(record(1))
    assert polled.listed_until_ns > before_ns + at.ttl_ns
    store.poll(entry("b"))
    assert [each.token for each in store.engines()] == ["a", "b"]
    with client(server) as other:
        left_ms = other.pttl(f"logos/{at.fleet}/engines/a")
        assert at.ttl_ns // 1_000_000 < left_ms <= at.lease_ns // 1_000_000
        other.pexpire(f"logos/{at.fleet}/engines/a", 1)
        wait_until(lambda: not other.exists(f"logos/{at.fleet}/engines/a"), "the lease to end")
        other.set(f"logos/{at.fleet}/engines/x", "{}")
    with pytest.raises(CoordinatorError, match="engines/x is not the entry of an engine"):
        store.engines()
    store.close()


def test_a_change_is_heard(server: Server) -> None:
    at = of(server)
    listening, writing = RedisStore(at), RedisStore(at)
    listening.wait(1)
    writing.swap(record(1), 0)
    assert listening.wait(1)
    listening.close()
    writing.close()


def test_a_close_ends_what_waits_for_a_change(server: Server) -> None:
    store = RedisStore(of(server))
    store.wait(1)
    assert not closed_while_it_waits(store)


def test_a_server_that_stands_still_is_given_up_in_time(server: Server) -> None:
    store = RedisStore(of(server, ttl_s=0.8))
    store.read()
    server.freeze()
    try:
        with pytest.raises(CoordinatorError, match=r"Redis did not answer: .*Timeout"):
            store.read()
    finally:
        server.thaw()
    assert store.read().value is None
    store.close()


def test_a_password_that_is_wrong_is_not_shown(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--requirepass", "s3cret-word") as server:
        right = RedisStore(of(server, password=lambda: "s3cret-word"))
        assert right.swap(record(1), 0)
        right.close()
        for password in (None, lambda: "wrong-word"):
            wrong = RedisStore(of(server, password=password))
            with pytest.raises(CoordinatorError, match=r"Auth|NOAUTH|WRONGPASS") as refusal:
                wrong.read()
            assert "wrong-word" not in str(refusal.value)
            wrong.close()


def test_a_kill_that_a_cut_off_master_confirmed_is_lost_by_the_failover_and_engages_all_the_same(
    tmp_path: Path,
) -> None:
    """What Redis cannot promise, and what is done about it."""
    with ExitStack() as stack:
        master = stack.enter_context(redis_server(tmp_path / "master"))
        flags = ("--replicaof", "127.0.0.1", str(master.port))
        replica = stack.enter_context(redis_server(tmp_path / "replica", *flags))
        of_master, of_replica = (stack.enter_context(client(each)) for each in (master, replica))
        operator = RedisStore(of(master, fleet="desk"))
        operator.swap(record(1), 0)
        wait_until(lambda: of_replica.get("logos/desk/switch") is not None, "the replica to follow")

        switch = PermittedBreaker(tmp_path / "state" / "kill-switch")
        switch.permit = Permit("desk")
        switch.arm_if_new()
        store = RedisStore(of(master, replica, fleet="desk"))
        reader = PermitReader(
            of(master, replica, fleet="desk"),
            store,
            switch.permit,
            switch,
            lambda renewals, epoch: entry("a", renewals, epoch),
        )
        assert reader.round()
        assert switch.authority() is SwitchState.SAFE

        # The failover: the replica is promoted while the old master still takes what it is told.
        of_replica.replicaof("NO", "ONE")
        assert operator.swap(record(2, "ENGAGED"), operator.read().revision), "confirmed"
        of_master.replicaof("127.0.0.1", replica.port)
        wait_until(
            lambda: of_master.get("logos/desk/switch") == value_of(record(1)),
            "the old master to follow the new one",
        )
        assert b"ENGAGED" not in (of_replica.get("logos/desk/switch") or b""), "the kill is gone"

        assert reader.round()
        assert switch.authority() is SwitchState.ENGAGED
        assert "is kept by another cluster" in switch.status().why
        store.close()
        operator.close()
        switch.close()


def test_a_replica_is_not_believed(tmp_path: Path, server: Server) -> None:
    with redis_server(tmp_path, "--replicaof", "127.0.0.1", str(server.port)) as replica:
        store = RedisStore(of(replica))
        with pytest.raises(CoordinatorError, match="not a master"):
            store.read()
        store.close()


def test_without_the_library_the_command_that_installs_it_is_named(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "logos.killswitch.fleet.redis")
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(CoordinatorError, match="the coordinator redis needs a library: "):
        connect(of(server))
