"""Crossing moving averages: long while the fast simple average is above the slow one.

The averages are exact (see `logos.indicators.crossing`): an equal pair is really equal, and then
nothing changes.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from logos.core.declared.parameters import param
from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.strategy import Answer, Context, Strategy
from logos.indicators.crossing import Crossing
from logos.strategies.tools import position, twice_price


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
        self._averages: dict[str, Crossing] = {}

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        twice = 2 * bar.close_units if type(bar) is Bar else twice_price(bar)
        return self._see(bar.symbol, twice, "bar")

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self._see(quote.symbol, quote.bid_units + quote.ask_units, "quote")

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return self._see(trade.symbol, 2 * trade.price_units, "trade")

    def _see(self, symbol: str, price: int, kind: str) -> Answer:
        seen = self._averages.get(symbol)
        if seen is None:
            seen = Crossing(self.fast, self.slow, self.below, kind)
            self._averages[symbol] = seen
        elif seen.kind != kind:
            return None
        if not seen.has_turned(price):
            return None
        return position(seen.side, self.quantity, self.weight, symbol)

    def save(self) -> dict[str, Any]:
        return {symbol: seen.save() for symbol, seen in self._averages.items()}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        for symbol, fields in state.items():
            self._averages[symbol] = Crossing(self.fast, self.slow, self.below)
            self._averages[symbol].load(fields)
