"""Gate spot, version 4 of its API, in a classic account.

Sources. D: https://github.com/gateio/gateapi-python, folder docs (SpotApi.md, Order.md, Trade.md),
Gate's own description of its API. C: samples and labels in ccxt 4.5.90, gate.py. L:
https://www.gate.com/docs/developers/apiv4/en/ (labels, limits).

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
from collections.abc import Mapping
from decimal import Decimal
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
from logos.simulators.exchange.limits import GATE, Limit, Met

_TEXT: Final = re.compile(r"t-[0-9A-Za-z_.-]{1,28}", re.ASCII)
"""D Order.md, text."""

_TEXT_KEPT_MS: Final = 3_600_000
"""D SpotApi.md, get_order: by its text an order is found for an hour after its end."""

_DAY_S: Final = 86_400
_BOOK_PAGE: Final = 100
_PAGE: Final = 1000
"""D SpotApi.md: 100 a pair of open and of all orders; C fetch_my_trades: 1000 fills at most."""

_LABELS: Final[Mapping[Why, tuple[str, str, int]]] = {
    Why.KEY: ("INVALID_KEY", "Invalid key provided", 401),
    Why.SIGNATURE: ("INVALID_SIGNATURE", "Signature mismatch", 401),
    Why.TIME: ("REQUEST_EXPIRED", "gap between request Timestamp and server time exceeds 60", 403),
    Why.RIGHTS: ("READ_ONLY", "API key does not allow writes", 403),
    Why.MARKET: ("INVALID_CURRENCY_PAIR", "Invalid currency pair", 400),
    Why.CLOSED: ("TRADE_RESTRICTED", "Trading is restricted", 400),
    # What a second order with the same text comes to is not described; this label is in C.
    Why.DUPLICATE: ("REPEATED_CREATION", "Repeated creation", 400),
    Why.LOT: ("INVALID_PRECISION", "Invalid precision of amount", 400),
    Why.TICK: ("INVALID_PRECISION", "Invalid precision of price", 400),
    Why.VALUE: ("INVALID_PARAM_VALUE", "Your order size is too small. The minimum is 5 USDT", 400),
    Why.FUNDS: ("BALANCE_NOT_ENOUGH", "Not enough balance", 400),
    Why.NO_ORDER: ("ORDER_NOT_FOUND", "Order not found", 404),
    Why.NOT_OPEN: ("ORDER_CLOSED", "Order has been closed", 400),
    Why.ARGUMENTS: ("INVALID_PARAM_VALUE", "invalid argument", 400),
}
"""L and C, exceptions."""


class Gate(Dialect):
    """Gate's private and public requests, as ccxt asks them."""

    exchange_id: ClassVar[str] = "gate"
    limits: ClassVar[tuple[Limit, ...]] = GATE
    requests: ClassVar[Mapping[str, str]] = {
        "create": "POST /api/v4/spot/orders",
        "cancel": "DELETE /api/v4/spot/orders/",
        "find": "GET /api/v4/spot/orders",
        "open": "GET /api/v4/spot/open_orders",
        "fills": "GET /api/v4/spot/my_trades",
        "balances": "GET /api/v4/spot/accounts",
    }

    @staticmethod
    def market_id(base: str, quote: str) -> str:
        return f"{base}_{quote}"

    def routes(self) -> list[web.RouteDef]:
        public, private, root = self.public, self.private, "/api/v4/spot"
        return [
            web.get(f"{root}/time", public(lambda _: {"server_time": self.account.now_ms})),
            web.get(f"{root}/currency_pairs", public(self._pairs)),
            web.get("/api/v4/margin/currency_pairs", public(lambda _: [])),
            web.get(f"{root}/order_book", public(self._book)),
            web.post(f"{root}/orders", private(self._place, trades=True)),
            web.get(f"{root}/orders", private(self._orders)),
            web.delete(f"{root}/orders", private(self._cancel_all, trades=True)),
            web.delete(f"{root}/orders/", private(self._cancel_all, trades=True)),
            web.get(f"{root}/orders/{{id}}", private(self._show)),
            web.delete(f"{root}/orders/{{id}}", private(self._cancel, trades=True)),
            web.get(f"{root}/open_orders", private(self._open_orders)),
            web.get(f"{root}/my_trades", private(self._my_trades)),
            web.get(f"{root}/accounts", private(self._accounts)),
        ]

    def verify(self, asked: Asked) -> None:
        """L, authentication: HMAC-SHA512 of method, path, query, SHA512 of the body, and time."""
        if asked.headers.get("KEY") != self.keys.key:
            raise Denied(why=Why.KEY)
        at = asked.headers.get("Timestamp", "")
        digest = hashlib.sha512(asked.body.encode()).hexdigest()
        text = "\n".join((asked.method, asked.path, asked.query, digest, at))
        right = hmac.new(self.keys.secret.encode(), text.encode(), hashlib.sha512).hexdigest()
        if not hmac.compare_digest(right, asked.headers.get("SIGN", "")):
            raise Denied(why=Why.SIGNATURE)
        if not at.isdecimal() or abs(int(at) - self.account.now_ms // 1000) > 60:
            raise Denied(why=Why.TIME)

    def refusal(self, denied: Denied, asked: Asked) -> Told:  # noqa: ARG002 - others need it
        label, words, status = _LABELS[denied.why]
        return Told({"label": label, "message": words}, status)

    def told_limits(self, met: Met) -> Mapping[str, str]:
        # D Rate Limit: of the current endpoint; the reset in seconds, this moment unless passed
        [count] = met.counts
        reset_ms = met.now_ms if met.is_good else count.anew_ms(met.now_ms)
        return {
            "X-Gate-RateLimit-Requests-Remain": str(count.left(met.now_ms)),
            "X-Gate-RateLimit-Limit": str(count.limit.much),
            "X-Gate-RateLimit-Reset-Timestamp": str(-(-reset_ms // 1000)),
        }

    def fault(self, fault: Fault) -> Told | None:
        # L, labels and rate limits; C exceptions
        if fault is Fault.RATE_LIMIT:
            words = {"label": "TOO_MANY_REQUESTS", "message": "Request Rate limit Exceeded"}
            reset_s = self.account.now_ms // 1000 + 1
            left = {
                "X-Gate-RateLimit-Requests-Remain": "0",
                "X-Gate-RateLimit-Limit": "10",
                "X-Gate-RateLimit-Reset-Timestamp": str(reset_s),
            }
            return Told(words, 429, left)
        if fault is Fault.UNSURE:
            return Told({"label": "SERVER_ERROR", "message": "Internal server error"}, 400)
        return None

    # ---- the market ----

    def _pairs(self, _asked: Asked) -> object:
        # D SpotApi.md, list_currency_pairs
        return [
            {
                "id": each.market_id,
                "base": each.base,
                "quote": each.quote,
                "fee": "0.2",
                "min_base_amount": each.minimum_quantity,
                "min_quote_amount": each.minimum_notional,
                "amount_precision": decimals_of(each.lot),
                "precision": decimals_of(each.tick),
                "trade_status": "tradable" if each.is_trading else "untradable",
                "sell_start": 0,
                "buy_start": 0,
                "type": "normal",
            }
            for each in self.account.market.listings.values()
        ]

    def _book(self, asked: Asked) -> object:
        # D SpotApi.md, list_order_book
        listing = self.listing(asked.text("currency_pair"))
        bids, asks = best_prices(listing, self.account.market.now_ns)
        now_ms = self.account.now_ms
        return {"current": now_ms, "update": now_ms, "asks": asks, "bids": bids}

    # ---- orders ----

    def _place(self, asked: Asked) -> object:
        # D SpotApi.md, create_order
        text = asked.text("text")
        if not _TEXT.fullmatch(text):
            raise Denied(why=Why.ARGUMENTS)
        listing = self.listing(asked.text("currency_pair"))
        side, amount = asked.text("side"), asked.text("amount")
        is_market = asked.text("type") == "market"
        if is_market and side == "buy":
            amount = bought_for(listing, amount, self.account.market.now_ns)
        order = self.place(
            listing,
            text,
            side,
            amount,
            "" if is_market else asked.text("price"),
            force=asked.text("time_in_force", "gtc"),
        )
        return Told(self._order_row(order), 201)

    def _asked_order(self, asked: Asked) -> PlacedOrder:
        name = asked.request.match_info["id"]
        listing = self.listing(asked.text("currency_pair"))
        if name.isdecimal():
            return self.order_of(listing, number=int(name))
        order = self.order_of(listing, client_id=name)
        if not order.is_open and self.account.now_ms - order.ended_ms >= _TEXT_KEPT_MS:
            raise Denied(why=Why.NO_ORDER)
        return order

    def _show(self, asked: Asked) -> object:
        # D SpotApi.md, get_order
        return self._order_row(self._asked_order(asked))

    def _cancel(self, asked: Asked) -> object:
        # D SpotApi.md, cancel_order
        order = self._asked_order(asked)
        self.cancel(order)
        return self._order_row(order)

    def _cancel_all(self, asked: Asked) -> object:
        """What an empty id comes to: every order of the pair (D SpotApi.md, cancel_orders)."""
        ended = self.cancel_all(self.listing(asked.text("currency_pair")))
        return [self._order_row(each) for each in ended]

    def _orders(self, asked: Asked) -> object:
        # D SpotApi.md, list_orders
        is_finished = asked.text("status") == "finished"
        listing = self.listing(asked.text("currency_pair"))
        found = [
            each
            for each in newest_first(self.account.orders)
            if each.listing is listing and each.is_open != is_finished
        ]
        return [self._order_row(each) for each in _page(found, asked, _BOOK_PAGE)]

    def _open_orders(self, asked: Asked) -> object:
        """Grouped by pair; pages count the orders of each (D SpotApi.md, list_all_open_orders)."""
        answer = []
        for listing in self.account.market.listings.values():
            found = self.open_orders(listing)
            if found:
                rows = [self._order_row(each) for each in _page(found, asked, _BOOK_PAGE)]
                pair = {"currency_pair": listing.market_id, "total": len(found), "orders": rows}
                answer.append(pair)
        return self.spoiled(asked, answer)

    def _order_row(self, order: PlacedOrder) -> dict[str, Any]:
        # D Order.md; C, comment of parse_order
        finish = {"NEW": "open", "PARTIALLY_FILLED": "open", "FILLED": "filled"}.get(
            order.status, "ioc" if order.status == "EXPIRED" else "cancelled"
        )
        status = {"open": "open", "filled": "closed"}.get(finish, "cancelled")
        at_s = str(order.placed_ms // 1000)
        # D Order.md, amount: a market order to buy has its own in the quote currency.
        is_cost = order.kind == "MARKET" and order.is_buy
        return {
            "id": str(order.order_id),
            "text": order.client_id or "web",
            "amend_text": "-",
            "create_time": at_s,
            "update_time": at_s,
            "create_time_ms": order.placed_ms,
            "update_time_ms": order.ended_ms or order.placed_ms,
            "status": status,
            "currency_pair": order.listing.market_id,
            "type": order.kind.lower(),
            "account": "spot",
            "side": order.side.lower(),
            "amount": short(order.spent if is_cost else order.quantity),
            "price": short(order.limit),
            "time_in_force": order.time_in_force.lower(),
            "iceberg": "0",
            "left": short(order.remaining),
            "filled_amount": short(order.filled),
            "fill_price": short(order.spent),
            "filled_total": short(order.spent),
            "avg_deal_price": short(order.spent / order.filled) if order.filled else "",
            **self._fees_of(order),
            "gt_discount": False,
            "rebated_fee": "0",
            "rebated_fee_currency": order.listing.quote,
            "finish_as": finish,
        }

    def _fees_of(self, order: PlacedOrder) -> dict[str, Any]:
        fills = self.executions_of(order)
        own = order.listing.base if order.is_buy else order.listing.quote
        total = sum((paid(each).get(own, Decimal(0)) for each in fills), Decimal(0))
        return {"fee": short(total), "fee_currency": own, "point_fee": "0", "gt_fee": "0"}

    # ---- fills and holdings ----

    def _my_trades(self, asked: Asked) -> object:
        # D SpotApi.md, list_my_trades: 30 days at most
        listing = self.listing(asked.text("currency_pair"))
        end_s = int(asked.text("to", str(self.account.now_ms // 1000)))
        start_s = int(asked.text("from", str(end_s - 7 * _DAY_S)))
        if end_s - start_s > 30 * _DAY_S:
            raise Denied(why=Why.ARGUMENTS)
        found = [
            each
            for each in newest_first(self.account.executions)
            if each.order.listing is listing and start_s <= each.time_ms // 1000 <= end_s
        ]
        rows = [self._trade_row(each) for each in _page(found, asked, _PAGE)]
        return self.spoiled(asked, rows)

    def _trade_row(self, each: Execution) -> dict[str, Any]:
        # D Trade.md; C, comment of fetch_my_trades
        order = each.order
        fees = paid(each)
        own = order.listing.base if order.is_buy else order.listing.quote
        return {
            "id": str(each.trade_id),
            "create_time": str(each.time_ms // 1000),
            "create_time_ms": f"{each.time_ms}.123000",
            "currency_pair": order.listing.market_id,
            "side": order.side.lower(),
            "role": "maker" if each.is_maker else "taker",
            "amount": short(each.quantity),
            "price": short(each.price),
            "order_id": str(order.order_id),
            "fee": short(fees.get(own, Decimal(0))),
            "fee_currency": own,
            "point_fee": short(fees.get("POINT", Decimal(0))),
            "gt_fee": short(fees.get("GT", Decimal(0))),
            "amend_text": "-",
            "sequence_id": str(each.trade_id),
            "text": order.client_id or "web",
        }

    def _accounts(self, _asked: Asked) -> object:
        # D SpotApi.md, list_spot_accounts
        return [
            {
                "currency": asset,
                "available": short(each.free),
                "locked": short(each.locked),
                "update_id": 1,
            }
            for asset, each in self.account.holdings.items()
        ]


def _page(rows: list[Any], asked: Asked, longest: int) -> list[Any]:
    """The rows of the numbered page asked for; 100 are a page unless others are asked for."""
    limit = min(longest, int(asked.text("limit", "100")))
    start = (int(asked.text("page", "1")) - 1) * limit
    return rows[start : start + limit]
