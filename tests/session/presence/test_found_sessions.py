"""Sessions from registry and heartbeats together: whose acknowledgement is believed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from heartbeat_helpers import Journals

from logos.session.presence.found import FoundSession, find_sessions
from logos.session.presence.heartbeat import (
    Heartbeat,
    HeartbeatFile,
    SessionReport,
    heartbeat_path,
)
from logos.session.presence.registry import enter


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "desk").mkdir()
    return tmp_path / "desk"


@pytest.fixture
def journals(home: Path) -> Iterator[Journals]:
    held = Journals(home / "runs" / "live" / "sessions")
    yield held
    held.close()


def only(sessions: list[FoundSession]) -> FoundSession:
    assert len(sessions) == 1, sessions
    return sessions[0]


def test_a_session_is_seen_from_its_first_step_and_its_heartbeat_once_it_has_one(
    home: Path, journals: Journals
) -> None:
    with closing(enter("trade", home)) as entry:
        assert only(find_sessions(home)).report is None
        entry.name("small", home)
        found = only(find_sessions(home))
        assert (found.session_id, found.running, found.problem) == ("small", True, "")
        assert not found.has_stopped(0)
        beat = HeartbeatFile(heartbeat_path("small", home), "small", journals.hold("small"),
                             entry.token)  # fmt: skip
        beat.acknowledge(blocked=True, drained=True, epoch=3)
        found = only(find_sessions())
        assert found.has_stopped(3)
        assert not found.has_stopped(4)
        beat.close()
        journals.release("small")


def test_a_heartbeat_of_an_earlier_life_says_nothing_of_a_session_that_starts_again(
    home: Path, journals: Journals
) -> None:
    """A killed process had acknowledged; the one that resumes its session has not."""
    first = HeartbeatFile(heartbeat_path("small", home), "small", journals.hold("small"), "f00d")
    first.acknowledge(blocked=True, drained=True, epoch=9)
    journals.release("small")
    with closing(enter("resume", home, "small")) as entry:
        entry.name("small", home)
        found = only(find_sessions(home))
        assert found.running
        assert found.report is None
        assert not found.has_stopped(0)
    found = only(find_sessions(home))
    assert not found.running


def test_a_session_that_is_known_by_its_heartbeat_alone_is_found_in_its_workspace(
    home: Path, journals: Journals
) -> None:
    beat = HeartbeatFile(heartbeat_path("old", home), "old", journals.hold("old"))
    found = only(find_sessions(home))
    assert (found.session_id, found.running, found.workspace) == ("old", True, home)
    assert find_sessions() == []
    beat.close()


@pytest.mark.parametrize(
    ("age_s", "fields", "verdict"),
    [
        (4.9, {}, "ok"),
        (5.1, {}, "stalled"),
        (0.0, {"beat": {"stuck": "strategy x:Y in on_bar"}}, "stalled"),
        (0.0, {"running": False}, "dead"),
        (0.0, {"running": False, "problem": "not a heartbeat"}, "unknown"),
        (4.9, {"beat": None}, "starting"),
        (5.1, {"beat": None}, "stalled"),
    ],
)
def test_there_is_one_verdict_on_a_session(
    age_s: float, fields: dict[str, Any], verdict: str, home: Path
) -> None:
    then_ns = 10**18
    shown = {"running": True, "problem": "", "beat": {}, **fields}
    report = None
    if shown["beat"] is not None:
        beat = Heartbeat("one", 7, 9, written_ns=then_ns, **shown["beat"])
        report = SessionReport(home, "one", shown["running"], shown["problem"], beat)
    found = FoundSession(
        *("key", home, "one", "trade", 7, then_ns),
        *(shown["running"], shown["problem"], report),
    )
    assert found.verdict(then_ns + int(age_s * 1e9)) == verdict
    later = found.verdict(then_ns + int(age_s * 1e9), late_after_s=4.0)
    assert later == ("stalled" if verdict in ("ok", "starting") else verdict)
