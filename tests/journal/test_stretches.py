"""A journal that is read many lines at a time says what it says line by line, damage included."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_helpers import write_chain

from logos.config import make_config
from logos.core.messages import Event, Quote, SessionEnd
from logos.core.records import OrderUpdate
from logos.core.types import OrderStatus
from logos.errors import LogosError
from logos.journal import reader
from logos.journal.entries import read_journal, read_stretches
from logos.journal.inputs import InputsWriter, RecordedInputs
from logos.session.build import make_instruments

INSTRUMENTS = make_instruments(
    make_config({"instruments": {"A": {"quote": "USD", "tick": "0.01", "lot": "1"}}}).instruments
)
NOTES = (
    {"kind": "manifest", "schema": 1},
    {"kind": "stopping", "tick_id": 3},
    {"kind": "sealed", "status": "ENDED", "reason": ""},
    {"kind": "unheard of"},
)


def update(number: int) -> bytes:
    record = OrderUpdate(number, number, number, "A", OrderStatus.ACCEPTED, 0, 0, "")
    return msgspec.json.encode(record)


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few lines are many."""
    monkeypatch.setattr(reader, "_USUAL_BYTES", 700)


@st.composite
def harmed(draw: st.DrawFn, content: bytes) -> bytes:
    """The bytes, and more often than not others in their place, or fewer."""
    place = draw(st.integers(0, len(content)))
    kind = draw(st.sampled_from(["none", "flip", "cut", "nul"]))
    if kind == "cut":
        return content[:place]
    if kind == "none" or place == len(content):
        return content
    changed = 0 if kind == "nul" else content[place] ^ draw(st.integers(1, 255))
    return content[:place] + bytes([changed]) + content[place + 1 :]


def said(lines: Iterable[object]) -> tuple[list[object], str]:
    """What was read, and the words of the error that ended it."""
    read: list[object] = []
    try:
        read.extend(iter(lines))
    except LogosError as error:
        return read, f"{type(error).__name__}: {error}"
    return read, ""


@pytest.mark.parametrize(
    "line", [b"", b"}", b"nothing", b'","body":', b'","body":}', b'{"seq":3,"crc":"","body":1']
)
def test_a_line_that_is_none_is_damage_among_others(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "state.jsonl"
    write_chain(path, [msgspec.json.encode(NOTES[0]), update(1), update(2)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], line + b"\n", lines[2]]))
    read, words = said(read_stretches(path))
    assert len(read) == 2
    assert words.startswith("Damaged: ")
    assert "damaged at record 3" in words


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    count=st.integers(0, 30),
    notes=st.lists(st.tuples(st.integers(1, 30), st.sampled_from(NOTES)), max_size=2),
)
def test_stretches_hold_what_the_lines_hold(
    data: st.DataObject, count: int, notes: list[tuple[int, dict[str, object]]]
) -> None:
    bodies = [msgspec.json.encode(NOTES[0]), *map(update, range(1, count + 1))]
    for place, note in notes:
        bodies.insert(place, msgspec.json.encode(note))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.jsonl"
        write_chain(path, bodies)
        path.write_bytes(data.draw(harmed(path.read_bytes())))
        lines = said(
            (each.sequence, each.body, each.record, each.offset + each.size, each.digest)
            for each in read_journal(path)
        )
        stretches: list[tuple[int, bytes, object]] = []
        ends: list[tuple[int, bytes]] = []

        def flat() -> Iterable[object]:
            for first, _, end, digest, texts, records in read_stretches(path):
                stretches.extend(zip(range(first, first + len(texts)), texts, records, strict=True))
                ends.append((end, digest))
                yield first

        _, words = said(flat())
        assert stretches == [each[:3] for each in lines[0]]  # type: ignore[index]
        assert words == lines[1]
        assert ends[-1:] == [each[3:] for each in lines[0]][-1:]  # type: ignore[index]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), sizes=st.lists(st.integers(1, 3), max_size=20), has_facts=st.booleans())
def test_recorded_inputs_are_the_same_together_and_batch_by_batch(
    data: st.DataObject, sizes: list[int], has_facts: bool
) -> None:
    traded, number, batches = INSTRUMENTS["A"], 0, list[list[Event]]()
    for size in sizes:
        batches.append([Quote(number + i, "A", 5, 6, 1, 1, traded) for i in range(size)])
        number += size
    batches.append([SessionEnd(number)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "inputs.jsonl"
        writer = InputsWriter(path, ["A"])
        for batch in batches:
            writer.write(batch)
        if has_facts:
            writer.write_facts({"failure": ""})
        writer.close()
        content = path.read_bytes()
        together, apart = (RecordedInputs(path, INSTRUMENTS) for _ in range(2))
        together.know(INSTRUMENTS, joins=True)
        assert said(apart.batches()) == (batches, "")
        assert list(chain(*together.chunks())) == list(chain(*batches))
        path.write_bytes(data.draw(harmed(content)))
        apart = RecordedInputs(path, INSTRUMENTS)
        events, words = said(chain.from_iterable(apart.batches()))
        merged, same_words = said(chain.from_iterable(together.chunks()))
        assert same_words == words
        assert merged == events[: len(merged)]
        if not words:
            assert merged == events
            assert not events or apart.survey().whole_bytes == apart.place.offset
