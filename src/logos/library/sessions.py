"""A session as a caller describes it: strategy or signals, data, settings, workspace."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final, TypeVar, Unpack, cast

import msgspec
from tqdm import tqdm

from logos.config import Config, FeedName, make_config
from logos.core.strategy import Strategy
from logos.errors import ConfigError, WorkspaceError
from logos.library.feed import FrameFeed, feed_of
from logos.library.options import (
    Data,
    Options,
    Place,
    check_options,
    make_settings,
    split_data,
    tables_of,
    workspace,
)
from logos.library.result import Result
from logos.library.signals import signal_strategy
from logos.session import run as run_session
from logos.session.history import NothingHappenedError, find_session, read_session
from logos.session.plan import Plan
from logos.session.restoring import settings_at
from logos.session.source import Progress
from logos.session.stored.origin import Origin
from logos.session.supervisor import tell_operator
from logos.strategies.load import make_strategy

Value = TypeVar("Value")

StrategyWish = Strategy | type[Strategy] | str
"""A strategy; or its class, or a name as the command line takes it, made with `params`."""

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())

_SIGNAL_PARAMS: Final = frozenset(("quantity", "delay_s"))


class Session:
    """A session that is to be run: its settings, checked as far as they can be without its data.

    Nothing is read or written before `run`; a session object can be run more than once, and each
    run is a session of its own. Arguments are those of `logos.run`.
    """

    def __init__(
        self,
        strategy: StrategyWish | None = None,
        *,
        data: Data | None = None,
        symbols: Sequence[str] | str | None = None,
        cash: Mapping[str, Any] | None = None,
        signals: Any = None,
        config: Config | Mapping[str, Any] | Place | None = None,
        home: Place | None = None,
        **options: Unpack[Options],
    ) -> None:
        """Raises ConfigError for settings that are wrong, DataError for tables of signals."""
        check_options(options)
        places, self._frames = split_data(data)
        tables = tables_of(options, symbols, cash)
        if places:
            tables = _with(tables, "data", paths=places)
        elif self._frames:
            tables = _with(tables, "data", paths=[])
            tables["instruments"] = {
                **{frame.symbol: msgspec.to_builtins(frame.settings) for frame in self._frames},
                **tables.get("instruments", {}),
            }
        params = dict(options.get("params") or {})
        self._strategy, decides = _decider(strategy, signals, params)
        if decides is not None:
            tables["strategy"] = decides
        self.origin = Origin.here(fspath(config) if isinstance(config, str | PathLike) else None)
        """Where the files are that the settings name."""
        self.config: Config = make_settings(config, tables)
        """All settings, complete but for what the data tells."""
        if self.config.venue.live:
            raise ConfigError(
                "venue.live: real orders leave only from the command line, with --live and "
                "--i-acknowledge-risk"
            )
        self.home = workspace(home)
        """The workspace; None: the configured one."""
        self.carry = options.get("carry", "")
        """The ended session whose positions it takes over; empty: none."""
        self.switch = options.get("switch")
        """Another kill switch than the workspace's; None: that."""
        self.is_verbose = options.get("verbose", False)
        """Whether progress and news are to be told."""

    @property
    def strategy(self) -> Strategy | None:
        """What decides; None: what the settings name."""
        return self._strategy

    def feed(self) -> FrameFeed | None:
        """The feed of its tables, whose instruments its settings then have; None: it has none."""
        if not self._frames:
            return None
        feed = feed_of(self._frames, self.config.data, self.config.data.symbols)
        self.config = _only(self.config, feed)
        return feed

    def run(self) -> Result:
        """Run it to its end. Raises as `logos.run`."""
        feed = self.feed()
        if self.config.live.feed is not FeedName.NONE:
            raise ConfigError(
                "these settings name a live feed: `await logos.run_live(...)`, or leave it out"
            )
        with as_library(self.is_verbose) as watch:
            return Result(
                run_session(
                    self.config,
                    strategy=self._strategy,
                    feed=feed,
                    switch=self.switch,
                    on_plan=watch.start,
                    tell=watch.tell,
                    home=self.home,
                    origin=self.origin,
                    carry=self.carry,
                )
            )

    def __repr__(self) -> str:
        data = self._frames or self.config.data.paths
        return f"<logos session to be run: {self._strategy or self.config.strategy}, {data}>"


class Again:
    """What a session that is run again was made of, as far as the caller must give it."""

    def __init__(
        self,
        session_id: str,
        home: Path | None,
        strategy: Strategy | None,
        data: Data | None,
        signals: Any,
        params: Mapping[str, Any] | None,
    ) -> None:
        self.home = home
        with as_library(False):
            folder = find_session(session_id, home)
            try:
                manifest = read_session(folder).manifest
            except NothingHappenedError:
                config = settings_at(folder)
            else:
                config = make_config(manifest["config"], f"manifest of {session_id}")
        self.strategy, named = _decider(strategy, signals, dict(params or {}))
        if named:
            raise ConfigError(
                "a strategy or a file of signals that was named is found again by itself: give "
                "only what was an object, a class or a table when the session began"
            )
        places, frames = split_data(data)
        if places:
            raise ConfigError("data: the session's files are found again: give only tables")
        self.feed: FrameFeed | None = None
        if frames:
            self.feed = feed_of(frames, config.data, config.data.symbols)


def _decider(
    strategy: StrategyWish | None, signals: Any, params: dict[str, Any]
) -> tuple[Strategy | None, dict[str, Any] | None]:
    """What decides: an object made here, or the table of settings that names it.

    The table is empty for an object, and None when nothing is said.
    """
    if strategy is not None and signals is not None:
        raise ConfigError("strategy and signals are both given: choose one")
    if isinstance(signals, str | PathLike):
        return None, {"signals": fspath(cast("Place", signals)), "params": params}
    if signals is not None:
        unknown = sorted(params.keys() - _SIGNAL_PARAMS)
        if unknown:
            raise ConfigError(f"params, for signals: {unknown[0]!r} is not quantity or delay_s")
        return signal_strategy(signals, **params), {}
    if isinstance(strategy, str):
        return None, {"name": strategy, "params": params}
    if inspect.isclass(strategy) and issubclass(strategy, Strategy):
        return make_strategy(strategy, params, strategy.__qualname__), {}
    if strategy is not None and not isinstance(strategy, Strategy):
        raise ConfigError(
            f"strategy: a {type(strategy).__name__} is none: give an instance or a subclass of "
            "logos.Strategy, or the name of one"
        )
    if strategy is not None and params:
        raise ConfigError("params go with a class or a name: this strategy has been made already")
    return strategy, None if strategy is None else {}


def with_live_feed(config: Config, name: str) -> Config:
    """The settings with another live feed. Raises ConfigError for one there is not."""
    try:
        feed = FeedName(name)
    except ValueError:
        known = ", ".join(each.value for each in FeedName if each.value)
        raise ConfigError(f"feeds: {name!r} is none; name one of {known}") from None
    return msgspec.structs.replace(config, live=msgspec.structs.replace(config.live, feed=feed))


def outside_of_loops(act: Callable[[], Value]) -> Value:
    """What `act` returns; in a thread of its own where an event loop runs in this one.

    A session on live feeds needs a loop of its own, and a loop cannot run within another.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return act()
    with ThreadPoolExecutor(1, "logos") as threads:
        return threads.submit(act).result()


def _with(tables: Mapping[str, Any], table: str, **values: Any) -> dict[str, Any]:
    return {**tables, table: {**tables.get(table, {}), **values}}


def _only(config: Config, feed: FrameFeed) -> Config:
    """The settings with the instruments of the tables that are traded, and no others."""
    symbols = {frame.symbol for frame in feed.frames}
    kept = {name: each for name, each in config.instruments.items() if name in symbols}
    return msgspec.structs.replace(config, instruments=kept)


class Watch:
    """Who looks on: nobody, or a caller who asked for progress and messages."""

    def __init__(self, is_verbose: bool) -> None:
        self._is_verbose = is_verbose
        self._bar: Any = None

    def tell(self, text: str) -> None:
        """Print it, or leave it to the program's own logging: nothing is printed unasked."""
        if self._is_verbose:
            tell_operator(text)
        else:
            _log.warning("%s", text)

    def start(self, plan: Plan) -> Progress:
        if not self._is_verbose:
            return _nothing
        self._bar = tqdm(
            total=plan.rows, unit=" ticks", unit_scale=True, desc=plan.strategy_name, leave=False
        )
        update: Progress = self._bar.update
        return update

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


@contextmanager
def as_library(is_verbose: bool) -> Iterator[Watch]:
    """Errors of the operating system leave as LogosErrors that say what to do."""
    watch = Watch(is_verbose)
    try:
        yield watch
    except OSError as error:
        if isinstance(error, WorkspaceError):
            raise
        if error.filename is None:
            raise WorkspaceError(f"the operating system refused: {error}") from error
        raise WorkspaceError(
            f"{error.filename}: {error.strerror}; give a folder that may be written as home=, or "
            "set LOGOS_HOME"
        ) from error
    finally:
        watch.close()


def _nothing(_: int) -> None:
    """Nobody watches."""
