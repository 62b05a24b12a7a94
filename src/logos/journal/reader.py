"""Reads a session's journal line by line, and trusts none of it.

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

A line is read at a time, so memory does not grow with the journal.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Self

import msgspec

from logos.errors import LogosError
from logos.journal.codec import GENESIS, BadLine, decode_line

LINE_BYTES_MAX: Final = 16 << 20
"""The longest line there may be, its newline included."""

_BLOCK_BYTES: Final = 1 << 20
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


class Line(NamedTuple):
    """One whole and verified line: `offset` is the byte at which it starts, `size` its bytes.

    `digest` is the chain's after it.
    """

    sequence: int
    offset: int
    size: int
    body: bytes
    digest: bytes


class JournalReader:
    """Reads a journal that may still grow: what has been read is not read again.

    Opens `path` for reading only. Raises OSError when it cannot.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sequence = 0
        self.offset = 0
        """Bytes of the whole lines read so far."""
        self.digest = GENESIS
        self._file: BinaryIO = open(path, "rb")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def lines(self) -> Iterator[Line]:
        """The whole lines from here to the end. Raises TornTail or Damaged after the last good one.

        After the end, or after TornTail, it may be called again for what has been added since.
        """
        self._file.seek(self.offset)
        while line := self._file.readline(LINE_BYTES_MAX):
            if not line.endswith(b"\n"):
                raise self._unfinished(line)
            try:
                body, digest = decode_line(line[:-1], self.sequence + 1, self.digest)
            except BadLine as error:
                if _has_hole(line, self.offset):
                    raise TornTail(self.path, self.sequence + 1, self.offset) from None
                raise self._damaged(str(error)) from None
            found = Line(self.sequence + 1, self.offset, len(line), body, digest)
            self.sequence, self.digest = found.sequence, digest
            self.offset += len(line)
            yield found

    def is_cut_back(self) -> bool:
        """Whether the file has become shorter than what was read of it."""
        return os.fstat(self._file.fileno()).st_size < self.offset

    def _unfinished(self, line: bytes) -> JournalError:
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
        return Damaged(self.path, self.sequence + 1, self.offset, reason)


def _has_hole(line: bytes, offset: int) -> bool:
    """Whether part of the line at `offset` never reached the disk, though its end did.

    What was not written reads as NULs up to the end of a sector; it may begin inside of one, where
    an earlier write had ended.
    """
    start = line.find(0)
    end = len(line) - len(line[start:].lstrip(b"\0"))
    return start >= 0 and (offset + end) % _SECTOR_BYTES == 0


def read_journal(path: Path) -> Iterator[Line]:
    """The lines of the journal at `path`, each verified before it is given out.

    Raises TornTail or Damaged after the last good line, and OSError when `path` cannot be read.
    """
    with JournalReader(path) as reader:
        yield from reader.lines()


@dataclass(slots=True)
class JournalState:
    """What a journal holds, up to its last whole line.

    `manifest` and `last` are its first and last record as JSON values, empty without one;
    `sealed_status` is empty for a journal that was not sealed.
    """

    records: int = 0
    digest: bytes = GENESIS
    manifest: dict[str, Any] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)
    sealed_status: str = ""
    is_torn: bool = False
    whole_bytes: int = 0


def scan(path: Path) -> JournalState:
    """Read the whole journal once. Raises Damaged, and OSError when it cannot be read."""
    state = JournalState()
    last: Line | None = None
    try:
        for last in read_journal(path):
            if last.sequence == 1:
                state.manifest = _as_object(path, last)
    except TornTail:
        state.is_torn = True
    if last is not None:
        state.records = last.sequence
        state.digest = last.digest
        state.whole_bytes = last.offset + last.size
        state.last = _as_object(path, last)
        if state.last.get("kind") == "sealed":
            state.sealed_status = str(state.last.get("status", ""))
    return state


def _as_object(path: Path, line: Line) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Damaged(path, line.sequence, line.offset, f"not a record: {error}") from None
