"""Other people's files into our CSV: Binance, HistData, Lean, and whatever pandas wrote.

Every format is a generator of rows; one function names the output, writes it, and removes it
again when a line cannot be understood. Figures are carried over as decimal text, exactly as
written, with two exceptions that the formats ask for: Lean's integers are divided by 10,000, and
the floats of pandas are rounded to the tick that is given. Times become UTC.

What is imported is not judged beyond its form: `check` does that, for all data alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from itertools import chain, pairwise
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from logos.core.fixed import HALF_EVEN, decimals_of, format_units, parse_units, to_step
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE
from logos.data.convert import new_csv
from logos.data.importing.lines import ImportInput
from logos.data.layout import BARS, INTERVAL_TOKENS_NS, LAYOUTS, QUOTES
from logos.data.names import check_symbol, stem_for
from logos.data.readers.numbers import format_timestamp
from logos.errors import DataError

Row = tuple[str, ...]
"""Cells of one output line; an empty tuple means that this output has no such row."""

_NS_PER_MS: Final = 1_000_000
_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_HISTDATA_ZONE: Final = timezone(-5 * _HOUR)
"""HistData writes Eastern Standard Time the whole year round, without daylight saving."""

LEAN_SCALES: Final = {"equity": 4, "forex": 0, "crypto": 0}
"""By how many decimals Lean shifts the prices of an asset class."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a file does not say about itself.

    `timezone` is an IANA name (Lean, and pandas times without an offset); `asset_class` one of
    LEAN_SCALES; `tick` the price step that the floats of pandas are rounded to.
    """

    timezone: str = ""
    asset_class: str = ""
    tick: str = ""


@dataclass(frozen=True, slots=True)
class _Parsed:
    """Rows for one output (`sides` == ("",)) or for the two halves of a pair."""

    kind: str
    interval_ns: int
    rows: Iterator[tuple[Row, ...]]
    sides: tuple[str, ...] = ("",)


def import_file(
    path: str | Path,
    format: str,
    out_dir: str | Path,
    symbol: str,
    *,
    timezone: str = "",
    asset_class: str = "",
    tick: str = "",
) -> list[Path]:
    """Convert one file to our CSV in `out_dir`; gives the files written (two for bid and ask).

    `format` is one of FORMATS. `timezone`, `asset_class` and `tick` are described in
    `ImportOptions`. The input may be plain, .gz, or a .zip with one file in it.

    Raises DataError with file:line for a line that cannot be understood, for an option that is
    missing, and when an output exists already.
    """
    source = Path(path)
    if format not in FORMATS:
        raise DataError(f"unknown format {format!r}; known: {', '.join(FORMATS)}")
    check_symbol(symbol)
    options = ImportOptions(timezone, asset_class, tick)
    with ImportInput(source) as lines:
        parsed = FORMATS[format](lines, options)
        tokens = [token for token, ns in INTERVAL_TOKENS_NS.items() if ns == parsed.interval_ns]
        original = re.sub(r"[^A-Za-z0-9-]+", "-", source.name.split(".")[0]).strip("-")
        outs = [
            Path(out_dir) / f"{stem_for(symbol, format, *tokens, original, side=side)}.csv"
            for side in parsed.sides
        ]
        header = LAYOUTS[parsed.kind].columns
        with ExitStack() as stack:
            files = [stack.enter_context(new_csv(out, header)) for out in outs]
            written = 0
            for rows in parsed.rows:
                for file, row in zip(files, rows, strict=True):
                    if row:
                        file.write(",".join(row) + "\n")
                        written += 1
            if not written:
                raise DataError(f"{source}: there are no rows in this file")
    return outs


def _number(lines: ImportInput, text: str, name: str) -> str:
    """`text` as plain decimal text; raises DataError when it is not a finite number."""
    stripped = text.strip()
    if _PLAIN_NUMBER.fullmatch(stripped):
        return stripped
    try:
        number = Decimal(stripped)
    except InvalidOperation:
        raise lines.error(f"{name} is not a number: {text[:40]!r}") from None
    if not number.is_finite() or "_" in stripped:
        raise lines.error(f"{name} is not a finite number: {text[:40]!r}")
    return format(number, "f")


def _integer(lines: ImportInput, text: str, name: str) -> int:
    stripped = text.strip()
    if not stripped.isascii() or not stripped.isdigit() or len(stripped) > 19:
        raise lines.error(f"{name} is not a whole number: {text[:40]!r}")
    return int(stripped)


def _moment_ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _zone(lines: ImportInput, name: str, why: str) -> tzinfo:
    if not name:
        raise lines.error(f"{why}; say which timezone, such as UTC or America/New_York")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise lines.error(
            f"unknown timezone {name!r}; use a name such as America/New_York"
        ) from None


# --- Binance ---------------------------------------------------------------------------------


def _binance(lines: ImportInput, options: ImportOptions) -> _Parsed:
    """Klines of data.binance.vision: 12 columns, epoch ms or us, header or none."""
    del options
    first = lines.read()
    if first and not first[0].strip().isdigit():
        first = lines.read()
    if not first:
        raise lines.error("there are no rows in this file")
    opened_ns, closed_ns, _ = _kline(lines, first)
    # The close time is the last unit of time within the bar, a millisecond or microsecond.
    interval_ns = round((closed_ns - opened_ns) / NS_PER_MINUTE) * NS_PER_MINUTE
    rows = ((_kline(lines, cells)[2],) for cells in chain([first], lines.rest()))
    return _Parsed(BARS, interval_ns, rows)


def _kline(lines: ImportInput, cells: list[str]) -> tuple[int, int, Row]:
    if len(cells) != 12:
        raise lines.error(f"a Binance kline has 12 columns, this has {len(cells)}")
    opened = _integer(lines, cells[0], "open time")
    unit_ns = _NS_PER_MS if opened < 10**14 else 1000
    opened_ns, closed_ns = opened * unit_ns, _integer(lines, cells[6], "close time") * unit_ns
    if not 0 < opened_ns < closed_ns < 2**63:
        raise lines.error(f"open time {cells[0]} and close time {cells[6]} do not make a bar")
    names = ("open", "high", "low", "close", "volume")
    figures = (_number(lines, text, name) for name, text in zip(names, cells[1:6], strict=True))
    return opened_ns, closed_ns, (format_timestamp(opened_ns), *figures)


# --- HistData --------------------------------------------------------------------------------


def _histdata_m1(lines: ImportInput, options: ImportOptions) -> _Parsed:
    """Generic ASCII, one minute: `20240102 170000;open;high;low;close;volume`."""
    del options
    lines.separator = ";"

    def rows() -> Iterator[tuple[Row, ...]]:
        for cells in lines.rest():
            if len(cells) != 6:
                raise lines.error(f"a HistData minute has 6 columns, this has {len(cells)}")
            opened_ns = _histdata_ns(lines, cells[0], 0)
            names = ("open", "high", "low", "close", "volume")
            figures = (
                _number(lines, text, name) for name, text in zip(names, cells[1:], strict=True)
            )
            yield ((format_timestamp(opened_ns), *figures),)

    return _Parsed(BARS, NS_PER_MINUTE, rows())


def _histdata_tick(lines: ImportInput, options: ImportOptions) -> _Parsed:
    """Generic ASCII, ticks: `20240102 170000123,bid,ask,0`."""
    del options

    def rows() -> Iterator[tuple[Row, ...]]:
        for cells in lines.rest():
            if len(cells) != 4:
                raise lines.error(f"a HistData tick has 4 columns, this has {len(cells)}")
            moment_ns = _histdata_ns(lines, cells[0], 3)
            bid, ask = _number(lines, cells[1], "bid"), _number(lines, cells[2], "ask")
            # The fourth column is always 0: HistData does not report sizes.
            yield ((format_timestamp(moment_ns), bid, ask, "", ""),)

    return _Parsed(QUOTES, 0, rows())


def _histdata_ns(lines: ImportInput, text: str, millisecond_digits: int) -> int:
    length = 15 + millisecond_digits
    try:
        if len(text) != length or not text.replace(" ", "", 1).isdigit():
            raise ValueError(text)
        moment = datetime.strptime(text[:15], "%Y%m%d %H%M%S").replace(tzinfo=_HISTDATA_ZONE)
        return _moment_ns(moment) + int(text[15:] or 0) * _NS_PER_MS
    except ValueError:
        shape = "YYYYMMDD HHMMSS" + "mmm" * (millisecond_digits > 0)
        raise lines.error(f"not a time of the form {shape}: {text[:40]!r}") from None


# --- Lean ------------------------------------------------------------------------------------


def _lean(lines: ImportInput, options: ImportOptions) -> _Parsed:
    """Lean's zip files: trade bars (6 columns) or quote bars (11), minute or daily."""
    if options.asset_class not in LEAN_SCALES:
        known = ", ".join(LEAN_SCALES)
        raise lines.error(f"say the asset class ({known}), not {options.asset_class!r}")
    shift = LEAN_SCALES[options.asset_class]
    zone = _zone(lines, options.timezone, "Lean writes local times")
    # Lean joins the lines of a member; what was cut off a zip its checksums show.
    lines.may_end_open = lines.path.name.lower().endswith(".zip")
    first = lines.read()
    if not first:
        raise lines.error("there are no rows in this file")
    if len(first) not in (6, 11):
        raise lines.error(f"Lean's bars have 6 columns (trade) or 11 (quote), not {len(first)}")
    is_daily = " " in first[0].strip()
    day = None if is_daily else _lean_day(lines)

    def moment_text(cell: str) -> str:
        if day is None:
            return _lean_date_text(lines, cell)
        milliseconds = _integer(lines, cell, "milliseconds since midnight")
        if milliseconds > 86_400_000:
            raise lines.error(f"not milliseconds since midnight: {cell[:40]!r}")
        # The wall clock of that day, which on a change of the clocks is not the time elapsed.
        wall = (day + timedelta(milliseconds=milliseconds)).replace(tzinfo=zone)
        return format_timestamp(_moment_ns(wall.astimezone(UTC)))

    def side(cells: list[str], moment: str) -> Row:
        if not any(cells[:4]):
            return ()
        prices = [_shifted(lines, text, shift) for text in cells[:4]]
        return (moment, *prices, _number(lines, cells[4], "volume") if cells[4] else "")

    def rows() -> Iterator[tuple[Row, ...]]:
        for cells in chain([first], lines.rest()):
            if len(cells) != len(first):
                raise lines.error(f"{len(cells)} columns instead of {len(first)}")
            moment = moment_text(cells[0])
            halves = (cells[1:6],) if len(first) == 6 else (cells[1:6], cells[6:11])
            yield tuple(side(half, moment) for half in halves)

    sides = ("",) if len(first) == 6 else ("bid", "ask")
    return _Parsed(BARS, NS_PER_DAY if is_daily else NS_PER_MINUTE, rows(), sides)


def _lean_day(lines: ImportInput) -> datetime:
    match = re.match(r"([0-9]{8})_", lines.path.name)
    try:
        return datetime.strptime(match.group(1) if match else "", "%Y%m%d")
    except ValueError:
        raise lines.error(
            "minute files are named for their day, such as 20131007_trade.zip"
        ) from None


def _lean_date_text(lines: ImportInput, cell: str) -> str:
    # A daily bar is stamped with midnight of its trading date, wherever the exchange is.
    try:
        moment = datetime.strptime(cell.strip(), "%Y%m%d %H:%M")
    except ValueError:
        raise lines.error(f"not a time of the form YYYYMMDD HH:MM: {cell[:40]!r}") from None
    if moment.hour or moment.minute:
        raise lines.error(f"only minute and daily files can be imported; this has {cell.strip()!r}")
    return format_timestamp(_moment_ns(moment.replace(tzinfo=UTC)))


def _shifted(lines: ImportInput, text: str, shift: int) -> str:
    plain = _number(lines, text, "price")
    if not shift:
        return plain
    decimals = decimals_of(plain)
    shifted = format_units(parse_units(plain, decimals), decimals + shift)
    return shifted.rstrip("0").rstrip(".")


# --- pandas and yfinance ---------------------------------------------------------------------


def _pandas(lines: ImportInput, options: ImportOptions) -> _Parsed:
    """An index of times, then Open, High, Low, Close, Volume among the columns."""
    if not options.tick:
        raise lines.error("pandas writes floats; say the tick they are to be rounded to")
    try:
        tick_decimals = decimals_of(options.tick)
        tick = parse_units(options.tick, tick_decimals)
    except (ArithmeticError, ValueError):
        tick = 0
    if tick <= 0:
        raise lines.error(f"the tick must be a positive number, not {options.tick!r}")
    header = [name.strip().lower() for name in lines.read()]
    if header[:1] == ["price"]:
        # Newer yfinance writes three lines of header: names, tickers, the name of the index.
        tickers = lines.read()
        if len(set(tickers[1:])) > 1:
            raise lines.error(f"more than one ticker in one file: {','.join(tickers[1:])[:80]}")
        lines.read()
    names = ("open", "high", "low", "close", "volume")
    missing = [name for name in names if name not in header]
    if missing:
        raise lines.error(f"no column {', '.join(missing)} in the header")
    places = [header.index(name) for name in names]
    table: list[tuple[int, Row]] = []
    for cells in lines.rest():
        if len(cells) != len(header):
            raise lines.error(f"{len(cells)} columns instead of {len(header)}")
        moment_ns = _pandas_ns(lines, cells[0], options)
        prices = [
            _rounded(_number(lines, cells[place], name), tick, tick_decimals)
            for place, name in zip(places[:4], names, strict=False)
        ]
        volume = _number(lines, cells[places[4]], "volume")
        volume = volume.rstrip("0").rstrip(".") if "." in volume else volume
        table.append((moment_ns, (format_timestamp(moment_ns), *prices, volume)))
    steps = [late[0] - early[0] for early, late in pairwise(table) if late[0] > early[0]]
    return _Parsed(BARS, min(steps, default=0), ((row,) for _, row in table))


def _rounded(text: str, tick: int, tick_decimals: int) -> str:
    decimals = max(decimals_of(text), tick_decimals)
    step = tick * 10 ** (decimals - tick_decimals)
    units = to_step(parse_units(text, decimals), step, HALF_EVEN)
    return format_units(units // 10 ** (decimals - tick_decimals), tick_decimals)


def _pandas_ns(lines: ImportInput, text: str, options: ImportOptions) -> int:
    stripped = text.strip()
    try:
        moment = datetime.fromisoformat(stripped)
    except ValueError:
        raise lines.error(f"not a date or time: {text[:40]!r}") from None
    if moment.tzinfo is None:
        is_date = len(stripped) <= 10
        zone = UTC if is_date else _zone(lines, options.timezone, "times without an offset")
        moment = moment.replace(tzinfo=zone)
    return _moment_ns(moment)


FORMATS: Final[dict[str, Callable[[ImportInput, ImportOptions], _Parsed]]] = {
    "binance": _binance,
    "histdata-m1": _histdata_m1,
    "histdata-tick": _histdata_tick,
    "lean": _lean,
    "yfinance": _pandas,
}
"""The formats `import_file` knows."""
