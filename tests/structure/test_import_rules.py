"""Who may import whom. Imports point inward; the table below is the one of the design."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import import_graph
import pytest
from import_graph import SOURCE, imported, module_name, room_of

# A room is a package (or single module) directly under `logos`; the key "" is logos/__init__.py.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "core": {"errors"},
    "paths": {"errors"},
    "loopback": {"errors"},
    "files": set(),
    "build": {"errors", "installation"},
    "shown": set(),
    # What pages share: files, and how a page is put together; it knows no session.
    "pages": {"shown"},
    "secrecy": set(),
    "installation": set(),
    "interrupts": set(),
    "strategies": {"errors", "core", "interrupts", "files", "secrecy", "sizing", "indicators"},
    "event_loop": set(),
    "indicators": {"installation"},
    "aggregation": {"core"},
    "sizing": {"core"},
    # loopback: whether an endpoint of the coordinator may go without encryption.
    "config": {"errors", "core", "paths", "files", "secrecy", "loopback"},
    "journal": {"errors", "core", "paths", "files"},
    "data": {"errors", "core", "paths", "installation", "strategies", "files"},
    "venues": {"errors", "core", "paths"},
    # installation: what installs the library of a coordinator.
    "killswitch": {"errors", "core", "paths", "files", "build", "installation"},
    "feeds": {"errors", "core", "paths", "data", "files"},
    "held_signals": {"killswitch"},
}
# files: the requests that sessions of one account share are counted in a file.
ALLOWED["execution"] = {
    *("errors", "core", "paths", "files", "journal", "feeds", "venues", "killswitch"),
}
ALLOWED["adapters"] = {
    *("errors", "core", "paths", "files", "installation", "config", "data", "feeds", "venues"),
    *("execution", "loopback"),
}
ALLOWED["simulators"] = {"errors", "core", "paths", "files", "data", "loopback"}
ALLOWED["testing"] = {"errors", "core", "paths", "config", "data", "feeds", "venues"}
ALLOWED["session"] = {
    "aggregation",
    *("errors", "core", "paths", "strategies", "config", "journal", "data", "venues"),
    *("killswitch", "feeds", "execution", "adapters", "installation", "files", "interrupts"),
    *("build", "shown", "secrecy", "event_loop"),
}
# Readers of what sessions write, in processes of their own. No session may import one.
ALLOWED["observe"] = {
    *("errors", "core", "paths", "files", "journal", "killswitch", "config", "session"),
    *("execution", "feeds", "installation", "loopback", "shown", "build", "pages"),
    *("analysis", "comparison"),
}
ALLOWED["audit"] = {
    *("errors", "core", "paths", "config", "journal", "session", "killswitch"),
    "build",
}
# A reader of one session's files, for the report, the screen and the dashboard.
ALLOWED["analysis"] = {"errors", "core", "config", "journal", "data", "files", "session"}
# Sessions held against each other, from their files; nothing that runs one imports it.
ALLOWED["comparison"] = {
    *("errors", "core", "paths", "shown", "journal", "session", "analysis", "pages"),
}
# The page that shows one session, made after it has ended.
ALLOWED["report"] = {
    *("errors", "core", "config", "files", "shown", "journal", "session", "analysis", "pages"),
}
ALLOWED["library"] = {*ALLOWED["session"], "session", "analysis", "pages", "report"}
# One strategy over many parameters, each in a session.
ALLOWED["sweeps"] = {*ALLOWED["library"], "library"}
ALLOWED["rehearsal"] = {*ALLOWED["session"], "session"}
ALLOWED["stress"] = {*ALLOWED["session"], "session", "audit", "simulators"}
ALLOWED["cli"] = set(ALLOWED) - {"testing"}
ALLOWED["live"] = {"cli", "held_signals"}
ALLOWED[""] = set(ALLOWED) - {"cli", "live"}

# Pure modules of the standard library: no clock, no files, no environment.
CORE_MAY_IMPORT = {
    "__future__", "bisect", "collections", "collections.abc", "dataclasses", "decimal", "enum",
    "heapq", "itertools", "math", "msgspec", "operator", "random", "typing",
}  # fmt: skip

# Optional libraries stay out of these rooms altogether.
LIGHT_ROOMS = {"", "core", "paths", "config", "strategies", "journal", "cli"}
BASE_DEPENDENCIES = {"msgspec", "tqdm"}


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


@pytest.mark.long
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
        ("logos.data.replay", "import logos.session.entry", "data may not import"),
        ("logos.strategies.sma", "from logos.paths import env_seed", "strategies may not import"),
        ("logos.execution.live", "from logos.session import X", "execution may not import"),
        ("logos.session.entry", "from logos.live import X", "session may not import"),
        ("logos", "import logos.live", "logos may not import logos.live"),
        ("logos.data.replay", "from logos.adapters.ccxt.feed import X", "data may not import"),
        ("logos.execution.live", "from logos.adapters import alpaca", "execution may not import"),
        ("logos.simulators.mt5.wire", "from logos.adapters.mt5 import x", "simulators may not"),
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
            "logos.session.entry",
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


@pytest.mark.long
def test_neither_rooms_nor_modules_nor_the_table_have_a_circle() -> None:
    graph = import_graph.modules()
    assert len(graph) > 200
    assert import_graph.circles(graph) == []
    assert import_graph.circles(import_graph.rooms(graph)) == []
    assert import_graph.circles(ALLOWED) == []


@pytest.mark.parametrize(
    ("files", "of_modules", "of_rooms"),
    [
        ({"a/one.py": "from logos.b import two", "b/two.py": "import os"}, [], []),
        (
            {"a/one.py": "from ..b import two", "b/two.py": "def f():\n    import logos.a.one"},
            [["logos.a.one", "logos.b.two"]],
            [["a", "b"]],
        ),
        (
            {
                "a/one.py": "from logos.b.two import X",
                "b/two.py": "",
                "b/three.py": "from ..a import one",
            },
            [],
            [["a", "b"]],
        ),
        (
            {
                "a/one.py": "from .two import X",
                "a/two.py": "if TYPE_CHECKING:\n    from .three import X",
                "a/three.py": "from logos.a.one import X",
            },
            [["logos.a.one", "logos.a.three", "logos.a.two"]],
            [],
        ),
        (
            {"a/__init__.py": "from .one import X", "a/one.py": "from logos.a import Y"},
            [["logos.a", "logos.a.one"]],
            [],
        ),
        (
            {"__init__.py": "from .a import one", "a/one.py": "from logos import __version__"},
            [],
            [],
        ),
    ],
)
def test_a_circle_is_found(
    tmp_path: Path, files: dict[str, str], of_modules: list[list[str]], of_rooms: list[list[str]]
) -> None:
    for name, text in files.items():
        path = tmp_path / "logos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    graph = import_graph.modules(tmp_path)
    assert import_graph.circles(graph) == of_modules
    assert import_graph.circles(import_graph.rooms(graph)) == of_rooms


def test_a_circle_of_the_table_is_found() -> None:
    assert import_graph.circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [
        ["a", "b", "c"]
    ]
    assert import_graph.circles({"a": {"a"}}) == [["a"]]
