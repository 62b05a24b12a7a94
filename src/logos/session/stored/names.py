"""Where the files of a session lie, for those who look at them without an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from logos import paths
from logos.files import read_whole

SETTINGS: Final = "config.json"
"""The settings as they were given; once the session has begun, as they are in force."""

LAST_FILE: Final = "host.json"
"""It is written last of all."""

_STATE_BYTES_MAX: Final = 64 << 20


class _State(msgspec.Struct, frozen=True):
    """Of state.json, how the session ended."""

    status: str


def is_finished(folder: Path) -> bool:
    """Whether every file of a sealed session is complete."""
    return (folder / LAST_FILE).is_file()


def ended_as(folder: Path) -> str | None:
    """How a session ended: the status of its seal; None while it is not finished.

    Raises OSError, msgspec.DecodeError for a state.json that cannot be read.
    """
    if not is_finished(folder):
        return None
    content = read_whole(folder / "state.json", _STATE_BYTES_MAX)
    return msgspec.json.decode(content, type=_State).status


def log_path(session_id: str, home: Path | None = None) -> Path:
    """Where a session's JSON log is, in the workspace `home` (None: the configured one)."""
    return paths.within(home, paths.logs_dir()) / f"{session_id}.jsonl"
