"""Figures for people: thousands apart, signs where they say something, no needless digits."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from logos.core.fixed import to_decimal
from logos.core.types import NS_PER_SECOND

_MONEY_DECIMALS: Final = 2


def amount(value: Decimal, decimals: int = _MONEY_DECIMALS, *, sign: bool = False) -> str:
    """`value` rounded to so many decimals for reading, its sign always there if asked for; what
    rounds to nothing has none."""
    step = Decimal(1).scaleb(-decimals)
    rounded = value.quantize(step, ROUND_HALF_EVEN)
    if not rounded:
        return f"{abs(rounded):,f}"
    return f"{rounded:+,f}" if sign else f"{rounded:,f}"


def percent(ratio: float | Decimal, *, sign: bool = False) -> str:
    """A part of one as a percentage with two decimals."""
    return f"{amount(Decimal(str(ratio)) * 100, sign=sign)}%"


def exact(units: int, decimals: int, *, sign: bool = False) -> str:
    """So many units of `10**-decimals` with every digit, but for zeros at the end."""
    text = f"{to_decimal(units, decimals):+,f}" if sign else f"{to_decimal(units, decimals):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price(units: int, decimals: int) -> str:
    """A price with all of its decimals."""
    return f"{to_decimal(units, decimals):,f}"


def lasted(nanoseconds: int) -> str:
    """A length of time as it is read: 12 ms, 1.2 s, 45 s, 3:05 min, 2:03 h, 3 d 4 h."""
    seconds = nanoseconds / NS_PER_SECOND
    if seconds < 1:
        return f"{nanoseconds // 1_000_000} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 120:
        return f"{minutes}:{rest:02} min"
    hours = minutes // 60
    return f"{hours}:{minutes % 60:02} h" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def clock(moment_ns: int) -> str:
    """The time of day in UTC, of nanoseconds since 1970."""
    return datetime.fromtimestamp(moment_ns // NS_PER_SECOND, UTC).strftime("%H:%M:%S")
