"""Parquet and Feather files, as pandas and polars write them, as tables of text cells.

A figure's text is its shortest: the fewest digits that give back the number that is stored, in the
width in which it is stored (472.16 of a 32-bit float, not 472.1600036621094). A time keeps its
zone, and one without a zone stays without.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import pyarrow.parquet as pq

from logos.data.importing.tables.container import PARQUET, Member
from logos.data.importing.tables.table import SAMPLE_ROWS
from logos.errors import DataError
from logos.files import open_regular

_BATCH_ROWS: Final = 16_384
_FAULTS: Final = (OSError, pa.ArrowException)


@dataclass(frozen=True, slots=True)
class ArrowBlock:
    """Rows of a batch, their columns already text."""

    columns: list[Any]
    first_row: int

    @property
    def is_cut(self) -> bool:
        """Never: such a file is whole or cannot be opened."""
        return False

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(row, cells), rows counted from 1."""
        columns = [column.to_pylist() for column in self.columns]
        for row, cells in enumerate(zip(*columns, strict=True), self.first_row):
            yield row, list(cells)

    def arrow_columns(self) -> list[Any] | None:
        """The cells as columns of strings."""
        return self.columns


class ArrowTable:
    """A Parquet or Feather file as a table. Raises DataError for one that cannot be read."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.separator = ","
        self.skipped: list[str] = []
        self.first_line = 1
        try:
            self._file = open_regular(member.path)
            self._schema, self._batches = self._opened()
        except _FAULTS as error:
            raise self._damaged(error) from error
        names = [_column_name(name) for name in self._schema.names]
        self.headers = [names]
        self.width = len(names)
        self._taken: list[ArrowBlock] = []
        self._taken = list(islice(self.blocks(), 1))
        self.sample = [
            cells for block in self._taken for _, cells in islice(block.rows(), SAMPLE_ROWS)
        ]
        if not self.sample:
            self.close()
            raise DataError(f"{member}: there are no rows in this file")

    def _opened(self) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        if self.member.form == PARQUET:
            parquet = pq.ParquetFile(self._file)
            batches = parquet.iter_batches(batch_size=_BATCH_ROWS, use_threads=False)
            return parquet.schema_arrow, batches
        table = feather.read_table(self._file, use_threads=False)
        return table.schema, iter(table.to_batches(max_chunksize=_BATCH_ROWS))

    def _damaged(self, error: Exception) -> DataError:
        form = "Parquet" if self.member.form == PARQUET else "Feather"
        return DataError(
            f"{self.member}: not a readable {form} file ({error}); it may be truncated: fetch it"
            " again"
        )

    def blocks(self) -> Iterator[ArrowBlock]:
        """All rows, in blocks. May be taken once."""
        row = 1
        for block in self._taken:
            row += len(block.columns[0])
            yield block
        while True:
            try:
                batch = next(self._batches, None)
            except _FAULTS as error:
                raise self._damaged(error) from error
            if batch is None:
                return
            if batch.num_rows:
                yield ArrowBlock([self._text(batch, at) for at in range(batch.num_columns)], row)
                row += batch.num_rows

    def _text(self, batch: pa.RecordBatch, at: int) -> Any:
        field = batch.schema.field(at)
        if pa.types.is_integer(field.type) and b"decimals" in (field.metadata or {}):
            raise DataError(f"{self.member}: a file of logos itself: use it as it is")
        try:
            return text_of(batch.column(at))
        except _FAULTS as error:
            raise DataError(
                f"{self.member}: column {field.name} ({field.type}) cannot be read: {error}"
            ) from error

    def close(self) -> None:
        """Close the file beneath."""
        self._file.close()


def _column_name(name: str) -> str:
    """The name of a column; an index of pandas that has none is called index."""
    return "index" if name.startswith("__index_level_") else name


def text_of(array: Any) -> Any:
    """A column of any plain type as strings; what is not there is an empty text."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return text_of(array.dictionary_decode())
    if pa.types.is_timestamp(kind):
        text = _time_text(array)
    elif pa.types.is_nested(kind):
        text = pa.array(["<nested>"] * len(array), pa.string())
    else:
        text = array.cast(pa.string())
    return pc.fill_null(text, "")


def _time_text(array: Any) -> Any:
    """Times with as few decimals as all of them need, and Z when the column has a zone."""
    wall = array.cast(pa.timestamp(array.type.unit))  # of a column with a zone: that of UTC
    for unit in ("s", "ms", "us"):
        try:
            wall = wall.cast(pa.timestamp(unit))
        except pa.ArrowInvalid:
            continue
        break
    text = wall.cast(pa.string())
    if array.type.tz is not None:
        return pc.binary_join_element_wise(text, "", "Z")
    if pc.all(pc.match_substring_regex(text, "^.{10} 00:00:00$")).as_py():
        return pc.utf8_slice_codeunits(text, 0, 10)  # days, as pandas writes them in text
    return text
