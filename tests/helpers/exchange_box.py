"""A feed at a simulated exchange whose time is moved by hand; see `feed_boxes`."""

from __future__ import annotations

import asyncio
from typing import Final

from alpaca_world import AlpacaWorld
from feed_box import FeedBox
from live_helpers import World

from logos.simulators.exchange.faults import Fault

SECRET: Final = "kQ7vW2xZ9mB4nL6pR8sT"
"""A credential of those feeds that may be given one."""


class ExchangeBox(FeedBox):
    """At the simulated exchange; the feed's clock runs only while it is waited for."""

    path: str
    """Of the requests that bring data."""

    def __init__(self, there: World | AlpacaWorld, replaced: dict[str, object]) -> None:
        super().__init__()
        self.there = there
        self.sink = there.sink
        self._replaced = replaced

    async def turn(self) -> None:
        if self.there.clock.sleepers:
            await self.there.clock.next_wake()
        await asyncio.sleep(0)

    async def _go_to(self, now_ns: int) -> None:
        """Both clocks: what is told as of that moment cannot be ahead of the feed's."""
        self.there.clock.set_ns(max(now_ns, self.there.clock.now_ns()))
        await self.there.exchange.advance_to(now_ns)

    async def cut(self) -> None:
        self.there.exchange.fail(self.path, Fault.RESET_BEFORE, times=10**6)

    async def mend(self) -> None:
        self.there.exchange.faults.clear()

    async def chatter(self) -> None:
        """Answers that hold nothing new."""
        asked = self.there.exchange.asked(self.path)
        more = lambda: self.there.exchange.asked(self.path) >= asked + 3  # noqa: E731
        await self.until(more, "three more answers")

    def answer(self, code: int) -> None:
        """From now on the place answers with this code and the credential it was given."""
        words = {"code": code, "msg": f"API-key {SECRET}, and {SECRET[3:15]}"}
        self._replaced["GET /api/v3/aggTrades"] = (words, 500)
