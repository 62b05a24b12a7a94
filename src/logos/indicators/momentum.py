"""How fast and which way prices go: RSI, MACD, the stochastic, and the directional index."""

from __future__ import annotations

from logos.indicators.averages import EMA, SMA, Wilder
from logos.indicators.base import Indicator, check_period
from logos.indicators.channels import RollingMax, RollingMin


class RSI(Indicator):
    """Wilder's relative strength: the share of rises in all moves, 0 to 100; 0 without a move.

    Rises and falls are averaged by `Wilder`.
    """

    __slots__ = ("_falls", "_last", "_rises")

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self._rises = Wilder(check_period(period))
        self._falls = Wilder(period)
        self._last: float | None = None

    def add(self, value: float) -> None:
        """Take in the next value."""
        last = self._last
        self._last = value
        if last is None:
            return
        move = value - last
        if move > 0.0:
            self._rises.add(move)
            self._falls.add(0.0)
        else:
            self._rises.add(0.0)
            self._falls.add(-move)
        rise, fall = self._rises.value, self._falls.value
        if rise is not None and fall is not None:
            moved = rise + fall
            self.value = 100.0 * rise / moved if moved else 0.0


class MACD(Indicator):
    """The difference of a fast and a slow EMA (`value`), its own EMA (`signal`) and the difference
    of the two (`histogram`).

    The fast EMA is begun with the mean of the `fast` values before the slow one's first value, so
    that both begin at the same place.
    """

    __slots__ = ("_count", "_fast", "_line", "_skip", "_slow", "histogram", "signal")

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        super().__init__()
        if check_period(fast) >= check_period(slow):
            raise ValueError(f"the fast period is below the slow one, not {fast} and {slow}")
        self._fast = EMA(fast)
        self._slow = EMA(slow)
        self._line = EMA(check_period(signal))
        self._skip = slow - fast
        self._count = 0
        self.signal: float | None = None
        self.histogram: float | None = None

    def add(self, value: float) -> None:
        """Take in the next value."""
        self._count += 1
        self._slow.add(value)
        if self._count > self._skip:
            self._fast.add(value)
        fast, slow = self._fast.value, self._slow.value
        if fast is None or slow is None:
            return
        self._line.add(fast - slow)
        self.value = fast - slow
        signal = self._line.value
        if signal is not None:
            self.signal = signal
            self.histogram = self.value - signal


class Stochastic(Indicator):
    """Where the close lies between the lowest low (0) and the highest high (100) of the last
    `period` bars, averaged over `smooth` bars (`value`, the slow %K); `signal` (%D) is the mean of
    the last `signal` of these. Without a range it is 0."""

    __slots__ = ("_high", "_k", "_low", "_signal", "signal")

    def __init__(self, period: int = 14, smooth: int = 3, signal: int = 3) -> None:
        super().__init__()
        self._high = RollingMax(period)
        self._low = RollingMin(period)
        self._k = SMA(smooth)
        self._signal = SMA(signal)
        self.signal: float | None = None

    def add(self, high: float, low: float, close: float) -> None:
        """Take in the next bar."""
        self._high.add(high)
        self._low.add(low)
        top, bottom = self._high.value, self._low.value
        if top is None or bottom is None:
            return
        span = top - bottom
        self._k.add(100.0 * (close - bottom) / span if span else 0.0)
        smooth = self._k.value
        if smooth is not None:
            self.value = smooth
            self._signal.add(smooth)
            self.signal = self._signal.value


class ADX(Indicator):
    """Wilder's average directional index over `period` bars (`value`), with the directional
    indicators `plus` and `minus`, all 0 to 100.

    Ranges and moves are smoothed as sums: each bar a share 1 / period of the sum leaves and the new
    one comes whole; the first sum is of `period` - 1 bars.
    """

    __slots__ = (
        "_bars",
        "_down",
        "_last",
        "_mean",
        "_range",
        "_up",
        "minus",
        "period",
        "plus",
    )

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period = check_period(period, least=2)
        self.plus: float | None = None
        self.minus: float | None = None
        self._last: list[float] = []
        """High, low and close of the bar before."""
        self._bars = 0
        self._range = 0.0
        self._up = 0.0
        self._down = 0.0
        self._mean = Wilder(period)

    def add(self, high: float, low: float, close: float) -> None:
        """Take in the next bar."""
        last = self._last
        self._last = [high, low, close]
        if not last:
            return
        old_high, old_low, old_close = last
        up = high - old_high
        down = old_low - low
        top = high if high > old_close else old_close
        bottom = low if low < old_close else old_close
        self._bars += 1
        if self._bars >= self.period:
            self._range -= self._range / self.period
            self._up -= self._up / self.period
            self._down -= self._down / self.period
        self._range += top - bottom
        if up > down and up > 0.0:
            self._up += up
        elif down > up and down > 0.0:
            self._down += down
        if self._bars < self.period:
            return
        plus = minus = 0.0
        if self._range > 0.0:
            plus = 100.0 * self._up / self._range
            minus = 100.0 * self._down / self._range
        self.plus, self.minus = plus, minus
        both = plus + minus
        if both or self._mean.value is None:  # a bar without any move says nothing of direction
            self._mean.add(100.0 * abs(plus - minus) / both if both else 0.0)
        self.value = self._mean.value
