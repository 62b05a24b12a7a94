"""How orders at a venue are asked for: each by itself, or many by one list of open orders.

Problem: a question for each order is one request for each, twice a second; a venue bears few. One
list of open orders answers for all of them, and one list of fills for all that filled.

- Above `FEW` orders, where it does not cost more, a keeper looks into a list. It takes one that was
  asked for after it looked the last time, and after the venue took its order or its cancel.
- What rests shows nothing of a market order, which trades at once: it is asked for alone.
- A list may be behind. An order that is not in it, or stands there with less than was reported, is
  asked for alone, and only that counts as the venue's word. A list that missed an order which is
  open all the same is not used for `DISTRUST_S`.
- Pauses between two looks grow with what looking costs, so that questions take about half of what
  the venue bears. While the venue itself tells of orders they grow to `STREAM_POLL_S`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from logos.core.clock import Clock
from logos.core.outbox import OrderTerms
from logos.core.types import NS_PER_SECOND, OrderType
from logos.execution.bounded import BoundedVenue
from logos.execution.order_match import is_over, is_same
from logos.execution.sending.shared import Shared
from logos.execution.tracked import LinkRules, TrackedOrder
from logos.venues.budget import RequestKind
from logos.venues.contract import VenueFill, VenueOrder

FEW: Final = 3
"""So many orders are asked for one by one."""
DISTRUST_S: Final = 60.0
STREAM_POLL_S: Final = 10.0
"""Between two looks at an order while the venue itself tells of orders."""
_SHARE: Final = 2
"""Questions about orders take one part in so many of what the venue bears."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the venue said of one order, when it was asked, and at which step it had answered."""

    there: VenueOrder | None
    asked_ns: int
    answered_step: int


@dataclass(slots=True)
class _Listed:
    """A list of open orders; when it was asked for and had come, in steps of `Looks`."""

    step: int
    asked_ns: int
    answered_step: int = 0
    orders: Sequence[VenueOrder] = ()


@dataclass(slots=True)
class _Fills:
    """A list of fills, asked for at that step; `since_ns` is fixed once the question has left."""

    step: int
    since_ns: int
    has_left: bool = False
    shared: Shared[Sequence[VenueFill]] | None = None


class Looks:
    """Asks one venue about the orders of one link."""

    def __init__(
        self,
        venue: BoundedVenue,
        clock: Clock,
        rules: LinkRules,
        gone: Callable[[TrackedOrder], object],
    ) -> None:
        """`gone` is told of an order whose cancel was taken, and that a later list lacks."""
        self._venue = venue
        self._clock = clock
        self._rules = rules
        self._gone = gone
        self._step = self._count = 0
        self._list: _Listed | None = None
        self._listing: tuple[int, Shared[_Listed]] | None = None
        self._fills: _Fills | None = None
        self.latest_fills: Sequence[VenueFill] = ()
        """The last list of fills that was asked for."""
        self._distrust_until_ns = 0
        self.has_stream = False
        """Whether the venue itself tells of orders just now."""

    def act(self, kept: TrackedOrder) -> None:
        """The venue has taken the order, or its cancel: what was asked before does not know it."""
        kept.acted_step = self._next()

    async def look(self, kept: TrackedOrder, count: int) -> Look:
        """The order as the venue knows it, one of `count` that are open. Raises VenueError."""
        terms, kept.has_news, self._count = kept.terms, False, count
        may_rest = terms.type is not OrderType.MARKET or kept.cancel is not None
        is_known = not kept.doubt and not kept.is_difference
        is_listed = may_rest and is_known and self._uses_list(count)
        if is_listed:
            seen_step = max(kept.acted_step, kept.listed_step, kept.found_step)
            listed = await self._listed_after(seen_step)
            while listed.step <= kept.acted_step:  # its cancel was taken meanwhile
                listed = await self._listed_after(kept.acted_step)
            kept.listed_step = listed.step
            there = _of(terms, listed.orders)
            if there is not None and there.filled_units >= kept.reported_units:
                return Look(there, listed.asked_ns, listed.answered_step)
            if there is None:
                self._note_absence(kept, listed)
        asked_ns = self._clock.now_ns()
        kept.found_step = self._next()
        there = await self._venue.find(terms.client_order_id, terms.symbol)
        if is_listed and kept.is_accepted and there is not None and not is_over(there):
            self._distrust_until_ns = asked_ns + round(DISTRUST_S * NS_PER_SECOND)
        return Look(there, asked_ns, self._next())

    async def look_for_absence(self, kept: TrackedOrder) -> None:
        """Ask for a list if that may show that the order is gone. Raises VenueError."""
        if kept.is_cancel_taken and not kept.is_gone:
            listed = await self._listed_after(max(kept.acted_step, kept.listed_step))
            kept.listed_step = listed.step
            self._note_absence(kept, listed)

    def _note_absence(self, kept: TrackedOrder, listed: _Listed) -> None:
        """Tell `gone` of an order that a list asked for after its cancel was taken lacks."""
        if not kept.is_cancel_taken or kept.is_gone or listed.step <= kept.acted_step:
            return
        # One that does not say whose it is may be this one.
        terms, may_be = kept.terms, (kept.terms.client_order_id, "")
        if not any(
            each.symbol == terms.symbol and each.client_order_id in may_be for each in listed.orders
        ):
            self._gone(kept)

    async def fills_for(
        self, terms: OrderTerms, ts_ns: int, after_step: int
    ) -> Sequence[VenueFill]:
        """Fills from then on, the order's among them, perhaps all and earlier ones too, asked for
        after `after_step`. Raises VenueError."""
        if self._venue.looks_up_fills:
            return await self._venue.fills_of(terms.client_order_id, ts_ns)
        if not self._uses_list(self._count):
            self.latest_fills = await self._venue.fills_since(ts_ns)
            return self.latest_fills
        asked = self._fills
        if (
            asked is None
            or asked.step <= after_step
            or (asked.has_left and asked.since_ns > ts_ns)
            or (asked.shared is not None and asked.shared.is_over)
        ):
            asked = self._fills = _Fills(self._next(), ts_ns)
            asked.shared = Shared(self._ask_for_fills(asked))
        asked.since_ns = min(asked.since_ns, ts_ns)
        assert asked.shared is not None
        return await asked.shared.answer()

    def pause_s(self, kept: TrackedOrder, count: int) -> float:
        """How long to wait until the next look at an order, one of `count` that are open."""
        lane = self._venue.lane
        if self._uses_list(count):
            price_s = lane.price_s(RequestKind.OPEN_ORDERS)
        else:
            price_s = count * lane.price_s(RequestKind.FIND)
        is_quiet = kept.is_accepted and kept.cancel is None and not kept.doubt
        poll_s = STREAM_POLL_S if self.has_stream and is_quiet else self._rules.poll_s
        if kept.is_difference:
            poll_s = max(poll_s, self._rules.doubted_poll_s)
        return max(poll_s, price_s * _SHARE)

    # ---- lists ----

    def _uses_list(self, count: int) -> bool:
        if count <= FEW or self._clock.now_ns() < self._distrust_until_ns:
            return False
        lane = self._venue.lane
        return count * lane.price_s(RequestKind.FIND) >= lane.price_s(RequestKind.OPEN_ORDERS)

    async def _listed_after(self, step: int) -> _Listed:
        """A list that was asked for after `step`. Raises VenueError."""
        if self._list is not None and self._list.step > step:
            return self._list
        if self._listing is None or self._listing[0] <= step or self._listing[1].is_over:
            begun = self._next()
            self._listing = (begun, Shared(self._ask_for_list(begun)))
        return await self._listing[1].answer()

    async def _ask_for_list(self, step: int) -> _Listed:
        asked_ns = self._clock.now_ns()
        orders = await self._venue.open_orders()
        listed = _Listed(step, asked_ns, self._next(), orders)
        if self._list is None or self._list.step < step:
            self._list = listed
        return listed

    async def _ask_for_fills(self, asked: _Fills) -> Sequence[VenueFill]:
        asked.has_left = True
        self.latest_fills = await self._venue.fills_since(asked.since_ns)
        return self.latest_fills

    def _next(self) -> int:
        self._step += 1
        return self._step


def _of(terms: OrderTerms, orders: Sequence[VenueOrder]) -> VenueOrder | None:
    """That order among those listed; None as well where it looks like another one."""
    for each in orders:
        if each.client_order_id == terms.client_order_id and each.symbol == terms.symbol:
            return each if is_same(terms, each) else None
    return None
