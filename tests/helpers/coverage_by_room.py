"""Which lines of logos the tests run, by room; fails where a part that must be covered is not.

`make coverage` runs this. Only the tests that matter for these parts are run, in this process's
children, so that it takes minutes; whole-process campaigns are not counted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from places import PROJECT

TESTS: Final = (
    *("tests/core", "tests/journal", "tests/feeds", "tests/data"),
    *(
        f"tests/guards/test_guard_{name}.py"
        for name in ("actions", "edges", "in_flight", "windows")
    ),
    *("tests/session/test_artifacts.py", "tests/session/test_life.py"),
    *("tests/crash/test_core_state.py", "tests/crash/test_snapshots.py"),
    *(f"tests/library/test_{name}.py" for name in ("run", "frames", "cells", "embedding")),
)

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "intents": ("core/intents.py", "core/pipeline.py"),
    "market": ("core/matching.py", "core/market.py", "data/"),
    "feeds": ("feeds/",),
    "guards": ("core/guards", "core/risk.py", "core/gates.py", "core/safety.py"),
    "persistence": ("journal/", "files.py", "session/artifacts/"),
}
"""What must be covered, as beginnings of paths below src/logos."""

LEAST: Final = 80.0
"""Percent of the lines of each part."""


class Lines:
    """How many lines there are, and how many ran."""

    def __init__(self) -> None:
        self.all = 0
        self.ran = 0

    def add(self, summary: Mapping[str, Any]) -> None:
        """Count one file."""
        self.all += summary["num_statements"]
        self.ran += summary["covered_lines"]

    @property
    def percent(self) -> float:
        """0 of none: a part without a file is not covered."""
        return 100 * self.ran / self.all if self.all else 0.0


def room_of(file: str) -> str:
    """The room of a file below src/logos."""
    head, slash, _ = file.partition("/")
    return f"{head}/" if slash else "(logos)"


def by_room(files: Mapping[str, Mapping[str, Any]]) -> dict[str, Lines]:
    """Lines of each room."""
    rooms: dict[str, Lines] = defaultdict(Lines)
    for file, summary in files.items():
        rooms[room_of(file)].add(summary)
    return dict(sorted(rooms.items()))


def by_part(files: Mapping[str, Mapping[str, Any]]) -> dict[str, Lines]:
    """Lines of each part that must be covered."""
    parts: dict[str, Lines] = {name: Lines() for name in PARTS}
    for file, summary in files.items():
        for name, beginnings in PARTS.items():
            if file.startswith(beginnings):
                parts[name].add(summary)
    return parts


def measure(tests: Iterable[str], workers: int) -> dict[str, Mapping[str, Any]]:
    """Run the tests; returns the summary of each file below src/logos. Raises SystemExit."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), *tests]
        command += ["--cov=logos", f"--cov-report=json:{report}", "-p", "no:cacheprovider"]
        done = subprocess.run(command, cwd=PROJECT)
        if done.returncode:
            raise SystemExit(f"the tests failed ({done.returncode}): coverage says nothing then")
        found = json.loads(report.read_text(encoding="utf-8"))["files"]
    (PROJECT / ".coverage").unlink(missing_ok=True)
    return {name.partition("src/logos/")[2]: each["summary"] for name, each in found.items()}


def main() -> int:
    """Print coverage by room and by part; 1 when a part is below LEAST."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="processes that run tests")
    parser.add_argument("tests", nargs="*", default=TESTS, help="other tests than the usual")
    options = parser.parse_args()
    files = measure(options.tests, options.workers)
    for name, lines in by_room(files).items():
        print(f"{name:<14} {lines.percent:6.1f} %  of {lines.all:6,} lines")
    print()
    parts = by_part(files)
    for name, lines in parts.items():
        verdict = "" if lines.percent >= LEAST else f"  BELOW {LEAST:g} %"
        print(f"{name:<14} {lines.percent:6.1f} %  of {lines.all:6,} lines{verdict}")
    return int(any(lines.percent < LEAST for lines in parts.values()))


if __name__ == "__main__":
    sys.exit(main())
