"""The sessions of a market with their dates: from hours with a time zone, or from a calendar.

Problem: 09:30 in New York is another time in UTC in summer than in winter, and holidays and half
days follow from no rule of the week. The core knows neither, and the databases of time zones and
holidays change. Method: sessions are worked out here, once, when a session is made. They stand in
its settings as text, so a replay needs neither database.

A time that a change of the clock leaves out or repeats can be read in two ways: an opening is the
earlier of the two, a closing the later.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from logos.core.instrument import Instrument
from logos.core.types import NS_PER_DAY, NS_PER_SECOND
from logos.data.readers.numbers import RowError, parse_timestamp
from logos.errors import DataError
from logos.installation import install_command

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MINUTES: Final = 1440
_SECOND: Final = timedelta(seconds=1)

Moments = list[int]
"""One session: open and close, with the moments of breaks between them, nanoseconds UTC."""


def time_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises DataError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DataError(
            f"no time zone {name!r} is known here; names are like America/New_York"
        ) from None


def zoned_sessions(
    hours: Sequence[tuple[int, int]], zone: ZoneInfo, first_ns: int, last_ns: int
) -> list[Moments]:
    """Sessions of weekly `hours` (minutes of the week of that zone) from the day before `first_ns`
    to the day after `last_ns`."""
    day = _local_day(first_ns, zone) - timedelta(days=1)
    last = _local_day(last_ns, zone) + timedelta(days=1)
    found: list[Moments] = []
    while day <= last:
        start = day.weekday() * _DAY_MINUTES
        of_day = sorted(
            (opens - start, closes - start)
            for opens, closes in hours
            if start <= opens < start + _DAY_MINUTES
        )
        for group in _sessions_of_day(of_day):
            session = [
                _moment(day, minute, zone, is_close=place % 2 == 1)
                for place, minute in enumerate(group)
            ]
            if any(later <= earlier for earlier, later in pairwise(session)):
                continue  # a change of the clock swallowed it
            if found and found[-1][-1] >= session[0]:
                found[-1] = [*found[-1][:-1], *session[1:]]  # it runs past midnight
            else:
                found.append(session)
        day += timedelta(days=1)
    return found


def _sessions_of_day(spans: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """The spans of one day as sessions: those with a break between them are one, unless they touch
    midnight."""
    inner = [span for span in spans if span[0] > 0 and span[1] < _DAY_MINUTES]
    groups = [[span] for span in spans if span not in inner]
    groups += [inner] if inner else []
    for group in sorted(groups):
        moments: list[int] = []
        for opens, closes in group:
            if moments and moments[-1] == opens:
                moments[-1] = closes
            else:
                moments += [opens, closes]
        yield moments


def exchange_calendar(name: str, **days: str) -> Any:
    """The calendar of that name (such as XNYS) from the library. Raises DataError for an unknown
    name, days that it does not reach, and without the library."""
    try:
        import exchange_calendars
    except ImportError:
        raise DataError(
            "calendars need the library exchange_calendars: " + install_command("calendars")
        ) from None
    # What the libraries below it deprecate is nothing to whoever asks for a calendar.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return exchange_calendars.get_calendar(name, **days)
        except (exchange_calendars.errors.InvalidCalendarName, ValueError) as error:
            words = " ".join(str(error).split())
            raise DataError(f"calendar {name!r}: {words}") from None


def calendar_sessions(name: str, first_ns: int, last_ns: int) -> list[Moments]:
    """The sessions of the exchange calendar `name` (such as XNYS) from a week before `first_ns` to
    a week after `last_ns`. Raises DataError for an unknown name, a time that the calendar does not
    reach, and without the library."""
    week = timedelta(days=7)
    start, end = _utc(first_ns).date() - week, _utc(last_ns).date() + week
    calendar = exchange_calendar(name, start=start.isoformat(), end=end.isoformat())
    columns = [calendar.schedule[each] for each in ("open", "break_start", "break_end", "close")]
    return [
        [moment.value for moment in row if moment == moment]  # no break is not a time
        for row in zip(*columns, strict=True)
    ]


def sessions_text(sessions: Sequence[Moments]) -> list[str]:
    """Sessions as settings hold them: `2024-01-02T14:30Z/2024-01-02T21:00Z`."""
    return ["/".join(_text(moment) for moment in session) for session in sessions]


def read_sessions(texts: Sequence[str]) -> list[Moments]:
    """What `sessions_text` wrote. Raises DataError for any other text."""
    try:
        return [[parse_timestamp(each) for each in text.split("/")] for text in texts]
    except RowError as error:
        raise DataError(
            f"sessions: {error}; write each like 2024-01-02T14:30Z/2024-01-02T21:00Z"
        ) from None


def sessions_of(
    calendar: str, zone: str, made: Instrument, first_ns: int, last_ns: int
) -> list[str]:
    """The sessions of an instrument with a calendar, or with hours in a time zone, as text.

    Raises DataError as `calendar_sessions` and `time_zone` do.
    """
    if calendar:
        return sessions_text(calendar_sessions(calendar, first_ns, last_ns))
    margin_ns = 8 * NS_PER_DAY
    found = zoned_sessions(made.hours, time_zone(zone), first_ns - margin_ns, last_ns + margin_ns)
    return sessions_text(found)


def _utc(ts_ns: int) -> datetime:
    return _EPOCH + timedelta(seconds=ts_ns // NS_PER_SECOND)


def _local_day(ts_ns: int, zone: ZoneInfo) -> date:
    return _utc(ts_ns).astimezone(zone).date()


def _moment(day: date, minute: int, zone: ZoneInfo, *, is_close: bool) -> int:
    """A time of the zone's clock in nanoseconds UTC."""
    local = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    readings = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    moment = max(readings) if is_close else min(readings)
    return (moment - _EPOCH) // _SECOND * NS_PER_SECOND


def _text(moment_ns: int) -> str:
    return f"{_utc(moment_ns):%Y-%m-%dT%H:%MZ}"
