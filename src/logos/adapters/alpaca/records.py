"""From Alpaca's JSON to this project's orders and fills, exactly or not at all.

Alpaca sends quantities and prices as text. A record that lacks what it must have, or whose numbers
do not fit the instrument's units, raises Unreadable.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from logos.core.instrument import Instrument
from logos.core.types import OrderStatus, OrderType, Side
from logos.venues.contract import VenueFill, VenueOrder
from logos.venues.ids import ClientIds
from logos.venues.records import (
    Unreadable,
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
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "replaced": OrderStatus.CANCELLED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}
"""`done_for_day` may go on tomorrow; a day order then becomes `expired`."""

_TYPES: Final = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
}
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
        status = _STATUS.get(str(record.get("status")))
        kind = _TYPES.get(str(record.get("type")))
        if status is None or kind is None:
            words = f"status {record.get('status')!r} or type {record.get('type')!r}"
            raise Unreadable(f"{symbol}: the order has an unknown {words}")
        filled = quantity_units(instrument, record.get("filled_qty"), "filled quantity")
        if status is OrderStatus.ACCEPTED and filled:
            status = OrderStatus.PARTIALLY_FILLED
        limit_price = 0
        if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT):
            limit_price = price_units(instrument, record.get("limit_price"), "limit price")
        client_order_id = self._ids.to_ours(str(record.get("client_order_id") or ""))
        if client_order_id:
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
        )

    def fill(self, record: object) -> VenueFill:
        """One activity of the kind FILL in a symbol of the session. Raises Unreadable."""
        if not is_record(record):
            raise Unreadable("the answer holds no fill")
        symbol, instrument = self._instrument(record)
        venue_order_id = text_of(record, "order_id")
        return VenueFill(
            fill_id=text_of(record, "id"),
            client_order_id=self._ours.get(venue_order_id, ""),
            venue_order_id=venue_order_id,
            symbol=symbol,
            side=_side_of(symbol, record),
            quantity_units=quantity_units(instrument, record.get("qty"), "quantity"),
            price_units=price_units(instrument, record.get("price"), "price"),
            # Regulatory and crypto fees are booked later, as activities of their own.
            fee=Decimal(0),
            fee_currency=instrument.quote,
            is_maker=False,
            ts_ns=time_ns(record.get("transaction_time")),
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


def _side_of(symbol: str, record: Mapping[str, Any]) -> Side:
    side = _SIDES.get(str(record.get("side")))
    if side is None:
        raise Unreadable(f"{symbol}: the side {record.get('side')!r} is unknown")
    return side
