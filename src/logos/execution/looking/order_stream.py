"""What a venue tells of orders by itself: news that wakes whoever asks, and never the truth.

Problem: a stream makes questions rare, and one that has died looks like one with nothing to tell.
Method: a stream counts as alive from its first word on, and only as long as there is a word (a sign
of life will do) every `SIGN_OF_LIFE_S`. When it begins and when it ends, every order is asked for
at once: nothing that was missed in between stays unknown. Then it is connected again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Final

from logos.core.clock import Backoff, Clock
from logos.venues.contract import SIGN_OF_LIFE_S, OrderNews, Unavailable, Venue, VenueError

FIRST_WORD_S: Final = 30.0
"""How long a connection may take until its first word."""
_CLOSE_S: Final = 5.0


class OrderStream:
    """Listens to one venue."""

    def __init__(
        self,
        venue: Venue,
        clock: Clock,
        random: Random,
        heard: Callable[[str], object],
        tell: Callable[[str, bool], object],
    ) -> None:
        """`heard` takes the client order id of whom there is news, "" for all; `tell` takes words
        about the stream, and whether it is alive."""
        self._venue = venue
        self._clock = clock
        self._random = random
        self._heard = heard
        self._tell = tell
        self._is_alive = False

    async def run(self) -> None:
        """Listen until cancelled; returns at once where the venue has no stream."""
        order_events: Callable[[], AsyncIterator[OrderNews] | None] | None
        order_events = getattr(self._venue, "order_events", None)
        backoff = Backoff(self._random, 1.0)
        while order_events is not None:
            events = order_events()
            if events is None:
                return
            words = "ended"
            try:
                await self._listen(events, backoff)
            except VenueError as error:
                words = f"was lost: {error}"
            finally:
                await self._close(events)
            if self._is_alive:
                self._is_alive = False
                self._tell(f"{self._venue.name}: the stream of orders {words}", False)
                self._heard("")
            await self._clock.sleep(backoff.next_s())

    async def _listen(self, events: AsyncIterator[OrderNews], backoff: Backoff) -> None:
        while True:
            limit_s = SIGN_OF_LIFE_S if self._is_alive else FIRST_WORD_S
            news = await self._within(events, limit_s)
            if news is None:
                return
            if not self._is_alive:
                self._is_alive = True
                backoff.reset()
                self._tell(f"{self._venue.name}: the stream of orders is connected", True)
                self._heard("")
            elif not news.is_sign_of_life:
                self._heard(news.client_order_id)

    async def _within(self, events: AsyncIterator[OrderNews], limit_s: float) -> OrderNews | None:
        """The next word; None at the end. Raises VenueError, Unavailable for silence."""
        word = asyncio.ensure_future(_next(events))
        silence = asyncio.ensure_future(self._clock.sleep(limit_s))
        try:
            await asyncio.wait((word, silence), return_when=asyncio.FIRST_COMPLETED)
            if not word.done():
                raise Unavailable(f"silent for {limit_s:g} s")
            return word.result()
        finally:
            silence.cancel()
            word.cancel()

    async def _close(self, events: AsyncIterator[OrderNews]) -> None:
        """Let go of a stream; one that does not let go in time is left alone."""
        aclose = getattr(events, "aclose", None)
        if aclose is None:
            return
        closing = asyncio.ensure_future(aclose())
        try:
            await asyncio.wait((closing,), timeout=_CLOSE_S)
        finally:
            closing.cancel()
        if closing.done() and not closing.cancelled() and closing.exception() is not None:
            self._tell(f"{self._venue.name}: the stream of orders did not close", self._is_alive)


async def _next(events: AsyncIterator[OrderNews]) -> OrderNews | None:
    """The next word; None at the end. (A task's result cannot be StopAsyncIteration.)"""
    async for news in events:
        return news
    return None
