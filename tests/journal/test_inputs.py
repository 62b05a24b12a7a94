"""The flight recorder: what was written is what is read, or the file is refused."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from link_helpers import coin

from logos.core.messages import (
    Bar,
    Engage,
    Event,
    FeedOffset,
    Lag,
    Quote,
    QuoteBar,
    ReceivedSignal,
    Report,
    SessionEnd,
    TimePassed,
    Trade,
)
from logos.core.types import ReportKind
from logos.journal.inputs import InputsWriter, LiveFailureError, RecordedInputs
from logos.journal.reader import Damaged
from logos.journal.writer import JournalDiffersError

COIN, OTHER = coin(), coin("OTHER")
INSTRUMENTS = {"COIN": COIN, "OTHER": OTHER}

whole = st.integers(-(2**63), 2**63 - 1)
times = st.integers(0, 2**62)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
instruments = st.sampled_from([COIN, OTHER])


def _of(kind: type, numbers: int) -> st.SearchStrategy[Event]:
    return st.builds(
        lambda ts_ns, instrument, rest: kind(ts_ns, instrument.symbol, *rest, instrument),
        times,
        instruments,
        st.tuples(*[whole] * numbers),
    )


trades = st.builds(
    lambda ts_ns, instrument, price, size, aggressor: Trade(
        ts_ns, instrument.symbol, price, size, aggressor, instrument
    ),
    times,
    instruments,
    whole,
    whole,
    st.sampled_from(["BUY", "SELL", ""]),
)
lags = st.builds(
    lambda ts_ns, instrument, ns: Lag(ts_ns, instrument.symbol, ns), times, instruments, whole
)
reports = st.builds(
    Report, times, st.sampled_from(list(ReportKind)), texts, texts, whole, whole, whole,
    st.booleans(), texts,
)  # fmt: skip
events: st.SearchStrategy[Event] = st.one_of(
    _of(Quote, 4),
    _of(Bar, 6),
    _of(QuoteBar, 10),
    trades,
    lags,
    reports,
    st.builds(TimePassed, times),
    st.builds(SessionEnd, times),
    st.builds(FeedOffset, times, texts, whole),
    st.builds(ReceivedSignal, times, st.sampled_from(list(INSTRUMENTS)), texts, texts, texts),
)
batches = st.lists(st.lists(events, max_size=5), max_size=5)


def written(path: Path, recorded: list[list[Event]], failure: str = "") -> Path:
    file = path / "inputs.jsonl"
    writer = InputsWriter(file, list(INSTRUMENTS))
    for batch in recorded:
        writer.write(batch)
    if failure:
        writer.write_facts({"failure": failure})
    writer.close()
    return file


def read(file: Path) -> list[list[Event]]:
    return [list(batch) for batch in RecordedInputs(file, INSTRUMENTS).chunks()]


SAMPLE: list[list[Event]] = [
    [Quote(1, "COIN", 10, 11, -1, -1, COIN), TimePassed(2)],
    [Report(3, ReportKind.FILLED, "s-1", "", 5, 10, 1, True, "F1")],
    [Trade(4, "OTHER", 10, 2, "BUY", OTHER)],
]


@pytest.mark.long
@settings(deadline=None)
@given(batches)
def test_any_batches_are_read_as_they_were_written(recorded: list[list[Event]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert read(written(Path(folder), recorded)) == recorded


def test_every_write_is_there_for_another_reader_at_once(tmp_path: Path) -> None:
    file = tmp_path / "inputs.jsonl"
    writer = InputsWriter(file, list(INSTRUMENTS))
    for number, batch in enumerate(SAMPLE, 1):
        writer.write(batch)
        assert read(file) == SAMPLE[:number]
    writer.close()


def test_a_torn_tail_of_any_length_was_never_acted_upon_and_is_left_out(tmp_path: Path) -> None:
    file = written(tmp_path, SAMPLE)
    content = file.read_bytes()
    lines = content.splitlines(keepends=True)
    for size in range(1, len(lines[-1])):
        file.write_bytes(content[:-size])
        inputs = RecordedInputs(file, INSTRUMENTS)
        assert [list(batch) for batch in inputs.chunks()] == SAMPLE[:-1]
        assert inputs.place.offset == len(content) - len(lines[-1])
        assert inputs.facts() == {}


def test_a_changed_byte_anywhere_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, SAMPLE)
    content = file.read_bytes()
    for place in range(0, len(content) - 1, 7):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(Damaged, match=r"inputs\.jsonl: damaged at record"):
            read(file)


def test_facts_are_the_last_line_and_no_batch(tmp_path: Path) -> None:
    file = tmp_path / "inputs.jsonl"
    writer = InputsWriter(file, list(INSTRUMENTS))
    writer.write(SAMPLE[0])
    writer.write_facts({"failure": "", "overruns": 3})
    writer.close()
    inputs = RecordedInputs(file, INSTRUMENTS)
    assert [list(batch) for batch in inputs.chunks()] == SAMPLE[:1]
    assert inputs.facts() == {"failure": "", "overruns": 3}
    assert inputs.place.offset < file.stat().st_size


def test_a_recorded_failure_comes_after_the_last_batch(tmp_path: Path) -> None:
    chunks = RecordedInputs(written(tmp_path, SAMPLE, "feed died"), INSTRUMENTS).chunks()
    for batch in SAMPLE:
        assert list(next(chunks)) == batch
    with pytest.raises(LiveFailureError, match="feed died"):
        next(chunks)


def test_a_recorder_that_goes_on_checks_what_it_is_given_again_and_adds_to_it(
    tmp_path: Path,
) -> None:
    file = written(tmp_path, SAMPLE, "crashed")
    inputs = RecordedInputs(file, INSTRUMENTS)
    writer = InputsWriter(file, list(INSTRUMENTS), inputs.survey())
    assert writer.is_continuing
    for batch in SAMPLE:
        writer.write(batch)
    assert not writer.is_continuing
    writer.write([TimePassed(9)])
    writer.close()
    assert read(file) == [*SAMPLE, [TimePassed(9)]]


def test_a_recorder_that_goes_on_refuses_other_batches(tmp_path: Path) -> None:
    file = written(tmp_path, SAMPLE)
    writer = InputsWriter(file, list(INSTRUMENTS), RecordedInputs(file, INSTRUMENTS).survey())
    with pytest.raises(JournalDiffersError):
        writer.write([TimePassed(77)])
    writer.close()


def test_a_command_is_no_input(tmp_path: Path) -> None:
    writer = InputsWriter(tmp_path / "inputs.jsonl", list(INSTRUMENTS))
    with pytest.raises(TypeError, match="Engage is no input"):
        writer.write([Engage(1, "", "")])
    writer.close()


def test_a_survey_says_up_to_where_each_source_was_read(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        [
            [ReceivedSignal(1, "COIN", "target", "5"), FeedOffset(1, "t/0", 4)],
            [
                Quote(3, "COIN", 10, 11, -1, -1, COIN),
                FeedOffset(3, "t/0", 6),
                FeedOffset(3, "u/1", 0),
            ],
        ],
    )
    survey = RecordedInputs(file, INSTRUMENTS).survey()
    assert survey.offsets == {"t/0": 6, "u/1": 0}
    assert survey.first_ns == 3  # what is not for the core begins no session
