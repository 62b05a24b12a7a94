"""The one door into a live session: bounded, in order, and honest about what it let go.

Market data, reports of venues and the passing of time wait here until the core has time. When it is
full, a newer quote takes the place of the symbol's older one that still waits (conflation, which is
counted); other market data has to wait outside. Reports are never refused and never dropped: there
are at most a few for every open order.

What comes out never runs back in time: an event that is stamped earlier than one before it is
stamped anew, for it is seen now.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import msgspec

from logos.core.messages import (
    Backfill,
    Bar,
    Event,
    FeedOffset,
    Lag,
    MarketEvent,
    PastBar,
    Quote,
    QuoteBar,
    ReceivedSignal,
    Report,
    TimePassed,
)
from logos.core.types import NEVER_NS
from logos.execution.incoming.waiting import Taken, wait_and_take, wait_for_room
from logos.feeds.contract import FeedNews

# Compiled code would look an imported class up for every event.
_QUOTE: Final = Quote


class Inbox:
    """A `logos.feeds.contract.Sink` whose other end is `take`."""

    def __init__(
        self,
        size: int,
        stale_after_ns: Mapping[str, int],
        on_news: Callable[[FeedNews], object],
        *,
        keeps_closes: bool = False,
    ) -> None:
        """`size` bounds what waits. Older data than `stale_after_ns` of its symbol (0: any age is
        fine) is announced to the core as a `Lag`, so that its guard can count the age in.
        `keeps_closes`: bars say when they closed, beside when they were received."""
        self._keeps_closes = keeps_closes
        self.size = size
        self._stale_after_ns = stale_after_ns
        self._calm_ns = min((ns for ns in stale_after_ns.values() if ns), default=NEVER_NS)
        """Data of this age is not late, whatever symbol it is of."""
        self._on_news = on_news
        self._events: list[Event | None] = []
        self._arrived_ns: list[int] = []
        self._latest_quote: dict[str, int] = {}
        self._is_indexed = False
        """Whether `_latest_quote` names where each symbol's newest quote waits: once the inbox was
        full, until it is taken from. Before that nobody asks."""
        self._latest_bar_ns: dict[str, int] = {}
        self._lagging: set[str] = set()
        self._waiter: asyncio.Future[None] | None = None
        self._is_woken = False
        self._orphan = -1
        """Where the announcement waits that belongs to the quote let go just now; -1: nowhere."""
        self._room = asyncio.Event()
        self._was_refused = False
        """Whether somebody may wait for room since it was last taken from."""
        self._signals: list[ReceivedSignal] = []
        self._read: dict[str, int] = {}
        self.offsets: dict[str, int] = {}
        """Up to which message each source was read that keeps what it said."""
        self._dropped = 0
        self._latest_ns = 0
        self.peak = 0
        self.conflated = 0
        self.market_count = 0
        self.last_market_ns = 0
        """Receive time of the latest market event; 0: none yet."""

    def __len__(self) -> int:
        return len(self._events) - self._dropped + len(self._signals)

    def market(self, event: MarketEvent, event_ns: int) -> bool:
        """Take one market event, or say that there is no room."""
        events = self._events
        if type(event) is _QUOTE and not self._is_indexed and len(events) < self.size:
            # A quote in its turn, by far the most frequent: what `_take_in` does, spelled out.
            ts_ns = event.ts_ns
            is_calm = ts_ns - event_ns <= self._calm_ns and not self._lagging
            if is_calm and ts_ns >= self._latest_ns:
                self.market_count += 1
                self.last_market_ns = self._latest_ns = ts_ns
                events.append(event)
                self._arrived_ns.append(time.perf_counter_ns())
                if self._waiter is not None:
                    self._release()
                return True
        return self._take_in(event, event_ns)

    def _take_in(self, event: MarketEvent, event_ns: int) -> bool:
        symbol = event.symbol
        self._orphan = -1
        if self._dropped > self.size:
            self._close_gaps()
        if len(self._events) - self._dropped >= self.size and not self._conflate(event):
            self._refuse()
            return False
        if event.ts_ns < self._latest_ns:
            # It had to wait for room, and others came in between.
            event = msgspec.structs.replace(event, ts_ns=self._latest_ns)
        if type(event) is Bar or type(event) is QuoteBar:
            event = self._as_received(event)
            if self._keeps_closes:
                event = msgspec.structs.replace(event, closed_ns=event_ns)
        limit_ns = self._stale_after_ns.get(symbol, 0)
        if limit_ns:
            self._watch_age(symbol, event.ts_ns, event.ts_ns - event_ns, limit_ns)
        if type(event) is _QUOTE and self._is_indexed:
            self._latest_quote[symbol] = len(self._events)
        self.market_count += 1
        self.last_market_ns = event.ts_ns
        self._put(event)
        return True

    def _as_received(self, bar: Bar | QuoteBar) -> Bar | QuoteBar:
        """The bar, beginning when the one before it was received.

        An order that was made on the bar before meets this one, as it does in a replay; with the
        nominal length that would depend on which of the two took longer to arrive.
        """
        before_ns = self._latest_bar_ns.get(bar.symbol, 0)
        self._latest_bar_ns[bar.symbol] = bar.ts_ns
        span_ns = bar.ts_ns - before_ns
        if before_ns and abs(span_ns - bar.interval_ns) <= bar.interval_ns // 2:
            return msgspec.structs.replace(bar, interval_ns=span_ns)
        return bar

    def _conflate(self, event: MarketEvent) -> bool:
        """Let go of the symbol's older quote for this newer one, if that is what they are."""
        if not self._is_indexed:
            self._index_quotes()
        index = self._latest_quote.get(event.symbol, -1) if type(event) is _QUOTE else -1
        if index < 0:
            return False
        self._events[index] = None
        self._dropped += 1
        self.conflated += 1
        before = self._events[index - 1] if index else None
        if type(before) is Lag and before.symbol == event.symbol:
            self._orphan = index - 1
        return True

    def _close_gaps(self) -> None:
        """Forget the places of what was let go, so that what waits stays bounded."""
        kept = [
            (event, ns)
            for event, ns in zip(self._events, self._arrived_ns, strict=True)
            if event is not None
        ]
        self._events = [event for event, _ in kept]
        self._arrived_ns = [ns for _, ns in kept]
        self._dropped = 0
        self._index_quotes()

    def _index_quotes(self) -> None:
        """Find where each symbol's newest quote waits; none was let go."""
        self._is_indexed = True
        self._latest_quote = {
            event.symbol: place for place, event in enumerate(self._events) if type(event) is _QUOTE
        }

    def _watch_age(self, symbol: str, ts_ns: int, age_ns: int, limit_ns: int) -> None:
        is_late = age_ns > limit_ns
        if is_late:
            self._lagging.add(symbol)
            self._announce(Lag(ts_ns, symbol, age_ns))
        elif symbol in self._lagging:
            self._lagging.discard(symbol)
            self._announce(Lag(ts_ns, symbol, 0))

    def _announce(self, lag: Lag) -> None:
        """Put a lag; one that waits already, of a quote that was let go, is not worth seeing."""
        if self._orphan >= 0:
            self._events[self._orphan] = None
            self._dropped += 1
        self._put(lag)

    def room(self) -> Coroutine[Any, Any, None]:
        """To be awaited: returns once there is room for market data."""
        return wait_for_room(self)

    @property
    def room_wanted(self) -> asyncio.Event | None:
        """What to wait for while there is no room; None: there is some."""
        if len(self) < self.size:
            return None
        self._refuse()
        return self._room

    def _refuse(self) -> None:
        """There is no room; who waits for some is woken when this is next taken from."""
        self._was_refused = True
        self._room.clear()

    def news(self, news: FeedNews) -> None:
        """Pass on what a feed says of itself."""
        self._on_news(news)

    def put(self, event: Report | TimePassed | PastBar | Backfill) -> None:
        """Take what must not be refused."""
        self._put(event)

    def read_up_to(self, source: str, offset: int) -> None:
        """Message `offset` of `source` has been handed over, and all before it: to be called with
        nothing awaited in between, so that both are of one batch."""
        self.offsets[source] = self._read[source] = offset
        self._release()

    def offset_of(self, source: str) -> int | None:
        """Up to which message of `source` the session has read, now and before it was resumed."""
        return self.offsets.get(source)

    def signal(self, signal: ReceivedSignal) -> bool:
        """Take one signal, or say that there is no room; none is ever dropped."""
        if len(self._signals) >= self.size:
            self._refuse()
            return False
        self._signals.append(signal)
        self._release()
        return True

    def wake(self) -> None:
        """Let `take` return, now or when it is next called, even with nothing."""
        self._is_woken = True
        self._release()

    def go_on_from(self, ts_ns: int) -> None:
        """Let nothing out that is older: a session lived that far before, by whatever clock."""
        self._latest_ns = max(self._latest_ns, ts_ns)

    def _put(self, event: Event) -> None:
        if event.ts_ns < self._latest_ns:
            event = msgspec.structs.replace(event, ts_ns=self._latest_ns)
        self._latest_ns = event.ts_ns
        self._events.append(event)
        self._arrived_ns.append(time.perf_counter_ns())
        self._release()

    def _release(self) -> None:
        waiter, self._waiter = self._waiter, None  # it is woken once
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def take(self) -> Coroutine[Any, Any, Taken]:
        """To be awaited: all that waits, in order, and when each arrived (`perf_counter_ns`).

        Waits for the first; may give nothing after `wake`.
        """
        return wait_and_take(self)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to take."""
        return not (self._events or self._signals or self._read or self._is_woken)

    def expect(self, waiter: asyncio.Future[None] | None) -> None:
        """Have this woken, once, when there is something to take; None: nobody waits any more."""
        self._waiter = waiter

    def take_now(self) -> Taken:
        """All that waits, and when each arrived; see `take`."""
        self._is_woken = False
        self.peak = max(self.peak, len(self))
        if self._is_indexed:
            self._close_gaps()
            self._is_indexed = False
        events, arrived_ns = self._events, self._arrived_ns
        self._events, self._arrived_ns = [], []
        if self._signals or self._read:
            self._add_aside(events, arrived_ns)
        if self._was_refused:
            self._was_refused = False
            self._room.set()
        return events, arrived_ns  # type: ignore[return-value]

    def _add_aside(self, events: list[Event | None], arrived_ns: list[int]) -> None:
        """Put at the end of a batch what is for the session and not for its core."""
        for signal in self._signals:
            events.append(msgspec.structs.replace(signal, ts_ns=max(signal.ts_ns, self._latest_ns)))
        ts_ns = max((signal.ts_ns for signal in self._signals), default=self._latest_ns)
        events += [FeedOffset(ts_ns, source, offset) for source, offset in self._read.items()]
        arrived_ns += [time.perf_counter_ns()] * (len(events) - len(arrived_ns))
        self._signals, self._read = [], {}
