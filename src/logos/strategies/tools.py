"""What the bundled strategies share: exact prices, exact rolling statistics, sizing.

Sums are kept in integers, so a rolling mean is the same after a million bars as when computed
afresh: nothing drifts, and nothing depends on the order of additions.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.strategy import Target, Weight


def twice_price(event: Bar | QuoteBar | Quote | Trade) -> int:
    """Twice the price in the instrument's units: close plus close, bid plus ask, or of a print.

    Doubled, the mid of a two-sided price is an integer too, and averages compare exactly.
    """
    if isinstance(event, Bar):
        return 2 * event.close_units
    if isinstance(event, QuoteBar):
        return event.bid_close_units + event.ask_close_units
    if isinstance(event, Trade):
        return 2 * event.price_units
    return event.bid_units + event.ask_units


def position(side: int, quantity: Decimal | None, weight: Decimal, symbol: str) -> Target | Weight:
    """The answer "be long (1), flat (0) or short (-1)": of `quantity` if given, else `weight`."""
    if side == 0:
        return Target(0, symbol)
    if quantity is None:
        return Weight(side * weight, symbol)
    return Target(side * quantity, symbol)


class RollingWindow:
    """The last `size` integers, their sum and the sum of their squares, in O(1) a value."""

    __slots__ = ("_next", "_values", "count", "size", "squares", "total")

    def __init__(self, size: int) -> None:
        self.size = size
        self.count = 0
        self.total = 0
        self.squares = 0
        self._values = [0] * size
        self._next = 0

    def add(self, value: int) -> None:
        """Take in a value; the oldest leaves once the window is full."""
        leaving = self._values[self._next]
        self._values[self._next] = value
        self._next = (self._next + 1) % self.size
        self.count += 1
        self.total += value - leaving
        self.squares += value * value - leaving * leaving

    def save(self) -> dict[str, Any]:
        """What the window holds, as JSON data; see `Strategy.save`."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def load(cls, state: dict[str, Any]) -> RollingWindow:
        """The window that `save` told of."""
        window = cls(state["size"])
        for name in cls.__slots__:
            setattr(window, name, state[name])
        return window

    def z_score(self, value: int) -> float | None:
        """How many standard deviations `value` is above the mean.

        The deviation is the population's. None until the window is full, and where all its
        values are equal.
        """
        if self.count < self.size:
            return None
        variance = self.size * self.squares - self.total * self.total
        if variance == 0:
            return None
        return (self.size * value - self.total) / math.sqrt(variance)
