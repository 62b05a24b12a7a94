"""One line for each time a session was resumed: `recoveries.jsonl` in its folder.

It says what a resumed session's other files must not show: that there was a crash, when it was
taken up again, by which software and machine, and what was found. The file is only ever appended
to; nothing is read from it, and no comparison of sessions looks at it.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from logos import __version__
from logos.files import open_new
from logos.session.artifacts.rows import Moments
from logos.session.artifacts.snapshots.snapshot import Snapshot
from logos.session.history import Journal

RECOVERIES: Final = "recoveries.jsonl"


class Recovery:
    """One resumption; use it in a `with`, and give it its `result`. Its end appends the line."""

    def __init__(self, folder: Path, journal: Journal, snapshot: Snapshot | None) -> None:
        self._path = folder / RECOVERIES
        self._began_ns = time.time_ns()
        self._facts: dict[str, Any] = {
            "software": __version__,
            "python": platform.python_version(),
            "host": socket.gethostname(),
            "process_id": os.getpid(),
            "records_kept": journal.records,
            "bytes_cut_off": journal.file_bytes - journal.whole_bytes,
            "is_torn": journal.is_torn,
            "was": "CRASHED" if journal.status is None else journal.status.value,
            "snapshot_sequence": None if snapshot is None else snapshot.sequence,
        }
        self.result = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        moments = Moments()
        line = {
            "began": moments.text(self._began_ns),
            "ended": moments.text(time.time_ns()),
            **self._facts,
            "result": self.result if kind is None else kind.__name__,
        }
        try:
            self._append(json.dumps(line, ensure_ascii=False).encode())
        except OSError as failure:
            if kind is None:  # else the error that ends the attempt is the one to be told
                raise OSError(failure.errno, failure.strerror, str(self._path)) from failure

    def _append(self, line: bytes) -> None:
        """Add the line, after the end of one that a crash tore."""
        is_torn = False
        if self._path.exists():
            content = self._path.read_bytes()
            is_torn = bool(content) and not content.endswith(b"\n")
        with open_new(self._path, "ab") as file:
            file.write((b"\n" if is_torn else b"") + line + b"\n")
            file.flush()
            os.fsync(file.fileno())
