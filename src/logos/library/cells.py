"""A table's columns by the names of a layout, and which of its rows cannot be used.

A refusal names rows as the caller counts them (from 0), with their times, and what would help.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from logos.data.defects import BACKWARDS_TIME, BAD_SIDE, DUPLICATE_BAR, NOT_A_NUMBER
from logos.data.layout import TIMESTAMP, Layout
from logos.data.readers.numbers import RowError
from logos.errors import ConfigError, DataError
from logos.library.table import INDEX, Column, Table

_TIME_NAMES: Final = (TIMESTAMP, "time", "datetime", "date", "ts", "open time", "open_time")
_SHOWN_MAX: Final = 10
_LISTED_MAX: Final = 1_000
_HINTS: Final = {
    BACKWARDS_TIME: "sort the rows by time, such as df.sort_index()",
    DUPLICATE_BAR: "drop what is double, such as df[~df.index.duplicated()]",
    NOT_A_NUMBER: "drop or fill what is missing, such as df.dropna()",
}


class Faults:
    """The rows of a table that cannot be used, the first of them with the reason."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.count = 0
        self.not_listed = 0
        """Rows with a defect of which only the first have been listed."""
        self.kinds: dict[str, None] = {}
        self._rows: set[int] = set()
        self._listed: list[tuple[int, str]] = []

    def add(self, row: int, column: str, error: RowError, moment: str = "") -> None:
        """Note one; `row` counts from 0."""
        self.count += 1
        self._rows.add(row)
        self.kinds[error.kind] = None
        if len(self._listed) < _LISTED_MAX:
            place = f"row {row}" + (f" ({moment})" if moment else "")
            what = f"{column}: {error.detail}" if column else error.detail
            self._listed.append((row, f"  {place}: {error.kind}: {what}"))

    def error(self, advice: str = "") -> DataError:
        """All of it as one error."""
        rows = len(self._rows) + self.not_listed
        lines = [f"{self._name}: {rows} row{'s' * (rows != 1)} cannot be used (counted from 0):"]
        shown = [words for _, words in sorted(self._listed)[:_SHOWN_MAX]]
        lines += shown
        more = self.count + self.not_listed - len(shown)
        if more:
            lines.append(f"  and {more} more")
        hints = [_HINTS[kind] for kind in self.kinds if kind in _HINTS]
        lines += [advice] if advice else []
        lines += [hint[0].upper() + hint[1:] + "." for hint in hints]
        return DataError("\n".join(lines))


def find_columns(
    name: str, layout: Layout, table: Table, renamed: Mapping[str, str]
) -> dict[str, Column]:
    """The columns of the layout in a table. Raises DataError for those that are not there."""
    unknown = [ours for ours in renamed if ours not in layout.columns]
    if unknown:
        raise ConfigError(
            f"columns: {', '.join(unknown)} is none of {', '.join(layout.columns)}; map these "
            'names to those of the table, such as columns={"close": "Adj Close"}'
        )
    lowered = {theirs.strip().lower(): theirs for theirs in table if theirs != INDEX}
    found: dict[str, Column] = {}
    for ours in layout.columns:
        wanted = _TIME_NAMES if ours == TIMESTAMP else (ours,)
        if ours in renamed:
            if renamed[ours] not in table:
                raise DataError(f"{name}: the table has no column {renamed[ours]!r}")
            found[ours] = table[renamed[ours]]
            continue
        theirs = next((lowered[each] for each in wanted if each in lowered), None)
        if theirs is not None:
            found[ours] = table[theirs]
    if TIMESTAMP not in found and INDEX in table:
        found[TIMESTAMP] = table[INDEX]
    missing = [ours for ours in layout.required if ours not in found]
    if missing:
        theirs_text = ", ".join(theirs for theirs in table if theirs != INDEX)
        raise DataError(
            f"{name}: no column {', '.join(missing)} among {theirs_text or 'none'}"
            f"{'; times may be the index as well' * (TIMESTAMP in missing)}. Name them with "
            f'columns={{"{missing[0]}": "THE TABLE\'S OWN NAME"}}'
        )
    return found


_SIDES: Final = {"buy": "BUY", "b": "BUY", "sell": "SELL", "s": "SELL", "": ""}


def read_side(cell: Any) -> str:
    side = _SIDES.get("" if cell is None else str(cell).strip().lower())
    if side is None:
        raise RowError(BAD_SIDE, f"aggressor {str(cell)[:40]!r} is neither buy nor sell")
    return side
