"""An account at a local broker in the shape of Alpaca's trading API.

Paths, fields, codes and words follow the public documentation of that API: figures as text, ids as
UUIDs, times with nanoseconds, 403 for too little buying power, 422 for a client id used before,
404 for what is not there. It stands on the local exchange: its market, faults and record of
requests apply. Orders fill at the best price of the market when they cross it and the market is
open, or by `fill` as a test wishes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from logos.simulators.account import BookOrder, order_of
from logos.simulators.exchange.answers import spoil_rows
from logos.simulators.exchange.orders import Troubles
from logos.simulators.exchange.server import FAULT_KEY, Exchange, Handler, json_answer

_NS: Final = 1_000_000_000


class _Denied(Exception):
    """The broker's own status, code and words for a no."""

    def __init__(self, status: int, code: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.code = code
        self.words = words


@dataclass(slots=True, kw_only=True)
class BrokerOrder(BookOrder):
    """One order as the broker keeps it."""

    OPEN = frozenset(("new", "accepted", "partially_filled"))

    order_id: str
    placed_ns: int
    status: str = "accepted"


@dataclass(frozen=True, slots=True)
class Activity:
    """One fill."""

    activity_id: str
    order: BrokerOrder
    quantity: Decimal
    price: Decimal
    ts_ns: int
    kind: str


class AlpacaAccount:
    """Adds an account to an exchange: `AlpacaAccount(exchange, key, secret, cash="100000")`.

    Make it before the exchange is started. `orders` and `activities` hold all there ever were;
    `is_open` is whether the stock market is.
    """

    def __init__(self, exchange: Exchange, key: str, secret: str, *, cash: str = "100000") -> None:
        self._market = exchange.market
        self._key = key
        self._secret = secret
        self.is_open = True
        self.status = "ACTIVE"
        self.is_blocked = False
        self.cash = Decimal(cash)
        self.held: dict[str, Decimal] = {}
        self.orders: list[BrokerOrder] = []
        self.activities: list[Activity] = []
        self.troubles = Troubles()
        self.assets: dict[str, dict[str, Any]] = {}
        """What differs in the answer about an asset, by symbol."""
        exchange.add_routes(
            [
                web.post("/v2/orders", self._guarded(self._place)),
                web.get("/v2/orders", self._guarded(self._list)),
                web.get("/v2/orders:by_client_order_id", self._guarded(self._show)),
                web.delete("/v2/orders/{order_id}", self._guarded(self._cancel)),
                web.get("/v2/positions", self._guarded(self._positions)),
                web.get("/v2/account", self._guarded(self._account)),
                web.get("/v2/account/activities/FILL", self._guarded(self._fills)),
                web.get("/v2/clock", self._guarded(self._clock)),
                web.get("/v2/assets/{symbol}", self._guarded(self._asset)),
            ]
        )
        exchange.on_advance(self._on_advance)

    # ---- what a test does ----

    def order(self, client_id: str) -> BrokerOrder:
        """The order of that client id. Raises KeyError."""
        return order_of(self.orders, client_id)

    def fill(self, client_id: str, quantity: str, price: str = "") -> Activity:
        """Fill part or all of an open order, at its limit unless a price is given."""
        order = self.order(client_id)
        return self._fill(order, order.part(quantity), Decimal(price or order.limit))

    def place_by_hand(self, body: Mapping[str, str]) -> BrokerOrder:
        """An order of the account's owner, made elsewhere."""
        return self._take(body)

    # ---- requests ----

    def _now_ns(self) -> int:
        return self._market.now_ns + self._market.skew_ns

    def _guarded(self, answer: Callable[[web.Request, Mapping[str, Any]], Any]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            headers = request.headers
            try:
                if (headers.get("APCA-API-KEY-ID"), headers.get("APCA-API-SECRET-KEY")) != (
                    self._key,
                    self._secret,
                ):
                    raise _Denied(401, 40110000, "request is not authorized")
                body = await request.json() if request.method == "POST" else {}
                value = answer(request, body)
            except _Denied as denied:
                return json_answer({"code": denied.code, "message": denied.words}, denied.status)
            if request.method != "GET" and self.troubles.hold is not None:
                await self.troubles.hold.wait()
            if value is None:
                return web.Response(status=204)
            rule = request.get(FAULT_KEY)
            if isinstance(value, list):
                value = spoil_rows(value, None if rule is None else rule.fault)
            return json_answer(value)

        return handle

    def _place(self, _request: web.Request, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._order_row(self._take(body))

    def _list(self, request: web.Request, _body: Mapping[str, Any]) -> list[dict[str, Any]]:
        query = request.query
        symbols = query.get("symbols", "").split(",") if query.get("symbols") else None
        after_ns = _moment_ns(query["after"]) if "after" in query else -1
        found = [
            each
            for each in self.orders
            if (each.is_open or query.get("status") != "open")
            and (symbols is None or each.listing.market_id in symbols)
            and each.placed_ns > after_ns
        ]
        if query.get("direction") != "asc":
            found.reverse()
        return [self._order_row(each) for each in found[: int(query.get("limit", 50))]]

    def _show(self, request: web.Request, _body: Mapping[str, Any]) -> dict[str, Any]:
        client_id = request.query.get("client_order_id", "")
        for order in self.orders:
            if order.client_id == client_id:
                left = self.troubles.not_found.get(client_id, 0)
                if not left:
                    return self._order_row(order)
                self.troubles.not_found[client_id] = left - 1
        raise _Denied(404, 40410000, f"order not found for {client_id}")

    def _cancel(self, request: web.Request, _body: Mapping[str, Any]) -> None:
        order_id = request.match_info["order_id"]
        order = next((each for each in self.orders if each.order_id == order_id), None)
        if order is None:
            raise _Denied(404, 40410000, f"order not found for {order_id}")
        if self.troubles.before_cancel is not None:
            self.troubles.before_cancel(order)
        if not order.is_open:
            raise _Denied(422, 42210000, f'order is already in "{order.status}" state')
        order.status = "canceled"

    def _positions(self, _request: web.Request, _body: Mapping[str, Any]) -> list[dict[str, str]]:
        return [
            {
                "symbol": symbol.replace("/", ""),  # as Alpaca lists positions in coins
                "qty": f"{quantity:f}",
                "side": "long" if quantity > 0 else "short",
                "exchange": "NASDAQ",
            }
            for symbol, quantity in self.held.items()
            if quantity
        ]

    def _account(self, _request: web.Request, _body: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "id": "00000000-0000-4000-8000-00000000acc0",
            "status": self.status,
            "currency": "USD",
            "cash": f"{self.cash:f}",
            "buying_power": f"{self.cash:f}",
            "trading_blocked": self.is_blocked,
            "account_blocked": False,
            "trade_suspended_by_user": False,
        }

    def _fills(self, request: web.Request, _body: Mapping[str, Any]) -> list[dict[str, Any]]:
        query = request.query
        after_ns = _moment_ns(query["after"]) if "after" in query else -1
        found = [each for each in self.activities if each.ts_ns > after_ns]
        token = query.get("page_token")
        if token:
            ids = [each.activity_id for each in found]
            found = found[ids.index(token) + 1 :] if token in ids else []
        return [_activity_row(each) for each in found[: int(query.get("page_size", 100))]]

    def _clock(self, _request: web.Request, _body: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "timestamp": _text_of(self._now_ns()),
            "is_open": self.is_open,
            "next_open": "2026-01-02T09:30:00-05:00",
            "next_close": "2026-01-02T16:00:00-05:00",
        }

    def _asset(self, request: web.Request, _body: Mapping[str, Any]) -> dict[str, Any]:
        symbol = request.match_info["symbol"]
        listing = self._market.listings.get(symbol)
        if listing is None:
            raise _Denied(404, 40410000, f"asset not found for {symbol}")
        is_coin = "/" in symbol
        rules = {
            "min_order_size": listing.minimum_quantity,
            "min_trade_increment": listing.lot,
            "price_increment": listing.tick,
        }
        return {
            "symbol": symbol,
            "class": "crypto" if is_coin else "us_equity",
            "status": "active",
            "tradable": listing.is_trading,
            "fractionable": True,
            "shortable": not is_coin,
            **(rules if is_coin else {}),
            **self.assets.get(symbol, {}),
        }

    # ---- the book ----

    def _take(self, body: Mapping[str, Any]) -> BrokerOrder:
        listing = self._market.listings.get(str(body["symbol"]))
        if listing is None or not listing.is_trading:
            raise _Denied(422, 42210000, f'asset "{body["symbol"]}" is not tradable')
        client_id = str(body["client_order_id"])
        if any(each.client_id == client_id for each in self.orders):
            raise _Denied(422, 40010001, "client_order_id must be unique")
        number = len(self.orders) + 1
        order = BrokerOrder(
            order_id=f"{number:08x}-0000-4000-8000-000000000000",
            client_id=client_id,
            listing=listing,
            side=str(body["side"]),
            kind=str(body["type"]),
            time_in_force=str(body["time_in_force"]),
            quantity=Decimal(body["qty"]),
            limit=Decimal(body.get("limit_price", "0")),
            stop=Decimal(body.get("stop_price", "0")),
            placed_ns=self._now_ns(),
        )
        order.is_triggered = not order.stop
        self._check(order)
        self.orders.append(order)
        self._match(order)
        if order.is_open and order.time_in_force in ("ioc", "fok"):
            order.status = "canceled"
        return order

    def _check(self, order: BrokerOrder) -> None:
        is_coin = "/" in order.listing.market_id
        is_fraction = order.quantity % 1 != 0
        if is_fraction and not is_coin and order.time_in_force != "day":
            raise _Denied(422, 42210000, "fractional orders must be DAY orders")
        if not is_coin and order.limit >= 1 and order.limit % Decimal("0.01"):
            words = "invalid limit_price. sub-penny increment does not fulfill minimum pricing"
            raise _Denied(422, 42210000, words)
        held = self.held.get(order.listing.market_id, Decimal(0))
        if order.side == "sell" and is_coin and order.quantity > held:
            raise _Denied(403, 40310000, "insufficient balance")
        price = order.limit or order.stop or order.best(self._market.now_ns) or Decimal(0)
        if order.is_buy and order.quantity * price > self.cash:
            raise _Denied(403, 40310000, "insufficient buying power")

    def _match(self, order: BrokerOrder) -> None:
        """Fill an order at the best price if it crosses it while its market is open."""
        if not self.is_open and "/" not in order.listing.market_id:
            return
        if order.status == "accepted":
            order.status = "new"
        best = order.best(self._market.now_ns)
        if best is not None and order.meets(best):
            self._fill(order, order.remaining, best)

    async def _on_advance(self, _before_ns: int, _now_ns: int) -> None:
        for order in self.orders:
            if order.is_open:
                self._match(order)

    def _fill(self, order: BrokerOrder, quantity: Decimal, price: Decimal) -> Activity:
        sign = 1 if order.is_buy else -1
        symbol = order.listing.market_id
        self.held[symbol] = self.held.get(symbol, Decimal(0)) + sign * quantity
        self.cash -= sign * quantity * price
        order.filled += quantity
        order.status = "filled" if order.filled == order.quantity else "partially_filled"
        number = len(self.activities) + 1
        moment = datetime.fromtimestamp(self._now_ns() // _NS, UTC)
        activity = Activity(
            activity_id=f"{moment:%Y%m%d%H%M%S}000::{number:08x}-0000-4000-8000-0000000000ff",
            order=order,
            quantity=quantity,
            price=price,
            ts_ns=self._now_ns(),
            kind="fill" if order.status == "filled" else "partial_fill",
        )
        self.activities.append(activity)
        return activity

    def _order_row(self, order: BrokerOrder) -> dict[str, Any]:
        return {
            "id": order.order_id,
            "client_order_id": order.client_id,
            "submitted_at": _text_of(order.placed_ns),
            "symbol": order.listing.market_id,
            "asset_class": "crypto" if "/" in order.listing.market_id else "us_equity",
            "qty": f"{order.quantity:f}",
            "filled_qty": f"{order.filled:f}",
            "type": order.kind,
            "side": order.side,
            "time_in_force": order.time_in_force,
            "limit_price": f"{order.limit:f}" if order.limit else None,
            "stop_price": f"{order.stop:f}" if order.stop else None,
            "status": order.status,
        }


def _activity_row(each: Activity) -> dict[str, Any]:
    return {
        "id": each.activity_id,
        "activity_type": "FILL",
        "transaction_time": _text_of(each.ts_ns),
        "type": each.kind,
        "price": f"{each.price:f}",
        "qty": f"{each.quantity:f}",
        "side": each.order.side,
        "symbol": each.order.listing.market_id,
        "order_id": each.order.order_id,
    }


def _text_of(ts_ns: int) -> str:
    seconds, rest = divmod(ts_ns, _NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _moment_ns(text: str) -> int:
    whole, _, rest = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(f"{whole}+00:00").timestamp())
    return seconds * _NS + int(rest.ljust(9, "0") or "0")
