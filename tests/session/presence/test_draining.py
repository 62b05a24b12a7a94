"""What is said of a session that has not shown that nothing of it rests, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from logos.session.presence.draining import HANGS_S, complaint
from logos.session.presence.heartbeat import Heartbeat, SessionReport

NOW_NS = 1_000_000_000_000
ASKED_NS = NOW_NS - 2_000_000_000


def report_of(age_s: float = 1.0, running: bool = True, **fields: Any) -> SessionReport:
    beat = Heartbeat("desk", 7, 1, written_ns=NOW_NS - round(age_s * 1e9), **fields)
    return SessionReport(Path("desk.json"), "desk", running, "", beat)


def test_a_loop_that_turns_is_not_to_be_killed_and_its_orders_are_named() -> None:
    beat: dict[str, Any] = {
        "blocked": True,
        "epoch": 3,
        "resting": ("desk-1", "desk-4"),
        "resting_count": 2,
    }
    words = complaint(report_of(**beat), 2, ASKED_NS, NOW_NS)
    assert words == (
        "session desk (pid 7): BLOCKED, NOT DRAINED: may still rest at the venue: desk-1, desk-4; "
        "its loop turns, and it goes on cancelling: leave it running, repeat `logos kill`"
    )


def test_orders_beyond_those_that_are_named_are_counted() -> None:
    beat: dict[str, Any] = {
        "blocked": True,
        "epoch": 3,
        "resting": ("a-1", "a-2"),
        "resting_count": 30,
    }
    assert "rest at the venue: a-1, a-2 and 28 more;" in complaint(
        report_of(**beat), 2, ASKED_NS, NOW_NS
    )


@pytest.mark.parametrize("age_s", [HANGS_S, 60.0])
def test_only_a_session_without_a_sign_of_life_may_be_killed(age_s: float) -> None:
    words = complaint(report_of(age_s), 0, ASKED_NS, NOW_NS)
    assert f"no sign of life for {age_s:.0f} s; if it hangs, end it: kill -9 7" in words
    words = complaint(report_of(HANGS_S - 0.1), 0, ASKED_NS, NOW_NS)
    assert "its last sign of life is 5 s old: repeat `logos kill`" in words


def test_a_sign_of_life_since_it_was_asked_is_a_loop_that_turns_however_old() -> None:
    words = complaint(report_of(60.0), 0, NOW_NS - 61_000_000_000, NOW_NS)
    assert "its loop turns" in words


def test_an_older_epoch_is_not_taken_for_blocked() -> None:
    words = complaint(report_of(blocked=True, epoch=1), 2, ASKED_NS, NOW_NS)
    assert "NOT BLOCKED, NOT DRAINED" in words
    assert "has not seen the engagement yet" in words


def test_a_session_that_ended_with_orders_left_names_them() -> None:
    gone = report_of(running=False, resting=("desk-9",), resting_count=1)
    assert "NOT DRAINED" in complaint(gone, 0, ASKED_NS, NOW_NS)
    assert "may still rest at the venue: desk-9" in complaint(gone, 0, ASKED_NS, NOW_NS)
