"""Cells of a session's tables as what they say: times, exact figures, texts.

There are a dozen in each fill's row, so that this is compiled.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Final

from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND
from logos.session.artifacts.rows import FORMULA_STARTS

EXACT: Final = Context(prec=400, rounding=ROUND_HALF_EVEN, Emin=-9_999, Emax=9_999)
"""No sum and no product of a session's figures comes near as many digits."""

QUOTIENT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN, Emin=-9_999, Emax=9_999)
"""For quotients, which have no end: more digits than any figure is rounded to afterwards."""

_HOURS: Final = 24
_MINUTES: Final = 60


def plain_text(cell: str) -> str:
    """Text without the mark that keeps a spreadsheet from reading it as a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA_STARTS) else cell


@lru_cache(maxsize=4096)
def _day_ns(text: str) -> int:
    try:
        moment = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"not the day of a time of a table: {text!r}") from None
    return int(moment.timestamp()) * NS_PER_SECOND


@lru_cache(maxsize=4096)
def _minute_ns(text: str) -> int:
    """Of a day, to the minute: `T09:30:`. Raises ValueError."""
    hours, minutes = text[1:3], text[4:6]
    is_time = text[::3] == "T::" and f"{hours}{minutes}".isdecimal() and text.isascii()
    if not is_time or int(hours) >= _HOURS or int(minutes) >= _MINUTES:
        raise ValueError(text)
    return (int(hours) * _MINUTES + int(minutes)) * NS_PER_MINUTE


def time_ns(cell: str) -> int:
    """Nanoseconds UTC of a time as the tables have it. Raises ValueError for another text."""
    digits = cell[17:19] + cell[20:29]
    if cell[19:20] + cell[29:] != ".Z" or not (digits.isdecimal() and digits.isascii()):
        raise ValueError(f"not a time of a table: {cell!r}")
    ns = int(digits)
    try:
        minute_ns = _minute_ns(cell[10:17])
    except ValueError:
        minute_ns = -1
    if minute_ns < 0 or ns >= NS_PER_MINUTE:
        raise ValueError(f"not a time of a table: {cell!r}")
    return _day_ns(cell[:10]) + minute_ns + ns


def number(cell: str) -> Decimal:
    """An exact figure; 0 for an empty cell. Raises ValueError for what is none."""
    if not cell:
        return Decimal(0)
    try:
        return Decimal(cell)
    except ArithmeticError:
        raise ValueError(f"not a figure of a table: {cell!r}") from None
