"""Parquet files in and out: batches of columns, judged as pieces of CSV are.

They have the columns of the CSV layouts. A time is a timestamp, ISO text or an epoch number; a
figure is a decimal, text, an integer (with the field metadata `decimals`: a count of
10**-decimals), or a double, which as a price must lie within a millionth of a tick of a tick.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from logos.core.fixed import format_units
from logos.core.instrument import Instrument
from logos.core.types import SIZE_UNKNOWN
from logos.data.layout import TIMESTAMP, Layout, clean_header
from logos.data.readers.arrow import DOUBLE_TOLERANCE_TICKS, NS_UTC, Unusual, judge
from logos.data.readers.chunks import (
    file_stamp,
    refuse_changed,
    unpacked_max,
    unpacks_to_too_much,
)
from logos.data.readers.numbers import format_timestamp
from logos.data.readers.rows import Block, FileState
from logos.errors import DataError
from logos.files import open_regular

BATCH_ROWS: Final = 8192
_DECIMALS_KEY: Final = b"decimals"
_DECIMALS_MAX: Final = 18
_BUFFER_BYTES: Final = 1 << 20
_FAULTS: Final = (OSError, pa.ArrowException, UnicodeDecodeError, OverflowError)
"""What the library raises for files that are damaged in one way or another."""


@contextmanager
def _open_parquet(path: Path) -> Iterator[pq.ParquetFile]:
    """The file, if it is what its table of contents says. Raises DataError, also for what the
    library finds wrong while it is read, and for a file that changed meanwhile."""
    try:
        open_regular(path).close()  # pyarrow would wait for the writer of a named pipe
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    before = file_stamp(path)
    try:
        with pq.ParquetFile(
            path, page_checksum_verification=True, pre_buffer=False, buffer_size=_BUFFER_BYTES
        ) as file:
            _judge_contents(path, file)
            yield file
    except _FAULTS as error:
        refuse_changed(path, before)
        words = " ".join(str(error).split())[:300]
        raise DataError(
            f"{path}: not a readable Parquet file ({words}); it may be truncated or damaged: fetch"
            " it again"
        ) from error
    refuse_changed(path, before)


def _judge_contents(path: Path, file: pq.ParquetFile) -> None:
    """Raise DataError for a table of contents that contradicts itself, or promises too much."""
    contents = file.metadata
    groups = [contents.row_group(number) for number in range(contents.num_row_groups)]
    if sum(group.num_rows for group in groups) != contents.num_rows:
        raise _contradiction(path, "its parts have another number of rows", contents.num_rows)
    if sum(group.total_byte_size for group in groups) > unpacked_max(path):
        raise unpacks_to_too_much(path)
    for field in file.schema_arrow:
        text = (field.metadata or {}).get(_DECIMALS_KEY, b"0")
        if not text.isdigit() or int(text) > _DECIMALS_MAX:
            raise DataError(
                f"{path}: column {field.name!r}: its metadata says {text[:20]!r} decimals; it must"
                f" be a number from 0 to {_DECIMALS_MAX}"
            )


def _judge_rows(path: Path, contents: pq.FileMetaData, rows: int) -> None:
    """Raise DataError unless the `rows` that were read are all that there are.

    What is said of a column is looked at only now: of some damages there pyarrow ends the process
    when it is asked, and as an error when it reads.
    """
    if rows != contents.num_rows:
        raise _contradiction(path, f"{rows:,} rows are in it", contents.num_rows)
    for number in range(contents.num_row_groups):
        group = contents.row_group(number)
        for place in range(group.num_columns if group.num_rows else 0):
            column = group.column(place)
            if "." not in column.path_in_schema and column.num_values != group.num_rows:
                words = f"a part of column {column.path_in_schema} has {column.num_values:,} values"
                raise _contradiction(path, words, group.num_rows)


def _contradiction(path: Path, what: str, rows: int) -> DataError:
    return DataError(
        f"{path}: damaged Parquet file: {what}, its table of contents says {rows:,} rows; fetch it"
        " again"
    )


def parquet_header(path: Path) -> list[str]:
    """The column names, cleaned. Raises DataError for a file that is not Parquet."""
    with _open_parquet(path) as file:
        return clean_header(file.schema_arrow.names)


def parquet_head(path: Path, rows: int) -> list[list[str]]:
    """The column names and the first `rows` rows as text cells. Raises DataError."""
    with _open_parquet(path) as file:
        names = list(file.schema_arrow.names)
        cells: list[list[str]] = []
        for batch in file.iter_batches(batch_size=max(rows, 1), use_threads=False):
            cells += [row for _, row in islice(_batch_rows(batch, 1, None), rows - len(cells))]
            if len(cells) >= rows:
                break
        return [names, *cells]


def parquet_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The file in batches of BATCH_ROWS rows, column names cleaned. Raises DataError."""
    with _open_parquet(path) as file:
        rows = 0
        for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
            rows += batch.num_rows
            yield batch.rename_columns(clean_header(batch.schema.names))
        _judge_rows(path, file.metadata, rows)


def parquet_lines(path: Path) -> Iterator[list[list[str]]]:
    """The column names, alone, and then the rows as text cells, a batch at a time."""
    yield [parquet_header(path)]
    for batch in parquet_batches(path):
        yield [row for _, row in _batch_rows(batch, 1, None)]


def read_batch(state: FileState, batch: pa.RecordBatch) -> Block | None:
    """A Parquet batch as a block, or None when the careful reader must look at it."""
    lines = range(state.rows + 1, state.rows + 1 + batch.num_rows)
    columns: dict[str, pa.Array] = {}
    if state.rules.time_format:
        return None
    try:
        for name in (*state.layout.columns, state.symbol_name):
            if name in batch.schema.names:
                field = batch.schema.field(name)
                columns[name] = _rescaled(batch.column(name), field)
        return judge(state, columns, lines)
    except (pa.ArrowException, Unusual):
        return None


def _rescaled(array: pa.Array, field: pa.Field) -> pa.Array:
    """Integers whose field metadata names their decimals become decimals."""
    if pa.types.is_float16(array.type) or pa.types.is_float32(array.type):
        # As its shortest text: the double it widens to has digits that nobody wrote.
        return array.cast(pa.float32()).cast(pa.string())
    decimals = int((field.metadata or {}).get(_DECIMALS_KEY, b"0"))
    if not decimals or not pa.types.is_integer(array.type):
        return array
    whole = array.cast(pa.int64()).cast(pa.decimal128(19, 0))
    scaled = pa.decimal128(19, decimals)
    return pa.Array.from_buffers(
        scaled, len(whole), whole.buffers(), whole.null_count, whole.offset
    )


def careful_rows(state: FileState, batch: pa.RecordBatch) -> Iterator[tuple[int, list[str]]]:
    """(row number, cells of text) of a batch, for the careful reader."""
    return _batch_rows(batch, state.rows + 1, state)


def _batch_rows(
    batch: pa.RecordBatch, first_row: int, state: FileState | None
) -> Iterator[tuple[int, list[str]]]:
    columns: list[list[str]] = []
    for name in batch.schema.names:
        array = _rescaled(batch.column(name), batch.schema.field(name))
        if pa.types.is_timestamp(array.type):
            unit_ns = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[array.type.unit]
            moments = array.cast(pa.int64()).to_pylist()
            end = None if array.type.tz is not None else -1  # without a zone: without its Z
            columns.append(
                ["" if each is None else _moment_text(each * unit_ns)[:end] for each in moments]
            )
            continue
        is_price = state is not None and name in state.layout.prices
        instrument = state.instrument if state is not None and is_price else None
        columns.append([_cell_text(value, instrument) for value in array.to_pylist()])
    for number, cells in enumerate(zip(*columns, strict=True), first_row):
        yield number, list(cells)


def _moment_text(moment_ns: int) -> str:
    try:
        return format_timestamp(moment_ns)
    except (ValueError, OverflowError):
        return f"{moment_ns} ns since 1970"


def _cell_text(value: Any, instrument: Instrument | None) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    if instrument is None or not math.isfinite(value):
        return repr(value)
    # A double next to a tick stands for the tick; any other keeps its digits, to be refused.
    units = Decimal(repr(value)).scaleb(instrument.price_decimals)
    nearest = int((units / instrument.data_tick).to_integral_value()) * instrument.data_tick
    if abs(units - nearest) <= DOUBLE_TOLERANCE_TICKS * instrument.data_tick:
        return format_units(nearest, instrument.price_decimals)
    return repr(value)


class ParquetWriter:
    """Writes blocks of one file's layout: times as timestamps, numbers as decimal128.

    `ts_ns` of the blocks are the moments as they stand in the file (a bar's open).
    """

    def __init__(self, path: Path, layout: Layout, instrument: Instrument) -> None:
        price = pa.decimal128(18, instrument.price_decimals)
        size = pa.decimal128(18, instrument.quantity_decimals)
        self._schema = pa.schema(
            [
                (TIMESTAMP, NS_UTC),
                *((name, price) for name in layout.prices),
                *((name, size) for name in layout.sizes),
                *((name, pa.string()) for name in layout.sides),
            ]
        )
        self._writer = pq.ParquetWriter(
            path, self._schema, compression="zstd", write_page_checksum=True
        )

    def write(self, block: Block) -> None:
        """Append the block's rows."""
        arrays = []
        for field, values in zip(self._schema, [block.ts_ns, *block.columns], strict=True):
            if pa.types.is_decimal(field.type):
                present = [None if value == SIZE_UNKNOWN else value for value in values]
                whole = pa.array(present, pa.int64()).cast(pa.decimal128(19, 0))
                arrays.append(
                    pa.Array.from_buffers(field.type, len(whole), whole.buffers(), whole.null_count)
                )
            else:
                arrays.append(pa.array(values, field.type))
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
