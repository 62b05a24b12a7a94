"""Orders at a MetaTrader 5 terminal, over the ZeroMQ bridge.

Quantities are lots: an instrument's lot is the terminal's volume step, its multiplier the contract
size. An order's client id travels in its `comment` (31 characters; `common.ClientIds` shortens what
is longer, always in the same way) and, as a number, in its `magic`; it is found again by either, in
ORDERS while it waits and in HISTORY TRADES once it was filled. ORDERS is asked first: an order that
is filled in between is then in both lists, never in none.

Positions are netted by symbol: a hedging account may hold opposite positions, and what is told is
their sum. An opposite order closes on a netting account and opens the other side on a hedging one;
the sum is the same, the margin is not. Stop losses and take profits are not used.

What a terminal cannot say: an order that ended without a fill leaves no trace in the bridge's
answers, so it is known to have been there only to the process that sent it. Deals carry whole
seconds. Entries that carry neither comment nor magic (an unchanged Expert Advisor) could be
anybody's: while one is in question, no order is declared absent. The terminal's clock is its
broker's; `server_offset_s` is what it is ahead of UTC.

Trades made by hand, or by another Expert Advisor, are told like all others, without a client id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from logos.adapters.mt5.check import check_terminal
from logos.adapters.mt5.ledger import Ledger, Sent, told_from_deals
from logos.adapters.mt5.lists import Mt5Transaction, Mt5VenueSymbol, TerminalLink, TerminalLists
from logos.adapters.mt5.records import (
    ACTION_TYPES,
    Deal,
    Mark,
    OpenOrder,
    ticket_of,
    volume_units,
)
from logos.adapters.mt5.retcodes import TAKEN, failure_of
from logos.core.clock import Clock
from logos.core.fixed import format_units
from logos.core.instrument import Instrument
from logos.core.outbox import CancelOrder, OrderTerms, SubmitOrder
from logos.core.types import NS_PER_SECOND, OrderStatus, OrderType, TimeInForce
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
from logos.venues.records import Unreadable

_SLACK_S: Final = 5
"""How much before it was sent an order's deals are looked for: clocks differ a little."""

_POLL_S: Final = 1.0
_WORDS_MAX: Final = 120


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
        server_offset_s: int = 0,
    ) -> None:
        """`settle_s`: an order whose outcome is unknown is not declared absent before that."""
        self._link = link
        self._symbols = dict(symbols)
        self._lists = TerminalLists(link, self._symbols)
        self._clock = clock
        self._is_sandbox = is_sandbox
        self._settle_ns = round(settle_s * NS_PER_SECOND)
        self._offset_s = server_offset_s
        self._ledger = Ledger(session_id)
        self._currency = ""

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
        """Connect and learn the account's currency. Raises Unavailable."""
        await self._link.open()
        account = await self._lists.ask({"action": "ACCOUNT"}, "the account")
        self._currency = str(account.get("currency", ""))

    async def close(self) -> None:
        """Close the link."""
        await self._link.close()

    # ---- orders ----

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        """Send an order, once. Raises Refused, NotSent or OutcomeUnknown.

        An order of the same symbol whose outcome is unknown is asked for first; NotSent if that
        cannot be settled now. An order that is itself unknown is never sent again.
        """
        terms = request.terms
        client_order_id = terms.client_order_id
        split_id(client_order_id)
        symbol = self._symbol_of(terms)
        before = self._ledger.get(client_order_id)
        if before is not None and (before.unknown_since_ns or before.ticket):
            raise OutcomeUnknown(f"{client_order_id} was sent before; ask for it with find")
        await self._settle(terms.symbol, client_order_id)
        sent = self._ledger.remember(terms, self._clock.now_ns())
        fields = _order_fields(terms, symbol.terminal_symbol, sent)
        try:
            reply = await self._trade(symbol.terminal_symbol, fields, client_order_id, request)
        except (Refused, NotSent):
            raise
        except BaseException:
            # A cancel too: whoever gave up waiting knows as little as after a timeout.
            sent.unknown_since_ns = self._clock.now_ns()
            raise
        return self._taken(sent, symbol.instrument, reply)

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

    def _taken(self, sent: Sent, instrument: Instrument, reply: Mapping[str, Any]) -> VenueOrder:
        """The order after the terminal's answer. Raises what the answer means otherwise."""
        what = f"{sent.client_order_id} ({sent.symbol})"
        retcode = reply.get("retcode")
        if type(retcode) is not int:
            words = str(reply.get("description", ""))[:_WORDS_MAX]
            sent.unknown_since_ns = self._clock.now_ns()
            raise OutcomeUnknown(f"{what}: the terminal failed without a return code: {words}")
        if retcode not in TAKEN:
            error = order_error(what, failure_of(retcode))
            if isinstance(error, OutcomeUnknown):
                sent.unknown_since_ns = self._clock.now_ns()
            raise error
        try:
            ticket = ticket_of(reply, "order")
            done_units = volume_units(reply.get("volume"), instrument)
        except Unreadable as error:
            sent.unknown_since_ns = self._clock.now_ns()
            raise OutcomeUnknown(
                f"{what}: it was taken, but its answer is unreadable: {error}"
            ) from None
        self._ledger.learn_ticket(sent, ticket)
        # A deal's number says that it was done: orders that wait have none yet.
        if sent.type is not OrderType.MARKET or not reply.get("deal"):
            return sent.told(0, OrderStatus.ACCEPTED)
        if done_units >= sent.quantity_units:
            return sent.told(sent.quantity_units, OrderStatus.FILLED)
        return sent.told(done_units, OrderStatus.CANCELLED, f"{retcode}: filled in part")

    async def cancel(self, request: CancelOrder) -> None:
        """Ask for a cancel. Raises Refused when it is not waiting, NotSent or OutcomeUnknown."""
        client_order_id, symbol = request.client_order_id, request.symbol
        each = self._known(client_order_id, symbol)
        what = f"cancel {client_order_id} ({symbol})"
        sent = self._ledger.get(client_order_id)
        ticket = "" if sent is None else sent.ticket
        if not ticket:
            try:
                orders = await self._lists.orders()
            except Unavailable as error:
                raise NotSent(f"{what}: not sent: {error}", error.retry_after_s) from None
            mine = [o for o in orders if self._ledger.is_mine(client_order_id, o.mark, o.ticket)]
            if not mine:
                raise Refused(f"{what}: it is not waiting at the terminal")
            ticket = mine[0].ticket
            if sent is not None:
                # Its answer was lost, and here it is: that it was taken must not be forgotten.
                self._ledger.learn_ticket(sent, ticket)
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

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        """The order as the terminal tells it; None when it has never had it. Raises Unavailable."""
        self._known(client_order_id, symbol)
        sent = self._ledger.get(client_order_id)
        orders = await self._lists.orders()
        deals = await self._lists.deals(
            0 if sent is None else self._server_s(sent.sent_ns) - _SLACK_S
        )
        is_mine = self._ledger.is_mine
        fills = [d for d in deals if is_mine(client_order_id, d.mark, d.order)]
        for order in orders:
            if is_mine(client_order_id, order.mark, order.ticket):
                if sent is not None:
                    self._ledger.learn_ticket(sent, order.ticket)
                told = self._ledger.told_order(order, sum(d.volume_units for d in fills))
                return msgspec.structs.replace(told, client_order_id=client_order_id)
        if fills:
            if sent is not None:
                self._ledger.learn_ticket(sent, fills[0].order or sent.ticket)
            return told_from_deals(client_order_id, fills, sent)
        self._check_recognisable(symbol, orders, deals)
        return self._absent(sent)

    def _absent(self, sent: Sent | None) -> VenueOrder | None:
        """What it means that an order is in no list."""
        if sent is None:
            return None
        now_ns = self._clock.now_ns()
        if sent.ticket:
            # It was taken. Its deal may be on its way from the broker to the terminal's history.
            sent.absent_since_ns = sent.absent_since_ns or now_ns
            self._wait_until(sent.absent_since_ns, now_ns, "it has just left the list of orders")
            if sent.type is OrderType.MARKET:
                raise Unavailable(f"{sent.client_order_id}: its deals are not in the history yet")
            return sent.told(0, OrderStatus.CANCELLED, "no longer waiting, and no deals")
        if sent.unknown_since_ns:
            self._wait_until(sent.unknown_since_ns, now_ns, "it may still arrive")
            sent.unknown_since_ns = 0
        return None

    def _wait_until(self, since_ns: int, now_ns: int, words: str) -> None:
        left_ns = since_ns + self._settle_ns - now_ns
        if left_ns > 0:
            raise Unavailable(f"too early to say: {words}", left_ns / NS_PER_SECOND)

    def _check_recognisable(
        self, symbol: str, orders: Sequence[OpenOrder], deals: Sequence[Deal]
    ) -> None:
        """Raise Unavailable when an entry of the symbol could be the order in question."""
        marks: list[tuple[str, Mark, str]] = [(o.symbol, o.mark, o.ticket) for o in orders]
        marks += [(d.symbol, d.mark, d.order) for d in deals]
        for name, mark, ticket in marks:
            is_blank = mark.comment is None and mark.magic is None
            if name == symbol and is_blank and not self._ledger.client_id_of(mark, ticket):
                raise Unavailable(
                    f"{symbol}: the terminal lists orders or deals without comment and magic, "
                    "so it cannot be told whose they are: see docs/MT5.md for the lines that the "
                    "Expert Advisor needs",
                    60.0,
                )

    # ---- lists ----

    async def open_orders(self) -> Sequence[VenueOrder]:
        """Everything that waits in the session's symbols, also what it did not place."""
        return [self._ledger.told_order(order, 0) for order in await self._lists.orders()]

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        """Deals in the session's symbols from the second of that moment on, oldest first."""
        deals = await self._lists.deals(self._server_s(ts_ns))
        return [
            VenueFill(
                each.ticket,
                self._ledger.client_id_of(each.mark, each.order),
                each.order,
                each.symbol,
                each.side,
                each.volume_units,
                each.price_units,
                each.fee,
                self._currency,
                False,
                (each.time_s - self._offset_s) * NS_PER_SECOND,
            )
            for each in deals
        ]

    async def positions(self) -> Mapping[str, int]:
        """The sum of all positions of each of the session's symbols."""
        return await self._lists.positions()

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
    ) -> dict[str, Any]:
        """Send a trade request, once; what was lost is said of `what`. Raises as the link does."""
        require_named(what, str(fields.get("id") or fields.get("magic") or ""), str(fields))
        try:
            return await self._link.request(terminal_symbol, fields, order)
        except OutcomeUnknown as error:
            words = str(error)
        except NotSent as error:
            raise NotSent(f"{what}: {error}", error.retry_after_s) from None
        raise OutcomeUnknown(f"{what}: {words}")

    def _symbol_of(self, terms: OrderTerms) -> Mt5VenueSymbol:
        """The symbol of an order that can be sent. Raises Refused."""
        name = terms.symbol
        each = self._symbols.get(name)
        if each is None:
            raise Refused(f"{name} is not among the symbols of this venue")
        if (terms.side, terms.type) not in ACTION_TYPES:
            raise Refused(f"{name}: the bridge has no {terms.type.value} orders")
        is_waiting = terms.type is not OrderType.MARKET
        if terms.time_in_force is not TimeInForce.GTC and (
            is_waiting or terms.time_in_force is not TimeInForce.IOC
        ):
            raise Refused(
                f"{name}: {terms.type.value} orders cannot be {terms.time_in_force.value} here"
            )
        return each

    def _server_s(self, ts_ns: int) -> int:
        return ts_ns // NS_PER_SECOND + self._offset_s


def _order_fields(terms: OrderTerms, terminal_symbol: str, sent: Sent) -> dict[str, object]:
    """The request of a new order, its numbers digit for digit."""
    instrument = terms.instrument
    price = terms.stop_price if terms.type is OrderType.STOP else terms.limit_price
    volume = format_units(terms.quantity, instrument.quantity_decimals)
    return {
        "action": "TRADE",
        "actionType": ACTION_TYPES[terms.side, terms.type],
        "symbol": terminal_symbol,
        "volume": msgspec.Raw(volume.encode()),
        "price": msgspec.Raw(instrument.price_text(price).encode()) if price else None,
        "comment": sent.comment,
        "magic": sent.magic,
    }
