"""Makes the messages about orders that a strategy with an `on_order` hears."""

from __future__ import annotations

from typing import Final

from logos.core.handlers.events import OrderChange, OrderEvent
from logos.core.orders import Order
from logos.core.types import Code, OrderStatus

_CHANGES: Final = {
    OrderStatus.HELD: OrderChange.HELD,
    OrderStatus.NEW: OrderChange.SENT,
    OrderStatus.ACCEPTED: OrderChange.ACCEPTED,
    OrderStatus.REJECTED: OrderChange.REFUSED,
    OrderStatus.CANCELLED: OrderChange.CANCELLED,
    OrderStatus.EXPIRED: OrderChange.EXPIRED,
    OrderStatus.UNKNOWN: OrderChange.UNKNOWN,
}
"""What a status that an order has just come to is called; a fill has `on_fill`."""


def order_event(order: Order, now_ns: int, is_resized: bool) -> OrderEvent:
    """What an order has just come to; `is_resized`: its quantity changed and nothing else."""
    change = OrderChange.RESIZED if is_resized else _CHANGES[order.status]
    if order.reason is Code.REPLACED:
        change = OrderChange.REPLACED
    return OrderEvent(
        now_ns,
        change,
        order.instrument.symbol,
        order.order_id,
        order.tag,
        order.group,
        order.side,
        order.reason,
        "",
        order.quantity,
        order.filled,
        order.instrument.quantity_decimals,
    )


def refusal_event(
    now_ns: int, symbol: str, code: Code, detail: str, tag: str, group: str
) -> OrderEvent:
    """A wish that became no order."""
    return OrderEvent(
        now_ns, OrderChange.REFUSED, symbol, 0, tag, group, None, code, detail, 0, 0, 0
    )
