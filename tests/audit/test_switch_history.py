"""An engagement that stood while a session ran, and that its journal does not know, is found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from journal_helpers import BarByBar, bars

from logos import session
from logos.audit.switch_history import MARGIN_NS, check_history
from logos.audit.verify import verify
from logos.killswitch.breaker import CircuitBreaker
from logos.testing.builders import Scripted

SECOND = 10**9
HOST = {
    "started": "2026-01-05T12:00:00.250000000Z", "run_seconds": "60.5", "kill_switch": "workspace",
}  # fmt: skip
NOON_NS = 1_767_614_400 * SECOND


def history(folder: Path, at_s: Sequence[int]) -> Path:
    """A switch that is engaged and reset by turns at these seconds after noon."""
    now_ns = NOON_NS - 3600 * SECOND
    switch = CircuitBreaker(folder, clock=lambda: now_ns)
    switch.arm_if_new()
    for number, second in enumerate(at_s):
        now_ns = NOON_NS + second * SECOND
        if number % 2:
            switch.reset("anna", "a test", switch.epoch)
        else:
            switch.engage("a test", "ben")
    switch.close()
    return folder


def found(folder: Path, *, states: Sequence[str] = (), live_ns: int = 0, **host: Any) -> list[str]:
    return [str(each) for each in check_history(folder, {**HOST, **host}, states, live_ns)]


@pytest.mark.parametrize(
    ("at_s", "count"),
    [
        ([], 0),
        ([10], 1),
        ([10, 20], 1),
        ([10, 14], 0),  # shorter than two clocks can be told apart
        ([10, 20, 30, 40], 2),
        ([-10, -5], 0),  # before the session
        ([57], 0),  # at its end
        ([90], 0),
    ],
)
def test_an_engagement_within_the_session_that_it_never_saw_is_found(
    tmp_path: Path, at_s: list[int], count: int
) -> None:
    messages = found(history(tmp_path / "switch", at_s))
    assert len(messages) == count
    for message in messages:
        assert message.startswith(
            "state.jsonl: does not know that the kill switch was engaged at 20"
        )
        assert message.endswith(" by ben, while the session ran")


def test_a_session_that_saw_it_or_had_a_switch_of_its_own_is_left_alone(tmp_path: Path) -> None:
    folder = history(tmp_path / "switch", [10])
    assert found(folder, states=["ENGAGED"]) == []
    assert found(folder, kill_switch="own") == []


def test_a_live_session_ran_until_its_last_record(tmp_path: Path) -> None:
    folder = history(tmp_path / "switch", [600])
    assert found(folder) == []
    assert len(found(folder, live_ns=NOON_NS + 601 * SECOND + MARGIN_NS)) == 1
    assert found(folder, live_ns=NOON_NS + 599 * SECOND + MARGIN_NS) == []


def test_times_that_are_none_are_found(tmp_path: Path) -> None:
    folder = history(tmp_path / "switch", [])
    [message] = found(folder, started="yesterday")
    assert message == "host.json, started: is no time, or run_seconds is no number"


@pytest.mark.long
def test_verify_asks_the_history_of_the_sessions_workspace(tmp_path: Path) -> None:
    config = {
        "session": {"id": "small"},
        "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
    }
    result = session.run(config, strategy=Scripted({}), feed=BarByBar(bars(4)), home=tmp_path)
    assert verify(result.folder).findings == []
    host = json.loads((result.folder / "host.json").read_bytes())
    assert host["kill_switch"] == "workspace"
    switch = CircuitBreaker(tmp_path / "state" / "kill-switch")
    switch.engage("a test", "ben")
    switch.close()
    assert verify(result.folder).findings == []  # it came after the session
    (result.folder / "host.json").write_text(json.dumps({**host, "run_seconds": "3600"}))
    [finding] = verify(result.folder).findings
    assert "does not know that the kill switch was engaged" in finding.message
    (tmp_path / "state" / "kill-switch" / "history.jsonl").write_bytes(b"damage\n")
    assert (
        "the history of the kill switch, which cannot be read" in verify(result.folder).not_judged
    )
