"""KuCoin's classic spot account ("hf" addresses): how it is asked, and how it answers.

Sources: D is https://www.kucoin.com/docs-new/rest/spot-trading/, by page; its answers are also
recorded in the exchange's own SDK (Kucoin/kucoin-universal-sdk); C is ccxt 4.5.90, kucoin.py.
What is peculiar:

- a new order is answered with ids alone, and a no is HTTP 200 with a `code` that is not 200000;
- the open orders of a symbol come in one list; fills newest first, 100 at most, a week at most,
  and go on after `lastId`;
- a fee is in the quote currency for purchases too, or in KCS where the account pays with it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from aiohttp import web

from logos.simulators.exchange.account import Execution, Holding, PlacedOrder
from logos.simulators.exchange.denials import Denied, Why
from logos.simulators.exchange.dialects.dialect import (
    Asked,
    Dialect,
    Told,
    newest_first,
    short,
)
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.limits import KUCOIN, Limit, Met
from logos.simulators.exchange.market import Listing

_WEEK_MS: Final = 7 * 86_400_000
"""get-trade-history: startAt and endAt are a week apart at most; alone, each means a week."""
_ROWS_MAX: Final = 100
_ROWS_DEFAULT: Final = 20
_AGE_MS_MAX: Final = 5_000
"""Authentication: KC-API-TIMESTAMP may differ by 5 seconds."""

_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_CANCELLED: Final = ("CANCELED", "EXPIRED")
_KEPT_CANCELLED_MS: Final = 2 * 86_400_000
"""rest/ua/get-order-details: of a classic account, cancelled ones two days, filled ones seven."""

_FIRST_ID: Final = 19_814_995_000_000

_ERRORS: Final[Mapping[Why, tuple[str, str, int]]] = {
    Why.KEY: ("400003", "KC-API-KEY not exists", 401),
    Why.SIGNATURE: ("400005", "Invalid KC-API-SIGN", 401),
    Why.TIME: ("400002", "Invalid KC-API-TIMESTAMP", 400),
    Why.RIGHTS: ("400007", "Access denied, require more permission", 200),
    Why.MARKET: ("400100", "symbol not exists", 200),
    Why.CLOSED: ("400200", "Forbidden to place an order", 200),
    Why.DUPLICATE: ("400100", "validation.createOrder.clientOidDuplicated", 200),
    Why.LOT: ("600100", "Order size increment invalid.", 200),
    Why.TICK: ("600100", "Order price increment invalid.", 200),
    Why.VALUE: ("600101", "The order funds should more then 0.1 USDT.", 200),
    Why.FUNDS: ("200004", "Balance insufficient!", 200),
    Why.NO_ORDER: ("400100", "order_not_exist_or_not_allow_to_cancel", 200),
    Why.NOT_OPEN: ("400100", "order_not_exist_or_not_allow_to_cancel", 200),
    Why.ARGUMENTS: ("400100", "validation.createOrder.clientOidIsInvalid", 200),
}
"""C exceptions; of a duplicate https://github.com/JKorf/Kucoin.Net/issues/120, of an order that is
not there https://github.com/ccxt/ccxt/issues/24154."""


class Kucoin(Dialect):
    """KuCoin's private and public requests, as ccxt asks them."""

    exchange_id: ClassVar[str] = "kucoin"
    limits: ClassVar[tuple[Limit, ...]] = KUCOIN
    takes_fee_of_quote: ClassVar[bool] = True  # D market-data/get-all-symbols, feeCurrency
    requests: ClassVar[Mapping[str, str]] = {
        "create": "POST /api/v1/hf/orders",
        "cancel": "DELETE /api/v1/hf/orders/client-order/",
        "find": "GET /api/v1/hf/orders/client-order/",
        "open": "GET /api/v1/hf/orders/active",
        "fills": "GET /api/v1/hf/fills",
        "balances": "GET /api/v1/accounts",
    }

    hides_what_is_missing = False
    """Whether an order that is not there is answered with no data, as some clients expect."""
    tax = "0"
    """What D orders/get-trade-history tells as `tax`: charged in some places, besides the fee."""

    @staticmethod
    def market_id(base: str, quote: str) -> str:
        return f"{base}-{quote}"

    def routes(self) -> list[web.RouteDef]:
        private, orders = self.private, "/api/v1/hf/orders"
        return [
            web.get("/api/v1/timestamp", self.public(lambda _: _good(self.account.now_ms))),
            web.get("/api/v2/symbols", self.public(self._symbols)),
            web.get("/api/v3/margin/symbols", private(lambda _: _good({"items": []}))),
            web.get("/api/v1/isolated/symbols", private(lambda _: _good([]))),
            web.post(orders, private(self._place, trades=True)),
            web.get(f"{orders}/active", private(self._active)),
            web.get(f"{orders}/client-order/{{clientOid}}", private(self._show)),
            web.delete(f"{orders}/client-order/{{clientOid}}", private(self._cancel, trades=True)),
            web.get("/api/v1/hf/fills", private(self._fills)),
            web.get("/api/v1/accounts", private(self._accounts)),
        ]

    def verify(self, asked: Asked) -> None:
        """D authentication: base64 of HMAC-SHA256 of time, method, path with query, body."""
        headers = asked.headers
        if headers.get("KC-API-KEY") != self.keys.key:
            raise Denied(why=Why.KEY)
        if headers.get("KC-API-PASSPHRASE") != self._sign(self.keys.password):
            raise Denied(why=Why.KEY)
        if "KC-API-PARTNER" in headers:
            # A partner's name in the request is a right that the account's owner never gave.
            raise Denied(why=Why.RIGHTS)
        at = headers.get("KC-API-TIMESTAMP", "")
        right = self._sign(f"{at}{asked.method}{asked.target}{asked.body}")
        if not hmac.compare_digest(right, headers.get("KC-API-SIGN", "")):
            raise Denied(why=Why.SIGNATURE)
        if abs(int(at) - self.account.now_ms) > _AGE_MS_MAX:
            raise Denied(why=Why.TIME)

    def _sign(self, text: str) -> str:
        digest = hmac.digest(self.keys.secret.encode(), text.encode(), hashlib.sha256)
        return base64.b64encode(digest).decode()

    def refusal(self, denied: Denied, _asked: Asked) -> Told:
        code, words, status = _ERRORS[denied.why]
        return Told({"code": code, "msg": words}, status)

    def fault(self, fault: Fault) -> Told | None:
        """C exceptions: 429000, and 408000 (which ccxt takes for a refusal)."""
        if fault is Fault.RATE_LIMIT:
            words = "Too many requests. System-level rate limit exceeded."
            return Told({"code": "429000", "msg": words}, 429, {"gw-ratelimit-reset": "1489"})
        if fault is Fault.UNSURE:
            words = "Network timeout, please try again later"
            return Told({"code": "408000", "msg": words})
        return None

    def told_limits(self, met: Met) -> Mapping[str, str]:
        # D rate-limit: what is left of the thirty seconds' budget, the reset in milliseconds
        [count] = met.counts
        return {
            "gw-ratelimit-limit": str(count.limit.much),
            "gw-ratelimit-remaining": str(count.left(met.now_ms)),
            "gw-ratelimit-reset": str(count.anew_ms(met.now_ms) - met.now_ms),
        }

    # ---- public ----

    def _symbols(self, _asked: Asked) -> object:
        # D market-data/get-all-symbols
        return _good([symbol_row(each) for each in self.account.market.listings.values()])

    # ---- orders ----

    def _place(self, asked: Asked) -> object:
        # D orders/add-order: ids alone, nothing of how the order stands
        client_id = asked.text("clientOid")
        if not _CLIENT_ID.fullmatch(client_id):
            raise Denied(why=Why.ARGUMENTS)
        listing = self.listing(asked.text("symbol"))
        price = asked.text("price") if asked.text("type") == "limit" else ""
        force = asked.text("timeInForce", "GTC")
        side, size = asked.text("side"), asked.text("size")
        order = self.place(listing, client_id, side, size, price, force=force)
        return _good({"orderId": order_id(order), "clientOid": order.client_id})

    def _asked_order(self, asked: Asked) -> PlacedOrder:
        listing = self.listing(asked.text("symbol"))
        name = asked.request.match_info["clientOid"]
        return self.order_of(listing, client_id=name)

    def _show(self, asked: Asked) -> object:
        # D orders/get-order-by-clientoid; how long an ended one is kept: rest/ua/get-order-details
        try:
            order = self._asked_order(asked)
        except Denied:
            if self.hides_what_is_missing:
                return _good(None)
            raise
        kept_ms = _KEPT_CANCELLED_MS if order.status in _CANCELLED else _WEEK_MS
        if not order.is_open and self.account.now_ms - order.ended_ms > kept_ms:
            raise Denied(why=Why.NO_ORDER)
        return _good(order_row(order, self.executions_of(order)))

    def _cancel(self, asked: Asked) -> object:
        # D orders/cancel-order-by-clientoid
        order = self._asked_order(asked)
        self.cancel(order)
        return _good({"clientOid": order.client_id})

    def _active(self, asked: Asked) -> object:
        # D orders/get-open-orders: all of the symbol, newest first, in one answer
        listing = self.listing(asked.text("symbol"))
        orders = self.open_orders(listing)
        rows = [order_row(each, self.executions_of(each)) for each in orders]
        return _good(self.spoiled(asked, rows))

    # ---- fills and holdings ----

    def _fills(self, asked: Asked) -> object:
        # D orders/get-trade-history: newest first, 100 and a week at most; after `lastId`, older
        listing = self.listing(asked.text("symbol"))
        start_ms, end_ms = self._span(asked)
        last = int(asked.text("lastId") or 0) or 2**62
        found = [
            each
            for each in newest_first(self.account.executions)
            if each.order.listing is listing
            and start_ms <= each.time_ms <= end_ms
            and fill_number(each) < last
        ]
        limit = int(asked.text("limit") or _ROWS_DEFAULT)
        if limit > _ROWS_MAX:
            raise Denied(why=Why.ARGUMENTS)
        rows = found[:limit]
        last_id = fill_number(rows[-1]) if rows else 0
        items = self.spoiled(asked, [fill_row(each) | {"tax": self.tax} for each in rows])
        return _good({"items": items, "lastId": last_id})

    def _span(self, asked: Asked) -> tuple[int, int]:
        """What startAt and endAt mean, each alone or both."""
        if asked.text("startAt"):
            start_ms = int(asked.text("startAt"))
            end_ms = int(asked.text("endAt") or start_ms + _WEEK_MS)
            return start_ms, min(end_ms, start_ms + _WEEK_MS)
        end_ms = int(asked.text("endAt") or self.account.now_ms)
        return end_ms - _WEEK_MS, end_ms

    def _accounts(self, asked: Asked) -> object:
        # D account-funding/get-account-list-spot
        if asked.text("type", "trade_hf") != "trade_hf":
            return _good([])
        holdings = self.account.holdings.items()
        return _good([account_row(asset, each) for asset, each in holdings])


def _good(data: object) -> dict[str, object]:
    return {"code": "200000", "data": data}


def symbol_row(listing: Listing) -> dict[str, Any]:
    """market-data/get-all-symbols."""
    name = listing.market_id
    return {
        "symbol": name,
        "name": name,
        "baseCurrency": listing.base,
        "quoteCurrency": listing.quote,
        "feeCurrency": listing.quote,
        "market": "USDS",
        "baseMinSize": listing.minimum_quantity,
        "quoteMinSize": listing.minimum_notional,
        "baseMaxSize": listing.maximum_quantity,
        "quoteMaxSize": "99999999",
        "baseIncrement": listing.lot,
        "quoteIncrement": "0.000001",
        "priceIncrement": listing.tick,
        "priceLimitRate": "0.1",
        "minFunds": listing.minimum_notional,
        "isMarginEnabled": False,
        "enableTrading": listing.is_trading,
        "feeCategory": 1,
        "makerFeeCoefficient": "1.00",
        "takerFeeCoefficient": "1.00",
        "st": False,
    }


def order_id(order: PlacedOrder) -> str:
    """Twenty-four hexadecimal digits."""
    return f"{0x6717422BD51C29 << 40 | order.order_id:024x}"


def order_row(order: PlacedOrder, executions: Sequence[Execution]) -> dict[str, Any]:
    """orders/get-order-by-clientoid; the rows of get-open-orders are the same."""
    is_cancelled = order.status in _CANCELLED
    gone = order.remaining if is_cancelled else Decimal(0)
    fee = sum((each.fee for each in executions), Decimal(0))
    currency = executions[-1].fee_asset if executions else order.listing.quote
    is_market = order.kind == "MARKET"
    return {
        "id": order_id(order),
        "clientOid": order.client_id,
        "symbol": order.listing.market_id,
        "opType": "DEAL",
        "type": "market" if is_market else "limit",
        "side": order.side.lower(),
        "price": "0" if is_market else short(order.limit),
        "size": short(order.quantity),
        "funds": short(order.quantity * order.limit),
        "dealSize": short(order.filled),
        "dealFunds": short(order.spent),
        "remainSize": short(order.remaining - gone),
        "remainFunds": "0",
        "cancelledSize": short(gone),
        "cancelledFunds": "0",
        "fee": short(fee),
        "feeCurrency": currency,
        "stp": None,
        "timeInForce": order.time_in_force,
        "postOnly": False,
        "hidden": False,
        "iceberg": False,
        "visibleSize": "0",
        "cancelAfter": 0,
        "channel": "API",
        "remark": None,
        "tags": None,
        "cancelExist": is_cancelled,
        "tradeType": "TRADE",
        "inOrderBook": order.is_open,
        "active": order.is_open,
        "tax": "0",
        "createdAt": order.placed_ms,
        "lastUpdatedAt": executions[-1].time_ms if executions else order.placed_ms,
    }


def fill_number(each: Execution) -> int:
    """The id that `lastId` goes by."""
    return _FIRST_ID + each.trade_id


def fill_row(each: Execution) -> dict[str, Any]:
    """orders/get-trade-history; numbers come as numbers where the page shows them so."""
    return {
        "id": fill_number(each),
        "symbol": each.order.listing.market_id,
        "tradeId": 11_029_373_945_000_000 + each.trade_id,
        "orderId": order_id(each.order),
        "counterOrderId": "67174228135f9e000709da8c",
        "side": each.order.side.lower(),
        "liquidity": "maker" if each.is_maker else "taker",
        "forceTaker": False,
        "price": short(each.price),
        "size": short(each.quantity),
        "funds": short(each.price * each.quantity),
        "fee": short(each.fee),
        "feeRate": "0.001",
        "feeCurrency": each.fee_asset,
        "stop": "",
        "tradeType": "TRADE",
        "taxRate": "0",
        "tax": "0",
        "type": "market" if each.order.kind == "MARKET" else "limit",
        "createdAt": each.time_ms,
    }


def account_row(asset: str, holding: Holding) -> dict[str, Any]:
    """account-funding/get-account-list-spot."""
    return {
        "id": f"acc{asset.lower()}",
        "currency": asset,
        "type": "trade_hf",
        "balance": short(holding.free + holding.locked),
        "available": short(holding.free),
        "holds": short(holding.locked),
    }
