"""A venue that knows orders and nothing of exits, for random sessions that hold exits back.

It may fill any open order at any time, in any part, refuse it, forget its answer, or cancel it by
itself. It notes what a session must never ask of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from logos.core.engine import TradingCore
from logos.core.messages import Report
from logos.core.orders import Order
from logos.core.outbox import CancelOrder, VenueRequest
from logos.core.types import OrderStatus, ReportKind, SwitchState
from logos.testing.venue_core import report


@dataclass
class There:
    """An order at the venue; `sign` is -1 for a sale."""

    client_order_id: str
    sign: int
    quantity: int
    only_reduces: bool
    group: str
    limit_price: int
    filled: int = 0
    is_known: bool = False
    """Whether the venue has said that it has it."""
    is_cancel_asked: bool = False

    @property
    def remaining(self) -> int:
        return self.quantity - self.filled


class OrderVenue:
    """One symbol's orders; `position` is what its fills come to."""

    def __init__(self) -> None:
        self.open: list[There] = []
        self.seen: set[str] = set()
        self.position = 0
        self.wrong: list[str] = []
        self._fills = 0

    def take(self, requests: list[VenueRequest], core: TradingCore) -> None:
        """Take in what a session asks, and note what it must not."""
        for request in requests:
            name = request.client_order_id
            if isinstance(request, CancelOrder):
                for each in self.open:
                    each.is_cancel_asked |= each.client_order_id == name
                continue
            outbox = core.order_manager.outbox
            assert outbox is not None
            ours = outbox.open[name]
            if name in self.seen:
                self.wrong.append(f"{name} was sent twice")
            if core.switch.authority() is SwitchState.ENGAGED:
                self.wrong.append(f"{name} was sent while the switch was engaged")
            self._check(ours, request.terms.quantity)
            self.seen.add(name)
            terms = request.terms
            sign = 1 if terms.is_buy else -1
            there = There(
                name, sign, terms.quantity, ours.reduce_only, ours.group, terms.limit_price
            )
            self.open.append(there)

    def _check(self, ours: Order, quantity: int) -> None:
        mates = [each for each in self.open if each.group and each.group == ours.group]
        if mates:
            self.wrong.append(f"{ours.client_order_id} was sent beside {mates} of its group")
        rivals = [each for each in self.open if each.sign == ours.sign]
        exits = sum(each.remaining for each in rivals if each.only_reduces)
        if ours.reduce_only:
            if any(not each.only_reduces for each in rivals):
                self.wrong.append(f"exit {ours.client_order_id} was sent beside {rivals}")
            if quantity + exits > -ours.sign * self.position:
                words = f"{exits} under way and {self.position} held"
                self.wrong.append(f"exit {ours.client_order_id} of {quantity}: {words}")
        elif exits:
            self.wrong.append(f"{ours.client_order_id} was sent beside exits: {rivals}")

    # ---- what the venue does ----

    def fill(self, there: There, quantity: int, now_ns: int) -> Report:
        """Fill so much of an open order, at its limit or else at 100."""
        price = there.limit_price or 10_000
        if there.only_reduces and not 0 < quantity <= -there.sign * self.position:
            self.wrong.append(f"{there} filled {quantity} of {self.position}")
        there.filled += quantity
        there.is_known = True
        self.position += there.sign * quantity
        self._fills += 1
        if not there.remaining:
            self.open.remove(there)
        how = {"quantity": quantity, "price": price, "fill_id": f"F{self._fills}"}
        return report(ReportKind.FILLED, now_ns, there.client_order_id, **how)  # type: ignore[arg-type]

    def end(self, there: There, kind: ReportKind, now_ns: int) -> Report:
        """End an open order without the rest of its fill."""
        self.open.remove(there)
        return report(kind, now_ns, there.client_order_id)

    def word(self, there: There, kind: ReportKind, now_ns: int) -> Report:
        """Say something of an open order that changes nothing."""
        there.is_known |= kind is ReportKind.ACCEPTED
        return report(kind, now_ns, there.client_order_id)

    def problems(self, core: TradingCore) -> list[str]:
        """What is wrong now, between the venue and the session."""
        [state] = core.order_manager.states.values()
        found = list(self.wrong)
        if state.inventory.position != self.position:
            found.append(f"{state.inventory.position} here, {self.position} there")
        outbox = core.order_manager.outbox
        assert outbox is not None
        ours = {name: order.remaining for name, order in outbox.open.items()}
        if ours != {each.client_order_id: each.remaining for each in self.open}:
            found.append(f"open here: {ours}, there: {self.open}")
        held = [order for order in state.working if order.status is OrderStatus.HELD]
        found += [
            f"order {order.order_id} only reduces, and is larger than what is held"
            for order in held
            if order.reduce_only and order.remaining > -order.sign * self.position
        ]
        return found
