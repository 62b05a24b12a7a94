"""Gate's channel `spot.orders`.

D is https://www.gate.com/docs/developers/apiv4/ws/en/ (Authentication, spot.orders, spot.ping, the
protocol's own ping); C is ccxt 4.5.90, pro/gate.py, comments of handle_order and
handle_error_message.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.private.stream import Listener, PrivateStream

_AGE_S_MAX: Final = 60
_CHANNEL: Final = "spot.orders"


class GateOrders(PrivateStream):
    """D."""

    path: ClassVar[str] = "/ws/v4/"

    def hear(self, listener: Listener, words: Mapping[str, Any]) -> None:
        channel, event = words.get("channel"), words.get("event")
        told: dict[str, Any] = {**self._moment(), "channel": channel, "event": event}
        if "id" in words:
            told["id"] = words["id"]
        if channel == "spot.ping":
            listener.say({**self._moment(), "channel": "spot.pong", "event": "", "result": None})
            return
        if channel != _CHANNEL or event != "subscribe":
            told["error"] = {"code": 2, "message": f"unknown channel {channel}"}
        elif problem := self._judge(words):
            told |= {"error": {"code": 4, "message": problem}, "result": None}
        else:
            listener.is_signed_in = listener.is_listening = True
            told["result"] = {"status": "success"}
        listener.say(told)

    def _judge(self, words: Mapping[str, Any]) -> str:
        """D Authentication: HMAC-SHA512 of channel, event and time, in hexadecimal."""
        auth = words.get("auth") or {}
        at = words.get("time", 0)
        if auth.get("KEY") != self.key:
            return '{"label":"INVALID_KEY","message":"Invalid key provided"}\n'
        said = f"channel={_CHANNEL}&event=subscribe&time={at}".encode()
        right = hmac.new(self.secret.encode(), said, hashlib.sha512).hexdigest()
        if not hmac.compare_digest(right, str(auth.get("SIGN", ""))):
            return '{"label":"INVALID_SIGNATURE","message":"Signature mismatch"}\n'
        if abs(int(at) - self.account.now_ms // 1000) > _AGE_S_MAX:
            return '{"label":"REQUEST_EXPIRED","message":"gap between request Timestamp"}\n'
        return ""

    def _moment(self) -> dict[str, Any]:
        return {"time": self.account.now_ms // 1000, "time_ms": self.account.now_ms}

    def news(self, order: PlacedOrder, event: str, execution: Execution | None) -> list[object]:
        is_over = event != "NEW" and not order.is_open
        # D: put when it enters the book, update when a part fills, finish when it has ended.
        what = "put" if event == "NEW" else "finish" if is_over else "update"
        ended = {"FILLED": "filled", "CANCELED": "cancelled", "EXPIRED": "ioc"}
        filled = Decimal(0) if event == "NEW" else order.filled
        spent = Decimal(0) if event == "NEW" else order.spent
        moment = self.account.now_ms
        row = {
            "id": str(order.order_id),
            "text": order.client_id or "web",
            "create_time": str(order.placed_ms // 1000),
            "update_time": str(moment // 1000),
            "currency_pair": order.listing.market_id,
            "type": order.kind.lower(),
            "account": "spot",
            "side": order.side.lower(),
            "amount": f"{order.quantity:f}",
            "price": f"{order.limit:f}",
            "time_in_force": order.time_in_force.lower(),
            "left": f"{order.quantity - filled:f}",
            "filled_amount": f"{filled:f}",
            "filled_total": f"{spent:f}",
            "avg_deal_price": f"{spent / filled if filled else Decimal(0):f}",
            "fee": f"{execution.fee if execution else Decimal(0):f}",
            "fee_currency": execution.fee_asset if execution else order.listing.base,
            "point_fee": "0",
            "gt_fee": "0",
            "rebated_fee": "0",
            "rebated_fee_currency": order.listing.base,
            "create_time_ms": str(order.placed_ms),
            "update_time_ms": str(moment),
            "user": 10406147,
            "event": what,
            "stp_id": 0,
            "stp_act": "-",
            "finish_as": ended.get(order.status, "open") if is_over else "open",
            "amend_text": "-",
        }
        return [{**self._moment(), "channel": _CHANNEL, "event": "update", "result": [row]}]
