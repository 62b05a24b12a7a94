"""When it is said that an order, or the rest of one, is not there; and when not yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from logos.adapters.mt5.known.ledger import Ledger, Sent
from logos.adapters.mt5.records import Deal, OpenOrder
from logos.adapters.mt5.tickets.orders import TicketOrders
from logos.adapters.mt5.unmarked import Unmarked
from logos.core.clock import Clock
from logos.core.types import NS_PER_SECOND, OrderStatus, OrderType
from logos.venues.contract import Unavailable, VenueOrder

_CAME_TO_LIGHT: Final = (
    "{0.symbol}: {0.client_order_id} was said not to be at the terminal, but for {0.denied_units} "
    "units, and {1}"
)


class Absence:
    """What lists that lack something mean. Nothing is absent before `settle_ns` have passed."""

    def __init__(
        self,
        ledger: Ledger,
        unmarked: Unmarked,
        by_ticket: TicketOrders,
        clock: Clock,
        settle_ns: int,
    ) -> None:
        self._ledger = ledger
        self._unmarked = unmarked
        self._by_ticket = by_ticket
        self._clock = clock
        self._settle_ns = settle_ns

    async def check_all_there(self, sent: Sent, fills: Sequence[Deal]) -> None:
        """Raise Unavailable while deals of an order that is over may be missing."""
        tickets = self._by_ticket.tickets
        words, is_certain = self._unmarked.lacking(sent, fills), bool(sent.answered_units)
        if tickets.is_on:
            words, is_certain = self._by_ticket.lacking(sent, fills)
        if not words:
            return
        now_ns = self._clock.now_ns()
        sent.lacking_since_ns = sent.lacking_since_ns or now_ns
        self.wait_until(sent.lacking_since_ns, now_ns, words)
        if is_certain:
            self._unmarked.doubt_late(sent, words)
            raise Unavailable(f"{sent.client_order_id}: {words}")
        if tickets.is_on:
            await tickets.look(sent.symbol)  # never against what is held
        self._ledger.deny(sent, sum(each.volume_units for each in fills))

    def told(self, sent: Sent | None) -> VenueOrder | None:
        """What it means that an order is in no list. Raises Unavailable while it is too early."""
        if sent is None:
            return None
        now_ns = self._clock.now_ns()
        if sent.ticket:
            # It was taken. Its deal may be on its way from the broker to the terminal's history.
            sent.absent_since_ns = sent.absent_since_ns or now_ns
            self.wait_until(sent.absent_since_ns, now_ns, "it has just left the list of orders")
            if sent.type is OrderType.MARKET:
                words = "its deals are not in the history yet"
                self._unmarked.doubt_late(sent, words)
                raise Unavailable(f"{sent.client_order_id}: {words}")
            return self.gone(sent)
        if sent.unknown_since_ns:
            self.wait_until(sent.unknown_since_ns, now_ns, "it may still arrive")
            self._ledger.explain(sent)
            sent.is_out = False
            self._ledger.deny(sent)
        return None

    def gone(self, sent: Sent) -> VenueOrder:
        """An order that waited is in no list any more, and had no deals."""
        sent.is_out = False
        self._ledger.deny(sent)
        return sent.told(0, OrderStatus.CANCELLED, "no longer waiting, and no deals")

    def note(self, orders: Sequence[OpenOrder]) -> None:
        """The terminal told what waits. An order that was said not to be there, and comes to light,
        is a doubt: what was decided since then was decided wrongly."""
        self._unmarked.note(orders)
        denied = self._ledger.denied
        for order in orders if denied else ():
            known = denied.get(self._ledger.client_id_of(order.mark, order.ticket))
            if known is not None:
                words = f"it waits there as {order.ticket}"
                self._unmarked.doubt(known, _CAME_TO_LIGHT.format(known, words))

    def note_deals(
        self, deals: Sequence[Deal], fills_of: Callable[[str, Sequence[Deal]], Sequence[Deal]]
    ) -> None:
        """The same of deals; `fills_of` gives what is known of an order's."""
        denied = self._ledger.denied
        names = {self._ledger.owner_of(each) for each in deals} if denied else set()
        for sent in (denied[name] for name in names & denied.keys()):
            filled = sum(each.volume_units for each in fills_of(sent.client_order_id, deals))
            if filled > sent.denied_units:
                words = f"the terminal tells of {filled} units of it"
                self._unmarked.doubt(sent, _CAME_TO_LIGHT.format(sent, words))

    def wait_until(self, since_ns: int, now_ns: int, words: str) -> None:
        """Raise Unavailable, with what is left to wait, unless enough has passed since then."""
        left_ns = since_ns + self._settle_ns - now_ns
        if left_ns > 0:
            raise Unavailable(f"too early to say: {words}", left_ns / NS_PER_SECOND)
