"""What the switch's files say, read as one: records, witness, markers, and writers at work."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec
import pytest
from switch_evidence import FOUND, GONE, descriptor_count, evidence
from switch_helpers import FaultyLayer, QuickLayer, Workspace

from logos.killswitch.evidence import NO_KEY, Copy, Evidence, key_of
from logos.killswitch.files import Folder
from logos.killswitch.history import Tail
from logos.killswitch.ledger import LOOKS_MAX, SwitchLedger
from logos.killswitch.records import MarkerNote

# ---- what the disk says ----


def test_a_folder_that_cannot_be_looked_into_is_no_new_one() -> None:
    missing = GONE.armed
    tail = msgspec.structs.replace(FOUND.tail, exists=False)
    new = evidence(5, 5, armed=missing, witness=missing, tail=tail, flag_exists=False)
    assert new.is_new
    assert not msgspec.structs.replace(new, folder_problem="cannot be used").is_new


@pytest.mark.parametrize("newest", ["armed", "witness", "tail_transition"])
def test_the_highest_epoch_of_any_copy_counts(newest: str) -> None:
    old, new = evidence(3, 3), evidence(5, 5)
    found = msgspec.structs.replace(old, **{newest: getattr(new, newest)})
    assert found.epoch == 5


def test_the_witness_lies_where_it_was_wanted_and_its_folder_is_made(tmp_path: Path) -> None:
    wanted = tmp_path / "far" / "away" / "witness"
    ledger = SwitchLedger(tmp_path / "state" / "switch", wanted, QuickLayer())
    assert ledger.witness_path == wanted
    ledger.make()
    assert wanted.parent.is_dir()
    assert ledger.folder_path.is_dir()


def looks(monkeypatch: pytest.MonkeyPatch, *stable: bool) -> tuple[SwitchLedger, list[Evidence]]:
    """A ledger whose looks are stable or not, one after the other; each opens a descriptor."""
    ledger = SwitchLedger(Path("/nowhere/switch"), None, QuickLayer())
    made: list[Evidence] = []

    def look_once(_: SwitchLedger) -> Evidence:
        opened = os.open(os.devnull, os.O_RDONLY)
        made.append(evidence(5, 5, stable=stable[len(made)], descriptors=(opened, -1)))
        return made[-1]

    monkeypatch.setattr(SwitchLedger, "_look_once", look_once)
    return ledger, made


def test_a_look_at_a_writer_at_work_is_begun_anew_and_let_go_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = descriptor_count()
    ledger, made = looks(monkeypatch, False, False, True)
    found = ledger.look()
    assert found is made[2]
    assert descriptor_count() == before + 1
    ledger.release(found)
    assert descriptor_count() == before


def test_a_reader_gives_up_after_so_many_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    before = descriptor_count()
    ledger, made = looks(monkeypatch, *[False] * (LOOKS_MAX + 2))
    found = ledger.look()
    assert len(made) == LOOKS_MAX
    assert not found.stable
    ledger.release(found)
    assert descriptor_count() == before


def test_every_descriptor_is_closed_whatever_its_number() -> None:
    closed: list[int] = []

    class Closing(QuickLayer):
        def close(self, fd: int) -> None:
            closed.append(fd)

    ledger = SwitchLedger(Path("/nowhere/switch"), None, Closing())
    ledger.release(evidence(5, 5, descriptors=(0, -1)))
    assert closed == [0]


def test_something_in_the_folders_place_is_said_and_is_no_new_machine(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "switch").write_text("no folder")
    found = SwitchLedger(tmp_path / "state" / "switch", None, QuickLayer()).look()
    assert errno.errorcode[errno.ENOTDIR] in found.folder_problem
    assert not found.is_new
    assert not found.armed.exists


# ---- while others write ----


def test_what_the_witness_said_before_the_record_was_read_is_of_no_use(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    workspace.armed().close()
    ledger = SwitchLedger(workspace.folder, None, layer)

    def damage_the_witness(call: str, name: str) -> None:
        if name == "armed.json":
            workspace.witness.write_bytes(b"other")

    layer.read_rule = damage_the_witness
    found = ledger.look()
    ledger.release(found)
    assert found.armed.transition is not None
    assert found.witness.transition is None


def test_a_record_that_appears_while_the_rest_is_read_makes_the_look_unstable(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    workspace.armed().close()
    hidden = workspace.arm_file.rename(workspace.folder / "hidden")
    ledger = SwitchLedger(workspace.folder, None, layer)

    def bring_it_back(call: str, name: str) -> None:
        if name == "flag" and hidden.exists():
            hidden.rename(workspace.arm_file)

    layer.read_rule = bring_it_back
    first = ledger._look_once()
    ledger.release(first)
    assert not first.armed.exists
    assert not first.stable
    second = ledger._look_once()
    ledger.release(second)
    assert second.armed.exists
    assert second.stable


def test_a_record_that_nobody_can_open_is_no_writer_at_work(workspace: Workspace) -> None:
    workspace.armed().close()
    workspace.arm_file.rename(workspace.folder / "aside")
    workspace.arm_file.symlink_to("aside")
    ledger = SwitchLedger(workspace.folder, None, QuickLayer())
    found = ledger._look_once()
    ledger.release(found)
    assert found.stable
    assert "symbolic link" in found.armed.problem


@pytest.mark.parametrize("is_there", [True, False])
def test_a_look_that_fails_halfway_says_so_and_leaves_no_descriptor_open(
    workspace: Workspace, is_there: bool
) -> None:
    layer = FaultyLayer()
    workspace.armed().close()
    if not is_there:
        workspace.arm_file.unlink()
    ledger = SwitchLedger(workspace.folder, None, layer)

    def broken(call: str, name: str) -> None:
        if (call, name) == ("lstat", "KILL"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    layer.read_rule = broken
    before = descriptor_count()
    found = ledger.look()
    assert found.folder_problem.startswith(str(workspace.folder))
    assert found.descriptors == (-1, -1)
    assert descriptor_count() == before


# ---- one file each ----


def test_where_there_is_nothing_the_look_says_exactly_that(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "switch"
    found = SwitchLedger(folder, tmp_path / "far" / "witness", QuickLayer()).look()
    missing = Copy(b"", None, f"{folder / 'armed.json'} is missing", False)
    witness = Copy(b"", None, f"{tmp_path / 'far' / 'witness'} is missing", False)
    tail = Tail(False, b"", 0, "")
    assert found == Evidence(
        "", None, None, missing, witness, tail, None, False, True, NO_KEY, (-1, -1)
    )
    assert found.is_new


def test_an_armed_switch_is_read_whole(workspace: Workspace) -> None:
    workspace.armed().close()
    ledger = SwitchLedger(workspace.folder, None, QuickLayer())
    found = ledger.look()
    ledger.release(found)
    record = found.armed.transition
    assert record is not None
    assert (found.witness.transition, found.tail_transition) == (record, record)
    assert (found.folder_problem, found.flag_exists, found.stable) == ("", True, True)
    assert found.key == key_of(os.stat(workspace.arm_file))
    assert min(found.descriptors) >= 0


@pytest.mark.parametrize("how", ["is missing", "is a symbolic link", "cannot be used"])
def test_a_record_that_cannot_be_read_has_no_descriptor(workspace: Workspace, how: str) -> None:
    layer = FaultyLayer()
    workspace.armed().close()
    if how != "cannot be used":
        workspace.arm_file.rename(workspace.folder / "aside")
    if how == "is a symbolic link":
        workspace.arm_file.symlink_to("aside")
    if how == "cannot be used":

        def broken(call: str, name: str) -> None:
            if call == "pread":
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        layer.read_rule = broken
    before = descriptor_count()
    ledger = SwitchLedger(workspace.folder, None, layer)
    with Folder(layer, workspace.folder) as folder:
        descriptor, copy, key = ledger._read_armed(folder)
    assert (descriptor, copy.transition, key) == (-1, None, NO_KEY)
    assert how in copy.problem
    assert copy.exists == (how != "is missing")
    assert descriptor_count() == before


def test_the_witnesss_folder_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    ledger = SwitchLedger(tmp_path / "switch", tmp_path / "link" / "witness", QuickLayer())
    ledger._write_witness(FOUND.armed.line)
    assert (tmp_path / "real" / "witness").read_bytes() == FOUND.armed.line
    assert ledger._read_witness() == FOUND.armed


def test_a_witness_that_cannot_be_read_is_there(workspace: Workspace) -> None:
    workspace.armed().close()
    workspace.witness.unlink()
    workspace.witness.mkdir()
    copy = SwitchLedger(workspace.folder, None, QuickLayer())._read_witness()
    assert copy == Copy(b"", None, f"{workspace.witness} is a directory, not a file", True)


def test_a_marker_that_goes_away_while_it_is_read_was_there(workspace: Workspace) -> None:
    layer = FaultyLayer()
    workspace.armed().close()
    workspace.kill_file.write_text("x")

    def take_away(call: str, name: str) -> None:
        if (call, name) == ("open", "KILL"):
            workspace.kill_file.unlink()

    layer.read_rule = take_away
    ledger = SwitchLedger(workspace.folder, None, layer)
    found = ledger.look()
    ledger.release(found)
    assert found.kill is not None
    assert found.kill.note == MarkerNote()
