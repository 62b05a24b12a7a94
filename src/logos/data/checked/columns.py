"""Blocks of rows in a file, as whole columns of integers that need no parsing.

A block is a count of bytes, a head of JSON and its columns one behind the other, each in the
narrowest form that holds it: one number where all are the same, 32-bit or 64-bit integers, or
places in a short list of words. Reading 1,000,000 quotes back takes a twentieth of a second, and
memory for one block's bytes: of its rows no more are made numbers of Python at a time than are
asked for, so that these are still in the processor's caches when they are used.

The file is made for one machine and one build; whoever uses it verifies its SHA-256 first.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from logos.data.readers.rows import Block
from logos.errors import DataError

_SIZE_BYTES: Final = 4
_HEAD_BYTES_MAX: Final = 4096
_PIECE_BYTES: Final = 1 << 20
_ALL: Final = 1 << 62
_SAME, _WORDS, _NARROW, _WIDE = "=", "w", "i", "q"


class _Head(msgspec.Struct, frozen=True, gc=False):
    """`forms` has a letter for each column: times, the event's fields, and, where there are any,
    lines and lengths. `words` are what columns of words hold."""

    rows: int
    forms: str
    fields: int
    first_line: int
    """Of lines that follow one another; 0: they are a column of their own."""
    has_lengths: bool
    words: list[str]


class Written(NamedTuple):
    """What a file of columns is known by."""

    sha256: str
    size_bytes: int


class ColumnsWriter:
    """Writes blocks into a file. Every method but `discard` may raise OSError."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Write to the open `descriptor`, which is this object's from now on, of a file `path`."""
        self.path = path
        self.size_bytes = 0
        self._digest = hashlib.sha256()
        self._encode = msgspec.json.Encoder().encode
        self._file = os.fdopen(descriptor, "wb")

    def add(self, block: Block) -> None:
        """Append the block's rows."""
        words: list[str] = []
        lines = block.lines
        is_range = isinstance(lines, range) and lines.step == 1
        columns: list[Sequence[Any]] = [block.ts_ns, *block.columns]
        if not is_range:
            columns.append(lines)
        if block.lengths is not None:
            columns.append(block.lengths)
        packed = [_packed(column, words) for column in columns]
        head = self._encode(
            _Head(
                len(block),
                "".join(form for form, _ in packed),
                len(block.columns),
                lines[0] if is_range else 0,
                block.lengths is not None,
                words,
            )
        )
        data = b"".join(
            (len(head).to_bytes(_SIZE_BYTES, "little"), head, *(each for _, each in packed))
        )
        self._digest.update(data)
        self._file.write(data)
        self.size_bytes += len(data)

    def finish(self) -> Written:
        """Close the file; what it is known by."""
        self._file.close()
        return Written(self._digest.hexdigest(), self.size_bytes)

    def discard(self) -> None:
        """Remove the file and close it: a full disk does not take what it had still to write."""
        with suppress(OSError):  # then it is a file that nothing names, removed a day later
            self.path.unlink(missing_ok=True)
        with suppress(OSError):
            self._file.close()


def _packed(values: Sequence[Any], words: list[str]) -> tuple[str, bytes | array[int]]:
    first = values[0]
    if isinstance(first, str):
        for word in dict.fromkeys(values):
            if word not in words:
                words.append(word)
        places = {word: place for place, word in enumerate(words)}
        return _WORDS, array("b", map(places.__getitem__, values))
    if first == values[-1] and values.count(first) == len(values):
        return _SAME, array("q", (first,))
    try:
        return _NARROW, array("i", values)
    except OverflowError:
        return _WIDE, array("q", values)


class Columns:
    """A file of columns that is there; it may be read several times, also at once.

    The file stays open, so that it is the one that was verified whatever becomes of its name.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError. It does not wait for the writer of a named pipe."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self.close = weakref.finalize(self, os.close, self._descriptor)
        """Closes the file; calling it again does nothing."""
        self._state = self._stamp()

    def _stamp(self) -> tuple[int, int]:
        status = os.fstat(self._descriptor)
        return status.st_size, status.st_mtime_ns

    def is_whole(self, written: Written) -> bool:
        """Whether every byte is as it was `written`. Raises OSError."""
        if self._state[0] != written.size_bytes:
            return False
        digest = hashlib.sha256()
        place = 0
        while piece := os.pread(self._descriptor, _PIECE_BYTES, place):
            digest.update(piece)
            place += len(piece)
        return digest.hexdigest() == written.sha256

    def blocks(self, rows_max: int = _ALL) -> Iterator[Block]:
        """The blocks as they were added, each in parts of so many rows at most. Raises DataError
        when the file changes meanwhile."""
        place = 0
        while place < self._state[0]:
            head, columns, place = self._block(place)
            for start in range(0, head.rows, rows_max):
                yield _part(head, columns, start, min(start + rows_max, head.rows))
        if self._stamp() != self._state:
            raise self._changed()

    def _block(self, place: int) -> tuple[_Head, list[memoryview], int]:
        """The head of the block at `place`, the bytes of its columns, and where it ends."""
        try:
            start = os.pread(self._descriptor, _HEAD_BYTES_MAX, place)
            head_end = _SIZE_BYTES + int.from_bytes(start[:_SIZE_BYTES], "little")
            head = msgspec.json.decode(start[_SIZE_BYTES:head_end], type=_Head)
            sizes = [_size_of(form, head.rows) for form in head.forms]
            size = sum(sizes)
            data = memoryview(os.pread(self._descriptor, size, place + head_end))
        except (OSError, ValueError) as error:
            raise self._changed() from error
        if len(data) != size:
            raise self._changed()
        columns = []
        at = 0
        for each in sizes:
            columns.append(data[at : at + each])
            at += each
        return head, columns, place + head_end + size

    def _changed(self) -> DataError:
        return DataError(
            f"{self.path}: this copy of checked data changed while it was read: start again, the"
            " data is then checked anew"
        )


def _size_of(form: str, rows: int) -> int:
    return {_SAME: 8, _WORDS: rows, _NARROW: 4 * rows, _WIDE: 8 * rows}[form]


def _part(head: _Head, packed: list[memoryview], start: int, end: int) -> Block:
    """Rows `start` to `end` (not included) of a block."""
    columns: list[Any] = [
        _unpacked(form, data, head.words, start, end)
        for form, data in zip(head.forms, packed, strict=True)
    ]
    lengths = columns.pop() if head.has_lengths else None
    lines = columns.pop() if not head.first_line else None
    if lines is None:
        lines = range(head.first_line + start, head.first_line + end)
    return Block(columns[0], columns[1:], lines, lengths)


def _unpacked(form: str, data: memoryview, words: list[str], start: int, end: int) -> list[Any]:
    if form == _SAME:
        return data.cast("q").tolist() * (end - start)
    if form == _WORDS:
        return list(map(words.__getitem__, data[start:end]))
    return (data.cast("i") if form == _NARROW else data.cast("q"))[start:end].tolist()
