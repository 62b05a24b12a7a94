"""An order at a hedging account: tickets are closed, the oldest first, and the rest is opened.

The engine's books are net; this account's are not. So an order that reduces the net position is
sent as closes of the session's own tickets (`POSITION_PARTIAL`, which names ticket and volume; the
whole is closed in the same way, so that a position can never close more than was meant), and only
when none is held on the other side any more does what exceeds them open a position. Each request is
recorded before it leaves (`legs`); each is decided from lists that were asked for after the one
before it was answered, and is sent once. One order of a symbol is under way at a time.

No request opens against a side that is held or that an order of the session waits to open: orders
that wait cannot close a ticket (MetaTrader knows no such order), so those are refused.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from logos.adapters.mt5.known.ledger import Ledger, Sent
from logos.adapters.mt5.lists import Mt5VenueSymbol, OpenOrders, TerminalLists
from logos.adapters.mt5.records import Deal, Ticket
from logos.adapters.mt5.sending import Answer, order_fields, read_answer
from logos.adapters.mt5.tickets.held import Tickets
from logos.adapters.mt5.tickets.legs import LEGS_MAX, OPENS, Leg, LegRecord, leg_comment
from logos.adapters.mt5.tickets.plan import plan_of
from logos.core.clock import Clock
from logos.core.fixed import format_units
from logos.core.outbox import OrderTerms, SubmitOrder
from logos.core.types import OrderStatus, OrderType
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable, VenueOrder

Trade = Callable[[str, Mapping[str, object], str, SubmitOrder, int], Awaitable[dict[str, Any]]]
"""Sends one request: the terminal's symbol, fields, of what, the whole order, the epoch."""

_TRIES: Final = 3
"""How often a request that had no effect is followed by another, once something was done."""

_LOOKS: Final = 10
_PAUSE_S: Final = 0.05
_DEAL_TRIES: Final = 40
"""How often the deal of an answer that names none is looked for, `_PAUSE_S` apart."""


class TicketOrders:
    """The orders of one session at a hedging account."""

    def __init__(
        self, ledger: Ledger, lists: TerminalLists, tickets: Tickets, clock: Clock, trade: Trade
    ) -> None:
        self._ledger = ledger
        self._lists = lists
        self.tickets = tickets
        self._clock = clock
        self._trade = trade
        self.record: LegRecord | None = None
        """Where requests are recorded; without one nothing is sent."""
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """One order of a symbol at a time."""

    async def send(
        self, request: SubmitOrder, symbol: Mt5VenueSymbol, sent: Sent, epoch: int
    ) -> VenueOrder:
        """Send an order, in as many requests as it needs. The symbol's lock is held.

        Raises Refused and NotSent while nothing of it was done, and OutcomeUnknown.
        """
        terms = request.terms
        done, tries, words = 0, 0, ""
        while done < terms.quantity:
            try:
                leg, fields = await self._next(terms, symbol, sent, terms.quantity - done)
                answer = await self._send_one(request, symbol, sent, leg, fields, epoch)
            except (Refused, NotSent) as error:
                tries += 1
                if not done:
                    raise
                words = str(error)
                if isinstance(error, Refused) or tries >= _TRIES:
                    break
                await self._clock.sleep(min(error.retry_after_s, _PAUSE_S))
                continue
            if answer is None:
                return sent.told(0, OrderStatus.ACCEPTED)
            done += answer
            if answer < leg.units:
                words = "the broker filled it in part"
                break
        if done >= terms.quantity:
            return sent.told(done, OrderStatus.FILLED)
        words = f"filled in part, the rest is not sent: {words}"
        return sent.told(done, OrderStatus.CANCELLED, words)

    # ---- the next request ----

    async def _next(
        self, terms: OrderTerms, symbol: Mt5VenueSymbol, sent: Sent, left: int
    ) -> tuple[Leg, dict[str, object]]:
        """The next request, recorded. Raises Refused and NotSent; nothing has left then."""
        try:
            waiting, held = await self._look(terms.symbol)
        except Unavailable as error:
            what = f"{terms.client_order_id}: not sent"
            raise NotSent(f"{what}: {error}", error.retry_after_s) from None
        against = [each for each in held if each.side is not terms.side]
        plan = plan_of(left, against, symbol.instrument)
        if words := self._why_not(terms, waiting, against, plan.opens) or plan.words:
            raise Refused(f"{terms.client_order_id}: {words}")
        if not plan.closes:
            leg = self._begin(terms, left, OPENS)
            fields = order_fields(terms, symbol.terminal_symbol, sent)
            volume = _volume(symbol, left)
        else:
            ticket, units = plan.closes[0]
            leg = self._begin(terms, units, ticket.ticket)
            fields = {
                "action": "TRADE",
                "actionType": "POSITION_PARTIAL",
                "symbol": symbol.terminal_symbol,
                "id": int(ticket.ticket),
                "magic": sent.magic,
            }
            volume = _volume(symbol, units)
        comment = leg_comment(sent.comment, leg.number)
        return leg, fields | {"volume": volume, "comment": comment}

    async def _look(self, symbol: str) -> tuple[OpenOrders, list[Ticket]]:
        """What waits, and the session's tickets. A terminal may list a position a moment later than
        it answers, so it is looked at a few times. Raises Unavailable."""
        for _ in range(_LOOKS - 1):
            # Orders first: what is filled in between is then in both lists, never in none.
            waiting = await self._lists.orders()
            waiting.check_whole()
            with suppress(Unavailable):
                return waiting, await self.tickets.look(symbol)
            await self._clock.sleep(_PAUSE_S)
        return await self._lists.orders(), await self.tickets.look(symbol)

    def _why_not(
        self, terms: OrderTerms, waiting: OpenOrders, against: Sequence[Ticket], opens: int
    ) -> str:
        """Why an order would leave both sides open; empty when it would not."""
        if terms.type is not OrderType.MARKET and against:
            return (
                f"a {terms.type.value} order cannot close ticket {against[0].ticket} at a hedging "
                "account, it would open the other side: use a market order, or an exit that logos "
                "holds"
            )
        for order in waiting if opens else ():
            is_ours = self._ledger.client_id_of(order.mark, order.ticket)
            if is_ours and order.symbol == terms.symbol and order.side is not terms.side:
                return (
                    f"{is_ours} waits to {order.side.value} there, and a hedging account would "
                    "hold both sides: cancel it first"
                )
        return ""

    def _begin(self, terms: OrderTerms, units: int, closes: str) -> Leg:
        """Record a request. Raises NotSent where that cannot be done, and the session stops then;
        Refused beyond `LEGS_MAX`."""
        name = terms.client_order_id
        if self.record is None:
            raise NotSent(f"{name}: not sent: there is no record of requests by ticket")
        if len(self.record.of(name)) >= LEGS_MAX:
            raise Refused(f"{name}: it has come to {LEGS_MAX} requests, and may to no more")
        try:
            return self.record.begin(
                name, terms.symbol, terms.side.value, units, closes, self._clock.now_ns()
            )
        except OSError as error:
            raise NotSent(f"{name}: not sent: {self._doubt_record(error)}") from None

    def _end(self, leg: Leg, outcome: str, done_units: int = 0) -> None:
        """Record what came of a request. Where that cannot be done, this process knows it, and the
        session stops."""
        if self.record is None:
            return  # closed meanwhile: whoever opens it finds out anew
        try:
            self.record.end(leg, outcome, done_units)
        except OSError as error:
            self._doubt_record(error)

    def _doubt_record(self, error: OSError) -> str:
        words = f"requests by ticket cannot be recorded: {error}"
        self.tickets.on_doubt(words)
        return words

    async def _send_one(
        self,
        request: SubmitOrder,
        symbol: Mt5VenueSymbol,
        sent: Sent,
        leg: Leg,
        fields: Mapping[str, object],
        epoch: int,
    ) -> int | None:
        """Send it, once; units done, None of an order that waits. Raises as `send`."""
        name = leg_comment(sent.client_order_id, leg.number)
        what = f"{name} ({leg.symbol})"
        try:
            reply = await self._trade(symbol.terminal_symbol, fields, what, request, epoch)
            answer = read_answer(what, symbol.instrument, reply)
        except Refused:
            self._end(leg, "refused")
            raise
        except NotSent:
            self._end(leg, "not sent")
            raise
        if not sent.ticket:
            self._ledger.learn_ticket(sent, answer.ticket)
        self._ledger.add_ticket(sent, answer.ticket)
        if sent.type is not OrderType.MARKET:
            self._end(leg, "done")
            return None
        done = answer.done_units if answer.deal else await self._await_deals(what, leg, answer)
        sent.answered_deal = answer.deal
        self.tickets.answered(leg.symbol, answer.ticket, sent.side, done)
        self._end(leg, "done", done)
        return done

    async def _await_deals(self, what: str, leg: Leg, answer: Answer) -> int:
        """The units of a request that was taken and whose answer names no deal. Raises
        OutcomeUnknown when its deals do not show."""
        for _ in range(_DEAL_TRIES):
            try:
                deals = await self._lists.deals(self._lists.server_s(leg.ts_ns) - 1)
            except Unavailable:
                deals = []
            self.tickets.note_all(deals)
            done = sum(each.volume_units for each in deals if each.order == answer.ticket)
            if done >= leg.units:
                return done
            await self._clock.sleep(_PAUSE_S)
        raise OutcomeUnknown(f"{what}: it was taken, and its deal is not told")

    def close(self) -> None:
        """Close the record; closing again does nothing."""
        record, self.record = self.record, None
        if record is not None:
            record.close()

    # ---- what became of an order ----

    def lacking(self, sent: Sent, fills: Sequence[Deal]) -> tuple[str, bool]:
        """What is missing of the deals of an order that is not under way any more, in words that
        are empty when nothing is; and whether what is missing was certainly done."""
        filled = sum(each.volume_units for each in fills)
        if filled >= sent.quantity_units:
            return "", False
        legs = [] if self.record is None else self.record.of(sent.client_order_id)
        done = sum(each.done_units for each in legs)
        if filled < done:
            return f"{filled} of {done} units are among the deals", True
        if legs and all(each.is_settled for each in legs):
            return "", False
        return "a request of it may still arrive", False


def _volume(symbol: Mt5VenueSymbol, units: int) -> msgspec.Raw:
    return msgspec.Raw(format_units(units, symbol.instrument.quantity_decimals).encode())
