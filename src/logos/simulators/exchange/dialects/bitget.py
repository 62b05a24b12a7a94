"""Bitget's spot API, version 2, as it documents it and as ccxt asks it.

Documentation: https://www.bitget.com/api-doc/spot; codes:
https://www.bitget.com/legacy-docs/classic/contract/error-code/restapi; samples: ccxt 4.5.90,
bitget.py.

- Every answer is `code`, `msg`, `requestTime` and `data`; a refusal is a code other than 00000.
- A new order is answered with its ids.
- Lists hold at most 100 rows, the newest first; `idLessThan` goes on to older ones.
- In the list of open orders `priceAvg` is the order's price and `basePrice` that of its fills.
- A market order to buy tells its size in the quote coin.
- A client id counts for six hours, and only while its order is unfilled.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.dialects.ground import (
    Denied,
    Dialect,
    Refusal,
    decimals,
    newer_than,
    plain,
)
from logos.simulators.exchange.market import Listing

_PAGE: Final = 100
_DAYS_MS: Final = 90 * 86_400_000

_REFUSALS: Final = {
    "Duplicate order sent.": ("43118", "clientOrderId duplicate", 400),
    "Account has insufficient balance for requested action.": (
        "43012",
        "Insufficient balance",
        400,
    ),
    "Invalid symbol.": ("40034", "Parameter symbol does not exist", 400),
    "Market is closed.": ("43115", "The current trading pair is opening soon", 400),
    "Filter failure: LOT_SIZE": ("40020", "Parameter size error", 400),
    "Filter failure: PRICE_FILTER": ("40020", "Parameter price error", 400),
    "Filter failure: NOTIONAL": ("45110", "less than the minimum amount 5 USDT", 400),
}
_STATUS: Final = {
    "NEW": "live",
    "PARTIALLY_FILLED": "partially_filled",
    "FILLED": "filled",
    "CANCELED": "cancelled",
    "EXPIRED": "cancelled",
}


class BitgetDialect(Dialect):
    """See the module's words."""

    def routes(self) -> list[web.RouteDef]:
        public, private = self.public, self.private
        trade = "/api/v2/spot/trade"
        return [
            web.get("/api/v2/public/time", public(lambda _: {"serverTime": str(self.now_ms)})),
            web.get("/api/v2/spot/public/symbols", public(self._symbols)),
            web.get("/api/v2/margin/currencies", public(lambda _: [])),
            web.get("/api/v2/spot/market/orderbook", public(self._book)),
            web.post(f"{trade}/place-order", private(self._place)),
            web.post(f"{trade}/cancel-order", private(self._cancel)),
            web.get(f"{trade}/orderInfo", private(self._show)),
            web.get(f"{trade}/unfilled-orders", private(self._unfilled)),
            web.get(f"{trade}/fills", private(self._fills)),
            web.get("/api/v2/spot/account/assets", private(self._assets)),
        ]

    # ---- who asks ----

    def verify(self, request: web.Request, body: str) -> None:
        headers = request.headers
        if headers.get("ACCESS-KEY") != self.keys["apiKey"]:
            raise Refusal("40037", "Apikey does not exist", 400)
        if headers.get("ACCESS-PASSPHRASE") != self.keys["password"]:
            raise Refusal("40012", "apikey/password is incorrect", 400)
        at = headers.get("ACCESS-TIMESTAMP", "")
        query = f"?{request.query_string}" if request.query_string else ""
        text = at + request.method + request.path + query + body
        digest = hmac.new(self.keys["secret"].encode(), text.encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(
            base64.b64encode(digest).decode(), headers.get("ACCESS-SIGN", "")
        ):
            raise Refusal("40009", "sign signature error", 400)
        if abs(int(at) - self.now_ms) > 30_000:
            raise Refusal("40008", "Request timestamp expired", 400)

    def wrapped(self, answer: Any) -> Any:
        return {"code": "00000", "msg": "success", "requestTime": self.now_ms, "data": answer}

    def refused(self, refusal: Refusal) -> Any:
        words = {"code": refusal.code, "msg": refusal.words}
        return {**words, "requestTime": self.now_ms, "data": None}

    def denied(self, denial: Denied) -> Refusal:
        return Refusal(*_REFUSALS[denial.words])

    # ---- the market ----

    def _listing(self, symbol: str) -> Listing:
        for listing in self.account.market.listings.values():
            if f"{listing.base}{listing.quote}" == symbol:
                return listing
        raise Refusal("40034", "Parameter symbol does not exist", 400)

    def _symbols(self, _asked: dict[str, str]) -> list[dict[str, Any]]:
        return [
            {
                "symbol": f"{each.base}{each.quote}",
                "baseCoin": each.base,
                "quoteCoin": each.quote,
                "minTradeAmount": each.minimum_quantity,
                "maxTradeAmount": each.maximum_quantity,
                "takerFeeRate": "0.001",
                "makerFeeRate": "0.001",
                "pricePrecision": str(decimals(each.tick)),
                "quantityPrecision": str(decimals(each.lot)),
                "quotePrecision": "8",
                "status": "online" if each.is_trading else "halt",
                "minTradeUSDT": each.minimum_notional,
                "buyLimitPriceRatio": "0.05",
                "sellLimitPriceRatio": "0.05",
            }
            for each in self.account.market.listings.values()
        ]

    def _book(self, asked: dict[str, str]) -> dict[str, Any]:
        bids, asks = self.top(self._listing(asked["symbol"]))
        return {"asks": asks, "bids": bids, "ts": str(self.now_ms)}

    # ---- orders ----

    def _place(self, asked: dict[str, Any]) -> dict[str, Any]:
        is_market = asked["orderType"] == "market"
        if is_market and asked["side"] == "buy":
            raise Refusal("40020", "Parameter size error: a market buy tells its cost here", 400)
        order = self.account.take(
            {
                "symbol": self._listing(asked["symbol"]).market_id,
                "side": asked["side"].upper(),
                "type": "MARKET" if is_market else "LIMIT",
                "timeInForce": str(asked.get("force", "GTC")).upper(),
                "quantity": asked["size"],
                "price": asked.get("price", "0"),
                "newClientOrderId": asked["clientOid"],
            }
        )
        return {"orderId": str(order.order_id), "clientOid": order.client_id}

    def _found(self, asked: dict[str, Any]) -> PlacedOrder | None:
        if not asked.get("orderId") and not asked.get("clientOid"):
            raise Refusal("40019", "Parameter orderId or clientOid cannot be empty", 400)
        for order in reversed(self.account.orders):
            if asked.get("orderId") == str(order.order_id):
                return order
            if asked.get("clientOid") and asked["clientOid"] == order.client_id:
                return order
        return None

    def _show(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        """The order; an empty list where there is none."""
        order = self._found(asked)
        if order is None:
            return []
        left = self.troubles.not_found.get(order.client_id, 0)
        if left:
            self.troubles.not_found[order.client_id] = left - 1
            return []
        return [self._order_row(order)]

    def _cancel(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self._found(asked)
        if order is None:
            raise Refusal("43001", "The order does not exist", 400)
        self.before_cancel(order)
        if not order.is_open:
            raise Refusal("43001", "The order does not exist", 400)
        self.account.end(order, "CANCELED")
        return {"orderId": str(order.order_id), "clientOid": order.client_id}

    def _unfilled(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        listing = self._listing(asked["symbol"]) if "symbol" in asked else None
        found = [
            each
            for each in reversed(self.account.orders)
            if each.is_open and listing in (None, each.listing)
        ]
        found = newer_than(found, asked.get("idLessThan", ""), lambda each: str(each.order_id))
        return [self._open_row(each) for each in found[: _limit(asked)]]

    def _order_row(self, order: PlacedOrder) -> dict[str, Any]:
        average = order.spent / order.filled if order.filled else Decimal(0)
        return {
            "userId": "7264631750",
            "symbol": f"{order.listing.base}{order.listing.quote}",
            "orderId": str(order.order_id),
            "clientOid": order.client_id,
            "price": _long(order.limit),
            "size": _long(order.quantity),
            "orderType": order.kind.lower(),
            "side": order.side.lower(),
            "status": _STATUS[order.status],
            "priceAvg": _long(average),
            "baseVolume": _long(order.filled),
            "quoteVolume": _long(order.spent),
            "enterPointSource": "API",
            "feeDetail": self._fee_detail(order),
            "orderSource": "market" if order.kind == "MARKET" else "normal",
            "cancelReason": "normal_cancel" if order.status == "CANCELED" else "",
            "cTime": str(order.placed_ms),
            "uTime": str(order.placed_ms),
        }

    def _open_row(self, order: PlacedOrder) -> dict[str, Any]:
        row = self._order_row(order)
        average = row.pop("priceAvg")
        price = row.pop("price")
        return row | {
            "priceAvg": price,
            "basePrice": average if order.filled else "0",
            "tpslType": "normal",
            "triggerPrice": None,
        }

    def _fee_detail(self, order: PlacedOrder) -> str:
        """What an order has cost so far, as JSON within JSON; empty without fills."""
        fills = [each for each in self.account.executions if each.order is order]
        if not fills:
            return ""
        total = -float(sum(each.fee for each in fills))
        coin = fills[0].fee_asset
        own = {"deduction": False, "feeCoinCode": coin, "totalDeductionFee": 0, "totalFee": total}
        new = {"c": 0, "d": 0, "deduction": False, "r": total, "t": total, "totalDeductionFee": 0}
        return json.dumps({"newFees": new, coin: own}, separators=(",", ":"))

    # ---- fills and holdings ----

    def _fills(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        listing = self._listing(asked["symbol"]) if "symbol" in asked else None
        end_ms = int(asked.get("endTime", self.now_ms))
        start_ms = int(asked.get("startTime", end_ms - _DAYS_MS))
        if end_ms - start_ms > _DAYS_MS:
            words = "startTime and endTime interval cannot be greater than 90 days"
            raise Refusal("00001", words, 400)
        found = [
            each
            for each in reversed(self.account.executions)
            if listing in (None, each.order.listing) and start_ms <= each.time_ms <= end_ms
        ]
        found = newer_than(found, asked.get("idLessThan", ""), _trade_id)
        return [self._fill_row(each) for each in found[: _limit(asked)]]

    def _fill_row(self, each: Execution) -> dict[str, Any]:
        [(coin, fee)] = self.fees(each).items()
        order = each.order
        return {
            "userId": "7264631750",
            "symbol": f"{order.listing.base}{order.listing.quote}",
            "orderId": str(order.order_id),
            "tradeId": _trade_id(each),
            "orderType": order.kind.lower(),
            "side": order.side.lower(),
            "priceAvg": plain(each.price),
            "size": plain(each.quantity),
            "amount": plain(each.price * each.quantity),
            "feeDetail": {
                "deduction": "yes" if coin == "BGB" else "no",
                "feeCoin": coin,
                "totalDeductionFee": plain(-fee) if coin == "BGB" else "",
                "totalFee": plain(-fee),
            },
            "tradeScope": "maker" if each.is_maker else "taker",
            "cTime": str(each.time_ms),
            "uTime": str(each.time_ms),
        }

    def _assets(self, _asked: dict[str, str]) -> list[dict[str, Any]]:
        return [
            {
                "coin": asset,
                "available": plain(each.free),
                "limitAvailable": "0",
                "frozen": plain(each.locked),
                "locked": "0",
                "uTime": str(self.now_ms),
            }
            for asset, each in self.account.holdings.items()
        ]


def _trade_id(each: Execution) -> str:
    return str(1_098_394_344_000_000_000 + each.trade_id)


def _limit(asked: dict[str, str]) -> int:
    return min(_PAGE, int(asked.get("limit", _PAGE)))


def _long(number: Decimal) -> str:
    """A figure in Bitget's sixteen decimals."""
    return f"{number:.16f}"
