"""The prices a session ran on, read again after it, column by column.

Recorded data gives its columns as they are, without making events; what a live session recorded is
turned back from its events, or kept while a replay meets them. Prices are integers in the units of
the instrument.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final, Protocol, cast, runtime_checkable

import msgspec

from logos.core.messages import Bar, Event, Quote, QuoteBar, Trade
from logos.data.layout import BARS, QUOTE_BARS, QUOTES
from logos.data.readers.rows import Block
from logos.data.source import DataSource
from logos.journal.inputs import RecordedInputs

Four = tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]]
"""Columns of opens, highs, lows and closes; of quotes and trades all the same one."""


class PriceBlock(msgspec.Struct, frozen=True):
    """Some thousands of rows of one symbol. Of a source with one price `bid` and `ask` are one."""

    symbol: str
    ts_ns: Sequence[int]
    bid: Four
    ask: Four
    are_bars: bool


@runtime_checkable
class HasBlocks(Protocol):
    """A feed of recorded data whose columns can be read again."""

    def blocks(self) -> Iterator[tuple[DataSource, Iterator[Block]]]:
        """Each source, and its rows in the time asked for."""


def can_be_read_again(feed: object) -> bool:
    """Whether `price_streams` knows how."""
    return isinstance(feed, HasBlocks | RecordedInputs)


def price_streams(feed: object) -> Iterator[tuple[str, Iterator[PriceBlock]]]:
    """The prices of each source in turn, with its symbol; nothing of a feed of another kind.

    What a live session recorded comes as one stream of many symbols, whose name is empty. Raises
    DataError, Damaged and OSError.
    """
    if isinstance(feed, RecordedInputs):
        kept = feed.watcher
        if isinstance(kept, KeptPrices) and kept.is_whole:
            yield "", chain(kept.blocks(), _of_batches(feed.unseen()))
        else:
            yield "", _of_batches(feed.batches())
    elif isinstance(feed, HasBlocks):
        for source, blocks in feed.blocks():
            yield source.symbol, (_of_source(source, block) for block in blocks)


def _of_source(source: DataSource, block: Block) -> PriceBlock:
    columns = block.columns
    if source.kind == BARS:
        bid = ask = cast("Four", tuple(columns[:4]))
    elif source.kind == QUOTE_BARS:
        bid, ask = cast("Four", tuple(columns[:4])), cast("Four", tuple(columns[4:8]))
    elif source.kind == QUOTES:
        bid, ask = _moments(columns[0]), _moments(columns[1])
    else:
        bid = ask = _moments(columns[0])
    are_bars = source.kind in (BARS, QUOTE_BARS)
    return PriceBlock(source.symbol, block.ts_ns, bid, ask, are_bars)


def _moments(column: Sequence[int]) -> Four:
    return (column, column, column, column)


_ROWS: Final = 1024


class _Rows:
    """Events of one symbol as they become a block: eight columns, bid and ask."""

    def __init__(self, symbol: str, are_bars: bool) -> None:
        self._symbol = symbol
        self.are_bars = are_bars
        self.ts_ns: list[int] = []
        self._columns: tuple[list[int], ...] = tuple([] for _ in range(8))

    def add(self, ts_ns: int, prices: Sequence[int]) -> None:
        """One event: open, high, low and close of its bid, then of its ask."""
        self.ts_ns.append(ts_ns)
        for column, price in zip(self._columns, prices, strict=True):
            column.append(price)

    def block(self) -> PriceBlock:
        """What was added."""
        bid, ask = cast("Four", self._columns[:4]), cast("Four", self._columns[4:])
        return PriceBlock(self._symbol, self.ts_ns, bid, ask, self.are_bars)


class KeptPrices:
    """The prices of a recording, kept while its session goes through it, so that it need not be
    read a second time. Those of up to `events_max` events: a longer recording is not kept."""

    def __init__(self, events_max: int) -> None:
        self._left = events_max
        self._held: dict[str, _KeptRows] = {}
        self.is_whole = True
        """Whether every price so far was kept."""

    def see(self, events: Sequence[Event]) -> None:
        """Keep the prices of a batch. (`RecordedInputs.watcher`)"""
        if not self.is_whole:
            return
        self.is_whole = len(events) <= self._left and self._keep(events)
        self._left -= len(events)
        if not self.is_whole:
            self._held.clear()

    def _keep(self, events: Sequence[Event]) -> bool:
        """Keep them; False where one does not fit."""
        held = self._held
        try:
            for event in events:
                if type(event) is Quote:  # by far the most frequent
                    rows = held.get(event.symbol)
                    if rows is not None and not rows.are_bars:
                        rows.add_moment(event.ts_ns, event.bid_units, event.ask_units)
                        continue
                eight = _of_event(event)
                if eight is None or not isinstance(event, Quote | Trade | Bar | QuoteBar):
                    continue
                are_bars = isinstance(event, Bar | QuoteBar)
                rows = held.get(event.symbol)
                if rows is None:
                    rows = held[event.symbol] = _KeptRows(event.symbol, are_bars)
                if are_bars is not rows.are_bars:
                    return False
                rows.add(event.ts_ns, eight if are_bars else (eight[0], eight[4]))
        except OverflowError:
            return False
        return True

    def blocks(self) -> Iterator[PriceBlock]:
        """What was kept, as `price_streams` has it."""
        for rows in self._held.values():
            yield from rows.blocks()


class _KeptRows:
    """Prices of one symbol in 64 bits each: bid and ask, or eight columns of bars."""

    def __init__(self, symbol: str, are_bars: bool) -> None:
        self._symbol = symbol
        self.are_bars = are_bars
        self._ts_ns = array("q")
        self._columns = tuple(array("q") for _ in range(8 if are_bars else 2))
        self._appends = (self._ts_ns.append, *(each.append for each in self._columns[:2]))

    def add(self, ts_ns: int, prices: Sequence[int]) -> None:
        """One event. Raises OverflowError where it does not fit."""
        for column, price in zip(self._columns, prices, strict=True):
            column.append(price)
        self._ts_ns.append(ts_ns)

    def add_moment(self, ts_ns: int, bid: int, ask: int) -> None:
        """The same of a quote."""
        time, first, second = self._appends
        time(ts_ns)
        first(bid)
        second(ask)

    def blocks(self) -> Iterator[PriceBlock]:
        """What was added, so many rows at a time as are made of batches."""
        for start in range(0, len(self._ts_ns), _ROWS):
            rows = slice(start, start + _ROWS)
            columns = [column[rows] for column in self._columns]
            if self.are_bars:
                bid, ask = cast("Four", tuple(columns[:4])), cast("Four", tuple(columns[4:]))
            else:
                bid, ask = _moments(columns[0]), _moments(columns[1])
            yield PriceBlock(self._symbol, self._ts_ns[rows], bid, ask, self.are_bars)


def _of_batches(batches: Iterable[Sequence[Event]]) -> Iterator[PriceBlock]:
    held: dict[str, _Rows] = {}
    for batch in batches:
        for event in batch:
            prices = _of_event(event)
            if prices is None or not isinstance(event, Quote | Trade | Bar | QuoteBar):
                continue
            symbol, are_bars = event.symbol, isinstance(event, Bar | QuoteBar)
            rows = held.get(symbol)
            if rows is not None and (rows.are_bars != are_bars or len(rows.ts_ns) >= _ROWS):
                yield held.pop(symbol).block()
                rows = None
            if rows is None:
                rows = held[symbol] = _Rows(symbol, are_bars)
            rows.add(event.ts_ns, prices)
    for rows in held.values():
        yield rows.block()


def _of_event(event: Event) -> Sequence[int] | None:
    if isinstance(event, Quote):
        return (*[event.bid_units] * 4, *[event.ask_units] * 4)
    if isinstance(event, Trade):
        return [event.price_units] * 8
    if isinstance(event, Bar):
        four = (event.open_units, event.high_units, event.low_units, event.close_units)
        return (*four, *four)
    if isinstance(event, QuoteBar):
        return (
            *(event.bid_open_units, event.bid_high_units),
            *(event.bid_low_units, event.bid_close_units),
            *(event.ask_open_units, event.ask_high_units),
            *(event.ask_low_units, event.ask_close_units),
        )
    return None
