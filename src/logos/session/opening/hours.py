"""The dated sessions of markets whose hours are not of UTC, put into the settings of a session.

They are worked out once, when the session is made. A session that is resumed or replayed finds them
in its settings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from logos.config import Config, ConfigError, InstrumentSettings
from logos.core.instrument import instrument
from logos.core.types import NS_PER_DAY
from logos.data.beside.calendars import is_calendar_file, read_calendar, sessions_between
from logos.data.check import CheckReport
from logos.data.market_sessions import sessions_of, sessions_text
from logos.data.readers.head import first_time_ns
from logos.data.readers.numbers import RowError, parse_timestamp
from logos.data.source import DataSource
from logos.errors import DataError

_LIVE_DAYS = 400
"""How long ahead a live session knows the hours of its markets; it trades nothing after them."""


Find = Callable[[str], str]
"""Where a file is that settings name."""


def with_bar_days(config: Config, reports: Sequence[CheckReport]) -> Config:
    """`config` with how many days the bars of an instrument are long, where it has hours and all
    its data are such bars."""
    found = dict(config.instruments)
    for symbol, each in config.instruments.items():
        has_hours = each.hours or each.calendar or each.sessions is not msgspec.UNSET
        sources = [report.source for report in reports if report.source.symbol == symbol]
        days = min((source.interval_ns or 0 for source in sources), default=0) // NS_PER_DAY
        if has_hours and days and each.bar_days is msgspec.UNSET:
            found[symbol] = msgspec.structs.replace(each, bar_days=days)
    return msgspec.structs.replace(config, instruments=found)


def hours_of_data(
    instruments: Mapping[str, InstrumentSettings], sources: Sequence[DataSource], find: Find = str
) -> dict[str, InstrumentSettings]:
    """`instruments` with the sessions of the days that their data may hold, for a check of it:
    where no market was open nothing is missing. From the first row of the data until a week from
    now; what lies behind is taken for closed. Raises ConfigError and DataError.
    """
    found = dict(instruments)
    for symbol, each in instruments.items():
        if each.sessions is not msgspec.UNSET or not (each.calendar or each.timezone):
            continue
        firsts = [
            first_ns
            for source in sources
            if source.symbol == symbol and (first_ns := first_time_ns(source.path)) is not None
        ]
        if not firsts:
            continue
        first_ns = min(firsts)
        last_ns = max(first_ns, time.time_ns())
        found[symbol] = _with_sessions(symbol, each, first_ns, last_ns, find, is_checked=True)
    return found


def with_sessions(
    config: Config, reports: Sequence[CheckReport], *, is_live: bool, find: Find = str
) -> Config:
    """`config` with the sessions of every instrument that has a calendar or a time zone, and with
    the days of bars that are as long.

    `find` finds files of calendars. Raises ConfigError for a zone or calendar that is not known,
    for a file that does not reach from the first day to the last, and where nothing says which
    days are meant.
    """
    config = with_bar_days(config, reports)
    wanted = {
        symbol: each
        for symbol, each in config.instruments.items()
        if each.sessions is msgspec.UNSET and (each.calendar or each.timezone)
    }
    if not wanted:
        return config
    first_ns, last_ns = _days(config, reports, next(iter(wanted)), is_live=is_live)
    found = dict(config.instruments)
    for symbol, each in wanted.items():
        found[symbol] = _with_sessions(symbol, each, first_ns, last_ns, find, is_live=is_live)
    return msgspec.structs.replace(config, instruments=found)


def _with_sessions(
    symbol: str,
    settings: InstrumentSettings,
    first_ns: int,
    last_ns: int,
    find: Find,
    *,
    is_live: bool = False,
    is_checked: bool = False,
) -> InstrumentSettings:
    calendar = settings.calendar or ""
    zone = settings.timezone or ""
    try:
        if is_calendar_file(calendar):
            read = read_calendar(Path(find(calendar)))
            if is_live:  # it trades as long as the file goes, and nothing behind
                last_ns = min(last_ns, max(first_ns + NS_PER_DAY, read.end_ns))
            kept = read.sessions
            if not is_checked:
                kept = sessions_between(read, calendar, first_ns, last_ns)
            return msgspec.structs.replace(
                settings, sessions=sessions_text(kept), calendar_sha256=read.sha256
            )
        made = instrument(symbol, tick="1", lot="1", quote="X", hours=settings.hours)
        sessions = sessions_of(calendar, zone, made, first_ns, last_ns)
    except (DataError, ValueError) as error:
        raise ConfigError(f"instruments.{symbol}: {error}") from None
    return msgspec.structs.replace(settings, sessions=sessions)


def _days(
    config: Config, reports: Sequence[CheckReport], symbol: str, *, is_live: bool
) -> tuple[int, int]:
    """The first and last moment that the session can come to."""
    if is_live:
        now_ns = time.time_ns()
        return now_ns - NS_PER_DAY, now_ns + _LIVE_DAYS * NS_PER_DAY
    firsts = [each.first_ns for each in reports if each.first_ns is not None]
    lasts = [each.last_ns for each in reports if each.last_ns is not None]
    try:
        start = parse_timestamp(config.data.start) if config.data.start else None
        end = parse_timestamp(config.data.end) if config.data.end else None
    except RowError as error:
        raise ConfigError(f"data.from, data.to: {error}") from None
    first = start if start is not None else min(firsts, default=None)
    last = end if end is not None else max(lasts, default=None)
    if first is None or last is None:
        raise ConfigError(
            f"instruments.{symbol}: its hours depend on the date, and nothing says which days the "
            "data holds: set data.from and data.to"
        )
    return first, max(first, last)
