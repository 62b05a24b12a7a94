"""The lines of the decision log that a record makes, one record at a time.

The log is a projection of the journal, so whoever reads the journal can make it as it goes. Lines
are made by the very code that writes the log; its file is one of this process's memory here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from logos.journal.entries import Manifest, Sealed, SessionEntry, Stopping
from logos.journal.jsonlog import JsonLog
from logos.session.artifacts.decisions import DecisionLog


class DecisionLines:
    """Call it with every entry of a session's journal, in order. Close it in the end."""

    def __init__(self, session_id: str) -> None:
        """Raises OSError."""
        self._descriptor = os.memfd_create("decisions", os.MFD_CLOEXEC)
        self._log = JsonLog(Path(f"/proc/self/fd/{self._descriptor}"), session_id)
        self._decisions = DecisionLog(self._log)

    def __call__(self, entry: SessionEntry) -> Sequence[bytes]:
        """The lines that this record makes, without their newlines; most make none or one."""
        record = entry.record
        if isinstance(record, Manifest | Stopping | Sealed):
            return ()
        self._decisions.write([record], [entry.body])
        self._log.flush()
        size = os.fstat(self._descriptor).st_size
        if not size:
            return ()
        lines = os.pread(self._descriptor, size, 0)
        os.ftruncate(self._descriptor, 0)
        return lines.split(b"\n")[:-1]

    def close(self) -> None:
        """Let go of the memory; closing again does nothing."""
        if self._descriptor >= 0:
            self._log.close()
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()
