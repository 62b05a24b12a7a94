"""The careful reader: rows of text into columns of integers, with a reason for every refusal.

It needs nothing but the standard library, and it is the authority: the fast reader may only
pass what this one passes, and hands over to it whenever anything looks unusual.

`FileState` is what one file's reading has to remember between pieces (the time of the last row
kept), so that the two readers can take turns in the middle of a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.core.instrument import Instrument
from logos.data.defects import (
    BACKWARDS_TIME,
    CROSSED,
    DOUBTFUL_TIME,
    DUPLICATE_BAR,
    GAP,
    HIGH_BELOW_LOW,
    ODD_LAST_ROW,
    OFF_TICK,
    OVERLAP,
    TRUNCATED_ROW,
    WRONG_COLUMN_COUNT,
    Defect,
    DefectTally,
)
from logos.data.digits import shown_decimals
from logos.data.layout import (
    BARS,
    FREE_SYMBOL_COLUMNS,
    QUOTES,
    TIMESTAMP,
    Layout,
    symbol_column,
)
from logos.data.readers.chunks import Chunk, split_line
from logos.data.readers.numbers import (
    PriceReader,
    RowError,
    SideReader,
    SizeReader,
    SymbolReader,
)
from logos.data.times.bars import MOMENTS, BarTimes
from logos.data.times.epochs import likely_reading, looks_like_number
from logos.data.times.lengths import BarLength
from logos.data.times.reader import NOTHING_SAID, TimeReader, TimeRules
from logos.files import cut_words

_OPEN, _HIGH, _LOW, _CLOSE = range(4)
_ABSENT: Final = ""

ROWS_TO_JUDGE_THE_LAST: Final = 3
"""A file of fewer rows shows no order that its last row could be out of."""


class Block(msgspec.Struct):
    """Some thousands of rows, column by column, in the order of the event's fields.

    `ts_ns` is when each event is known (a bar's close). `columns` are the prices, sizes and
    sides; `lines` are the rows' places in the file. `lengths` has how long each bar is
    (nanoseconds), where they are not all of the source's length.
    """

    ts_ns: list[int]
    columns: list[list[Any]]
    lines: Sequence[int]
    lengths: list[int] | None = None

    def __len__(self) -> int:
        return len(self.ts_ns)

    def part(self, start: int, end: int) -> Block:
        """Rows `start` to `end` (not included)."""
        if start == 0 and end == len(self.ts_ns):
            return self
        return Block(
            self.ts_ns[start:end],
            [column[start:end] for column in self.columns],
            self.lines[start:end],
            None if self.lengths is None else self.lengths[start:end],
        )


@dataclass(slots=True)
class FileState:
    """One file being read: what it holds, and where the reading stands.

    `interval_ns` is 0 for moments (quotes, trades). `report_gaps` is off for the halves of a
    pair, whose gaps are judged once they are joined. `rows` counts all rows met, `last_ns` is
    the event time of the last row kept. `has_long_sizes` remembers that sizes have more decimals
    than the instrument's, as sizes with the noise of binary floats do. `judge_order` is off while
    rows are only collected, to be sorted. `rules` is what is said of its times; `bars` how long its
    bars are; `latest_ns` the last moment that a number may be a time of (None: not judged).
    """

    path: Path
    layout: Layout
    header: list[str]
    instrument: Instrument
    interval_ns: int
    tally: DefectTally
    report_gaps: bool = True
    rows: int = 0
    last_ns: int | None = None
    has_long_sizes: bool = False
    judge_order: bool = True
    rules: TimeRules = NOTHING_SAID
    bars: BarTimes = MOMENTS
    latest_ns: int | None = None
    has_short_bars: bool = False
    odd: Defect | None = None
    """A row between the times of bars: a defect, unless it turns out to be the last."""
    times: TimeReader = field(init=False)
    prices: PriceReader = field(init=False)
    sizes: SizeReader = field(init=False)
    sides: SideReader = field(init=False)
    is_named: bool = False
    """Whether a person said what the symbol is: then a symbol column may spell it otherwise."""
    symbol_name: str = field(init=False)
    """The column that says which symbol a row is of; empty: there is none."""
    symbols: SymbolReader = field(init=False)

    def __post_init__(self) -> None:
        self.symbol_name = symbol_column(self.header)
        is_free = self.is_named or self.symbol_name in FREE_SYMBOL_COLUMNS
        self.symbols = SymbolReader(self.instrument.symbol, is_free=is_free)
        self.prices = PriceReader(self.instrument)
        self.sizes = SizeReader(self.instrument)
        self.sides = SideReader()
        self.times = TimeReader(self.rules, repeats=not self.interval_ns)
        if self.bars.length.ns != self.interval_ns and self.interval_ns:
            self.bars = BarTimes(BarLength(self.interval_ns))

    def report(self, kind: str, line: int, detail: str) -> None:
        """Count a defect of this file."""
        self.settle_odd()
        self.tally.add(Defect(kind, self.path, line, detail))

    def see_off_tick(self, prices: Iterable[str]) -> None:
        """Note how many decimals the prices of a row mean, one of which is off the tick."""
        tick = self.instrument.price_text(self.instrument.tick)
        for text in prices:
            try:
                decimals = shown_decimals(text)
            except ValueError:
                continue  # it is not what the row was left out for, and says nothing of a step
            self.tally.see_off_tick(self.instrument.symbol, tick, decimals)

    def note(self, error: RowError, line: int) -> None:
        """Count why a row cannot be used; one that comes too soon may still be the last."""
        if error.kind == OVERLAP:
            self.settle_odd()
            self.odd = Defect(OVERLAP, self.path, line, error.detail)
        else:
            self.report(error.kind, line, error.detail)

    def settle_odd(self, *, is_end: bool = False) -> None:
        """More rows came after an odd one, so it is a defect; or none, so it was a live row."""
        if self.odd is not None:
            found, self.odd = self.odd, None
            if is_end and self.rows >= ROWS_TO_JUDGE_THE_LAST:
                found = msgspec.structs.replace(found, kind=ODD_LAST_ROW)
            self.tally.add(found)

    @property
    def shift_ns(self) -> int:
        """What is added to a row's time to give the (nominal) close of its bar."""
        return 0 if self.bars.is_stamped_close else self.interval_ns

    def is_odd(self, before_ns: int, ts_ns: int) -> bool:
        """Whether a last row is no bar of the file; the times are (nominal) closes."""
        return self.bars.is_odd(before_ns - self.interval_ns, ts_ns - self.interval_ns)


def report_gap(state: FileState, line: int, before_ns: int, ts_ns: int) -> None:
    """Report a hole between two event times, if the market was open at any moment of it."""
    if state.instrument.is_open_in(before_ns, ts_ns - state.interval_ns):
        state.report(GAP, line, gap_detail(ts_ns - before_ns, state.interval_ns))


def chunk_rows(state: FileState, chunk: Chunk) -> Iterable[tuple[int, list[str]]]:
    """(line, cells) of a chunk; blank lines are passed over, a cut last line is reported."""
    text = chunk.data.decode("utf-8", "replace")
    lines = text.split("\n")
    tail = lines.pop()
    for line_number, line in enumerate(lines, chunk.first_line):
        stripped = line[:-1] if line.endswith("\r") else line
        if stripped:
            yield line_number, split_line(stripped)
    tail_line = chunk.first_line + len(lines)
    if chunk.cut:
        state.rows += bool(tail)
        state.report(TRUNCATED_ROW, tail_line, f"the compressed file ends early ({chunk.cut})")
    elif tail.endswith("\r"):
        if tail.rstrip("\r"):
            yield tail_line, split_line(tail.rstrip("\r"))  # of its line end only half is missing
    elif tail:
        # Whatever its cells look like: a number that was cut is a number.
        state.rows += 1
        state.report(TRUNCATED_ROW, tail_line, f"{tail[:80]!r}: {cut_words(state.path)}")


def read_rows(state: FileState, rows: Iterable[tuple[int, list[str]]]) -> Block:
    """Judge rows of cells one by one; those that can be used come back as a block."""
    layout = state.layout
    width = len(state.header)
    position = {name: index for index, name in enumerate(state.header)}
    names = (TIMESTAMP, *layout.prices, *layout.sizes, *layout.sides)
    # A column the file does not have reads an empty cell put after the last.
    pick = itemgetter(*(position.get(name, width) for name in names))
    price_end = 1 + len(layout.prices)
    size_end = price_end + len(layout.sizes)
    prices, sizes, sides = state.prices, state.sizes, state.sides
    symbol_at = position.get(state.symbol_name)
    read_time, shift_ns = state.times.read, state.shift_ns
    is_bars, is_quotes = layout.kind == BARS, layout.kind == QUOTES
    kept: list[tuple[Any, ...]] = []
    times_ns: list[int] = []
    lines: list[int] = []
    for line, cells in rows:
        state.settle_odd()
        state.rows += 1
        try:
            if len(cells) != width:
                raise RowError(WRONG_COLUMN_COUNT, f"{len(cells)} columns instead of {width}")
            if symbol_at is not None:
                state.symbols[cells[symbol_at]]
            cells.append(_ABSENT)
            picked = pick(cells)
            ts_ns = read_time(picked[0]) + shift_ns
            if state.times.has_doubts:
                report_doubts(state, line)
            if state.latest_ns is not None and ts_ns - shift_ns > state.latest_ns:
                check_plausible(picked[0])
            values: tuple[Any, ...] = tuple(map(prices.__getitem__, picked[1:price_end]))
            if is_bars:
                check_bar(values)
            values += tuple(map(sizes.__getitem__, picked[price_end:size_end]))
            values += tuple(map(sides.__getitem__, picked[size_end:]))
            if state.judge_order:
                check_order(state, ts_ns, line)
        except RowError as error:
            state.note(error, line)
            if error.kind == OFF_TICK:
                state.see_off_tick(picked[1:price_end])
            continue
        if is_quotes and values[0] > values[1]:
            state.report(CROSSED, line, crossed_detail(state, *values[:2]))
        state.last_ns = ts_ns
        times_ns.append(ts_ns)
        kept.append(values)
        lines.append(line)
    if not kept:
        return Block([], [[] for _ in names[1:]], [])
    return Block(times_ns, [list(column) for column in zip(*kept, strict=True)], lines)


def report_doubts(state: FileState, line: int, *, is_end: bool = False) -> None:
    """Report what the order of the rows so far did not settle."""
    for doubt in state.times.doubts(is_end=is_end):
        state.report(DOUBTFUL_TIME, line, doubt)


def check_plausible(text: str) -> None:
    """Refuse a number that is a time after next year. Raises RowError."""
    if looks_like_number(text.strip()):
        raise RowError(
            DOUBTFUL_TIME,
            f"{text.strip()[:40]} is a time after the end of next year: {likely_reading(text)}",
        )


def check_bar(prices: Sequence[int]) -> None:
    """Judge the shape of a bar: open, high, low, close. Raises RowError."""
    high, low = prices[_HIGH], prices[_LOW]
    if high < low:
        raise RowError(HIGH_BELOW_LOW, f"high is below low ({high} < {low} units)")
    for name, price in (("open", prices[_OPEN]), ("close", prices[_CLOSE])):
        if not low <= price <= high:
            raise RowError(
                HIGH_BELOW_LOW, f"{name} is outside of low and high ({low}..{high} units, {price})"
            )


def check_order(state: FileState, ts_ns: int, line: int) -> None:
    """Judge a row's time against the last row kept. Raises RowError; reports a gap."""
    if state.last_ns is None:
        return
    step_ns = ts_ns - state.last_ns
    if step_ns < 0:
        raise RowError(BACKWARDS_TIME, f"{seconds_text(-step_ns)} s earlier than the row before")
    if not state.interval_ns:
        return
    if step_ns == 0:
        raise RowError(DUPLICATE_BAR, "a second bar of the same time")
    before_ns, opened_ns = state.last_ns - state.interval_ns, ts_ns - state.interval_ns
    if step_ns < state.interval_ns:
        if state.bars.joins(before_ns, opened_ns):
            state.has_short_bars = True
            return
        raise RowError(OVERLAP, overlap_detail(step_ns, state.interval_ns))
    if (
        step_ns > state.interval_ns
        and state.report_gaps
        and state.bars.is_gap(before_ns, opened_ns)
    ):
        report_gap(state, line, state.last_ns, ts_ns)


def lengths_of(block: Block, length_ns: int) -> list[int]:
    """How long each bar of the block is."""
    return [length_ns] * len(block) if block.lengths is None else block.lengths


def crossed_detail(state: FileState, bid_units: int, ask_units: int) -> str:
    """Which bid is above which ask."""
    bid, ask = map(state.instrument.price_text, (bid_units, ask_units))
    return f"bid {bid} is above ask {ask}"


def overlap_detail(step_ns: int, interval_ns: int) -> str:
    """How soon after another a bar begins."""
    return (
        f"begins {seconds_text(step_ns)} s after the bar before it, whose interval is"
        f" {seconds_text(interval_ns)} s"
    )


def gap_detail(step_ns: int, interval_ns: int) -> str:
    """How long a hole in a series of bars is."""
    return (
        f"{seconds_text(step_ns)} s after the bar before it, whose interval is"
        f" {seconds_text(interval_ns)} s"
    )


def seconds_text(duration_ns: int) -> str:
    """Nanoseconds as seconds, without needless zeros."""
    whole, part = divmod(duration_ns, 1_000_000_000)
    return f"{whole}.{part:09d}".rstrip("0").rstrip(".") if part else str(whole)
