"""Patterns of cells, and what tells rows of one shape from rows of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from logos.data.importing.record import BAR_ROLES

OHLC: Final = BAR_ROLES[:4]
OHLCV: Final = {name: name for name in BAR_ROLES}
"""The roles of a header whose names are those of the roles themselves."""
NUMBER: Final = r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?"
WHOLE: Final = r"[0-9]+"
PRICES: Final = (NUMBER, NUMBER, NUMBER, NUMBER)
EPOCH_S: Final = r"[0-9]{9,10}(\.[0-9]+)?"
EPOCH_MS: Final = r"[0-9]{12,13}(\.0+)?"
EPOCH_MS_OR_US: Final = r"[0-9]{12,13}|[0-9]{15,16}"
TRUTH: Final = r"(?i:true|false)"


def not_open_high_low_close(first: int) -> Callable[[Sequence[Sequence[str]]], str]:
    """The doubt of rows whose four cells from `first` on should be open, high, low and close.

    Other programs write other orders (low, high, open, close; open, close, high, low), and only
    the figures tell.
    """

    def doubt(rows: Sequence[Sequence[str]]) -> str:
        for row in rows:
            try:
                opened, high, low, closed = (Decimal(cell) for cell in row[first : first + 4])
            except (InvalidOperation, ValueError):
                continue  # an empty row, or one that is named when its turn comes
            if not low <= min(opened, closed) <= max(opened, closed) <= high:
                return (
                    f"the figures of {','.join(row)[:80]!r} are not in the order open, high, low"
                    " and close"
                )
        return ""

    return doubt


def looks_like_two_prices(rows: Sequence[Sequence[str]]) -> str:
    """The doubt of rows of a time, a price and a size: a bid and an ask look the same."""
    near = 0
    for row in rows:
        try:
            first, second = Decimal(row[1]), Decimal(row[2])
        except (InvalidOperation, IndexError):
            return ""
        near += abs(first - second) * 50 <= first
    if near and near * 2 >= len(rows):
        return "its second and third column are nearly equal: a bid and an ask, or two prices"
    return ""
