"""Recorded data as a live feed: played at the pace it was recorded at, or faster.

For rehearsals of the live loop without a network. The first event comes at once, and each other one
when as much time has passed as lay between them in the recording, divided by the speed. Every event
is stamped with the moment it is handed over; its own time is its event time, moved by the same
distance as the first, so that its age is what the pacing added and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from logos.core.clock import Clock
from logos.core.messages import Bar, MarketEvent, QuoteBar
from logos.core.types import NS_PER_SECOND
from logos.feeds.contract import FeedNews, FeedState, Sink

_SLEEP_MIN_NS = 1_000_000
"""Shorter waits than this are not worth a sleep: what is due within it goes out together."""


class PacedFeed:
    """Plays `chunks` (lists of events in order of time) through a sink; ends with the last.

    `speed` is how many times faster than recorded; 0: as fast as they are taken.
    """

    name = "replay"

    def __init__(
        self,
        chunks: Iterable[Sequence[MarketEvent]],
        symbols: Sequence[str],
        clock: Clock,
        speed: float,
    ) -> None:
        self.symbols = symbols
        self._chunks = chunks
        self._clock = clock
        self._speed = speed

    async def run(self, sink: Sink) -> None:
        """Deliver all of it, then return."""
        clock = self._clock
        began_ns = clock.now_ns()
        first_ns = -1
        sink.news(FeedNews(began_ns, self.name, "", FeedState.LIVE, f"speed {self._speed:g}"))
        for events in self._chunks:
            for event in events:
                if first_ns < 0:
                    first_ns = event.ts_ns
                due_ns = began_ns
                if self._speed:
                    due_ns += round((event.ts_ns - first_ns) / self._speed)
                wait_ns = due_ns - clock.now_ns()
                if self._speed and wait_ns > _SLEEP_MIN_NS:
                    await clock.sleep(wait_ns / NS_PER_SECOND)
                now_ns = clock.now_ns()
                stamped = self._stamped(event, now_ns)
                while not sink.market(stamped, min(due_ns, now_ns) if self._speed else now_ns):
                    await sink.room()
            # Between two chunks the loop gets a turn even where nothing had to be waited for.
            await clock.sleep(0)
        sink.news(FeedNews(clock.now_ns(), self.name, "", FeedState.CLOSED, "played to its end"))

    def _stamped(self, event: MarketEvent, now_ns: int) -> MarketEvent:
        """The event as it is seen now; a bar is as much shorter as time is faster."""
        if isinstance(event, (Bar, QuoteBar)):
            interval_ns = round(event.interval_ns / self._speed) if self._speed else 0
            return msgspec.structs.replace(event, ts_ns=now_ns, interval_ns=interval_ns)
        return msgspec.structs.replace(event, ts_ns=now_ns)
