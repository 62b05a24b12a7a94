"""One round of the reader, and what it leaves in this machine's switch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fleet_helpers import SECOND, MemoryStore, record, terms
from waiting import wait_until

from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.fleet import switch as switch_module
from logos.killswitch.fleet.permit import Known, Permit
from logos.killswitch.fleet.reader import SEND_NS, PermitReader
from logos.killswitch.fleet.records import EngineEntry
from logos.killswitch.fleet.switch import PermittedBreaker

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED


class Clock:
    now = 1_000 * SECOND

    def __call__(self, _kind: int = 0) -> int:
        return self.now


@dataclass
class Engine:
    folder: Path
    clock: Clock
    store: MemoryStore
    switch: PermittedBreaker
    reader: PermitReader
    kept: list[Known]

    @property
    def on_disk(self) -> CircuitBreaker:
        """The switch of this machine as another process finds it, which has no permit to ask."""
        return CircuitBreaker(self.folder)

    def reset(self) -> None:
        """A person allows this machine to trade again."""
        self.switch.reset("ann", "looked at it", self.switch.status().epoch)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    clock = Clock()
    monkeypatch.setattr(switch_module, "_clock_ns", clock)
    folder = tmp_path / "state" / "kill-switch"
    store = MemoryStore(clock)
    store.put(record(1))
    switch = PermittedBreaker(folder)
    switch.permit = Permit("desk", clock)
    assert switch.arm_if_new()
    kept: list[Known] = []

    def entry(renewals: int, epoch: int) -> EngineEntry:
        return EngineEntry(
            token="t1", host="h", workspace="w", session="s", pid=1, ttl_ns=1, renewals=renewals,
            epoch=epoch,
        )  # fmt: skip

    reader = PermitReader(
        terms("http://127.0.0.1:1"), store, switch.permit, switch, entry, keep=kept.append,
        clock=clock,
    )  # fmt: skip
    assert reader.round()
    assert switch.authority() is SAFE
    yield Engine(folder, clock, store, switch, reader, kept)
    switch.close()


def test_a_permit_ends_a_moment_before_its_time_to_live_after_the_request(
    engine: Engine,
) -> None:
    engine.store.is_cut = True
    engine.clock.now += 5 * SECOND - SEND_NS - 1
    assert not engine.reader.round()
    assert engine.switch.authority() is SAFE
    engine.clock.now += 1
    assert engine.switch.authority() is ENGAGED
    assert engine.switch.flag[0] == ENGAGED, "gate 1 sees it too"
    assert engine.on_disk.authority() is ENGAGED
    assert "the permit of fleet desk has expired" in engine.on_disk.status().why


def test_an_expired_permit_does_not_come_back_by_itself(engine: Engine) -> None:
    engine.clock.now += 6 * SECOND
    assert engine.reader.round(), "the coordinator answers again, and the fleet is SAFE"
    assert engine.switch.authority() is ENGAGED
    for _ in range(3):
        engine.clock.now += SECOND
        assert engine.reader.round()
        assert engine.switch.authority() is ENGAGED
    engine.reset()
    assert engine.switch.authority() is SAFE, "a person has decided"
    assert engine.on_disk.authority() is SAFE


def test_a_reset_of_this_machine_alone_does_not_help_while_there_is_no_permit(
    engine: Engine,
) -> None:
    engine.store.is_cut = True
    engine.clock.now += 6 * SECOND
    assert engine.switch.authority() is ENGAGED
    engine.reset()
    assert engine.switch.authority() is ENGAGED
    assert engine.on_disk.authority() is ENGAGED


def test_the_fleets_kill_stops_this_machine_with_who_and_why_and_stays(engine: Engine) -> None:
    engine.store.put(record(2, "ENGAGED", who="bob", why="fat finger"))
    assert engine.reader.round()
    assert engine.switch.authority() is ENGAGED
    status = engine.on_disk.status()
    assert (status.who, status.why) == ("bob", "fleet desk is ENGAGED at epoch 2: fat finger")
    engine.store.put(record(3))
    assert engine.reader.round()
    assert engine.switch.authority() is ENGAGED, "the fleet may trade, this machine may not yet"
    engine.reset()
    assert engine.switch.authority() is SAFE
    assert engine.switch.permit.epoch == 3


def test_a_reset_of_this_machine_alone_does_not_help_while_the_fleet_is_engaged(
    engine: Engine,
) -> None:
    engine.store.put(record(2, "ENGAGED"))
    assert engine.reader.round()
    engine.reset()
    assert engine.switch.authority() is ENGAGED
    assert engine.reader.round()
    assert engine.on_disk.authority() is ENGAGED


def test_reduce_only_of_the_fleet_holds_here_whatever_this_machine_says(engine: Engine) -> None:
    engine.store.put(record(2, "REDUCE_ONLY"))
    assert engine.reader.round()
    assert engine.switch.authority() is REDUCE_ONLY
    assert engine.on_disk.authority() is REDUCE_ONLY
    engine.reset()
    assert engine.switch.authority() is REDUCE_ONLY
    epoch = engine.switch.epoch
    assert engine.reader.round()
    assert engine.switch.authority() is REDUCE_ONLY
    assert engine.switch.epoch == epoch, "what is latched is not written again at each look"
    engine.store.put(record(3))
    assert engine.reader.round()
    assert engine.switch.authority() is REDUCE_ONLY, "latched here"
    engine.reset()
    assert engine.switch.authority() is SAFE


def delete_key(store: MemoryStore) -> None:
    store.put(None)


def change_cluster(store: MemoryStore) -> None:
    store.cluster = "c2"


def put_back(store: MemoryStore) -> None:
    store.position = 1


def lower_epoch(store: MemoryStore) -> None:
    store.put(record(4))
    store.value = store.value and store.value.replace(b'"epoch":4', b'"epoch":0')


@pytest.mark.parametrize("break_it", [delete_key, change_cluster, put_back, lower_epoch])
def test_a_doubt_about_the_coordinator_engages_this_machine(
    engine: Engine, break_it: object
) -> None:
    break_it(engine.store)  # type: ignore[operator]
    assert engine.reader.round()
    assert engine.switch.authority() is ENGAGED
    assert engine.on_disk.status().who == "coordinator"
    engine.store.cluster = "c1"
    engine.store.put(record(9))
    assert engine.reader.round()
    assert engine.switch.authority() is ENGAGED, "nothing returns by itself"


def test_what_was_seen_is_kept_when_it_has_changed(engine: Engine) -> None:
    assert [known.epoch for known in engine.kept] == [1]
    assert engine.reader.round()
    assert len(engine.kept) == 1
    engine.store.put(record(2))
    assert engine.reader.round()
    assert [known.epoch for known in engine.kept] == [1, 2]


def test_an_entry_says_how_often_it_was_renewed_and_what_was_acted_upon(engine: Engine) -> None:
    engine.store.put(record(2, "ENGAGED"))
    assert engine.reader.round()
    assert engine.reader.round()
    entry = engine.store.entries["t1"]
    assert (entry.renewals, entry.epoch) == (2, 2)


def test_an_entry_that_nobody_would_find_any_more_ends_the_permit(engine: Engine) -> None:
    engine.store.lease_ns = SECOND
    assert engine.reader.round()
    engine.clock.now += SECOND
    assert engine.switch.authority() is ENGAGED


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_death_of_the_reader_engages(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(_entry: EngineEntry) -> None:
        raise RuntimeError("a bug")

    assert engine.reader.problem() == ""
    monkeypatch.setattr(engine.store, "poll", break_down)
    engine.reader.start()
    wait_until(lambda: bool(engine.reader.problem()), "the thread to die")
    assert "RuntimeError: a bug" in engine.reader.problem()
    assert engine.switch.authority() is ENGAGED
    assert "the thread that renews the permit died" in engine.on_disk.status().why
    engine.reader.stop()


def test_a_reader_that_is_stopped_says_once_more_how_it_stands(engine: Engine) -> None:
    engine.reader.start()
    wait_until(lambda: engine.store.entries["t1"].renewals > 0, "the first round of the thread")
    before = engine.store.entries["t1"].renewals
    engine.reader.stop()
    assert engine.store.entries["t1"].renewals > before
    assert engine.store.is_closed
    assert engine.reader.problem() == ""
