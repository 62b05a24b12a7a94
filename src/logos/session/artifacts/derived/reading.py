"""The tables of a session read row by row, while they may still grow.

A table that is being written may end in the middle of a row: what is behind its last whole line is
left out. Figures are exact Decimals; whoever adds them up does so within `EXACT`, as the default
context rounds to 28 digits.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Final

from logos.core.types import NS_PER_SECOND
from logos.session.artifacts.rows import FORMULA_STARTS

EXACT: Final = Context(prec=400, rounding=ROUND_HALF_EVEN, Emin=-9_999, Emax=9_999)
"""No sum and no product of a session's figures comes near as many digits."""

QUOTIENT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN, Emin=-9_999, Emax=9_999)
"""For quotients, which have no end: more digits than any figure is rounded to afterwards."""

Row = dict[str, str]
"""Cells by column. Of a table, a column that is not there raises ValueError."""


class _Row(dict[str, str]):
    def __missing__(self, column: str) -> str:
        raise ValueError(f"there is no column {column}")


def table_rows(path: Path, wanted: Sequence[str] = ()) -> Iterator[Row]:
    """The whole rows of a CSV table, cells by column, of the `wanted` columns only (none: of all).
    No rows where the file is not there.

    Raises OSError, and ValueError for what is no such table.
    """
    if not path.exists():
        return
    with open(path, newline="", encoding="utf-8") as file:
        is_whole = _ends_whole(file.fileno())
        try:
            rows = csv.reader(file, strict=True)
            columns = next(rows, [])
            cells = _cells_of(path, columns, wanted)
            held: list[str] | None = None
            for row in rows:
                if held is not None:
                    yield cells(held)
                held = row
            if held is not None and is_whole:
                yield cells(held)
        except csv.Error as error:
            if is_whole:
                raise ValueError(f"{path} is no table: {error}") from None
            if held is not None:
                yield cells(held)


def _ends_whole(descriptor: int) -> bool:
    """Whether the file's last byte ends a line."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) == b"\n"


def _cells_of(
    path: Path, columns: Sequence[str], wanted: Sequence[str]
) -> Callable[[Sequence[str]], Row]:
    """What makes the cells of a row. It raises ValueError for another number of them."""
    width = len(columns)
    is_all = not wanted or not set(wanted) <= set(columns) or len(wanted) < 2
    names = columns if is_all else wanted
    pick = None if is_all else itemgetter(*(columns.index(name) for name in wanted))

    def cells(row: Sequence[str]) -> Row:
        if len(row) != width:
            raise ValueError(f"{path}: a row of {len(row)} cells where there are {width} columns")
        return _Row(zip(names, row if pick is None else pick(row), strict=True))

    return cells


def plain_text(cell: str) -> str:
    """Text without the mark that keeps a spreadsheet from reading it as a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA_STARTS) else cell


@lru_cache(maxsize=4096)
def _day_ns(text: str) -> int:
    try:
        moment = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"not the day of a time of a table: {text!r}") from None
    return int(moment.timestamp()) * NS_PER_SECOND


def time_ns(cell: str) -> int:
    """Nanoseconds UTC of a time as the tables have it. Raises ValueError for another text."""
    marks = cell[10:11] + cell[13:20:3] + cell[29:]
    digits = cell[11:13] + cell[14:16] + cell[17:19] + cell[20:29]
    clock, fraction = divmod(int(digits), NS_PER_SECOND) if digits.isdecimal() else (-1, 0)
    hours, minutes, seconds = clock // 10_000, clock // 100 % 100, clock % 100
    is_time = 0 <= hours < 24 and minutes < 60 and seconds < 60 and cell.isascii()
    if marks != "T::.Z" or not is_time:
        raise ValueError(f"not a time of a table: {cell!r}")
    second = (hours * 60 + minutes) * 60 + seconds
    return _day_ns(cell[:10]) + second * NS_PER_SECOND + fraction


def number(cell: str) -> Decimal:
    """An exact figure; 0 for an empty cell. Raises ValueError for what is none."""
    if not cell:
        return Decimal(0)
    try:
        return Decimal(cell)
    except ArithmeticError:
        raise ValueError(f"not a figure of a table: {cell!r}") from None
