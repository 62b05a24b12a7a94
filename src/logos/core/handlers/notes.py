"""What a strategy writes down: notes for whoever reads the session's log, and points of a plot.

Both are records like any other, so that a replay and a resumed session write the same again. They
are bounded: a strategy that writes at every tick must not fill the disk. What is beyond the bounds
is left out, with one warning for the session. Characters that a terminal would obey are spelled
out, and the secrets among the strategy's parameters are masked.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final, final

from logos.core.order_manager import OrderManager
from logos.core.records import NoteRecord, PlotRecord

TICK_MAX: Final = 100
"""Notes and points together in one tick."""
NOTES_MAX: Final = 100_000
PLOTS_MAX: Final = 1_000_000
"""Rows of one session."""
TEXT_MAX: Final = 1_000
NAME_MAX: Final = 100
"""Characters."""

_UNSEEN: Final = (
    (0x00, 0x1F),
    (0x7F, 0x9F),  # control characters
    (0x061C, 0x061C),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x2069),  # of no width, line breaks, bidirectional controls
    (0xD800, 0xDFFF),  # halves of characters: no file can hold them
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
    (0xE0000, 0xE007F),
)


@final
class Notes:
    """Writes down what one session's strategy notes and plots."""

    __slots__ = (
        "_order_manager",
        "in_tick",
        "is_dropping",
        "mask",
        "notes",
        "plots",
        "tick_id",
    )

    def __init__(self, order_manager: OrderManager) -> None:
        self._order_manager = order_manager
        self.mask: Callable[[str], str] | None = None
        """Gives a text back without secrets."""
        self.notes: int = 0
        self.plots: int = 0
        """Rows so far."""
        self.tick_id: int = -1
        self.in_tick: int = 0
        """How many rows the latest tick with any has."""
        self.is_dropping: bool = False
        """Whether something was left out, and warned of."""

    def note(self, text: object, symbol: object) -> None:
        """Write `text` down, with the time of the event. Raises TypeError for a wrong symbol."""
        words = self._name(symbol, "symbol")
        said = self._masked(str.__str__(str(text)))
        if len(said) > TEXT_MAX:
            said = f"{said[:TEXT_MAX]} ... ({len(said)} characters)"
        if self._has_room(self.notes, NOTES_MAX):
            self.notes += 1
            manager = self._order_manager
            record = NoteRecord(manager.now_ns, manager.tick_id, words, _spelled_out(said))
            manager.effects.append(record)

    def plot(self, name: object, value: object, symbol: object) -> None:
        """Write down a point of the curve `name`; one that is None or no finite number is none.

        Raises TypeError for what is no number, ValueError for an empty name.
        """
        words = self._name(symbol, "symbol")
        curve = self._name(name, "name")
        if not curve:
            raise ValueError("a plot needs a name")
        number = _number_text(value)
        if number and self._has_room(self.plots, PLOTS_MAX):
            self.plots += 1
            manager = self._order_manager
            record = PlotRecord(manager.now_ns, manager.tick_id, words, curve, number)
            manager.effects.append(record)

    def _has_room(self, rows: int, rows_max: int) -> bool:
        manager = self._order_manager
        if self.tick_id != manager.tick_id:
            self.tick_id = manager.tick_id
            self.in_tick = 0
        if self.in_tick < TICK_MAX and rows < rows_max:
            self.in_tick += 1
            return True
        if not self.is_dropping:
            self.is_dropping = True
            words = (
                f"what the strategy writes down is left out beyond {TICK_MAX} rows of a tick, "
                f"{NOTES_MAX} notes and {PLOTS_MAX} points of a session"
            )
            manager.warn("", "NOTES_DROPPED", words)
        return False

    def _masked(self, text: str) -> str:
        """`text` without secrets: first of all, as a part of one is not known for it."""
        return text if self.mask is None else self.mask(text)

    def _name(self, value: object, what: str) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{what} must be text, not {type(value).__name__}")
        return _spelled_out(self._masked(str.__str__(value))[:NAME_MAX])


def _spelled_out(text: str) -> str:
    """`text` on one line, with what a terminal would obey spelled out."""
    return "".join([_spelled(letter) for letter in text])


def _spelled(letter: str) -> str:
    code = ord(letter)
    if 0x20 <= code < 0x7F:
        return letter
    for first, last in _UNSEEN:
        if first <= code <= last:
            return f"\\u{code:04x}"
    return letter


def _number_text(value: object) -> str:
    """A number as text that reads back to it; empty for None and what is not finite."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() else ""
    if isinstance(value, float):
        return float.__repr__(value) if value - value == 0 else ""
    if hasattr(value, "__float__"):
        return _number_text(float(value))
    raise TypeError(f"a plot's value must be a number, not {type(value).__name__}")
