"""Reads the lines of a file from its end, a bounded part at a time.

A log or a journal may have gigabytes, and who looks at it wants its end. So blocks are read from
the end towards the beginning, and no more is kept than the line that is being put together: memory
does not grow with the file, nor with a line that never ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BufferedReader
from typing import Final

BLOCK_BYTES: Final = 64 << 10
LINE_BYTES_MAX: Final = 1 << 20
"""A longer line is left out."""


class Backwards:
    """The whole lines of `file` before the byte `end`, the last one first. For one thread."""

    def __init__(self, file: BufferedReader, end: int | None = None) -> None:
        """`end` is the `place` of an earlier reader, None the end of the file. What stands behind
        the last newline before it is left out."""
        size = os.fstat(file.fileno()).st_size
        self._file = file
        self.place = size if end is None else max(0, min(end, size))
        """Where the line begins that was given out last: nothing before it was."""

    def lines(self, bytes_max: int) -> Iterator[bytes]:
        """Lines without their newlines: about `bytes_max` bytes of them, and one at least where
        there is one. Raises OSError."""
        begin = self.place
        start = begin  # nothing before it has been read
        rest: list[bytes] = []  # parts of the line whose beginning is not known, the last one first
        size = 0
        is_whole = False  # whether a newline stands behind that line
        while start > 0:
            if start <= begin - bytes_max and self.place < begin:
                return
            end, start = start, max(0, start - BLOCK_BYTES)
            self._file.seek(start)
            pieces = self._file.read(end - start).split(b"\n")
            for piece in reversed(pieces[1:]):
                end -= len(piece)
                self.place = end
                if is_whole:
                    yield b"".join([piece, *reversed(rest)])
                rest, size, is_whole = [], 0, True
                end -= 1
            rest.append(pieces[0])
            size += len(pieces[0])
            if size > LINE_BYTES_MAX:
                rest, size, is_whole = [], 0, False
                self.place = start
        self.place = 0
        if is_whole:
            yield b"".join(reversed(rest))
