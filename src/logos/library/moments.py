"""Times of a table's rows as nanoseconds since 1970 UTC.

A time that names no zone is refused unless the caller says which zone its clock showed. In that
zone an hour may be missing or come twice, once a year each; a time in such an hour is refused, as
nothing says which moment it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from logos.core.types import NS_PER_DAY, NS_PER_SECOND
from logos.data.defects import BAD_TIMESTAMP, NOT_A_NUMBER
from logos.data.readers.numbers import TIME_LIMIT_NS, RowError, parse_timestamp
from logos.errors import ConfigError
from logos.library.table import Column, Times

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = datetime(1970, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)
_NO_ZONE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9:]+(?:\.[0-9]+)?))?")


def find_zone(name: str | tzinfo | None) -> tzinfo | None:
    """The zone of that name, such as "UTC" or "America/New_York". Raises ConfigError."""
    if name is None or isinstance(name, tzinfo):
        return name
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ConfigError(
            f"timezone: {name!r} is not known here; write it like 'America/New_York', "
            "and install the package tzdata if your system has no zones"
        ) from None


class MomentReader:
    """Reads one column of times; `zone` is that of times which name none (None: refused)."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self._offsets_ns: dict[int, int | None] = {}

    def read(self, column: Column) -> list[int | RowError]:
        """Nanoseconds since 1970 UTC, or what is wrong, for each value."""
        return [self._read_one(value, column.times) for value in column.values]

    def read_all(self, column: Column) -> Sequence[int]:
        """As `read`. Raises RowError for the first value that is wrong."""
        if column.times is Times.UTC and None not in column.values:
            return column.values
        return [self._moment(value, column.times) for value in column.values]

    def _read_one(self, value: Any, times: Times) -> int | RowError:
        try:
            return self._moment(value, times)
        except RowError as error:
            return error

    def _moment(self, value: Any, times: Times) -> int:
        if value is None:
            raise RowError(BAD_TIMESTAMP, "no time")
        if times is Times.WALL:
            return self._on_clock(value)
        if times is Times.UTC:
            return int(value)
        if isinstance(value, bool):
            raise RowError(BAD_TIMESTAMP, f"not a time: {value}")
        if isinstance(value, int):
            return parse_timestamp(str(value))
        if isinstance(value, float):
            if not value.is_integer():
                raise RowError(NOT_A_NUMBER, f"not a time: {value!r}")
            return parse_timestamp(str(int(value)))
        if isinstance(value, str):
            return self._from_text(value.strip())
        if isinstance(value, datetime):
            return self._from_datetime(value)
        if isinstance(value, date):
            return self._on_clock((value.toordinal() - _NAIVE_EPOCH.toordinal()) * NS_PER_DAY)
        raise RowError(BAD_TIMESTAMP, f"not a time: a {type(value).__name__}")

    def _from_text(self, text: str) -> int:
        match = _NO_ZONE.fullmatch(text)
        if match is None:
            return parse_timestamp(text)
        return self._on_clock(parse_timestamp(f"{match[1]}T{match[2] or '00:00:00'}Z"))

    def _from_datetime(self, moment: datetime) -> int:
        nanoseconds = int(getattr(moment, "nanosecond", 0))  # a pandas Timestamp has them
        if moment.tzinfo is None:
            return self._on_clock((moment - _NAIVE_EPOCH) // _MICROSECOND * 1_000 + nanoseconds)
        return (moment - _EPOCH) // _MICROSECOND * 1_000 + nanoseconds

    def _on_clock(self, wall_ns: int) -> int:
        """The moment at which a clock of the zone showed `wall_ns`."""
        if self._zone is None:
            raise RowError(
                BAD_TIMESTAMP,
                f"{_shown(wall_ns)} names no time zone: give timezone='UTC' or the zone it is in, "
                "such as 'America/New_York'",
            )
        if self._zone is UTC:
            return wall_ns
        day = wall_ns // NS_PER_DAY
        if day not in self._offsets_ns:
            self._offsets_ns[day] = self._offset_of_day(day)
        offset_ns = self._offsets_ns[day]
        if offset_ns is None:
            offset_ns = self._offset_at(wall_ns)
        return wall_ns - offset_ns

    def _offset_of_day(self, day: int) -> int | None:
        """The zone's offset on a day on which it does not change, else None."""
        assert self._zone is not None
        try:
            midnight = _NAIVE_EPOCH + timedelta(days=day)
            ends = [
                (midnight + timedelta(days=days)).replace(tzinfo=self._zone, fold=fold).utcoffset()
                for days, fold in ((0, 0), (1, 1))
            ]
        except OverflowError:
            raise RowError(BAD_TIMESTAMP, "a time outside of the years 1677 to 2262") from None
        return _as_ns(ends[0]) if ends[0] == ends[1] else None

    def _offset_at(self, wall_ns: int) -> int:
        naive = _NAIVE_EPOCH + timedelta(seconds=wall_ns // NS_PER_SECOND)
        early, late = (naive.replace(tzinfo=self._zone, fold=fold).utcoffset() for fold in (0, 1))
        if early != late:
            raise RowError(
                BAD_TIMESTAMP,
                f"{_shown(wall_ns)} comes twice or not at all in {self._zone}, where the clocks "
                "change: give times with their zone",
            )
        return _as_ns(early)


def _as_ns(offset: timedelta | None) -> int:
    return 0 if offset is None else offset // _MICROSECOND * 1_000


def _shown(wall_ns: int) -> str:
    if not -TIME_LIMIT_NS <= wall_ns < TIME_LIMIT_NS:
        return "a time outside of the years 1677 to 2262"
    return (_NAIVE_EPOCH + timedelta(seconds=wall_ns // NS_PER_SECOND)).isoformat()
