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
from typing import Any, Final, NamedTuple, Self

import msgspec

from logos.core.instrument import Instrument
from logos.core.messages import (
    Backfill,
    Bar,
    Event,
    FeedOffset,
    Lag,
    PastBar,
    Quote,
    QuoteBar,
    ReceivedSignal,
    Reconcile,
    Report,
    SessionEnd,
    TimePassed,
    Trade,
)
from logos.core.types import NEVER_NS, NS_PER_MINUTE, ReportKind
from logos.errors import LogosError
from logos.journal.codec import SCHEMA_VERSION
from logos.journal.names import INPUTS_FILE as INPUTS_FILE
from logos.journal.reader import JournalReader, TornTail
from logos.journal.segments import SegmentedFile, has_recording, move_on, settle
from logos.journal.writer import START, JournalWriter, Position, WriterFigures

_WITH_SYMBOL: Final[dict[type, str]] = {
    Quote: "q",
    Trade: "t",
    Bar: "b",
    QuoteBar: "k",
    Lag: "l",
}
_FIELDS: Final[dict[type, tuple[str, ...]]] = {
    kind: tuple(
        name for name in kind.__struct_fields__ if name not in ("symbol", "instrument", "closed_ns")
    )
    for kind in (Quote, Trade, Bar, QuoteBar, Lag)
}
"""A bar has its `closed_ns` behind these, if it has one."""
_BY_LETTER: Final = {letter: kind for kind, letter in _WITH_SYMBOL.items()}
_PAST: Final = "h"
_BACKFILL: Final = "f"
_OFFSET: Final = "o"
_SIGNAL: Final = "s"
_RECONCILE: Final = "x"
_PROVED: Final = (ReportKind.FILLED.value, ReportKind.CHARGED.value)
"""Reports that the venue proves by an id of its own."""
_NAMES_SYMBOL: Final = frozenset((*_BY_LETTER, _PAST, _BACKFILL))
"""The letters behind which a symbol's number stands, and then the time."""


class Inputs(msgspec.Struct, frozen=True, tag="inputs", tag_field="kind"):
    """The first record: the session's symbols, by whose places in the list its events name them."""

    schema: int
    symbols: list[str] = []


class Batch(msgspec.Struct, frozen=True, tag="batch", tag_field="kind"):
    """Events that the core was given together."""

    events: list[list[Any]]


class Facts(msgspec.Struct, frozen=True, tag="facts", tag_field="kind"):
    """What only the live run could measure: the last record."""

    facts: dict[str, Any]


_DECODER: Final = msgspec.json.Decoder(Inputs | Batch | Facts)
_BODY: Final = b'"body":'


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
                path, there.whole_bytes, start, SegmentedFile(path), there.before_bytes
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
            else _row(event, numbers)
            for event in events
        ]
        if not self._journal.is_continuing:
            now_ns = events[-1].ts_ns if events else 0
            if self._journal.file_bytes >= self._segment_bytes or now_ns >= self._full_ns:
                move_on(self._journal)
                self._see_time(now_ns)
            elif self._full_ns == NEVER_NS:
                self._see_time(now_ns)
        self._journal.append({"kind": "batch", "events": rows})
        self._journal.flush()

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


def _row(event: Event, numbers: Mapping[str, int]) -> tuple[object, ...]:
    kind = type(event)
    if kind in _WITH_SYMBOL:
        number = numbers[event.symbol]  # type: ignore[union-attr]
        fields = [getattr(event, name) for name in _FIELDS[kind]]
        if (type(event) is Bar or type(event) is QuoteBar) and event.closed_ns:
            fields.append(event.closed_ns)
        return (_WITH_SYMBOL[kind], number, *fields)
    if isinstance(event, PastBar):
        bar = [getattr(event.bar, name) for name in _FIELDS[Bar]]
        return (_PAST, numbers[event.symbol], event.ts_ns, *bar)
    if isinstance(event, Backfill):
        is_over, until_ns = event.is_over, event.until_ns
        return (_BACKFILL, numbers[event.symbol], event.ts_ns, is_over, until_ns, event.detail)
    if isinstance(event, TimePassed):
        return ("p", event.ts_ns)
    if isinstance(event, FeedOffset):
        return (_OFFSET, event.ts_ns, event.source, event.offset)
    if isinstance(event, ReceivedSignal):
        wish = (event.wish, event.value, event.quantity)
        return (_SIGNAL, event.ts_ns, numbers[event.symbol], *wish)
    if isinstance(event, SessionEnd):
        return ("e", event.ts_ns)
    if isinstance(event, Reconcile):
        return (_RECONCILE, event.ts_ns, event.reason, event.by, event.adjusted)
    if isinstance(event, Report):
        return ("r", *(getattr(event, name) for name in Report.__struct_fields__))
    raise TypeError(f"{kind.__name__} is no input of a live session")


class Survey(NamedTuple):
    """What a look through recorded inputs finds, up to the last whole batch.

    `first_ns` is the time of the first event (0: none), `fills` the client order id and fill id of
    every fill that was reported. `has_place`: whether the place that was asked for is there.
    `before_bytes` of the whole lie in the files before the last one. `offsets`: up to which message
    each source was read that keeps what it said (`FeedOffset`). `charges` are the venue's ids of
    what it was heard to charge, `last_ns` is the time of the last event (0: none).
    """

    whole_bytes: int
    first_ns: int
    fills: Sequence[tuple[str, str]]
    has_place: bool
    before_bytes: int = 0
    offsets: Mapping[str, int] = {}
    charges: Sequence[str] = ()
    last_ns: int = 0


class RecordedInputs:
    """What was recorded, as a feed: `chunks` gives the batches as they came."""

    def __init__(self, path: Path, instruments: Mapping[str, Instrument] | None = None) -> None:
        """`instruments` may be given later, by `know`."""
        self.path = path
        self._instruments = instruments or {}
        self.whole_bytes = 0
        """Bytes of the batches read so far; the facts are not among them."""

    @classmethod
    def of(cls, folder: Path) -> Self | None:
        """Those of the session in `folder`; None for one that ran on recorded data."""
        path = folder / INPUTS_FILE
        return cls(path) if has_recording(path) else None

    def know(self, instruments: Mapping[str, Instrument]) -> None:
        """These are the session's instruments, by symbol."""
        self._instruments = instruments

    def chunks(self) -> Iterator[Sequence[Event]]:
        """The batches, in order, and at last the failure, if one ended the session.

        Raises Damaged for a file that was changed, LiveFailureError for the recorded failure.
        """
        yield from self.batches()
        failure = self.facts().get("failure")
        if failure:
            raise LiveFailureError(failure)

    def batches(self, after: Position = START) -> Iterator[Sequence[Event]]:
        """The batches behind a place that `survey` has found there, in order. A torn last line was
        never acted upon, and is left out.

        Raises Damaged for a file that was changed.
        """
        with self._reader() as reader, suppress(TornTail):
            head = next(reader.entries(), None)
            if head is None or not isinstance(head.record, Inputs):
                return
            symbols = [self._instruments[name] for name in head.record.symbols]
            self.whole_bytes = head.size
            if after.sequence > 1:
                reader.go_back(after.sequence, after.offset, after.digest)
                self.whole_bytes = after.offset
            for entry in reader.entries():
                if not isinstance(entry.record, Batch):
                    break
                yield [_event(row, symbols) for row in entry.record.events]
                self.whole_bytes = entry.offset + entry.size

    def survey(self, place: Position | None = None) -> Survey:
        """Look through the whole recording once, without making its events.

        `place` is where a snapshot says that it stands. Raises Damaged for a file that was changed.
        """
        whole_bytes = first_ns = last_ns = 0
        has_place = place is None
        fills: list[tuple[str, str]] = []
        charges: list[str] = []
        offsets: dict[str, int] = {}
        with self._reader() as reader:
            with suppress(TornTail):
                for entry in reader.entries():
                    record = entry.record
                    if isinstance(record, Facts):
                        continue
                    whole_bytes = entry.offset + entry.size
                    here = Position(entry.sequence, whole_bytes, entry.digest)
                    has_place = has_place or place == here
                    if isinstance(record, Inputs):
                        continue
                    for row in record.events:
                        last_ns = _time_of(row)
                        if row[0] == _OFFSET:
                            offsets[row[2]] = row[3]
                        if row[0] in (_OFFSET, _SIGNAL):
                            continue
                        first_ns = first_ns or last_ns
                        if row[0] == "r" and row[2] in _PROVED:
                            report = Report(row[1], ReportKind(row[2]), *row[3:])
                            if report.kind is ReportKind.CHARGED:
                                charges.append(report.fill_id)
                            else:
                                fills.append((report.client_order_id, report.fill_id))
            before_bytes = reader.file_start
        proved = (offsets, charges)
        return Survey(whole_bytes, first_ns, fills, has_place, before_bytes, *proved, last_ns)

    def facts(self) -> dict[str, Any]:
        """What the live run measured; empty for one that never came to its end."""
        facts: dict[str, Any] = {}
        with self._reader() as reader, suppress(TornTail):
            for entry in reader.entries():
                if isinstance(entry.record, Facts):
                    facts = entry.record.facts
        return facts

    def _reader(self) -> JournalReader[Inputs | Batch | Facts]:
        segments = SegmentedFile(self.path)
        return JournalReader(self.path, _DECODER.decode, Inputs, Facts, segments)


def _time_of(row: Sequence[Any]) -> int:
    return int(row[2 if row[0] in _NAMES_SYMBOL else 1])


def batch_times(line: bytes) -> list[int]:
    """When the events in one line of a recording were, in order. Raises ValueError for no line."""
    record = _DECODER.decode(line[line.index(_BODY) + len(_BODY) : line.rindex(b"}")])
    return [_time_of(row) for row in record.events] if isinstance(record, Batch) else []


def _event(row: Sequence[Any], symbols: Sequence[Instrument]) -> Event:
    letter = row[0]
    kind: Any
    if letter == "p":
        return TimePassed(row[1])
    if letter == "e":
        return SessionEnd(row[1])
    if letter == "r":
        return Report(row[1], ReportKind(row[2]), *row[3:])
    if letter == _RECONCILE:
        return Reconcile(row[1], row[2], row[3], tuple((name, amount) for name, amount in row[4]))
    if letter == _OFFSET:
        return FeedOffset(*row[1:])
    if letter == _SIGNAL:
        return ReceivedSignal(row[1], symbols[row[2]].symbol, *row[3:])
    instrument = symbols[row[1]]
    if letter == _PAST:
        kind = Bar
        return PastBar(
            row[2], instrument.symbol, kind(row[3], instrument.symbol, *row[4:], instrument)
        )
    if letter == _BACKFILL:
        return Backfill(row[2], instrument.symbol, *row[3:])
    kind = _BY_LETTER[letter]
    if kind is Lag:
        return Lag(row[2], instrument.symbol, row[3])
    end = len(_FIELDS[kind]) + 2
    made: Event = kind(row[2], instrument.symbol, *row[3:end], instrument, *row[end:])
    return made
