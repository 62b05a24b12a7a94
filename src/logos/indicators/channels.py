"""Extremes of a window, and the channels that are made of them."""

from __future__ import annotations

from logos.indicators.averages import EMA
from logos.indicators.base import Indicator, check_period
from logos.indicators.spread import ATR


class _RollingExtreme(Indicator):
    """Keeps only values that can still become the extreme: each enters and leaves once."""

    __slots__ = ("_count", "_numbers", "_start", "_values", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = check_period(period)
        self._count = 0
        self._numbers: list[int] = []
        self._values: list[float] = []
        self._start = 0

    def _enter(self, value: float, place: int) -> None:
        """Take in the next value, at its `place`: it beats all from there on."""
        values = self._values
        numbers = self._numbers
        self._count = count = self._count + 1
        start = self._start
        # What it beats makes room for it: mostly that is one.
        beaten = len(values) - place
        if beaten > 0:
            values[place] = value
            numbers[place] = count
            while beaten > 1:
                values.pop()
                numbers.pop()
                beaten -= 1
        else:
            values.append(value)
            numbers.append(count)
        period = self.period
        if numbers[start] <= count - period:
            start += 1
            if start == period:  # let go of what has left, now and then
                del values[:start], numbers[:start]
                start = 0
            self._start = start
        elif place > start and count > period:
            return  # the extreme is what it was
        if count >= period:
            self.value = values[start]


class RollingMax(_RollingExtreme):
    """The highest of the last `period` values."""

    __slots__ = ()

    def add(self, value: float) -> None:
        """Take in the next value."""
        values = self._values
        start = self._start
        place = len(values)
        while place > start and values[place - 1] <= value:
            place -= 1
        self._enter(value, place)


class RollingMin(_RollingExtreme):
    """The lowest of the last `period` values."""

    __slots__ = ()

    def add(self, value: float) -> None:
        """Take in the next value."""
        values = self._values
        start = self._start
        place = len(values)
        while place > start and values[place - 1] >= value:
            place -= 1
        self._enter(value, place)


class Donchian(Indicator):
    """The highest high (`upper`) and lowest low (`lower`) of the last `period` bars; `value` is
    their middle."""

    __slots__ = ("_high", "_low", "lower", "upper")

    def __init__(self, period: int) -> None:
        super().__init__()
        self._high = RollingMax(period)
        self._low = RollingMin(period)
        self.upper: float | None = None
        self.lower: float | None = None

    def add(self, high: float, low: float) -> None:
        """Take in the next bar."""
        tops, bottoms = self._high, self._low
        tops.add(high)
        bottoms.add(low)
        self.upper = upper = tops.value
        self.lower = lower = bottoms.value
        if upper is not None and lower is not None:
            self.value = (upper + lower) / 2


class Keltner(Indicator):
    """An EMA of the close (`value`) and, `width` ATRs above and below it, `upper` and `lower`."""

    __slots__ = ("_average", "_range", "lower", "upper", "width")

    def __init__(self, period: int = 20, width: float = 2.0, atr_period: int = 10) -> None:
        super().__init__()
        self.width = width
        self._average = EMA(period)
        self._range = ATR(atr_period)
        self.upper: float | None = None
        self.lower: float | None = None

    def add(self, high: float, low: float, close: float) -> None:
        """Take in the next bar."""
        self._average.add(close)
        self._range.add(high, low, close)
        middle, size = self._average.value, self._range.value
        if middle is not None and size is not None:
            self.value = middle
            self.upper = middle + self.width * size
            self.lower = middle - self.width * size
