"""Where a session's batches of events come from: files, recorded inputs, or a live inbox.

One protocol: `batches` gives them in order. A live session first lives through what it recorded
before (nothing, if it is new); behind that its batches come from the inbox, which `drive` awaits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import length_hint
from pathlib import Path
from typing import Final, Protocol

import msgspec

from logos.core.messages import Event, Flatten
from logos.core.records import OrderRecord, OrderUpdate, PaperFillRecord, Record
from logos.execution.inbox import Inbox
from logos.journal.entries import JOURNAL, read_journal
from logos.journal.inputs import RecordedInputs, Survey
from logos.session.bars.backfill import Backfilling
from logos.session.connections import Connections
from logos.session.plan import Feed, chunks_after
from logos.session.presence.feeds import FeedStates

Batch = Sequence[Event]
"""Events in order of time. An empty one says that no event has come."""

Progress = Callable[[int], object]
"""Called with the number of events of each batch once it has been processed."""

BASELINE_FILE = "venue.json"
"""What the account at a venue held besides the session when it began, in the session's folder."""


_PIECE_EVENTS: Final = 1024
_PIECE_NS_MAX: Final = 100_000_000


class Pieces:
    """Cuts batches into pieces that take a moment each, and ends a piece between two events.

    What is written down and what an operator wants is looked at between two pieces. A signal's
    handler need not wait for that: it runs in the thread that iterates, and empties the list that
    the core goes through, so that the core's loop is over before its next event. That costs the
    loop nothing.
    """

    def __init__(self) -> None:
        self.size = _PIECE_EVENTS
        """How many events the next piece should have."""
        self.run_ns = 0
        """What the core took for all pieces."""
        self.done_ns = 0
        """When it was done with the last one, in `perf_counter_ns`."""
        self._events: list[Event] = []
        self._coming: Iterator[Event] = iter(())
        self._consumed = 0
        self._began_ns = 0

    def take(self, events: Batch) -> Iterable[Event]:
        """The events as the core is to go through them, from now on."""
        self._began_ns = time.perf_counter_ns()
        self._consumed = len(events)
        if self._consumed == 1:
            return events
        self._events = list(events)
        self._coming = iter(self._events)
        return self._coming

    def cut_short(self) -> None:
        """End the piece before its next event. For a signal's handler."""
        self._consumed -= length_hint(self._coming)
        self._events.clear()

    def done(self) -> int:
        """The core is through; how many of the events it took."""
        self.done_ns = time.perf_counter_ns()
        took_ns = self.done_ns - self._began_ns
        self.run_ns += took_ns
        if took_ns > _PIECE_NS_MAX and self.size > 1:
            self.size //= 2
        elif took_ns < _PIECE_NS_MAX // 8:
            self.size *= 2
        self._coming = iter(())
        return self._consumed


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
    backfill: Backfilling | None = None
    """Who asks for bars from before a new session, where its strategy warms up."""

    def batches(self) -> Iterator[Batch]:
        """The recorded inputs behind the place at which the core stands."""
        if self.past is None:
            return iter(())
        return self.past.inputs.batches(self.past.inputs_bytes)
