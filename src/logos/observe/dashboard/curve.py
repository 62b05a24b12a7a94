"""The equity of a session over its time, in a bounded number of points.

`account.csv` has a row for each sample of each currency: half a million for a year of minutes. A
page shows some hundreds of points, so rows share a bucket, of which the lowest and the highest stay
with their times: no peak and no fall is lost. When the buckets are full, two become one each. The
file is followed, so a session that runs adds what is new and nothing is read twice.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from logos.observe.following import Follower, LostPlace, OpenFile

BUCKETS_MAX: Final = 600
CURRENCIES_MAX: Final = 8
_BYTES_AT_ONCE: Final = 1 << 20


class Point(NamedTuple):
    """A sample: seconds since 1970 UTC, equity, and how far that is below its high-water mark."""

    time_s: float
    equity: float
    drawdown: float


class _Bucket(NamedTuple):
    low: Point
    high: Point


class Curve:
    """The samples of one currency, as many of them as fit."""

    def __init__(self) -> None:
        self._buckets: list[_Bucket] = []
        self._rows_each = 1
        self._rows_in_last = 0
        self._first: Point | None = None
        self._last: Point | None = None

    def add(self, point: Point) -> None:
        """Take one more sample, later than all before."""
        self._first = self._first or point
        self._last = point
        if self._buckets and self._rows_in_last < self._rows_each:
            self._buckets[-1] = _joined(self._buckets[-1], _Bucket(point, point))
            self._rows_in_last += 1
            return
        if len(self._buckets) >= BUCKETS_MAX:
            pairs = zip(self._buckets[::2], self._buckets[1::2], strict=True)
            self._buckets = [_joined(one, other) for one, other in pairs]
            self._rows_each *= 2
        self._buckets.append(_Bucket(point, point))
        self._rows_in_last = 1

    def points(self) -> list[Point]:
        """What is kept, in order of time: the first and the last sample are among it."""
        found = {self._first, self._last} - {None}
        for bucket in self._buckets:
            found.update(bucket)
        return sorted(point for point in found if point is not None)


def _joined(one: _Bucket, other: _Bucket) -> _Bucket:
    return _Bucket(
        min(one.low, other.low, key=_equity_of), max(one.high, other.high, key=_equity_of)
    )


def _equity_of(point: Point) -> float:
    return point.equity


class Curves:
    """The curves of a session's currencies, from its `account.csv`. For one thread at a time."""

    def __init__(self, path: Path, open_file: OpenFile) -> None:
        self._path = path
        self._open_file = open_file
        self._begin()

    def _begin(self) -> None:
        self._follower = Follower(self._path, open_file=self._open_file)
        self._columns: Sequence[str] = ()
        self._curves: dict[str, Curve] = {}
        self.latest: dict[str, dict[str, str]] = {}
        """The last row of each currency, by column, as it stands in the file."""

    def read(self) -> None:
        """Take in the rows that are new. A file that was made anew is read anew. Raises OSError."""
        try:
            self._read()
        except LostPlace:
            self.close()
            self._begin()
            self._read()

    def _read(self) -> None:
        try:
            while lines := self._follower.lines(_BYTES_AT_ONCE):
                text = (line.decode("utf-8", "replace") for line in lines)
                for row in csv.reader(text):
                    self._take(row)
        finally:
            self.close()

    def _take(self, row: list[str]) -> None:
        if not self._columns:
            self._columns = row
            return
        cells = dict(zip(self._columns, row, strict=False))
        try:
            equity = float(cells["equity"])
            point = Point(seconds(cells["time"]), equity, float(cells["high_water"]) - equity)
            currency = cells["currency"]
        except (KeyError, ValueError):
            return  # no row of an account: `logos verify` says which line is not what was written
        if currency in self._curves or len(self._curves) < CURRENCIES_MAX:
            self._curves.setdefault(currency, Curve()).add(point)
            self.latest[currency] = cells

    def close(self) -> None:
        """Close the file; `read` opens it again."""
        self._follower.close()

    def as_json(self) -> list[dict[str, Any]]:
        """The curves in columns, as the page draws them; equity and drawdown are rounded to what a
        float holds."""
        found = []
        for currency, curve in self._curves.items():
            points = curve.points()
            found.append(
                {
                    "currency": currency,
                    "times": [point.time_s for point in points],
                    "equity": [point.equity for point in points],
                    "drawdown": [point.drawdown for point in points],
                }
            )
        return found


def seconds(moment: str) -> float:
    """Seconds since 1970 of a time in a session's tables (UTC, nine decimals). ValueError."""
    whole, _, fraction = moment.removesuffix("Z").partition(".")
    began = datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()
    return began + (int(fraction) / 10 ** len(fraction) if fraction else 0.0)
