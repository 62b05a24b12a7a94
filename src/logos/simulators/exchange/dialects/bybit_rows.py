"""Records of Bybit's answers: orders, fills, markets, under Bybit's own ids.

D is https://github.com/bybit-exchange/docs, docs/v5, by page.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.dialects.dialect import short
from logos.simulators.exchange.dialects.parts import paid
from logos.simulators.exchange.market import Listing

_STATUSES: Final = {
    # D enum, orderStatus
    "NEW": "New",
    "PARTIALLY_FILLED": "PartiallyFilled",
    "FILLED": "Filled",
    "CANCELED": "Cancelled",
    "EXPIRED": "Cancelled",
}


def order_row(order: PlacedOrder, executions: Sequence[Execution]) -> dict[str, Any]:
    """An order. D order/open-order."""
    is_market = not order.limit
    fees = [each for each in executions if each.order is order]
    detail: dict[str, Decimal] = {}
    for each in fees:
        for asset, fee in paid(each).items():
            detail[asset] = detail.get(asset, Decimal(0)) + fee
    left = order.remaining if order.is_open else Decimal(0)
    return {
        "orderId": order_id(order),
        "orderLinkId": order.client_id,
        "blockTradeId": "",
        "symbol": order.listing.market_id,
        "price": "0" if is_market else short(order.limit),
        "qty": short(order.quantity),
        "side": order.side.capitalize(),
        "isLeverage": "0",
        "positionIdx": 0,
        "orderStatus": _STATUSES[order.status],
        "cancelType": "UNKNOWN",
        "rejectReason": "EC_NoError",
        "avgPrice": short(order.spent / order.filled) if order.filled else "",
        "leavesQty": short(left),
        "leavesValue": short(left * order.limit),
        "cumExecQty": short(order.filled),
        "cumExecValue": short(order.spent),
        "cumExecFee": short(sum((each.fee for each in fees), Decimal(0))),
        "cumFeeDetail": {asset: short(fee) for asset, fee in detail.items()},
        "timeInForce": "IOC" if is_market else order.time_in_force,
        "orderType": "Market" if is_market else "Limit",
        "stopOrderType": "",
        "orderIv": "",
        "marketUnit": "baseCoin" if is_market else "",
        "triggerPrice": "0",
        "takeProfit": "0",
        "stopLoss": "0",
        "reduceOnly": False,
        "createdTime": str(order.placed_ms),
        "updatedTime": str(order.ended_ms or order.placed_ms),
    }


def order_id(order: PlacedOrder) -> str:
    """Bybit's id of an order."""
    return str(1_321_003_749_386_000_000 + order.order_id)


def number_of(text: str) -> int:
    """The number of the order that has this id; 0 for none."""
    return max(0, int(text) - 1_321_003_749_386_000_000) if text.isdecimal() else 0


def execution_row(each: Execution) -> dict[str, Any]:
    """A fill. D order/execution."""
    return {
        "symbol": each.order.listing.market_id,
        "orderId": order_id(each.order),
        "orderLinkId": each.order.client_id,
        "side": each.order.side.capitalize(),
        "orderPrice": short(each.order.limit),
        "orderQty": short(each.order.quantity),
        "leavesQty": short(each.order.remaining),
        "orderType": "Limit" if each.order.limit else "Market",
        "stopOrderType": "",
        "execFee": short(each.fee),
        "execId": str(2_100_000_000_000_000_000 + each.trade_id),
        "execPrice": short(each.price),
        "execQty": short(each.quantity),
        "execType": "Trade",
        "execValue": short(each.price * each.quantity),
        "execTime": str(each.time_ms),
        "feeCurrency": each.fee_asset,
        "isMaker": each.is_maker,
        "feeRate": "0.001",
        "blockTradeId": "",
        "markPrice": "",
        "indexPrice": "",
        "underlyingPrice": "",
        "closedSize": "",
        "extraFees": _extra(each),
        "seq": each.trade_id,
    }


def _extra(each: Execution) -> str:
    # D order/execution, extraFees: empty for most; a list of fees at the sites that take several
    parts = [f'{{"feeCoin":"{asset}","fee":"{short(fee)}"}}' for asset, fee in each.more_fees]
    return f"[{','.join(parts)}]" if parts else ""


def instrument_row(listing: Listing) -> dict[str, Any]:
    """A market. D market/instrument."""
    return {
        "symbol": listing.market_id,
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "innovation": "0",
        "status": "Trading" if listing.is_trading else "PreLaunch",
        "marginTrading": "none",
        "lotSizeFilter": {
            "basePrecision": listing.lot,
            "quotePrecision": "0.0000001",
            "minOrderQty": listing.minimum_quantity,
            "maxOrderQty": listing.maximum_quantity,
            "minOrderAmt": listing.minimum_notional,
            "maxOrderAmt": "8000000",
        },
        "priceFilter": {"tickSize": listing.tick},
    }
