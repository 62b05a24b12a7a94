"""Whose order is it, and what became of ours: what the MT5 venue remembers of what it sent."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import msgspec

from logos.adapters.mt5.records import Deal, Mark, OpenOrder, magic_of
from logos.core.outbox import OrderTerms
from logos.core.types import OrderStatus, OrderType, Side
from logos.venues.contract import VenueOrder
from logos.venues.ids import ClientIds, IdRule

COMMENT_MAX: Final = 31
"""Characters of a comment that MetaTrader keeps."""

REMEMBERED: Final = 20_000
"""Orders whose particulars are kept; the oldest that are settled go first."""


class Sent(msgspec.Struct):
    """One order that was sent, and what is known of it. Times are the session's, 0: not yet."""

    client_order_id: str
    comment: str
    magic: int
    symbol: str
    side: Side
    type: OrderType
    quantity_units: int
    limit_price_units: int
    sent_ns: int
    ticket: str = ""
    """The terminal's number of it, once it is known to be there."""
    unknown_since_ns: int = 0
    absent_since_ns: int = 0
    """Since when it is in no list, although it was taken."""

    def told(self, filled_units: int, status: OrderStatus, reason: str = "") -> VenueOrder:
        """The order as the venue tells it."""
        return VenueOrder(
            self.client_order_id,
            self.ticket,
            self.symbol,
            self.side,
            self.type,
            self.quantity_units,
            filled_units,
            self.limit_price_units,
            status,
            reason,
        )


class Ledger:
    """Orders sent by this process, and how to recognise those sent by one before it."""

    def __init__(self, session_id: str) -> None:
        self._ids = ClientIds(IdRule(COMMENT_MAX, takes_punctuation=True), session_id)
        self._sent: OrderedDict[str, Sent] = OrderedDict()
        self._by_magic: dict[int, str] = {}
        self._by_ticket: dict[str, str] = {}

    def remember(self, terms: OrderTerms, now_ns: int) -> Sent:
        """An order is about to be sent, or was sent, at `now_ns` (nanoseconds UTC).

        Raises Refused for an id that cannot be carried.
        """
        sent = Sent(
            terms.client_order_id,
            self._ids.to_venue(terms.client_order_id),
            magic_of(terms.client_order_id),
            terms.symbol,
            terms.side,
            terms.type,
            terms.quantity,
            terms.limit_price,
            now_ns,
        )
        self._sent[sent.client_order_id] = sent
        self._by_magic[sent.magic] = sent.client_order_id
        if len(self._sent) > REMEMBERED:
            self._forget_one()
        return sent

    def learn_ticket(self, sent: Sent, ticket: str) -> None:
        """The order is there, under this number."""
        sent.ticket = ticket
        sent.unknown_since_ns = 0
        sent.absent_since_ns = 0
        self._by_ticket[ticket] = sent.client_order_id

    def get(self, client_order_id: str) -> Sent | None:
        """What is known of an order that this process sent."""
        return self._sent.get(client_order_id)

    def unknown(self, symbol: str) -> list[str]:
        """Client ids of a symbol's orders of which nobody knows whether they are there."""
        return [
            name
            for name, sent in self._sent.items()
            if sent.unknown_since_ns and sent.symbol == symbol
        ]

    def client_id_of(self, mark: Mark, ticket: str) -> str:
        """Whose an entry is by what it carries; "" for one that is not ours."""
        by_comment = self._ids.to_ours(mark.comment) if mark.comment else ""
        if by_comment:
            return by_comment
        if mark.magic and mark.magic in self._by_magic:
            return self._by_magic[mark.magic]
        return self._by_ticket.get(ticket, "") if ticket else ""

    def is_mine(self, client_order_id: str, mark: Mark, ticket: str) -> bool:
        """Whether an entry belongs to this order, sent by whichever process of the session."""
        if self.client_id_of(mark, ticket) == client_order_id:
            return True
        return mark.magic == magic_of(client_order_id) or (
            bool(mark.comment) and mark.comment == self._ids.to_venue(client_order_id)
        )

    def told_order(self, order: OpenOrder, filled_units: int) -> VenueOrder:
        """An entry of ORDERS as the venue tells it."""
        status = OrderStatus.PARTIALLY_FILLED if filled_units else OrderStatus.ACCEPTED
        return VenueOrder(
            self.client_id_of(order.mark, order.ticket),
            order.ticket,
            order.symbol,
            order.side,
            order.type,
            order.volume_units,
            filled_units,
            order.price_units if order.type is OrderType.LIMIT else 0,
            status,
        )

    def _forget_one(self) -> None:
        for name, sent in self._sent.items():
            if not sent.unknown_since_ns:
                del self._sent[name]
                self._by_magic.pop(sent.magic, None)
                self._by_ticket.pop(sent.ticket, None)
                return


def told_from_deals(client_order_id: str, deals: list[Deal], sent: Sent | None) -> VenueOrder:
    """An order that is no longer open, from its deals.

    A process that did not send it does not know how much was asked for: then what was filled
    counts as the whole, and the reason says so.
    """
    filled = sum(each.volume_units for each in deals)
    if sent is not None:
        if filled >= sent.quantity_units:
            return sent.told(filled, OrderStatus.FILLED)
        return sent.told(filled, OrderStatus.CANCELLED, "filled in part; the rest is gone")
    first = deals[0]
    return VenueOrder(
        client_order_id,
        first.order,
        first.symbol,
        first.side,
        OrderType.MARKET,
        filled,
        filled,
        0,
        OrderStatus.FILLED,
        "read from its deals: the terminal does not tell how much was asked for",
    )
