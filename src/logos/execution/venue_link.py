"""The way to a real venue and back: every order is sent at most once, and every doubt is asked.

Each order has one keeper: a task that sends it, once, then follows it at the venue until it has
ended there and everything it filled is reported to the core. Reports go out in the order of an
order's life: fills first, and its end only when the fills reported add up to what the venue says it
filled.

- The kill switch is asked once more right before the order leaves: what the core approved a moment
  ago does not leave a moment after the switch.
- A timeout is not a failure. The order becomes UNKNOWN and is asked for until the venue knows it,
  or has denied it for long enough (`settle_s`) for the denial to count.
- A cancel that was wanted is asked for again until the order has ended.
- What cannot be explained is reported as a DIFFERENCE: the core stops trading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from logos.core.book import Book
from logos.core.clock import Backoff, Clock
from logos.core.fixed import decimals_of, parse_units
from logos.core.gates import Switch, reduces
from logos.core.messages import Report
from logos.core.orders import Order
from logos.core.outbox import Outbox, VenueRequest
from logos.core.risk import Approved
from logos.core.types import NS_PER_SECOND, OrderStatus, ReportKind, SwitchState
from logos.venues.contract import (
    NotSent,
    OutcomeUnknown,
    Refused,
    Venue,
    VenueError,
    VenueFill,
    VenueOrder,
)

_ENDS = {
    OrderStatus.CANCELLED: ReportKind.CANCELLED,
    OrderStatus.EXPIRED: ReportKind.EXPIRED,
    OrderStatus.REJECTED: ReportKind.REJECTED,
}


@dataclass(frozen=True, slots=True)
class LinkRules:
    """How patient the link is, in seconds."""

    poll_s: float = 0.5
    """Between two looks at an order that is open."""
    settle_s: float = 10.0
    """How long a venue may deny an order whose outcome is unknown before the denial counts, and
    how long fills may lag behind an order's status."""
    send_again_s: float = 2.0
    """How old an order may be to be sent again after an attempt that had no effect."""
    overlap_s: float = 60.0
    """How far back fills are asked for beyond the latest one known."""


@dataclass(slots=True)
class _Kept:
    """One order in the care of its keeper."""

    order: Order
    approved: Approved | None
    """None for an order of an earlier life: it is never sent, only asked for."""
    reported_units: int = 0
    is_accepted: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class VenueLink:
    """Serves one session's requests to one venue."""

    def __init__(
        self,
        venue: Venue,
        books: Mapping[str, Book],
        outbox: Outbox,
        switch: Switch,
        clock: Clock,
        random: Random,
        put: Callable[[Report], object],
        rules: LinkRules | None = None,
        since_ns: int = 0,
    ) -> None:
        """`put` takes the reports; fills are asked for from `since_ns` on."""
        self._venue = venue
        self._books = books
        self._outbox = outbox
        self._switch = switch
        self._clock = clock
        self._random = random
        self._put = put
        self._rules = LinkRules() if rules is None else rules
        self._since_ns = since_ns or clock.now_ns()
        self._kept: dict[str, _Kept] = {}
        self._keepers: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Event()
        self._new: list[_Kept] = []
        self._seen_fills: set[tuple[str, str]] = set()
        self.known_fills: int = 0

    # ---- the core's side ----

    def adopt(self, seen_fills: Sequence[tuple[str, str]] = ()) -> None:
        """Take over the orders an earlier life of the session left open.

        `seen_fills` are (client order id, fill id) of every fill that was reported then.
        """
        self._seen_fills.update(seen_fills)
        for order in list(self._outbox.open.values()):
            kept = _Kept(order, None, order.filled, order.status is not OrderStatus.NEW)
            self._keep(kept)

    def dispatch(self, requests: Sequence[VenueRequest]) -> None:
        """Send new orders, and see to the cancels that are wanted."""
        for request in requests:
            if request.approved is not None:
                self._keep(_Kept(request.order, request.approved))
            else:
                kept = self._kept.get(request.order.client_order_id)
                if kept is not None:
                    kept.wake.set()

    def _keep(self, kept: _Kept) -> None:
        self._kept[kept.order.client_order_id] = kept
        self._new.append(kept)
        self._arrived.set()

    @property
    def open_count(self) -> int:
        """Orders that have not ended at the venue yet."""
        return len(self._kept)

    # ---- the tasks ----

    async def run(self) -> None:
        """Start a keeper for every order; a keeper's death is ours."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._arrived.clear()
                for kept in self._new:
                    group.create_task(self._look_after(kept))
                self._new.clear()
                await self._arrived.wait()

    async def _look_after(self, kept: _Kept) -> None:
        client_id = kept.order.client_order_id
        try:
            if kept.approved is not None:
                if not await self._send(kept, kept.approved):
                    return
            elif not kept.is_accepted:
                self._report(kept, ReportKind.UNKNOWN, "of an earlier life of the session")
            await self._follow(kept)
        finally:
            self._kept.pop(client_id, None)

    async def _send(self, kept: _Kept, approved: Approved) -> bool:
        """Send the order, at most once with effect; whether there is anything to follow."""
        order = kept.order
        backoff = Backoff(self._random, 0.1)
        while True:
            closed = self._closed_gate(order)
            if closed:
                self._report(kept, ReportKind.NOT_SENT, closed)
                return False
            if order.cancel_at_ns >= 0:
                self._report(kept, ReportKind.NOT_SENT, "cancelled before it was sent")
                return False
            try:
                there = await self._venue.submit(approved, order.client_order_id)
            except Refused as refusal:
                self._report(kept, ReportKind.REJECTED, str(refusal))
                return False
            except NotSent as failure:
                wait_s = max(failure.retry_after_s, backoff.next_s())
                age_s = (self._clock.now_ns() - order.created_ns) / NS_PER_SECOND
                if age_s + wait_s > self._rules.send_again_s:
                    self._report(kept, ReportKind.NOT_SENT, str(failure))
                    return False
                await self._clock.sleep(wait_s)
            except OutcomeUnknown as doubt:
                self._report(kept, ReportKind.UNKNOWN, str(doubt))
                return True
            else:
                if there.status is OrderStatus.REJECTED:
                    self._report(kept, ReportKind.REJECTED, there.reason)
                    return False
                self._accept(kept)
                return True

    def _closed_gate(self, order: Order) -> str:
        """Why the order may not leave now; empty when it may."""
        state = self._switch.authority()
        if state is SwitchState.SAFE:
            return ""
        if state is SwitchState.REDUCE_ONLY:
            book = self._books[order.instrument.symbol]
            in_flight = (book.open_buy if order.is_buy else book.open_sell) - order.remaining
            signed = order.sign * order.remaining
            if reduces(signed, book.inventory.position, in_flight):
                return ""
        return f"kill switch before it left: {self._switch.why()}"

    async def _follow(self, kept: _Kept) -> None:
        """Follow a sent order until it has ended and all its fills are reported."""
        order = kept.order
        backoff = Backoff(self._random, self._rules.poll_s, 30.0)
        doubted_ns = self._clock.now_ns()  # since when the venue's word does not fit
        while True:
            try:
                if order.cancel_at_ns >= 0:
                    await self._cancel(order)
                there = await self._venue.find(order.client_order_id, order.instrument.symbol)
                if there is not None and there.filled_units > kept.reported_units:
                    await self._report_fills(kept, there)
            except VenueError as error:
                retry_after_s = getattr(error, "retry_after_s", 0.0)
                await self._pause(kept, max(retry_after_s, backoff.next_s()))
                continue
            backoff.reset()
            now_ns = self._clock.now_ns()
            if there is not None:
                self._accept_if_alive(kept, there)
                if self._has_ended(kept, there):
                    return
            if there is not None and there.filled_units == kept.reported_units:
                doubted_ns = now_ns
            elif now_ns - doubted_ns >= self._rules.settle_s * NS_PER_SECOND:
                self._give_up(kept, there)
                return
            await self._pause(kept, self._rules.poll_s)

    async def _pause(self, kept: _Kept, seconds: float) -> None:
        """Wait, or be woken because a cancel is wanted."""
        if kept.order.cancel_at_ns >= 0:
            await self._clock.sleep(seconds)
            return
        kept.wake.clear()
        sleeper = asyncio.ensure_future(self._clock.sleep(seconds))
        waker = asyncio.ensure_future(kept.wake.wait())
        try:
            await asyncio.wait((sleeper, waker), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            waker.cancel()

    async def _cancel(self, order: Order) -> None:
        """Ask for the cancel; a refusal means that it has ended, and `find` will say how."""
        try:
            await self._venue.cancel(order.client_order_id, order.instrument.symbol)
        except Refused:
            return

    def _has_ended(self, kept: _Kept, there: VenueOrder) -> bool:
        """Whether the order is over there, with all its fills reported; then its end is, too."""
        if there.filled_units != kept.reported_units:
            return False
        if there.status is OrderStatus.FILLED or kept.reported_units == kept.order.quantity:
            return True
        kind = _ENDS.get(there.status)
        if kind is None:
            return False
        if kind is ReportKind.REJECTED and kept.is_accepted:
            kind = ReportKind.CANCELLED  # it was taken first: for us it was open, and is not now
        self._report(kept, kind, there.reason)
        return True

    def _give_up(self, kept: _Kept, there: VenueOrder | None) -> None:
        """The venue has had its time."""
        client_id = kept.order.client_order_id
        if there is None and not kept.is_accepted:
            self._report(kept, ReportKind.NOT_SENT, f"{self._venue.name} has no such order")
        elif there is None:
            self._difference(client_id, f"{self._venue.name} no longer knows an order it had taken")
        else:
            self._difference(
                client_id,
                f"{self._venue.name} says {there.filled_units} units are filled and lists fills of "
                f"{kept.reported_units}",
            )

    # ---- reports ----

    async def _report_fills(self, kept: _Kept, there: VenueOrder) -> None:
        """Report the fills of one order that the core has not heard of."""
        since_ns = self._since_ns - round(self._rules.overlap_s * NS_PER_SECOND)
        for fill in await self._venue.fills_since(since_ns):
            is_ours = fill.client_order_id == kept.order.client_order_id or (
                not fill.client_order_id and fill.venue_order_id == there.venue_order_id
            )
            key = (kept.order.client_order_id, fill.fill_id)
            if is_ours and key not in self._seen_fills:
                self._seen_fills.add(key)
                self._fill(kept, fill)

    def _fill(self, kept: _Kept, fill: VenueFill) -> None:
        book = self._books[fill.symbol]
        fee_units = self._fee_units(book, fill)
        if fee_units is None:
            self._difference(
                kept.order.client_order_id,
                f"fill {fill.fill_id} cost {fill.fee} {fill.fee_currency}: only fees in "
                f"{book.ledger.currency} can be booked; let the venue charge those",
            )
            fee_units = 0
        kept.is_accepted = True
        kept.reported_units += fill.quantity_units
        self.known_fills += 1
        self._put(
            Report(
                self._clock.now_ns(),
                ReportKind.FILLED,
                kept.order.client_order_id,
                "",
                fill.quantity_units,
                fill.price_units,
                fee_units,
                fill.is_maker,
                fill.fill_id,
            )
        )

    def _fee_units(self, book: Book, fill: VenueFill) -> int | None:
        """The fee in ledger units; None for one that cannot be booked exactly."""
        if fill.fee == Decimal(0):
            return 0
        if fill.fee_currency != book.ledger.currency:
            return None
        if fill.fee < 0 or decimals_of(fill.fee) > book.ledger.decimals:
            return None
        return parse_units(fill.fee, book.ledger.decimals)

    def _accept(self, kept: _Kept) -> None:
        if not kept.is_accepted:
            kept.is_accepted = True
            self._report(kept, ReportKind.ACCEPTED, "")

    def _accept_if_alive(self, kept: _Kept, there: VenueOrder) -> None:
        if there.status is not OrderStatus.REJECTED:
            self._accept(kept)

    def _report(self, kept: _Kept, kind: ReportKind, detail: str) -> None:
        now_ns = self._clock.now_ns()
        self._put(Report(now_ns, kind, kept.order.client_order_id, detail))

    def _difference(self, subject: str, detail: str) -> None:
        self._put(Report(self._clock.now_ns(), ReportKind.DIFFERENCE, subject, detail))
