"""Writes docs/schema/: the JSON schemas of what goes to and comes from Kafka topics.

They are made of the types that the code reads and writes by, so they cannot say anything else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.adapters.kafka.messages import MarketMessage, SignalMessage
from logos.journal.entries import SessionRecord

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "schema"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """The schemas by the name of their file."""
    market = msgspec.json.schema(MarketMessage)
    signal = msgspec.json.schema(SignalMessage)
    record = msgspec.json.schema(SessionRecord)
    for each in (market, signal):
        _let_figures_be_numbers(each)
    for each in record["$defs"].values():
        each.pop("description", None)  # what kinds and fields mean is in docs/ARTIFACTS.md
    return {
        "kafka-journal.schema.json": _message(
            "A record of a session's journal",
            {
                "crc": {"type": "string", "pattern": "^[0-9a-f]{8}$"},
                "hash": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
                "body": {key: value for key, value in record.items() if key != "$defs"},
            },
            record["$defs"],
        ),
        "kafka-input.schema.json": _message(
            "A line of what a live session recorded",
            {
                "crc": {"type": "string", "pattern": "^[0-9a-f]{8}$"},
                "hash": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
                "body": {"type": "object", "required": ["kind"]},
            },
            {},
        ),
        "kafka-decision.schema.json": _message(
            "A line of a session's decision log",
            {
                "part": {"type": "integer", "minimum": 0},
                "decision": {
                    "type": "object",
                    "required": ["timestamp", "tick_id", "action", "reason"],
                },
            },
            {},
        ),
        "kafka-market.schema.json": {"$schema": _DIALECT, "title": "Market data", **market},
        "kafka-signal.schema.json": {"$schema": _DIALECT, "title": "A signal", **signal},
    }


def _message(title: str, fields: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    head = {
        "schema": {"const": 1},
        "session": {"type": "string"},
        "uuid": {"type": "string"},
        "seq": {"type": "integer", "minimum": 1},
    }
    properties = head | fields
    return {
        "$schema": _DIALECT,
        "title": title,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        **({"$defs": definitions} if definitions else {}),
    }


def _let_figures_be_numbers(schema: Any) -> None:
    """Decimals are text or numbers; msgspec's schema names text alone."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            schema["type"] = ["string", "number"]
        for value in schema.values():
            _let_figures_be_numbers(value)
    elif isinstance(schema, list):
        for value in schema:
            _let_figures_be_numbers(value)


def text_of(schema: dict[str, Any]) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write all files."""
    for name, schema in schemas().items():
        (FOLDER / name).write_text(text_of(schema), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
