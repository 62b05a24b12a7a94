"""Follows a file of lines while another process appends to it.

The file's own history is the only promise that there is: a reader who comes back goes on behind the
last line it was given, or says why that place is not there any more. It never begins anew by
itself, which would report everything twice, and it never skips.

- A line is given out once its newline is there; what stands behind the last newline waits.
- Each look compares the last line that was given out (its length and a hash, the `mark`) with what
  stands there now. A file that has become shorter, whose line before the offset is another one, or
  that is gone, is a `LostPlace`.
- Another file under the same name (a rotation, or a file that was replaced whole) is read on if the
  line before the offset is the same in it, as it is after a compaction that changes nothing before
  it. If not, the rest of the old file is given out first, and then that is a `LostPlace`.

Keep `offset` and `mark` together, after what was given out has been dealt with: a `Follower` that
is made of both goes on in another process.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import Final, Self

from logos.errors import LogosError
from logos.files import open_regular

BYTES_MAX: Final = 1 << 20
"""About how many bytes one call of `lines` gives out; a longer line comes alone."""

LINE_BYTES_MAX: Final = 16 << 20
"""The longest line that is read, its newline included."""

_HASH_DIGITS: Final = 16

OpenFile = Callable[[Path], BufferedReader]
"""Opens a regular file to read its bytes, or raises OSError; as `files.open_regular`."""


class LostPlace(LogosError):
    """What was read of a file is not there any more: it was shortened, changed or replaced."""

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        super().__init__(
            f"{path}: {reason}; it was read up to byte {offset:,}, and nothing behind that is read "
            "until somebody says from where"
        )
        self.path = path
        self.offset = offset
        self.reason = reason


class LineTooLong(LostPlace):
    """The next line of a file is longer than any that is read."""


class Follower:
    """Reads the whole lines of a file from `offset` on, as often as it is asked.

    Use it in a `with`, or close it. For one thread.
    """

    def __init__(
        self, path: Path, offset: int = 0, mark: str = "", open_file: OpenFile = open_regular
    ) -> None:
        """`offset` and `mark` are those of an earlier Follower; the file need not be there yet.

        `open_file` opens it, for whoever does not open every path. Without a mark the line before
        `offset` is taken as it stands at the first look. Raises ValueError for an offset below 0 or
        a mark that no Follower makes.
        """
        if offset < 0:
            raise ValueError(f"offset must be 0 or more, not {offset}")
        self.path = path
        self.offset = offset
        """Bytes of the lines that were given out: where the next one begins."""
        self.mark = mark
        """The length of the last line given out and a hash of it; empty before the first."""
        self._mark_bytes = _mark_bytes(mark, offset)
        self._open_file = open_file
        self._file: BufferedReader | None = None
        self._identity = (0, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; `lines` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def lines(self, bytes_max: int = BYTES_MAX) -> list[bytes]:
        """The whole lines that have come since, without their newlines: about `bytes_max` bytes.

        Empty when there is none, and before the file is made. Raises LostPlace, and OSError when
        the file cannot be read; both leave `offset` as it is, and come again.
        """
        if self._file is None and not self._open():
            return []
        assert self._file is not None
        is_current = self._is_current()
        self._check_place(self._file)
        found = self._read(self._file, bytes_max)
        if found or is_current:
            return found
        # The old file has no more, and has been replaced: the new one must continue it.
        self.close()
        if not self._open():
            raise LostPlace(self.path, self.offset, "the file is gone")
        assert self._file is not None
        self._check_place(self._file, "it is another file now, and ")
        return self._read(self._file, bytes_max)

    def line_before(self) -> bytes:
        """The line that ends at `offset`, its newline included; empty at the beginning.

        Raises as `lines`.
        """
        if not self.offset or (self._file is None and not self._open()):
            return b""
        assert self._file is not None
        self._check_place(self._file)
        return _line_before(self._file, self.offset)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the file behind `offset`, as the file is now; 0 when it is gone."""
        try:
            return max(0, os.stat(self.path).st_size - self.offset)
        except FileNotFoundError:
            return 0

    def _open(self) -> bool:
        """Open the file; False when there is none yet. Raises LostPlace when there was one."""
        try:
            self._file = self._open_file(self.path)
        except FileNotFoundError:
            if self.offset:
                raise LostPlace(self.path, self.offset, "the file is gone") from None
            return False
        status = os.fstat(self._file.fileno())
        self._identity = (status.st_dev, status.st_ino)
        return True

    def _is_current(self) -> bool:
        """Whether the open file is the one that has the name now."""
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _check_place(self, file: BufferedReader, news: str = "") -> None:
        """Raise LostPlace unless the line before `offset` is the one that was given out.

        `news` is what is known of the file besides, for the message.
        """
        size = os.fstat(file.fileno()).st_size
        if size < self.offset:
            self._lose(f"{news}it has become shorter, and has {size:,} bytes")
        if not self.offset:
            return
        if not self.mark:
            self._mark(_line_before(file, self.offset))
            return
        start = self.offset - self._mark_bytes
        file.seek(start)
        if _mark_of(file.read(self._mark_bytes)) != self.mark:
            self._lose(f"{news}the line at byte {start:,} is not the one that was read there")

    def _lose(self, reason: str) -> None:
        self.close()
        raise LostPlace(self.path, self.offset, reason)

    def _read(self, file: BufferedReader, bytes_max: int) -> list[bytes]:
        file.seek(self.offset)
        found: list[bytes] = []
        size = 0
        last = b""
        while size < bytes_max and (line := file.readline(LINE_BYTES_MAX)):
            if not line.endswith(b"\n"):
                if len(line) == LINE_BYTES_MAX and not found:
                    self.close()
                    reason = f"a line has more than {LINE_BYTES_MAX:,} bytes"
                    raise LineTooLong(self.path, self.offset, reason)
                break
            found.append(line[:-1])
            size += len(line)
            last = line
        if found:
            self.offset += size
            self._mark(last)
        return found

    def _mark(self, line: bytes) -> None:
        self.mark = _mark_of(line)
        self._mark_bytes = len(line)


def _mark_of(line: bytes) -> str:
    return f"{len(line)}:{sha256(line).hexdigest()[:_HASH_DIGITS]}"


def _mark_bytes(mark: str, offset: int) -> int:
    """The length of the line of which `mark` is. Raises ValueError."""
    if not mark:
        return 0
    length, colon, digest = mark.partition(":")
    is_mark = colon and length.isascii() and length.isdigit() and len(digest) == _HASH_DIGITS
    if not is_mark or not 0 < int(length) <= offset:
        raise ValueError(f"not the mark of a line before byte {offset}: {mark!r}")
    return int(length)


def _line_before(file: BufferedReader, offset: int) -> bytes:
    """The line that ends at `offset`, its newline included; at most `LINE_BYTES_MAX` of it."""
    start = max(0, offset - LINE_BYTES_MAX)
    end = offset - 1
    place = end
    while place > start:
        begin = max(start, place - 4096)
        file.seek(begin)
        found = file.read(place - begin).rfind(b"\n")
        if found >= 0:
            start = begin + found + 1
            break
        place = begin
    file.seek(start)
    return file.read(offset - start)
