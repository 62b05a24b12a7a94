"""OKX's private stream, channel `orders`.

D is https://www.okx.com/docs-v5/en/ (sections WebSocket Login, Subscribe, Connection count limit,
WS / Order channel; error codes of the websocket).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.dialects.okx import order_row
from logos.simulators.exchange.private.stream import Listener, PrivateStream

_CONNECTION: Final = "a4d3ae55"
_AGE_S_MAX: Final = 30


class OkxOrders(PrivateStream):
    """D."""

    path: ClassVar[str] = "/ws/v5/private"

    def answer_to(self, text: str) -> str:
        # D: the text ping is answered with the text pong
        return "pong" if text == "ping" else ""

    def hear(self, listener: Listener, words: Mapping[str, Any]) -> None:
        operation = words.get("op")
        [argument, *_] = words.get("args") or [{}]
        if operation == "login":
            code, told = self._judge(argument)
            listener.is_signed_in = code == "0"
            event = "login" if listener.is_signed_in else "error"
            listener.say({"event": event, "code": code, "msg": told, "connId": _CONNECTION})
        elif operation == "subscribe" and not listener.is_signed_in:
            listener.say(_error("60011", "Please log in"))
        elif operation == "subscribe" and argument.get("channel") == "orders":
            listener.is_listening = True
            listener.say({"event": "subscribe", "arg": argument, "connId": _CONNECTION})
            count = {"event": "channel-conn-count", "channel": "orders", "connCount": "1"}
            listener.say({**count, "connId": _CONNECTION})
        else:
            listener.say(_error("60012", "Invalid request"))

    def _judge(self, argument: Mapping[str, Any]) -> tuple[str, str]:
        """D Login: base64 of HMAC-SHA256 of the time in seconds, GET and /users/self/verify."""
        at = str(argument.get("timestamp", ""))
        if argument.get("apiKey") != self.key:
            return "60005", "Invalid apiKey"
        if argument.get("passphrase") != self.password:
            return "60024", "Wrong passphrase"
        if not at.isdecimal() or abs(int(at) - self.account.now_ms // 1000) > _AGE_S_MAX:
            return "60006", "Timestamp request expired"
        said = f"{at}GET/users/self/verify".encode()
        right = base64.b64encode(hmac.digest(self.secret.encode(), said, hashlib.sha256)).decode()
        if not hmac.compare_digest(right, str(argument.get("sign", ""))):
            return "60007", "Invalid sign"
        return "0", ""

    def news(
        self,
        order: PlacedOrder,
        event: str,  # noqa: ARG002 - others need it
        execution: Execution | None,
    ) -> list[object]:
        mine = [each for each in self.account.executions if each.order is order]
        row = dict(order_row(order, mine))
        if execution is not None:
            row |= {"fillNotionalUsd": "", "execType": "M" if execution.is_maker else "T"}
        row |= {"code": "0", "msg": "", "amendResult": "", "reqId": ""}
        argument = {"channel": "orders", "instType": "ANY", "uid": "44705892343619584"}
        return [{"arg": argument, "data": [row]}]


def _error(code: str, words: str) -> dict[str, str]:
    return {"event": "error", "code": code, "msg": words, "connId": _CONNECTION}
