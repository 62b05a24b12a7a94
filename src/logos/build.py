"""Which build this is: one hash over the sources of logos, and those of what a strategy imported.

The problem: a session follows from its settings, its data, its strategy and the software, and a
version number does not change when somebody edits a file. A session that is resumed with another
helper module beside its strategy, or with other sources of logos, would go on as a mixture of two.
So every file that decides is hashed when a session begins, and compared when it is resumed.

What a strategy imported is followed from its own file: every `import` in it, wherever it stands,
and every module, class or function in its namespace; then the same of each file found. The standard
library and installed packages are left out, and logos is a hash of its own. What a strategy imports
under a name that it computes, and files that it reads, are not seen.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import os
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Final

from logos import __version__
from logos.errors import LogosError
from logos.installation import stale_core

_PACKAGE: Final = Path(__file__).resolve().parent
_INSTALLED: Final = ("site-packages", "dist-packages")


class StaleCore(LogosError):
    """The compiled core is not that of the sources beside it; the message says what to do."""


@cache
def build_hash() -> str:
    """SHA-256 over the name and content of every source file of logos, as it is on the disk.

    The same for a compiled core, and on every version of Python. Raises OSError, and StaleCore when
    the core that runs was compiled from other sources.
    """
    if problem := stale_core():
        raise StaleCore(problem)
    digest = hashlib.sha256()
    root = os.fspath(_PACKAGE)
    for name in sorted(_sources(root)):
        # A thousand files at each start of a session: without `pathlib` in half the time.
        with open(f"{root}/{name}", "rb", buffering=0) as file:
            content = file.readall()
        digest.update(f"{name}:{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def _sources(root: str) -> Iterator[str]:
    """The source files under a folder, by their paths within it."""
    for folder, inner, names in os.walk(root):
        inner[:] = [name for name in inner if name != "__pycache__"]
        within = folder[len(root) + 1 :]
        before = f"{within}/" if within else ""
        for name in names:
            if name.endswith((".py", ".toml")):
                yield f"{before}{name}"


def build_name() -> str:
    """The version and the hash's first digits: what a switch is armed for. Raises OSError."""
    return f"{__version__}+{build_hash()[:16]}"


def imported_by(*origins: object) -> dict[str, str]:
    """SHA-256 of every source file that the `origins` (classes, functions) rest on.

    By the name of the module, in order of names; their own files are among them. Nothing that
    comes with Python, is installed, or belongs to logos. A file that cannot be read any more has
    an empty hash.
    """
    found: dict[str, Path] = {}
    waiting = [(name, path) for origin in origins for name, path in _home_of(origin)]
    while waiting:
        name, path = waiting.pop()
        if path in found.values() or not _is_users(path):
            continue
        found[name] = path
        waiting += _named_in(name, path)
    return {name: _hash(path) for name, path in sorted(found.items())}


def _home_of(origin: object) -> Iterator[tuple[str, Path]]:
    """The module in which a class or function is written, with its file."""
    try:
        file = inspect.getsourcefile(origin)  # type: ignore[arg-type]
    except (TypeError, OSError):  # made on the fly, or in a notebook
        return
    if file:
        yield str(getattr(origin, "__module__", "")), Path(file).resolve()


def _named_in(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    """Modules that a module's text imports, and those of what stands in its namespace."""
    module = sys.modules.get(name)
    try:
        text = path.read_bytes()
    except OSError:
        text = b""
    names = list(_names_in(text, _package_of(name, path, module)))
    if module is not None:
        for value in list(vars(module).values()):
            if isinstance(value, ModuleType):
                names.append(value.__name__)
            elif isinstance(value, type) or inspect.isfunction(value):
                names.append(value.__module__)
    for each in dict.fromkeys(names):
        file = _file_of(each)
        if file is not None:
            yield each, file


@lru_cache(maxsize=256)
def _names_in(text: bytes, package: str) -> tuple[str, ...]:
    """What the text of a module in `package` imports: worked out once, also for many sessions."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ()
    return tuple(each for node in ast.walk(tree) for each in _imports(node, package))


def _package_of(name: str, path: Path, module: ModuleType | None) -> str:
    if module is not None and module.__package__ is not None:
        return module.__package__
    return name if path.name == "__init__.py" else name.rpartition(".")[0]


def _imports(node: ast.AST, package: str) -> Iterator[str]:
    """The names of modules that an import may mean, its packages among them."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _with_parents(alias.name)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = package.split(".")
            base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
        yield from _with_parents(base)
        for alias in node.names:
            yield f"{base}.{alias.name}"


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        yield ".".join(parts[:count])


def _file_of(name: str) -> Path | None:
    """The source file of a module, without importing anything; None for none."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if module is None:
        file = _search(name)
    if not file or not str(file).endswith(".py"):
        return None
    return Path(file).resolve()


def _search(name: str) -> str | None:
    """Where a module that is not imported yet would come from: it may be, within a callback."""
    top, *rest = name.split(".")
    if not top or top in sys.stdlib_module_names:
        return None
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None:
        return None
    if not rest:
        return spec.origin
    for folder in spec.submodule_search_locations or ():
        place = Path(folder, *rest)
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                return str(file)
    return None


@cache
def _of_python() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple({Path(paths[key]).resolve() for key in ("stdlib", "platstdlib")})


def _is_users(path: Path) -> bool:
    """Whether a file neither comes with Python, nor is installed, nor is part of logos."""
    if any(part in _INSTALLED for part in path.parts) or path.is_relative_to(_PACKAGE):
        return False
    return not any(path.is_relative_to(folder) for folder in _of_python())


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
