"""The bytes of a CSV file in pieces of whole lines, plain or compressed.

Both readers work on the same pieces, so that the fast one can hand any piece it does not like
to the careful one, which then finds the exact line. A piece is read, used and forgotten: the
size of the file does not matter. A line that does not end, and a packed file that unpacks to
hundreds of times its size, are refused before they fill the memory or the day.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

import msgspec

from logos.data.layout import extension_of
from logos.errors import DataError
from logos.files import open_regular

CHUNK_BYTES: Final = 1 << 19
"""About 8,000 rows of bars, or 10,000 of quotes."""

HEADER_BYTES_MAX: Final = 1 << 16
LINE_BYTES_MAX: Final = 1 << 20
UNPACKED_FREE: Final = 64 << 20
"""Bytes that any packed file may unpack to."""
UNPACKED_RATIO_MAX: Final = 250
"""And beyond: rows of prices and times unpack to 3 to 30 times their packed size."""


class Chunk(msgspec.Struct, frozen=True):
    """Whole lines of a file; only the last line of a file may lack its newline.

    `first_line` counts from 1 with the header; `newlines` are those in `data`. `cut` says why the
    stream broke off after these bytes (a compressed file that ends early), or is empty.
    """

    data: bytes
    first_line: int
    newlines: int
    cut: str = ""


def open_data(path: Path) -> IO[bytes]:
    """Open a .csv or .csv.gz for reading bytes. Raises DataError when it cannot be opened."""
    try:
        if extension_of(path) == ".csv.gz":
            return cast("IO[bytes]", _OwningGzip(open_regular(path)))
        return open_regular(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


class _OwningGzip(gzip.GzipFile):
    """Reads a packed file, and closes it as well."""

    def __init__(self, beneath: IO[bytes]) -> None:
        super().__init__(fileobj=beneath, mode="rb")
        self._beneath = beneath

    def close(self) -> None:
        super().close()
        self._beneath.close()


def unpacked_max(path: Path) -> int:
    """How many bytes a packed file may unpack to. Raises OSError."""
    return max(UNPACKED_FREE, UNPACKED_RATIO_MAX * path.stat().st_size)


def unpacks_to_too_much(path: Path) -> DataError:
    """The error of a file that unpacks to more than `unpacked_max`."""
    return DataError(
        f"{path}: unpacks to more than {UNPACKED_RATIO_MAX} times its size: that is no market "
        "data; fetch the file again, or unpack it yourself"
    )


def split_line(line: str) -> list[str]:
    """The cells of one line of CSV, by the rules of the csv module."""
    if '"' in line:
        try:
            return next(csv.reader([line]), [])
        except csv.Error:
            # Its cells are as they stand between the commas, for the reader to refuse.
            return line.split(",")
    return line.split(",")


def read_header(path: Path) -> tuple[str, int]:
    """(first line without its newline, its length in bytes); ("", 0) for an empty file.

    Raises DataError when the file cannot be read.
    """
    with open_data(path) as file:
        try:
            line = file.readline(HEADER_BYTES_MAX)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path}: cannot be read: {error}; fetch the file again") from error
    if len(line) == HEADER_BYTES_MAX and not line.endswith(b"\n"):
        raise DataError(f"{path}:1: the line has more than {HEADER_BYTES_MAX:,} bytes")
    return line.decode("utf-8", "replace").rstrip("\r\n"), len(line)


def csv_chunks(path: Path, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """The file after its header line, in pieces of about `chunk_bytes`, ending at newlines.

    Raises DataError when the file cannot be opened; a compressed file that ends early is not
    raised but told in the last chunk's `cut`.
    """
    header_bytes = read_header(path)[1]
    before = file_stamp(path)
    with open_data(path) as file:
        file.read(header_bytes)
        line = 2
        rest = b""
        cut = ""
        unpacked = header_bytes
        most = unpacked_max(path) if isinstance(file, gzip.GzipFile) else 0
        while not cut:
            read, cut = _read_piece(path, file, chunk_bytes)
            if not read:
                break
            unpacked += len(read)
            if most and unpacked > most:
                raise unpacks_to_too_much(path)
            if not most and unpacked > before.size:
                break  # a writer that is faster than this reader would never let it end
            data = rest + read
            end = data.rfind(b"\n") + 1
            rest = data[end:]
            if len(rest) > LINE_BYTES_MAX:
                at = line + data.count(b"\n", 0, end)
                raise DataError(f"{path}:{at}: the line has more than {LINE_BYTES_MAX:,} bytes")
            if end:
                whole = data[:end]
                # Faster than to count them: that compares byte by byte, this leaps from one to the
                # next, and rows are long.
                newlines = end - len(whole.replace(b"\n", b""))
                yield Chunk(whole, line, newlines)
                line += newlines
        refuse_changed(path, before)
        if rest or cut:
            yield Chunk(rest, line, 0, cut)


class FileStamp(NamedTuple):
    """What a file's state tells of its content: another one is another content."""

    size: int
    changed_ns: int
    place: int


def file_stamp(path: Path) -> FileStamp:
    """The state of a file. Raises DataError when there is none."""
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    return FileStamp(status.st_size, status.st_mtime_ns, status.st_ino)


def refuse_changed(path: Path, before: FileStamp) -> None:
    """Raise DataError when the file is not what it was: half of it would be of another time."""
    if file_stamp(path) != before:
        raise DataError(
            f"{path}: it changed while it was read; wait until its writer has finished, or use a"
            " copy of it"
        )


def _read_piece(path: Path, file: IO[bytes], piece_bytes: int) -> tuple[bytes, str]:
    """(about `piece_bytes` bytes, why the stream broke off after them or "")."""
    if not isinstance(file, gzip.GzipFile):
        try:
            return file.read(piece_bytes), ""
        except OSError as error:
            raise DataError(f"{path}: reading failed: {error}") from error
    # One large read would lose what was unpacked before the break.
    parts: list[bytes] = []
    size = 0
    try:
        while size < piece_bytes and (part := file.read1(piece_bytes - size)):
            parts.append(part)
            size += len(part)
    except EOFError as error:
        return b"".join(parts), str(error)
    except (OSError, zlib.error) as error:
        # Its checksum does not fit: any figure of it may be another one.
        raise DataError(
            f"{path}: the packed file is damaged ({error}); fetch the file again"
        ) from error
    return b"".join(parts), ""


def fingerprint(path: Path) -> str:
    """The sha256 of the file's bytes, in hexadecimal. Raises DataError when it cannot be read."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
