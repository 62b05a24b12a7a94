"""Coinbase's channel `user` of the Advanced Trade websocket.

D is https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket: a subscription holds
of the key, as requests do, without the request; what is wrong is answered with an error. Its words
are quoted from the exchange in issues 64 and 92 of coinbase/coinbase-advanced-py.
The shape of its messages is that of ccxt 4.5.90's comments in its streams (handle_order,
handle_subscription_status). A quiet connection is closed after a minute or so by Coinbase, unless
its heartbeats are subscribed to: `disconnect_all` does that here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.denials import Denied
from logos.simulators.exchange.dialects.coinbase import claims_of
from logos.simulators.exchange.dialects.coinbase_rows import STATUSES, order_id, time_text
from logos.simulators.exchange.dialects.dialect import Keys, short
from logos.simulators.exchange.private.stream import Listener, PrivateStream


class CoinbaseOrders(PrivateStream):
    """D."""

    path: ClassVar[str] = "/"

    def hear(self, listener: Listener, words: Mapping[str, Any]) -> None:
        try:
            if words.get("type") != "subscribe" or words.get("channel") != "user":
                raise Denied
            token = str(words.get("jwt", ""))
            claims_of(Keys(self.key, self.secret), token, self.account.now_ms)
        except Denied:
            listener.say({"type": "error", "message": "authentication failure"})
            return
        listener.is_listening = True
        listener.say(self._frame("subscriptions", {"subscriptions": {"user": ["all"]}}))
        rows = [_row(each) for each in self.account.orders if each.is_open]
        listener.say(self._frame("user", {"type": "snapshot", "orders": rows}))

    def news(
        self,
        order: PlacedOrder,
        event: str,  # noqa: ARG002 - others need it
        execution: Execution | None,  # noqa: ARG002
    ) -> list[object]:
        return [self._frame("user", {"type": "update", "orders": [_row(order)]})]

    def _frame(self, channel: str, event: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "channel": channel,
            "client_id": "",
            "timestamp": time_text(self.account.now_ms),
            "sequence_num": self.told,
            "events": [event],
        }


def _row(order: PlacedOrder) -> dict[str, Any]:
    """An order as the channel tells it."""
    return {
        "order_id": order_id(order),
        "client_order_id": order.client_id,
        "cumulative_quantity": short(order.filled),
        "leaves_quantity": short(order.remaining),
        "avg_price": short(order.spent / order.filled) if order.filled else "0",
        "total_fees": "0",
        "status": STATUSES[order.status],
        "product_id": order.listing.market_id,
        "creation_time": time_text(order.placed_ms),
        "order_side": order.side,
        "order_type": "Market" if order.kind == "MARKET" else "Limit",
    }
