"""The records of a journal with their types: what the core said, and the notes of the session.

The running session writes its notes as plain tables; who reads a journal later wants every field
checked, and a record of no known kind refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from logos import paths
from logos.core.records import Record
from logos.errors import ConfigError
from logos.journal.codec import SCHEMA_VERSION
from logos.journal.reader import Damaged, Line


class Source(msgspec.Struct, frozen=True):
    """Data that was read; of all that is said of it, the SHA-256 of each file."""

    files: dict[str, str]


class Manifest(msgspec.Struct, frozen=True, tag="manifest", tag_field="kind"):
    """What the session is: the first record. Other schemas may have other fields than these."""

    schema: int
    session_id: str = ""
    uuid: str = ""
    software: str = ""
    strategy: str = ""
    strategy_fingerprint: str = ""
    seed: int = 0
    config_hash: str = ""
    config: Mapping[str, Any] = {}
    data: list[Source] = []


class Stopping(msgspec.Struct, frozen=True, tag="stopping", tag_field="kind"):
    """An operator stopped the session: what follows is about the stop."""

    tick_id: int


class Sealed(msgspec.Struct, frozen=True, tag="sealed", tag_field="kind"):
    """How the session ended: the last record."""

    status: str
    reason: str


Entry = Record | Manifest | Stopping | Sealed

_DECODER = msgspec.json.Decoder(Entry)


def decode_entry(path: Path, line: Line) -> Entry:
    """The record in `line`. Raises Damaged for one that no version of this schema writes.

    Raises ConfigError for the manifest of another schema, saying which software reads it.
    """
    try:
        entry: Entry = _DECODER.decode(line.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = f"the record cannot be read: {error}"
        raise Damaged(path, line.sequence, line.offset, reason) from None
    if isinstance(entry, Manifest) != (line.sequence == 1):
        reason = "the manifest must be the first record, and no other"
        raise Damaged(path, line.sequence, line.offset, reason)
    if isinstance(entry, Manifest) and entry.schema != SCHEMA_VERSION:
        raise ConfigError(
            f"{path}: written in schema {entry.schema}, and this version reads schema "
            f"{SCHEMA_VERSION}: use logos {entry.software}, which wrote it"
        )
    return entry


def locate(name: str) -> Path:
    """The folder of a session, by its id or by the folder's own path.

    Raises ConfigError when there is no journal.
    """
    is_path = "/" in name or Path(name, "state.jsonl").is_file()
    try:
        folder = Path(name) if is_path else paths.session_dir(name)
    except ValueError as error:
        raise ConfigError(f"{error}; or give the path of a session's folder") from None
    if not (folder / "state.jsonl").is_file():
        raise ConfigError(f"no such session: there is no {folder / 'state.jsonl'}")
    return folder
