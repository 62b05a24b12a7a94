"""When a market is open, and when a day order made in it ends.

Hours are spans of the UTC week, or the sessions themselves with their dates, which were worked out
at the edge (time zones, exchange calendars) and are data here. A span includes its first moment
and not its last.

A session ends at the last close of its day, so that a break at noon ends no day order; one that
runs past midnight ends at its first close.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, final

from logos.core.types import NEVER_NS, NS_PER_DAY, NS_PER_MINUTE

DAY_MINUTES: Final = 1440
WEEK_MINUTES: Final = 7 * DAY_MINUTES
EPOCH_MINUTES: Final = 3 * DAY_MINUTES
"""The epoch was a Thursday: three days into its week."""

Spans = list[tuple[int, int]]
"""Minutes of the UTC week from Monday 00:00, [start, end)."""


@final
class MarketSessions:
    """Sessions with their dates, in order of time, times in nanoseconds UTC.

    Outside of what they cover the market is closed.
    """

    __slots__ = ("_closes", "_ends", "_opens")

    def __init__(self, sessions: list[list[int]]) -> None:
        """Each session is its open and its close, with the moments of a break between them: an
        even number of moments, each after the one before.

        Raises ValueError for any other, and for a session that begins before the last one ended.
        """
        self._opens: list[int] = []
        self._closes: list[int] = []
        self._ends: list[int] = []
        """Of every span, when the session that it belongs to ends."""
        last_ns = -1
        for session in sessions:
            if len(session) < 2 or len(session) % 2:
                raise ValueError("a session is an open and a close")
            for place in range(0, len(session), 2):
                opens, closes = session[place], session[place + 1]
                if closes <= opens or opens < last_ns:
                    raise ValueError("sessions follow each other in time, and so do their moments")
                self._opens.append(opens)
                self._closes.append(closes)
                self._ends.append(session[-1])
                last_ns = closes

    def is_open(self, ts_ns: int) -> bool:
        """Whether the market is open at `ts_ns`."""
        place = bisect_right(self._opens, ts_ns) - 1
        return place >= 0 and ts_ns < self._closes[place]

    def is_open_in(self, since_ns: int, until_ns: int) -> bool:
        """Whether it is open at any moment from `since_ns` on and before `until_ns`."""
        place = bisect_right(self._opens, since_ns)
        return self.is_open(since_ns) or (
            place < len(self._opens) and self._opens[place] < until_ns
        )

    def next_change_ns(self, ts_ns: int) -> int:
        """When it opens or closes next, after `ts_ns`; NEVER_NS: never again."""
        place = bisect_right(self._opens, ts_ns)
        if place > 0 and ts_ns < self._closes[place - 1]:
            return self._closes[place - 1]
        return self._opens[place] if place < len(self._opens) else NEVER_NS

    def has_been_open(self, since_ns: int, ts_ns: int) -> bool:
        """Whether it was open from `since_ns` to `ts_ns` without a break."""
        place = bisect_right(self._opens, since_ns) - 1
        while place >= 0:
            if since_ns >= self._closes[place]:
                return False
            if ts_ns < self._closes[place]:
                return True
            since_ns = self._closes[place]
            place += 1
            if place == len(self._opens) or self._opens[place] != since_ns:
                return False
        return False

    def day_end_ns(self, ts_ns: int) -> int:
        """When the session that is on at `ts_ns`, or the next one, ends; behind the last one, the
        end of the UTC day."""
        place = bisect_right(self._opens, ts_ns) - 1
        if place < 0 or ts_ns >= self._closes[place]:
            place += 1
        return self._ends[place] if place < len(self._ends) else utc_day_end_ns(ts_ns)

    def moments(self) -> list[list[int]]:
        """The sessions as they were given."""
        found: list[list[int]] = []
        last_ns = -1
        for opens, closes, ends in zip(self._opens, self._closes, self._ends, strict=True):
            if ends != last_ns:
                found.append([])
            found[-1] += [opens, closes]
            last_ns = ends
        return found


def utc_day_end_ns(ts_ns: int) -> int:
    """When the UTC day of `ts_ns` ends."""
    return (ts_ns // NS_PER_DAY + 1) * NS_PER_DAY


@final
class WeeklyHours:
    """Spans of the UTC week, at least one, the same every week; answers as `MarketSessions`."""

    __slots__ = ("_spans",)

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def is_open(self, ts_ns: int) -> bool:
        """Whether the market is open at `ts_ns`."""
        minute = (ts_ns // NS_PER_MINUTE + EPOCH_MINUTES) % WEEK_MINUTES
        return any(start <= minute < end for start, end in self._spans)

    def is_open_in(self, since_ns: int, until_ns: int) -> bool:
        """Whether it is open at any moment from `since_ns` on and before `until_ns`."""
        if self.is_open(since_ns):
            return True
        first = since_ns // NS_PER_MINUTE + EPOCH_MINUTES
        last = -(-until_ns // NS_PER_MINUTE) + EPOCH_MINUTES - first  # minutes, this one excluded
        return any((start - first) % WEEK_MINUTES < last for start, _ in self._spans)

    def next_change_ns(self, ts_ns: int) -> int:
        """When it may open or close next, after `ts_ns`; two spans may touch there."""
        began = ts_ns // NS_PER_MINUTE
        minute = (began + EPOCH_MINUTES) % WEEK_MINUTES
        left = WEEK_MINUTES
        for start, end in self._spans:
            for bound in (start, end):
                left = min(left, (bound - minute) % WEEK_MINUTES or WEEK_MINUTES)
        return (began + left) * NS_PER_MINUTE

    def has_been_open(self, since_ns: int, ts_ns: int) -> bool:
        """Whether it was open from `since_ns` to `ts_ns` without a break."""
        first = since_ns // NS_PER_MINUTE + EPOCH_MINUTES
        last = ts_ns // NS_PER_MINUTE + EPOCH_MINUTES
        while last >= first:
            minute = last % WEEK_MINUTES
            begins = [start for start, end in self._spans if start <= minute < end]
            if not begins:
                return False
            last -= minute - min(begins) + 1  # the minute before that span
        return True

    def day_end_ns(self, ts_ns: int) -> int:
        """When the session that is on at `ts_ns`, or the next one, ends.

        A market that never closes has no sessions: there it is the end of the UTC day.
        """
        hours = self._spans
        minute = ts_ns // NS_PER_MINUTE + EPOCH_MINUTES
        place = minute % WEEK_MINUTES
        if not any(start <= place < end for start, end in hours):
            minute += min([(start - place) % WEEK_MINUTES for start, _ in hours])
        first = minute
        while minute - first < WEEK_MINUTES:
            place = minute % WEEK_MINUTES
            closes = [end for start, end in hours if start <= place < end]
            if not closes:
                return (_after_breaks(hours, first, minute) - EPOCH_MINUTES) * NS_PER_MINUTE
            minute += max(closes) - place
        return utc_day_end_ns(ts_ns)


def _after_breaks(hours: Spans, first: int, close: int) -> int:
    """The last close of the day whose spans from minute `first` to `close` are known."""
    day = first - first % DAY_MINUTES
    place = first % WEEK_MINUTES
    begins = min([start for start, end in hours if start <= place < end])
    if close >= day + DAY_MINUTES or begins % DAY_MINUTES == 0:
        return close  # it runs past a midnight
    of_day = day % WEEK_MINUTES
    later = [
        end - of_day + day
        for start, end in hours
        if of_day < start and close % WEEK_MINUTES <= start and end < of_day + DAY_MINUTES
    ]
    return max([close, *later])
