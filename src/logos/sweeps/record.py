"""The folder of a sweep: its lock, and every outcome as it comes.

`results.jsonl` has a line for each finished row, in the order in which they finished; a sweep that
is taken up again runs what is not in it. A line that was torn by a crash is cut off. A row counts
once: the first line of it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from logos.errors import LogosError
from logos.files import AppendFile, make_folder, private_opener
from logos.sweeps.outcome import Outcome

RESULTS: Final = "results.jsonl"
_LOCK: Final = "sweep.lock"


class SweepDamagedError(LogosError):
    """The record of a sweep is not what a sweep writes; the message says where."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else runs the sweep in `folder` meanwhile. Raises LogosError when somebody does."""
    descriptor = private_opener(str(folder / _LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LogosError(f"{folder}: this sweep is being run by another process") from None
        yield
    finally:
        os.close(descriptor)


class Record:
    """The outcomes of one sweep, by row."""

    def __init__(self, folder: Path) -> None:
        """Read what is there. Raises SweepDamagedError, OSError."""
        self._path = folder / RESULTS
        self.outcomes: dict[int, Outcome] = {}
        content = self._path.read_bytes() if self._path.exists() else b""
        for number, line in enumerate(content.splitlines(keepends=True), start=1):
            if not line.endswith(b"\n"):
                break
            try:
                outcome = msgspec.json.decode(line, type=Outcome)
            except ValueError as error:  # msgspec's errors are ValueErrors
                raise SweepDamagedError(
                    f"{self._path}:{number} is not what a sweep writes ({error}): remove this line "
                    "and the row is run again"
                ) from None
            self.outcomes.setdefault(outcome.row, outcome)
        self._file: AppendFile | None = None

    def add(self, outcome: Outcome) -> None:
        """Write an outcome down, unless the row has one. Raises OSError."""
        if outcome.row in self.outcomes:
            return
        if self._file is None:
            make_folder(self._path.parent)
            self._file = AppendFile(self._path)
            self._file.cut_torn_line()
        self._file.write(bytearray(msgspec.json.encode(outcome) + b"\n"))
        self.outcomes[outcome.row] = outcome

    @property
    def in_order(self) -> list[Outcome]:
        """All outcomes, in the order of the table."""
        return [self.outcomes[row] for row in sorted(self.outcomes)]

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
