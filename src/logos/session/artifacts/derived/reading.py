"""The tables of a session read row by row, while they may still grow.

A table that is being written may end in the middle of a row: what is behind its last whole line is
left out. Figures are exact Decimals; whoever adds them up does so within `EXACT`, as the default
context rounds to 28 digits.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Final, NoReturn

from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND
from logos.session.artifacts.rows import FORMULA_STARTS

EXACT: Final = Context(prec=400, rounding=ROUND_HALF_EVEN, Emin=-9_999, Emax=9_999)
"""No sum and no product of a session's figures comes near as many digits."""

QUOTIENT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN, Emin=-9_999, Emax=9_999)
"""For quotients, which have no end: more digits than any figure is rounded to afterwards."""

Row = dict[str, str]
"""Cells by column. Of a table, a column that is not there raises ValueError."""

Cells = tuple[str, ...]
"""Cells of the columns that were asked for."""

_HOURS: Final = 24
_MINUTES: Final = 60
_EMPTY: Final = 2
_PLAIN_MAX: Final = 100_000
"""Longer rows may have cells that the csv module refuses."""


class _Row(dict[str, str]):
    def __missing__(self, column: str) -> str:
        raise ValueError(f"there is no column {column}")


def table_rows(path: Path, wanted: Sequence[str] = ()) -> Iterator[Row]:
    """The whole rows of a CSV table, cells by column, of the `wanted` columns only (none: of all).
    No rows where the file is not there.

    Raises OSError, and ValueError for what is no such table.
    """
    rows = _rows(path)
    columns = next(rows, [])
    is_all = not wanted or not set(wanted) <= set(columns)
    names = columns if is_all else wanted
    pick = _picker(columns, names)
    for row in rows:
        yield _Row(zip(names, row if is_all else pick(row), strict=True))


def table_cells(path: Path, wanted: Sequence[str]) -> Iterator[Cells]:
    """The same rows as their cells of the `wanted` columns, in that order: what is read of many
    rows costs half as much so. ValueError also for a column that is not there."""
    rows = _rows(path)
    columns = next(rows, [])
    missing = [name for name in wanted if name not in columns]
    pick = _picker(columns, wanted)
    for row in rows:
        if missing:
            raise ValueError(f"there is no column {missing[0]}")
        yield pick(row)


def _picker(columns: Sequence[str], wanted: Sequence[str]) -> Callable[[Sequence[str]], Cells]:
    places = [columns.index(name) for name in wanted if name in columns]
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[place] for place in places)


def _rows(path: Path) -> Iterator[list[str]]:
    """The columns of a table, then its whole rows, which have as many cells. Raises as
    `table_rows`."""
    if not path.exists():
        return
    with open(path, newline="", encoding="utf-8") as file:
        is_whole = _ends_whole(file.fileno())
        try:
            rows = _split(file)
            columns = next(rows, [])
            width = len(columns)
            yield columns
            held: list[str] | None = None
            for row in rows:
                if held is not None:
                    yield held if len(held) == width else _refuse(path, held, width)
                held = row
            if held is not None and is_whole:
                yield held if len(held) == width else _refuse(path, held, width)
        except csv.Error as error:
            if is_whole:
                raise ValueError(f"{path} is no table: {error}") from None
            if held is not None:
                yield held if len(held) == width else _refuse(path, held, width)


def _refuse(path: Path, row: Sequence[str], width: int) -> NoReturn:
    raise ValueError(f"{path}: a row of {len(row)} cells where there are {width} columns")


def _split(lines: Iterable[str]) -> Iterator[list[str]]:
    """The cells of each row. Raises csv.Error.

    A row without quotes is cut at its commas, which is what the csv module makes of it, in a third
    of the time; it has the rest.
    """
    coming = iter(lines)
    for line in coming:
        if '"' in line or "\r" in line or len(line) < _EMPTY or len(line) > _PLAIN_MAX:
            yield next(csv.reader(chain((line,), coming), strict=True))
        else:
            yield line.removesuffix("\n").split(",")


def _ends_whole(descriptor: int) -> bool:
    """Whether the file's last byte ends a line."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) == b"\n"


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


@lru_cache(maxsize=4096)
def _minute_ns(text: str) -> int:
    """Of a day, to the minute: `T09:30:`. Raises ValueError."""
    hours, minutes = text[1:3], text[4:6]
    is_time = text[::3] == "T::" and f"{hours}{minutes}".isdecimal() and text.isascii()
    if not is_time or int(hours) >= _HOURS or int(minutes) >= _MINUTES:
        raise ValueError(text)
    return (int(hours) * _MINUTES + int(minutes)) * NS_PER_MINUTE


def time_ns(cell: str) -> int:
    """Nanoseconds UTC of a time as the tables have it. Raises ValueError for another text."""
    digits = cell[17:19] + cell[20:29]
    if cell[19:20] + cell[29:] != ".Z" or not (digits.isdecimal() and digits.isascii()):
        raise ValueError(f"not a time of a table: {cell!r}")
    ns = int(digits)
    try:
        minute_ns = _minute_ns(cell[10:17])
    except ValueError:
        minute_ns = -1
    if minute_ns < 0 or ns >= NS_PER_MINUTE:
        raise ValueError(f"not a time of a table: {cell!r}")
    return _day_ns(cell[:10]) + minute_ns + ns


def number(cell: str) -> Decimal:
    """An exact figure; 0 for an empty cell. Raises ValueError for what is none."""
    if not cell:
        return Decimal(0)
    try:
        return Decimal(cell)
    except ArithmeticError:
        raise ValueError(f"not a figure of a table: {cell!r}") from None
