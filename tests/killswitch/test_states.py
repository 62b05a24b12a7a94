"""The switch in ordinary life: armed, thrown, reset, and never cleared by taking things away."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from switch_helpers import FaultyLayer, Workspace

from logos.core.gates import Switch
from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.evidence import Evidence
from logos.killswitch.files import Folder
from logos.killswitch.ledger import SwitchLedger
from logos.killswitch.records import ResetRefusedError, StaleEpochError, Transition
from logos.killswitch.sensor import SETTLE_NS

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED


def test_it_is_a_switch_as_the_core_wants_one(workspace: Workspace) -> None:
    switch: Switch = workspace.breaker()
    assert switch.authority() is ENGAGED


def test_a_new_machine_is_engaged_until_the_first_session_arms_it_for_paper(
    workspace: Workspace,
) -> None:
    breaker = workspace.breaker()
    assert (breaker.authority(), breaker.flag[0]) == (ENGAGED, ENGAGED)
    assert not workspace.folder.exists(), "looking must not make a new machine look used"
    assert breaker.arm_if_new()
    assert (breaker.authority(), breaker.flag[0]) == (SAFE, SAFE)
    assert breaker.is_safe()
    assert "first session on this machine: armed for paper" in breaker.why()
    assert not breaker.arm_if_new()
    assert not workspace.breaker().arm_if_new()


def test_a_live_session_is_never_armed_by_itself(workspace: Workspace) -> None:
    breaker = workspace.breaker(mode="live")
    assert not breaker.arm_if_new()
    assert breaker.authority() is ENGAGED
    assert breaker.status().clear_command.endswith("--epoch 0 --mode live")
    assert breaker.reset("ann", "checked", 0).state is SAFE
    assert breaker.authority() is SAFE


@pytest.mark.parametrize("left", ["armed.json", "history.jsonl", "KILL", "REDUCE_ONLY", "flag"])
def test_any_trace_of_a_past_means_not_new(workspace: Workspace, left: str) -> None:
    workspace.folder.mkdir(parents=True)
    (workspace.folder / left).write_bytes(b"")
    breaker = workspace.breaker()
    assert not breaker.arm_if_new()
    assert breaker.authority() is ENGAGED


def test_a_deleted_state_folder_is_not_a_new_machine(workspace: Workspace) -> None:
    workspace.armed().engage("stop", "ann")
    shutil.rmtree(workspace.folder.parent)
    breaker = workspace.breaker()
    assert not breaker.arm_if_new()
    assert breaker.authority() is ENGAGED
    assert breaker.status().epoch > 2


def test_engaging_shows_at_once_here_and_in_every_other_object(workspace: Workspace) -> None:
    here, there = workspace.armed(), workspace.breaker()
    assert there.authority() is SAFE
    result = here.engage("drawdown", "guard")
    assert (result.state, result.recorded, result.marked, result.problems) == (
        ENGAGED, True, True, ()
    )  # fmt: skip
    assert (here.flag[0], there.flag[0]) == (ENGAGED, ENGAGED), "the flag is shared memory"
    assert (here.authority(), there.authority()) == (ENGAGED, ENGAGED)
    status = there.status()
    assert (status.who, status.why, status.epoch) == ("guard", "drawdown", result.epoch)


def test_a_bare_touch_stops_the_very_next_order(workspace: Workspace) -> None:
    breaker = workspace.armed()
    assert breaker.authority() is SAFE
    workspace.kill_file.touch()
    assert breaker.authority() is ENGAGED
    assert breaker.flag[0] == ENGAGED


@pytest.mark.long
def test_a_settled_answer_is_kept_and_still_sees_everything_new(workspace: Workspace) -> None:
    breaker = workspace.armed()
    _settle(workspace)
    for name, state in (("REDUCE_ONLY", REDUCE_ONLY), ("KILL", ENGAGED)):
        assert workspace.breaker().status().state < state
        (workspace.folder / name).touch()
        assert breaker.authority() is state
    breaker.reset("ann", "fine", breaker.epoch)
    _settle(workspace)
    assert breaker.authority() is SAFE
    assert breaker._sensor.glance() is SAFE, "nothing changed, so the kept answer must stand"
    workspace.breaker().engage("stop", "ann")
    assert breaker._sensor.glance() is None
    assert breaker.authority() is ENGAGED
    _settle(workspace)
    assert breaker.authority() is ENGAGED
    assert breaker._sensor.glance() is ENGAGED


def _settle(workspace: Workspace) -> None:
    """Make the arm record look old enough, as it would be a moment later."""
    found = os.stat(workspace.arm_file)
    newest = max(found.st_mtime_ns, found.st_ctime_ns)
    while time.time_ns() - newest <= SETTLE_NS:
        pass


def test_removing_the_marker_does_not_disarm_anybody(workspace: Workspace) -> None:
    breaker = workspace.armed()
    workspace.kill_file.touch()
    assert breaker.authority() is ENGAGED
    workspace.kill_file.unlink()
    assert breaker.authority() is ENGAGED
    assert workspace.breaker().authority() is ENGAGED, "the first reader wrote it down"


def test_a_marker_may_say_who_and_why_and_cannot_paint_the_terminal(workspace: Workspace) -> None:
    breaker = workspace.armed()
    workspace.kill_file.write_text('{"who": "ann\\u001b[31m", "why": "fire\\ndrill"}')
    assert breaker.authority() is ENGAGED
    status = breaker.status()
    assert status.who == "ann?[31m"
    assert status.why == "fire?drill"


def test_a_look_between_marker_and_record_gives_the_reason_that_the_record_gives(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Sessions write the reason down: it must not hang on who looked at which instant."""
    breaker = workspace.armed()
    breaker.engage("guard MAX_POSITION", "guard")
    note = workspace.kill_file.read_bytes()
    told = (breaker.status().why, breaker.status().who)
    (tmp_path / "other").mkdir()
    other = Workspace(tmp_path / "other")
    between = other.armed()
    other.kill_file.write_bytes(note)
    assert between.authority() is ENGAGED
    assert (between.status().why, between.status().who) == told == ("guard MAX_POSITION", "guard")


def test_a_reset_names_the_epoch_and_gives_the_next_one(workspace: Workspace) -> None:
    breaker = workspace.armed()
    epoch = breaker.engage("stop", "ann").epoch
    for wrong in (epoch - 1, epoch + 1, 0, -1):
        with pytest.raises(StaleEpochError, match=f"{epoch} is") as caught:
            breaker.reset("bob", "fine", wrong)
        assert (caught.value.given, caught.value.current) == (wrong, epoch)
        assert breaker.authority() is ENGAGED
    status = breaker.reset("bob", "fine", epoch)
    assert (status.state, status.epoch, status.clear_command) == (SAFE, epoch + 1, "")
    assert not workspace.kill_file.exists()
    assert (breaker.authority(), breaker.flag[0]) == (SAFE, SAFE)


@pytest.mark.parametrize(("by", "reason"), [("", "fine"), ("ann", ""), ("  ", "fine")])
def test_a_reset_without_a_person_or_a_reason_is_refused(
    workspace: Workspace, by: str, reason: str
) -> None:
    breaker = workspace.armed()
    breaker.engage("stop", "ann")
    with pytest.raises(ValueError, match="person"):
        breaker.reset(by, reason, 2)
    assert breaker.authority() is ENGAGED


def test_a_stale_reset_does_not_clear_a_newer_engagement(workspace: Workspace) -> None:
    breaker, other = workspace.armed(), workspace.breaker()
    judged = breaker.engage("first", "ann").epoch
    other.engage("second", "bob")
    with pytest.raises(StaleEpochError, match="second"):
        breaker.reset("ann", "the first was nothing", judged)
    assert other.authority() is ENGAGED


def test_a_touch_after_the_engagement_makes_the_reset_stale(workspace: Workspace) -> None:
    breaker = workspace.armed()
    judged = breaker.engage("first", "ann").epoch
    os.utime(workspace.kill_file, ns=(1, 1))  # what `touch` does to a file that is there
    with pytest.raises(StaleEpochError) as caught:
        breaker.reset("ann", "fine", judged)
    assert caught.value.current == judged + 1
    assert breaker.reset("ann", "fine", judged + 1).state is SAFE


def test_a_touch_in_the_middle_of_a_reset_survives_it(workspace: Workspace) -> None:
    breaker = workspace.armed()
    epoch = breaker.engage("first", "ann").epoch

    class TouchedMeanwhile(SwitchLedger):
        def write_grant(self, folder: Folder, transition: Transition, before: Evidence) -> None:
            workspace.kill_file.touch()
            super().write_grant(folder, transition, before)

    breaker._writer._ledger = TouchedMeanwhile(workspace.folder, workspace.witness, None)
    assert breaker.reset("ann", "fine", epoch).state is ENGAGED
    assert breaker.authority() is ENGAGED
    assert workspace.breaker().authority() is ENGAGED


def test_reduce_only_lies_between_and_is_cleared_like_the_rest(workspace: Workspace) -> None:
    breaker, other = workspace.armed(), workspace.breaker()
    epoch = breaker.set_reduce_only("thin book", "ann").epoch
    assert (breaker.authority(), other.authority(), other.flag[0]) == (
        REDUCE_ONLY, REDUCE_ONLY, REDUCE_ONLY
    )  # fmt: skip
    (workspace.folder / "REDUCE_ONLY").unlink()
    assert other.authority() is REDUCE_ONLY
    with pytest.raises(StaleEpochError):
        breaker.reset("ann", "fine", epoch - 1)
    assert other.reset("ann", "fine", epoch).state is SAFE
    assert breaker.authority() is SAFE


def test_reduce_only_does_not_soften_an_engagement(workspace: Workspace) -> None:
    breaker = workspace.armed()
    epoch = breaker.engage("stop", "ann").epoch
    result = breaker.set_reduce_only("softer", "bob")
    assert (result.state, result.epoch) == (ENGAGED, epoch)
    assert workspace.breaker().authority() is ENGAGED


def test_the_same_guard_does_not_fill_the_history(workspace: Workspace) -> None:
    breaker = workspace.armed()
    epochs = {breaker.engage("drawdown", "guard").epoch for _ in range(5)}
    assert len(epochs) == 1
    assert breaker.engage("stale data", "guard").epoch == epochs.pop() + 1
    assert len(breaker.monitor().history()) == 3


def test_a_repeated_engagement_after_a_reset_counts_anew(workspace: Workspace) -> None:
    breaker = workspace.armed()
    epoch = breaker.engage("drawdown", "guard").epoch
    workspace.breaker().reset("ann", "fine", epoch)
    assert breaker.engage("drawdown", "guard").epoch == epoch + 2
    assert workspace.breaker().authority() is ENGAGED


def test_reasons_of_any_length_fit(workspace: Workspace) -> None:
    breaker = workspace.armed()
    assert breaker.engage("\U0001f525" * 100_000, "x" * 10_000).recorded
    assert breaker.monitor().problem() == ""
    assert workspace.breaker().authority() is ENGAGED


def test_live_needs_a_record_made_for_live_by_this_build_on_this_host(
    workspace: Workspace,
) -> None:
    paper = workspace.armed()
    live = workspace.breaker(mode="live")
    assert (live.authority(), live.flag[0]) == (ENGAGED, ENGAGED)
    assert "armed for paper" in live.status().causes[0]
    assert (paper.authority(), paper.flag[0]) == (SAFE, SAFE), "paper may go on"
    assert live.reset("ann", "go live", 1).state is SAFE
    assert (live.authority(), paper.authority()) == (SAFE, SAFE)
    for other, word in (
        (workspace.breaker(mode="live", build="1.1"), "build '1.0', this is '1.1'"),
        (workspace.breaker(mode="live", host="there"), "host 'here', this is 'there'"),
    ):
        assert other.authority() is ENGAGED
        assert word in other.status().causes[0]
    assert workspace.breaker(build="1.1", host="there").authority() is SAFE


def test_reduce_only_keeps_what_the_grant_permitted(workspace: Workspace) -> None:
    live = workspace.breaker(mode="live")
    live.reset("ann", "go live", 0)
    workspace.breaker().set_reduce_only("careful", "ann")
    assert live.authority() is REDUCE_ONLY


def test_a_marker_that_is_a_directory_is_left_for_a_person(workspace: Workspace) -> None:
    breaker = workspace.armed()
    workspace.kill_file.mkdir()
    assert breaker.authority() is ENGAGED
    with pytest.raises(ResetRefusedError, match="remove it by hand"):
        breaker.reset("ann", "fine", breaker.epoch)
    workspace.kill_file.rmdir()
    assert breaker.authority() is ENGAGED
    assert breaker.reset("ann", "fine", breaker.epoch).state is SAFE


def test_many_threads_engage_read_and_reset_without_a_lost_engagement(
    workspace: Workspace,
) -> None:
    breakers = [workspace.armed(), workspace.breaker()]
    wrong: list[str] = []

    def engage(breaker: CircuitBreaker, number: int) -> None:
        breaker.engage(f"thread {number}", "test")
        if breaker.authority() is not ENGAGED:
            wrong.append(f"thread {number} engaged and then saw {breaker.authority()}")

    threads = [
        threading.Thread(target=engage, args=(breakers[number % 2], number)) for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    names = [entry.why for entry in breakers[0].monitor().history()[1:]]
    assert sorted(names) == sorted(f"thread {number}" for number in range(12))


def test_a_closed_breaker_still_answers(workspace: Workspace) -> None:
    breaker = workspace.armed()
    breaker.close()
    assert breaker.authority() is SAFE
    workspace.kill_file.touch()
    assert breaker.authority() is ENGAGED


def test_the_mode_must_be_paper_or_live(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="paper"):
        CircuitBreaker(tmp_path, build="1", mode="demo")  # type: ignore[arg-type]


def test_a_running_session_puts_back_what_was_wiped_out_under_it(workspace: Workspace) -> None:
    breaker = workspace.armed()
    shutil.rmtree(workspace.folder.parent)
    workspace.witness.unlink()
    assert breaker.authority() is ENGAGED
    fresh = workspace.breaker()
    assert not fresh.arm_if_new()
    assert fresh.authority() is ENGAGED


def test_damage_to_the_history_makes_a_reset_stale_that_did_not_know_of_it(
    workspace: Workspace,
) -> None:
    breaker = workspace.armed()
    breaker.set_reduce_only("careful", "ann")
    breaker.reset("ann", "fine", 2)
    lines = workspace.history_file.read_bytes().splitlines(keepends=True)
    workspace.history_file.write_bytes(b"x" + lines[0][1:] + lines[1] + lines[2])
    with pytest.raises(StaleEpochError, match=r"history\.jsonl:1"):
        breaker.reset("ann", "fine", 3)
    assert breaker.authority() is ENGAGED


def test_a_record_that_will_not_stand_still_is_not_believed(workspace: Workspace) -> None:
    workspace.armed().close()
    layer = FaultyLayer()
    ticks = iter(range(1, 10**9))

    def restless(call: str, name: str) -> None:
        if (call, name) == ("lstat", "armed.json"):
            os.utime(workspace.arm_file, ns=(next(ticks), next(ticks)))

    layer.read_rule = restless
    assert workspace.breaker(layer=layer).authority() is ENGAGED


def test_the_status_counts_a_second_touch_so_that_its_command_is_never_stale(
    workspace: Workspace,
) -> None:
    breaker = workspace.armed()
    epoch = breaker.engage("stop", "ann").epoch
    os.utime(workspace.kill_file, ns=(1, 1))
    shown = breaker.status().epoch
    assert shown == epoch + 1
    assert breaker.status().epoch == shown
    assert breaker.reset("ann", "fine", shown).state is SAFE
