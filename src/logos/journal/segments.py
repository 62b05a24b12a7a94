"""A recording that lies in several files, read and written as if it were one.

    inputs.000001.jsonl.gz  inputs.000002.jsonl  inputs.jsonl
    closed, compressed      closed               the one that is written to

One file that grows for months cannot be compressed, moved or backed up while it is written. So a
recording goes on in a new file now and then. The lines are the same as without that: numbers and
chain run on from one segment to the next, and nothing else ties them together. A segment that is
missing, moved, repeated, shortened or changed therefore breaks the chain where it was; only the end
of the last one may be torn.

The file that is written to always has the recording's own name. To move on, its successor is made
empty (`inputs.next.jsonl`), the full file gets its number, and the successor gets the name: after a
crash at any point it can be seen how far that came, and a recording without its last file is told
from one that was just moving on.

A compressed segment is a gzip file of exactly the segment's bytes: `gunzip` gives the file back. It
is read in pieces of bounded size, whatever it would unpack to.
"""

from __future__ import annotations

import errno
import io
import os
import re
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, Self, cast

from logos.errors import LogosError
from logos.files import private_opener, sync_folder
from logos.journal.writer import JournalWriter

COMPRESSED: Final = ".gz"
_GZIP: Final = 16 + zlib.MAX_WBITS
_BLOCK_BYTES: Final = 1 << 16


class SegmentError(LogosError, OSError):
    """A segment is not there, or does not unpack; `strerror` says which and how."""

    def __init__(self, path: Path, words: str) -> None:
        self.words = f"{path.name} {words}"
        super().__init__(errno.EIO, self.words, str(path))


# ---- names ----


def closed_path(path: Path, number: int) -> Path:
    """Where segment `number` (from 1) of the recording at `path` lies once it is closed."""
    return path.with_name(f"{path.stem}.{number:06d}{path.suffix}")


def next_path(path: Path) -> Path:
    """Where the successor of the last file lies while the recording moves on."""
    return path.with_name(f"{path.stem}.next{path.suffix}")


def compressed_path(path: Path) -> Path:
    """What a file is called once it is compressed."""
    return path.with_name(path.name + COMPRESSED)


def is_compressed(path: Path) -> bool:
    """Whether a file's name says that it is compressed."""
    return path.suffix == COMPRESSED


def closed_segments(path: Path) -> dict[int, Path]:
    """The closed segments of the recording at `path` by number; a file counts before its
    compressed copy. Raises OSError."""
    pattern = re.compile(
        rf"{re.escape(path.stem)}\.([0-9]{{6,}}){re.escape(path.suffix)}({re.escape(COMPRESSED)})?"
    )
    found: dict[int, Path] = {}
    for name in sorted(os.listdir(path.parent)):  # the file comes before its copy
        match = pattern.fullmatch(name)
        if match is not None:
            found.setdefault(int(match[1]), path.with_name(name))
    return dict(sorted(found.items()))


def has_recording(path: Path) -> bool:
    """Whether there is any file of the recording at `path`."""
    names = (path, compressed_path(path), next_path(path))
    if any(name.is_file() for name in names):
        return True
    return path.parent.is_dir() and bool(closed_segments(path))


# ---- reading ----


class _Unpacked(io.RawIOBase):
    """The bytes of a gzip file of one member and nothing behind it. Raises SegmentError."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._unpack = zlib.decompressobj(_GZIP)
        self.size = 0
        """Bytes that were unpacked so far."""

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, target: Any, /) -> int:
        """As io.RawIOBase: never more than there is room for in `target`."""
        view = memoryview(target)
        while not self._unpack.eof:
            packed = self._unpack.unconsumed_tail or self._file.read(_BLOCK_BYTES)
            if not packed:
                raise SegmentError(self._path, "is cut off")
            try:
                found = self._unpack.decompress(packed, len(view))
            except zlib.error as error:
                raise SegmentError(self._path, f"does not unpack: {error}") from None
            if found:
                view[: len(found)] = found
                self.size += len(found)
                return len(found)
        if self._unpack.unused_data or self._file.read(1):
            raise SegmentError(self._path, "has bytes behind its end")
        return 0

    def close(self) -> None:
        """Close the packed file."""
        self._file.close()
        super().close()


class Segment:
    """One file of a recording, open for reading what it holds, compressed or not."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self.path = path
        self.is_compressed = is_compressed(path)
        self.file: BinaryIO = open(path, "rb")  # noqa: SIM115
        self._unpacked: _Unpacked | None = None
        if self.is_compressed:
            self._unpacked = _Unpacked(self.file, path)
            self.file = cast(BinaryIO, io.BufferedReader(self._unpacked, _BLOCK_BYTES))

    def size(self) -> int:
        """How many bytes it holds. A compressed one is read to its end for that."""
        if self._unpacked is None:
            return os.fstat(self.file.fileno()).st_size
        while self.file.read(_BLOCK_BYTES):
            pass
        return self._unpacked.size

    def skip_to(self, offset: int) -> bool:
        """Go to this offset, from the beginning; False when it holds no more bytes than that."""
        if self._unpacked is None:
            self.file.seek(offset)
            return offset < self.size()
        while offset and (block := self.file.read(min(offset, _BLOCK_BYTES))):
            offset -= len(block)
        return not offset and bool(self.file.peek(1))  # type: ignore[attr-defined]

    def is_at(self, path: Path) -> bool:
        """Whether this is the file that `path` names now."""
        try:
            found = path.stat()
        except FileNotFoundError:
            return False
        if self._unpacked is not None:
            return path == self.path
        mine = os.fstat(self.file.fileno())
        return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class SegmentedFile:
    """All segments of a recording as one file for reading, from its beginning to its end now.

    A line is never split over two segments. Reading raises SegmentError.
    """

    def __init__(self, path: Path) -> None:
        """Raises FileNotFoundError when there is nothing of the recording at `path`; OSError."""
        self._path = path
        # The last file is opened first: should the recording move on meanwhile, it is found again
        # among the closed ones, and what comes after it is left for the next reader.
        self._last = _open_last(path)
        numbers = closed_segments(path)
        if self._last is None and not numbers:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        self._closed: list[Path] = []
        for number in range(1, max(numbers, default=0) + 1):
            place = numbers.get(number, closed_path(path, number))
            if self._last is not None and self._last.is_at(place):
                break
            self._closed.append(place)
        self._index = -1
        self._segment: Segment | None = None
        self.start = 0
        """Bytes of the recording before the segment that is read."""

    @property
    def is_last(self) -> bool:
        """Whether the segment that is read is the last one."""
        return self._index == len(self._closed)

    @property
    def name(self) -> str:
        """The name of the segment that is read, or is to be read."""
        return self._path.name if self._segment is None else self._segment.path.name

    @property
    def may_be_torn(self) -> bool:
        """Whether the end of the segment that is read may be unfinished: it was written to last."""
        return self.is_last and self._last is not None and not self._last.is_compressed

    def readline(self, size_max: int = -1) -> bytes:
        """The next line, or what there is of it; empty at the end of the recording."""
        while True:
            line = self._current().file.readline(size_max)
            if line or self.is_last:
                return line
            self._move_on()

    def read(self, size_max: int) -> bytes:
        """Up to so many bytes, none of them from behind the end of a segment."""
        while True:
            block = self._current().file.read(size_max)
            if block or self.is_last:
                return block
            self._move_on()

    def fileno(self) -> int:
        """The descriptor of the segment that is read. Raises OSError for a compressed one."""
        return self._current().file.fileno()

    @property
    def is_behind(self) -> bool:
        """Whether its last segment is read, and the recording has gone on in another file: what
        comes is found by a new reader alone."""
        return self.is_last and (self._last is None or not self._last.is_at(self._path))

    def seek(self, offset: int) -> None:
        """Go to so many bytes behind the beginning of the recording. Nothing that was read ahead
        of there is taken for what the file holds."""
        last = self._segment
        if self.is_last and last is not None and not last.is_compressed and offset >= self.start:
            last.file.seek(0, os.SEEK_END)
            last.file.seek(offset - self.start)
            return
        self._leave()
        self._index, self.start = -1, 0
        while not self._current().skip_to(offset - self.start) and not self.is_last:
            self._move_on()

    def _current(self) -> Segment:
        if self._segment is None:
            self._move_on()
        assert self._segment is not None
        return self._segment

    def _move_on(self) -> None:
        """Open the next segment."""
        if self._segment is not None:
            self.start += self._segment.size()
        self._leave()
        self._index += 1
        if self._index < len(self._closed):
            self._segment = _open_closed(self._closed[self._index])
        elif self._last is None:
            raise SegmentError(self._path, "is missing")
        else:
            if self._last.is_compressed:  # it cannot be read again from its beginning
                self._last.close()
                self._last = Segment(self._last.path)
            else:
                self._last.file.seek(0)
            self._segment = self._last

    def _leave(self) -> None:
        if self._segment is not None and self._segment is not self._last:
            self._segment.close()
        self._segment = None

    def close(self) -> None:
        """Close what is open."""
        self._leave()
        if self._last is not None:
            self._last.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open_last(path: Path) -> Segment | None:
    """The file that is written to, or was written to last; None when it is missing."""
    for place in (path, compressed_path(path), next_path(path)):
        with suppress(FileNotFoundError):
            return Segment(place)
    return None


def _open_closed(path: Path) -> Segment:
    """A closed segment, which may have been compressed since it was found."""
    for place in (path, compressed_path(path)):
        with suppress(FileNotFoundError):
            return Segment(place)
    raise SegmentError(path, "is missing")


# ---- writing ----


def settle(path: Path) -> None:
    """Bring to its end what a crash left of moving on. For who writes the recording. OSError."""
    following = next_path(path)
    if not following.exists():
        return
    if path.exists():
        following.unlink()
    else:
        os.replace(following, path)
    sync_folder(path.parent)


def move_on(journal: JournalWriter) -> None:
    """Close the file that `journal` writes to, and go on in a new one. Raises OSError."""
    path = journal.path
    journal.sync()
    following = next_path(path)
    following.unlink(missing_ok=True)
    descriptor = private_opener(str(following), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        sync_folder(path.parent)
        number = max(closed_segments(path), default=0) + 1
        os.replace(path, closed_path(path, number))
        os.replace(following, path)
        sync_folder(path.parent)
    except OSError:
        os.close(descriptor)
        raise
    journal.go_on_in(descriptor)
