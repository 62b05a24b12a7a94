"""Closes every position and trades no more: what takes a strategy's place after `flatten`.

It is a strategy like any other, so its orders go the one road: intents, risk, both gates. It
only ever asks for a flat position, so nothing it does can grow one. An order that a guard refuses
is asked for again at later prices, but not without end.
"""

from __future__ import annotations

from typing import Final

from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.strategy import Answer, Context, Strategy, Target

ATTEMPTS_MAX: Final = 100
"""How often a position is tried to be closed; what stays open then is in the report."""


class Flattener(Strategy):
    """Asks for a flat position wherever there is one and no order is on its way."""

    def __init__(self) -> None:
        self._attempts: dict[str, int] = {}

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        """As `close`, for the bar's symbol."""
        return self.close(context, bar.symbol)

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        """As `close`, for the quote's symbol."""
        return self.close(context, quote.symbol)

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        """As `close`, for the print's symbol."""
        return self.close(context, trade.symbol)

    def close(self, context: Context, symbol: str) -> Answer:
        """A flat target for `symbol`, unless it is flat or being closed already."""
        if context.position(symbol) == 0 or context.open_orders(symbol):
            return None
        attempts = self._attempts.get(symbol, 0)
        if attempts >= ATTEMPTS_MAX:
            return None
        self._attempts[symbol] = attempts + 1
        return Target(0, symbol)
