"""The bars of a session as plain data, and back: those in the making, and their history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from logos.core.bars.book import BarBook
from logos.core.instrument import Instrument
from logos.core.messages import Bar, QuoteBar

State = dict[str, Any]

_FIELDS: Final[dict[type, list[str]]] = {
    kind: [name for name in kind.__struct_fields__ if name not in ("symbol", "instrument")]
    for kind in (Bar, QuoteBar)
}
_LETTERS: Final[dict[type, str]] = {Bar: "b", QuoteBar: "k"}


def save_bars(book: BarBook, saved: Callable[[object], State]) -> list[State]:
    """All symbols' bars, in their order; `saved` reads the attributes that the table names."""
    return [
        {
            **saved(each),
            "held": [plain_bar(bar) for bar in each.held],
            "makers": [saved(maker) for maker in each.makers],
            "histories": [[plain_bar(bar) for bar in history.bars] for history in each.histories],
        }
        for each in book.symbols
    ]


def restore_bars(book: BarBook, state: list[State], put: Callable[[object, State], None]) -> None:
    """Put what `save_bars` gave into a fresh book; `put` sets attributes. Raises ValueError."""
    for each, fields in zip(book.symbols, state, strict=True):
        left = dict(fields)
        each.held = [made_bar(row, each.state.instrument) for row in left.pop("held")]
        for maker, found in zip(each.makers, left.pop("makers"), strict=True):
            put(maker, found)
        for history, bars in zip(each.histories, left.pop("histories"), strict=True):
            history.put([made_bar(row, each.state.instrument) for row in bars])
        put(each, left)


def plain_bar(bar: Bar | QuoteBar) -> list[object]:
    """A bar as JSON data, without its symbol."""
    return [_LETTERS[type(bar)], *(getattr(bar, name) for name in _FIELDS[type(bar)])]


def made_bar(row: list[Any], instrument: Instrument) -> Bar | QuoteBar:
    """A bar that `plain_bar` wrote. Raises ValueError, TypeError."""
    letter, *figures = row
    for kind, name in _LETTERS.items():
        if name == letter:
            fields = dict(zip(_FIELDS[kind], figures, strict=True))
            bar: Bar | QuoteBar = kind(symbol=instrument.symbol, instrument=instrument, **fields)
            return bar
    raise ValueError(f"{letter!r} is no kind of bar")
