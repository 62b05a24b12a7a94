"""What the orders of the simulated brokers have in common: how they stand, trigger and cross.

Balances, fees, filters and words are each broker's own: there they differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, TypeVar

from logos.simulators.exchange.market import Listing


@dataclass(slots=True, kw_only=True)
class BookOrder:
    """One order as a broker keeps it. `side`, `kind` and `status` are the broker's own words;
    a `limit` or `stop` of 0 is none."""

    OPEN: ClassVar[frozenset[str]]
    """The statuses in which an order can still fill or be cancelled."""

    client_id: str
    listing: Listing
    side: str
    kind: str
    time_in_force: str
    quantity: Decimal
    limit: Decimal
    stop: Decimal
    status: str
    filled: Decimal = Decimal(0)
    is_triggered: bool = True
    """Whether it works in the market; a stop does once the market has touched it."""

    @property
    def is_open(self) -> bool:
        """Whether it can still fill or be cancelled."""
        return self.status in self.OPEN

    @property
    def is_buy(self) -> bool:
        return self.side.upper() == "BUY"

    @property
    def remaining(self) -> Decimal:
        """What is left to fill."""
        return self.quantity - self.filled

    def best(self, now_ns: int) -> Decimal | None:
        """The price that the order would meet in the market then; None where there is none."""
        top = self.listing.top_at(now_ns)
        return None if top is None else Decimal(top.ask if self.is_buy else top.bid)

    def meets(self, best: Decimal) -> bool:
        """Whether the order fills at the market's best price; a stop it touches is triggered."""
        if not self.is_triggered:
            self.is_triggered = best >= self.stop if self.is_buy else best <= self.stop
        is_crossed = not self.limit or (best <= self.limit if self.is_buy else best >= self.limit)
        return self.is_triggered and is_crossed

    def part(self, quantity: str) -> Decimal:
        """A quantity that a test fills by hand. Raises ValueError when the order cannot fill it."""
        if not self.is_open or Decimal(quantity) > self.remaining:
            raise ValueError(f"{self.client_id} cannot fill {quantity}: {self}")
        return Decimal(quantity)


Kind = TypeVar("Kind", bound=BookOrder)


def order_of(orders: Sequence[Kind], client_id: str) -> Kind:
    """The latest order of that client id. Raises KeyError."""
    for order in reversed(orders):
        if order.client_id == client_id:
            return order
    raise KeyError(client_id)
