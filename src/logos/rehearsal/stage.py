"""Runs scenarios over one plan's data, each as a session in a workspace of its own.

What cannot be run is that scenario's ERROR and nobody else's. Only what stops the process (an
operator's Ctrl-C) is raised.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from logos.config import Config
from logos.errors import LogosError
from logos.files import make_folder, replace_json
from logos.rehearsal.evidence import JournalView
from logos.rehearsal.feed import InjectingFeed, places_of
from logos.rehearsal.limits import as_it_is, leaves, lend, tightened
from logos.rehearsal.own import NoLimitSet, for_own_limits
from logos.rehearsal.profile import BaselineProfile, NotApplicable
from logos.rehearsal.reports.picture import picture
from logos.rehearsal.scenarios import Scenario
from logos.rehearsal.strategy import InjectedStrategy
from logos.rehearsal.verdicts import (
    FACTS_FILE,
    Facts,
    Part,
    ScenarioResult,
    Verdict,
    home_of,
    judge,
    read_journal_of,
)
from logos.session.entry import run as run_session
from logos.session.opening.machine_switch import SwitchEngagedError, open_switch
from logos.session.outcome import ExitCode
from logos.session.plan import Plan, make_plan


class Stage:
    """Runs and judges scenarios, one after the other."""

    def __init__(self, plan: Plan, profile: BaselineProfile, folder: Path) -> None:
        self._plan = plan
        self._profile = profile
        self._folder = folder

    def journal(self, name: str) -> JournalView:
        """The journal that the scenario `name` left in the part "the engine"."""
        return read_journal_of(home_of(self._folder, Part.ENGINE, name), name)

    def perform(self, scenario: Scenario, part: Part) -> ScenarioResult:
        """Run and judge one scenario."""
        try:
            if part is Part.SETTINGS:
                scenario = for_own_limits(scenario, self._profile, self._plan.config)
            facts = self._run(scenario, part)
            home = home_of(self._folder, part, scenario.name)
            replace_json(home / FACTS_FILE, msgspec.to_builtins(facts), durable=False)
            journal = read_journal_of(home, scenario.name)
            drawn = picture(journal, facts.ts_ns)
            return dataclasses.replace(judge(facts, home, journal), picture=drawn)
        except NotApplicable as reason:
            return _not_run(scenario, part, Verdict.NOT_APPLICABLE, str(reason))
        except NoLimitSet as missing:
            return _not_run(scenario, part, Verdict.NO_LIMIT_SET, str(missing))
        except Exception as error:
            name = "" if isinstance(error, LogosError | OSError) else f"{type(error).__name__}: "
            return _not_run(scenario, part, Verdict.ERROR, f"{name}{error}")

    def _run(self, scenario: Scenario, part: Part) -> Facts:
        """Run it; what stands in no journal."""
        home = home_of(self._folder, part, scenario.name)
        due = places_of(scenario, self._profile)
        config, said, lent = self._config(scenario, part)
        plan = make_plan(
            config, feed=self._plan.feed, origin=self._plan.origin
        )  # a fresh strategy each time
        drill = InjectedStrategy(plan.strategy)
        make_folder(home, is_new=True)
        switch = open_switch(_say_nothing, home)
        feed = InjectingFeed(plan.feed, scenario, due, self._profile, drill, switch)
        exit_code, error = ExitCode.FINISHED, ""
        try:
            result = run_session(
                plan.config, strategy=drill, feed=feed, switch=switch, tell=_say_nothing, home=home
            )
            exit_code = result.exit_code
        except OSError as problem:
            name = Path(str(problem.filename)).name
            exit_code, error = ExitCode.CANNOT_WRITE, f"cannot write {name}: {problem.strerror}"
        finally:
            feed.close()
            switch.close()
        if scenario.then == "restart":
            exit_code, error = _start_again(plan, home)
        return Facts(
            scenario=scenario,
            part=part,
            tick=feed.tick,
            ts_ns=feed.ts_ns,
            ticks_delivered=feed.ticks_delivered,
            exit_code=int(exit_code),
            error=error,
            done=[*feed.done, *said],
            lent=lent,
            missed=len(scenario.inject) - len(feed.done),
        )

    def _config(self, scenario: Scenario, part: Part) -> tuple[Config, list[str], list[str]]:
        """The settings of its session; the scenario's own in words; and what is not the user's."""
        user = self._plan.config
        if part is Part.SETTINGS:
            return as_it_is(user, scenario.name), [], []
        settings = self._resolved(scenario.settings, scenario)
        said = leaves(tightened(settings, msgspec.to_builtins(user)))
        config, lent = lend(user, settings, scenario.name)
        return config, [f"{key} = {value}" for key, value in said], lent

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


def _not_run(scenario: Scenario, part: Part, verdict: Verdict, reason: str) -> ScenarioResult:
    return ScenarioResult(scenario, verdict, "", (), reason, part)


def _start_again(plan: Plan, home: Path) -> tuple[ExitCode, str]:
    """What a second start in the same workspace comes to."""
    config = plan.config
    again = msgspec.structs.replace(
        config, session=msgspec.structs.replace(config.session, id=f"{config.session.id}-2"[-64:])
    )
    try:
        result = run_session(again, tell=_say_nothing, home=home, origin=plan.origin)
    except SwitchEngagedError as refusal:
        return ExitCode.HALTED, str(refusal)
    return result.exit_code, f"it started: {result.reason}"


def _say_nothing(_: str) -> None:
    """What a rehearsed session tells its operator is not for the terminal."""
