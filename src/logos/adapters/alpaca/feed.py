"""Live market data of Alpaca: shares and coins, asked for or streamed.

Problem: Alpaca allows one connection to each of its streams, and a limited number of questions a
minute. So symbols cannot each have a task. Method: shares are one group and coins another; a group
asks about all of its symbols at once, or hears them on its one connection. A stream begins, and
begins again after a loss, with questions about what it does not tell: all that happened meanwhile.
Sequences give out each trade and bar once.

A bar is closed by Alpaca's word: its message, a later bar, or the `Date` of its answer. A bar that
is recalculated afterwards is told as a correction and not delivered again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, Final

import msgspec

from logos.adapters.alpaca.group import SETTLE_NS, Group, Plan
from logos.adapters.alpaca.lines import SymbolLine
from logos.adapters.alpaca.market_data import (
    SOURCES_WITH_PAST,
    TIMEFRAMES,
    DataAccess,
    MarketData,
    require_private,
)
from logos.config.checks import ALPACA_SOURCES
from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument
from logos.core.messages import Bar
from logos.data.source import interval_from_text
from logos.feeds.common import Patience, Reporter, UnitReader
from logos.feeds.contract import FeedFailedError, FeedState, Sink
from logos.feeds.past import PastBars
from logos.feeds.record import History

KINDS: Final = ("quotes", "trades", "both", "bars")
TRANSPORTS: Final = ("poll", "websocket")


class AlpacaMarket(msgspec.Struct, frozen=True):
    """One symbol of the session: its instrument, and Alpaca's name of it ("AAPL", "BTC/USD")."""

    instrument: Instrument
    name: str


class AlpacaFeed:
    """A `LiveFeed` of Alpaca's market data.

    `markets` maps the session's symbols. Raises ValueError for a plan or a source that is none.
    """

    def __init__(
        self,
        markets: Mapping[str, AlpacaMarket],
        clock: Clock,
        random: Random,
        access: DataAccess,
        plan: Plan,
    ) -> None:
        if plan.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {plan.kind!r}")
        if plan.transport not in TRANSPORTS:
            raise ValueError(f"transport is one of {', '.join(TRANSPORTS)}, not {plan.transport!r}")
        if plan.interval not in TIMEFRAMES:
            known = ", ".join(TIMEFRAMES)
            raise ValueError(f"interval is one of {known}, not {plan.interval!r}")
        if access.source not in ALPACA_SOURCES:
            known = ", ".join(ALPACA_SOURCES)
            raise ValueError(f"Alpaca's feed of shares is one of {known}, not {access.source!r}")
        if not markets:
            raise ValueError("no symbols: name at least one")
        require_private(access.url)
        self._markets = dict(markets)
        self._has_past = access.source in SOURCES_WITH_PAST or all(
            "/" in each.name for each in self._markets.values()
        )
        if plan.kind != "quotes" and not self._has_past:
            words = f"of {access.source} Alpaca tells quotes only: kind is quotes"
            raise ValueError(f"{words}, or the feed of shares {' or '.join(SOURCES_WITH_PAST)}")
        self._clock = clock
        self._random = random
        self._access = access
        self._plan = plan

    @property
    def name(self) -> str:
        """The source and its feed of shares: "alpaca:iex"."""
        return f"alpaca:{self._access.source}"

    @property
    def symbols(self) -> Sequence[str]:
        """The session's symbols."""
        return list(self._markets)

    @property
    def past_intervals(self) -> Sequence[str]:
        """See `KeepsPast`."""
        return tuple(TIMEFRAMES) if self._has_past else ()

    async def past_bars(
        self, symbol: str, interval: str, since_ns: int, until_ns: int
    ) -> Sequence[Bar]:
        """See `KeepsPast`."""
        past = PastBars()
        reporter = Reporter(self.name, past, self._clock)
        data = MarketData(self._access)
        market = self._markets[symbol]
        try:
            voice = reporter.voice(symbol, "past bars")
            patience = Patience(voice, self._clock, Backoff(self._random))
            units = UnitReader(market.instrument)
            history = History(voice, patience, self._clock, since_ns, until_ns, units)
            await patience.ask(partial(data.latest_quotes, [market.name]))
            await bars_between(data, market.name, history, interval, until_ns)
        finally:
            data.close()
        return past.bars

    async def run(self, sink: Sink) -> None:
        """Deliver until cancelled. Raises FeedFailedError when no symbol can ever work."""
        reporter = Reporter(self.name, sink, self._clock)
        reporter.say("", FeedState.CONNECTING, f"{self._plan.transport} {self._plan.kind}")
        data = MarketData(self._access)
        reasons: list[str] = []
        try:
            groups = [
                Group(self._lines(reporter, are_coins), reporter, data, self._access, self._plan)
                for are_coins in (False, True)
                if any(("/" in each.name) == are_coins for each in self._markets.values())
            ]
            try:
                async with asyncio.TaskGroup() as tasks:
                    running = [
                        tasks.create_task(each.follow(self._clock, Backoff(self._random)))
                        for each in groups
                    ]
                reasons = [task.result() for task in running]
            except* FeedFailedError as failed:
                reasons = [str(each) for each in _leaves(failed)]
        finally:
            data.close()
        raise FeedFailedError(f"{self.name}: no symbol is left: {'; '.join(reasons)}")

    def _lines(self, reporter: Reporter, are_coins: bool) -> list[SymbolLine]:
        kinds = ("quotes", "trades") if self._plan.kind == "both" else (self._plan.kind,)
        interval_ns = interval_from_text(self._plan.interval)
        return [
            SymbolLine(each.name, each.instrument, reporter, self._clock, kinds, interval_ns)
            for each in self._markets.values()
            if ("/" in each.name) == are_coins
        ]


async def bars_between(
    data: MarketData, name: str, history: History, interval: str, until_ns: int
) -> None:
    """Hand a symbol's closed bars over to `history`; Alpaca's latest answer says up to when."""

    async def ask(since_ns: int) -> Any:
        found = await data.bars([name], interval, since_ns, until_ns)
        return found[name]

    closed_ns = min(until_ns, data.served_ns - SETTLE_NS)
    # A minute without a trade has no bar; nothing is known to be missing.
    await history.bars(ask, interval_from_text(interval), closed_ns, [])


def _leaves(group: BaseExceptionGroup[Any]) -> list[BaseException]:
    found: list[BaseException] = []
    for each in group.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found
