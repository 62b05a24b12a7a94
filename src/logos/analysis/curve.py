"""One book's equity, point by point: its falls, its days, its months, and a curve to draw.

Every point is looked at once; what is kept is bounded by the days of the session and by POINTS_MAX.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from logos.analysis.calendar import Calendar, day_text, days_between
from logos.analysis.figures import Period
from logos.analysis.model import POINTS_MAX, Equity
from logos.session.artifacts.derived.equity import TOTAL, Point
from logos.session.artifacts.derived.reading import EXACT, QUOTIENT

_BUCKETS_MAX = (POINTS_MAX - 2) // 3


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A point of the curve that can be drawn."""

    ts_ns: int
    equity: Decimal
    high_water: Decimal
    drawdown: Decimal


class _Bucket(msgspec.Struct, gc=False):
    """Of a stretch of points: the lowest, the highest, the deepest below a high."""

    low: Seen
    high: Seen
    deep: Seen

    def take(self, point: Seen) -> None:
        if point.equity < self.low.equity:
            self.low = point
        if point.equity > self.high.equity:
            self.high = point
        if point.drawdown > self.deep.drawdown:
            self.deep = point


class Curve:
    """At most POINTS_MAX points of any number."""

    def __init__(self) -> None:
        self._buckets: list[_Bucket] = []
        self._stride = 1
        self._in_last = 0
        self._first: Seen | None = None
        self._last: Seen | None = None

    def add(self, point: Seen) -> None:
        """The next point, in order of time."""
        self._first = self._first or point
        self._last = point
        if self._buckets and self._in_last < self._stride:
            self._buckets[-1].take(point)
            self._in_last += 1
            return
        if len(self._buckets) == _BUCKETS_MAX:
            self._halve()
        self._buckets.append(_Bucket(point, point, point))
        self._in_last = 1

    def _halve(self) -> None:
        joined = []
        for early, late in zip(self._buckets[::2], self._buckets[1::2], strict=False):
            for point in (late.low, late.high, late.deep):
                early.take(point)
            joined.append(early)
        if len(self._buckets) % 2:
            joined.append(self._buckets[-1])
        self._buckets = joined
        self._stride *= 2

    def equity(self) -> Equity:
        """The curve."""
        points: list[Seen] = [] if self._first is None else [self._first]
        for each in self._buckets:
            of_bucket = {id(point): point for point in (each.low, each.high, each.deep)}
            points += sorted(of_bucket.values(), key=lambda point: point.ts_ns)
        if self._last is not None:
            points.append(self._last)
        kept = [
            point
            for place, point in enumerate(points)
            if not place or point is not points[place - 1]
        ]
        return Equity(
            time_ns=tuple(point.ts_ns for point in kept),
            equity=tuple(point.equity for point in kept),
            drawdown=tuple(point.drawdown for point in kept),
            drawdown_ratio=tuple(ratio(point.drawdown, point.high_water) for point in kept),
        )


class Falls:
    """Every time below a high: how deep, how long."""

    def __init__(self) -> None:
        self.deepest = Decimal(0)
        self.deepest_ratio: float | None = 0.0
        self.peak_ns: int | None = None
        self.trough_ns: int | None = None
        self.recovered_ns: int | None = None
        self._high: Decimal | None = None
        self._high_ns = 0
        self._depth: float | None = None
        """Of the fall that is on; None: equity is at its high."""
        self._has_deepest = False
        """Whether the fall that is on is the deepest of all."""
        self._depths: list[float] = []
        self._longest_ns = 0
        self._last_ns = 0

    def add(self, ts_ns: int, high_water: Decimal, drawdown: Decimal) -> None:
        """The next point: equity is `drawdown` below `high_water`."""
        self._last_ns = ts_ns
        if self._high is None or high_water > self._high:
            self._end(ts_ns)
            self._high, self._high_ns = high_water, ts_ns
        if not drawdown:
            self._end(ts_ns)
            self._high_ns = ts_ns
            return
        depth = ratio(drawdown, high_water) or 0.0
        self._depth = depth if self._depth is None else max(self._depth, depth)
        if drawdown > self.deepest:
            self.deepest, self.deepest_ratio = drawdown, ratio(drawdown, high_water)
            self.peak_ns, self.trough_ns = self._high_ns, ts_ns
            self.recovered_ns, self._has_deepest = None, True

    def correct(self, high_water: Decimal, drawdown: Decimal) -> None:
        """What was seen between the points: a fall that was deeper, at a time that is not known."""
        if drawdown > self.deepest:
            self.deepest, self.deepest_ratio = drawdown, ratio(drawdown, high_water)

    def _end(self, ts_ns: int) -> None:
        if self._depth is None:
            return
        self._depths.append(self._depth)
        self._longest_ns = max(self._longest_ns, ts_ns - self._high_ns)
        if self._has_deepest:
            self.recovered_ns = ts_ns
        self._depth, self._has_deepest = None, False

    @property
    def length_ns(self) -> int | None:
        """Of the deepest: from its high to its recovery, or to the last point."""
        if self.peak_ns is None:
            return None
        end = self._last_ns if self.recovered_ns is None else self.recovered_ns
        return end - self.peak_ns

    @property
    def longest_ns(self) -> int | None:
        """The longest time below a high; None: there was none."""
        open_ns = self._last_ns - self._high_ns if self._depth is not None else 0
        return max(self._longest_ns, open_ns) or None

    @property
    def average_ratio(self) -> float | None:
        """Mean depth of the falls, the one that is on included."""
        depths = self._depths + ([] if self._depth is None else [self._depth])
        return sum(depths) / len(depths) if depths else None


class Days:
    """Equity at the end of each day."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._initial: Decimal | None = None
        self._trading: dict[int, Decimal] = {}
        self._closes: dict[int, Decimal] = {}
        self._trading_day = 0

    def add(self, ts_ns: int, equity: Decimal) -> None:
        """The next sample. The first is the start, and belongs to no day."""
        if self._initial is None:
            self._initial = equity
            return
        day = self._calendar.calendar_day(ts_ns)
        if day not in self._closes:
            self._trading_day = self._calendar.trading_day(ts_ns)
        self._closes[day] = equity
        self._trading[self._trading_day] = equity

    def returns(self) -> list[tuple[str, float]]:
        """Each day's return over the day before, the first over the start. They end where equity
        was used up: behind that there is nothing to compare with."""
        if self._initial is None or not self._trading:
            return []
        before, found = self._initial, []
        for day in days_between(min(self._trading), max(self._trading)):
            if day not in self._trading and not self._calendar.counts(day):
                continue
            after = self._trading.get(day, before)
            change = ratio(EXACT.subtract(after, before), before)
            if change is None:
                break
            found.append((day_text(day), change))
            before = after
        return found

    def periods(self, *, by_month: bool) -> tuple[Period, ...]:
        """What equity did in each month or year that has a sample."""
        if self._initial is None:
            return ()
        ends: dict[tuple[int, int], Decimal] = {}
        for day, equity in self._closes.items():
            of = date.fromordinal(day)
            ends[of.year, of.month if by_month else 0] = equity
        found, before = [], self._initial
        for (year, month), after in ends.items():
            net = EXACT.subtract(after, before)
            found.append(Period(year=year, month=month, net=net, ratio=ratio(net, before)))
            before = after
        return tuple(found)


class BookCurve:
    """All of that for one book."""

    def __init__(self, calendar: Calendar) -> None:
        self.curve = Curve()
        self.falls = Falls()
        self.days = Days(calendar)
        self.initial: Decimal | None = None
        self.final = Decimal(0)
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self._sum = Decimal(0)
        self._samples = 0

    def add(self, point: Point, ts_ns: int) -> None:
        """The next point of the book. One without a time is of a session that had no event."""
        is_sample = point.point == "sample"
        if not ts_ns:
            if is_sample and point.equity is not None:
                self.initial = self.final = point.equity
            return
        if point.book == TOTAL and not is_sample:
            if point.point == "low":
                self.falls.correct(point.high_water, point.drawdown)
            return
        self.falls.add(ts_ns, point.high_water, point.drawdown)
        if point.equity is not None:
            self.curve.add(Seen(ts_ns, point.equity, point.high_water, point.drawdown))
        if is_sample and point.equity is not None:
            self._sample(ts_ns, point.equity)

    def _sample(self, ts_ns: int, equity: Decimal) -> None:
        if self.initial is None:
            self.initial, self.first_ns = equity, ts_ns
        self.final, self.last_ns = equity, ts_ns
        self.days.add(ts_ns, equity)
        self._sum = EXACT.add(self._sum, equity)
        self._samples += 1

    @property
    def mean(self) -> Decimal | None:
        """Of the sampled equity; None without a sample."""
        return QUOTIENT.divide(self._sum, Decimal(self._samples)) if self._samples else None


def ratio(part: Decimal, whole: Decimal | None) -> float | None:
    """The quotient; None where `whole` is not above 0."""
    if whole is None or whole <= 0:
        return None
    return float(QUOTIENT.divide(part, whole))
