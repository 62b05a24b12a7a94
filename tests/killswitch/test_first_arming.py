"""A first arming that died before it was done is finished; anything else that is left is a past."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from switch_helpers import CrashNow, FaultyLayer, Workspace

from logos.core.types import SwitchState
from logos.killswitch.peek import read_switch
from logos.killswitch.records import decode_line, encode_line

SAFE, ENGAGED = SwitchState.SAFE, SwitchState.ENGAGED


def cut_short(workspace: Workspace, call: str) -> None:
    """Arm for the first time, and die just before `call`."""

    def rule(_number: int, what: str, name: str) -> None:
        if f"{what} {name}".strip() == call:
            raise CrashNow

    layer = FaultyLayer()
    layer.rule = rule
    with pytest.raises(CrashNow):
        workspace.breaker(layer=layer).arm_if_new()


@pytest.fixture
def without_record(workspace: Workspace) -> Workspace:
    cut_short(workspace, "replace armed.json")
    return workspace


def first_line_changed(workspace: Workspace, **changes: object) -> None:
    """The history, and its witness, as if another transition had been the first."""
    first = decode_line(workspace.history_file.read_bytes())
    line = encode_line(msgspec.structs.replace(first, **changes))
    workspace.history_file.write_bytes(line)
    workspace.witness.write_bytes(line)


def write(name: str, content: bytes = b"") -> Callable[[Workspace], object]:
    return lambda workspace: (workspace.folder / name).write_bytes(content)


def is_refused(workspace: Workspace) -> None:
    breaker = workspace.breaker()
    assert not breaker.arm_if_new()
    assert breaker.authority() is ENGAGED
    assert workspace.breaker().authority() is ENGAGED


def test_it_is_finished_with_the_line_that_was_written(without_record: Workspace) -> None:
    line = without_record.history_file.read_bytes()
    watching = without_record.breaker()
    assert watching.authority() is ENGAGED
    assert "nothing was ever armed" in watching.why()
    assert read_switch(without_record.folder) is None
    assert not (without_record.folder / "flag").exists(), "looking leaves nothing"
    assert watching.arm_if_new()
    assert watching.authority() is SAFE
    files = (without_record.history_file, without_record.arm_file, without_record.witness)
    assert [file.read_bytes() for file in files] == [line] * 3
    assert not (without_record.folder / "arming").exists()


def test_without_a_witness_it_is_finished_as_well(workspace: Workspace) -> None:
    cut_short(workspace, f"replace {workspace.witness.name}")
    assert not workspace.witness.exists()
    assert workspace.breaker().arm_if_new()
    assert workspace.breaker().authority() is SAFE


def test_a_mark_that_was_left_is_taken_away_and_means_nothing(workspace: Workspace) -> None:
    cut_short(workspace, "unlink arming")
    assert (workspace.folder / "arming").exists()
    assert workspace.breaker().authority() is SAFE
    assert not workspace.breaker().arm_if_new()
    assert not (workspace.folder / "arming").exists()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda it: (it.folder / "arming").unlink(), id="no mark"),
        pytest.param(write("KILL"), id="a marker"),
        pytest.param(write("REDUCE_ONLY"), id="a reduce-only marker"),
        pytest.param(write("flag", bytes(16)), id="a flag"),
        pytest.param(write("armed.json"), id="an empty record"),
        pytest.param(write("history.jsonl"), id="an empty history"),
        pytest.param(lambda it: it.history_file.unlink(), id="a witness alone"),
        pytest.param(lambda it: it.witness.write_bytes(b"x\n"), id="another witness"),
        pytest.param(lambda it: first_line_changed(it, who="ann"), id="a person's arming"),
        pytest.param(lambda it: first_line_changed(it, mode="live"), id="an arming for live"),
        pytest.param(lambda it: first_line_changed(it, state="ENGAGED"), id="an engagement"),
        pytest.param(lambda it: first_line_changed(it, was="ENGAGED"), id="not the first state"),
        pytest.param(lambda it: first_line_changed(it, epoch=2), id="not the first epoch"),
        pytest.param(lambda it: first_line_changed(it, previous="ab" * 32), id="not the first"),
        pytest.param(
            lambda it: it.history_file.write_bytes(it.history_file.read_bytes() + b"{"),
            id="a torn second line",
        ),
        pytest.param(
            lambda it: (it.home / "runs/live/sessions/desk-1").mkdir(parents=True), id="sessions"
        ),
    ],
)
def test_anything_else_is_a_past(
    without_record: Workspace, changed: Callable[[Workspace], object]
) -> None:
    changed(without_record)
    is_refused(without_record)


def test_a_finished_arming_never_counts_as_cut_short(workspace: Workspace) -> None:
    workspace.armed().close()
    for name in ("armed.json", "flag"):
        (workspace.folder / name).unlink()
    is_refused(workspace)
