"""What a report costs: time and size, for the bundled session and for a year of minutes.

Run: `python bench/report.py [MINUTES]` (default 525,600). Sessions are run in a temporary folder
first; the time is that of making the report, the best of three, as the session itself pays nothing:
its report is made after it has ended. Beside it stands how long the session took in the same run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from logos import session
from logos.core.gates import InProcessSwitch
from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND
from logos.data.readers.numbers import format_timestamp
from logos.report import write_report

_START_NS = 1_700_000_040 * NS_PER_SECOND
_RUNS = 3
_PROJECT = Path(__file__).resolve().parents[1]


def _minutes(path: Path, count: int) -> None:
    """A file of minute bars that go up and down, so that averages cross often."""
    with path.open("w", encoding="utf-8") as file:
        file.write("timestamp,open,high,low,close,volume\n")
        before = 100_000
        for row in range(count):
            wave = abs(row % 240 - 120) * 12 + abs(row % 3_000 - 1_500)
            close = 100_000 + wave + row * 7919 % 61
            high, low = max(before, close) + 11, min(before, close) - 13
            when = format_timestamp(_START_NS + row * NS_PER_MINUTE)
            prices = ",".join(f"{each / 100:.2f}" for each in (before, high, low, close))
            file.write(f"{when},{prices},{100 + row % 977}\n")
            before = close


def _measure(name: str, config: dict[str, Any] | Path, home: Path) -> None:
    began = time.perf_counter()
    result = session.run(config, switch=InProcessSwitch(), home=home)
    ran_s = time.perf_counter() - began
    best_s = float("inf")
    for _ in range(_RUNS):
        began = time.perf_counter()
        path = write_report(result.folder)
        best_s = min(best_s, time.perf_counter() - began)
    summary = result.summary
    print(
        f"{name}: {summary['ticks']:,} ticks, {summary['fills']:,} fills: report "
        f"{path.stat().st_size / 1000:,.0f} KB in {best_s:.2f} s (the session took {ran_s:.2f} s)"
    )


def main() -> None:
    """Measure both sessions."""
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 525_600
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _measure("bundled session", _PROJECT / "examples" / "session.toml", home)
        data = home / "WAVE_1m_bars.csv"
        _minutes(data, minutes)
        year: dict[str, Any] = {
            "session": {"id": "year"},
            "strategy": {"name": "sma_cross", "params": {"fast": 10, "slow": 40}},
            "data": {"paths": [str(data)], "symbols": ["WAVE"]},
            "instruments": {"WAVE": {"quote": "USD", "tick": "0.01", "lot": "1"}},
            "account": {"balances": {"USD": "1000000"}},
        }
        _measure(f"{minutes:,} minutes", year, home)


if __name__ == "__main__":
    main()
