"""A recording in several files reads as one; what is missing, moved or changed is found."""

from __future__ import annotations

import gzip
import os
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_helpers import (
    BATCHES,
    KNOWN,
    SMALL,
    batch,
    continued,
    file_of,
    read,
    whole,
    write,
)

from logos.journal.compacting import compact_closed
from logos.journal.inputs import InputsWriter, RecordedInputs
from logos.journal.reader import LINE_BYTES_MAX, Damaged
from logos.journal.segments import SegmentedFile, closed_segments
from logos.journal.surveys import Mark
from logos.journal.writer import Position

# ---- one recording ----


def test_segments_hold_the_very_bytes_of_one_file(tmp_path: Path, one_file: bytes) -> None:
    write(tmp_path, BATCHES)
    closed = closed_segments(file_of(tmp_path))
    assert list(closed) == list(range(1, len(closed) + 1))
    assert len(closed) > 5
    assert whole(tmp_path) == one_file
    assert read(tmp_path) == BATCHES
    assert RecordedInputs(file_of(tmp_path), KNOWN).facts() == {"failure": "", "overruns": 2}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.glob("inputs*"))


@pytest.mark.long
@settings(deadline=None, max_examples=25)
@given(st.integers(100, 3000), st.integers(0, 40), st.booleans())
def test_a_recording_is_continued_from_anywhere_in_segments_of_any_size(
    size: int, kept: int, is_packed: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = InputsWriter(file_of(folder), ["COIN"], segment_bytes=size)
        for each in BATCHES[:kept]:
            writer.write(each)
        place = writer.position
        writer.close()
        if is_packed:
            compact_closed(file_of(folder))
        survey = RecordedInputs(file_of(folder), KNOWN).survey(Mark(place))
        assert survey.has_place
        writer = continued(folder, survey, size, place if is_packed else None)
        for each in [] if is_packed else BATCHES[:kept]:
            writer.write(each)
        writer.write(batch(99))
        writer.close()
        assert read(folder) == [*BATCHES[:kept], batch(99)]


def test_a_continued_recording_checks_all_its_segments_and_goes_on_in_the_last(
    tmp_path: Path, one_file: bytes
) -> None:
    writer = InputsWriter(file_of(tmp_path), ["COIN"], segment_bytes=SMALL)
    for each in BATCHES[:23]:
        writer.write(each)
    place = writer.position
    writer.close()
    compact_closed(file_of(tmp_path))
    survey = RecordedInputs(file_of(tmp_path), KNOWN).survey(Mark(place))
    writer = continued(tmp_path, survey)
    assert writer.is_continuing
    for each in BATCHES:
        writer.write(each)
    assert not writer.is_continuing
    writer.write_facts({"failure": "", "overruns": 2})
    writer.close()
    assert whole(tmp_path) == one_file


def test_a_snapshot_may_stand_in_any_segment(tmp_path: Path, one_file: bytes) -> None:
    places: list[Position] = []
    writer = InputsWriter(file_of(tmp_path), ["COIN"], segment_bytes=SMALL)
    for each in BATCHES:
        writer.write(each)
        places.append(writer.position)
    writer.close()
    compact_closed(file_of(tmp_path))
    for number, place in enumerate(places, 1):
        inputs = RecordedInputs(file_of(tmp_path), KNOWN)
        survey = inputs.survey(Mark(place))
        assert survey.has_place
        assert [list(each) for each in inputs.batches(place)] == BATCHES[number:]
        writer = continued(tmp_path, survey, start=place)
        for each in BATCHES[number:]:
            writer.write(each)
        assert not writer.is_continuing
        writer.close()
    assert one_file.startswith(whole(tmp_path))


# ---- damage ----

Damage = Callable[[Path], object]


def _bytes_of(path: Path) -> bytearray:
    return bytearray(path.read_bytes())


def _flip(name: str, place: float) -> Damage:
    def do(folder: Path) -> None:
        content = _bytes_of(folder / name)
        content[int(len(content) * place)] ^= 1
        (folder / name).write_bytes(content)

    return do


def _swap(folder: Path) -> None:
    one, two = folder / "inputs.000002.jsonl.gz", folder / "inputs.000003.jsonl.gz"
    one.rename(folder / "aside")
    two.rename(one)
    (folder / "aside").rename(two)


def _cut(name: str, size: int) -> Damage:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size - size)


def _copy(one: str, two: str) -> Damage:
    return lambda folder: (folder / two).write_bytes((folder / one).read_bytes())


def _append(name: str, content: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + content)


def _packed(name: str, content: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(gzip.compress(content))


def _cut_line(folder: Path) -> None:
    lines = (folder / PLAIN).read_bytes().splitlines(keepends=True)
    (folder / PLAIN).write_bytes(b"".join(lines[:-1]))


FIRST, THIRD, PLAIN = "inputs.000001.jsonl.gz", "inputs.000003.jsonl.gz", "inputs.000005.jsonl"
DAMAGES: dict[str, tuple[Damage, str]] = {
    "first missing": (lambda folder: (folder / FIRST).unlink(), "000001.jsonl is missing"),
    "one missing": (lambda folder: (folder / THIRD).unlink(), "000003.jsonl is missing"),
    "last missing": (lambda folder: (folder / "inputs.jsonl").unlink(), "inputs.jsonl is missing"),
    "the newest closed missing": (lambda folder: (folder / PLAIN).unlink(), "expected record"),
    "swapped": (_swap, "expected record"),
    "twice": (_copy(THIRD, "inputs.000002.jsonl.gz"), "expected record"),
    "cut off": (_cut(THIRD, 1), "000003.jsonl.gz is cut off"),
    "cut short": (_cut(THIRD, 60), "000003.jsonl.gz is cut off"),
    "with more behind it": (_append(THIRD, b"\0"), "has bytes behind its end"),
    "with a second member": (_append(THIRD, gzip.compress(b"more\n")), "bytes behind its end"),
    "no gzip": (lambda folder: (folder / THIRD).write_bytes(b"{}"), "does not unpack"),
    "a closed one cut in a line": (_cut(PLAIN, 5), "no end, and its file was closed"),
    "a closed one cut between lines": (_cut_line, "expected record"),
    "zeros": (_packed(THIRD, bytes(2 * LINE_BYTES_MAX)), "no end, and its file was closed"),
    "a line without end": (_packed(THIRD, b"x" * (3 * LINE_BYTES_MAX)), "no end, and its file"),
    **{f"a bit of {THIRD} at {at}": (_flip(THIRD, at), "") for at in (0, 0.01, 0.3, 0.6, 0.99)},
    **{f"a bit of {PLAIN} at {at}": (_flip(PLAIN, at), "") for at in (0, 0.3, 0.7, 0.99)},
}


@pytest.mark.long
@pytest.mark.parametrize("name", DAMAGES)
def test_damage_of_every_kind_is_found(tmp_path: Path, name: str) -> None:
    damage, words = DAMAGES[name]
    writer = InputsWriter(file_of(tmp_path), ["COIN"], segment_bytes=SMALL)
    for each in BATCHES[:18]:
        writer.write(each)
    writer.close()
    compact_closed(file_of(tmp_path))
    for each in BATCHES[18:28]:
        writer = continued(tmp_path, RecordedInputs(file_of(tmp_path), KNOWN).survey(), SMALL)
        for again in read(tmp_path):
            writer.write(again)
        writer.write(each)
        writer.close()
    assert (tmp_path / PLAIN).exists()
    damage(tmp_path)
    with pytest.raises(Damaged, match=r"inputs\.jsonl: damaged at record \d+, byte \d+: ") as found:
        RecordedInputs(file_of(tmp_path), KNOWN).survey()
    assert words in str(found.value)
    with pytest.raises(Damaged):
        read(tmp_path)


@pytest.mark.long
def test_a_file_that_unpacks_to_much_takes_little_memory(tmp_path: Path) -> None:
    write(tmp_path, BATCHES)
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    bomb = b"".join(pack.compress(block) for _ in range(64)) + pack.flush()
    assert len(bomb) < 1 << 20
    (tmp_path / "inputs.000001.jsonl").unlink()
    (tmp_path / "inputs.000001.jsonl.gz").write_bytes(bomb)
    file = SegmentedFile(file_of(tmp_path))
    assert len(file.readline(LINE_BYTES_MAX)) == LINE_BYTES_MAX
    file.close()
    with pytest.raises(Damaged, match="damaged at record 1"):
        read(tmp_path)


def test_only_the_last_file_may_be_torn(tmp_path: Path) -> None:
    writer = InputsWriter(file_of(tmp_path), ["COIN"], segment_bytes=SMALL)
    for each in BATCHES[:13]:
        writer.write(each)
    writer.close()
    content = file_of(tmp_path).read_bytes()
    last_line = content.splitlines(keepends=True)[-1]
    for size in range(1, len(last_line)):
        file_of(tmp_path).write_bytes(content[:-size])
        survey = RecordedInputs(file_of(tmp_path), KNOWN).survey()
        assert survey.whole_bytes - survey.before_bytes == len(content) - len(last_line)
        assert read(tmp_path) == BATCHES[:12]
