"""The power fails: what was not synced is lost, kept, torn or out of order, file by file."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from crash_helpers import Bench, truth
from crash_sessions import STORIES, begin, first_difference, has_begun, log_file, session_folder
from file_faults import FileFaults, Step
from power_cuts import Disk
from sampling import first_quick

from logos.config import ConfigError
from logos.core.gates import InProcessSwitch
from logos.journal import writer
from logos.session import history

STATES = 525
"""Generated for each of four rhythms of syncing: 2,100 in all."""
RESUMED = 25
"""Of these so many are resumed to the end, for each rhythm."""


def put(home: Path, files: dict[Path, bytes]) -> None:
    """Make `home` hold these files and no other."""
    log_file(home).parent.mkdir(parents=True)
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def moved(files: dict[Path, bytes], old: Path, new: Path) -> dict[Path, bytes]:
    return {new / path.relative_to(old): content for path, content in files.items()}


def common_lines(content: bytes, whole: bytes) -> int:
    """How many bytes of whole lines two journals have in common at their beginning."""
    size = 0
    for here, there in zip(content.splitlines(True), whole.splitlines(True), strict=False):
        if here != there:
            break
        size += len(here)
    return size


def journal_problem(home: Path, durable: bytes, name: str) -> str:
    """What is wrong with what recovery finds of the journal."""
    whole = truth(name)["state.jsonl"]
    path = session_folder(home) / "state.jsonl"
    kept = b""
    if has_begun(home):
        try:
            kept = path.read_bytes()[: history.read_session(session_folder(home)).whole_bytes]
        except (history.JournalDamagedError, ConfigError) as error:
            return str(error)
    if not whole.startswith(kept):
        return "not a prefix of the true history"
    promised = common_lines(durable, b"".join(whole.splitlines(True)[:-1]))  # the seal is cut off
    return "" if len(kept) >= promised else f"{promised} bytes were synced, {len(kept)} are kept"


def record(
    name: str, flushes_a_sync: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Sequence[Step]]:
    """The steps of a run whose journal is synced at every n-th flush (0: only at the end)."""
    ticks = itertools.count()

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return next(ticks) / flushes_a_sync if flushes_a_sync else 0.0

        @staticmethod
        def perf_counter_ns() -> int:
            return 0

    monkeypatch.setattr(writer, "time", Clock)
    with TemporaryDirectory() as folder, FileFaults(Path(folder)) as faults:
        begin(STORIES[name], Path(folder), InProcessSwitch())
    monkeypatch.undo()
    return Path(folder), faults.steps


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "flushes_a_sync", "states"),
    first_quick(
        [
            ("trading", 4, 125),
            ("saved", 4, STATES),
            ("trading", 0, STATES),
            ("halted", 1, STATES),
            ("trading", 4, STATES),
        ]
    ),
)
def test_recovery_keeps_all_that_was_synced_and_nothing_that_never_was(
    name: str, flushes_a_sync: int, states: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    then, steps = record(name, flushes_a_sync, monkeypatch)
    chance = Random(flushes_a_sync)
    problems: dict[str, str] = {}
    seen = set()
    for number in range(states):
        disk = Disk(steps, chance.randint(0, len(steps)))
        left = disk.left(chance)
        seen.add(frozenset(left.items()))
        durable = disk.durable().get(session_folder(then) / "state.jsonl", b"")
        with TemporaryDirectory() as folder:
            home = Path(folder)
            put(home, moved(left, then, home))
            problem = journal_problem(home, durable, name)
            if not problem and number % (STATES // RESUMED) == 0:
                Bench(name, home).finish()
                problem = first_difference(home, truth(name))
            if problem:
                problems[f"state {number}"] = problem
    assert problems == {}
    assert len(seen) > states // 5
