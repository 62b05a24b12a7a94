"""Blocks of bars with the moments at which they are known, from blocks with their nominal closes.

The readers give each bar the close it would have if all were of one length. Here each block waits
for the next one, and bars that are cut short or go by the calendar (`logos.data.times.bars`) get
their own close and length. A last row that is no bar of the file is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from logos.data.defects import ODD_LAST_ROW, SHOWN_LATE
from logos.data.readers.rows import ROWS_TO_JUDGE_THE_LAST, Block, FileState, seconds_text


def with_closes(state: FileState, blocks: Iterator[Block]) -> Iterator[Block]:
    """`blocks` of bars of one file, each with its closes and lengths."""
    held: Block | None = None
    before_ns: int | None = None
    rows = 0
    for block in blocks:
        if held is not None:
            rows += len(held)
            before_ns = held.ts_ns[-1]
            yield _with_own_closes(state, held, block.ts_ns[0])
        held = block
    if held is None:
        return
    last_ns = held.ts_ns[-1]
    if len(held) > 1:
        before_ns = held.ts_ns[-2]
    is_known = before_ns is not None and rows + len(held) >= ROWS_TO_JUDGE_THE_LAST
    if is_known and before_ns is not None and state.is_odd(before_ns, last_ns):
        step = seconds_text(last_ns - before_ns)
        state.report(ODD_LAST_ROW, held.lines[-1], f"{step} s after the row before it")
        held = held.part(0, len(held) - 1)
    if len(held):
        yield _with_own_closes(state, held, None)


def _with_own_closes(state: FileState, block: Block, next_ns: int | None) -> Block:
    """The block with its closes; `next_ns` is the nominal close of the bar after it."""
    bars = state.bars
    if bars.is_stamped_close:
        return _with_own_lengths(state, block) if state.has_short_bars else block
    if not (bars.is_calendar or bars.is_of_hours or state.has_short_bars):
        return block
    length_ns = state.interval_ns
    opens = [moment_ns - length_ns for moment_ns in block.ts_ns]
    followers: list[int | None] = [*opens[1:], None if next_ns is None else next_ns - length_ns]
    closes: list[int] = []
    for row, (opened_ns, follower_ns) in enumerate(zip(opens, followers, strict=True)):
        closed_ns, is_late = bars.close_of(opened_ns, follower_ns)
        closes.append(closed_ns)
        if is_late:
            state.report(SHOWN_LATE, block.lines[row], "clocks may have been set back in it")
    if closes == block.ts_ns:
        return block
    lengths = [late - early for late, early in zip(closes, opens, strict=True)]
    return Block(closes, block.columns, block.lines, lengths)


def _with_own_lengths(state: FileState, block: Block) -> Block:
    """Bars stamped with their close: those that were cut short have a shorter length."""
    length_ns = state.interval_ns
    steps = [late - early for early, late in pairwise(block.ts_ns)]
    lengths = [length_ns, *(min(length_ns, step_ns) for step_ns in steps)]
    return Block(block.ts_ns, block.columns, block.lines, lengths)
