"""Market data that is in memory: a table of bars, quotes or trades becomes one source of events.

Columns are found by name, whatever their case, or as `columns` says. Every row is judged by the
rules for files (`logos.data`): a time that goes back, a second bar of one time, a price off the
tick or no number at all refuses the table, with the row. Nothing is repaired. The SHA-256 of what
was read goes into the session's manifest, so that a replay notices other data.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from functools import partial
from itertools import repeat
from operator import gt, ne, sub
from pathlib import Path
from typing import Any, Final, Unpack

from logos.config import InstrumentSettings
from logos.core.fixed import format_units
from logos.core.instrument import Instrument
from logos.core.types import SIZE_UNKNOWN
from logos.data.check import CheckReport
from logos.data.defects import (
    CROSSED,
    GAP,
    KEEPING_KINDS,
    OFF_TICK,
    DefectTally,
)
from logos.data.layout import BARS, LAYOUTS, QUOTES, TIMESTAMP, TRADES
from logos.data.readers.closes import with_closes
from logos.data.readers.columns import has_bad_bar
from logos.data.readers.numbers import RowError, format_timestamp
from logos.data.readers.rows import Block, FileState, check_bar, check_order, crossed_detail
from logos.data.source import DataSource, interval_from_text
from logos.data.terms.currencies import currencies_of
from logos.data.times.bars import BarTimes
from logos.data.times.lengths import BarLength, common_phase, find_length
from logos.errors import ConfigError, DataError
from logos.library.amounts import PriceCells, SizeCells, finer_tick
from logos.library.cells import Faults, find_columns, read_side
from logos.library.instruments import (
    InstrumentFields,
    exact,
    instrument_settings,
    instrument_table,
)
from logos.library.moments import MomentReader, find_zone
from logos.library.table import Column, Times, read_table
from logos.session.build import make_instruments

GAPS: Final = (GAP,)
"""What is accepted unless the caller says otherwise: markets close at night."""

_SAMPLE_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True)
class FrameData:
    """One symbol's events from a table, checked: what `bars`, `quotes` and `trades` return."""

    source: DataSource
    instrument: Instrument
    settings: InstrumentSettings
    block: Block
    report: CheckReport

    @property
    def symbol(self) -> str:
        """The symbol that is traded."""
        return self.source.symbol

    def __len__(self) -> int:
        return len(self.block)

    def __repr__(self) -> str:
        tick = self.instrument.price_text(self.instrument.tick)
        length = "" if self.source.interval_ns is None else f" of {_span(self.source.interval_ns)}"
        first, last = (format_timestamp(self.block.ts_ns[row]) for row in (0, -1))
        noted = "".join(f", {count} {kind}" for kind, count in self.report.counts.items())
        return (
            f"<logos {self.source.kind} of {self.symbol}: {len(self)} rows{length}, "
            f"{first} to {last}, tick {tick}{noted}>"
        )


def bars(
    frame: Any,
    *,
    symbol: str,
    instrument: Instrument | Mapping[str, Any] | None = None,
    interval: str | int | timedelta | None = None,
    timezone: str | tzinfo | None = None,
    columns: Mapping[str, str] | None = None,
    accept: Collection[str] = GAPS,
    **fields: Unpack[InstrumentFields],
) -> FrameData:
    """Bars from a table: columns open, high, low, close and, if there is one, volume.

    The time of a row is the bar's opening, as in files; the bar is known one `interval` later.
    `interval` is text such as "1m", nanoseconds or a timedelta; None: the shortest step between
    two rows. The rest is as for `quotes`.

    Raises ConfigError for an instrument that is not complete, DataError for the table.
    """
    reader = _Reader(BARS, frame, symbol, columns, accept)
    reader.name_instrument(instrument, fields)
    return reader.read(timezone, interval)


def quotes(
    frame: Any,
    *,
    symbol: str,
    instrument: Instrument | Mapping[str, Any] | None = None,
    timezone: str | tzinfo | None = None,
    columns: Mapping[str, str] | None = None,
    accept: Collection[str] = GAPS,
    **fields: Unpack[InstrumentFields],
) -> FrameData:
    """Quotes from a table: columns bid and ask and, if they are there, bid_size and ask_size.

    `frame` is a pandas or polars DataFrame, an Arrow table, a mapping of columns or a list of
    rows. Times are a column (timestamp, time, datetime, date) or the index; `timezone` is the zone
    of times which name none, as these are refused without it. `columns` maps names of these columns
    to the table's own. The instrument is `instrument`, or `fields` such as tick="0.01", lot="1",
    quote="USD". `accept` tolerates "gap" (bars are missing) and "crossed" (bid above ask), which
    are counted all the same; any other defect refuses the table.

    Raises ConfigError for an instrument that is not complete, DataError for the table.
    """
    reader = _Reader(QUOTES, frame, symbol, columns, accept)
    reader.name_instrument(instrument, fields)
    return reader.read(timezone, None)


def trades(
    frame: Any,
    *,
    symbol: str,
    instrument: Instrument | Mapping[str, Any] | None = None,
    timezone: str | tzinfo | None = None,
    columns: Mapping[str, str] | None = None,
    accept: Collection[str] = GAPS,
    **fields: Unpack[InstrumentFields],
) -> FrameData:
    """Trades from a table: columns price and, if they are there, size and side. As `quotes`."""
    reader = _Reader(TRADES, frame, symbol, columns, accept)
    reader.name_instrument(instrument, fields)
    return reader.read(timezone, None)


class _Reader:
    """Reads one table."""

    def __init__(
        self,
        kind: str,
        frame: Any,
        symbol: str,
        columns: Mapping[str, str] | None,
        accept: Collection[str],
    ) -> None:
        unknown = sorted(set(accept) - KEEPING_KINDS)
        if unknown:
            raise ConfigError(
                f"accept: {', '.join(unknown)} cannot be accepted in a table, only "
                f"{' and '.join(sorted(KEEPING_KINDS))}: correct the table itself"
            )
        self._name = f"{kind} of {symbol}"
        self._symbol = symbol
        self._layout = LAYOUTS[kind]
        self._accept = frozenset(accept)
        self._columns = find_columns(self._name, self._layout, read_table(frame), columns or {})
        if not len(self._columns[TIMESTAMP].values):
            raise DataError(f"{self._name}: the table has no rows")

    def name_instrument(
        self, given: Instrument | Mapping[str, Any] | None, fields: Mapping[str, Any]
    ) -> None:
        """Make the instrument. Raises ConfigError with what the table itself suggests."""
        table = {} if given is None else instrument_table(given)
        table.update(exact(fields))
        missing = [key for key in ("tick", "lot", "quote") if key not in table]
        if missing:
            raise ConfigError(
                f"{self._name}: {', '.join(missing)} must be given. By its first rows this "
                f"table suggests, to be checked: {self._suggestion()}"
            )
        self._settings = instrument_settings(self._symbol, table)
        self._instrument = make_instruments({self._symbol: self._settings})[self._symbol]

    def _suggestion(self) -> str:
        def cells(names: Sequence[str]) -> list[Any]:
            found = [self._columns[name].values for name in names if name in self._columns]
            return [cell for column in found for cell in column[:_SAMPLE_ROWS]]

        tick = finer_tick(cells(self._layout.prices)) or "0.01"
        lot = finer_tick(cells(self._layout.sizes)) or format_units(1, 8)
        return f'tick="{tick}", lot="{lot}", quote="{currencies_of(self._symbol).quote}"'

    def read(
        self, timezone: str | tzinfo | None, interval: str | int | timedelta | None
    ) -> FrameData:
        """All rows, judged. Raises DataError naming those that cannot be used."""
        opened_ns = self._times(find_zone(timezone))
        interval_ns = self._interval(opened_ns, interval) if self._layout.kind == BARS else 0
        source = DataSource(Path(self._name), self._symbol, self._layout.kind, interval_ns or None)
        tally = DefectTally()
        state = FileState(source.path, self._layout, [], self._instrument, interval_ns, tally)
        columns = self._figures()
        ts_ns = [moment_ns + interval_ns for moment_ns in opened_ns]
        state.bars = BarTimes(
            BarLength(interval_ns or 1),
            phase_ns=common_phase(opened_ns, interval_ns) if interval_ns else 0,
        )
        self._judge(state, ts_ns, columns)
        block = Block(ts_ns, columns, range(len(ts_ns)))
        if interval_ns:
            block = next(with_closes(state, iter([block])))
        report = CheckReport(
            source=source,
            rows=len(block),
            first_ns=block.ts_ns[0],
            last_ns=block.ts_ns[-1],
            counts=dict(tally.counts),
            defects=tuple(tally.examples),
            fingerprints={source.path: _fingerprint(source, block)},
        )
        return FrameData(source, self._instrument, self._settings, block, report)

    def _times(self, zone: tzinfo | None) -> Sequence[int]:
        reader = MomentReader(zone, repeats=self._layout.kind != BARS)
        column = self._columns[TIMESTAMP]
        try:
            return reader.read_all(column)
        except RowError:
            faults = Faults(self._name)
            for row, found in enumerate(reader.read(column)):
                if isinstance(found, RowError):
                    faults.add(row, "", found)
            raise faults.error() from None

    def _interval(self, opened_ns: Sequence[int], given: str | int | timedelta | None) -> int:
        if isinstance(given, timedelta):
            given = given // timedelta(microseconds=1) * 1_000
        if given is not None:
            return interval_from_text(given)
        try:
            found = find_length(opened_ns, ask='give it, such as interval="1m"')
        except DataError as error:
            raise DataError(f"{self._name}: {error}") from None
        if found.length.months:
            raise DataError(f"{self._name}: bars of months are read from files only")
        return found.length.ns

    def _figures(self) -> list[list[Any]]:
        """Prices, sizes and sides, each column in the instrument's units."""
        layout = self._layout
        prices, sizes = PriceCells(self._instrument), SizeCells(self._instrument)
        readers: list[tuple[str, Callable[[Any], Any], Any]] = [
            *((name, prices.__getitem__, None) for name in layout.prices),
            *((name, sizes.__getitem__, SIZE_UNKNOWN) for name in layout.sizes),
            *((name, read_side, "") for name in layout.sides),
        ]
        rows = len(self._columns[TIMESTAMP].values)
        faults = Faults(self._name)
        read: list[list[Any]] = []
        for name, reader, absent in readers:
            column = self._columns.get(name)
            if column is None:
                read.append(list(repeat(absent, rows)))
                continue
            try:
                read.append(list(map(reader, column.values)))
            except RowError:
                self._find_faults(faults, name, reader, column)
        if faults.count:
            raise faults.error(self._tick_hint(faults))
        return read

    def _find_faults(
        self, faults: Faults, name: str, reader: Callable[[Any], Any], column: Column
    ) -> None:
        for row, cell in enumerate(column.values):
            try:
                reader(cell)
            except RowError as error:
                faults.add(row, name, error, self._moment(row))

    def _moment(self, row: int) -> str:
        column = self._columns[TIMESTAMP]
        if column.times is Times.NONE:
            return str(column.values[row])
        return format_timestamp(column.values[row]).removesuffix("Z")

    def _check(self, faults: Faults, row: int, check: Callable[[], object]) -> bool:
        """Whether a row passes a check; if not, it is noted."""
        try:
            check()
        except RowError as error:
            faults.add(row, "", error, self._moment(row))
            return False
        return True

    def _tick_hint(self, faults: Faults) -> str:
        if OFF_TICK not in faults.kinds:
            return ""
        finer = finer_tick(
            [cell for name in self._layout.prices for cell in self._columns[name].values]
        )
        if finer:
            return f'With tick="{finer}" every price fits; or round the prices first.'
        return "No tick down to 0.00000001 fits: adjusted or averaged prices must be rounded first."

    def _judge(self, state: FileState, ts_ns: list[int], columns: list[list[Any]]) -> None:
        """Order of time, shape of bars and quotes. Raises DataError."""
        faults = Faults(self._name)
        kind = self._layout.kind
        if kind == BARS and has_bad_bar(columns):
            for row, shape in enumerate(zip(*columns[:4], strict=True)):
                self._check(faults, row, partial(check_bar, shape))
        if _is_uneven(ts_ns, state.interval_ns):
            for row, moment_ns in enumerate(ts_ns):
                if self._check(faults, row, partial(check_order, state, moment_ns, row)):
                    state.last_ns = moment_ns
        if kind == QUOTES and any(map(gt, columns[0], columns[1])):
            for row, (bid, ask) in enumerate(zip(*columns[:2], strict=True)):
                if bid > ask:
                    state.report(CROSSED, row, crossed_detail(state, bid, ask))
        for defect in state.tally.examples:
            if defect.kind not in self._accept:
                reason = RowError(defect.kind, defect.detail)
                faults.add(defect.line, "", reason, self._moment(defect.line))
        for kind in state.tally.counts.keys() - self._accept:
            listed = sum(defect.kind == kind for defect in state.tally.examples)
            faults.not_listed += state.tally.counts[kind] - listed
        if faults.count:
            refused = sorted(set(faults.kinds) & KEEPING_KINDS)
            names = ", ".join(f'"{name}"' for name in sorted(self._accept.union(refused)))
            raise faults.error(
                f"To accept {' and '.join(refused)}: accept=[{names}]" * bool(refused)
            )


def _is_uneven(ts_ns: Sequence[int], interval_ns: int) -> bool:
    """Whether times run back, or bars do not follow each other without a gap."""
    if not interval_ns:
        return any(map(gt, ts_ns, ts_ns[1:]))
    return any(map(ne, map(sub, ts_ns[1:], ts_ns), repeat(interval_ns)))


def _fingerprint(source: DataSource, block: Block) -> str:
    """SHA-256 of what the session will see of the table."""
    digest = hashlib.sha256(f"{source.kind} {source.symbol} {source.interval_ns}".encode())
    for column in (block.ts_ns, *block.columns):
        if column and isinstance(column[0], str):
            digest.update("\n".join(column).encode())
        else:
            digest.update(array("q", column).tobytes())
    return digest.hexdigest()


def _span(interval_ns: int) -> str:
    seconds = interval_ns / 1_000_000_000
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"
