"""From the name of a strategy to the strategy: bundled, `module:Class` or `file.py:Class`.

Everything that can go wrong on the way is a `StrategyLoadError` that names the part that is
wrong; an error inside the user's own module says so, with its file and line.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Final

from logos.core.strategy import Strategy
from logos.errors import LogosError, error_words
from logos.interrupts import is_interrupt
from logos.secrecy import secrets_in, without, without_keys
from logos.strategies.failure import FILE_MODULE, failure_lines, with_place
from logos.strategies.parameters import ParameterError, arguments_of

BUNDLED: Final[dict[str, str]] = {
    "sma_cross": "logos.strategies.sma_cross:SmaCross",
    "ema_cross": "logos.strategies.ema_cross:EmaCross",
    "mean_reversion": "logos.strategies.mean_reversion:MeanReversion",
    "pairs": "logos.strategies.pairs:Pairs",
    "schedule": "logos.strategies.schedule:Schedule",
    "signals": "logos.data.signals:SignalStrategy",
}
"""Names of the strategies that come along, and where each lives."""


class StrategyLoadError(LogosError):
    """A strategy that cannot be had; the message says which part of the wish is wrong."""


def load_strategy(name_or_path: str, params: Mapping[str, object]) -> Strategy:
    """Make the strategy `name_or_path` with `params` as its keyword arguments.

    A bundled name, `package.module:Class` (the working directory counts), or
    `path/to/file.py:Class`. Raises StrategyLoadError.
    """
    return make_strategy(load_class(name_or_path), params, name_or_path)


def make_strategy(kind: type[Strategy], params: Mapping[str, object], name: str) -> Strategy:
    """An instance of the class `kind`, which messages call `name`. Raises StrategyLoadError."""
    try:
        return kind(**arguments_of(kind, params))
    except ParameterError as error:
        raise StrategyLoadError(f"strategy {name}: {error}") from error
    except BaseException as error:
        if is_interrupt(error):
            raise
        # The strategy's own constructor: its ValueErrors are about the parameters' values.
        what = str(error) if isinstance(error, ValueError) else error_words(error)
        if name not in BUNDLED:
            what = with_place(what, error)
        secrets = secrets_in("params", params)
        raise _load_error(f"strategy {name}: {what}", error, secrets) from error


def load_class(name_or_path: str) -> type[Strategy]:
    """The strategy class itself, not made yet. Raises StrategyLoadError."""
    where = BUNDLED.get(name_or_path, name_or_path)
    module_name, colon, class_name = where.rpartition(":")
    if not colon or not module_name or not class_name:
        raise StrategyLoadError(_no_such_name(name_or_path))
    module = load_module(module_name)
    kind = getattr(module, class_name, None)
    if kind is None:
        raise StrategyLoadError(_no_such_class(module, module_name, class_name))
    if not (isinstance(kind, type) and issubclass(kind, Strategy)):
        raise StrategyLoadError(
            f"{where} is not a strategy: derive the class from logos.Strategy "
            f"(it is {_described(kind)})"
        )
    return kind


def load_classes(name_or_path: str) -> dict[str, type[Strategy]]:
    """The strategy class of that name, or all that a file `path/to/file.py` defines, by name.

    Raises StrategyLoadError, also for a file without any.
    """
    if not name_or_path.endswith(".py"):
        return {name_or_path: load_class(name_or_path)}
    module = load_module(name_or_path)
    found = {
        f"{name_or_path}:{name}": kind
        for name, kind in vars(module).items()
        if isinstance(kind, type)
        and issubclass(kind, Strategy)
        and kind.__module__ == module.__name__
    }
    if not found:
        raise StrategyLoadError(
            f"{name_or_path} has no strategy: derive a class from logos.Strategy"
        )
    return found


def load_module(name_or_path: str) -> ModuleType:
    """A module by its name, or by the path of its file. Raises StrategyLoadError."""
    if name_or_path.endswith(".py"):
        return _module_of_file(Path(name_or_path))
    return _module_of_name(name_or_path)


def _no_such_name(name: str) -> str:
    near = difflib.get_close_matches(name, BUNDLED, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return (
        f"no strategy is called {name!r}: {hint}bundled are {', '.join(BUNDLED)}; "
        "your own is module:Class or file.py:Class"
    )


def _no_such_class(module: ModuleType, module_name: str, class_name: str) -> str:
    found = [
        name
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, Strategy) and kind is not Strategy
    ]
    near = difflib.get_close_matches(class_name, found, n=1)
    hint = f"did you mean {near[0]}?" if near else f"its strategies: {', '.join(found) or 'none'}"
    return f"{module_name} ({module.__file__}) has no class {class_name}: {hint}"


def _described(kind: object) -> str:
    return f"class {kind.__name__}" if isinstance(kind, type) else f"a {type(kind).__name__}"


def _module_of_name(name: str) -> ModuleType:
    """Import a module; the working directory comes first, as with `python -m`."""
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    importlib.invalidate_caches()  # the file may be younger than the interpreter
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise StrategyLoadError(
                f"there is no module {error.name}: looked in {here} and in the installed packages"
            ) from error
        raise _broken(name, error) from error
    except BaseException as error:
        if is_interrupt(error):
            raise
        raise _broken(name, error) from error


def _module_of_file(path: Path) -> ModuleType:
    """Load a module from a file, under the file's own name."""
    if not path.is_file():
        raise StrategyLoadError(f"there is no file {path} (working directory: {os.getcwd()})")
    name = f"{FILE_MODULE}.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # annotations of its classes are looked up there
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if is_interrupt(error):
            raise
        raise _broken(str(path), error) from error
    return module


def _broken(name: str, error: BaseException) -> StrategyLoadError:
    """What failed inside a user's module, and where."""
    words = f"{name} cannot be imported: {error_words(error)}"
    return _load_error(with_place(words, error), error)


def _load_error(words: str, error: BaseException, secrets: Iterable[str] = ()) -> StrategyLoadError:
    """A failure of the user's code at import or construction, with the way there as a note."""
    found = StrategyLoadError(without(words, secrets := tuple(secrets)))
    lines = failure_lines(error, with_source=True)
    if len(lines) > 2:  # one frame stands in the message already
        found.add_note(without_keys(without("\n".join(lines), secrets)))
    return found
