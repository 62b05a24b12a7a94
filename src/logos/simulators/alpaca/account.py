"""An account at a local broker in the shape of Alpaca's trading API.

Problem: a venue that has only met answers its author thought of has not been tried. Method: paths,
fields, statuses, codes, paging and limits follow Alpaca's public documentation, each cited where it
stands (`book`, `limits`, `updates`, and below). It stands on the local exchange: its market, faults
and record of requests apply. Orders fill at the best price of the market when they cross it and the
market is open, or by `fill` as a test wishes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from logos.simulators.account import order_of
from logos.simulators.alpaca.book import (
    NS,
    Activity,
    BrokerOrder,
    Denied,
    activity_row,
    check_rules,
    coin_fee,
    order_row,
    read_order,
    text_of,
)
from logos.simulators.alpaca.limits import RateLimit
from logos.simulators.alpaca.pages import activities_page, orders_page
from logos.simulators.alpaca.share_fees import day_fees
from logos.simulators.alpaca.updates import TradeUpdates
from logos.simulators.exchange.answers import spoil_rows
from logos.simulators.exchange.orders import Troubles
from logos.simulators.exchange.server import FAULT_KEY, Exchange, Handler, json_answer

_FEE_RATE: Final = Decimal("0.0025")
"""Of coins, up to 100,000 USD a month, for a taker (docs.alpaca.markets/docs/crypto-fees)."""


class AlpacaAccount:
    """Adds an account to an exchange: `AlpacaAccount(exchange, key, secret, cash="100000")`.

    Make it before the exchange is started. `orders` and `activities` hold all there ever were;
    `is_open` is whether the stock market is. `requests_a_minute` of 0 is no limit.
    """

    def __init__(
        self,
        exchange: Exchange,
        key: str,
        secret: str,
        *,
        cash: str = "100000",
        requests_a_minute: int = 200,
    ) -> None:
        self._market = exchange.market
        self._key = key
        self._secret = secret
        self.is_open = True
        self.status = "ACTIVE"
        self.is_blocked = False
        self.cash = Decimal(cash)
        self.held: dict[str, Decimal] = {}
        self.fee_rate = _FEE_RATE
        self.improvement = Decimal(0)
        """By how much shares fill better than the best price (orders-at-alpaca: price improvement).
        """
        self.takes_fees_at_once = True
        """Whether a coin's fee comes off with its fill, or with `post_fees`."""
        self.orders: list[BrokerOrder] = []
        self.activities: list[Activity] = []
        self._owed: list[Activity] = []
        self._uncharged: list[Activity] = []
        """The executions since fees on shares were charged."""
        self.troubles = Troubles()
        self.limit = RateLimit(requests_a_minute)
        self.updates = TradeUpdates(exchange, lambda *pair: pair == (self._key, self._secret))
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
                web.get("/v2/account/activities", self._guarded(self._activities)),
                web.get("/v2/account/activities/{kind}", self._guarded(self._activities)),
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

    def put(self, client_id: str, status: str) -> BrokerOrder:
        """Give an order another status, as the broker or an exchange does, and tell the stream."""
        order = self.order(client_id)
        self._change(order, status)
        return order

    def replace(self, client_id: str, limit: str) -> BrokerOrder:
        """What a PATCH by the owner comes to: another order, of another id, stands in its place."""
        old = self.order(client_id)
        body = order_row(old) | {"limit_price": limit, "client_order_id": f"{client_id}-replaced"}
        body["qty"] = f"{old.remaining:f}"
        new = self._take({name: value for name, value in body.items() if value is not None})
        old.replaced_by, new.replaces = new.order_id, old.order_id
        self._change(old, "replaced")
        return new

    def post_fees(self) -> None:
        """The end of the day: the fees on coins become activities (docs: crypto-fees), those on
        shares are charged (`share_fees`)."""
        for fee in self._owed:
            self.activities.append(fee)
            if not self.takes_fees_at_once:
                self._charge(fee)
        self._owed.clear()
        for fee in day_fees(self._uncharged, self._now_ns(), self._activity_id):
            self.cash += fee.net
            self.activities.append(fee)
        self._uncharged.clear()

    # ---- requests ----

    def _now_ns(self) -> int:
        return self._market.now_ns + self._market.skew_ns

    def _guarded(self, answer: Callable[[web.Request, Mapping[str, Any]], Any]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            response = await self._answered(request, answer)
            response.headers.update(self.limit.headers())
            return response

        return handle

    async def _answered(
        self, request: web.Request, answer: Callable[[web.Request, Mapping[str, Any]], Any]
    ) -> web.Response:
        headers = request.headers
        try:
            keys = headers.get("APCA-API-KEY-ID"), headers.get("APCA-API-SECRET-KEY")
            if keys != (self._key, self._secret):
                raise Denied(401, 40110000, "request is not authorized")
            self.limit.take(self._now_ns())
            body = await request.json() if request.method == "POST" else {}
            value = answer(request, body)
        except Denied as denied:
            return json_answer({"code": denied.code, "message": denied.words}, denied.status)
        if request.method != "GET" and self.troubles.hold is not None:
            await self.troubles.hold.wait()
        if value is None:
            return web.Response(status=204)
        rule = request.get(FAULT_KEY)
        if isinstance(value, list):
            value = spoil_rows(value, None if rule is None else rule.fault)
        return json_answer(value)

    def _place(self, _request: web.Request, body: Mapping[str, Any]) -> dict[str, Any]:
        return order_row(self._take(body))

    def _list(self, request: web.Request, _body: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [order_row(each) for each in orders_page(self.orders, request.query)]

    def _show(self, request: web.Request, _body: Mapping[str, Any]) -> dict[str, Any]:
        client_id = request.query.get("client_order_id", "")
        for order in self.orders:
            if order.client_id == client_id:
                left = self.troubles.not_found.get(client_id, 0)
                if not left:
                    return order_row(order)
                self.troubles.not_found[client_id] = left - 1
        raise Denied(404, 40410000, f"order not found for {client_id}")

    def _cancel(self, request: web.Request, _body: Mapping[str, Any]) -> None:
        order_id = request.match_info["order_id"]
        order = next((each for each in self.orders if each.order_id == order_id), None)
        if order is None:
            raise Denied(404, 40410000, f"order not found for {order_id}")
        if self.troubles.before_cancel is not None:
            self.troubles.before_cancel(order)
        # "The order will reject cancel request while in this state": docs, pending_replace.
        if not order.is_open or order.status == "pending_replace":
            raise Denied(422, 42210000, f'order is already in "{order.status}" state')
        self._change(order, "canceled")

    def _positions(self, _request: web.Request, _body: Mapping[str, Any]) -> list[dict[str, str]]:
        return [
            {
                "symbol": symbol.replace("/", ""),  # as Alpaca lists positions in coins
                "asset_class": "crypto" if "/" in symbol else "us_equity",
                "qty": f"{quantity:f}",
                "side": "long" if quantity > 0 else "short",
                "exchange": "CRYPTO" if "/" in symbol else "NASDAQ",
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

    def _activities(self, request: web.Request, _body: Mapping[str, Any]) -> list[dict[str, Any]]:
        kind = request.match_info.get("kind", "")
        return [
            activity_row(each) for each in activities_page(self.activities, kind, request.query)
        ]

    def _clock(self, _request: web.Request, _body: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "timestamp": text_of(self._now_ns()),
            "is_open": self.is_open,
            "next_open": "2026-01-02T09:30:00-05:00",
            "next_close": "2026-01-02T16:00:00-05:00",
        }

    def _asset(self, request: web.Request, _body: Mapping[str, Any]) -> dict[str, Any]:
        symbol = request.match_info["symbol"]
        listing = self._market.listings.get(symbol)
        if listing is None:
            raise Denied(404, 40410000, f"asset not found for {symbol}")
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
            raise Denied(422, 42210000, f'asset "{body["symbol"]}" is not tradable')
        order_id = f"{len(self.orders) + 1:08x}-0000-4000-8000-000000000000"
        order = read_order(body, listing, order_id, self._now_ns())
        if any(each.client_id == order.client_id for each in self.orders):
            raise Denied(422, 40010001, "client_order_id must be unique")
        check_rules(order)
        self._check_funds(order)
        self.orders.append(order)
        self._tell("accepted", order)
        self._match(order)
        if order.is_open and order.time_in_force in ("ioc", "fok"):
            self._change(order, "canceled")
        return order

    def _check_funds(self, order: BrokerOrder) -> None:
        best = order.best(self._market.now_ns)
        if order.notional:
            order.quantity = order.notional / (order.limit or best or Decimal(1))
        held = self.held.get(order.listing.market_id, Decimal(0))
        if order.side == "sell" and order.is_coin and order.quantity > held:
            raise Denied(403, 40310000, "insufficient balance")
        price = order.limit or order.stop or best or Decimal(0)
        if order.is_buy and order.quantity * price > self.cash:
            raise Denied(403, 40310000, "insufficient buying power")

    def _match(self, order: BrokerOrder) -> None:
        """Fill an order at the best price if it crosses it while its market is open."""
        if not order.may_fill or (not self.is_open and not order.is_coin):
            return
        if order.status == "accepted":
            self._change(order, "new")
        best = order.best(self._market.now_ns)
        if best is not None and not order.trail and order.meets(best):
            better = Decimal(0) if order.is_coin else self.improvement
            self._fill(order, order.remaining, best - better if order.is_buy else best + better)

    def match_all(self) -> None:
        """Let every open order meet the market as it stands."""
        for order in self.orders:
            self._match(order)

    async def _on_advance(self, _before_ns: int, _now_ns: int) -> None:
        self.match_all()

    def _fill(self, order: BrokerOrder, quantity: Decimal, price: Decimal) -> Activity:
        sign = 1 if order.is_buy else -1
        symbol = order.listing.market_id
        self.held[symbol] = self.held.get(symbol, Decimal(0)) + sign * quantity
        self.cash -= sign * quantity * price
        order.filled += quantity
        order.spent += quantity * price
        order.changed_ns = self._now_ns()
        order.status = "filled" if order.filled == order.quantity else "partially_filled"
        kind = "fill" if order.status == "filled" else "partial_fill"
        activity = Activity(
            self._activity_id(),
            order.order_id,
            symbol,
            order.side,
            quantity,
            price,
            self._now_ns(),
            kind,
            order.filled,
            order.remaining,
        )
        self.activities.append(activity)
        self._uncharged.append(activity)
        if order.is_coin and self.fee_rate:
            self._owe(order, activity)
        self._tell(
            kind,
            order,
            price=f"{price:f}",
            qty=f"{quantity:f}",
            position_qty=f"{self.held[symbol]:f}",
        )
        return activity

    def _owe(self, order: BrokerOrder, fill: Activity) -> None:
        """The fee is "charged on the credited crypto asset/fiat (what you receive)": docs,
        crypto-fees. A purchase of 0.1 BTC leaves a position of 0.09975 (alpacahq/alpaca-py 374,
        Petersoj/alpaca-java 148), while the list of fees has it at the end of the day."""
        coins = coin_fee(fill.quantity, self.fee_rate) if order.is_buy else Decimal(0)
        money = Decimal(0) if order.is_buy else fill.quantity * fill.price * self.fee_rate
        fee = Activity(
            self._activity_id(),
            "",
            fill.symbol,
            "",
            -coins,
            fill.price,
            fill.ts_ns,
            "CFEE" if order.is_buy else "FEE",
            net=-money,
        )
        self._owed.append(fee)
        if self.takes_fees_at_once:
            self._charge(fee)

    def _charge(self, fee: Activity) -> None:
        self.held[fee.symbol] = self.held.get(fee.symbol, Decimal(0)) + fee.quantity
        self.cash += fee.net

    def _activity_id(self) -> str:
        moment = datetime.fromtimestamp(self._now_ns() // NS, UTC)
        number = len(self.activities) + len(self._owed) + 1
        return f"{moment:%Y%m%d%H%M%S}000::{number:08x}-0000-4000-8000-0000000000ff"

    def _change(self, order: BrokerOrder, status: str) -> None:
        order.status = status
        order.changed_ns = self._now_ns()
        self._tell(status, order)

    def _tell(self, event: str, order: BrokerOrder, **facts: str) -> None:
        facts["execution_id"] = f"{self.updates.told:08x}-0000-4000-8000-00000000e8ec"
        facts["timestamp"] = text_of(self._now_ns())
        self.updates.tell(event, order_row(order), **facts)
