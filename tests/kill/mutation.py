"""Mutation testing of everything that stops an order: a check that no test misses is no check.

Problem: a suite may run every line of a guard and still not notice when the guard is turned off.
Method: make one small change at a time in a copy of the project (a comparison shifted or turned
round, an operand dropped, a condition decided, a statement, a raise or a returned value taken out,
a number moved), run the tests that ought to notice, and list the changes that none of them did.

Survivors that cannot be noticed, because they change nothing, stand in docs/MUTATION.md with the
reason, by file, function and change; any other one makes the exit code 1.

Run: make mutation   (python tests/kill/mutation.py [--minutes M] [--jobs N] [--only TEXT])
"""

from __future__ import annotations

import argparse
import ast
import compileall
import copy
import importlib.util
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENT = PROJECT / "docs" / "MUTATION.md"
TEST_TIMEOUT_S = 240
_ENGINE_FUNCTIONS = "start stop abort run _on_other _on_command _meet_quote is_halted is_blocked"
_DEALING_FUNCTIONS = "settle _send _refuse"
_DESK_FUNCTIONS = "submit refuse apply_end _leave _put_in_flight"
_CORE_TESTS = (
    "tests/kill/test_mutants.py",
    "tests/guards/test_guard_edges.py",
    "tests/guards/test_guard_in_flight.py",
    "tests/guards/test_guard_actions.py",
    "tests/guards/test_guard_windows.py",
    "tests/core/test_core_gates.py",
    "tests/core/test_core_risk.py",
    "tests/core/test_core_engine.py",
    "tests/core/test_core_account.py",
    "tests/core/test_core_matching.py",
    "tests/core/test_core_ticks.py",
)
_SWITCH_TESTS = (
    "tests/kill/test_mutants.py",
    "tests/risk/test_switch_fail_closed.py",
    "tests/risk/test_switch_states.py",
    "tests/risk/test_switch_surroundings.py",
    "tests/risk/test_switch_history.py",
    "tests/risk/test_switch_processes.py",
    "tests/risk/test_switch_machine.py",
    "tests/risk/test_switch_crash.py",
)


@dataclass(frozen=True)
class Target:
    """A file to mutate, the functions that matter in it ("": all), and who should notice."""

    file: str
    functions: str
    tests: tuple[str, ...]


TARGETS = (
    Target("src/logos/core/gates.py", "", _CORE_TESTS),
    Target("src/logos/core/risk.py", "", _CORE_TESTS),
    Target("src/logos/core/guards.py", "", _CORE_TESTS),
    Target("src/logos/core/watch.py", "", _CORE_TESTS),
    Target("src/logos/core/dealing.py", _DEALING_FUNCTIONS, _CORE_TESTS),
    Target("src/logos/core/engine.py", _ENGINE_FUNCTIONS, _CORE_TESTS),
    Target("src/logos/core/desk.py", _DESK_FUNCTIONS, _CORE_TESTS),
    Target("src/logos/risk/switch_judge.py", "", _SWITCH_TESTS),
)

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}


@dataclass(frozen=True)
class Mutant:
    """One changed copy of a file."""

    target: Target
    function: str
    line: int
    change: str
    source: str

    @property
    def key(self) -> str:
        """How docs/MUTATION.md names it: no line number, so that it outlives edits elsewhere."""
        name = self.target.file.removeprefix("src/logos/")
        return f"{name} | {self.function} | {self.change}"

    @property
    def place(self) -> str:
        return f"{self.target.file}:{self.line}"


def mutants_of(target: Target) -> Iterator[Mutant]:
    """Every mutant of a target, in the order of its source."""
    tree = ast.parse((PROJECT / target.file).read_text(encoding="utf-8"))
    wanted = target.functions.split()
    for function, statement, node in _places(tree, "", tree):
        if wanted and function.rpartition(".")[2] not in wanted:
            continue
        before = _words(node)
        where = "" if node is statement else f" in `{_words(statement)}`"
        for changed in _variants(node):
            source = _unparse_with(tree, node, changed)
            change = f"`{before}` -> `{_words(changed)}`{where}"
            yield Mutant(target, function, getattr(node, "lineno", 0), change, source)


def _places(
    node: ast.AST, function: str, statement: ast.AST
) -> Iterator[tuple[str, ast.AST, ast.AST]]:
    """Every node that may be mutated, with the function and the statement it stands in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.JoinedStr, ast.Import, ast.ImportFrom)):
            continue  # words for people, and names
        inside = function
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            inside = f"{function}.{child.name}".lstrip(".")
            for part in [*child.decorator_list, getattr(child, "returns", None)]:
                if part is not None:
                    _mark_skipped(part)
        if isinstance(child, (ast.arg, ast.AnnAssign)) and child.annotation is not None:
            _mark_skipped(child.annotation)
        if getattr(child, "skipped", False):
            continue
        whole = child if isinstance(child, ast.stmt) else statement
        yield inside, whole, child
        yield from _places(child, inside, whole)


def _mark_skipped(node: ast.AST) -> None:
    node.skipped = True  # type: ignore[attr-defined]


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    """What one node may be changed to."""
    if isinstance(node, ast.Compare):
        for position, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                changed = copy.deepcopy(node)
                changed.ops[position] = other()
                yield changed
    elif isinstance(node, ast.BoolOp):
        flipped = copy.deepcopy(node)
        flipped.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield flipped
        for position in range(len(node.values)):
            left = node.values[:position] + node.values[position + 1 :]
            yield left[0] if len(left) == 1 else ast.BoolOp(node.op, left)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int):
            yield ast.Constant(node.value + 1)
    elif isinstance(node, (ast.If, ast.IfExp)):
        for decided in (True, False):
            branch = copy.copy(node)
            branch.test = ast.Constant(decided)
            yield branch
    elif isinstance(node, ast.Return):
        if node.value is not None and not _is_none(node.value):
            yield ast.Return(ast.Constant(None))
    elif isinstance(node, (ast.Raise, ast.Assign, ast.AugAssign, ast.Continue)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield ast.Pass()


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _words(node: ast.AST) -> str:
    text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(node)))
    return text.splitlines()[0] if text else ""


def _unparse_with(tree: ast.Module, node: ast.AST, changed: ast.AST) -> str:
    class Swap(ast.NodeTransformer):
        def visit(self, visited: ast.AST) -> ast.AST:
            return changed if visited is node else super().generic_visit(visited)

    # The transformer writes into the tree it walks, so it walks a twin that shares no lists.
    memo: dict[int, object] = {id(node): node}
    twin = copy.deepcopy(tree, memo)
    return ast.unparse(ast.fix_missing_locations(Swap().visit(twin)))


class Copy:
    """A copy of the project, in which one file at a time is changed and the tests are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("src", "tests", "data", "examples", "docs"):
            ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.egg-info")
            shutil.copytree(PROJECT / name, folder / name, ignore=ignored)
        for name in ("pyproject.toml", "README.md", "Makefile"):
            shutil.copy2(PROJECT / name, folder / name)
        compileall.compile_dir(folder / "src", quiet=2)

    def survives(self, mutant: Mutant) -> bool:
        """Whether all tests still pass with the mutant in place."""
        path = self.folder / mutant.target.file
        original = path.read_text(encoding="utf-8")
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
        path.write_text(mutant.source, encoding="utf-8")
        try:
            return self.run(mutant.target.tests)
        finally:
            path.write_text(original, encoding="utf-8")
            compileall.compile_file(path, quiet=2, force=True)

    def run(self, tests: tuple[str, ...]) -> bool:
        """Whether these tests pass; a run that does not end has noticed something, too."""
        there = [name for name in tests if (self.folder / name).exists()]
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.folder / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LOGOS_MARKET_DATA": str(self.folder / "absent"),
        }
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *there]
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, capture_output=True,
                timeout=TEST_TIMEOUT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


def find_survivors(mutants: list[Mutant], jobs: int, minutes: float) -> tuple[list[Mutant], int]:
    """The mutants no test noticed, and how many were tried before the time was up."""
    deadline = time.monotonic() + minutes * 60
    survivors: list[Mutant] = []
    tried = 0
    with tempfile.TemporaryDirectory() as place:
        free: SimpleQueue[Copy] = SimpleQueue()
        for number in range(jobs):
            free.put(Copy(Path(place) / str(number)))
        whole = free.get()
        for tests in dict.fromkeys(mutant.target.tests for mutant in mutants):
            if not whole.run(tests):
                raise SystemExit(f"the tests fail without any mutant: {' '.join(tests)}")
        free.put(whole)

        def judge(mutant: Mutant) -> bool | None:
            if time.monotonic() > deadline:
                return None
            project = free.get()
            try:
                return project.survives(mutant)
            finally:
                free.put(project)

        with ThreadPoolExecutor(jobs) as pool:
            for mutant, survived in zip(mutants, pool.map(judge, mutants), strict=True):
                tried += survived is not None
                if survived:
                    survivors.append(mutant)
                    print(f"survived  {mutant.place}  {mutant.key}", flush=True)
    return survivors, tried


def main() -> int:
    """Mutate, test, report; 1 when a survivor is not explained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="when to stop")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--sample", type=int, default=0, help="this many, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="show the mutants, run nothing")
    options = parser.parse_args()
    mutants = [
        mutant for target in TARGETS for mutant in mutants_of(target) if options.only in mutant.key
    ]
    if options.sample:
        mutants = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))
    if options.list:
        for mutant in mutants:
            print(mutant.place, mutant.key)
        print(f"{len(mutants)} mutants")
        return 0
    survivors, tried = find_survivors(mutants, options.jobs, options.minutes)
    explained = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    open_ones = [mutant for mutant in survivors if mutant.key not in explained]
    print(
        f"{tried} of {len(mutants)} mutants tried: {tried - len(survivors)} noticed, "
        f"{len(survivors) - len(open_ones)} equivalent (docs/MUTATION.md), "
        f"{len(open_ones)} to look at"
    )
    for mutant in open_ones:
        print(f"  {mutant.place}  {mutant.key}")
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
