"""`logos.sweep`: one strategy over many parameters, in one call, and its table as a DataFrame."""

from __future__ import annotations

import inspect
import multiprocessing
import os
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypedDict, Unpack

from logos.config import Config
from logos.core.strategy import Strategy
from logos.errors import ConfigError, LogosError
from logos.library.frames import FrameData
from logos.library.options import Place, make_settings, tables_of, workspace
from logos.library.result import Result
from logos.library.saved import read_saved
from logos.library.sessions import as_library, outside_of_loops
from logos.session.stored.origin import Origin
from logos.sweeps.finish import PAGE, read_finished, rerun, write_all
from logos.sweeps.lanes import GUARD, Lanes, ProcessLanes
from logos.sweeps.outcome import Outcome
from logos.sweeps.prepare import Wish, prepare
from logos.sweeps.ranking import Overfitting
from logos.sweeps.run import Finished, SweepStoppedError, Watch, run_sweep
from logos.sweeps.space import as_text
from logos.sweeps.spec import Method
from logos.sweeps.tables import cells, columns, luck
from logos.sweeps.walk import Forward, forward
from logos.sweeps.worker import KEPT

Values = str | int | float | bool | Sequence[Any] | None
"""What is tried of a parameter: values, one value, `range(5, 50, 5)`, text as on the command line
("5..50:5"), or None for the range that the strategy declares."""


class SweepOptions(TypedDict, total=False):
    """What may be said of a sweep besides."""

    method: Method
    """"grid" (the default), "random" or "optuna"."""
    trials: int
    """How many combinations a random or an Optuna search tries."""
    seed: int
    """Of the sessions, of random draws and of the search."""
    out_of_sample: float
    """The last part of the data's time that is held back, such as 0.3."""
    walk_forward: int
    """How many times the best of a stretch is tried on the next one."""
    train: int
    """How many stretches it is searched in; default 3."""
    anchored: bool
    """Search in all that came before, from the beginning."""
    workers: int
    """Processes; default: the cores that this process may use."""
    dask: str
    """The address of a Dask scheduler, or "local"."""
    out: Place
    """The sweep's folder; default: the next free one in runs/sweeps of the workspace."""
    keep: bool
    """Keep the sessions' folders."""
    start: str
    """The first event's time, inclusive, with its zone."""
    end: str
    """The last event's time, exclusive, with its zone."""
    symbols: Sequence[str] | str
    """Only these, of what the data has."""
    accept: Sequence[str]
    """Kinds of defects in files to tolerate; default: "gap"."""
    fill: str
    """How the paper market fills."""
    verbose: bool
    """Say on standard error what an operator should know."""


class Sweep:
    """A sweep that has been run, or stopped. Its files are in `folder`."""

    def __init__(self, finished: Finished) -> None:
        self._finished = finished

    @property
    def folder(self) -> Path:
        """Where its tables and sweep.html lie."""
        return self._finished.folder

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the table as dicts, in order; parameters are text under `param.NAME`."""
        names = columns(self._finished)
        found = [cells(each) for each in self._finished.outcomes]
        return [{name: row.get(name) for name in names} for row in found]

    @property
    def table(self) -> Any:
        """The same as a DataFrame of pandas, else of polars, else as `rows`."""
        for library in ("pandas", "polars"):
            try:
                module: Any = __import__(library)
            except ImportError:
                continue
            return module.DataFrame(self.rows)
        return self.rows

    @property
    def best(self) -> dict[str, Any] | None:
        """The best row within the (first) sample; None where its figure is defined in none."""
        return _plain(self._finished.best())

    @property
    def outside(self) -> list[dict[str, Any]]:
        """What the best of each fold came to on data that it had not seen."""
        folds = range(1, len(self._finished.spec.folds) + 1)
        found = (_plain(self._finished.outside(fold)) for fold in folds)
        return [row for row in found if row is not None]

    @property
    def overfitting(self) -> Overfitting | None:
        """How far the best row may be luck; None where its returns do not vary."""
        return luck(self._finished)

    @property
    def walk_forward(self) -> Forward | None:
        """The stretches outside of the samples, put together; None where nothing was held back."""
        return forward(self._finished)

    @property
    def stopped(self) -> str:
        """Why it was ended before its last row; "": it was not."""
        return self._finished.stopped

    @property
    def page(self) -> Path:
        """sweep.html."""
        return self.folder / PAGE

    def check(self) -> Sweep:
        """Itself, when every row has an outcome and the best came to the same bytes again.

        Raises LogosError otherwise.
        """
        if self.stopped:
            raise LogosError(f"the sweep in {self.folder} was stopped: {self.stopped}")
        if self._finished.same is False:
            raise LogosError(
                f"the best row of {self.folder}, run once more by itself, came to other bytes: the "
                "strategy keeps something from one session to the next"
            )
        return self

    def rerun(self, row: int) -> Result:
        """Run one row once more; its session is kept, in the workspace `kept` of the folder.

        Raises ConfigError for a row without a session, LogosError when it came to other bytes.
        """
        with as_library(False):
            before, again, _ = rerun(self.folder, row, is_kept=True)
            if before.artifact_hash != again.artifact_hash:
                raise LogosError(f"row {row} of {self.folder} came to other bytes")
            return Result(read_saved(before.trial.session_id, self.folder / KEPT))

    def __repr__(self) -> str:
        spec, done = self._finished.spec, len(self._finished.outcomes)
        return f"<logos sweep of {spec.strategy}: {done} of {spec.rows} sessions, {self.folder}>"


def _plain(outcome: Outcome | None) -> dict[str, Any] | None:
    return None if outcome is None else dict(cells(outcome))


def sweep(
    strategy: type[Strategy] | str,
    params: Mapping[str, Values],
    *,
    by: str = "sharpe",
    data: Place | Sequence[Place] | None = None,
    cash: Mapping[str, Any] | None = None,
    config: Config | Mapping[str, Any] | Place | None = None,
    home: Place | None = None,
    **options: Unpack[SweepOptions],
) -> Sweep:
    """Run `strategy` over `params`, a session for each combination; see docs/SWEEPS.md.

    `strategy` is a name as on the command line, or a class of a module that can be imported; `by`
    a figure of docs/RESULTS.md; `data` files and folders. The rest is as for `logos.run`, and in
    `SweepOptions`. Worker processes import the script that calls this, so call it under
    `if __name__ == "__main__":`.

    A sweep that was interrupted or stopped by the kill switch gives what it has: see
    `Sweep.check`. Raises ConfigError, DataError, SwitchEngagedError and
    WorkspaceError, all LogosErrors.
    """
    _refuse_worker()
    unknown = sorted(set(options) - set(SweepOptions.__annotations__))
    if unknown:
        known = ", ".join(SweepOptions.__annotations__)
        raise ConfigError(f"unknown option {unknown[0]!r}; known: {known}")
    wish = Wish(
        params={name: _text(values) for name, values in params.items()},
        by=by,
        method=options.get("method", "grid"),
        trials=options.get("trials", 0),
        out_of_sample=options.get("out_of_sample", 0.0),
        walk_forward=options.get("walk_forward", 0),
        train=options.get("train", 3),
        is_anchored=options.get("anchored", False),
        is_kept=options.get("keep", False),
    )
    if wish.method == "optuna":
        from logos.sweeps.search import optuna

        optuna()
    words: Any = {name: options[name] for name in _OF_SESSIONS if name in options}  # type: ignore[literal-required]  # of a TypedDict
    tables = tables_of(words, options.get("symbols"), cash)
    tables["data"] = {**tables.get("data", {}), **({"paths": _places(data)} if data else {})}
    tables["strategy"] = {"name": _name(strategy)}
    settings = make_settings(config, tables)
    origin = Origin.here(fspath(config) if isinstance(config, str | PathLike) else None)
    with as_library(options.get("verbose", False)) as watch:
        out = options.get("out")
        folder = prepare(
            wish,
            settings,
            origin,
            workspace(home),
            None if out is None else Path(fspath(out)),
            watch.tell,
        )
        return _go(folder, options, Watch(tell=watch.tell))


_OF_SESSIONS = ("seed", "start", "end", "accept", "fill")


def resume_sweep(folder: Place, *, workers: int = 0, dask: str = "") -> Sweep:
    """Go on with a sweep that was stopped: rows that have an outcome are not run again.

    Raises as `logos.sweep`.
    """
    _refuse_worker()
    options: SweepOptions = {"workers": workers} if workers else {}
    if dask:
        options["dask"] = dask
    with as_library(False) as watch:
        return _go(Path(fspath(folder)).absolute(), options, Watch(tell=watch.tell))


def read_sweep(folder: Place) -> Sweep:
    """A sweep read from its folder, as far as it came. Raises ConfigError."""
    with as_library(False):
        return Sweep(read_finished(Path(fspath(folder)).absolute()))


def _go(folder: Path, options: SweepOptions, watch: Watch) -> Sweep:
    def run() -> Finished:
        return run_sweep(folder, _lanes(options), watch)

    try:
        finished = outside_of_loops(run)
    except SweepStoppedError as error:
        raise LogosError(str(error)) from error
    write_all(finished)
    return Sweep(finished)


def _lanes(options: SweepOptions) -> Lanes:
    count = options.get("workers") or len(os.sched_getaffinity(0))
    if count < 1:
        raise ConfigError("workers: one or more")
    address = options.get("dask")
    if address:
        from logos.sweeps.cluster import DaskLanes

        return DaskLanes(address, count)
    return ProcessLanes(count)


def _refuse_worker() -> None:
    """Raise LogosError in a worker that imports the script that started it."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as `spawn` marks it
        raise LogosError(GUARD)


def _text(values: Values) -> str:
    if values is None or isinstance(values, str):
        return values or ""
    if isinstance(values, Sequence) or hasattr(values, "tolist"):
        listed = values.tolist() if hasattr(values, "tolist") else list(values)
        return ",".join(as_text(each) for each in listed)
    return as_text(values)


def _places(data: Any) -> list[str]:
    given: list[Any] = [data] if isinstance(data, str | PathLike | FrameData) else list(data)
    if any(isinstance(each, FrameData) for each in given):
        raise ConfigError(
            "data: workers read files, and a table in memory is none: write it to one first, such "
            "as frame.to_parquet(...)"
        )
    return [str(fspath(each)) for each in given]


def _name(strategy: type[Strategy] | str) -> str:
    """The name by which a worker finds the strategy. Raises ConfigError where it cannot."""
    if isinstance(strategy, str):
        return strategy
    if not (inspect.isclass(strategy) and issubclass(strategy, Strategy)):
        raise ConfigError("strategy: name it, or give its class: each session makes its own")
    if strategy.__module__ == "__main__" or "<locals>" in strategy.__qualname__:
        raise ConfigError(
            f"strategy {strategy.__qualname__}: workers cannot find it there: put the class into a "
            'file of its own, and give it as "file.py:Class"'
        )
    return f"{strategy.__module__}:{strategy.__qualname__}"
