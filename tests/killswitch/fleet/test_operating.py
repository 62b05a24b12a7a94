"""What an operator does with a fleet's switch, and what counts as stopped."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from fleet_helpers import SECOND, MemoryStore, record

from logos.core.types import SwitchState
from logos.killswitch.fleet.operating import (
    Engaged,
    FleetResetRefusedError,
    Muster,
    Progress,
    release,
    tighten,
)
from logos.killswitch.fleet.records import CoordinatorError, EngineEntry, FleetRecord, decode_record

ENGAGED = SwitchState.ENGAGED


class Clock:
    now = 100 * SECOND

    def __call__(self) -> int:
        return self.now


def entry(token: str = "a", **fields: object) -> EngineEntry:
    plain = EngineEntry(
        token=token, host="h", workspace="/w", session="s", pid=1, ttl_ns=5 * SECOND, epoch=1
    )
    return msgspec.structs.replace(plain, **fields)


def switch_of(store: MemoryStore) -> FleetRecord:
    assert store.value is not None
    return decode_record(store.value)


def test_a_kill_is_written_at_a_new_epoch_with_who_and_why() -> None:
    store = MemoryStore()
    store.put(record(4))
    engaged = tighten(store, ENGAGED, "ann", "fat\nfinger")
    assert engaged.is_new
    found = switch_of(store)
    assert (found.epoch, found.state, found.who, found.why) == (5, "ENGAGED", "ann", "fat?finger")


def test_a_second_kill_leaves_the_first_as_it_is() -> None:
    store = MemoryStore()
    store.put(record(4, "ENGAGED", who="bob"))
    engaged = tighten(store, ENGAGED, "ann", "me too")
    assert not engaged.is_new
    assert switch_of(store).who == "bob"
    tighten(store, SwitchState.REDUCE_ONLY, "ann", "less")
    assert switch_of(store).state == "ENGAGED"


@pytest.mark.parametrize("value", [None, b"", b"{}", b"\x00"])
def test_a_kill_works_where_the_switch_is_gone_or_damaged(value: bytes | None) -> None:
    store = MemoryStore()
    store.value, store.revision = value, 0 if value is None else 7
    engaged = tighten(store, ENGAGED, "ann", "stop", floor=9)
    assert engaged.record.epoch == 10
    assert switch_of(store).state == "ENGAGED"


def test_a_kill_that_loses_a_race_is_tried_again_and_one_that_cannot_be_written_raises() -> None:
    class Racing(MemoryStore):
        races = 2

        def swap(self, of: FleetRecord, revision: int) -> int:
            if self.races:
                self.races -= 1
                self.put(record(switch_of(self).epoch + 1))
            return super().swap(of, revision)

    store = Racing()
    store.put(record(1))
    assert tighten(store, ENGAGED, "ann", "stop").record.epoch == 4
    busy = Racing()
    busy.put(record(1))
    with pytest.raises(CoordinatorError, match="at the same time"):
        tighten(busy, ENGAGED, "ann", "stop", until_s=0)
    cut = MemoryStore()
    cut.is_cut = True
    with pytest.raises(CoordinatorError, match="cut off"):
        tighten(cut, ENGAGED, "ann", "stop", until_s=0)


def muster(entries: Sequence[EngineEntry]) -> tuple[Muster, MemoryStore, Clock]:
    store, clock = MemoryStore(), Clock()
    store.entries = {each.token: each for each in entries}
    return Muster(store, Engaged(record(2, "ENGAGED"), clock.now, True), clock), store, clock


@pytest.mark.parametrize(
    ("fields", "progress"),
    [
        ({}, Progress.SILENT),
        ({"epoch": 2}, Progress.HEARD),
        ({"epoch": 2, "blocked": True}, Progress.RESTING),
        ({"epoch": 2, "blocked": True, "drained": True}, Progress.STOPPED),
        # It was blocked and drained before, by something else, and has not heard of this one.
        ({"blocked": True, "drained": True}, Progress.SILENT),
        ({"ended": True, "drained": True}, Progress.STOPPED),
        ({"ended": True}, Progress.RESTING),
    ],
)
def test_how_far_an_engine_has_come(fields: dict[str, object], progress: Progress) -> None:
    following, _, _ = muster([msgspec.structs.replace(entry(), **fields)])
    assert [each for _, each in following.look()] == [progress]


def test_a_permit_is_proved_to_have_expired_by_time_alone_and_not_before() -> None:
    following, store, clock = muster([entry()])
    assert [each for _, each in following.look()] == [Progress.SILENT]
    store.is_cut = True
    clock.now += 6 * SECOND - 1
    assert [each for _, each in following.known()] == [Progress.SILENT]
    clock.now += 1
    assert [each for _, each in following.known()] == [Progress.EXPIRED]


def test_an_entry_that_goes_away_is_not_taken_for_an_engine_that_stopped() -> None:
    following, store, clock = muster([entry()])
    following.look()
    store.entries.clear()
    assert [each for _, each in following.look()] == [Progress.SILENT]
    clock.now += 6 * SECOND
    assert [each for _, each in following.look()] == [Progress.EXPIRED]


def test_an_engine_that_renews_and_does_not_obey_is_never_taken_for_expired() -> None:
    following, store, clock = muster([entry(renewals=4)])
    following.look()
    store.entries["a"] = entry(renewals=6)
    clock.now += 60 * SECOND
    assert [each for _, each in following.look()] == [Progress.DISOBEYS]


def test_a_reset_names_the_epoch_that_it_judged() -> None:
    store = MemoryStore()
    store.put(record(4, "ENGAGED"))
    with pytest.raises(FleetResetRefusedError, match="epoch 3 is not the current epoch, 4 is"):
        release(store, "ann", "fine", 3)
    fresh = release(store, "ann", "fine", 4)
    assert (fresh.epoch, fresh.state) == (5, "SAFE")
    assert switch_of(store) == fresh


def test_a_reset_that_somebody_else_was_faster_than_is_refused() -> None:
    class Faster(MemoryStore):
        def engines(self) -> Sequence[EngineEntry]:
            self.put(record(4, "ENGAGED", who="bob"))
            return ()

    store = Faster()
    store.put(record(4, "ENGAGED"))
    with pytest.raises(FleetResetRefusedError, match="somebody else has changed"):
        release(store, "ann", "fine", 4)
    assert switch_of(store).who == "bob"


def test_a_switch_is_made_where_there_is_none_above_what_anybody_has_seen() -> None:
    store = MemoryStore()
    store.entries["a"] = entry(epoch=6)
    with pytest.raises(FleetResetRefusedError, match="there is no switch"):
        release(store, "ann", "begin", 1)
    assert release(store, "ann", "begin", 0, floor=3).epoch == 7


def test_a_reset_needs_a_person_and_a_reason() -> None:
    store = MemoryStore()
    for who, why in (("", "fine"), ("ann", " ")):
        with pytest.raises(ValueError, match="needs a person"):
            release(store, who, why, 0)


def test_what_may_rest_at_a_venue_stands_in_the_way_of_a_reset() -> None:
    store = MemoryStore()
    store.put(record(2, "ENGAGED"))
    store.entries = {
        "a": entry("a", is_real=True, epoch=2, blocked=True),
        "b": entry("b", is_real=True, epoch=2, blocked=True, drained=True, differences=3),
        "c": entry("c", epoch=1),
        "d": entry("d", is_real=True, epoch=2, blocked=True, drained=True),
    }
    with pytest.raises(FleetResetRefusedError) as refusal:
        release(store, "ann", "fine", 2)
    lines = str(refusal.value).splitlines()
    assert [line.split(": ")[1] for line in lines[1:-1]] == [
        "orders may still rest at its venue",
        "3 differences with its venue are not explained",
    ]
    fresh = release(store, "ann", "fine", 2, is_forced=True)
    assert "[--force over: h /w session s: orders may still rest" in fresh.why


def test_a_damaged_switch_is_engaged_before_it_is_reset() -> None:
    store = MemoryStore()
    store.value, store.revision = b"{}", 7
    with pytest.raises(FleetResetRefusedError, match="engage it first"):
        release(store, "ann", "fine", 0)
