"""Prices that jump from one row to the next, as they do when shares are split.

It is pointed out where a check meets it. What it was only a person knows, or a file of the
symbol's splits.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from logos.core.instrument import Instrument
from logos.core.prices.watch import split_between
from logos.core.types import NS_PER_DAY
from logos.data.layout import BARS, QUOTE_BARS
from logos.data.readers.numbers import format_timestamp
from logos.data.readers.rows import Block

JUMPS_MAX: Final = 20
"""So many are kept; all are counted."""
_LEAST: Final = 1.38
"""A smaller jump looks like no usual split: that of 3 for 2, within a twentieth, is above it."""


class Jump(msgspec.Struct, frozen=True):
    """Price units `before` were followed by `after` in `line`, as a split of `new` for `old`
    does; `moment` is when the row begins, as settings write it."""

    line: int
    before: int
    after: int
    new: int
    old: int
    moment: str


class Around(msgspec.Struct, frozen=True):
    """The last price before a moment and the first one behind it, in price units."""

    before: int
    after: int
    text: str


class JumpWatch:
    """Looks at the blocks of one source as they are read.

    `moments_ns` are times whose prices before and behind are wanted, in order: `around`.
    """

    def __init__(
        self, kind: str, interval_ns: int, instrument: Instrument, moments_ns: Sequence[int] = ()
    ) -> None:
        self.count = 0
        self.jumps: list[Jump] = []
        self.around: dict[int, Around] = {}
        self._instrument = instrument
        self._interval_ns = interval_ns
        self._close = 3 if kind in (BARS, QUOTE_BARS) else 0
        self._left = sorted(set(moments_ns))
        self._price = 0
        self._day = 0

    def see(self, block: Block) -> None:
        """Look at the next rows."""
        firsts, lasts = block.columns[0], block.columns[self._close]
        while self._left:
            row = bisect_left(block.ts_ns, self._left[0] + self._interval_ns)
            if row == len(block):
                break
            before = lasts[row - 1] if row else self._price
            moment_ns = self._left.pop(0)
            if before > 0 and firsts[row] > 0:
                text = self._instrument.price_text
                words = f"{text(before)} was followed by {text(firsts[row])}"
                self.around[moment_ns] = Around(before, firsts[row], words)
        found: list[tuple[int, int, tuple[int, int]]] = []
        for row in self._first_of_days(block.ts_ns):
            before, first = lasts[row - 1] if row else self._price, firsts[row]
            if before > 0 and not before < first * _LEAST < before * _LEAST * _LEAST:
                split = split_between(before, first)
                if split is not None:
                    found.append((row, before, split))
        # A share's price is above zero: rows with any other are of something that is not split.
        if found and min(*firsts, *lasts, self._price or firsts[0]) > 0:
            for row, before, split in found:
                self._add(block.lines[row], before, firsts[row], split, block.ts_ns[row])
        self._price = lasts[-1]
        self._day = self._day_of(block.ts_ns[-1])

    def _first_of_days(self, ts_ns: Sequence[int]) -> Iterator[int]:
        """The rows of another day than the row before them: within a day a price may run, shares
        are split between two. Times never go back, so that few rows are looked at."""
        day, last_day = self._day_of(ts_ns[0]), self._day_of(ts_ns[-1])
        if day != self._day:
            yield 0
        row = 0
        while day < last_day:
            next_ns = (day + 1) * NS_PER_DAY + self._interval_ns
            row += 1
            if ts_ns[row] < next_ns:
                row = bisect_left(ts_ns, next_ns, row + 1)
            yield row
            day = self._day_of(ts_ns[row])

    def _day_of(self, ts_ns: int) -> int:
        return (ts_ns - self._interval_ns) // NS_PER_DAY

    def _add(self, line: int, before: int, after: int, split: tuple[int, int], ts_ns: int) -> None:
        self.count += 1
        if len(self.jumps) < JUMPS_MAX:
            moment = format_timestamp(ts_ns - self._interval_ns)
            moment = moment.removesuffix("T00:00:00Z")
            self.jumps.append(Jump(line, before, after, *split, moment))
