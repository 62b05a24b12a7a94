"""What a clock of a zone showed, as moments: rows in their order settle the hour that comes twice.

Problem: when clocks go back, an hour of local times comes twice, and when they go forward one does
not come at all. Method: rows of a file are in order, so the first row in the repeated hour whose
time is not later than the row before it begins the second pass. Where no row steps back, nothing
says which pass the rows belong to: they are read as the first, and `doubts` names them, for the
caller to refuse. A time that does not exist is refused at once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from logos.core.types import NS_PER_DAY, NS_PER_SECOND
from logos.data.defects import BAD_TIMESTAMP
from logos.data.readers.numbers import TIME_LIMIT_NS, RowError
from logos.errors import DataError

_NAIVE_EPOCH: Final = datetime(1970, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)
_DAYS_MAX: Final = TIME_LIMIT_NS // NS_PER_DAY - 1
"""On days that are nearer to 1970 than this one, any zone's moments are within the limit."""


def find_zone(name: str) -> tzinfo:
    """The zone of an IANA name such as "UTC" or "America/New_York". Raises DataError."""
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DataError(
            f"no time zone {name!r} is known here; names are like UTC or America/New_York"
            " (a system without zones needs the package tzdata)"
        ) from None


class ZoneClock:
    """Wall times of one zone, row by row, as nanoseconds since 1970 UTC.

    Wall times are given as nanoseconds since 1970 on that wall's clock. `repeats` says whether two
    rows may share a time (quotes and trades do, bars do not): of bars, the same time again in an
    hour that comes twice is its second pass.
    """

    def __init__(self, zone: tzinfo, *, repeats: bool) -> None:
        self.zone = zone
        self.doubts: list[str] = []
        """Of each repeated hour in which the order of rows settles nothing: its first row."""
        self._repeats = repeats
        self._offsets_ns: dict[int, int | None] = {}
        self._run_ns: int | None = None
        """The wall time of the row before, while it lies in an hour that comes twice."""
        self._run_first_ns = 0
        self._is_second = False

    def moment_ns(self, wall_ns: int) -> int:
        """The moment at which the clock showed `wall_ns`. Raises RowError (bad_timestamp)."""
        if self.zone is UTC:
            if not -TIME_LIMIT_NS <= wall_ns < TIME_LIMIT_NS:
                raise RowError(BAD_TIMESTAMP, wall_text(wall_ns))
            return wall_ns
        day = wall_ns // NS_PER_DAY
        try:
            offset_ns = self._offsets_ns[day]
        except KeyError:
            offset_ns = self._offsets_ns[day] = self._offset_of_day(day)
        if offset_ns is None:
            return wall_ns - self._offset_at(wall_ns)
        if self._run_ns is not None:
            self.finish()
        return wall_ns - offset_ns

    @property
    def in_repeated_hour(self) -> bool:
        """Whether the row read last lies in an hour that comes twice."""
        return self._run_ns is not None

    @property
    def repeated_since_ns(self) -> int | None:
        """Of the rows in the hour that comes twice which the row read last lies in, the first one's
        wall time; None: it lies in no such hour."""
        return None if self._run_ns is None else self._run_first_ns

    def finish(self) -> None:
        """The rows have left the repeated hour, or ended: note it when no row stepped back."""
        if self._run_ns is not None and not self._is_second:
            self.doubts.append(
                f"{wall_text(self._run_first_ns)} comes twice in {self.zone}, where the clocks go "
                "back, and the order of rows does not say which of the two is meant: give times "
                "with their offset from UTC"
            )
        self._run_ns = None
        self._is_second = False

    def _offset_of_day(self, day: int) -> int | None:
        """The zone's offset on a day on which it does not change, else None."""
        if not -_DAYS_MAX < day < _DAYS_MAX:
            raise RowError(BAD_TIMESTAMP, wall_text(TIME_LIMIT_NS))
        midnight = _NAIVE_EPOCH + timedelta(days=day)
        ends = [
            (midnight + timedelta(days=days)).replace(tzinfo=self.zone, fold=fold).utcoffset()
            for days, fold in ((0, 0), (1, 1))
        ]
        return _as_ns(ends[0]) if ends[0] == ends[1] else None

    def _offset_at(self, wall_ns: int) -> int:
        naive = _NAIVE_EPOCH + timedelta(seconds=wall_ns // NS_PER_SECOND)
        before, after = (
            _as_ns(naive.replace(tzinfo=self.zone, fold=fold).utcoffset()) for fold in (0, 1)
        )
        if before < after:
            raise RowError(
                BAD_TIMESTAMP,
                f"{wall_text(wall_ns)} does not exist in {self.zone}: its clocks leave that hour "
                "out; the times may be of another zone",
            )
        if before == after:
            if self._run_ns is not None:
                self.finish()
            return before
        run_ns = self._run_ns
        if run_ns is not None and abs(wall_ns - run_ns) > NS_PER_DAY:
            self.finish()
            run_ns = None
        if run_ns is None:
            self._run_first_ns = wall_ns
        elif wall_ns < run_ns or (wall_ns == run_ns and not self._repeats):
            self._is_second = True
        self._run_ns = wall_ns
        return after if self._is_second else before


def _as_ns(offset: timedelta | None) -> int:
    return 0 if offset is None else offset // _MICROSECOND * 1_000


def wall_text(wall_ns: int) -> str:
    """A wall time without a zone, for messages."""
    if not -TIME_LIMIT_NS <= wall_ns < TIME_LIMIT_NS:
        return "a time outside of the years 1677 to 2262"
    return (_NAIVE_EPOCH + timedelta(seconds=wall_ns // NS_PER_SECOND)).isoformat(" ")
