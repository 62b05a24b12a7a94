"""A foreign file of text, whatever its encoding and its line ends, as UTF-8 in whole lines.

UTF-8 and UTF-16 are told by their byte-order mark, UTF-16 without one by its zero bytes. What is
neither is taken as Latin-1: the figures are the same in both, for those are ASCII, and names that
are not are refused where they matter. Lines end with LF, CRLF or CR.
"""

from __future__ import annotations

import codecs
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

from logos.data.importing.tables.container import Bounded, Member, open_member
from logos.data.readers.chunks import CHUNK_BYTES, LINE_BYTES_MAX
from logos.errors import DataError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a file as UTF-8, each ended by LF; `first_line` counts from 1.

    Only in the last piece of a file the last line may lack its end.
    """

    data: bytes
    first_line: int

    @property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        lines = self.data.decode("utf-8").split("\n")
        if not lines[-1]:
            lines.pop()
        return lines


def encoding_of(start: bytes) -> tuple[str, int]:
    """(the encoding, the length of its mark) of a text that begins with these bytes."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name, len(mark)
    even, odd = start[0:512:2], start[1:512:2]
    if len(start) >= 4 and not odd.strip(b"\0") and even.strip(b"\0"):
        return "utf-16-le", 0
    if len(start) >= 4 and not even.strip(b"\0") and odd.strip(b"\0"):
        return "utf-16-be", 0
    return "utf-8", 0


def text_pieces(member: Member, piece_bytes: int = CHUNK_BYTES) -> Generator[Piece]:
    """The lines of a member of text. Raises DataError, with the line where there is one."""
    with open_member(member) as stream:
        line, rest = 1, b""
        for data in _utf8(member, stream, piece_bytes):
            data = rest + data
            end = data.rfind(b"\n") + 1
            rest = data[end:]
            if len(rest) > LINE_BYTES_MAX:
                at = line + data.count(b"\n", 0, end)
                raise DataError(f"{member}:{at}: the line has more than {LINE_BYTES_MAX:,} bytes")
            if end:
                _check_no_zeros(member, data[:end], line)
                yield Piece(_latin_as_utf8(data[:end]), line)
                line += data.count(b"\n", 0, end)
        if rest:
            _check_no_zeros(member, rest, line)
            yield Piece(_latin_as_utf8(rest), line)


def _utf8(member: Member, stream: Bounded, piece_bytes: int) -> Iterator[bytes]:
    """The text in pieces of UTF-8 with LF alone at the ends of lines."""
    data = stream.read(piece_bytes)
    encoding, mark = encoding_of(data)
    data = data[mark:]
    decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)()
    is_first, only_cr, held = True, False, b""
    while data:
        following = stream.read(piece_bytes)
        if decoder is not None:
            try:
                data = decoder.decode(data, final=not following).encode("utf-8")
            except UnicodeError as error:
                raise DataError(f"{member}: damaged {encoding.upper()} text: {error}") from error
        data = held + data
        held = b""
        if is_first:
            _check_is_text(member, data)
            only_cr = b"\r" in data and b"\n" not in data and not data.endswith(b"\r")
            only_cr = only_cr or (data.count(b"\r") > 1 and b"\n" not in data)
            is_first = False
        if only_cr:
            data = data.replace(b"\r", b"\n")
        elif b"\r" in data:
            if following and data.endswith(b"\r"):
                data, held = data[:-1], b"\r"
            data = data.replace(b"\r\n", b"\n")
        yield data
        data = following
    if held:
        yield held


def _latin_as_utf8(data: bytes) -> bytes:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return data
    return b"".join(_line_as_utf8(line) for line in data.splitlines(keepends=True))


def _line_as_utf8(line: bytes) -> bytes:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1").encode("utf-8")
    return line


def _check_no_zeros(member: Member, data: bytes, line: int) -> None:
    at = data.find(b"\0")
    if at >= 0:
        line += data.count(b"\n", 0, at)
        raise DataError(f"{member}:{line}: there are zero bytes in it: damaged, or no text")


def _check_is_text(member: Member, data: bytes) -> None:
    start = data[:512].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise DataError(f"{member}: a web page, not data: the download failed; fetch it again")
    if start.startswith(b"version https://git-lfs"):
        raise DataError(f"{member}: a pointer of Git LFS, not the data: fetch it with git lfs pull")
