"""Stress runs small enough for tests, and ways to tamper with what they leave behind."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("zmq", reason="stress runs need the extra logos-trading[mt5]")

from logos.stress.judge import Verdict
from logos.stress.plan import StressPlan, make_symbols
from logos.stress.report import judge_and_report
from logos.stress.run import StressRun

Record = dict[str, Any]

SESSION = Path("home/runs/live/sessions/stress")
GATEWAY = Path("home/logos/logs/stress.gateway.jsonl")
SWITCH = Path("home/state/kill-switch/history.jsonl")
AUDIT = Path("simulator.jsonl")


def small_plan(seed: int, symbols: str = "BTCUSD.s,ETHUSD.s,XAUUSD.s", **more: Any) -> StressPlan:
    """A plan of a few seconds; `more` are fields of StressPlan."""
    settings: dict[str, Any] = {
        "symbols": make_symbols(symbols, "20"),
        "signals": 26,
        "seconds": 0.0,
        "seed": seed,
    }
    return StressPlan(**{**settings, **more})


def run_and_judge(plan: StressPlan, folder: Path) -> Verdict:
    """Run it and judge it; the report lies in the folder."""
    folder.mkdir(exist_ok=True)
    StressRun(plan, folder, lambda _: None).run()
    return judge_and_report(folder)


def problems_of(verdict: Verdict) -> list[str]:
    """Everything that is wrong, for the message of an assertion."""
    return [f"{check.name}: {line}" for check in verdict.checks for line in check.problems]


def failed(verdict: Verdict) -> set[str]:
    """The names of the checks that failed."""
    return {check.name for check in verdict.checks if not check.is_passed}


def read_lines(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def edit_lines(path: Path, change: Callable[[list[Record]], list[Record]]) -> None:
    """Replace the records of a file of JSON lines by what `change` makes of them."""
    records = change(read_lines(path))
    text = "".join(json.dumps(record) + "\n" for record in records)
    path.write_text(text, encoding="utf-8")


def edit_text(path: Path, old: str, new: str) -> None:
    """Replace the first `old`, which must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} has no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def is_running(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
