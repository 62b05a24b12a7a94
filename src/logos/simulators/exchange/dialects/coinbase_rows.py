"""The rows that Coinbase's Advanced Trade API answers with; see `coinbase`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from logos.simulators.exchange.account import Execution, Holding, PlacedOrder
from logos.simulators.exchange.dialects.dialect import short
from logos.simulators.exchange.market import Listing

STATUSES: Final = {
    "NEW": "OPEN",
    "PARTIALLY_FILLED": "OPEN",
    "FILLED": "FILLED",
    "CANCELED": "CANCELLED",
    "EXPIRED": "CANCELLED",
}
"""orders/get-order `status`. An IOC order whose rest is left is CANCELLED."""

_TIMES: Final = {
    "GTC": "GOOD_UNTIL_CANCELLED",
    "IOC": "IMMEDIATE_OR_CANCEL",
    "FOK": "FILL_OR_KILL",
}
CONFIGURATIONS: Final = {
    "limit_limit_gtc": "GTC",
    "sor_limit_ioc": "IOC",
    "limit_limit_fok": "FOK",
}


def order_id(order: PlacedOrder) -> str:
    return str(UUID(int=0x9BC1EB3B_5B46_4B71_9628_000000000000 | order.order_id))


def product_row(listing: Listing) -> dict[str, Any]:
    """public/list-public-products."""
    return {
        "product_id": listing.market_id,
        "price": "99995",
        "price_percentage_change_24h": "0",
        "volume_24h": "0",
        "volume_percentage_change_24h": "0",
        "base_increment": listing.lot,
        "quote_increment": "0.01",
        "quote_min_size": listing.minimum_notional,
        "quote_max_size": "150000000",
        "base_min_size": listing.minimum_quantity,
        "base_max_size": listing.maximum_quantity,
        "base_name": listing.base,
        "quote_name": listing.quote,
        "watched": False,
        "is_disabled": False,
        "new": False,
        "status": "online",
        "cancel_only": False,
        "limit_only": False,
        "post_only": False,
        "trading_disabled": not listing.is_trading,
        "auction_mode": False,
        "product_type": "SPOT",
        "quote_currency_id": listing.quote,
        "base_currency_id": listing.base,
        "fcm_trading_session_details": None,
        "mid_market_price": "",
        "alias": "",
        "alias_to": [],
        "base_display_symbol": listing.base,
        "quote_display_symbol": listing.quote,
        "view_only": False,
        "price_increment": listing.tick,
        "display_name": listing.market_id,
        "product_venue": "CBE",
    }


def order_row(order: PlacedOrder, executions: Sequence[Execution]) -> dict[str, Any]:
    """orders/get-order and orders/list-orders."""
    fees = sum((each.fee for each in executions), Decimal(0))
    is_market = order.kind == "MARKET"
    share = order.filled / order.quantity * 100
    return {
        "order_id": order_id(order),
        "product_id": order.listing.market_id,
        "user_id": "11111111-1111-1111-1111-111111111111",
        "order_configuration": configuration(order),
        "side": order.side,
        "client_order_id": order.client_id,
        "status": STATUSES[order.status],
        "time_in_force": _TIMES["IOC" if is_market else order.time_in_force],
        "created_time": time_text(order.placed_ms),
        "completion_percentage": f"{share:.2f}",
        "filled_size": short(order.filled),
        "average_filled_price": short(order.spent / order.filled) if order.filled else "0",
        "fee": "",
        "number_of_fills": str(len(executions)),
        "filled_value": short(order.spent),
        "pending_cancel": False,
        "size_in_quote": False,
        "total_fees": short(fees),
        "size_inclusive_of_fees": False,
        "total_value_after_fees": short(order.spent + fees),
        "trigger_status": "INVALID_ORDER_TYPE",
        "order_type": "MARKET" if is_market else "LIMIT",
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": not order.is_open,
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": "",
        "order_placement_source": "RETAIL_ADVANCED",
        "outstanding_hold_amount": "0",
        "is_liquidation": False,
        "last_fill_time": time_text(executions[-1].time_ms) if executions else None,
        "edit_history": [],
        "leverage": "",
        "margin_type": "UNKNOWN_MARGIN_TYPE",
    }


def fill_row(each: Execution) -> dict[str, Any]:
    """orders/list-fills: `commission` is in the quote currency."""
    return {
        "entry_id": f"{each.trade_id:064x}",
        "trade_id": str(UUID(int=0xCDC39E45_BBD3_44EC_BF02_000000000000 | each.trade_id)),
        "order_id": order_id(each.order),
        "trade_time": time_text(each.time_ms),
        "trade_type": "FILL",
        "price": short(each.price),
        "size": short(each.quantity),
        "commission": short(each.fee),
        "product_id": each.order.listing.market_id,
        "sequence_timestamp": time_text(each.time_ms),
        "liquidity_indicator": "MAKER" if each.is_maker else "TAKER",
        "size_in_quote": False,
        "user_id": "11111111-1111-1111-1111-111111111111",
        "side": each.order.side,
        "retail_portfolio_id": "11111111-1111-1111-1111-111111111111",
    }


def account_row(asset: str, holding: Holding) -> dict[str, Any]:
    """accounts/list-accounts."""
    is_fiat = asset in ("USD", "EUR", "GBP")
    return {
        "uuid": f"11111111-1111-1111-1111-{int.from_bytes(asset.encode()[:6]):012x}",
        "name": f"{asset} Wallet",
        "currency": asset,
        "available_balance": {"value": short(holding.free), "currency": asset},
        "default": True,
        "active": True,
        "created_at": "2023-01-04T06:20:06.456Z",
        "updated_at": "2023-01-04T06:20:07.181Z",
        "deleted_at": None,
        "type": "ACCOUNT_TYPE_FIAT" if is_fiat else "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "hold": {"value": short(holding.locked), "currency": asset},
    }


def configuration(order: PlacedOrder) -> dict[str, Any]:
    size = short(order.quantity)
    if order.kind == "MARKET":
        return {"market_market_ioc": {"base_size": size}}
    name = next(key for key, time in CONFIGURATIONS.items() if time == order.time_in_force)
    told: dict[str, Any] = {"base_size": size, "limit_price": short(order.limit)}
    return {name: told | {"post_only": False} if name.endswith("gtc") else told}


def time_text(moment_ms: int) -> str:
    moment = datetime.fromtimestamp(moment_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment_ms % 1000:03d}Z"
