"""Where a feed collects the bars from before now that it was asked for."""

from __future__ import annotations

import msgspec

from logos.core.messages import Bar, MarketEvent
from logos.feeds.contract import FeedNews


class PastBars:
    """A `Sink` that keeps bars, each with its end as its time."""

    def __init__(self) -> None:
        self.bars: list[Bar] = []

    def market(self, event: MarketEvent, event_ns: int) -> bool:
        """Keep a bar."""
        if isinstance(event, Bar):
            self.bars.append(msgspec.structs.replace(event, ts_ns=event_ns))
        return True

    async def room(self) -> None:
        """There always is."""

    def news(self, news: FeedNews) -> None:
        """What is missing is seen in the bars."""
