"""Plant faults where the mutation list does not reach, and list those that no test notices.

Problem: `mutation.py` watches over what stops an order. The rest (how a venue's answer is read, how
a session is taken up again, what a judge finds, what an artifact says, which setting is refused)
has tests too, and nobody knows what they let pass.
Method: a seeded choice of small changes, spread evenly over the areas below: those of
`mutation.py`, and arguments swapped, entries of a table exchanged, words of a record altered, a
sentence of an `and` or `or` dropped. Each is planted in memory, in a process of its own; the tests
of its area run; the survivors are listed with file, function and change. The same seed plants the
same faults as long as their functions stay as they are.

Survivors that change nothing, or nothing that counts, stand in docs/MUTATION.md with the reason and
are not drawn again. Any other one makes the exit code 1.

Run: make plant-faults   (python tests/helpers/plant_faults.py [--count N] [--seed S] [--area TEXT]
     [--jobs N])
"""

from __future__ import annotations

import argparse
import ast
import copy
import multiprocessing
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from mutant_changes import variants_of
from mutant_runner import STANDSTILL, Change, Runner
from mutation import CPU_S_MAX, CPU_S_MIN, Mutant, explained, mutants_of
from mutation_targets import Target
from places import PROJECT

STANDSTILL_S: Final = 900
PART: Final = 12
"""Faults of one area that one process tries, after one run of the tests without any."""
_LIBRARIES: Final = ("aiohttp", "ccxt.async_support", "zmq.asyncio", "alpaca.trading.client")
_CONTRACT: Final = ("tests/venues/test_contract.py", "tests/venues/test_contract_failures.py")


def _contract(venue: str) -> tuple[str, ...]:
    """The tests of the contract that are about this venue."""
    return tuple(f"{file}@{venue}" for file in _CONTRACT)


@dataclass(frozen=True)
class Area:
    """Files, by pattern below src/logos, and the tests that ought to notice a fault in them.

    `share`: how many times as many faults are planted here as in an area of share 1.
    """

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]
    share: int = 1


_WORDS: Final = ("tests/adapters/test_records_words.py", "tests/adapters/test_check_words.py")
_VERIFYING: Final = (
    "tests/audit/test_verify.py",
    "tests/audit/test_findings.py",
    "tests/audit/test_verify_crashed.py",
    "tests/audit/test_verify_unfinished.py",
)

AREAS: Final = (
    Area(
        "adapters: ccxt",
        ("adapters/ccxt/*.py",),
        (*_WORDS, "tests/adapters/ccxt", *_contract("ccxt")),
        2,
    ),
    Area(
        "adapters: alpaca",
        ("adapters/alpaca/*.py",),
        (*_WORDS, "tests/adapters/alpaca", *_contract("alpaca")),
        2,
    ),
    Area(
        "adapters: mt5",
        ("adapters/mt5/*.py", "adapters/mt5/gateway/*.py", "adapters/mt5/gateway/matching/*.py"),
        ("tests/adapters/mt5", *_contract("mt5")),
        2,
    ),
    Area(
        "adapters: yahoo",
        ("adapters/yahoo/*.py",),
        ("tests/adapters/yahoo",),
    ),
    Area("adapters: fetch", ("adapters/fetch.py",), ("tests/feeds/test_fetch.py",), 2),
    Area("venues", ("venues/*.py",), (*_WORDS, "tests/venues", "tests/adapters/alpaca")),
    Area(
        "recovery",
        (
            "session/open.py",
            "session/opening/old.py",
            "session/history.py",
            "session/restoring.py",
            "session/seal.py",
            "session/outcome.py",
            "session/plan.py",
            "session/artifacts/snapshots/snapshot.py",
        ),
        (
            "tests/session/test_recovery_refusals.py",
            "tests/session/test_recovery_snapshots.py",
            "tests/session/test_replay_notices.py",
            "tests/session/live/test_live_recovery.py",
            "tests/session/test_life.py",
            "tests/crash/test_snapshots.py",
            "tests/session/test_flatten.py",
            "tests/session/live/test_live_operator.py",
            "tests/session/live/test_live_snapshots.py",
            "tests/crash/test_seal.py",
        ),
        5,
    ),
    Area(
        "judges: audit",
        ("audit/*.py", "audit/files/*.py"),
        (*_VERIFYING, "tests/audit/test_auditor.py", "tests/audit/test_inspect.py"),
        3,
    ),
    Area(
        "judges: stress",
        (
            "stress/judge.py",
            "stress/gateway_rules.py",
            "stress/money.py",
            "stress/numbers.py",
            "stress/results.py",
            "stress/evidence.py",
            "stress/exposure.py",
        ),
        (
            "tests/stress/test_stress_rules.py",
            "tests/stress/test_stress_log_rules.py",
            "tests/stress/test_stress_allowed.py",
            "tests/stress/test_stress_numbers.py",
            "tests/stress/test_stress_judge.py",
        ),
        2,
    ),
    Area(
        "judges: rehearsal",
        ("rehearsal/expectations.py", "rehearsal/evidence.py"),
        (
            "tests/rehearsal/test_expectations.py",
            "tests/rehearsal/test_expectations_words.py",
            "tests/rehearsal/test_scenario_files.py",
        ),
        2,
    ),
    Area(
        "artifacts",
        (
            "session/artifacts/folder.py",
            "session/artifacts/tables.py",
            "session/artifacts/decisions.py",
        ),
        (
            "tests/session/test_tables.py",
            "tests/session/test_decision_log.py",
            "tests/session/test_artifacts.py",
            "tests/session/test_figures.py",
            "tests/audit/test_findings.py",
        ),
        2,
    ),
    Area(
        "summary",
        (
            "session/artifacts/summary.py",
            "session/artifacts/report.py",
            "session/artifacts/session_md/page.py",
            "session/artifacts/counts.py",
        ),
        ("tests/session/test_figures.py", "tests/session/test_artifacts.py"),
        2,
    ),
    Area(
        "config",
        ("config/*.py",),
        (
            "tests/config",
            "tests/cli/test_config_command.py",
            "tests/docs/test_docs_configuration.py",
        ),
        3,
    ),
)


class UnfitTestsError(Exception):
    """The tests of an area fail without any fault, so they can notice none."""


class Planted(NamedTuple):
    """A fault, the area it was planted in, and what became of it."""

    area: Area
    mutant: Mutant
    by: str

    @property
    def is_noticed(self) -> bool:
        return bool(self.by)


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """What one node may be changed to: as in `mutation.py`, and more."""
    yield from variants_of(node)
    if isinstance(node, ast.Call) and ast.unparse(node.func) not in ("max", "min"):
        for place in range(len(node.args) - 1):
            if not any(isinstance(each, ast.Starred) for each in node.args[place : place + 2]):
                swapped = copy.copy(node)
                swapped.args = list(node.args)
                swapped.args[place : place + 2] = reversed(node.args[place : place + 2])
                yield swapped
    elif isinstance(node, ast.Dict) and len(node.values) > 1 and len({*node.keys}) > 1:
        for place in range(len(node.values) - 1):
            exchanged = copy.copy(node)
            exchanged.values = list(node.values)
            exchanged.values[place : place + 2] = reversed(node.values[place : place + 2])
            if ast.unparse(exchanged) != ast.unparse(node):
                yield exchanged
    elif isinstance(node, ast.Constant) and isinstance(node.value, float):
        yield ast.Constant(node.value * 2 if node.value else 1.0)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from [ast.Constant(f"{node.value}_")] if node.value.isidentifier() else []


@cache
def _mutants_of(area: Area) -> tuple[Mutant, ...]:
    """Every change in an area, those of docs/MUTATION.md too."""
    root = PROJECT / "src" / "logos"
    files = [file for pattern in area.files for file in sorted(root.glob(pattern))]
    targets = [Target(str(file.relative_to(root)), "", area.tests) for file in files]
    return tuple(mutant for target in targets for mutant in mutants_of(target, variants))


def faults_of(area: Area) -> list[Mutant]:
    """Every fault that can be planted in an area, without those docs/MUTATION.md explains."""
    known = explained()
    found = {mutant.key: mutant for mutant in _mutants_of(area) if mutant.function}
    return [mutant for key, mutant in found.items() if key not in known]


def every_key() -> set[str]:
    """The names of all changes that can be made, explained ones too."""
    return {mutant.key for area in AREAS for mutant in _mutants_of(area)}


def chosen(count: int, seed: int, name: str, only: str) -> list[tuple[Area, Mutant]]:
    """Faults by area, as its share says; each is drawn by its own name."""
    shares = sum(area.share for area in AREAS)
    picked = []
    for area in [each for each in AREAS if name in each.name]:
        faults = [mutant for mutant in faults_of(area) if only in mutant.key]
        faults.sort(key=lambda each: zlib.crc32(f"{seed} {each.key}".encode()))
        most = -(-count * area.share // shares)
        picked += [(area, mutant) for mutant in faults[:most]]
    return picked


def files_of(tests: Sequence[str]) -> list[str]:
    """Folders of tests as the files in them; a file's word stays with it."""
    files: list[str] = []
    for name in tests:
        path = name.partition("@")[0]
        place = PROJECT / path
        if place.is_dir():
            files += [str(each.relative_to(PROJECT)) for each in sorted(place.rglob("test_*.py"))]
        elif place.exists():
            files.append(name)
    return files


def plant_all(
    faults: Sequence[tuple[Area, Mutant]], minutes: float, jobs: int, verbose: bool
) -> list[Planted]:
    """Try them in `jobs` processes, each with a part of an area at a time, until the time is up.

    Raises UnfitTestsError when an area's tests fail without any fault.
    """
    deadline_s = time.monotonic() + minutes * 60
    parts = []
    for area in AREAS:
        own = [each for each in faults if each[0] is area]
        parts += [own[start : start + PART] for start in range(0, len(own), PART)]
    planted: list[Planted] = []
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        for done in [pool.submit(plant, part, deadline_s, verbose) for part in parts]:
            planted += done.result()
    return planted


def plant(faults: Sequence[tuple[Area, Mutant]], deadline_s: float, verbose: bool) -> list[Planted]:
    """Try them until the time is up, by the monotonic clock. Raises as `plant_all`."""
    runner = Runner(STANDSTILL_S, _LIBRARIES)
    limits_s: dict[str, int] = {}
    planted = []
    for area, mutant in faults:
        if time.monotonic() > deadline_s:
            break
        tests = files_of(area.tests)
        if area.name not in limits_s:
            whole = runner.run(None, tests, CPU_S_MAX)
            if whole.noticed:
                raise UnfitTestsError(f"{area.name}: tests fail without any fault: {whole.by}")
            limits_s[area.name] = max(CPU_S_MIN, int(3 * whole.cpu_s))
        outcome = runner.run(Change(mutant.module, mutant.source), tests, limits_s[area.name])
        planted.append(Planted(area, mutant, outcome.by if outcome.noticed else ""))
        if verbose or not outcome.noticed:
            words = f"noticed by {outcome.by}" if outcome.noticed else "SURVIVED"
            print(f"{outcome.took_s:5.1f} s  {mutant.place}  {mutant.key}  {words}", flush=True)
    return planted


def report(planted: Sequence[Planted], wanted: int) -> int:
    """Print what became of them by area; 1 when one survived or not all were planted."""
    survivors = [each for each in planted if not each.is_noticed]
    counts = Counter(each.area.name for each in planted)
    lost = Counter(each.area.name for each in survivors)
    for area in AREAS:
        if counts[area.name]:
            noticed = counts[area.name] - lost[area.name]
            print(f"  {area.name}: {counts[area.name]} planted, {noticed} noticed")
    halted = sum(each.by == STANDSTILL for each in planted)
    print(
        f"{len(planted)} of {wanted} faults planted: {len(planted) - len(survivors)} noticed"
        f"{f' ({halted} because the tests stood still)' if halted else ''}, "
        f"{len(survivors)} survived"
    )
    for each in survivors:
        print(f"  {each.mutant.place}  {each.mutant.key}")
    if survivors:
        print("  Write a test that notices, or give the reason in docs/MUTATION.md.")
    return 1 if survivors or len(planted) < wanted else 0


def main() -> int:
    """Choose, plant, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=120, help="how many faults, about")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--area", default="", help="in the areas whose name contains this")
    parser.add_argument("--only", default="", help="faults whose name contains this")
    parser.add_argument("--minutes", type=float, default=120, help="when to stop")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes at once")
    parser.add_argument("--list", action="store_true", help="show the faults, run nothing")
    parser.add_argument("--verbose", action="store_true", help="say which test noticed")
    options = parser.parse_args()
    faults = chosen(options.count, options.seed, options.area, options.only)
    if options.list:
        for area, mutant in faults:
            print(f"{area.name}  {mutant.place}  {mutant.key}")
        print(f"{len(faults)} of {sum(len(faults_of(area)) for area in AREAS)} faults")
        return 0
    began_s = time.monotonic()
    try:
        planted = plant_all(faults, options.minutes, options.jobs, options.verbose)
    except UnfitTestsError as error:
        raise SystemExit(str(error)) from None
    status = report(planted, len(faults))
    print(f"  in {(time.monotonic() - began_s) / 60:.0f} minutes, seed {options.seed}")
    return status


if __name__ == "__main__":
    sys.exit(main())
