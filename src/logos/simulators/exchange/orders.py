"""An account at the local exchange: orders, fills and balances behind signed requests.

Shapes, codes and words follow the public documentation of Binance's spot API, as ccxt's adapter
for it asks them. What the documentation warns of can be made to happen: a new order is not found
for a moment, a fill slips in before a cancel, an answer comes late.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

from aiohttp import web

from logos.simulators.exchange.account import UNIT, Execution, PlacedOrder, SpotAccount
from logos.simulators.exchange.answers import spoil_rows
from logos.simulators.exchange.denials import Denied
from logos.simulators.exchange.server import FAULT_KEY, Exchange, Handler, json_answer

_ROWS_MAX: Final = 1_000
_ROWS_DEFAULT: Final = 500
_DAY_MS: Final = 86_400_000


@dataclass(slots=True)
class Troubles:
    """What an account does wrong on purpose, beyond the exchange's faults."""

    not_found: dict[str, int] = field(default_factory=dict)
    """By client id: how many more questions about the order are answered "does not exist"."""
    before_cancel: Callable[[Any], None] | None = None
    """Called with the order just before a cancel takes effect: a fill may slip in."""
    hold: asyncio.Event | None = None
    """While set to an event, handled orders are answered only once it is set."""


class ExchangeOrders(SpotAccount):
    """Adds an account to an exchange: `ExchangeOrders(exchange, key, secret, {"USDT": "1000"})`.

    Make it before the exchange is started.
    """

    def __init__(
        self,
        exchange: Exchange,
        key: str,
        secret: str,
        balances: Mapping[str, str],
        *,
        fee_rate: str = "0.001",
    ) -> None:
        super().__init__(exchange.market, balances, fee_rate)
        self._key = key
        self._secret = secret
        self.troubles = Troubles()
        exchange.add_routes(
            [
                web.post("/api/v3/order", self._signed(self._place, trades=True)),
                web.get("/api/v3/order", self._signed(self._show)),
                web.delete("/api/v3/order", self._signed(self._cancel, trades=True)),
                web.get("/api/v3/openOrders", self._signed(self._open_orders)),
                web.get("/api/v3/allOrders", self._signed(self._all_orders)),
                web.get("/api/v3/myTrades", self._signed(self._my_trades)),
                web.get("/api/v3/account", self._signed(self._account)),
            ]
        )
        exchange.on_advance(self._on_advance)

    async def _on_advance(self, _before_ns: int, _now_ns: int) -> None:
        self.match_all()

    def _signed(
        self, answer: Callable[[web.Request, dict[str, str]], Any], trades: bool = False
    ) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            text = request.query_string + (await request.text())
            try:
                asked = self._verified(text, request.headers.get("X-MBX-APIKEY", ""))
                if trades and not self.may_trade:
                    words = "Invalid API-key, IP, or permissions for action."
                    raise Denied(-2015, words, 401)
                response = json_answer(answer(request, asked))
            except Denied as refusal:
                words_of = {"code": refusal.code, "msg": refusal.words}
                return json_answer(words_of, refusal.status)
            if trades and self.troubles.hold is not None:
                await self.troubles.hold.wait()
            return response

        return handle

    def _verified(self, text: str, key: str) -> dict[str, str]:
        """The parameters of a request whose key, signature and time are right."""
        if key != self._key:
            raise Denied(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        payload, _, signature = text.rpartition("&signature=")
        right = hmac.new(self._secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, signature):
            raise Denied(-1022, "Signature for this request is not valid.")
        asked = dict(parse_qsl(payload, keep_blank_values=True))
        ahead_ms = int(asked["timestamp"]) - self.now_ms
        if ahead_ms >= 1000:
            words = "Timestamp for this request was 1000ms ahead of the server's time."
            raise Denied(-1021, words)
        if -ahead_ms > int(asked.get("recvWindow", 5000)):
            raise Denied(-1021, "Timestamp for this request is outside of the recvWindow.")
        return asked

    def _place(self, _request: web.Request, asked: dict[str, str]) -> dict[str, Any]:
        order = self.take(asked)
        fills = [each for each in self.executions if each.order is order]
        return self._order_row(order) | {
            "transactTime": order.placed_ms,
            "fills": [
                {
                    "price": _text(each.price),
                    "qty": _text(each.quantity),
                    "commission": _text(each.fee),
                    "commissionAsset": each.fee_asset,
                    "tradeId": each.trade_id,
                }
                for each in fills
            ],
        }

    def _show(self, _request: web.Request, asked: dict[str, str]) -> dict[str, Any]:
        order = self._asked_order(asked, -2013, "Order does not exist.")
        left = self.troubles.not_found.get(order.client_id, 0)
        if left:
            self.troubles.not_found[order.client_id] = left - 1
            raise Denied(-2013, "Order does not exist.")
        return self._order_row(order)

    def _cancel(self, _request: web.Request, asked: dict[str, str]) -> dict[str, Any]:
        order = self._asked_order(asked, -2011, "Unknown order sent.")
        if self.troubles.before_cancel is not None:
            self.troubles.before_cancel(order)
        if not order.is_open:
            raise Denied(-2011, "Unknown order sent.")
        self.end(order, "CANCELED")
        return self._order_row(order) | {
            "origClientOrderId": order.client_id,
            "clientOrderId": f"cancel_{order.order_id}",
        }

    def _asked_order(self, asked: Mapping[str, str], code: int, words: str) -> PlacedOrder:
        listing = self.listing(asked)
        for order in reversed(self.orders):
            same_id = str(order.order_id) == asked.get("orderId")
            if order.listing is listing and (
                same_id or order.client_id == asked.get("origClientOrderId")
            ):
                return order
        raise Denied(code, words)

    def _open_orders(self, request: web.Request, asked: dict[str, str]) -> list[dict[str, Any]]:
        listing = self.listing(asked) if "symbol" in asked else None
        orders = [each for each in self.orders if each.is_open]
        rows = [self._order_row(each) for each in orders if listing in (None, each.listing)]
        return self._spoiled(request, rows)

    def _all_orders(self, request: web.Request, asked: dict[str, str]) -> list[dict[str, Any]]:
        listing = self.listing(asked)
        first = int(asked.get("orderId", 0))
        orders = [
            each for each in self.orders if each.listing is listing and each.order_id >= first
        ]
        rows = [self._order_row(each) for each in orders]
        return self._spoiled(request, rows[: _limit(asked)] if first else rows[-_limit(asked) :])

    def _my_trades(self, request: web.Request, asked: dict[str, str]) -> list[dict[str, Any]]:
        listing = self.listing(asked)
        if "fromId" in asked and ("startTime" in asked or "endTime" in asked):
            raise Denied(-1128, "Combination of optional parameters invalid.")
        start_ms = int(asked.get("startTime", 0))
        end_ms = int(asked.get("endTime", 2**62))
        if "startTime" in asked and "endTime" in asked and end_ms - start_ms > _DAY_MS:
            raise Denied(-1127, "More than 24 hours between startTime and endTime.")
        first = int(asked.get("fromId", 0))
        found = [
            each
            for each in self.executions
            if each.order.listing is listing
            and start_ms <= each.time_ms <= end_ms
            and each.trade_id >= first
        ]
        is_forward = "fromId" in asked or "startTime" in asked
        limit = _limit(asked)
        chosen = found[:limit] if is_forward else found[-limit:]
        return self._spoiled(request, [_trade_row(each) for each in chosen])

    def _account(self, _request: web.Request, _asked: dict[str, str]) -> dict[str, Any]:
        return {
            "canTrade": self.may_trade,
            "canWithdraw": False,
            "canDeposit": True,
            "accountType": "SPOT",
            "updateTime": self.now_ms,
            "permissions": ["SPOT"],
            "balances": [
                {"asset": asset, "free": _text(each.free), "locked": _text(each.locked)}
                for asset, each in self.holdings.items()
            ],
        }

    def _spoiled(self, request: web.Request, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rule = request.get(FAULT_KEY)
        return spoil_rows(rows, None if rule is None else rule.fault)

    def _order_row(self, order: PlacedOrder) -> dict[str, Any]:
        return {
            "symbol": order.listing.market_id,
            "orderId": order.order_id,
            "orderListId": -1,
            "clientOrderId": order.client_id,
            "price": _text(order.limit),
            "origQty": _text(order.quantity),
            "executedQty": _text(order.filled),
            "cummulativeQuoteQty": _text(order.spent),
            "status": order.status,
            "timeInForce": order.time_in_force,
            "type": order.kind,
            "side": order.side,
            "stopPrice": _text(order.stop),
            "time": order.placed_ms,
            "updateTime": order.placed_ms,
            "isWorking": order.is_triggered,
        }


def _trade_row(each: Execution) -> dict[str, Any]:
    return {
        "symbol": each.order.listing.market_id,
        "id": each.trade_id,
        "orderId": each.order.order_id,
        "orderListId": -1,
        "price": _text(each.price),
        "qty": _text(each.quantity),
        "quoteQty": _text(each.price * each.quantity),
        "commission": _text(each.fee),
        "commissionAsset": each.fee_asset,
        "time": each.time_ms,
        "isBuyer": each.order.side == "BUY",
        "isMaker": each.is_maker,
        "isBestMatch": True,
    }


def _limit(asked: Mapping[str, str]) -> int:
    return min(_ROWS_MAX, int(asked.get("limit", _ROWS_DEFAULT)))


def _text(number: Decimal) -> str:
    return f"{number.quantize(UNIT, rounding=ROUND_DOWN):f}"
