"""What a session takes on the disk, by the kind of file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from logos.session.artifacts.rows import Moments

KINDS: Final = ("journal", "inputs", "tables", "log", "other")
"""The kinds of files, in the order in which they are shown."""


class Sizes(msgspec.Struct, frozen=True):
    """Bytes by kind of file."""

    journal: int = 0
    """state.jsonl, and what was rotated of it."""
    inputs: int = 0
    """inputs.jsonl of a live session, and what was rotated of it."""
    tables: int = 0
    """The CSV files."""
    log: int = 0
    """The JSON log, which lies beside those of other sessions."""
    other: int = 0
    """Settings, state, snapshot, pages."""
    written: str = ""
    """When the journal was last written, ISO-8601 UTC."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.journal + self.inputs + self.tables + self.log + self.other

    def by_kind(self) -> dict[str, int]:
        """Bytes by kind, those of `KINDS`."""
        return {kind: getattr(self, kind) for kind in KINDS}


def sizes_of(folder: Path, *beside: Path) -> Sizes:
    """The sizes of the files in a session's `folder` and of its logs `beside` it.

    A file that is gone or cannot be asked counts nothing.
    """
    found = dict.fromkeys(KINDS, 0)
    written_ns = 0
    for path in (*files_of(folder), *beside):
        try:
            status = os.stat(path)
        except OSError:
            continue
        kind = "log" if path in beside else _kind(path.name)
        found[kind] += status.st_size
        if kind == "journal":
            written_ns = max(written_ns, status.st_mtime_ns)
    return Sizes(**found, written=Moments().text(written_ns) if written_ns else "")


def files_of(folder: Path) -> list[Path]:
    """The files in a session's folder, at any depth, those of each folder in order."""
    return [Path(place, name) for place, _, names in os.walk(folder) for name in sorted(names)]


def _kind(name: str) -> str:
    if name.endswith(".csv"):
        return "tables"
    if name.startswith("inputs"):
        return "inputs"
    return "journal" if name.startswith("state") and ".jsonl" in name else "other"


def in_words(size: int) -> str:
    """Bytes for people: 812 B, 4.1 kB, 752 kB, 1.3 GB (powers of 1,000)."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5 or unit == "GB":
            break
        value /= 1_000
    digits = 0 if unit == "B" or value >= 10 else 1
    return f"{value:,.{digits}f} {unit}"
