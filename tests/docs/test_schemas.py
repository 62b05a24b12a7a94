"""docs/schema/: made from the code as it is, and true of what is read and written."""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from crash_sessions import STORIES, begin
from places import PROJECT
from shipping_helpers import MemoryTarget, ship

from logos.core.gates import InProcessSwitch

sys.path.insert(0, str(PROJECT / "tools"))

from make_schemas import FOLDER, schemas, text_of

KAFKA = (PROJECT / "docs" / "KAFKA.md").read_text(encoding="utf-8")


def validator(name: str) -> Any:
    Draft202012Validator = import_module("jsonschema").Draft202012Validator
    schema = json.loads((FOLDER / name).read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("name", sorted(schemas()))
def test_a_schema_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == text_of(schemas()[name]), (
        "run: python tools/make_schemas.py"
    )


@pytest.mark.long
@pytest.mark.parametrize("story", ["trading", "halted", "failing"])
def test_what_is_shipped_is_valid(tmp_path: Path, story: str) -> None:
    begin(STORIES[story], tmp_path, InProcessSwitch())
    target = MemoryTarget()
    ship(tmp_path, target)
    judges = {
        "journal": validator("kafka-journal.schema.json"),
        "decisions": validator("kafka-decision.schema.json"),
    }
    assert {each.kind for each in target.messages} == set(judges)
    for message in target.messages:
        judges[message.kind].validate(json.loads(message.value))


def test_the_messages_shown_are_valid_and_others_are_not() -> None:
    shown = [json.loads(line) for line in re.findall(r'^\{"(?!schema).*\}$', KAFKA, re.M)]
    market, signal = validator("kafka-market.schema.json"), validator("kafka-signal.schema.json")
    assert {each.get("kind") for each in shown} == {"quote", "trade", "bar", None}
    for message in shown:
        judge = market if "kind" in message else signal
        judge.validate(message)
        assert not judge.is_valid({**message, "other": 1})
        assert not judge.is_valid({**message, "symbol": 7})
