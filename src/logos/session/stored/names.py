"""Where the files of a session lie, for those who look at them without an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from logos import paths

SETTINGS: Final = "config.json"
"""The settings as they were given; once the session has begun, as they are in force."""

LAST_FILE: Final = "host.json"
"""It is written last of all."""


def is_finished(folder: Path) -> bool:
    """Whether every file of a sealed session is complete."""
    return (folder / LAST_FILE).is_file()


def log_path(session_id: str, home: Path | None = None) -> Path:
    """Where a session's JSON log is, in the workspace `home` (None: the configured one)."""
    return paths.within(home, paths.logs_dir()) / f"{session_id}.jsonl"
