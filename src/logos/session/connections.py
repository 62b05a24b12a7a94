"""What a live session is connected to, from its settings: feeds, a venue, a terminal.

This is the only place that chooses adapters. Each is imported when it is chosen, as each needs a
library of its own, and a session on recorded data none of them. Keys come from the environment or
`.env` (see `logos.config.credentials`), go into the adapter and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Protocol

import msgspec

from logos import paths
from logos.adapters.catalog import NO_KEY, Access, make_venue, missing_sandbox
from logos.config import Config, ConfigError, FeedName, VenueName, credentials
from logos.config.credentials import has_credentials, market_data_credentials
from logos.config.tables.kafka_options import kafka_options, signal_topic
from logos.core.clock import Clock
from logos.core.context import CoreView
from logos.core.gates import Switch
from logos.core.instrument import Instrument
from logos.core.outbox import OutstandingOrder
from logos.execution.clock import SystemClock
from logos.execution.tracked import LinkRules
from logos.feeds.contract import FeedFailedError, LiveFeed
from logos.feeds.paced import PacedFeed
from logos.installation import install_command
from logos.session.opening.instruments import find_instruments
from logos.session.opening.recorded import find_sources, replay_feed
from logos.session.plan import Plan
from logos.session.presence.account import AccountLock, budget_path
from logos.session.stored.origin import NOT_KNOWN, Origin
from logos.venues.contract import Refused, Venue

_NS_PER_MS = 1_000_000

_YAHOO_POLL_S = 5.0
"""Yahoo's charts move once a minute; it is not asked more often than this."""


def with_instruments(config: Config, origin: Origin = NOT_KNOWN) -> Config:
    """The settings with the instruments that lie beside recorded data, where that is the feed."""
    if config.live.feed is not FeedName.REPLAY:
        return config
    found = find_instruments(config, find_sources(config, origin))
    return msgspec.structs.replace(config, instruments=found)


class Terminal(Protocol):
    """A MetaTrader 5 terminal; see `logos.adapters.mt5.terminal`."""

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

    def adopt(
        self, orders: Iterable[OutstandingOrder], fills: Iterable[tuple[str, str]] = ()
    ) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Outside:
    """What a live session is connected to; everything that is not given is made from the settings.

    A `venue` of None is the paper market, unless the settings name another.
    """

    feeds: Sequence[LiveFeed] | None = None
    venue: Venue | None = None
    clock: Clock | None = None


@dataclass(frozen=True, slots=True)
class Connections:
    """What a live session is connected to, all of it."""

    plan: Plan
    feeds: Sequence[LiveFeed]
    clock: Clock
    random: Random
    given_venue: Venue | None = None
    terminal: Terminal | None = None
    """Of MetaTrader 5: one gateway for the feeds and the venue."""

    def venue(self, session_id: str) -> Venue | None:
        """Where the orders of the session go, not connected yet; None: the paper market.

        Raises ConfigError.
        """
        if self.given_venue is not None:
            return self.given_venue
        if self.terminal is not None and (venue := self.terminal.venue_of(session_id)) is not None:
            return venue
        plan = self.plan
        return venue_of(plan.config, plan.instruments, session_id, self.clock, self.random)


def connect(plan: Plan, outside: Outside | None) -> Connections:
    """Make what is not given. Raises ConfigError and DataError, before anything has begun."""
    given = Outside() if outside is None else outside
    clock = SystemClock() if given.clock is None else given.clock
    # Of its own: what the core draws must not depend on how often a feed had to retry.
    random = Random(plan.seed)  # noqa: S311
    terminal = make_terminal(plan, clock, random, given.feeds is None, given.venue is None)
    feeds = make_feeds(plan, clock, random, terminal) if given.feeds is None else given.feeds
    if given.venue is None and plan.config.venue.name is not VenueName.MT5:
        # What is missing is reported before anything has begun.
        venue_of(plan.config, plan.instruments, "", clock, random)
    return Connections(plan, feeds, clock, random, given.venue, terminal)


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
    return mt5_terminal(config, plan.instruments, clock, random)


def mt5_terminal(
    config: Config,
    instruments: Mapping[str, Instrument],
    clock: Clock,
    random: Random,
    patience_s: float = 0.0,
) -> Terminal:
    """The terminal that the settings name, not connected yet; it may take `patience_s` for an
    answer whatever they say. Raises ConfigError."""
    try:
        from logos.adapters.mt5.terminal import Mt5Terminal
    except ImportError as error:
        raise _missing(error, "mt5") from None
    return Mt5Terminal(config, instruments, clock, random, patience_s)


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
        FeedName.ALPACA: _alpaca_feed,
        FeedName.IB: _ib_feed,
        FeedName.KAFKA: partial(_kafka_feed, has_market=True),
    }
    feed = plan.config.live.feed
    if feed not in makers:
        known = ", ".join(name.value for name in (*makers, FeedName.MT5))
        raise ConfigError(f"live.feed is {feed.value!r}: name one of {known}")
    try:
        feeds = [makers[feed](plan, clock, random)]
        if feed is not FeedName.KAFKA and signal_topic(plan.config):
            feed = FeedName.KAFKA
            feeds.append(_kafka_feed(plan, clock, random, has_market=False))
        return feeds
    except (ValueError, FeedFailedError) as error:
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


def _alpaca_feed(plan: Plan, clock: Clock, random: Random) -> LiveFeed:
    from logos.adapters.alpaca.feed import AlpacaFeed, AlpacaMarket
    from logos.adapters.alpaca.group import Plan as FeedPlan
    from logos.adapters.alpaca.market_data import DataAccess

    settings = plan.config.live
    keys = market_data_credentials()
    markets = {
        symbol: AlpacaMarket(each, settings.markets.get(symbol, symbol))
        for symbol, each in plan.instruments.items()
    }
    return AlpacaFeed(
        markets,
        clock,
        random,
        DataAccess(keys.key, keys.secret, settings.url, settings.exchange or "iex"),
        FeedPlan(
            settings.kind.value,
            settings.transport.value,
            settings.interval,
            settings.poll_interval_ms / 1_000,
        ),
    )


def _ib_feed(plan: Plan, clock: Clock, random: Random) -> LiveFeed:
    from logos.adapters.ib.address import FEED_CLIENT, address_of
    from logos.adapters.ib.feed import IbFeed, IbMarket
    from logos.adapters.ib.lines import Plan as FeedPlan

    settings, venue = plan.config.live, plan.config.venue
    markets = {
        symbol: IbMarket(each, settings.markets.get(symbol, symbol))
        for symbol, each in plan.instruments.items()
    }
    try:
        address, _ = address_of(settings.url, venue.sandbox, "live.url", FEED_CLIENT)
    except Refused as error:
        raise ConfigError(str(error)) from None
    return IbFeed(
        markets,
        clock,
        random,
        address,
        FeedPlan(settings.kind.value, settings.interval, settings.exchange),
    )


def _kafka_feed(plan: Plan, clock: Clock, random: Random, *, has_market: bool) -> LiveFeed:
    """Market data and signals, or signals alone, from topics. Raises ConfigError."""
    from logos.adapters.kafka.feed import KafkaFeed

    settings, live = plan.config.live.kafka, plan.config.live
    if settings is msgspec.UNSET or not settings.brokers:
        raise ConfigError('live.feed is "kafka": name the brokers and topics in [live.kafka]')
    markets = {live.markets.get(symbol, symbol): each for symbol, each in plan.instruments.items()}
    return KafkaFeed(
        markets,
        clock,
        random,
        kafka_options(settings),
        settings,
        getattr(plan.strategy, "quantity", None),
        has_market,
    )


def _missing(error: ImportError, extra: str) -> ConfigError:
    """What to install for an adapter whose library is not there."""
    return ConfigError(
        f"{extra} needs a library that is not installed ({error.name}): {install_command(extra)}"
    )


def _paced(plan: Plan, clock: Clock, _random: Random) -> LiveFeed:
    sources = find_sources(plan.config, plan.origin)
    feed, _ = replay_feed(plan.config, sources, plan.instruments)
    symbols = [source.symbol for source in sources]
    return PacedFeed(feed.chunks(), symbols, clock, float(plan.config.live.speed))


def venue_access(config: Config) -> Access | None:
    """Where the venue of `[venue]` is, and the keys to it; None for one that is
    reached otherwise. Raises ConfigError when keys are missing.
    """
    settings = config.venue
    is_keyless = settings.name is VenueName.IB
    if not has_credentials(settings) and not is_keyless:
        return None
    keys = None if is_keyless else credentials(settings)
    return Access(
        key=NO_KEY if keys is None else keys.key,
        secret=NO_KEY if keys is None else keys.secret,
        password=None if keys is None else keys.password,
        exchange=settings.exchange,
        sandbox=settings.sandbox,
        url=settings.url,
        markets=config.live.markets,
        skew_ns_max=config.live.max_clock_skew_ms * _NS_PER_MS,
        share=100 if settings.share is msgspec.UNSET else settings.share,
    )


def hold_account(
    config: Config, outside: Outside | None, token: str
) -> AbstractContextManager[object]:
    """The lock on the account that the settings name, held inside; nothing where none is traded.

    `token` is that of the session's entry in the registry of running sessions. Raises
    AccountBusyError when another session that runs trades the account, ConfigError for missing
    keys, OSError.
    """
    venue = config.venue
    if not venue.live or (outside is not None and outside.venue is not None):
        return nullcontext()
    access = venue_access(config)
    # A terminal or a gateway is logged in by itself: its address stands for the account.
    key = access.key.reveal() if access is not None else ""
    key = key or venue.url or config.live.url
    return closing(AccountLock(_words(config), key, token))


def _words(config: Config) -> str:
    """The venue in words: one account at each."""
    venue = config.venue
    words = " ".join(word for word in (venue.name.value, venue.exchange) if word)
    return f"{words} (sandbox)" if venue.sandbox else words


def venue_of(
    config: Config,
    instruments: Mapping[str, Instrument],
    session_id: str,
    clock: Clock,
    random: Random,
) -> Venue | None:
    """The venue that a session's orders go to, not connected yet; None for the paper market.

    Raises ConfigError for missing keys, a missing library, and a venue that is not to be had.
    """
    if not config.venue.live:
        return None
    if config.venue.name is VenueName.MT5_NATIVE:
        return _native_venue(config, instruments, session_id, clock)
    name = config.venue.name.value
    if problem := missing_sandbox(name, config.venue.exchange, config.venue.sandbox):
        raise ConfigError(f"venue: {problem}")
    try:
        access = venue_access(config)
        if access is not None and config.venue.name is VenueName.CCXT:
            path = budget_path(_words(config), config.venue.account or access.key.reveal())
            access = replace(access, shared_budget=path)
        return make_venue(name, instruments, clock, random, access, session_id)
    except Refused as refusal:
        raise ConfigError(f"venue: {refusal}") from None


def _native_venue(
    config: Config, instruments: Mapping[str, Instrument], session_id: str, clock: Clock
) -> Venue:
    """A terminal through MetaQuotes' package. Raises ConfigError."""
    try:
        from logos.adapters.mt5.native_venue import native_venue
    except ImportError as error:
        raise _missing(error, "mt5") from None
    return native_venue(config, instruments, session_id, clock)
