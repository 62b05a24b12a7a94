"""Rehearses incidents with the user's own strategy and data, and judges what the journals show.

Every scenario is a whole session in a workspace of its own below the rehearsal's folder: its own
kill switch, state, logs and journal, so nothing here reaches the machine's switch. First an
undisturbed session shows where the strategy orders and holds; then each scenario runs, and its
journal is read back from the disk and judged. What a scenario has no place for in this data is
NOT APPLICABLE, with the reason, and never a PASS.

Two parts, two questions. "The engine": does the guard work? A scenario lends the limits it needs,
and each is named. "Your settings": is there a limit at all, and does it act? Every scenario that
lends a limit runs again with nothing lent. One that cannot run is an ERROR and ends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from logos import paths
from logos.config import Config, ConfigError, VenueSettings
from logos.files import make_folder
from logos.rehearsal.limits import guards_lent
from logos.rehearsal.profile import BaselineProfile
from logos.rehearsal.scenarios import NO_INCIDENT, Scenario, bundled_scenarios
from logos.rehearsal.stage import Stage
from logos.rehearsal.verdicts import Part, ScenarioResult, Verdict
from logos.session.plan import Plan, make_plan
from logos.session.stored.origin import NOT_KNOWN, Origin

__all__ = ["Rehearsal", "ScenarioResult", "Verdict", "claim_rehearsal", "rehearse"]


@dataclass(slots=True)
class Rehearsal:
    """A whole rehearsal, or as much of it as there is yet.

    `results` are those of the engine, `own` those of the user's settings; `ticks` is how many the
    undisturbed session passed.
    """

    folder: Path
    plan: Plan
    planned: int
    ticks: int = 0
    results: list[ScenarioResult] = field(default_factory=list)
    own: list[ScenarioResult] = field(default_factory=list)

    @property
    def every(self) -> list[ScenarioResult]:
        """The results of both parts."""
        return [*self.results, *self.own]

    @property
    def failed(self) -> int:
        """How many scenarios failed or could not be run."""
        return sum(each.verdict in (Verdict.FAIL, Verdict.ERROR) for each in self.every)

    @property
    def without_limit(self) -> int:
        """How many scenarios met a guard for which the user's settings have no limit."""
        return sum(each.verdict is Verdict.NO_LIMIT_SET for each in self.own)


def claim_rehearsal(folder: Path | None) -> Path:
    """Make the rehearsal's folder: `folder`, or the next free one below `runs/rehearsals`.

    Raises ConfigError when `folder` holds something, OSError when it cannot be made.
    """
    if folder is not None:
        make_folder(folder)
        if any(folder.iterdir()):
            raise ConfigError(f"--out {folder}: holds something already; name an empty folder")
        return folder.resolve()
    parent = paths.home() / "runs" / "rehearsals"
    make_folder(parent)
    number = 1
    while True:
        folder = parent / f"rehearsal-{number:04d}"
        with suppress(FileExistsError):
            make_folder(folder, is_new=True)
            return folder
        number += 1


def rehearse(
    config: Config,
    scenarios: Sequence[Scenario],
    *,
    out: Path | None = None,
    origin: Origin = NOT_KNOWN,
    on_result: Callable[[ScenarioResult], object] = lambda _: None,
    on_begin: Callable[[Rehearsal], object] = lambda _: None,
) -> Rehearsal:
    """Run `scenarios` with the strategy and data that `config` names, as `origin` finds them.

    `on_begin` gets the rehearsal when it has a folder and no result yet, `on_result` hears of each
    scenario as it ends. Raises ConfigError or DataError when the session itself cannot be made, and
    OSError when the folder cannot be written; a scenario that cannot run is an ERROR.
    """
    # Nothing of a rehearsal leaves this process, whatever venue the settings name.
    # Nobody is to be told of an incident that is only rehearsed.
    config = msgspec.structs.replace(config, venue=VenueSettings(), alerts=msgspec.UNSET)
    plan = make_plan(config, origin=origin)
    lending = [scenario for scenario in scenarios if guards_lent(scenario)]
    rehearsal = Rehearsal(claim_rehearsal(out), plan, len(scenarios) + len(lending))
    on_begin(rehearsal)
    profile = BaselineProfile(plan.feed, plan.config, plan.instruments)
    rehearsal.ticks = profile.ticks
    stage = Stage(plan, profile, rehearsal.folder)
    calm = next((each for each in scenarios if each.name == NO_INCIDENT), None)
    first = stage.perform(calm or _calm_scenario(), Part.ENGINE)
    profile.see_session(stage.journal(NO_INCIDENT))
    if calm is None and first.verdict is Verdict.ERROR:
        rehearsal.results.append(first)
        on_result(first)
    for scenario in scenarios:
        result = first if scenario is calm else stage.perform(scenario, Part.ENGINE)
        rehearsal.results.append(result)
        on_result(result)
    for scenario in lending:
        result = stage.perform(scenario, Part.SETTINGS)
        rehearsal.own.append(result)
        on_result(result)
    return rehearsal


def _calm_scenario() -> Scenario:
    return next(each for each in bundled_scenarios() if each.name == NO_INCIDENT)
