"""Bitget spot, version 2 of its API, in a classic account.

Sources. D: https://www.bitget.com/api-doc/spot. E: its table of error codes,
https://www.bitget.com/legacy-docs/classic/contract/error-code/restapi. C: samples in ccxt 4.5.90,
bitget.py.

- Every answer is `code`, `msg`, `requestTime` and `data`; a refusal is a code other than 00000.
- A new order is answered with its ids.
- Lists hold at most 100 rows, the newest first; `idLessThan` goes on to older ones.
- In the list of open orders `priceAvg` is the order's price and `basePrice` that of its fills.
- A market order to buy tells its size in the quote coin.
- A client id counts only while its order is unfilled, and for six hours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
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
    plain,
    short,
)
from logos.simulators.exchange.dialects.parts import best_prices, bought_for, paid
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.limits import BITGET, Limit, Met

_PAGE: Final = 100
"""D Get-Fills, Get-Unfilled-Orders: default 100, at most 100."""

_DAYS_MS: Final = 90 * 86_400_000
_CLIENT_ID: Final = re.compile(r"[0-9A-Za-z_:#+-]{1,50}", re.ASCII)
"""E 40305: 50 characters; D, Place Order Channel: letters, digits, _ : # - +."""

_CODES: Final[Mapping[Why, tuple[str, str]]] = {
    Why.KEY: ("40037", "Apikey does not exist"),
    Why.SIGNATURE: ("40009", "sign signature error"),
    Why.TIME: ("40008", "Request timestamp expired"),
    Why.RIGHTS: ("40014", "Incorrect permissions, need spot trade permissions"),
    Why.MARKET: ("40034", "Parameter symbol does not exist"),
    Why.CLOSED: ("43115", "The current trading pair is opening soon"),
    Why.DUPLICATE: ("43118", "clientOrderId duplicate"),
    Why.LOT: ("40020", "Parameter size error"),
    Why.TICK: ("40020", "Parameter price error"),
    Why.VALUE: ("45110", "less than the minimum amount 5 USDT"),
    Why.FUNDS: ("43012", "Insufficient balance"),
    Why.NO_ORDER: ("43001", "The order does not exist"),
    Why.NOT_OPEN: ("43001", "The order does not exist"),
    Why.ARGUMENTS: ("40017", "Parameter verification failed"),
}
"""E; 43001 for an order that has ended as well."""

_STATUS: Final = {
    "NEW": "live",
    "PARTIALLY_FILLED": "partially_filled",
    "FILLED": "filled",
    "CANCELED": "cancelled",
    "EXPIRED": "cancelled",
}
"""D Get-Order-Info, status."""


class Bitget(Dialect):
    """Bitget's private and public requests, as ccxt asks them."""

    exchange_id: ClassVar[str] = "bitget"
    limits: ClassVar[tuple[Limit, ...]] = BITGET
    requests: ClassVar[Mapping[str, str]] = {
        "create": "POST /api/v2/spot/trade/place-order",
        "cancel": "POST /api/v2/spot/trade/cancel-order",
        "find": "GET /api/v2/spot/trade/orderInfo",
        "open": "GET /api/v2/spot/trade/unfilled-orders",
        "fills": "GET /api/v2/spot/trade/fills",
        "balances": "GET /api/v2/spot/account/assets",
    }

    @staticmethod
    def market_id(base: str, quote: str) -> str:
        return base + quote

    def routes(self) -> list[web.RouteDef]:
        public, private = self.public, self.private
        trade = "/api/v2/spot/trade"
        return [
            web.get("/api/v2/public/time", public(self._time)),
            web.get("/api/v2/spot/public/symbols", public(self._symbols)),
            web.get("/api/v2/margin/currencies", public(lambda _: self._good([]))),
            web.get("/api/v2/spot/market/orderbook", public(self._book)),
            web.post(f"{trade}/place-order", private(self._place, trades=True)),
            web.post(f"{trade}/cancel-order", private(self._cancel, trades=True)),
            web.get(f"{trade}/orderInfo", private(self._show)),
            web.get(f"{trade}/unfilled-orders", private(self._unfilled)),
            web.get(f"{trade}/fills", private(self._fills)),
            web.get("/api/v2/spot/account/assets", private(self._assets)),
        ]

    def verify(self, asked: Asked) -> None:
        """D common/signature: HMAC-SHA256 of time, method, path, query and body, in base64."""
        if asked.headers.get("ACCESS-KEY") != self.keys.key:
            raise Denied(why=Why.KEY)
        if asked.headers.get("ACCESS-PASSPHRASE") != self.keys.password:
            raise Denied(why=Why.SIGNATURE)
        at = asked.headers.get("ACCESS-TIMESTAMP", "")
        text = at + asked.method + asked.target + asked.body
        digest = hmac.new(self.keys.secret.encode(), text.encode(), hashlib.sha256).digest()
        right = base64.b64encode(digest).decode()
        if not hmac.compare_digest(right, asked.headers.get("ACCESS-SIGN", "")):
            raise Denied(why=Why.SIGNATURE)
        if not at.isdecimal() or abs(int(at) - self.account.now_ms) > 30_000:
            raise Denied(why=Why.TIME)

    def _good(self, data: object) -> object:
        now_ms = self.account.now_ms
        return {"code": "00000", "msg": "success", "requestTime": now_ms, "data": data}

    def _bad(self, code: str, words: str, status: int = 400) -> Told:
        told = {"code": code, "msg": words, "requestTime": self.account.now_ms, "data": None}
        return Told(told, status)

    def refusal(self, denied: Denied, asked: Asked) -> Told:  # noqa: ARG002 - others need it
        return self._bad(*_CODES[denied.why])

    def told_limits(self, met: Met) -> Mapping[str, str]:
        # bitget.com/api-doc/common/faq Q11: what is left in this second
        [count] = met.counts
        return {"x-mbx-used-remain-limit": str(count.left(met.now_ms))}

    def fault(self, fault: Fault) -> Told | None:
        # C exceptions 429; E 40010
        if fault is Fault.RATE_LIMIT:
            return self._bad("429", "Too many requests", 429)
        if fault is Fault.UNSURE:
            return self._bad("40010", "Request timed out")
        return None

    # ---- the market ----

    def _time(self, _asked: Asked) -> object:
        # https://www.bitget.com/api-doc/common/public/Get-Server-Time
        return self._good({"serverTime": str(self.account.now_ms)})

    def _symbols(self, _asked: Asked) -> object:
        # D market/Get-Symbols
        rows = [
            {
                "symbol": each.market_id,
                "baseCoin": each.base,
                "quoteCoin": each.quote,
                "minTradeAmount": each.minimum_quantity,
                "maxTradeAmount": each.maximum_quantity,
                "takerFeeRate": "0.001",
                "makerFeeRate": "0.001",
                "pricePrecision": str(decimals_of(each.tick)),
                "quantityPrecision": str(decimals_of(each.lot)),
                "quotePrecision": "8",
                "status": "online" if each.is_trading else "halt",
                "minTradeUSDT": each.minimum_notional,
                "buyLimitPriceRatio": "0.05",
                "sellLimitPriceRatio": "0.05",
            }
            for each in self.account.market.listings.values()
        ]
        return self._good(rows)

    def _book(self, asked: Asked) -> object:
        # D market/Get-Orderbook
        listing = self.listing(asked.text("symbol"))
        bids, asks = best_prices(listing, self.account.market.now_ns)
        return self._good({"asks": asks, "bids": bids, "ts": str(self.account.now_ms)})

    # ---- orders ----

    def _place(self, asked: Asked) -> object:
        # D trade/Place-Order
        client_id = asked.text("clientOid")
        if not _CLIENT_ID.fullmatch(client_id):
            raise Denied(why=Why.ARGUMENTS)
        listing = self.listing(asked.text("symbol"))
        side, size = asked.text("side"), asked.text("size")
        is_market = asked.text("orderType") == "market"
        if is_market and side == "buy":
            size = bought_for(listing, size, self.account.market.now_ns)
        price = "" if is_market else asked.text("price")
        order = self.place(listing, client_id, side, size, price, force=asked.text("force", "GTC"))
        return self._good({"orderId": str(order.order_id), "clientOid": order.client_id})

    def _asked_order(self, asked: Asked) -> PlacedOrder:
        number = asked.text("orderId")
        return self.order_of(
            None,
            client_id=asked.text("clientOid"),
            number=int(number) if number.isdecimal() else 0,
        )

    def _show(self, asked: Asked) -> object:
        """The order; an empty list where there is none (C fetch_order)."""
        try:
            order = self._asked_order(asked)
        except Denied:
            return self._good([])
        return self._good([self._order_row(order)])

    def _cancel(self, asked: Asked) -> object:
        # D trade/Cancel-Order
        order = self._asked_order(asked)
        self.cancel(order)
        return self._good({"orderId": str(order.order_id), "clientOid": order.client_id})

    def _unfilled(self, asked: Asked) -> object:
        # D trade/Get-Unfilled-Orders
        listing = self.listing(asked.text("symbol")) if asked.text("symbol") else None
        found = _older(self.open_orders(listing), asked, lambda each: each.order_id)
        return self._good(self.spoiled(asked, [self._open_row(each) for each in found]))

    def _order_row(self, order: PlacedOrder) -> dict[str, Any]:
        # D trade/Get-Order-Info; C, comment of parse_order
        average = order.spent / order.filled if order.filled else Decimal(0)
        is_cost = order.kind == "MARKET" and order.is_buy
        return {
            "userId": "7264631750",
            "symbol": order.listing.market_id,
            "orderId": str(order.order_id),
            "clientOid": order.client_id or f"web{order.order_id}",
            "price": plain(order.limit, 16),
            "size": plain(order.spent if is_cost else order.quantity, 16),
            "orderType": order.kind.lower(),
            "side": order.side.lower(),
            "status": _STATUS[order.status],
            "priceAvg": plain(average, 16),
            "baseVolume": plain(order.filled, 16),
            "quoteVolume": plain(order.spent, 16),
            "enterPointSource": "API",
            "feeDetail": self._fee_detail(order),
            "orderSource": "market" if order.kind == "MARKET" else "normal",
            "cancelReason": "normal_cancel" if order.status == "CANCELED" else "",
            "cTime": str(order.placed_ms),
            "uTime": str(order.ended_ms or order.placed_ms),
        }

    def _open_row(self, order: PlacedOrder) -> dict[str, Any]:
        """D Get-Unfilled-Orders: other names for the price and the price of the fills."""
        row = self._order_row(order)
        average, price = row.pop("priceAvg"), row.pop("price")
        row.pop("cancelReason")
        prices = {"priceAvg": price, "basePrice": average if order.filled else "0"}
        return {**row, **prices, "tpslType": "normal", "triggerPrice": None}

    def _fee_detail(self, order: PlacedOrder) -> str:
        """What an order has cost so far, as JSON within JSON; empty without fills."""
        fills = self.executions_of(order)
        if not fills:
            return ""
        total = -float(sum(each.fee for each in fills))
        coin = fills[0].fee_asset
        own = {"deduction": False, "feeCoinCode": coin, "totalDeductionFee": 0, "totalFee": total}
        new = {"c": 0, "d": 0, "deduction": False, "r": total, "t": total, "totalDeductionFee": 0}
        return json.dumps({"newFees": new, coin: own}, separators=(",", ":"))

    # ---- fills and holdings ----

    def _fills(self, asked: Asked) -> object:
        # D trade/Get-Fills: 90 days at most
        listing = self.listing(asked.text("symbol")) if asked.text("symbol") else None
        end_ms = int(asked.text("endTime", str(self.account.now_ms)))
        start_ms = int(asked.text("startTime", str(end_ms - _DAYS_MS)))
        if end_ms - start_ms > _DAYS_MS:
            return self._bad(
                "00001", "startTime and endTime interval cannot be greater than 90 days"
            )
        found = [
            each
            for each in newest_first(self.account.executions)
            if listing in (None, each.order.listing) and start_ms <= each.time_ms <= end_ms
        ]
        found = _older(found, asked, _trade_id)
        return self._good(self.spoiled(asked, [_fill_row(each) for each in found]))

    def _assets(self, _asked: Asked) -> object:
        # D account/Get-Account-Assets
        rows = [
            {
                "coin": asset,
                "available": short(each.free),
                "limitAvailable": "0",
                "frozen": short(each.locked),
                "locked": "0",
                "uTime": str(self.account.now_ms),
            }
            for asset, each in self.account.holdings.items()
        ]
        return self._good(rows)


def _fill_row(each: Execution) -> dict[str, Any]:
    """D Get-Fills; fees are negative, and in BGB with `deduction` yes."""
    [(coin, fee)] = paid(each).items()
    order = each.order
    is_deducted = coin not in (order.listing.base, order.listing.quote)
    return {
        "userId": "7264631750",
        "symbol": order.listing.market_id,
        "orderId": str(order.order_id),
        "tradeId": str(_trade_id(each)),
        "orderType": order.kind.lower(),
        "side": order.side.lower(),
        "priceAvg": short(each.price),
        "size": short(each.quantity),
        "amount": short(each.price * each.quantity),
        "feeDetail": {
            "deduction": "yes" if is_deducted else "no",
            "feeCoin": coin,
            "totalDeductionFee": short(-fee) if is_deducted else "",
            "totalFee": short(-fee),
        },
        "tradeScope": "maker" if each.is_maker else "taker",
        "cTime": str(each.time_ms),
        "uTime": str(each.time_ms),
    }


def _trade_id(each: Execution) -> int:
    return 1_098_394_344_000_000_000 + each.trade_id


def _older(rows: list[Any], asked: Asked, id_of: Callable[[Any], int]) -> list[Any]:
    """A page of rows, newest first, older than the id that is asked for."""
    first = asked.text("idLessThan")
    found = [row for row in rows if not first or id_of(row) < int(first)]
    return found[: min(_PAGE, int(asked.text("limit", str(_PAGE))))]
