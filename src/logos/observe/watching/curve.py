"""Equity over time, a bounded number of points of it, drawn in one line of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

POINTS_MAX: Final = 4_096
"""When there are more, every second one goes, and the next ones come half as often."""
_FAR: Final = 8
"""A point is far when so many usual gaps, and one part in so many of the rest, lie behind it."""
BLOCKS: Final = "▁▂▃▄▅▆▇█"
ASCII: Final = "_.-=*#"


class Point(NamedTuple):
    """Equity at one moment: nanoseconds UTC of the session's events, and units of money."""

    time_ns: int
    units: int


class Curve:
    """The equity of one session in one currency. For one thread at a time."""

    def __init__(self) -> None:
        self._points: list[Point] = []
        self._step_ns = 0

    def __len__(self) -> int:
        return len(self._points)

    def add(self, time_ns: int, units: int) -> None:
        """A point behind the last one. What is older than that is of an earlier run of the session,
        and left out."""
        points = self._points
        if points and time_ns < points[-1].time_ns:
            return
        # The last point is always kept; it gives way when it is too near to the one before it.
        step_ns = points[-1].time_ns - points[-2].time_ns if len(points) > 1 else self._step_ns
        if points and (points[-1].time_ns == time_ns or step_ns < self._step_ns):
            points.pop()
        points.append(Point(time_ns, units))
        if len(points) > POINTS_MAX:
            self._points = [*points[:-1:2], points[-1]]
            span_ns = points[-1].time_ns - points[0].time_ns
            self._step_ns = 2 * span_ns // POINTS_MAX

    def points(self) -> Sequence[Point]:
        """Oldest first, without what lies far before the rest: nobody saw what was between."""
        points = self._points
        begin, end_ns = 0, points[-1].time_ns if points else 0
        while begin + 2 < len(points):
            gap_ns = points[begin + 1].time_ns - points[begin].time_ns
            rest_ns = end_ns - points[begin + 1].time_ns
            usual_ns = rest_ns // (len(points) - begin - 2)
            if gap_ns <= usual_ns * _FAR or gap_ns * _FAR <= rest_ns:
                break
            begin += 1
        return tuple(points[begin:])


def sparkline(points: Sequence[Point], columns: int, glyphs: str = BLOCKS) -> str:
    """The points in so many columns: the last value within each, by time; "" of fewer than two."""
    if len(points) < 2 or columns < 1:
        return ""
    first_ns, span_ns = points[0].time_ns, points[-1].time_ns - points[0].time_ns
    values: list[int | None] = [None] * columns
    for point in points:
        values[(point.time_ns - first_ns) * (columns - 1) // span_ns] = point.units
    low, high = min(each.units for each in points), max(each.units for each in points)
    drawn, level = [], 0
    for value in values:
        if value is not None:
            level = (value - low) * (len(glyphs) - 1) // (high - low) if high > low else 0
        drawn.append(glyphs[level])
    return "".join(drawn)
