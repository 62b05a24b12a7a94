"""Bybit's private stream, topic `order`.

D is https://bybit-exchange.github.io/docs/v5: ws/connect (auth, ping, subscribe) and
websocket/private/order.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, ClassVar

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.dialects.bybit_rows import order_row
from logos.simulators.exchange.private.stream import Listener, PrivateStream

_CONNECTION = "d266o6hqo29sqmnq4vk0-1yus1"


class BybitOrders(PrivateStream):
    """D."""

    path: ClassVar[str] = "/v5/private"

    def hear(self, listener: Listener, words: Mapping[str, Any]) -> None:
        operation = words.get("op")
        told: dict[str, Any] = {"success": True, "ret_msg": "", "op": operation}
        told["conn_id"] = _CONNECTION
        if "req_id" in words:
            told["req_id"] = words["req_id"]
        arguments = list(words.get("args") or ())
        if operation == "ping":
            pong = {"op": "pong", "args": [str(self.account.now_ms)], "conn_id": _CONNECTION}
            listener.say({**pong, "req_id": words.get("req_id", "")})
        elif operation == "auth":
            listener.is_signed_in = self._is_right(arguments)
            if not listener.is_signed_in:
                told |= {"success": False, "ret_msg": "error:USVC1111"}
            listener.say(told)
        elif operation == "subscribe" and listener.is_signed_in and arguments == ["order"]:
            listener.is_listening = True
            listener.say(told)
        else:
            listener.say({**told, "success": False, "ret_msg": "error:request not authorized"})

    def _is_right(self, arguments: list[Any]) -> bool:
        """D ws/connect: HMAC-SHA256 of GET/realtime and the moment until which it holds."""
        if len(arguments) != 3 or arguments[0] != self.key:
            return False
        expires = str(arguments[1])
        right = hmac.new(self.secret.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256)
        is_same = hmac.compare_digest(right.hexdigest(), str(arguments[2]))
        return is_same and int(expires) > self.account.now_ms

    def news(
        self,
        order: PlacedOrder,
        event: str,  # noqa: ARG002 - others need it
        execution: Execution | None,  # noqa: ARG002
    ) -> list[object]:
        row = {**order_row(order, self.account.executions), "category": "spot"}
        moment = self.account.now_ms
        return [
            {
                "id": f"592324_{order.order_id}_{moment}_{self.told}",
                "topic": "order",
                "creationTime": moment,
                "data": [row],
            }
        ]
