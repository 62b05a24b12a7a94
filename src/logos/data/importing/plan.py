"""How one table is read: decided from its first rows and what was said, before a row is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND
from logos.data.importing.cells.figures import FigureStyle, find_decimal
from logos.data.importing.cells.roles import find_roles, name_key, roles_by_place
from logos.data.importing.cells.times import TimeError, TimeReader, is_of_days
from logos.data.importing.detect import find_layout
from logos.data.importing.moments import time_reader
from logos.data.importing.options import ImportOptions
from logos.data.importing.order import check_order
from logos.data.importing.record import ForeignLayout
from logos.data.importing.tables.table import Table
from logos.data.importing.vendor import (
    RowRules,
    merge_headers,
    names_of,
    places_by_name,
    shift_of,
)
from logos.data.layout import BARS, QUOTE_BARS
from logos.data.names import interval_word
from logos.data.times.lengths import BarLength, find_length, length_from_text
from logos.errors import DataError

LEAN_SHIFTS = {"equity": 4, "forex": 0, "crypto": 0}
"""By how many decimals Lean shifts the prices of an asset class."""


@dataclass(slots=True, kw_only=True)
class Plan:
    """How a table is read. `places`: the column of each role. `zone_said`: in words."""

    table: Table
    layout: ForeignLayout | None
    kind: str
    places: Mapping[str, int]
    time: TimeReader
    zone_said: str
    prices: FigureStyle
    sizes: FigureStyle
    symbol: str
    symbol_place: int | None = None
    own_symbol: str = ""
    """How the file spells its only symbol, where it was given another name (`symbol`)."""
    length: BarLength | None = None
    """How long bars are."""
    is_stamped_close: bool = False
    is_last_day: bool = False
    """Weeks and months are stamped with their last day."""
    half: str = ""
    tick: str = ""
    rules: RowRules
    """What the layout says of single rows."""

    @property
    def interval_ns(self) -> int:
        """How long bars are, at the most; 0 for what is no bar."""
        return 0 if self.length is None else self.length.ns

    def opened_ns(self, moment_ns: int) -> int:
        """When a bar opened that is stamped at `moment_ns`."""
        if self.is_last_day:
            return _first_day_ns(moment_ns, self.length)
        if self.is_stamped_close and self.has_zoned_days and self.time.zone is not None:
            return _same_clock_ns(moment_ns, self.interval_ns, self.time.zone)
        return moment_ns - self.interval_ns if self.is_stamped_close else moment_ns

    @property
    def has_zoned_days(self) -> bool:
        """Whether bars are days or weeks of a zone in which clocks are changed."""
        return self.interval_ns % NS_PER_DAY == 0 and isinstance(self.time.zone, ZoneInfo)

    @property
    def format(self) -> str:
        """The layout's name, or what stands for one that was found by its names."""
        return self.layout.name if self.layout is not None else "table"

    def moment_text(self, cells: Sequence[str]) -> str:
        """The cells of a row that make its time."""
        if "time" in self.places:
            return cells[self.places["time"]]
        if "clock" in self.places:
            return f"{cells[self.places['date']].strip()} {cells[self.places['clock']].strip()}"
        return cells[self.places["date"]]

    def moment_ns(self, cells: Sequence[str]) -> int:
        """The time of a row as it stands there. Raises TimeError."""
        return self.time(self.moment_text(cells))


def make_plan(table: Table, options: ImportOptions, layouts: Sequence[ForeignLayout]) -> Plan:
    """How the table is read. Raises DataError that names the option for what cannot be told."""
    layout = None
    if not options.columns:
        layout = find_layout(layouts, table, options.format)
    named = names_of(layout, table)
    ticker = merge_headers(table, options.symbols)
    symbol = options.symbols[0] if len(options.symbols) == 1 else ticker or named.get("symbol", "")
    kind, places = _roles(table, options, layout, symbol)
    places, symbol_place = _symbol_place(table, options, places)
    prices, sizes = _styles(table, options, layout, places)
    repeats = kind not in (BARS, QUOTE_BARS) or symbol_place is not None
    time, zone_said = time_reader(table, options, layout, places, named, repeats)
    plan = Plan(
        table=table,
        layout=layout,
        kind=kind,
        places=places,
        time=time,
        zone_said=zone_said,
        prices=prices,
        sizes=sizes,
        symbol=symbol,
        symbol_place=symbol_place,
        half=named.get("half", "").lower(),
        tick=options.tick,
        rules=RowRules(layout, table, places, prices.shift),
    )
    if symbol_place is not None:
        plan.own_symbol = _own_symbol(table, options, symbol_place)
    _check_first_time(plan)
    if kind in (BARS, QUOTE_BARS):
        check_order(table, places, prices)
        plan.length = _length(plan, options, named)
        stamp = options.stamp or (layout.stamp if layout is not None else "open")
        if not stamp:
            raise DataError(
                f"{table.member}: such files are stamped at a bar's open or at its close; say"
                " which with --stamp open or --stamp close"
            )
        plan.is_stamped_close = stamp == "close"
        if plan.is_stamped_close and plan.length.months:
            raise DataError(f"{table.member}: months that are stamped at their close are not known")
        is_long = plan.length.ns > NS_PER_DAY
        plan.is_last_day = is_long and layout is not None and layout.is_last_day
    return plan


def _roles(
    table: Table, options: ImportOptions, layout: ForeignLayout | None, symbol: str
) -> tuple[str, dict[str, int]]:
    try:
        if options.columns:
            return roles_by_place(options.columns, table.width)
        if layout is not None and layout.columns:
            places = {role: at for at, role in enumerate(layout.columns) if role != "-"}
            return layout.kind, places
        if layout is not None and layout.roles:
            return layout.kind, places_by_name(layout, table)
        if not table.headers:
            raise ValueError("it has no header, and its first row is of no layout that is known")
        return find_roles(table.headers[0], table.sample, symbol)
    except ValueError as error:
        line = f"{table.member}:{len(table.skipped) + 1}" if table.headers else f"{table.member}"
        shown = table.headers[0] if table.headers else table.sample[0]
        raise DataError(
            f"{line}: {error}. Say what it holds with --format, or name its {table.width} columns"
            f" with --columns, such as time,open,high,low,close,volume (- for one that is not"
            f" used); they begin {','.join(shown)[:120]!r}"
        ) from None


def _symbol_place(
    table: Table, options: ImportOptions, places: Mapping[str, int]
) -> tuple[dict[str, int], int | None]:
    rest = {role: place for role, place in places.items() if role != "symbol"}
    place = places.get("symbol")
    if options.symbol_column:
        keys = [name_key(name) for name in table.headers[0]] if table.headers else []
        if name_key(options.symbol_column) not in keys:
            raise DataError(f"{table.member}: there is no column {options.symbol_column!r}")
        place = keys.index(name_key(options.symbol_column))
    return rest, place


def _own_symbol(table: Table, options: ImportOptions, place: int) -> str:
    """The file's only symbol, when it is to have another name; empty when none is renamed."""
    seen = {row[place].strip() for row in table.sample if len(row) == table.width}
    if len(options.symbols) != 1 or options.symbols[0] in seen:
        return ""
    if len(seen) == 1:
        return seen.pop()
    raise DataError(
        f"{table.member}: there is no {options.symbols[0]} in its first rows, but"
        f" {', '.join(sorted(seen)[:10])}; say one of them with --symbol, or leave it out to"
        " import each of them"
    )


def _check_first_time(plan: Plan) -> None:
    """A zone that is missing is asked for before anything else."""
    try:
        plan.time.again()(plan.moment_text(plan.table.sample[0]))
    except (TimeError, IndexError) as error:
        line = plan.table.first_line
        raise DataError(f"{plan.table.member}:{line}: {error}") from None


def _styles(
    table: Table,
    options: ImportOptions,
    layout: ForeignLayout | None,
    places: Mapping[str, int],
) -> tuple[FigureStyle, FigureStyle]:
    decimal = options.decimal or (layout.decimal if layout is not None else "")
    if not decimal:
        figures = [
            place
            for role, place in places.items()
            if role not in ("time", "date", "clock", "close_time", "side", "maker", "symbol")
        ]
        cells = (row[place] for row in table.sample for place in figures if len(row) == table.width)
        decimal = find_decimal(cells, table.separator)
    if decimal not in (".", ","):
        row = ",".join(table.sample[0])[:80]
        raise DataError(
            f"{table.member}: it cannot be told whether a point or a comma stands before the"
            f" decimals ({row!r}); say --decimal . or --decimal ,"
        )
    shift = shift_of(layout, table, places) if layout is not None else 0
    if layout is not None and layout.asset_class:
        if options.asset_class not in LEAN_SHIFTS:
            known = ", ".join(LEAN_SHIFTS)
            raise DataError(
                f"{table.member}: say the asset class ({known}) with --asset-class, not"
                f" {options.asset_class!r}"
            )
        shift = LEAN_SHIFTS[options.asset_class]
    return FigureStyle(decimal, shift), FigureStyle(decimal, has_words=True)


def _length(plan: Plan, options: ImportOptions, named: Mapping[str, str]) -> BarLength:
    """How long bars are: as said, by the layout, its name, the close times, the name, the steps."""
    table, layout = plan.table, plan.layout
    token = options.interval or (layout.interval if layout is not None else "")
    if not token and layout is not None and named.get("interval"):
        token = layout.intervals.get(named["interval"], named["interval"])
        try:
            _check_name(plan, named["interval"], token)
        except DataError as error:
            raise DataError(f"{table.member}: {error}") from None
    closing = plan.places.get("close_time")
    if not token and closing is not None:
        return _closed_length(plan, closing)
    if not token:
        words = re.split(r"[^0-9A-Za-z]+", table.member.name.rsplit(".", 1)[0])
        token = next((found for word in words[1:] if (found := interval_word(word, words[0]))), "")
    try:
        if token:
            return length_from_text(token)
        moments = sorted(_sample_ns(plan))
        shown = plan.moment_text(table.sample[0])
        if len(set(moments)) == 1 and is_of_days(plan.time.format, [shown]):
            return BarLength(NS_PER_DAY)
        return find_length(moments, plan.time.zone or UTC).length
    except DataError as error:
        raise DataError(f"{table.member}: {error}") from None


def _check_name(plan: Plan, word: str, token: str) -> None:
    """A name may say it wrongly (US30 of days is not US of 30 minutes), and bars that are taken
    as shorter than they are would be seen before they close."""
    try:
        length = length_from_text(token)
        found = find_length(sorted(_sample_ns(plan)), plan.time.zone or UTC).length
    except DataError:
        return  # one row, or rows that show no length: the name is all there is
    if found.ns > length.ns and "close_time" not in plan.places:
        raise DataError(
            f"its name says {word!r}, bars of {length}, and most of its rows are {found} apart; say"
            " which with --interval"
        )


def _closed_length(plan: Plan, place: int) -> BarLength:
    row = plan.table.sample[0]
    try:
        opened_ns, closed_ns = plan.moment_ns(row), plan.time.again()(row[place])
    except (TimeError, IndexError) as error:
        raise DataError(f"{plan.table.member}: {error}") from None
    # The close time is the last unit of time within the bar, a millisecond or microsecond.
    length_ns = round((closed_ns - opened_ns) / NS_PER_MINUTE) * NS_PER_MINUTE
    if length_ns <= 0:
        raise DataError(
            f"{plan.table.member}:{plan.table.first_line}: open time and close time do not make a"
            f" bar: {','.join(row)[:80]!r}"
        )
    return BarLength(length_ns)


def _sample_ns(plan: Plan) -> list[int]:
    """The moments of the first rows, of the first symbol where there are several."""
    place = plan.symbol_place
    time = plan.time.again()
    moments: list[int] = []
    for row in plan.table.sample:
        if len(row) != plan.table.width:
            continue
        if place is not None and row[place] != plan.table.sample[0][place]:
            continue
        try:
            moments.append(time(plan.moment_text(row)))
        except TimeError:
            continue  # the row is named when its turn comes
    return moments


def _same_clock_ns(moment_ns: int, back_ns: int, zone: tzinfo) -> int:
    """The moment `back_ns` (whole days) before, at which clocks of the zone show the same."""
    seconds, part_ns = divmod(moment_ns, NS_PER_SECOND)
    local = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    earlier = local - timedelta(days=back_ns // NS_PER_DAY)  # of the clock on the wall
    return round(earlier.timestamp()) * NS_PER_SECOND + part_ns


def _first_day_ns(moment_ns: int, length: BarLength | None) -> int:
    """The first day of the week (Monday) or month in which `moment_ns` lies, at midnight UTC."""
    day = date(1970, 1, 1) + timedelta(days=moment_ns // NS_PER_DAY)
    if length is not None and length.months:
        first = day.replace(day=1)
    else:
        first = day - timedelta(days=day.weekday())
    return (first - date(1970, 1, 1)).days * NS_PER_DAY
