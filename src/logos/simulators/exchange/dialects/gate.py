"""Gate's spot API, version 4, as it describes it itself and as ccxt asks it.

Paths, fields and labels: https://github.com/gateio/gateapi-python, folder docs (SpotApi.md,
Order.md, Trade.md); samples of answers and the labels' meaning: ccxt 4.5.90, gate.py.

- A client id (`text`) is `t-` and at most 28 of 0-9, A-Z, a-z, `_`, `-` and `.`.
- An order is asked for by its id or its text; by its text only while it is in the book and for an
  hour after its end.
- DELETE on /spot/orders/{id} cancels one; on /spot/orders every order of the pair.
- Lists come newest first, in numbered pages; moments are asked for in seconds.
- A market order to buy tells its amount in the quote currency.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.dialects.ground import (
    Denied,
    Dialect,
    Refusal,
    decimals,
    page_of,
    plain,
)
from logos.simulators.exchange.market import Listing

_TEXT: Final = re.compile(r"t-[0-9A-Za-z_.-]{1,28}", re.ASCII)
_TEXT_KEPT_MS: Final = 3_600_000
_DAY_MS: Final = 86_400_000
_BOOK_PAGE: Final = 100
_PAGE: Final = 1000

_REFUSALS: Final = {
    "Duplicate order sent.": ("REPEATED_CREATION", "Repeated creation", 400),
    "Account has insufficient balance for requested action.": (
        "BALANCE_NOT_ENOUGH",
        "Not enough balance",
        400,
    ),
    "Invalid symbol.": ("INVALID_CURRENCY_PAIR", "Invalid currency pair", 400),
    "Market is closed.": ("TRADE_RESTRICTED", "Trading is restricted", 400),
    "Filter failure: LOT_SIZE": ("INVALID_PRECISION", "Invalid precision of amount", 400),
    "Filter failure: PRICE_FILTER": ("INVALID_PRECISION", "Invalid precision of price", 400),
    "Filter failure: NOTIONAL": ("AMOUNT_TOO_LITTLE", "Your order size is too small", 400),
}


class GateDialect(Dialect):
    """See the module's words."""

    root = "/api/v4"

    def routes(self) -> list[web.RouteDef]:
        public, private = self.public, self.private
        return [
            web.get("/api/v4/spot/time", public(lambda _: {"server_time": self.now_ms})),
            web.get("/api/v4/spot/currency_pairs", public(self._pairs)),
            web.get("/api/v4/margin/currency_pairs", public(lambda _: [])),
            web.get("/api/v4/spot/order_book", public(self._book)),
            web.get("/api/v4/spot/accounts", private(self._accounts)),
            web.post("/api/v4/spot/orders", private(self._place, status=201)),
            web.get("/api/v4/spot/orders", private(self._orders)),
            web.delete("/api/v4/spot/orders", private(self._cancel_all)),
            web.delete("/api/v4/spot/orders/", private(self._cancel_all)),
            web.get("/api/v4/spot/orders/{id}", private(self._show)),
            web.delete("/api/v4/spot/orders/{id}", private(self._cancel)),
            web.get("/api/v4/spot/open_orders", private(self._open_orders)),
            web.get("/api/v4/spot/my_trades", private(self._my_trades)),
            web.post("/api/v4/spot/countdown_cancel_all", private(self._countdown)),
        ]

    # ---- who asks ----

    def verify(self, request: web.Request, body: str) -> None:
        if request.headers.get("KEY") != self.keys["apiKey"]:
            raise Refusal("INVALID_KEY", "Invalid key provided", 401)
        at = request.headers.get("Timestamp", "")
        digest = hashlib.sha512(body.encode()).hexdigest()
        text = "\n".join((request.method, request.path, request.query_string, digest, at))
        right = hmac.new(self.keys["secret"].encode(), text.encode(), hashlib.sha512).hexdigest()
        if not hmac.compare_digest(right, request.headers.get("SIGN", "")):
            raise Refusal("INVALID_SIGNATURE", "Signature mismatch", 401)
        if abs(int(at) - self.now_ms // 1000) > 60:
            raise Refusal("REQUEST_EXPIRED", "gap between request Timestamp and server time", 403)

    def refused(self, refusal: Refusal) -> Any:
        return {"label": refusal.code, "message": refusal.words}

    def denied(self, denial: Denied) -> Refusal:
        return Refusal(*_REFUSALS[denial.words])

    # ---- the market ----

    def _listing(self, pair: str) -> Listing:
        for listing in self.account.market.listings.values():
            if f"{listing.base}_{listing.quote}" == pair:
                return listing
        raise Refusal("INVALID_CURRENCY_PAIR", "Invalid currency pair " + pair, 400)

    def _pairs(self, _asked: dict[str, str]) -> list[dict[str, Any]]:
        return [
            {
                "id": f"{each.base}_{each.quote}",
                "base": each.base,
                "quote": each.quote,
                "fee": "0.2",
                "min_base_amount": each.minimum_quantity,
                "min_quote_amount": each.minimum_notional,
                "amount_precision": decimals(each.lot),
                "precision": decimals(each.tick),
                "trade_status": "tradable" if each.is_trading else "untradable",
                "sell_start": 0,
                "buy_start": 0,
                "type": "normal",
            }
            for each in self.account.market.listings.values()
        ]

    def _book(self, asked: dict[str, str]) -> dict[str, Any]:
        bids, asks = self.top(self._listing(asked["currency_pair"]))
        return {"current": self.now_ms, "update": self.now_ms, "asks": asks, "bids": bids}

    # ---- orders ----

    def _place(self, asked: dict[str, Any]) -> dict[str, Any]:
        text = str(asked.get("text", ""))
        if not _TEXT.fullmatch(text):
            raise Refusal("INVALID_PARAM_VALUE", "invalid argument: text", 400)
        is_market = asked.get("type") == "market"
        if is_market and asked["side"] == "buy":
            raise Refusal("INVALID_PARAM_VALUE", "amount of a market buy is a cost here", 400)
        force = str(asked.get("time_in_force", "gtc")).upper()
        order = self.account.take(
            {
                "symbol": self._listing(asked["currency_pair"]).market_id,
                "side": asked["side"].upper(),
                "type": "MARKET" if is_market else "LIMIT",
                "timeInForce": force,
                "quantity": asked["amount"],
                "price": asked.get("price", "0"),
                "newClientOrderId": text,
            }
        )
        return self._order_row(order)

    def _asked_order(self, asked: dict[str, str]) -> PlacedOrder:
        name = asked["id"]
        listing = self._listing(asked["currency_pair"])
        for order in reversed(self.account.orders):
            if order.listing is not listing:
                continue
            if str(order.order_id) == name:
                return order
            # An account has no moment of an order's end: its beginning stands for it.
            is_kept = order.is_open or self.now_ms - order.placed_ms < _TEXT_KEPT_MS
            if order.client_id == name and is_kept:
                self.check_visible(order, self._not_found())
                return order
        raise self._not_found()

    def _not_found(self) -> Refusal:
        return Refusal("ORDER_NOT_FOUND", "Order not found", 404)

    def _show(self, asked: dict[str, str]) -> dict[str, Any]:
        return self._order_row(self._asked_order(asked))

    def _cancel(self, asked: dict[str, str]) -> dict[str, Any]:
        order = self._asked_order(asked)
        self.before_cancel(order)
        if not order.is_open:
            label = "ORDER_CLOSED" if order.status == "FILLED" else "ORDER_CANCELLED"
            raise Refusal(label, "Order has been " + label.removeprefix("ORDER_").lower(), 400)
        self.account.end(order, "CANCELED")
        return self._order_row(order)

    def _cancel_all(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        """What an empty id comes to: every order of the pair, strangers' too."""
        listing = self._listing(asked["currency_pair"])
        ended = [each for each in self.account.orders if each.is_open and each.listing is listing]
        for order in ended:
            self.account.end(order, "CANCELED")
            self.cancelled_with_all.append(order.client_id)
        return [self._order_row(each) for each in ended]

    def _orders(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        is_finished = asked["status"] == "finished"
        listing = self._listing(asked["currency_pair"])
        found = [
            each
            for each in reversed(self.account.orders)
            if each.listing is listing and each.is_open != is_finished
        ]
        return [self._order_row(each) for each in page_of(found, asked, _BOOK_PAGE)]

    def _open_orders(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        """Grouped by pair; pages count the orders of each."""
        answer = []
        for listing in self.account.market.listings.values():
            found = [
                each
                for each in reversed(self.account.orders)
                if each.is_open and each.listing is listing
            ]
            if found:
                rows = [self._order_row(each) for each in page_of(found, asked, _BOOK_PAGE)]
                pair = f"{listing.base}_{listing.quote}"
                answer.append({"currency_pair": pair, "total": len(found), "orders": rows})
        return answer

    def _order_row(self, order: PlacedOrder) -> dict[str, Any]:
        finish = {"NEW": "open", "PARTIALLY_FILLED": "open", "FILLED": "filled"}.get(
            order.status, "ioc" if order.status == "EXPIRED" else "cancelled"
        )
        status = {"open": "open", "filled": "closed"}.get(finish, "cancelled")
        average = order.spent / order.filled if order.filled else Decimal(0)
        fills = [each for each in self.account.executions if each.order is order]
        currency = order.listing.base if order.is_buy else order.listing.quote
        at_s = str(order.placed_ms // 1000)
        return {
            "id": str(order.order_id),
            "text": order.client_id,
            "amend_text": "-",
            "create_time": at_s,
            "update_time": at_s,
            "create_time_ms": order.placed_ms,
            "update_time_ms": order.placed_ms,
            "status": status,
            "currency_pair": f"{order.listing.base}_{order.listing.quote}",
            "type": order.kind.lower(),
            "account": "spot",
            "side": order.side.lower(),
            "amount": plain(order.quantity),
            "price": plain(order.limit),
            "time_in_force": order.time_in_force.lower(),
            "iceberg": "0",
            "left": plain(order.remaining),
            "filled_amount": plain(order.filled),
            "fill_price": plain(order.spent),
            "filled_total": plain(order.spent),
            "avg_deal_price": plain(average) if order.filled else "",
            "fee": plain(sum((each.fee for each in fills), Decimal(0))),
            "fee_currency": currency,
            "point_fee": "0",
            "gt_fee": "0",
            "gt_discount": False,
            "rebated_fee": "0",
            "rebated_fee_currency": order.listing.quote,
            "finish_as": finish,
        }

    # ---- fills and holdings ----

    def _my_trades(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        listing = self._listing(asked["currency_pair"])
        end_s = int(asked.get("to", self.now_ms // 1000))
        start_s = int(asked.get("from", end_s - 7 * _DAY_MS // 1000))
        if end_s - start_s > 30 * _DAY_MS // 1000:
            raise Refusal("INVALID_PARAM_VALUE", "the range of from and to is over 30 days", 400)
        found = [
            each
            for each in reversed(self.account.executions)
            if each.order.listing is listing and start_s <= each.time_ms // 1000 <= end_s
        ]
        return [self._trade_row(each) for each in page_of(found, asked, _PAGE)]

    def _trade_row(self, each: Execution) -> dict[str, Any]:
        order = each.order
        fees = self.fees(each)
        own = order.listing.base if order.is_buy else order.listing.quote
        return {
            "id": str(each.trade_id),
            "create_time": str(each.time_ms // 1000),
            "create_time_ms": f"{each.time_ms}.123000",
            "currency_pair": f"{order.listing.base}_{order.listing.quote}",
            "side": order.side.lower(),
            "role": "maker" if each.is_maker else "taker",
            "amount": plain(each.quantity),
            "price": plain(each.price),
            "order_id": str(order.order_id),
            "fee": plain(fees.get(own, Decimal(0))),
            "fee_currency": own,
            "point_fee": plain(fees.get("POINT", Decimal(0))),
            "gt_fee": plain(fees.get("GT", Decimal(0))),
            "amend_text": "-",
            "sequence_id": str(each.trade_id),
            "text": order.client_id,
        }

    def _accounts(self, _asked: dict[str, str]) -> list[dict[str, Any]]:
        return [
            {
                "currency": asset,
                "available": plain(each.free),
                "locked": plain(each.locked),
                "update_id": 1,
            }
            for asset, each in self.account.holdings.items()
        ]

    def _countdown(self, asked: dict[str, Any]) -> dict[str, Any]:
        seconds = int(asked["timeout"])
        at_ms = self.now_ms + seconds * 1000 if seconds else 0
        return {"triggerTime": str(at_ms)}
