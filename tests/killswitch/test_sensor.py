"""The reading half of the switch: the kept answer, and what is remembered of a look."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace
from typing import Any

import pytest
from switch_evidence import FOUND, GONE, NOW_NS, SECOND, SEEN_HARD, settled
from switch_helpers import Clock, FaultyLayer, Workspace, no_space

from logos.core.types import SwitchState
from logos.killswitch import sensor as switch_sensor
from logos.killswitch.evidence import Evidence
from logos.killswitch.judge import Cause, Consequence, Memory, Pending, Verdict

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED


# ---- the kept answer ----


@pytest.mark.parametrize("field", ["st_ino", "st_mtime_ns", "st_ctime_ns", "st_size", "st_dev"])
def test_a_kept_answer_falls_with_any_difference_of_the_record(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    breaker = settled(workspace)
    found = os.stat(workspace.arm_file)
    names = ("st_ino", "st_mtime_ns", "st_ctime_ns", "st_size", "st_dev")
    same = {name: getattr(found, name) for name in names}
    monkeypatch.setattr(switch_sensor, "_stat", lambda *_, **__: SimpleNamespace(**same))
    assert breaker._sensor.glance() is SAFE
    for step in (1, -1):
        other = SimpleNamespace(**{**same, field: same[field] + step})
        monkeypatch.setattr(switch_sensor, "_stat", lambda *_, other=other, **__: other)
        assert breaker._sensor.glance() is None


@pytest.mark.parametrize(("name", "seen"), [("KILL", None), ("REDUCE_ONLY", None), ("other", SAFE)])
def test_a_kept_safe_falls_with_any_marker(
    workspace: Workspace, name: str, seen: SwitchState | None
) -> None:
    breaker = settled(workspace)
    os.symlink("nowhere", workspace.folder / name)
    assert breaker._sensor.glance() is seen


def test_a_kept_answer_falls_when_the_record_is_gone(workspace: Workspace) -> None:
    breaker = settled(workspace)
    workspace.arm_file.unlink()
    assert breaker._sensor.glance() is None


def test_a_kept_answer_watches_the_clock(workspace: Workspace) -> None:
    clock = Clock(NOW_NS)
    breaker = settled(workspace, clock=clock)
    clock.now_ns = NOW_NS + 60 * SECOND
    assert breaker._sensor.glance() is SAFE
    clock.now_ns -= 5 * SECOND
    assert breaker._sensor.glance() is SAFE
    clock.now_ns -= 1
    assert breaker._sensor.glance() is None
    assert breaker.authority() is ENGAGED


def test_a_young_record_is_looked_at_thoroughly(workspace: Workspace) -> None:
    breaker = workspace.armed()
    os.utime(workspace.arm_file, ns=(time.time_ns() + 60 * SECOND,) * 2)
    assert breaker.authority() is SAFE
    assert breaker._sensor.glance() is None


def test_a_closed_switch_keeps_no_answer_and_no_descriptor(workspace: Workspace) -> None:
    before = len(os.listdir("/proc/self/fd"))
    breaker = settled(workspace)
    assert len(breaker._sensor._held) == 2
    breaker.close()
    assert breaker._sensor.glance() is None
    assert breaker._sensor._held == []
    del breaker
    assert len(os.listdir("/proc/self/fd")) == before


# ---- what is pending ----


@pytest.mark.parametrize(
    ("first", "second"), [("engage", "set_reduce_only"), ("set_reduce_only", "engage")]
)
def test_of_two_unwritten_wishes_the_more_severe_is_written_when_there_is_room(
    workspace: Workspace, first: str, second: str
) -> None:
    layer = FaultyLayer()
    breaker = workspace.armed(layer=layer)
    layer.rule = no_space
    for wish in (first, second):
        assert not getattr(breaker, wish)(f"{wish} it", "ann").recorded
    assert breaker.authority() is ENGAGED
    layer.rule = lambda number, call, name: None
    breaker._writer.retry_now()
    assert breaker.authority() is ENGAGED
    last = breaker.monitor().history()[-1]
    assert (last.state, last.why) == ("ENGAGED", "engage it")


def test_only_the_very_wish_that_was_written_is_dropped(workspace: Workspace) -> None:
    sensor = workspace.armed()._sensor
    first, twin = (
        Pending(Cause(ENGAGED, Consequence.NOTHING, "stop"), 1, own=True) for _ in range(2)
    )
    sensor.stop_at_once(first)
    sensor.drop_pending(twin)
    assert sensor.memory.pending is first
    sensor.drop_pending(first)
    assert sensor.memory.pending is None


def test_stopping_at_once_latches_until_a_grant_after_what_was_known(workspace: Workspace) -> None:
    sensor = workspace.armed()._sensor
    sensor.memory = Memory(epoch=4, latched=REDUCE_ONLY, latched_epoch=2)
    pending = Pending(Cause(ENGAGED, Consequence.NOTHING, "stop"), 4, own=True)
    sensor.stop_at_once(pending)
    assert sensor.memory == Memory(epoch=4, latched=ENGAGED, latched_epoch=4, pending=pending)
    softer = Pending(Cause(REDUCE_ONLY, Consequence.NOTHING, "softer"), 4, own=True)
    sensor.memory = Memory(epoch=4, latched=ENGAGED, latched_epoch=6)
    sensor.stop_at_once(softer)
    assert sensor.memory == Memory(epoch=4, latched=ENGAGED, latched_epoch=6, pending=softer)


# ---- what is remembered of a look ----


LINE = FOUND.armed.line
RECORD = Cause(ENGAGED, Consequence.RECORD, "a marker")
CONFIRM = Cause(ENGAGED, Consequence.CONFIRM, "a doubt")
CAREFUL = Cause(REDUCE_ONLY, Consequence.RECORD, "careful")
WAIT = Cause(ENGAGED, Consequence.WAIT_FOR_ARMING, "new")
OWN_SOFT = Pending(CAREFUL, 4, own=True)
SEEN_SOFT = Pending(CAREFUL, 4, own=False)


def remembered(workspace: Workspace, before: Memory, found: Evidence, *causes: Cause) -> Memory:
    sensor = workspace.armed()._sensor
    sensor.memory = before
    sensor._remember(found, Verdict(causes[0].state if causes else SAFE, causes), NOW_NS)
    return sensor.memory


@pytest.mark.parametrize(
    ("before", "found", "epoch", "line"),
    [
        (Memory(), FOUND, 5, LINE),
        (Memory(epoch=4, line=b"4"), FOUND, 5, LINE),
        (Memory(epoch=5, line=b"5"), FOUND, 5, b"5"),
        (Memory(epoch=6, line=b"6"), FOUND, 6, b"6"),
        (Memory(epoch=4, line=b"4"), GONE, 4, b"4"),
    ],
)
def test_only_a_newer_record_replaces_the_one_that_was_seen(
    workspace: Workspace, before: Memory, found: Evidence, epoch: int, line: bytes
) -> None:
    after = remembered(workspace, before, found)
    assert (after.epoch, after.line) == (epoch, line)


@pytest.mark.parametrize(
    ("pending", "causes", "expected"),
    [
        (None, (), None),
        (None, (RECORD,), Pending(RECORD, 5, own=False)),
        (None, (CONFIRM,), Pending(CONFIRM, 5, own=False)),
        (None, (WAIT,), None),
        (None, (Cause(ENGAGED, Consequence.LOCAL, "live"),), None),
        (OWN_SOFT, (RECORD,), OWN_SOFT),
        (SEEN_SOFT, (RECORD,), Pending(RECORD, 5, own=False)),
        (SEEN_HARD, (RECORD,), SEEN_HARD),
        (SEEN_HARD, (CAREFUL,), SEEN_HARD),
        (SEEN_HARD, (), SEEN_HARD),
    ],
)
def test_what_must_be_written_is_pending_and_gives_way_only_to_worse(
    workspace: Workspace,
    pending: Pending | None,
    causes: tuple[Cause, ...],
    expected: Pending | None,
) -> None:
    before = Memory(epoch=4, pending=pending)
    assert remembered(workspace, before, FOUND, *causes).pending == expected


def test_what_is_pending_was_seen_at_the_highest_epoch_that_any_copy_names(
    workspace: Workspace,
) -> None:
    for before, found, epoch in (
        (Memory(epoch=9), FOUND, 9),
        (Memory(epoch=3), GONE, 5),
        (Memory(epoch=3), FOUND, 5),
    ):
        pending = remembered(workspace, before, found, RECORD).pending
        assert pending == Pending(RECORD, epoch, own=False)


LATCHED: dict[str, Any] = {"epoch": 4, "latched": ENGAGED}


@pytest.mark.parametrize(
    ("before", "found", "causes", "latched", "latched_epoch"),
    [
        (Memory(**LATCHED, latched_epoch=4), FOUND, (), SAFE, 4),
        (Memory(**LATCHED, latched_epoch=5), FOUND, (), ENGAGED, 5),
        (Memory(**LATCHED, latched_epoch=6), FOUND, (), ENGAGED, 6),
        (Memory(**LATCHED, latched_epoch=4), FOUND, (CONFIRM,), ENGAGED, 4),
        (Memory(**LATCHED, latched_epoch=0), GONE, (), ENGAGED, 0),
        (Memory(), FOUND, (CONFIRM,), SAFE, 0),
        (Memory(), FOUND, (WAIT,), SAFE, 0),
        (Memory(), FOUND, (RECORD,), ENGAGED, 5),
        (Memory(epoch=9), FOUND, (RECORD,), ENGAGED, 9),
        (Memory(latched_epoch=7), FOUND, (RECORD,), ENGAGED, 7),
        (Memory(), FOUND, (Cause(ENGAGED, Consequence.LOCAL, "live"),), ENGAGED, 5),
        (Memory(epoch=9), FOUND, (Cause(ENGAGED, Consequence.LOCAL, "live"),), ENGAGED, 5),
        (Memory(), FOUND, (Cause(REDUCE_ONLY, Consequence.NOTHING, "record"),), REDUCE_ONLY, 5),
        (
            Memory(latched_epoch=7),
            FOUND,
            (Cause(ENGAGED, Consequence.NOTHING, "record"),),
            ENGAGED,
            7,
        ),
        (Memory(), GONE, (Cause(ENGAGED, Consequence.LOCAL, "live"),), ENGAGED, 0),
        (Memory(**LATCHED, latched_epoch=7), FOUND, (CAREFUL,), ENGAGED, 7),
    ],
)
def test_what_a_process_saw_is_latched_until_a_grant_after_it(
    workspace: Workspace,
    before: Memory,
    found: Evidence,
    causes: tuple[Cause, ...],
    latched: SwitchState,
    latched_epoch: int,
) -> None:
    after = remembered(workspace, before, found, *causes)
    assert (after.latched, after.latched_epoch) == (latched, latched_epoch)


@pytest.mark.parametrize(
    ("granted_before", "found", "granted_after", "latest_ns"),
    [
        (4, FOUND, 5, NOW_NS),
        (5, FOUND, 5, NOW_NS + SECOND),
        (6, FOUND, 6, NOW_NS + SECOND),
        (4, GONE, 4, NOW_NS + SECOND),
    ],
)
def test_a_newer_grant_starts_the_watch_over_the_clock_anew(
    workspace: Workspace, granted_before: int, found: Evidence, granted_after: int, latest_ns: int
) -> None:
    sensor = workspace.armed()._sensor
    sensor.memory = Memory(granted_epoch=granted_before)
    sensor._latest_ns = NOW_NS + SECOND
    sensor._remember(found, Verdict(SAFE, ()), NOW_NS)
    assert sensor.memory.granted_epoch == granted_after
    assert sensor._latest_ns == latest_ns
    sensor._remember(found, Verdict(SAFE, ()), NOW_NS + 2 * SECOND)
    assert sensor._latest_ns == NOW_NS + 2 * SECOND
