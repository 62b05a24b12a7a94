"""From tables to a Config: every key known, every value of its type, and the whole sensible.

A key nobody knows is refused with the nearest one that exists, and a value of the wrong type with
the place it stands at. What is wrong is set aside and the rest is judged all the same, so that
one run tells everything.
"""

from __future__ import annotations

import difflib
import enum
import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, TypeGuard, get_args, get_origin, get_type_hints

import msgspec

from logos.config.checks import check_values
from logos.config.reading import DEPTH_MAX, is_too_deep
from logos.config.settings import Config, OrderSettings, RiskLimits
from logos.config.tables.base import Settings
from logos.errors import ConfigError
from logos.secrecy import masked, without_keys

Path = tuple[str, ...]
"""The keys that lead to a value; a key may have dots of its own, so they are not joined."""


class _Problem(NamedTuple):
    """What is wrong, in words, and what must be set aside to judge the rest."""

    text: str
    aside: Path


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid on top, table by table."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both_tables = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both_tables else value  # type: ignore[arg-type]
    return merged


def make_config(raw: Mapping[str, Any], where: str = "configuration") -> Config:
    """Check `raw` and make it a Config. `where` names the source in errors.

    Raises ConfigError listing everything that is wrong: unknown and missing keys, values of a
    wrong type or out of range, and settings that contradict each other.
    """
    examined = examine(raw)
    if examined.problems:
        raise ConfigError(f"{where}: " + "; ".join(examined.problems), examined.problems)
    return examined.config


class Examined(NamedTuple):
    """The Config that can be made from some tables, and all that is wrong with them.

    What could not be read has its default in it: then it is of use only to say more.
    `has_all_limits` is False when that was a limit.
    """

    config: Config
    problems: list[str]
    has_all_limits: bool


def examine(raw: object) -> Examined:
    """Judge `raw` in full; raises nothing."""
    if not is_table(raw):
        return Examined(Config(), ["settings are tables, and this is none"], False)
    if is_too_deep(raw):
        words = f"tables and lists are nested deeper than {DEPTH_MAX} levels"
        return Examined(Config(), [words], False)
    problems = _problems(raw, Config, ())
    config = msgspec.convert(_with_symbols(_without(raw, problems)), Config)
    endless = _endless_numbers(config, ())
    problems += endless
    if endless:
        config = msgspec.convert(_with_symbols(_without(raw, problems)), Config)
    # A limit that could not be read is not a limit that is missing.
    has_all_limits = not any(problem.aside[0] == "risk" for problem in problems)
    texts = [problem.text for problem in problems]
    texts += check_values(config, has_all_limits=has_all_limits)
    return Examined(config, [without_keys(text) for text in texts], has_all_limits)


def misfits(raw: Mapping[str, Any]) -> list[str]:
    """What no settings could take of `raw`, a part of some: unknown keys and wrong types."""
    missing = ": is missing"
    problems = [problem.text for problem in _problems(raw, Config, ())]
    return [text for text in problems if not text.endswith(missing)]


def config_hash(config: Config) -> str:
    """SHA-256 of the settings, the session's id aside: equal hashes mean equal sessions.

    Secrets are masked before: from a hash a short one could be guessed.
    """
    anonymous = msgspec.structs.replace(
        masked_config(config), session=msgspec.structs.replace(config.session, id="")
    )
    return hashlib.sha256(msgspec.json.encode(anonymous, order="sorted")).hexdigest()


def masked_config(config: Config) -> Config:
    """`config` as it may be shown and written: see `logos.config.masking`."""
    params = masked("params", config.strategy.params)
    if params is config.strategy.params:
        return config
    strategy = msgspec.structs.replace(config.strategy, params=params)
    return msgspec.structs.replace(config, strategy=strategy)


@cache  # evaluating the annotations anew was a quarter of the making of a session's settings
def fields_of(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a table."""
    return msgspec.structs.fields(kind)


@cache
def keys_of(kind: type[msgspec.Struct]) -> Mapping[str, Any]:
    """The keys of a table, as they are written, with their types."""
    hints = get_type_hints(kind)
    return {field.encode_name: _where_it_is_set(hints[field.name]) for field in fields_of(kind)}


def _where_it_is_set(hint: Any) -> Any:
    """A type without "or not set at all"."""
    choices = get_args(hint)
    kinds = [each for each in choices if each is not msgspec.UnsetType]
    return kinds[0] if len(kinds) == 1 and len(choices) == 2 else hint


def is_table_type(expected: Any) -> TypeGuard[type[Settings]]:
    """Whether a type is a table with keys of its own."""
    return isinstance(expected, type) and issubclass(expected, Settings)


def is_table(raw: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a value is a table."""
    return isinstance(raw, Mapping)


def _with_symbols(raw: Mapping[str, Any]) -> dict[str, Any]:
    """`raw` with every symbol's exceptions laid over the defaults of their table.

    A symbol's table changes what it names and nothing else: a limit that is not repeated there
    still holds.
    """
    whole = dict(raw)
    for table in ("orders", "risk"):
        settings = whole.get(table)
        if not is_table(settings) or "symbols" not in settings:
            continue
        defaults = {
            key: value
            for key, value in settings.items()
            if key in keys_of(RiskLimits) or key in keys_of(OrderSettings)
        }
        symbols = {name: {**defaults, **each} for name, each in settings["symbols"].items()}
        whole[table] = {**settings, "symbols": symbols}
    return whole


def _without(raw: Mapping[str, Any], problems: Iterable[_Problem]) -> dict[str, Any]:
    """`raw` without what is wrong in it."""
    here = {problem.aside[0] for problem in problems if len(problem.aside) == 1}
    whole = {}
    for key, value in raw.items():
        if key in here:
            continue
        deeper = [
            problem._replace(aside=problem.aside[1:])
            for problem in problems
            if problem.aside[0] == key
        ]
        whole[key] = _without(value, deeper) if deeper else value
    return whole


def _problems(raw: object, expected: Any, path: Path) -> list[_Problem]:
    """What is unknown, missing, or of a wrong type in `raw`."""
    if get_origin(expected) is dict and get_args(expected)[1] is not Any and is_table(raw):
        inner = get_args(expected)[1]
        return [
            problem
            for key, value in raw.items()
            for problem in _problems(value, inner, (*path, str(key)))
        ]
    if not (is_table_type(expected) and is_table(raw)):
        return _wrong_value(raw, expected, path)
    known = keys_of(expected)
    problems = [
        _Problem(
            f"{joined((*path, field.encode_name))}: is missing",
            _what_falls_with((*path, field.encode_name)),
        )
        for field in fields_of(expected)
        if field.required and field.encode_name not in raw
    ]
    for key, value in raw.items():
        inside = (*path, str(key))
        if key in known:
            problems += _problems(value, known[key], inside)
            continue
        near = difflib.get_close_matches(str(key), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
        problems.append(_Problem(f"unknown key {joined(inside)!r}; {hint}", inside))
    return problems


def _what_falls_with(path: Path) -> Path:
    """What must be set aside when the value at `path` is: its table, when the table needs it."""
    expected: Any = Config
    for place, key in enumerate(path):
        if is_table_type(expected):
            fields = {field.encode_name: field for field in fields_of(expected)}
            if key not in fields:
                break
            if fields[key].required:
                return path[:place]
            expected = keys_of(expected)[key]
        elif get_origin(expected) is dict:
            expected = get_args(expected)[1]
    return path


def joined(path: Path) -> str:
    """A path as it is shown: `risk.total.max_drawdown`."""
    return ".".join(path)


def _wrong_value(raw: object, expected: Any, path: Path) -> list[_Problem]:
    """Why a value is not of its type, in words; nothing when it is."""
    try:
        msgspec.convert(raw, expected)
    except msgspec.ValidationError as error:
        text, _, _ = str(error).partition(" - at `$")
        if isinstance(expected, type) and issubclass(expected, enum.Enum):
            words = (choice.value or '"" (none)' for choice in expected)
            text += "; use one of " + ", ".join(words)
        return [_Problem(f"{joined(path)}: {text}", _what_falls_with(path))]
    except UnicodeEncodeError:
        text = f"{joined(path)}: it has bytes that are no text"
        return [_Problem(text, _what_falls_with(path))]
    return []


def _endless_numbers(value: object, path: Path) -> list[_Problem]:
    """Every NaN and infinity, wherever it stands."""
    if isinstance(value, Decimal) and not value.is_finite():
        text = f"{joined(path)}: must be a finite number, not {value}"
        return [_Problem(text, _what_falls_with(path))]
    if isinstance(value, msgspec.Struct):
        value = {field.encode_name: getattr(value, field.name) for field in fields_of(type(value))}
    if not is_table(value):
        return []
    return [
        problem
        for key, inner in value.items()
        for problem in _endless_numbers(inner, (*path, str(key)))
    ]
