"""Back to the mean: buy what has fallen far below its recent average, sell when it is back.

"Far" is the z-score: the distance of the close from the mean of the last `window` closes, the
newest included, in standard deviations of the same closes.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.strategy import Answer, Context, Strategy
from logos.strategies.tools import RollingWindow, position, twice_price


class MeanReversion(Strategy):
    """Enter beyond `entry` standard deviations, leave within `exit` of the mean.

    Works for any number of symbols, on bars, quotes or trades: of a symbol that has several kinds
    of them, only the kind that comes first counts.
    """

    def __init__(
        self,
        window: int = 60,
        entry: float = 2.0,
        exit: float = 0.5,
        quantity: Decimal | None = None,
        weight: Decimal = Decimal("0.2"),
        allow_short: bool = False,
    ) -> None:
        if window < 2:
            raise ValueError(f"window ({window}) must be 2 or more: one price has no deviation")
        if not 0 <= exit < entry:
            raise ValueError(f"exit ({exit}) must be 0 or more and below entry ({entry})")
        self.window = window
        self.entry = entry
        self.exit = exit
        self.quantity = quantity
        self.weight = weight
        self.allow_short = allow_short
        self._windows: dict[str, RollingWindow] = {}
        self._sides: dict[str, int] = {}
        self._kinds: dict[str, str] = {}

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return self._see(bar.symbol, twice_price(bar), "bar")

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self._see(quote.symbol, twice_price(quote), "quote")

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return self._see(trade.symbol, twice_price(trade), "trade")

    def _see(self, symbol: str, price: int, kind: str) -> Answer:
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
        self._sides[symbol] = side
        return position(side, self.quantity, self.weight, symbol)

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
