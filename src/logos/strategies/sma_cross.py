"""Crossing moving averages: long while the fast simple average is above the slow one.

The averages are never divided out: sums of integers are compared, crosswise multiplied, so
"above" is exact and an equal pair is really equal (and then nothing changes).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from logos.core.declared.parameters import param
from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.strategy import Answer, Context, Strategy
from logos.strategies.tools import position, twice_price


class _Averages:
    """One symbol's last `slow` prices in a ring, and the sums of the two windows."""

    __slots__ = ("count", "fast_sum", "kind", "next", "prices", "side", "slow_sum")

    def __init__(self, slow: int, kind: str = "") -> None:
        self.kind = kind
        self.prices = [0] * slow
        self.next = 0
        self.count = 0
        self.fast_sum = 0
        self.slow_sum = 0
        self.side = 0


class SmaCross(Strategy):
    """Long while the fast simple average is above the slow one; below it flat, or short.

    Works for any number of symbols, on bars, quotes or trades: each event counts as one price, and
    of a symbol that has several kinds of them only the kind that comes first.
    """

    fast: int = param(10, 1, meaning="prices in the fast average")
    slow: int = param(30, 2, meaning="prices in the slow average")
    quantity: Decimal | None = param(None, 0, meaning="units to hold, instead of the weight")
    weight: Decimal = param(Decimal("0.2"), 0, meaning="fraction of equity to hold")
    allow_short: bool = param(False, meaning="below the slow average: short instead of flat")

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")
        self.below = -1 if self.allow_short else 0
        self._averages: dict[str, _Averages] = {}

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return self._see(bar.symbol, twice_price(bar), "bar")

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self._see(quote.symbol, quote.bid_units + quote.ask_units, "quote")

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return self._see(trade.symbol, 2 * trade.price_units, "trade")

    def _see(self, symbol: str, price: int, kind: str) -> Answer:
        seen = self._averages.get(symbol)
        if seen is None:
            seen = self._averages[symbol] = _Averages(self.slow, kind)
        elif seen.kind != kind:
            return None
        prices = seen.prices
        place = seen.next
        # A negative index counts from the ring's end, which is just where it should land.
        seen.fast_sum += price - prices[place - self.fast]
        seen.slow_sum += price - prices[place]
        prices[place] = price
        seen.next = (place + 1) % self.slow
        seen.count += 1
        if seen.count < self.slow:
            return None
        lead = seen.fast_sum * self.slow - seen.slow_sum * self.fast
        side = 1 if lead > 0 else self.below
        if lead == 0 or side == seen.side:
            return None
        seen.side = side
        return position(side, self.quantity, self.weight, symbol)

    def save(self) -> dict[str, Any]:
        return {
            symbol: {name: getattr(seen, name) for name in seen.__slots__}
            for symbol, seen in self._averages.items()
        }

    def load(self, context: Context, state: dict[str, Any]) -> None:
        for symbol, fields in state.items():
            seen = self._averages[symbol] = _Averages(self.slow)
            for name in seen.__slots__:
                setattr(seen, name, fields[name])
