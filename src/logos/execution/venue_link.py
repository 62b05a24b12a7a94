"""The way to a real venue and back: every order is sent at most once, and every doubt is asked.

Each order has one keeper: a task that sends it, once, then follows it at the venue until it has
ended there and everything it filled is reported to the core. Reports go out in the order of an
order's life: fills first, and its end only when the fills reported add up to what the venue says it
filled.

- An order waits for its turn (`lane`), and leaves in time or not at all. The kill switch is asked
  once more right before it leaves, after any wait (`gate`): what the core approved a moment ago
  does not leave a moment after the switch.
- A timeout is not a failure. The order becomes UNKNOWN and is asked for until the venue knows it,
  or has denied it for long enough (`settle_s`, without a question that failed in between) for the
  denial to count. It is believed once holdings were compared after it (`doubts`), and new orders
  of the symbol wait for that. Every call is bounded by `call_s`, whatever the adapter does.
- A cancel that was wanted waits for no question, and is asked for again until the order has ended
  (`cancels`); a cancel that fails does not keep the order from being looked at.
- How orders are asked for, one by one or by lists, and how often, says `looks`. What a venue tells
  by itself (`order_stream`) is a reason to ask.
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
from logos.execution.looking.fills import Fills
from logos.execution.looking.looks import Look, Looks
from logos.execution.looking.order_stream import OrderStream
from logos.execution.order_match import (
    NO_SUCH_ORDER,
    is_over,
    is_same,
    listed_as,
    mismatch,
)
from logos.execution.reporting import Reporter
from logos.execution.sending.cancels import Cancels, pause
from logos.execution.sending.gate import LastGate
from logos.execution.sending.lane import Overdue, Withheld
from logos.execution.tracked import LinkRules, TrackedOrder, adopted, others_of, sleep_unless
from logos.venues.budget import RequestKind
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
        self._looks = Looks(self._venue, clock, self._rules, self._note_gone)
        self._cancels = Cancels(self._venue, clock, self._rules, self._looks.act)
        self.lane.may_need = self._may_need
        self._stream = OrderStream(venue, clock, random, self._hear, self._hear_of_stream)
        self.on_stream: Callable[[str], object] = lambda _words: None
        """Told when the venue's own stream of orders begins or ends."""
        self._view, self._switch = view, switch
        self._clock, self._random = clock, random
        self._kept: dict[str, TrackedOrder] = {}
        self._arrived = asyncio.Event()
        self._new: list[TrackedOrder] = []
        self.doubts = Doubts()
        """Symbols in which holdings are to be compared before anything new is ordered."""
        self._tell = Reporter(venue.name, view, clock, put, self.doubts)
        self._fills = Fills(self._looks, self._tell, self._rules, since_ns)
        self.on_gone: Callable[[], object] = lambda: None
        """Called when there is evidence that one more order rests no more."""

    # ---- the core's side ----

    def adopt(self, seen_fills: Sequence[tuple[str, str]] = ()) -> None:
        """Take over the orders that an earlier run of the session left open.

        `seen_fills` are (client order id, fill id) of every fill that was reported then.
        """
        self._fills.seen.update(seen_fills)
        for outstanding in self._view.outstanding():
            if outstanding.terms.client_order_id not in self._kept:
                self._keep(adopted(outstanding))

    def dispatch(self, requests: Sequence[VenueRequest]) -> None:
        """Send new orders, and see to the cancels that are wanted."""
        for request in requests:
            if isinstance(request, SubmitOrder):
                self._keep(TrackedOrder(request.terms, request))
            elif (kept := self._kept.get(request.client_order_id)) is not None:
                if kept.cancel is None:
                    kept.wake.set()
                kept.cancel = request
                self.lane.recheck()

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

    @property
    def unheard_cancels(self) -> list[str]:
        """Orders whose cancel is wanted, and that the venue has not answered yet."""
        return [
            name
            for name, kept in self._kept.items()
            if kept.cancel is not None and not (kept.is_cancel_heard or kept.is_over)
        ]

    @property
    def has_waiting_cancels(self) -> bool:
        """Whether a cancel that is wanted has not left for the venue yet."""
        unheard = [self._kept[name] for name in self.unheard_cancels]
        is_unasked = any(kept.cancel_asked_ns < 0 for kept in unheard)
        return is_unasked or self.lane.count(RequestKind.CANCEL) > 0

    def _may_need(self) -> int:
        """How many requests may have to leave at once: a cancel of each order, and a new order."""
        open_orders = [k for k in self._kept.values() if not (k.is_cancel_heard or k.is_over)]
        return 1 + len(open_orders)

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
            group.create_task(self._stream.run())
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
        gate = LastGate(self._view, self._switch, kept)
        wait_ns = round(self._rules.send_again_s * NS_PER_SECOND) + self.lane.slowest_ns
        until_ns = self._clock.now_ns() + wait_ns
        closed = gate.closed
        while True:
            if closed is not None:
                self._tell.say(kept, *closed)
                return False
            if self.doubts.is_held(kept.terms.symbol):
                if not await self._wait_for_holdings(kept):
                    return False
                closed = gate.why_closed()
                continue
            try:
                there = await self._venue.submit(submit, gate.is_open, until_ns)
            except Withheld:
                closed = gate.why_closed()
            except Refused as refusal:
                self._tell.say(kept, ReportKind.REJECTED, str(refusal))
                return False
            except NotSent as failure:
                wait_s = max(failure.retry_after_s, backoff.next_s())
                if isinstance(failure, Overdue) or self._is_too_old(kept, wait_s):
                    self._tell.say(kept, ReportKind.NOT_SENT, str(failure))
                    return False
                await self._clock.sleep(wait_s)
                closed = gate.why_closed()
            except VenueError as doubt:
                # Whatever else an adapter raises here, it does not say that nothing happened.
                self._tell.say(kept, ReportKind.UNKNOWN, str(doubt))
                return True
            else:
                if there.status is OrderStatus.REJECTED:
                    self._tell.say(kept, ReportKind.REJECTED, there.reason)
                    return False
                self.doubts.know(there.venue_order_id)
                self._looks.act(kept)
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
        backoff = Backoff(self._random, self._rules.poll_s, 30.0)
        while not self._is_told_whole(kept):
            kept.wake.clear()
            await self._cancels.ask_if_due(kept)
            try:
                look = await self._cancels.beside(kept, self._look(kept))
            except VenueError as error:
                if not kept.is_accepted:
                    # A denial only counts when the venue was there to be asked all the time.
                    kept.doubt = ""
                    kept.is_denied, kept.denied_ns = False, -1
                await self._look_whether_gone(kept)
                wait_s = max(getattr(error, "retry_after_s", 0.0), backoff.next_s())
                await pause(self._clock, kept, self._cancels.due_s(kept, wait_s))
                continue
            backoff.reset()
            is_done = self._is_done(kept, look.there)
            if is_done or (kept.is_denied and await self._believe_denial(kept)):
                return
            if look.there is None:
                await self._look_whether_gone(kept)
            if not kept.doubt:
                kept.fit_ns = look.asked_ns
            wait_s = self._looks.pause_s(kept, self.open_count)
            await pause(self._clock, kept, self._cancels.due_s(kept, wait_s))

    def _is_told_whole(self, kept: TrackedOrder) -> bool:
        """Whether the venue has told of the order's end and its fills without being asked; they are
        reported then, and the order is over."""
        told = self._venue.told(kept.terms.client_order_id)
        if told is None or not self._fills.report_told(kept, *told):
            return False
        kept.fit_ns = self._clock.now_ns()
        return self._is_done(kept, told[0])

    async def _look(self, kept: TrackedOrder) -> Look:
        """What the venue says of the order, with its news reported. Raises VenueError."""
        look = await self._looks.look(kept, self.open_count)
        if look.there is not None:
            await self._fills.report(kept, look.there, look.answered_step)
        return look

    async def _look_whether_gone(self, kept: TrackedOrder) -> None:
        """Look for evidence of `TrackedOrder.is_gone`, where an order's end is not told yet."""
        try:
            await self._looks.look_for_absence(kept)
        except VenueError:
            return  # no evidence; it is asked for again

    def _note_gone(self, kept: TrackedOrder, *, is_gone: bool = True) -> None:
        is_news = is_gone and not kept.is_gone
        kept.is_gone = is_gone
        if is_news:
            self.on_gone()

    def _hear(self, client_order_id: str) -> None:
        """The venue has news of an order ("": of any): look at it now."""
        for name, kept in self._kept.items():
            if client_order_id in ("", name):
                kept.has_news = True
                kept.wake.set()

    def _hear_of_stream(self, words: str, is_alive: bool) -> None:
        self._looks.has_stream = is_alive
        self.on_stream(words)

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
            kept.doubt, kept.doubted_ns, kept.doubted_looks = wrong, now_ns, 0
        kept.doubted_looks += 1
        if not self._rules.is_settled(now_ns - kept.doubted_ns, kept.doubted_looks):
            return False
        if there is None and not kept.is_accepted:
            kept.is_denied = not kept.is_difference
        else:
            self._tell.differ(kept, wrong + self._forgotten(terms))
        return False

    def _forgotten(self, terms: OrderTerms) -> str:
        """What is to be added where the venue's lists need not go back to the order's making."""
        memory = self._venue.memory
        return f"; {memory.words}" if memory and terms.created_ns < memory.since_ns else ""

    async def _believe_denial(self, kept: TrackedOrder) -> bool:
        """Whether an order that was denied for long enough does not exist: the venue lists neither
        it nor fills of it, and holdings were compared since and agree. Anything else contradicts
        the denial, and so does a second one in a row: a person has to look."""
        terms = kept.terms
        if kept.denied_ns < 0:
            others = others_of(terms, self._kept.values())
            if any(each.is_unseen for each in others):
                # On its way, or of an earlier life: what a list holds without a name may be of it.
                return False
            try:
                orders = await self._venue.open_orders()
                fills = await self._venue.fills_since(self._fills.since(terms))
            except VenueError:
                # The denial begins anew: it must hold without a failed question.
                kept.doubt, kept.is_denied = "", False
                return False
            known = {fill_id for _, fill_id in self._fills.seen}
            if listed := listed_as(terms, orders, fills, self.doubts.ours, known):
                self._tell.differ(kept, f"{NO_SUCH_ORDER}, and lists {listed}")
                return False
            if self.doubts.is_second(terms.symbol, terms.created_ns):
                words = f"the second of {terms.symbol} in a row: it may not find them by our id"
                self._tell.differ(kept, f"{NO_SUCH_ORDER}, {words}")
                return False
            forgotten = self._forgotten(terms)
            if forgotten and any(each.is_missing for each in others):
                # What both filled may cancel out, so that holdings agree.
                words = f"nor another one of {terms.symbol}: holdings prove nothing of both"
                self._tell.differ(kept, f"{NO_SUCH_ORDER}, {words}{forgotten}")
                return False
            kept.denied_ns = self._clock.now_ns()
            self.doubts.hold(terms.symbol, kept.denied_ns)
        is_agreed = self.doubts.verdict(kept.denied_ns, terms.created_ns)
        if is_agreed is None:
            return False
        if not is_agreed:
            self._tell.differ(kept, f"{NO_SUCH_ORDER}, and its holdings differ from ours")
            return False
        self._tell.say(kept, ReportKind.NOT_SENT, f"{self._venue.name} {NO_SUCH_ORDER}")
        self.doubts.note_denial(terms.symbol, self._clock.now_ns())
        return True
