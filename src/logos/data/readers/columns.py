"""The careful reader's short cut: a piece of CSV a column at a time, with the standard library.

The cells go through the same readers as in `rows`, but column by column, so that most of the
work happens inside of `map`. A piece with anything unusual in it gives None, and is then read
row by row: like the fast reader, this module only recognises pieces with nothing to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import gt, sub
from typing import Any

from logos.core.types import SIZE_UNKNOWN
from logos.data.defects import CROSSED
from logos.data.layout import BARS, QUOTES, TIMESTAMP
from logos.data.readers.chunks import Chunk
from logos.data.readers.numbers import RowError, parse_timestamp
from logos.data.readers.rows import Block, FileState, crossed_detail, report_gap


def read_columns(state: FileState, chunk: Chunk) -> Block | None:
    """The chunk as a block, or None when it must be read row by row."""
    data = chunk.data
    if (
        not state.times.is_plain
        or chunk.cut
        or b'"' in data
        or not data.endswith(b"\n")
        or not state.judge_order
    ):
        return None
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    rows = [line.split(",") for line in text.split("\n")]
    rows.pop()
    if set(map(len, rows)) != {len(state.header)}:
        return None
    cells = dict(zip(state.header, zip(*rows, strict=True), strict=True))
    try:
        block = _read_cells(state, cells, chunk.first_line)
    except RowError:
        return None
    before_ns = block.ts_ns[0] - state.interval_ns if state.last_ns is None else state.last_ns
    steps = list(map(sub, block.ts_ns, [before_ns, *block.ts_ns]))
    if min(steps) < state.interval_ns or (state.layout.kind == BARS and has_bad_bar(block.columns)):
        return None
    if state.bars.is_calendar and any(step_ns % state.interval_ns for step_ns in set(steps)):
        return None
    if state.latest_ns is not None and block.ts_ns[-1] - state.shift_ns > state.latest_ns:
        return None
    # Only now is the piece known to be good: what follows counts, and must count once.
    if state.report_gaps and state.interval_ns and max(steps) > state.interval_ns:
        for line, ts_ns, step_ns in zip(block.lines, block.ts_ns, steps, strict=True):
            if step_ns > state.interval_ns:
                report_gap(state, line, ts_ns - step_ns, ts_ns)
    if state.layout.kind == QUOTES and any(map(gt, block.columns[0], block.columns[1])):
        for line, bid, ask in zip(block.lines, *block.columns[:2], strict=True):
            if bid > ask:
                state.report(CROSSED, line, crossed_detail(state, bid, ask))
    state.rows += len(block)
    state.last_ns = block.ts_ns[-1]
    return block


def _read_cells(state: FileState, cells: dict[str, tuple[str, ...]], first_line: int) -> Block:
    layout = state.layout
    for text in dict.fromkeys(cells.get(state.symbol_name, ())):
        state.symbols[text]
    shift_ns = state.shift_ns
    ts_ns = [moment_ns + shift_ns for moment_ns in map(parse_timestamp, cells[TIMESTAMP])]
    columns: list[list[Any]] = []
    readers: list[tuple[tuple[str, ...], Callable[[str], Any], Any]] = [
        (layout.prices, state.prices.__getitem__, None),
        (layout.sizes, state.sizes.__getitem__, SIZE_UNKNOWN),
        (layout.sides, state.sides.__getitem__, ""),
    ]
    for names, read, absent in readers:
        for name in names:
            found = name in cells
            columns.append(list(map(read, cells[name])) if found else [absent] * len(ts_ns))
    return Block(ts_ns, columns, range(first_line, first_line + len(ts_ns)))


def has_bad_bar(columns: list[list[Any]]) -> bool:
    """Whether open or close of any bar lies outside of its low and high (columns 0 to 3)."""
    open_, high, low, close = columns[:4]
    return (
        any(map(gt, open_, high))
        or any(map(gt, close, high))
        or any(map(gt, low, open_))
        or any(map(gt, low, close))
    )
