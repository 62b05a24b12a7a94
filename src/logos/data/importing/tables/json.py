"""JSON as exchanges and programs give it, as a table of text cells: figures keep their digits.

Rows are lists (`[[time, open, ...], ...]`), objects (`[{"time": ..., "open": ...}, ...]`), objects
under their time, or columns (`{"t": [...], "o": [...]}`); one such table may lie within another
object, and objects may stand a line each. The whole text is held in memory, so it is bounded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from logos.data.importing.cells.roles import name_key
from logos.data.importing.tables.container import Member, open_member
from logos.data.importing.tables.table import SAMPLE_ROWS, RowBlock, is_header
from logos.data.importing.tables.text import text_pieces
from logos.errors import DataError

BYTES_MAX: Final = 256 << 20
_DEPTH_MAX: Final = 4
_FIELDS: Final = frozenset(("open", "close", "o", "c", "price", "bid", "t", "time", "timestamp"))


def is_json(member: Member) -> bool:
    """Whether the text begins as JSON does. Raises DataError."""
    with open_member(member) as stream:
        start = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith((b"[", b"{"))


@dataclass(frozen=True, slots=True)
class ListBlock:
    """Rows that are held in memory, counted from 1."""

    cells: Sequence[Sequence[str]]
    width: int

    @property
    def is_cut(self) -> bool:
        """Never: JSON that is cut is refused."""
        return False

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(row, cells)."""
        for row, cells in enumerate(self.cells, 1):
            yield row, list(cells)

    def arrow_columns(self) -> list[Any] | None:
        """The cells as columns of strings; None when the rows are not alike."""
        if any(len(row) != self.width for row in self.cells):
            return None
        import pyarrow as pa

        return [pa.array(column, pa.string()) for column in zip(*self.cells, strict=True)]


class JsonTable:
    """A JSON text as a table. Raises DataError for one in which there is none."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.separator = ","
        self.skipped: list[str] = []
        self.first_line = 1
        self.headers: list[list[str]] = []
        found = _find(_parsed(member), _DEPTH_MAX)
        if found is None:
            raise DataError(f"{member}: there is no table of rows in this JSON")
        header, rows = found
        if not header and rows and is_header(rows[0]):
            header, rows = rows[0], rows[1:]
        if not rows:
            raise DataError(f"{member}: there are no rows in this file")
        if header:
            self.headers = [list(header)]
        self.width = len(header or rows[0])
        self._rows = rows
        self.sample = [list(row) for row in islice(rows, SAMPLE_ROWS)]

    def blocks(self) -> Iterator[RowBlock]:
        """All rows, in one block."""
        yield ListBlock(self._rows, self.width)

    def close(self) -> None:
        """Nothing is open."""


def _parsed(member: Member) -> Any:
    parts: list[str] = []
    size = 0
    for piece in text_pieces(member):
        size += len(piece.data)
        if size > BYTES_MAX:
            raise DataError(
                f"{member}: JSON of more than {BYTES_MAX >> 20} MiB; split it, or export it as CSV"
            )
        parts.append(piece.data.decode("utf-8"))
    text = "".join(parts)
    try:
        return json.loads(text, parse_float=str, parse_int=str)
    except RecursionError:
        raise DataError(f"{member}: JSON of too many levels") from None
    except json.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and lines[0].lstrip().startswith(("{", "[")):
            whole = _lines(lines)
            if whole is not None:
                return whole
        raise DataError(
            f"{member}:{error.lineno}: damaged JSON ({error.msg}); it may be cut short: fetch it"
            " again"
        ) from None


def _lines(lines: Sequence[str]) -> list[Any] | None:
    try:
        return [json.loads(line, parse_float=str, parse_int=str) for line in lines]
    except json.JSONDecodeError:
        return None


_Found = tuple[list[str], list[list[str]]]


def _find(value: Any, depth: int) -> _Found | None:
    """(header, rows) of the table in a JSON value; the header is empty where rows are lists."""
    if isinstance(value, list):
        return _of_list(value)
    if not isinstance(value, dict) or not depth:
        return None
    return _of_parts(value) or _of_columns(value) or _of_times(value) or _within(value, depth)


def _of_list(value: list[Any]) -> _Found | None:
    if value and all(isinstance(row, list) for row in value):
        return [], [[_text(cell) for cell in row] for row in value]
    if value and all(isinstance(row, dict) for row in value):
        header = list(dict.fromkeys(name for row in value for name in row))
        return header, [[_text(row.get(name)) for name in header] for row in value]
    return None


def _of_parts(value: dict[str, Any]) -> _Found | None:
    """`{"columns": [...], "data": [[...]]}`, which pandas and others write."""
    rows = value.get("data", value.get("values"))
    names = value.get("columns", value.get("fields"))
    if not isinstance(names, list) or not isinstance(rows, list):
        return None
    found = _of_list(rows)
    index = value.get("index")
    if found is None or found[0]:
        return None
    if isinstance(index, list) and len(index) == len(rows):
        named = ["index", *map(_text, names)]
        return named, [[_text(at), *row] for at, row in zip(index, found[1], strict=True)]
    return [_text(name) for name in names], found[1]


def _of_columns(value: dict[str, Any]) -> _Found | None:
    """A list, or an object of rows, under the name of each column."""
    if len(_FIELDS & {name_key(name) for name in value}) < 2:
        return None
    lists = {name: each for name, each in value.items() if isinstance(each, list)}
    if len(lists) > 1 and len({len(each) for each in lists.values()}) == 1:
        columns = [[_text(cell) for cell in each] for each in lists.values()]
        return list(lists), [list(row) for row in zip(*columns, strict=True)]
    tables = {name: each for name, each in value.items() if isinstance(each, dict)}
    if len(tables) > 1 and len({tuple(each) for each in tables.values()}) == 1:
        keys = list(next(iter(tables.values())))
        rows = [[key, *(_text(each[key]) for each in tables.values())] for key in keys]
        has_time = any(name_key(name) in ("date", "time", "timestamp") for name in tables)
        return ["-" if has_time else "index", *tables], rows
    return None


def _of_times(value: dict[str, Any]) -> _Found | None:
    """An object of figures under each time, as Alpha Vantage writes them."""
    if len(value) < 1 or not all(isinstance(each, dict) for each in value.values()):
        return None
    if not all(key[:4].isdigit() for key in value):
        return None
    names = list(dict.fromkeys(name for each in value.values() for name in each))
    rows = [[key, *(_text(each.get(name)) for name in names)] for key, each in value.items()]
    return ["time", *names], rows


def _within(value: dict[str, Any], depth: int) -> _Found | None:
    """The one table among the values of an object."""
    found = [each for each in (_find(part, depth - 1) for part in value.values()) if each]
    return found[0] if len(found) == 1 else None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value)
