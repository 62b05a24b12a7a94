"""Appends records to a session's journal, `state.jsonl`, and replaces its snapshot atomically.

In cache replay nothing leaves the process, so records are written in groups: they reach the
operating system at every `flush` and the disk at `sync`. The first failed write or fsync is
reported as an OSError naming the file, and the writer refuses to go on: after a failed fsync
nobody knows what the disk holds.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from logos.journal.codec import GENESIS, chain, encode_line

_BUFFER_BYTES = 1 << 18


class JournalWriter:
    """Writes a new journal; `sequence` counts its records from 1."""

    def __init__(self, path: Path) -> None:
        """Create `path`; raises FileExistsError when there is one already."""
        self.path = path
        self.sequence = 0
        self._digest = GENESIS
        self._encoder = msgspec.json.Encoder()
        self._buffer = bytearray()
        self._failed = False
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)

    def append(self, *records: object) -> None:
        """Add records (anything msgspec encodes as a JSON object): all of them, or none.

        Raises TypeError or ValueError for one that JSON cannot hold.
        """
        for body in [self._encoder.encode(record) for record in records]:
            self.sequence += 1
            self._digest = chain(self._digest, body)
            self._buffer += encode_line(self.sequence, self._digest, body)
        if len(self._buffer) >= _BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand all records to the operating system. Raises OSError, and then always again."""
        if self._failed:
            raise OSError(
                f"{self.path}: an earlier write failed; the journal is closed to new ones"
            )
        try:
            while self._buffer:
                written = os.write(self._descriptor, self._buffer)
                del self._buffer[:written]
        except OSError as error:
            self._failed = True
            raise OSError(error.errno, error.strerror, str(self.path)) from error

    def sync(self) -> None:
        """Flush, and wait until the disk has it."""
        self.flush()
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._failed = True
            raise OSError(error.errno, error.strerror, str(self.path)) from error

    def close(self) -> None:
        """Sync and close; closing again does nothing."""
        if self._descriptor < 0:
            return
        try:
            if not self._failed:
                self.sync()
        finally:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def digest(self) -> str:
        """The chain's digest after the last record, as hex."""
        return self._digest.hex()


def replace_file(path: Path, content: bytes) -> None:
    """Make `path` hold `content`, or leave it as it was: never anything between.

    Raises OSError naming the file.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
