"""Live sessions whose inputs lie in several files, some compressed, are sessions like any other."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from live_session_helpers import (
    Alternating,
    ScriptedFeed,
    TickingClock,
    live,
    resumed,
    settings,
)
from live_venue_helpers import World
from stored_helpers import ended

from logos.audit.inspect import Overview
from logos.audit.verify import verify
from logos.config.tables.disk import DiskSettings
from logos.core.messages import Quote
from logos.core.types import NS_PER_MINUTE, SessionStatus
from logos.journal.compacting import Compacted
from logos.journal.inputs import INPUTS_FILE, RecordedInputs
from logos.journal.reader import Damaged
from logos.session import ExitCode, SessionResult, open
from logos.session.build import make_instruments
from logos.session.entry import replay, resume
from logos.session.stored.compaction import compact_session
from logos.session.stored.sessions import stored_session

SIZE = 4000


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions whose inputs go on in a new file after a few dozen quotes."""
    monkeypatch.setattr(open, "DISK", DiskSettings(min_free_bytes=0, segment_bytes=SIZE))


def folder_of(home: Path) -> Path:
    return home / "runs" / "live" / "sessions" / "live"


def run(home: Path, quotes: int = 150) -> SessionResult:
    clock = TickingClock()
    return live(home, ScriptedFeed(clock, quotes), clock)


def inputs_of(home: Path) -> list[str]:
    return sorted(path.name for path in folder_of(home).glob("inputs*"))


def compacted(home: Path) -> Sequence[Compacted]:
    return compact_session(stored_session(folder_of(home), home))


def quotes_in(home: Path) -> int:
    instruments = make_instruments(settings().instruments)
    recorded = RecordedInputs(folder_of(home) / INPUTS_FILE, instruments)
    return sum(isinstance(event, Quote) for batch in recorded.batches() for event in batch)


def judge(home: Path) -> None:
    """Replay reproduces it, and verify finds nothing."""
    replay("live", strategy=Alternating(), home=home)
    verdict = verify(folder_of(home))
    assert (verdict.exit_code, verdict.findings) == (ExitCode.FINISHED, [])


@pytest.mark.long
@pytest.mark.usefixtures("small_segments")
def test_where_its_inputs_lie_changes_nothing_of_a_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, whole = tmp_path / "parts", tmp_path / "whole"
    run(parts)
    monkeypatch.setattr(open, "DISK", DiskSettings(min_free_bytes=0, segment_bytes=0))
    run(whole)
    assert len(inputs_of(parts)) > 5
    assert inputs_of(whole) == ["inputs.jsonl"]
    for name in ("state.jsonl", "state.json", "orders.csv", "trades.csv", "config.json"):
        assert (folder_of(parts) / name).read_bytes() == (folder_of(whole) / name).read_bytes()
    # The last line holds what was measured: times.
    content = b"".join((folder_of(parts) / name).read_bytes() for name in inputs_of(parts))
    one = (folder_of(whole) / "inputs.jsonl").read_bytes()
    assert content.splitlines()[:-1] == one.splitlines()[:-1]
    judge(parts)


@pytest.mark.long
def test_a_live_session_moves_on_when_an_hour_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open, "DISK", DiskSettings(min_free_bytes=0, segment_hours=1))
    hour_ns = 60 * NS_PER_MINUTE
    clock = TickingClock(500_000 * hour_ns - NS_PER_MINUTE)
    live(tmp_path, ScriptedFeed(clock, 80), clock)
    assert inputs_of(tmp_path) == ["inputs.000001.jsonl", "inputs.jsonl"]
    judge(tmp_path)


@pytest.mark.long
@pytest.mark.usefixtures("small_segments")
def test_an_ended_session_is_compacted_whole_and_judged_like_before(tmp_path: Path) -> None:
    run(tmp_path)
    before = sum((folder_of(tmp_path) / name).stat().st_size for name in inputs_of(tmp_path))
    done = compacted(tmp_path)
    assert sum(each.before_bytes for each in done) == before
    assert 2 * sum(each.after_bytes for each in done) < before
    assert all(name.endswith(".jsonl.gz") for name in inputs_of(tmp_path))
    judge(tmp_path)
    with Overview(folder_of(tmp_path)) as overview:
        overview.read()
        assert overview.sealed is not None
    assert compacted(tmp_path) == []


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("is_compacted", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_stopped_session_is_resumed_from_its_segments(tmp_path: Path, is_compacted: bool) -> None:
    clock = TickingClock()
    stop: dict[int, Callable[[], object]] = {100: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    stopped = live(tmp_path, ScriptedFeed(clock, 1000, after=stop), clock)
    assert stopped.status is SessionStatus.STOPPED
    if is_compacted:
        done = compacted(tmp_path)
        assert [each.path.name for each in done][:1] == ["inputs.000001.jsonl"]
        assert "inputs.jsonl" in inputs_of(tmp_path), "it will be written to again"
        judge(tmp_path)
    ended = resumed(tmp_path, ScriptedFeed(clock, 100), clock)
    assert ended.status is SessionStatus.ENDED
    assert ended.summary["orders"] == quotes_in(tmp_path) >= 200, "each quote was lived once"
    judge(tmp_path)


@pytest.mark.long
@pytest.mark.usefixtures("small_segments")
def test_a_session_at_a_venue_is_resumed_from_compacted_segments(tmp_path: Path) -> None:
    there = World(tmp_path, fills_at_once=1.0)
    stop: dict[int, Callable[[], object]] = {60: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    stopped = there.run(ScriptedFeed(there.clock, 1000, after=stop), Alternating())
    assert len(compacted(tmp_path)) >= 2
    ended = there.resume(ScriptedFeed(there.clock, 20), Alternating())
    assert ended.status is SessionStatus.ENDED
    assert ended.summary["fills"] == stopped.summary["fills"] + 20
    replay("live", strategy=Alternating(), home=tmp_path)


@pytest.mark.long
@pytest.mark.usefixtures("small_segments")
def test_a_crashed_session_is_sealed_from_its_segments(tmp_path: Path) -> None:
    clock = TickingClock()
    home, at_crash = tmp_path / "one", tmp_path / "two"
    crash: dict[int, Callable[[], object]] = {90: lambda: shutil.copytree(home, at_crash)}
    live(home, ScriptedFeed(clock, 100, after=crash), clock)
    compacted(at_crash)
    sealed = resume("live", seal=True, strategy=Alternating(), home=at_crash, tell=lambda _: None)
    assert sealed.status is SessionStatus.CRASHED_RECOVERED
    assert sealed.summary["orders"] >= 89
    assert len(compacted(at_crash)) == 1, "now the last file too"
    judge(at_crash)


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("is_compacted", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_segment_that_is_missing_is_found_and_nothing_is_cut_off(
    tmp_path: Path, is_compacted: bool
) -> None:
    clock = TickingClock()
    stop: dict[int, Callable[[], object]] = {100: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    live(tmp_path, ScriptedFeed(clock, 1000, after=stop), clock)
    if is_compacted:
        compacted(tmp_path)
    [gone] = folder_of(tmp_path).glob("inputs.000002.jsonl*")
    gone.rename(tmp_path / gone.name)
    journal = (folder_of(tmp_path) / "state.jsonl").read_bytes()
    options: Any = {"strategy": Alternating(), "home": tmp_path}
    with pytest.raises(Damaged, match=r"inputs\.000002\.jsonl is missing"):
        resumed(tmp_path, ScriptedFeed(clock, 5), clock)
    with pytest.raises(Damaged, match=r"inputs\.000002\.jsonl is missing"):
        replay("live", **options)
    verdict = verify(folder_of(tmp_path))
    assert verdict.exit_code is ExitCode.DIFFERS
    assert "inputs.000002.jsonl is missing" in str(verdict.findings[0])
    assert (folder_of(tmp_path) / "state.jsonl").read_bytes() == journal
    (tmp_path / gone.name).rename(gone)
    assert resumed(tmp_path, ScriptedFeed(clock, 5), clock).status is SessionStatus.ENDED


@pytest.mark.long
@pytest.mark.usefixtures("small_segments")
def test_the_last_file_that_is_missing_is_no_power_cut(tmp_path: Path) -> None:
    """Else what the session did because of it would be cut off its journal."""
    clock = TickingClock()
    stop: dict[int, Callable[[], object]] = {100: lambda: os.kill(os.getpid(), signal.SIGTERM)}
    live(tmp_path, ScriptedFeed(clock, 1000, after=stop), clock)
    (folder_of(tmp_path) / "inputs.jsonl").unlink()
    journal = (folder_of(tmp_path) / "state.jsonl").read_bytes()
    with pytest.raises(Damaged, match=r"inputs\.jsonl is missing"):
        resumed(tmp_path, ScriptedFeed(clock, 5), clock)
    assert (folder_of(tmp_path) / "state.jsonl").read_bytes() == journal


def test_a_session_on_recorded_data_has_nothing_to_compact(logos_home: Path) -> None:
    ended("cached")
    folder = logos_home / "runs" / "live" / "sessions" / "cached"
    assert compact_session(stored_session(folder, logos_home)) == []
