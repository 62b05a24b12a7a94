"""A recording that is killed or cut from power at any step, of moving on and of compressing."""

from __future__ import annotations

import fcntl
import gzip
import os
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from file_faults import Cut, FileFaults, PowerCut, at
from power_cuts import Disk
from segment_helpers import (
    BATCHES,
    KNOWN,
    SMALL,
    continued,
    file_of,
    names,
    read,
    whole,
    write,
)

from logos.core.messages import Event, TimePassed
from logos.journal import compacting, segments
from logos.journal.compacting import compact_closed, compact_last
from logos.journal.inputs import InputsWriter, RecordedInputs
from logos.journal.lock import SessionBusyError

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


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
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
