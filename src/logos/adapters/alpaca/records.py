"""From Alpaca's JSON to this project's orders and fills, exactly or not at all.

Alpaca sends quantities and prices as text. A record that lacks what it must have, or whose numbers
do not fit the instrument's units, raises Unreadable.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

from logos.core.instrument import Instrument
from logos.core.types import OrderStatus, OrderType, Side
from logos.venues.contract import VenueFill, VenueOrder
from logos.venues.ids import ClientIds
from logos.venues.records import (
    Unreadable,
    decimal_of,
    is_record,
    price_units,
    quantity_units,
    text_of,
    time_ns,
)

_STATUS: Final = {
    "new": OrderStatus.ACCEPTED,
    "accepted": OrderStatus.ACCEPTED,
    "pending_new": OrderStatus.ACCEPTED,
    "accepted_for_bidding": OrderStatus.ACCEPTED,
    "held": OrderStatus.ACCEPTED,
    "stopped": OrderStatus.ACCEPTED,
    "suspended": OrderStatus.ACCEPTED,
    "calculated": OrderStatus.ACCEPTED,
    "done_for_day": OrderStatus.ACCEPTED,
    "pending_cancel": OrderStatus.ACCEPTED,
    "pending_replace": OrderStatus.ACCEPTED,
    "pending_review": OrderStatus.ACCEPTED,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "replaced": OrderStatus.CANCELLED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}
"""`done_for_day` may go on tomorrow; a day order then becomes `expired`."""

_WAITING: Final = frozenset(
    (
        "accepted",
        "accepted_for_bidding",
        "calculated",
        "done_for_day",
        "held",
        "pending_new",
        "pending_review",
        "suspended",
    )
)
"""Taken, and not at work in the market: docs.alpaca.markets/docs/orders-at-alpaca, Order lifecycle.
`accepted` is what an order is outside of market hours."""

_TYPES: Final = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
}
_AT_A_PRICE: Final = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL, "sell_short": Side.SELL}


class Records:
    """Reads Alpaca's records, and remembers which order each id is."""

    def __init__(
        self, instruments: Mapping[str, Instrument], symbols: Mapping[str, str], ids: ClientIds
    ) -> None:
        self._instruments = instruments
        self._symbols = symbols
        """The session's symbol by Alpaca's."""
        self._ids = ids
        self._ours: dict[str, str] = {}
        self.venue_ids: dict[str, str] = {}
        """Alpaca's order id by our client order id, as far as seen."""

    def symbol(self, record: Mapping[str, Any]) -> str | None:
        """The session's symbol that a record is about, or None."""
        return self._symbols.get(str(record.get("symbol")))

    def order(self, record: object) -> VenueOrder:
        """One order in a symbol of the session. Raises Unreadable."""
        if not is_record(record):
            raise Unreadable("the answer holds no order")
        symbol, instrument = self._instrument(record)
        venue_order_id = text_of(record, "id")
        client_order_id = self._ids.to_ours(str(record.get("client_order_id") or ""))
        if not client_order_id:
            return _strangers(record, symbol, instrument, venue_order_id)
        status = _STATUS.get(str(record.get("status")))
        kind = _TYPES.get(str(record.get("type")))
        if status is None or kind is None:
            words = f"status {record.get('status')!r} or type {record.get('type')!r}"
            raise Unreadable(f"{symbol}: the order has an unknown {words}")
        filled = quantity_units(instrument, record.get("filled_qty"), "filled quantity")
        if status is OrderStatus.ACCEPTED and filled:
            status = OrderStatus.PARTIALLY_FILLED
        limit_price = 0
        if kind in _AT_A_PRICE:
            limit_price = price_units(instrument, record.get("limit_price"), "limit price")
        self._ours[venue_order_id] = client_order_id
        self.venue_ids[client_order_id] = venue_order_id
        return VenueOrder(
            client_order_id=client_order_id,
            venue_order_id=venue_order_id,
            symbol=symbol,
            side=_side_of(symbol, record),
            type=kind,
            quantity_units=quantity_units(instrument, record.get("qty"), "quantity"),
            filled_units=filled,
            limit_price_units=limit_price,
            status=status,
            is_waiting=record.get("status") in _WAITING,
        )

    def is_strangers_fraction(self, record: Mapping[str, Any]) -> bool:
        """Whether a fill is none of ours as far as is known, and finer than the session's lot: it
        is not held; what it did to the holdings is seen there. Raises Unreadable."""
        _, instrument = self._instrument(record)
        if self._ours.get(text_of(record, "order_id")):
            return False
        quantity = decimal_of(record.get("qty"), f"{instrument.symbol}: quantity")
        return quantity.scaleb(instrument.quantity_decimals) % 1 != 0

    def fill(self, record: object, fee: Decimal = Decimal(0)) -> VenueFill:
        """One activity of the kind FILL in a symbol of the session; `fee` is what it cost of what
        it brought. Raises Unreadable."""
        if not is_record(record):
            raise Unreadable("the answer holds no fill")
        symbol, instrument = self._instrument(record)
        venue_order_id = text_of(record, "order_id")
        side = _side_of(symbol, record)
        quantity = quantity_units(instrument, record.get("qty"), "quantity")
        price, rest = _price_and_rest(instrument, side, quantity, record)
        # The fee of a purchase is in the coin; what its price is finer than the tick, in money.
        in_coin = bool(fee) and side is Side.BUY
        others = ((instrument.quote, rest),) if in_coin and rest else ()
        return VenueFill(
            fill_id=text_of(record, "id"),
            client_order_id=self._ours.get(venue_order_id, ""),
            venue_order_id=venue_order_id,
            symbol=symbol,
            side=side,
            quantity_units=quantity,
            price_units=price,
            # Regulatory fees on shares are booked later, as activities of their own.
            fee=fee if in_coin else fee + rest,
            fee_currency=instrument.base if in_coin else instrument.quote,
            is_maker=False,
            ts_ns=time_ns(record.get("transaction_time")),
            other_fees=others,
        )

    def position(self, record: Mapping[str, Any]) -> tuple[str, int]:
        """A symbol of the session and its signed quantity units. Raises Unreadable."""
        symbol, instrument = self._instrument(record)
        units = abs(quantity_units(instrument, record.get("qty"), "position"))
        side = record.get("side")
        if side not in ("long", "short"):
            raise Unreadable(f"{symbol}: the position's side {side!r} is unknown")
        return symbol, units if side == "long" else -units

    def _instrument(self, record: Mapping[str, Any]) -> tuple[str, Instrument]:
        symbol = self.symbol(record)
        if symbol is None:
            raise Unreadable(f"the answer is about {str(record.get('symbol'))[:20]!r}")
        return symbol, self._instruments[symbol]


def _strangers(
    record: Mapping[str, Any], symbol: str, instrument: Instrument, venue_order_id: str
) -> VenueOrder:
    """An order that the session did not place, whatever it is: it must not keep ours from being
    seen. What of it cannot be held here (a quantity finer than the lot, one by value, a kind or a
    status that nobody knows) stands in its `reason`, and its figures are 0."""
    status, kind = _STATUS.get(str(record.get("status"))), _TYPES.get(str(record.get("type")))
    side = _SIDES.get(str(record.get("side")))
    words = [
        f"{name} {str(record.get(name))[:40]!r}"
        for name, known in (("status", status), ("type", kind), ("side", side))
        if known is None
    ]
    units = [0, 0, 0]
    try:
        units[0] = quantity_units(instrument, record.get("qty"), "quantity")
        units[1] = quantity_units(instrument, record.get("filled_qty"), "filled quantity")
        if kind in _AT_A_PRICE:
            units[2] = price_units(instrument, record.get("limit_price"), "limit price")
    except Unreadable as error:
        units = [0, 0, 0]
        words.append(str(error))
    return VenueOrder(
        client_order_id="",
        venue_order_id=venue_order_id,
        symbol=symbol,
        side=side or Side.BUY,
        type=kind or OrderType.MARKET,
        quantity_units=units[0],
        filled_units=units[1],
        limit_price_units=units[2],
        status=status or OrderStatus.ACCEPTED,
        reason="; ".join(words),
    )


def _price_and_rest(
    instrument: Instrument, side: Side, quantity: int, record: Mapping[str, Any]
) -> tuple[int, Decimal]:
    """A fill's price in units, and the money by which the units make it better than it was.

    Alpaca fills shares at fractions of a cent. Such a price is taken to the next unit in our
    favour, and what that is too good goes into the fee: the money of the fill is exact. Where the
    session cannot hold so many decimals of money, the fee is a difference that says so.
    """
    if not isinstance(record.get("price"), str):
        raise Unreadable(f"{instrument.symbol}: price is missing")
    price = decimal_of(record.get("price"), f"{instrument.symbol}: price")
    exact = price.scaleb(instrument.price_decimals)
    units = int(exact.to_integral_value(ROUND_FLOOR if side is Side.BUY else ROUND_CEILING))
    apart = abs(exact - units).scaleb(-instrument.price_decimals)
    return units, apart * instrument.quantity_decimal(quantity)


def _side_of(symbol: str, record: Mapping[str, Any]) -> Side:
    side = _SIDES.get(str(record.get("side")))
    if side is None:
        raise Unreadable(f"{symbol}: the side {record.get('side')!r} is unknown")
    return side
