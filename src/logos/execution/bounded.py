"""A venue that is asked in turn, and always answers: what takes too long is as after a timeout.

Two problems. A connection can be half open: the request went out, or did not, and no answer and no
error ever comes; a keeper that waits for it would never cancel its order again. An adapter has
timeouts of its own, but nobody's safety may hang on them. So every call is given up after `call_s`:
an order or a cancel is then `OutcomeUnknown`, a question `Unavailable`. And a venue bears so many
requests only: every call waits for its turn in the venue's `Lane` first.

The call begins in the caller's own step after its turn has come, and an order's `may_leave` is
asked in that step: nothing can happen between a look at the kill switch and the submit that follows
it. What a call waits in the queue, before it or between two of its requests, is not counted as time
of the venue.

Equal questions that wait are asked once; one that has left already is asked anew, because its
answer may be older than what the second asker has heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from logos.core.clock import Clock
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import NS_PER_SECOND
from logos.execution.clock import call_later
from logos.execution.sending.lane import CALL, Call, Lane, Withheld
from logos.execution.sending.shared import Shared
from logos.venues.budget import RequestKind
from logos.venues.contract import (
    Capabilities,
    CheckLine,
    Memory,
    NotSent,
    OutcomeUnknown,
    Unavailable,
    Venue,
    VenueCharge,
    VenueError,
    VenueFill,
    VenueOrder,
)

Answer = TypeVar("Answer")


@dataclass(slots=True, eq=False)
class _Waiting:
    """A question that waits for its turn, for all who ask it."""

    since_ns: int = 0
    """From when on fills are asked for: the earliest that anybody wants."""
    shared: Shared[Any] | None = None


class BoundedVenue:
    """The same venue; `submit` and `cancel` raise OutcomeUnknown, questions Unavailable, in time.

    `open` and `close` are left alone: they belong to whoever made the venue.
    """

    def __init__(self, venue: Venue, clock: Clock, call_s: float, lane: Lane | None = None) -> None:
        """All who ask one venue for one session share its `lane`; None: a new one."""
        self._venue = venue
        self._clock = clock
        self._call_s = call_s
        self.lane = Lane(venue, clock) if lane is None else lane

    @property
    def name(self) -> str:
        return self._venue.name

    @property
    def capabilities(self) -> Capabilities:
        return self._venue.capabilities

    @property
    def memory(self) -> Memory | None:
        """As the venue's (`contract.Forgetting`); None of one that forgets nothing."""
        memory: Memory | None = getattr(self._venue, "memory", None)
        return memory

    async def open(self) -> None:
        await self._venue.open()

    async def close(self) -> None:
        await self._venue.close()

    async def submit(
        self,
        request: SubmitOrder,
        may_leave: Callable[[], bool] = lambda: True,
        until_ns: int | None = None,
    ) -> VenueOrder:
        """Send an order, once, when its turn has come. Raises what the venue does, OutcomeUnknown
        after `call_s`, and as `Lane.turn`."""
        await self.lane.turn(RequestKind.ORDER, may_leave, until_ns)
        if not may_leave():
            self.lane.give_back(RequestKind.ORDER)
            raise Withheld(f"order {request.client_order_id} may not leave any more")
        prepare = getattr(self._venue, "prepare", None)
        has_left = False

        async def send() -> VenueOrder:
            nonlocal has_left
            if prepare is not None:
                await prepare(request)
                if not may_leave():  # a kill may have come meanwhile
                    raise Withheld(f"order {request.client_order_id} may not leave any more")
            has_left = True
            return await self._venue.submit(request)

        try:
            return await self._within(RequestKind.ORDER, send)
        except TimeoutError:
            words = self._words(f"order {request.client_order_id}")
        raise OutcomeUnknown(words) if has_left else NotSent(words)

    async def cancel(self, request: CancelOrder) -> None:
        """Ask for a cancel, once. Raises what the venue does, OutcomeUnknown after `call_s`."""
        await self.lane.turn(RequestKind.CANCEL)
        try:
            await self._within(RequestKind.CANCEL, lambda: self._venue.cancel(request))
        except TimeoutError:
            raise OutcomeUnknown(self._words(f"cancel {request.client_order_id}")) from None

    def told(self, client_order_id: str) -> tuple[VenueOrder, Sequence[VenueFill]] | None:
        """As the venue's (`contract.Telling`); None of one that has to be asked."""
        told = getattr(self._venue, "told", None)
        return None if told is None else told(client_order_id)

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        key = ("find", client_order_id, symbol)
        call = lambda _: self._venue.find(client_order_id, symbol)  # noqa: E731
        return await self._ask(RequestKind.FIND, key, call)

    async def open_orders(self) -> Sequence[VenueOrder]:
        call = lambda _: self._venue.open_orders()  # noqa: E731
        return await self._ask(RequestKind.OPEN_ORDERS, ("open orders",), call)

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        """As the venue's; there may be earlier ones among them, which somebody else asked for."""
        call = lambda waiting: self._venue.fills_since(waiting.since_ns)  # noqa: E731
        return await self._ask(RequestKind.FILLS, ("fills",), call, ts_ns)

    @property
    def looks_up_fills(self) -> bool:
        """Whether it can be asked for the fills of one order (`contract.LookingUp`)."""
        return hasattr(self._venue, "fills_of")

    async def fills_of(self, client_order_id: str, ts_ns: int) -> Sequence[VenueFill]:
        """As the venue's, of one that `looks_up_fills`."""
        fills_of = getattr(self._venue, "fills_of")  # noqa: B009 - not every venue has it
        key = ("fills of", client_order_id)
        call = lambda waiting: fills_of(client_order_id, waiting.since_ns)  # noqa: E731
        return await self._ask(RequestKind.FILLS, key, call, ts_ns)

    async def charges_since(self, ts_ns: int) -> Sequence[VenueCharge]:
        """As the venue's; nothing of one that charges nothing behind its fills."""
        charges_since = getattr(self._venue, "charges_since", None)
        if charges_since is None:
            return ()
        call = lambda _: charges_since(ts_ns)  # noqa: E731
        return await self._ask(RequestKind.FILLS, ("charges",), call)

    async def positions(self) -> Mapping[str, int]:
        call = lambda _: self._venue.positions()  # noqa: E731
        return await self._ask(RequestKind.HOLDINGS, ("positions",), call)

    async def balances(self) -> Mapping[str, Decimal]:
        call = lambda _: self._venue.balances()  # noqa: E731
        return await self._ask(RequestKind.HOLDINGS, ("balances",), call)

    async def check(self) -> Sequence[CheckLine]:
        call = lambda _: self._venue.check()  # noqa: E731
        return await self._ask(RequestKind.HOLDINGS, ("check",), call)

    async def _ask(
        self,
        kind: RequestKind,
        key: tuple[str, ...],
        call: Callable[[_Waiting], Awaitable[Answer]],
        since_ns: int = 0,
    ) -> Answer:
        """The answer to a question, in its turn."""
        if self.lane.go(kind):
            return await self._answer(kind, key, lambda: call(_Waiting(since_ns)))
        waiting: _Waiting | None = self.lane.waiting.get(key)
        if waiting is None:
            waiting = self.lane.waiting[key] = _Waiting(since_ns)
            waiting.shared = Shared(self._wait_and_ask(kind, key, waiting, call))
        waiting.since_ns = min(waiting.since_ns, since_ns)
        shared = waiting.shared
        assert shared is not None
        try:
            answer: Answer = await shared.answer()
        finally:
            if not shared.has_askers and self.lane.waiting.get(key) is waiting:
                del self.lane.waiting[key]
        return answer

    async def _wait_and_ask(
        self,
        kind: RequestKind,
        key: tuple[str, ...],
        waiting: _Waiting,
        call: Callable[[_Waiting], Awaitable[Answer]],
    ) -> Answer:
        try:
            await self.lane.turn(kind)
        finally:
            # From here on it is under way, and nobody joins it any more.
            if self.lane.waiting.get(key) is waiting:
                del self.lane.waiting[key]
        return await self._answer(kind, key, lambda: call(waiting))

    async def _answer(
        self, kind: RequestKind, key: tuple[str, ...], call: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        try:
            return await self._within(kind, call)
        except TimeoutError:
            raise Unavailable(self._words(" ".join(key[:2]))) from None

    def _words(self, what: str) -> str:
        return f"{self._venue.name}: {what}: no answer within {self._call_s:g} s"

    async def _within(self, kind: RequestKind, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Make `call` in this very task; TimeoutError once the clock has gone too far."""
        this = Call(kind)
        before = CALL.set(this)
        try:
            # asyncio's own timeout counts the loop's time; the session has a clock of its own.
            async with asyncio.timeout(None) as limit:
                patience = _Patience(self._clock, self._call_s, this, limit)
                try:
                    return await call()
                except VenueError as error:
                    self.lane.obey(error)
                    raise
                finally:
                    patience.call_off()
        finally:
            CALL.reset(before)
            self.lane.heard(this)


class _Patience:
    """Ends a call after so many seconds that were the venue's."""

    __slots__ = ("_call", "_clock", "_idle_ns", "_limit", "call_off")

    def __init__(self, clock: Clock, call_s: float, call: Call, limit: asyncio.Timeout) -> None:
        self._clock = clock
        self._call = call
        self._limit = limit
        self._idle_ns = 0
        self.call_off = call_later(clock, call_s, self._look)

    def _look(self) -> None:
        before_ns, self._idle_ns = self._idle_ns, self._call.idle_ns(self._clock.now_ns())
        idle_ns = self._idle_ns - before_ns
        if idle_ns > 0:
            self.call_off = call_later(self._clock, idle_ns / NS_PER_SECOND, self._look)
        else:
            self._limit.reschedule(asyncio.get_running_loop().time())
