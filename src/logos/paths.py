"""Where everything lives, and which seed rules.

Every path of logos hangs off one root, the workspace: `LOGOS_HOME`, or the working directory.
Nothing here creates a folder; whoever writes does. A session id becomes a folder name, so it is
checked in full before it may be part of a path.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from logos.errors import WorkspaceError

FLEET_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""The name of a fleet of machines: part of the keys of its coordinator, and of a file's name."""

SEED_DEFAULT: Final = 20260101
"""The seed of a session that names none."""

_TRACES: Final = (
    "state/kill-switch",
    "state/sessions",
    "runs/live/sessions",
    ".state-kill-switch.witness",
)
"""What a session or a kill switch leaves in its workspace."""

_SESSION_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.I)
"""Names that Windows has for devices, in every folder: one cannot be copied there."""


def home() -> Path:
    """The workspace root as an absolute path: `LOGOS_HOME`, else the working directory."""
    configured = os.environ.get("LOGOS_HOME", "")
    return Path(os.path.abspath(Path(configured).expanduser())) if configured else Path.cwd()


def is_workspace(folder: Path) -> bool:
    """Whether sessions ran in `folder`, or a kill switch was ever there."""
    return any(os.path.lexists(folder / name) for name in _TRACES)


def find_workspace() -> Path | None:
    """The workspace that a command for a running session means; None when there is none.

    `LOGOS_HOME`, if sessions or a switch were ever there; without it the working directory, or the
    nearest folder above it, that is a workspace. Raises WorkspaceError when `LOGOS_HOME` names no
    folder.
    """
    if not os.environ.get("LOGOS_HOME"):
        try:
            here = Path.cwd()
        except FileNotFoundError:  # it was removed while somebody was in it
            return None
        return next((folder for folder in (here, *here.parents) if is_workspace(folder)), None)
    if not home().is_dir():
        raise WorkspaceError(
            f"LOGOS_HOME is {home()}, and there is no such folder: correct it, or unset it to use "
            "the workspace that you are in"
        )
    return home() if is_workspace(home()) else None


def check_session_id(session_id: str) -> str:
    """Give `session_id` back when it can name a folder; raise ValueError when it cannot."""
    if not _SESSION_ID.fullmatch(session_id):
        raise ValueError(
            f"not a session id: {session_id!r}; use 1 to 64 letters, digits, '_' and '-', "
            "beginning with a letter or digit"
        )
    if _DEVICE.fullmatch(session_id):
        raise ValueError(
            f"not a session id: {session_id!r} is the name of a device on Windows, where the "
            "session's folder could not be copied; choose another"
        )
    return session_id


def sessions_dir() -> Path:
    """The folder that holds the sessions' folders."""
    return home() / "runs" / "live" / "sessions"


def session_dir(session_id: str) -> Path:
    """The folder of one session. Raises ValueError when the id is not a session id."""
    return sessions_dir() / check_session_id(session_id)


def logs_dir() -> Path:
    """The folder of the JSON logs."""
    return home() / "logos" / "logs"


def cache_dir() -> Path:
    """The folder of cached market data and of the bundled fixtures."""
    return home() / "data" / "cache"


def state_dir(workspace: Path | None = None) -> Path:
    """The folder of what outlives sessions: the kill switch, arm records, locks.

    In `workspace`; None: in the configured one.
    """
    return (home() if workspace is None else workspace) / "state"


def within(workspace: Path | None, folder: Path) -> Path:
    """Where `folder`, one of the folders above, lies in `workspace` (None: as it is)."""
    return folder if workspace is None else workspace / folder.relative_to(home())


def env_seed(default: int = SEED_DEFAULT) -> int:
    """The one seed of anything stochastic: `LOGOS_SEED`, else `default`.

    Raises ValueError when `LOGOS_SEED` is set and is not a whole number of 0 or more.
    """
    text = os.environ.get("LOGOS_SEED", "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"LOGOS_SEED must be a whole number of 0 or more, not {text!r}")
    return int(text)
