"""The way to a real venue and back: every order is sent at most once, and every doubt is asked.

Each order has one keeper: a task that sends it, once, then follows it at the venue until it has
ended there and everything it filled is reported to the core. Reports go out in the order of an
order's life: fills first, and its end only when the fills reported add up to what the venue says it
filled.

- The kill switch is asked once more right before the order leaves (`gates.why_closed`): what the
  core approved a moment ago does not leave a moment after the switch.
- A timeout is not a failure. The order becomes UNKNOWN and is asked for until the venue knows it,
  or has denied it for long enough (`settle_s`, without a question that failed in between) for the
  denial to count. It is believed once holdings were compared after it (`doubts`), and new orders
  of the symbol wait for that. Every call is bounded by `call_s`, whatever the adapter does.
- A cancel that was wanted is asked for again until the order has ended; a cancel that fails does
  not keep the order from being looked at.
- That an order rests no more counts as soon as there is evidence of it (`TrackedOrder.is_gone`);
  that its fills are settled may take longer, and only then is its end reported.
- What cannot be explained is reported as a DIFFERENCE, once: the core stops trading. The order is
  followed on, so that it is cancelled, and booked right if the venue explains itself later.

What a venue does and what follows from it stands row by row in docs/RECONCILIATION.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from logos.core.clock import Backoff, Clock
from logos.core.context import CoreView
from logos.core.gates import Switch
from logos.core.messages import Report
from logos.core.outbox import OrderTerms, SubmitOrder, VenueRequest
from logos.core.types import NS_PER_SECOND, OrderStatus, ReportKind
from logos.execution.bounded import BoundedVenue
from logos.execution.doubts import Doubts
from logos.execution.order_match import (
    ENDS,
    NO_SUCH_ORDER,
    is_fill_of,
    is_over,
    is_same,
    listed_as,
    mismatch,
)
from logos.execution.reporting import Reporter
from logos.execution.tracked import LinkRules, TrackedOrder, adopted, sleep_unless
from logos.venues.contract import NotSent, Refused, Venue, VenueError, VenueOrder


class VenueLink:
    """Serves one session's requests to one venue."""

    def __init__(
        self,
        venue: Venue,
        view: CoreView,
        switch: Switch,
        clock: Clock,
        random: Random,
        put: Callable[[Report], object],
        rules: LinkRules | None = None,
        since_ns: int = 0,
    ) -> None:
        """`put` takes the reports. An order's fills are asked for from a little before its making
        on, or from `since_ns` (0: not given) if that is earlier."""
        self._rules = LinkRules() if rules is None else rules
        self._venue = BoundedVenue(venue, clock, self._rules.call_s)
        self.lane = self._venue.lane
        """The queue before the venue, for whoever else asks it."""
        self._view = view
        self._switch = switch
        self._clock = clock
        self._random = random
        self._since_ns = since_ns
        self._kept: dict[str, TrackedOrder] = {}
        self._arrived = asyncio.Event()
        self._new: list[TrackedOrder] = []
        self._seen_fills: set[tuple[str, str]] = set()
        self.doubts = Doubts()
        """Symbols in which holdings are to be compared before anything new is ordered."""
        self._tell = Reporter(venue.name, view, clock, put, self.doubts)
        self.on_gone: Callable[[], object] = lambda: None
        """Called when there is evidence that one more order rests no more."""

    # ---- the core's side ----

    def adopt(self, seen_fills: Sequence[tuple[str, str]] = ()) -> None:
        """Take over the orders that an earlier run of the session left open.

        `seen_fills` are (client order id, fill id) of every fill that was reported then.
        """
        self._seen_fills.update(seen_fills)
        for outstanding in self._view.outstanding():
            if outstanding.terms.client_order_id not in self._kept:
                self._keep(adopted(outstanding))

    def dispatch(self, requests: Sequence[VenueRequest]) -> None:
        """Send new orders, and see to the cancels that are wanted."""
        for request in requests:
            if isinstance(request, SubmitOrder):
                self._keep(TrackedOrder(request.terms, request))
            else:
                kept = self._kept.get(request.client_order_id)
                if kept is not None:
                    kept.cancel = request
                    kept.wake.set()

    def _keep(self, kept: TrackedOrder) -> None:
        self._kept[kept.terms.client_order_id] = kept
        self._new.append(kept)
        self._arrived.set()

    @property
    def open_count(self) -> int:
        """Orders that have not ended at the venue yet."""
        return len(self._kept)

    @property
    def known_fills(self) -> int:
        """Fills that were reported."""
        return self._tell.fill_count

    def may_rest(self, client_order_id: str) -> bool:
        """Whether that order may rest at the venue: there is no evidence that it does not."""
        kept = self._kept.get(client_order_id)
        return kept is None or not kept.is_gone

    def has_seen_all_since(self, ts_ns: int) -> bool:
        """Whether every order has been asked for after that, and the venue's word did fit; an order
        whose denial is to be judged, or that is a difference already, is not waited for."""
        return all(
            kept.fit_ns > ts_ns or kept.is_denied or kept.is_difference
            for kept in self._kept.values()
        )

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

    async def _look_after(self, kept: TrackedOrder) -> None:
        try:
            if kept.submit is not None:
                if not await self._send(kept, kept.submit):
                    return
            elif kept.is_in_doubt:
                self._tell.say(kept, ReportKind.UNKNOWN, "from an earlier run of this session")
            await self._follow(kept)
        finally:
            self._kept.pop(kept.terms.client_order_id, None)

    async def _send(self, kept: TrackedOrder, submit: SubmitOrder) -> bool:
        """Send the order, at most once with effect; whether there is anything to follow."""
        backoff = Backoff(self._random, 0.1)
        while True:
            if self._view.why_closed(self._switch, kept.terms) is not None:
                words = f"kill switch before it left: {self._switch.why()}"
                self._tell.say(kept, ReportKind.NOT_SENT, words)
                return False
            if kept.cancel is not None:
                # For whoever wanted that it is cancelled: a successor may follow it.
                self._tell.say(kept, ReportKind.CANCELLED, "before it was sent")
                return False
            if self.doubts.is_held(kept.terms.symbol):
                if not await self._wait_for_holdings(kept):
                    return False
                continue
            try:
                there = await self._venue.submit(submit)
            except Refused as refusal:
                self._tell.say(kept, ReportKind.REJECTED, str(refusal))
                return False
            except NotSent as failure:
                wait_s = max(failure.retry_after_s, backoff.next_s())
                if self._is_too_old(kept, wait_s):
                    self._tell.say(kept, ReportKind.NOT_SENT, str(failure))
                    return False
                await self._clock.sleep(wait_s)
            except VenueError as doubt:
                # Whatever else an adapter raises here, it does not say that nothing happened.
                self._tell.say(kept, ReportKind.UNKNOWN, str(doubt))
                return True
            else:
                if there.status is OrderStatus.REJECTED:
                    self._tell.say(kept, ReportKind.REJECTED, there.reason)
                    return False
                self.doubts.know(there.venue_order_id)
                self._tell.accept(kept)
                return True

    def _is_too_old(self, kept: TrackedOrder, wait_s: float) -> bool:
        """Whether the order would be too old to be sent after so many seconds more."""
        age_s = (self._clock.now_ns() - kept.terms.created_ns) / NS_PER_SECOND
        return age_s + wait_s > self._rules.send_again_s

    async def _wait_for_holdings(self, kept: TrackedOrder) -> bool:
        """Wait a moment for the comparison that the symbol waits for; False: for too long."""
        if self._is_too_old(kept, self._rules.poll_s):
            words = f"{kept.terms.symbol} waits until holdings were compared with the venue's"
            self._tell.say(kept, ReportKind.NOT_SENT, words)
            return False
        kept.wake.clear()
        await sleep_unless(self._clock, self._rules.poll_s, kept.wake)
        return True

    async def _follow(self, kept: TrackedOrder) -> None:
        """Follow a sent order until it has ended and all its fills are reported."""
        terms = kept.terms
        backoff = Backoff(self._random, self._rules.poll_s, 30.0)
        while True:
            kept.wake.clear()
            retry_s = await self._cancel_if_wanted(kept)
            asked_ns = self._clock.now_ns()
            try:
                there = await self._venue.find(terms.client_order_id, terms.symbol)
                if there is not None:
                    await self._report_news(kept, there)
            except VenueError as error:
                if not kept.is_accepted:
                    # A denial only counts when the venue was there to be asked all the time.
                    kept.doubt = ""
                    kept.is_denied, kept.denied_ns = False, -1
                await self._look_whether_gone(kept)
                retry_after_s = getattr(error, "retry_after_s", 0.0)
                await self._pause(kept, max(retry_s, retry_after_s, backoff.next_s()))
                continue
            backoff.reset()
            if self._is_done(kept, there) or (kept.is_denied and await self._believe_denial(kept)):
                return
            if there is None:
                await self._look_whether_gone(kept)
            if not kept.doubt:
                kept.fit_ns = asked_ns
            doubted_s = self._rules.doubted_poll_s if kept.is_difference else 0.0
            await self._pause(kept, max(retry_s, doubted_s, self._rules.poll_s))

    async def _pause(self, kept: TrackedOrder, seconds: float) -> None:
        """Wait; a cancel that is wanted now, and was not yet, ends it."""
        if kept.cancel_asked_ns >= 0:
            await self._clock.sleep(seconds)
        else:
            await sleep_unless(self._clock, seconds, kept.wake)

    async def _cancel_if_wanted(self, kept: TrackedOrder) -> float:
        """Ask for a cancel if it is wanted and due; how long the venue wants to be left alone.

        A refusal means that there is nothing to cancel now: `find` will say what there is.
        """
        now_ns = self._clock.now_ns()
        if kept.cancel is None or kept.is_over or now_ns < kept.cancel_due_ns:
            return 0.0
        kept.cancel_asked_ns = now_ns
        kept.cancel_due_ns = now_ns + round(self._rules.cancel_again_s * NS_PER_SECOND)
        try:
            await self._venue.cancel(kept.cancel)
        except Refused:
            return 0.0
        except VenueError as error:
            # Asking twice does no harm, and what rests must not rest for want of asking.
            kept.cancel_due_ns = self._clock.now_ns() + round(self._rules.poll_s * NS_PER_SECOND)
            return float(getattr(error, "retry_after_s", 0.0))
        kept.is_cancel_taken = True
        return 0.0

    async def _look_whether_gone(self, kept: TrackedOrder) -> None:
        """Look for evidence of `TrackedOrder.is_gone`, where an order's end is not told yet."""
        if not kept.is_cancel_taken or kept.is_gone:
            return
        terms = kept.terms
        try:
            listed = await self._venue.open_orders()
        except VenueError:
            return  # no evidence; it is asked for again
        # One that does not say whose it is may be this one.
        may_be = (terms.client_order_id, "")
        if not any(o.symbol == terms.symbol and o.client_order_id in may_be for o in listed):
            self._note_gone(kept, is_gone=True)

    def _note_gone(self, kept: TrackedOrder, *, is_gone: bool) -> None:
        is_news = is_gone and not kept.is_gone
        kept.is_gone = is_gone
        if is_news:
            self.on_gone()

    # ---- what the venue's word means ----

    def _is_done(self, kept: TrackedOrder, there: VenueOrder | None) -> bool:
        """Take note of how the order stands there; whether nothing more can come of it."""
        terms = kept.terms
        wrong = mismatch(terms, there, kept.reported_units, kept.is_accepted)
        if there is not None and is_same(terms, there):
            kept.is_over = is_over(there)
            kept.is_denied, kept.denied_ns = False, -1
            self._tell.found(kept, there)
            self._note_gone(kept, is_gone=kept.is_over)
            if there.status is not OrderStatus.REJECTED:
                self._tell.accept(kept)
            if not wrong:
                kept.doubt = ""
                self._tell.expect_fills(kept, there, self._rules.unfilled_s)
                if kept.is_over:
                    self._tell.end(kept, there)
                return kept.is_over
        elif there is not None:
            self._tell.differ(kept, wrong)  # nothing that comes later explains another order
            return False
        now_ns = self._clock.now_ns()
        if wrong != kept.doubt:
            kept.doubt, kept.doubted_ns = wrong, now_ns
        if now_ns - kept.doubted_ns < self._rules.settle_s * NS_PER_SECOND:
            return False
        if there is None and not kept.is_accepted:
            kept.is_denied = not kept.is_difference
        else:
            self._tell.differ(kept, wrong)
        return False

    async def _believe_denial(self, kept: TrackedOrder) -> bool:
        """Whether an order that was denied for long enough does not exist: the venue lists neither
        it nor fills of it, and holdings were compared since and agree. Anything else contradicts
        the denial, and so does a second one in a row: a person has to look."""
        terms = kept.terms
        if kept.denied_ns < 0:
            try:
                orders = await self._venue.open_orders()
                fills = await self._venue.fills_since(self._fills_from(terms))
            except VenueError:
                # The denial begins anew: it must hold without a failed question.
                kept.doubt, kept.is_denied = "", False
                return False
            known = {fill_id for _, fill_id in self._seen_fills}
            if listed := listed_as(terms, orders, fills, self.doubts.ours, known):
                self._tell.differ(kept, f"{NO_SUCH_ORDER}, and lists {listed}")
                return False
            if self.doubts.is_second(terms.symbol, terms.created_ns):
                words = f"the second of {terms.symbol} in a row: it may not find them by our id"
                self._tell.differ(kept, f"{NO_SUCH_ORDER}, {words}")
                return False
            kept.denied_ns = self._clock.now_ns()
            self.doubts.hold(terms.symbol, kept.denied_ns)
        is_agreed = self.doubts.verdict(kept.denied_ns)
        if is_agreed is None:
            return False
        if not is_agreed:
            self._tell.differ(kept, f"{NO_SUCH_ORDER}, and its holdings differ from ours")
            return False
        self._tell.say(kept, ReportKind.NOT_SENT, f"{self._venue.name} {NO_SUCH_ORDER}")
        self.doubts.note_denial(terms.symbol, self._clock.now_ns())
        return True

    # ---- reports ----

    async def _report_news(self, kept: TrackedOrder, there: VenueOrder) -> None:
        """Report the fills the core has not heard of, if there can be any.

        An order that ended unfilled is looked at as well: its last fill may have come together
        with its end, and the order's own count may not have it yet.
        """
        terms = kept.terms
        has_ended_short = there.status in ENDS and kept.reported_units < terms.quantity
        is_news = there.filled_units > kept.reported_units or has_ended_short
        if not is_news or not is_same(terms, there):
            return
        fills = await self._venue.fills_since(self._fills_from(terms))
        for fill in sorted(fills, key=lambda fill: fill.ts_ns):
            key = (terms.client_order_id, fill.fill_id)
            if key not in self._seen_fills and is_fill_of(terms, there, fill):
                self._seen_fills.add(key)
                self._tell.fill(kept, fill)

    def _fills_from(self, terms: OrderTerms) -> int:
        """From when on an order's fills are asked for, nanoseconds since 1970."""
        since_ns = terms.created_ns
        if 0 < self._since_ns < since_ns:
            since_ns = self._since_ns
        return max(since_ns - round(self._rules.overlap_s * NS_PER_SECOND), 0)
