"""The advisory lock on a session's journal: it keeps two processes off one session, and dies with
its process."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from logos.errors import LogosError

_LOCK_TRIES: Final = 20
_LOCK_PAUSE_S: Final = 0.01
"""A journal that is locked for this long together has a writer."""


class SessionBusyError(LogosError):
    """Another process is writing this session."""


class JournalLock:
    """The lock on a journal that is there, for a process that reads before it writes."""

    def __init__(self, path: Path) -> None:
        """Raises SessionBusyError when a running process has it, OSError when it is not there."""
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            lock(self._descriptor, path)
        except BaseException:
            self.close()
            raise

    def take(self) -> int:
        """The locked descriptor, which is the caller's to close from now on."""
        descriptor, self._descriptor = self._descriptor, -1
        return descriptor

    def close(self) -> None:
        """Let go of the lock, unless it was taken over. Closing again does nothing."""
        if self._descriptor >= 0:
            os.close(self.take())


def lock(descriptor: int, path: Path) -> None:
    """Take the lock for writing. Whoever looks whether the session runs (`logos status`, an
    exporter at each scrape) holds a shared one for an instant; that must not keep it from starting.
    """
    for _ in range(_LOCK_TRIES - 1):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_S)
        else:
            return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SessionBusyError(f"{path.parent} is in use by a running session") from None
