"""Hyperliquid's subscription `orderUpdates`.

D is https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
(WsOrder, WsBasicOrder), with `timeouts-and-heartbeats` beside it; C is ccxt 4.5.90,
pro/hyperliquid.py. The subscription names a user and is not signed: what an address trades is no
secret there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.private.stream import Listener, PrivateStream

_STATUS: Final = {"FILLED": "filled", "CANCELED": "canceled", "EXPIRED": "canceled"}


class HyperliquidOrders(PrivateStream):
    """D."""

    path: ClassVar[str] = "/ws"

    def hear(self, listener: Listener, words: Mapping[str, Any]) -> None:
        asked = words.get("subscription") or {}
        if words.get("method") == "ping":
            listener.say({"channel": "pong"})
        elif words.get("method") != "subscribe" or asked.get("type") != "orderUpdates":
            # The words, and the request behind them as it came: C, handle_error_message.
            told = "Error parsing JSON into valid websocket request: "
            listener.say({"channel": "error", "data": told + json.dumps(words)})
        else:
            # An address that nobody has is subscribed to as well, and nothing comes of it.
            listener.is_listening = str(asked.get("user", "")).lower() == self.key.lower()
            data = {"method": "subscribe", "subscription": asked}
            listener.say({"channel": "subscriptionResponse", "data": data})

    def news(
        self,
        order: PlacedOrder,
        event: str,
        execution: Execution | None,  # noqa: ARG002 - others need it
    ) -> list[object]:
        row: dict[str, Any] = {
            "coin": order.listing.market_id,
            "side": "B" if order.is_buy else "A",
            "limitPx": f"{order.limit:f}",
            "sz": f"{order.quantity if event == 'NEW' else order.remaining:f}",
            "oid": order.order_id,
            "timestamp": order.placed_ms,
            "origSz": f"{order.quantity:f}",
        }
        if order.client_id:
            row["cloid"] = order.client_id
        status = "open" if event == "NEW" else _STATUS.get(order.status, "open")
        told = {"order": row, "status": status, "statusTimestamp": self.account.now_ms}
        return [{"channel": "orderUpdates", "data": [told]}]
