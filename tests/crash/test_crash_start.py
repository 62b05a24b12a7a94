"""A session that is really killed at each step of its start is started anew under its id."""

from __future__ import annotations

import signal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from crash_helpers import truth
from crash_process import FINISHED, start
from crash_sessions import first_difference, has_begun, session_folder
from sampling import first_quick

STEPS_MAX = 60
"""More than a start has."""


def names_in(home: Path) -> frozenset[str]:
    """What of a session a kill has left."""
    sessions = session_folder(home).parent
    parts = (path.relative_to(sessions).parts for path in sessions.rglob("*"))
    left = {each[-1] for each in parts if not any(part.startswith(".") for part in each)}
    heartbeat = home / "state" / "sessions" / "crashed.json"
    return frozenset(left | ({"heartbeat"} if heartbeat.exists() else set()))


@pytest.mark.long
@pytest.mark.parametrize("first", first_quick(range(3), 1))
def test_a_session_killed_at_any_step_of_its_start_is_started_anew(first: int) -> None:
    seen: set[frozenset[str]] = set()
    for number in range(1 + first, STEPS_MAX, 3):
        with TemporaryDirectory() as folder:
            home = Path(folder)
            process = start("trading", home, number)
            process.join(30)
            if process.exitcode == FINISHED:
                continue  # a step that failed by itself: a folder whose parent is not there yet
            assert process.exitcode == -signal.SIGKILL
            if has_begun(home):
                break
            seen.add(names_in(home))
            last = start("trading", home)
            last.join(30)
            assert last.exitcode == FINISHED, f"killed at step {number}, then {last.exitcode}"
            assert first_difference(home, truth("trading")) == "", f"killed at step {number}"
    else:
        raise AssertionError("the first record was never reached")
    whole = frozenset({"crashed", "config.json", "state.jsonl"})
    assert frozenset() in seen, "killed before there was a folder"
    assert whole in seen, "killed before its heartbeat"
    assert whole | {"heartbeat"} < max(seen, key=len), "killed behind its heartbeat"
    assert all(whole <= each for each in seen if "crashed" in each), "a folder appears whole"
