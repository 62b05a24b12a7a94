"""The times of a column of text, by one rule for all files: with a zone, or in one that is said.

A time that names its zone, and a number of seconds, ms, us or ns since 1970, need nothing. A time
without a zone is refused unless a zone is said; a number that is something else is refused unless
its format is said. `TimeReader` reads one column in the order of its rows.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

import msgspec

from logos.core.types import NS_PER_DAY, NS_PER_SECOND
from logos.data.defects import BAD_TIMESTAMP
from logos.data.readers.numbers import (
    TIME_LIMIT_NS,
    RowError,
    in_range,
    parse_timestamp,
    parse_wall,
)
from logos.data.times.epochs import counted_ns
from logos.data.times.lengths import length_from_text
from logos.data.times.zones import ZoneClock, find_zone
from logos.errors import DataError

NO_ZONE: Final = (
    "{} names no time zone: say --timezone UTC, or the zone it is in, such as America/New_York "
    "(configuration: data.timezone)"
)
"""Why a time without a zone is refused."""

_NAIVE_EPOCH: Final = datetime(1970, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)
_COUNT: Final = re.compile(r"([0-9]{1,19})(?:\.([0-9]{0,18}))?", re.ASCII)
_DAY_ZERO: Final = (date(1899, 12, 30) - date(1970, 1, 1)).days
"""Day 0 of spreadsheets, so that day 61 is 1900-03-01: they count a 29 February 1900."""

_EPOCHS: Final = {
    "epoch-s": NS_PER_SECOND,
    "epoch-ms": 1_000_000,
    "epoch-us": 1_000,
    "epoch-ns": 1,
}
_DIGITS: Final = {
    "yyyymmdd": "%Y%m%d",
    "yyyymmddhh": "%Y%m%d%H",
    "yyyymmddhhmm": "%Y%m%d%H%M",
    "yyyymmddhhmmss": "%Y%m%d%H%M%S",
}
_TICKS: Final = {
    "dotnet": (date(1, 1, 1) - date(1970, 1, 1)).days,
    "filetime": (date(1601, 1, 1) - date(1970, 1, 1)).days,
}
STAMPS: Final = ("open", "close")

TIME_FORMATS: Final = (*_EPOCHS, *_DIGITS, "excel", *_TICKS)
"""Words for `--time-format`; a pattern of strptime (with %) is the other way to say it."""


class TimeRules(msgspec.Struct, frozen=True):
    """What is said about the times of a file, and "" for what is not.

    `timezone` is the IANA name of the zone of times that name none, and of days, weeks and months;
    `time_format` one of `TIME_FORMATS`, or a pattern of strptime; `stamp` says whether a bar's
    time is its open or its close; `interval` is the length of bars, such as "1h".
    """

    timezone: str = ""
    time_format: str = ""
    stamp: str = ""
    interval: str = ""

    def __post_init__(self) -> None:
        """Raises DataError for what is not known."""
        if self.stamp not in ("", *STAMPS):
            raise DataError(f"stamp {self.stamp!r}: a bar is stamped with its open or its close")
        if self.interval:
            length_from_text(self.interval)
        if self.timezone:
            find_zone(self.timezone)
        if (
            self.time_format
            and self.time_format not in TIME_FORMATS
            and "%" not in self.time_format
        ):
            raise DataError(
                f"time format {self.time_format!r}: use one of {', '.join(TIME_FORMATS)}, or a "
                "pattern such as %d.%m.%Y %H:%M"
            )

    @property
    def zone(self) -> tzinfo | None:
        """The zone that is said, if any."""
        return find_zone(self.timezone) if self.timezone else None

    @property
    def is_plain(self) -> bool:
        """Whether nothing is said of single times, so that `parse_timestamp` reads each."""
        return not self.timezone and not self.time_format


NOTHING_SAID: Final = TimeRules()


class TimeReader:
    """Reads one column of times, row by row. `repeats`: whether two rows may share a time."""

    def __init__(self, rules: TimeRules, *, repeats: bool) -> None:
        self._format = rules.time_format
        zone = rules.zone
        self.is_plain = rules.is_plain
        self._clock = None if zone is None else ZoneClock(zone, repeats=repeats)

    def read(self, text: str) -> int:
        """Nanoseconds since 1970 UTC. Raises RowError (bad_timestamp)."""
        stripped = text.strip()
        if self._format:
            return self._formatted(stripped)
        if self._clock is not None and (wall_ns := parse_wall(stripped)) is not None:
            return self._clock.moment_ns(wall_ns)
        try:
            return parse_timestamp(stripped)
        except RowError:
            if parse_wall(stripped) is not None:
                raise RowError(BAD_TIMESTAMP, NO_ZONE.format(stripped)) from None
            raise

    def on_clock(self, wall_ns: int, text: str = "") -> int:
        """The moment at which the zone's clock showed `wall_ns`. Raises RowError."""
        if self._clock is None:
            raise RowError(BAD_TIMESTAMP, NO_ZONE.format(text))
        return self._clock.moment_ns(wall_ns)

    @property
    def has_doubts(self) -> bool:
        """Whether `doubts` has anything to say."""
        return self._clock is not None and bool(self._clock.doubts)

    def doubts(self, *, is_end: bool = False) -> list[str]:
        """What has been read that the order of rows did not settle, once each; `is_end`: no more
        rows will come. A caller refuses the file for it, since what was read may be wrong."""
        if self._clock is None:
            return []
        if is_end:
            self._clock.finish()
        found, self._clock.doubts = self._clock.doubts, []
        return found

    def _formatted(self, text: str) -> int:
        name = self._format
        if name in _EPOCHS:
            return self._counted(text, _EPOCHS[name], 0)
        if name == "filetime":  # it counts from midnight UTC; a .NET count is of any clock
            return self._counted(text, 100, _TICKS[name])
        if name == "dotnet":
            return self.on_clock(self._counted(text, 100, _TICKS[name]), text)
        if name == "excel":
            return self.on_clock(self._days(text), text)
        try:
            # strptime would take fewer digits than there are.
            if name in _DIGITS and not (text.isdigit() and len(text) == len(name)):
                raise ValueError(text)
            moment = datetime.strptime(text, _DIGITS.get(name, name))
        except ValueError:
            raise RowError(
                BAD_TIMESTAMP, f"not a time of the format {name}: {text[:40]!r}"
            ) from None
        if moment.tzinfo is not None:
            offset = moment.utcoffset() or timedelta()
            since = moment.replace(tzinfo=None) - _NAIVE_EPOCH - offset
            return in_range(since // _MICROSECOND * 1_000, text)
        return self.on_clock((moment - _NAIVE_EPOCH) // _MICROSECOND * 1_000, text)

    def _counted(self, text: str, unit_ns: int, day_zero: int) -> int:
        match = _COUNT.fullmatch(text)
        found = counted_ns(int(match[1]), match[2] or "", unit_ns) if match else None
        moment_ns = TIME_LIMIT_NS if found is None else found + day_zero * NS_PER_DAY
        if not -TIME_LIMIT_NS <= moment_ns < TIME_LIMIT_NS:
            raise RowError(BAD_TIMESTAMP, f"not a number of {self._format}: {text[:40]!r}")
        return moment_ns

    def _days(self, text: str) -> int:
        """A spreadsheet's count of days, to the nearest millisecond: it is a binary float there."""
        match = _COUNT.fullmatch(text)
        if match is None or int(match[1]) >= 2_958_466:
            raise RowError(BAD_TIMESTAMP, f"not a spreadsheet's count of days: {text[:40]!r}")
        fraction = match[2] or "0"
        scale: int = 10 ** len(fraction)
        part_ms = (int(fraction) * 86_400_000 * 2 // scale + 1) // 2
        return (int(match[1]) + _DAY_ZERO) * NS_PER_DAY + part_ms * 1_000_000
