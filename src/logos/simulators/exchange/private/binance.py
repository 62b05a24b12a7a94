"""Binance's user data stream, as its WebSocket API gives it for a signed request.

Sources. W: https://github.com/binance/binance-spot-api-docs/blob/master/web-socket-api.md. U:
user-data-stream.md beside it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from logos.simulators.exchange.account import UNIT, Execution, PlacedOrder
from logos.simulators.exchange.private.stream import Listener, PrivateStream

_WINDOW_MS: Final = 5_000


class BinanceOrders(PrivateStream):
    """W userDataStream.subscribe.signature; U Order Update, Account Update."""

    path: ClassVar[str] = "/ws-api/v3"

    def hear(self, listener: Listener, words: Mapping[str, Any]) -> None:
        number = words.get("id")
        if words.get("method") != "userDataStream.subscribe.signature":
            self._refuse(listener, number, 400, -1020, "This operation is not supported.")
            return
        asked = dict(words.get("params") or {})
        signature = str(asked.pop("signature", ""))
        # W Request security: the parameters by name, as name=value, joined by &
        said = "&".join(f"{name}={asked[name]}" for name in sorted(asked))
        right = hmac.new(self.secret.encode(), said.encode(), hashlib.sha256).hexdigest()
        if asked.get("apiKey") != self.key:
            told = "Invalid API-key, IP, or permissions for action."
            self._refuse(listener, number, 401, -2015, told)
        elif not hmac.compare_digest(right, signature):
            told = "Signature for this request is not valid."
            self._refuse(listener, number, 400, -1022, told)
        elif abs(int(asked.get("timestamp", 0)) - self.account.now_ms) > _WINDOW_MS:
            told = "Timestamp for this request is outside of the recvWindow."
            self._refuse(listener, number, 400, -1021, told)
        else:
            listener.is_signed_in = listener.is_listening = True
            listener.say({"id": number, "status": 200, "result": {"subscriptionId": 0}})

    @staticmethod
    def _refuse(listener: Listener, number: object, status: int, code: int, words: str) -> None:
        listener.say({"id": number, "status": status, "error": {"code": code, "msg": words}})

    def terminate(self) -> None:
        """End the subscriptions, as happens when a session's key is taken back (U)."""
        for each in self.listeners:
            each.is_listening = False
            each.say(_event({"e": "eventStreamTerminated", "E": self.account.now_ms}))

    def news(self, order: PlacedOrder, event: str, execution: Execution | None) -> list[object]:
        report = {
            "e": "executionReport",
            "E": self.account.now_ms,
            "s": order.listing.market_id,
            # The report of a cancel has an id of the cancel here, and the order's in C.
            "c": "cancel" + str(order.order_id) if event == "CANCELED" else order.client_id,
            "S": order.side,
            "o": order.kind,
            "f": order.time_in_force,
            "q": _text(order.quantity),
            "p": _text(order.limit),
            "P": _text(order.stop),
            "F": "0.00000000",
            "g": -1,
            "C": order.client_id if event == "CANCELED" else "",
            "x": event,
            "X": "NEW" if event == "NEW" else order.status,
            "r": "NONE",
            "i": order.order_id,
            "l": _text(execution.quantity if execution else Decimal(0)),
            "z": _text(Decimal(0) if event == "NEW" else order.filled),
            "L": _text(execution.price if execution else Decimal(0)),
            "n": _text(execution.fee) if execution else "0",
            "N": execution.fee_asset if execution else None,
            "T": self.account.now_ms,
            "t": execution.trade_id if execution else -1,
            "w": order.is_open,
            "m": bool(execution and execution.is_maker),
            "O": order.placed_ms,
            "Z": _text(order.spent),
            "V": "NONE",
        }
        balances = [
            {"a": asset, "f": _text(each.free), "l": _text(each.locked)}
            for asset, each in self.account.holdings.items()
            if asset in (order.listing.base, order.listing.quote)
        ]
        now_ms = self.account.now_ms
        position = {"e": "outboundAccountPosition", "E": now_ms, "u": now_ms, "B": balances}
        return [_event(report), _event(position)]


def _event(words: Mapping[str, Any]) -> dict[str, object]:
    return {"subscriptionId": 0, "event": words}


def _text(number: Decimal) -> str:
    return f"{number.quantize(UNIT):f}"
