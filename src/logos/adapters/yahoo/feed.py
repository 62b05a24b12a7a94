"""Minute bars of equities, funds, currencies and indices from Yahoo Finance, polled.

Problem: the service has no stream, repeats the day with every answer, shows the bar that is still
open as its last row, and is silent about why a minute is missing. Method: one task for each
symbol asks a little after each close; a sequence gives out each closed bar once; the sessions in
the answer tell a closed market (said as CLOSED) from minutes that are missing (said as GAP). The
service's own time (the `Date` of its answer) or a later bar decides whether a bar has closed, never
our clock. Every answer repeats the day, so each bar is seen again, and a correction is said.

Yahoo's word that a ticker is none, or that it keeps no such bars, ends the ticker, in its words.

Prices arrive as binary floats that have been through 32 bits; what lies within that noise of a
tick is that tick, and bars off the tick (trades below a cent) are left out and told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from logos.adapters.yahoo.client import Chart, YahooClient
from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument
from logos.core.messages import Bar
from logos.core.types import NS_PER_DAY, NS_PER_SECOND
from logos.data.readers.numbers import format_timestamp
from logos.data.source import interval_from_text
from logos.feeds.bars import BarsOut
from logos.feeds.common import (
    SINGLE_TOLERANCE,
    Patience,
    Reporter,
    SymbolGoneError,
    Trouble,
    UnitReader,
)
from logos.feeds.contract import FeedFailedError, FeedState, Sink
from logos.feeds.past import PastBars
from logos.feeds.record import History
from logos.feeds.sequence import RawBar

# Longer bars do not begin at whole multiples of their length in UTC.
INTERVALS: Final = ("1m", "5m", "15m", "30m")
_DENIALS: Final = 5
_DENIED_POLL_S: Final = 60.0
"""A ticker that had bars and is denied is asked for so many times more, so far apart: Yahoo has
denied tickers that trade (portfolio-performance/portfolio issue 5934)."""
_CLOSED_POLL_S: Final = 60.0
_SPAN_NS: Final = 7 * NS_PER_DAY  # of minutes the service gives no more than eight days at once


class YahooMarket(msgspec.Struct, frozen=True):
    """One symbol of the session: its instrument, and Yahoo's ticker of it ("AAPL", "EURUSD=X")."""

    instrument: Instrument
    ticker: str


class YahooFeed:
    """A `LiveFeed` of closed bars.

    `markets` maps the session's symbols. A bar is asked for `settle_s` after its close, then every
    `poll_interval_s` until it is there. `timeout_s` bounds each request. `url` replaces scheme and
    host of every address; nothing else is contacted then. `cache_dir` is where yfinance keeps time
    zones and cookies (default: its own folder).

    Raises ValueError for no markets or another interval.
    """

    def __init__(
        self,
        markets: Mapping[str, YahooMarket],
        clock: Clock,
        random: Random,
        *,
        interval: str = "1m",
        poll_interval_s: float = 5.0,
        settle_s: float = 2.0,
        timeout_s: float = 10.0,
        url: str = "",
        cache_dir: Path | None = None,
    ) -> None:
        if interval not in INTERVALS:
            raise ValueError(f"interval is one of {', '.join(INTERVALS)}, not {interval!r}")
        if not markets:
            raise ValueError("no symbols: name at least one ticker")
        self._markets = dict(markets)
        self._clock = clock
        self._random = random
        self._interval = interval
        self._poll_interval_s = poll_interval_s
        self._settle_s = settle_s
        self._timeout_s = timeout_s
        self._url = url
        self._cache_dir = cache_dir
        # yfinance has one session for the whole process: questions go one at a time.
        self._turn = asyncio.Lock()

    @property
    def name(self) -> str:
        """The source: "yahoo"."""
        return "yahoo"

    @property
    def symbols(self) -> Sequence[str]:
        """The session's symbols."""
        return list(self._markets)

    @property
    def past_intervals(self) -> Sequence[str]:
        """See `KeepsPast`."""
        return INTERVALS

    async def past_bars(
        self, symbol: str, interval: str, since_ns: int, until_ns: int
    ) -> Sequence[Bar]:
        """See `KeepsPast`."""
        past = PastBars()
        reporter = Reporter(self.name, past, self._clock)
        voice = reporter.voice(symbol, "past bars")
        market, interval_ns = self._markets[symbol], interval_from_text(interval)
        sessions: list[tuple[int, int]] = []
        client = await asyncio.to_thread(
            lambda: YahooClient(url=self._url, timeout_s=self._timeout_s, cache_dir=self._cache_dir)
        )

        async def ask(from_ns: int) -> list[RawBar]:
            seconds = (from_ns // NS_PER_SECOND, min(until_ns, from_ns + _SPAN_NS) // NS_PER_SECOND)
            async with self._turn:
                chart = await asyncio.to_thread(client.history, market.ticker, interval, *seconds)
            sessions.extend(chart.sessions)
            return chart.closed(interval_ns)

        try:
            patience = Patience(voice, self._clock, Backoff(self._random))
            units = UnitReader(market.instrument, SINGLE_TOLERANCE)
            history = History(voice, patience, self._clock, since_ns, until_ns, units)
            await history.bars(ask, interval_ns, until_ns, sessions)
        finally:
            client.close()
        return past.bars

    async def run(self, sink: Sink) -> None:
        """Deliver until cancelled. Raises FeedFailedError when no symbol can ever work."""
        reporter = Reporter(self.name, sink, self._clock)
        reporter.say("", FeedState.CONNECTING, f"bars of {self._interval}")
        # The import alone takes a second: not in the loop.
        client = await asyncio.to_thread(
            lambda: YahooClient(url=self._url, timeout_s=self._timeout_s, cache_dir=self._cache_dir)
        )
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._follow(client, reporter, symbol))
                    for symbol in self._markets
                ]
        finally:
            client.close()
        reasons = dict.fromkeys(task.result() for task in tasks)
        raise FeedFailedError(f"{self.name}: no symbol is left: {'; '.join(reasons)}")

    async def _follow(self, client: YahooClient, reporter: Reporter, symbol: str) -> str:
        """Deliver one symbol; the reason why it cannot go on."""
        market = self._markets[symbol]
        voice = reporter.voice(symbol, "bars")
        patience = Patience(voice, self._clock, Backoff(self._random))
        interval_ns = interval_from_text(self._interval)
        units = UnitReader(market.instrument, SINGLE_TOLERANCE)
        bars = BarsOut(voice, self._clock, market.instrument, units, interval_ns)
        bars.begin(self._clock.now_ns())

        async def ask() -> Chart:
            silent_ns = self._clock.now_ns() - bars.sequence.next_open_ns
            period = "1d" if silent_ns < NS_PER_DAY // 2 else "5d"
            async with self._turn:
                return await asyncio.to_thread(client.chart, market.ticker, self._interval, period)

        denials = 0
        while True:
            try:
                chart = await patience.ask(ask)
            except SymbolGoneError as gone:
                denials += 1
                if not bars.sequence.has_any or denials > _DENIALS:
                    voice.closed(str(gone))
                    return str(gone)
                words = f"{gone}; it had bars before: denial {denials}"
                await patience.wait_out(Trouble(words, retry_after_s=_DENIED_POLL_S))
                continue
            denials = 0
            now_ns = chart.told_ns
            await bars.offer(chart.rows(interval_ns), chart.closed_ns, chart.sessions)
            is_open = any(start <= now_ns < end for start, end in chart.sessions)
            if is_open:
                voice.live()
            else:
                voice.closed(_closed_words(chart, now_ns))
            left_ns = bars.sequence.next_open_ns + interval_ns
            left_ns -= chart.served_ns or self._clock.now_ns()
            await self._clock.sleep(self._pause_s(left_ns, is_open))

    def _pause_s(self, left_ns: int, is_open: bool) -> float:
        """When to ask again: `left_ns` is about how long the expected bar has still to go."""
        if not is_open:
            return max(_CLOSED_POLL_S, self._poll_interval_s)
        return max(self._poll_interval_s, left_ns / NS_PER_SECOND + self._settle_s)


def _closed_words(chart: Chart, now_ns: int) -> str:
    later = [start for start, _ in chart.sessions if start > now_ns]
    if later:
        return f"the market is closed; it opens at {format_timestamp(min(later))}"
    ends = [end for _, end in chart.sessions if end <= now_ns]
    since = f" since {format_timestamp(max(ends))}" if ends else ""
    return f"the market is closed{since}"
