"""The files, folders and modules that the project's texts name, and which of them do not exist.

A word is taken for a path of this project when its first part is a folder of the project or a
room of `logos`, or when it ends in `.py` or, in backticks, in `/`. What a user makes (a session's
folder, a strategy file) stands in `OF_A_USER`.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from import_graph import statements
from places import PROJECT

TEXTS: Final = (
    *("README.md", "CONTRIBUTING.md", "setup.py", "pyproject.toml", "Makefile"),
    *(".ci/run", ".ci/test-all", "tests/helpers/mutation_targets.py", "docs/*.md"),
)
"""Where no dead path may stand. docs/MANUAL.html is made from these and compared by its test."""

OF_A_USER: Final = frozenset(
    [
        *("path/to/file.py", "file.py", "folder/file.py"),
        *("dip.py", "test_dip.py", "dip/dip.py", "dip/dip.toml", "dip/test_dip.py"),
        "backtesting.py",  # the name of another engine
    ]
)
"""Names that a text gives as an example of what a user writes."""

TOPICS: Final = frozenset(["logos.decisions", "logos.inputs"])
"""Topics of Kafka brokers that are named like modules."""

RUNTIME_FOLDERS: Final = (
    "runs/",
    "state/",
    "logos/logs/",
    "data/cache/",
    "data/raw/",
    "build/",
    "dist/",
)
"""Folders of a workspace or checkout; what lies there is made by sessions, imports and builds."""

_WORD: Final = re.compile(r"[^\s`'\"()\[\],;|=:<>#*]*[/.][^\s`'\"()\[\],;|=:<>#]*")
_MODULE: Final = re.compile(r"(?<![\w./-])logos(?:\.[A-Za-z_]\w*)+")
_NAME: Final = re.compile(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+|(?:[A-Z][a-z0-9]+)+)`")
"""`a_name` or `AClass`. Names of one small word are left out: they are words as well."""
_LITERAL: Final = re.compile(r"[$%{}~\\@!?]")


def dead_paths(text: str, folder: Path = PROJECT, project: Path = PROJECT) -> list[str]:
    """The words of `text`, which lies in `folder`, that name a file or folder that is not there."""
    dead = []
    for word in dict.fromkeys(_WORD.findall(text)):
        name = word.rstrip(".*")
        if _names_a_path(name, text, project) and not _exists(name, folder, project):
            dead.append(name)
    return dead


def dead_modules(text: str) -> list[str]:
    """The dotted names in `text` that start with `logos.` and name no module or part of one."""
    names = dict.fromkeys(match.group() for match in _MODULE.finditer(text))
    return [name for name in names if name not in TOPICS and not _resolves(name)]


def prose_of(source: str) -> Iterator[str]:
    """The strings of a module that are statements (docstrings and the like), and its comments."""
    lines = source.splitlines()
    for node in _texts(source):
        yield str(node.value)
        for number in range(node.lineno - 1, node.end_lineno or node.lineno):
            lines[number] = ""
    for line in lines:
        yield line.partition("# ")[2]


def names_in(source: str) -> set[str]:
    """Every word of a module's code: its names, and what its other strings say."""
    lines = source.splitlines()
    for node in _texts(source):
        for number in range(node.lineno - 1, node.end_lineno or node.lineno):
            lines[number] = ""
    code = "\n".join(line.partition("# ")[0] for line in lines)
    return set(re.findall(r"\w+", code))


def dead_names(prose: Iterable[str], known: set[str]) -> list[str]:
    """The words in backticks that look like a name of the code and are none that is `known`."""
    words = dict.fromkeys(word for text in prose for word in _NAME.findall(text))
    return [word for word in words if word not in known]


def _texts(source: str) -> Iterator[ast.Constant]:
    """The statements of a module that are a string and nothing else."""
    for node in statements(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield node.value


def _names_a_path(name: str, text: str, project: Path) -> bool:
    if name in OF_A_USER or name.startswith(RUNTIME_FOLDERS) or _LITERAL.search(name):
        return False
    if name.endswith((".so", "/.py", "built_from.txt")) or name == ".py":
        return False
    first, slash, rest = name.partition("/")
    if name.endswith(".py") or (slash and f"`{name}`" in text and name.endswith("/")):
        return bool(first)
    inside = (project / first).is_dir() or (project / "src" / "logos" / first).is_dir()
    return bool(first and rest and inside and first not in ("logos", "."))


def _exists(name: str, folder: Path, project: Path) -> bool:
    bases = (project, folder, project / "src", project / "src" / "logos")
    if "*" in name:
        return any(next(base.glob(name), None) for base in bases)
    if "/" not in name:
        return any(
            next((project / top).rglob(name), None) for top in ("src", "tests", "bench")
        ) or (
            any(
                (base / name).exists() for base in (*bases, project / "tools", project / "examples")
            )
        )
    return any((base / name).exists() for base in bases)


def _resolves(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False
