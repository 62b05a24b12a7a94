"""The benchmarks of recovery and of MT5 run: a small sample of each, so that they do not rot."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from places import PROJECT

pytestmark = pytest.mark.long


def benchmark(folder: Path, name: str, *arguments: str) -> str:
    """What a benchmark prints."""
    return subprocess.run(
        [sys.executable, PROJECT / "bench" / f"{name}.py", *arguments],
        cwd=folder,
        env={**os.environ, "LOGOS_REGISTRY": str(folder / "registry")},
        check=True,
        text=True,
        capture_output=True,
    ).stdout


def test_recovery_prints_a_row_for_each_way_through_a_journal(tmp_path: Path) -> None:
    printed = benchmark(tmp_path, "recovery", "1000")
    for row in ("journal", "tables", "log", "sparse", "dense", "check of the journal"):
        assert re.search(rf"^{row} .*\d$|^{row} .*rate$", printed, re.MULTILINE), (row, printed)
    for row in ("logos replay", "logos verify", "live again, from the start"):
        assert re.search(rf"^{row} +[\d.]+ +[\d.]+ +[\d,]+ +[\d.]+$", printed, re.MULTILINE)


def test_mt5_prints_the_time_of_an_order_in_each_thread(tmp_path: Path) -> None:
    printed = benchmark(tmp_path, "mt5", "650", "4")
    for row in ("process", "main", "gateway"):
        assert re.search(rf"^{row} +[\d.]+ us an order at least", printed, re.MULTILINE), printed
    assert "refused: none" in printed
