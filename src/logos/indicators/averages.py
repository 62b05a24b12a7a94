"""Averages: simple, exponential, Wilder's, and by volume."""

from __future__ import annotations

from logos.indicators.base import Indicator, check_period, total_of


class SMA(Indicator):
    """The mean of the last `period` values.

    The sum is taken anew each time the window has gone round, so it does not drift.
    """

    __slots__ = ("_index", "_is_full", "_sum", "_window", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = check_period(period)
        self._window = [0.0] * period
        self._sum = 0.0
        self._index = 0
        self._is_full = False

    def add(self, value: float) -> None:
        """Take in the next value."""
        window = self._window
        index = self._index
        self._sum = total = self._sum + value - window[index]
        window[index] = value
        index += 1
        if index == self.period:
            index = 0
            self._is_full = True
            self._sum = total = total_of(window)
        self._index = index
        if self._is_full:
            self.value = total / self.period


class EMA(Indicator):
    """An exponential mean with the weight 2 / (period + 1), begun with the mean of the first
    `period` values."""

    __slots__ = ("_count", "_sum", "_weight", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = check_period(period)
        self._weight = 2.0 / (period + 1)
        self._sum = 0.0
        self._count = 0

    def add(self, value: float) -> None:
        """Take in the next value."""
        last = self.value
        if last is not None:
            self.value = last + (value - last) * self._weight
            return
        self._sum += value
        self._count += 1
        if self._count == self.period:
            self.value = self._sum / self.period


class Wilder(Indicator):
    """Wilder's mean, an exponential one with the weight 1 / period, begun with the mean of the
    first `period` values."""

    __slots__ = ("_count", "_sum", "period")

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = check_period(period)
        self._sum = 0.0
        self._count = 0

    def add(self, value: float) -> None:
        """Take in the next value."""
        last = self.value
        if last is not None:
            self.value = last + (value - last) / self.period
            return
        self._sum += value
        self._count += 1
        if self._count == self.period:
            self.value = self._sum / self.period


class VWAP(Indicator):
    """The mean price by volume since it was made, or since `reset`: of a session, say."""

    __slots__ = ("_money", "_volume")

    def __init__(self) -> None:
        super().__init__()
        self._money = 0.0
        self._volume = 0.0

    def add(self, price: float, volume: float) -> None:
        """Take in a price and its volume; a volume of 0 or less (unknown) is left out."""
        if volume <= 0:
            return
        self._money += price * volume
        self._volume += volume
        self.value = self._money / self._volume

    def reset(self) -> None:
        """Begin again with the next price."""
        self._money = self._volume = 0.0
        self.value = None
