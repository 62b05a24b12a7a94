"""One queue for all that goes to one venue: cancels first, then new orders, then questions.

Problem: a venue bears so many requests a second. Where twenty orders are each asked for twice a
second, at a venue that bears one, a cancel waits behind our own questions. Method: whoever wants to
send waits here for its turn. What a turn takes comes out of the venue's `Budget`; a venue without
one makes nobody wait.

- Cancels go first, then orders, then questions, each in the order in which they came. Nothing
  overtakes what is above it, except that a question which has waited for `PATIENCE_S` goes before
  new orders, once in `PATIENCE_S`, and before cancels if it takes nothing that they wait for: no
  flood of orders keeps us from seeing what became of them.
- Questions leave room for the orders and cancels that may come, up to half of a pool; orders leave
  room for one cancel.
- An order has a moment by which it must have left. One that cannot is told so at once
  (`Overdue`), one whose moment comes while it waits then, and neither leaves.
- An order that may not leave any more (the switch, a cancel) is told so while it waits
  (`Withheld`). Whoever gets a turn for an order asks once more, in the step in which it leaves.
- When the venue says that it is asked too much, questions pause; orders and cancels only for as
  long as it demands.
- Where sessions share an account, they count together (`together`): the same order holds over all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from logos.core.clock import Clock
from logos.core.types import NS_PER_SECOND
from logos.execution.sending.meter import Meter, rank_of
from logos.execution.sending.short import Short
from logos.execution.sending.together import LOOK_S, NOBODY, Others, Row, State, Together
from logos.execution.sending.waiter import Waiter
from logos.execution.tracked import sleep_unless
from logos.venues.budget import Allowance, Budget, RequestKind
from logos.venues.contract import NotSent, Venue, VenueError

PATIENCE_S: Final = 10.0
"""How long a question waits before it goes ahead of new orders."""
_PATIENCE_NS: Final = round(PATIENCE_S * NS_PER_SECOND)
_RANKS: Final = 3


class Withheld(VenueError):
    """The order may not leave any more, and did not."""


class Overdue(NotSent):
    """The order could not leave in time, and does not leave late."""


@dataclass(slots=True)
class Call:
    """One call to the venue that is under way: how many requests it made, how long it waited."""

    kind: RequestKind
    requests: int = 0
    waited_ns: int = 0
    waits_since_ns: int = -1

    def idle_ns(self, now_ns: int) -> int:
        """How long it has waited for turns: time that is not the venue's."""
        waits_ns = now_ns - self.waits_since_ns if self.waits_since_ns >= 0 else 0
        return self.waited_ns + waits_ns


CALL: ContextVar[Call | None] = ContextVar("CALL", default=None)
"""The call that this task makes."""


class Lane:
    """The queue before one venue. Everybody who asks that venue for a session shares it."""

    def __init__(self, venue: Venue, clock: Clock) -> None:
        self._venue: Any = venue
        self._clock = clock
        self._budget: Budget | None = None
        self._meters: tuple[Meter, ...] = ()
        self._heard: dict[str, Allowance] = {}
        self._ranks: tuple[list[Waiter], ...] = tuple([] for _ in range(_RANKS))
        self._changed = asyncio.Event()
        self._server: asyncio.Task[None] | None = None
        self._closed_until_ns = 0
        self._no_questions_until_ns = 0
        self._patience_used_ns = -_PATIENCE_NS
        self._requests: dict[RequestKind, int] = {}
        path = getattr(venue, "shared_budget", None)
        self._together = None if path is None else Together(path)
        self._others_need = 0
        self.waiting: dict[tuple[str, ...], Any] = {}
        """Questions that wait for their turn, by what they ask; see `bounded`."""
        self.short = Short(venue)
        """Tells when the venue says that so little is left that questions wait."""
        self.may_need: Callable[[], int] = lambda: 1_000
        """How many orders and cancels may have to leave at once; questions leave room for them."""
        if (use_pace := getattr(venue, "use_pace", None)) is not None:
            use_pace(self.pace)

    # ---- turns ----

    def go(self, kind: RequestKind) -> bool:
        """Take a turn if there is one right now."""
        self._refresh()
        is_told = self._closed_until_ns or self._no_questions_until_ns
        if not (is_told or self._meters or self._together is not None or any(self._ranks)):
            return True  # nothing is counted, and nobody waits
        now_ns = self._clock.now_ns()
        with self._step(now_ns) as others:
            is_behind = any(self._ranks[: rank_of(kind) + 1])
            is_behind = is_behind or others.are_ahead(rank_of(kind), now_ns)
            if is_behind or self._wait_ns(kind, now_ns) > 0:
                return False
            self._take(kind, now_ns)
            return True

    @contextmanager
    def _step(self, now_ns: int) -> Iterator[Others]:
        """Count alone: first what other sessions have used is known, then they know of ours."""
        if self._together is None:
            yield NOBODY
            return
        with self._together.step(now_ns) as (found, others):
            self._others_need = others.may_need
            state = State() if found is None else found
            for meter in self._meters:
                if found is None or meter.name in state.free_ns:
                    said = state.said.get(meter.name, (0, 0))
                    meter.adopt(state.free_ns.get(meter.name), now_ns, said)
            self._closed_until_ns = max(self._closed_until_ns, state.closed_until_ns)
            questions_ns = state.no_questions_until_ns
            self._no_questions_until_ns = max(self._no_questions_until_ns, questions_ns)
            yield others
            state.free_ns |= {meter.name: meter.free_ns for meter in self._meters}
            state.said |= {meter.name: (meter.left_ns, meter.until_ns) for meter in self._meters}
            state.closed_until_ns = self._closed_until_ns
            state.no_questions_until_ns = self._no_questions_until_ns
            first = [waiters[0].since_ns if waiters else 0 for waiters in self._ranks]
            row = Row(now_ns, (first[0], first[1], first[2]), self.may_need())
            self._together.write(state, row)

    async def turn(
        self,
        kind: RequestKind,
        may_leave: Callable[[], bool] = lambda: True,
        until_ns: int | None = None,
    ) -> None:
        """Wait for a turn. Raises Withheld once `may_leave` says no, and Overdue when it cannot
        come by `until_ns` (nanoseconds since 1970; None: at any time)."""
        if self.go(kind):
            return
        now_ns = self._clock.now_ns()
        if until_ns is not None:
            comes_ns = now_ns + self._wait_ns(kind, now_ns, self._ahead_of(kind))
            if comes_ns > until_ns:
                raise Overdue(
                    f"not sent: with what waits already it could leave in {_s(comes_ns - now_ns)}, "
                    f"later than it may ({_s(until_ns - now_ns)}); the venue limits requests"
                )
        self.short.look(self._meters, now_ns, self._all_need)
        waiter = Waiter(kind, now_ns, may_leave, until_ns)
        waiters = self._ranks[rank_of(kind)]
        waiters.append(waiter)
        self.recheck()
        if self._server is None:
            self._server = asyncio.get_running_loop().create_task(self._serve())
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter in waiters:
                waiters.remove(waiter)
            elif waiter.turn.done() and not waiter.turn.cancelled() and not waiter.turn.exception():
                self.give_back(kind)
            self.recheck()
            raise

    def give_back(self, kind: RequestKind) -> None:
        """A turn that was not used."""
        with self._step(self._clock.now_ns()):
            for meter in self._meters:
                meter.give_back(kind)
        self.recheck()

    def recheck(self) -> None:
        """Something has changed for those who wait."""
        self._changed.set()

    def count(self, kind: RequestKind) -> int:
        """How many of that kind wait."""
        return sum(waiter.kind is kind for waiter in self._ranks[rank_of(kind)])

    async def _serve(self) -> None:
        """Give turns while anybody waits."""
        try:
            while any(self._ranks):
                self._changed.clear()
                self._refresh()
                now_ns = self._clock.now_ns()
                with self._step(now_ns) as others:
                    wait_s = self._give_turns(now_ns, others) / NS_PER_SECOND
                if self._together is not None:
                    wait_s = min(wait_s, LOOK_S)
                if any(self._ranks):
                    await sleep_unless(self._clock, wait_s, self._changed)
        finally:
            self._server = None
            for waiters in self._ranks:  # nobody is left to wait for what never comes
                for waiter in waiters:
                    if not waiter.turn.done():
                        waiter.turn.set_exception(RuntimeError("the queue of the venue ended"))
                waiters.clear()

    def _give_turns(self, now_ns: int, others: Others) -> int:
        """Give all turns there are now; nanoseconds until there may be one more."""
        while True:
            self._turn_away(now_ns)
            waits_ns: list[int] = []
            given = None
            for waiter in self._heads(now_ns):
                wait_ns = self._wait_ns(waiter.kind, now_ns)
                if self._is_second(waiter, others, now_ns):
                    wait_ns = max(wait_ns, round(LOOK_S * NS_PER_SECOND))
                if wait_ns == 0:
                    given = waiter
                    break
                waits_ns.append(wait_ns)
            if given is None:
                return max(min(waits_ns + self._moments(now_ns), default=NS_PER_SECOND), 1)
            if self._is_patient(given, now_ns):
                self._patience_used_ns = now_ns
            self._ranks[rank_of(given.kind)].remove(given)
            self._take(given.kind, now_ns)
            given.turn.set_result(None)

    def _is_second(self, waiter: Waiter, others: Others, now_ns: int) -> bool:
        """Whether another session goes first."""
        is_patient = self._is_patient(waiter, now_ns)
        return others.are_ahead(rank_of(waiter.kind), waiter.since_ns, is_patient=is_patient)

    def _heads(self, now_ns: int) -> Sequence[Waiter]:
        """Who is next; behind it who may go while the next one cannot yet."""
        cancels, orders, questions = self._ranks
        heads = [waiters[0] for waiters in (cancels, orders, questions) if waiters]
        question = questions[0] if questions else None
        if question is None or not self._is_patient(question, now_ns):
            return heads[:1]
        if not cancels:
            return [question]
        cancel, takes = cancels[0], self._takes(question.kind)
        return [cancel, question] if takes.isdisjoint(self._takes(cancel.kind)) else [cancel]

    def _is_patient(self, waiter: Waiter, now_ns: int) -> bool:
        return (
            waiter.kind.is_question
            and now_ns >= max(self._no_questions_until_ns, self._closed_until_ns)
            and now_ns - waiter.since_ns >= _PATIENCE_NS
            and now_ns - self._patience_used_ns >= _PATIENCE_NS
        )

    def _moments(self, now_ns: int) -> list[int]:
        """When something else than room comes: an order's moment, the end of a patience."""
        moments = [w.until_ns + 1 for w in self._ranks[1] if w.until_ns is not None]
        if self._ranks[2]:
            since_ns = max(self._ranks[2][0].since_ns, self._patience_used_ns)
            moments.append(since_ns + _PATIENCE_NS)
        return [moment_ns - now_ns for moment_ns in moments if moment_ns > now_ns]

    def _turn_away(self, now_ns: int) -> None:
        """Tell orders that may not leave any more, or not in time."""
        for waiter in list(self._ranks[1]):
            if waiter.turn.done():  # whoever waited was cancelled in this very step
                self._ranks[1].remove(waiter)
            elif not waiter.may_leave():
                self._ranks[1].remove(waiter)
                waiter.turn.set_exception(Withheld("it may not leave any more"))
            elif waiter.until_ns is not None and now_ns > waiter.until_ns:
                self._ranks[1].remove(waiter)
                waited = _s(now_ns - waiter.since_ns)
                words = f"not sent: it waited {waited} for its turn; the venue limits requests"
                waiter.turn.set_exception(Overdue(words))
        for waiters in (self._ranks[0], self._ranks[2]):
            waiters[:] = [waiter for waiter in waiters if not waiter.turn.done()]

    # ---- what a turn takes ----

    def _takes(self, kind: RequestKind) -> set[str]:
        return {meter.name for meter in self._meters if meter.cost_ns(kind)}

    def _take(self, kind: RequestKind, now_ns: int) -> None:
        times = 1 if self._together is None else self._together.times
        for meter in self._meters:
            meter.take(kind, now_ns, times)

    def _count(self, kind: RequestKind) -> None:
        """Count a request that waits for nobody."""
        now_ns = self._clock.now_ns()
        with self._step(now_ns):
            self._take(kind, now_ns)

    def _all_need(self) -> int:
        """What orders and cancels of all sessions may need at once."""
        return self.may_need() + self._others_need

    def _wait_ns(self, kind: RequestKind, now_ns: int, ahead: Sequence[RequestKind] = ()) -> int:
        """How long until one may go, behind those `ahead` of it."""
        opens_ns = self._closed_until_ns
        if kind.is_question:
            opens_ns = max(opens_ns, self._no_questions_until_ns)
        waits_ns = [max(opens_ns - now_ns, 0)]
        may_need = self._all_need() if kind.is_question and self._meters else 0
        for meter in self._meters:
            waits_ns.append(meter.wait_ns(kind, now_ns, may_need, sum(map(meter.cost_ns, ahead))))
        return max(waits_ns)

    def _ahead_of(self, kind: RequestKind) -> list[RequestKind]:
        classes = self._ranks[: rank_of(kind) + 1]
        return [waiter.kind for waiters in classes for waiter in waiters]

    def _refresh(self) -> None:
        budget = getattr(self._venue, "budget", None)
        if budget != self._budget:
            before = {meter.name: meter for meter in self._meters}
            pools = () if budget is None else budget.pools
            self._budget = budget
            self._meters = tuple(Meter(pool, before.get(pool.name)) for pool in pools)

    # ---- what the venue says ----

    def heard(self, call: Call) -> None:
        """A call is over: take note of what it took, and of what its answers say is left."""
        self._refresh()
        self._requests[call.kind] = max(call.requests, 1)
        allowances: Sequence[Allowance] = getattr(self._venue, "allowances", ()) or ()
        news = [each for each in allowances if self._heard.get(each.pool) != each]
        if news:
            now_ns = self._clock.now_ns()
            with self._step(now_ns):
                for said in news:
                    self._heard[said.pool] = said
                    for meter in (each for each in self._meters if each.name == said.pool):
                        meter.hear(said)
            self.short.look(self._meters, now_ns, self._all_need)
        self.recheck()

    def obey(self, error: VenueError) -> None:
        """A request failed: where the venue says that it is asked too much, leave it alone."""
        demand_s: float | None = getattr(error, "demand_s", None)
        if demand_s is None:
            return
        now_ns = self._clock.now_ns()
        retry_s = max(demand_s, float(getattr(error, "retry_after_s", 0.0)))
        opens_ns = now_ns + round(demand_s * NS_PER_SECOND)
        asks_ns = now_ns + round(retry_s * NS_PER_SECOND)
        with self._step(now_ns):
            self._closed_until_ns = max(self._closed_until_ns, opens_ns)
            self._no_questions_until_ns = max(self._no_questions_until_ns, asks_ns)
        self.recheck()

    async def pace(self) -> None:
        """See `contract.Pace`: the turn of one HTTP request of the call that this task makes."""
        call = CALL.get()
        if call is None:
            # Connecting, and the dead man's switch: counted, and in nobody's way.
            self._refresh()
            self._count(RequestKind.HOLDINGS)
            return
        call.requests += 1
        if call.requests == 1:
            return
        if not call.kind.is_question:
            self._count(call.kind)
            return
        call.waits_since_ns = self._clock.now_ns()
        try:
            await self.turn(call.kind)
        finally:
            call.waited_ns += self._clock.now_ns() - call.waits_since_ns
            call.waits_since_ns = -1

    # ---- how often one may ask ----

    def price_s(self, kind: RequestKind) -> float:
        """In how many seconds what one call of that kind takes comes back: its requests as many as
        the last time, from the pool that is the slowest. 0: it takes nothing."""
        self._refresh()
        cost_ns = max((meter.cost_ns(kind) for meter in self._meters), default=0)
        return cost_ns * self._requests.get(kind, 1) / NS_PER_SECOND

    @property
    def slowest_ns(self) -> int:
        """The longest that one request of any kind keeps others from leaving."""
        self._refresh()
        return max((m.cost_ns(kind) for m in self._meters for kind in RequestKind), default=0)


def _s(duration_ns: int) -> str:
    return f"{duration_ns / NS_PER_SECOND:.1f} s"
