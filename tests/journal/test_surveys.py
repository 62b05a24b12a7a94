"""What is before a snapshot is hashed and searched: it says what reading every line says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_helpers import KNOWN, SMALL, batch, continued, file_of, whole

from logos.core.messages import Event, FeedOffset, ReceivedSignal, Report, SessionEnd
from logos.core.types import ReportKind
from logos.journal import surveys
from logos.journal.compacting import compact_closed
from logos.journal.inputs import InputsWriter, RecordedInputs
from logos.journal.reader import Damaged
from logos.journal.rows import joined
from logos.journal.surveys import Mark, Survey

TRICKY = '["r",1,"FILLED","", \\"["o",'


def report(kind: ReportKind, number: int, detail: str = "") -> Report:
    return Report(number, kind, client_order_id=f"c{number}", fill_id=f"f{number}", detail=detail)


def events(number: int) -> st.SearchStrategy[list[Event]]:
    """One batch: quotes mostly, and whatever a survey keeps something of."""
    one: st.SearchStrategy[Event] = st.one_of(
        st.just(batch(number)[0]),
        st.just(FeedOffset(number, "topic", number * 7)),
        st.builds(report, st.sampled_from(ReportKind), st.just(number), st.just(TRICKY)),
        st.just(ReceivedSignal(number, "COIN", "buy", "", "")),
    )
    return st.lists(one, min_size=1, max_size=3)


def written(folder: Path, batches: list[list[Event]]) -> list[Mark]:
    """A recording in segments; a mark behind each of its batches."""
    writer = InputsWriter(file_of(folder), ["COIN"], segment_bytes=SMALL)
    marks = []
    for each in batches:
        writer.write(each)
        marks.append(writer.mark_at(writer.position))
    writer.close()
    return marks


def plain(survey: Survey) -> Survey:
    """Without the hash, which is compared by what it comes to."""
    return survey._replace(content=None)


@settings(deadline=None, max_examples=40)
@given(st.data(), st.integers(1, 12), st.booleans())
def test_a_survey_from_a_mark_says_what_reading_every_line_says(
    data: st.DataObject, count: int, is_packed: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        marks = written(folder, [data.draw(events(number + 1)) for number in range(count)])
        if is_packed:
            compact_closed(file_of(folder))
        mark = data.draw(st.sampled_from(marks))
        recorded = RecordedInputs(file_of(folder), KNOWN)
        quick = recorded.survey(mark)
        careful = recorded.survey(Mark(mark.position))
        assert plain(quick) == plain(careful)
        assert plain(quick) == plain(recorded.survey())
        assert quick.content is not None
        assert careful.content is not None
        assert quick.content.hexdigest() == careful.content.hexdigest() == mark.sha256


def test_lines_before_a_mark_are_not_read_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = written(tmp_path, [batch(number) for number in range(1, 200)])[-3]
    seen: list[int] = []
    real = surveys.Surveyor.see
    monkeypatch.setattr(
        surveys.Surveyor,
        "see",
        lambda self, rows: seen.append(len(rows)) or real(self, rows),  # type: ignore[func-returns-value]
    )
    survey = RecordedInputs(file_of(tmp_path), KNOWN).survey(mark)
    assert (survey.first_ns, survey.last_ns) == (1, 199)
    assert sum(seen) == 1 + 1 + 2  # to the first event, the line before the mark, the rest


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_byte_changed_before_the_mark_is_found(tmp_path: Path, share: float) -> None:
    mark = written(tmp_path, [batch(number) for number in range(1, 60)])[40]
    place = int(mark.position.offset * share)
    start = 0
    for path in [*sorted(tmp_path.glob("inputs.0*")), file_of(tmp_path)]:
        size = path.stat().st_size
        if place < start + size:
            content = bytearray(path.read_bytes())
            content[place - start] ^= 1
            path.write_bytes(content)
            break
        start += size
    with pytest.raises(Damaged):
        RecordedInputs(file_of(tmp_path), KNOWN).survey(mark)


def test_a_mark_of_another_history_is_not_there(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    written(here, [batch(number) for number in range(1, 9)])
    mark = written(there, [batch(number) for number in range(2, 10)])[3]
    survey = RecordedInputs(file_of(here), KNOWN).survey(mark)
    assert not survey.has_place
    assert survey.content is None


def test_a_continued_recording_knows_the_hash_of_all_its_bytes(tmp_path: Path) -> None:
    marks = written(tmp_path, [batch(number) for number in range(1, 30)])
    survey = RecordedInputs(file_of(tmp_path), KNOWN).survey(marks[9])
    writer = continued(tmp_path, survey, start=marks[9].position)
    for number in range(11, 30):
        assert writer.mark_at(writer.position) == marks[number - 2]
        writer.write(batch(number))
    writer.write(batch(30))
    before, behind = writer.mark_at(marks[-1].position), writer.mark_at(writer.position)
    writer.close()
    assert before == marks[-1]
    again = tmp_path / "again"
    again.mkdir()
    assert behind == written(again, [batch(number) for number in range(1, 31)])[-1]
    assert whole(tmp_path) == whole(again)


def test_joined_batches_are_the_same_events_and_end_with_what_is_not_for_the_core() -> None:
    offset, end = FeedOffset(3, "topic", 1), SessionEnd(9)
    batches: list[list[Event]] = [
        batch(1),
        batch(2),
        [*batch(3), offset],
        batch(4),
        batch(5),
        [end],
        batch(10),
    ]
    assert list(joined(batches)) == [
        [*batch(1), *batch(2), *batch(3), offset],
        [*batch(4), *batch(5)],
        [end],
        batch(10),
    ]
    many = list(joined([batch(number) for number in range(10_000)]))
    assert len(many) < 5
    assert [each.ts_ns for one in many for each in one] == list(range(10_000))
