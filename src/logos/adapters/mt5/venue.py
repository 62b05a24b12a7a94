"""Orders at a MetaTrader 5 terminal, over the ZeroMQ bridge.

Quantities are lots: an instrument's lot is the terminal's volume step, its multiplier the contract
size. An order's client id travels in its `comment` (`tickets.legs`; `ClientIds` shortens what is
longer, always in the same way) and, as a number, in its `magic`; it is found again by either, in
ORDERS while it waits and in HISTORY TRADES once it was filled. ORDERS is asked first: an order that
is filled in between is then in both lists, never in none.

On a hedging account what is held stands under tickets, and an order closes the session's own
(`tickets`); a terminal that cannot do that for certain is refused there. Stop losses and take
profits are not used.

What a terminal cannot say: an order that ended without a fill leaves no trace in the bridge's
answers, so it is known to have been there only to the process that sent it. Deals carry whole
seconds. What the published Expert Advisor leaves out besides, and how its orders are followed all
the same, is in `unmarked`. The terminal's clock is its broker's.

Trades made by hand, or by another Expert Advisor, are told like all others, without a client id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.adapters.mt5.check import check_terminal
from logos.adapters.mt5.gateway.matching.identified import BRIDGE
from logos.adapters.mt5.known.absence import Absence
from logos.adapters.mt5.known.ledger import Ledger, told_from_deals
from logos.adapters.mt5.lists import Mt5Transaction, Mt5VenueSymbol, TerminalLink, TerminalLists
from logos.adapters.mt5.records import Deal
from logos.adapters.mt5.retcodes import TAKEN, failure_of
from logos.adapters.mt5.sending import order_fields, symbol_of, taken
from logos.adapters.mt5.server_clock import ServerClock
from logos.adapters.mt5.tickets.held import HEDGING, Tickets
from logos.adapters.mt5.tickets.legs import read_record
from logos.adapters.mt5.tickets.orders import TicketOrders
from logos.adapters.mt5.unmarked import Unmarked
from logos.core.clock import Clock
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import NS_PER_SECOND, OrderType, TimeInForce
from logos.venues.contract import (
    Capabilities,
    CheckLine,
    NotSent,
    OutcomeUnknown,
    Refused,
    Unavailable,
    VenueFill,
    VenueOrder,
)
from logos.venues.failures import order_error
from logos.venues.ids import require_named, split_id

_BY_HAND_S: Final = 60.0
"""After how long a cancel that only a person can make is asked for again."""

_POLL_S: Final = 1.0


class Mt5Venue:
    """One account of one terminal."""

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
        """`settle_s`: an order whose outcome is unknown is not declared absent before that."""
        self._link = link
        self._symbols = dict(symbols)
        self._server_clock = ServerClock(clock) if server_clock is None else server_clock
        self._lists = self._make_lists()
        self._clock = clock
        self._is_sandbox = is_sandbox
        self._ledger = Ledger(session_id)
        self._unmarked = Unmarked(link, self._lists, self._ledger, clock)
        self._tickets = Tickets(self._lists, self._ledger, clock)
        self._by_ticket = TicketOrders(self._ledger, self._lists, self._tickets, clock, self._trade)
        self._absence = Absence(
            self._ledger, self._unmarked, self._by_ticket, clock, round(settle_s * NS_PER_SECOND)
        )
        self._record_path: Path | None = None
        self._currency = ""

    def _make_lists(self) -> TerminalLists:
        return TerminalLists(self._link, self._symbols, self._server_clock)

    def stop_on_doubt(self, stop: Callable[[str], object]) -> None:
        """Have `stop` called, once each, with the reason why trading must not go on."""
        self._unmarked.on_doubt = stop
        self._lists.on_hedging = stop
        self._tickets.on_doubt = stop

    def keep_record(self, path: Path) -> None:
        """Record requests by ticket there, behind what an earlier process wrote (`tickets.legs`).
        Nothing is read or made before `open` finds a hedging account."""
        self._record_path = path

    def _begin_tickets(self, account: Mapping[str, Any]) -> None:
        """The account is a hedging one. Raises Unavailable where tickets cannot be closed for
        certain, or requests not be recorded."""
        if account.get("bridge") != BRIDGE:
            self._lists.refuse_hedging("the terminal says so")
            raise Unavailable(self._lists.hedging)
        if self._by_ticket.record is None and self._record_path is not None:
            self._by_ticket.record = read_record(self._record_path)
        self._tickets.is_on = True

    @property
    def name(self) -> str:
        """A short name for logs."""
        return f"mt5 ({'sandbox' if self._is_sandbox else 'live'})"

    @property
    def capabilities(self) -> Capabilities:
        """Market orders may be IOC or GTC (both are done at once); all others wait: GTC."""
        return Capabilities(
            frozenset((OrderType.MARKET, OrderType.LIMIT, OrderType.STOP)),
            frozenset((TimeInForce.GTC, TimeInForce.IOC)),
            has_replace=False,
            is_sandbox=self._is_sandbox,
        )

    async def open(self) -> None:
        """Connect, and learn the account's currency and how much the terminal tells.

        Raises Unavailable, also for a hedging account that is seen to be one.
        """
        await self._link.open()
        account = await self._lists.ask({"action": "ACCOUNT"}, "the account")
        self._currency = str(account.get("currency", ""))
        if account.get("margin_mode") == HEDGING:
            self._begin_tickets(account)
        await self._lists.measure_clock()
        await self._unmarked.open()

    async def close(self) -> None:
        """Close the link."""
        self._by_ticket.close()
        await self._link.close()

    # ---- orders ----

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        """Send an order, once. Raises Refused, NotSent or OutcomeUnknown.

        An order of the same symbol whose outcome is unknown is asked for first; NotSent if that
        cannot be settled now. An order that is itself unknown is never sent again.
        """
        epoch = self._link.epoch()  # a kill from here on keeps the order, whatever is asked first
        split_id(request.client_order_id)
        symbol = symbol_of(self._symbols, request.terms)
        if not self._tickets.is_on:
            return await self._submit(request, symbol, epoch)
        async with self._by_ticket.locks[request.terms.symbol]:
            return await self._submit(request, symbol, epoch)

    async def _submit(self, request: SubmitOrder, symbol: Mt5VenueSymbol, epoch: int) -> VenueOrder:
        terms = request.terms
        client_order_id = terms.client_order_id
        before = self._ledger.get(client_order_id)
        if before is not None and (before.unknown_since_ns or before.ticket):
            raise OutcomeUnknown(f"{client_order_id} was sent before; ask for it with find")
        await self._settle(terms.symbol, client_order_id)
        try:
            refusal = await self._unmarked.why_not(terms)
        except Unavailable as error:
            raise NotSent(f"{client_order_id}: not sent: {error}", error.retry_after_s) from None
        if refusal:
            raise Refused(f"{client_order_id}: {refusal}")
        sent = self._ledger.remember(terms, self._clock.now_ns())
        self._unmarked.begin(sent)
        try:
            if self._tickets.is_on:
                return await self._by_ticket.send(request, symbol, sent, epoch)
            fields = order_fields(terms, symbol.terminal_symbol, sent)
            reply = await self._trade(
                symbol.terminal_symbol, fields, client_order_id, request, epoch
            )
            told = taken(self._ledger, sent, symbol.instrument, reply)
        except (Refused, NotSent):
            sent.is_out = False
            raise
        except BaseException:
            # A cancel too: whoever gave up waiting knows as little as after a timeout.
            self._ledger.doubt(sent, self._clock.now_ns())
            raise
        await self._unmarked.look_at(sent)
        return told

    async def _settle(self, symbol: str, client_order_id: str) -> None:
        """Ask for the symbol's orders whose outcome is unknown."""
        for name in self._ledger.unknown(symbol):
            try:
                await self.find(name, symbol)
            except Unavailable as error:
                raise NotSent(
                    f"{client_order_id}: not sent: {name} is still unknown: {error}",
                    error.retry_after_s,
                ) from None

    async def cancel(self, request: CancelOrder) -> None:
        """Ask for a cancel. Raises Refused when it is not waiting, NotSent or OutcomeUnknown."""
        client_order_id, symbol = request.client_order_id, request.symbol
        each = self._known(client_order_id, symbol)
        what = f"cancel {client_order_id} ({symbol})"
        sent = self._ledger.get(client_order_id)
        ticket = "" if sent is None else sent.ticket
        if sent is None or not ticket or sent.is_ticket_cut:
            try:
                ticket = await self._waiting_ticket(client_order_id)
            except Unavailable as error:
                raise NotSent(f"{what}: not sent: {error}", error.retry_after_s) from None
            if not ticket:
                raise Refused(f"{what}: it is not waiting at the terminal")
            if sent is not None:
                # Its answer was lost, and here it is: that it was taken must not be forgotten.
                self._ledger.learn_ticket(sent, ticket)
        if words := self._unmarked.cannot_cancel(ticket):
            if sent is not None:
                self._unmarked.doubt(sent, f"{what}: {words}")
            raise NotSent(f"{what}: not sent: {words}", _BY_HAND_S)
        fields = {
            "action": "TRADE",
            "actionType": "ORDER_CANCEL",
            "symbol": each.terminal_symbol,
            "id": int(ticket),
        }
        reply = await self._trade(each.terminal_symbol, fields, what)
        if type(retcode := reply.get("retcode")) is not int:
            raise OutcomeUnknown(f"{what}: the terminal failed without a return code")
        if retcode not in TAKEN:
            raise order_error(what, failure_of(retcode))

    async def _waiting_ticket(self, client_order_id: str) -> str:
        """The ticket of an order that waits; empty for one that does not. Raises Unavailable."""
        orders = await self._lists.orders()
        self._absence.note(orders)
        for order in orders:
            if self._ledger.is_mine(client_order_id, order.mark, order.ticket):
                return order.ticket
        orders.check_whole()
        return ""

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        """The order as the terminal tells it; None when it has never had it. Raises Unavailable."""
        self._known(client_order_id, symbol)
        sent = self._ledger.get(client_order_id)
        if sent is not None and not sent.ticket:
            await self._unmarked.hear()
        orders = await self._lists.orders()
        self._absence.note(orders)
        deals = await self._deals_beside(self._unmarked.deals_from_s(sent))
        fills = self._fills_of(client_order_id, deals)
        for order in orders:
            if self._ledger.is_mine(client_order_id, order.mark, order.ticket):
                if sent is not None:
                    self._ledger.learn_ticket(sent, order.ticket)
                told = self._ledger.told_order(order, sum(d.volume_units for d in fills))
                return msgspec.structs.replace(told, client_order_id=client_order_id)
        orders.check_whole()
        if fills:
            if sent is not None:
                self._ledger.learn_ticket(sent, fills[0].order or sent.ticket)
                await self._absence.check_all_there(sent, fills)
            return told_from_deals(client_order_id, fills, sent)
        try:
            await self._unmarked.check_absent(sent, symbol, orders, deals)
        except Unavailable as error:
            self._unmarked.doubt_late(sent, str(error))
            raise
        if self._tickets.is_on:
            await self._tickets.look(symbol)
        return self._absence.told(sent)

    async def _deals(self, from_server_s: int) -> list[Deal]:
        """Deals from a second of the terminal's clock on, each with its order where that can be
        told. Raises Unavailable."""
        self._note_deals(deals := await self._lists.deals(from_server_s))
        return deals

    def _note_deals(self, deals: Sequence[Deal]) -> None:
        self._unmarked.assign(deals)
        self._tickets.note_all(deals)
        self._absence.note_deals(deals, self._fills_of)

    async def _deals_beside(self, from_server_s: int) -> list[Deal]:
        """Deals among which an order without marks is looked for. Raises Unavailable."""
        return await self._deals(from_server_s)

    def _fills_of(self, client_order_id: str, deals: Sequence[Deal]) -> list[Deal]:
        """Those of the deals that belong to an order."""
        return [each for each in deals if self._ledger.owns(client_order_id, each)]

    # ---- lists ----

    async def open_orders(self) -> Sequence[VenueOrder]:
        """Everything that waits in the session's symbols, also what it did not place."""
        orders = await self._lists.orders()
        self._absence.note(orders)
        orders.check_whole()
        return [self._ledger.told_order(order, 0) for order in orders]

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        """Deals in the session's symbols from the second of that moment on, oldest first."""
        return [self._told(each) for each in await self._deals(self._lists.server_s(ts_ns))]

    def _told(self, each: Deal) -> VenueFill:
        """A deal as the contract tells it."""
        owner = self._ledger.owner_of(each)
        sent = self._ledger.get(owner)
        return VenueFill(
            each.ticket,
            owner,
            each.order or ("" if sent is None else sent.ticket),
            each.symbol,
            each.side,
            each.volume_units,
            each.price_units,
            each.fee,
            self._currency,
            False,
            (each.time_s - self._lists.offset_s) * NS_PER_SECOND,
        )

    async def positions(self) -> Mapping[str, int]:
        """The position in each of the session's symbols: of a hedging account the sum of the
        session's own tickets."""
        held = self._tickets if self._tickets.is_on else self._lists
        return await held.positions()

    async def balances(self) -> Mapping[str, Decimal]:
        """The account's balance, open profits not included."""
        account = await self._lists.ask({"action": "ACCOUNT"}, "the account")
        balance = account.get("balance")
        if isinstance(balance, bool) or not isinstance(balance, (int, Decimal)):
            raise Unavailable("the account's balance is not a number")
        return {str(account.get("currency", "")): Decimal(balance)}

    async def check(self) -> Sequence[CheckLine]:
        """The dry run; connects if need be, and sends no order."""
        symbols = {each.terminal_symbol: each.instrument for each in self._symbols.values()}
        sandbox, link = self._is_sandbox, self._link
        return await check_terminal(self._question, symbols, sandbox, lambda: link.does_echo)

    async def _question(self, fields: Mapping[str, object]) -> dict[str, Any]:
        """A question of the dry run. Raises Unavailable."""
        await self._link.open()  # does nothing when it is open
        return await self._link.request("", fields)

    async def watch(self, on_transaction: Callable[[Mt5Transaction], None]) -> None:
        """Tell of each trade transaction until cancelled, those made by hand included."""
        while True:
            try:
                frame = await self._link.next_transaction(_POLL_S)
            except Unavailable:
                await self._clock.sleep(_POLL_S)
                continue
            told = None if frame is None else self._lists.transaction(frame, self._ledger)
            if told is not None:
                on_transaction(told)

    # ---- sending ----

    def _known(self, client_order_id: str, symbol: str) -> Mt5VenueSymbol:
        """The symbol of a question about an order of ours. Raises Refused."""
        split_id(client_order_id)
        each = self._symbols.get(symbol)
        if each is None:
            raise Refused(f"{symbol!r} is not among the symbols of this venue")
        return each

    async def _trade(
        self,
        terminal_symbol: str,
        fields: Mapping[str, object],
        what: str,
        order: SubmitOrder | None = None,
        epoch: int | None = None,
    ) -> dict[str, Any]:
        """Send a trade request, once; what was lost is said of `what`. Raises as the link does."""
        require_named(what, str(fields.get("id") or fields.get("magic") or ""), str(fields))
        try:
            return await self._link.request(terminal_symbol, fields, order, epoch)
        except OutcomeUnknown as error:
            words = str(error)
        except NotSent as error:
            raise NotSent(f"{what}: {error}", error.retry_after_s) from None
        raise OutcomeUnknown(f"{what}: {words}")
