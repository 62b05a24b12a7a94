"""What leaves for a venue: an order to submit, an order to cancel, as messages.

The core sends nothing. It puts requests into the outbox; the edge takes them once they are durable,
and what the venue says comes back as `messages.Report` events. A core without an outbox trades in
the paper market. A replay makes the same requests and throws them away.

Nothing of the core goes out with a request: it holds all that a venue, its link and its
reconciliation need, and it never changes. What an order is worth knowing for besides (is it open,
what is ahead of it) is asked of `context.CoreView`.

    check_intent -> Approved -> SubmitOrder -> a venue's submit

A `SubmitOrder` is made from an `Approved` and from nothing else, and a venue's `submit` takes
nothing else: so no order reaches a venue that the risk layer has not passed. No request has an
empty client order id: `_check_client_order_id` is asked whenever one is made.

This module stays interpreted: msgspec structs gain nothing from mypyc.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import msgspec

from logos.core.instrument import Instrument
from logos.core.orders import Order
from logos.core.risk import Approved
from logos.core.types import OrderStatus, OrderType, Side, TimeInForce
from logos.errors import InvariantBroken


def _check_client_order_id(client_order_id: str) -> None:
    """Raise InvariantBroken for an empty id: what a venue has under none cannot be found again."""
    if not client_order_id:
        raise InvariantBroken("a request without a client order id")


class OrderTerms(msgspec.Struct, frozen=True, gc=False):
    """What was ordered, and under which id. It stays as it is for the order's whole life.

    Prices and quantities are in the instrument's units; a price of 0 means none is named.
    `created_ns` is when the core let the order leave, nanoseconds UTC. Raises InvariantBroken for
    an empty client order id.
    """

    client_order_id: str
    instrument: Instrument
    side: Side
    type: OrderType
    quantity: int
    limit_price: int
    stop_price: int
    time_in_force: TimeInForce
    created_ns: int

    def __post_init__(self) -> None:
        _check_client_order_id(self.client_order_id)

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def is_buy(self) -> bool:
        return self.side is Side.BUY

    @property
    def signed_quantity(self) -> int:
        """The quantity, negative for a sale, in quantity units."""
        return self.quantity if self.is_buy else -self.quantity


@final
@dataclass(frozen=True, slots=True, init=False)
class SubmitOrder:
    """An order that is to be sent, once.

    `lock` is what the core bound for it, in units of the wallet it draws on (quote money for a buy,
    the base asset for a spot sale); `judged_price` the price it was valued at, in price units.
    """

    terms: OrderTerms
    lock: int
    judged_price: int

    def __init__(self, approved: Approved, client_order_id: str, created_ns: int) -> None:
        """Raises InvariantBroken for anything but an `Approved`, and for an empty id."""
        if not isinstance(approved, Approved):
            raise InvariantBroken(f"{type(approved).__name__} is no proof that an order may leave")
        intent = approved.intent
        terms = OrderTerms(
            client_order_id,
            intent.instrument,
            intent.side,
            intent.type,
            intent.quantity,
            intent.limit_price,
            intent.stop_price,
            intent.time_in_force,
            created_ns,
        )
        # A frozen dataclass is filled like this; from here on it cannot be changed.
        object.__setattr__(self, "terms", terms)
        object.__setattr__(self, "lock", approved.lock)
        object.__setattr__(self, "judged_price", approved.judged_price)

    @property
    def client_order_id(self) -> str:
        """The session's id of the order."""
        return self.terms.client_order_id


class CancelOrder(msgspec.Struct, frozen=True, gc=False):
    """A cancel that is to be asked for. Raises InvariantBroken for an empty client order id."""

    client_order_id: str
    symbol: str

    def __post_init__(self) -> None:
        _check_client_order_id(self.client_order_id)


VenueRequest = SubmitOrder | CancelOrder


def sent_as(order: Order) -> tuple[OrderType, TimeInForce, int, int]:
    """As what an order goes to a venue: type, time in force, limit price and stop price; one that
    waited for its price there needs no stop."""
    if order.at_market or (order.waits_for_price and order.type is OrderType.STOP):
        return OrderType.MARKET, TimeInForce.GTC, 0, 0
    if order.waits_for_price and order.type is OrderType.STOP_LIMIT:
        return OrderType.LIMIT, order.time_in_force, order.limit_price, 0
    return order.type, order.time_in_force, order.limit_price, order.stop_price


def terms_of(order: Order) -> OrderTerms:
    """What a venue has under the order's id, once it was sent."""
    type_, time_in_force, limit_price, stop_price = sent_as(order)
    return OrderTerms(
        order.client_order_id,
        order.instrument,
        order.side,
        type_,
        order.quantity,
        limit_price,
        stop_price,
        time_in_force,
        order.arrival_ns,
    )


class OutstandingOrder(msgspec.Struct, frozen=True, gc=False):
    """An order that the core takes to be open, as it stood when the core was asked.

    A link that takes over a session's orders begins from these. They can be asked for and
    cancelled; they are no `SubmitOrder`, so none can be sent again.
    """

    terms: OrderTerms
    filled: int
    """Quantity units."""
    status: OrderStatus
    is_cancel_wanted: bool


@final
class Outbox:
    """Requests in the order in which they were made, and every order the venue may still speak of.

    `open` maps a client order id to its order, from the request until the order has ended. It is
    the core's own; the edge asks `context.CoreView`.
    """

    __slots__ = ("_requests", "limits_must_rest", "open")

    def __init__(self, *, limits_must_rest: bool = False) -> None:
        """`limits_must_rest`: the venue refuses a limit order that could trade at once."""
        self._requests: list[VenueRequest] = []
        self.limits_must_rest = limits_must_rest
        self.open: dict[str, Order] = {}

    def submit(self, order: Order, approved: Approved) -> None:
        """The order is to be sent."""
        self._requests.append(SubmitOrder(approved, order.client_order_id, order.arrival_ns))
        self.open[order.client_order_id] = order

    def cancel(self, order: Order) -> None:
        """A cancel is to be asked for."""
        self._requests.append(CancelOrder(order.client_order_id, order.instrument.symbol))

    def take(self) -> list[VenueRequest]:
        """The requests since the last call; they are handed over once."""
        requests = self._requests
        self._requests = []
        return requests
