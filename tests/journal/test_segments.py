"""A recording in several files reads as one; what is missing, moved or changed is found."""

from __future__ import annotations

import fcntl
import gzip
import os
import tempfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from file_faults import Cut, FileFaults, PowerCut, at
from hypothesis import given, settings
from hypothesis import strategies as st
from power_cuts import Disk

from logos.core.instrument import instrument
from logos.core.messages import Event, Quote, TimePassed
from logos.journal import compacting, segments
from logos.journal.compacting import compact_closed, compact_last
from logos.journal.inputs import InputsWriter, RecordedInputs, Survey
from logos.journal.reader import LINE_BYTES_MAX, Damaged
from logos.journal.segments import SegmentedFile, closed_segments
from logos.journal.writer import Position, SessionBusyError

COIN = instrument("COIN", tick="0.01", lot="1", quote="USD")
KNOWN = {"COIN": COIN}
SMALL = 500
"""Bytes after which the recordings of these tests go on in a new file: five batches."""


def batch(number: int) -> list[Event]:
    return [Quote(number, "COIN", 100 + number % 7, 101 + number % 7, 5, 5, COIN)]


BATCHES = [batch(number) for number in range(1, 41)]


def file_of(folder: Path) -> Path:
    return folder / "inputs.jsonl"


def write(folder: Path, batches: list[list[Event]], size: int = SMALL) -> Path:
    """A recording that came to its end."""
    writer = InputsWriter(file_of(folder), ["COIN"], segment_bytes=size)
    for each in batches:
        writer.write(each)
    writer.write_facts({"failure": "", "overruns": 2})
    writer.close()
    return file_of(folder)


def read(folder: Path) -> list[list[Event]]:
    return [list(each) for each in RecordedInputs(file_of(folder), KNOWN).batches()]


def whole(folder: Path) -> bytes:
    """All bytes of a recording, in order."""
    found = b""
    for path in [*closed_segments(file_of(folder)).values(), file_of(folder)]:
        packed = path if path.exists() else segments.compressed_path(path)
        content = packed.read_bytes()
        found += gzip.decompress(content) if packed.suffix == ".gz" else content
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def one_file(tmp_path: Path) -> bytes:
    """The same recording without segments."""
    folder = tmp_path / "one"
    folder.mkdir()
    return write(folder, BATCHES, 0).read_bytes()


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
        survey = RecordedInputs(file_of(folder), KNOWN).survey(place)
        assert survey.has_place
        writer = continued(folder, survey, size, place if is_packed else None)
        for each in [] if is_packed else BATCHES[:kept]:
            writer.write(each)
        writer.write(batch(99))
        writer.close()
        assert read(folder) == [*BATCHES[:kept], batch(99)]


def continued(
    folder: Path, survey: Survey, size: int = SMALL, start: Position | None = None
) -> InputsWriter:
    options = {} if start is None else {"start": start}
    return InputsWriter(file_of(folder), ["COIN"], survey, segment_bytes=size, **options)


def test_a_continued_recording_checks_all_its_segments_and_goes_on_in_the_last(
    tmp_path: Path, one_file: bytes
) -> None:
    writer = InputsWriter(file_of(tmp_path), ["COIN"], segment_bytes=SMALL)
    for each in BATCHES[:23]:
        writer.write(each)
    place = writer.position
    writer.close()
    compact_closed(file_of(tmp_path))
    survey = RecordedInputs(file_of(tmp_path), KNOWN).survey(place)
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
        survey = inputs.survey(place)
        assert survey.has_place
        assert [list(each) for each in inputs.batches(place.offset)] == BATCHES[number:]
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


# ---- killed at every step ----


def go_on(folder: Path, size: int = SMALL) -> None:
    """Resume the recording, whatever is there of it, and bring it to its end."""
    if not segments.has_recording(file_of(folder)) or not whole_or_nothing(folder):
        for path in folder.glob("inputs*"):
            path.unlink()
        write(folder, BATCHES, size)
        return
    writer = continued(folder, RecordedInputs(file_of(folder), KNOWN).survey(), size)
    for each in BATCHES:
        writer.write(each)
    writer.write_facts({"failure": "", "overruns": 2})
    writer.close()


def whole_or_nothing(folder: Path) -> bool:
    """Whether the first line was written: before that the session is started anew."""
    return RecordedInputs(file_of(folder), KNOWN).survey().whole_bytes > 0


def test_killed_at_any_step_of_moving_on_it_is_resumed_to_the_same_bytes(
    tmp_path: Path, one_file: bytes
) -> None:
    count = 0
    while True:
        count += 1
        for cut in (Cut(), Cut(is_after=True), Cut(written=9)):
            folder = tmp_path / f"{count}-{cut.written}-{cut.is_after}"
            folder.mkdir()
            with FileFaults(folder, decide=at(count, cut)) as faults, suppress(PowerCut):
                write(folder, BATCHES[:14])
            if len(faults.operations) < count:
                assert count > 30
                return
            go_on(folder)
            assert whole(folder) == one_file, faults.operations[-1]
            assert segments.next_path(file_of(folder)).name not in names(folder)


def test_after_a_power_cut_at_any_moment_it_is_resumed_to_the_same_bytes(
    tmp_path: Path, one_file: bytes
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with FileFaults(source) as faults:
        write(source, BATCHES[:14])
    for seed in range(150):
        random = Random(seed)
        left = Disk(faults.steps, random.randint(0, len(faults.steps))).left(random)
        folder = tmp_path / str(seed)
        folder.mkdir()
        for path, content in left.items():
            (folder / path.name).write_bytes(content)
        go_on(folder)
        assert whole(folder) == one_file, seed


def test_killed_at_any_step_of_compacting_nothing_is_lost(tmp_path: Path, one_file: bytes) -> None:
    count = 0
    while True:
        count += 1
        for cut in (Cut(), Cut(is_after=True), Cut(written=9)):
            folder = tmp_path / f"{count}-{cut.written}-{cut.is_after}"
            folder.mkdir()
            write(folder, BATCHES, 2000)
            with FileFaults(folder, decide=at(count, cut)) as faults, suppress(PowerCut):
                compact_closed(file_of(folder))
                compact_last(file_of(folder))
            assert read(folder) == BATCHES, faults.operations[-1]
            compact_closed(file_of(folder))
            compact_last(file_of(folder))
            assert whole(folder) == one_file
            assert all(name.endswith(".jsonl.gz") for name in names(folder))
            assert not any(name.startswith(".") for name in names(folder))
            if len(faults.operations) < count:
                assert count > 20
                return


# ---- compacting ----


def test_what_is_compacted_is_smaller_and_gunzip_gives_it_back(
    tmp_path: Path, one_file: bytes
) -> None:
    write(tmp_path, BATCHES, 2000)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("inputs*")}
    done = compact_closed(file_of(tmp_path)) + compact_last(file_of(tmp_path))
    assert {each.path.name: each.before_bytes for each in done} == {
        name: len(content) for name, content in before.items()
    }
    for each in done:
        packed = segments.compressed_path(each.path).read_bytes()
        assert gzip.decompress(packed) == before[each.path.name]
        assert len(packed) == each.after_bytes < each.before_bytes
    assert compact_closed(file_of(tmp_path)) == []
    assert whole(tmp_path) == one_file


def test_two_do_not_compact_one_recording(tmp_path: Path) -> None:
    write(tmp_path, BATCHES)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(SessionBusyError, match="is being compacted by another process"):
        compact_closed(file_of(tmp_path))
    os.close(descriptor)


def test_a_copy_that_is_wrong_takes_nobodys_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, BATCHES)
    before = names(tmp_path)
    real = compacting._write_copy
    monkeypatch.setattr(
        compacting, "_write_copy", lambda path, making: (real(path, making)[0] ^ 1, 1)
    )
    with pytest.raises(OSError, match="does not hold what was written to it"):
        compact_closed(file_of(tmp_path))
    assert [name for name in names(tmp_path) if not name.startswith(".")] == before
    assert read(tmp_path) == BATCHES


def test_a_reader_that_began_before_the_recording_moved_on_ends_where_it_was(
    tmp_path: Path,
) -> None:
    writer = InputsWriter(file_of(tmp_path), ["COIN"], segment_bytes=SMALL)
    for each in BATCHES[:8]:
        writer.write(each)
    reader = RecordedInputs(file_of(tmp_path), KNOWN).batches()
    first = list(next(reader))
    for each in BATCHES[8:]:
        writer.write(each)
    compact_closed(file_of(tmp_path))
    found = [first, *(list(each) for each in reader)]
    writer.close()
    assert found == BATCHES[: len(found)]
    assert len(found) >= 8


def test_time_that_passes_is_recorded_too(tmp_path: Path) -> None:
    mixed: list[list[Event]] = [*BATCHES, [TimePassed(77)]]
    write(tmp_path, mixed)
    assert read(tmp_path) == mixed
