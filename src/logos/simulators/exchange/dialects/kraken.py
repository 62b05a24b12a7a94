"""Kraken spot: form bodies, errors inside of a 200, ids of its own, pages of fifty, newest first.

Sources. D: https://docs.kraken.com/api-reference/, by page. R: answers recorded by ccxt,
ts/src/test/static/response/kraken.json. E: https://docs.kraken.com/exchange/guides/spot-errors and
https://support.kraken.com/hc/en-us/articles/360001491786.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from aiohttp import web

from logos.simulators.exchange.account import Execution, PlacedOrder, SpotAccount
from logos.simulators.exchange.denials import Denied, Why
from logos.simulators.exchange.dialects.dialect import (
    Asked,
    Dialect,
    Keys,
    Told,
    decimals_of,
    newest_first,
    plain,
)
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.market import Listing
from logos.simulators.exchange.server import Exchange

PAGE: Final = 50
"""D get-trades-history, get-closed-orders: 50 results are returned at a time."""

_NAMES: Final = {"BTC": "XBT"}
"""Kraken's own name of an asset in the names of markets (D get-asset-info)."""

_ASSETS: Final = {"BTC": "XXBT", "USD": "ZUSD", "EUR": "ZEUR"}
"""Names of assets in balances and in the parts of a market (D get-asset-info)."""

_CLIENT_ID: Final = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[ -~]{1,18}", re.ASCII
)
"""D add-order, cl_ord_id: a long UUID, a short UUID, or free text of up to 18 characters."""

_ERRORS: Final[Mapping[Why, str]] = {
    Why.KEY: "EAPI:Invalid key",
    Why.SIGNATURE: "EAPI:Invalid signature",
    Why.TIME: "EAPI:Invalid nonce",
    Why.RIGHTS: "EGeneral:Permission denied",
    Why.MARKET: "EQuery:Unknown asset pair",
    Why.CLOSED: "EService:Market in cancel_only mode",
    # Neither page of E has words for it; these are those that clients of Kraken look for.
    Why.DUPLICATE: "EOrder:Duplicate order",
    Why.LOT: "EOrder:Order minimum not met",
    Why.TICK: "EOrder:Invalid price",
    Why.VALUE: "EOrder:Cost minimum not met",
    Why.FUNDS: "EOrder:Insufficient funds",
    Why.NO_ORDER: "EOrder:Unknown order",
    Why.NOT_OPEN: "EOrder:Unknown order",
    Why.ARGUMENTS: "EGeneral:Invalid arguments",
}

_STATUSES: Final = {
    "NEW": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "closed",
    "CANCELED": "canceled",
    "EXPIRED": "canceled",
}
"""D get-open-orders: pending, open, closed, canceled, expired. What an IOC order leaves is
canceled; expired is for orders with an end of their own."""


class Kraken(Dialect):
    """Kraken's private and public requests, as ccxt asks them."""

    exchange_id: ClassVar[str] = "kraken"
    takes_fee_of_quote: ClassVar[bool] = True  # D add-order, oflags: fciq is the default
    fee_decimals: ClassVar[int] = 5
    requests: ClassVar[Mapping[str, str]] = {
        "create": "POST /0/private/AddOrder",
        "cancel": "POST /0/private/CancelOrder",
        "find": "POST /0/private/QueryOrders",
        "open": "POST /0/private/OpenOrders",
        "closed": "POST /0/private/ClosedOrders",
        "fills": "POST /0/private/TradesHistory",
        "balances": "POST /0/private/BalanceEx",
    }

    def __init__(self, exchange: Exchange, account: SpotAccount, keys: Keys) -> None:
        super().__init__(exchange, account, keys)
        self._nonce = 0
        self.new_token: Callable[[], str] = lambda: "a-token-of-nobody"
        """Gives the token that a private stream is asked for with."""

    @staticmethod
    def market_id(base: str, quote: str) -> str:
        return _NAMES.get(base, base) + _NAMES.get(quote, quote)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/0/public/Time", self.public(self._time)),
            web.get("/0/public/AssetPairs", self.public(self._pairs)),
            web.post("/0/private/AddOrder", self.private(self._add, trades=True)),
            web.post("/0/private/CancelOrder", self.private(self._cancel, trades=True)),
            web.post("/0/private/QueryOrders", self.private(self._query)),
            web.post("/0/private/OpenOrders", self.private(self._open)),
            web.post("/0/private/ClosedOrders", self.private(self._closed)),
            web.post("/0/private/TradesHistory", self.private(self._trades)),
            web.post("/0/private/BalanceEx", self.private(self._balances)),
            web.post("/0/private/GetWebSocketsToken", self.private(self._token)),
        ]

    def verify(self, asked: Asked) -> None:
        """D, Authentication: HMAC-SHA512 of the path and SHA256 of nonce and body."""
        if asked.headers.get("API-Key") != self.keys.key:
            raise Denied(why=Why.KEY)
        nonce = asked.text("nonce")
        digest = hashlib.sha256((nonce + asked.body).encode()).digest()
        signed = hmac.new(
            base64.b64decode(self.keys.secret), asked.path.encode() + digest, hashlib.sha512
        )
        right = base64.b64encode(signed.digest()).decode()
        if not hmac.compare_digest(right, asked.headers.get("API-Sign", "")):
            raise Denied(why=Why.SIGNATURE)
        if not nonce.isdecimal() or int(nonce) <= self._nonce:
            raise Denied(why=Why.TIME)
        self._nonce = int(nonce)

    def refusal(self, denied: Denied, asked: Asked) -> Told:  # noqa: ARG002 - others need it
        return Told({"error": [_ERRORS[denied.why]]})

    def fault(self, fault: Fault) -> Told | None:
        words = {Fault.RATE_LIMIT: "EAPI:Rate limit exceeded", Fault.UNSURE: "EService:Unavailable"}
        return Told({"error": [words[fault]]}) if fault in words else None  # E

    # ---- public ----

    def _time(self, _asked: Asked) -> object:
        # D get-server-time
        seconds = self.account.now_ms // 1000
        words = f"{datetime.fromtimestamp(seconds, UTC):%a, %d %b %y %H:%M:%S +0000}"
        return _good({"unixtime": seconds, "rfc1123": words})

    def _pairs(self, _asked: Asked) -> object:
        # D get-tradable-asset-pairs
        listings = self.account.market.listings.values()
        return _good({each.market_id: _pair_row(each) for each in listings})

    # ---- orders ----

    def _add(self, asked: Asked) -> object:
        # D add-order; R createOrder: an id and a description, no status
        client_id = asked.text("cl_ord_id")
        if client_id and not _CLIENT_ID.fullmatch(client_id):
            raise Denied(why=Why.ARGUMENTS)
        kind = asked.text("ordertype")
        if kind not in ("limit", "market") or asked.text("type") not in ("buy", "sell"):
            raise Denied(why=Why.ARGUMENTS)
        force = asked.text("timeinforce", "GTC")
        if force not in ("GTC", "IOC"):
            raise Denied(why=Why.ARGUMENTS)
        listing = self.listing(asked.text("pair"))
        price = asked.text("price") if kind == "limit" else ""
        quantity = asked.text("volume")
        order = self.place(listing, client_id, asked.text("type"), quantity, price, force=force)
        return _good({"txid": [txid(order)], "descr": {"order": _description(order)}})

    def _cancel(self, asked: Asked) -> object:
        # D cancel-order: txid, userref or cl_ord_id; the answer counts
        name, number = asked.text("cl_ord_id"), number_of(asked.text("txid"))
        if not name and not number:
            raise Denied(why=Why.ARGUMENTS)
        self.cancel(self.order_of(None, client_id=name, number=number))
        return _good({"count": 1})

    def _query(self, asked: Asked) -> object:
        # D query-orders-info: txid is required, up to 50; R fetchOrder. An id that is not there is
        # refused as the whole request is.
        ids = asked.text("txid").split(",")
        if not all(number_of(each) for each in ids):
            raise Denied(why=Why.ARGUMENTS)
        orders = [self.order_of(None, number=number_of(each)) for each in ids]
        return _good({txid(each): self._order_row(each) for each in orders})

    def _open(self, asked: Asked) -> object:
        # D get-open-orders: all of the account, no pages; R fetchOpenOrders
        name = asked.text("cl_ord_id")
        orders = [
            each
            for each in self.open_orders()
            if name in ("", each.client_id) and not self.is_hidden(each)
        ]
        rows = self.spoiled(asked, [(txid(each), self._order_row(each)) for each in orders])
        return _good({"open": dict(rows)})

    def _closed(self, asked: Asked) -> object:
        # D get-closed-orders: 50 at a time, the most recent first, `ofs` passes over some
        name = asked.text("cl_ord_id")
        orders = [
            each
            for each in newest_first(self.account.orders)
            if not each.is_open and name in ("", each.client_id) and not self.is_hidden(each)
        ]
        first = int(asked.text("ofs", "0"))
        rows = [(txid(each), self._order_row(each)) for each in orders[first : first + PAGE]]
        return _good({"closed": dict(self.spoiled(asked, rows)), "count": len(orders)})

    def _trades(self, asked: Asked) -> object:
        # D get-trades-history: of the whole account, 50 at a time, the most recent first; `start`
        # is exclusive, `end` inclusive, both in seconds
        start, end = Decimal(asked.text("start", "0")), Decimal(asked.text("end", "9999999999"))
        made = [
            each
            for each in newest_first(self.account.executions)
            if start < Decimal(each.time_ms) / 1000 <= end
        ]
        first = int(asked.text("ofs", "0"))
        rows = [(trade_id(each), _trade_row(each)) for each in made[first : first + PAGE]]
        return _good({"count": len(made), "trades": dict(self.spoiled(asked, rows))})

    def _balances(self, _asked: Asked) -> object:
        # D get-extended-balance
        rows = {
            _ASSETS.get(asset, asset): {
                "balance": plain(each.free + each.locked, 10),
                "hold_trade": plain(each.locked, 10),
            }
            for asset, each in self.account.holdings.items()
        }
        return _good(rows)

    def _token(self, _asked: Asked) -> object:
        # D get-websockets-token: good for a connection within so many seconds
        return _good({"token": self.new_token(), "expires": 900})

    def _order_row(self, order: PlacedOrder) -> dict[str, Any]:
        # R fetchOrder, fetchOpenOrders; ccxt's kraken.py, parse_order, has cl_ord_id
        fees = self.executions_of(order)
        row: dict[str, Any] = {
            "refid": None,
            "userref": None,
            "cl_ord_id": order.client_id or None,
            "status": _STATUSES[order.status],
            "opentm": order.placed_ms / 1000,
            "starttm": 0,
            "expiretm": 0,
            "descr": {
                "pair": order.listing.market_id,
                "type": order.side.lower(),
                "ordertype": order.kind.lower(),
                "price": _price(order),
                "price2": "0",
                "leverage": "none",
                "order": _description(order),
                "close": "",
            },
            "vol": plain(order.quantity),
            "vol_exec": plain(order.filled),
            "cost": plain(order.spent, 5),
            "fee": plain(sum((each.fee for each in fees), Decimal(0)), 5),
            "price": plain(order.spent / order.filled, 5) if order.filled else "0.00000",
            "stopprice": "0.00000",
            "limitprice": "0.00000",
            "misc": "",
            "oflags": "fciq",
        }
        if not order.is_open:
            row |= {"reason": None, "closetm": order.ended_ms / 1000}
        return row


def txid(order: PlacedOrder) -> str:
    """Kraken's id of an order."""
    return f"O{order.order_id:05d}-SIMUL-ORDERS"


def number_of(text: str) -> int:
    """The number of the order that has this id; 0 for none."""
    match = re.fullmatch(r"O([0-9]{5,})-SIMUL-ORDERS", text, re.ASCII)
    return int(match[1]) if match else 0


def trade_id(execution: Execution) -> str:
    """Kraken's id of a trade."""
    return f"T{execution.trade_id:05d}-SIMUL-TRADES"


def _good(result: object) -> dict[str, object]:
    return {"error": [], "result": result}


def _price(order: PlacedOrder) -> str:
    return plain(order.limit, decimals_of(order.listing.tick)) if order.limit else "0"


def _description(order: PlacedOrder) -> str:
    at = f"limit {_price(order)}" if order.limit else "market"
    return f"{order.side.lower()} {plain(order.quantity)} {order.listing.market_id} @ {at}"


def _trade_row(each: Execution) -> dict[str, Any]:
    # D get-trades-history
    return {
        "ordertxid": txid(each.order),
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "pair": each.order.listing.market_id,
        "time": each.time_ms / 1000,
        "type": each.order.side.lower(),
        "ordertype": each.order.kind.lower(),
        "price": plain(each.price, 5),
        "cost": plain(each.price * each.quantity, 5),
        "fee": plain(each.fee, 5),
        "vol": plain(each.quantity),
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "trade_id": each.trade_id,
        "maker": each.is_maker,
    }


def _pair_row(listing: Listing) -> dict[str, Any]:
    # D get-tradable-asset-pairs
    return {
        "altname": listing.market_id,
        "wsname": f"{_NAMES.get(listing.base, listing.base)}/{listing.quote}",
        "aclass_base": "currency",
        "base": _ASSETS.get(listing.base, listing.base),
        "aclass_quote": "currency",
        "quote": _ASSETS.get(listing.quote, listing.quote),
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": decimals_of(listing.tick),
        "lot_decimals": decimals_of(listing.lot),
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.26]],
        "fees_maker": [[0, 0.16]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": listing.minimum_quantity,
        "costmin": listing.minimum_notional,
        "tick_size": listing.tick,
        "status": "online" if listing.is_trading else "cancel_only",
    }
