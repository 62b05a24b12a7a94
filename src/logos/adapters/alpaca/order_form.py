"""An order in the form that Alpaca takes, or the reason why it takes none like it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from logos.core.outbox import OrderTerms
from logos.core.types import OrderType, TimeInForce
from logos.venues.contract import Refused

_TYPES: Final = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop",
    OrderType.STOP_LIMIT: "stop_limit",
}


def order_body(
    terms: OrderTerms, assets: Mapping[str, str], venue_id: str, what: str
) -> dict[str, str]:
    """The order as Alpaca takes it, figures as exact text; `assets` are its names of the session's
    symbols. Raises Refused."""
    instrument = terms.instrument
    asset = assets.get(instrument.symbol)
    if asset is None:
        raise Refused(f"{what}: {instrument.symbol!r} is no symbol of this session")
    is_coin = "/" in asset
    if is_coin and terms.type is OrderType.STOP:
        words = "coins have no stop orders at Alpaca, only market, limit and stop-limit"
        raise Refused(f"{what}: {words}: order a STOP_LIMIT")
    if is_coin and terms.time_in_force in (TimeInForce.DAY, TimeInForce.FOK):
        raise Refused(f"{what}: coins have GTC and IOC orders only at Alpaca")
    is_fraction = bool(terms.quantity % instrument.quantity_scale)
    if is_fraction and not is_coin and terms.time_in_force is not TimeInForce.DAY:
        raise Refused(f"{what}: fractions of a share are traded by DAY orders only at Alpaca")
    body = {
        "symbol": asset,
        "qty": instrument.quantity_text(terms.quantity),
        "side": terms.side.value.lower(),
        "type": _TYPES[terms.type],
        "time_in_force": terms.time_in_force.value.lower(),
        "client_order_id": venue_id,
    }
    if terms.type in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        body["limit_price"] = instrument.price_text(terms.limit_price)
    if terms.type in (OrderType.STOP, OrderType.STOP_LIMIT):
        body["stop_price"] = instrument.price_text(terms.stop_price)
    return body
