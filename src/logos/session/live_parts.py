"""What a live session is made of, from its settings: feeds, a venue, and the facts it leaves.

The adapters are imported here, when they are chosen, and nowhere else: each needs a library of its
own, and a session on recorded data none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from logos import paths
from logos.config import Config, ConfigError, FeedName, VenueName
from logos.core.clock import Clock
from logos.core.context import CoreView
from logos.core.gates import Switch
from logos.core.messages import Event
from logos.core.outbox import OutstandingOrder
from logos.execution.inbox import Inbox
from logos.execution.stall import StallWatch
from logos.execution.venue_link import LinkRules
from logos.feeds.contract import LiveFeed
from logos.feeds.paced import PacedFeed
from logos.installation import install_command
from logos.journal.inputs import InputsWriter
from logos.session.build import find_instruments
from logos.session.plan import Plan, find_sources, replay_feed
from logos.session.presence.heartbeat import StatusFile
from logos.venues.contract import Venue

if TYPE_CHECKING:
    from logos.execution.concurrent import ConcurrentTradingEngine


_YAHOO_POLL_S = 5.0
"""Yahoo's charts move once a minute; it is not asked more often than this."""


class NoFeed:
    """Stands in a plan for the feed of a live session, whose events are pushed."""

    def chunks(self) -> Iterator[Sequence[Event]]:
        """Nothing."""
        return iter(())


class LiveFacts:
    """What only the live run can measure: kept with its inputs, so that a replay has it too."""

    def __init__(self, recorder: InputsWriter) -> None:
        self._recorder = recorder
        self._engine: ConcurrentTradingEngine[Any] | None = None
        self._inbox: Inbox | None = None
        self._status: StatusFile | None = None
        self._concluded: Mapping[str, Any] | None = None
        self.stalls: StallWatch | None = None

    def watch(self, engine: ConcurrentTradingEngine[Any], inbox: Inbox, status: StatusFile) -> None:
        """These are the parts to ask at the end."""
        self._engine = engine
        self._inbox = inbox
        self._status = status

    def conclude(self) -> Mapping[str, Any]:
        """The facts, written down with the inputs the first time. Raises OSError."""
        if self._concluded is None:
            self._concluded = self._measure()
            self._recorder.write_facts(self._concluded)
            self._recorder.sync()
        return self._concluded

    def _measure(self) -> dict[str, Any]:
        engine, inbox, status = self._engine, self._inbox, self._status
        if engine is None or inbox is None or status is None:
            return {}
        return {
            "failure": engine.failure,
            "latency": {name: each.summary() for name, each in engine.stages.items()},
            "overruns": engine.overruns,
            "stalls": 0 if self.stalls is None else self.stalls.stalls,
            "market_events": inbox.market_count,
            "conflated": inbox.conflated,
            "peak_waiting": inbox.peak,
            "feed_news_count": status.news_count,
            "feed_news": status.feed_facts(),
        }


def with_instruments(config: Config) -> Config:
    """The settings with the instruments that lie beside recorded data, where that is the feed."""
    if config.live.feed is not FeedName.REPLAY:
        return config
    found = find_instruments(config, find_sources(config))
    return msgspec.structs.replace(config, instruments=found)


class Terminal(Protocol):
    """A MetaTrader 5 terminal; see `live_mt5`, which needs a library of its own."""

    link_rules: LinkRules

    def feeds(self) -> list[LiveFeed]: ...

    def begin(
        self,
        switch: Switch,
        view: CoreView,
        trip: Callable[[str, str], object],
        home: Path | None,
    ) -> None: ...

    def venue_of(self, session_id: str) -> Venue | None: ...

    def adopt(self, orders: Iterable[OutstandingOrder]) -> None: ...

    async def close(self) -> None: ...


def make_terminal(
    plan: Plan, clock: Clock, random: Random, for_feeds: bool, for_venue: bool
) -> Terminal | None:
    """The terminal that `[live]` or `[venue]` names; None where neither does. Raises ConfigError.

    It is one for both: a terminal answers one client.
    """
    config = plan.config
    is_feed = for_feeds and config.live.feed is FeedName.MT5
    is_venue = for_venue and config.venue.live and config.venue.name is VenueName.MT5
    if not is_feed and not is_venue:
        return None
    try:
        from logos.adapters.mt5.terminal import Mt5Terminal
    except ImportError as error:
        raise _missing(error, "mt5") from None
    return Mt5Terminal(plan.config, plan.instruments, clock, random)


def make_feeds(
    plan: Plan, clock: Clock, random: Random, terminal: Terminal | None
) -> list[LiveFeed]:
    """The feeds that `[live]` names. Raises ConfigError and DataError."""
    if plan.config.live.feed is FeedName.MT5 and terminal is not None:
        return terminal.feeds()
    makers: Mapping[FeedName, Callable[[Plan, Clock, Random], LiveFeed]] = {
        FeedName.REPLAY: _paced,
        FeedName.CCXT: _ccxt_feed,
        FeedName.YAHOO: _yahoo_feed,
    }
    feed = plan.config.live.feed
    if feed not in makers:
        known = ", ".join(name.value for name in (*makers, FeedName.MT5))
        raise ConfigError(f"live.feed is {feed.value!r}: name one of {known}")
    try:
        return [makers[feed](plan, clock, random)]
    except ValueError as error:
        raise ConfigError(f"live: {error}") from None
    except ImportError as error:
        raise _missing(error, feed.value) from None


def _ccxt_feed(plan: Plan, clock: Clock, random: Random) -> LiveFeed:
    from logos.adapters.ccxt.feed import CcxtFeed, CcxtMarket

    settings = plan.config.live
    markets = {
        symbol: CcxtMarket(each, settings.markets.get(symbol, f"{each.base}/{each.quote}"))
        for symbol, each in plan.instruments.items()
    }
    return CcxtFeed(
        settings.exchange,
        markets,
        clock,
        random,
        kind=settings.kind.value,
        transport=settings.transport.value,
        url=settings.url,
        interval=settings.interval,
        poll_interval_ms=settings.poll_interval_ms,
    )


def _yahoo_feed(plan: Plan, clock: Clock, random: Random) -> LiveFeed:
    from logos.adapters.yahoo.feed import YahooFeed, YahooMarket

    settings = plan.config.live
    markets = {
        symbol: YahooMarket(each, settings.markets.get(symbol, symbol))
        for symbol, each in plan.instruments.items()
    }
    return YahooFeed(
        markets,
        clock,
        random,
        interval=settings.interval,
        poll_interval_s=max(_YAHOO_POLL_S, settings.poll_interval_ms / 1_000),
        url=settings.url,
        cache_dir=paths.state_dir() / "yahoo",
    )


def _missing(error: ImportError, extra: str) -> ConfigError:
    """What to install for an adapter whose library is not there."""
    return ConfigError(
        f"{extra} needs a library that is not installed ({error.name}): {install_command(extra)}"
    )


def _paced(plan: Plan, clock: Clock, _random: Random) -> LiveFeed:
    sources = find_sources(plan.config)
    feed, _ = replay_feed(plan.config, sources, plan.instruments)
    symbols = [source.symbol for source in sources]
    return PacedFeed(feed.chunks(), symbols, clock, float(plan.config.live.speed))
