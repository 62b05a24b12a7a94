"""Kraken's channel `executions`, version 2 of its websocket.

Sources. D: https://docs.kraken.com/exchange/api-reference/spot-websocket-v2/executions, with ping
and status beside it. The token is https://docs.kraken.com/api/docs/rest-api/get-websockets-token.
F: frames that people recorded (the tests of kraken-async-rs; others in 2025): the updates `new` and
`canceled` of an order hold neither our id nor the market, only Kraken's own id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.private.stream import Listener, PrivateStream

TOKEN_LIVES_S: Final = 900


class KrakenOrders(PrivateStream):
    """D."""

    path: ClassVar[str] = "/v2"
    token = ""
    """The latest token that GetWebSocketsToken gave."""
    _sequence = 0

    def greeting(self) -> list[object]:
        told = {"version": "2.0.10", "system": "online", "api_version": "v2", "connection_id": 1}
        return [{"channel": "status", "type": "update", "data": [told]}]

    def new_token(self) -> str:
        """A token; a connection that was made with it stays."""
        self.token = f"token-{self.account.now_ms}-{len(self.listeners)}"
        return self.token

    def heartbeat(self) -> None:
        """D: about every second, while nothing else is told."""
        for each in self.listeners:
            each.say({"channel": "heartbeat"})

    def hear(self, listener: Listener, words: Mapping[str, Any]) -> None:
        method, moment = words.get("method"), self._moment()
        told: dict[str, Any] = {"method": method, "time_in": moment, "time_out": moment}
        if "req_id" in words:
            told["req_id"] = words["req_id"]
        asked = words.get("params") or {}
        if method == "ping":
            listener.say({**told, "method": "pong"})
        elif method != "subscribe" or asked.get("channel") != "executions":
            listener.say({**told, "success": False, "error": "EGeneral:Invalid arguments"})
        elif not self.token or asked.get("token") != self.token:
            listener.say({**told, "success": False, "error": "ESession:Invalid session"})
        else:
            listener.is_signed_in = listener.is_listening = True
            result = {"channel": "executions", "maxratecount": 180, "snapshot": True}
            listener.say({**told, "success": True, "result": result})
            opened = [self._whole(each, "new") for each in self.account.orders if each.is_open]
            listener.say(self._frame("snapshot", opened))

    def news(self, order: PlacedOrder, event: str, execution: Execution | None) -> list[object]:
        if event == "NEW":
            return [
                self._frame("update", [self._whole(order, "pending_new")]),
                self._frame("update", [self._bare(order, "new", "new")]),
            ]
        if execution is None:
            row = self._bare(order, event.lower(), event.lower())
            row |= {"cum_qty": float(order.filled), "reason": "User requested"}
            return [self._frame("update", [row])]
        trade = {
            **self._bare(order, "trade", "partially_filled"),
            "exec_id": f"T{execution.trade_id:05d}-SIMUL-TRADES",
            "trade_id": execution.trade_id,
            "symbol": self._symbol(order),
            "side": order.side.lower(),
            "last_qty": float(execution.quantity),
            "last_price": float(execution.price),
            "liquidity_ind": "m" if execution.is_maker else "t",
            "fees": [{"asset": execution.fee_asset, "qty": float(execution.fee)}],
        }
        frames: list[object] = [self._frame("update", [trade])]
        if not order.is_open:
            # D: a `filled` of its own tells that an order is complete.
            frames.append(self._frame("update", [self._bare(order, "filled", "filled")]))
        return frames

    def _frame(self, kind: str, rows: list[dict[str, Any]]) -> dict[str, object]:
        self._sequence += 1
        return {"channel": "executions", "type": kind, "data": rows, "sequence": self._sequence}

    def _whole(self, order: PlacedOrder, kind: str) -> dict[str, Any]:
        row = self._bare(order, kind, kind)
        row |= {
            "symbol": self._symbol(order),
            "order_qty": float(order.quantity),
            "cum_cost": float(order.spent),
            "time_in_force": order.time_in_force,
            "side": order.side.lower(),
            "order_type": order.kind.lower(),
            "limit_price_type": "static",
            "limit_price": float(order.limit),
            "fee_ccy_pref": "fciq",
        }
        if order.client_id:
            row["cl_ord_id"] = order.client_id
        return row

    def _bare(self, order: PlacedOrder, kind: str, status: str) -> dict[str, Any]:
        return {
            "timestamp": self._moment(),
            "order_status": status,
            "exec_type": kind,
            "order_userref": 0,
            "order_id": f"O{order.order_id:05d}-SIMUL-ORDERS",
        }

    @staticmethod
    def _symbol(order: PlacedOrder) -> str:
        return f"{order.listing.base}/{order.listing.quote}"

    def _moment(self) -> str:
        moment = datetime.fromtimestamp(self.account.now_ms / 1000, UTC)
        return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
