"""Which day a moment belongs to, and how many days a year has: by the calendars of the markets.

A market that the settings give no hours trades round the clock: every day counts, a year has 365,
and a day without a change has a return of 0. Where every market of a book has hours (or a calendar)
in the settings, a year has 252 days, only days from Monday to Friday on which one of them is open
count, and what happens besides (Sunday evening in the forex market) belongs to the next one.

Days begin at midnight of the markets' time zone where the settings name one for all, else UTC. A
sample stamped with midnight is the state before it, and belongs to the day that ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from logos.config import InstrumentSettings
from logos.core.instrument import Instrument
from logos.core.types import NS_PER_DAY, NS_PER_SECOND

ALL_DAYS: Final = 365
TRADING_DAYS: Final = 252

_LOOK_AHEAD_DAYS: Final = 10
"""No market is closed for longer: behind that, any weekday counts."""


class Calendar:
    """The days of one book."""

    def __init__(
        self, instruments: Iterable[Instrument], settings: Iterable[InstrumentSettings]
    ) -> None:
        self._markets = [each.market for each in instruments]
        self._has_hours = bool(self._markets) and None not in self._markets
        self.periods_a_year = TRADING_DAYS if self._has_hours else ALL_DAYS
        self.zone, self._zone = _zone_of(settings)

    def local(self, ts_ns: int) -> datetime:
        """The moment by the clock of the zone, to the second."""
        return datetime.fromtimestamp(ts_ns // NS_PER_SECOND, self._zone)

    def calendar_day(self, ts_ns: int) -> int:
        """The day (`date.toordinal`) that the state at `ts_ns` is of: at midnight the last one."""
        if self._zone is UTC:
            return (ts_ns - 1) // NS_PER_DAY + _EPOCH
        return self.local(ts_ns - 1).toordinal()

    def trading_day(self, ts_ns: int) -> int:
        """The day that counts for the state at `ts_ns`; see the module."""
        day = self.calendar_day(ts_ns)
        if not self._has_hours:
            return day
        for ahead in range(_LOOK_AHEAD_DAYS):
            if self.counts(day + ahead):
                return day + ahead
        while date.fromordinal(day).weekday() > 4:
            day += 1
        return day

    def counts(self, day: int) -> bool:
        """Whether a day counts among those of a year."""
        if not self._has_hours:
            return True
        if date.fromordinal(day).weekday() > 4:
            return False
        start = _midnight_ns(day, self._zone)
        end = _midnight_ns(day + 1, self._zone)
        return any(market is not None and market.is_open_in(start, end) for market in self._markets)


_EPOCH: Final = date(1970, 1, 1).toordinal()


def _midnight_ns(day: int, zone: tzinfo) -> int:
    if zone is UTC:
        return (day - _EPOCH) * NS_PER_DAY
    moment = datetime.combine(date.fromordinal(day), datetime.min.time(), zone)
    return int(moment.timestamp()) * NS_PER_SECOND


def _zone_of(settings: Iterable[InstrumentSettings]) -> tuple[str, tzinfo]:
    names = {
        "UTC" if isinstance(each.timezone, msgspec.UnsetType) else each.timezone
        for each in settings
    }
    name = names.pop() if len(names) == 1 else "UTC"
    if name == "UTC":
        return name, UTC
    try:
        return name, ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC", UTC  # the database of time zones is not installed here


def day_text(day: int) -> str:
    """A day as ISO-8601 text."""
    return date.fromordinal(day).isoformat()


def days_between(first: int, last: int) -> range:
    """Every day from `first` to `last`, both included."""
    return range(first, last + 1)
