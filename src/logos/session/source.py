"""Where a session's batches of events come from: files, recorded inputs, or a live inbox.

One protocol: `batches` gives them in order. A live session first lives through what it recorded
before (nothing, if it is new); behind that its batches come from the inbox, which `drive` awaits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from operator import length_hint
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from logos.core.messages import Event, Flatten
from logos.core.records import OrderRecord, OrderUpdate, PaperFillRecord, PaymentRecord, Record
from logos.execution.latency import LatencyHistogram
from logos.journal.entries import JOURNAL, read_journal
from logos.journal.inputs import RecordedInputs
from logos.journal.surveys import Survey
from logos.journal.writer import Position
from logos.session.plan import Feed, chunks_after

if TYPE_CHECKING:  # a session on recorded data needs nothing of what live ones are made of
    from logos.execution.inbox import Inbox
    from logos.session.bars.backfill import Backfilling
    from logos.session.connections import Connections
    from logos.session.presence.feeds import FeedStates

Batch = Sequence[Event]
"""Events in order of time. An empty one says that no event has come."""

Progress = Callable[[int], object]
"""Called with the number of events of each batch once it has been processed."""

BASELINE_FILE = "venue.json"
"""What the account at a venue held besides the session when it began, in the session's folder."""


_PIECE_EVENTS: Final = 1024
_PIECE_EVENTS_MAX: Final = 1 << 20
_PIECE_NS_MAX: Final = 100_000_000

_LOT_EVENTS: Final = 1023
"""How many events of a piece the core is given together, between two that are timed. Timing each
would cost a recorded session a fifth of its speed; this costs less than a hundredth."""


TICK_TO_DECISION: Final = "tick to decision"
"""What is timed where no live loop is: from when the core is given an event to when it is done."""


class Pieces:
    """Cuts batches into pieces that take a moment each, and ends a piece between two events.

    What is written down and what an operator wants is looked at between two pieces. A signal's
    handler need not wait for that: it runs in the thread that iterates, and empties the list that
    the core goes through, so that the core's loop is over before its next event. That costs the
    loop nothing.

    How long an event takes is measured of each that comes alone, and of one in 1,024 of those that
    come together, but for a live session: its loop knows since when an event has waited.
    """

    def __init__(self, *, are_timed: bool = True) -> None:
        self._are_timed = are_timed
        self.size = _PIECE_EVENTS
        """How many events the next piece should have."""
        self.run_ns = 0
        """What the core took for all pieces."""
        self.done_ns = 0
        """When it was done with the last one, in `perf_counter_ns`."""
        self.latency = LatencyHistogram()
        """How long the events took that were timed."""
        self._events: Batch = ()
        self._lot: tuple[int, list[Event], Iterator[Event]] = (0, [], iter(()))
        """What the core goes through now: its place in the piece, its events, and those to come."""
        self._consumed = 0
        self._is_cut = False

    def take(self, events: Batch) -> None:
        """These are the events of the next piece."""
        self._is_cut = False
        self._events = events
        self._consumed = len(events)
        self._lot = (0, [], iter(()))

    def cut_short(self) -> None:
        """End the piece before its next event. For a signal's handler."""
        place, lot, coming = self._lot
        self._is_cut = True
        self._consumed = place + len(lot) - length_hint(coming)
        lot.clear()

    def go(self, run: Callable[[Iterable[Event]], object]) -> int:
        """Let `run` go through the events of the piece; how many of them it took."""
        began_ns = self.done_ns = time.perf_counter_ns()
        events, self._events = self._events, ()
        if len(events) == 1:  # there is no place to cut it
            run(events)
            self._consumed = 1
            self.done_ns = time.perf_counter_ns()
            self.run_ns += self.done_ns - began_ns
            if self._are_timed:
                self.latency.add(self.done_ns - began_ns)
            return 1
        self._run_lots(events, run)
        took_ns = self.done_ns - began_ns
        self.run_ns += took_ns
        if took_ns > _PIECE_NS_MAX and self.size > 1:
            self.size //= 2
        elif took_ns < _PIECE_NS_MAX // 8 and self.size < _PIECE_EVENTS_MAX:
            self.size *= 2
        return self._consumed

    def _run_lots(self, events: Batch, run: Callable[[Iterable[Event]], object]) -> None:
        """Give the core one event and many by turns, to time the one; all if none is timed."""
        place, size = 0, 1 if self._are_timed else len(events)
        while place < len(events):
            lot = list(events[place : place + size])
            coming = iter(lot)
            self._lot = (place, lot, coming)
            if self._is_cut:  # before this lot was there to be emptied
                break
            run(coming)
            lot_began_ns, self.done_ns = self.done_ns, time.perf_counter_ns()
            if size == 1 and not self._is_cut:
                self.latency.add(self.done_ns - lot_began_ns)
            place += size
            size = _LOT_EVENTS if size == 1 else 1


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
