"""A snapshot that does not fit is left alone and why is said; each recovery has its line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from crash_helpers import Bench, operations_of, truth
from crash_sessions import (
    STORIES,
    first_difference,
    resume,
    session_folder,
    stopped,
)
from file_faults import Cut, Decide, at
from journal_helpers import bodies_of, write_chain

from logos import __version__
from logos.core.gates import InProcessSwitch
from logos.core.types import SessionStatus
from logos.journal.entries import SessionEntry
from logos.journal.writer import JournalDiffersError
from logos.session import history, restoring
from logos.session.artifacts.recoveries import RECOVERIES
from logos.session.artifacts.snapshots.snapshot import SNAPSHOT, encode_snapshot, read_snapshot

TRADING = STORIES["trading"]
SAVED = STORIES["saved"]


@pytest.fixture(scope="module", autouse=True)
def counted() -> None:
    """Count before every session is judged, which makes operations of its own."""
    for name in ("trading", "saved"):
        operations_of(name)


def crash(name: str, home: Path, share: float = 0.5) -> None:
    """A story that lost its process after that share of its file operations."""
    assert Bench(name, home).go(at(int(operations_of(name) * share), Cut())) is None


def last_recovery(home: Path) -> dict[str, Any]:
    *_, line = (session_folder(home) / RECOVERIES).read_text().splitlines()
    told: dict[str, Any] = json.loads(line)
    return told


def altered(**fields: Any) -> Callable[[Path], None]:
    """The session's own snapshot, whole, with these fields instead."""

    def change(home: Path) -> None:
        folder = session_folder(home)
        snapshot = read_snapshot(folder)
        assert snapshot is not None
        values = {
            name: value(getattr(snapshot, name)) if callable(value) else value
            for name, value in fields.items()
        }
        changed = msgspec.structs.replace(snapshot, **values)
        (folder / SNAPSHOT).write_bytes(encode_snapshot(changed))

    return change


UNFIT: dict[str, tuple[Callable[[Path], None], str]] = {
    "of another session": (altered(uuid="other"), "it is of another session"),
    "beyond the journal": (altered(sequence=10**6), "it is of record 1000000, and the journal has"),
    "beyond its bytes": (altered(offset=10**9), "and the journal has only"),
    "of another history": (altered(digest="00" * 32), "the journal has another history up to"),
    "of another place": (altered(offset=lambda own: own - 1), "the journal has another history"),
    "of another record": (
        altered(sequence=lambda own: own - 1),
        "the journal has another history",
    ),
    "of older software": (altered(software="0.0.1"), r"it is of logos 0\.0\.1, schema"),
    "of another schema": (altered(schema=999), "schema 999"),
    "of other files": (altered(files={}), "it speaks of other files"),
    "of another core": (altered(core={}), "it"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", UNFIT)
def test_a_snapshot_that_does_not_fit_is_left_alone_and_the_reason_said(
    tmp_path: Path, name: str
) -> None:
    change, words = UNFIT[name]
    crash("saved", tmp_path)
    change(tmp_path)
    told: list[str] = []
    assert resume(SAVED, tmp_path, InProcessSwitch(), tell=told.append).exit_code == 0
    [line] = told
    assert line.startswith("logos: the snapshot is not used: ")
    assert line.endswith("; the session is run again from its beginning")
    assert re.search(words, line)
    assert last_recovery(tmp_path)["snapshot_sequence"] is None
    assert first_difference(tmp_path, truth("saved")) == ""


@pytest.mark.long
def test_the_snapshot_of_a_strategy_that_cannot_be_loaded_any_more_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash("saved", tmp_path)
    monkeypatch.setattr(restoring, "can_save", lambda _: False)
    told: list[str] = []
    resume(SAVED, tmp_path, InProcessSwitch(), tell=told.append)
    assert ["the strategy cannot be loaded" in line for line in told] == [True]


@pytest.mark.long
@pytest.mark.parametrize("knows_bytes", [True, False])
def test_of_a_journal_with_a_snapshot_only_what_is_behind_it_is_read_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knows_bytes: bool
) -> None:
    crash("saved", tmp_path)
    snapshot = read_snapshot(session_folder(tmp_path))
    assert snapshot is not None
    if not knows_bytes:
        altered(journal_sha256="00" * 32)(tmp_path)
    seen: list[int] = []
    see = history._Scan.see

    def counted(scan: history._Scan, path: Path, entry: SessionEntry) -> None:
        seen.append(entry.sequence)
        see(scan, path, entry)

    monkeypatch.setattr(history._Scan, "see", counted)
    told: list[str] = []
    assert resume(SAVED, tmp_path, InProcessSwitch(), tell=told.append).exit_code == 0
    assert told == []
    between = [sequence for sequence in seen if 1 < sequence <= snapshot.sequence]
    assert bool(between) is not knows_bytes
    assert last_recovery(tmp_path)["snapshot_sequence"] == snapshot.sequence
    assert first_difference(tmp_path, truth("saved")) == ""


# ---- several recoveries ----


@pytest.mark.long
def test_each_recovery_has_a_line_of_its_own(tmp_path: Path) -> None:
    crash("saved", tmp_path)
    bench = Bench("saved", tmp_path)
    cuts: list[Decide] = [at(12, Cut()), at(40, Cut(written=5))]
    for cut in cuts:
        assert bench.go(cut) is None
    path = session_folder(tmp_path) / RECOVERIES
    path.unlink(missing_ok=True)
    kept = (session_folder(tmp_path) / "state.jsonl").stat().st_size
    for _ in range(2):
        bench.story = stopped(SAVED, 11)
        assert resume(bench.story, tmp_path, InProcessSwitch()).status is SessionStatus.STOPPED
    assert resume(SAVED, tmp_path, InProcessSwitch()).status is SessionStatus.ENDED
    told = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["was"] for line in told] == ["CRASHED", "STOPPED", "STOPPED"]
    assert [line["result"] for line in told] == ["STOPPED", "STOPPED", "ENDED"]
    assert told[0]["bytes_cut_off"] < kept
    assert all(line["bytes_cut_off"] > 0 for line in told[1:]), "the ending of the stop"
    assert {line["software"] for line in told} == {__version__}
    assert all(line["began"] <= line["ended"] for line in told)
    assert all(line["snapshot_sequence"] for line in told)


def test_an_attempt_that_fails_says_of_what(tmp_path: Path) -> None:
    crash("trading", tmp_path)
    damage_an_order(session_folder(tmp_path) / "state.jsonl")
    with pytest.raises(JournalDiffersError):
        resume(TRADING, tmp_path, InProcessSwitch())
    assert last_recovery(tmp_path)["result"] == "JournalDiffersError"


def damage_an_order(journal: Path) -> None:
    """Change one record, and every digest from there on, so that the chain is whole."""
    bodies = bodies_of(journal)
    number = next(n for n, body in enumerate(bodies) if b'"kind":"order"' in body)
    bodies[number] = bodies[number].replace(b'"side":"BUY"', b'"side":"SELL"')
    bodies[number] = bodies[number].replace(b'"quantity_units":', b'"quantity_units":1')
    write_chain(journal, bodies)
