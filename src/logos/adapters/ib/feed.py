"""Live market data of Interactive Brokers: stocks and futures, through a gateway on this machine.

One connection serves all symbols; each symbol and kind of data has a task and retries of its own
(`lines`). What is asked stands in `market_data`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Final

import msgspec

from logos.adapters.ib.connection import Address
from logos.adapters.ib.lines import SETTLE_NS, Plan, SymbolLine
from logos.adapters.ib.market_data import BAR_SIZES, SOURCES, Link
from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument
from logos.core.messages import Bar
from logos.core.types import NS_PER_DAY
from logos.data.source import interval_from_text
from logos.feeds.common import Patience, Reporter, UnitReader
from logos.feeds.contract import FeedFailedError, FeedState, Sink
from logos.feeds.past import PastBars
from logos.feeds.record import History
from logos.feeds.sequence import RawBar

KINDS: Final = ("quotes", "trades", "both", "bars")


class IbMarket(msgspec.Struct, frozen=True):
    """One symbol of the session: its instrument, and its contract's name (see `contracts`)."""

    instrument: Instrument
    name: str


class IbFeed:
    """A `LiveFeed` of a gateway's market data.

    `markets` maps the session's symbols. Raises ValueError for a plan that is none.
    """

    def __init__(
        self,
        markets: Mapping[str, IbMarket],
        clock: Clock,
        random: Random,
        address: Address,
        plan: Plan,
        timeout_s: float = 10.0,
    ) -> None:
        if plan.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {plan.kind!r}")
        if plan.interval not in BAR_SIZES:
            known = ", ".join(BAR_SIZES)
            raise ValueError(f"interval is one of {known}, not {plan.interval!r}")
        if plan.source not in SOURCES:
            raise ValueError(f'exchange is "delayed" or empty, not {plan.source!r}')
        if plan.source and plan.kind != "quotes":
            raise ValueError("delayed data has quotes only: kind is quotes")
        if not markets:
            raise ValueError("no symbols: name at least one")
        self._markets = dict(markets)
        self._clock = clock
        self._random = random
        self._plan = plan
        self._new_link = partial(Link, clock, address, plan.source, timeout_s)
        self._link = self._new_link()
        self._users = 0

    @property
    def name(self) -> str:
        """The source, and whether it is late: "ib", "ib:delayed"."""
        return ":".join(filter(None, ("ib", self._plan.source)))

    @property
    def symbols(self) -> Sequence[str]:
        """The session's symbols."""
        return list(self._markets)

    @property
    def past_intervals(self) -> Sequence[str]:
        """See `KeepsPast`."""
        return () if self._plan.source else tuple(BAR_SIZES)

    async def past_bars(
        self, symbol: str, interval: str, since_ns: int, until_ns: int
    ) -> Sequence[Bar]:
        """See `KeepsPast`."""
        past, market = PastBars(), self._markets[symbol]
        voice = Reporter(self.name, past, self._clock).voice(symbol, "past bars")
        patience = Patience(voice, self._clock, Backoff(self._random))
        units = UnitReader(market.instrument)
        history = History(voice, patience, self._clock, since_ns, until_ns, units)
        with self._linked() as link:
            found = await patience.ask(partial(link.market, market.instrument, market.name))
            await bars_between(link, found.contract, history, patience, interval, until_ns)
        return past.bars

    @contextmanager
    def _linked(self) -> Iterator[Link]:
        """The one connection, while anybody uses it: past bars are asked for while live data comes,
        and the gateway takes a client id once."""
        if not self._users:
            self._link = self._new_link()
        self._users += 1
        try:
            yield self._link
        finally:
            self._users -= 1
            if not self._users:
                self._link.close()

    async def run(self, sink: Sink) -> None:
        """Deliver until cancelled. Raises FeedFailedError when no symbol can ever work."""
        reporter = Reporter(self.name, sink, self._clock)
        reporter.say("", FeedState.CONNECTING, self._plan.kind)
        with self._linked() as link:
            lines = [
                SymbolLine(
                    each.instrument,
                    each.name,
                    reporter,
                    link,
                    self._clock,
                    self._random,
                    self._plan,
                )
                for each in self._markets.values()
            ]
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(each.follow()) for each in lines]
        reasons = "; ".join(task.result() for task in running)
        raise FeedFailedError(f"{self.name}: no symbol is left: {reasons}")


async def bars_between(
    link: Link, contract: object, history: History, patience: Patience, interval: str, until_ns: int
) -> None:
    """Hand a symbol's closed bars over to `history`, a day at a time; the gateway's time says up
    to when. Raises SymbolGoneError."""
    closed_ns = min(until_ns, await patience.ask(link.time_ns) - SETTLE_NS)

    async def ask(since_ns: int) -> list[RawBar]:
        # A day without a trade is no end of the history.
        while since_ns < closed_ns:
            end_ns = min(since_ns + NS_PER_DAY, closed_ns)
            if found := await link.bars(contract, interval, since_ns, end_ns):
                return found
            since_ns = end_ns
        return []

    await history.bars(ask, interval_from_text(interval), closed_ns, [])
