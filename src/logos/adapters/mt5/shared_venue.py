"""An MT5 venue that asks once for all: orders in flight share one look at the terminal's lists.

The problem: every order that is followed asks for the lists of orders and of deals. With a hundred
orders in flight that is two hundred questions through one socket whose answers hold the same, each
longer than the one before, because the day's deals only grow.

The method: whoever asks while a question is under way shares the next one, which is begun after all
of them asked, so its answer is as new as each could want. Deals never change once they are made, so
they are remembered, and asked for only from a little before the newest one that is known. A market
order that has all its deals is done, whatever else waits, so it needs no look at the orders; and
the fills of an order that was found just now are those that it was found by.

A question does no harm, so one whose answer was lost is put again, at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from logos.adapters.mt5.known.ledger import Sent, told_from_deals
from logos.adapters.mt5.known.shared_lists import CLOSED, SharedLists, again
from logos.adapters.mt5.lists import Mt5VenueSymbol, TerminalLink, TerminalLists
from logos.adapters.mt5.records import Deal
from logos.adapters.mt5.server_clock import ServerClock
from logos.adapters.mt5.venue import Mt5Venue
from logos.core.clock import Clock
from logos.core.outbox import OutstandingOrder, SubmitOrder
from logos.core.types import OrderStatus, OrderType
from logos.venues.contract import NotSent, OrderNews, Unavailable, VenueFill, VenueOrder

_LIFE_S: Final = 5.0
"""Between two signs of life of a terminal that tells of its deals."""

_STREAM_S: Final = 0.1
"""How long a deal may take to come by itself before it is asked for."""


class SharedMt5Venue(Mt5Venue):
    """An `Mt5Venue` whose questions about lists are shared."""

    def __init__(
        self,
        link: TerminalLink,
        symbols: Mapping[str, Mt5VenueSymbol],
        clock: Clock,
        *,
        session_id: str,
        is_sandbox: bool,
        settle_s: float,
        server_clock: ServerClock | None = None,
    ) -> None:
        """In seconds. An order of unknown outcome is not declared absent before `settle_s`;
        `server_clock` is the terminal's; without one it is UTC.
        """
        super().__init__(
            link,
            symbols,
            clock,
            session_id=session_id,
            is_sandbox=is_sandbox,
            settle_s=settle_s,
            server_clock=server_clock,
        )
        self._news: asyncio.Queue[OrderNews] | None = None
        self._taken_before: dict[str, int] = {}
        """Orders that the terminal took from an earlier process, and since when they are absent
        (0: not yet)."""

    def _make_lists(self) -> TerminalLists:
        self._shared = SharedLists(self._link, self._symbols, self._server_clock)
        return self._shared

    async def open(self) -> None:
        """Connect and learn the account's currency; a lost answer is asked for again. Raises
        Unavailable."""
        self._shared.is_closed = False
        await again(self._link.open)
        self._link.listen(self._on_transaction)
        await super().open()
        self._shared.answered_ns = 0  # what was found at the beginning serves nobody after it

    def _on_transaction(self, frame: Mapping[str, Any]) -> None:
        """The terminal tells of something by itself: a deal, perhaps."""
        entry = frame.get("deal")
        deal = self._shared.hear(entry) if isinstance(entry, dict) else None
        if deal is not None:
            self._tickets.note(deal)
            self._absence.note_deals((deal,), self._fills_of)
        if deal is None or self._news is None:
            return
        owner = self._ledger.owner_of(deal)
        sent = self._ledger.get(owner)
        # Whoever sent a market order looks at once, and waits for its deal if need be.
        if owner and (sent is None or sent.type is not OrderType.MARKET):
            self._news.put_nowait(OrderNews(owner))

    def order_events(self) -> AsyncIterator[OrderNews] | None:
        """News of orders whose deals the terminal tells by itself; None where it does not."""
        return self._listen() if self._link.has_ids or self._news is not None else None

    async def _listen(self) -> AsyncIterator[OrderNews]:
        news = self._news = asyncio.Queue()
        told = OrderNews("", is_sign_of_life=True)
        while self._link.has_ids:  # it does not while the terminal is dead
            yield told
            told = OrderNews("", is_sign_of_life=True)
            with suppress(TimeoutError):
                told = await asyncio.wait_for(news.get(), _LIFE_S)
        raise Unavailable("the terminal does not tell of its deals any more")

    async def _question(self, fields: Mapping[str, object]) -> dict[str, Any]:
        """As there; a lost answer is asked for again. Raises Unavailable."""

        async def once() -> dict[str, Any]:
            return await super(SharedMt5Venue, self)._question(fields)

        return await again(once)

    def adopt(
        self, orders: Iterable[OutstandingOrder], fills: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Take over what an earlier process of the session sent and left open; `fills` are (client
        order id, deal) of all that was filled then."""
        for client_order_id, ticket in fills:
            self._ledger.own_deal(ticket, client_order_id)
            self._ledger.note_earlier(client_order_id)
        for order in orders:
            terms = order.terms
            sent = self._ledger.remember(terms, terms.created_ns)
            sent.filled_units = order.filled
            if order.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED):
                self._taken_before[terms.client_order_id] = 0
            else:
                self._ledger.doubt(sent, self._clock.now_ns())

    async def close(self) -> None:
        """Close the lists; the gateway belongs to the terminal's owner."""
        await self._shared.close()
        self._by_ticket.close()

    async def _trade(
        self,
        terminal_symbol: str,
        fields: Mapping[str, object],
        what: str,
        order: SubmitOrder | None = None,
        epoch: int | None = None,
    ) -> dict[str, Any]:
        """Send a trade request, once. Raises NotSent once this venue is closed: the gateway stays
        open for the feeds, and nothing may leave by it any more."""
        if self._shared.is_closed:
            raise NotSent(f"{what}: {CLOSED}")
        return await super()._trade(terminal_symbol, fields, what, order, epoch)

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        """The order as the terminal shows it; None when it never had it. Raises Unavailable.

        An order that has all its deals is done: where they came by themselves nothing is asked, and
        for a market order the list of orders never is.
        """
        self._known(client_order_id, symbol)
        sent = self._ledger.get(client_order_id)
        if sent is not None and sent.ticket:
            await self._wait_for_deal(sent)
            if (there := self._told_whole(sent)) is not None:
                return there
        if sent is not None and sent.ticket and sent.type is OrderType.MARKET:
            await self._deals_beside(self._unmarked.deals_from_s(sent))
            if (there := self._told_whole(sent)) is not None:
                return there
        found = await super().find(client_order_id, symbol)
        if found is None and sent is not None and client_order_id in self._taken_before:
            return self._gone(sent)
        return found

    async def _deals_beside(self, from_server_s: int) -> list[Deal]:
        """As there. Where deals say whose they are, each is looked at once, when it is first told:
        whose it is does not change."""
        if self._unmarked.is_on or self._tickets.is_on:
            return await super()._deals_beside(from_server_s)
        from_s = max(0, from_server_s)
        await self._shared.learn_deals(from_s)
        self._note_deals(self._shared.known.take_listed())
        return self._shared.known.blank_since(from_s)

    def _told_whole(self, sent: Sent) -> VenueOrder | None:
        """A taken order whose known deals make it whole; None for any other."""
        mine = self._fills_of(sent.client_order_id, ())
        if not sent.ticket or sum(each.volume_units for each in mine) < sent.quantity_units:
            return None
        return told_from_deals(sent.client_order_id, mine, sent)

    async def _wait_for_deal(self, sent: Sent) -> None:
        """The deal that the answer to a market order told of is on its way by itself, too."""
        if sent.answered_deal:
            deal, sent.answered_deal = sent.answered_deal, ""
            await self._shared.wait_for(deal, _STREAM_S)

    def told(self, client_order_id: str) -> tuple[VenueOrder, Sequence[VenueFill]] | None:
        """An order that is over, and all its fills, where the terminal has told of all of them;
        nothing is asked."""
        sent = self._ledger.get(client_order_id)
        there = None if sent is None or self._unmarked.is_on else self._told_whole(sent)
        if there is None:
            return None
        mine = self._fills_of(client_order_id, ())
        return there, [self._told(each) for each in mine]

    def _fills_of(
        self,
        client_order_id: str,
        deals: Sequence[Deal],  # noqa: ARG002 - they are among those that are known
    ) -> list[Deal]:
        """Known deals of an order, looked up."""
        found = self._shared.known.found_by(*self._ledger.marks_of(client_order_id))
        return [each for each in found if self._ledger.owns(client_order_id, each)]

    def _gone(self, sent: Sent) -> VenueOrder:
        """What it means that an order, taken from an earlier process, is in no list now."""
        now_ns = self._clock.now_ns()
        since_ns = self._taken_before[sent.client_order_id] or now_ns
        self._taken_before[sent.client_order_id] = since_ns
        self._absence.wait_until(since_ns, now_ns, "it has left the list of orders")
        if sent.type is OrderType.MARKET:
            raise Unavailable(f"{sent.client_order_id}: its deals are not in the history")
        return self._absence.gone(sent)

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        """Deals from the second of that moment on (ns, UTC), oldest first. Raises Unavailable.

        They are taken from the answer of a moment ago where that reaches back so far.

        What it lacks is found by the next look: whoever follows an order asks until its fills add
        up to what the terminal says it filled.
        """
        from_s = max(0, self._lists.server_s(ts_ns))
        if self._shared.is_closed or not self._shared.knows_from(from_s):
            return await super().fills_since(ts_ns)
        known = self._shared.known_deals(from_s)
        self._unmarked.assign(known)
        return [self._told(each) for each in known]

    async def fills_of(self, client_order_id: str, since_ns: int) -> Sequence[VenueFill]:
        """Those of `fills_since` that are this order's, looked up. Raises Unavailable."""
        if self._unmarked.is_on:
            return await self.fills_since(since_ns)
        from_s = max(0, self._lists.server_s(since_ns))
        if self._shared.is_closed or not self._shared.knows_from(from_s):
            await self._deals_beside(from_s)
        mine = self._fills_of(client_order_id, ())
        return [self._told(each) for each in mine if each.time_s >= from_s]
