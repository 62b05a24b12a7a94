"""The lines of recorded inputs as batches of events: what is read of them, many lines at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from logos.core.instrument import Instrument
from logos.core.messages import Event
from logos.journal.reader import JournalReader
from logos.journal.rows import ENDING_LETTERS, events_of, time_of
from logos.journal.surveys import Surveyor
from logos.journal.writer import Position


class Inputs(msgspec.Struct, frozen=True, tag="inputs", tag_field="kind"):
    """The first record: the session's symbols, by whose places in the list its events name them."""

    schema: int
    symbols: list[str] = []


class Batch(msgspec.Struct, frozen=True, tag="batch", tag_field="kind"):
    """Events that the core was given together."""

    events: list[list[Any]]


class Facts(msgspec.Struct, frozen=True, tag="facts", tag_field="kind"):
    """What only the live run could measure: the last record."""

    facts: dict[str, Any]


InputRecord = Inputs | Batch | Facts

DECODER: Final = msgspec.json.Decoder(InputRecord)
"""Makes a record of its JSON."""
_BODY: Final = b'"body":'


def place_of(reader: JournalReader[InputRecord]) -> Position:
    """How far it has read."""
    return Position(reader.sequence, reader.offset, reader.digest)


def _rows_of(bodies: Sequence[bytes]) -> list[list[list[Any]]]:
    """The rows of each batch that these bodies hold. Raises ValueError where one is none."""
    records = [DECODER.decode(body) for body in bodies]
    batches = [record.events for record in records if type(record) is Batch]
    if len(batches) < len(records):
        raise ValueError("not batches alone")
    return batches


def batches_of(
    bodies: Sequence[bytes], symbols: Sequence[Instrument], *, merges: bool
) -> list[list[Event]]:
    """The batches that these bodies hold, or all of them as one. Raises ValueError, LookupError
    or TypeError where one is none."""
    batches = _rows_of(bodies)
    if merges:
        rows = [row for batch in batches for row in batch]
        if ENDING_LETTERS.isdisjoint([row[0] for row in rows]):
            return [events_of(rows, symbols)] if rows else []
    return [events_of(batch, symbols) for batch in batches]


def survey_blocks(reader: JournalReader[InputRecord], surveyor: Surveyor) -> int:
    """Look through the batches that lie ahead, up to what is none; the bytes of the
    recording before that."""
    if not reader.sequence:
        next(reader.entries(), None)  # it must be of this schema
    place = place_of(reader)
    for bodies in reader.blocks():
        try:
            batches = _rows_of(bodies)
        except ValueError:
            reader.go_back(place.sequence, place.offset, place.digest)
            break
        surveyor.see([row for batch in batches for row in batch])
        place = place_of(reader)
    return place.offset


def batch_times(line: bytes) -> list[int]:
    """When the events in one line of a recording were, in order. Raises ValueError for no line."""
    record = DECODER.decode(line[line.index(_BODY) + len(_BODY) : line.rindex(b"}")])
    return [time_of(row) for row in record.events] if isinstance(record, Batch) else []
