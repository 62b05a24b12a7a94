"""A venue in memory that keeps exact books and misbehaves by plan: for tests of all that sends.

The problem: what goes wrong between a session and a venue is rare, and comes in combinations. So
this venue draws from a seeded generator what happens to each request: it arrives or not, at once or
late; the answer comes, comes late, is an error, or never comes. Orders fill at once, in parts,
later or never; fills are listed late, twice, and out of order; an order can be invisible for a
while. Whatever it says, its own books are right at every moment: they are the truth that a session
is to find out.

    venue = FakeVenue([coin], clock, Random(7), {"USD": "1000"}, faults=Faults(lost_before=0.1))
    venue.set_price("COIN", 1000)

It has no tasks: what is due by the clock happens before the next request is served, or at `settle`.
`calm` ends all faults, so that a test can wait for the end of every story.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import count
from random import Random

import msgspec

from logos.core.clock import Clock
from logos.core.instrument import Instrument
from logos.core.outbox import CancelOrder, OrderTerms, SubmitOrder
from logos.core.types import NS_PER_SECOND, OrderStatus, OrderType, Side, TimeInForce
from logos.testing.fake_books import FakeBooks
from logos.testing.fake_rules import Faults as Faults
from logos.testing.fake_rules import FillRules as FillRules
from logos.venues.budget import Budget
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
from logos.venues.ids import split_id


class FakeVenue:
    """The contract `logos.venues.contract.Venue`, in memory.

    `balances` are what the account owns at the start, by asset, as text. Symbols that settle in
    "margin" keep positions, the others balances. Fees are the instruments' own, in quote money.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        clock: Clock,
        random: Random,
        balances: Mapping[str, str],
        *,
        fills: FillRules | None = None,
        faults: Faults | None = None,
        name: str = "fake",
    ) -> None:
        self._clock = clock
        self._random = random
        self._fills = FillRules() if fills is None else fills
        self.faults = Faults() if faults is None else faults
        self._name = name
        self.books = FakeBooks(instruments, balances)
        self._prices: dict[str, int] = {}
        self._due: list[tuple[int, int, Callable[[], object]]] = []
        self._order = count()
        self._visible_ns: dict[str, int] = {}
        self.budget: Budget | None = None
        """What it says it bears; it turns nobody away for it."""
        self.is_open = False
        self.is_closed = False
        self.submits: Counter[str] = Counter()
        """Submits begun, by client order id."""
        self.reached: Counter[str] = Counter()
        """Those that came to the venue's books."""
        self.unknown: set[str] = set()
        """Client ids whose submit ended without a known outcome."""
        self.resent: list[str] = []
        """Client ids that were submitted again although their outcome was not known."""
        self.on_submit: Callable[[str], object] = lambda _client_order_id: None
        """Called at the begin of every submit."""

    # ---- the test's side ----

    def set_price(self, symbol: str, price_units: int) -> None:
        """What market orders fill at from now on; limit orders fill at their limits."""
        self._prices[symbol] = price_units

    def calm(self) -> None:
        """No more faults, and no more fills of what is open; what is under way still comes."""
        self.faults = replace(Faults(), skew_s=self.faults.skew_s)
        self._fills = FillRules(0.0, 0.0, 0.0)

    def settle(self) -> None:
        """Carry out what is due by now."""
        now_ns = self._clock.now_ns()
        while self._due and self._due[0][0] <= now_ns:
            heapq.heappop(self._due)[2]()

    def finish(self) -> None:
        """Carry out everything that is still to come, now."""
        while self._due:
            heapq.heappop(self._due)[2]()

    def place_external(
        self, symbol: str, side: Side, quantity_units: int, limit_units: int
    ) -> VenueOrder:
        """An order that somebody else placed on the account; it rests."""
        order = self.books.add(
            "", symbol, side, OrderType.LIMIT, quantity_units, limit_units, TimeInForce.GTC
        )
        return self.books.view(order)

    def change_balance(self, asset: str, amount: Decimal) -> None:
        """A deposit or a withdrawal."""
        self.books.change(asset, amount)

    # ---- the contract ----

    @property
    def name(self) -> str:
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(frozenset(OrderType), frozenset(TimeInForce), False, True)

    async def open(self) -> None:
        self.is_open, self.is_closed = True, False

    async def close(self) -> None:
        self.is_open, self.is_closed = False, True

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        """See the contract; `Faults` says what else may happen."""
        terms = request.terms
        client_order_id = terms.client_order_id
        self._check_request(client_order_id, terms.symbol)
        self.settle()
        self.on_submit(client_order_id)
        self.submits[client_order_id] += 1
        if client_order_id in self.unknown or client_order_id in self.books.orders:
            self.resent.append(client_order_id)
        if client_order_id in self.books.orders:
            raise OutcomeUnknown(f"{self._name}: {client_order_id}: an order of this id is here")
        faults, draw = self.faults, self._random.random()
        if draw < faults.turned_away:
            self._turn_away()
        draw -= faults.turned_away
        if draw < faults.refused:
            raise Refused(f"{self._name}: no such market today")
        draw -= faults.refused
        # From here on nobody outside knows, until an answer has been given.
        self.unknown.add(client_order_id)
        if draw < faults.lost_before:
            await self._time_out(f"order {client_order_id}")
        draw -= faults.lost_before
        if draw < faults.lost_after:
            self._later(self._share(faults.late_s), lambda: self._arrive(terms, False))
            await self._time_out(f"order {client_order_id}")
        draw -= faults.lost_after
        if draw < faults.silent:
            if self._random.random() < faults.silent_arrives:
                self._arrive(terms, False)
            await self._never()
        draw -= faults.silent
        is_rejected = draw < faults.rejected
        self._arrive(terms, is_rejected)
        await self._take_time()
        self.unknown.discard(client_order_id)
        return self.books.view(self.books.orders[client_order_id])

    async def cancel(self, request: CancelOrder) -> None:
        """See the contract; `Faults` says what else may happen."""
        client_order_id, symbol = request.client_order_id, request.symbol
        self._check_request(client_order_id, symbol)
        self.settle()
        faults, draw = self.faults, self._random.random()
        if draw < faults.turned_away:
            self._turn_away()
        draw -= faults.turned_away
        if draw < faults.lost_before:
            await self._time_out(f"cancel {client_order_id}")
        draw -= faults.lost_before
        if draw < faults.lost_after:
            self._later(self._share(faults.late_s), lambda: self._cancel(client_order_id))
            await self._time_out(f"cancel {client_order_id}")
        draw -= faults.lost_after
        if draw < faults.silent:
            if self._random.random() < faults.silent_arrives:
                self._cancel(client_order_id)
            await self._never()
        if not self._is_visible(client_order_id, symbol) or not self._cancel(client_order_id):
            raise Refused(f"{self._name}: nothing to cancel under {client_order_id}")
        await self._take_time()

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        self._check_id(client_order_id, symbol)
        await self._question(f"find {client_order_id}")
        if not self._is_visible(client_order_id, symbol):
            return None
        return self.books.view(self.books.orders[client_order_id])

    async def open_orders(self) -> Sequence[VenueOrder]:
        await self._question("open orders")
        return [
            self.books.view(order)
            for order in self.books.all_orders
            if order.is_open and (not order.client_order_id or self._is_seen(order.client_order_id))
        ]

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        await self._question("fills")
        now_ns = self._clock.now_ns()
        listed = [
            each.fill
            for each in self.books.fills
            if each.listed_ns <= now_ns and each.fill.ts_ns >= ts_ns
        ]
        if self._random.random() < self.faults.unsorted:
            listed += [fill for fill in listed if self._random.random() < 0.3]
            listed = [
                _without_client_id(fill) if self._random.random() < 0.3 else fill for fill in listed
            ]
            self._random.shuffle(listed)
        return listed

    async def positions(self) -> Mapping[str, int]:
        await self._question("positions")
        return {symbol: units for symbol, units in self.books.positions.items() if units}

    async def balances(self) -> Mapping[str, Decimal]:
        await self._question("balances")
        return {asset: amount for asset, amount in self.books.balances.items() if amount}

    async def check(self) -> Sequence[CheckLine]:
        await self._question("check")
        return [CheckLine("fake", True, "a venue in memory")]

    # ---- what happens to a request ----

    def _check_id(self, client_order_id: str, symbol: str) -> None:
        """Refuse what can be nobody's order of this session."""
        split_id(client_order_id)
        if symbol not in self.books.instruments:
            raise Refused(f"{self._name}: {symbol!r} is no symbol of this session")

    def _check_request(self, client_order_id: str, symbol: str) -> None:
        """As `_check_id`; and nothing leaves by a connection that was closed."""
        self._check_id(client_order_id, symbol)
        if self.is_closed:
            raise NotSent(f"{self._name}: {client_order_id}: the venue is closed")

    def _turn_away(self) -> None:
        raise NotSent(f"{self._name}: too many requests", self.faults.retry_after_s)

    async def _time_out(self, what: str) -> None:
        await self._clock.sleep(self._share(self.faults.timeout_s))
        raise OutcomeUnknown(f"{self._name}: {what}: no answer")

    async def _never(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def _take_time(self) -> None:
        if self._random.random() < self.faults.slow:
            await self._clock.sleep(self._share(self.faults.slow_s))
            self.settle()

    async def _question(self, what: str) -> None:
        if self.is_closed:
            raise Unavailable(f"{self._name}: {what}: the venue is closed")
        draw = self._random.random()
        if draw < self.faults.unavailable:
            words = f"{self._name}: {what}: unavailable"
            raise Unavailable(words, self._share(self.faults.retry_after_s))
        # Questions are many: few of them need to hang for many to have hung.
        if draw < self.faults.unavailable + self.faults.silent / 4:
            await self._never()
        self.settle()

    # ---- what happens in the venue's books ----

    def _arrive(self, terms: OrderTerms, is_rejected: bool) -> None:
        """The order is here: on record, and its story is drawn."""
        client_order_id = terms.client_order_id
        self.reached[client_order_id] += 1
        now_ns = self._clock.now_ns()
        if self._random.random() < self.faults.hidden:
            hidden_s = self._share(self.faults.hidden_s)
            self._visible_ns[client_order_id] = now_ns + round(hidden_s * NS_PER_SECOND)
        order = self.books.add(
            client_order_id,
            terms.symbol,
            terms.side,
            terms.type,
            terms.quantity,
            terms.limit_price,
            terms.time_in_force,
        )
        if is_rejected:
            self.books.end(order, OrderStatus.REJECTED, "rejected by the fake venue")
            return
        self._draw_fills(terms)
        is_immediate = terms.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
        if is_immediate:
            self._cancel(client_order_id)
        elif self._random.random() < self.faults.expired:
            due_s = self._share(self._fills.later_s + self.faults.slow_s)
            self._later(due_s, lambda: self._expire(client_order_id))

    def _draw_fills(self, terms: OrderTerms) -> None:
        client_order_id = terms.client_order_id
        rules, draw = self._fills, self._random.random()
        quantity, lot = terms.quantity, terms.instrument.lot
        if draw < rules.at_once:
            self._fill(client_order_id, quantity)
        elif draw < rules.at_once + rules.in_parts:
            first = self._random.randrange(0, quantity, lot) or min(lot, quantity)
            self._fill(client_order_id, first)
            self._fill_later(client_order_id, quantity)
        elif draw < rules.at_once + rules.in_parts + rules.later:
            self._fill_later(client_order_id, self._random.randrange(0, quantity, lot) or quantity)
            self._fill_later(client_order_id, quantity)
        elif rules.fills_market and terms.type is OrderType.MARKET:
            self._fill_later(client_order_id, quantity)

    def _fill_later(self, client_order_id: str, quantity: int) -> None:
        self._later(self._share(self._fills.later_s), lambda: self._fill(client_order_id, quantity))

    def _fill(self, client_order_id: str, quantity: int) -> None:
        """Fill so much of it, or what is left; nothing of an order that has ended."""
        order = self.books.orders[client_order_id]
        quantity = min(quantity, order.quantity - order.filled)
        if not order.is_open or quantity <= 0:
            return
        price = order.limit_price or self._prices[order.symbol]
        now_ns = self._clock.now_ns()
        listed_ns = now_ns + round(self._share(self.faults.listed_s) * NS_PER_SECOND)
        at_venue_ns = now_ns + round(self.faults.skew_s * NS_PER_SECOND)
        is_maker = order.type is OrderType.LIMIT
        self.books.fill(order, quantity, price, is_maker, at_venue_ns, listed_ns)

    def _cancel(self, client_order_id: str) -> bool:
        """Cancel it if it is open here; a fill may have been quicker."""
        order = self.books.orders.get(client_order_id)
        if order is None or not order.is_open:
            return False
        if self._random.random() < self.faults.racing:
            left = order.quantity - order.filled
            lot = self.books.instruments[order.symbol].lot
            self._fill(client_order_id, self._random.randrange(0, left, lot) or left)
        if order.is_open:
            self.books.end(order, OrderStatus.CANCELLED, "cancelled on request")
        return True

    def _expire(self, client_order_id: str) -> None:
        order = self.books.orders[client_order_id]
        if order.is_open:
            self.books.end(order, OrderStatus.EXPIRED, "expired at the fake venue")

    # ---- helpers ----

    def _later(self, seconds: float, action: Callable[[], object]) -> None:
        due_ns = self._clock.now_ns() + round(seconds * NS_PER_SECOND)
        heapq.heappush(self._due, (due_ns, next(self._order), action))

    def _share(self, seconds: float) -> float:
        """Some of it."""
        return self._random.random() * seconds

    def _is_visible(self, client_order_id: str, symbol: str) -> bool:
        order = self.books.orders.get(client_order_id)
        return order is not None and order.symbol == symbol and self._is_seen(client_order_id)

    def _is_seen(self, client_order_id: str) -> bool:
        return self._visible_ns.get(client_order_id, 0) <= self._clock.now_ns()


def _without_client_id(fill: VenueFill) -> VenueFill:
    """As venues list it whose lists of fills do not repeat the client's id."""
    return msgspec.structs.replace(fill, client_order_id="")
