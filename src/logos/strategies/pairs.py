"""Two symbols against each other: when their ratio is stretched, bet on its return.

The ratio of the two prices is kept as an integer count of 10**-12, and looked at only when both
symbols have closed a bar at the same moment: a fresh price over a stale one is no ratio.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from logos.core.declared.parameters import param
from logos.core.messages import Bar, QuoteBar
from logos.core.strategy import Answer, Context, Strategy, Target
from logos.strategies.tools import RollingWindow, position, twice_price

_RATIO_SCALE = 10**12


class Pairs(Strategy):
    """Two symbols: short the dear one and long the cheap one, until their ratio is back.

    With `quantity` (of `first`) the second leg is as much of `second` as costs the same; else
    each leg is `weight` of its ledger's equity. The symbols default to those of a session of two.
    One leg is always short: on spot that needs the asset in the account, or borrowing.
    """

    first: str = param("", meaning="a symbol; by default the first of two")
    second: str = param("", meaning="another one")
    window: int = param(60, 2, meaning="ratios that the mean is of")
    entry: float = param(2.0, 0, meaning="standard deviations beyond which it enters")
    exit: float = param(0.5, 0, meaning="standard deviations within which it leaves")
    quantity: Decimal | None = param(None, 0, meaning="units of the first, instead of the weight")
    weight: Decimal = param(Decimal("0.2"), 0, meaning="fraction of equity in each leg")

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        if self.exit >= self.entry:
            raise ValueError(f"exit ({self.exit}) must be below entry ({self.entry})")
        self.side = 0
        self._ratios = RollingWindow(self.window)
        self._latest: dict[str, tuple[int, int, int]] = {}
        """Of each symbol's latest bar its time, twice its price, and the scale of that."""

    def on_start(self, context: Context) -> Answer:
        if not self.first and not self.second and len(context.symbols) == 2:
            self.first, self.second = context.symbols
        unknown = [name for name in (self.first, self.second) if name not in context.symbols]
        if unknown or self.first == self.second:
            raise ValueError(
                f"pairs needs two symbols of this session as first and second, not "
                f"{self.first!r} and {self.second!r}: it has {', '.join(context.symbols)}"
            )
        return None

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        self._latest[bar.symbol] = (bar.ts_ns, twice_price(bar), bar.instrument.price_scale)
        first = self._latest.get(self.first)
        second = self._latest.get(self.second)
        if first is None or second is None or first[0] != second[0]:
            return None
        if bar.symbol not in (self.first, self.second):
            return None
        numerator = first[1] * second[2] * _RATIO_SCALE
        denominator = second[1] * first[2]
        ratio = numerator // denominator
        self._ratios.add(ratio)
        z_score = self._ratios.z_score(ratio)
        if z_score is None:
            return None
        side = self._side(z_score)
        if side == self.side:
            return None
        self.side = side
        if side and self.quantity is not None:
            legs = float(self.quantity) * ratio / _RATIO_SCALE
            return [Target(side * self.quantity, self.first), Target(-side * legs, self.second)]
        return [
            position(side, None, self.weight, self.first),
            position(-side, None, self.weight, self.second),
        ]

    def _side(self, z_score: float) -> int:
        """1: long the first, short the second; -1: the reverse; 0: neither."""
        if abs(z_score) >= self.entry:
            return -1 if z_score > 0 else 1
        return self.side if -z_score * self.side > self.exit else 0

    def save(self) -> dict[str, Any]:
        return {
            "symbols": [self.first, self.second],
            "side": self.side,
            "ratios": self._ratios.save(),
            "latest": {symbol: list(latest) for symbol, latest in self._latest.items()},
        }

    def load(self, context: Context, state: dict[str, Any]) -> None:
        self.first, self.second = state["symbols"]
        self.side = state["side"]
        self._ratios = RollingWindow.load(state["ratios"])
        for symbol, (ts_ns, twice, scale) in state["latest"].items():
            self._latest[symbol] = (ts_ns, twice, scale)
