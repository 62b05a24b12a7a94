"""MEXC's spot API, version 3, as it documents it and as ccxt asks it.

Documentation: https://www.mexc.com/api-docs/spot-v3 (a copy: https://github.com/rosssaunders/coincise,
folder docs/mexc/endpoints); samples and codes: ccxt 4.5.90, mexc.py.

- A new order is answered without status and filled quantity.
- `myTrades` holds at most 100 rows, the newest first, and nothing older than a month.
- A market order to buy is told by its cost (`quoteOrderQty`).
- -2013 "Order does not exist." (https://github.com/ccxt/ccxt/issues/21614).
- What a second order with the same client id comes to is not documented: here it is refused with
  code 603, "Repeated request", which is in ccxt's table.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final
from urllib.parse import parse_qsl

from aiohttp import web

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.dialects.ground import Denied, Dialect, Refusal, decimals, plain
from logos.simulators.exchange.market import Listing

_PAGE: Final = 100
_MONTH_MS: Final = 31 * 86_400_000

_REFUSALS: Final = {
    "Duplicate order sent.": ("603", "Repeated request", 400),
    "Account has insufficient balance for requested action.": (
        "30004",
        "Insufficient position",
        400,
    ),
    "Invalid symbol.": ("-1121", "Invalid symbol.", 400),
    "Market is closed.": ("30016", "trading disabled", 400),
    "Filter failure: LOT_SIZE": ("400", "amount scale is invalid", 400),
    "Filter failure: PRICE_FILTER": ("400", "price scale is invalid", 400),
    "Filter failure: NOTIONAL": (
        "30002",
        "The minimum transaction volume cannot be less than:5USDT",
        400,
    ),
}
_STATUS: Final = {"EXPIRED": "CANCELED"}


class MexcDialect(Dialect):
    """See the module's words."""

    def routes(self) -> list[web.RouteDef]:
        public, private = self.public, self.private
        empty = {"success": True, "code": 0, "data": []}
        return [
            web.get("/api/v3/time", public(lambda _: {"serverTime": self.now_ms})),
            web.get("/api/v3/exchangeInfo", public(self._exchange_info)),
            web.get("/api/v1/contract/detail", public(lambda _: empty)),
            web.get("/api/v3/depth", public(self._depth)),
            web.post("/api/v3/order", private(self._place)),
            web.get("/api/v3/order", private(self._show)),
            web.delete("/api/v3/order", private(self._cancel)),
            web.delete("/api/v3/openOrders", private(self._cancel_all)),
            web.get("/api/v3/openOrders", private(self._open_orders)),
            web.get("/api/v3/myTrades", private(self._my_trades)),
            web.get("/api/v3/account", private(self._account)),
        ]

    # ---- who asks ----

    def verify(self, request: web.Request, _body: str) -> None:
        if request.headers.get("X-MEXC-APIKEY") != self.keys["apiKey"]:
            raise Refusal("10072", "Api key info invalid", 400)
        text = request.query_string
        payload, _, signature = text.rpartition("&signature=")
        right = hmac.new(self.keys["secret"].encode(), payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, signature):
            raise Refusal("700002", "Signature for this request is not valid.", 400)
        asked = dict(parse_qsl(payload, keep_blank_values=True))
        if abs(int(asked["timestamp"]) - self.now_ms) > int(asked.get("recvWindow", 5000)):
            words = "Timestamp for this request is outside of the recvWindow."
            raise Refusal("700003", words, 400)

    def refused(self, refusal: Refusal) -> Any:
        return {"code": int(refusal.code), "msg": refusal.words, "_extend": None}

    def denied(self, denial: Denied) -> Refusal:
        return Refusal(*_REFUSALS[denial.words])

    # ---- the market ----

    def _listing(self, symbol: str) -> Listing:
        for listing in self.account.market.listings.values():
            if f"{listing.base}{listing.quote}" == symbol:
                return listing
        raise Refusal("-1121", "Invalid symbol.", 400)

    def _exchange_info(self, _asked: dict[str, str]) -> dict[str, Any]:
        symbols = [
            {
                "symbol": f"{each.base}{each.quote}",
                "status": "1" if each.is_trading else "2",
                "baseAsset": each.base,
                "baseAssetPrecision": decimals(each.lot),
                "quoteAsset": each.quote,
                "quotePrecision": decimals(each.tick),
                "quoteAssetPrecision": decimals(each.tick),
                "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
                "isSpotTradingAllowed": each.is_trading,
                "isMarginTradingAllowed": False,
                "permissions": ["SPOT"],
                "filters": [],
                "baseSizePrecision": each.minimum_quantity,
                "maxQuoteAmount": "5000000",
                "makerCommission": "0",
                "takerCommission": "0.0005",
                "quoteAmountPrecision": each.minimum_notional,
            }
            for each in self.account.market.listings.values()
        ]
        return {
            "timezone": "CST",
            "serverTime": self.now_ms,
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": symbols,
        }

    def _depth(self, asked: dict[str, str]) -> dict[str, Any]:
        bids, asks = self.top(self._listing(asked["symbol"]))
        return {"lastUpdateId": 1, "bids": bids, "asks": asks, "timestamp": self.now_ms}

    # ---- orders ----

    def _place(self, asked: dict[str, str]) -> dict[str, Any]:
        kind = asked["type"]
        is_market = kind == "MARKET"
        if is_market and asked["side"] == "BUY":
            raise Refusal("700004", "Param 'quoteOrderQty' must be sent", 400)
        force = {"IMMEDIATE_OR_CANCEL": "IOC", "FILL_OR_KILL": "FOK"}.get(kind, "GTC")
        order = self.account.take(
            {
                "symbol": self._listing(asked["symbol"]).market_id,
                "side": asked["side"],
                "type": "MARKET" if is_market else "LIMIT",
                "timeInForce": force,
                "quantity": asked["quantity"],
                "price": asked.get("price", "0"),
                "newClientOrderId": asked["newClientOrderId"],
            }
        )
        return {
            "symbol": asked["symbol"],
            "orderId": _id_of(order),
            "orderListId": -1,
            "price": plain(order.limit),
            "origQty": plain(order.quantity),
            "type": kind,
            "side": order.side,
            "stpMode": "",
            "transactTime": order.placed_ms,
        }

    def _asked_order(self, asked: dict[str, str], code: str, words: str) -> PlacedOrder:
        if not asked.get("orderId") and not asked.get("origClientOrderId"):
            text = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null"
            raise Refusal("700004", text, 400)
        listing = self._listing(asked["symbol"])
        for order in reversed(self.account.orders):
            same = asked.get("orderId") == _id_of(order)
            same = same or asked.get("origClientOrderId") == order.client_id
            if order.listing is listing and same:
                return order
        raise Refusal(code, words, 400)

    def _show(self, asked: dict[str, str]) -> dict[str, Any]:
        order = self._asked_order(asked, "-2013", "Order does not exist.")
        self.check_visible(order, Refusal("-2013", "Order does not exist.", 400))
        return self._order_row(order)

    def _cancel(self, asked: dict[str, str]) -> dict[str, Any]:
        order = self._asked_order(asked, "-2011", "Unknown order sent.")
        self.before_cancel(order)
        if not order.is_open:
            raise Refusal("-2011", "Unknown order sent.", 400)
        self.account.end(order, "CANCELED")
        return self._order_row(order) | {
            "origClientOrderId": order.client_id,
            "clientOrderId": f"cancel{order.order_id}",
        }

    def _cancel_all(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        listing = self._listing(asked["symbol"])
        ended = [each for each in self.account.orders if each.is_open and each.listing is listing]
        for order in ended:
            self.account.end(order, "CANCELED")
            self.cancelled_with_all.append(order.client_id)
        return [self._order_row(each) for each in ended]

    def _open_orders(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        listing = self._listing(asked["symbol"]) if "symbol" in asked else None
        return [
            self._order_row(each)
            for each in reversed(self.account.orders)
            if each.is_open and listing in (None, each.listing)
        ]

    def _order_row(self, order: PlacedOrder) -> dict[str, Any]:
        kind = {"IOC": "IMMEDIATE_OR_CANCEL", "FOK": "FILL_OR_KILL"}.get(order.time_in_force)
        status = _STATUS.get(order.status, order.status)
        if status == "CANCELED" and order.filled:
            status = "PARTIALLY_CANCELED"
        return {
            "symbol": f"{order.listing.base}{order.listing.quote}",
            "orderId": _id_of(order),
            "orderListId": -1,
            "clientOrderId": order.client_id,
            "price": plain(order.limit),
            "origQty": plain(order.quantity),
            "executedQty": plain(order.filled),
            "cummulativeQuoteQty": plain(order.spent),
            "status": status,
            "timeInForce": None,
            "type": "MARKET" if order.kind == "MARKET" else kind or "LIMIT",
            "side": order.side,
            "stopPrice": None,
            "icebergQty": None,
            "time": order.placed_ms,
            "updateTime": order.placed_ms,
            "isWorking": True,
            "stpMode": "",
            "cancelReason": "",
            "origQuoteOrderQty": plain(order.quantity * order.limit),
        }

    # ---- fills and holdings ----

    def _my_trades(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        listing = self._listing(asked["symbol"])
        start_ms = max(int(asked.get("startTime", 0)), self.now_ms - _MONTH_MS)
        end_ms = int(asked.get("endTime", 2**62))
        found = [
            each
            for each in reversed(self.account.executions)
            if each.order.listing is listing and start_ms <= each.time_ms <= end_ms
        ]
        limit = min(_PAGE, int(asked.get("limit", _PAGE)))
        return [self._trade_row(each) for each in found[:limit]]

    def _trade_row(self, each: Execution) -> dict[str, Any]:
        [(asset, fee)] = self.fees(each).items()
        return {
            "symbol": f"{each.order.listing.base}{each.order.listing.quote}",
            "id": f"{each.trade_id}X",
            "orderId": _id_of(each.order),
            "orderListId": -1,
            "price": plain(each.price),
            "qty": plain(each.quantity),
            "quoteQty": plain(each.price * each.quantity),
            "commission": plain(fee),
            "commissionAsset": asset,
            "time": each.time_ms,
            "isBuyer": each.order.is_buy,
            "isMaker": each.is_maker,
            "isBestMatch": True,
            "isSelfTrade": False,
            "clientOrderId": each.order.client_id,
        }

    def _account(self, _asked: dict[str, str]) -> dict[str, Any]:
        return {
            "canTrade": self.account.may_trade,
            "canWithdraw": False,
            "canDeposit": True,
            "updateTime": None,
            "accountType": "SPOT",
            "balances": [
                {"asset": asset, "free": plain(each.free), "locked": plain(each.locked)}
                for asset, each in self.account.holdings.items()
            ],
            "permissions": ["SPOT"],
        }


def _id_of(order: PlacedOrder) -> str:
    return f"C02__{order.order_id:018d}"
