"""The recorded inputs of a live session, line by line, once the disk has them.

A journal follows from these inputs: with both, a session can be gone on with elsewhere. So what is
given out here reaches the brokers before the records that follow from it. The last line of a
session that came to its end, its facts, is left out: a resumed session takes it back.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from logos.journal.inputs import INPUTS_FILE
from logos.journal.reader import Entry, JournalReader, TornTail
from logos.journal.segments import SegmentedFile, has_recording
from logos.journal.writer import START, Position
from logos.observe.shipping.tail import BYTES_MAX, RECORDS_MAX, sync_inputs

_FACTS: Final = b'{"kind":"facts"'


class InputsTail:
    """Gives out the inputs of the session in `folder` behind a place; close it. For one thread.

    The file that is written to stays open: segments before it are opened, and unpacked, only when
    the recording has gone on in a new one.
    """

    def __init__(self, folder: Path, after: Position = START) -> None:
        self._path = folder / INPUTS_FILE
        self.place = after
        """Behind the last line that was given out."""
        self.has_more = False
        """Whether the last `read` gave out less than there was."""
        self._segments: SegmentedFile | None = None
        self._reader: JournalReader[bytes] | None = None

    def close(self) -> None:
        """Close the recording."""
        if self._segments is not None:
            self._segments.close()
        self._segments = self._reader = None

    def read(self) -> list[Entry[bytes]]:
        """The next lines, which the disk has; empty when there is none now, or no recording.

        Raises Damaged when they do not follow what was given out before, and OSError.
        """
        self.has_more = False
        reader = self._opened()
        if reader is None:
            return []
        found: list[Entry[bytes]] = []
        size = 0
        reader.go_back(self.place.sequence, self.place.offset, self.place.digest)
        with suppress(TornTail):
            for entry in reader.entries():
                if entry.body.startswith(_FACTS):
                    break
                found.append(entry)
                size += entry.size
                if len(found) >= RECORDS_MAX or size >= BYTES_MAX:
                    self.has_more = True
                    break
        if found:
            sync_inputs(self._path.parent)
            last = found[-1]
            self.place = Position(last.sequence, last.offset + last.size, last.digest)
        return found

    def _opened(self) -> JournalReader[bytes] | None:
        """What reads the recording as it lies now; None when there is none."""
        if self._segments is None or self._segments.is_behind:
            self.close()
            if not has_recording(self._path):
                return None
            self._segments = SegmentedFile(self._path)
            self._reader = JournalReader(self._path, bytes, segments=self._segments)
        return self._reader
