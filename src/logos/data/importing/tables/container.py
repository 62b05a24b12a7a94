"""The bytes of a foreign file: plain, or packed as gzip, bzip2, xz, zstandard or zip.

A file is known by its first bytes, not by its name, for names are lost and changed on the way. A
zip may hold several tables; each is a member of its own. What unpacks to hundreds of times its
size is refused before it fills the memory, and so is a file that changes while it is read.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from logos.data.readers.chunks import unpacked_max, unpacks_to_too_much
from logos.data.readers.optional import require_arrow
from logos.errors import DataError
from logos.files import open_regular

TEXT: Final = "text"
PARQUET: Final = "parquet"
ARROW: Final = "arrow"

_PACKED: Final = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_TABLES: Final = {b"PAR1": PARQUET, b"ARROW1": ARROW, b"FEA1": ARROW}
_TABLE_NAMES: Final = (".csv", ".tsv", ".txt", ".json", ".jsonl")
_FAULTS: Final = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class Member:
    """One table: a file, or one of the files in a zip (`inside` is its name there)."""

    path: Path
    form: str
    """TEXT, PARQUET or ARROW."""
    inside: str = ""

    @property
    def name(self) -> str:
        """The name without its folder, by which layouts are told."""
        return (self.inside or self.path.name).rsplit("/", 1)[-1]

    def __str__(self) -> str:
        return f"{self.path}:{self.inside}" if self.inside else str(self.path)


class Bounded:
    """The unpacked bytes of a member, counted: more than a market file has is refused."""

    def __init__(self, member: Member, stream: IO[bytes], bytes_max: int) -> None:
        self._member = member
        self._stream = stream
        self._bytes_max = bytes_max
        self._read = 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; empty at the end. Raises DataError for what cannot be unpacked."""
        try:
            data = self._stream.read(size)
        except _FAULTS as error:
            raise DataError(
                f"{self._member}: reading failed after {self._read:,} bytes, the file may be"
                f" truncated: {error}; fetch it again"
            ) from error
        self._read += len(data)
        if self._bytes_max and self._read > self._bytes_max:
            raise unpacks_to_too_much(self._member.path)
        return data


def members_of(path: Path) -> list[Member]:
    """The tables in a file, in the order of their names. Raises DataError."""
    try:
        with open_regular(path) as file:
            start = file.read(8)
        if start.startswith(_ZIP) or path.name.lower().endswith(".zip"):
            return _zip_members(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from error
    for magic, form in _TABLES.items():
        if start.startswith(magic):
            require_arrow(path)
            return [Member(path, form)]
    return [Member(path, TEXT)]


def _zip_members(path: Path) -> list[Member]:
    with zipfile.ZipFile(path) as archive:
        names = sorted(each.filename for each in archive.infolist() if not each.is_dir())
    if "[Content_Types].xml" in names:
        raise DataError(f"{path}: a workbook, not a table: save its sheet as CSV and import that")
    visible = [name for name in names if not name.rsplit("/", 1)[-1].startswith((".", "__"))]
    # HistData packs a .txt of remarks beside the data.
    tables = [name for name in visible if name.lower().endswith(".csv")] or visible
    for name in tables:
        if not name.lower().endswith(_TABLE_NAMES):
            raise DataError(
                f"{path}: it holds {name}, which is not a table of text; unpack it and import"
                " the file you want"
            )
    if not tables:
        raise DataError(f"{path}: there is no table in this archive")
    return [Member(path, TEXT, name) for name in tables]


def _unreadable(where: object, error: Exception) -> DataError:
    return DataError(f"{where}: cannot be read: {getattr(error, 'strerror', None) or error}")


@contextmanager
def open_member(member: Member) -> Iterator[Bounded]:
    """The unpacked bytes of a member of text. Raises DataError."""
    try:
        beneath = open_regular(member.path)
    except OSError as error:
        raise _unreadable(member.path, error) from error
    with beneath:
        before = _state(beneath)
        try:
            stream, is_packed = _unpacked(member, beneath)
        except (*_FAULTS, RuntimeError, NotImplementedError, KeyError) as error:
            raise _unreadable(member, error) from error
        with stream:
            yield Bounded(member, stream, unpacked_max(member.path) if is_packed else 0)
            if not beneath.closed and _state(beneath) != before:
                raise DataError(
                    f"{member.path}: it changed while it was read; import it when its writer"
                    " has finished"
                )


def _state(file: IO[bytes]) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _unpacked(member: Member, beneath: IO[bytes]) -> tuple[IO[bytes], bool]:
    if member.inside:
        return zipfile.ZipFile(beneath).open(member.inside), True
    start = beneath.read(8)
    beneath.seek(0)
    packing = next((name for magic, name in _PACKED.items() if start.startswith(magic)), "")
    if packing == "gzip" or (not packing and member.name.lower().endswith(".gz")):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=beneath)), True
    if packing == "bzip2":
        return cast("IO[bytes]", bz2.BZ2File(beneath)), True
    if packing == "xz":
        return cast("IO[bytes]", lzma.LZMAFile(beneath)), True
    if start.startswith(_ZSTD):
        return _zstandard(member, beneath), True
    return beneath, False


def _zstandard(member: Member, beneath: IO[bytes]) -> IO[bytes]:
    require_arrow(member.path)
    import pyarrow as pa

    packed: Any = pa.CompressedInputStream(pa.PythonFile(beneath, mode="r"), "zstd")
    return cast("IO[bytes]", packed)
