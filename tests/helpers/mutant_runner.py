"""Runs tests against a changed module, in processes that are ready before the change is known.

Problem: starting Python, pytest and hypothesis takes longer than most tests that notice a change.
Method: this process imports all of that once, and nothing of logos. For every change it forks; the
child finds the changed source when it imports the module (no file is touched), runs pytest, and
says which test failed first. The tests that noticed the latest changes are run first: a few of
them alone, and when none of those notices this change, all of them, before the others.

Tests that start a Python of their own see the unchanged module there, so they are of little use.
"""

from __future__ import annotations

import asyncio  # noqa: F401  (imported for the children)
import contextlib
import dataclasses  # noqa: F401
import decimal  # noqa: F401
import gc
import importlib.machinery
import importlib.util
import json
import multiprocessing  # noqa: F401
import os
import resource
import select
import shutil
import signal
import subprocess  # noqa: F401
import sys
import tempfile
import time
import unittest.mock  # noqa: F401
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import hypothesis
import hypothesis.stateful
import hypothesis.strategies
import msgspec  # noqa: F401
import pytest
from hypothesis import HealthCheck, Phase, settings
from places import PROJECT

SOURCE = PROJECT / "src"
MEMORY_BYTES_MAX = 2 << 30
"""A changed loop may never end, and collect all the while."""
STANDSTILL_S_MAX = 120
"""How long a run may take altogether, waiting included."""
LATEST_MAX = 60
"""How many of the tests that noticed the latest changes are remembered, to be run first."""
LIKELY_MAX = 10
"""How many of them are run alone before all the others are even collected."""
EXAMPLES_MAX = 15
"""Examples of a property test; what so few of them miss, another test must notice."""
_UNCLEAR = "pytest ended with"
STANDSTILL = "a standstill"


class Change(NamedTuple):
    """A module and the source it has instead of its own."""

    module: str
    source: str


class Outcome(NamedTuple):
    """Whether the tests noticed, which one did, and how long it took (`cpu_s`: of this core)."""

    noticed: bool
    by: str
    took_s: float
    cpu_s: float


class _ChangedLoader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(self._source, self.path, "exec", dont_inherit=True)
        return code


class _Finder:
    """Finds logos in this project's sources, never in compiled modules, and the change in one."""

    def __init__(self, change: Change | None) -> None:
        self._change = change

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] != "logos":
            return None
        place = SOURCE.joinpath(*name.split("."))
        is_package = place.is_dir()
        file = str(place / "__init__.py" if is_package else place.with_suffix(".py"))
        loader = importlib.machinery.SourceFileLoader(name, file)
        if self._change is not None and name == self._change.module:
            loader = _ChangedLoader(name, file, self._change.source)
        folders = [str(place)] if is_package else None
        return importlib.util.spec_from_file_location(
            name, file, loader=loader, submodule_search_locations=folders
        )


class _FewExamples(settings):
    """The settings of a property test that are asked for in numbers, held down."""

    def __init__(self, parent: settings | None = None, **terms: Any) -> None:
        if "max_examples" in terms:
            terms["max_examples"] = min(terms["max_examples"], EXAMPLES_MAX)
        super().__init__(parent, **terms)


class _Watcher:
    """A pytest plugin: runs the likely tests first, and keeps the name of the one that failed.

    `words`: of such a file only the tests that have the word in their parameters are run.
    """

    def __init__(self, first: Sequence[str], words: Mapping[str, str]) -> None:
        self._rank = {name: place for place, name in enumerate(first)}
        self._words = words
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if self._is_wanted(item.nodeid)]
        items.sort(key=lambda item: self._rank.get(item.nodeid, len(self._rank)))

    def _is_wanted(self, name: str) -> bool:
        file, _, rest = name.partition("::")
        return self._words.get(file, "") in rest.partition("[")[2]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


class Runner:
    """Forks a process for every change; remembers which tests notice.

    `standstill_s`: how long a run may take altogether. Libraries named in `imports` are imported
    at once, so that no child has to.
    """

    def __init__(self, standstill_s: float = STANDSTILL_S_MAX, imports: Sequence[str] = ()) -> None:
        self._latest: list[str] = []
        self._standstill_s = standstill_s
        for name in imports:
            importlib.import_module(name)
        gc.freeze()

    def run(self, change: Change | None, tests: Sequence[str], cpu_s_max: int) -> Outcome:
        """Whether these tests fail with the change; a run that does not end has noticed, too.

        `tests` are files, relative to the project, or `file@word`, of which only the tests with
        that word in their parameters are run; files that are not there are left out. The limit is
        one of computing time, so that a busy machine does not notice anything.
        """
        files = {name.partition("@")[0] for name in tests}
        likely = [name for name in self._latest if name.partition("::")[0] in files][:LIKELY_MAX]
        if change is not None and likely:
            outcome = self._run_once(change, likely, cpu_s_max)
            # A change may also take a test's name from it; that it is not found says nothing.
            if outcome.noticed and not outcome.by.startswith(_UNCLEAR):
                return outcome
        return self._run_once(change, tests, cpu_s_max)

    def _run_once(self, change: Change | None, tests: Sequence[str], cpu_s_max: int) -> Outcome:
        began_s = time.monotonic()
        place = Path(tempfile.mkdtemp(prefix="mutant-"))
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                os.close(reading)
                resource.setrlimit(resource.RLIMIT_CPU, (cpu_s_max, cpu_s_max + 1))
                self._be_child(writing, change, tests, place)
            os._exit(70)
        os.close(writing)
        try:
            said = _read_line(reading, began_s + self._standstill_s)
        finally:
            os.close(reading)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            status, used = os.wait4(child, 0)[1:]
            shutil.rmtree(place, ignore_errors=True)
        times_s = (time.monotonic() - began_s, used.ru_utime + used.ru_stime)
        if said is None:
            return Outcome(True, STANDSTILL, *times_s)
        if not said:
            is_endless = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
            return Outcome(True, "no end" if is_endless else "the process ended", *times_s)
        code, failed = json.loads(said)
        if failed:
            self._remember(failed)
        return Outcome(code != 0, failed or f"{_UNCLEAR} {code}", *times_s)

    def _remember(self, failed: str) -> None:
        with contextlib.suppress(ValueError):
            self._latest.remove(failed)
        self._latest.insert(0, failed)
        del self._latest[LATEST_MAX:]

    def _be_child(
        self, writing: int, change: Change | None, tests: Sequence[str], place: Path
    ) -> None:
        os.setsid()
        os.chdir(PROJECT)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        os.environ["LOGOS_MARKET_DATA"] = str(place / "absent")
        os.environ["PYTHONPATH"] = str(SOURCE)
        os.environ.pop("CI", None)  # it would ask for another profile of hypothesis
        log = os.open(place / "log", os.O_WRONLY | os.O_CREAT)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.path.insert(0, str(SOURCE))
        sys.meta_path.insert(0, _Finder(change))
        # The same examples every time; which of them is the smallest interests nobody here.
        settings.register_profile(
            "mutation",
            max_examples=EXAMPLES_MAX,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutation")
        hypothesis.settings = _FewExamples  # type: ignore[misc]
        words = dict(name.split("@") for name in tests if "@" in name)
        watcher = _Watcher(self._latest, words)
        options = ["-x", "-q", "--assert=plain", "--tb=no", "-p", "no:cacheprovider"]
        tests = [name.partition("@")[0] for name in tests]
        tests = [name for name in tests if (PROJECT / name.partition("::")[0]).exists()]
        code = pytest.main([*options, f"--basetemp={place / 'tmp'}", *tests], plugins=[watcher])
        os.write(writing, json.dumps([int(code), watcher.failed]).encode() + b"\n")


def _read_line(descriptor: int, deadline_s: float) -> str | None:
    """One line from a pipe; None when the time is up, empty when it was closed before."""
    said = b""
    while not said.endswith(b"\n"):
        left_s = deadline_s - time.monotonic()
        if left_s <= 0 or not select.select([descriptor], [], [], left_s)[0]:
            return None
        more = os.read(descriptor, 65_536)
        if not more:
            return ""
        said += more
    return said.decode()
