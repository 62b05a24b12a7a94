"""A reset has preconditions, goes through REDUCE_ONLY, and `--force` is on the record."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from heartbeat_helpers import Journals, begin, write_heartbeat

from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.records import ResetRefusedError, StaleEpochError
from logos.session.presence import resetting
from logos.session.presence.heartbeat import HeartbeatFile
from logos.session.presence.leftovers import leave_word, leftovers_folder
from logos.session.presence.resetting import objections, reset


@pytest.fixture
def journals(tmp_path: Path) -> Iterator[Journals]:
    held = Journals(tmp_path / "journals")
    yield held
    held.close()


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[CircuitBreaker]:
    """Engaged at epoch 2."""
    breaker = CircuitBreaker(tmp_path / "state" / "kill-switch")
    breaker.arm_if_new()
    breaker.engage("prices look wrong", "ann")
    yield breaker
    breaker.close()


def real(home: Path, journals: Journals, **figures: object) -> HeartbeatFile:
    """A session with real orders that runs and is stopped."""
    beat = begin(home, journals)
    beat.acknowledge(blocked=True, drained=True, epoch=99)
    beat.beat(1, is_real=True, **figures)
    return beat


def states(switch: CircuitBreaker) -> list[tuple[str, str]]:
    return [(each.was, each.state) for each in switch.monitor().history()]


def test_it_goes_through_reduce_only_and_both_steps_are_in_the_history(
    tmp_path: Path, switch: CircuitBreaker
) -> None:
    after = reset(switch, "ann", "feed fixed", 2, home=tmp_path)
    assert (after.state, after.epoch) == (SwitchState.SAFE, 4)
    assert states(switch)[2:] == [("ENGAGED", "REDUCE_ONLY"), ("REDUCE_ONLY", "SAFE")]
    assert [each.granted_epoch for each in switch.monitor().history()] == [1, 1, 3, 4]


def test_the_first_arming_is_one_step(tmp_path: Path) -> None:
    breaker = CircuitBreaker(tmp_path / "state" / "kill-switch", mode="live")
    assert reset(breaker, "ann", "begin", 0, home=tmp_path).epoch == 1
    breaker.close()


def test_orders_that_may_rest_stand_in_the_way(
    tmp_path: Path, switch: CircuitBreaker, journals: Journals
) -> None:
    beat = real(tmp_path, journals)
    beat.acknowledge(blocked=True, drained=False, epoch=99, resting=["mine-7"])
    with pytest.raises(ResetRefusedError, match=r"session mine: orders may still rest .* mine-7"):
        reset(switch, "ann", "fine", 2, home=tmp_path)
    assert switch.authority() is SwitchState.ENGAGED
    beat.acknowledge(blocked=True, drained=True, epoch=99)
    assert reset(switch, "ann", "fine", 2, home=tmp_path).state is SwitchState.SAFE


def test_a_difference_that_is_not_explained_stands_in_the_way(
    tmp_path: Path, switch: CircuitBreaker, journals: Journals
) -> None:
    beat = real(tmp_path, journals, differences=2)
    with pytest.raises(ResetRefusedError, match="2 differences with its venue"):
        reset(switch, "ann", "fine", 2, home=tmp_path)
    beat.beat(2, differences=0)
    assert objections(tmp_path) == []


def test_a_session_that_died_with_real_orders_stands_in_the_way_and_one_on_paper_does_not(
    tmp_path: Path, switch: CircuitBreaker
) -> None:
    write_heartbeat(tmp_path, "paper", pid=os.getpid(), start_ticks=1)
    assert objections(tmp_path) == []
    write_heartbeat(tmp_path, "dead", pid=os.getpid(), start_ticks=1, is_real=True)
    assert objections(tmp_path) == [
        "session dead ended without saying that nothing rests at its venue: look there"
    ]


def test_what_cannot_be_judged_stands_in_the_way(tmp_path: Path) -> None:
    write_heartbeat(tmp_path, "odd").write_text("{}")
    assert "session odd cannot be judged" in objections(tmp_path)[0]


def test_what_a_session_left_stands_in_the_way_until_a_better_end(tmp_path: Path) -> None:
    leave_word("desk", ("desk-3",), "", tmp_path)
    leave_word("till", (), "USD: it differs by 5", tmp_path)
    assert objections(tmp_path) == [
        "session desk may have left orders at its venue: desk-3",
        "session till ended while its holdings were not seen to agree: USD: it differs by 5",
    ]
    leave_word("desk", (), "", tmp_path)
    assert len(objections(tmp_path)) == 1
    (leftovers_folder(tmp_path) / "till.json").write_text("{")
    assert "cannot be read" in objections(tmp_path)[0]


def test_force_is_on_the_record_and_accepts_what_was_left(
    tmp_path: Path, switch: CircuitBreaker
) -> None:
    leave_word("desk", ("desk-3",), "", tmp_path)
    with pytest.raises(ResetRefusedError, match="desk-3"):
        reset(switch, "ann", "cancelled by hand", 2, home=tmp_path)
    reset(switch, "ann", "cancelled by hand", 2, is_forced=True, home=tmp_path)
    over = "session desk may have left orders at its venue: desk-3"
    for step in switch.monitor().history()[2:]:
        assert (step.who, step.why) == ("ann", f"cancelled by hand [--force over: {over}]")
    assert objections(tmp_path) == []


def test_an_old_epoch_is_refused_for_that_and_nothing_changes(
    tmp_path: Path, switch: CircuitBreaker
) -> None:
    leave_word("desk", ("desk-3",), "", tmp_path)
    with pytest.raises(StaleEpochError):
        reset(switch, "ann", "fine", 1, is_forced=True, home=tmp_path)
    assert len(switch.monitor().history()) == 2


def test_a_guard_that_trips_at_reduce_only_keeps_it_from_being_armed(
    tmp_path: Path, switch: CircuitBreaker, journals: Journals
) -> None:
    beat = real(tmp_path, journals)
    beat.acknowledge(blocked=True, drained=True, epoch=2)

    def trips() -> None:
        other = CircuitBreaker(switch.folder)
        while other.authority() is SwitchState.ENGAGED:
            pass
        other.engage("guard MAX_DRAWDOWN", "guard")
        other.close()

    guard = threading.Thread(target=trips)
    guard.start()
    # The guard sets the shared flag first: whoever sees it before its record writes its own.
    words = r"engaged again: .*(guard MAX_DRAWDOWN|a process engaged through the shared flag)"
    with pytest.raises(ResetRefusedError, match=words):
        reset(switch, "ann", "fine", 2, home=tmp_path)
    guard.join()
    assert switch.authority() is SwitchState.ENGAGED
    steps = states(switch)
    assert steps[2] == ("ENGAGED", "REDUCE_ONLY")
    assert (steps[3], steps[-1][1]) == (("REDUCE_ONLY", "ENGAGED"), "ENGAGED")


def test_a_session_that_does_not_take_note_keeps_it_at_reduce_only(
    tmp_path: Path,
    switch: CircuitBreaker,
    journals: Journals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resetting, "GUARDS_S", 0.05)
    beat = real(tmp_path, journals)
    beat.acknowledge(blocked=True, drained=True, epoch=2)
    with pytest.raises(ResetRefusedError, match="took note of that: session mine"):
        reset(switch, "ann", "fine", 2, home=tmp_path)
    assert switch.authority() is SwitchState.REDUCE_ONLY
    after = reset(switch, "ann", "fine", 3, is_forced=True, home=tmp_path)
    assert (after.state, after.epoch) == (SwitchState.SAFE, 4)


def test_another_process_that_saw_the_engagement_sees_both_steps(
    tmp_path: Path, switch: CircuitBreaker
) -> None:
    other = CircuitBreaker(switch.folder)
    assert other.authority() is SwitchState.ENGAGED
    switch.step_down("ann", "fine", 2)
    assert other.authority() is SwitchState.REDUCE_ONLY
    switch.reset("ann", "fine", 3)
    assert other.authority() is SwitchState.SAFE
    other.close()
