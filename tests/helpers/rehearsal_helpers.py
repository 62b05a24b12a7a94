"""What tests of rehearsals share: journals made of given records, and evidence around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

import msgspec
from places import CACHE

from logos.core.records import LotClosure
from logos.core.types import Code
from logos.journal.codec import GENESIS, SCHEMA_VERSION, chain, encode_line
from logos.journal.entries import SessionRecord
from logos.rehearsal.evidence import Evidence, JournalView

MANIFEST = {"kind": "manifest", "schema": SCHEMA_VERSION}
DATA = CACHE
TRADE_OPTIONS = ("--strategy", "sma_cross", "--data", str(DATA), "--accept", "gap")


_KINDS: Mapping[str, type] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(SessionRecord)
}
_ZEROS: Mapping[Any, Any] = {
    int: 0,
    str: "",
    bool: False,
    tuple[LotClosure, ...]: [],
    tuple[Code, ...]: [],
    list[str]: [],
}


def whole(body: Mapping[str, Any]) -> dict[str, Any]:
    """A record with every field that its kind has: zero, empty or the first of its words."""
    fields = get_type_hints(_KINDS[body["kind"]])
    made_up = {
        name: _ZEROS[kind] if kind in _ZEROS else next(iter(kind))
        for name, kind in fields.items()
        if not isinstance(kind, UnionType)  # optional, and left out
    }
    return {**made_up, **body}


def write_journal(path: Path, bodies: Sequence[Mapping[str, Any]]) -> Path:
    """A well-formed journal of a manifest and these records, whose other fields are made up."""
    digest = GENESIS
    lines = []
    for sequence, body in enumerate([MANIFEST, *map(whole, bodies)], start=1):
        text = msgspec.json.encode(body)
        digest = chain(digest, text)
        lines.append(encode_line(sequence, digest, text))
    path.write_bytes(b"".join(lines))
    return path


def evidence(path: Path, bodies: Sequence[Mapping[str, Any]], **facts: Any) -> Evidence:
    """Evidence of a session with these records, disturbed at tick 5 of 10 unless told."""
    known: dict[str, Any] = {
        "tick": 5,
        "ticks_delivered": 10,
        "exit_code": 0,
        "error": "",
        "sessions": 1,
        "switch_history": ["SAFE"],
        **facts,
    }
    return Evidence(JournalView(write_journal(path, bodies)), **known)
