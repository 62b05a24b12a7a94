"""The strategy under rehearsal: the user's own, with what a scenario makes it do on top.

`InjectedStrategy` passes every call on. Acts that wait are carried out at the next market event the
strategy is asked about: so what a scenario makes it answer takes the same road as any answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from logos.core.bars.spans import span_text
from logos.core.bars.wishes import wishes_of
from logos.core.fixed import to_decimal
from logos.core.handlers.events import OrderEvent, Timer
from logos.core.instrument import Instrument
from logos.core.messages import Bar, MarketEvent, Quote, QuoteBar, Trade
from logos.core.records import PaperFillRecord
from logos.core.strategy import (
    Answer,
    Cancel,
    Context,
    OrderRequest,
    Request,
    Strategy,
    limit,
    market,
)
from logos.core.types import Side
from logos.errors import LogosError
from logos.rehearsal.profile import prices_of, smallest_quantity
from logos.rehearsal.scenarios import Orders

Act = Callable[[Context, MarketEvent, Answer], "tuple[Answer, bool]"]
"""From what the strategy answered to what is answered, and whether the act is over."""


class DrillError(LogosError):
    """What a drilled strategy raises."""


class InjectedStrategy(Strategy):
    """The user's strategy `inner`; `acts` wait for the next market event.

    `before_order` is called once, between the strategy's next order and the way out.
    """

    timeframes: Sequence[str] = ()
    history: int = 0
    warmup: int | str = 0

    def __init__(self, inner: Strategy) -> None:
        self.inner = inner
        wishes = wishes_of(inner)
        self.timeframes = wishes.timeframes
        self.history = wishes.history
        self.warmup = span_text(wishes.warmup_ns) if wishes.warmup_ns else wishes.warmup_bars
        self.acts: list[Act] = []
        self.before_order: Callable[[], object] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether something is still to be done."""
        return bool(self.acts) or self.before_order is not None

    @property
    def unused(self) -> Mapping[str, int]:
        """What the user's strategy never came to use; the session warns of it."""
        return getattr(self.inner, "unused", None) or {}

    def on_start(self, context: Context) -> Answer:
        return self.inner.on_start(context)

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return self._act(context, bar, self.inner.on_bar(context, bar))

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self._act(context, quote, self.inner.on_quote(context, quote))

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return self._act(context, trade, self.inner.on_trade(context, trade))

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        answer = self.inner.on_fill(context, fill)
        self._meet_order(answer)
        return answer

    def on_order(self, context: Context, event: OrderEvent) -> Answer:
        answer = self.inner.on_order(context, event)
        self._meet_order(answer)
        return answer

    def on_timer(self, context: Context, timer: Timer) -> Answer:
        answer = self.inner.on_timer(context, timer)
        self._meet_order(answer)
        return answer

    def on_session_open(self, context: Context, symbol: str) -> Answer:
        answer = self.inner.on_session_open(context, symbol)
        self._meet_order(answer)
        return answer

    def on_session_close(self, context: Context, symbol: str) -> Answer:
        answer = self.inner.on_session_close(context, symbol)
        self._meet_order(answer)
        return answer

    def on_stop(self, context: Context) -> Answer:
        return self.inner.on_stop(context)

    def _act(self, context: Context, event: MarketEvent, answer: Answer) -> Answer:
        self._meet_order(answer)
        for act in list(self.acts):
            answer, is_over = act(context, event, answer)
            if is_over:
                self.acts.remove(act)
        return answer

    def _meet_order(self, answer: Answer) -> None:
        wants_order = any(type(request) is not Cancel for request in listed(answer))
        if wants_order and self.before_order is not None:
            self.before_order()
            self.before_order = None


class SendOrders:
    """The act of an `orders` injection."""

    def __init__(self, orders: Orders, price_before: int, symbol: Instrument | None) -> None:
        """`price_before`: of the undisturbed event; `symbol`: the silent one, if it is to be it."""
        self._orders = orders
        self._price_before = price_before
        self._symbol = symbol
        self._ticks_left = orders.ticks

    def __call__(self, context: Context, event: MarketEvent, answer: Answer) -> tuple[Answer, bool]:
        self._ticks_left -= 1
        instrument = self._symbol or event.instrument
        requests: list[Request] = listed(answer)
        smallest = smallest_quantity(instrument, self._price_before)
        # Never towards flat: an order that closes is judged more kindly.
        side = Side.SELL if context.position(instrument.symbol) < 0 else Side.BUY
        for number in range(self._orders.count):
            units = smallest * self._orders.lots
            units += number * instrument.lot if self._orders.vary else 0
            if instrument.maximum_quantity:
                units = min(units, instrument.maximum_quantity)
            quantity = instrument.quantity_decimal(units)
            requests.append(self._request(event, instrument, side, quantity))
        return requests, self._ticks_left == 0

    def _request(
        self, event: MarketEvent, instrument: Instrument, side: Side, quantity: Decimal
    ) -> OrderRequest:
        symbol = instrument.symbol
        if self._orders.price == "market":
            return market(side, quantity, symbol=symbol)
        price = self._price_before
        if self._orders.price == "passive":
            bid, ask = prices_of(event)
            price = bid - instrument.tick if side is Side.BUY else ask + instrument.tick
        return limit(side, quantity, to_decimal(price, instrument.price_decimals), symbol=symbol)


def raise_error(_context: Context, _event: MarketEvent, _answer: Answer) -> tuple[Answer, bool]:
    """The strategy breaks."""
    raise DrillError("raised by the rehearsal")


def answer_nan(_context: Context, event: MarketEvent, answer: Answer) -> tuple[Answer, bool]:
    """The strategy computes NaN and orders that."""
    wish = market(Side.BUY, float("nan"), symbol=event.symbol)
    return [*listed(answer), wish], True


def listed(answer: Any) -> list[Any]:
    """An answer as a list of requests."""
    if answer is None:
        return []
    return list(answer) if isinstance(answer, (list, tuple)) else [answer]
