"""How money is rounded where people read it; the tables have every digit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

Rounding = Callable[[str], str]
"""From decimal text to the text that is shown."""

MONEY: Final = ("initial", "equity", "realised", "fees", "unrealised")
"""Amounts that every currency has."""

EXACT: Final = Context(prec=200, rounding=ROUND_HALF_EVEN)
"""For amounts; its rounding is that of what people read."""

_DECIMALS: Final = 2
_DIGITS: Final = 6
"""Of the largest amount of a currency as many digits are shown at least: 0.00125 of a bitcoin is
no 0.00."""


def money_decimals(amounts: Sequence[str]) -> int:
    """With how many decimals the money of a currency is shown that has these `amounts`: two, more
    where the largest is small, and never more than they have."""
    largest = max(abs(Decimal(amount)) for amount in amounts)
    if not largest:
        return _DECIMALS
    whole = len(str(int(largest))) if largest >= 1 else 0
    own = max(len(amount.partition(".")[2]) for amount in amounts)
    return max(_DECIMALS, min(own, _DIGITS - whole))


def rounding(figures: Mapping[str, str]) -> Rounding:
    """How the money of a currency with these `figures` is written: half to even."""
    decimals = money_decimals([figures[name] for name in (*MONEY, "high_water")])
    return lambda amount: half_even(Decimal(amount), decimals)


def half_even(amount: Decimal, decimals: int) -> str:
    """An amount with so many decimals, half to even, whatever a library has made of the rounding
    of this thread's decimals."""
    return f"{amount.quantize(Decimal(1).scaleb(-decimals), context=EXACT):z,.{decimals}f}"
