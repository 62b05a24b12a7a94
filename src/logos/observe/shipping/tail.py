"""The final records of a session's journal, in order, as they come.

A journal may be shortened, so not every line that is there may be told to others. What can still
be taken back:

- a line that is not whole, and what follows a hole that a power cut left: `resume` cuts it off;
- `stopping` and all behind it: a stopped session that is resumed cuts it off;
- the seal, until the session's last file is there: `resume` makes the last files anew. The seal of
  a stopped session comes behind its `stopping`, or means that it never began: it is never final;
- what the disk does not have yet, of the journal or of the recorded inputs it follows from: a power
  cut takes it, and the session does something else then. So inputs and journal are brought to the
  disk, in this order, before a record is given out. This is done here, in the reader's process.

Everything before that stays as it is, byte for byte: a resumed session must make it again. That is
checked: the chain of the journal is verified from its first line on, and a journal that does not
lead through the place where an earlier process stood is a `LostPlace`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from logos.core.types import SessionStatus
from logos.files import sync_file
from logos.journal.entries import JOURNAL, Manifest, Sealed, SessionEntry, Stopping, open_journal
from logos.journal.reader import TornTail
from logos.journal.writer import START, Position
from logos.observe.following import Follower, LostPlace
from logos.session.artifacts.folder import is_finished

RECORDS_MAX: Final = 2_000
BYTES_MAX: Final = 4 << 20
"""How many records, and about how many bytes of them, one call of `read` gives out."""

_HEAD_BYTES: Final = 128
"""A line's number, checksum and hash stand within so many."""


class JournalTail:
    """Gives out the final records of the session in `folder`; use it in a `with`.

    For one thread.
    """

    def __init__(self, folder: Path, after: Position = START) -> None:
        """`after` is where an earlier tail stood: the records up to there are `skipped`.

        Raises OSError when there is no journal.
        """
        self._folder = folder
        self._after = after
        self._reader = open_journal(folder / JOURNAL)
        self._held_bytes = 0
        self.manifest: Manifest | None = None
        """Who the session is; None until the first record was read."""
        self.has_more = False
        """Whether the last `read` gave out less than there was."""
        self.is_complete = False
        """Whether the seal was given out: there will be nothing more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the journal."""
        self._reader.close()

    @property
    def place(self) -> Position:
        """Where the tail stands: behind the last record that was given out."""
        return Position(self._reader.sequence, self._reader.offset, self._reader.digest)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the journal behind the place that may be given out, as far as is known."""
        with suppress(FileNotFoundError):
            size = os.stat(self._folder / JOURNAL).st_size
            return max(0, size - self._reader.offset - self._held_bytes)
        return 0

    @property
    def held_bytes(self) -> int:
        """Bytes that may still be taken back: a torn line, a stop, a seal that is not final."""
        return self._held_bytes

    def skipped(self) -> Iterator[SessionEntry]:
        """The records up to the place where an earlier tail stood; to be exhausted before `read`.

        Raises LostPlace when the journal does not lead there, and as `read`.
        """
        after = self._after
        if after == START:
            return
        for entry in self._final():
            yield entry
            if entry.sequence == after.sequence:
                break
        if self.place != after:
            raise LostPlace(
                self._folder / JOURNAL,
                after.offset,
                f"record {after.sequence} is not the one that was shipped",
            )

    def read(self, records_max: int = RECORDS_MAX) -> list[SessionEntry]:
        """The next final records, which the disk has; empty when there is none now.

        Raises LostPlace when the journal was shortened or replaced, Damaged, ConfigError for a
        journal of another schema, and OSError, also when the disk does not take it.
        """
        self._check_file()
        found: list[SessionEntry] = []
        size = 0
        self.has_more = False
        for entry in self._final():
            found.append(entry)
            size += entry.size
            if len(found) >= records_max or size >= BYTES_MAX:
                self.has_more = True
                break
        if found:
            self._sync()
        return found

    def _final(self) -> Iterator[SessionEntry]:
        reader = self._reader
        before = self.place
        self._held_bytes = 0
        try:
            for entry in reader.entries():
                if not self._is_final(entry):
                    reader.go_back(before.sequence, before.offset, before.digest)
                    self._hold()
                    return
                before = self.place
                yield entry
        except TornTail:
            self._hold()

    def _hold(self) -> None:
        size = os.stat(self._reader.path).st_size
        self._held_bytes = max(0, size - self._reader.offset)

    def _is_final(self, entry: SessionEntry) -> bool:
        record = entry.record
        if type(record) is Manifest:
            self.manifest = record
        if type(record) is Stopping:
            return False
        if type(record) is Sealed:
            is_stop = record.status == SessionStatus.STOPPED.value
            self.is_complete = not is_stop and is_finished(self._folder)
            return self.is_complete
        return True

    def _check_file(self) -> None:
        """Raise LostPlace unless the journal is the file that was opened, and as long as then."""
        path, offset = self._reader.path, self._reader.offset
        try:
            there, opened = os.stat(path), os.fstat(self._reader.fileno())
        except FileNotFoundError:
            raise LostPlace(path, offset, "the journal is gone") from None
        if (there.st_dev, there.st_ino) != (opened.st_dev, opened.st_ino):
            raise LostPlace(path, offset, "it is another file now")
        if there.st_size < offset:
            raise LostPlace(path, offset, f"it has become shorter, and has {there.st_size:,} bytes")

    def _sync(self) -> None:
        """Bring inputs and journal to the disk, as they are now. Raises OSError."""
        sync_inputs(self._folder)
        sync_file(self._reader.path)


def sync_inputs(folder: Path) -> None:
    """Bring the recorded inputs in a session's folder to the disk, as they are now. Raises
    OSError."""
    while True:
        inputs = sorted(folder.glob("inputs*"))
        for path in inputs:
            with suppress(FileNotFoundError):
                sync_file(path)
        if inputs == sorted(folder.glob("inputs*")):  # none got another name meanwhile
            return


def check_end(path: Path, place: Position) -> None:
    """Raise LostPlace unless the journal still ends at `place`, by its size and its last line.

    A look at its end: nothing before the last line is read.
    """
    with Follower(path, place.offset) as follower:
        added = follower.lines()
        last = follower.line_before()
    if added:
        raise LostPlace(path, place.offset, "it goes on behind its seal")
    if b'"hash":"%b"' % place.digest[:8].hex().encode() not in last[:_HEAD_BYTES]:
        raise LostPlace(path, place.offset, "its last record is not the one that was shipped")
