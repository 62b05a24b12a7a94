"""Whether text on a page is a figure: money is rounded there, positions and prices are not."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

_DECIMALS_MIN: Final = 2
_ROUNDED: Final = re.compile(r"-?\d[\d,]*(?:\.(\d+))?")


def said_exactly(said: str, mine: Fraction) -> bool:
    """Whether the text is the figure to its last digit."""
    try:
        return Fraction(said) == mine
    except (ValueError, ZeroDivisionError):
        return False


def says(said: str, mine: Fraction) -> bool:
    """Whether the text is the figure, rounded half to even to the decimals it has, which are two
    or more; commas between thousands are no part of it."""
    found = _ROUNDED.fullmatch(said)
    if found is None:
        return False
    decimals = len(found[1] or "")
    figure = Fraction(said.replace(",", ""))
    if decimals < _DECIMALS_MIN:
        return figure == mine
    return figure == Fraction(round(mine * 10**decimals), 10**decimals)
