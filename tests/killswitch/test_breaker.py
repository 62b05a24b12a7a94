"""The switch as its users see it: what it answers, how it is engaged, what its status tells."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from switch_evidence import in_full, stuck
from switch_helpers import FaultyLayer, Workspace, no_space

from logos.core.types import SwitchState
from logos.killswitch import breaker as circuit_breaker
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.records import ResetRefusedError
from logos.killswitch.sensor import SETTLE_NS

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED


def settle(workspace: Workspace, breaker: CircuitBreaker) -> None:
    """Wait until the arm record is old enough to be trusted by its identity, and look at it."""
    found = os.stat(workspace.arm_file)
    newest = max(found.st_mtime_ns, found.st_ctime_ns)
    while time.time_ns() - newest <= SETTLE_NS:
        pass
    breaker.authority()
    assert breaker._sensor.glance() is not None


@contextmanager
def held_lock(workspace: Workspace) -> Iterator[None]:
    """Somebody else is writing, and does not come to an end."""
    with (workspace.folder / "lock").open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


# ---- the answers of the switch ----


def test_a_kept_answer_is_given_again_and_again(workspace: Workspace) -> None:
    breaker = workspace.armed()
    settle(workspace, breaker)
    assert [breaker.authority() for _ in range(3)] == [SAFE] * 3


def test_a_kept_answer_does_not_outlive_the_shared_flag(workspace: Workspace) -> None:
    layer = FaultyLayer()
    breaker, other = workspace.armed(), workspace.breaker(layer=layer)
    settle(workspace, breaker)
    layer.rule = in_full
    assert not other.engage("stop", "ann").recorded
    assert breaker._sensor.glance() is SAFE, "nothing changed on the disk"
    assert breaker.authority() is ENGAGED


def test_a_switch_of_no_named_host_is_of_this_one(workspace: Workspace) -> None:
    workspace.breaker(mode="live", host="").reset("ann", "go live", 0)
    assert workspace.breaker(mode="live", host=os.uname().nodename).is_safe()
    assert not workspace.breaker(mode="live", host="there").is_safe()


def test_arming_answers_yes_or_no(workspace: Workspace) -> None:
    assert workspace.breaker(mode="live").arm_if_new() is False
    assert workspace.breaker().arm_if_new() is True
    assert workspace.breaker().arm_if_new() is False


def test_a_reset_that_meets_another_writer_is_refused(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker = workspace.armed()
    epoch = breaker.engage("stop", "ann").epoch
    monkeypatch.setattr(circuit_breaker, "RESET_WAIT_S", 0.0)
    busy = pytest.raises(ResetRefusedError, match=r"held by another.*try again")
    with held_lock(workspace), busy:
        breaker.reset("ann", "fine", epoch)
    assert breaker.authority() is ENGAGED


def test_a_reset_is_refused_while_an_engagement_cannot_be_written_down(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    breaker = workspace.armed(layer=layer)
    layer.rule = stuck
    result = breaker.engage("stop", "ann")
    assert (result.state, result.recorded) == (ENGAGED, False)
    assert ["armed.json cannot be used" in each for each in result.problems] == [True]
    with pytest.raises(ResetRefusedError, match=r"an engagement cannot be written down.*EIO"):
        breaker.reset("ann", "fine", breaker.status().epoch)
    assert breaker.authority() is ENGAGED


def test_the_status_finds_damage_in_the_history_that_a_look_does_not(workspace: Workspace) -> None:
    breaker = workspace.armed()
    breaker.set_reduce_only("careful", "ann")
    breaker.reset("ann", "fine", 2)
    content = workspace.history_file.read_bytes()
    workspace.history_file.write_bytes(b"x" + content[1:])
    assert breaker.authority() is SAFE
    assert breaker.status().state is ENGAGED
    assert breaker.authority() is ENGAGED


def test_asking_for_the_status_does_not_make_a_new_machine_look_used(workspace: Workspace) -> None:
    assert workspace.breaker().status().state is ENGAGED
    assert not workspace.folder.exists()
    assert workspace.breaker().arm_if_new()


def test_the_status_gives_an_engaged_record_its_witness_back(workspace: Workspace) -> None:
    breaker = workspace.armed()
    breaker.engage("stop", "ann")
    workspace.witness.unlink()
    breaker.status()
    assert workspace.witness.read_bytes() == workspace.arm_file.read_bytes()


def test_the_status_tries_twice_to_write_down_what_is_pending(workspace: Workspace) -> None:
    layer = FaultyLayer()
    breaker = workspace.armed(layer=layer)
    failures = iter(range(2))

    def stuck_twice(number: int, call: str, name: str) -> None:
        if (call, name) == ("replace", "armed.json") and next(failures, None) is not None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    layer.rule = stuck_twice
    assert not breaker.engage("stop", "ann").recorded
    status = breaker.status()
    assert (status.state, status.recorded) == (ENGAGED, True)
    assert workspace.breaker().status().why == "stop"


def test_saying_why_also_shows_the_flag_of_a_switch_that_was_armed_meanwhile(
    workspace: Workspace,
) -> None:
    breaker = workspace.breaker()
    assert breaker.flag[0] == ENGAGED
    workspace.armed()
    assert breaker.why().startswith("SAFE at epoch 1")
    assert breaker.flag[0] == SAFE


def test_the_epoch_shown_is_the_highest_that_the_process_or_any_copy_knows(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    running = workspace.armed(layer=layer)
    running.reset("ann", "again", 1)
    running.reset("ann", "again", 2)
    shutil.rmtree(workspace.folder)
    layer.rule = no_space
    fresh = workspace.breaker(layer=layer)
    assert (fresh.epoch, fresh.status().epoch) == (0, 3), "from the witness"
    assert fresh.engage("stop", "ann").epoch == 3
    workspace.witness.unlink()
    assert (running.epoch, running.status().epoch) == (3, 3), "from what it saw"
    assert running.engage("stop", "ann").epoch == 3


# ---- engaging ----


def test_an_engagement_without_words_says_so(workspace: Workspace) -> None:
    breaker = workspace.armed()
    breaker.engage("  ", "\t")
    status = breaker.status()
    assert (status.why, status.who) == ("no reason given", "unknown")


def test_gate_1_is_stopped_before_the_disk_is_touched_even_without_a_shared_flag(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    breaker = workspace.armed(layer=layer)
    seen: list[tuple[str, int]] = []

    def watched(number: int, call: str, name: str) -> None:
        if call == "pwrite":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        seen.append((f"{call} {name}", breaker.flag[0]))

    layer.rule = watched
    assert breaker.flag[0] == SAFE
    breaker.engage("stop", "ann")
    assert seen[0] == ("open KILL", ENGAGED)


def test_what_else_is_found_while_it_is_written_down_shows_in_the_flag(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    breaker = workspace.armed(layer=layer)

    def touched(number: int, call: str, name: str) -> None:
        if call == "pwrite":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        workspace.kill_file.touch()

    layer.rule = touched
    assert breaker.set_reduce_only("careful", "ann").state is ENGAGED
    assert breaker.flag[0] == ENGAGED
    states = [entry.state for entry in breaker.monitor().history()]
    assert states == ["SAFE", "ENGAGED"], "the worse of the two is what is written down"


def test_a_reset_between_an_engagement_and_its_failing_record_does_not_clear_the_flag(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    breaker, other = workspace.armed(layer=layer), workspace.breaker()

    def reset_and_fail(number: int, call: str, name: str) -> None:
        if (call, name) == ("open", "lock"):
            layer.rule = in_full
            other.reset("bob", "old news", other.status().epoch)
        in_full(number, call, name)

    layer.rule = reset_and_fail
    assert not breaker.engage("stop", "ann").recorded
    assert other.epoch == 3
    assert other.flag[0] == ENGAGED
    assert (other.authority(), breaker.authority()) == (ENGAGED, ENGAGED)


def test_the_first_thing_that_ever_happens_may_be_an_engagement(workspace: Workspace) -> None:
    result = workspace.breaker().engage("stop", "ann")
    assert (result.state, result.recorded, result.marked, result.problems) == (
        ENGAGED, True, True, ()
    )  # fmt: skip
    assert workspace.kill_file.exists()


def test_an_engagement_holds_where_nothing_was_ever_written_and_nothing_can_be(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    layer.rule = no_space
    breaker = workspace.breaker(layer=layer)
    result = breaker.engage("stop", "ann")
    marker, record = result.problems
    assert marker.startswith(f"{workspace.kill_file} cannot be used")
    assert record.startswith(f"{workspace.folder} cannot be used")
    assert (result.state, result.recorded, result.marked, result.epoch) == (
        ENGAGED,
        False,
        False,
        0,
    )
    assert (breaker.authority(), breaker.flag[0]) == (ENGAGED, ENGAGED)


def test_only_a_record_as_severe_as_the_state_counts_as_recorded(workspace: Workspace) -> None:
    workspace.armed()
    live = workspace.breaker(mode="live")
    result = live.set_reduce_only("careful", "ann")
    assert (result.state, result.recorded) == (ENGAGED, False), "engaged for this process only"


def test_reduce_only_on_an_engaged_switch_leaves_nothing_to_be_written(
    workspace: Workspace,
) -> None:
    breaker = workspace.armed()
    breaker.engage("stop", "ann")
    assert breaker.set_reduce_only("softer", "bob").recorded
    assert len(breaker.monitor().history()) == 2


def test_an_engagement_is_written_anew_when_another_one_came_between(workspace: Workspace) -> None:
    breaker, other = workspace.armed(), workspace.breaker()
    first = breaker.engage("drawdown", "guard").epoch
    second = other.engage("stop", "ann").epoch
    assert (first, second) == (2, 3)
    assert breaker.engage("drawdown", "guard").epoch == 4
    assert breaker.engage("drawdown", "guard").epoch == 4


def test_an_engagement_is_no_repetition_while_another_one_is_still_unwritten(
    workspace: Workspace,
) -> None:
    layer = FaultyLayer()
    breaker = workspace.armed(layer=layer)
    assert breaker.engage("drawdown", "guard").recorded
    layer.rule = in_full
    assert not breaker.engage("stop", "ann").recorded
    layer.rule = lambda number, call, name: None
    assert breaker.engage("drawdown", "guard").recorded


def test_an_engagement_that_meets_another_writer_holds_and_says_so(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker = workspace.armed()
    monkeypatch.setattr(circuit_breaker, "ENGAGE_WAIT_S", 0.0)
    with held_lock(workspace):
        result = breaker.engage("stop", "ann")
        assert (result.state, result.recorded, result.marked) == (ENGAGED, False, True)
        assert ["held by another process" in each for each in result.problems] == [True]
    assert breaker.authority() is ENGAGED
    assert breaker.status().recorded, "tried again as soon as the lock is free"
    assert breaker.engage("another", "bob").problems == ()


def test_reduce_only_leaves_a_marker_of_its_own(workspace: Workspace) -> None:
    assert workspace.armed().set_reduce_only("careful", "ann").marked
    assert not workspace.kill_file.exists()
    assert (workspace.folder / "REDUCE_ONLY").exists()
