"""docs/GUARDS.md names every guard in its order, with its default action and a key that exists."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal

import msgspec
import pytest
from places import PROJECT

from logos.config import InstrumentSettings, RiskLimits, TotalLimits, make_config
from logos.core.guards import GUARDS, Action, SessionGuards

TEXT = (PROJECT / "docs" / "GUARDS.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([A-Z_]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|$", TEXT, re.M)


def test_the_table_has_every_guard_in_its_order_with_its_action() -> None:
    guards = SessionGuards()
    expected = [(code.value, guards.action(code).value) for code in GUARDS]
    assert [(code, action) for code, action, _, _ in ROWS] == expected


def test_every_guard_is_explained() -> None:
    explained = re.findall(r"^\*\*`([A-Z_]+)`\*\*(?:, \*\*`([A-Z_]+)`\*\*)?:", TEXT, re.M)
    assert {code for pair in explained for code in pair if code} == {each.value for each in GUARDS}


def test_every_limit_has_its_guard_and_every_key_exists() -> None:
    known = {field.encode_name for field in msgspec.structs.fields(RiskLimits)}
    known |= {f"total.{field.encode_name}" for field in msgspec.structs.fields(TotalLimits)}
    named = {key for _, _, cell, _ in ROWS for key in re.findall(r"`([a-z_.]+)`", cell)}
    assert named == known
    assert "hours" in {field.encode_name for field in msgspec.structs.fields(InstrumentSettings)}


def test_every_action_is_explained() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \|$", TEXT, re.M)
    assert rows == [action.value for action in Action]


@pytest.mark.parametrize("example", re.findall(r"```toml\n(.*?)```", TEXT, re.S))
def test_the_examples_are_settings(example: str) -> None:
    config = make_config(tomllib.loads(example, parse_float=Decimal))
    assert config.risk.actions
