"""An order as ccxt takes it, or the refusal of one that would not arrive as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from typing import Any

import ccxt.async_support as ccxt

from logos.adapters.ccxt.profiles.profile import QUANTITY, Profile
from logos.core.outbox import OrderTerms
from logos.core.types import OrderType, Side, TimeInForce
from logos.venues.contract import NotSent, Refused
from logos.venues.records import is_record

_AT_A_LIMIT = (OrderType.LIMIT, OrderType.STOP_LIMIT)


_BEYOND = Decimal("0.02")
"""How far beyond the best price a market order may fill where it goes out as a limit order."""


def is_priced(profile: Profile, terms: OrderTerms) -> bool:
    """Whether an order is a market order that goes out as a limit order, at a price."""
    return terms.type is OrderType.MARKET and terms.side in profile.priced


def price_beyond(exchange: Any, side: Side, market: str, book: Any, what: str) -> str:
    """The price of such an order, from the exchange's order book. Raises NotSent without one."""
    levels = book.get("asks" if side is Side.BUY else "bids") if is_record(book) else None
    if not levels:
        raise NotSent(f"{what}: the exchange shows no price to trade at")
    best = Decimal(str(levels[0][0]))
    with localcontext():
        asked = best * (1 + _BEYOND if side is Side.BUY else 1 - _BEYOND)
        text = str(exchange.price_to_precision(market, f"{asked:f}"))
    is_short = Decimal(text) < best if side is Side.BUY else Decimal(text) > best
    return f"{best:f}" if is_short or not Decimal(text) else text


def order_arguments(
    exchange: Any,
    profile: Profile,
    terms: OrderTerms,
    venue_id: str,
    market: str,
    what: str,
    beyond: str | None = None,
) -> tuple[Any, ...]:
    """What `create_order` of ccxt's `exchange` gets; `beyond` is the price of a market order that
    goes out as a limit order. Raises Refused."""
    has_limit = terms.type in _AT_A_LIMIT
    _check_kind(profile, terms, has_limit, what)
    instrument = terms.instrument
    amount = instrument.quantity_text(terms.quantity)
    _check_exact(what, "quantity", amount, exchange.amount_to_precision, market)
    parameters = {profile.create_parameter: venue_id}
    if not has_limit and terms.side is Side.BUY:
        parameters.update(_filled_in(profile.market_buy_parameters, amount))
    limit = beyond
    if beyond is not None:
        parameters["timeInForce"] = TimeInForce.IOC.value
    if has_limit:
        limit = instrument.price_text(terms.limit_price)
        _check_exact(what, "price", limit, exchange.price_to_precision, market)
        parameters["timeInForce"] = terms.time_in_force.value
    if terms.type in (OrderType.STOP, OrderType.STOP_LIMIT):
        stop = instrument.price_text(terms.stop_price)
        _check_exact(what, "stop price", stop, exchange.price_to_precision, market)
        parameters["stopLossPrice"] = stop
    kind = "market" if limit is None else "limit"
    return market, kind, terms.side.value.lower(), amount, limit, parameters


def _filled_in(parameters: Any, amount: str) -> Any:
    """Parameters of a profile with the order's quantity where they want it."""
    if isinstance(parameters, Mapping):
        return {name: _filled_in(each, amount) for name, each in parameters.items()}
    return amount if parameters == QUANTITY else parameters


def _check_kind(profile: Profile, terms: OrderTerms, has_limit: bool, what: str) -> None:
    """Refuse a kind of order that the exchange has not, or that has not been proved there."""
    where = profile.exchange_id
    if terms.type not in profile.order_types:
        raise Refused(f"{what}: no {terms.type.value} orders at {where}")
    if terms.time_in_force not in profile.times_in_force:
        raise Refused(f"{what}: no {terms.time_in_force.value} orders at {where}")
    if terms.time_in_force is TimeInForce.FOK and not has_limit:
        raise Refused(f"{what}: a market order cannot be fill-or-kill; use IOC")


def _check_exact(
    what: str, name: str, text: str, to_precision: Callable[..., Any], market: str
) -> None:
    """Refuse a number that ccxt would round on its way."""
    with localcontext():
        try:
            sent: object = to_precision(market, text)
        except ccxt.BaseError:
            sent = None
    if not isinstance(sent, str) or Decimal(sent) != Decimal(text):
        raise Refused(f"{what}: {name} {text} is no multiple of the exchange's step")
