"""The first lines of any data file: what discovery and drafts of instruments read."""

from __future__ import annotations

from pathlib import Path

from logos.data.layout import extension_of
from logos.data.readers.chunks import csv_chunks, read_header, split_line
from logos.data.readers.optional import require_arrow
from logos.errors import DataError
from logos.files import open_regular


def first_lines(path: Path, rows: int) -> list[list[str]]:
    """The header and up to `rows` rows as cells of text; empty for an empty file.

    Raises DataError when the file cannot be read.
    """
    if extension_of(path) == ".parquet":
        require_arrow(path)
        try:
            open_regular(path).close()  # pyarrow would wait for the writer of a named pipe
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        from logos.data.readers.parquet import parquet_head

        return parquet_head(path, rows)
    header, _ = read_header(path)
    if not header:
        return []
    lines = [split_line(header)]
    for chunk in csv_chunks(path):
        for line in chunk.data.decode("utf-8", "replace").split("\n"):
            if len(lines) > rows:
                return lines
            if line.rstrip("\r"):
                lines.append(split_line(line.rstrip("\r")))
    return lines
