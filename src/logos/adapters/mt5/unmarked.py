"""A terminal whose entries do not say whose they are: the published Expert Advisor.

The problem: its orders carry no comment and a magic number of 0, its deals not even their order,
its answers 32 bits of a ticket. What is known of an order is the answer to it (ticket, volume,
price), what waits (ORDERS), what was dealt (HISTORY TRADES) and what is held (POSITIONS); and the
streaming port, which tells this terminal's own requests with their comments.

Method. Tickets of deals only grow: a deal that is newer than an order, in its symbol, on its side,
within what is left of it and at a price that it can have belongs to it, to the one that fits best
where several of ours do; while it waits, only a deal at exactly its price does. An order whose
answer was lost is recognised by the streaming port, or by being the only one that an entry can be,
where that is the only entry. It is "never there" only when no entry can be it and the position is
what the deals since the beginning make it. What stays open for too long is a doubt: it is told
once, and the session stops.

Its limits are kept before anything is sent: five decimals, tickets of 31 bits, prices rounded to
the digits of its chart, one position a symbol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from logos.adapters.mt5.known.ledger import Ledger, Sent
from logos.adapters.mt5.lists import TerminalLink, TerminalLists
from logos.adapters.mt5.records import TICKET_BITS, Deal, OpenOrder
from logos.adapters.mt5.retcodes import TAKEN
from logos.core.clock import Clock
from logos.core.outbox import OrderTerms
from logos.core.types import NS_PER_SECOND, OrderType, Side
from logos.venues.contract import Unavailable

DECIMALS_MAX: Final = 5
TICKET_MAX: Final = (1 << 31) - 1
DOUBT_S: Final = 30.0
"""How long an order may stay unexplained before the session stops."""

_HEARD_MAX: Final = 1_000
_SLACK_S: Final = 5
_TRIES: Final = 3


class Unmarked:
    """What is known beyond the entries themselves. It does nothing until `open` found it needed."""

    def __init__(
        self, link: TerminalLink, lists: TerminalLists, ledger: Ledger, clock: Clock
    ) -> None:
        self._link = link
        self._lists = lists
        self._ledger = ledger
        self._clock = clock
        self.is_on = False
        """Whether the terminal is the published Expert Advisor."""
        self.on_doubt: Callable[[str], object] = lambda _: None
        """Told once of each doubt, with the reason."""
        self._born_ns = clock.now_ns()
        self._held: Mapping[str, int] = {}
        self._newest = 0
        self._began = 0
        """The newest deal that there was then."""
        self._from_s = 0
        self._has_long_tickets = False
        self._rounds: dict[str, str] = {}

    async def open(self) -> None:
        """Find out whose words the terminal speaks, and from what it begins. Raises Unavailable."""
        if self._link.does_echo:
            return
        balance = await self._lists.ask({"action": "BALANCE"}, "the balance")
        if "error" in balance or self.is_on:
            return
        for _ in range(_TRIES):
            before = await self._lists.positions()
            deals = await self._lists.deals(0)
            if await self._lists.positions() == before:
                self._held = before
                self._newest = max((int(each.ticket) for each in deals), default=0)
                self._from_s = max((each.time_s for each in deals), default=0)
                self._began = self._newest
                self.is_on = True
                return
        raise Unavailable("positions change while the terminal is asked: there is no beginning")

    # ---- before an order leaves ----

    async def why_not(self, terms: OrderTerms) -> str:
        """Why this order cannot be followed or cancelled there; empty when it can. Raises
        Unavailable."""
        if self._lists.hedging or not self.is_on:
            return self._lists.hedging
        made = terms.instrument
        if max(made.price_decimals, made.quantity_decimals) > DECIMALS_MAX:
            return f"the terminal writes {DECIMALS_MAX} decimals, and {made.symbol} has more"
        if terms.type is OrderType.MARKET:
            return ""
        if self._has_long_tickets:
            return (
                "the Expert Advisor cuts the tickets of this broker to 32 bits: what waits could "
                "not be cancelled through it"
            )
        if any(self._is_unseen(sent) for sent in self._ledger.open_sent(terms.symbol)):
            self.note(await self._lists.orders())
        return self._rounds.get(terms.symbol, "")

    def _is_unseen(self, sent: Sent) -> bool:
        is_waiting = sent.type is not OrderType.MARKET and bool(sent.ticket)
        return is_waiting and not sent.has_been_listed

    def begin(self, sent: Sent) -> None:
        """An order is about to leave."""
        sent.after_deal = self._newest

    async def look_at(self, sent: Sent) -> None:
        """An order that waits was taken: its whole ticket and its price are in the list. One that
        cannot be had now is asked for before the next order (`why_not`)."""
        if self.is_on and sent.type is not OrderType.MARKET:
            with suppress(Unavailable):
                self.note(await self._lists.orders())

    def deals_from_s(self, sent: Sent | None) -> int:
        """From which second of the terminal's clock on an order's deals are looked for."""
        if sent is None:
            return 0
        if self.is_on and sent.after_deal:
            return self._from_s  # no clock has to be right for that
        return self._lists.server_s(sent.sent_ns) - _SLACK_S

    def cannot_cancel(self, ticket: str) -> str:
        """Why an order cannot be cancelled through this terminal; empty when it can."""
        if not self.is_on or int(ticket) <= TICKET_MAX:
            return ""
        return f"its ticket {ticket} has more than 31 bits: cancel it in the terminal by hand"

    # ---- whose is what ----

    def note(self, orders: Sequence[OpenOrder]) -> None:
        """Take note of what waits: whole tickets, prices that are not ours, tickets that are cut.

        An order of ours without a ticket is the entry that nothing else can be.
        """
        if not self.is_on:
            return
        for name in {order.symbol for order in orders} | set(self._held):
            for each in self._ledger.open_sent(name):
                each.is_listed = False
        for order in orders:
            self._has_long_tickets |= int(order.ticket) > TICKET_MAX
            sent = self._sent_of(order, orders)
            if sent is None:
                continue
            if sent.ticket != order.ticket or sent.is_ticket_cut:
                self._ledger.learn_ticket(sent, order.ticket)
            sent.is_listed = sent.has_been_listed = True
            if sent.price_units != order.price_units:
                self._say_rounded(sent, order)

    def _say_rounded(self, sent: Sent, order: OpenOrder) -> None:
        if sent.symbol not in self._rounds:
            self._rounds[sent.symbol] = (
                f"{sent.symbol}: the terminal has {sent.client_order_id} at {order.price_units}, "
                f"it was ordered at {sent.price_units} (price units): its Expert Advisor rounds to "
                "the digits of its chart; put it on a chart of this symbol"
            )
            self.doubt(sent, self._rounds[sent.symbol])

    def _sent_of(self, order: OpenOrder, orders: Sequence[OpenOrder]) -> Sent | None:
        """Our order that this entry is; None for somebody else's."""
        known = self._ledger.client_id_of(order.mark, order.ticket)
        if known:
            return self._ledger.get(known)
        cut = int(order.ticket) & TICKET_BITS
        alone: list[Sent] = []
        for sent in self._ledger.open_sent(order.symbol):
            if not _is_alike(sent, order):
                continue
            if sent.ticket and sent.is_ticket_cut and int(sent.ticket) == cut:
                return sent
            if not sent.ticket and sent.price_units == order.price_units:
                alone.append(sent)
        if len(alone) != 1:
            return None
        rivals = [
            each
            for each in orders
            if each.symbol == order.symbol
            and _is_alike(alone[0], each)
            and each.price_units == order.price_units
            and not self._ledger.client_id_of(each.mark, each.ticket)
        ]
        return alone[0] if len(rivals) == 1 else None

    def assign(self, deals: Sequence[Deal]) -> None:
        """Find the orders of deals that do not name theirs, in the order they were made."""
        if not self.is_on:
            return
        free = [each for each in deals if not each.order and not self._ledger.owner_of(each)]
        free.sort(key=lambda each: int(each.ticket))
        for each in free:
            sent = self._best(each, free)
            if sent is not None:
                self._ledger.own_deal(each.ticket, sent.client_order_id)
                sent.filled_units += each.volume_units
        newest = max((int(each.ticket) for each in deals), default=0)
        self._newest = max(self._newest, newest)

    def _best(self, deal: Deal, free: Sequence[Deal]) -> Sent | None:
        """Our order that a deal fits best; None when it fits none of them."""
        found = [
            (rank, place, sent)
            for place, sent in enumerate(self._ledger.open_sent(deal.symbol))
            if (rank := self._rank(sent, deal, free))
        ]
        return min(found, key=lambda each: each[:2])[2] if found else None

    def _rank(self, sent: Sent, deal: Deal, free: Sequence[Deal]) -> int:
        """How well a deal fits an order: 1 is best, 0 is not at all."""
        left = sent.quantity_units - sent.filled_units
        if deal.side is not sent.side or int(deal.ticket) <= sent.after_deal:
            return 0
        if deal.volume_units > left or not _is_price_of(sent, deal):
            return 0
        if not sent.after_deal and deal.time_s < self.deals_from_s(sent):
            return 0
        if not sent.ticket:
            # Its answer was lost: only the one deal of its whole volume can be said to be it.
            alike = [each for each in free if _is_whole(sent, each)]
            return 4 if alike == [deal] else 0
        if sent.type is OrderType.MARKET:
            return 1 if deal.volume_units == (sent.answered_units or left) else 2
        if sent.is_listed:
            return 5 if deal.price_units == sent.price_units else 0
        return 2 if deal.volume_units == left else 3

    async def hear(self) -> None:
        """Read what the streaming port tells of our requests whose answers were lost."""
        if not self.is_on:
            return
        for _ in range(_HEARD_MAX):
            frame = await self._link.next_transaction(0.0)
            if frame is None:
                return
            self._on_transaction(frame)

    def _on_transaction(self, frame: Mapping[str, Any]) -> None:
        request, result = frame.get("request"), frame.get("result")
        if not isinstance(request, dict) or not isinstance(result, dict):
            return
        sent = self._ledger.sent_with(str(request.get("comment")))
        order, retcode = result.get("order"), result.get("retcode")
        if (
            sent is None
            or sent.ticket
            or type(order) is not int
            or retcode not in TAKEN
            or not order
        ):
            return
        self._ledger.learn_ticket(sent, str(order & TICKET_BITS), is_cut=True)

    # ---- what is not there ----

    async def check_absent(
        self, sent: Sent | None, symbol: str, orders: Sequence[OpenOrder], deals: Sequence[Deal]
    ) -> None:
        """Raise Unavailable unless it is certain that no entry is this order.

        For an order of this process that means that no unexplained entry can be it, and that the
        position is what the deals make it; for another's, that there is no unexplained entry.
        """
        for order in orders:
            if order.symbol != symbol or not order.mark.is_blank:
                continue
            if self._ledger.client_id_of(order.mark, order.ticket):
                continue
            if sent is None or not self.is_on or _is_alike(sent, order):
                raise Unavailable(_NOT_TOLD.format(symbol), 60.0)
        for deal in deals:
            if deal.symbol != symbol or not deal.mark.is_blank or self._ledger.owner_of(deal):
                continue
            if sent is None or not self.is_on or self._can_be(sent, deal):
                raise Unavailable(_NOT_TOLD.format(symbol), 60.0)
        if self.is_on:
            await self.check_positions(symbol)

    def _can_be(self, sent: Sent, deal: Deal) -> bool:
        is_newer = int(deal.ticket) > sent.after_deal
        is_within = deal.volume_units <= sent.quantity_units
        return is_newer and deal.side is sent.side and is_within and _is_price_of(sent, deal)

    async def check_positions(self, symbol: str) -> None:
        """Raise Unavailable when a position is not what the deals since the beginning make it."""
        deals = await self._lists.deals(self._from_s)
        held = (await self._lists.positions())[symbol]
        moved = sum(
            each.signed_units
            for each in deals
            if each.symbol == symbol and int(each.ticket) > self._began
        )
        if held != self._held[symbol] + moved:
            raise Unavailable(
                f"{symbol}: the terminal holds {held} units, and its deals make it "
                f"{self._held[symbol] + moved}: nothing is said to be absent against that"
            )

    def lacking(self, sent: Sent, fills: Sequence[Deal]) -> str:
        """What is missing of the deals of an order that waits no more, where only their sum says
        whether all are there; empty when nothing is."""
        filled = sum(each.volume_units for each in fills)
        wanted = sent.answered_units or sent.quantity_units
        if not self.is_on or filled >= wanted:
            return ""
        return f"{filled} of {wanted} units are among the deals"

    def doubt(self, sent: Sent, words: str) -> None:
        """Say once of an order that it cannot be explained; the session stops."""
        if not sent.is_doubted:
            sent.is_doubted = True
            self.on_doubt(words)

    def doubt_late(self, sent: Sent | None, words: str) -> None:
        """The same, at every terminal, once it has not been explained for `DOUBT_S`; of an order of
        an earlier process, once this one has not explained it for so long."""
        if sent is None:
            return
        since_ns = max(sent.absent_since_ns or sent.sent_ns, self._born_ns)
        if self._clock.now_ns() - since_ns >= DOUBT_S * NS_PER_SECOND:
            self.doubt(sent, f"{sent.client_order_id}: {words}, for {DOUBT_S:g} s")


_NOT_TOLD: Final = (
    "{}: the terminal lists orders or deals without comment and magic, so it cannot be told whose "
    "they are: see docs/MT5.md for the lines that the Expert Advisor needs"
)


def _is_alike(sent: Sent, order: OpenOrder) -> bool:
    """Whether an entry of ORDERS can be this order, whatever price it waits at."""
    is_same = order.side is sent.side and order.type is sent.type
    return is_same and order.volume_units == sent.quantity_units


def _is_whole(sent: Sent, deal: Deal) -> bool:
    is_newer = int(deal.ticket) > sent.after_deal
    is_same = deal.symbol == sent.symbol and deal.side is sent.side
    return is_newer and is_same and deal.volume_units == sent.quantity_units


def _is_price_of(sent: Sent, deal: Deal) -> bool:
    """Whether an order can have been done at the price of a deal."""
    is_buy = sent.side is Side.BUY
    if sent.type is OrderType.LIMIT:
        return (
            (deal.price_units <= sent.price_units)
            if is_buy
            else (deal.price_units >= sent.price_units)
        )
    if sent.type is OrderType.STOP:
        return (
            (deal.price_units >= sent.price_units)
            if is_buy
            else (deal.price_units <= sent.price_units)
        )
    is_one = deal.volume_units == sent.answered_units
    told = sent.answered_price_units
    return not (is_one and told) or deal.price_units == told
