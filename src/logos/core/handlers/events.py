"""What a strategy hears of its orders and timers, as plain messages.

This module stays interpreted: messages are msgspec structs (see `messages`).
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from logos.core.fixed import to_decimal
from logos.core.types import Code, Side


class OrderChange(enum.Enum):
    """What became of an order, or of a wish for one."""

    HELD = "HELD"
    """At a real venue: the engine keeps it back until its price is reached."""
    SENT = "SENT"
    """It was held, and is on its way to its venue."""
    ACCEPTED = "ACCEPTED"
    """It reached the market; of the exits of a bracket: they work from here on."""
    REFUSED = "REFUSED"
    """It never became an order, or its venue would not have it."""
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    REPLACED = "REPLACED"
    """It made way for its successor, which is an order of its own."""
    RESIZED = "RESIZED"
    """Its quantity follows the position: an exit was cut, or grew with its entry."""
    UNKNOWN = "UNKNOWN"
    """Its venue has not said what became of it, and is asked."""


class OrderEvent(msgspec.Struct, frozen=True, gc=False, tag="order_event", tag_field="kind"):
    """What became of an order of ours, other than a fill.

    `order_id` is 0 and `side` None for what was refused before it became an order; `tag` and
    `group` are those of the request then, and `detail` says why in words. `code` is the reason why
    it ended or was refused, and None while it can still fill.
    """

    ts_ns: int
    change: OrderChange
    symbol: str
    order_id: int
    tag: str
    group: str
    side: Side | None
    code: Code | None
    detail: str
    quantity_units: int
    filled_units: int
    quantity_decimals: int

    @property
    def quantity(self) -> Decimal:
        """The order's whole quantity, in units of the symbol; 0 if it never became one."""
        return to_decimal(self.quantity_units, self.quantity_decimals)

    @property
    def filled(self) -> Decimal:
        """What was filled of it so far."""
        return to_decimal(self.filled_units, self.quantity_decimals)


class Timer(msgspec.Struct, frozen=True, gc=False, tag="timer", tag_field="kind"):
    """A timer, as it was set or as it fell due.

    `due_ns` is its time, nanoseconds UTC; `interval_ns` is 0 for one that falls due once. `missed`
    is how many of its times passed since the last call without one of their own.
    """

    timer_id: int
    name: str
    symbol: str
    due_ns: int
    interval_ns: int = 0
    missed: int = 0


class MarketHoursEvent(msgspec.Struct, frozen=True, gc=False):
    """A symbol's market has opened, or closed, by the hours of its instrument."""

    symbol: str
    is_open: bool


News = OrderEvent | Timer | MarketHoursEvent
