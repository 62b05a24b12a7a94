"""Whether a process is writing a session right now."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from logos import paths

STATUS_SUFFIX: Final = ".status.json"


def status_path(session_id: str, home: Path | None = None) -> Path:
    """Where a live session writes its heartbeat; see `live_status`."""
    return paths.within(home, paths.state_dir()) / "sessions" / f"{session_id}{STATUS_SUFFIX}"


def is_in_use(journal: Path) -> bool:
    """Whether a process holds the lock on `journal`; nothing is written to find out.

    A writer holds its lock as long as it lives. A shared lock is tried for, on a descriptor of its
    own that can only read, and let go at once; a session that starts in that very moment reports
    itself busy, and can be started again. Raises OSError when `journal` cannot be opened.
    """
    descriptor = os.open(journal, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
