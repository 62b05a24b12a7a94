"""The first lines of any data file: what discovery and drafts of instruments read."""

from __future__ import annotations

from pathlib import Path

from logos.data.layout import extension_of
from logos.data.readers.chunks import csv_chunks, read_header, split_line
from logos.data.readers.optional import require_arrow
from logos.files import is_cut


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
