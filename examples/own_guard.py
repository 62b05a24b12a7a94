"""A guard of your own: `[risk] guards = ["examples/own_guard.py:no_big_shorts"]`."""

from __future__ import annotations

from decimal import Decimal

from logos.core.guards.own import OrderView
from logos.core.types import Side


def no_big_shorts(order: OrderView) -> str | None:
    """Refuse a sale that could leave a short position of more than 100."""
    if order.side is Side.SELL and order.position - order.open_sell - order.quantity < -100:
        return f"{order.symbol}: short by more than 100"
    if order.value > order.equity * Decimal("0.2"):
        return f"{order.value} is more than a fifth of equity"
    return None
