"""What a sweep is, as `sweep.json` of its folder has it, and what its rows are.

All that a row's session follows from is in there: the settings (secrets masked), where the files
are that they name, the axes, and how the data is split. So a sweep can be taken up again, and any
row be run once more, from the folder alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from logos.config import Config, ConfigError, make_config
from logos.config.masking import unmasked_config
from logos.errors import WorkspaceError
from logos.files import read_whole, replace_json
from logos.session.stored.origin import Origin
from logos.sweeps.space import Axis

SPEC: Final = "sweep.json"
_BYTES_MAX: Final = 1 << 26
_VERSION: Final = 1

Method = Literal["grid", "random", "optuna"]
Sample = Literal["in", "out"]


class Stretch(msgspec.Struct, frozen=True):
    """Event time from `start` (inclusive) to `end` (exclusive), ISO-8601 UTC; "": open."""

    start: str = ""
    end: str = ""


class Fold(msgspec.Struct, frozen=True):
    """What is searched in, and what the best of it is then tried on; None: on nothing."""

    inside: Stretch
    outside: Stretch | None = None


class SweepSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep. Nothing of it changes once its folder is there."""

    version: int = _VERSION
    software: str
    build: str
    """Hash over the sources of logos: rows of another build are other rows."""
    strategy: str
    axes: tuple[Axis, ...]
    method: Method
    trials: int
    """Sessions within each fold."""
    by: str
    """The figure that is best."""
    seed: int
    """Of the draws and the search; that of the sessions is in the settings."""
    settings: dict[str, Any]
    """Tables of the settings of all sessions, secrets masked."""
    origin: Origin
    workspace: str
    """Whose kill switch rules all sessions; absolute."""
    folds: tuple[Fold, ...] = (Fold(Stretch()),)
    is_kept: bool = False
    """Whether the sessions' folders are kept."""

    @property
    def rows(self) -> int:
        """How many rows the whole table has."""
        return sum(self.trials + (fold.outside is not None) for fold in self.folds)


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One row: a session with these parameters over this stretch of the data."""

    row: int
    """From 1, in the order of the table."""
    fold: int
    """From 1."""
    sample: Sample
    stretch: Stretch
    params: dict[str, str]

    @property
    def session_id(self) -> str:
        """What its session is called: the same wherever and however often it is run."""
        return f"trial-{self.row:04d}"


def fold_trials(
    spec: SweepSpec, fold: int, params: Sequence[Mapping[str, str]], first: int = 0
) -> Iterator[Trial]:
    """The rows within one fold (from 0) with these parameters, `first` of its rows left out."""
    start = fold * spec.trials + first + 1
    for number, each in enumerate(params):
        yield Trial(
            row=start + number,
            fold=fold + 1,
            sample="in",
            stretch=spec.folds[fold].inside,
            params=dict(each),
        )


def outside_trial(spec: SweepSpec, fold: int, params: Mapping[str, str]) -> Trial | None:
    """The row in which the best of a fold is tried on what it has not seen."""
    stretch = spec.folds[fold].outside
    if stretch is None:
        return None
    row = len(spec.folds) * spec.trials + fold + 1
    return Trial(row=row, fold=fold + 1, sample="out", stretch=stretch, params=dict(params))


def trial_config(settings: Mapping[str, Any], trial: Trial) -> Config:
    """The settings of one row's session. Raises ConfigError."""
    data = dict(settings.get("data") or {})
    if trial.stretch.start:
        data["from"] = trial.stretch.start
    if trial.stretch.end:
        data["to"] = trial.stretch.end
    strategy = dict(settings["strategy"])
    strategy["params"] = {**strategy.get("params", {}), **trial.params}
    session = {**settings["session"], "id": trial.session_id}
    tables = {**settings, "data": data, "strategy": strategy, "session": session}
    return unmasked_config(make_config(tables, "settings of the sweep"))


def write_spec(folder: Path, spec: SweepSpec) -> None:
    """Write sweep.json. Raises OSError."""
    replace_json(folder / SPEC, spec)


def read_spec(folder: Path) -> SweepSpec:
    """Read sweep.json. Raises ConfigError where there is no sweep, or one of another version."""
    try:
        spec = msgspec.json.decode(read_whole(folder / SPEC, _BYTES_MAX), type=SweepSpec)
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(f"{folder} is no sweep: there is no {SPEC} in it") from None
    except OSError as error:
        raise WorkspaceError(f"{folder / SPEC}: {error.strerror}") from None
    except ValueError as error:  # msgspec's errors are ValueErrors
        raise ConfigError(f"{folder / SPEC} is not what a sweep writes: {error}") from None
    if spec.version != _VERSION:
        raise ConfigError(
            f"{folder} was made by logos {spec.software}, which writes other sweeps than this one"
        )
    return spec
