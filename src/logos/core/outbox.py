"""What is to leave for a real venue: orders that passed gate 2, and cancels.

The core sends nothing. It puts requests here; the rim takes them once they are durable, and what
the venue says comes back as `messages.Report` events. A core without an outbox trades in the paper
market. A replay makes the same requests and throws them away.
"""

from __future__ import annotations

from typing import final

from logos.core.orders import Order
from logos.core.risk import Approved


@final
class VenueRequest:
    """One request: `approved` to submit, or None to cancel the order of that client id."""

    __slots__ = ("approved", "order")

    def __init__(self, order: Order, approved: Approved | None) -> None:
        self.order = order
        self.approved = approved


@final
class Outbox:
    """Requests in the order in which they were made, and every order the venue may still speak of.

    `open` maps a client order id to its order, from the request until the order has ended.
    """

    __slots__ = ("_requests", "open")

    def __init__(self) -> None:
        self._requests: list[VenueRequest] = []
        self.open: dict[str, Order] = {}

    def submit(self, order: Order, approved: Approved) -> None:
        """The order is to be sent."""
        self.open[order.client_order_id] = order
        self._requests.append(VenueRequest(order, approved))

    def cancel(self, order: Order) -> None:
        """A cancel is to be asked for."""
        self._requests.append(VenueRequest(order, None))

    def take(self) -> list[VenueRequest]:
        """The requests since the last call; they are handed over once."""
        requests = self._requests
        self._requests = []
        return requests
