"""MEXC spot, version 3 of its API.

Sources. D: https://www.mexc.com/api-docs/spot-v3 (a copy: https://github.com/rosssaunders/coincise,
docs/mexc/endpoints and docs/mexc/error_codes.md). C: samples and codes in ccxt 4.5.90, mexc.py. I:
https://github.com/ccxt/ccxt/issues/21614.

- A new order is answered without status and filled quantity.
- `myTrades` holds at most 100 rows, the newest first, and nothing older than a month.
- A market order to buy is told by its cost, `quoteOrderQty`.
- "Order does not exist." is code -2013 (I), and comes for a moment after an order was taken, too.
- What a second order with the same client id comes to is not documented.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from aiohttp import web

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.denials import Denied, Why
from logos.simulators.exchange.dialects.dialect import (
    Asked,
    Dialect,
    Told,
    decimals_of,
    newest_first,
    short,
)
from logos.simulators.exchange.dialects.parts import best_prices, bought_for, paid
from logos.simulators.exchange.faults import Fault

_PAGE: Final = 100
"""D account-trade-list: default 100, at most 100."""

_MONTH_MS: Final = 31 * 86_400_000
_CANCELLED: Final = (
    "symbol",
    "orderId",
    "price",
    "origQty",
    "executedQty",
    "cummulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
)
"""D cancel-order: what is answered besides the client ids."""

_FORCES: Final = {"IMMEDIATE_OR_CANCEL": "IOC", "FILL_OR_KILL": "FOK"}

_CODES: Final[Mapping[Why, tuple[int, str]]] = {
    Why.KEY: (10072, "Api key info invalid"),
    Why.SIGNATURE: (700002, "Signature for this request is not valid."),
    Why.TIME: (700003, "Timestamp for this request is outside of the recvWindow."),
    Why.RIGHTS: (700007, "No permission to access the endpoint"),
    Why.MARKET: (-1121, "Invalid symbol."),
    Why.CLOSED: (30016, "trading disabled"),
    Why.DUPLICATE: (603, "Repeated request"),
    Why.LOT: (400, "amount scale is invalid"),
    Why.TICK: (400, "price scale is invalid"),
    Why.VALUE: (30002, "The minimum transaction volume cannot be less than:5USDT"),
    Why.FUNDS: (30004, "Insufficient position"),
    Why.NO_ORDER: (-2013, "Order does not exist."),
    Why.NOT_OPEN: (-2011, "Unknown order sent."),
    Why.ARGUMENTS: (700008, "Illegal characters found in parameter"),
}
"""D error_codes, C exceptions, I; the words of 400 are ours."""


class Mexc(Dialect):
    """MEXC's private and public requests, as ccxt asks them."""

    exchange_id: ClassVar[str] = "mexc"
    requests: ClassVar[Mapping[str, str]] = {
        "create": "POST /api/v3/order",
        "cancel": "DELETE /api/v3/order",
        "find": "GET /api/v3/order",
        "open": "GET /api/v3/openOrders",
        "fills": "GET /api/v3/myTrades",
        "balances": "GET /api/v3/account",
    }

    @staticmethod
    def market_id(base: str, quote: str) -> str:
        return base + quote

    def routes(self) -> list[web.RouteDef]:
        public, private = self.public, self.private
        contracts = {"success": True, "code": 0, "data": []}
        return [
            web.get("/api/v3/time", public(lambda _: {"serverTime": self.account.now_ms})),
            web.get("/api/v3/exchangeInfo", public(self._exchange_info)),
            web.get("/api/v1/contract/detail", public(lambda _: contracts)),
            web.get("/api/v3/depth", public(self._depth)),
            web.post("/api/v3/order", private(self._place, trades=True)),
            web.get("/api/v3/order", private(self._show)),
            web.delete("/api/v3/order", private(self._cancel, trades=True)),
            web.delete("/api/v3/openOrders", private(self._cancel_all, trades=True)),
            web.get("/api/v3/openOrders", private(self._open_orders)),
            web.get("/api/v3/myTrades", private(self._my_trades)),
            web.get("/api/v3/account", private(self._account)),
        ]

    def verify(self, asked: Asked) -> None:
        """D general-info, signed: HMAC-SHA256 of the query before the signature."""
        if asked.headers.get("X-MEXC-APIKEY") != self.keys.key:
            raise Denied(why=Why.KEY)
        payload, _, signature = asked.query.rpartition("&signature=")
        right = hmac.new(self.keys.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, signature):
            raise Denied(why=Why.SIGNATURE)
        behind_ms = abs(int(asked.text("timestamp")) - self.account.now_ms)
        if behind_ms > int(asked.text("recvWindow", "5000")):
            raise Denied(why=Why.TIME)

    def refusal(self, denied: Denied, asked: Asked) -> Told:
        why = denied.why
        if why is Why.NO_ORDER and asked.method == "DELETE":
            why = Why.NOT_OPEN  # D error_codes -2011
        code, words = _CODES[why]
        return Told({"code": code, "msg": words, "_extend": None}, 400)

    def fault(self, fault: Fault) -> Told | None:
        if fault is Fault.RATE_LIMIT:  # D rate limits: 429 with Retry-After
            words = {"code": 429, "msg": "Too Many Requests"}
            return Told(words, 429, {"Retry-After": "1"})
        if fault is Fault.UNSURE:  # C exceptions
            return Told({"code": 504, "msg": "Gateway Time-out"}, 400)
        return None

    # ---- the market ----

    def _exchange_info(self, _asked: Asked) -> object:
        # D market-data-endpoints/exchange-information
        symbols = [
            {
                "symbol": each.market_id,
                "status": "1" if each.is_trading else "2",
                "baseAsset": each.base,
                "baseAssetPrecision": decimals_of(each.lot),
                "quoteAsset": each.quote,
                "quotePrecision": decimals_of(each.tick),
                "quoteAssetPrecision": decimals_of(each.tick),
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
        times = {"timezone": "CST", "serverTime": self.account.now_ms}
        return {**times, "rateLimits": [], "exchangeFilters": [], "symbols": symbols}

    def _depth(self, asked: Asked) -> object:
        # D market-data-endpoints/order-book
        listing = self.listing(asked.text("symbol"))
        bids, asks = best_prices(listing, self.account.market.now_ns)
        return {"lastUpdateId": 1, "bids": bids, "asks": asks, "timestamp": self.account.now_ms}

    # ---- orders ----

    def _place(self, asked: Asked) -> object:
        # D spot-account-trade/new-order
        listing = self.listing(asked.text("symbol"))
        kind, side = asked.text("type"), asked.text("side")
        is_market = kind == "MARKET"
        quantity = asked.text("quantity")
        if is_market and side == "BUY":
            cost = asked.text("quoteOrderQty")
            if not cost:
                raise Denied(why=Why.ARGUMENTS)
            quantity = bought_for(listing, cost, self.account.market.now_ns)
        order = self.place(
            listing,
            asked.text("newClientOrderId"),
            side,
            quantity,
            "" if is_market else asked.text("price"),
            force=_FORCES.get(kind, "GTC"),
        )
        return {
            "symbol": listing.market_id,
            "orderId": _id_of(order),
            "orderListId": -1,
            "price": short(order.limit),
            "origQty": short(order.quantity),
            "type": kind,
            "side": order.side,
            "stpMode": "",
            "transactTime": order.placed_ms,
        }

    def _asked_order(self, asked: Asked) -> PlacedOrder:
        number, name = asked.text("orderId"), asked.text("origClientOrderId")
        listing = self.listing(asked.text("symbol"))
        return self.order_of(listing, client_id=name, number=_number(number))

    def _show(self, asked: Asked) -> object:
        # D spot-account-trade/query-order
        return self._order_row(self._asked_order(asked))

    def _cancel(self, asked: Asked) -> object:
        order = self._asked_order(asked)
        self.cancel(order)
        row = self._order_row(order)
        names = {"origClientOrderId": order.client_id, "clientOrderId": f"cancel{order.order_id}"}
        return {name: row[name] for name in _CANCELLED} | names

    def _cancel_all(self, asked: Asked) -> object:
        # D spot-account-trade/cancel-all-open-orders-on-a-symbol
        ended = self.cancel_all(self.listing(asked.text("symbol")))
        return [self._order_row(each) for each in ended]

    def _open_orders(self, asked: Asked) -> object:
        # D spot-account-trade/current-open-orders
        listing = self.listing(asked.text("symbol")) if asked.text("symbol") else None
        rows = [self._order_row(each) for each in self.open_orders(listing)]
        return self.spoiled(asked, rows)

    def _order_row(self, order: PlacedOrder) -> dict[str, Any]:
        # D spot-account-trade/query-order; C, comment of fetch_order
        kinds = {force: kind for kind, force in _FORCES.items()}
        status = "CANCELED" if order.status == "EXPIRED" else order.status
        if status == "CANCELED" and order.filled:
            status = "PARTIALLY_CANCELED"
        is_market = order.kind == "MARKET"
        return {
            "symbol": order.listing.market_id,
            "orderId": _id_of(order),
            "orderListId": -1,
            "clientOrderId": order.client_id,
            "price": short(order.limit),
            "origQty": short(order.quantity),
            "executedQty": short(order.filled),
            "cummulativeQuoteQty": short(order.spent),
            "status": status,
            "timeInForce": None,
            "type": "MARKET" if is_market else kinds.get(order.time_in_force, "LIMIT"),
            "side": order.side,
            "stopPrice": None,
            "icebergQty": None,
            "time": order.placed_ms,
            "updateTime": order.ended_ms or order.placed_ms,
            "isWorking": True,
            "stpMode": "",
            "cancelReason": "",
            "origQuoteOrderQty": short(order.quantity * order.limit),
        }

    # ---- fills and holdings ----

    def _my_trades(self, asked: Asked) -> object:
        # D spot-account-trade/account-trade-list
        listing = self.listing(asked.text("symbol"))
        start_ms = max(int(asked.text("startTime", "0")), self.account.now_ms - _MONTH_MS)
        end_ms = int(asked.text("endTime", str(2**62)))
        found = [
            each
            for each in newest_first(self.account.executions)
            if each.order.listing is listing and start_ms <= each.time_ms <= end_ms
        ]
        limit = min(_PAGE, int(asked.text("limit", str(_PAGE))))
        return self.spoiled(asked, [self._trade_row(each) for each in found[:limit]])

    def _trade_row(self, each: Execution) -> dict[str, Any]:
        [(asset, fee)] = paid(each).items()
        return {
            "symbol": each.order.listing.market_id,
            "id": f"{each.trade_id:09d}X1",
            "orderId": _id_of(each.order),
            "orderListId": -1,
            "price": short(each.price),
            "qty": short(each.quantity),
            "quoteQty": short(each.price * each.quantity),
            "commission": short(fee),
            "commissionAsset": asset,
            "time": each.time_ms,
            "isBuyer": each.order.is_buy,
            "isMaker": each.is_maker,
            "isBestMatch": True,
            "isSelfTrade": False,
            "clientOrderId": each.order.client_id,
        }

    def _account(self, _asked: Asked) -> object:
        # D spot-account-trade/account-information
        balances = [
            {"asset": asset, "free": short(each.free), "locked": short(each.locked)}
            for asset, each in self.account.holdings.items()
        ]
        return {
            "canTrade": self.account.may_trade,
            "canWithdraw": False,
            "canDeposit": True,
            "updateTime": None,
            "accountType": "SPOT",
            "balances": balances,
            "permissions": ["SPOT"],
        }


def _id_of(order: PlacedOrder) -> str:
    """An order's id in MEXC's form (C parse_order)."""
    return f"C02__{order.order_id:018d}"


def _number(text: str) -> int:
    digits = text.removeprefix("C02__")
    return int(digits) if digits.isdecimal() else 0
