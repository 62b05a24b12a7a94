"""A new sweep: its wishes checked against strategy and data, before any session runs.

The data is checked to its last row once; what is long is kept as columns in the workspace
(`data.checked`), where every session finds it by its hash and reads it from the same pages of
memory. Settings are those of any session; what would reach beyond it (alerts, shipping, a
fleet's switch) is left out, and what has no place in one (live feeds, real orders, a session
carried on) is refused.
"""

from __future__ import annotations

import difflib
import os
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Any, Final

import msgspec

from logos import __version__, paths
from logos.build import build_hash
from logos.config import Config, ConfigError, FeedName, make_config
from logos.config.making import masked_config
from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import NS_PER_SECOND
from logos.data.replay import ReplayFeed
from logos.files import make_folder
from logos.session.artifacts.rows import Moments
from logos.session.opening.machine_switch import open_switch
from logos.session.opening.recorded import checked_store
from logos.session.opening.times import data_range
from logos.session.plan import make_plan, with_seed
from logos.session.stored.origin import Origin
from logos.strategies.load import StrategyLoadError, load_class
from logos.sweeps.outcome import figure_names
from logos.sweeps.space import ROWS_MAX, Axis, draws, grid, grid_size, read_axes
from logos.sweeps.spec import Fold, Method, Stretch, SweepSpec, Trial, trial_config, write_spec

SWEEPS: Final = Path("runs") / "sweeps"
_BEYOND: Final = ("killswitch", "ship", "alerts")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller wants; see docs/SWEEPS.md."""

    params: Mapping[str, str]
    by: str = "sharpe"
    method: Method = "grid"
    trials: int = 0
    """Of a random or searched sweep."""
    seed: int | None = None
    """Of the draws; None: that of the sessions."""
    out_of_sample: float = 0.0
    """The last part of the time of the data that is held back, 0 to below 1."""
    walk_forward: int = 0
    """How many times the best of a stretch is tried on the next one."""
    train: int = 3
    """How many stretches it is searched in, each as long as the one it is tried on."""
    is_anchored: bool = False
    """Whether it is searched in all that came before."""
    is_kept: bool = False


class Idle(Strategy):
    """Stands for the strategy while the data is checked: it hears everything and does nothing."""

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        """Nothing."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        """Nothing."""

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        """Nothing."""


def prepare(
    wish: Wish,
    config: Config,
    origin: Origin,
    home: Path | None = None,
    out: Path | None = None,
    tell: Callable[[str], object] = print,
) -> Path:
    """Check everything, make the sweep's folder, and return that.

    `out` is where (None: the next free folder of the workspace `home`). Raises ConfigError,
    DataError, SwitchEngagedError and OSError; then no folder is left.
    """
    _refuse(config)
    _check_wish(wish)
    axes = _axes(wish, config, origin)
    trials = _count(wish, axes)
    config = with_seed(config)
    workspace = Path(os.path.abspath(home or paths.home()))
    open_switch(tell, home).close()
    kept = dict.fromkeys(_BEYOND, msgspec.UNSET)
    left_out = [name for name in _BEYOND if getattr(config, name) is not msgspec.UNSET]
    if left_out:
        tell(f"logos: a sweep's sessions go without {', '.join(f'[{each}]' for each in left_out)}")
    config = msgspec.structs.replace(config, **kept)
    folder = _claim(out, workspace, config.strategy.name)
    try:
        feed = _read_data(config, origin, workspace)
        assert config.session.seed is not None  # with_seed has put it there
        spec = SweepSpec(
            software=__version__,
            build=build_hash(),
            strategy=config.strategy.name,
            axes=axes,
            method=wish.method,
            trials=trials,
            by=wish.by,
            seed=config.session.seed if wish.seed is None else wish.seed,
            settings=_plain(masked_config(config)),
            origin=msgspec.structs.replace(origin, began=""),
            workspace=str(workspace),
            folds=tuple(_folds(wish, config, feed)),
            is_kept=wish.is_kept,
        )
        if spec.rows > ROWS_MAX:
            raise ConfigError(f"that would be {spec.rows:,} sessions, more than {ROWS_MAX:,}")
        _try_settings(spec, _some(spec))
        write_spec(folder, spec)
    except BaseException:
        _give_back(folder)
        raise
    return folder


def _refuse(config: Config) -> None:
    """Raise ConfigError for what a sweep cannot be made of."""
    if config.venue.live or config.live.feed is not FeedName.NONE:
        raise ConfigError(
            "a sweep runs on recorded data and the paper market: leave out live.feed and --live"
        )
    if config.carry is not msgspec.UNSET:
        raise ConfigError("a sweep begins with its own money: leave out --carry")
    if config.strategy.signals:
        raise ConfigError("signals have no parameters to sweep: name a strategy")
    if not config.strategy.name:
        raise ConfigError("name a strategy: a bundled name, module:Class or file.py:Class")


def _check_wish(wish: Wish) -> None:
    """Raise ConfigError for wishes that contradict each other, or that nothing can answer."""
    known = figure_names()
    if wish.by not in known:
        raise ConfigError(f"--by {wish.by}: no such figure{_near(wish.by, known)}")
    if wish.method == "grid" and wish.trials:
        raise ConfigError("a number of trials goes with a random or an Optuna search")
    if wish.method != "grid" and wish.trials < 1:
        raise ConfigError(f"a {wish.method} search needs a number of trials of 1 or more")
    if wish.out_of_sample and wish.walk_forward:
        raise ConfigError("--out-of-sample and --walk-forward are both given: choose one")
    if not 0.0 <= wish.out_of_sample < 1.0:
        raise ConfigError("--out-of-sample is a part of the time, such as 0.3")
    if wish.walk_forward < 0 or wish.train < 1:
        raise ConfigError("--walk-forward and --train count stretches: 1 or more")


def _near(wrong: str, known: Sequence[str]) -> str:
    """Which of the known names may have been meant, as the end of a message."""
    found = difflib.get_close_matches(wrong, known, n=1)
    if found:
        return f": did you mean {found[0]}?"
    return f"; some of them: {', '.join(known[:12])} (docs/RESULTS.md has all)"


def _axes(wish: Wish, config: Config, origin: Origin) -> tuple[Axis, ...]:
    try:
        kind = load_class(origin.find_code(config.strategy.name))
    except StrategyLoadError as error:
        raise ConfigError(str(error)) from None
    return read_axes(kind, wish.params)


def _count(wish: Wish, axes: Sequence[Axis]) -> int:
    """How many rows a fold has."""
    size = grid_size(axes)
    if wish.method == "grid":
        next(grid(axes))  # whether there is one
        if size > ROWS_MAX:
            raise ConfigError(
                f"that would be {size:,} sessions, more than {ROWS_MAX:,}: --random N"
            )
        return size
    return min(size, wish.trials) if wish.method == "random" and size else wish.trials


def _plain(config: Config) -> dict[str, Any]:
    """Settings as tables that JSON can hold, and `make_config` reads again."""
    tables: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(config))
    make_config(tables)
    return tables


def _claim(out: Path | None, workspace: Path, strategy: str) -> Path:
    """A new folder for the sweep. Raises ConfigError for one that is there, OSError."""
    if out is not None:
        try:
            make_folder(out, is_new=True)
        except FileExistsError:
            raise ConfigError(f"{out} is there already: name a new folder for the sweep") from None
        return Path(os.path.abspath(out))
    stem = "".join(each if each.isalnum() else "_" for each in strategy.rpartition(":")[2])
    for number in count(1):
        folder = workspace / SWEEPS / f"{stem}-{number:04d}"
        try:
            make_folder(folder, is_new=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError


def _give_back(folder: Path) -> None:
    """Remove what a sweep that cannot start has made."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _read_data(config: Config, origin: Origin, home: Path) -> ReplayFeed:
    """Check the data; what is long is kept for all sessions. Raises ConfigError, DataError."""
    store = checked_store(home)
    plan = make_plan(config, strategy=Idle(), origin=origin, store=store, now_ns=time.time_ns())
    assert isinstance(plan.feed, ReplayFeed)
    return plan.feed


# ---- how the data is split ----


def _folds(wish: Wish, config: Config, feed: ReplayFeed) -> list[Fold]:
    """The folds, by event time, cut at whole seconds. Raises ConfigError where there is no room."""
    if not wish.out_of_sample and not wish.walk_forward:
        return [Fold(Stretch())]
    first_ns, last_ns = _bounds(config, feed)
    length_ns = last_ns - first_ns
    if wish.out_of_sample:
        cuts = [first_ns, first_ns + int(length_ns * (1.0 - wish.out_of_sample)), last_ns]
        train, folds = 1, 1
    else:
        train, folds = wish.train, wish.walk_forward
        parts = train + folds
        cuts = [first_ns + length_ns * part // parts for part in range(parts + 1)]
    moments = Moments()
    texts = [moments.text(cut - cut % NS_PER_SECOND)[:19] + "Z" for cut in cuts]
    _check_events(feed, [cut - cut % NS_PER_SECOND for cut in cuts], texts)
    texts[0] = texts[-1] = ""  # where the settings begin and end
    found = []
    for fold in range(folds):
        start = 0 if wish.is_anchored else fold
        end = fold + train
        inside = Stretch(texts[start], texts[end])
        found.append(Fold(inside, Stretch(texts[end], texts[end + 1])))
    return found


def _check_events(feed: ReplayFeed, cuts: Sequence[int], texts: Sequence[str]) -> None:
    """Raise ConfigError for a stretch between two cuts in which nothing happens."""
    counts = [0] * (len(cuts) - 1)
    for _, blocks in feed.blocks():
        for block in blocks:
            places = [bisect_left(block.ts_ns, cut) for cut in cuts[:-1]] + [len(block)]
            for number, (start, end) in enumerate(pairwise(places)):
                counts[number] += end - start
    for number, found in enumerate(counts):
        if not found:
            raise ConfigError(
                f"the data has no events from {texts[number]} to {texts[number + 1]}: split it "
                "into fewer stretches"
            )


def _bounds(config: Config, feed: ReplayFeed) -> tuple[int, int]:
    """The first and the last moment of the data that is asked for, nanoseconds UTC."""
    first: list[int] = []
    last: list[int] = []
    for _, blocks in feed.blocks():
        for block in blocks:
            first.append(block.ts_ns[0])
            last.append(block.ts_ns[-1])
    start_ns, end_ns = data_range(config)
    first_ns, last_ns = min(first), max(last)
    return max(first_ns, start_ns or first_ns), min(last_ns, end_ns or last_ns)


# ---- whether any session can start ----


def _some(spec: SweepSpec) -> list[dict[str, str]]:
    """A few of the combinations that will be tried."""
    if spec.method == "grid":
        return list(islice(grid(spec.axes), 50))
    return draws(spec.axes, min(spec.trials, 50), spec.seed)


def _try_settings(spec: SweepSpec, some: Sequence[dict[str, str]]) -> None:
    """Raise ConfigError when the strategy takes none of these combinations: it says why."""
    from logos.session.plan import load_configured_strategy

    problem: ConfigError | None = None
    for params in some:
        trial = Trial(row=1, fold=1, sample="in", stretch=Stretch(), params=params)
        config = trial_config(spec.settings, trial)  # names a secret that the environment lacks
        try:
            load_configured_strategy(config, spec.origin)
        except ConfigError as error:
            problem = problem or error
        else:
            return
    assert problem is not None
    raise problem
