"""Dead man's switches of an exchange, in the shapes that four exchanges document.

- Kraken, `POST /0/private/CancelAllOrdersAfter` with `timeout` in seconds: all orders;
  https://docs.kraken.com/api-reference/trading/cancel-all-orders-after-x
- OKX, `POST /api/v5/trade/cancel-all-after` with `timeOut` in seconds, 0 or 10 to 120: all orders;
  https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-cancel-all-after
- Binance futures, `POST /fapi/v1/countdownCancelAll` with `symbol` and `countdownTime` in
  milliseconds: the orders of that symbol;
  https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api/Auto-Cancel-All-Open-Orders
- Gate, `POST /api/v4/spot/countdown_cancel_all` with `timeout` in seconds, 0 or at least 5, and
  `currency_pair`: the orders of that pair;
  https://github.com/gateio/gateapi-python/blob/master/docs/SpotApi.md#countdown_cancel_all_spot

Each request puts off the moment of the one before it, 0 takes it back, and after it has come the
switch is off until it is asked for again. Keys and signatures are not looked at.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from aiohttp import web

from logos.simulators.exchange.account import SpotAccount
from logos.simulators.exchange.market import NS_PER_MS
from logos.simulators.exchange.server import Exchange, json_answer

ALL: Final = ""
_NS_PER_S: Final = 1_000_000_000


class DeadManSwitch:
    """Adds the endpoints to an exchange that has an account: make it before it is started.

    `due_ns` is when what is cancelled, by market id; `ALL` is the whole account.
    """

    def __init__(self, exchange: Exchange, account: SpotAccount) -> None:
        self._market = exchange.market
        self._account = account
        self.due_ns: dict[str, int] = {}
        self.cancelled: list[str] = []
        """Client ids of orders that it cancelled."""
        exchange.add_routes(
            [
                web.post("/0/private/CancelAllOrdersAfter", self._kraken),
                web.post("/api/v5/trade/cancel-all-after", self._okx),
                web.post("/fapi/v1/countdownCancelAll", self._binance),
                web.post("/api/v4/spot/countdown_cancel_all", self._gate),
            ]
        )
        exchange.on_advance(self._on_advance)

    async def _kraken(self, request: web.Request) -> web.Response:
        seconds = int(dict(parse_qsl(await request.text()))["timeout"])
        due_ns = self._set(ALL, seconds * _NS_PER_S)
        now_ns = self._market.now_ns
        times = {"currentTime": _iso(now_ns), "triggerTime": _iso(due_ns) if due_ns else "0"}
        return json_answer({"error": [], "result": times})

    async def _okx(self, request: web.Request) -> web.Response:
        seconds = int(json.loads(await request.text())["timeOut"])
        if seconds and not 10 <= seconds <= 120:
            return json_answer({"code": "51000", "msg": "Parameter timeOut error", "data": []})
        due_ns = self._set(ALL, seconds * _NS_PER_S)
        row: dict[str, Any] = {
            "triggerTime": str(due_ns // _NS_PER_S),
            "ts": str(self._market.now_ns // _NS_PER_S),
        }
        return json_answer({"code": "0", "msg": "", "data": [row]})

    async def _binance(self, request: web.Request) -> web.Response:
        asked = dict(parse_qsl(request.query_string + "&" + await request.text()))
        self._set(asked["symbol"], int(asked["countdownTime"]) * NS_PER_MS)
        return json_answer({"symbol": asked["symbol"], "countdownTime": asked["countdownTime"]})

    async def _gate(self, request: web.Request) -> web.Response:
        asked = json.loads(await request.text())
        seconds = int(asked["timeout"])
        if seconds and seconds < 5:
            words = {"label": "INVALID_PARAM_VALUE", "message": "invalid argument: timeout"}
            return json_answer(words, 400)
        due_ns = self._set(asked.get("currency_pair", ALL), seconds * _NS_PER_S)
        return json_answer({"triggerTime": str(due_ns // NS_PER_MS)})

    def _set(self, market_id: str, after_ns: int) -> int:
        """Put the moment off, or take it back; when it is, 0 for never."""
        self.due_ns.pop(market_id, None)
        if not after_ns:
            return 0
        self.due_ns[market_id] = self._market.now_ns + after_ns
        return self.due_ns[market_id]

    async def _on_advance(self, _before_ns: int, now_ns: int) -> None:
        for market_id in [each for each, due_ns in self.due_ns.items() if due_ns <= now_ns]:
            del self.due_ns[market_id]
            for order in self._account.orders:
                if order.is_open and market_id in (ALL, order.listing.market_id):
                    self._account.end(order, "CANCELED")
                    self.cancelled.append(order.client_id)


def _iso(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns // _NS_PER_S, UTC):%Y-%m-%dT%H:%M:%SZ}"
