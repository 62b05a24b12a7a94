"""Whose order is it, and what became of ours: what the MT5 venue remembers of what it sent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import msgspec

from logos.adapters.mt5.records import Deal, Mark, OpenOrder, magic_of
from logos.adapters.mt5.tickets.legs import ORDER_COMMENT_MAX, order_comment
from logos.core.outbox import OrderTerms
from logos.core.types import OrderStatus, OrderType, Side
from logos.venues.contract import VenueOrder
from logos.venues.ids import ClientIds, IdRule

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
    stop_price_units: int
    sent_ns: int
    ticket: str = ""
    """The terminal's number of it, once it is known to be there."""
    is_ticket_cut: bool = False
    """Whether only 32 bits of that number are known."""
    answered_units: int = 0
    """How much the answer says was done at once."""
    answered_price_units: int = 0
    """At which price; 0: it does not say."""
    answered_deal: str = ""
    """The deal that the answer told of, until it was looked for."""
    after_deal: int = 0
    """The newest deal that was known when it was sent."""
    filled_units: int = 0
    """What the deals that belong to it add up to, where it is this process that says so."""
    is_listed: bool = False
    """Whether it waited at the latest look."""
    has_been_listed: bool = False
    is_out: bool = True
    """Whether it may be there: it was not refused, and it left."""
    is_doubted: bool = False
    unknown_since_ns: int = 0
    absent_since_ns: int = 0
    """Since when it is in no list, although it was taken."""
    denied_units: int = 0
    """What it had filled when its rest was said not to be there."""
    lacking_since_ns: int = 0
    """Since when deals of it are missing."""

    @property
    def price_units(self) -> int:
        """The price that it waits at; 0 for a market order."""
        return self.stop_price_units if self.type is OrderType.STOP else self.limit_price_units

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
        self._ids = ClientIds(IdRule(ORDER_COMMENT_MAX, takes_punctuation=True), session_id)
        self._sent: OrderedDict[str, Sent] = OrderedDict()
        self._by_comment: dict[str, str] = {}
        self._by_magic: dict[int, str] = {}
        self._earlier: dict[int, str] = {}
        """Orders of earlier processes that are over, by magic number."""
        self._by_ticket: dict[str, str] = {}
        self._tickets_of: dict[str, list[str]] = {}
        """The same the other way round."""
        self._by_deal: dict[str, str] = {}
        """Whose a deal is, where the terminal does not say it."""
        self._deals_of: dict[str, list[str]] = {}
        """The same the other way round."""
        self.denied: dict[str, Sent] = {}
        """By client id: orders that, or the rest of which, were said not to be there."""
        self._unknown: dict[str, dict[str, Sent]] = {}
        """By symbol and client id: orders of which nobody knows whether they are there."""
        self._open: dict[str, dict[str, Sent]] = {}
        """By symbol and client id: orders that may be there and not wholly filled."""

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
            terms.stop_price,
            now_ns,
        )
        self._sent[sent.client_order_id] = sent
        self.denied.pop(sent.client_order_id, None)
        self._by_comment[sent.comment] = sent.client_order_id
        self._by_magic[sent.magic] = sent.client_order_id
        self._open.setdefault(sent.symbol, {})[sent.client_order_id] = sent
        if len(self._sent) > REMEMBERED:
            self._forget_one()
        return sent

    def learn_ticket(self, sent: Sent, ticket: str, *, is_cut: bool = False) -> None:
        """The order is there, under this number, or one of which these are 32 bits."""
        sent.ticket = ticket
        sent.is_ticket_cut = is_cut
        self.explain(sent)
        sent.absent_since_ns = 0
        if not is_cut:
            self.add_ticket(sent, ticket)

    def add_ticket(self, sent: Sent, ticket: str) -> None:
        """One more of the terminal's orders is this one's, too (a request of several)."""
        if self._by_ticket.get(ticket) != sent.client_order_id:
            self._by_ticket[ticket] = sent.client_order_id
            self._tickets_of.setdefault(sent.client_order_id, []).append(ticket)

    def note_earlier(self, client_order_id: str) -> None:
        """An order of an earlier process that was filled: what it opened is recognised by its magic
        number. A deal is not: it has no new ones, and one that the server makes against what it
        opened, for its stop, may carry that number too. Raises Refused for an id that is not of the
        session's form."""
        self._earlier[magic_of(client_order_id)] = client_order_id

    def deny(self, sent: Sent, filled_units: int = 0) -> None:
        """The order, or what it has not filled, is said not to be there."""
        sent.denied_units = filled_units
        self.denied[sent.client_order_id] = sent

    def doubt(self, sent: Sent, now_ns: int) -> None:
        """From `now_ns` on nobody knows whether the order is there."""
        sent.unknown_since_ns = now_ns
        self._unknown.setdefault(sent.symbol, {})[sent.client_order_id] = sent

    def explain(self, sent: Sent) -> None:
        """What became of the order is known."""
        if sent.unknown_since_ns:
            sent.unknown_since_ns = 0
            self._unknown[sent.symbol].pop(sent.client_order_id, None)

    def get(self, client_order_id: str) -> Sent | None:
        """What is known of an order that this process sent."""
        return self._sent.get(client_order_id)

    def sent_with(self, comment: str) -> Sent | None:
        """The order of this process that was sent with that comment."""
        return self._sent.get(self._ids.to_ours(comment)) if comment else None

    def open_sent(self, symbol: str) -> list[Sent]:
        """Orders of a symbol that may be there and are not wholly filled, oldest first."""
        may_be_open = self._open.get(symbol, {})
        over = [
            name
            for name, sent in may_be_open.items()
            if not sent.is_out or sent.filled_units >= sent.quantity_units
        ]
        for name in over:  # neither ever changes back
            del may_be_open[name]
        return list(may_be_open.values())

    def own_deal(self, deal_ticket: str, client_order_id: str) -> None:
        """A deal belongs to this order."""
        if self._by_deal.get(deal_ticket) != client_order_id:
            self._by_deal[deal_ticket] = client_order_id
            self._deals_of.setdefault(client_order_id, []).append(deal_ticket)

    def marks_of(self, client_order_id: str) -> tuple[str, int, str, Sequence[str]]:
        """By what an order's deals can be found: comment, magic, the order's ticket, and tickets of
        deals. Raises Refused for an id that is not of the session's form."""
        sent = self._sent.get(client_order_id)
        owned = self._deals_of.get(client_order_id, ())
        if sent is not None:
            return sent.comment, sent.magic, sent.ticket, owned
        return self._ids.to_venue(client_order_id), magic_of(client_order_id), "", owned

    def owner_of(self, deal: Deal) -> str:
        """Whose a deal is; "" for one of nobody here."""
        by_mark = self.client_id_of(deal.mark, deal.order)
        return by_mark if self._can_own(by_mark, deal) else self._by_deal.get(deal.ticket, "")

    def _can_own(self, client_order_id: str, deal: Deal) -> bool:
        """Whether a deal that carries an order's marks can be its own. One that the server makes
        against a position, for its stop, may carry the marks of the order that opened it."""
        sent = self._sent.get(client_order_id)
        return bool(client_order_id) and (sent is None or sent.side is deal.side)

    def unknown(self, symbol: str) -> list[str]:
        """Client ids of a symbol's orders of which nobody knows whether they are there."""
        return list(self._unknown.get(symbol, ()))

    def opener_of(self, mark: Mark, identifier: str) -> str:
        """The order that opened a position, by what that carries; "" for one that is not ours."""
        return self.client_id_of(mark, identifier) or self._earlier.get(mark.magic or 0, "")

    def client_id_of(self, mark: Mark, ticket: str) -> str:
        """Whose an entry is by what it carries; "" for one that is not ours."""
        if comment := mark.comment:
            by_comment = self._by_comment.get(comment) or self._ids.to_ours(order_comment(comment))
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
            bool(mark.comment)
            and order_comment(mark.comment or "") == self._ids.to_venue(client_order_id)
        )

    def owns(self, client_order_id: str, deal: Deal) -> bool:
        """Whether a deal belongs to this order."""
        if self._by_deal.get(deal.ticket) == client_order_id:
            return True
        return self.is_mine(client_order_id, deal.mark, deal.order) and self._can_own(
            client_order_id, deal
        )

    def told_order(self, order: OpenOrder, filled_units: int) -> VenueOrder:
        """An entry of ORDERS as the venue tells it."""
        status = OrderStatus.PARTIALLY_FILLED if filled_units else OrderStatus.ACCEPTED
        owner = self.client_id_of(order.mark, order.ticket)
        return VenueOrder(
            owner,
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
                self._by_comment.pop(sent.comment, None)
                self._by_magic.pop(sent.magic, None)
                self.denied.pop(name, None)
                self._open[sent.symbol].pop(name, None)
                for ticket in self._tickets_of.pop(name, ()):
                    if self._by_ticket.get(ticket) == name:
                        del self._by_ticket[ticket]
                for ticket in self._deals_of.pop(name, ()):
                    self._by_deal.pop(ticket, None)
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
