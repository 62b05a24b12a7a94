"""A source as a stream of blocks of columns, and blocks as events.

Each file is read piece by piece; a piece goes to the fast reader where pyarrow is installed,
and to the careful one where it is not, or where the fast one finds anything to wonder about.
The halves of a two-sided pair are read side by side and joined on their times. The same code
serves the check and the session, so the two cannot disagree about which rows are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, repeat
from operator import gt, lt, sub
from typing import Any, Final

from logos.core.instrument import Instrument
from logos.core.messages import Bar, MarketEvent, Quote, QuoteBar, Trade
from logos.data.defects import (
    BAD_HEADER,
    CROSSED,
    EMPTY_FILE,
    UNPAIRED,
    DefectTally,
)
from logos.data.layout import (
    BARS,
    QUOTE_BARS,
    QUOTES,
    clean_header,
    describe_layouts,
    extension_of,
    file_layout,
    with_sizes,
)
from logos.data.readers.chunks import Chunk, csv_chunks, read_header, split_line
from logos.data.readers.closes import with_closes
from logos.data.readers.columns import read_columns
from logos.data.readers.numbers import RowError
from logos.data.readers.optional import is_worth_arrow, require_arrow
from logos.data.readers.rows import (
    Block,
    FileState,
    check_order,
    chunk_rows,
    read_rows,
    report_doubts,
    report_gap,
)
from logos.data.source import DataSource
from logos.errors import DataError

_NO_ROWS: Final = Block([], [], [])
_SORTED_BLOCK_ROWS: Final = 8192


def read_blocks(
    source: DataSource,
    instrument: Instrument,
    *,
    accept: frozenset[str] | None = frozenset(),
    tally: DefectTally | None = None,
    fast: bool | None = None,
    latest_ns: int | None = None,
) -> Iterator[Block]:
    """Stream the usable rows of a source; times never go back.

    Defects are counted in `tally`. Raises DataError as soon as a defect outside of `accept` has
    been met; `accept=None` reads to the end whatever comes, for a check. `fast` forces one of
    the two readers; by default it is the fast one where pyarrow is installed and worth loading.
    Numbers that are times after `latest_ns` are a defect (None: not judged, as in a replay).
    Columns come in the order of the event's fields; the lines of a pair are those of the bid file.
    """
    for parts in read_files(
        source, instrument, accept=accept, tally=tally, fast=fast, latest_ns=latest_ns
    ):
        yield parts[0] if len(parts) == 1 else _two_sided(*parts)


def read_files(
    source: DataSource,
    instrument: Instrument,
    *,
    accept: frozenset[str] | None = frozenset(),
    tally: DefectTally | None = None,
    fast: bool | None = None,
    latest_ns: int | None = None,
) -> Iterator[tuple[Block, ...]]:
    """As `read_blocks`, but a pair's two files stay apart: (bid block, ask block), row for row."""
    tally = tally if tally is not None else DefectTally()
    fast = is_worth_arrow(source.paths) if fast is None else fast
    states = [_open_state(source, side, instrument, tally) for side in range(len(source.paths))]
    for state in states:
        state.latest_ns = latest_ns
    streams = [_closed(state, _file_blocks(state, accept, fast)) for state in states]
    streams = [
        _accepted(state, accept, stream) for state, stream in zip(states, streams, strict=True)
    ]
    yield from _together(source, states, streams, accept)


def read_sorted_files(
    source: DataSource, instrument: Instrument, *, accept: None, tally: DefectTally
) -> Iterator[tuple[Block, ...]]:
    """As `read_files`, with each file's usable rows sorted by time, in memory, before all else.

    Rows of equal time keep their order, except that of bars only the first is used.
    """
    states = [_open_state(source, side, instrument, tally) for side in range(len(source.paths))]
    streams = [_closed(state, _sorted_blocks(state)) for state in states]
    yield from _together(source, states, streams, accept)


def _closed(state: FileState, blocks: Iterator[Block]) -> Iterator[Block]:
    return with_closes(state, blocks) if state.interval_ns else blocks


def _accepted(
    state: FileState, accept: frozenset[str] | None, blocks: Iterator[Block]
) -> Iterator[Block]:
    """`blocks`, judged once more: what is found of bars' closes is found later than the rest."""
    yield from blocks
    if accept is not None:
        state.tally.refuse_unaccepted(accept, state.path)


def _together(
    source: DataSource,
    states: list[FileState],
    streams: list[Iterator[Block]],
    accept: frozenset[str] | None,
) -> Iterator[tuple[Block, ...]]:
    if len(streams) == 1:
        yield from ((block,) for block in streams[0])
        return
    bid, ask = states
    last_ns: int | None = None
    for parts in _paired(bid, ask, *streams):
        _judge_joined(bid, parts, last_ns)
        last_ns = parts[0].ts_ns[-1]
        _refuse(bid.tally, accept, source)
        yield parts
    _refuse(bid.tally, accept, source)


def _sorted_blocks(state: FileState) -> Iterator[Block]:
    state.judge_order = False
    blocks = list(_file_blocks(state, None, False))
    state.judge_order = True
    state.last_ns = None
    everything = _concatenated(blocks)
    latest = accumulate(everything.ts_ns, max)
    state.tally.sorted_rows += sum(map(lt, everything.ts_ns, latest))
    in_order = sorted(range(len(everything)), key=everything.ts_ns.__getitem__)
    usable: list[int] = []
    for row in in_order:
        state.settle_odd()
        try:
            check_order(state, everything.ts_ns[row], everything.lines[row])
        except RowError as error:
            state.note(error, everything.lines[row])
            continue
        state.last_ns = everything.ts_ns[row]
        usable.append(row)
    state.settle_odd(is_end=True)
    for start in range(0, len(usable), _SORTED_BLOCK_ROWS):
        yield _picked(everything, usable[start : start + _SORTED_BLOCK_ROWS])


def _concatenated(blocks: list[Block]) -> Block:
    if not blocks:
        return _NO_ROWS
    ts_ns = [moment for block in blocks for moment in block.ts_ns]
    lines = [line for block in blocks for line in block.lines]
    columns: list[list[Any]] = []
    for number in range(len(blocks[0].columns)):
        columns.append([value for block in blocks for value in block.columns[number]])
    return Block(ts_ns, columns, lines)


def _refuse(tally: DefectTally, accept: frozenset[str] | None, source: DataSource) -> None:
    if accept is not None:
        tally.refuse_unaccepted(accept, source.path)


def _open_state(
    source: DataSource, side: int, instrument: Instrument, tally: DefectTally
) -> FileState:
    path = source.paths[side]
    layout = file_layout(source.kind)
    if extension_of(path) == ".parquet":
        require_arrow(path)
        from logos.data.readers.parquet import parquet_header

        header = parquet_header(path)
    else:
        header = clean_header(split_line(read_header(path)[0]))
    header = with_sizes(header, layout, instrument.base, instrument.quote)
    if source.kind in (BARS, QUOTE_BARS) and not source.interval_ns:
        raise DataError(f"{path}: bars need an interval; name it in the file's name, such as _1m_")
    return FileState(
        path=path,
        layout=layout,
        header=header,
        instrument=instrument,
        interval_ns=source.interval_ns or 0,
        tally=tally,
        report_gaps=source.ask_path is None,
        is_named=source.is_named,
        rules=source.rules,
        bars=source.bars,
    )


def _file_blocks(state: FileState, accept: frozenset[str] | None, fast: bool) -> Iterator[Block]:
    """The usable rows of one file. Raises DataError for a defect that is not accepted."""
    if state.header == [""]:
        state.report(EMPTY_FILE, 1, "the file is empty")
    elif not set(state.layout.required) <= set(state.header):
        detail = f"columns {','.join(state.header)[:120]!r}; known layouts: {describe_layouts()}"
        state.report(BAD_HEADER, 1, detail)
    else:
        pieces = _parquet_pieces if extension_of(state.path) == ".parquet" else _csv_pieces
        for block in pieces(state, fast):
            if state.times.has_doubts:
                report_doubts(state, block.lines[0] if len(block) else 1)
            if accept is not None:
                state.tally.refuse_unaccepted(accept, state.path)
            if len(block):
                yield block
        state.settle_odd(is_end=True)
        report_doubts(state, state.rows + 1, is_end=True)
        if not state.rows:
            state.report(EMPTY_FILE, 1, "there is a header, but no rows")
    if accept is not None:
        state.tally.refuse_unaccepted(accept, state.path)


def _csv_pieces(state: FileState, fast: bool) -> Iterator[Block]:
    if not fast:
        read_chunk: Callable[[FileState, Chunk], Block | None] = read_columns
    else:
        require_arrow(state.path)
        from logos.data.readers.arrow import read_chunk

    for chunk in csv_chunks(state.path):
        state.settle_odd()
        block = read_chunk(state, chunk)
        yield read_rows(state, chunk_rows(state, chunk)) if block is None else block


def _parquet_pieces(state: FileState, fast: bool) -> Iterator[Block]:
    from logos.data.readers.parquet import careful_rows, parquet_batches, read_batch

    for read in parquet_batches(state.path):
        batch = read.rename_columns(state.header)
        state.settle_odd()
        block = read_batch(state, batch) if fast else None
        yield read_rows(state, careful_rows(state, batch)) if block is None else block


def _paired(
    bid: FileState, ask: FileState, bid_blocks: Iterator[Block], ask_blocks: Iterator[Block]
) -> Iterator[tuple[Block, Block]]:
    """Rows of both files that have the same time; the others are reported as unpaired."""
    left = right = _NO_ROWS
    while True:
        left = left if len(left) else next(bid_blocks, _NO_ROWS)
        right = right if len(right) else next(ask_blocks, _NO_ROWS)
        if not len(left) or not len(right):
            break
        rows = min(len(left), len(right))
        if left.ts_ns[:rows] == right.ts_ns[:rows]:
            left_part, right_part = left.part(0, rows), right.part(0, rows)
            left, right = left.part(rows, len(left)), right.part(rows, len(right))
        else:
            left_part, right_part, left, right = _matched(bid, ask, left, right)
        if len(left_part):
            yield left_part, right_part
    for state, block, blocks in ((bid, left, bid_blocks), (ask, right, ask_blocks)):
        while len(block):
            _report_unpaired(state, block, range(len(block)))
            block = next(blocks, _NO_ROWS)


def _two_sided(bid: Block, ask: Block) -> Block:
    *bid_prices, bid_volume = bid.columns
    *ask_prices, ask_volume = ask.columns
    # SIZE_UNKNOWN is below every size, so one unknown side makes the volume unknown.
    volume = list(map(min, bid_volume, ask_volume))
    return Block(bid.ts_ns, [*bid_prices, *ask_prices, volume], bid.lines, bid.lengths)


def _matched(
    bid: FileState, ask: FileState, left: Block, right: Block
) -> tuple[Block, Block, Block, Block]:
    """Walk both blocks until one is used up: (left and right matched, left and right rest)."""
    left_rows: list[int] = []
    right_rows: list[int] = []
    left_alone: list[int] = []
    right_alone: list[int] = []
    left_row = right_row = 0
    while left_row < len(left) and right_row < len(right):
        left_ns, right_ns = left.ts_ns[left_row], right.ts_ns[right_row]
        if left_ns == right_ns:
            left_rows.append(left_row)
            right_rows.append(right_row)
        elif left_ns < right_ns:
            left_alone.append(left_row)
        else:
            right_alone.append(right_row)
        left_row += left_ns <= right_ns
        right_row += right_ns <= left_ns
    _report_unpaired(bid, left, left_alone)
    _report_unpaired(ask, right, right_alone)
    return (
        _picked(left, left_rows),
        _picked(right, right_rows),
        left.part(left_row, len(left)),
        right.part(right_row, len(right)),
    )


def _picked(block: Block, rows: list[int]) -> Block:
    return Block(
        [block.ts_ns[row] for row in rows],
        [[column[row] for row in rows] for column in block.columns],
        [block.lines[row] for row in rows],
        None if block.lengths is None else [block.lengths[row] for row in rows],
    )


def _report_unpaired(state: FileState, block: Block, rows: list[int] | range) -> None:
    for row in rows:
        state.report(UNPAIRED, block.lines[row], "the other file of the pair has no such time")


def _judge_joined(bid: FileState, parts: tuple[Block, ...], last_ns: int | None) -> None:
    """Report gaps and crossed prices of a joined pair; the rows are kept."""
    left, right = parts
    before_ns = left.ts_ns[0] - bid.interval_ns if last_ns is None else last_ns
    steps = list(map(sub, left.ts_ns, [before_ns, *left.ts_ns]))
    if max(steps) > bid.interval_ns:
        for line, ts_ns, step_ns in zip(left.lines, left.ts_ns, steps, strict=True):
            if step_ns > bid.interval_ns:
                report_gap(bid, line, ts_ns - step_ns, ts_ns)
    sides = list(zip(left.columns[:4], right.columns[:4], strict=True))
    if not any(any(map(gt, bids, asks)) for bids, asks in sides):
        return
    for row, line in enumerate(left.lines):
        if any(bids[row] > asks[row] for bids, asks in sides):
            bid.report(CROSSED, line, "a bid price is above the ask price of the same bar")


def to_events(source: DataSource, instrument: Instrument, block: Block) -> list[MarketEvent]:
    """The block's rows as events. No Python code runs per row."""
    symbol = repeat(source.symbol)
    traded = repeat(instrument)
    if source.kind == QUOTES:
        return list(map(Quote, block.ts_ns, symbol, *block.columns, traded))
    interval: Iterable[int] = repeat(source.interval_ns or 0)
    if block.lengths is not None:
        interval = block.lengths
    if source.kind == BARS:
        return list(map(Bar, block.ts_ns, symbol, interval, *block.columns, traded))
    if source.kind == QUOTE_BARS:
        return list(map(QuoteBar, block.ts_ns, symbol, interval, *block.columns, traded))
    return list(map(Trade, block.ts_ns, symbol, *block.columns, traded))
