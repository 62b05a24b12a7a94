"""From the names of a user's guards to the functions: `module:function` or `file.py:function`."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from logos.core.guards import OwnGuard
from logos.strategies.load import StrategyLoadError, load_module


def load_guards(names: Iterable[str], find: Callable[[str], str] = str) -> list[OwnGuard]:
    """The guards that the settings name, in their order; `find` says where a name leads.

    Raises StrategyLoadError for a name that no function has, and for a function that cannot be
    called with one argument.
    """
    return [_load_guard(name, find) for name in names]


def guards_fingerprint(guards: Sequence[OwnGuard]) -> str:
    """SHA-256 of the guards' names and of the files that they are in. Raises OSError."""
    digest = hashlib.sha256()
    for guard in guards:
        source = Path(inspect.getsourcefile(guard.function) or "").read_bytes()
        digest.update(f"{guard.name}:{hashlib.sha256(source).hexdigest()}\n".encode())
    return digest.hexdigest()


def _load_guard(name: str, find: Callable[[str], str]) -> OwnGuard:
    module_name, colon, function_name = name.rpartition(":")
    if not (colon and module_name and function_name):
        raise StrategyLoadError(f"guard {name!r}: write module:function or file.py:function")
    module = load_module(find(name).rpartition(":")[0])
    function = getattr(module, function_name, None)
    if not inspect.isfunction(function):
        raise StrategyLoadError(f"guard {name}: {module_name} has no function {function_name}")
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        raise StrategyLoadError(
            f"guard {name}: it must take one argument, the order (logos.core.guards.own.OrderView)"
        ) from None
    return OwnGuard(name, function)
