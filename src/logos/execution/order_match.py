"""How a venue's word about one order compares with ours: pure functions, no waiting."""

from __future__ import annotations

from collections.abc import Container, Sequence
from decimal import Decimal
from typing import Final

from logos.core.context import SymbolScales
from logos.core.fixed import decimals_of, parse_units
from logos.core.outbox import OrderTerms
from logos.core.types import OrderStatus, OrderType, ReportKind
from logos.venues.contract import VenueFill, VenueOrder

ENDS: Final = {
    OrderStatus.CANCELLED: ReportKind.CANCELLED,
    OrderStatus.EXPIRED: ReportKind.EXPIRED,
    OrderStatus.REJECTED: ReportKind.REJECTED,
}
"""The ends of an order that are reports of their own; a complete fill is reported as its fills."""


NO_SUCH_ORDER: Final = "has no such order"

_AT_A_PRICE: Final = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_WORDS_MAX: Final = 1_000


def plain(words: str) -> str:
    """Words of a venue as they can be written down: valid text, and not a whole web page."""
    return words[:_WORDS_MAX].encode("utf-8", "backslashreplace").decode()


def is_over(there: VenueOrder) -> bool:
    """Whether the venue says that the order has ended, in whatever way."""
    return there.status in ENDS or there.status is OrderStatus.FILLED


def is_same(order: OrderTerms, there: VenueOrder) -> bool:
    """Whether what the venue has under the order's id is that order."""
    return there.quantity_units == order.quantity and there.side is order.side


def mismatch(
    order: OrderTerms, there: VenueOrder | None, reported_units: int, is_accepted: bool
) -> str:
    """In what way the venue's word does not fit ours, said of the venue; empty when it does.

    `reported_units` is what the fills it listed add up to; `is_accepted` whether it had the order.
    """
    if there is None:
        if is_accepted:
            return "no longer knows an order it had taken"
        return NO_SUCH_ORDER
    if not is_same(order, there):
        what = f"{there.side.value} {there.quantity_units} units"
        return f"has another order under this id: {what}"
    if there.filled_units != reported_units:
        return f"says {there.filled_units} units are filled and lists fills of {reported_units}"
    if there.status is OrderStatus.FILLED and there.filled_units != order.quantity:
        return f"calls it filled with {there.filled_units} of {order.quantity} units"
    return ""


def other_price(order: OrderTerms, there: VenueOrder) -> str:
    """As `mismatch`, of an order that rests at a price that is not ours."""
    if there.type not in _AT_A_PRICE or there.limit_price_units == order.limit_price:
        return ""
    if order.type is OrderType.MARKET and is_over(there):
        return ""  # it rests nowhere: some venues take a market order at a price, not to rest
    text = order.instrument.price_text
    ours = f"at {text(order.limit_price)}" if order.limit_price else "at no price"
    return f"has it at {text(there.limit_price_units)}; it was ordered {ours}"


def is_unfilled(order: OrderTerms, there: VenueOrder) -> bool:
    """Whether a market order is open at the venue and nothing of it has filled."""
    return order.type is OrderType.MARKET and not is_over(there) and there.filled_units == 0


def listed_as(
    order: OrderTerms,
    orders: Sequence[VenueOrder],
    fills: Sequence[VenueFill],
    known_orders: Container[str],
    known_fills: Container[str],
) -> str:
    """As what a venue lists an order that it denies; empty when it does not.

    Names are compared, and what has none and looks like the order may be it, unless it belongs to
    an order of ours (`known_orders`, the venue's ids) or was booked (`known_fills`).
    """
    name = order.client_order_id
    if any(each.client_order_id == name for each in orders):
        return "it among the open orders"
    if any(each.client_order_id == name for each in fills):
        return "fills of it"
    for each in orders:
        looks_like_it = (
            is_same(order, each)
            and each.symbol == order.symbol
            and each.limit_price_units == order.limit_price
        )
        is_nobodys = not each.client_order_id and each.venue_order_id not in known_orders
        if looks_like_it and is_nobodys:
            return f"an open order without a name that looks like it ({each.venue_order_id})"
    for fill in fills:
        looks_like_it = (
            fill.symbol == order.symbol
            and fill.side is order.side
            and fill.quantity_units <= order.quantity
        )
        is_nobodys = not fill.client_order_id and fill.venue_order_id not in known_orders
        if looks_like_it and is_nobodys and fill.fill_id not in known_fills:
            return f"a fill without a name that looks like one of it ({fill.fill_id})"
    return ""


def is_fill_of(order: OrderTerms, there: VenueOrder, fill: VenueFill) -> bool:
    """Whether a fill is of this order: by its client id, or by the venue's where it has none."""
    if fill.symbol != order.symbol:
        return False
    if fill.client_order_id:
        return fill.client_order_id == order.client_order_id
    return bool(fill.venue_order_id) and fill.venue_order_id == there.venue_order_id


def fee_units(scales: SymbolScales, fill: VenueFill) -> int | None:
    """The fee in ledger units; None for one that is in no such units."""
    if fill.fee == Decimal(0):
        return 0
    if fill.fee_currency != scales.currency:
        return None
    if decimals_of(fill.fee) > scales.money_decimals:
        return None
    return parse_units(fill.fee, scales.money_decimals)


def base_fee_units(scales: SymbolScales, fill: VenueFill) -> int | None:
    """A fee in the asset that a spot market trades, in units of its wallet; None for any other."""
    instrument = scales.instrument
    if instrument.settlement != "spot" or fill.fee_currency != instrument.base:
        return None
    decimals = scales.base_decimals
    if fill.fee < 0 or decimals_of(fill.fee) > decimals:
        return None
    return parse_units(fill.fee, decimals)


def unbookable_fee(scales: SymbolScales, fill: VenueFill) -> str:
    """What is wrong with a fee that is neither of the two, and what to do about it."""
    if fill.other_fees:
        more = " and ".join(f"{amount:f} {currency}" for currency, amount in fill.other_fees)
        return (
            f"fill {fill.fill_id} cost {fill.fee:f} {fill.fee_currency} and {more}: a fee can be "
            "booked in one currency; let the venue charge one only"
        )
    instrument = scales.instrument
    quote, currency = scales.currency, fill.fee_currency
    cost = f"fill {fill.fill_id} cost {fill.fee:f} {currency}"
    if fill.fee < 0 and currency != quote:
        return f"{cost}: a rebate can be booked in {quote} only; use an account without rebates"
    if currency == quote or (instrument.settlement == "spot" and currency == instrument.base):
        return (
            f"{cost}: finer than the session counts {currency}; a new session can, with "
            f"instruments.{instrument.symbol}.fees.decimals = {decimals_of(fill.fee)}"
        )
    or_base = f", or in {instrument.base}" if instrument.settlement == "spot" else ""
    return (
        f"{cost}: only fees in {quote} can be booked{or_base}; let the venue charge those, and "
        f"switch off there that fees are paid in {currency}"
    )
