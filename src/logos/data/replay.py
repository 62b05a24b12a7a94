"""Many recorded sources as one stream of events in the order of time.

Method: every source keeps one block of columns. The horizon is the earliest of the times up to
which each unfinished source has been read; everything before it is known, so it is taken from
each block, turned into events, concatenated in the order of the sources and sorted by time with
a stable sort, which finds the runs already in order. Memory is blocks times sources, however
long the recordings are. One source alone is already in order and is not sorted.

Tie rule: events of equal `ts_ns` come in the order of the sources as given, and within a source
in the order of its rows. The order does not depend on how large the blocks are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Final

from logos.core.instrument import Instrument
from logos.core.messages import MarketEvent
from logos.data.checked.columns import Columns
from logos.data.defects import DefectTally
from logos.data.readers.blocks import read_blocks, to_events
from logos.data.readers.chunks import FileStamp, refuse_changed
from logos.data.readers.rows import Block
from logos.data.source import DataSource
from logos.data.suggest import suggest_instrument
from logos.errors import DataError

_by_time = attrgetter("ts_ns")

_STEP_ROWS: Final = 4096
"""Of kept rows so many become events at a time, of all sources together: they fit into a
processor's own cache. Those that do not cost half as much again, from being made to being freed."""
_PART_ROWS_MIN: Final = 256
"""Of one source, however many there are: smaller parts cost more than they save."""


class _Buffer:
    """What has been read of one source and not yet been replayed: rows from `position` on of a
    block, and before them those `waiting` since blocks before it."""

    __slots__ = ("block", "is_finished", "position", "stream", "waiting")

    def __init__(self, stream: Iterator[Block]) -> None:
        self.stream = stream
        self.block = Block([], [], ())
        self.position = 0
        self.waiting: list[Block] = []
        self.is_finished = False

    def read_on(self) -> None:
        """Go to the next block, or notice that there is none."""
        read = next(self.stream, None)
        if read is None:
            self.is_finished = True
            return
        # The rows at the horizon had to wait for those of the same time in the next block.
        self.waiting = self.take_all()
        self.block = read
        self.position = 0

    def take_before(self, horizon_ns: int) -> list[Block]:
        """Rows before `horizon_ns`. Those at it wait: the next block may have more of them."""
        before = []
        while self.waiting and self.waiting[0].ts_ns[0] < horizon_ns:
            left = self.waiting.pop(0)
            end = bisect_left(left.ts_ns, horizon_ns)
            before.append(left.part(0, end))
            if end < len(left):
                self.waiting.insert(0, left.part(end, len(left)))
                return before
        if not self.waiting:
            before += self._take(bisect_left(self.block.ts_ns, horizon_ns, self.position))
        return before

    def take_all(self) -> list[Block]:
        """All rows left."""
        before, self.waiting = self.waiting, []
        return before + self._take(len(self.block))

    def _take(self, end: int) -> list[Block]:
        if end == self.position:
            return []
        part = self.block.part(self.position, end)
        self.position = end
        return [part]


class ReplayFeed:
    """Recorded market data as time-ordered lists of events.

    Events with `start_ns <= ts_ns < end_ns` are replayed (None: no limit). `accept` holds the
    kinds of data defects that are tolerated, as for `check`; `defects` then has one tally for
    each source, filled as the reading proceeds (rows before `start_ns` are read and judged too).
    `fast` forces one of the two readers. `stamps` are the states that files were checked in: one
    that is in another state is refused.

    Raises DataError for no sources or a symbol without an instrument.
    """

    def __init__(
        self,
        sources: Sequence[DataSource],
        instruments: Mapping[str, Instrument],
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        accept: frozenset[str] = frozenset(),
        fast: bool | None = None,
        stamps: Mapping[Path, FileStamp] | None = None,
    ) -> None:
        if not sources:
            raise DataError("nothing to replay: no market data was found or selected")
        for source in sources:
            if source.symbol not in instruments:
                raise DataError(
                    f"no instrument for {source.symbol} ({source.path}). Add this to the"
                    f" configuration, after checking it:\n\n{suggest_instrument(source)}"
                )
        self.sources = list(sources)
        self.instruments = instruments
        self.start_ns = start_ns
        self.end_ns = end_ns
        self.accept = accept
        self.defects = [DefectTally() for _ in self.sources]
        self._fast = fast
        self._stamps = stamps or {}
        self.checked: Mapping[Sequence[Path], Columns] = {}
        """The rows of sources whose check kept them, by the paths of their files: they are not read
        from there again, and `defects` counts nothing in them."""

    def chunks(self, skip: int = 0) -> Iterator[list[MarketEvent]]:
        """Lists of some thousands of events, in order; the first `skip` events are left out.

        Skipping reads the data but makes no events. Raises DataError on a data defect that is
        not accepted, and when there are fewer than `skip` events.
        """
        self.defects = [DefectTally() for _ in self.sources]
        left_to_skip = skip
        for parts in self._steps():
            count = sum(len(part) for of_source in parts for part in of_source)
            if not count or count <= left_to_skip:
                left_to_skip -= count
                continue
            yield self._events(parts)[left_to_skip:]
            left_to_skip = 0
        if left_to_skip:
            raise DataError(
                f"cannot continue after event {skip}: the data has only {skip - left_to_skip};"
                " it is not the data this session began with"
            )

    def blocks(self) -> Iterator[tuple[DataSource, Iterator[Block]]]:
        """Every source with its rows in the time asked for, apart and as columns. Reading them
        leaves `defects` as they are. Raises DataError as `chunks`."""
        for source in self.sources:
            yield source, self._limited(source, DefectTally())

    def _events(self, parts: list[list[Block]]) -> list[MarketEvent]:
        events: list[MarketEvent] = []
        filled = 0
        for source, of_source in zip(self.sources, parts, strict=True):
            for part in of_source:
                events += to_events(source, self.instruments[source.symbol], part)
            filled += bool(of_source)
        if filled > 1:
            events.sort(key=_by_time)
        return events

    def _steps(self) -> Iterator[list[list[Block]]]:
        """For each step, of every source the parts that lie before the horizon, none empty."""
        buffers = [
            _Buffer(self._limited(source, tally))
            for source, tally in zip(self.sources, self.defects, strict=True)
        ]
        if len(buffers) == 1:
            yield from ([[block]] for block in buffers[0].stream)
            return
        for buffer in buffers:
            buffer.read_on()
        while True:
            limits_ns = [buffer.block.ts_ns[-1] for buffer in buffers if not buffer.is_finished]
            if not limits_ns:
                break
            horizon_ns = min(limits_ns)
            yield [buffer.take_before(horizon_ns) for buffer in buffers]
            for buffer in buffers:
                if not buffer.is_finished and buffer.block.ts_ns[-1] == horizon_ns:
                    buffer.read_on()
        yield [buffer.take_all() for buffer in buffers]

    def _limited(self, source: DataSource, tally: DefectTally) -> Iterator[Block]:
        """The source's blocks, cut to the time asked for; never empty ones."""
        for path in source.paths:
            if path in self._stamps:
                refuse_changed(path, self._stamps[path])
        instrument = self.instruments[source.symbol]
        kept = self.checked.get(source.paths)
        if kept is not None:
            blocks = kept.blocks(max(_STEP_ROWS // len(self.sources), _PART_ROWS_MIN))
        else:
            accept, fast = self.accept, self._fast
            blocks = read_blocks(source, instrument, accept=accept, tally=tally, fast=fast)
        for block in blocks:
            start, end = 0, len(block)
            if self.start_ns is not None:
                start = bisect_left(block.ts_ns, self.start_ns)
            if self.end_ns is not None:
                end = bisect_left(block.ts_ns, self.end_ns)
            if start < end:
                yield block if end - start == len(block) else block.part(start, end)
            if end < len(block):
                return
