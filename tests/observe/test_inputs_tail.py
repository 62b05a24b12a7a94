"""Recorded inputs are followed as they come: what was read is not opened again at each look."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from segment_helpers import BATCHES, SMALL, file_of, names

from logos.journal import segments
from logos.journal.inputs import InputsWriter
from logos.observe.shipping.inputs_tail import InputsTail


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files of recordings that were opened."""
    found: list[str] = []

    class Noted(segments.Segment):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            found.append(path.name)

    monkeypatch.setattr(segments, "Segment", Noted)
    return found


def compress(path: Path) -> None:
    segments.compressed_path(path).write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def test_a_look_opens_nothing_until_the_recording_goes_on_in_a_new_file(
    tmp_path: Path, opened: list[str]
) -> None:
    writer = InputsWriter(file_of(tmp_path), ["COIN"], segment_bytes=SMALL)
    tail = InputsTail(tmp_path)
    before = len(names(tmp_path))
    found = []
    looks = moves = 0
    for each in BATCHES:
        writer.write(each)
        writer.sync()
        opened.clear()
        found += tail.read()
        looks += bool(opened)
        assert tail.read() == []
        if len(names(tmp_path)) > before:
            moves += 1
            before = len(names(tmp_path))
    writer.close()
    assert [each.sequence for each in found] == list(range(1, len(found) + 1))
    assert len(found) > len(BATCHES)
    assert moves > 4
    assert looks <= moves + 1
    tail.close()


def test_closed_files_that_are_compressed_are_unpacked_once(
    tmp_path: Path, opened: list[str]
) -> None:
    writer = InputsWriter(file_of(tmp_path), ["COIN"], segment_bytes=SMALL)
    for each in BATCHES[:20]:
        writer.write(each)
    writer.sync()
    for path in segments.closed_segments(file_of(tmp_path)).values():
        compress(path)
    tail = InputsTail(tmp_path)
    first = tail.read()
    assert sum(name.endswith(".gz") for name in opened) > 2
    opened.clear()
    last = file_of(tmp_path).stat().st_size
    writer.write(BATCHES[20])
    writer.sync()
    assert file_of(tmp_path).stat().st_size > last
    found = tail.read()
    assert opened == []
    assert found[0].sequence == first[-1].sequence + 1
    writer.close()
    tail.close()


def test_what_a_resumed_session_takes_back_and_writes_anew_is_read_as_it_is(
    tmp_path: Path,
) -> None:
    writer = InputsWriter(file_of(tmp_path), ["COIN"])
    for each in BATCHES[:3]:
        writer.write(each)
    writer.sync()
    size = file_of(tmp_path).stat().st_size
    writer.write_facts({"failure": ""})
    writer.close()
    tail = InputsTail(tmp_path)
    found = tail.read()
    assert tail.read() == []  # its facts are not given out
    other = tmp_path / "other"
    other.mkdir()
    again = InputsWriter(file_of(other), ["COIN"])
    for each in BATCHES[:6]:
        again.write(each)
    again.close()
    whole = file_of(other).read_bytes()
    assert whole[:size] == file_of(tmp_path).read_bytes()[:size]
    with open(file_of(tmp_path), "r+b") as file:
        file.truncate(size)
        file.seek(size)
        file.write(whole[size:])
    found += tail.read()
    for entry, line in zip(found, whole.splitlines(), strict=True):
        assert entry.body in line
    tail.close()
