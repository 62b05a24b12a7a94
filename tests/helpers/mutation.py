"""Mutation testing of everything that stops an order: a check that no test misses is no check.

Problem: a suite may run every line of a guard and still not notice when the guard is turned off.
Method: make one small change at a time (a comparison shifted or turned round, an operand dropped,
a condition decided, a statement, a raise or a returned value taken out, a number moved, max taken
for min), run the tests that ought to notice, and list the changes that none of them did.
`mutant_runner` runs them; no file is touched.

Survivors that cannot be noticed, because they change nothing or nothing that counts, stand in
docs/MUTATION.md with the reason, by file, function and change. Any other one makes the exit code
1, and so does a reason for a change that does not exist. One that is noticed after all is told.

Run: make mutation   (python tests/helpers/mutation.py [--minutes M] [--only TEXT] [--sample N])
"""

from __future__ import annotations

import argparse
import ast
import copy
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mutant_changes import variants_of
from mutant_runner import Change, Runner
from mutation_targets import SAMPLED, TARGETS, Target
from places import PROJECT

DOCUMENT = PROJECT / "docs" / "MUTATION.md"
CPU_S_MAX = 200
CPU_S_MIN = 6
TRUSTED_CPU_S_MAX = 15


@dataclass(frozen=True)
class Mutant:
    """One changed copy of a file."""

    target: Target
    function: str
    change: str
    tree: ast.Module
    node: ast.AST
    changed: ast.AST

    @property
    def key(self) -> str:
        """How docs/MUTATION.md names it: no line number, so that it outlives edits elsewhere."""
        return f"{self.target.file} | {self.function} | {self.change}"

    @property
    def place(self) -> str:
        return f"src/logos/{self.target.file}:{getattr(self.node, 'lineno', 0)}"

    @property
    def module(self) -> str:
        return f"logos.{self.target.file.removesuffix('.py').replace('/', '.')}"

    @property
    def source(self) -> str:
        """The whole file, changed."""
        return _unparse_with(self.tree, self.node, self.changed)


Variants = Callable[[ast.AST], Iterator[ast.AST]]


class Findings(NamedTuple):
    """The mutants that were tried: those that a test noticed, and those that none did."""

    noticed: list[Mutant]
    survivors: list[Mutant]


def mutants_of(target: Target, variants: Variants | None = None) -> Iterator[Mutant]:
    """Every mutant of a target, in the order of its source; `variants`: in place of these."""
    vary = variants_of if variants is None else variants
    tree = ast.parse((PROJECT / "src" / "logos" / target.file).read_text(encoding="utf-8"))
    wanted = target.functions.split()
    seen: Counter[tuple[str, str]] = Counter()
    words: dict[ast.AST, str] = {}
    for function, statement, node in _places(tree, "", tree):
        if wanted and function.rpartition(".")[2] not in wanted:
            continue
        before = where = ""
        for changed in vary(node):
            if not before:
                before = _words(node)
                if statement not in words:
                    words[statement] = _words(statement)
                where = "" if node is statement else f" in `{words[statement]}`"
            change = f"`{before}` -> `{_words(changed)}`{where}"
            seen[function, change] += 1
            if seen[function, change] > 1:  # the same words stand in the function more than once
                change += f" (place {seen[function, change]})"
            yield Mutant(target, function, change, tree, node, changed)


def _places(
    node: ast.AST, function: str, statement: ast.AST
) -> Iterator[tuple[str, ast.AST, ast.AST]]:
    """Every node that may be mutated, with the function and the statement it stands in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.JoinedStr, ast.Import, ast.ImportFrom)):
            continue  # words for people, and names
        inside = function
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inside = f"{function}.{child.name}".lstrip(".")
            for part in [*child.decorator_list, getattr(child, "returns", None)]:
                if part is not None:
                    _mark_skipped(part)
        if isinstance(child, ast.ClassDef):
            for keyword in child.keywords:  # frozen or not: a promise to whoever reads the code
                _mark_skipped(keyword)
        if isinstance(child, (ast.arg, ast.AnnAssign)) and child.annotation is not None:
            _mark_skipped(child.annotation)
        if getattr(child, "skipped", False) or _is_slots(child):
            continue
        whole = child if isinstance(child, ast.stmt) else statement
        yield inside, whole, child
        yield from _places(child, inside, whole)


def _is_slots(node: ast.AST) -> bool:
    """Whether this is `__slots__`, a matter of speed and memory."""
    return isinstance(node, ast.Assign) and _words(node.targets[0]) == "__slots__"


def _mark_skipped(node: ast.AST) -> None:
    node.skipped = True  # type: ignore[attr-defined]


def _words(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text.splitlines()[0] if text else ""


def _unparse_with(tree: ast.Module, node: ast.AST, changed: ast.AST) -> str:
    class Swap(ast.NodeTransformer):
        def visit(self, visited: ast.AST) -> ast.AST:
            return changed if visited is node else super().generic_visit(visited)

    # The transformer writes into the tree it walks, so it walks a twin that shares no lists.
    memo: dict[int, object] = {id(node): node}
    twin = copy.deepcopy(tree, memo)
    return ast.unparse(ast.fix_missing_locations(Swap().visit(twin)))


def sample_of(mutants: list[Mutant], count: int, seed: int, known: set[str]) -> list[Mutant]:
    """Some mutants of the files in SAMPLED that a test should notice.

    Each one is drawn by its own name, so that code added elsewhere draws no others.
    """
    drawn = [each for each in mutants if each.target.file in SAMPLED and each.key not in known]
    drawn.sort(key=lambda each: zlib.crc32(f"{seed} {each.key}".encode()))
    return sorted(drawn[:count], key=lambda each: SAMPLED.index(each.target.file))


def find_survivors(
    mutants: list[Mutant], minutes: float, verbose: bool, trusts: bool = False
) -> Findings:
    """Try the mutants until the time is up. SystemExit when the tests fail without any.

    `trusts`: the tests are taken to pass as they are.
    """
    deadline_s = time.monotonic() + minutes * 60
    runner = Runner()
    limits_s: dict[tuple[str, ...], int] = {}
    findings = Findings([], [])
    for mutant in mutants:
        if time.monotonic() > deadline_s:
            break
        tests = mutant.target.tests
        if trusts:
            limits_s[tests] = TRUSTED_CPU_S_MAX
        elif tests not in limits_s:
            whole = runner.run(None, tests, CPU_S_MAX)
            if whole.noticed:
                raise SystemExit(f"the tests fail without any mutant: {whole.by}")
            limits_s[tests] = max(CPU_S_MIN, int(3 * whole.cpu_s))
        outcome = runner.run(Change(mutant.module, mutant.source), tests, limits_s[tests])
        (findings.noticed if outcome.noticed else findings.survivors).append(mutant)
        if not outcome.noticed or verbose:
            words = f"noticed by {outcome.by}" if outcome.noticed else "survived"
            print(f"{outcome.took_s:5.1f} s  {mutant.place}  {mutant.key}  {words}", flush=True)
    return findings


def explained() -> set[str]:
    """The changes that docs/MUTATION.md gives a reason for."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    return {line.removeprefix("- ") for line in lines if line.startswith("- ")}


def main() -> int:
    """Mutate, test, report; 1 when a survivor is not explained, or an explanation is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="when to stop")
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--sample", type=int, default=0, help="this many that should be noticed")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--list", action="store_true", help="show the mutants, run nothing")
    parser.add_argument("--verbose", action="store_true", help="say which test noticed")
    options = parser.parse_args()
    every = [mutant for target in TARGETS for mutant in mutants_of(target)]
    mutants = [mutant for mutant in every if options.only in mutant.key]
    if options.sample:
        mutants = sample_of(mutants, options.sample, options.seed, explained())
    if options.list:
        for mutant in mutants:
            print(mutant.place, mutant.key)
        print(f"{len(mutants)} mutants")
        return 0
    began_s = time.monotonic()
    trusts = bool(options.sample)
    noticed, survivors = find_survivors(mutants, options.minutes, options.verbose, trusts)
    known = explained()
    unexplained = [mutant for mutant in survivors if mutant.key not in known]
    print(
        f"{len(noticed) + len(survivors)} of {len(mutants)} mutants tried in "
        f"{(time.monotonic() - began_s) / 60:.1f} minutes: {len(noticed)} noticed, "
        f"{len(survivors) - len(unexplained)} explained (docs/MUTATION.md), "
        f"{len(unexplained)} to look at"
    )
    for mutant in unexplained:
        print(f"  {mutant.place}  {mutant.key}")
    if unexplained:
        print(
            "  No test notices these changes. Write one that does (tests/*/test_*mutants*.py), or "
            "give the reason why none should in docs/MUTATION.md."
        )
    for mutant in noticed:
        if mutant.key in known:
            print(f"  explained in docs/MUTATION.md, but noticed: {mutant.key}")
    files = {target.file for target in TARGETS}  # `plant_faults` answers for the others
    stated = {key for key in known if key.partition(" | ")[0] in files}
    lost = sorted(stated - {mutant.key for mutant in every})
    for key in lost:
        print(f"  explained in docs/MUTATION.md, but no change of this name: {key}")
    is_whole = len(noticed) + len(survivors) == len(mutants)
    if not is_whole:
        print("  Not all were tried: give it more --minutes (MINUTES=), or a part with --only.")
    return 1 if unexplained or lost or not is_whole else 0


if __name__ == "__main__":
    sys.exit(main())
