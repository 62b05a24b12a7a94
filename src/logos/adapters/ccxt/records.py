"""From what ccxt parsed to this project's orders and fills, exactly or not at all.

ccxt is told to keep numbers as text, so nothing here has been a float. A record that lacks what it
must have, or whose numbers do not fit the instrument's units, raises Unreadable.
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
    decimal_of,
    is_record,
    price_units,
    quantity_units,
    text_of,
)

_STATUS: Final = {
    "open": OrderStatus.ACCEPTED,
    "canceling": OrderStatus.ACCEPTED,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}
_TYPES: Final = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "limit_maker": OrderType.LIMIT,
    "stop_loss": OrderType.STOP,
    "take_profit": OrderType.STOP,
    "stop_loss_limit": OrderType.STOP_LIMIT,
    "take_profit_limit": OrderType.STOP_LIMIT,
}
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}


class Records:
    """Reads the records of one exchange, and remembers whose order a venue's id is."""

    def __init__(self, instruments: Mapping[str, Instrument], ids: ClientIds) -> None:
        self._instruments = instruments
        self._ids = ids
        self._ours: dict[tuple[str, str], str] = {}
        self.venue_ids: dict[str, str] = {}
        """The exchange's own ids of the orders that it has shown, by client order id."""

    def order(self, symbol: str, record: object) -> VenueOrder:
        """One order. Raises Unreadable."""
        if not is_record(record):
            raise Unreadable(f"{symbol}: the answer holds no order")
        instrument = self._instruments[symbol]
        venue_order_id = text_of(record, "id")
        status = _STATUS.get(str(record.get("status")))
        if status is None:
            raise Unreadable(f"{symbol}: the order's status {record.get('status')!r} is unknown")
        kind = _type_of(symbol, record)
        quantity = quantity_units(instrument, record.get("amount"), "quantity")
        filled = quantity_units(instrument, record.get("filled"), "filled quantity")
        if status is OrderStatus.ACCEPTED and filled:
            status = OrderStatus.PARTIALLY_FILLED
        elif status is OrderStatus.FILLED and filled < quantity:
            status = OrderStatus.CANCELLED
        limit_price = 0
        if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT):
            limit_price = price_units(instrument, record.get("price"), "price")
        client_order_id = self._ids.to_ours(str(record.get("clientOrderId") or ""))
        if client_order_id:
            self._ours[symbol, venue_order_id] = client_order_id
            self.venue_ids[client_order_id] = venue_order_id
        return VenueOrder(
            client_order_id=client_order_id,
            venue_order_id=venue_order_id,
            symbol=symbol,
            side=_side_of(symbol, record),
            type=kind,
            quantity_units=quantity,
            filled_units=filled,
            limit_price_units=limit_price,
            status=status,
            reason=_reason_of(record),
        )

    def fill(self, symbol: str, record: object) -> VenueFill:
        """One trade of ours. Raises Unreadable."""
        if not is_record(record):
            raise Unreadable(f"{symbol}: the answer holds no fill")
        instrument = self._instruments[symbol]
        venue_order_id = text_of(record, "order")
        fee = record.get("fee")
        fee = fee if is_record(fee) else {}
        cost = fee.get("cost")
        return VenueFill(
            fill_id=text_of(record, "id"),
            client_order_id=self._ours.get((symbol, venue_order_id), ""),
            venue_order_id=venue_order_id,
            symbol=symbol,
            side=_side_of(symbol, record),
            quantity_units=quantity_units(instrument, record.get("amount"), "quantity"),
            price_units=price_units(instrument, record.get("price"), "price"),
            fee=Decimal(0) if cost is None else decimal_of(cost, "the fee"),
            fee_currency=str(fee.get("currency") or instrument.quote),
            is_maker=record.get("takerOrMaker") == "maker",
            ts_ns=time_ms(record) * 1_000_000,
        )


def time_ms(record: Mapping[str, Any]) -> int:
    """A record's moment. Raises Unreadable."""
    timestamp = record.get("timestamp")
    if not isinstance(timestamp, int):
        raise Unreadable("the answer holds no time that can be read")
    return timestamp


def balances(answer: object) -> dict[str, Decimal]:
    """What is owned of each asset, zeros left out. Raises Unreadable."""
    total = answer.get("total") if is_record(answer) else None
    info = answer.get("info") if is_record(answer) else None
    # ccxt makes an empty account of an answer that holds none.
    if not is_record(total) or not (info or isinstance(info, list)):
        raise Unreadable("the answer holds no balances")
    amounts = {asset: decimal_of(text, f"the balance of {asset}") for asset, text in total.items()}
    return {asset: amount for asset, amount in sorted(amounts.items()) if amount}


def _type_of(symbol: str, record: Mapping[str, Any]) -> OrderType:
    """The order's type; an exchange's own word where ccxt has unified stops away."""
    info = record.get("info")
    raw = str(info.get("type", "")).lower() if is_record(info) else ""
    kind = _TYPES.get(raw) or _TYPES.get(str(record.get("type")).lower())
    if kind is None:
        raise Unreadable(f"{symbol}: the order's type {record.get('type')!r} is unknown")
    return kind


def _side_of(symbol: str, record: Mapping[str, Any]) -> Side:
    side = _SIDES.get(str(record.get("side")))
    if side is None:
        raise Unreadable(f"{symbol}: the side {record.get('side')!r} is unknown")
    return side


def _reason_of(record: Mapping[str, Any]) -> str:
    """The exchange's own word for an end that its status does not tell."""
    info = record.get("info")
    word = str(info.get("status", "")) if is_record(info) else ""
    return word if word in ("EXPIRED_IN_MATCH", "REJECTED") else ""
