"""One look of the switch, step by step: what small changes of it showed to be untested.

Every test here notices a change of `killswitch/sensor.py` that the other tests did not; see
`tests/helpers/mutation.py`.
"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from switch_helpers import Workspace
from test_switch_mutants_sensor import FOUND, GONE, SECOND, SEEN_HARD, evidence, settled

from logos.core.types import SwitchState
from logos.killswitch import sensor as switch_sensor
from logos.killswitch.files import Folder
from logos.killswitch.judge import Cause, Consequence, Memory, Pending, Verdict
from logos.killswitch.ledger import Evidence

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED


def descriptor_count() -> int:
    return len(os.listdir("/proc/self/fd"))


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


# ---- the flag ----


def test_what_is_hinted_at_shows_in_the_flag_that_gate_1_reads(workspace: Workspace) -> None:
    sensor = workspace.armed()._sensor
    sensor._flag = b"\0"
    sensor.show_shared(ENGAGED)
    assert sensor.current_flag()[0] == ENGAGED
    assert sensor.shared_hint() == (ENGAGED, 1)


def test_without_a_flag_there_is_no_hint(workspace: Workspace) -> None:
    breaker = workspace.armed()
    breaker.close()
    assert breaker._sensor.shared_hint() == (0, 0)


@pytest.mark.parametrize(("descriptor", "opened"), [(-1, []), (0, [0]), (1, [1])])
def test_the_flag_is_looked_for_in_the_folder_that_was_opened_whatever_its_number(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, descriptor: int, opened: list[int]
) -> None:
    sensor = workspace.armed()._sensor
    asked: list[int] = []

    def borrowed(_layer: Any, _path: Path, fd: int) -> Any:
        asked.append(fd)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Folder, "borrowed", borrowed)
    sensor._open_flag(evidence(5, 5, descriptors=(descriptor, -1)))
    assert asked == opened
    assert bool(sensor.terms.flag_problem) is bool(opened)
    assert FOUND.descriptors == (-1, -1)


def test_the_flag_is_mapped_once_and_again_when_another_file_took_its_place(
    workspace: Workspace,
) -> None:
    breaker = workspace.armed()
    first = breaker._sensor._shared
    assert first is not None
    breaker._examine()
    assert breaker._sensor._shared is first
    other = workspace.folder / "other"
    other.write_bytes(bytes(64))
    other.replace(workspace.folder / "flag")
    assert breaker._examine() is SAFE
    second = breaker._sensor._shared
    assert second is not None
    assert second.inode == os.stat(workspace.folder / "flag").st_ino
    workspace.breaker().engage("stop", "ann")
    assert breaker.flag[0] == ENGAGED


# ---- what is shown ----


@pytest.mark.parametrize(
    ("found", "hint", "shown"),
    [
        (FOUND, (ENGAGED, 4), (SAFE, 5)),
        (FOUND, (ENGAGED, 5), (ENGAGED, 5)),
        (FOUND, (ENGAGED, 9), (ENGAGED, 9)),
        (FOUND, (SAFE, 1), (SAFE, 1)),
        (GONE, (ENGAGED, 1), (ENGAGED, 1)),
    ],
    ids=["before the record", "of its epoch", "after it", "says nothing", "without a record"],
)
def test_only_a_hint_from_before_the_record_is_cleared_by_a_look_that_finds_it_safe(
    workspace: Workspace, found: Evidence, hint: tuple[int, int], shown: tuple[int, int]
) -> None:
    sensor = workspace.armed()._sensor
    shared = sensor._shared
    assert shared is not None
    content = bytes([hint[0]]) + bytes(7) + hint[1].to_bytes(8, "little")
    shared._layer.pwrite(shared._fd, content, 0)
    sensor._show(found, Verdict(SAFE, ()))
    assert shared.read() == shown


def test_a_safe_answer_without_a_shared_flag_is_shown_to_gate_1(workspace: Workspace) -> None:
    sensor = workspace.armed()._sensor
    sensor.close()
    sensor._flag = bytes([ENGAGED])
    sensor._show(FOUND, Verdict(SAFE, ()))
    assert sensor.current_flag()[0] == SAFE


def test_gate_1_hears_of_others_at_once_also_while_only_reducing_is_allowed(
    workspace: Workspace,
) -> None:
    breaker, other = workspace.armed(), workspace.breaker()
    breaker.set_reduce_only("careful", "ann")
    breaker._examine()
    assert breaker.flag[0] == REDUCE_ONLY
    other.engage("stop", "bob")
    assert breaker.flag[0] == ENGAGED, "no look was needed"


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
