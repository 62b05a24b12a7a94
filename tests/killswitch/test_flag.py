"""The flag in shared memory that gate 1 reads: when it is opened, believed, shown and cleared."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from switch_evidence import FOUND, GONE, descriptor_count, evidence
from switch_helpers import FaultyLayer, QuickLayer, Workspace, no_space

from logos.core.types import SwitchState
from logos.killswitch import sensor as switch_sensor
from logos.killswitch.evidence import Evidence
from logos.killswitch.files import Folder
from logos.killswitch.flag import SharedFlag
from logos.killswitch.judge import Verdict

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED


# ---- the shared flag ----


def test_a_hint_of_a_newer_epoch_is_given_though_it_is_no_more_severe(tmp_path: Path) -> None:
    with Folder(QuickLayer(), tmp_path) as folder:
        flag = SharedFlag(folder, "flag")
        for state, epoch, shown in (
            (ENGAGED, 1, (ENGAGED, 1)),
            (ENGAGED, 3, (ENGAGED, 3)),
            (REDUCE_ONLY, 2, (ENGAGED, 3)),
            (REDUCE_ONLY, 4, (ENGAGED, 4)),
        ):
            flag.hint(state, epoch)
            assert flag.read() == shown
        flag.close()


def test_a_flag_that_is_closed_has_no_descriptor_and_can_still_be_read(tmp_path: Path) -> None:
    with Folder(QuickLayer(), tmp_path) as folder:
        flag = SharedFlag(folder, "flag")
        flag.hint(ENGAGED, 1)
        open_before = descriptor_count()
        flag.close()
        assert descriptor_count() == open_before - 1
        assert flag.read() == (ENGAGED, 1)


def test_a_flag_without_room_says_so_and_leaves_no_descriptor_open(tmp_path: Path) -> None:
    layer = FaultyLayer()
    with Folder(layer, tmp_path) as folder:
        before = descriptor_count()
        layer.rule = lambda number, call, name: (
            no_space(number, call, name) if call == "allocate" else None
        )
        with pytest.raises(OSError, match="No space left"):
            SharedFlag(folder, "flag")
        assert descriptor_count() == before


def test_a_flag_that_is_cut_short_while_it_is_mapped_engages_this_process(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.armed().close()

    def cut_short(*_: object) -> SharedFlag:
        raise ValueError("mmap length is greater than file size")

    monkeypatch.setattr(switch_sensor, "SharedFlag", cut_short)
    breaker = workspace.breaker()
    assert breaker.authority() is ENGAGED
    assert "flag does not keep its size" in breaker.why()


# ---- the flag ----


def test_a_hint_from_before_the_last_reset_is_healed(workspace: Workspace) -> None:
    breaker = workspace.armed()
    breaker.reset("ann", "again", 1)
    shared = breaker._sensor._shared
    assert shared is not None
    shared.hint(ENGAGED, 1)
    assert shared.read() == (ENGAGED, 2)
    shared._layer.pwrite(shared._fd, bytes([ENGAGED]) + bytes(7) + (1).to_bytes(8, "little"), 0)
    assert shared.read() == (ENGAGED, 1)
    assert breaker.authority() is SAFE
    assert shared.read() == (SAFE, 2)
    assert breaker.flag[0] == SAFE


def test_a_flag_that_was_replaced_is_opened_anew(workspace: Workspace) -> None:
    breaker = workspace.armed()
    (workspace.folder / "flag").unlink()
    assert breaker._examine() is SAFE
    other = workspace.breaker()
    other.engage("stop", "ann")
    assert breaker.flag[0] == ENGAGED


def test_what_only_this_session_may_not_do_stops_nobody_else(workspace: Workspace) -> None:
    paper = workspace.armed()
    live = workspace.breaker(mode="live")
    assert (live.authority(), live.flag[0]) == (ENGAGED, ENGAGED)
    assert (paper.flag[0], paper._sensor.shared_hint()[0]) == (SAFE, SAFE)
    paper.set_reduce_only("careful", "ann")
    assert (live.authority(), live.flag[0]) == (ENGAGED, ENGAGED)
    assert (paper.authority(), paper.flag[0]) == (REDUCE_ONLY, REDUCE_ONLY)


def test_a_flag_that_cannot_be_made_engages_this_process(workspace: Workspace) -> None:
    workspace.armed().close()
    (workspace.folder / "flag").unlink()
    (workspace.folder / "flag").mkdir()
    breaker = workspace.breaker()
    assert (breaker.authority(), breaker.flag[0]) == (ENGAGED, ENGAGED)
    assert "flag cannot be used: is a directory" in breaker.why()
    (workspace.folder / "flag").rmdir()
    assert breaker.authority() is ENGAGED, "it was seen, so only a reset ends it"
    assert workspace.breaker().authority() is SAFE


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
