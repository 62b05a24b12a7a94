"""The three acceptance scenarios of the kill switch, bundled: they hold, and they can fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from logos.cli.main import main
from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.status import EngageResult
from logos.rehearsal import acceptance
from logos.rehearsal.acceptance import SCENARIOS, AcceptanceResult, run_acceptance


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    return tmp_path


def run(folder: Path) -> dict[str, AcceptanceResult]:
    folder.mkdir()
    return {each.scenario.name: each for each in run_acceptance(folder)}


def test_the_scenarios_are_those_of_the_requirement() -> None:
    required = {(10, 0, 10, 0), (15, 5, 4, 11), (5, 1, 0, 5)}
    bundled = {(each.ticks, each.kill_at, each.orders, each.blocked) for each in SCENARIOS}
    assert bundled == required
    assert {each.way for each in SCENARIOS if each.kill_at} == {"kill", "marker"}


@pytest.mark.long
def test_all_hold_and_leave_whole_sessions_behind(home: Path) -> None:
    results = run(home / "a6")
    assert [each.problems for each in results.values()] == [()] * len(SCENARIOS)
    assert results["15-ticks-touch-at-5"].words() == "4 orders, 11 blocked, the first at tick 5"
    for name in results:
        assert (home / "a6" / name / "runs/live/sessions/a6/session.md").is_file()
    assert not (home / "state").exists(), "the workspace's own switch is not touched"


@pytest.mark.long
def test_an_engagement_that_does_nothing_is_found(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def engage(self: CircuitBreaker, reason: str, by: str) -> EngageResult:
        return EngageResult(SwitchState.ENGAGED, 1, 1, True, True, ())

    monkeypatch.setattr(CircuitBreaker, "engage", engage)
    failed = run(home / "a6")["5-ticks-kill-at-1"]
    assert failed.problems == (
        "the switch is not latched: another session could start",
        "5 orders in the journal and 5 in orders.csv, not 0",
        "blocked ticks [], not [1, 2, 3, 4, 5]",
        "an order at tick 5, after the kill at 1",
    )


@pytest.mark.long
def test_a_watch_that_does_not_see_a_bare_marker_is_found(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptance, "_SEEN_WITHIN_S", 0.0)
    monkeypatch.setattr("logos.session.presence.watcher.LOOK_INTERVAL_S", 0.5)
    failed = run(home / "a6")["15-ticks-touch-at-5"]
    assert "a bare marker was not seen within 0 s" in failed.problems


@pytest.mark.long
def test_a_gate_that_is_a_tick_late_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    late = tuple(
        each if not each.kill_at else type(each)(*_later(each)) for each in SCENARIOS
    )  # what a session that saw the kill a tick later would have to be
    monkeypatch.setattr(acceptance, "SCENARIOS", late)
    results = run(home / "a6")
    for each in results.values():
        assert each.holds is (each.scenario.kill_at == 0), each


def _later(each: acceptance.AcceptanceScenario) -> tuple[str, int, int, int, int, acceptance.Way]:
    return (each.name, each.ticks, each.kill_at, each.orders + 1, each.blocked - 1, each.way)


@pytest.mark.long
def test_the_command_prints_a_table_and_says_where_the_sessions_are(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rehearse", "a6"]) == 0
    printed = capsys.readouterr().out
    assert printed.count(" PASS\n") == len(SCENARIOS)
    assert f"sessions  {home}/runs/rehearsals/rehearsal-0001" in printed
    assert main(["rehearse", "a6", "--json", "--out", str(home / "there")]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(SCENARIOS)
    assert main(["rehearse", "a6", "--out", str(home / "there")]) == 2
    assert "holds something already" in capsys.readouterr().err


@pytest.mark.long
def test_a_failure_is_an_exit_code_and_a_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(acceptance, "_latch_problems", lambda home: ["not latched"])
    assert main(["rehearse", "a6", "--quiet"]) == 1
    assert "    not latched\n" in capsys.readouterr().out
