"""A strategy that makes many orders in many symbols, from a seed: for stress, not for profit.

At each quote a symbol may give one signal: a market order of one to three lots on a drawn side,
now and then a limit order far from the market, and a cancel of the one before. How often follows
from `every`; `signals` bounds them for each symbol (0: without bound). A symbol with `open_max`
open market orders waits for one of them to end, and so do all when `all_open_max` are open: more
in flight than the terminal can serve would only wait in a queue. Two of three signals lean against
what is held: sides drawn without that come to the limits of position and exposure within a second,
and a run would show how quickly the guards refuse. What still comes to them is theirs to refuse.
"""

from __future__ import annotations

from decimal import Decimal

from logos.core.fixed import to_decimal
from logos.core.messages import Quote
from logos.core.strategy import Answer, Cancel, Context, Request, Strategy, limit, market
from logos.core.types import Side

_FAR = Decimal("0.97")


def _lean(held: Decimal) -> int:
    """Of six draws, by how many fewer buy than sell."""
    return (held > 0) - (held < 0)


class StressStrategy(Strategy):
    """See the module. `limit_every` of 25 makes every 25th signal a limit order; 0: none."""

    def __init__(
        self,
        signals: int = 0,
        every: int = 1,
        limit_every: int = 25,
        open_max: int = 2,
        all_open_max: int = 8,
    ) -> None:
        """Raises ValueError for a negative number or an `every` of 0."""
        if signals < 0 or limit_every < 0:
            raise ValueError("signals and limit_every are 0 or more")
        if min(every, open_max, all_open_max) < 1:
            raise ValueError("every, open_max and all_open_max are 1 or more")
        self._signals = signals
        self._every = every
        self._limit_every = limit_every
        self._open_max = open_max
        self._all_open_max = all_open_max
        self._open: dict[str, int] = {}
        self._all_open = 0
        self._seen: dict[str, int] = {}
        self._given: dict[str, int] = {}

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        """One signal at every `every`-th quote of a symbol."""
        symbol = quote.symbol
        seen = self._seen[symbol] = self._seen.get(symbol, 0) + 1
        given = self._given.get(symbol, 0)
        if seen % self._every or (self._signals and given >= self._signals):
            return None
        open_orders = context.open_orders(symbol)
        waiting = [order for order in open_orders if order.limit_price is not None]
        in_flight = len(open_orders) - len(waiting)
        # Of the other symbols as of their own latest price: counting anew costs too much.
        self._all_open += in_flight - self._open.get(symbol, 0)
        self._open[symbol] = in_flight
        if in_flight >= self._open_max or self._all_open >= self._all_open_max:
            return None
        self._given[symbol] = given + 1
        draw = context.random.randrange(6)
        quantity = to_decimal(
            (1 + draw % 3) * quote.instrument.lot, quote.instrument.quantity_decimals
        )
        side = Side.BUY if draw < 3 - _lean(context.position(symbol)) else Side.SELL
        answer: list[Request] = [Cancel(order_id=order.order_id) for order in waiting]
        if self._limit_every and given % self._limit_every == self._limit_every - 1:
            price_units = int(quote.bid_units * _FAR) // quote.instrument.tick
            price = to_decimal(price_units * quote.instrument.tick, quote.instrument.price_decimals)
            answer.append(limit(Side.BUY, quantity, price, symbol=symbol))
        else:
            answer.append(market(side, quantity, symbol=symbol))
        return answer
