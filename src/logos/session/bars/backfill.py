"""Bars from before a live session, asked of its feeds, for the warm-up that its strategy wants.

Two questions a symbol: at the beginning for all that has closed, and once the bar in which the
session joined is over for that one, as its beginning was not seen. Meanwhile the core holds the
bars that it makes itself. Whatever fails is said in a warning; the session then warms up with what
comes live. Each bar goes through the inbox, and so is on record before the core sees it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from logos.aggregation import TimeBars
from logos.config import FeedName
from logos.config.tables.live import FeedKind
from logos.core.bars.book import BarBook, SymbolBars
from logos.core.bars.grid import Grid, session_spans
from logos.core.bars.spans import span_text
from logos.core.clock import Clock
from logos.core.messages import Backfill, Bar, PastBar
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND
from logos.data.source import interval_from_text
from logos.errors import LogosError
from logos.execution.incoming.inbox import Inbox
from logos.feeds.contract import KeepsPast, LiveFeed
from logos.session.plan import Plan

_PATIENCE_S: Final = 60.0
"""How long one question may take, with all its retries."""
_SETTLE_NS: Final = 2 * NS_PER_SECOND
"""How long after its end a bar is asked for."""
_LOOK_S: Final = 0.5
_TRIES: Final = 5
_REACHES: Final = (1, 4, 16)
"""How many times as far back is asked where a market was closed and bars are too few."""
_REACH_MAX_NS: Final = 60 * NS_PER_DAY


class Backfilling:
    """What a new live session asks its feeds for, in a task that is started before they are."""

    def __init__(
        self, plan: Plan, book: BarBook, feeds: Sequence[LiveFeed], inbox: Inbox, clock: Clock
    ) -> None:
        self._book = book
        self._inbox = inbox
        self._clock = clock
        self._length_ns = _length_ns(plan, book)
        self._symbols: list[tuple[SymbolBars, KeepsPast]] = []
        for found in book.symbols if self._length_ns else ():
            symbol = found.state.instrument.symbol
            for feed in feeds:
                if symbol in feed.symbols and isinstance(feed, KeepsPast) and feed.past_intervals:
                    self._symbols.append((found, feed))
                    break

    async def run(self) -> None:
        """Say of which symbols past bars are to come; ask until each has what it can have."""
        for found, _ in self._symbols:
            symbol = found.state.instrument.symbol
            self._inbox.put(Backfill(self._clock.now_ns(), symbol, False))
        await asyncio.gather(*(self._fill(found, feed) for found, feed in self._symbols))

    async def _fill(self, found: SymbolBars, feed: KeepsPast) -> None:
        """Both questions for one symbol."""
        until_ns, detail = 0, ""
        try:
            interval = self._interval(found, feed)
            bars = await self._first(found, feed, interval)
            until_ns = self._hand_over(bars, until_ns)
            wanted = self._book.wishes.warmup_bars
            if len(bars) < wanted:
                detail = f"{len(bars)} bars from before the session, where {wanted} are wanted"
            until_ns, missing = await self._second(found, feed, interval, until_ns)
            detail = detail or missing
        except TimeoutError:
            detail = f"the source did not answer within {_PATIENCE_S:g} s"
        except (LogosError, OSError, ImportError) as error:
            detail = f"{type(error).__name__}: {error}"
        symbol = found.state.instrument.symbol
        self._inbox.put(Backfill(self._clock.now_ns(), symbol, True, until_ns, detail))

    def _interval(self, found: SymbolBars, feed: KeepsPast) -> str:
        """The longest bars of the source of which those that are wanted can be made."""
        starts = [start for start, _ in session_spans(found.state.instrument.hours)]
        lengths = {text: interval_from_text(text) for text in feed.past_intervals}
        fitting = [
            text
            for text, ns in lengths.items()
            if self._length_ns % ns == 0 and not any(start % ns for start in starts)
        ]
        if not fitting:
            raise LogosError(f"the source has no bars for those of {span_text(self._length_ns)}")
        return max(fitting, key=lengths.__getitem__)

    async def _first(self, found: SymbolBars, feed: KeepsPast, interval: str) -> list[Bar]:
        """What has closed by now: as many bars, or as long, as the warm-up is."""
        wishes, now_ns = self._book.wishes, self._clock.now_ns()
        if wishes.warmup_ns:
            return await self._ask(found, feed, interval, now_ns - wishes.warmup_ns, now_ns)
        bars: list[Bar] = []
        for reach in _REACHES:
            span_ns = min((wishes.warmup_bars + 1) * self._length_ns * reach, _REACH_MAX_NS)
            bars = await self._ask(found, feed, interval, now_ns - span_ns, now_ns)
            if len(bars) >= wishes.warmup_bars:
                break
        return bars[-wishes.warmup_bars :]

    async def _second(
        self, found: SymbolBars, feed: KeepsPast, interval: str, until_ns: int
    ) -> tuple[int, str]:
        """What closed since, up to where what was seen live begins; the time up to which the past
        is known then, and what is missing."""
        target_ns = await self._joint_ns(found)
        for _ in range(_TRIES):
            since_ns = until_ns or target_ns - self._length_ns
            if since_ns >= target_ns:
                break
            bars = await self._ask(found, feed, interval, since_ns, target_ns)
            until_ns = self._hand_over(bars, until_ns)
            # Where it saw events of its own in that bar, there is one.
            if until_ns >= target_ns or not since_ns <= found.live_from_ns < target_ns:
                return max(until_ns, target_ns), ""
            await self._clock.sleep(_SETTLE_NS / NS_PER_SECOND)
        if until_ns >= target_ns:
            return until_ns, ""
        return until_ns, "the bar in which the session joined did not come"

    async def _joint_ns(self, found: SymbolBars) -> int:
        """Wait until the bar in which the session joined is over; its end."""
        began_ns = self._clock.now_ns()
        grid = Grid(self._length_ns, found.state.instrument)
        while True:
            now_ns = self._clock.now_ns()
            joined_ns = found.live_from_ns
            if joined_ns < 0 and now_ns > began_ns + self._length_ns + NS_PER_MINUTE:
                return grid.start_ns if grid.place(now_ns) else now_ns  # nothing trades
            if joined_ns >= 0:
                is_open = grid.place(joined_ns)
                starts_there = not is_open or grid.start_ns == joined_ns
                target_ns = joined_ns if starts_there else grid.end_ns
                if now_ns >= target_ns + _SETTLE_NS:
                    return target_ns
            await self._clock.sleep(_LOOK_S)

    async def _ask(
        self, found: SymbolBars, feed: KeepsPast, interval: str, since_ns: int, until_ns: int
    ) -> list[Bar]:
        """The closed bars of the wanted length that begin and end in between."""
        instrument = found.state.instrument
        async with asyncio.timeout(_PATIENCE_S):
            bars = await feed.past_bars(instrument.symbol, interval, since_ns, until_ns)
        maker = TimeBars(span_text(self._length_ns), since_ns)
        made = [bar for each in bars for bar in maker.add(each)] + maker.finish(until_ns)
        return [bar for bar in made if isinstance(bar, Bar) and bar.ts_ns <= until_ns]

    def _hand_over(self, bars: Sequence[Bar], until_ns: int) -> int:
        """Let bars into the inbox; the end of the last one."""
        for bar in bars:
            self._inbox.put(PastBar(self._clock.now_ns(), bar.symbol, bar))
            until_ns = max(until_ns, bar.ts_ns)
        return until_ns


def _length_ns(plan: Plan, book: BarBook) -> int:
    """How long past bars are to be; 0: the session needs none."""
    if not book.wishes.has_warmup:
        return 0
    if book.wishes.lengths_ns:
        return book.wishes.lengths_ns[0]
    live = plan.config.live
    if live.feed is FeedName.YAHOO or live.kind is FeedKind.BARS:
        return interval_from_text(live.interval)
    return 0
