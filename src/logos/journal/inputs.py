"""The flight recorder: everything a live session consumed, so that it can be run again exactly.

Recorded data lies in files of its own; what a live feed delivered is gone once it was used. So each
batch of events is written here before the core sees it, one journal line a batch, in the same
chained format as `state.jsonl`. The first line names the symbols, the last (of a session that came
to its end) holds the facts that only the live run could measure.

An event is an array: its type's letter, then its fields in order, a symbol as its number in the
first line. Prices and quantities are the instrument's units, as everywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, Self

from logos.core.instrument import Instrument
from logos.core.messages import (
    Event,
    Quote,
)
from logos.core.types import NEVER_NS, NS_PER_MINUTE
from logos.errors import LogosError
from logos.journal.batches import (
    DECODER,
    Batch,
    Facts,
    InputRecord,
    Inputs,
    batches_of,
    place_of,
    survey_blocks,
)
from logos.journal.batches import batch_times as batch_times
from logos.journal.codec import SCHEMA_VERSION
from logos.journal.names import INPUTS_FILE as INPUTS_FILE
from logos.journal.reader import JournalReader, TornTail
from logos.journal.rows import events_of, joined, row_of
from logos.journal.segments import (
    SegmentedFile,
    SegmentError,
    has_recording,
    move_on,
    settle,
)
from logos.journal.surveys import Mark, Survey, Surveyor, look_before
from logos.journal.writer import (
    START,
    Content,
    JournalWriter,
    Position,
    WriterFigures,
    content_of,
)


class LiveFailureError(LogosError):
    """A part of a live session died; the message says which, and of what. A replay dies of it too,
    at the same place."""


class InputsWriter:
    """Writes a session's inputs; every `write` has reached the operating system when it returns."""

    def __init__(
        self,
        path: Path,
        symbols: Sequence[str],
        there: Survey | None = None,
        start: Position = START,
        segment_bytes: int = 0,
        segment_hours: int = 0,
    ) -> None:
        """Create the file, or continue the recording that is `there` (see `JournalWriter`).

        It goes on in a new file after so many `segment_bytes` (0: never), and when so many hours
        of event time are over, on whole multiples of them since 1970 UTC (0: never).

        A recorder that continues is given the batches behind `start` again first, and checks that
        they are the same.
        """
        self._segment_bytes = segment_bytes or sys.maxsize
        self._segment_ns = segment_hours * 60 * NS_PER_MINUTE
        self._full_ns = NEVER_NS
        """The time of an event with which a new file begins."""
        if there is not None and there.last_ns:
            self._see_time(there.last_ns)
        if there is None:
            self._journal = JournalWriter(path)
        else:
            settle(path)
            self._journal = JournalWriter.continuing(
                path,
                there.whole_bytes,
                start,
                SegmentedFile(path),
                there.before_bytes,
                None if start == START else there.content,
            )
        self._numbers = {symbol: number for number, symbol in enumerate(symbols)}
        if start != START:
            return
        head = {"kind": "inputs", "schema": SCHEMA_VERSION, "symbols": list(symbols)}
        self._journal.append(head)
        self._journal.flush()

    def write(self, events: Sequence[Event]) -> None:
        """Record one batch, before anybody acts on it. Raises OSError."""
        numbers = self._numbers
        # Quotes are by far the most frequent, and spelled out for that.
        rows: list[tuple[object, ...]] = [
            (
                "q",
                numbers[event.symbol],
                event.ts_ns,
                event.bid_units,
                event.ask_units,
                event.bid_size_units,
                event.ask_size_units,
            )
            if type(event) is Quote
            else row_of(event, numbers)
            for event in events
        ]
        journal = self._journal
        if self._segment_ns or journal.offset - journal.before >= self._segment_bytes:
            self._move_on_if_due(events[-1].ts_ns if events else 0)
        journal.put({"kind": "batch", "events": rows})

    def _move_on_if_due(self, now_ns: int) -> None:
        """Go on in a new file where this one is full, by its bytes or the time of its events."""
        journal = self._journal
        if journal.is_continuing:
            return
        if journal.offset - journal.before >= self._segment_bytes or now_ns >= self._full_ns:
            move_on(journal)
            self._see_time(now_ns)
        elif self._full_ns == NEVER_NS:
            self._see_time(now_ns)

    def _see_time(self, now_ns: int) -> None:
        """The file has events of this time."""
        if self._segment_ns and now_ns:
            self._full_ns = (now_ns // self._segment_ns + 1) * self._segment_ns

    def write_facts(self, facts: Mapping[str, Any]) -> None:
        """Record what the live run measured; the last line there is."""
        self._journal.append({"kind": "facts", "facts": facts})

    def sync(self) -> None:
        """Wait until the disk has everything. Raises OSError."""
        self._journal.sync()

    @property
    def measured(self) -> WriterFigures:
        """What was written, and how long the disk took for it in this process."""
        return self._journal.measured

    @property
    def position(self) -> Position:
        """Where the recording stands after the last batch."""
        return self._journal.position

    def mark_at(self, place: Position) -> Mark:
        """What a snapshot names of this place, which is before or behind the last batch."""
        return Mark(place, self._journal.sha256_at(place))

    @property
    def written_bytes(self) -> int:
        """Bytes of the recording, its last batch included."""
        return self._journal.offset

    @property
    def is_continuing(self) -> bool:
        """Whether there are recorded lines that have not been given again yet."""
        return self._journal.is_continuing

    def close(self) -> None:
        """Sync and close; closing again does nothing."""
        self._journal.close()


class Watcher(Protocol):
    """Who is shown what was recorded, as it is given out."""

    def see(self, events: Sequence[Event]) -> None:
        """The events of the next batch."""


class RecordedInputs:
    """What was recorded, as a feed: `chunks` gives the batches as they came."""

    def __init__(self, path: Path, instruments: Mapping[str, Instrument] | None = None) -> None:
        """`instruments` may be given later, by `know`."""
        self.path = path
        self._instruments = instruments or {}
        self._joins = False
        self.place = START
        """Behind the last batch that was read; it may not have been given out yet."""
        self.watcher: Watcher | None = None
        """Sees the events of every batch that `chunks` gives."""
        self._seen = START
        """The place behind the last of them."""

    @classmethod
    def of(cls, folder: Path) -> Self | None:
        """Those of the session in `folder`; None for one that ran on recorded data."""
        path = folder / INPUTS_FILE
        return cls(path) if has_recording(path) else None

    def know(self, instruments: Mapping[str, Instrument], *, joins: bool = False) -> None:
        """These are the session's instruments, by symbol. `joins`: where batches end does not
        matter, but for what is not for the core: a paper session that halts hears nothing more."""
        self._instruments = instruments
        self._joins = joins

    def chunks(self) -> Iterator[Sequence[Event]]:
        """The events as they came, batch by batch or many of them together (see `know`), and at
        last the failure, if one ended the session.

        Raises Damaged for a file that was changed, LiveFailureError for the recorded failure.
        """
        self._seen = START
        batches = self._batches(START, self.watcher, merges=self._joins)
        yield from joined(batches) if self._joins else batches
        failure = self.facts().get("failure")
        if failure:
            raise LiveFailureError(failure)

    def unseen(self) -> Iterator[list[Event]]:
        """The batches behind the last one that the watcher saw. Raises as `batches`."""
        return self.batches(self._seen)

    def batches(self, after: Position = START) -> Iterator[list[Event]]:
        """The batches behind a place that `survey` has found there, in order. A torn last line was
        never acted upon, and is left out.

        Raises Damaged for a file that was changed.
        """
        return self._batches(after, None, merges=False)

    def _batches(
        self, after: Position, watcher: Watcher | None, *, merges: bool
    ) -> Iterator[list[Event]]:
        """The same, shown to the `watcher` before they are given out. `merges`: those of many lines
        together, where none of them has to stand alone (see `joined`)."""
        with self._reader() as reader, suppress(TornTail):
            head = next(reader.entries(), None)
            if head is None or not isinstance(head.record, Inputs):
                return
            symbols = [self._instruments[name] for name in head.record.symbols]
            if after.sequence > 1:
                reader.go_back(after.sequence, after.offset, after.digest)
            blocks, place = reader.blocks(), place_of(reader)
            while (bodies := next(blocks, None)) is not None:
                try:
                    batches = batches_of(bodies, symbols, merges=merges)
                except (LookupError, TypeError, ValueError):
                    reader.go_back(place.sequence, place.offset, place.digest)
                    break  # not batches alone: line by line
                place = self.place = place_of(reader)
                self._show(watcher, batches)
                yield from batches
            for entry in () if reader.is_at_end else reader.entries():
                if type(entry.record) is not Batch:
                    break
                batch = events_of(entry.record.events, symbols)
                self.place = Position(entry.sequence, entry.offset + entry.size, entry.digest)
                self._show(watcher, [batch])
                yield batch

    def _show(self, watcher: Watcher | None, batches: Sequence[list[Event]]) -> None:
        """Up to here the recording has been read, and all of it is the watcher's to see."""
        if watcher is None:
            return
        for batch in batches:
            watcher.see(batch)
        self._seen = self.place

    def survey(self, mark: Mark | None = None) -> Survey:
        """Look through the whole recording once, without making its events.

        `mark` is where a snapshot says that it stands. Where the bytes before it have the SHA-256
        that it names, only what lies behind it is read line by line. Raises Damaged for a file that
        was changed.
        """
        if mark is not None and mark.sha256:
            with SegmentedFile(self.path) as lines, suppress(SegmentError):
                seen = look_before(lines, mark)
                if seen is not None:
                    return self._survey(mark.position, *seen)
        return self._survey(None if mark is None else mark.position)

    def _survey(
        self,
        place: Position | None,
        surveyor: Surveyor | None = None,
        content: Content | None = None,
    ) -> Survey:
        """The same; where a `surveyor` has seen what is before the `place`, behind that only."""
        has_place, whole_bytes = place is None or surveyor is not None, 0
        with self._reader() as reader:
            if place is not None and surveyor is not None:
                next(reader.entries(), None)  # it must be of this schema
                reader.go_back(place.sequence, place.offset, place.digest)
                whole_bytes = place.offset
            surveyor = surveyor or Surveyor()
            with suppress(TornTail):
                if has_place:
                    whole_bytes = survey_blocks(reader, surveyor)
                for entry in () if reader.is_at_end else reader.entries():
                    record = entry.record
                    if isinstance(record, Facts):
                        continue
                    whole_bytes = entry.offset + entry.size
                    if not has_place:
                        has_place = place == Position(entry.sequence, whole_bytes, entry.digest)
                    if isinstance(record, Batch):
                        surveyor.see(record.events)
            before_bytes = reader.file_start
        if has_place and place is not None and content is None:
            with SegmentedFile(self.path) as lines:
                content = content_of(lines, place.offset)
        return surveyor.survey(whole_bytes, has_place, before_bytes, content)

    def facts(self) -> dict[str, Any]:
        """What the live run measured; empty for one that never came to its end. What `batches` has
        read is not read again. Raises Damaged for a file that was changed."""
        facts: dict[str, Any] = {}
        with self._reader() as reader, suppress(TornTail):
            if self.place != START:
                next(reader.entries(), None)
                reader.go_back(self.place.sequence, self.place.offset, self.place.digest)
            for entry in reader.entries():
                if isinstance(entry.record, Facts):
                    facts = entry.record.facts
        return facts

    def _reader(self) -> JournalReader[InputRecord]:
        segments = SegmentedFile(self.path)
        return JournalReader(self.path, DECODER.decode, Inputs, Facts, segments)
