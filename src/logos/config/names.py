"""Settings in variables: `LOGOS_CFG__RISK__TOTAL__MAX_DRAWDOWN=500` is `risk.total.max_drawdown`.

Two underscores separate the tables. Names are the settings' own, in any case. A symbol, currency
or parameter is spelled as it stands in the layers below, if it is there in any case; a symbol also
as it stands anywhere else in them. Otherwise it is taken as written, but names of
`strategy.params`, `risk.actions` and `alerts.channels`, which are lower case by nature, become
lower case.

A value is TOML (`500`, `true`, `["a", "b"]`, `{ USD = "1000" }`), and plain text where it is not,
or where the setting is a text.
"""

from __future__ import annotations

import datetime
import difflib
import enum
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple, get_args, get_origin

from logos.config.making import Path, is_table, is_table_type, keys_of, merge
from logos.config.reading import is_too_deep
from logos.config.settings import Config

PREFIX: Final = "LOGOS_CFG__"
_STEM: Final = "LOGOS_CFG"
_LOWER_CASE: Final = (("strategy", "params"), ("risk", "actions"), ("alerts", "channels"))
_BY_SYMBOL: Final = (
    ("instruments",),
    ("orders", "symbols"),
    ("risk", "symbols"),
    ("live", "markets"),
)
_ANY: Final = "*"


class Named(NamedTuple):
    """What a set of variables says.

    `tables` is laid over the layers below; `origins` names the variable of each value in it.
    """

    tables: dict[str, Any]
    origins: dict[Path, str]
    problems: list[str]


class _UnknownNameError(Exception):
    """No setting has this name."""


def read_names(variables: Mapping[str, str], below: Mapping[str, Any]) -> Named:
    """The settings among `variables`; `below` are the tables of the layers below them."""
    tables: dict[str, Any] = {}
    origins: dict[Path, str] = {}
    problems: list[str] = []
    seen: dict[Path, str] = {}
    ours = [name for name in variables if name.upper().startswith(_STEM)]
    # A whole table comes before the single values in it, which are more exact.
    for name in sorted(ours, key=lambda name: (name.count("__"), name)):
        try:
            path, expected = _resolve(name, merge(below, tables))
        except _UnknownNameError as error:
            problems.append(str(error))
            continue
        if path in seen:
            problems.append(f"{seen[path]} and {name} are the same setting; keep one")
            continue
        seen[path] = name
        value = _read_value(variables[name], expected)
        origins |= dict.fromkeys(leaves(value, path), name)
        tables = merge(tables, _tables_of(path, value))
    return Named(tables, origins, problems)


def leaves(value: object, path: Path) -> Iterator[Path]:
    """The paths of all single values inside of `value`, which stands at `path`.

    An empty table has none: laid over another, it changes nothing.
    """
    if not is_table(value):
        yield path
        return
    for key, inner in value.items():
        yield from leaves(inner, (*path, str(key)))


def _tables_of(path: Path, value: object) -> dict[str, Any]:
    """The tables in which `value` stands at `path`."""
    *above, last = path
    tables: dict[str, Any] = {last: value}
    for key in reversed(above):
        tables = {key: tables}
    return tables


def _resolve(name: str, below: Mapping[str, Any]) -> tuple[Path, Any]:
    """The path a variable's name stands for, and the type of what stands there."""
    parts = name[len(PREFIX) :].split("__")
    if name[: len(PREFIX)].upper() != PREFIX or not all(parts):
        raise _UnknownNameError(_unknown(name, parts))
    expected: Any = Config
    path: Path = ()
    for part in parts:
        if is_table_type(expected):
            keys = keys_of(expected)
            key = part.lower()
            if key not in keys:
                raise _UnknownNameError(_unknown(name, parts))
            expected = keys[key]
        elif get_origin(expected) is dict:
            key = _spelling(part, path, below, name)
            expected = get_args(expected)[1]
        else:
            raise _UnknownNameError(_unknown(name, parts))
        path = (*path, key)
    return path, expected


def _spelling(part: str, path: Path, below: Mapping[str, Any], name: str) -> str:
    """How the key `part` of the table at `path` is spelled; `name` is the whole variable."""
    elsewhere = _symbols_of(below) if path in _BY_SYMBOL else []
    for known in (list(_table_at(path, below)), elsewhere):
        same = sorted({key for key in known if key.lower() == part.lower()})
        if part in same:
            return part
        if len(same) > 1:
            raise _UnknownNameError(
                f"{name} may mean {' or '.join(same)} of {'.'.join(path)}; spell it like one"
            )
        if same:
            return same[0]
    return part.lower() if path in _LOWER_CASE else part


def _symbols_of(tables: Mapping[str, Any]) -> list[str]:
    """Every symbol that is named anywhere in `tables`."""
    listed = _table_at(("data",), tables).get("symbols")
    found = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
    for path in _BY_SYMBOL:
        found += _table_at(path, tables)
    return found


def _table_at(path: Path, tables: Mapping[str, Any]) -> Mapping[str, Any]:
    found: object = tables
    for key in path:
        found = found.get(key) if is_table(found) else None
    return found if is_table(found) else {}


def _read_value(text: str, expected: Any) -> object:
    """A variable's text as TOML, or as plain text."""
    is_text = expected is str or (isinstance(expected, type) and issubclass(expected, enum.Enum))
    try:
        parsed = tomllib.loads(f"value = {text}\n", parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return text
    value = parsed["value"]
    if is_too_deep(value):
        return text
    # More than one key: the text has lines of its own, and is no single value.
    moments = (datetime.date, datetime.time)
    if len(parsed) > 1 or isinstance(value, moments) or (is_text and not isinstance(value, str)):
        return text
    return value


def _unknown(name: str, parts: list[str]) -> str:
    given = name[len(_STEM) :].upper().lstrip("_")
    near = difflib.get_close_matches(given, list(_names(parts)), n=1)
    hint = (
        f"did you mean {PREFIX}{near[0]}?"
        if near
        else f"names begin with {PREFIX} and a table's name"
    )
    return f"unknown setting {name}; {hint}"


def _names(parts: list[str]) -> Iterator[str]:
    """Every name there is, without prefix; a symbol is what `parts` have in its place."""
    for path in _paths(Config, ()):
        names = [
            (parts[place] if place < len(parts) else "NAME") if key is _ANY else key
            for place, key in enumerate(path)
        ]
        yield "__".join(names).upper()


def _paths(expected: Any, path: Path) -> Iterator[Path]:
    if is_table_type(expected):
        for key, inner in keys_of(expected).items():
            yield from _paths(inner, (*path, key))
    elif get_origin(expected) is dict:
        yield from _paths(get_args(expected)[1], (*path, _ANY))
    else:
        yield path
