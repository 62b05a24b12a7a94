"""A foreign file as a table: where its rows begin, what divides their cells, what heads them.

What is found out here is only the form. Which column holds what is the next step's question.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Protocol

from logos.data.importing.tables.container import Member
from logos.data.importing.tables.text import Piece, text_pieces
from logos.data.readers.chunks import split_line
from logos.errors import DataError

SAMPLE_ROWS: Final = 2_000
_PREAMBLE_MAX: Final = 64
_SEPARATORS: Final = ("\t", ";", "|", ",")
_NUMBERED: Final = re.compile(r"\s*[\"']?[-+(]?[.,]?[0-9]")
_WORDS: Final = frozenset(("nan", "null", "none", "na", "true", "false", "buy", "sell", "b", "s"))


class RowBlock(Protocol):
    """Some rows that follow each other in a file."""

    @property
    def is_cut(self) -> bool:
        """Whether the last line lacks its end."""
        ...

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line or row number, cells) of each row that is not empty."""
        ...

    def arrow_columns(self) -> list[Any] | None:
        """The cells as columns of pyarrow strings, or None when they need a careful look."""
        ...


class Table(Protocol):
    """A table of text cells, whatever it was packed in."""

    member: Member
    headers: list[list[str]]
    """The lines above the rows that have as many cells as they: none, one, or several."""
    width: int
    sample: list[list[str]]
    separator: str
    skipped: list[str]
    """Lines before the header that are no part of the table."""
    first_line: int
    """The line, or the row, at which the rows begin."""

    def blocks(self) -> Iterator[RowBlock]:
        """All rows, in blocks."""
        ...

    def close(self) -> None:
        """Close the file beneath."""
        ...


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Rows of a file of text."""

    piece: Piece
    separator: str

    @property
    def is_cut(self) -> bool:
        """Whether the last line lacks its end."""
        return not self.piece.data.endswith(b"\n")

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line, cells) of each row; blank lines and lines of blank cells are passed over."""
        for line, text in enumerate(self.piece.lines, self.piece.first_line):
            if text.strip():
                yield line, split_cells(text, self.separator)

    def arrow_columns(self) -> list[Any] | None:
        """As `RowBlock.arrow_columns`."""
        from logos.data.importing.tables.columns import text_columns

        return text_columns(self.piece.data, self.separator)


def split_cells(text: str, separator: str) -> list[str]:
    """The cells of one line."""
    if separator == ",":
        return split_line(text)
    if '"' not in text:
        return text.split(separator)
    try:
        return next(csv.reader([text], delimiter=separator), [])
    except csv.Error:
        return text.split(separator)


class TextTable:
    """A file of text as a table. Raises DataError for one in which there are no rows."""

    def __init__(self, member: Member, *, separator: str = "", skip: int = 0) -> None:
        self.member = member
        self._pieces = text_pieces(member)
        first = next(self._pieces, None)
        if first is None:
            raise DataError(f"{member}: there are no rows in this file")
        self._first = first
        lines = first.lines[skip : skip + SAMPLE_ROWS]
        self.separator = separator or find_separator(lines)
        cells = [split_cells(line, self.separator) if line.strip() else [] for line in lines]
        self.width = _usual_width(cells)
        top = next((at for at, row in enumerate(cells) if len(row) == self.width), 0)
        if not self.width or top > _PREAMBLE_MAX:
            raise DataError(f"{member}: no table is found in it; say --separator and --skip")
        self.skipped = [line for line in first.lines[: skip + top] if line.strip()]
        above = top
        self.headers = []
        for row in cells[top:]:
            if row and not is_header(row):
                break
            if len(row) == self.width:
                self.headers.append([cell.strip() for cell in row])
            elif row:
                self.skipped.append(self.separator.join(row))
            top += 1
        self._check_above(lines[:above], skip)
        self._first_row = skip + top
        below = [at for at, row in enumerate(cells[top:], skip + top + 1) if row]
        self.first_line = below[0] if below else 1
        rows = [row for row in cells[top:] if row]
        self.sample = [row for row in rows if len(row) == self.width]
        if rows and not self.sample:
            raise DataError(
                f"{member}:{self.first_line}: {len(rows[0])} columns instead of {self.width}:"
                f" {self.separator.join(rows[0])[:60]!r}"
            )
        if not self.sample:
            next(self._pieces, None)  # a line without an end is told by its length
            raise DataError(f"{member}: there are no rows in this file")

    def _check_above(self, lines: Sequence[str], skip: int) -> None:
        """Refuse a line above the table that could be a row of it: it would be lost."""
        for line, text in enumerate(lines, skip + 1):
            is_row = _NUMBERED.match(text) or (not self.headers and re.search("[0-9]", text))
            if is_row and not text.startswith("#"):
                raise DataError(
                    f"{self.member}:{line}: not a row of the table below it: {text[:60]!r}; say"
                    f" --skip {line} if it is none"
                )

    def blocks(self) -> Iterator[RowBlock]:
        """All rows, in blocks. May be taken once."""
        first = self._first
        rest = first.data.split(b"\n", self._first_row)[self._first_row]
        start = Piece(rest, first.first_line + self._first_row)
        pieces = chain([start], self._pieces) if rest else self._pieces
        return (TextBlock(piece, self.separator) for piece in pieces)

    def close(self) -> None:
        """Close the file beneath."""
        self._pieces.close()


def is_header(row: Sequence[str]) -> bool:
    """Whether these cells are names: there are words among them, and nothing like a number."""
    cells = [cell.strip() for cell in row]
    if any(_NUMBERED.match(cell) and not re.match(r"[0-9]\. [a-z]", cell) for cell in cells):
        return False
    return any(cell and cell.lower() not in _WORDS for cell in cells)


def find_separator(lines: Sequence[str]) -> str:
    """What stands between the cells of these lines: the sign that divides most of them alike."""
    texts = [line for line in lines if line.strip()]
    best, best_share = ",", 0.0
    for separator in _SEPARATORS:
        widths = Counter(len(split_cells(text, separator)) for text in texts)
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        share = count / max(len(texts), 1) if width > 2 else 0.0
        # Of two that divide alike, the first named: a comma may stand within figures.
        if share > best_share + 0.05:
            best, best_share = separator, share
    return best


def _usual_width(cells: Sequence[Sequence[str]]) -> int:
    widths = Counter(len(row) for row in cells if row)
    if not widths:
        return 0
    # With a table of one row, its header decides with it against lines of remarks.
    return max(widths, key=lambda width: (widths[width] if width > 1 else 0, width))
