"""Killed processes during stress: an engine that goes on, a simulator that comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from stress_helpers import GATEWAY, problems_of, read_lines, run_and_judge, small_plan

pytestmark = pytest.mark.campaign


def test_an_engine_that_is_killed_goes_on_with_the_simulators_books(tmp_path: Path) -> None:
    plan = small_plan(
        7, seconds=3.5, signals=0, kill="engine", kill_after_s=1.5, reply_timeout_s=0.5
    )
    verdict = run_and_judge(plan, tmp_path / "run")
    assert verdict.is_passed, problems_of(verdict)
    opened = [
        each
        for each in read_lines(tmp_path / "run" / GATEWAY)
        if each["action"] == "GATEWAY_OPENED"
    ]
    assert len({each["pid"] for each in opened}) == 2


def test_a_simulator_that_is_killed_stops_orders_and_is_reconciled_with(tmp_path: Path) -> None:
    plan = small_plan(
        8,
        seconds=3.0,
        signals=0,
        kill="simulator",
        kill_after_s=1.5,
        away_s=2.5,
        dead_after_s=1.5,
        reply_timeout_s=0.5,
    )
    verdict = run_and_judge(plan, tmp_path / "run")
    assert verdict.is_passed, problems_of(verdict)
    actions = [each["action"] for each in read_lines(tmp_path / "run" / GATEWAY)]
    assert actions.index("ZMQ_TERMINAL_DEAD") < actions.index("ZMQ_TERMINAL_BACK")
    # Nothing was ordered after it was back: the switch is still engaged.
    switch = next(check for check in verdict.checks if check.name == "kill switch")
    assert switch.what.startswith("thrown; 0 on its way")
