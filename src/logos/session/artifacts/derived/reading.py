"""The tables of a session read row by row, while they may still grow.

A table that is being written may end in the middle of a row: what is behind its last whole line is
left out. Figures are exact Decimals; whoever adds them up does so within `EXACT`, as the default
context rounds to 28 digits.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Final, NoReturn

from logos.session.artifacts.derived.cells import EXACT as EXACT
from logos.session.artifacts.derived.cells import QUOTIENT as QUOTIENT
from logos.session.artifacts.derived.cells import number as number
from logos.session.artifacts.derived.cells import plain_text as plain_text
from logos.session.artifacts.derived.cells import time_ns as time_ns

Row = dict[str, str]
"""Cells by column. Of a table, a column that is not there raises ValueError."""

Cells = tuple[str, ...]
"""Cells of the columns that were asked for."""

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
