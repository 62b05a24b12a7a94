"""The curve of a session's equity: equity.csv, made of the samples in account.csv.

Problem: samples are an hour apart, and the highest equity and the deepest fall lie between two of
them. Method: every sample carries the highest equity and the deepest fall that were observed after
any event so far. Where one of them moved on, the curve gets a row for it, at the time of the sample
that first showed it. So every figure is exact, and every extreme is there; when it was is known to
the sample.

A fall that deepened while the highest equity moved on too may have begun at any level between the
two: then how deep it was is known, and the equity itself is left empty.

The total over several currencies adds up samples. Its extremes between them are in no table: the
session knows them at its end, and there they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from logos.session.artifacts.derived.reading import EXACT, Row, number
from logos.session.artifacts.rows import cell

EQUITY: Final = "equity.csv"

TOTAL: Final = "total"
"""The name of the book that adds up all currencies."""

EQUITY_COLUMNS: Final = (
    "time",
    "book",
    "currency",
    "point",
    "equity",
    "high_water",
    "drawdown",
)


class Point(msgspec.Struct, frozen=True, gc=False):
    """One row of equity.csv: a `sample`, a new `high`, or a `low`, the deepest fall so far."""

    time: str
    book: str
    currency: str
    point: str
    equity: Decimal | None
    high_water: Decimal
    """The highest equity so far; of a total, of its samples."""
    drawdown: Decimal
    """How far below it, 0 or more."""

    def line(self) -> str:
        """It as a line of the file."""
        equity = "" if self.equity is None else f"{self.equity:f}"
        return (
            f"{self.time},{cell(self.book)},{cell(self.currency)},{self.point},{equity},"
            f"{self.high_water:f},{self.drawdown:f}\n"
        )


class Totals(msgspec.Struct, frozen=True):
    """How several ledgers are added up, and what the session saw of the sum after any event."""

    currency: str
    rates: Mapping[str, Decimal]
    """By ledger currency, what one unit of it is worth in `currency`."""
    high_water: Decimal | None = None
    """None: not known."""
    max_drawdown: Decimal | None = None


class _Track:
    """What was seen so far of one ledger."""

    def __init__(self) -> None:
        self._high: Decimal | None = None
        self._deepest = Decimal(0)

    def points(self, row: Row) -> Iterator[Point]:
        """The rows that the next sample makes."""
        time, currency = row["time"], row["currency"]
        equity, high = number(row["equity"]), number(row["high_water"])
        deepest = number(row["max_drawdown"])
        drawdown = EXACT.subtract(high, equity)
        is_higher = self._high is not None and high > self._high
        is_deeper = deepest > self._deepest
        zero = EXACT.subtract(high, high)
        if is_higher and high != equity:
            yield Point(time, currency, currency, "high", high, high, zero)
        if is_deeper and deepest != drawdown:
            level = None if is_higher else EXACT.subtract(high, deepest)
            yield Point(time, currency, currency, "low", level, high, deepest)
        yield Point(time, currency, currency, "sample", equity, high, drawdown)
        self._high, self._deepest = high, deepest


class _TotalTrack:
    """The sum of all ledgers at each sample."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals
        self._high: Decimal | None = None
        self._last: Point | None = None

    def point(self, rows: Iterable[Row]) -> Point:
        """The row of a sample: of one time, a row for each ledger."""
        time, equity = "", Decimal(0)
        for row in rows:
            time = row["time"]
            worth = EXACT.multiply(number(row["equity"]), self._totals.rates[row["currency"]])
            equity = EXACT.add(equity, worth)
        high = equity if self._high is None else max(self._high, equity)
        self._high = high
        drawdown = EXACT.subtract(high, equity)
        self._last = Point(time, TOTAL, self._totals.currency, "sample", equity, high, drawdown)
        return self._last

    def extremes(self) -> Iterator[Point]:
        """At the end, what the session saw after any event."""
        totals, last = self._totals, self._last
        high, deepest = totals.high_water, totals.max_drawdown
        if last is None or high is None or deepest is None:
            return
        zero = EXACT.subtract(high, high)
        yield Point(last.time, TOTAL, totals.currency, "high", high, high, zero)
        yield Point(last.time, TOTAL, totals.currency, "low", None, high, deepest)


def equity_points(rows: Iterable[Row], totals: Totals | None = None) -> Iterator[Point]:
    """The rows of equity.csv, from those of account.csv, which come a sample of every ledger at a
    time. A total leaves out a sample that is not whole.

    Raises ValueError for a cell that is no figure.
    """
    tracks: dict[str, _Track] = {}
    total = None if totals is None else _TotalTrack(totals)
    for sample in _samples(rows):
        for row in sample:
            yield from tracks.setdefault(row["currency"], _Track()).points(row)
        if total is not None and totals is not None and len(sample) == len(totals.rates):
            yield total.point(sample)
    if total is not None:
        yield from total.extremes()


def _samples(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows of one sample together: a currency begins the next one, also at the same time."""
    sample: list[Row] = []
    for row in rows:
        if sample and row["currency"] == sample[0]["currency"]:
            yield sample
            sample = []
        sample.append(row)
    if sample:
        yield sample
