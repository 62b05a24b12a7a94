"""Everything a session needs before its first event, checked in full beforehand.

Nothing is written while a plan is made: whatever is wrong with settings, data or strategy is
found here, and leaves no half-made session behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from logos import paths
from logos.config import Config, ConfigError, config_hash
from logos.core.engine import TradingCore
from logos.core.gates import InProcessSwitch, Switch
from logos.core.instrument import Instrument
from logos.core.messages import Event
from logos.core.strategy import Strategy
from logos.core.types import NS_PER_SECOND
from logos.feeds.check import CheckReport, check
from logos.feeds.defects import accept_set
from logos.feeds.errors import DataError
from logos.feeds.numbers import RowError, parse_timestamp
from logos.feeds.replay import ReplayFeed
from logos.feeds.signals import SignalStrategy
from logos.feeds.source import discover
from logos.session.build import (
    build_account,
    build_books,
    build_guards,
    build_rules,
    configured_instruments,
    find_instruments,
)
from logos.strategies import StrategyLoadError, load_strategy
from logos.strategies.parameters import ParameterError, arguments_of


class Feed(Protocol):
    """Where events come from: lists of them, in order of time."""

    def chunks(self) -> Iterator[Sequence[Event]]: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """A session that can start. `rows` is how many events to expect (None: unknown)."""

    config: Config
    config_hash: str
    seed: int
    instruments: Mapping[str, Instrument]
    strategy: Strategy
    strategy_name: str
    feed: Feed
    reports: Sequence[CheckReport]
    rows: int | None

    def make_core(self, session_id: str, switch: Switch) -> TradingCore:
        """A fresh core for this plan."""
        config = self.config
        account = build_account(config, self.instruments)
        return TradingCore(
            session_id,
            build_books(config, self.instruments, account),
            account,
            self.strategy,
            switch,
            build_rules(config),
            build_guards(config),
            self.seed,
            config.strategy.params,
            sample_ns=config.session.sample_interval_s * NS_PER_SECOND,
            halt_on_engage=config.switch.on_engaged == "halt",
        )


def make_plan(
    config: Config, *, strategy: Strategy | None = None, feed: Feed | None = None
) -> Plan:
    """Find, read and check all that `config` names.

    `strategy` and `feed` replace what the configuration would load; a given feed needs its
    instruments in the configuration. Raises ConfigError or DataError.
    """
    if feed is None:
        replay, reports = _replay(config)
        instruments = replay.instruments
        feed = replay
        rows: int | None = sum(report.rows for report in reports)
    else:
        reports = []
        rows = None
        instruments = configured_instruments(config)
    if strategy is None:
        strategy, name = _load_strategy(config)
    else:
        name = f"{type(strategy).__module__}:{type(strategy).__qualname__}"
    plan = Plan(
        config,
        config_hash(config),
        _seed(config),
        instruments,
        strategy,
        name,
        feed,
        reports,
        rows,
    )
    plan.make_core(
        "check", InProcessSwitch()
    )  # limits and balances are judged before anything runs
    return plan


def _replay(config: Config) -> tuple[ReplayFeed, list[CheckReport]]:
    """The feed of the configured files, every one of them checked to its last row."""
    data = config.data
    if not data.paths:
        raise ConfigError("no market data: name files or folders with --data, or in data.paths")
    try:
        accept = accept_set(data.accept)
    except (DataError, ValueError) as error:
        raise ConfigError(f"data.accept: {error}") from None
    sources = discover(data.paths, symbols=data.symbols or None)
    instruments = find_instruments(config, sources)
    reports = [check(source, instruments[source.symbol], accept=accept) for source in sources]
    feed = ReplayFeed(
        sources,
        instruments,
        start_ns=_moment(data.start, "data.from"),
        end_ns=_moment(data.end, "data.to"),
        accept=accept,
    )
    return feed, reports


def _moment(text: str, name: str) -> int | None:
    if not text:
        return None
    try:
        return parse_timestamp(text)
    except RowError as error:
        raise ConfigError(f"{name}: {error}; write it like 2024-01-31T13:30:00Z") from None


def _load_strategy(config: Config) -> tuple[Strategy, str]:
    settings = config.strategy
    if settings.signals and settings.name:
        raise ConfigError("strategy.name and strategy.signals are both set: choose one")
    if settings.signals:
        try:
            arguments: dict[str, Any] = arguments_of(SignalStrategy, settings.params)
        except ParameterError as error:
            raise ConfigError(f"strategy.params, for signals: {error}") from None
        name = f"signals from {settings.signals}"
        return SignalStrategy(**{**arguments, "file": settings.signals}), name
    if not settings.name:
        raise ConfigError(
            "no strategy: name one with --strategy (a bundled name or module:Class), "
            "or a file of signals with --signals"
        )
    try:
        return load_strategy(settings.name, settings.params), settings.name
    except StrategyLoadError as error:
        raise ConfigError(str(error)) from None


def _seed(config: Config) -> int:
    if config.session.seed is not None:
        return config.session.seed
    try:
        return paths.env_seed()
    except ValueError as error:
        raise ConfigError(str(error)) from None
