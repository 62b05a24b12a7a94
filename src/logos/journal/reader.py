"""The one reader of journals: line by line, each verified before its record is given out.

Every line must have the next sequence number, its own checksum and its place in the chain; the
first that does not ends the reading with an error that names its sequence number and the byte at
which it starts. Two errors are told apart, because the answer to them differs:

- `TornTail`: the end was being written when the process or the machine died. Either the file ends
  inside a line: there is no newline after its last byte, whatever that line holds. Or the line has
  a hole: a run of NULs up to the end of a sector, where a power cut left sectors unwritten though
  something behind them was; no line holds a NUL. Such an end was never promised to anybody:
  `logos resume` cuts it off, from that line on, and goes on.
- `Damaged`: anything else. A line that has its newline and no hole was written whole: if it is
  wrong it was changed later, the last one too. A line longer than `LINE_BYTES_MAX` is damage,
  whether it ends or not, unless it is nothing but NULs up to the end of the file.

Some hundred lines are read at a time, so memory does not grow with the journal; where any of them
is unusual, line by line from there on, to say what is wrong. The caller says what a record
is: `entries` reads `state.jsonl`, `inputs` reads `inputs.jsonl`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Final, Generic, NamedTuple, Self, TypeVar

from logos.errors import ConfigError, LogosError
from logos.journal.codec import (
    GENESIS,
    SCHEMA_VERSION,
    BadLine,
    bodies_of,
    decode_line,
    encode_lines,
)
from logos.journal.segments import SegmentedFile, SegmentError

LINE_BYTES_MAX: Final = 16 << 20
"""The longest line there may be, its newline included."""

_BLOCK_BYTES: Final = 1 << 20
_USUAL_BYTES: Final = 1 << 18
_SECTOR_BYTES: Final = 512


class JournalError(LogosError):
    """A journal cannot be read on; `sequence` and the byte `offset` say from where."""

    def __init__(self, path: Path, sequence: int, offset: int, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.sequence = sequence
        self.offset = offset


class TornTail(JournalError):
    """The line at `offset` was never finished, nor anything behind it; all before it is whole."""

    def __init__(self, path: Path, sequence: int, offset: int) -> None:
        super().__init__(
            path,
            sequence,
            offset,
            f"{path}: torn: record {sequence}, at byte {offset}, has no end; "
            f"{sequence - 1} whole records come before it",
        )


class Damaged(JournalError):
    """The line at `offset` is not what was written there, or not what belongs there."""

    def __init__(self, path: Path, sequence: int, offset: int, reason: str) -> None:
        super().__init__(
            path, sequence, offset, f"{path}: damaged at record {sequence}, byte {offset}: {reason}"
        )
        self.reason = reason


R = TypeVar("R")


class Entry(NamedTuple, Generic[R]):
    """One whole and verified line: `offset` is the byte at which it starts, `size` its bytes.

    `digest` is the chain's after it, `body` the record's JSON, `record` what that decodes to.
    """

    sequence: int
    offset: int
    size: int
    digest: bytes
    body: bytes
    record: R


_new_entry: Final = tuple.__new__
"""Makes an Entry in half the time that its own way takes."""


class JournalReader(Generic[R]):
    """Reads a journal that may still grow: what has been read is not read again."""

    def __init__(
        self,
        path: Path,
        decode: Callable[[bytes], R],
        first: type[object] | None = None,
        last: type[object] | None = None,
        segments: SegmentedFile | None = None,
    ) -> None:
        """Open `path` for reading only; `segments` are the files of one that lies in several.

        `decode` makes a record of its JSON, or raises ValueError. The first record must be of the
        type `first`, and no other one may be; it names the journal's `schema`. What follows a
        record of the type `last` is damage: its writer waits until the disk has all, and writes no
        more. None: no such rule. Raises OSError when `path` cannot be opened.
        """
        self.path = path
        self.sequence = 0
        self.offset = 0
        """Bytes of the whole lines read so far."""
        self.digest = GENESIS
        self.is_at_end = False
        """Whether `blocks` has read all that there was."""
        self._decode = decode
        self._first = first
        self._last = last
        self._is_over = False
        self._segments = segments
        self._file = segments or open(path, "rb")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def fileno(self) -> int:
        """The descriptor of the open file."""
        return self._file.fileno()

    def entries(self) -> Iterator[Entry[R]]:
        """The whole lines from here to the end.

        Raises TornTail or Damaged after the last good one, and ConfigError for a journal of
        another schema. After the end, or after TornTail, it may be called again for what has been
        added since.
        """
        is_at_end = yield from self._usual_entries()
        decode, first, last = self._decode, self._first, self._last
        line = self._next_line(is_first=not is_at_end)
        while line:
            if self._is_over:
                raise self._damaged("it comes after the seal, and nothing may")
            if not line.endswith(b"\n"):
                raise self._unfinished(line)
            sequence, offset = self.sequence + 1, self.offset
            try:
                body, digest = decode_line(line[:-1], sequence, self.digest)
            except BadLine as error:
                if self._may_be_torn and _has_hole(line, offset - self.file_start):
                    raise TornTail(self.path, sequence, offset) from None
                raise self._damaged(str(error)) from None
            try:
                record = decode(body)
            except ValueError as error:  # what msgspec and the decoding of text raise are such
                raise self._damaged(f"the record cannot be read: {error}") from None
            if first is not None and (sequence == 1 or type(record) is first):
                self._check_first(record, sequence)
            self._is_over = type(record) is last
            self.sequence, self.digest = sequence, digest
            self.offset = offset + len(line)
            yield Entry(sequence, offset, len(line), digest, body, record)
            line = self._next_line()

    def _usual_entries(self) -> Generator[Entry[R], None, bool]:
        """The entries from here on, many lines at a time, up to anything unusual: that is left to
        be read line by line, and named. Whether all was read that there is."""
        decode, first, last, read = self._decode, self._first, self._last, self._file.read
        rest = b""
        try:
            self._go_to_offset()
            while not self._is_over and (block := read(_USUAL_BYTES)):
                lines = (rest + block).split(b"\n")
                rest = lines.pop()
                for line in lines:
                    sequence, offset = self.sequence + 1, self.offset
                    body, digest = decode_line(line, sequence, self.digest)
                    record = decode(body)
                    kind = type(record)
                    if first is not None and (sequence == 1 or kind is first):
                        self._check_first(record, sequence)
                    size = len(line) + 1
                    self.sequence, self.digest, self.offset = sequence, digest, offset + size
                    yield _new_entry(Entry, (sequence, offset, size, digest, body, record))
                    if kind is last:
                        self._is_over = True
                        return False
                if len(rest) > _USUAL_BYTES:
                    return False
        except (BadLine, SegmentError, ValueError):
            return False
        return not rest and not self._is_over

    def blocks(self) -> Iterator[list[bytes]]:
        """The records from here on as JSON, those of many lines at a time, each line verified.

        For who reads many records of one kind, and decodes them: what the first and the last one
        must be is not judged. Ends before anything unusual, which `entries` tells from there on;
        `is_at_end` says whether there is anything.
        """
        rest, read = b"", self._file.read
        self.is_at_end = False
        try:
            self._go_to_offset()
            while block := read(_USUAL_BYTES):
                block = rest + block
                end = block.rfind(b"\n") + 1
                rest, lines = block[end:], block[:end]
                bodies = bodies_of(lines)
                made, digest = encode_lines(self.sequence, self.digest, bodies)
                if made != lines or len(rest) > _USUAL_BYTES:
                    return
                self.sequence += len(bodies)
                self.offset += end
                self.digest = digest
                if bodies:
                    yield bodies
        except SegmentError:
            return
        self.is_at_end = not rest

    def _go_to_offset(self) -> None:
        if not isinstance(self._file, SegmentedFile):
            self._file.seek(0, os.SEEK_END)  # so that nothing buffered is read again
        self._file.seek(self.offset)

    def _next_line(self, *, is_first: bool = False) -> bytes:
        try:
            if is_first:
                self._go_to_offset()
            return self._file.readline(LINE_BYTES_MAX)
        except SegmentError as error:
            raise self._damaged(error.words) from None

    @property
    def _may_be_torn(self) -> bool:
        """Whether the file that is read may end in something unfinished."""
        return self._segments is None or self._segments.may_be_torn

    @property
    def file_start(self) -> int:
        """Bytes of the journal before the file that is read."""
        return 0 if self._segments is None else self._segments.start

    def _check_first(self, record: R, sequence: int) -> None:
        """Raise unless `record` is the first one, and of this schema."""
        if type(record) is not self._first or sequence != 1:
            name = getattr(self._first, "__name__", "").lower()
            raise self._damaged(f"the {name} must be the first record, and no other")
        schema = getattr(record, "schema", None)
        if schema != SCHEMA_VERSION:
            software = getattr(record, "software", "")
            reader = f": use logos {software}, which wrote it" if software else ""
            raise ConfigError(
                f"{self.path}: written in schema {schema}, and this version reads schema "
                f"{SCHEMA_VERSION}{reader}"
            )

    def go_back(self, sequence: int, offset: int, digest: bytes) -> None:
        """Read on from an earlier place between two lines, which is one that was passed before."""
        self.sequence, self.offset, self.digest = sequence, offset, digest
        self._is_over = self.is_at_end = False

    def is_cut_back(self) -> bool:
        """Whether the file has become shorter than what was read of it."""
        if isinstance(self._file, SegmentedFile):
            return False
        return os.fstat(self._file.fileno()).st_size < self.offset

    def _unfinished(self, line: bytes) -> JournalError:
        if not self._may_be_torn:
            return self._damaged("the line has no end, and its file was closed")
        if len(line) == LINE_BYTES_MAX and not self._is_zeros(line):
            return self._damaged(f"a line of more than {LINE_BYTES_MAX} bytes")
        return TornTail(self.path, self.sequence + 1, self.offset)

    def _is_zeros(self, line: bytes) -> bool:
        """Whether `line` and all that follows it is nothing but NULs."""
        block = line
        while block:
            if block.count(0) != len(block):
                return False
            block = self._file.read(_BLOCK_BYTES)
        return True

    def _damaged(self, reason: str) -> Damaged:
        if self._segments is not None and self._segments.name != self.path.name:
            reason += f" (in {self._segments.name}, byte {self.offset - self.file_start})"
        return Damaged(self.path, self.sequence + 1, self.offset, reason)


def _has_hole(line: bytes, offset: int) -> bool:
    """Whether part of the line at `offset` never reached the disk, though its end did.

    What was not written reads as NULs up to the end of a sector; it may begin inside of one, where
    an earlier write had ended.
    """
    start = line.find(0)
    end = len(line) - len(line[start:].lstrip(b"\0"))
    return start >= 0 and (offset + end) % _SECTOR_BYTES == 0


def read_lines(path: Path) -> Iterator[Entry[bytes]]:
    """The lines of the journal at `path`, whatever their records are: each one is its JSON.

    Raises TornTail or Damaged after the last good line, and OSError when `path` cannot be read.
    """
    with JournalReader(path, bytes) as reader:
        yield from reader.entries()
