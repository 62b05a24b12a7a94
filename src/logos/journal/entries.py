"""The records of a journal with their types: what the core said, and the notes of the session.

The running session writes its notes as plain tables; who reads a journal later wants every field
checked, and a record of no known kind refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from logos.core.records import Record
from logos.journal.names import JOURNAL as JOURNAL
from logos.journal.reader import Entry, JournalReader


class Source(msgspec.Struct, frozen=True):
    """Data that was read; of all that is said of it, the SHA-256 of each file."""

    files: dict[str, str]


class Manifest(msgspec.Struct, frozen=True, tag="manifest", tag_field="kind"):
    """What the session is: the first record. Other schemas may have other fields than these."""

    schema: int
    session_id: str = ""
    uuid: str = ""
    software: str = ""
    strategy: str = ""
    strategy_fingerprint: str = ""
    seed: int = 0
    build: str = ""
    """SHA-256 of the sources of logos; empty: written before that was noted."""
    modules: Mapping[str, str] = {}
    """SHA-256 of every file that the strategy imported, by the module's name."""
    config_hash: str = ""
    config: Mapping[str, Any] = {}
    data: list[Source] = []


class Stopping(msgspec.Struct, frozen=True, tag="stopping", tag_field="kind"):
    """An operator stopped the session: what follows is about the stop."""

    tick_id: int


class Sealed(msgspec.Struct, frozen=True, tag="sealed", tag_field="kind"):
    """How the session ended: the last record. `session_md` is the SHA-256 of session.md,
    up to what only a live run could measure. `failure` is the way to a failure of the strategy
    through its code, and left out where there was none."""

    status: str
    reason: str
    session_md: str = ""
    failure: list[str] = []


SessionRecord = Record | Manifest | Stopping | Sealed

DECODER = msgspec.json.Decoder(SessionRecord)
"""Makes a record of its JSON."""

SessionEntry = Entry[SessionRecord]
"""A line of `state.jsonl`, read and verified."""


def open_journal(path: Path) -> JournalReader[SessionRecord]:
    """A reader of the `state.jsonl` at `path`, from its manifest to its seal.

    A record that no version of this schema writes is damage. Raises OSError.
    """
    return JournalReader(path, DECODER.decode, Manifest, Sealed)


def read_journal(path: Path) -> Iterator[SessionEntry]:
    """The entries of the `state.jsonl` at `path`, each verified before it is given out.

    Raises TornTail or Damaged after the last good one, ConfigError for a journal of another schema
    (saying which software reads it), and OSError when `path` cannot be read.
    """
    with open_journal(path) as reader:
        yield from reader.entries()


_ALONE: Final = frozenset((Manifest, Stopping, Sealed))


class Stretch(NamedTuple):
    """Lines that follow each other, read and verified: the number of the first and the byte at
    which it starts, where the last ends and the chain's digest there, and of each its JSON and what
    that decodes to."""

    sequence: int
    offset: int
    end: int
    digest: bytes
    bodies: Sequence[bytes]
    records: Sequence[SessionRecord]


def read_stretches(path: Path) -> Iterator[Stretch]:
    """The entries as `read_journal` gives them, many lines at a time (see `stretches`)."""
    with open_journal(path) as reader:
        yield from stretches(reader)


def stretches(reader: JournalReader[SessionRecord]) -> Iterator[Stretch]:
    """The lines from where the reader stands to the end, many at a time; a note of the session
    comes alone. Raises as `JournalReader.entries`, after the last good line."""
    if not reader.sequence:
        first = next(reader.entries(), None)
        if first is None:
            return
        yield _alone(first)
    place = reader.sequence, reader.offset, reader.digest
    for bodies in reader.blocks():
        try:
            records = [DECODER.decode(body) for body in bodies]
        except ValueError:
            records = []
        if not records or not _ALONE.isdisjoint(map(type, records)):
            reader.go_back(*place)
            break  # line by line: that says what is wrong, and knows what may follow what
        number, offset, _ = place
        yield Stretch(number + 1, offset, reader.offset, reader.digest, bodies, records)
        place = reader.sequence, reader.offset, reader.digest
    for entry in () if reader.is_at_end else reader.entries():
        yield _alone(entry)


def _alone(entry: SessionEntry) -> Stretch:
    sequence, offset, size, digest, body, record = entry
    return Stretch(sequence, offset, offset + size, digest, (body,), (record,))
