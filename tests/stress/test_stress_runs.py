"""Whole runs against the simulator, through real sockets and real processes, small and seeded.

The same at full size is one command each; see docs/STRESS.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from stress_helpers import AUDIT, GATEWAY, problems_of, read_lines, run_and_judge, small_plan

pytestmark = pytest.mark.campaign


def test_three_symbols_lose_nothing_and_agree_to_the_last_digit(tmp_path: Path) -> None:
    verdict = run_and_judge(small_plan(1), tmp_path / "run")
    assert verdict.is_passed, problems_of(verdict)
    assert verdict.numbers is not None
    assert set(verdict.numbers.filled) == {"all", "BTCUSD.s", "ETHUSD.s", "XAUUSD.s"}


def test_lost_and_late_answers_leave_no_duplicate_and_nothing_unknown(tmp_path: Path) -> None:
    plan = small_plan(
        12,
        signals=12,
        faults={"lost": 0.08, "late": 0.05, "late_ms": 500, "disconnect_every": 2.0},
        reply_timeout_s=0.25,
    )
    verdict = run_and_judge(plan, tmp_path / "run")
    assert verdict.is_passed, problems_of(verdict)
    assert verdict.numbers is not None
    assert verdict.numbers.lost_replies > 0


def test_a_slow_symbol_does_not_starve_the_others(tmp_path: Path) -> None:
    plan = small_plan(
        6, seconds=4.0, signals=0, faults={"slow_ms": 2000}, reply_timeout_s=0.25, every=3
    )
    verdict = run_and_judge(plan, tmp_path / "run")
    assert verdict.is_passed, problems_of(verdict)
    numbers = verdict.numbers
    assert numbers is not None
    # Answers carry ids: whatever it waits for, it waits without the lock.
    slow = numbers.accepted["XAUUSD.s"].p50_ns
    assert max(numbers.accepted[name].p50_ns for name in ("BTCUSD.s", "ETHUSD.s")) < slow
    assert not any(each["action"] == "ZMQ_FENCE" for each in read_lines(tmp_path / "run" / GATEWAY))
    assert all(numbers.filled[name].count > 3 for name in ("BTCUSD.s", "ETHUSD.s"))


def test_a_hedging_account_is_traded_by_tickets_though_answers_are_lost(tmp_path: Path) -> None:
    plan = small_plan(
        3, "BTCUSD.s,ETHUSD.s", signals=16, is_hedging=True, reply_timeout_s=0.25,
        faults={"lost": 0.05, "partial": 0.1},
    )  # fmt: skip
    verdict = run_and_judge(plan, tmp_path / "run")
    assert verdict.is_passed, problems_of(verdict)
    [tickets] = [check.what for check in verdict.checks if check.name == "tickets"]
    assert "times closed, whole or in part" in tickets
    requests = [r for r in read_lines(tmp_path / "run" / AUDIT) if r["kind"] == "request"]
    assert any(each["action_type"] == "POSITION_PARTIAL" for each in requests)


def test_at_the_published_expert_advisor_fills_are_deals_though_answers_are_lost(
    tmp_path: Path,
) -> None:
    plan = small_plan(
        5, "BTCUSD.s,ETHUSD.s", signals=6, ea="published", reply_timeout_s=0.5,
        faults={"lost": 0.05}, latency_ms=0.0,
    )  # fmt: skip
    verdict = run_and_judge(plan, tmp_path / "run")
    assert verdict.is_passed, problems_of(verdict)
    requests = [r for r in read_lines(tmp_path / "run" / AUDIT) if r["kind"] == "request"]
    assert any(each["action"] == "RESET" for each in requests)
