"""The switch on its files: what small changes of it showed to be untested.

Every test here notices a change of the switch's files that the other tests did not; see
`tests/helpers/mutation.py`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from switch_helpers import FaultyLayer, Workspace, no_space

from logos.core.types import SwitchState
from logos.killswitch import breaker as circuit_breaker
from logos.killswitch import writer as switch_writer
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.judge import Cause, Consequence, Pending
from logos.killswitch.records import ResetRefusedError
from logos.killswitch.sensor import SETTLE_NS
from logos.killswitch.status import EngageResult

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED


def settle(workspace: Workspace, breaker: CircuitBreaker) -> None:
    """Wait until the arm record is old enough to be trusted by its identity, and look at it."""
    found = os.stat(workspace.arm_file)
    newest = max(found.st_mtime_ns, found.st_ctime_ns)
    while time.time_ns() - newest <= SETTLE_NS:
        pass
    breaker.authority()
    assert breaker._sensor.glance() is not None


def in_full(number: int, call: str, name: str) -> None:
    """The disk is full; only what was reserved before can be written."""
    if call != "pwrite":
        no_space(number, call, name)


def stuck(number: int, call: str, name: str) -> None:
    """The arm record cannot be swapped; everything else works."""
    if (call, name) == ("replace", "armed.json"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


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
