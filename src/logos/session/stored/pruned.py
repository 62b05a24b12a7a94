"""What is kept of a session that was pruned: one line of `runs/live/pruned.jsonl`.

Its id stays taken: client order ids are made of it, and a venue may know orders under them for
years. The hash of its journal tells whether a copy that was archived elsewhere is the whole of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from logos import paths
from logos.errors import ConfigError
from logos.files import JsonLines, read_whole
from logos.session.stored.sessions import CRASHED, UNKNOWN

_BYTES_MAX: Final = 64 << 20


class Pruned(msgspec.Struct, frozen=True):
    """One session that was pruned. Times are ISO-8601 UTC; what was not known is empty or None."""

    session_id: str
    pruned: str
    by: str
    status: str
    reason: str
    exit_code: int | None
    began: str
    ended: str
    ticks: int | None
    held: dict[str, str]
    """Positions by symbol, decimal text."""
    software: str
    config_hash: str
    uuid: str
    journal_hash: str
    journal_bytes: int
    freed: int
    """Bytes."""

    @property
    def ended_badly(self) -> bool:
        """As of a stored session: with another exit code than 0, or not in order."""
        return self.status in (CRASHED, UNKNOWN) or bool(self.exit_code)


def pruned_path(home: Path | None = None) -> Path:
    """Where the lines are, in the workspace `home` (None: the configured one)."""
    return paths.within(home, paths.sessions_dir()).parent / "pruned.jsonl"


def read_pruned(home: Path | None = None) -> list[Pruned]:
    """Every session that was pruned in the workspace, in that order.

    Raises ConfigError when the file holds anything else, OSError when it cannot be read.
    """
    path = pruned_path(home)
    try:
        content = read_whole(path, _BYTES_MAX)
    except FileNotFoundError:
        return []
    found = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            found.append(msgspec.json.decode(line, type=Pruned))
        except ValueError as error:  # msgspec's errors are ValueErrors
            raise ConfigError(
                f"{path}, line {number}: {error}; the ids of pruned sessions stand there and may "
                "not be used again: correct the line, or take it out"
            ) from None
    return found


def pruned_ids(home: Path | None = None) -> set[str]:
    """The ids that no new session may take. Raises as `read_pruned`."""
    return {each.session_id for each in read_pruned(home)}


def note_pruned(pruned: Pruned, home: Path | None = None) -> None:
    """Write a line down before the session is deleted. Raises OSError."""
    write = JsonLines(pruned_path(home))
    try:
        write(msgspec.to_builtins(pruned))
    finally:
        write.close()
