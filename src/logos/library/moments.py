"""Times of a table's rows as nanoseconds since 1970 UTC.

A time that names no zone is refused unless the caller says which zone its clock showed. In that
zone an hour may be missing or come twice, once a year each: `logos.data.times.zones` says what is
read then, as it does for files.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final

from logos.core.types import NS_PER_DAY
from logos.data.defects import BAD_TIMESTAMP, DOUBTFUL_TIME, NOT_A_NUMBER
from logos.data.readers.numbers import TIME_LIMIT_NS, RowError, parse_timestamp, parse_wall
from logos.data.times import zones
from logos.errors import ConfigError, DataError
from logos.library.table import Column, Times

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = datetime(1970, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)


def find_zone(name: str | tzinfo | None) -> tzinfo | None:
    """The zone of that name, such as "UTC" or "America/New_York". Raises ConfigError."""
    if name is None or isinstance(name, tzinfo):
        return name
    try:
        return zones.find_zone(name)
    except DataError as error:
        raise ConfigError(f"timezone: {error}") from None


class MomentReader:
    """Reads one column of times; `zone` is that of times which name none (None: refused), and
    `repeats` whether two rows may share a time."""

    def __init__(self, zone: tzinfo | None, *, repeats: bool = True) -> None:
        self._zone = zone
        self._repeats = repeats
        self._clock: zones.ZoneClock | None = None

    def read(self, column: Column) -> list[int | RowError]:
        """Nanoseconds since 1970 UTC, or what is wrong, for each value."""
        clock = self._start()
        found: list[int | RowError] = []
        begun: tuple[int | None, int] = (None, 0)  # the repeated hour, and its first row
        for row, value in enumerate(column.values):
            found.append(self._read_one(value, column.times))
            if clock is not None and clock.repeated_since_ns != begun[0]:
                _put_doubts(clock, found, begun[1])
                begun = clock.repeated_since_ns, row
        if clock is not None:
            clock.finish()
            _put_doubts(clock, found, begun[1])
        return found

    def read_all(self, column: Column) -> Sequence[int]:
        """As `read`. Raises RowError for the first value that is wrong."""
        if column.times is Times.UTC and None not in column.values:
            return column.values
        clock = self._start()
        found = [self._moment(value, column.times) for value in column.values]
        if clock is not None:
            clock.finish()
            for doubt in clock.doubts:
                raise RowError(DOUBTFUL_TIME, doubt)
        return found

    def _start(self) -> zones.ZoneClock | None:
        """A clock that has seen no row yet."""
        zone = self._zone
        self._clock = None if zone is None else zones.ZoneClock(zone, repeats=self._repeats)
        return self._clock

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
        wall_ns = parse_wall(text)
        return parse_timestamp(text) if wall_ns is None else self._on_clock(wall_ns)

    def _from_datetime(self, moment: datetime) -> int:
        nanoseconds = int(getattr(moment, "nanosecond", 0))  # a pandas Timestamp has them
        if moment.tzinfo is None:
            return self._on_clock((moment - _NAIVE_EPOCH) // _MICROSECOND * 1_000 + nanoseconds)
        moment_ns = (moment - _EPOCH) // _MICROSECOND * 1_000 + nanoseconds
        if not -TIME_LIMIT_NS <= moment_ns < TIME_LIMIT_NS:
            raise RowError(BAD_TIMESTAMP, zones.wall_text(moment_ns))
        return moment_ns

    def _on_clock(self, wall_ns: int) -> int:
        """The moment at which a clock of the zone showed `wall_ns`."""
        if self._clock is None:
            raise RowError(
                BAD_TIMESTAMP,
                f"{zones.wall_text(wall_ns)} names no time zone: give timezone='UTC' or the zone it"
                " is in, such as 'America/New_York'",
            )
        return self._clock.moment_ns(wall_ns)


def _put_doubts(clock: zones.ZoneClock, found: list[int | RowError], row: int) -> None:
    """What the order of rows did not settle is wrong with the first row of that hour."""
    for doubt in clock.doubts:
        found[row] = RowError(DOUBTFUL_TIME, doubt)
    clock.doubts.clear()
