"""Events as rows of recorded inputs, and back.

A row is an array: its type's letter, then its fields in order, a symbol as its number in the first
line of the recording. Prices and quantities are the instrument's units, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

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
from logos.core.types import ReportKind

PAST: Final = "h"
BACKFILL: Final = "f"
OFFSET: Final = "o"
SIGNAL: Final = "s"
_LETTERS: Final[dict[type, str]] = {
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
_BY_LETTER: Final = {letter: kind for kind, letter in _LETTERS.items()}
_RECONCILE: Final = "x"
NAMES_SYMBOL: Final = frozenset((*_BY_LETTER, PAST, BACKFILL))
"""The letters behind which a symbol's number stands, and then the time."""
_END: Final = "e"
_ENDING: Final = frozenset((FeedOffset, ReceivedSignal, SessionEnd))
ENDING_LETTERS: Final = frozenset((OFFSET, SIGNAL, _END))
"""Those of the events behind which, or before which, a batch must end."""
_JOINED_MAX: Final = 4096


def row_of(event: Event, numbers: Mapping[str, int]) -> tuple[object, ...]:
    """An event as an array. Raises TypeError for what is no input of a live session."""
    kind = type(event)
    if kind in _LETTERS:
        number = numbers[event.symbol]  # type: ignore[union-attr]
        fields = [getattr(event, name) for name in _FIELDS[kind]]
        if (type(event) is Bar or type(event) is QuoteBar) and event.closed_ns:
            fields.append(event.closed_ns)
        return (_LETTERS[kind], number, *fields)
    if isinstance(event, PastBar):
        bar = [getattr(event.bar, name) for name in _FIELDS[Bar]]
        return (PAST, numbers[event.symbol], event.ts_ns, *bar)
    if isinstance(event, Backfill):
        is_over, until_ns = event.is_over, event.until_ns
        return (BACKFILL, numbers[event.symbol], event.ts_ns, is_over, until_ns, event.detail)
    if isinstance(event, TimePassed):
        return ("p", event.ts_ns)
    if isinstance(event, FeedOffset):
        return (OFFSET, event.ts_ns, event.source, event.offset)
    if isinstance(event, ReceivedSignal):
        wish = (event.wish, event.value, event.quantity)
        return (SIGNAL, event.ts_ns, numbers[event.symbol], *wish)
    if isinstance(event, SessionEnd):
        return (_END, event.ts_ns)
    if isinstance(event, Reconcile):
        return (_RECONCILE, event.ts_ns, event.reason, event.by, event.adjusted)
    if isinstance(event, Report):
        return ("r", *(getattr(event, name) for name in Report.__struct_fields__))
    raise TypeError(f"{kind.__name__} is no input of a live session")


def events_of(rows: Sequence[Sequence[Any]], symbols: Sequence[Instrument]) -> list[Event]:
    """The events of a batch; `symbols` are those that their numbers stand for.

    Raises LookupError, TypeError or ValueError for what are no such rows.
    """
    # Quotes are by far the most frequent, and spelled out for that.
    return [
        Quote(row[2], symbols[row[1]].symbol, row[3], row[4], row[5], row[6], symbols[row[1]])
        if row[0] == "q"
        else _event(row, symbols)
        for row in rows
    ]


def time_of(row: Sequence[Any]) -> int:
    """When the event of a row was. Raises LookupError or ValueError for what is no row."""
    return int(row[2 if row[0] in NAMES_SYMBOL else 1])


def joined(batches: Iterable[list[Event]]) -> Iterator[list[Event]]:
    """The same events in fewer and longer batches: only what stands at the end of a batch and is
    not for the core, and the end of the data, still end one."""
    held: list[Event] = []
    for batch in batches:
        if held and type(batch[0]) is SessionEnd:
            yield held
            held = []
        held += batch
        if len(held) >= _JOINED_MAX or type(batch[-1]) in _ENDING:
            yield held
            held = []
    if held:
        yield held


def _event(row: Sequence[Any], symbols: Sequence[Instrument]) -> Event:
    letter = row[0]
    kind: Any
    if letter == "p":
        return TimePassed(row[1])
    if letter == _END:
        return SessionEnd(row[1])
    if letter == "r":
        return Report(row[1], ReportKind(row[2]), *row[3:])
    if letter == _RECONCILE:
        return Reconcile(row[1], row[2], row[3], tuple((name, amount) for name, amount in row[4]))
    if letter == OFFSET:
        return FeedOffset(*row[1:])
    if letter == SIGNAL:
        return ReceivedSignal(row[1], symbols[row[2]].symbol, *row[3:])
    instrument = symbols[row[1]]
    if letter == PAST:
        kind = Bar
        return PastBar(
            row[2], instrument.symbol, kind(row[3], instrument.symbol, *row[4:], instrument)
        )
    if letter == BACKFILL:
        return Backfill(row[2], instrument.symbol, *row[3:])
    kind = _BY_LETTER[letter]
    if kind is Lag:
        return Lag(row[2], instrument.symbol, row[3])
    end = len(_FIELDS[kind]) + 2
    made: Event = kind(row[2], instrument.symbol, *row[3:end], instrument, *row[end:])
    return made
