"""What every live feed's box offers to the contract suite; `feed_boxes` has the boxes.

A box is one feed on its local simulator. Its place makes one datum after the other, each of which
has a moment and a figure that the feed has to deliver; the box knows which those are.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from live_helpers import (
    RecordingSink,
)

from logos.core.messages import Bar, MarketEvent, Quote, Trade
from logos.feeds.contract import FeedState, LiveFeed

PATIENCE_S: Final = 30.0
Datum = tuple[int, int]
"""A moment in ns and a figure in price units."""


class FeedBox(ABC):
    """One feed and the place behind it. `symbols` are what it is to deliver."""

    feed: LiveFeed
    symbol: str
    has_connection = True
    """Whether something can be lost between the place and the feed."""
    first: int
    """The figure of the first datum; each next one is one more."""

    def __init__(self) -> None:
        self.sink = RecordingSink()
        self.made = 0
        """How many data the place has made."""

    @abstractmethod
    async def make(self, count: int) -> None:
        """So many more data happen at the place; the feed's time does not pass by itself."""

    @abstractmethod
    def moment_ns(self, number: int) -> int:
        """The event time of datum `number`, from 0 on."""

    @abstractmethod
    async def cut(self) -> None:
        """The connection is lost, and cannot be made again before `mend`."""

    @abstractmethod
    async def mend(self) -> None:
        """The connection can be made again."""

    @abstractmethod
    async def chatter(self) -> None:
        """Signs of life come from the place, and no data."""

    async def turn(self) -> None:
        """Let the feed's time pass a little."""
        await asyncio.sleep(0)

    async def until(self, condition: Callable[[], bool], waited_for: str) -> None:
        """Let the feed's time pass until `condition` holds."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, f"in vain: {waited_for}; {self.sink.said}"
            await self.turn()

    async def has(self, count: int) -> None:
        """Until so many events were delivered."""
        await self.until(lambda: len(self.sink.events) >= count, f"{count} events")

    async def ready(self) -> None:
        """Until the feed hears what happens at the place."""
        await self.until(lambda: FeedState.LIVE in self.states(), "LIVE")

    def expected(self, count: int) -> list[Datum]:
        """The first data of the place."""
        return [(self.moment_ns(number), self.first + number) for number in range(count)]

    def delivered(self) -> list[Datum]:
        """What the feed has delivered."""
        figures = [figure_of(event) for event in self.sink.events]
        return list(zip(self.sink.event_times_ns, figures, strict=True))

    def states(self) -> list[FeedState]:
        """The states told of the symbol; of the whole feed where there is no connection."""
        return self.sink.states(self.symbol if self.has_connection else "")


def figure_of(event: MarketEvent) -> int:
    """The figure by which a test knows an event again."""
    if isinstance(event, Bar):
        return event.close_units
    if isinstance(event, Trade):
        return event.price_units
    assert isinstance(event, Quote)
    return event.bid_units
