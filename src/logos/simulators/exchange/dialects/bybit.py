"""Bybit spot in a unified account: JSON bodies, an order answered with its ids alone, cursors.

Sources. D: https://github.com/bybit-exchange/docs, docs/v5, by page (also shown at
https://bybit-exchange.github.io/docs/v5). C: the sample answers in ccxt's bybit.py.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from aiohttp import web

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.denials import Denied, Why
from logos.simulators.exchange.dialects.bybit_rows import (
    execution_row,
    instrument_row,
    number_of,
    order_id,
    order_row,
)
from logos.simulators.exchange.dialects.dialect import (
    Asked,
    Dialect,
    Told,
    newest_first,
    short,
)
from logos.simulators.exchange.dialects.parts import bought_for
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.limits import BYBIT, Limit, Met

_WEEK_MS: Final = 7 * 86_400_000

_ERRORS: Final[Mapping[Why, tuple[int, str]]] = {
    # D error, and the table in ccxt's bybit.py
    Why.KEY: (10003, "API key is invalid."),
    Why.SIGNATURE: (10004, "Error sign, please check your signature generation algorithm."),
    Why.TIME: (10002, "The request time exceeds the time window range."),
    Why.RIGHTS: (10005, "Permission denied, please check your API key permissions."),
    Why.MARKET: (170121, "Invalid symbol."),
    Why.CLOSED: (170151, "The trading pair is not open yet"),
    Why.DUPLICATE: (170141, "Duplicate clientOrderId"),
    Why.LOT: (170137, "Order volume decimal too long"),
    Why.TICK: (170134, "Order price decimal too long."),
    Why.VALUE: (170140, "Transaction amount lower than the minimum."),
    Why.FUNDS: (170131, "Balance insufficient"),
    Why.NO_ORDER: (170213, "Order does not exist."),
    Why.NOT_OPEN: (170142, "Order has been canceled"),
    Why.ARGUMENTS: (10001, "Request parameter error."),
}


class Bybit(Dialect):
    """Bybit's private and public requests for spot, as ccxt asks them."""

    exchange_id: ClassVar[str] = "bybit"
    limits: ClassVar[tuple[Limit, ...]] = BYBIT
    ids_are_unique: ClassVar[bool] = True  # D create-order, orderLinkId: should be unique
    requests: ClassVar[Mapping[str, str]] = {
        "create": "POST /v5/order/create",
        "cancel": "POST /v5/order/cancel",
        "find": "GET /v5/order/realtime",
        "open": "GET /v5/order/realtime",
        "closed": "GET /v5/order/history",
        "fills": "GET /v5/execution/list",
        "balances": "GET /v5/account/wallet-balance",
    }

    @staticmethod
    def market_id(base: str, quote: str) -> str:
        return base + quote

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v5/market/time", self.public(self._time)),
            web.get("/v5/market/instruments-info", self.public(self._instruments)),
            web.get("/v5/user/query-api", self.private(self._key)),
            web.get("/v5/account/info", self.private(self._account_info)),
            web.post("/v5/order/create", self.private(self._create, trades=True)),
            web.post("/v5/order/cancel", self.private(self._cancel, trades=True)),
            web.get("/v5/order/realtime", self.private(self._realtime)),
            web.get("/v5/order/history", self.private(self._history)),
            web.get("/v5/execution/list", self.private(self._executions)),
            web.get("/v5/account/wallet-balance", self.private(self._wallet)),
        ]

    def verify(self, asked: Asked) -> None:
        """D guide, Authentication: HMAC-SHA256 of time, key, window, and query or body."""
        if asked.headers.get("X-BAPI-API-KEY") != self.keys.key:
            raise Denied(why=Why.KEY)
        stamp = asked.headers.get("X-BAPI-TIMESTAMP", "")
        window = asked.headers.get("X-BAPI-RECV-WINDOW", "5000")
        signed = stamp + self.keys.key + window + (asked.body or asked.query)
        right = hmac.new(self.keys.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, asked.headers.get("X-BAPI-SIGN", "")):
            raise Denied(why=Why.SIGNATURE)
        # From the window before the server's time on, to less than a second after it.
        now_ms = self.account.now_ms
        if not stamp.isdecimal() or not now_ms - int(window) <= int(stamp) < now_ms + 1000:
            raise Denied(why=Why.TIME)

    def refusal(self, denied: Denied, asked: Asked) -> Told:  # noqa: ARG002 - others need it
        return Told(self._answer(*_ERRORS[denied.why], {}))

    def fault(self, fault: Fault) -> Told | None:
        words = {
            # D error: 10006, 170007
            Fault.RATE_LIMIT: (10006, "Too many visits. Exceeded the API Rate Limit."),
            Fault.UNSURE: (170007, "Timeout waiting for response from backend server."),
        }
        return Told(self._answer(*words[fault], {})) if fault in words else None

    def told_limits(self, met: Met) -> Mapping[str, str]:
        # D rate-limit: of the current endpoint; the reset, unless it was passed, is this moment
        [count] = met.counts
        return {
            "X-Bapi-Limit": str(count.limit.much),
            "X-Bapi-Limit-Status": str(count.left(met.now_ms)),
            "X-Bapi-Limit-Reset-Timestamp": str(
                met.now_ms if met.is_good else count.anew_ms(met.now_ms)
            ),
        }

    def _answer(self, code: int, words: str, result: object) -> dict[str, Any]:
        return {
            "retCode": code,
            "retMsg": words,
            "result": result,
            "retExtInfo": {},
            "time": self.account.now_ms,
        }

    def _good(self, result: object) -> dict[str, Any]:
        return self._answer(0, "OK", result)

    # ---- public, and what ccxt asks of the account ----

    def _time(self, _asked: Asked) -> object:
        # D market/time
        now_ms = self.account.now_ms
        nano = str(now_ms * 1_000_000)
        return self._good({"timeSecond": str(now_ms // 1000), "timeNano": nano})

    def _instruments(self, asked: Asked) -> object:
        # D market/instrument, spot
        if asked.text("category") != "spot":
            raise Denied(why=Why.ARGUMENTS)
        rows = [instrument_row(each) for each in self.account.market.listings.values()]
        return self._good({"category": "spot", "list": rows})

    def _key(self, _asked: Asked) -> object:
        # D user/apikey-info; only what ccxt reads of it
        return self._good({"id": "1", "readOnly": 0, "unified": 0, "uta": 1})

    def _account_info(self, _asked: Asked) -> object:
        # D account/account-info
        return self._good({"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": 6})

    # ---- orders ----

    def _create(self, asked: Asked) -> object:
        # D order/create-order: the two ids, nothing else
        kind, side = asked.text("orderType"), asked.text("side")
        if asked.text("category") != "spot" or kind not in ("Limit", "Market"):
            raise Denied(why=Why.ARGUMENTS)
        listing = self.listing(asked.text("symbol"))
        link = asked.text("orderLinkId")
        if len(link) > 36 or side not in ("Buy", "Sell"):
            raise Denied(why=Why.ARGUMENTS)
        quantity = asked.text("qty")
        if kind == "Market" and asked.text("marketUnit", _unit_of(side)) == "quoteCoin":
            now_ns = self.account.market.now_ns
            quantity = bought_for(listing, quantity, now_ns, is_sold=side == "Sell")
        price = asked.text("price") if kind == "Limit" else ""
        force = asked.text("timeInForce", "GTC") if kind == "Limit" else "IOC"
        order = self.place(listing, link, side, quantity, price, force=force)
        return self._good({"orderId": order_id(order), "orderLinkId": link})

    def _cancel(self, asked: Asked) -> object:
        # D order/cancel-order: orderId or orderLinkId, the first has priority
        listing = self.listing(asked.text("symbol"))
        number, link = number_of(asked.text("orderId")), asked.text("orderLinkId")
        if not number and not link:
            raise Denied(why=Why.ARGUMENTS)
        order = self.order_of(listing, client_id="" if number else link, number=number)
        self.cancel(order)
        return self._good({"orderId": order_id(order), "orderLinkId": order.client_id})

    def _realtime(self, asked: Asked) -> object:
        # D order/open-order: newest first, 50 at most; openOnly is ignored beside an id
        if _names_one(asked):
            return self._page(asked, self._named(asked), 20, 50)
        orders = self.open_orders()
        if asked.text("openOnly", "0") == "1":
            orders = [each for each in newest_first(self.account.orders) if not each.is_open]
        return self._page(asked, self._of_market(asked, orders), 20, 50)

    def _history(self, asked: Asked) -> object:
        # D order/order-list: newest first, 50 at most
        if _names_one(asked):
            return self._page(asked, self._named(asked), 20, 50)
        orders = newest_first(self.account.orders)
        return self._page(asked, self._of_market(asked, orders), 20, 50)

    def _named(self, asked: Asked) -> list[PlacedOrder]:
        try:
            number = number_of(asked.text("orderId"))
            client_id = "" if number else asked.text("orderLinkId")
            return [self.order_of(None, client_id=client_id, number=number)]
        except Denied:
            return []  # D order/open-order: a list without rows

    def _of_market(self, asked: Asked, orders: Sequence[PlacedOrder]) -> list[PlacedOrder]:
        name = asked.text("symbol")
        orders = [each for each in orders if name in ("", each.listing.market_id)]
        return [each for each in orders if not self.is_hidden(each)]

    def _executions(self, asked: Asked) -> object:
        # D order/execution: newest first, 100 at most, 7 days at most
        start_ms = int(asked.text("startTime", str(self.account.now_ms - _WEEK_MS)))
        end_ms = int(asked.text("endTime", str(start_ms + _WEEK_MS)))
        if end_ms - start_ms > _WEEK_MS:
            raise Denied(why=Why.ARGUMENTS)
        name = asked.text("symbol")
        made = [
            each
            for each in newest_first(self.account.executions)
            if start_ms <= each.time_ms <= end_ms and name in ("", each.order.listing.market_id)
        ]
        return self._page(asked, made, 50, 100)

    def _page(
        self, asked: Asked, rows: Sequence[PlacedOrder] | Sequence[Execution], usual: int, most: int
    ) -> object:
        limit = int(asked.text("limit", str(usual)))
        if not 1 <= limit <= most:
            raise Denied(why=Why.ARGUMENTS)
        first = int(asked.text("cursor", "0:0").partition(":")[0])
        chosen = rows[first : first + limit]
        told = [
            order_row(each, self.account.executions)
            if isinstance(each, PlacedOrder)
            else execution_row(each)
            for each in chosen
        ]
        # A cursor comes with every page that has rows, the last one included.
        cursor = f"{first + len(chosen)}%3A{len(rows)}" if chosen else ""
        result = {
            "nextPageCursor": cursor,
            "category": "spot",
            "list": self.spoiled(asked, told),
        }
        return self._good(result)

    def _wallet(self, asked: Asked) -> object:
        # D account/wallet-balance
        if asked.text("accountType") != "UNIFIED":
            raise Denied(why=Why.ARGUMENTS)
        coins = [
            {
                "coin": asset,
                "equity": short(each.free + each.locked),
                "usdValue": "0",
                "walletBalance": short(each.free + each.locked),
                "locked": short(each.locked),
                "borrowAmount": "0",
                "accruedInterest": "0",
                "totalOrderIM": "0",
                "totalPositionIM": "0",
                "totalPositionMM": "0",
                "unrealisedPnl": "0",
                "cumRealisedPnl": "0",
                "bonus": "0",
            }
            for asset, each in self.account.holdings.items()
        ]
        account = {"accountType": "UNIFIED", "totalEquity": "0", "coin": coins}
        return self._good({"list": [account]})


def _unit_of(side: str) -> str:
    # D create-order, qty: a market order to buy is by value unless marketUnit says otherwise
    return "quoteCoin" if side == "Buy" else "baseCoin"


def _names_one(asked: Asked) -> bool:
    return bool(asked.text("orderId") or asked.text("orderLinkId"))
