"""What a symbol holds and has open, kept from the records of a journal alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Self

from logos.audit.rules import SymbolRules
from logos.core.records import OrderRecord
from logos.core.types import OrderStatus, Side

BRACKET_MARK: Final = "#"
"""What the group of a bracket's exits begins with."""

_OVER: Final = (
    OrderStatus.FILLED,
    OrderStatus.CANCELLED,
    OrderStatus.REJECTED,
    OrderStatus.EXPIRED,
)


@dataclass(slots=True)
class OpenOrder:
    """An order that was made. Quantities are quantity units, prices price units.

    `filled` is what the order's own records say, `booked` the sum of its fills. `judged_price` is
    the size of the worst that it names or meets: a purchase costs at most its limit, a sale may do
    better than its own.
    """

    order_id: int
    is_buy: bool
    quantity: int
    limit_price: int
    judged_price: int
    shape: tuple[object, ...]
    reduce_only: bool = False
    """It may only shrink the position, counts in nothing that could be held, and can be resized."""
    is_exit: bool = False
    """It came with the fill of a bracket's entry, or in the place of another exit."""
    follows: int = 0
    """The number of that other exit; 0: none."""
    status: OrderStatus = OrderStatus.NEW
    filled: int = 0
    booked: int = 0
    stop_price: int = 0

    @classmethod
    def of(cls, record: OrderRecord) -> Self:
        """The order that a record speaks of."""
        limit, reference = record.limit_price_units, record.reference_price_units
        is_buy = record.side is Side.BUY
        stop = record.stop_price_units
        if is_buy:
            judged = limit or (max(stop, reference) if stop else reference)
        else:
            judged = max(limit, reference) if limit else reference
        judged = abs(judged)
        shape = (
            *(record.side, record.type, record.quantity_units, limit, record.stop_price_units),
            record.time_in_force,
        )
        is_exit = record.reduce_only and record.group.startswith(BRACKET_MARK)
        order = cls(
            record.order_id,
            is_buy,
            record.quantity_units,
            limit,
            judged,
            shape,
            record.reduce_only,
            is_exit,
            record.follows,
        )
        order.stop_price = record.stop_price_units
        return order

    def continues(self, before: OpenOrder) -> bool:
        """Whether it is the exit that `before` was, at most as large."""
        side, kind, _, limit, stop, lifetime = before.shape
        own = self.shape
        return (
            self.reduce_only
            and before.reduce_only
            and (own[0], own[1], own[3], own[4], own[5]) == (side, kind, limit, stop, lifetime)
        )

    @property
    def sign(self) -> int:
        """1 for a purchase, -1 for a sale."""
        return 1 if self.is_buy else -1

    @property
    def remaining(self) -> int:
        """What can still be filled, in quantity units."""
        return self.quantity - self.filled


@dataclass(slots=True)
class SymbolBook:
    """One symbol: its position (signed, quantity units), open orders, and orders made lately."""

    rules: SymbolRules
    position: int = 0
    open: dict[int, OpenOrder] = field(default_factory=dict)
    known: dict[int, OpenOrder] = field(default_factory=dict)
    """Orders whose fills may still come: open ones, and one whose last fill is the next record."""
    made: dict[tuple[object, ...], int] = field(default_factory=dict)
    """When an order of each shape was last made, nanoseconds."""
    top_price: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    """By side, the highest price an order was judged at since none of that side was open."""

    split_terms: tuple[int, int] = (1, 1)
    split_open: set[int] = field(default_factory=set)
    """The last split, and the orders that were open then and have not been changed for it."""

    _quantity: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    _value: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})

    def shrinks(self, order: OpenOrder, quantity: int) -> bool:
        """Whether so much of the order would shrink the position and not pass flat."""
        return order.sign * self.position < 0 and quantity <= abs(self.position)

    def add(self, order: OpenOrder) -> None:
        """An order has been made."""
        self.open[order.order_id] = order
        self.known[order.order_id] = order
        if not order.reduce_only:
            self.top_price[order.is_buy] = max(self.top_price[order.is_buy], order.judged_price)
        self._count(order, order.remaining)

    def update(self, order: OpenOrder, status: OrderStatus, filled: int) -> None:
        """The order's records say that it has come to this."""
        self._count(order, -order.remaining)
        order.status, order.filled = status, filled
        if status not in _OVER:
            self._count(order, order.remaining)
        else:
            del self.open[order.order_id]
            if status is not OrderStatus.FILLED:
                del self.known[order.order_id]
        if not self._quantity[order.is_buy]:
            self.top_price[order.is_buy] = 0

    def split(self, new: int, old: int) -> int:
        """Every `old` units became `new`; returns the position that this makes."""
        held = abs(self.position) * new // old
        self.position = held if self.position > 0 else -held
        self.split_terms = new, old
        self.split_open = set(self.open)
        self.top_price = {side: -(-price * old // new) for side, price in self.top_price.items()}
        return self.position

    def after_split(self, order: OpenOrder) -> tuple[int, Fraction, Fraction]:
        """What an open order may still fill after the last split, in whole lots, and its limit and
        stop price, exact."""
        new, old = self.split_terms
        lots = order.remaining * new // old // self.rules.lot
        limit, stop = Fraction(order.limit_price * old, new), Fraction(order.stop_price * old, new)
        return lots * self.rules.lot, limit, stop

    def change(self, order: OpenOrder, quantity: int, limit_price: int, stop_price: int) -> None:
        """An open order has other terms after a split."""
        new, old = self.split_terms
        self._count(order, -order.remaining)
        order.quantity, order.limit_price, order.stop_price = quantity, limit_price, stop_price
        order.judged_price = -(-order.judged_price * old // new)
        self._count(order, order.remaining)
        self.split_open.discard(order.order_id)

    def _count(self, order: OpenOrder, quantity: int) -> None:
        if order.reduce_only:
            return
        self._quantity[order.is_buy] += quantity
        self._value[order.is_buy] += self.rules.value(order.judged_price, quantity)

    def in_flight(self, is_buy: bool) -> int:
        """What open orders of a side may still fill, in quantity units."""
        return self._quantity[is_buy]

    def in_flight_value(self, is_buy: bool) -> int:
        """Its worth at the prices at which the orders were judged, in ledger units."""
        return self._value[is_buy]

    def increase(self, order: OpenOrder) -> int:
        """How much of an order that is not open yet could grow the position, in quantity units."""
        if order.reduce_only:
            return 0
        closing = -order.sign * self.position - self.in_flight(order.is_buy)
        return order.quantity - min(max(closing, 0), order.quantity)
