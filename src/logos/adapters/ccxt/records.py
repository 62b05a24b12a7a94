"""From what ccxt parsed to this project's orders and fills, exactly or not at all.

ccxt is told to keep numbers as text, so nothing here has been a float. A record that lacks what it
must have, or whose numbers do not fit the instrument's units, raises Unreadable.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from logos.adapters.ccxt.profiles.profile import Profile
from logos.core.instrument import Instrument
from logos.core.outbox import OrderTerms
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

    def __init__(
        self, instruments: Mapping[str, Instrument], ids: ClientIds, profile: Profile
    ) -> None:
        self._instruments = instruments
        self._ids = ids
        self._profile = profile
        self._ours: dict[tuple[str, str], str] = {}
        self.venue_ids: dict[str, str] = {}
        """The exchange's own ids of the orders that it has shown, by client order id."""
        self.priced: set[str] = set()
        """Market orders that went out as limit orders, by client order id."""

    def order(self, symbol: str, record: object) -> VenueOrder:
        """One order. Raises Unreadable."""
        if not is_record(record):
            raise Unreadable(f"{symbol}: the answer holds no order")
        instrument = self._instruments[symbol]
        venue_order_id = text_of(record, "id")
        word = str(record.get("status"))
        status = _STATUS.get(self._profile.statuses.get(word, word))
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
        client_order_id = self._whose(symbol, venue_order_id, record)
        if client_order_id in self.priced:
            kind = OrderType.MARKET
        if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT):
            limit_price = price_units(instrument, record.get("price"), "price")
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

    def placed(self, terms: OrderTerms, record: object) -> VenueOrder:
        """A new order, of which the answer may hold no more than the exchange's id: accepted then,
        as it was sent. What the answer does hold must fit. Raises Unreadable."""
        if not is_record(record):
            raise Unreadable(f"{terms.symbol}: the answer holds no order")
        venue_order_id = text_of(record, "id")
        told = self._ids.to_ours(str(record.get("clientOrderId") or ""))
        if record.get("clientOrderId") and told != terms.client_order_id:
            raise Unreadable("the answer is about another order")
        if record.get("side") is not None and _side_of(terms.symbol, record) is not terms.side:
            raise Unreadable("the answer is about another order")
        amount = record.get("amount")
        if amount is not None:
            units = quantity_units(terms.instrument, amount, "quantity")
            if units != terms.quantity:
                raise Unreadable("the answer is about another quantity")
        word = record.get("status")
        status = OrderStatus.ACCEPTED if word is None else _STATUS.get(str(word))
        if status not in (OrderStatus.ACCEPTED, OrderStatus.REJECTED):
            # Any other word comes with figures, which the exchange's own list tells better.
            status = OrderStatus.ACCEPTED
        self._remember(terms.symbol, venue_order_id, terms.client_order_id)
        return VenueOrder(
            client_order_id=terms.client_order_id,
            venue_order_id=venue_order_id,
            symbol=terms.symbol,
            side=terms.side,
            type=terms.type,
            quantity_units=terms.quantity,
            filled_units=0,
            limit_price_units=terms.limit_price,
            status=status,
            reason=_reason_of(record),
        )

    def is_of(self, client_order_id: str, record: Mapping[str, Any]) -> bool:
        """Whether a record is of that order, by our id or by the exchange's."""
        if self._ids.to_ours(str(record.get("clientOrderId") or "")) == client_order_id:
            return True
        known = self.venue_ids.get(client_order_id)
        return bool(known) and record.get("id") == known

    def _whose(self, symbol: str, venue_order_id: str, record: Mapping[str, Any]) -> str:
        """Our id of an order, from its record or from an earlier one; empty for a stranger's."""
        told = self._ids.to_ours(str(record.get("clientOrderId") or ""))
        if told:
            self._remember(symbol, venue_order_id, told)
        return told or self._ours.get((symbol, venue_order_id), "")

    def _remember(self, symbol: str, venue_order_id: str, client_order_id: str) -> None:
        self._ours[symbol, venue_order_id] = client_order_id
        self.venue_ids[client_order_id] = venue_order_id

    def of_stranger(self, symbol: str, record: Mapping[str, Any], why: str) -> VenueOrder | None:
        """An open order of a kind that cannot be read, with what is known of it: no quantity and no
        price. None where it may be ours, or where not even its side and id are told."""
        if self._ids.to_ours(str(record.get("clientOrderId") or "")):
            return None
        venue_order_id = str(record.get("id") or "")
        side = _SIDES.get(str(record.get("side")))
        if not venue_order_id or side is None or (symbol, venue_order_id) in self._ours:
            return None
        return VenueOrder(
            client_order_id="",
            venue_order_id=venue_order_id,
            symbol=symbol,
            side=side,
            type=OrderType.LIMIT,
            quantity_units=0,
            filled_units=0,
            limit_price_units=0,
            status=OrderStatus.ACCEPTED,
            reason=why,
        )

    def _filled_one(self, symbol: str, venue_order_id: str, record: Mapping[str, Any]) -> str:
        """Our id of the order that a fill is of, where it is known or told; empty otherwise."""
        told = str(info_of(record).get(self._profile.fill_client_id) or "")
        return self._ours.get((symbol, venue_order_id), "") or self._ids.to_ours(told)

    def _check_plain(self, symbol: str, record: Mapping[str, Any]) -> None:
        """Raise Unreadable for a row that undoes or mends a fill rather than being one."""
        info = info_of(record)
        for name, needed in self._profile.fill_holds.items():
            told = info.get(name)
            if told != needed:
                raise Unreadable(f"{symbol}: a fill whose {name} is {told!r} cannot be booked")

    def is_not_ours(self, record: Mapping[str, Any]) -> bool:
        """Whether a trade is of an order that only somebody else can have placed."""
        info = info_of(record)
        return any(info.get(name) == value for name, value in self._profile.not_ours.items())

    def fill(self, symbol: str, record: object) -> VenueFill:
        """One trade of ours. Raises Unreadable."""
        if not is_record(record):
            raise Unreadable(f"{symbol}: the answer holds no fill")
        instrument = self._instruments[symbol]
        venue_order_id = text_of(record, "order")
        self._check_plain(symbol, record)
        fee, currency, others = _fees(record, instrument, self._profile)
        return VenueFill(
            fill_id=text_of(record, "id"),
            client_order_id=self._filled_one(symbol, venue_order_id, record),
            venue_order_id=venue_order_id,
            symbol=symbol,
            side=_side_of(symbol, record),
            quantity_units=quantity_units(instrument, record.get("amount"), "quantity"),
            price_units=price_units(instrument, record.get("price"), "price"),
            fee=fee,
            fee_currency=currency,
            other_fees=others,
            is_maker=record.get("takerOrMaker") == "maker",
            ts_ns=time_ms(record) * 1_000_000,
        )


def info_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The exchange's own record of a row; an empty one where ccxt keeps none."""
    info = record.get("info")
    return info if is_record(info) else {}


def time_ms(record: Mapping[str, Any]) -> int:
    """A record's moment. Raises Unreadable."""
    timestamp = record.get("timestamp")
    if not isinstance(timestamp, int):
        raise Unreadable("the answer holds no time that can be read")
    return timestamp


def _fees(
    record: Mapping[str, Any], instrument: Instrument, profile: Profile
) -> tuple[Decimal, str, tuple[tuple[str, Decimal], ...]]:
    """A fill's fee and its currency, and what it cost in further currencies.

    ccxt gives `fees`, a list, and `fee`, which is the one of them or what it made of several; so
    the list comes first. A fill that names no fee has not told it: that is Unreadable, not 0.
    """
    info = info_of(record)
    for name in profile.fee_extras:
        if str(info.get(name) or "").strip() not in ("", "0", "[]", "{}"):
            raise Unreadable(f"{instrument.symbol}: the fill tells fees in {name}, unknown here")
    listed = record.get("fees")
    parts = [each for each in listed if is_record(each)] if isinstance(listed, list) else []
    parts = [each for each in parts if each.get("cost") is not None]
    if not parts:
        one = record.get("fee")
        parts = [one] if is_record(one) and one.get("cost") is not None else []
    if not parts:
        raise Unreadable(f"{instrument.symbol}: the fill does not say what it cost")
    told = str(info.get(profile.fee_currency) or "")
    costs: dict[str, Decimal] = {}
    for part in parts:
        currency = (told if len(parts) == 1 else "") or str(part.get("currency") or "")
        currency = _asset(currency, profile)
        cost = decimal_of(part.get("cost"), "the fee")
        if not currency and cost:
            raise Unreadable(f"{instrument.symbol}: the fill does not say in what its fee is")
        currency = currency or instrument.quote
        costs[currency] = costs.get(currency, Decimal(0)) + cost
    paid = [(currency, cost) for currency, cost in costs.items() if cost]
    if not paid:
        return Decimal(0), next(iter(costs)), ()
    # What can be booked stands first.
    paid.sort(key=lambda each: (each[0] not in (instrument.quote, instrument.base), each[0]))
    return paid[0][1], paid[0][0], tuple(paid[1:])


def balances(answer: object, profile: Profile) -> dict[str, Decimal]:
    """What is owned of each asset, zeros left out, under the names that markets use. Raises
    Unreadable."""
    total = answer.get("total") if is_record(answer) else None
    info = answer.get("info") if is_record(answer) else None
    # ccxt makes an empty account of an answer that holds none.
    if not is_record(total) or not (info or isinstance(info, list)):
        raise Unreadable("the answer holds no balances")
    amounts: dict[str, Decimal] = {}
    for told, text in total.items():
        asset = _asset(str(told), profile)
        amounts[asset] = amounts.get(asset, Decimal(0)) + decimal_of(text, f"the balance of {told}")
    return {asset: amount for asset, amount in sorted(amounts.items()) if amount}


def _asset(name: str, profile: Profile) -> str:
    """The name that markets use for an asset of the list of balances."""
    for ending in profile.asset_endings:
        name = name.removesuffix(ending)
    return profile.asset_names.get(name, name)


def _type_of(symbol: str, record: Mapping[str, Any]) -> OrderType:
    """The order's type; an exchange's own word where ccxt has unified stops away."""
    raw = str(info_of(record).get("type", "")).lower()
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
    word = str(info_of(record).get("status", ""))
    return word if word in ("EXPIRED_IN_MATCH", "REJECTED") else ""
