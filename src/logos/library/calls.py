"""`logos.run` and its like: the ways to run a session, each in one call.

Every call is quiet, writes where `home` says, and raises nothing but LogosErrors (and
KeyboardInterrupt).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Unpack, cast

from logos.config import Config, FeedName
from logos.core.strategy import Strategy
from logos.errors import ConfigError
from logos.execution.clock import SystemClock
from logos.feeds.contract import LiveFeed
from logos.feeds.paced import PacedFeed
from logos.library.options import Data, LiveOptions, Options, Place, workspace
from logos.library.result import Result
from logos.library.saved import read_saved
from logos.library.sessions import (
    Again,
    Session,
    StrategyWish,
    as_library,
    outside_of_loops,
    with_live_feed,
)
from logos.session import SessionResult, SessionSpec, open_session
from logos.session import replay as replay_session
from logos.session import resume as resume_session
from logos.session.connections import Outside
from logos.session.drive import drive_live
from logos.session.source import LiveSource


def run(
    strategy: StrategyWish | None = None,
    *,
    data: Data | None = None,
    symbols: Sequence[str] | str | None = None,
    cash: Mapping[str, Any] | None = None,
    signals: Any = None,
    config: Config | Mapping[str, Any] | Place | None = None,
    home: Place | None = None,
    **options: Unpack[Options],
) -> Result:
    """Run one paper session over recorded data to its end.

    `strategy` is a Strategy, or a class or a name with `params` as its arguments; or `signals`
    (a file, or a table of any library) decide instead. `data` is files and folders, or tables
    made by `logos.bars`, `quotes` and `trades`; `symbols` takes only these from it. `cash` is what
    each asset begins with, in its own units. `config` is a file of settings, or tables as in
    docs/CONFIGURATION.md, below all that is said here. `home` is the workspace that is written to:
    a folder, None for the configured one, or "temporary"; its kill switch rules the session.
    Further words are in `logos.library.options.Options`.

    A session that fails on its way (a strategy that raises, a halt) gives a Result that says so:
    see `Result.check`. Raises ConfigError, DataError, SwitchEngagedError and WorkspaceError, all
    LogosErrors, when it cannot run.
    """
    session = Session(
        strategy,
        data=data,
        symbols=symbols,
        cash=cash,
        signals=signals,
        config=config,
        home=home,
        **options,
    )
    return session.run()


async def run_live(
    strategy: StrategyWish | None = None,
    *,
    data: Data | None = None,
    symbols: Sequence[str] | str | None = None,
    cash: Mapping[str, Any] | None = None,
    signals: Any = None,
    config: Config | Mapping[str, Any] | Place | None = None,
    home: Place | None = None,
    **options: Unpack[LiveOptions],
) -> Result:
    """Run one session on live data, in the running event loop: `await` it, in a notebook too.

    The option `feeds` names a live feed as `live.feed` does ("ccxt", "yahoo", "replay", "mt5",
    "kafka"), or is feeds of your own; data in files or tables is played at the pace it was recorded
    at (`live.speed` times faster; 0: at once). Orders meet the paper market. A cancelled call stops
    the session in order, so that it can be resumed. The rest is as for `run`.
    """
    feeds = options.pop("feeds", "")
    session = Session(
        strategy,
        data=data,
        symbols=symbols,
        cash=cash,
        signals=signals,
        config=config,
        home=home,
        **cast("Options", options),
    )
    with as_library(session.is_verbose) as watch:
        spec = SessionSpec(
            outside=_outside(session, feeds),
            config=session.config,  # as the feeds have left it
            strategy=session.strategy,
            switch=session.switch,
            tell=watch.tell,
            home=session.home,
            origin=session.origin,
            carry=session.carry,
        )
        with open_session(spec) as opened:
            assert isinstance(opened.source, LiveSource)
            try:
                return Result(await drive_live(opened, opened.source))
            except asyncio.CancelledError:
                if not opened.is_closed:
                    opened.supervisor.stop_requested = True
                    opened.apply([])
                raise


def _outside(session: Session, feeds: str | Sequence[LiveFeed]) -> Outside:
    """What the session is connected to. Raises ConfigError and DataError."""
    live = session.config.live
    if isinstance(feeds, str):
        if feeds:
            session.config = with_live_feed(session.config, feeds)
        elif live.feed is FeedName.NONE and session.config.data.paths:
            session.config = with_live_feed(session.config, FeedName.REPLAY.value)
        frames = session.feed()
        if frames is None and session.config.live.feed is FeedName.NONE:
            raise ConfigError(
                "no live data: name a feed, such as feeds='ccxt', give feeds of your own, or data "
                "to be played"
            )
        if frames is None:
            return Outside()
        clock = SystemClock()
        symbols = [frame.symbol for frame in frames.frames]
        paced = PacedFeed(frames.chunks(), symbols, clock, float(live.speed))
        return Outside(feeds=[paced], clock=clock)
    return Outside(feeds=list(feeds))


def resume(
    session_id: str,
    *,
    strategy: Strategy | None = None,
    data: Data | None = None,
    signals: Any = None,
    home: Place | None = None,
    params: Mapping[str, Any] | None = None,
    verbose: bool = False,
) -> Result:
    """Go on with a session that was stopped, or that crashed.

    A strategy that was given as an object or class must be given again, and so must tables of data
    and of signals (with the same `params`); what was named is found again. Data other than the
    session's is refused by its fingerprint.

    Raises CannotResumeError when it has ended, or when anything it followed from has changed, and
    what `logos.run` raises.
    """
    again = Again(session_id, workspace(home), strategy, data, signals, params)
    with as_library(verbose) as watch:

        def go_on() -> SessionResult:
            return resume_session(
                session_id,
                strategy=again.strategy,
                feed=again.feed,
                on_plan=watch.start,
                tell=watch.tell,
                home=again.home,
            )

        return Result(outside_of_loops(go_on))


def replay(
    session_id: str,
    *,
    strategy: Strategy | None = None,
    data: Data | None = None,
    signals: Any = None,
    home: Place | None = None,
    params: Mapping[str, Any] | None = None,
    verbose: bool = False,
) -> Result:
    """Run a finished session again, elsewhere, and compare every byte of its files.

    Nothing is written into the session. What must be given again is as for `resume`.

    Raises SessionDiffersError with the first difference, CannotResumeError when the data, the
    settings or the strategy are not those of the session.
    """
    again = Again(session_id, workspace(home), strategy, data, signals, params)
    with as_library(verbose) as watch:
        replay_session(
            session_id,
            strategy=again.strategy,
            feed=again.feed,
            on_plan=watch.start,
            home=again.home,
        )
    return result(session_id, home=home)


def result(session_id: str, *, home: Place | None = None) -> Result:
    """The result of a session that has ended or was stopped, read from its folder.

    Raises ConfigError when there is none of this id, CannotResumeError when it has not ended.
    """
    with as_library(False):
        return Result(read_saved(session_id, workspace(home)))
