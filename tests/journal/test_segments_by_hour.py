"""Recorded inputs go on in a new file when an hour is over, also after a resume."""

from __future__ import annotations

from pathlib import Path

from segment_helpers import COIN, KNOWN, file_of, names, read, whole

from logos.core.messages import Event, Quote, TimePassed
from logos.core.types import NS_PER_MINUTE
from logos.journal.inputs import InputsWriter, RecordedInputs
from logos.journal.segments import closed_segments

HOUR_NS = 60 * NS_PER_MINUTE


def quote(hours: float) -> list[Event]:
    return [Quote(int(hours * HOUR_NS), "COIN", 100, 101, 5, 5, COIN)]


def written(folder: Path, batches: list[list[Event]], hours: int) -> list[list[int]]:
    """The whole hours of each file's batches, of a recording that is written at once."""
    writer = InputsWriter(file_of(folder), ["COIN"], segment_hours=hours)
    for each in batches:
        writer.write(each)
    writer.close()
    return found(folder, batches)


def found(folder: Path, batches: list[list[Event]]) -> list[list[int]]:
    assert read(folder) == batches
    left = iter(batches)
    counts = []
    for path in (*closed_segments(file_of(folder)).values(), file_of(folder)):
        count = path.read_bytes().count(b'"batch"')
        counts.append([next(left)[-1].ts_ns // HOUR_NS for _ in range(count)])
    return counts


def test_each_hour_has_a_file_of_its_own(tmp_path: Path) -> None:
    batches = [quote(each) for each in (10.5, 10.99, 11, 11.5, 14.2, 14.3)]
    assert written(tmp_path, batches, 1) == [[10, 10], [11, 11], [14, 14]]


def test_days_begin_at_midnight_utc_and_the_passing_of_time_counts(tmp_path: Path) -> None:
    batches: list[list[Event]] = [
        quote(20),
        [TimePassed(int(23.9 * HOUR_NS))],
        [TimePassed(24 * HOUR_NS)],
        quote(25),
    ]
    assert written(tmp_path, batches, 24) == [[20, 23], [24, 25]]


def test_without_hours_nothing_moves_on(tmp_path: Path) -> None:
    assert written(tmp_path, [quote(1), quote(50)], 0) == [[1, 50]]
    assert names(tmp_path) == ["inputs.jsonl"]


def test_a_time_that_lies_before_the_file_begins_no_other(tmp_path: Path) -> None:
    assert written(tmp_path, [quote(5.5), quote(4.5), quote(5.7)], 1) == [[5, 4, 5]]


def test_a_recording_that_is_taken_up_later_goes_on_in_the_file_of_its_hour(
    tmp_path: Path,
) -> None:
    batches = [quote(each) for each in (7.1, 7.5, 8.5, 8.6, 9.1, 9.2)]
    for kept in range(1, len(batches)):
        folder = tmp_path / str(kept)
        folder.mkdir()
        written(folder, batches[:kept], 1)
        survey = RecordedInputs(file_of(folder), KNOWN).survey()
        assert survey.last_ns == batches[kept - 1][-1].ts_ns
        writer = InputsWriter(file_of(folder), ["COIN"], survey, segment_hours=1)
        for each in batches:  # those that are there are given again
            writer.write(each)
        writer.close()
        assert found(folder, batches) == [[7, 7], [8, 8], [9, 9]]


def test_the_lines_are_the_same_with_and_without_hours(tmp_path: Path) -> None:
    batches = [quote(each / 4) for each in range(20)]
    for hours in (0, 1, 2):
        folder = tmp_path / str(hours)
        folder.mkdir()
        written(folder, batches, hours)
    assert whole(tmp_path / "0") == whole(tmp_path / "1") == whole(tmp_path / "2")
    assert [len(names(tmp_path / str(hours))) for hours in (0, 1, 2)] == [1, 5, 3]
