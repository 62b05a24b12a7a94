"""What surrounds the switch fails: the clock, the disk, the file system, the lock."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from switch_helpers import Clock, FaultyLayer, Workspace, no_space

from logos.core.types import NS_PER_SECOND, SwitchState
from logos.killswitch.judge import CLOCK_TOLERANCE_NS
from logos.killswitch.mounts import network_problem
from logos.killswitch.records import ResetRefusedError, SwitchError

SAFE, ENGAGED = SwitchState.SAFE, SwitchState.ENGAGED


@pytest.mark.parametrize("back_ns", [CLOCK_TOLERANCE_NS + 1, 86_400 * NS_PER_SECOND])
def test_a_clock_that_went_backwards_counts_as_engaged(workspace: Workspace, back_ns: int) -> None:
    clock = Clock(1_700_000_000 * NS_PER_SECOND)
    breaker = workspace.armed(clock=clock)
    clock.now_ns += 3_600 * NS_PER_SECOND
    assert breaker.authority() is SAFE
    clock.now_ns -= back_ns
    assert breaker.authority() is ENGAGED
    assert any("clock went backwards" in cause for cause in breaker.status().causes)
    clock.now_ns += 2 * back_ns
    assert breaker.authority() is ENGAGED
    clock.now_ns -= 2 * back_ns
    assert breaker.reset("ann", "clock set right", breaker.epoch).state is SAFE
    assert breaker.authority() is SAFE


def test_a_clock_that_was_corrected_a_little_is_no_reason(workspace: Workspace) -> None:
    clock = Clock(1_700_000_000 * NS_PER_SECOND)
    breaker = workspace.armed(clock=clock)
    clock.now_ns -= CLOCK_TOLERANCE_NS
    assert breaker.authority() is SAFE
    assert workspace.breaker(clock=clock).authority() is SAFE


def test_a_full_disk_engages_in_memory_at_once_and_says_so(workspace: Workspace) -> None:
    layer = FaultyLayer()
    breaker, other = workspace.armed(layer=layer), workspace.breaker()
    layer.rule = no_space
    result = breaker.engage("stop", "ann")
    assert (result.state, result.recorded, result.marked) == (ENGAGED, False, False)
    assert all("ENOSPC" in problem for problem in result.problems)
    assert result.problems
    assert (breaker.authority(), breaker.flag[0]) == (ENGAGED, ENGAGED)
    assert other.authority() is SAFE, "with every call failing nothing can reach another process"
    layer.rule = lambda number, call, name: None
    breaker._writer.retry_now()
    assert breaker.authority() is ENGAGED
    assert other.authority() is ENGAGED, "as soon as there is room it is written down"
    assert [entry.why for entry in other.monitor().history()][1:] == ["stop"]


def test_on_a_full_disk_the_shared_flag_still_stops_the_others(workspace: Workspace) -> None:
    layer = FaultyLayer()
    breaker, other = workspace.armed(layer=layer), workspace.breaker()

    def full(number: int, call: str, name: str) -> None:
        if call != "pwrite":  # its block was reserved when the flag was made
            no_space(number, call, name)

    layer.rule = full
    assert not breaker.engage("stop", "ann").recorded
    assert other.flag[0] == ENGAGED
    assert other.authority() is ENGAGED
    assert workspace.breaker().authority() is ENGAGED


def test_an_engagement_that_could_not_be_written_makes_every_older_reset_stale(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    breaker, other = workspace.armed(layer=layer), workspace.breaker()
    layer.rule = no_space
    breaker.engage("stop", "ann")
    with pytest.raises(ResetRefusedError):
        breaker.reset("bob", "old news", 1)
    other.reset("bob", "old news", 1)  # this process cannot know; its reset is of the record
    layer.rule = lambda number, call, name: None
    breaker._writer.retry_now()
    assert breaker.authority() is ENGAGED
    assert other.authority() is ENGAGED


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs", "virtiofs", "fuse.unheard"])
def test_a_network_file_system_is_refused_with_an_explanation(
    workspace: Workspace, kind: str
) -> None:
    workspace.armed().close()
    mount = f"30 22 0:9 / {workspace.home} rw shared:1 - {kind} server:/x rw\n"
    workspace.mounts.write_text(workspace.mounts.read_text() + mount)
    breaker = workspace.breaker()
    assert (breaker.authority(), breaker.flag[0]) == (ENGAGED, ENGAGED)
    assert kind in breaker.why()
    assert "LOGOS_HOME" in breaker.why()
    assert not breaker.arm_if_new()
    with pytest.raises(ResetRefusedError, match="network file system"):
        breaker.reset("ann", "fine", 1)
    result = breaker.engage("stop", "ann")
    assert (result.state, result.recorded) == (ENGAGED, True), "towards safety it does what it can"


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuseblk"])
def test_local_file_systems_are_fine(workspace: Workspace, kind: str) -> None:
    workspace.mounts.write_text(f"22 27 0:21 / / rw - {kind} x rw\n")
    assert workspace.armed().authority() is SAFE


@pytest.mark.parametrize(
    ("table", "local"),
    [
        ("1 1 0:1 / / rw - nfs a rw\n2 1 0:2 / {parent} rw - ext4 b rw\n", True),
        ("1 1 0:1 / / rw - ext4 a rw\n2 1 0:2 / {place} rw - nfs b rw\n", False),
        ("1 1 0:1 / / rw - ext4 a rw\n2 1 0:2 / {place}-two rw - nfs b rw\n", True),
        ("1 1 0:1 / {place} rw - ext4 a rw\n2 1 0:2 / {place} rw - nfs b rw\n", False),
        ("1 1 0:1 / / rw shared:1 master:2 - nfs a rw\n", False),
        ("", False),
        ("garbage\n", False),
        ("1 1 0:1 / / rw -\n", False),
    ],
)
def test_the_innermost_and_latest_mount_decides(tmp_path: Path, table: str, local: bool) -> None:
    place = tmp_path / "a b"
    mounts = tmp_path / "mounts"
    name = str(place.resolve()).replace(" ", "\\040")
    mounts.write_text(table.format(place=name, parent=str(tmp_path.resolve())))
    assert (network_problem(place, mounts) == "") is local


def test_an_unreadable_mount_table_counts_against_the_folder(tmp_path: Path) -> None:
    assert "cannot be read" in network_problem(tmp_path, tmp_path / "none")


def test_a_lock_that_cannot_be_taken_does_not_keep_anybody_from_engaging(
    workspace: Workspace,
) -> None:
    breaker, other = workspace.armed(), workspace.breaker()
    (workspace.folder / "lock").unlink()
    (workspace.folder / "lock").mkdir()
    result = breaker.engage("stop", "ann")
    assert (result.state, result.marked, result.recorded) == (ENGAGED, True, False)
    assert other.authority() is ENGAGED
    with pytest.raises(ResetRefusedError, match="directory"):
        other.reset("ann", "fine", 1)
    (workspace.folder / "lock").rmdir()
    breaker._writer.retry_now()
    assert breaker.authority() is ENGAGED
    assert breaker.status().recorded


def test_a_full_disk_refuses_to_arm_with_a_reason(workspace: Workspace) -> None:
    layer = FaultyLayer()
    layer.rule = no_space
    breaker = workspace.breaker(layer=layer)
    with pytest.raises(SwitchError, match="ENOSPC"):
        breaker.arm_if_new()
    assert breaker.authority() is ENGAGED


def test_a_new_machine_is_not_armed_on_a_network_file_system(workspace: Workspace) -> None:
    workspace.mounts.write_text("22 27 0:21 / / rw - nfs4 server:/x rw\n")
    breaker = workspace.breaker()
    assert not breaker.arm_if_new()
    assert breaker.authority() is ENGAGED
    assert not workspace.folder.exists()


@pytest.mark.long
def test_descriptors_do_not_pile_up(workspace: Workspace) -> None:
    before = len(os.listdir("/proc/self/fd"))
    breaker = workspace.armed()
    for number in range(5):
        breaker.engage(f"stop {number}", "ann")
        while breaker._sensor.glance() is None:
            breaker.authority()
    assert len(os.listdir("/proc/self/fd")) - before <= 4
    breaker.close()
    assert len(os.listdir("/proc/self/fd")) - before <= 1, "only the mapping is left to its users"
    del breaker
    assert len(os.listdir("/proc/self/fd")) == before
