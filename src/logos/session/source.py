"""Where a session's batches of events come from: files, recorded inputs, or a live inbox.

One protocol: `batches` gives them in order. A live session first lives through what it recorded
before (nothing, if it is new); behind that its batches come from the inbox, which `drive` awaits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from logos.core.messages import Flatten
from logos.core.records import OrderRecord, OrderUpdate, PaperFillRecord, PaymentRecord, Record
from logos.execution.incoming.batches import Batch
from logos.journal.entries import JOURNAL, read_journal
from logos.journal.inputs import RecordedInputs
from logos.journal.surveys import Survey
from logos.journal.writer import Position
from logos.session.plan import Feed, chunks_after

if TYPE_CHECKING:  # a session on recorded data needs nothing of what live ones are made of
    from logos.execution.incoming.inbox import Inbox
    from logos.session.bars.backfill import Backfilling
    from logos.session.connections import Connections
    from logos.session.presence.feeds import FeedStates

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


class Past(msgspec.Struct, frozen=True):
    """What a live session that is resumed has behind it.

    The core stands behind `inputs_place` of its recorded `inputs` and the first
    `records` lines of its journal (0: at its beginning). `metrics` are what a snapshot has of the
    figures at that place; None: it has none.
    """

    folder: Path
    inputs: RecordedInputs
    survey: Survey
    inputs_place: Position
    records: int
    metrics: Mapping[str, Any] | None = None

    def records_before(self) -> Iterator[Sequence[Record]]:
        """The orders, fills and payments that the journal holds up to where the core stands."""
        if not self.records:
            return
        for entry in read_journal(self.folder / JOURNAL):
            if isinstance(
                entry.record, OrderRecord | OrderUpdate | PaperFillRecord | PaymentRecord
            ):
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


class PastSource(msgspec.Struct, frozen=True):
    """What a live session recorded, behind the place at which the core stands, and no more."""

    past: Past

    def batches(self) -> Iterator[Batch]:
        """As Source."""
        return self.past.inputs.batches(self.past.inputs_place)


class LiveSource(msgspec.Struct, frozen=True):
    """A live session's inbox, what fills it, and the `past` of one that is resumed."""

    inbox: Inbox
    connections: Connections
    feeds: FeedStates
    home: Path | None = None
    past: Past | None = None
    flatten: Flatten | None = None
    tell: Callable[[str], object] = print
    backfill: Backfilling | None = None
    """Who asks for bars from before a new session, where its strategy warms up."""

    def batches(self) -> Iterator[Batch]:
        """The recorded inputs behind the place at which the core stands.

        What feeds have read before is known to the inbox from then on.
        """
        if self.past is None:
            return iter(())
        self.inbox.offsets.update(self.past.survey.offsets)
        return self.past.inputs.batches(self.past.inputs_place)
