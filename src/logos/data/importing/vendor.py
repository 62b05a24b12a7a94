"""What the record of a layout adds to the reading of a table of that layout.

The names of the file give the symbol, the interval and the side; some rows are no data and are
left out; some columns stand in for others. Each rule is asked of the record here, so that the rest
of the importer knows of no vendor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from logos.data.importing.cells.figures import is_not_reported
from logos.data.importing.cells.roles import TRUTHS, name_key, only_place, unfinished_place
from logos.data.importing.record import ForeignLayout
from logos.data.importing.tables.table import Table
from logos.errors import DataError

NO_SIDE_YET: Final = "rows before both a bid and an ask are known"

_NOT_CLOSED: Final = re.compile("(?i:" + "|".join(w for w, yes in TRUTHS.items() if not yes) + ")")
_FIELDS: Final = frozenset(("open", "high", "low", "close", "adj close", "volume"))
_DATES: Final = ("date", "datetime", "timestamp", "time", "index")


def whole_path(table: Table) -> str:
    """The path of a table as `ForeignLayout.path` is compared: with the name in the archive."""
    inside = table.member.inside
    return table.member.path.absolute().as_posix() + (f"/{inside}" if inside else "")


def names_of(layout: ForeignLayout | None, table: Table) -> dict[str, str]:
    """What a file's path and name say, by the layout's patterns; `symbol` is made of parts."""
    if layout is None:
        return {}
    found: dict[str, str] = {}
    for pattern, text in (
        (layout.file_name, table.member.path.name),
        (layout.file_name, table.member.name),
        (layout.path, whole_path(table)),
    ):
        match = re.search(pattern, text) if pattern else None
        if match is not None:
            found |= {name: part for name, part in match.groupdict().items() if part}
    try:
        symbol = layout.symbol.format(**found)
    except KeyError:
        return found
    return found | {"symbol": symbol.upper() if layout.upper else symbol}


def places_by_name(layout: ForeignLayout, table: Table) -> dict[str, int]:
    """The place of each role of a layout in the table's header. Raises ValueError for a name that
    several columns have which do not hold the same."""
    keys = [name_key(name) for name in table.headers[0]]
    places: dict[str, int] = {}
    for name, role in layout.roles.items():
        place = _place(keys, name)
        if role == "-" or place is None or role in places:
            continue
        second = layout.second_choice.get(name)
        if second is not None and _is_zero(table, place):
            place = _place(keys, second)
        if place is not None:
            places[role] = only_place(table.headers[0], table.sample, keys[place])
    return places


def _place(keys: Sequence[str], name: str) -> int | None:
    if name.endswith(" *"):
        start = name_key(name[:-2]) + " "
        return next((at for at, key in enumerate(keys) if key.startswith(start)), None)
    key = name_key(name)
    return keys.index(key) if key in keys else None


def _is_zero(table: Table, place: int) -> bool:
    """Whether a column holds nothing but zeros in the first rows."""
    cells = [row[place].strip() for row in table.sample if len(row) > place]
    return all(not cell.strip("0.") for cell in cells)


def shift_of(layout: ForeignLayout, table: Table, places: Mapping[str, int]) -> int:
    """By how many places the points of this table's prices are moved to the left."""
    if not layout.shift_whole:
        return layout.shift
    prices = [places[role] for role in ("open", "price", "bid", "ask") if role in places]
    has_point = any(
        "." in row[place] for row in table.sample for place in prices if len(row) > place
    )
    return 0 if has_point else layout.shift_whole


def merge_headers(table: Table, symbols: Sequence[str]) -> str:
    """Make one line of a header of several, as pandas writes columns of two levels.

    Gives the one ticker that stands there; empty when there is none. Raises DataError when there
    are several and `symbols` does not name one of them.
    """
    if len(table.headers) < 2:
        return ""
    rows = [[cell.strip() for cell in row] for row in table.headers]
    fields = max(rows, key=lambda row: sum(name_key(cell) in _FIELDS for cell in row))
    if sum(name_key(cell) in _FIELDS for cell in fields) < 2:
        return ""
    names = list(fields)
    if name_key(names[0]) not in _DATES and not any(name_key(cell) in _DATES for cell in names):
        firsts = [row[0] for row in rows if name_key(row[0]) in _DATES]
        names[0] = firsts[-1] if firsts else "date"
    tickers = _tickers(rows, fields)
    found = list(dict.fromkeys(ticker for ticker in tickers if ticker))
    chosen = found[0] if len(found) == 1 else ""
    if len(found) > 1:
        wanted = [symbol for symbol in symbols if symbol in found]
        if len(wanted) != 1:
            raise DataError(
                f"{table.member}: it holds {', '.join(found[:10])} side by side; say which with"
                f" --symbol {found[0]}, and import the file once for each"
            )
        chosen = wanted[0]
        names = [
            name if not ticker or ticker == chosen else f"{ticker} {name}"
            for name, ticker in zip(names, tickers, strict=True)
        ]
    table.headers = [names]
    return chosen


def _tickers(rows: Sequence[Sequence[str]], fields: Sequence[str]) -> list[str]:
    """The line of a header that names the ticker of each column; empty texts when there is none."""
    for row in rows:
        if row is fields or name_key(row[0]) in _DATES:
            continue
        cells = [
            "" if name_key(name) in _DATES else cell for cell, name in zip(row, fields, strict=True)
        ]
        cells[0] = ""
        if any(cells):
            return cells
    return [""] * len(fields)


class RowRules:
    """What a layout says of single rows. `left_out` names why a row is no data."""

    def __init__(
        self, layout: ForeignLayout | None, table: Table, places: Mapping[str, int], shift: int
    ) -> None:
        self._layout = layout
        self._rules: list[tuple[int, re.Pattern[str], str]] = []
        self._carried: dict[int, str] = {}
        self._is_whole = shift > 0
        self.sides: Mapping[str, str] | None = None
        self.not_reported: frozenset[str] = frozenset()
        if "close" in places and table.headers:
            place = unfinished_place(table.headers[0], table.sample)
            if place is not None:
                self._rules.append((place, _NOT_CLOSED, "of bars that had not closed"))
        if layout is None:
            return
        keys = [name_key(name) for name in table.headers[0]] if table.headers else []
        for rule in layout.left_out:
            column = rule.column
            place = column if isinstance(column, int) else _place(keys, column)
            if place is not None:
                self._rules.append((place, re.compile(rule.pattern), rule.why))
        if layout.carries_quotes:
            self._carried = {places[role]: "" for role in ("bid", "ask")}
        self.sides = layout.sides or None
        self.not_reported = frozenset(layout.not_reported)

    @property
    def patterns(self) -> list[tuple[int, str]]:
        """(place, pattern) of the cells that leave a row out."""
        return [(place, pattern.pattern) for place, pattern, _ in self._rules]

    @property
    def carried_places(self) -> list[int]:
        """Places of the cells that stand for those of the row before where they are empty."""
        return list(self._carried)

    @property
    def needs_point(self) -> bool:
        """Whether a price without a point would be of another form than the first ones."""
        return self._layout is not None and self._layout.shift_whole > 0 and not self._is_whole

    def carry_on(self, cells: Mapping[int, str]) -> None:
        """Rows were read elsewhere, and these are the carried cells of the last of them."""
        self._carried |= cells

    def left_out(self, cells: list[str]) -> str:
        """Why the row is left out; empty when it is not. Fills in what a row carries on."""
        for place, pattern, why in self._rules:
            if pattern.fullmatch(cells[place].strip()):
                return f"rows {why}"
        for place in self._carried:
            if is_not_reported(cells[place]):
                cells[place] = self._carried[place]
            else:
                self._carried[place] = cells[place]
        return NO_SIDE_YET if self._carried and not all(self._carried.values()) else ""

    def price_problem(self, text: str) -> str:
        """What is wrong with the form of a price, where whole ones have a meaning of their own."""
        if self._layout is None or not self._layout.shift_whole:
            return ""
        if self._is_whole == ("." not in text):
            return ""
        first = "whole numbers" if self._is_whole else "numbers with a point"
        return f"is {text[:40]!r}, and the prices of the first rows are {first}"
