"""How far values lie apart: deviation, bands, true range, and the straight line through them."""

from __future__ import annotations

import math

from logos.indicators.averages import Wilder
from logos.indicators.base import Indicator, check_period, total_of


class StandardDeviation(Indicator):
    """The deviation of the last `period` values from their `mean`, of the population (ddof 0).

    Sums are of differences from a value near the mean, and are taken anew each time the window has
    gone round: squares of the prices themselves would lose the digits that matter.
    """

    __slots__ = ("_index", "_is_full", "_shift", "_squares", "_sum", "_window", "mean", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = check_period(period)
        self.mean: float | None = None
        self._window = [0.0] * period
        self._index = 0
        self._is_full = False
        self._shift = 0.0
        self._sum = 0.0
        self._squares = 0.0

    def add(self, value: float) -> None:
        """Take in the next value."""
        window = self._window
        index = self._index
        shift = self._shift
        if self._is_full:
            leaving = window[index] - shift
            coming = value - shift
            self._sum += coming - leaving
            self._squares += coming * coming - leaving * leaving
        window[index] = value
        index += 1
        if index == self.period:
            index = 0
            self._is_full = True
            self._shift = shift = total_of(window) / self.period
            offsets = [each - shift for each in window]
            self._sum = total_of(offsets)
            self._squares = total_of([each * each for each in offsets])
        self._index = index
        if self._is_full:
            offset = self._sum / self.period
            variance = self._squares / self.period - offset * offset
            self.mean = shift + offset
            self.value = math.sqrt(variance) if variance > 0.0 else 0.0


class ZScore(Indicator):
    """How many standard deviations the last value lies above the mean of the last `period`; 0
    where they are all equal."""

    __slots__ = ("_deviation",)

    def __init__(self, period: int) -> None:
        super().__init__()
        self._deviation = StandardDeviation(period)

    def add(self, value: float) -> None:
        """Take in the next value."""
        deviation = self._deviation
        deviation.add(value)
        if deviation.value is not None and deviation.mean is not None:
            size = deviation.value
            self.value = (value - deviation.mean) / size if size else 0.0


class Bollinger(Indicator):
    """The mean of the last `period` values (`value`) and, `width` standard deviations above and
    below it, `upper` and `lower`."""

    __slots__ = ("_deviation", "lower", "upper", "width")

    def __init__(self, period: int = 20, width: float = 2.0) -> None:
        super().__init__()
        self.width = width
        self._deviation = StandardDeviation(period)
        self.upper: float | None = None
        self.lower: float | None = None

    def add(self, value: float) -> None:
        """Take in the next value."""
        deviation = self._deviation
        deviation.add(value)
        mean, size = deviation.mean, deviation.value
        if mean is not None and size is not None:
            self.value = mean
            self.upper = mean + self.width * size
            self.lower = mean - self.width * size


class ATR(Indicator):
    """Wilder's mean of the true range over `period` bars. The first bar has no close before it, so
    its range does not count."""

    __slots__ = ("_last", "_mean")

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self._mean = Wilder(period)
        self._last: float | None = None

    def add(self, high: float, low: float, close: float) -> None:
        """Take in the next bar."""
        last = self._last
        self._last = close
        if last is None:
            return
        top = high if high > last else last
        bottom = low if low < last else last
        mean = self._mean
        mean.add(top - bottom)
        self.value = mean.value


class LinearRegression(Indicator):
    """The straight line of least squares through the last `period` values: `slope` is its rise from
    one value to the next, `value` where it stands at the last one."""

    __slots__ = ("_index", "_is_full", "_shift", "_sum", "_weighted", "_window", "period", "slope")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = check_period(period, least=2)
        self.slope: float | None = None
        self._window = [0.0] * period
        self._index = 0
        self._is_full = False
        self._shift = 0.0
        self._sum = 0.0
        self._weighted = 0.0

    def add(self, value: float) -> None:
        """Take in the next value."""
        window = self._window
        index = self._index
        period = self.period
        shift = self._shift
        if self._is_full:
            leaving = window[index] - shift
            # Each value moves one place back; the newest takes the last place.
            self._weighted -= self._sum - leaving
            self._sum += value - shift - leaving
            self._weighted += (value - shift) * (period - 1)
        window[index] = value
        index += 1
        if index == period:
            index = 0
            self._is_full = True
            total = total_of(window)
            self._shift = shift = total / period
            self._sum = total - shift * period
            self._weighted = total_of([place * (each - shift) for place, each in enumerate(window)])
        self._index = index
        if self._is_full:
            middle = (period - 1) / 2
            mean = self._sum / period
            spread = period * (period * period - 1) / 12
            slope = (self._weighted - middle * self._sum) / spread
            self.slope = slope
            self.value = shift + mean + slope * middle
