"""How a report writes figures, times and durations: rounded for reading; tables have them whole.

A figure that is not defined is a dash. Minus is the sign that is as wide as a digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from logos.core.types import NS_PER_SECOND

NONE: Final = "–"
_MINUS: Final = "−"
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def money(amount: Decimal | None, decimals: int = 2, *, sign: bool = False) -> str:
    """An amount, thousands apart; with `sign` a gain has its plus."""
    if amount is None:
        return NONE
    return _signed(f"{amount:z,.{decimals}f}", sign)


def percent(ratio: float | None, decimals: int = 2, *, sign: bool = False) -> str:
    """A ratio in per cent."""
    if ratio is None:
        return NONE
    return f"{_signed(f'{ratio * 100:z,.{decimals}f}', sign)} %"


def _signed(text: str, sign: bool) -> str:
    """With a plus before what is above zero, where that is wanted, and a long minus."""
    is_zero = not text.strip("0.,")
    return f"+{text}" if sign and not is_zero and text[0] != "-" else text.replace("-", _MINUS)


def plain_number(value: float | None, decimals: int = 2) -> str:
    """A number without a unit."""
    return NONE if value is None else f"{value:z,.{decimals}f}".replace("-", _MINUS)


def count(number: int) -> str:
    """A whole number, thousands apart."""
    return f"{number:,}"


def moment(time_ns: int | None, *, seconds: bool = False) -> str:
    """A time UTC to its minute or second."""
    if time_ns is None:
        return NONE
    at = datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def duration(span_ns: int | None) -> str:
    """A duration in its two largest units, such as `2 d 4 h`."""
    if span_ns is None:
        return NONE
    rest = span_ns // NS_PER_SECOND
    parts: list[tuple[int, str]] = []
    for size, unit in _UNITS:
        whole, rest = divmod(rest, size)
        if whole or parts:
            parts.append((whole, unit))
    shown = [f"{whole} {unit}" for whole, unit in parts[:2] if whole]
    if shown:
        return " ".join(shown)
    return "0 s" if not span_ns else f"{span_ns / 1_000_000:,.0f} ms"


def plural(number: int, word: str) -> str:
    """`1 trip`, `2 trips`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def listed(words: Sequence[str], most: int) -> str:
    """The first words, and how many more there are."""
    left = len(words) - most
    return ", ".join(words[:most]) + (f" and {left:,} more" if left > 0 else "")
