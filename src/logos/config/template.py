"""Settings written as TOML: every key with its default, or those in force with their layer.

The words beside a key are the docstring under it in its table. They are read from the source, as
Python keeps none of attributes; so a key is explained in one place.
"""

from __future__ import annotations

import ast
import datetime
import enum
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any, Final, get_args, get_origin

import msgspec

from logos.config.making import Path, is_table, is_table_type, keys_of
from logos.config.settings import Config
from logos.config.tables.base import Settings

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_INTRODUCTION: Final = """\
# Settings of a logos session: every key there is, with its default.
# Keys and passwords of venues do not belong here, but in the environment or in .env.
# docs/CONFIGURATION.md says more; `logos config check` says whether all is well.
"""
_PARAMETERS: Final = ("strategy", "params")
_NOT_BY_HAND: Final = ("carry",)
"""Tables that a command fills, and nobody writes."""
_NAMED: Final = {"channels": "NAME", "table": "NAME"}
"""What the tables in a table are called by; others are by symbol."""


def description(kind: type[msgspec.Struct], attribute: str) -> str:
    """The words under an attribute of a table, or under the one that it inherits."""
    for each in kind.__mro__:
        if issubclass(each, Settings):
            words = _descriptions(each.__module__).get((each.__name__, attribute))
            if words is not None:
                return words
    return ""


@cache
def _descriptions(module: str) -> dict[tuple[str, str], str]:
    """The words under each attribute of a module's classes, by class and attribute."""
    found = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for attribute, below in zip(node.body, node.body[1:], strict=False):
            is_words = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            if isinstance(attribute, ast.AnnAssign) and is_words:
                assert isinstance(attribute.target, ast.Name)
                words = below.value.value  # type: ignore[attr-defined]
                found[node.name, attribute.target.id] = " ".join(words.split())
    return found


def default_toml() -> str:
    """A settings file with every key, its default and its words; loads as the defaults."""
    lines = [_INTRODUCTION.rstrip()]
    for field in msgspec.structs.fields(Config):
        if field.name in _NOT_BY_HAND:
            continue
        # A table that is not there means something else than one with its defaults in it.
        is_example = field.default is msgspec.UNSET
        lines += _default_table(keys_of(Config)[field.name], (field.name,), is_example=is_example)
    return "\n".join(lines) + "\n"


def effective_toml(config: Config, origin: Callable[[Path], str]) -> str:
    """The settings in force, each with the layer that it came from; loads as the same settings.

    `origin` names the layer of a path, "" for a default.
    """
    return "\n".join(_effective_table(config, (), origin)).lstrip("\n") + "\n"


def values_of(config: Config) -> Iterator[tuple[Path, object]]:
    """Every single setting with its path; what is not set is left out."""
    yield from _values(config, ())


def toml_value(value: object) -> str:
    """A value as TOML. Raises TypeError for what a settings file cannot hold."""
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # A JSON string is a TOML string, but for one character that TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (int, Decimal, float)):
        return str(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(toml_value(each) for each in value)}]"
    if is_table(value):
        inside = ", ".join(f"{toml_key(key)} = {toml_value(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    raise TypeError(f"not a value of a settings file: {type(value).__name__}")


def toml_key(key: str) -> str:
    """A key as TOML, quoted where it must be."""
    return key if _BARE_KEY.fullmatch(key) else toml_value(key)


def toml_path(path: Path) -> str:
    """A path as TOML: `instruments."BTC/USD".tick`."""
    return ".".join(toml_key(key) for key in path)


def _default_table(hint: Any, path: Path, *, is_example: bool) -> list[str]:
    """The lines of the table at `path`; tables by symbol or name are examples, in comments."""
    if get_origin(hint) is dict:
        name = _NAMED.get(path[-1], "SYMBOL")
        hint, path, is_example = get_args(hint)[1], (*path, name), True
    assert is_table_type(hint)
    mark = "# " if is_example else ""
    first_words = (inspect.getdoc(hint) or "").partition(": ")[2].split("\n\n")[0]
    words = first_words[:1].upper() + first_words[1:]
    lines = ["", *(f"# {line}" for line in words.splitlines()), f"{mark}[{toml_path(path)}]"]
    inner: list[str] = []
    for field in msgspec.structs.fields(hint):
        kind = keys_of(hint)[field.encode_name]
        if is_table_type(kind) or (get_origin(kind) is dict and is_table_type(get_args(kind)[1])):
            is_unset = is_example or field.default is msgspec.UNSET
            inner += _default_table(kind, (*path, field.encode_name), is_example=is_unset)
            continue
        words = description(hint, field.name)
        value = _default_of(field)
        if field.required:
            lines += [f"# {words} Required.", f"{mark}{field.encode_name} = ..."]
        elif value is None or value is msgspec.UNSET or path[1:2] == ("symbols",):
            # A symbol has by default what its table above says, which no value here can say.
            lines += [f"# {words}", f"# {field.encode_name} = ..."]
        else:
            lines += [f"# {words}", f"{mark}{field.encode_name} = {toml_value(value)}"]
    return lines + inner


def _default_of(field: msgspec.structs.FieldInfo) -> object:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return None if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _effective_table(table: object, path: Path, origin: Callable[[Path], str]) -> list[str]:
    """The lines of a table, and of the tables in it."""
    lines: list[str] = []
    inner: list[str] = []
    for key, value in _items(table):
        inside = (*path, key)
        if isinstance(value, msgspec.Struct) or (value and _is_open(value, inside)):
            inner += _effective_table(value, inside, origin)
        elif value is None or value is msgspec.UNSET:
            lines.append(f"# {key} is not set")
        else:
            lines.append(f"{toml_key(key)} = {toml_value(value)}  # {origin(inside) or 'default'}")
    head = ["", f"[{toml_path(path)}]"] if path and lines else []
    return [*head, *lines, *inner]


def _is_open(value: object, path: Path) -> bool:
    """Whether a table's values are listed one by one; a parameter that is a table is one value."""
    return is_table(value) and (path == _PARAMETERS or path[:2] != _PARAMETERS)


def _items(table: object) -> list[tuple[str, object]]:
    if isinstance(table, msgspec.Struct):
        fields = msgspec.structs.fields(table)
        return [(field.encode_name, getattr(table, field.name)) for field in fields]
    return list(table.items()) if is_table(table) else []


def _values(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    if isinstance(value, msgspec.Struct) or _is_open(value, path):
        for key, inner in _items(value):
            yield from _values(inner, (*path, key))
    elif value is not None and value is not msgspec.UNSET:
        yield path, value
