"""Back to the mean: buy what has fallen far below its recent average, sell when it is back.

"Far" is the z-score: the distance of the close from the mean of the last `window` closes, the
newest included, in standard deviations of the same closes.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from logos.core.declared.parameters import param
from logos.core.messages import Bar, MarketEvent, Quote, QuoteBar, Trade
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import Side
from logos.sizing import by_weight
from logos.strategies.tools import RollingWindow, position, twice_price


class MeanReversion(Strategy):
    """Buys far below the rolling mean and leaves near it; with `stop`, behind a stop loss.

    It enters beyond `entry` standard deviations and leaves within `exit` of the mean. Works for any
    number of symbols, on bars, quotes or trades: of a symbol that has several kinds of them, only
    the kind that comes first counts.
    """

    window: int = param(60, 2, meaning="prices that the mean is of")
    entry: float = param(2.0, 0, meaning="standard deviations beyond which it enters")
    exit: float = param(0.5, 0, meaning="standard deviations within which it leaves")
    quantity: Decimal | None = param(None, 0, meaning="units to hold, instead of the weight")
    weight: Decimal = param(Decimal("0.2"), 0, meaning="fraction of equity to hold")
    allow_short: bool = param(False, meaning="far above the mean: short instead of flat")
    stop: Decimal = param(
        Decimal(0), 0, 1, meaning="stop loss, as a fraction of the price at the entry; 0: none"
    )

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        if self.exit >= self.entry:
            raise ValueError(f"exit ({self.exit}) must be below entry ({self.entry})")
        self._windows: dict[str, RollingWindow] = {}
        self._sides: dict[str, int] = {}
        self._kinds: dict[str, str] = {}

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return self._see(context, bar, "bar")

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self._see(context, quote, "quote")

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return self._see(context, trade, "trade")

    def _see(self, context: Context, event: MarketEvent, kind: str) -> Answer:
        symbol, price = event.symbol, twice_price(event)
        window = self._windows.get(symbol)
        if window is None:
            window = self._windows[symbol] = RollingWindow(self.window)
            self._sides[symbol] = 0
            self._kinds[symbol] = kind
        elif self._kinds[symbol] != kind:
            return None
        window.add(price)
        z_score = window.z_score(price)
        if z_score is None:
            return None
        held = self._sides[symbol]
        side = self._side(held, z_score)
        if side == held:
            return None
        if self.stop and side:
            if held:
                side = 0  # flat first: what was held, and its stop, must be gone before the entry
            else:
                return self._enter(context, event, side, price)
        self._sides[symbol] = side
        return position(side, self.quantity, self.weight, symbol)

    def _enter(self, context: Context, event: MarketEvent, side: int, twice: int) -> Answer:
        """A market order with its stop loss; after a stop it enters again once it has left."""
        self._sides[event.symbol] = side
        one = event.instrument
        quantity = self.quantity
        if quantity is None:
            quantity = by_weight(context, one, self.weight, is_buy=side > 0)
        if not quantity:
            return None
        level = Decimal(twice) / 2 / one.price_scale * (1 - side * self.stop)
        return market(Side.BUY if side > 0 else Side.SELL, quantity, stop_loss=level)

    def _side(self, held: int, z_score: float) -> int:
        """What to hold now: far out enters, near the mean or beyond it leaves."""
        if z_score <= -self.entry:
            return 1
        if z_score >= self.entry:
            return -1 if self.allow_short else 0
        if held > 0:
            return 1 if z_score < -self.exit else 0
        if held < 0:
            return -1 if z_score > self.exit else 0
        return 0

    def save(self) -> dict[str, Any]:
        windows = {symbol: window.save() for symbol, window in self._windows.items()}
        return {"windows": windows, "sides": self._sides, "kinds": self._kinds}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        windows = state["windows"].items()
        self._windows = {symbol: RollingWindow.load(window) for symbol, window in windows}
        self._sides = dict(state["sides"])
        self._kinds = dict(state["kinds"])
