"""The books of the fake venue: orders, fills, balances and positions, exact and its own.

Nothing is shared with the core that it is compared with: money is Decimal, positions are closed
first in, first out by code of its own, fees are worked out from the schedule anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal, localcontext
from typing import NamedTuple

from logos.core.fixed import to_decimal
from logos.core.instrument import RATE_DECIMALS, Instrument
from logos.core.types import OrderStatus, OrderType, Side, TimeInForce
from logos.venues.contract import VenueFill, VenueOrder


@dataclass(slots=True)
class FakeOrder:
    """An order on record; quantities and prices in the instrument's units."""

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: int
    limit_price: int
    time_in_force: TimeInForce
    filled: int = 0
    status: OrderStatus = OrderStatus.ACCEPTED
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it can still fill."""
        return self.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


class ListedFill(NamedTuple):
    """A fill, and from when on the venue lists it."""

    fill: VenueFill
    listed_ns: int


class FakeBooks:
    """One account. `balances` are text by asset; what is not named starts at nothing."""

    def __init__(self, instruments: Sequence[Instrument], balances: Mapping[str, str]) -> None:
        self.instruments = {instrument.symbol: instrument for instrument in instruments}
        self.balances = {asset: Decimal(amount) for asset, amount in balances.items()}
        self.positions: dict[str, int] = {}
        """Signed units of the symbols that settle in margin."""
        self.orders: dict[str, FakeOrder] = {}
        """By client order id; see `all_orders` for those that have none."""
        self.all_orders: list[FakeOrder] = []
        self.fills: list[ListedFill] = []
        """Everything that ever filled, in the order of its happening."""
        self._lots: dict[str, deque[tuple[int, int]]] = {}

    def add(
        self,
        client_order_id: str,
        symbol: str,
        side: Side,
        type_: OrderType,
        quantity: int,
        limit_price: int,
        time_in_force: TimeInForce,
    ) -> FakeOrder:
        """Put an order on record, open. An id that is there already is an AssertionError."""
        assert client_order_id not in self.orders, f"{client_order_id} came twice"
        number = f"V{len(self.all_orders) + 1}"
        order = FakeOrder(
            client_order_id, number, symbol, side, type_, quantity, limit_price, time_in_force
        )
        self.all_orders.append(order)
        if client_order_id:
            self.orders[client_order_id] = order
        return order

    def end(self, order: FakeOrder, status: OrderStatus, reason: str) -> None:
        """The order works no longer."""
        order.status = status
        order.reason = reason

    def view(self, order: FakeOrder) -> VenueOrder:
        """The order as the venue shows it."""
        return VenueOrder(
            order.client_order_id,
            order.venue_order_id,
            order.symbol,
            order.side,
            order.type,
            order.quantity,
            order.filled,
            order.limit_price,
            order.status,
            order.reason,
        )

    def change(self, asset: str, amount: Decimal) -> None:
        """Add to a balance, exactly."""
        with localcontext() as context:
            context.prec = 100
            self.balances[asset] = self.balances.get(asset, Decimal(0)) + amount

    def fill(
        self,
        order: FakeOrder,
        quantity: int,
        price: int,
        is_maker: bool,
        ts_ns: int,
        listed_ns: int,
    ) -> VenueFill:
        """Fill so much of an open order: its count, the balances and the list of fills."""
        instrument = self.instruments[order.symbol]
        value = self._value(instrument, price, quantity)
        fee = self._fee(instrument, value, is_maker)
        order.filled += quantity
        is_whole = order.filled == order.quantity
        order.status = OrderStatus.FILLED if is_whole else OrderStatus.PARTIALLY_FILLED
        sign = 1 if order.side is Side.BUY else -1
        if instrument.settlement == "spot":
            self.change(instrument.quote, -sign * value - fee)
            self.change(instrument.base, sign * instrument.quantity_decimal(quantity))
        else:
            realised = self._close_lots(instrument, sign * quantity, price)
            self.change(instrument.quote, realised - fee)
            position = self.positions.get(order.symbol, 0) + sign * quantity
            self.positions[order.symbol] = position
        fill = VenueFill(
            f"F{len(self.fills) + 1}",
            order.client_order_id,
            order.venue_order_id,
            order.symbol,
            order.side,
            quantity,
            price,
            fee,
            instrument.quote,
            is_maker,
            ts_ns,
        )
        self.fills.append(ListedFill(fill, listed_ns))
        return fill

    def cost(self, symbol: str) -> Decimal:
        """The signed entry value of what is open of a symbol that settles in margin."""
        instrument = self.instruments[symbol]
        lots = self._lots.get(symbol, ())
        return sum((self._value(instrument, price, held) for held, price in lots), Decimal(0))

    def _value(self, instrument: Instrument, price: int, quantity: int) -> Decimal:
        return to_decimal(instrument.value(price, quantity), instrument.value_decimals)

    def _fee(self, instrument: Instrument, value: Decimal, is_maker: bool) -> Decimal:
        """The rate's share of the value, rounded up to the schedule's decimals, fill by fill."""
        fees = instrument.fees
        rate = to_decimal(fees.maker_rate if is_maker else fees.taker_rate, RATE_DECIMALS)
        with localcontext() as context:
            context.prec = 100
            return (value * rate).quantize(Decimal(1).scaleb(-fees.decimals), rounding=ROUND_UP)

    def _close_lots(self, instrument: Instrument, signed: int, price: int) -> Decimal:
        """What closing against the oldest lots realises; the rest opens a lot."""
        lots = self._lots.setdefault(instrument.symbol, deque())
        realised = Decimal(0)
        left = signed
        while left and lots and (lots[0][0] > 0) != (left > 0):
            held, entry = lots.popleft()
            closed = min(abs(held), abs(left))
            sign = 1 if held > 0 else -1
            with localcontext() as context:
                context.prec = 100
                realised += self._value(instrument, price - entry, sign * closed)
            if closed < abs(held):
                lots.appendleft((held - sign * closed, entry))
            left += sign * closed
        if left:
            lots.append((left, price))
        return realised
