"""The fast reader: pieces of files into columns, a column at a time.

Decimals are parsed by pyarrow at the instrument's scale, which fails where a digit would be
lost; the 128-bit results are read as whole numbers and narrowed to int64. All rules are then
judged on whole columns. A piece with anything unusual in it gives None, and the careful reader
(`rows`) takes that piece and says what is wrong and where. So this module decides nothing: it
only recognises the pieces about which there is nothing to decide.

Pieces of CSV are read here, batches of Parquet in `parquet`; nothing else in this room imports
pyarrow, and numpy is not needed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from decimal import Decimal
from struct import pack
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from logos.core.instrument import Instrument
from logos.core.types import SIZE_UNKNOWN
from logos.data.defects import CROSSED
from logos.data.layout import BARS, QUOTES, TIMESTAMP
from logos.data.readers.chunks import Chunk
from logos.data.readers.numbers import UNITS_LIMIT, RowError
from logos.data.readers.rows import Block, FileState, crossed_detail, report_gap
from logos.data.times.epochs import EPOCH_BANDS

# While it reads, pyarrow would put handlers of its own in place of ours: a SIGTERM that came then
# would stop a read instead of the session, or be lost.
pa.enable_signal_handlers(False)
# Its own allocators keep what a thread has freed, some 30 MiB after reading in two of them.
if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
    pa.set_memory_pool(pa.system_memory_pool())

DOUBLE_TOLERANCE_TICKS: Final = Decimal("0.000001")
"""How far from a tick a price stored as a double may be, as a part of the tick."""

NS_UTC: Final = pa.timestamp("ns", "UTC")
_WIDE: Final = pa.decimal128(38, 24)
"""Holds every size anybody writes: 14 digits before the point and 24 after it."""


class Unusual(Exception):
    """Something in this piece must be judged by the careful reader."""


def read_chunk(state: FileState, chunk: Chunk) -> Block | None:
    """The chunk as a block, or None when the careful reader must look at it."""
    data = chunk.data
    # Quotes, a last line that was cut, old line ends and marks within the text: not here.
    if (
        not state.times.is_plain
        or chunk.cut
        or b'"' in data
        or not data.endswith(b"\n")
        or data.startswith(b"\xef\xbb\xbf")
    ):
        return None
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return None
    rows = chunk.newlines
    try:
        table = _parse_with_fitting_sizes(state, data)
        if table.num_rows != rows:
            return None
        columns = {name: _one_array(table.column(name)) for name in table.column_names}
        return judge(state, columns, range(chunk.first_line, chunk.first_line + rows))
    except (pa.ArrowInvalid, Unusual):
        return None


def _parse_with_fitting_sizes(state: FileState, data: bytes) -> pa.Table:
    """Sizes are tried at the instrument's decimals, which is cheap, and then at many more."""
    if not state.has_long_sizes:
        try:
            return _parse_csv(state, data, pa.decimal128(18, state.instrument.quantity_decimals))
        except pa.ArrowInvalid:
            table = _parse_csv(state, data, _WIDE)
            state.has_long_sizes = True
            return table
    return _parse_csv(state, data, _WIDE)


def _parse_csv(state: FileState, data: bytes, size_type: pa.DataType) -> pa.Table:
    header, layout = state.header, state.layout
    first_cell = data[: data.find(b"\n")].split(b",")[header.index(TIMESTAMP) :][:1]
    is_epoch = bool(first_cell) and first_cell[0].isdigit()
    # pyarrow reads 0x10 as a number; no spelling of ours has an x.
    if is_epoch and (b"x" in data or b"X" in data):
        raise Unusual
    price_type = pa.decimal128(18, state.instrument.price_decimals)
    types: dict[str, pa.DataType] = {TIMESTAMP: pa.int64() if is_epoch else NS_UTC}
    types.update((name, price_type) for name in layout.prices)
    types.update((name, size_type) for name in layout.sizes)
    types.update((name, pa.string()) for name in layout.sides)
    wanted = [name for name in layout.columns if name in header]
    if state.symbol_name:
        types[state.symbol_name] = pa.string()
        wanted.append(state.symbol_name)
    return pa_csv.read_csv(
        pa.BufferReader(pa.py_buffer(data)),
        read_options=pa_csv.ReadOptions(
            column_names=header, block_size=len(data) + 1, use_threads=False
        ),
        parse_options=pa_csv.ParseOptions(quote_char=False),
        convert_options=pa_csv.ConvertOptions(
            column_types=types,
            include_columns=wanted,
            null_values=[""],
            strings_can_be_null=False,
        ),
    )


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def judge(state: FileState, columns: dict[str, pa.Array], lines: Sequence[int]) -> Block:
    """Whole columns by the rules of `rows`; raises Unusual where a row would be refused."""
    layout = state.layout
    instrument = state.instrument
    _judge_symbols(state, columns.get(state.symbol_name))
    ts_ns = _times(state, columns[TIMESTAMP])
    if state.shift_ns:
        ts_ns = pc.add_checked(ts_ns, _number(state.shift_ns))
    prices = [_prices(columns[name], instrument) for name in layout.prices]
    sizes = [_sizes(columns.get(name), instrument, len(ts_ns)) for name in layout.sizes]
    steps = pc.subtract(ts_ns.slice(1), ts_ns.slice(0, len(ts_ns) - 1))
    if layout.kind == BARS:
        _judge_bars(state, prices, steps)
    elif len(steps) and pc.min(steps).as_py() < 0:
        raise Unusual
    first_ns = ts_ns[0].as_py()
    step_ns = state.interval_ns if state.last_ns is None else first_ns - state.last_ns
    if step_ns < state.interval_ns:
        raise Unusual
    if state.bars.is_calendar and (
        step_ns % state.interval_ns or not _rounds_to_multiple(steps, state.interval_ns)
    ):
        raise Unusual
    if state.latest_ns is not None and ts_ns[-1].as_py() - state.shift_ns > state.latest_ns:
        raise Unusual
    sides = [_sides(columns.get(name), state, len(ts_ns)) for name in layout.sides]
    block = Block(_to_list(ts_ns), [*map(_to_list, prices), *map(_to_list, sizes), *sides], lines)
    # Only now is the piece known to be good: what follows counts, and must count once.
    if state.interval_ns and state.report_gaps:
        _report_gaps(state, block, steps)
    if layout.kind == QUOTES:
        for row in _positions(pc.greater(prices[0], prices[1])):
            bid, ask = (column[row] for column in block.columns[:2])
            state.report(CROSSED, lines[row], crossed_detail(state, bid, ask))
    state.rows += len(block)
    state.last_ns = block.ts_ns[-1]
    return block


def _judge_symbols(state: FileState, array: pa.Array | None) -> None:
    """Every row must be of the file's symbol, or Unusual."""
    if array is None:
        return
    try:
        for text in pc.unique(array).to_pylist():
            state.symbols["" if text is None else str(text)]
    except RowError:
        raise Unusual from None


def _judge_bars(state: FileState, prices: list[pa.Array], steps: pa.Array) -> None:
    open_, high, low, close = prices
    above = pc.any(pc.greater(pc.max_element_wise(open_, close), high)).as_py()
    below = pc.any(pc.less(pc.min_element_wise(open_, close), low)).as_py()
    if above or below or (len(steps) and pc.min(steps).as_py() < state.interval_ns):
        raise Unusual


def _report_gaps(state: FileState, block: Block, steps: pa.Array) -> None:
    if state.last_ns is not None and block.ts_ns[0] - state.last_ns > state.interval_ns:
        report_gap(state, block.lines[0], state.last_ns, block.ts_ns[0])
    if len(steps) and pc.max(steps).as_py() > state.interval_ns:
        for row in _positions(pc.greater(steps, _number(state.interval_ns))):
            report_gap(state, block.lines[row + 1], block.ts_ns[row], block.ts_ns[row + 1])


def _positions(mask: pa.Array) -> list[int]:
    positions: list[int] = pc.indices_nonzero(mask).to_pylist() if pc.any(mask).as_py() else []
    return positions


def _times(state: FileState, array: pa.Array) -> pa.Array:
    """Nanoseconds since 1970 as int64, by the rules of `numbers.parse_timestamp`."""
    if array.null_count or not len(array):
        raise Unusual
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = array.cast(NS_UTC)
    if pa.types.is_timestamp(array.type):
        if array.type.tz is None and state.rules.timezone.upper() != "UTC":
            raise Unusual
        return array.cast(pa.timestamp("ns", array.type.tz)).cast(pa.int64())
    if not pa.types.is_integer(array.type):
        raise Unusual
    array = array.cast(pa.int64())
    bounds = pc.min_max(array)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    for first, beyond, unit_ns in EPOCH_BANDS:
        if first <= low and high < beyond:
            return array if unit_ns == 1 else pc.multiply_checked(array, _number(unit_ns))
    raise Unusual


def _number(value: int) -> pa.Scalar:
    """A number that pyarrow takes as it is: of a Python one it asks whether it is of pandas, also
    in `pa.scalar`, and imports that: more time than a million rows take, and 30 MiB."""
    return _scalar(pa.int64(), value.to_bytes(8, "little", signed=True))


def _scalar(kind: pa.DataType, content: bytes) -> pa.Scalar:
    """The value of 8 bytes in the order that Arrow has on this machine."""
    if sys.byteorder == "big":
        content = content[::-1]
    return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(content)])[0]


def _whole(array: pa.Array) -> pa.Array:
    """The unscaled numbers of a decimal128 array as int64."""
    unscaled = pa.Array.from_buffers(
        pa.decimal128(array.type.precision, 0),
        len(array),
        array.buffers(),
        array.null_count,
        array.offset,
    )
    return unscaled.cast(pa.int64())


def _rounds_to_multiple(array: pa.Array, step: int) -> bool:
    length = _number(step)
    multiple = pc.multiply(pc.divide(array, length), length)
    return bool(pc.all(pc.equal(multiple, array)).as_py())


def _prices(array: pa.Array, instrument: Instrument) -> pa.Array:
    """Price units as int64: positive multiples of the tick, or Unusual."""
    if array.null_count:
        raise Unusual
    if pa.types.is_floating(array.type):
        units = _double_prices(array.cast(pa.float64()), instrument)
    else:
        if pa.types.is_integer(array.type):
            array = array.cast(pa.int64()).cast(pa.decimal128(19, 0))
        units = _whole(array.cast(pa.decimal128(18, instrument.price_decimals)))
    if pc.min(units).as_py() <= 0:
        raise Unusual
    if instrument.data_tick > 1 and not _rounds_to_multiple(units, instrument.data_tick):
        raise Unusual
    return units


def _double_prices(array: pa.Array, instrument: Instrument) -> pa.Array:
    """Doubles to the nearest tick, within half of the tolerance; the other half is careful's."""
    scale = _scalar(pa.float64(), pack("<d", instrument.price_scale))
    tick = _scalar(pa.float64(), pack("<d", instrument.data_tick))
    ticks = pc.divide(pc.multiply(array, scale), tick)
    nearest = pc.round(ticks)
    distance = pc.max(pc.abs(pc.subtract(ticks, nearest))).as_py()
    if not distance <= float(DOUBLE_TOLERANCE_TICKS) / 2 or pc.max(nearest).as_py() >= 2**52:
        raise Unusual
    return pc.multiply_checked(nearest.cast(pa.int64()), _number(instrument.data_tick))


def _sizes(array: pa.Array | None, instrument: Instrument, rows: int) -> pa.Array:
    """Quantity units as int64, truncated; SIZE_UNKNOWN for nulls and for no column at all."""
    if array is None or array.null_count == len(array):
        return pa.repeat(_number(SIZE_UNKNOWN), rows)
    if pa.types.is_floating(array.type):
        array = array.cast(pa.float64()).cast(pa.string())
    if pa.types.is_integer(array.type):
        array = array.cast(pa.int64()).cast(pa.decimal128(19, 0))
    if not pa.types.is_decimal(array.type):
        array = array.cast(_WIDE)
    decimals = instrument.quantity_decimals
    if array.type != pa.decimal128(18, decimals):
        array = array.cast(pa.decimal128(38, decimals), safe=False)
    units = _whole(array)
    bounds = pc.min_max(units)
    if bounds["min"].as_py() < 0 or bounds["max"].as_py() >= UNITS_LIMIT:
        raise Unusual
    return pc.fill_null(units, _number(SIZE_UNKNOWN)) if units.null_count else units


def _sides(array: pa.Array | None, state: FileState, rows: int) -> list[str]:
    if array is None:
        return [""] * rows
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    if array.null_count:
        raise Unusual
    try:
        names = [state.sides[str(text)] for text in array.dictionary.to_pylist()]
    except RowError:
        raise Unusual from None
    return list(map(names.__getitem__, _to_list(array.indices.cast(pa.int64()))))


def _to_list(array: pa.Array) -> list[int]:
    """An int64 array without nulls as a list of integers."""
    values = memoryview(array.buffers()[1]).cast("q")
    return values[array.offset : array.offset + len(array)].tolist()
