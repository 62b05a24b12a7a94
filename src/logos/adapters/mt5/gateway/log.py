"""JSON lines of what happened at the rim, whole lines only, written as they come."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec


class JsonLines:
    """Appends one JSON object a line to a file; call it with the object. Not for several threads.

    Each line is one write, so a killed process leaves whole lines.
    """

    def __init__(self, path: Path) -> None:
        """Open `path` for appending, making its folder. Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._encode = msgspec.json.Encoder().encode
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o644)

    def __call__(self, record: Mapping[str, object]) -> None:
        """Write one line. Raises OSError naming the file."""
        line = self._encode(record) + b"\n"
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
