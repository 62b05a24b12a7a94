"""The record of a rehearsal: what was claimed when it ended, in one file that programs can read.

`rehearsal.json` holds who rehearsed what, where and when, the guards with their limits, every
verdict, and the hash of the packed evidence. The reports for people, `rehearsal.md` and
`rehearsal.html`, follow from it and the evidence alone; so `verify` makes them again and compares.
"""

from __future__ import annotations

import platform
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from logos import __version__
from logos.config import Config
from logos.core.guards.table import TABLE, Guard
from logos.data.readers.numbers import format_timestamp
from logos.rehearsal.limits import OwnLimits, guards_lent, leaves
from logos.rehearsal.run import Rehearsal
from logos.rehearsal.verdicts import ScenarioResult, Verdict
from logos.session.artifacts.limits import limits_of

RECORD_FILE: Final = "rehearsal.json"
SCHEMA: Final = 1
_ALWAYS: Final = "always on"
_NONE: Final = "none"


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One scenario of one part. A finding is (expected, seen, held)."""

    part: str
    name: str
    description: str
    verdict: str
    done: str
    reason: str
    lent: list[str]
    guards: list[str]
    findings: list[tuple[str, str, bool]]
    has_evidence: bool


class GuardRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One guard: the user's limit, what it does, and what the two parts showed of it."""

    guard: str
    judges: str
    limit: str
    action: str
    engine: str
    settings: str


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole rehearsal. Times are ISO-8601 UTC; `problem` says why it is not whole."""

    schema: int
    software: str
    started: str
    ended: str
    host: str
    system: str
    python: str
    msgspec: str
    strategy: str
    strategy_fingerprint: str
    config_hash: str
    seed: int
    ticks: int
    data: dict[str, dict[str, str]]
    """By symbol: the SHA-256 of every file."""
    settings: dict[str, Any]
    changed: list[str]
    """The settings that are not as they would be by default, in words."""
    planned: int
    problem: str
    evidence_sha256: str
    guards: list[GuardRow]
    rows: list[Row]


def make_record(
    rehearsal: Rehearsal, started_ns: int, ended_ns: int, *, evidence_sha256: str, problem: str
) -> Record:
    """The record of a rehearsal that ran from `started_ns` to `ended_ns`, wall clock."""
    plan = rehearsal.plan
    return Record(
        schema=SCHEMA,
        software=__version__,
        started=format_timestamp(started_ns),
        ended=format_timestamp(ended_ns),
        host=socket.gethostname(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        msgspec=msgspec.__version__,
        strategy=plan.strategy_name,
        strategy_fingerprint=plan.strategy_fingerprint,
        config_hash=plan.config_hash,
        seed=plan.seed,
        ticks=rehearsal.ticks,
        data={
            report.source.symbol: {str(name): each for name, each in report.fingerprints.items()}
            for report in plan.reports
        },
        settings=msgspec.to_builtins(plan.config),
        changed=list(_changed(plan.config)),
        planned=rehearsal.planned,
        problem=problem,
        evidence_sha256=evidence_sha256,
        guards=guard_rows(plan.config, rehearsal.results, rehearsal.own),
        rows=[row_of(each) for each in rehearsal.every],
    )


def row_of(result: ScenarioResult) -> Row:
    """A result as the record has it."""
    return Row(
        part=result.part.value,
        name=result.scenario.name,
        description=result.scenario.description,
        verdict=result.verdict.value,
        done=result.done,
        reason=result.reason,
        lent=list(result.lent),
        guards=_guards_of(result),
        findings=[(words, finding.seen, finding.holds) for words, finding in result.findings],
        has_evidence=bool(result.findings),
    )


def guard_rows(
    config: Config, engine: Sequence[ScenarioResult], own: Sequence[ScenarioResult]
) -> list[GuardRow]:
    """The guard matrix: a row for each guard, in the order of the table."""
    return [
        GuardRow(
            guard=guard.code.value,
            judges=guard.judges,
            limit=_limit(guard, config),
            action=OwnLimits(config).action(guard.code).value,
            engine=_shown(guard, engine),
            settings=_shown(guard, own),
        )
        for guard in TABLE
    ]


def _limit(guard: Guard, config: Config) -> str:
    if not guard.keys:
        return _ALWAYS
    return "; ".join(limits_of(guard, config, full_keys=True)) or _NONE


def _shown(guard: Guard, results: Sequence[ScenarioResult]) -> str:
    """What the scenarios that rehearse this guard came to."""
    words = [
        f"{result.scenario.name}: {_verdict_on(guard, result)}"
        for result in results
        if guard.code.value in _guards_of(result)
    ]
    return "; ".join(words) or "not rehearsed"


def _verdict_on(guard: Guard, result: ScenarioResult) -> str:
    """The verdict; where a scenario needs two limits, only of a guard that has none: no limit."""
    if result.verdict is Verdict.NO_LIMIT_SET and f"{guard.code.value} has" not in result.reason:
        return "not rehearsed, another limit is missing"
    return result.verdict.value


def _guards_of(result: ScenarioResult) -> list[str]:
    """The codes of the guards that the scenario is about."""
    named = {
        code
        for each in result.scenario.expect
        for code in (getattr(each, "code", ""), *getattr(each, "codes", ()))
    }
    lent = guards_lent(result.scenario)
    return [guard.code.value for guard in TABLE if guard.code.value in named or guard in lent]


def _changed(config: Config) -> Iterator[str]:
    """Settings that differ from the defaults; instruments aside, which the data may name."""
    defaults: Mapping[str, Any] = dict(leaves(msgspec.to_builtins(Config())))
    for key, value in leaves(msgspec.to_builtins(config)):
        if not key.startswith("instruments.") and defaults.get(key) != value:
            yield f"{key} = {value}"
