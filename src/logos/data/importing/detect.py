"""Which known layout a table is of: all of them are asked, and two answers are a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from logos.data.importing.cells.figures import find_decimal
from logos.data.importing.cells.roles import name_key
from logos.data.importing.cells.times import EPOCH
from logos.data.importing.record import ForeignLayout
from logos.data.importing.tables.table import Table
from logos.data.importing.vendor import whole_path
from logos.data.times.epochs import looks_like_number
from logos.errors import DataError

_FIGURE: Final = re.compile(
    r"[+-]?[$€£¥₹]?([0-9]{1,3}([.,'\u00a0\u202f ][0-9]{3})*|[0-9]+)([.,][0-9]+)?"
)


def why_not(layout: ForeignLayout, table: Table) -> str:
    """Why the table is not of the layout; empty when it is."""
    if layout.separator and table.separator != layout.separator:
        return f"its cells stand between {table.separator!r}, not {layout.separator!r}"
    if layout.file_name and layout.name_decides and name_match(layout, table) is None:
        return f"its name, {table.member.name}, is not that of such a file"
    if layout.path and re.search(layout.path, whole_path(table)) is None:
        return f"its path, {table.member}, is not that of such a file"
    problem = _why_not_row(layout, table) if layout.row else _why_not_header(layout, table)
    if not problem and layout.decimal == "." and _may_have_commas(layout, table):
        return "its decimals follow a comma, or may do so"
    if problem or layout.doubt is None:
        return problem
    return layout.doubt(table.sample)


def _may_have_commas(layout: ForeignLayout, table: Table) -> bool:
    """Whether decimals follow a comma, or, in a country's way of writing tables, may do so."""
    cells = [cell for row in table.sample for cell in row if _FIGURE.fullmatch(cell.strip())]
    found = find_decimal(cells, table.separator)
    return found == "," or (not found and table.separator == ";" and not layout.separator)


def _why_not_header(layout: ForeignLayout, table: Table) -> str:
    if not table.headers:
        return "it has no header"
    keys = {name_key(cell) for row in table.headers for cell in row}
    missing = [name for name in layout.header if name_key(name) not in keys]
    if missing:
        return f"its header has no column {', '.join(missing)}"
    others = [name for name in layout.absent if name_key(name) in keys]
    if others:
        return f"its header has a column {', '.join(others)}"
    return _why_not_number(layout, table) if layout.time_format == EPOCH else ""


def _why_not_number(layout: ForeignLayout, table: Table) -> str:
    """Why times that should be numbers since 1970 are none; by the first row."""
    header = [name_key(cell) for cell in table.headers[0]]
    for name, role in layout.roles.items():
        if role == "time" and name_key(name) in header:
            cell = table.sample[0][header.index(name_key(name))].strip()
            return "" if looks_like_number(cell) else f"its times are no numbers: {cell[:40]!r}"
    return ""


def _why_not_row(layout: ForeignLayout, table: Table) -> str:
    if table.headers and not layout.optional_header:
        return "it has a header"
    if table.width != len(layout.row):
        return f"its rows have {table.width} columns, not {len(layout.row)}"
    for place, (cell, shape) in enumerate(zip(table.sample[0], layout.row, strict=False), 1):
        if re.fullmatch(shape, cell.strip()) is None:
            return f"column {place} of its first row is {cell[:40]!r}"
    return ""


def name_match(layout: ForeignLayout, table: Table) -> re.Match[str] | None:
    """What the layout's pattern finds in the table's name, or in that of its archive."""
    if not layout.file_name:
        return None
    names = dict.fromkeys((table.member.name, table.member.path.name))
    found = (re.search(layout.file_name, name) for name in names)
    return next((match for match in found if match is not None), None)


def find_layout(
    layouts: Sequence[ForeignLayout], table: Table, name: str = ""
) -> ForeignLayout | None:
    """The layout of a table; None when it is of none that is known.

    `name` is the format that was asked for. Raises DataError when the table is not of it, and
    when it is of several: which of them is then to be said.
    """
    if name:
        asked = [layout for layout in layouts if layout.name == name]
    else:
        asked = [each for each in layouts if not each.on_request or name_match(each, table)]
    if not asked:
        known = ", ".join(sorted({layout.name for layout in layouts}))
        raise DataError(f"unknown format {name!r}; known: {known}")
    fitting = [layout for layout in asked if not why_not(layout, table)]
    if name and not fitting:
        reasons = "; ".join(
            dict.fromkeys(f"not {each.title}: {why_not(each, table)}" for each in asked)
        )
        raise DataError(f"{table.member}: not of the format {name}: {reasons}")
    if len(fitting) > 1:
        # A name that is written like a vendor's tells its file from others of the same form.
        fitting = [each for each in fitting if each.name_decides or each.path] or fitting
    if len(fitting) > 1:
        names = " or ".join(f"{each.name} ({each.title})" for each in fitting)
        raise DataError(f"{table.member}: its form fits {names}; say which with --format")
    if not fitting:
        return None
    if fitting[0].refused:
        raise DataError(f"{table.member}: {fitting[0].title}: {fitting[0].refused}")
    return fitting[0]
