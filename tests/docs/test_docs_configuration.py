"""docs/CONFIGURATION.md names every key with its type and default, and none that does not exist."""

from __future__ import annotations

import argparse
import enum
import json
import re
import tomllib
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from places import PROJECT

from logos.cli.trade import add_arguments
from logos.config import BALANCE_DEFAULT, Config, ConfigError, make_config
from logos.core.fixed import ROUNDING_MODES
from logos.core.types import BarPath, FillRule
from logos.paths import SEED_DEFAULT

TEXT = (PROJECT / "docs" / "CONFIGURATION.md").read_text(encoding="utf-8")

_HEADING = re.compile(r"^### `\[([^]]+)\]`$", re.M)
_KEY_ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.M)
_OPTION_ROW = re.compile(r"^\| `(--[a-z-]+) [^`]+` \| `([a-z_.]+)(?:\.KEY)?` \|", re.M)

Table = dict[str, tuple[str, str]]
"""Keys with their type and default, as the document words them."""


def _documented() -> dict[str, Table]:
    """The tables under the headings that name a table of the settings."""
    _, *parts = _HEADING.split(TEXT)
    tables = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        section = re.split(r"^## ", body, flags=re.M)[0]
        rows = _KEY_ROW.findall(section)
        assert len({row[0] for row in rows}) == len(rows), f"[{name}] names a key twice"
        tables[name] = {key: (kind, default) for key, kind, default, _ in rows}
    return tables


def _existing(kind: type[msgspec.Struct], path: str = "") -> dict[str, Table]:
    """The tables of the code: `kind` and every table inside of it."""
    hints = get_type_hints(kind)
    tables: dict[str, Table] = {}
    table: Table = {}
    for field in msgspec.structs.fields(kind):
        hint = hints[field.name]
        name = f"{path}.{field.encode_name}" if path else field.encode_name
        table[field.encode_name] = (_type_words(hint), _default_words(field))
        inner = get_args(hint)[1] if _is_dict(hint) else _set(hint)
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            called = "NAME" if field.name in ("channels", "table") else "SYMBOL"
            tables |= _existing(inner, f"{name}.{called}" if _is_dict(hint) else name)
    # The document itself describes the outermost table: its keys are the headings.
    return tables if not path else {path: table, **tables}


def _set(hint: Any) -> Any:
    """A type without "or not set"."""
    kinds = [each for each in get_args(hint) if each is not msgspec.UnsetType]
    return kinds[0] if len(kinds) == 1 and msgspec.UnsetType in get_args(hint) else hint


def _is_dict(hint: Any) -> bool:
    return getattr(hint, "__origin__", None) is dict


def _type_words(hint: Any) -> str:
    absent = (type(None), msgspec.UnsetType)
    if any(each in absent for each in get_args(hint)):
        [hint] = [each for each in get_args(hint) if each not in absent]
    if _is_dict(hint):
        return "table of numbers" if get_args(hint)[1] is Decimal else "table"
    if getattr(hint, "__origin__", None) is list:
        words = {str: "list of text", int: "list of whole numbers"}
        return words.get(get_args(hint)[0], "list of choices")
    if issubclass(hint, enum.Enum):
        return "choice"
    if issubclass(hint, msgspec.Struct):
        return "table"
    return {Decimal: "number", int: "whole number", str: "text", bool: "true or false"}[hint]


def _default_words(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if default is None:
        return "none"
    if default is msgspec.UNSET:
        return "not set"
    if isinstance(default, msgspec.Struct):
        return "`{}`"
    if isinstance(default, enum.Enum):
        default = default.value
    return f"`{default if isinstance(default, Decimal) else json.dumps(default)}`"


DOCUMENTED = _documented()
EXISTING = _existing(Config)


def test_every_table_is_documented_and_no_other() -> None:
    assert set(DOCUMENTED) == set(EXISTING)


@pytest.mark.parametrize("name", sorted(EXISTING))
def test_every_key_stands_with_its_type_and_default_and_no_other(name: str) -> None:
    assert DOCUMENTED[name] == EXISTING[name]


def test_every_table_of_the_code_is_walked() -> None:
    top = {field.encode_name for field in msgspec.structs.fields(Config)}
    assert {name.split(".")[0] for name in EXISTING} == top


def test_every_option_of_trade_stands_with_a_key_that_exists() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    options = set(re.findall(r"(--[a-z][a-z-]*)", parser.format_usage()))
    rows = dict(_OPTION_ROW.findall(TEXT))
    leave = {"--live", "--i-acknowledge-risk"}  # together they are a key, see the prose
    assert set(rows) == options - leave - {"--config", "--carry", "--quiet", "--verbose", "--json"}
    for key in rows.values():
        table, _, name = key.rpartition(".")
        assert name in EXISTING[table]


def test_keys_in_the_prose_exist() -> None:
    tables = "|".join(sorted({name.split(".")[0] for name in EXISTING}))
    found = re.findall(rf"`((?:{tables})\.[a-z_]+)`", TEXT)
    assert found
    for key in set(found) - {"instruments.toml"}:
        table, _, name = key.rpartition(".")
        assert name in EXISTING[table], key


def test_words_to_choose_from_are_complete() -> None:
    for row, words in (
        ("fill", [rule.value for rule in FillRule]),
        ("bar_path", [path.value for path in BarPath]),
        ("rounding", list(ROUNDING_MODES)),
    ):
        [line] = re.findall(rf"^\| `{row}` \| .*$", TEXT, re.M)
        assert all(f"`{word}`" in line for word in words)


def test_defaults_outside_of_the_tables_are_those_of_the_code() -> None:
    assert f"Empty: {BALANCE_DEFAULT:,} of every quote currency" in TEXT
    [seed] = re.findall(r"^\| `LOGOS_SEED` \|.*\| (\d+) \|$", TEXT, re.M)
    assert int(seed) == SEED_DEFAULT


def _example_errors() -> list[tuple[str, str]]:
    table = TEXT.split("| settings | message |\n|---|---|\n")[1].split("\n\n")[0]
    return [
        (settings, message)
        for settings, message in re.findall(r"^\| `([^`]+)` \| (.+) \|$", table, re.M)
    ]


@pytest.mark.parametrize(("settings", "message"), _example_errors())
def test_the_errors_are_worded_as_documented(settings: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_config(tomllib.loads(settings, parse_float=Decimal), "session.toml")
    assert str(caught.value) == f"session.toml: {message}"


def test_the_example_session_is_valid() -> None:
    path = PROJECT / "examples" / "session.toml"
    config = make_config(tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal))
    assert config.data.accept == ["gap"]
