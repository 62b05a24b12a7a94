"""Bitget's private stream, channel `orders` of a classic spot account.

D is https://www.bitget.com/api-doc/spot/websocket/private/Order-Channel, with
https://www.bitget.com/api-doc/common/websocket-intro for login, ping and errors; C is ccxt 4.5.90,
pro/bitget.py, comments of parse_ws_order and handle_error_message.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.private.stream import Listener, PrivateStream

_AGE_S_MAX: Final = 30
_STATUS: Final = {
    "NEW": "live",
    "PARTIALLY_FILLED": "partially_filled",
    "FILLED": "filled",
    "CANCELED": "cancelled",
    "EXPIRED": "cancelled",
}


class BitgetOrders(PrivateStream):
    """D."""

    path: ClassVar[str] = "/v2/ws/private"

    def answer_to(self, text: str) -> str:
        # D: the text ping is answered with the text pong
        return "pong" if text == "ping" else ""

    def hear(self, listener: Listener, words: Mapping[str, Any]) -> None:
        operation = words.get("op")
        [argument, *_] = words.get("args") or [{}]
        if operation == "login":
            told = self._judge(argument)
            listener.is_signed_in = not told
            listener.say(told or {"event": "login", "code": 0})
        elif operation == "subscribe" and not listener.is_signed_in:
            listener.say(_error(30004, "User needs to log in"))
        elif operation == "subscribe" and argument.get("channel") == "orders":
            listener.is_listening = True
            listener.say({"event": "subscribe", "arg": argument})
        else:
            listener.say(_error(30003, "Invalid op"))

    def _judge(self, argument: Mapping[str, Any]) -> dict[str, object]:
        """D: base64 of HMAC-SHA256 of the time in seconds, GET and /user/verify."""
        at = str(argument.get("timestamp", ""))
        if argument.get("apiKey") != self.key:
            return _error(30011, "Invalid ACCESS_KEY")
        if argument.get("passphrase") != self.password:
            return _error(30012, "Invalid ACCESS_PASSPHRASE")
        if not at.isdecimal() or abs(int(at) - self.account.now_ms // 1000) > _AGE_S_MAX:
            return _error(30008, "Request timestamp expired")
        said = f"{at}GET/user/verify".encode()
        right = base64.b64encode(hmac.digest(self.secret.encode(), said, hashlib.sha256)).decode()
        if not hmac.compare_digest(right, str(argument.get("sign", ""))):
            return _error(30015, "Invalid sign")
        return {}

    def news(self, order: PlacedOrder, event: str, execution: Execution | None) -> list[object]:
        average = order.spent / order.filled if order.filled else Decimal(0)
        row: dict[str, Any] = {
            "instId": order.listing.market_id,
            "orderId": str(order.order_id),
            "clientOid": order.client_id or f"web{order.order_id}",
            "price": f"{order.limit:f}",
            "newSize": f"{order.quantity:f}",
            "notional": f"{order.quantity * order.limit:f}",
            "orderType": order.kind.lower(),
            "force": order.time_in_force.lower(),
            "side": order.side.lower(),
            "accBaseVolume": f"{Decimal(0) if event == 'NEW' else order.filled:f}",
            "priceAvg": f"{average:f}",
            "status": "live" if event == "NEW" else _STATUS[order.status],
            "cTime": str(order.placed_ms),
            "uTime": str(self.account.now_ms),
            "feeDetail": [],
            "enterPointSource": "API",
        }
        if execution is not None:
            row |= {
                "fillPrice": f"{execution.price:f}",
                "tradeId": str(execution.trade_id),
                "baseVolume": f"{execution.quantity:f}",
                "fillTime": str(execution.time_ms),
                "fillFee": f"{-execution.fee:f}",
                "fillFeeCoin": execution.fee_asset,
                "tradeScope": "M" if execution.is_maker else "T",
            }
        argument = {"instType": "SPOT", "channel": "orders", "instId": "default"}
        return [{"action": "snapshot", "arg": argument, "data": [row], "ts": self.account.now_ms}]


def _error(code: int, words: str) -> dict[str, object]:
    """D and C exceptions: the codes; the words of 30008, 30011 and 30012 are ours."""
    return {"event": "error", "code": code, "msg": words}
