"""Rehearses incidents with the user's own strategy and data, and judges what the journals show.

Every scenario is a whole session in a workspace of its own below the rehearsal's folder: its own
kill switch, state, logs and journal, so nothing here reaches the machine's switch. First an
undisturbed session shows where the strategy orders and holds; then each scenario runs, and its
journal is read back from the disk and judged. What a scenario has no place for in this data is
NOT APPLICABLE, with the reason, and never a PASS.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from logos import paths
from logos.config import Config, ConfigError, VenueSettings, make_config, merge
from logos.files import make_folder
from logos.killswitch.history import CircuitBreakerMonitor
from logos.killswitch.records import SwitchError
from logos.rehearsal.evidence import Evidence, JournalView
from logos.rehearsal.expectations import Expectation, Finding, Intact
from logos.rehearsal.feed import InjectingFeed, places_of
from logos.rehearsal.profile import BaselineProfile, NotApplicable
from logos.rehearsal.scenarios import NO_INCIDENT, Scenario, bundled_scenarios
from logos.rehearsal.strategy import InjectedStrategy
from logos.session.entry import run as run_session
from logos.session.outcome import ExitCode
from logos.session.plan import Plan, make_plan
from logos.session.supervisor import SwitchEngagedError, open_switch

_LIMIT_KEYS: Final = ("max_", "price_collar", "stale_after_s")
"""Settings of which the smaller is the tighter: a scenario never loosens the user's own."""


class Verdict(enum.Enum):
    """How a scenario went."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    NOT_APPLICABLE = "NOT APPLICABLE"


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """One scenario's verdict. `findings` pairs each expectation's words with what was seen."""

    scenario: Scenario
    verdict: Verdict
    done: str
    findings: Sequence[tuple[str, Finding]] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A whole rehearsal."""

    folder: Path
    plan: Plan
    ticks: int
    results: Sequence[ScenarioResult] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """How many scenarios failed."""
        return sum(each.verdict is Verdict.FAIL for each in self.results)


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
    on_result: Callable[[ScenarioResult], object] = lambda _: None,
) -> Rehearsal:
    """Run `scenarios` with the strategy and data that `config` names.

    `on_result` hears of each scenario as it ends. Raises ConfigError or DataError when the session
    itself, or a scenario's settings, cannot be used; OSError when the folder cannot be written.
    """
    # Nothing of a rehearsal leaves this process, whatever venue the settings name.
    plan = make_plan(msgspec.structs.replace(config, venue=VenueSettings()))
    folder = claim_rehearsal(out)
    profile = BaselineProfile(plan.feed, plan.config, plan.instruments)
    stagehand = _Stagehand(plan, profile, folder)
    calm = next((each for each in scenarios if each.name == NO_INCIDENT), None)
    first = stagehand.perform(calm or _calm_scenario())
    profile.see_session(stagehand.journal(NO_INCIDENT))
    results: list[ScenarioResult] = []
    for scenario in scenarios:
        result = first if scenario is calm else stagehand.perform(scenario)
        results.append(result)
        on_result(result)
    return Rehearsal(folder, plan, stagehand.ticks, results)


def _calm_scenario() -> Scenario:
    return next(each for each in bundled_scenarios() if each.name == NO_INCIDENT)


class _Stagehand:
    """Runs scenarios, one after the other, over one plan's data."""

    def __init__(self, plan: Plan, profile: BaselineProfile, folder: Path) -> None:
        self._plan = plan
        self._profile = profile
        self._folder = folder
        self.ticks = profile.ticks

    def journal(self, name: str) -> JournalView:
        """The journal that the scenario `name` left."""
        return JournalView(self._session_folder(name) / "state.jsonl")

    def _session_folder(self, name: str) -> Path:
        return paths.within(self._folder / name, paths.session_dir(name))

    def perform(self, scenario: Scenario) -> ScenarioResult:
        """Run and judge one scenario."""
        try:
            evidence, done, missed = self._run(scenario)
        except NotApplicable as reason:
            return ScenarioResult(scenario, Verdict.NOT_APPLICABLE, "", (), str(reason))
        expectations: list[Expectation] = list(scenario.expect)
        if not any(isinstance(each, Intact) for each in expectations):
            expectations.insert(0, Intact())
        findings = [(each.words(), each.judge(evidence)) for each in expectations]
        if missed:
            words = f"{missed} did not: the session ended at tick {evidence.ticks_delivered}"
            findings.insert(0, ("every injection happens", Finding(False, words)))
        holds = all(finding.holds for _, finding in findings)
        return ScenarioResult(scenario, Verdict.PASS if holds else Verdict.FAIL, done, findings)

    def _run(self, scenario: Scenario) -> tuple[Evidence, str, int]:
        """What it left, what was done in words, and how many injections never came."""
        home = self._folder / scenario.name
        due = places_of(scenario, self._profile)
        config, done = self._config(scenario)
        try:
            plan = make_plan(config, feed=self._plan.feed)  # a fresh strategy each time
        except ConfigError as error:
            raise ConfigError(f"scenario {scenario.name}: {error}") from None
        drill = InjectedStrategy(plan.strategy)
        make_folder(home, is_new=True)
        switch = open_switch(_say_nothing, home)
        stage = InjectingFeed(plan.feed, scenario, due, self._profile, drill, switch)
        exit_code, said = ExitCode.FINISHED, ""
        try:
            result = run_session(
                plan.config, strategy=drill, feed=stage, switch=switch, tell=_say_nothing, home=home
            )
            exit_code = result.exit_code
        except OSError as problem:
            name = Path(str(problem.filename)).name
            exit_code, said = ExitCode.CANNOT_WRITE, f"cannot write {name}: {problem.strerror}"
        finally:
            stage.close()
            switch.close()
        if scenario.then == "restart":
            exit_code, said = _start_again(plan.config, home)
        evidence = Evidence(
            self.journal(scenario.name),
            stage.tick,
            stage.ticks_delivered,
            int(exit_code),
            said,
            sum(1 for _ in self._session_folder(scenario.name).parent.iterdir()),
            _history(switch.folder),
        )
        missed = len(scenario.inject) - len(stage.done)
        return evidence, "; ".join([*stage.done, *done]), missed

    def _config(self, scenario: Scenario) -> tuple[Config, list[str]]:
        """The user's settings with the scenario's on top, and what those are, in words."""
        settings = self._resolved(scenario.settings, scenario)
        tightened = _tightened(settings, msgspec.to_builtins(self._plan.config))
        done = [f"{key} = {value}" for key, value in _leaves(tightened, "")]
        raw = merge(msgspec.to_builtins(self._plan.config), tightened)
        # Symbols with limits of their own are under the scenario's as well.
        own = {k: v for k, v in tightened.get("risk", {}).items() if not isinstance(v, Mapping)}
        for table in raw["risk"]["symbols"].values():
            table.update(_tightened(own, table))
        raw["session"]["id"] = scenario.name
        return make_config(raw, f"scenario {scenario.name}"), done

    def _resolved(self, settings: Mapping[str, Any], scenario: Scenario) -> dict[str, Any]:
        """`settings` with every "@name" replaced by its value in this data."""
        resolved: dict[str, Any] = {}
        for key, value in settings.items():
            if isinstance(value, Mapping):
                value = self._resolved(value, scenario)
            elif isinstance(value, str) and value.startswith("@"):
                value = self._profile.named(value, scenario)
            resolved[key] = value
        return resolved


def _tightened(settings: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    """`settings`, where the user's own limit is tighter that one (0 is no limit)."""
    tightened: dict[str, Any] = {}
    for key, value in settings.items():
        own = user.get(key)
        if isinstance(value, Mapping):
            value = _tightened(value, own if isinstance(own, Mapping) else {})
        elif key.startswith(_LIMIT_KEYS) and not key.endswith("_window_s") and own is not None:
            limits = [Decimal(str(limit)) for limit in (own, value)]
            value = own if 0 < limits[0] < limits[1] else value
        elif key == "duplicate_window_s" and own is not None:
            value = max(own, value, key=Decimal)
        tightened[key] = value
    return tightened


def _leaves(settings: Mapping[str, Any], path: str) -> list[tuple[str, Any]]:
    return [
        leaf
        for key, value in settings.items()
        for leaf in (
            _leaves(value, f"{path}{key}.")
            if isinstance(value, Mapping)
            else [(f"{path}{key}", value)]
        )
    ]


def _start_again(config: Config, home: Path) -> tuple[ExitCode, str]:
    """What a second start in the same workspace comes to."""
    again = msgspec.structs.replace(
        config, session=msgspec.structs.replace(config.session, id=f"{config.session.id}-2"[-64:])
    )
    try:
        result = run_session(again, tell=_say_nothing, home=home)
    except SwitchEngagedError as refusal:
        return ExitCode.HALTED, str(refusal)
    return result.exit_code, f"it started: {result.reason}"


def _history(folder: Path) -> list[str]:
    """The states in the history of a switch."""
    try:
        return [transition.state for transition in CircuitBreakerMonitor(folder).history()]
    except SwitchError as error:
        return [str(error)]


def _say_nothing(_: str) -> None:
    """What a rehearsed session tells its operator is not for the terminal."""
