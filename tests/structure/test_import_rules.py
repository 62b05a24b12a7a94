"""Who may import whom. Imports point inward; the table below is the one of the design.

Every import statement counts, also inside functions and under TYPE_CHECKING: what a module
names, it depends on.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from places import PROJECT

SOURCE = PROJECT / "src"

# A room is a package (or single module) directly under `logos`; the key "" is logos/__init__.py.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "core": {"errors"},
    "paths": set(),
    "installation": set(),
    "strategies": {"errors", "core"},
    "observe": {"errors", "core"},
    "config": {"errors", "core", "paths"},
    "journal": {"errors", "core", "paths"},
    "data": {"errors", "core", "paths", "installation"},
    "venues": {"errors", "core", "paths"},
    "killswitch": {"errors", "core", "paths"},
    "feeds": {"errors", "core", "paths", "data"},
}
ALLOWED["execution"] = {"errors", "core", "paths", "journal", "feeds", "venues", "killswitch"}
ALLOWED["adapters"] = {
    *("errors", "core", "paths", "installation", "config", "data", "feeds", "venues", "execution"),
}
ALLOWED["simulators"] = {"errors", "core", "paths", "data", "adapters"}
ALLOWED["testing"] = {"errors", "core", "paths", "config", "data", "feeds", "venues"}
ALLOWED["session"] = {
    *("errors", "core", "paths", "strategies", "observe", "config", "journal", "data", "venues"),
    *("killswitch", "feeds", "execution", "adapters", "installation"),
}
ALLOWED["audit"] = {"errors", "core", "paths", "config", "journal", "session"}
ALLOWED["rehearsal"] = {*ALLOWED["session"], "session"}
ALLOWED["stress"] = {*ALLOWED["session"], "session", "audit", "simulators"}
ALLOWED["cli"] = set(ALLOWED) - {"testing"}
ALLOWED["live"] = {"cli"}
ALLOWED[""] = set(ALLOWED) - {"cli", "live"}

# Pure modules of the standard library: no clock, no files, no environment.
CORE_MAY_IMPORT = {
    "__future__", "bisect", "collections", "collections.abc", "dataclasses", "decimal", "enum",
    "heapq", "itertools", "math", "msgspec", "operator", "random", "typing",
}  # fmt: skip

# Optional libraries stay out of these rooms altogether.
LIGHT_ROOMS = {"", "core", "paths", "config", "strategies", "journal", "cli"}
BASE_DEPENDENCIES = {"msgspec", "tqdm"}


def module_name(path: Path) -> str:
    """The dotted name of a file below SOURCE."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imported(module: str, is_package: bool, tree: ast.AST) -> list[tuple[int, str]]:
    """Line and dotted name of everything that `tree` imports, relative imports resolved.

    `from logos import journal` names `logos.journal`; `from logos.core import fixed` names
    `logos.core.fixed`, and so does `from logos.core.fixed import divide` with one name more.
    """
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                package = module.split(".")[: None if is_package else -1]
                package = package[: len(package) - node.level + 1]
                origin = ".".join([*package, *([origin] if origin else [])])
            inside = origin.split(".")[0] == "logos"
            names = [f"{origin}.{alias.name}" for alias in node.names] if inside else [origin]
            found += [(node.lineno, name) for name in names]
    return found


def problems_of(module: str, source: str, is_package: bool = False) -> list[str]:
    """What is wrong with the imports of one module, a sentence each."""
    room = room_of(module)
    if room not in ALLOWED:
        return [f"{module}: room {room!r} is not in the import table of this test"]
    problems = []
    for line, name in imported(module, is_package, ast.parse(source)):
        reason = _objection(module, room, name)
        if reason:
            problems.append(f"{module}:{line}: {reason}")
    return problems


def _objection(module: str, room: str, name: str) -> str:
    top = name.split(".")[0]
    if top == "logos":
        target = room_of(name)
        if target in ("", "__version__", room):
            return ""
        if target not in ALLOWED[room]:
            return f"{room or 'logos'} may not import {name}"
        return ""
    if room == "core":
        return "" if name in CORE_MAY_IMPORT else f"core may not import {name}"
    heavy = top not in sys.stdlib_module_names and top not in BASE_DEPENDENCIES
    return f"{room or 'logos'} may not import {name}" if heavy and room in LIGHT_ROOMS else ""


def test_every_module_keeps_to_the_import_table() -> None:
    paths = sorted(SOURCE.rglob("*.py"))
    assert len(paths) > 5
    problems = [
        problem
        for path in paths
        for problem in problems_of(
            module_name(path), path.read_text(encoding="utf-8"), path.name == "__init__.py"
        )
    ]
    assert problems == []


@pytest.mark.parametrize(
    ("module", "source", "objection"),
    [
        ("logos.core.engine", "import time", "core may not import time"),
        ("logos.core.engine", "from datetime import datetime", "core may not import datetime"),
        ("logos.core.engine", "import os.path", "core may not import os.path"),
        ("logos.core.engine", "def f():\n    import uuid", "core may not import uuid"),
        ("logos.core.engine", "import numpy", "core may not import numpy"),
        ("logos.core.engine", "from logos import journal", "may not import logos.journal"),
        ("logos.core.engine", "from ..journal import codec", "may not import logos.journal"),
        ("logos.core.engine", "from .. import paths", "may not import logos.paths"),
        ("logos.data.replay", "from logos.venues.paper import X", "data may not import"),
        ("logos.data.replay", "import logos.session.runner", "data may not import"),
        ("logos.strategies.sma", "from logos.paths import env_seed", "strategies may not import"),
        ("logos.execution.live", "from logos.session import X", "execution may not import"),
        ("logos.session.runner", "from logos.live import X", "session may not import"),
        ("logos", "import logos.live", "logos may not import logos.live"),
        ("logos.data.replay", "from logos.adapters.ccxt.feed import X", "data may not import"),
        ("logos.execution.live", "from logos.adapters import alpaca", "execution may not import"),
        ("logos.cli.doctor", "import pyarrow", "cli may not import pyarrow"),
        ("logos.attic.old", "import os", "not in the import table"),
        (
            "logos.core.engine",
            "if TYPE_CHECKING:\n    from logos.journal import X",
            "logos.core.engine:2: core may not import logos.journal",
        ),
    ],
)
def test_the_check_can_fail(module: str, source: str, objection: str) -> None:
    [problem] = problems_of(module, source)
    assert objection in problem


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("logos.core.engine", "import msgspec\nfrom collections.abc import Sequence"),
        ("logos.core.engine", "from logos.core import fixed\nfrom . import types"),
        ("logos.data.readers.arrow", "import pyarrow.parquet\nfrom logos.paths import cache_dir"),
        (
            "logos.session.runner",
            "from logos.adapters.alpaca.venue import X\nimport logos.strategies",
        ),
        ("logos.cli.doctor", "import logos\nfrom logos import __version__\nimport tqdm"),
    ],
)
def test_what_the_table_allows_passes(module: str, source: str) -> None:
    assert problems_of(module, source) == []


def test_relative_imports_of_a_package_start_at_the_package_itself() -> None:
    assert problems_of("logos.core", "from .types import Side", is_package=True) == []
    [problem] = problems_of("logos.core", "from ..feeds import replay", is_package=True)
    assert "may not import logos.feeds.replay" in problem
