"""docs/REHEARSAL.md names every kind, check and key there is, and its example file is valid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from places import PROJECT

from logos.rehearsal.expectations import Expectation
from logos.rehearsal.limits import guards_lent
from logos.rehearsal.scenarios import Injection, Scenario, bundled_scenarios, read_scenarios

TEXT = (PROJECT / "docs" / "REHEARSAL.md").read_text(encoding="utf-8")


def rows(head: str) -> dict[str, str]:
    """The rows of the table whose first column is called `head`, by their first cell."""
    table = TEXT.partition(f"| {head} |")[2].partition("\n\n")[0]
    found = re.findall(r"^\| `([a-z0-9_]+)` (\|.*)\|$", table, re.MULTILINE)
    return dict(found)


@pytest.mark.parametrize(("union", "head"), [(Injection, "kind"), (Expectation, "check")])
def test_every_kind_is_described_with_all_its_keys(union: Any, head: str) -> None:
    described = rows(head)
    kinds = {str(kind.__struct_config__.tag): kind for kind in union.__args__}
    assert list(described) == [name for name in described if name in kinds]
    assert set(described) == set(kinds)
    for name, kind in kinds.items():
        for field in msgspec.structs.fields(kind):
            assert field.name == "tick" or f"`{field.name}`" in described[name], (name, field.name)


def test_every_key_of_a_scenario_is_described() -> None:
    assert list(rows("key")) == [field.name for field in msgspec.structs.fields(Scenario)]


def test_the_example_file_is_a_valid_one(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(TEXT.partition("```toml desk.toml\n")[2].partition("```")[0], encoding="utf-8")
    assert [scenario.name for scenario in read_scenarios(path)] == ["first_signal_kill"]


def test_the_output_shown_names_every_bundled_scenario() -> None:
    engine = TEXT.partition("25 PASS")[0].partition("\nyour settings: nothing is lent\n")[0]
    shown = re.findall(r"^(\w+) .* PASS(?: \(lent\))?$", engine, re.MULTILINE)
    assert shown == [scenario.name for scenario in bundled_scenarios()]


def test_the_output_shown_has_every_scenario_that_lends_a_limit_in_both_parts() -> None:
    own = TEXT.partition("\nyour settings: nothing is lent\n")[2].partition("\n\n")[0]
    shown = re.findall(r"^(\w+) .* (?:PASS|NO LIMIT SET|NOT APPLICABLE)$", own, re.MULTILINE)
    assert shown == [each.name for each in bundled_scenarios() if guards_lent(each)]
