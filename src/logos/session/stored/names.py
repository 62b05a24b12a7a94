"""Where the files of a session lie, for those who look at them without an engine."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import msgspec

from logos import paths
from logos.files import read_whole

SETTINGS: Final = "config.json"
"""The settings as they were given; once the session has begun, as they are in force."""

LAST_FILE: Final = "host.json"
"""It is written last of all."""

RESTORED: Final = "restored.json"
"""In a folder that was made of what had been shipped of a session: up to where that went."""

_STATE_BYTES_MAX: Final = 64 << 20
_CLAIM: Final = re.compile(r"[0-9]{7,}")


class _State(msgspec.Struct, frozen=True):
    """Of state.json, how the session ended."""

    status: str


def is_finished(folder: Path) -> bool:
    """Whether every file of a sealed session is complete."""
    return (folder / LAST_FILE).is_file()


def may_resume(folder: Path, *, is_real: bool) -> bool:
    """Whether `logos resume` is not refused for good. It is for a session with real orders whose
    `folder` was made of what had been shipped: an order that it sent last may not be in it, and
    would get its id again."""
    return not (is_real and (folder / RESTORED).exists())


def claimed_folder(sessions: Path) -> tuple[Path, int]:
    """Where the sessions of a workspace lie, and the epoch of the claim to a shard that made that
    folder.

    `sessions` itself and 0 for a workspace that is of no shard. See `session.fleet.taking`, which
    makes the link; it may lead elsewhere a moment later, so both are of one look.
    """
    try:
        folder = sessions.parent / os.readlink(sessions)
    except OSError:  # no link, or nothing there
        return sessions, 0
    name = folder.parent.name
    return (folder, int(name)) if _CLAIM.fullmatch(name) else (sessions, 0)


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
