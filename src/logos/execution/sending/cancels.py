"""Cancels that are wanted: asked for at once, whatever else is being asked of the venue.

A cancel waits for no question. One that is wanted while its order is being asked for, or while that
question waits for its turn, leaves beside it; one that fails is asked for again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from logos.core.clock import Clock
from logos.core.types import NS_PER_SECOND
from logos.execution.bounded import BoundedVenue
from logos.execution.tracked import LinkRules, TrackedOrder, sleep_unless
from logos.venues.contract import Refused, VenueError

Answer = TypeVar("Answer")


class Cancels:
    """Asks for the cancels of one link."""

    def __init__(
        self,
        venue: BoundedVenue,
        clock: Clock,
        rules: LinkRules,
        taken: Callable[[TrackedOrder], object],
    ) -> None:
        """`taken` is told of an order whose cancel the venue has taken."""
        self._venue = venue
        self._clock = clock
        self._rules = rules
        self._taken = taken

    async def ask_if_due(self, kept: TrackedOrder) -> None:
        """Ask for a cancel if it is wanted and due.

        A refusal means that there is nothing to cancel now: `find` will say what there is.
        """
        if self._due_s(kept) > 0 or kept.cancel is None:
            return
        kept.cancel_asked_ns = self._clock.now_ns()
        kept.is_cancel_heard = False
        again_s = self._rules.cancel_again_s
        try:
            await self._venue.cancel(kept.cancel)
            kept.is_cancel_taken = kept.is_cancel_heard = True
            self._taken(kept)
        except Refused:
            kept.is_cancel_heard = True
        except VenueError as error:
            # Asking twice does no harm, and what rests must not rest for want of asking.
            retry_s = float(getattr(error, "retry_after_s", 0.0))
            demand_s: float | None = getattr(error, "demand_s", None)
            again_s = max(self._rules.poll_s, retry_s if demand_s is None else demand_s)
        kept.cancel_due_ns = self._clock.now_ns() + round(again_s * NS_PER_SECOND)

    def due_s(self, kept: TrackedOrder, seconds: float) -> float:
        """How long to wait, of so many seconds, where a cancel that failed may be due before."""
        if kept.cancel is None or kept.is_over or kept.is_cancel_heard:
            return seconds
        return max(min(seconds, self._due_s(kept)), 0.0)

    async def beside(self, kept: TrackedOrder, question: Awaitable[Answer]) -> Answer:
        """The answer to a question about the order; raises what it does. A cancel that the venue
        has not heard of yet is asked for meanwhile, again and again if it fails."""
        if kept.is_cancel_heard:
            return await question
        is_answered = asyncio.Event()
        work = self._ask_until_heard(kept, is_answered)
        asking = asyncio.get_running_loop().create_task(work)
        try:
            answer = await question
        except VenueError:
            is_answered.set()
            await self._end(kept, asking)
            raise
        except BaseException:
            asking.cancel()
            raise
        is_answered.set()
        await self._end(kept, asking)
        return answer

    async def _ask_until_heard(self, kept: TrackedOrder, is_answered: asyncio.Event) -> None:
        """Until the question beside it `is_answered` too: no cancel of an order may ever be heard,
        and what the question found must not wait for that."""
        while not (kept.is_cancel_heard or kept.is_over or is_answered.is_set()):
            if kept.cancel is None:
                kept.wake.clear()
                await kept.wake.wait()
            elif (due_s := self._due_s(kept)) > 0:
                await self._clock.sleep(due_s)
            else:
                kept.is_cancel_under_way = True
                try:
                    await self.ask_if_due(kept)
                finally:
                    kept.is_cancel_under_way = False

    async def _end(self, kept: TrackedOrder, asking: asyncio.Task[None]) -> None:
        """The question is over: what asks for cancels beside it ends, after the request that is
        under way. Raises what it died of."""
        if asking.done() or kept.is_cancel_under_way:
            await asking
        else:
            asking.cancel()

    def _due_s(self, kept: TrackedOrder) -> float:
        """In how many seconds the cancel is due; nothing is due where none is wanted."""
        if kept.cancel is None or kept.is_over:
            return self._rules.cancel_again_s
        return (kept.cancel_due_ns - self._clock.now_ns()) / NS_PER_SECOND


async def pause(clock: Clock, kept: TrackedOrder, seconds: float) -> None:
    """Wait; a cancel that is wanted for the first time, or news of the order, ends it."""
    if not kept.has_news:
        await sleep_unless(clock, seconds, kept.wake)
