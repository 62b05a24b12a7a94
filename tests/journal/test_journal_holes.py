"""What a power cut leaves unwritten in the middle of a journal: everywhere the same torn tail."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from journal_helpers import spot

from logos.audit.inspect import Overview
from logos.audit.verify import verify
from logos.journal.reader import Damaged, TornTail, read_lines
from logos.rehearsal.evidence import JournalView
from logos.session import ExitCode
from logos.session.history import read_session

SECTOR = 512


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small session."""
    return spot(tmp_path_factory.mktemp("home")).folder


def holed(whole: Path, folder: Path, start: int, end: int) -> bytes:
    """A copy of the session that never finished, its journal zero from `start` to `end`."""
    shutil.copytree(whole, folder)
    (folder / "host.json").unlink()
    content = (folder / "state.jsonl").read_bytes()
    (folder / "state.jsonl").write_bytes(content[:start] + bytes(end - start) + content[end:])
    return content


@pytest.mark.parametrize("first", [6, 8, 10])
@pytest.mark.parametrize("inside", [0, 1, 100])
def test_a_hole_up_to_the_end_of_a_sector_is_a_torn_tail_for_every_reader(
    whole: Path, tmp_path: Path, first: int, inside: int
) -> None:
    start = first * SECTOR + inside
    content = holed(whole, tmp_path / "small", start, (first + 1) * SECTOR)
    kept = content.rfind(b"\n", 0, start) + 1
    with pytest.raises(TornTail) as caught:
        list(read_lines(tmp_path / "small" / "state.jsonl"))
    assert caught.value.offset == kept
    journal = read_session(tmp_path / "small")
    assert (journal.whole_bytes, journal.is_torn) == (kept, True)
    verdict = verify(tmp_path / "small")
    assert (verdict.exit_code, verdict.whole_bytes) == (ExitCode.TORN, kept)
    assert verdict.is_torn
    with Overview(tmp_path / "small") as overview:
        overview.read()
        assert overview.is_torn
        assert overview.status() == "CRASHED"
    view = JournalView(tmp_path / "small" / "state.jsonl")
    assert (view.is_torn, view.problem, len(view.records)) == (True, "", verdict.records)


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [(-10, 10, "not a journal line"), (20, 60, "record 7 does not match its checksum")],
    ids=["over the head of a record", "within its body"],
)
def test_zeros_that_end_inside_of_a_sector_are_damage_for_every_reader(
    whole: Path, tmp_path: Path, begins: int, ends: int, words: str
) -> None:
    lines = (whole / "state.jsonl").read_bytes().splitlines(keepends=True)
    body = sum(map(len, lines[:6])) + lines[6].index(b'"body":')
    assert (body + ends) % SECTOR
    holed(whole, tmp_path / "small", body + begins, body + ends)
    with pytest.raises(Damaged):
        list(read_lines(tmp_path / "small" / "state.jsonl"))
    with pytest.raises(Damaged):
        read_session(tmp_path / "small")
    assert verify(tmp_path / "small").exit_code is ExitCode.DAMAGED
    view = JournalView(tmp_path / "small" / "state.jsonl")
    assert not view.is_torn
    assert words in view.problem


@pytest.mark.parametrize("is_finished", [False, True])
@pytest.mark.parametrize("tail", [bytes(SECTOR), b"{"])
def test_what_follows_the_seal_is_damage_for_recovery_and_verify_alike(
    whole: Path, tmp_path: Path, tail: bytes, is_finished: bool
) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "small"))
    if not is_finished:
        (folder / "host.json").unlink()
    with open(folder / "state.jsonl", "ab") as journal:
        journal.write(tail)
    with pytest.raises(Damaged) as caught:
        read_session(folder)
    damage = verify(folder).damage
    assert damage is not None
    assert (damage.sequence, damage.offset) == (caught.value.sequence, caught.value.offset)
