"""docs/GUARDS.md shows the table of guards, explains each of them, and has settings that exist."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from places import PROJECT

from logos.config import InstrumentSettings, RiskLimits, TotalLimits, make_config
from logos.config.settings import RiskSettings
from logos.core.guards import Action
from logos.core.guards.table import GUARDS, TABLE

TEXT = (PROJECT / "docs" / "GUARDS.md").read_text(encoding="utf-8")


def test_the_table_is_what_the_generator_gives_now() -> None:
    done = "run python tools/make_guard_table.py"
    assert generator().with_table(TEXT) == TEXT, f"docs/GUARDS.md is stale: {done}"


def test_the_generator_writes_over_an_old_row() -> None:
    old = TEXT.replace("| `STALE_DATA` | the age", "| `STALE_DATA` | the colour")
    assert old != TEXT
    assert generator().with_table(old) == TEXT


@pytest.mark.long
def test_every_function_of_the_table_judges_its_guard() -> None:
    source = (PROJECT / "src" / "logos" / "core" / "risk.py").read_text(encoding="utf-8")
    functions = {
        node.name: ast.unparse(node)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    }
    assert [guard.code for guard in TABLE] == list(GUARDS)
    for guard in TABLE:
        assert f"Code.{guard.code.name}," in functions[guard.function.__name__], guard.code


def generator() -> Any:
    """The tool that writes the table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT / "tools"))
        return importlib.import_module("make_guard_table")


def test_every_guard_is_explained() -> None:
    explained = re.findall(r"^\*\*`([A-Z_]+)`\*\*(?:, \*\*`([A-Z_]+)`\*\*)?:", TEXT, re.M)
    assert {code for pair in explained for code in pair if code} == {each.value for each in GUARDS}


def test_every_limit_has_its_guard_and_every_key_exists() -> None:
    known = {field.encode_name for field in msgspec.structs.fields(RiskLimits)}
    known |= {f"total.{field.encode_name}" for field in msgspec.structs.fields(TotalLimits)}
    known |= {"guards", "instruments.SYMBOL.hours"}
    assert {key for guard in TABLE for key in guard.keys} == known
    assert "guards" in {field.encode_name for field in msgspec.structs.fields(RiskSettings)}
    assert "hours" in {field.encode_name for field in msgspec.structs.fields(InstrumentSettings)}


def test_every_action_is_explained() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \|$", TEXT, re.M)
    assert rows == [action.value for action in Action]


@pytest.mark.parametrize("example", re.findall(r"```toml\n(.*?)```", TEXT, re.S))
def test_the_examples_are_settings(example: str) -> None:
    config = make_config(tomllib.loads(example, parse_float=Decimal))
    assert config.risk.actions
