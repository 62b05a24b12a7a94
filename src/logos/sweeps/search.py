"""A search by Optuna: which parameters to try next follows from what came of those before.

Rows are asked for in batches of a fixed size, and told in the order of the table once all of a
batch are done, so that what is tried depends neither on how many workers there are nor on which was
quicker. Each batch has a sampler of its own, seeded by the sweep's seed and its number: a sweep
that is taken up again asks for the same rows. The record of the sweep is what counts; Optuna's
journal (`optuna-FOLD.log`, which its dashboard reads) is made anew from it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from logos.config import ConfigError
from logos.installation import install_command
from logos.sweeps.outcome import LOWER_IS_BETTER, Outcome
from logos.sweeps.space import Axis, as_text
from logos.sweeps.spec import SweepSpec, Trial, fold_trials

BATCH: Final = 8
"""Rows that are asked for together."""

Outcomes = Callable[[Iterable[Trial]], Mapping[int, Outcome]]


def optuna() -> Any:
    """The library. Raises ConfigError, with what installs it, where it is missing."""
    try:
        return importlib.import_module("optuna")
    except ImportError:
        raise ConfigError(
            f"--optuna needs the library optuna: {install_command('sweeps')}"
        ) from None


def search(spec: SweepSpec, fold: int, folder: Path, outcomes_of: Outcomes) -> None:
    """Run all rows of one fold (from 0). `outcomes_of` runs trials, and gives all outcomes."""
    library = optuna()
    library.logging.set_verbosity(library.logging.WARNING)
    study = _study(library, spec, folder / f"optuna-{fold + 1}.log")
    space = {axis.name: _distribution(library, axis) for axis in spec.axes}
    for first in range(0, spec.trials, BATCH):
        count = min(BATCH, spec.trials - first)
        study.sampler = library.samplers.TPESampler(seed=spec.seed + first)
        asked = [study.ask(space) for _ in range(count)]
        params = [
            {axis.name: _text(axis, each.params[axis.name]) for axis in spec.axes} for each in asked
        ]
        trials = list(fold_trials(spec, fold, params, first))
        outcomes = outcomes_of(trials)
        for each, trial in zip(asked, trials, strict=True):
            value = outcomes[trial.row].value(spec.by)
            if value is None:
                study.tell(each, state=library.trial.TrialState.FAIL)
            else:
                study.tell(each, value)


def _study(library: Any, spec: SweepSpec, path: Path) -> Any:
    """A new study in a journal file of its own."""
    path.unlink(missing_ok=True)
    journal = library.storages.journal
    lock = journal.JournalFileOpenLock(str(path))
    storage = library.storages.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=lock))
    return library.create_study(
        storage=storage,
        study_name=path.stem,
        direction="minimize" if spec.by in LOWER_IS_BETTER else "maximize",
    )


def _distribution(library: Any, axis: Axis) -> Any:
    kinds = library.distributions
    if not axis.is_range:
        return kinds.CategoricalDistribution(list(axis.values))
    if axis.is_whole:
        return kinds.IntDistribution(int(axis.low), int(axis.values[-1]), step=int(axis.step))
    # What is searched are steps, counted in whole numbers: they come out as exact decimals.
    if axis.step:
        return kinds.IntDistribution(0, len(axis.values) - 1)
    return kinds.FloatDistribution(float(axis.low), float(axis.high))


def _text(axis: Axis, value: Any) -> str:
    if axis.is_range and not axis.is_whole and axis.step:
        return axis.values[int(value)]
    return as_text(Decimal(repr(value)) if isinstance(value, float) else value)
