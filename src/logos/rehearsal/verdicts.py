"""What a rehearsed session left for its judge, and the verdict on it: at any time, anywhere.

`Facts` is what no journal tells: which scenario it was, when what was done, how the process would
have ended. It lies beside the session, so that whoever has both can judge again; sessions and the
history of the switch are read from the files.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from logos import paths
from logos.core.fixed import to_decimal
from logos.core.records import AccountRecord
from logos.core.types import Code
from logos.journal.entries import Manifest
from logos.killswitch.history import CircuitBreakerMonitor
from logos.killswitch.records import SwitchError
from logos.rehearsal.evidence import Evidence, JournalView
from logos.rehearsal.expectations import Expectation, Intact, Tripped
from logos.rehearsal.finding import Finding
from logos.rehearsal.scenarios import Scenario

FACTS_FILE: Final = "rehearsed.json"
SETTINGS_FOLDER: Final = "your.settings"
"""Below a rehearsal's folder; no scenario can have this name, for the dot in it."""
_SWITCH_FOLDER: Final = Path("state", "kill-switch")


class Part(enum.Enum):
    """Which question a session answers."""

    ENGINE = "the engine"
    """Does the guard work? Limits are lent where a scenario needs one."""
    SETTINGS = "your settings"
    """Is there a limit, and does it act? Nothing is lent."""


class Verdict(enum.Enum):
    """How a scenario went."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    ERROR = "ERROR"
    NO_LIMIT_SET = "NO LIMIT SET"
    NOT_APPLICABLE = "NOT APPLICABLE"


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """One scenario's verdict. `findings` pairs each expectation's words with what was seen.

    `lent` names in words every setting that was not the user's; `picture` is an SVG element.
    """

    scenario: Scenario
    verdict: Verdict
    done: str
    findings: Sequence[tuple[str, Finding]] = ()
    reason: str = ""
    part: Part = Part.ENGINE
    lent: Sequence[str] = ()
    picture: str = ""


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was done to a session, and what of its end stands in no journal.

    `tick` and `ts_ns` are the last injection's (0: it never came); `missed` counts injections that
    never came because the session had ended.
    """

    scenario: Scenario
    part: Part
    tick: int
    ts_ns: int
    ticks_delivered: int
    exit_code: int
    error: str
    done: list[str]
    lent: list[str]
    missed: int


def home_of(folder: Path, part: Part, name: str) -> Path:
    """The workspace of a scenario below the folder of its rehearsal."""
    return folder / name if part is Part.ENGINE else folder / SETTINGS_FOLDER / name


def read_journal_of(home: Path, name: str) -> JournalView:
    """The journal that the scenario `name` left in its workspace."""
    return JournalView(_session(home, name) / "state.jsonl")


def judge(facts: Facts, home: Path, journal: JournalView) -> ScenarioResult:
    """The verdict on what a scenario left in its workspace `home`."""
    scenario = facts.scenario
    evidence = Evidence(
        journal,
        facts.tick,
        facts.ticks_delivered,
        facts.exit_code,
        facts.error,
        sum(1 for _ in _session(home, scenario.name).parent.iterdir()),
        _history(home / _SWITCH_FOLDER),
    )
    expectations: list[Expectation] = list(scenario.expect)
    if not any(isinstance(each, Intact) for each in expectations):
        expectations.insert(0, Intact())
    findings = [(each.words(), each.judge(evidence)) for each in expectations]
    # With the user's own limits the guard may end the session before all was done to it.
    if facts.missed and facts.part is Part.ENGINE:
        words = f"{facts.missed} did not: the session ended at tick {facts.ticks_delivered}"
        findings.insert(0, ("every injection happens", Finding(False, words)))
    holds = all(finding.holds for _, finding in findings)
    verdict, reason = (Verdict.PASS if holds else Verdict.FAIL), ""
    if not holds and facts.part is Part.SETTINGS:
        reason = _not_reached(expectations, journal)
        verdict = Verdict.NOT_APPLICABLE if reason else verdict
    done = "; ".join(facts.done)
    return ScenarioResult(scenario, verdict, done, findings, reason, facts.part, tuple(facts.lent))


def _session(home: Path, name: str) -> Path:
    return paths.within(home, paths.session_dir(name))


def _history(folder: Path) -> list[str]:
    """The states in the history of a switch."""
    try:
        return [transition.state for transition in CircuitBreakerMonitor(folder).history()]
    except SwitchError as error:
        return [str(error)]


def _not_reached(expectations: Sequence[Expectation], journal: JournalView) -> str:
    """Why the loss that was made did not reach the user's limit; empty when it did."""
    codes = [code for each in expectations if isinstance(each, Tripped) for code in each.codes]
    manifests = journal.of(Manifest)
    if Code.MAX_DRAWDOWN.value not in codes or not manifests:
        return ""
    total: Mapping[str, Any] = manifests[0].config.get("risk", {}).get("total", {})
    last = {sample.currency: sample for sample in journal.of(AccountRecord)}
    words = []
    for currency, sample in last.items():
        lost, high = (
            to_decimal(units, sample.money_decimals)
            for units in (sample.max_drawdown_units, sample.high_water_units)
        )
        limits = [
            Decimal(str(total.get("max_drawdown") or 0)),
            Decimal(str(total.get("max_drawdown_share") or 0)) * high,
        ]
        limit = min((each for each in limits if each), default=Decimal(0))
        if limit and lost >= limit:
            return ""
        words.append(f"{lost:.2f} of {limit:.2f} {currency}")
    return f"the loss that could be made did not reach your limit: {', '.join(words)}"
