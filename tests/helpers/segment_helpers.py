"""Recordings in several files, for the tests that write, damage and cut them."""

from __future__ import annotations

import gzip
from pathlib import Path

from logos.core.instrument import instrument
from logos.core.messages import Event, Quote
from logos.journal import segments
from logos.journal.inputs import InputsWriter, RecordedInputs
from logos.journal.segments import closed_segments
from logos.journal.surveys import Survey
from logos.journal.writer import START, Position

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


def continued(
    folder: Path, survey: Survey, size: int = SMALL, start: Position | None = None
) -> InputsWriter:
    return InputsWriter(file_of(folder), ["COIN"], survey, start or START, segment_bytes=size)
