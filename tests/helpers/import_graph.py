"""Which module of logos names which other one, read from the import statements.

Every statement counts, also inside functions and under TYPE_CHECKING: what a module names, it
depends on.
"""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from places import PROJECT

SOURCE = PROJECT / "src"

Graph = dict[str, set[str]]
"""Each name with the names that it depends on."""


@cache
def parsed(path: Path) -> ast.Module:
    """The tree of a file of this project, made once; not to be changed."""
    # It is kept, so it is set aside: looking through all that is kept for cycles, again and again
    # while the next ones are made, would take three quarters of the time.
    tree = ast.parse(path.read_text(encoding="utf-8"))
    gc.freeze()
    return tree


def statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Every statement below `node`, outermost first; expressions, the bulk of a tree, are left."""
    for name in ("body", "orelse", "finalbody"):
        for child in getattr(node, name, ()):
            yield child
            yield from statements(child)
    for name in ("handlers", "cases"):
        for child in getattr(node, name, ()):
            yield from statements(child)


def module_name(path: Path, source: Path = SOURCE) -> str:
    """The dotted name of a file below `source`."""
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The package (or single module) directly under `logos`; "" for logos/__init__.py."""
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


def modules(source: Path = SOURCE) -> Graph:
    """Every module below `source` with the modules that it imports, itself left out.

    A name is taken to be of the innermost module that it starts with, so `from logos.core import
    fixed` leads to `logos.core.fixed`, not to the package `logos.core`.
    """
    paths = {module_name(path, source): path for path in sorted(source.rglob("*.py"))}
    graph: Graph = {}
    for module, path in paths.items():
        tree = parsed(path)
        found = imported(module, path.name == "__init__.py", tree)
        targets = {_innermost(name, paths) for _, name in found if name != "logos.__version__"}
        graph[module] = targets - {"", module}
    return graph


def rooms(graph: Mapping[str, Iterable[str]]) -> Graph:
    """The same between the rooms, a room's imports of its own modules left out."""
    found: Graph = {room_of(module): set() for module in graph}
    for module, targets in graph.items():
        found[room_of(module)] |= {room_of(target) for target in targets} - {room_of(module)}
    return found


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Every group of names that depend on each other in a circle, each sorted.

    These are the strongly connected components of more than one name (Tarjan's algorithm, as in
    https://en.wikipedia.org/wiki/Tarjan%27s_strongly_connected_components_algorithm) and the
    names that depend on themselves.
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in sorted(graph.get(name, ())):
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            start = stack.index(name)
            group = sorted(stack[start:])
            del stack[start:]
            if len(group) > 1 or name in graph.get(name, ()):
                found.append(group)

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return sorted(found)


def _innermost(name: str, known: Mapping[str, Path]) -> str:
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name
