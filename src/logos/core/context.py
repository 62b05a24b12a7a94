"""What a strategy may know: a window on the desk that changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import final

from logos.core.fixed import to_decimal
from logos.core.order_manager import OrderManager
from logos.core.orders import Order
from logos.core.strategy import OpenOrder


@final
class CoreContext:
    """The context of a running core; see `strategy.Context`."""

    def __init__(
        self, order_manager: OrderManager, params: Mapping[str, object], random: Random
    ) -> None:
        self._order_manager = order_manager
        self.params = params
        self.random = random
        self.symbols: Sequence[str] = list(order_manager.states)

    @property
    def now_ns(self) -> int:
        return self._order_manager.now_ns

    def position(self, symbol: str) -> Decimal:
        state = self._order_manager.states[symbol]
        return state.instrument.quantity_decimal(state.inventory.position)

    def equity(self, currency: str) -> Decimal:
        ledger = self._order_manager.account.ledger(currency)
        return to_decimal(ledger.equity, ledger.decimals)

    def open_orders(self, symbol: str) -> list[OpenOrder]:
        return [_open_order(order) for order in self._order_manager.states[symbol].working]


def _open_order(order: Order) -> OpenOrder:
    instrument = order.instrument
    decimals = instrument.price_decimals
    return OpenOrder(
        order.order_id,
        order.tag,
        instrument.symbol,
        order.side,
        order.type,
        instrument.quantity_decimal(order.quantity),
        instrument.quantity_decimal(order.filled),
        to_decimal(order.limit_price, decimals) if order.limit_price else None,
        to_decimal(order.stop_price, decimals) if order.stop_price else None,
    )
