"""Everything a session needs before its first event, checked in full beforehand.

Nothing is written while a plan is made: whatever is wrong with settings, data or strategy is
found here, and leaves no half-made session behind.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import msgspec

from logos import paths
from logos.build import imported_by
from logos.config import (
    Config,
    ConfigError,
    FeedName,
    VenueName,
    config_hash,
    live_problems,
    sends_real_orders,
    with_limits,
)
from logos.config.making import masked_config
from logos.config.masking import config_secrets
from logos.config.tables.kafka_options import signal_topic
from logos.config.tables.log import LOG
from logos.core.engine import TradingCore
from logos.core.gates import InProcessSwitch, Switch
from logos.core.guards import OwnGuard
from logos.core.instrument import Instrument
from logos.core.messages import Event
from logos.core.outbox import Outbox
from logos.core.strategy import Strategy
from logos.core.types import NS_PER_SECOND
from logos.data.check import CheckReport
from logos.data.checked.store import UNKEPT, CheckedStore
from logos.data.replay import ReplayFeed
from logos.data.signals import LiveSignals, SignalStrategy
from logos.errors import DataError
from logos.secrecy import without
from logos.session.bars.sources import choose_sources, live_kinds, recorded_kinds, shorter_lengths
from logos.session.build import (
    build_account,
    build_guards,
    build_rules,
    build_states,
    make_instruments,
)
from logos.session.carrying.apply import apply_carry, check_time
from logos.session.fleet.epochs import epochs_of
from logos.session.opening.actions import with_actions
from logos.session.opening.fingerprints import fingerprint_of
from logos.session.opening.funding import with_funding
from logos.session.opening.hearing import Notice, check_heard, check_sizes
from logos.session.opening.hours import hours_of_data, with_sessions
from logos.session.opening.instruments import find_instruments
from logos.session.opening.recorded import find_sources, overlaps, replay_feed
from logos.session.opening.times import data_range, signal_zone
from logos.session.stored.origin import NOT_KNOWN, Origin
from logos.strategies import StrategyLoadError, load_strategy
from logos.strategies.own_guards import load_guards
from logos.strategies.parameters import ParameterError, arguments_of


class Feed(Protocol):
    """Where events come from: lists of them, in order of time."""

    def chunks(self) -> Iterator[Sequence[Event]]: ...


class NoFeed:
    """Stands in a plan for the feed of a live session, whose events are pushed.

    `outside` is what the session is connected to; with no feed at all a program has it embedded,
    and it is not `is_live`.
    """

    def __init__(self, outside: object = None) -> None:
        feeds: Sequence[object] | None = getattr(outside, "feeds", None)
        self.is_live = feeds is None or bool(feeds)

    def chunks(self) -> Iterator[Sequence[Event]]:
        """No events."""
        return iter(())


@runtime_checkable
class CheckedFeed(Protocol):
    """A feed of data that has been checked, such as tables in memory."""

    reports: Sequence[CheckReport]
    """What was found in each source, with the fingerprints that go into the manifest."""


def chunks_after(feed: Feed, count: int) -> Iterator[Sequence[Event]]:
    """The feed's lists of events without its first `count` events. Raises DataError for fewer."""
    if isinstance(feed, ReplayFeed):
        yield from feed.chunks(count)  # it makes no events of what is left out
        return
    left = count
    for events in feed.chunks():
        if left < len(events):
            yield events[left:] if left else events
        left = max(0, left - len(events))
    if left:
        raise DataError(f"cannot continue after event {count}: there are only {count - left}")


@dataclass(frozen=True, slots=True)
class Plan:
    """A session that can start.

    `config` is complete: the seed, every instrument and every limit stand in it, wherever they came
    from.
    `rows` is how many events to expect (None: unknown).
    """

    config: Config
    config_hash: str
    instruments: Mapping[str, Instrument]
    strategy: Strategy
    strategy_name: str
    strategy_fingerprint: str
    feed: Feed
    reports: Sequence[CheckReport]
    rows: int | None
    guards: Sequence[OwnGuard] = ()
    """Guards that the user wrote; `strategy_fingerprint` covers their source too."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of every file that the strategy and the guards rest on, by the module's name."""
    notices: Sequence[Notice] = ()
    """What the session's record is to say of its data: symbols that nothing will be heard of."""
    origin: Origin = NOT_KNOWN
    """Where the files are that the settings name."""
    bar_sources: Mapping[str, str] = field(default_factory=dict)
    """What the bars of a symbol are made of, where more than one kind of data could be it."""

    @property
    def seed(self) -> int:
        """The seed of the session's generator."""
        seed = self.config.session.seed
        assert seed is not None  # make_plan has put it there
        return seed

    @property
    def written_config(self) -> Config:
        """The settings as the session's files hold them: secrets masked."""
        return masked_config(self.config)

    @property
    def fingerprints(self) -> list[str]:
        """SHA-256 of everything that decides besides the settings: strategy and data."""
        data = [digest for report in self.reports for digest in report.fingerprints.values()]
        return [self.strategy_fingerprint, *data]

    def make_core(self, session_id: str, switch: Switch) -> TradingCore:
        """A fresh core for this plan. Raises ConfigError."""
        config = self.config
        account = build_account(config, self.instruments)
        states = build_states(config, self.instruments, account)
        for symbol, source in self.bar_sources.items():
            states[symbol].bars.source = source
        for symbol, length_ns in shorter_lengths(each.source for each in self.reports).items():
            states[symbol].bars.length_ns = length_ns
        core = TradingCore(
            session_id,
            states,
            account,
            self.strategy,
            switch,
            build_rules(config),
            build_guards(config, self.guards),
            self.seed,
            copy.deepcopy(config.strategy.params),  # the strategy may change what it is given
            sample_ns=config.session.sample_interval_s * NS_PER_SECOND,
            halt_on_engage=config.switch.on_engaged == "halt",
            outbox=_outbox(config),
        )
        apply_carry(core, config)
        core.order_manager.fleet = epochs_of(switch)
        core.timekeeper.risk_ns = (config.log or LOG).risk_interval_s * NS_PER_SECOND
        secrets = config_secrets(config)
        if secrets:
            core.mask_notes(lambda text: without(text, secrets))
        return core

    def begin_at(self, first_ns: int) -> int:
        """The time of the first event, which is where the session begins.

        Raises DataError for one from before the end of the session that is carried on.
        """
        check_time(self.config, first_ns)
        return first_ns


def with_seed(config: Config) -> Config:
    """The settings with their seed, wherever it comes from. Raises ConfigError."""
    session = msgspec.structs.replace(config.session, seed=_seed(config))
    return msgspec.structs.replace(config, session=session)


def make_plan(
    config: Config,
    *,
    strategy: Strategy | None = None,
    feed: Feed | None = None,
    moved: Callable[[], object] = lambda: None,
    origin: Origin = NOT_KNOWN,
    now_ns: int | None = None,
    store: CheckedStore = UNKEPT,
) -> Plan:
    """Find, read and check all that `config` names, files as `origin` finds them.

    `strategy` and `feed` replace what the configuration would load; a given feed needs its
    instruments in the configuration. `moved` is called now and then while data is read; `now_ns`
    is the moment by which a new session's data is judged (see `check`); the `store` knows what was
    checked before. Raises ConfigError or
    DataError.
    """
    if config.venue.name is not VenueName.PAPER and not config.venue.live:
        raise ConfigError(
            f"venue.name = {config.venue.name.value!r} would send real orders, which takes --live "
            "and --i-acknowledge-risk; for the paper market set venue.name = 'paper'"
        )
    config = with_seed(config)
    config, feed, reports = _with_data(config, feed, moved, origin, now_ns, store)
    if sends_real_orders(config):
        _refuse_live(config)
    is_fed = isinstance(feed, NoFeed) and feed.is_live
    is_live = is_fed or config.live.feed is not FeedName.NONE or sends_real_orders(config)
    config = with_funding(config, origin.find)
    config = with_sessions(config, reports, is_live=is_live, find=origin.find)
    config = with_limits(config, is_live=is_live)
    instruments = make_instruments(config.instruments)
    if strategy is None:
        strategy, name = load_configured_strategy(config, origin)
    else:
        name = f"{type(strategy).__module__}:{type(strategy).__qualname__}"
    in_range = [report for report in reports if overlaps(report, *data_range(config))]
    kinds = recorded_kinds(report.source for report in reports) or live_kinds(config, instruments)
    notices = check_heard(strategy, name, kinds, reports, in_range)
    notices += check_sizes(config, in_range)
    guards = _load_guards(config, origin)
    plan = Plan(
        config,
        config_hash(config),
        instruments,
        strategy,
        name,
        fingerprint_of(config, strategy, guards, origin),
        feed,
        reports,
        sum(report.rows for report in reports) if reports else None,
        guards,
        imported_by(type(strategy), *(guard.function for guard in guards)),
        notices,
        origin,
        choose_sources(strategy, kinds),
    )
    # Limits and balances are judged here, before anything is written.
    plan.make_core("check", InProcessSwitch())
    return plan


def _with_data(
    config: Config,
    feed: Feed | None,
    moved: Callable[[], object],
    origin: Origin,
    now_ns: int | None,
    store: CheckedStore,
) -> tuple[Config, Feed, list[CheckReport]]:
    """The settings with every instrument and its actions, the feed, and what was found in its data.

    As `make_plan`: without a `feed` what the settings name is found, and checked to its last row.
    """
    if feed is not None:
        config = with_actions(config, origin.find)
        make_instruments(config.instruments)  # whatever is wrong with one is said first
        return config, feed, list(feed.reports) if isinstance(feed, CheckedFeed) else []
    sources = find_sources(config, origin, store)
    config = msgspec.structs.replace(config, instruments=find_instruments(config, sources))
    config = with_actions(config, origin.find)
    hours = hours_of_data(config.instruments, sources, origin.find)
    instruments = make_instruments(hours)
    found, reports = replay_feed(config, sources, instruments, moved, now_ns, store, hours)
    return config, found, reports


def _refuse_live(config: Config) -> None:
    """Judge the limits of real orders again, now that every instrument is known.

    Raises ConfigError.
    """
    problems = live_problems(config)
    if problems:
        raise ConfigError("; ".join(problems), problems)


def _load_guards(config: Config, origin: Origin) -> list[OwnGuard]:
    names = config.risk.guards
    try:
        return [] if isinstance(names, msgspec.UnsetType) else load_guards(names, origin.find_code)
    except StrategyLoadError as error:
        raise _as_config_error(error, "risk.guards: ") from None


def load_configured_strategy(config: Config, origin: Origin = NOT_KNOWN) -> tuple[Strategy, str]:
    """The strategy or the signals that the settings name, made, and what messages call it.

    Raises ConfigError for what cannot be had, and for parameters that do not fit.
    """
    settings = config.strategy
    if settings.signals and settings.name:
        raise ConfigError("strategy.name and strategy.signals are both set: choose one")
    topic = signal_topic(config)
    if topic and (settings.signals or settings.name):
        raise ConfigError("live.kafka.signals is set: name no strategy.name or strategy.signals")
    if settings.signals or topic:
        kind: Any = LiveSignals if topic else SignalStrategy
        try:
            arguments: dict[str, Any] = arguments_of(kind, settings.params)
        except ParameterError as error:
            raise ConfigError(f"strategy.params, for signals: {error}") from None
        if topic:
            return LiveSignals(**arguments), f"signals from topic {topic}"
        name = f"signals from {settings.signals}"
        said = {"timezone": signal_zone(config), **arguments}
        return SignalStrategy(**{**said, "file": origin.find(settings.signals)}), name
    if not settings.name:
        raise ConfigError(
            "no strategy: name one with --strategy (a bundled name or module:Class), "
            "or a file of signals with --signals"
        )
    try:
        return load_strategy(origin.find_code(settings.name), settings.params), settings.name
    except StrategyLoadError as error:
        raise _as_config_error(error) from None


def _as_config_error(error: StrategyLoadError, about: str = "") -> ConfigError:
    """The same words, and the same notes: how the user's code came to fail."""
    found = ConfigError(f"{about}{error}")
    for note in getattr(error, "__notes__", ()):
        found.add_note(note)
    return found


def _outbox(config: Config) -> Outbox | None:
    """Where the requests to a real venue go; None on paper."""
    venue = config.venue
    return Outbox(limits_must_rest=venue.name.limits_must_rest) if venue.live else None


def _seed(config: Config) -> int:
    if config.session.seed is not None:
        return config.session.seed
    try:
        return paths.env_seed()
    except ValueError as error:
        raise ConfigError(str(error)) from None
