"""The writing half of the switch: arming, resetting, and writing down what was engaged."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable

import pytest
from switch_evidence import in_full, stuck
from switch_helpers import FaultyLayer, Workspace, no_space

from logos.core.types import SwitchState
from logos.killswitch import breaker as circuit_breaker
from logos.killswitch import writer as switch_writer
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.evidence import Evidence
from logos.killswitch.files import Folder
from logos.killswitch.judge import Cause, Consequence, Pending
from logos.killswitch.ledger import SwitchLedger
from logos.killswitch.records import (
    NO_PREVIOUS,
    ResetRefusedError,
    StaleEpochError,
    SwitchError,
)
from logos.killswitch.sensor import SwitchSensor
from logos.killswitch.status import EngageResult

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED


def failing() -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_every_line_names_the_newest_grant_and_the_newest_engagement(workspace: Workspace) -> None:
    breaker = workspace.armed()
    breaker.set_reduce_only("careful", "ann")
    breaker.engage("fire", "bob")
    breaker.reset("cy", "drill over", 3)
    breaker.set_reduce_only("careful again", "ann")
    lines = [
        (entry.epoch, entry.state, entry.granted_epoch, entry.engaged_epoch)
        for entry in breaker.monitor().history()
    ]
    assert lines == [
        (1, "SAFE", 1, 0),
        (2, "REDUCE_ONLY", 1, 0),
        (3, "ENGAGED", 1, 3),
        (4, "SAFE", 4, 3),
        (5, "REDUCE_ONLY", 4, 3),
    ]


def test_a_first_engagement_names_no_grant(workspace: Workspace) -> None:
    breaker = workspace.breaker()
    breaker.engage("stop", "ann")
    (line,) = breaker.monitor().history()
    assert (line.granted_epoch, line.engaged_epoch) == (0, 1)


def test_what_comes_after_a_lost_record_comes_after_an_engagement(workspace: Workspace) -> None:
    breaker = workspace.armed()
    workspace.arm_file.unlink()
    assert breaker.authority() is ENGAGED
    line = breaker.monitor().history()[-1]
    assert (line.was, line.granted_epoch, line.engaged_epoch) == ("ENGAGED", 0, 2)


def test_an_engagement_whose_history_cannot_be_written_is_recorded_and_says_so(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    breaker = workspace.armed(layer=layer)
    layer.rule = lambda number, call, name: failing() if name == "history.jsonl" else None
    result = breaker.engage("stop", "ann")
    assert (result.state, result.recorded) == (ENGAGED, True)
    assert ["history.jsonl cannot be used" in each for each in result.problems] == [True]


def test_a_machine_is_not_armed_over_an_engagement_that_was_never_written(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    breaker = workspace.breaker(layer=layer)
    layer.rule = no_space
    assert not breaker.engage("stop", "ann").recorded
    layer.rule = lambda number, call, name: None
    assert not breaker.arm_if_new()
    assert workspace.breaker().authority() is ENGAGED
    breaker._writer.retry_now()
    assert breaker.authority() is ENGAGED
    assert [entry.why for entry in breaker.monitor().history()] == ["stop"]


def without_durable_grant(layer: FaultyLayer) -> None:
    """The arm record is swapped, and what makes the swap durable fails, once."""
    swapped: list[str] = []

    def rule(number: int, call: str, name: str) -> None:
        if (call, name) == ("replace", "armed.json"):
            swapped.append(name)
        elif swapped and call == "fsync":
            layer.rule = lambda number, call, name: None
            failing()

    layer.rule = rule


@pytest.mark.parametrize("way", ["arm", "reset"])
def test_a_grant_that_may_not_outlive_a_power_cut_is_taken_back(
    workspace: Workspace, way: str
) -> None:
    layer = FaultyLayer()
    breaker = workspace.breaker(layer=layer)
    if way == "reset":
        breaker.engage("stop", "ann")
    wish: Callable[[], object] = breaker.arm_if_new
    if way == "reset":
        wish = lambda: breaker.reset("ann", "fine", 1)  # noqa: E731
    without_durable_grant(layer)
    with pytest.raises(SwitchError, match="EIO"):
        wish()
    assert breaker.authority() is ENGAGED
    assert workspace.breaker().authority() is ENGAGED
    assert breaker.status().why.startswith("SAFE could not be made durable")


def test_an_arming_that_fails_before_anything_shows_leaves_a_new_machine(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    breaker = workspace.breaker(layer=layer)
    layer.rule = lambda number, call, name: failing() if call == "mkdir" else None
    with pytest.raises(SwitchError, match="cannot be armed"):
        breaker.arm_if_new()
    layer.rule = lambda number, call, name: None
    assert breaker.arm_if_new(), "nothing was engaged, so it can be tried again"


def test_a_reset_of_a_machine_without_a_record_says_that_there_is_none(
    workspace: Workspace,
) -> None:
    with pytest.raises(StaleEpochError, match=r"0 is \(no arm record\)"):
        workspace.breaker(mode="live").reset("ann", "go live", 5)


class TouchedMeanwhile(SwitchLedger):
    """Somebody touches the marker just before a reset moves it out of the way."""

    def take_markers(self, folder: Folder, before: Evidence) -> bool:
        os.utime(self.folder_path / "KILL", ns=(1, 1))
        return super().take_markers(folder, before)


def test_a_marker_that_is_touched_during_a_reset_makes_it_stale(workspace: Workspace) -> None:
    breaker: CircuitBreaker = workspace.armed()
    epoch = breaker.engage("first", "ann").epoch
    breaker._writer._ledger = TouchedMeanwhile(workspace.folder, workspace.witness, None)
    with pytest.raises(StaleEpochError, match="touched during the reset") as caught:
        breaker.reset("ann", "fine", epoch)
    assert isinstance(caught.value, ResetRefusedError)
    assert (caught.value.given, caught.value.current) == (epoch, epoch + 1)
    assert workspace.kill_file.exists()
    assert breaker.authority() is ENGAGED


def test_a_damaged_history_is_moved_aside_by_the_reset_that_knew_of_it(
    workspace: Workspace,
) -> None:
    breaker = workspace.armed()
    breaker.engage("stop", "ann")
    content = workspace.history_file.read_bytes()
    workspace.history_file.write_bytes(b"x" + content[1:])
    shown = breaker.status().epoch
    assert breaker.reset("ann", "read the damage", shown).state is SAFE
    (line,) = breaker.monitor().history()
    assert (line.why, line.previous) == ("read the damage", NO_PREVIOUS)
    assert breaker.monitor().problem() == ""
    assert (breaker.authority(), breaker.flag[0]) == (SAFE, SAFE)
    assert workspace.breaker().authority() is SAFE
    aside = [path for path in workspace.folder.iterdir() if "damaged" in path.name]
    assert [path.read_bytes()[:1] for path in aside] == [b"x"]


def test_a_reset_clears_the_flag_of_everybody_and_the_markers_it_took(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker, other = workspace.armed(), workspace.breaker()
    epoch = breaker.engage("stop", "ann").epoch
    seen: list[int] = []
    monkeypatch.setattr(SwitchSensor, "clear_shared", lambda _, cleared: seen.append(cleared))
    assert breaker.reset("ann", "fine", epoch).state is SAFE
    assert seen == [epoch + 1]
    assert not list(workspace.folder.glob(".cleared-*"))
    assert other.authority() is SAFE


def test_a_touch_of_a_marker_that_is_on_record_makes_a_reset_stale_though_nobody_looked(
    workspace: Workspace,
) -> None:
    breaker = workspace.armed()
    epoch = breaker.engage("first", "ann").epoch
    os.utime(workspace.kill_file, ns=(1, 1))
    with pytest.raises(StaleEpochError) as caught:
        breaker._writer.reset_locked(breaker._ledger.open(), SAFE, "ann", "fine", epoch)
    assert caught.value.current == epoch + 1


class TouchedAlways(SwitchLedger):
    """Somebody touches the marker before every look."""

    touches = 0

    def look(self) -> Evidence:
        self.touches += 1
        os.utime(self.folder_path / "KILL", ns=(self.touches, self.touches))
        return super().look()


def test_a_reset_gives_up_on_a_switch_that_keeps_being_engaged(workspace: Workspace) -> None:
    breaker = workspace.armed()
    epoch = breaker.engage("first", "ann").epoch
    restless = TouchedAlways(workspace.folder, workspace.witness, None)
    breaker._sensor.ledger = restless
    breaker._writer._ledger = restless
    with pytest.raises(ResetRefusedError, match="keeps being engaged"):
        breaker.reset("ann", "fine", epoch)
    assert breaker.authority() is ENGAGED


# ---- writing it down ----


def test_each_engagement_has_its_line_though_another_took_its_place_in_memory(
    workspace: Workspace,
) -> None:
    breaker = workspace.armed()
    mine = Pending(Cause(ENGAGED, Consequence.NOTHING, "mine", "ann"), 1, own=True)
    assert breaker._writer.record(0.0, own=mine)
    assert breaker._writer.record(0.0, own=mine), "done already"
    assert [entry.why for entry in breaker.monitor().history()][1:] == ["mine"]


def test_nothing_that_was_only_seen_is_written_to_a_network_file_system(
    workspace: Workspace,
) -> None:
    workspace.armed().close()
    content = workspace.arm_file.read_bytes()
    workspace.mounts.write_text("22 27 0:21 / / rw - nfs4 server:/x rw\n")
    breaker = workspace.breaker()
    assert breaker.status().state is ENGAGED
    workspace.kill_file.touch()
    assert (breaker.authority(), breaker.status().state) == (ENGAGED, ENGAGED)
    assert workspace.arm_file.read_bytes() == content
    assert len(breaker.monitor().history()) == 1


@pytest.mark.parametrize("rule", [in_full, stuck])
def test_a_record_that_failed_is_not_tried_again_at_every_look(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    rule: Callable[[int, str, str], None],
) -> None:
    monkeypatch.setattr(switch_writer, "RETRY_NS", 10**15)
    layer = FaultyLayer()
    breaker = workspace.armed(layer=layer)
    layer.rule = rule
    breaker.engage("stop", "ann")
    tried = layer.calls.count("open lock")
    assert [breaker.authority() for _ in range(5)] == [ENGAGED] * 5
    assert layer.calls.count("open lock") == tried
    breaker._writer.retry_now()
    assert breaker.authority() is ENGAGED
    assert layer.calls.count("open lock") == tried + 1


def test_a_repair_that_failed_is_not_tried_again_at_every_look(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch_writer, "RETRY_NS", 10**15)
    layer = FaultyLayer()
    breaker = workspace.armed(layer=layer)
    breaker.engage("stop", "ann")
    workspace.witness.unlink()

    def no_witness(number: int, call: str, name: str) -> None:
        if "witness" in name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    layer.rule = no_witness
    tried = layer.calls.count("open lock")
    breaker._writer.retry_now()
    assert [breaker._examine() for _ in range(5)] == [ENGAGED] * 5
    assert layer.calls.count("open lock") == tried + 1
    layer.rule = lambda number, call, name: None
    breaker._writer.retry_now()
    assert breaker._examine() is ENGAGED
    assert workspace.witness.exists()


def test_repairs_and_resets_leave_no_descriptor_open(workspace: Workspace) -> None:
    breaker = workspace.armed()
    breaker.engage("stop", "ann")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        workspace.witness.unlink()
        breaker._examine()
        assert workspace.witness.exists()
        breaker.status()
        breaker.reset("ann", "fine", breaker.epoch)
        breaker.engage("stop again", "ann")
    more = len(os.listdir("/proc/self/fd")) - before
    assert more <= 2, "a kept answer has two, and no round left one behind"


def test_a_repair_keeps_no_other_thread_from_engaging(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "ENGAGE_WAIT_S", 0.0)
    breaker = workspace.armed()
    breaker.engage("stop", "ann")
    workspace.witness.unlink()
    breaker._examine()
    results: list[EngageResult] = []
    thread = threading.Thread(target=lambda: results.append(breaker.engage("another", "bob")))
    thread.start()
    thread.join()
    assert [result.recorded for result in results] == [True]


def test_a_damage_that_was_a_writer_at_work_is_looked_at_again_and_forgotten(
    workspace: Workspace,
) -> None:
    breaker = workspace.armed()
    breaker._sensor.history_problem = "history.jsonl:2 does not follow line 1"
    assert breaker._examine() is SAFE
    assert breaker.authority() is SAFE
    assert len(breaker.monitor().history()) == 1
