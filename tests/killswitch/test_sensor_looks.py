"""One look of the switch, step by step: what it opens, shows, keeps and lets go of."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from switch_evidence import FOUND, GONE, SECOND, SEEN_HARD, descriptor_count, settled
from switch_helpers import Workspace

from logos.core.types import SwitchState
from logos.killswitch import sensor as switch_sensor
from logos.killswitch.evidence import Evidence
from logos.killswitch.judge import Cause, Consequence, Memory, Pending, Verdict

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED


# ---- the glance ----


def test_a_glance_whose_answer_was_replaced_meanwhile_says_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = settled(workspace)._sensor
    stat = os.stat

    def stat_and_replace(path: Any, **how: Any) -> os.stat_result:
        sensor._fast = None
        return stat(path, **how)

    monkeypatch.setattr(switch_sensor, "_stat", stat_and_replace)
    assert sensor.glance() is None


def test_no_kept_answer_outlives_a_stop(workspace: Workspace) -> None:
    sensor = settled(workspace)._sensor
    sensor.stop_at_once(Pending(Cause(ENGAGED, Consequence.NOTHING, "stop"), 1, own=True))
    assert sensor.glance() is None


# ---- the look ----


def test_a_look_that_breaks_off_leaves_no_descriptor_open(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = workspace.armed()._sensor
    before = descriptor_count()

    def judge(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(switch_sensor, "judge", judge)
    with pytest.raises(ZeroDivisionError):
        sensor.look()
    assert descriptor_count() == before


def test_the_mount_is_looked_up_again_when_the_device_is_another_one_and_only_then(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker = workspace.armed()
    asked: list[Path] = []
    problem = ""

    def network_problem(folder: Path, _: Path) -> str:
        asked.append(folder)
        return problem

    monkeypatch.setattr(switch_sensor, "network_problem", network_problem)
    assert breaker._examine() is SAFE
    assert asked == []
    breaker._sensor._device += 1
    assert breaker._examine() is SAFE
    assert breaker._examine() is SAFE
    assert asked == [workspace.folder]
    problem = "far away"
    breaker._sensor._device += 1
    assert breaker._examine() is ENGAGED
    assert "far away" in breaker.why()


# ---- what is pending ----


def test_ones_own_wish_takes_the_place_of_what_was_only_seen(workspace: Workspace) -> None:
    sensor = workspace.armed()._sensor
    sensor.memory = Memory(epoch=4, pending=SEEN_HARD)
    own = Pending(Cause(REDUCE_ONLY, Consequence.NOTHING, "careful"), 4, own=True)
    sensor.stop_at_once(own)
    assert sensor.memory.pending is own


# ---- what is kept ----


@pytest.mark.parametrize(
    ("found", "verdict", "pending", "is_kept"),
    [
        (FOUND, Verdict(SAFE, ()), None, True),
        (FOUND, Verdict(SAFE, ()), SEEN_HARD, False),
        (GONE, Verdict(ENGAGED, ()), None, False),
        (FOUND, Verdict(ENGAGED, (Cause(ENGAGED, Consequence.NOTHING, "x"),)), None, False),
        (FOUND, Verdict(SAFE, (Cause(SAFE, Consequence.LOCAL, "x"),)), None, False),
    ],
    ids=["plain", "something is pending", "no record", "another state", "a cause to follow"],
)
def test_only_a_plain_answer_is_kept(
    workspace: Workspace, found: Evidence, verdict: Verdict, pending: Pending | None, is_kept: bool
) -> None:
    sensor = settled(workspace)._sensor
    sensor.memory = Memory(epoch=5, pending=pending)
    opened = (os.open(os.devnull, os.O_RDONLY), os.open(os.devnull, os.O_RDONLY))
    answer = sensor._keep(msgspec.structs.replace(found, descriptors=opened), verdict)
    assert answer is is_kept
    assert (sensor._fast is not None) is is_kept
    if is_kept:
        assert sensor._fast == (SAFE, opened[0], found.key)
        assert sensor._held == list(opened)
        again = msgspec.structs.replace(found, descriptors=(-1, -1))
        assert sensor._keep(again, verdict) is False
        assert sensor._held == list(opened)
    else:
        for descriptor in opened:
            os.close(descriptor)


@pytest.mark.parametrize("place", [1, 2], ids=["mtime", "ctime"])
def test_an_answer_on_a_record_with_a_young_time_is_not_kept(
    workspace: Workspace, place: int
) -> None:
    sensor = settled(workspace)._sensor
    key = [1, 0, 0, 100, 1]
    key[place] = time.time_ns() + 60 * SECOND
    found = msgspec.structs.replace(FOUND, key=tuple(key))
    assert sensor._keep(found, Verdict(SAFE, ())) is False
    assert sensor._fast is None


# ---- letting go ----


def test_a_switch_that_nobody_uses_any_more_leaves_no_descriptor(workspace: Workspace) -> None:
    before = len(os.listdir("/proc/self/fd"))
    breaker = settled(workspace)
    assert len(os.listdir("/proc/self/fd")) > before
    del breaker
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_closed_switch_can_be_closed_again_and_still_stops_everybody(
    workspace: Workspace,
) -> None:
    breaker, other = workspace.armed(), workspace.breaker()
    breaker.close()
    breaker.close()
    assert breaker.engage("stop", "ann").recorded
    assert other.flag[0] == ENGAGED, "through the shared flag, which was opened anew"
