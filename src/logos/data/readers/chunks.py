"""The bytes of a CSV file in pieces of whole lines, plain or compressed.

Both readers work on the same pieces, so that the fast one can hand any piece it does not like
to the careful one, which then finds the exact line. A piece is read, used and forgotten: the
size of the file does not matter.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from logos.data.layout import extension_of
from logos.errors import DataError

CHUNK_BYTES: Final = 1 << 19
"""About 8,000 rows of bars, or 10,000 of quotes."""

HEADER_BYTES_MAX: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Chunk:
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
            return cast("IO[bytes]", gzip.open(path, "rb"))
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


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
    return line.decode("utf-8", "replace").rstrip("\r\n"), len(line)


def csv_chunks(path: Path, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """The file after its header line, in pieces of about `chunk_bytes`, ending at newlines.

    Raises DataError when the file cannot be opened; a compressed file that ends early is not
    raised but told in the last chunk's `cut`.
    """
    header_bytes = read_header(path)[1]
    with open_data(path) as file:
        file.read(header_bytes)
        line = 2
        rest = b""
        cut = ""
        while not cut:
            read, cut = _read_piece(path, file, chunk_bytes)
            if not read:
                break
            data = rest + read
            end = data.rfind(b"\n") + 1
            rest = data[end:]
            if end:
                newlines = data.count(b"\n", 0, end)
                yield Chunk(data[:end], line, newlines)
                line += newlines
        if rest or cut:
            yield Chunk(rest, line, 0, cut)


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
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return b"".join(parts), str(error)
    except OSError as error:
        raise DataError(f"{path}: reading failed: {error}") from error
    return b"".join(parts), ""


def fingerprint(path: Path) -> str:
    """The sha256 of the file's bytes, in hexadecimal. Raises DataError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
