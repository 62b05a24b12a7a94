"""OKX's API v5, spot: how it is asked, and how it answers.

Sources: D is https://www.okx.com/docs-v5/en/, by section; the rows also stand as samples in the
comments of ccxt's okx.py. What is peculiar:

- a new order is answered with ids alone, and a no is HTTP 200 with `code` 1 and the reason in
  `data[0].sCode`;
- lists come newest first, 100 rows at most, and go on `after` an id;
- a fee that was charged is negative, a rebate positive.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
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
from logos.simulators.exchange.limits import OKX, Limit
from logos.simulators.exchange.market import Listing

_ROWS_MAX: Final = 100
_AGE_MS_MAX: Final = 30_000
"""REST Authentication: a request is refused 30 seconds from its timestamp."""

_KEPT_MS: Final = 2 * 3_600_000
_FIRST_BILL: Final = 1_600_000_000_000_000_000
_STATES: Final = {
    "NEW": "live",
    "PARTIALLY_FILLED": "partially_filled",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "EXPIRED": "canceled",
}
"""Get order details, `state`."""

_KINDS: Final = {"GTC": "limit", "IOC": "ioc", "FOK": "fok"}
"""Place order, `ordType`."""
_TIMES: Final = {kind: time for time, kind in _KINDS.items()}

_ERRORS: Final[Mapping[Why, tuple[str, str, int]]] = {
    Why.KEY: ("50111", "Invalid OK-ACCESS-KEY", 401),
    Why.SIGNATURE: ("50113", "Invalid Sign", 401),
    Why.TIME: ("50102", "Timestamp request expired", 401),
    Why.RIGHTS: ("50027", "The account is restricted from trading", 200),
    Why.MARKET: ("51001", "Instrument ID or Spread ID doesn't exist.", 200),
    Why.CLOSED: ("51022", "Contract suspended.", 200),
    Why.DUPLICATE: ("51016", "Client order ID already exists.", 200),
    Why.LOT: ("51121", "Order quantity must be a multiple of the lot size.", 200),
    Why.TICK: ("51000", "Parameter px error", 200),
    Why.VALUE: ("51020", "Your order should meet or exceed the minimum order amount.", 200),
    Why.FUNDS: ("51008", "Order failed. Insufficient balance in account.", 200),
    Why.NO_ORDER: ("51603", "Order does not exist", 200),
    Why.ARGUMENTS: ("51000", "Parameter error", 200),
}
"""D Error Code, REST API."""

_NOT_CANCELLABLE: Final = (
    "51400",
    "Cancellation failed as the order has been filled, canceled or does not exist.",
)


class Okx(Dialect):
    """OKX's private and public requests, as ccxt asks them."""

    exchange_id: ClassVar[str] = "okx"
    limits: ClassVar[tuple[Limit, ...]] = OKX
    requests: ClassVar[Mapping[str, str]] = {
        "create": "POST /api/v5/trade/batch-orders",
        "cancel": "POST /api/v5/trade/cancel-order",
        "find": "GET /api/v5/trade/order",
        "open": "GET /api/v5/trade/orders-pending",
        "fills": "GET /api/v5/trade/fills-history",
        "balances": "GET /api/v5/account/balance",
    }
    is_demo = False
    """Whether the keys are those of demo trading: then its header is due."""
    others_kind = ""
    """`ordType` of orders without a client id, where it is one of the exchange's rarer kinds."""

    @staticmethod
    def market_id(base: str, quote: str) -> str:
        return f"{base}-{quote}"

    def routes(self) -> list[web.RouteDef]:
        private, trade = self.private, "/api/v5/trade"
        return [
            web.get("/api/v5/public/time", self.public(self._time)),
            web.get("/api/v5/public/instruments", self.public(self._instruments)),
            web.post(f"{trade}/batch-orders", private(self._place, trades=True)),
            web.post(f"{trade}/cancel-order", private(self._cancel, trades=True)),
            web.get(f"{trade}/order", private(self._show)),
            web.get(f"{trade}/orders-pending", private(self._pending)),
            web.get(f"{trade}/fills-history", private(self._fills)),
            web.get("/api/v5/account/balance", private(self._balance)),
        ]

    def verify(self, asked: Asked) -> None:
        """D REST Authentication: base64 of HMAC-SHA256 of time, method, path with query, body."""
        headers = asked.headers
        if headers.get("OK-ACCESS-KEY") != self.keys.key:
            raise Denied(why=Why.KEY)
        if headers.get("OK-ACCESS-PASSPHRASE") != self.keys.password:
            raise Denied(why=Why.KEY)
        # D Demo Trading Services: 50101 for the keys of the other environment
        if (headers.get("x-simulated-trading") == "1") != self.is_demo:
            raise Denied(why=Why.KEY)
        at = headers.get("OK-ACCESS-TIMESTAMP", "")
        said = f"{at}{asked.method}{asked.target}{asked.body}".encode()
        digest = hmac.digest(self.keys.secret.encode(), said, hashlib.sha256)
        right = base64.b64encode(digest).decode()
        if not hmac.compare_digest(right, headers.get("OK-ACCESS-SIGN", "")):
            raise Denied(why=Why.SIGNATURE)
        moment_ms = int(datetime.fromisoformat(at).timestamp() * 1000)
        if abs(moment_ms - self.account.now_ms) > _AGE_MS_MAX:
            raise Denied(why=Why.TIME)

    def refusal(self, denied: Denied, asked: Asked) -> Told:
        if denied.why is Why.NOT_OPEN or (
            denied.why is Why.NO_ORDER and asked.path.endswith("/cancel-order")
        ):
            return self._refused(asked, *_NOT_CANCELLABLE)
        code, words, status = _ERRORS[denied.why]
        if asked.path.endswith("/batch-orders") and status == 200:
            return self._refused(asked, code, words)
        return Told({"code": code, "msg": words, "data": []}, status)

    def _refused(self, asked: Asked, code: str, words: str) -> Told:
        """A no to an order or a cancel: D Place multiple orders, sCode and sMsg."""
        row = {"clOrdId": _order_asked(asked).get("clOrdId", ""), "ordId": "", "tag": ""}
        row |= {"ts": str(self.account.now_ms), "sCode": code, "sMsg": words}
        return Told({"code": "1", "msg": "All operations failed", "data": [row]})

    def fault(self, fault: Fault) -> Told | None:
        """D Error Code: 50011 and 50004."""
        if fault is Fault.RATE_LIMIT:
            return Told({"msg": "Too Many Requests", "code": "50011"}, 429)
        if fault is Fault.UNSURE:
            words = "API endpoint request timeout (does not mean that the request was successful)"
            return Told({"code": "50004", "msg": words, "data": []}, 400)
        return None

    # ---- public ----

    def _time(self, _asked: Asked) -> object:
        # D Get system time
        return _good([{"ts": str(self.account.now_ms)}])

    def _instruments(self, _asked: Asked) -> object:
        # D Get instruments
        return _good([instrument_row(each) for each in self.account.market.listings.values()])

    # ---- orders ----

    def _place(self, asked: Asked) -> object:
        # D Place multiple orders: ids alone, nothing of how the order stands
        told = _order_asked(asked)
        client_id = str(told.get("clOrdId", ""))
        if not (client_id.isascii() and client_id.isalnum() and len(client_id) <= 32):
            raise Denied(why=Why.ARGUMENTS)
        kind = told["ordType"]
        is_market = kind == "market"
        # D tgtCcy: by default a market order to buy tells what it is to cost.
        if is_market and told["side"] == "buy" and told.get("tgtCcy") != "base_ccy":
            raise Denied(why=Why.ARGUMENTS)
        listing = self.listing(told["instId"])
        price = "" if is_market else str(told["px"])
        force = "GTC" if is_market else _TIMES[kind]
        order = self.place(listing, client_id, told["side"], told["sz"], price, force=force)
        ids = {"clOrdId": order.client_id, "ordId": str(order.order_id), "tag": ""}
        row = ids | {"ts": str(self.account.now_ms), "sCode": "0", "sMsg": "Order placed"}
        return _good([row])

    def _asked_order(self, asked: Asked) -> PlacedOrder:
        """D: ordId counts where both are told; of a clOrdId the latest."""
        if not asked.text("ordId") and not asked.text("clOrdId"):
            raise Denied(why=Why.ARGUMENTS)
        listing = self.listing(asked.text("instId"))
        if asked.text("ordId"):
            return self.order_of(listing, number=int(asked.text("ordId")))
        return self.order_of(listing, client_id=asked.text("clOrdId"))

    def _show(self, asked: Asked) -> object:
        # D Get order details
        order = self._asked_order(asked)
        is_empty = order.status in ("CANCELED", "EXPIRED") and not order.filled
        if is_empty and self.account.now_ms - order.ended_ms > _KEPT_MS:
            raise Denied(why=Why.NO_ORDER)
        return _good([order_row(order, self.executions_of(order))])

    def _cancel(self, asked: Asked) -> object:
        # D Cancel order
        order = self._asked_order(asked)
        self.cancel(order)
        ids = {"clOrdId": order.client_id, "ordId": str(order.order_id)}
        return _good([ids | {"ts": str(self.account.now_ms), "sCode": "0", "sMsg": ""}])

    def _pending(self, asked: Asked) -> object:
        # D Get order list: 100 at most, newest first; `after` an ordId, older ones
        after = int(asked.text("after") or 2**62)
        orders = [
            each
            for each in self.open_orders()
            if each.order_id < after
            and asked.text("instId", each.listing.market_id) == each.listing.market_id
        ]
        rows = [order_row(each, self.executions_of(each)) for each in orders[: _limit(asked)]]
        for row in rows:
            if self.others_kind and not row["clOrdId"]:
                row["ordType"] = self.others_kind
        return _good(self.spoiled(asked, rows))

    # ---- fills and holdings ----

    def _fills(self, asked: Asked) -> object:
        # D Get transaction details (last 3 months): 100 at most, newest first, `begin` and `end`
        # in milliseconds; `after` a billId, older ones
        begin_ms, end_ms = int(asked.text("begin") or 0), int(asked.text("end") or 2**62)
        after = int(asked.text("after") or 2**62)
        found = [
            each
            for each in newest_first(self.account.executions)
            if begin_ms <= each.time_ms <= end_ms
            and bill_id(each) < after
            and asked.text("instId", each.order.listing.market_id) == each.order.listing.market_id
        ]
        rows = [fill_row(each) for each in found[: _limit(asked)]]
        return _good(self.spoiled(asked, rows))

    def _balance(self, _asked: Asked) -> object:
        # D Get balance
        now_ms = self.account.now_ms
        holdings = self.account.holdings.items()
        details = [balance_row(asset, holding, now_ms) for asset, holding in holdings]
        return _good([{"adjEq": "", "details": details, "totalEq": "0", "uTime": str(now_ms)}])


def _good(data: list[Any]) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": data}


def _order_asked(asked: Asked) -> dict[str, Any]:
    """The order that a request is about; ccxt places one as a list of one."""
    told = json.loads(asked.body) if asked.body else {}
    found: dict[str, Any] = told[0] if isinstance(told, list) else told
    return found


def _limit(asked: Asked) -> int:
    return min(_ROWS_MAX, int(asked.text("limit") or _ROWS_MAX))


def instrument_row(listing: Listing) -> dict[str, Any]:
    """Get instruments. OKX names no least value of an order."""
    return {
        "alias": "",
        "baseCcy": listing.base,
        "category": "1",
        "ctMult": "",
        "ctType": "",
        "ctVal": "",
        "ctValCcy": "",
        "expTime": "",
        "instFamily": "",
        "instId": listing.market_id,
        "instType": "SPOT",
        "lever": "10",
        "listTime": "1606468572000",
        "lotSz": listing.lot,
        "maxLmtAmt": "20000000",
        "maxLmtSz": listing.maximum_quantity,
        "maxMktAmt": "1000000",
        "maxMktSz": "1000000",
        "minSz": listing.minimum_quantity,
        "optType": "",
        "quoteCcy": listing.quote,
        "settleCcy": "",
        "state": "live" if listing.is_trading else "suspend",
        "stk": "",
        "tickSz": listing.tick,
        "uly": "",
    }


def order_row(order: PlacedOrder, executions: Sequence[Execution]) -> dict[str, Any]:
    """Get order details; the rows of Get order list are the same."""
    is_market = order.kind == "MARKET"
    last = executions[-1] if executions else None
    fee = sum((each.fee for each in executions), Decimal(0))
    return {
        "accFillSz": short(order.filled),
        "algoClOrdId": "",
        "algoId": "",
        "attachAlgoClOrdId": "",
        "attachAlgoOrds": [],
        "avgPx": "" if not order.filled else short(order.spent / order.filled),
        "cTime": str(order.placed_ms),
        "category": "normal",
        "ccy": "",
        "clOrdId": order.client_id,
        "fee": short(-fee),
        "feeCcy": order.listing.base if order.is_buy else order.listing.quote,
        "fillPx": "" if last is None else short(last.price),
        "fillSz": "0" if last is None else short(last.quantity),
        "fillTime": "" if last is None else str(last.time_ms),
        "instId": order.listing.market_id,
        "instType": "SPOT",
        "lever": "",
        "ordId": str(order.order_id),
        "ordType": "market" if is_market else _KINDS[order.time_in_force],
        "pnl": "0",
        "posSide": "net",
        "px": "" if is_market else short(order.limit),
        "rebate": "0",
        "rebateCcy": order.listing.quote if order.is_buy else order.listing.base,
        "reduceOnly": "false",
        "side": order.side.lower(),
        "slOrdPx": "",
        "slTriggerPx": "",
        "source": "",
        "state": _STATES[order.status],
        "sz": short(order.quantity),
        "tag": "",
        "tdMode": "cash",
        "tgtCcy": "base_ccy" if is_market else "",
        "tpOrdPx": "",
        "tpTriggerPx": "",
        "tradeId": "" if last is None else str(last.trade_id),
        "uTime": str(order.placed_ms if last is None else last.time_ms),
    }


def bill_id(each: Execution) -> int:
    return _FIRST_BILL + each.trade_id


def fill_row(each: Execution) -> dict[str, Any]:
    """Get transaction details (last 3 months): what was charged is negative."""
    return {
        "instType": "SPOT",
        "instId": each.order.listing.market_id,
        "tradeId": str(each.trade_id),
        "ordId": str(each.order.order_id),
        "clOrdId": each.order.client_id,
        "billId": str(bill_id(each)),
        "subType": "1" if each.order.is_buy else "2",
        "tag": "",
        "fillPx": short(each.price),
        "fillSz": short(each.quantity),
        "side": each.order.side.lower(),
        "posSide": "net",
        "execType": "M" if each.is_maker else "T",
        "feeCcy": each.fee_asset,
        "fee": short(-each.fee),
        "ts": str(each.time_ms),
        "fillTime": str(each.time_ms),
    }


def balance_row(asset: str, holding: Holding, now_ms: int) -> dict[str, Any]:
    """Get balance, one of `details`; `availEq` is empty outside of margin accounts."""
    total = short(holding.free + holding.locked)
    return {
        "availBal": short(holding.free),
        "availEq": "",
        "cashBal": total,
        "ccy": asset,
        "eq": total,
        "frozenBal": short(holding.locked),
        "ordFrozen": short(holding.locked),
        "uTime": str(now_ms),
    }
