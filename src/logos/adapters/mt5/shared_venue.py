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
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from time import perf_counter_ns
from typing import Any, Final, Generic, TypeVar

from logos.adapters.mt5.ledger import Sent, told_from_deals
from logos.adapters.mt5.lists import Mt5VenueSymbol, OpenOrders, TerminalLink, TerminalLists
from logos.adapters.mt5.records import Deal
from logos.adapters.mt5.server_clock import ServerClock
from logos.adapters.mt5.venue import Mt5Venue
from logos.core.clock import Clock
from logos.core.outbox import OutstandingOrder, SubmitOrder
from logos.core.types import OrderStatus, OrderType
from logos.venues.contract import NotSent, Unavailable, VenueFill, VenueOrder

_AGAIN_S: Final = 2
"""How far before the newest known deal the terminal is asked again: a deal may be booked late."""

_LATE_S: Final = 10
"""An order that was sent longer ago is looked for in all deals since then."""

_TRIES: Final = 3
_NEW_NS: Final = 100_000_000
_REMEMBERED_MAX: Final = 50_000
_NEVER_S: Final = 1 << 62
CLOSED: Final = "the venue is closed"

Answer = TypeVar("Answer")


class SharedQuestion(Generic[Answer]):
    """One question that many ask at once: at most one is under way, and one waits to follow it."""

    def __init__(self, ask: Callable[[], Awaitable[Answer]]) -> None:
        self._ask = ask
        self._current: asyncio.Future[Answer] | None = None
        self._next: asyncio.Future[Answer] | None = None
        self.asked = 0
        """How often it was asked for."""
        self.rounds = 0
        """How often it was put."""

    async def answer(self) -> Answer:
        """The answer to a question that is put after this call. Raises what asking raises."""
        self.asked += 1
        if self._next is None:
            self._next = asyncio.ensure_future(self._follow(self._current))
            self._next.add_done_callback(_retrieve)
        # Shielded: one who gives up must not take the answer from the others.
        return await asyncio.shield(self._next)

    async def _follow(self, before: asyncio.Future[Answer] | None) -> Answer:
        if before is not None:
            await asyncio.wait((before,))
        # From here on whoever asks needs a newer answer.
        self._current, self._next = self._next, None
        self.rounds += 1
        return await self._ask()

    async def close(self) -> None:
        """Ask no more, and wait until what is under way has let go of the gateway."""
        tasks = [task for task in (self._current, self._next) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Whoever asked has heard of it, or has gone."""
    if not future.cancelled():
        future.exception()


class SharedLists(TerminalLists):
    """The lists of a terminal, asked for together, with a memory for deals."""

    def __init__(
        self, link: TerminalLink, symbols: Mapping[str, Mt5VenueSymbol], server_clock: ServerClock
    ) -> None:
        super().__init__(link, symbols, server_clock)
        self.order_question = SharedQuestion(super().orders)
        self.deal_question = SharedQuestion(self._new_deals)
        self._wanted_s = _NEVER_S
        """From when on those who wait for the next question want deals."""
        self.answered_ns = 0
        """When deals were answered last (`perf_counter_ns`)."""
        self._deals: list[Deal] = []
        """What is known, by time and ticket."""
        self._tickets: set[str] = set()
        self._known_from_s = _NEVER_S
        """From when on all deals up to the newest are known."""
        self.is_closed = False

    async def close(self) -> None:
        """Ask no more."""
        self.is_closed = True
        await self.order_question.close()
        await self.deal_question.close()

    async def ask(self, fields: Mapping[str, object], what: str) -> dict[str, Any]:
        """The answer to a question, asked again at once, a few times, when it was lost.

        Raises Unavailable, also for an error that the terminal reports.
        """
        if self.is_closed:
            raise Unavailable(f"{what}: {CLOSED}")

        async def once() -> dict[str, Any]:
            return await super(SharedLists, self).ask(fields, what)

        return await _again(once)

    async def orders(self) -> OpenOrders:
        """Orders that wait in the session's symbols, from one question shared with all who ask now.

        Raises Unavailable.
        """
        return await self.order_question.answer()

    async def deals(self, from_server_s: int) -> list[Deal]:
        """Deals from a second of the terminal's clock on, by time; only new ones are read.

        Raises Unavailable.
        """
        from_s = max(0, from_server_s)
        self._wanted_s = min(self._wanted_s, from_s)
        await self.deal_question.answer()
        return self.known_deals(from_s)

    def known_deals(self, from_s: int) -> list[Deal]:
        """Deals from that second on, as of the latest answer."""
        return self._deals[bisect_left(self._deals, from_s, key=_time_of) :]

    def knows_from(self, from_s: int) -> bool:
        """Whether an answer of a moment ago reaches back so far."""
        is_new = perf_counter_ns() - self.answered_ns <= _NEW_NS
        return is_new and self._known_from_s <= from_s

    async def _new_deals(self) -> None:
        wanted_s, self._wanted_s = self._wanted_s, _NEVER_S
        newest_s = self._deals[-1].time_s if self._deals else 0
        # Who asks for a while already may miss a deal that was booked late: then all is asked for.
        is_recent = self._known_from_s <= wanted_s and newest_s - wanted_s <= _LATE_S
        ask_s = max(wanted_s, newest_s - _AGAIN_S) if is_recent else wanted_s
        # One that was booked late under a lower number is found by who asks for a while.
        since = int(self._deals[-1].ticket) if is_recent and self._deals else 0
        fresh = await self._unknown_deals(ask_s, since if self._link.has_ids else 0)
        self._tickets.update(each.ticket for each in fresh)
        self._deals += fresh
        self._deals.sort(key=_order_of)
        self._known_from_s = min(self._known_from_s, ask_s)
        self.answered_ns = perf_counter_ns()
        if len(self._deals) > _REMEMBERED_MAX:
            self._forget()

    async def _unknown_deals(self, from_s: int, ticket: int) -> list[Deal]:
        """Deals from that second on that are not known yet; only those are read.

        Only those after `ticket` are asked for, unless it is 0.
        """
        fields: dict[str, object] = {
            "action": "HISTORY",
            "actionType": "TRADES",
            "fromDate": from_s,
        }
        if ticket:
            fields["fromTicket"] = ticket
        reply = await self.ask(fields, "deals")
        return self.read_deals(reply, from_s, self._tickets)

    def _forget(self) -> None:
        """Let go of the older half."""
        gone = self._deals[: len(self._deals) // 2]
        self._deals = self._deals[len(gone) :]
        self._tickets.difference_update(each.ticket for each in gone)
        self._known_from_s = gone[-1].time_s + 1


async def _again(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask; where the answer was lost, ask again at once, a few times. Raises what the last does."""
    for _ in range(_TRIES - 1):
        with suppress(Unavailable):
            return await ask()
    return await ask()


def _time_of(each: Deal) -> int:
    return each.time_s


def _order_of(each: Deal) -> tuple[int, int]:
    return each.time_s, int(each.ticket)


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
        await _again(self._link.open)
        await super().open()
        self._shared.answered_ns = 0  # what was found at the beginning serves nobody after it

    async def _question(self, fields: Mapping[str, object]) -> dict[str, Any]:
        """As there; a lost answer is asked for again. Raises Unavailable."""

        async def once() -> dict[str, Any]:
            return await super(SharedMt5Venue, self)._question(fields)

        return await _again(once)

    def adopt(
        self, orders: Iterable[OutstandingOrder], fills: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Take over what an earlier process of the session sent and left open; `fills` are (client
        order id, deal) of all that was filled then."""
        for client_order_id, ticket in fills:
            self._ledger.own_deal(ticket, client_order_id)
        for order in orders:
            terms = order.terms
            sent = self._ledger.remember(terms, terms.created_ns)
            sent.filled_units = order.filled
            if order.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED):
                self._taken_before[terms.client_order_id] = 0
            else:
                sent.unknown_since_ns = self._clock.now_ns()

    async def close(self) -> None:
        """Close the lists; the gateway belongs to the terminal's owner."""
        await self._shared.close()

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

        A market order that has all its deals is done: the list of orders is not asked for.
        """
        self._known(client_order_id, symbol)
        sent = self._ledger.get(client_order_id)
        if sent is not None and sent.ticket and sent.type is OrderType.MARKET:
            deals = await self._deals(self._unmarked.deals_from_s(sent))
            mine = [each for each in deals if self._ledger.owns(client_order_id, each)]
            if sum(each.volume_units for each in mine) >= sent.quantity_units:
                return told_from_deals(client_order_id, mine, sent)
        found = await super().find(client_order_id, symbol)
        if found is None and sent is not None and client_order_id in self._taken_before:
            return self._gone(sent)
        return found

    def _gone(self, sent: Sent) -> VenueOrder:
        """What it means that an order, taken from an earlier process, is in no list now."""
        now_ns = self._clock.now_ns()
        since_ns = self._taken_before[sent.client_order_id] or now_ns
        self._taken_before[sent.client_order_id] = since_ns
        self._wait_until(since_ns, now_ns, "it has left the list of orders")
        if sent.type is OrderType.MARKET:
            raise Unavailable(f"{sent.client_order_id}: its deals are not in the history")
        return sent.told(0, OrderStatus.CANCELLED, "no longer waiting, and no deals")

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
