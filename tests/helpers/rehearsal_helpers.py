"""What tests of rehearsals share: journals made of given records, and evidence around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from places import CACHE

from logos.journal.codec import GENESIS, chain, encode_line
from logos.journal.view import JournalView
from logos.rehearsal.expectations import Evidence

DATA = CACHE
TRADE_OPTIONS = ("--strategy", "sma_cross", "--data", str(DATA), "--accept", "gap")


def write_journal(path: Path, bodies: Sequence[Mapping[str, Any]]) -> Path:
    """A well-formed journal of these records."""
    digest = GENESIS
    lines = []
    for sequence, body in enumerate(bodies, start=1):
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
