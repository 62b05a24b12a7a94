"""Where a session's batches of events come from: files, recorded inputs, or a live inbox.

One protocol: `batches` gives them in order. A live session first lives through what it recorded
before (nothing, if it is new); behind that its batches come from the inbox, which `drive` awaits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import msgspec

from logos.core.messages import Event, Flatten
from logos.core.records import OrderRecord, OrderUpdate, PaperFillRecord, Record
from logos.execution.inbox import Inbox
from logos.journal.entries import JOURNAL, read_journal
from logos.journal.inputs import RecordedInputs, Survey
from logos.session.connections import Connections
from logos.session.plan import Feed, chunks_after
from logos.session.presence.feeds import FeedStates

Batch = Sequence[Event]
"""Events in order of time. An empty one says that no event has come."""

Progress = Callable[[int], object]
"""Called with the number of events of each batch once it has been processed."""

BASELINE_FILE = "venue.json"
"""What the account at a venue held besides the session when it began, in the session's folder."""


class Source(Protocol):
    """Where batches come from."""

    def batches(self) -> Iterator[Batch]:
        """What there is to be run at once, in order. May raise DataError, Damaged, OSError, and
        LiveFailureError where the recorded session failed."""


def no_progress(_: int) -> None:
    """Nobody watches."""


class FeedSource:
    """A feed of recorded data, or of recorded inputs, without its first `skip` events."""

    def __init__(self, feed: Feed, skip: int = 0, progress: Progress = no_progress) -> None:
        self._feed = feed
        self._skip = skip
        self._progress = progress

    def batches(self) -> Iterator[Batch]:
        """As Source."""
        if self._skip:
            self._progress(self._skip)
        for batch in chunks_after(self._feed, self._skip):
            yield batch
            self._progress(len(batch))


@dataclass(frozen=True, slots=True)
class Past:
    """What a live session that is resumed has behind it.

    The core stands behind the first `inputs_bytes` of its recorded `inputs` and the first
    `records` lines of its journal (0: at its beginning).
    """

    folder: Path
    inputs: RecordedInputs
    survey: Survey
    inputs_bytes: int
    records: int

    def records_before(self) -> Iterator[Sequence[Record]]:
        """The orders and fills that the journal holds up to where the core stands."""
        if not self.records:
            return
        for entry in read_journal(self.folder / JOURNAL):
            if isinstance(entry.record, OrderRecord | OrderUpdate | PaperFillRecord):
                yield [entry.record]
            if entry.sequence == self.records:
                return

    def baseline(self) -> dict[str, Decimal] | None:
        """What the account held besides the session when it began; None when nobody looked yet."""
        path = self.folder / BASELINE_FILE
        if not path.is_file():
            return None
        # Amounts as text: they are exact, whatever the asset.
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        return {name: Decimal(amount) for name, amount in found.items()}


@dataclass(frozen=True, slots=True)
class LiveSource:
    """A live session's inbox, what fills it, and the `past` of one that is resumed."""

    inbox: Inbox
    connections: Connections
    feeds: FeedStates
    home: Path | None = None
    past: Past | None = None
    flatten: Flatten | None = None
    tell: Callable[[str], object] = print

    def batches(self) -> Iterator[Batch]:
        """The recorded inputs behind the place at which the core stands."""
        if self.past is None:
            return iter(())
        return self.past.inputs.batches(self.past.inputs_bytes)
