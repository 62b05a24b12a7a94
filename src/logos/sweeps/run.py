"""Runs a sweep to its end, or takes one up again: rows to workers, outcomes to the record.

The order of rows is settled before the first one runs, and the table is in that order whichever
worker was done first. The kill switch is asked twenty times a second here, by every worker before
it begins a session, and by the sessions themselves; once it is engaged nothing new begins, and what
was under way is no result. Taken up again, a sweep runs the rows that have none.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from logos.build import build_hash
from logos.config import ConfigError
from logos.core.types import SwitchState
from logos.errors import LogosError
from logos.killswitch.breaker import CircuitBreaker
from logos.session.opening.machine_switch import open_switch, session_switch
from logos.session.presence import registry
from logos.sweeps.lanes import Hooks, Lanes, ProcessLanes, Request
from logos.sweeps.outcome import Outcome
from logos.sweeps.ranking import ranked
from logos.sweeps.record import Record, locked
from logos.sweeps.space import draws, grid
from logos.sweeps.spec import SweepSpec, Trial, fold_trials, outside_trial, read_spec
from logos.sweeps.worker import KEPT, Reply, Task

WORK: Final = "work"
"""The folder of attempts in a sweep's folder."""


class SweepStoppedError(LogosError):
    """A sweep that was ended before its last row, in order: `why`, and how far it came."""

    def __init__(self, why: str, *, by_switch: bool) -> None:
        super().__init__(why)
        self.by_switch = by_switch


class Watch(NamedTuple):
    """Who looks on."""

    progress: Callable[[int, int], object] = lambda _done, _of: None
    """Called with how many rows are done, of how many."""
    is_interrupted: Callable[[], bool] = lambda: False
    """Whether the operator wants it to end."""
    tell: Callable[[str], object] = lambda _text: None


class Finished(NamedTuple):
    """A sweep's rows."""

    folder: Path
    spec: SweepSpec
    outcomes: Sequence[Outcome]
    """In the order of the table."""
    same: bool | None
    """Whether the best row, run once more by itself, came to the same bytes; None: it was not."""
    stopped: str = ""
    """Why it was ended before its last row; "": it was not."""
    by_switch: bool = False

    def best(self, fold: int = 1) -> Outcome | None:
        """The best row within a fold (from 1); None where the figure is defined in none."""
        inside = [each for each in self.outcomes if _is_inside(each, fold)]
        return next(iter(ranked(inside, self.spec.by)), None)

    def outside(self, fold: int = 1) -> Outcome | None:
        """What the best of a fold came to on what it had not seen."""
        found = (
            each for each in self.outcomes if each.trial.fold == fold and each.trial.sample == "out"
        )
        return next(found, None)


def _is_inside(outcome: Outcome, fold: int) -> bool:
    return outcome.trial.fold == fold and outcome.trial.sample == "in"


def run_sweep(folder: Path, lanes: Lanes, watch: Watch | None = None) -> Finished:
    """Run what is left of the sweep in `folder`. `lanes` are let go when it is over.

    One that is stopped, by the switch or an operator, gives what it has: see `Finished.stopped`.
    Raises ConfigError, SwitchEngagedError, LogosError for what keeps its rows from being run, and
    OSError.
    """
    watch = watch or Watch()
    with ExitStack() as resources:
        resources.callback(lanes.close)
        return _run_in(folder, lanes, watch, resources)


def _run_in(folder: Path, lanes: Lanes, watch: Watch, resources: ExitStack) -> Finished:
    spec = read_spec(folder)
    if spec.build != build_hash():
        raise ConfigError(
            f"the sources of logos are not those that the sweep in {folder} began with: go on with "
            f"those (logos {spec.software}), or begin a new sweep"
        )
    resources.enter_context(locked(folder))
    switch = resources.enter_context(_ruled(spec, folder, watch))
    record = Record(folder)
    resources.callback(record.close)
    running = _Running(folder, spec, record, lanes, watch, switch)
    resources.callback(shutil.rmtree, folder / WORK, ignore_errors=True)
    resources.callback(lanes.close)  # before what they write into is removed
    try:
        running.all_rows()
        same = running.repeat_best()
    except SweepStoppedError as error:
        why, by_switch = str(error), error.by_switch
        return Finished(folder, spec, record.in_order, None, why, by_switch=by_switch)
    return Finished(folder, spec, record.in_order, same)


@contextmanager
def _ruled(spec: SweepSpec, folder: Path, watch: Watch) -> Iterator[CircuitBreaker]:
    """The switch of the sweep's workspace, while `logos kill` finds the sweep there.

    Raises SwitchEngagedError, RegistryError.
    """
    workspace = Path(spec.workspace)
    with ExitStack() as resources:
        entry = registry.enter("sweep", workspace, folder.name)
        resources.callback(entry.close)
        open_switch(watch.tell, workspace).close()
        switch = session_switch(workspace)
        resources.callback(switch.close)
        yield switch


class _Running:
    """One sweep that is being run."""

    def __init__(
        self,
        folder: Path,
        spec: SweepSpec,
        record: Record,
        lanes: Lanes,
        watch: Watch,
        switch: CircuitBreaker,
    ) -> None:
        self._folder = folder
        self._spec = spec
        self._record = record
        self._lanes = lanes
        self._watch = watch
        self._switch = switch
        self._by_switch = False
        self._failed = ""

    def all_rows(self) -> None:
        """Run every row that has no outcome. Raises SweepStoppedError, LogosError."""
        self._watch.progress(len(self._record.outcomes), self._spec.rows)
        if self._spec.method == "optuna":
            from logos.sweeps.search import search

            for fold in range(len(self._spec.folds)):
                search(self._spec, fold, self._folder, self._outcomes_of)
        else:
            params = _planned(self._spec)
            folds = range(len(self._spec.folds))
            self._outcomes_of(
                trial for fold in folds for trial in fold_trials(self._spec, fold, params)
            )
        outside = []
        for fold in range(len(self._spec.folds)):
            best = self._so_far().best(fold + 1)
            trial = None if best is None else outside_trial(self._spec, fold, best.trial.params)
            if trial is not None:
                outside.append(trial)
        self._outcomes_of(outside)

    def repeat_best(self) -> bool | None:
        """Run the best row once more, in a process of its own: whether it came to the same."""
        best = self._so_far().best()
        if best is None:
            return None
        try:
            again = repeat(self._folder, self._spec, best.trial, self._stop)
        except SweepStoppedError as error:
            by_switch = error.by_switch or self._by_switch
            raise SweepStoppedError(str(error), by_switch=by_switch) from None
        return again.artifact_hash == best.artifact_hash

    def _so_far(self) -> Finished:
        return Finished(self._folder, self._spec, self._record.in_order, None)

    def _outcomes_of(self, trials: Iterable[Trial]) -> Mapping[int, Outcome]:
        """Those of all rows so far, these among them."""
        requests = []
        for trial in trials:
            there = self._record.outcomes.get(trial.row)
            if there is not None and there.trial != trial:
                raise LogosError(
                    f"{self._folder}: row {trial.row} is of other parameters than the sweep gives "
                    "it: its files were changed; begin a new sweep"
                )
            if there is None:
                content = msgspec.json.encode(task_of(self._folder, self._spec, trial))
                requests.append(Request(trial.row, content))
        if requests:
            why = self._lanes.run(requests, Hooks(self._done, self._lost, self._stop))
            if self._failed:
                raise LogosError(self._failed)
            if why or self._by_switch:  # at the last row the lanes have nothing left to stop
                raise SweepStoppedError(why or self._stop(), by_switch=self._by_switch)
        return self._record.outcomes

    def _done(self, row: int, content: bytes) -> None:
        reply = msgspec.json.decode(content, type=Reply)
        if reply.outcome is not None:
            assert reply.outcome.row == row
            self._record.add(reply.outcome)
            self._watch.progress(len(self._record.outcomes), self._spec.rows)
        elif reply.stopped:
            self._by_switch = True
        else:
            self._failed = self._failed or f"row {row}: {reply.failed}"

    def _lost(self, row: int, why: str) -> None:
        self._failed = self._failed or (
            f"row {row} was given up: {why}; look at what it needs (memory?), and take the sweep "
            f"up again: logos sweep --resume {self._folder}"
        )

    def _stop(self) -> str:
        """Why nothing more is to be run; "": it goes on."""
        if self._switch.authority() is not SwitchState.SAFE:
            self._by_switch = True
        if self._by_switch:
            return self._switch.why() or "the kill switch was engaged"
        if self._watch.is_interrupted():
            return "interrupted by the operator"
        return self._failed


def _planned(spec: SweepSpec) -> list[dict[str, str]]:
    if spec.method == "grid":
        return list(grid(spec.axes))
    return draws(spec.axes, spec.trials, spec.seed)


def task_of(folder: Path, spec: SweepSpec, trial: Trial, *, is_kept: bool | None = None) -> Task:
    """What a worker is sent for one row."""
    wants = spec.is_kept if is_kept is None else is_kept
    return Task(
        trial=trial,
        settings=spec.settings,
        origin=spec.origin,
        build=spec.build,
        workspace=spec.workspace,
        scratch=str(folder / WORK),
        kept=str(folder / KEPT) if wants else "",
    )


def repeat(
    folder: Path,
    spec: SweepSpec,
    trial: Trial,
    stop: Callable[[], str] = lambda: "",
    *,
    is_kept: bool = False,
) -> Outcome:
    """Run one row once more, in a process of its own. Raises SweepStoppedError, LogosError."""
    found: list[Reply] = []
    problems: list[str] = []
    lanes = ProcessLanes(1)
    task = task_of(folder, spec, trial, is_kept=is_kept)
    hooks = Hooks(
        done=lambda _row, content: found.append(msgspec.json.decode(content, type=Reply)),
        lost=lambda _row, why: problems.append(why),
        stop=stop,
    )
    try:
        why = lanes.run([Request(trial.row, msgspec.json.encode(task))], hooks)
    finally:
        lanes.close()
    reply = found[0] if found else Reply(failed=why or problems[0])
    if reply.outcome is not None:
        return reply.outcome
    if why or reply.stopped:
        raise SweepStoppedError(why or reply.stopped, by_switch=bool(reply.stopped))
    raise LogosError(f"row {trial.row}: {reply.failed}")
