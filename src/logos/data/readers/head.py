"""The first lines of any data file: what discovery and drafts of instruments read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from logos.data.layout import TIMESTAMP, clean_header, extension_of
from logos.data.readers.chunks import csv_chunks, read_header, split_line
from logos.data.readers.numbers import RowError, parse_timestamp
from logos.data.readers.optional import require_arrow
from logos.files import is_cut

_ROWS_TO_FIND_A_TIME: Final = 200


def all_lines(path: Path) -> Iterator[list[list[str]]]:
    """The header, alone, and then all rows, as cells of text, some thousands at a time.

    Raises DataError when the file cannot be read.
    """
    if extension_of(path) == ".parquet":
        require_arrow(path)
        from logos.data.readers.parquet import parquet_lines

        yield from parquet_lines(path)
        return
    header, _ = read_header(path)
    yield [split_line(header)]
    for chunk in csv_chunks(path):
        text = chunk.data.decode("utf-8", "replace")
        if is_cut(text):
            text = text[: text.rfind("\n") + 1]
        yield [split_line(line.rstrip("\r")) for line in text.split("\n") if line.rstrip("\r")]


def first_lines(path: Path, rows: int) -> list[list[str]]:
    """The header and up to `rows` rows as cells of text; empty for an empty file.

    Raises DataError when the file cannot be read.
    """
    if extension_of(path) == ".parquet":
        require_arrow(path)
        from logos.data.readers.parquet import parquet_head

        return parquet_head(path, rows)
    header, _ = read_header(path)
    if not header:
        return []
    lines = [split_line(header)]
    for chunk in csv_chunks(path):
        text = chunk.data.decode("utf-8", "replace")
        if is_cut(text):
            text = text[: text.rfind("\n") + 1]  # what was cut off says nothing of the others
        for line in text.split("\n"):
            if len(lines) > rows:
                return lines
            if line.rstrip("\r"):
                lines.append(split_line(line.rstrip("\r")))
    return lines


def first_time_ns(path: Path) -> int | None:
    """The time of the first row that has one, nanoseconds UTC; None: there is none.

    Raises DataError when the file cannot be read.
    """
    rows = first_lines(path, _ROWS_TO_FIND_A_TIME)
    header = clean_header(rows[0]) if rows else []
    if TIMESTAMP not in header:
        return None
    place = header.index(TIMESTAMP)
    for row in rows[1:]:
        try:
            return parse_timestamp(row[place])
        except (RowError, IndexError):
            continue  # the check says what is wrong with it
    return None
