"""The log of decisions, a page at a time from its end, with filters.

Filters are applied while the log is read backwards. A request looks at a bounded number of bytes,
whether or not it finds anything, and says from where the next one goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BufferedReader
from typing import Any, Final, NamedTuple

import msgspec

from logos.observe.dashboard.backwards import Backwards

LINES_MAX: Final = 100
"""Lines of one page."""
BYTES_MAX: Final = 8 << 20
"""About how many bytes one request looks at."""

LEVELS: Final = ("error", "warning", "info", "debug")
_ERRORS: Final = frozenset(("GUARD_HALT", "GUARD_ENGAGE", "ORDER_UNKNOWN", "COMMAND_ENGAGE"))
_WARNINGS: Final = frozenset(
    (
        *("REFUSED", "BLOCKED", "WARNING", "SWITCH", "ORDER_REJECTED"),
        *("GUARD_REFUSE", "GUARD_REDUCE_ONLY"),
    )
)


class Filter(NamedTuple):
    """What a line must have to be shown; empty: anything."""

    level: str = ""
    """This level or a more severe one."""
    event: str = ""
    symbol: str = ""
    text: str = ""
    """A part of the reason or of the action, in small letters."""

    def takes(self, line: _LogLine) -> bool:
        """Whether the line is to be shown."""
        if self.level and LEVELS.index(level_of(line)) > LEVELS.index(self.level):
            return False
        if self.event and line.action != self.event:
            return False
        if self.symbol and line.symbol != self.symbol:
            return False
        words = f"{line.action} {line.symbol} {line.reason} {_order_text(line.order)}"
        return not self.text or self.text in words.lower()


class _Breaker(msgspec.Struct, frozen=True):
    state: str = ""


class _LogLine(msgspec.Struct, frozen=True):
    timestamp: str = ""
    tick_id: int = 0
    symbol: str = ""
    action: str = ""
    reason: str = ""
    circuit_breaker_state: _Breaker = _Breaker()
    order: dict[str, Any] | None = None


_decode: Final = msgspec.json.Decoder(_LogLine).decode


def level_of(line: _LogLine) -> str:
    """How severe a decision is; the log itself has no levels."""
    if line.action in _ERRORS or (line.action == "SWITCH" and " ENGAGED" in line.reason):
        return "error"
    if line.action in _WARNINGS:
        return "warning"
    return "debug" if line.action == "NO_SIGNAL" else "info"


def page_of(file: BufferedReader, before: int | None, wanted: Filter) -> dict[str, Any]:
    """The latest lines before the byte `before` (None: the end) that the filter takes.

    `next` is where an older page begins; None when there is none. Raises OSError.
    """
    reader = Backwards(file, before)
    found: list[Mapping[str, Any]] = []
    unreadable = 0
    for raw in reader.lines(BYTES_MAX):
        try:
            line = _decode(raw)
        except (ValueError, RecursionError):
            unreadable += 1
            continue
        if wanted.takes(line):
            found.append(_row(line))
            if len(found) >= LINES_MAX:
                break
    return {"lines": found, "next": reader.place or None, "unreadable": unreadable}


def _row(line: _LogLine) -> Mapping[str, Any]:
    return {
        "time": line.timestamp,
        "tick": line.tick_id,
        "level": level_of(line),
        "event": line.action,
        "symbol": line.symbol,
        "reason": line.reason,
        "state": line.circuit_breaker_state.state,
        "order": _order_text(line.order),
    }


def _order_text(order: Mapping[str, Any] | None) -> str:
    """Which order it is about, and its side."""
    if order is None:
        return ""
    number, side = order.get("order_id", ""), order.get("side", "")
    return f"#{number} {side}".rstrip()
