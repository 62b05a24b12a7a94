"""Figures as other programs write them, into plain decimal text: digits and one point.

Nothing is rounded and no digit is added. How whole and fraction are divided is decided once for a
file, from all the figures of its first rows, and a later figure that is written otherwise is
refused: 1.200 is twelve hundred in one file and 1.2 in another, and no single cell tells which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from logos.core.fixed import format_units, parse_units

PLAIN: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
NOT_REPORTED: Final = frozenset(("", "nan", "null", "none", "na", "n/a", "<na>", "-", "--"))
"""Cells, without case, in which there is no figure."""
CURRENCIES: Final = "$€£¥₹"
"""Signs that may stand before a figure, as in $172.77."""
_TIMES: Final = {"K": 3, "M": 6, "B": 9, "T": 12}

_GROUPED: Final = {
    ".": re.compile(r"[+-]?([0-9]{1,3}([,'\u00a0\u202f ][0-9]{3})+|[0-9]+)(\.[0-9]+)?"),
    ",": re.compile(r"[+-]?([0-9]{1,3}([.'\u00a0\u202f ][0-9]{3})+|[0-9]+)(,[0-9]+)?"),
}
_FLOAT: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_EITHER: Final = re.compile(r"[+-]?[0-9]{1,3}([.,][0-9]{3})+")
"""A figure that is whole in one half of the world and has three decimals in the other."""


class FigureError(ValueError):
    """Why a cell is no figure."""


@dataclass(frozen=True, slots=True)
class FigureStyle:
    """How a file writes its figures; `decimal` divides whole and fraction.

    `shift`: the figure's point is moved this many places to the left (Lean's whole numbers).
    """

    decimal: str = "."
    shift: int = 0
    has_words: bool = False
    """Thousands, millions and so on may be said by a letter: 71.77M (sizes)."""

    def plain(self, text: str) -> str:
        """`text` as digits with at most one point. Raises FigureError."""
        text = text.strip().lstrip(CURRENCIES)
        if self.has_words and text[-1:].upper() in _TIMES:
            return shifted(self._plain(text[:-1].rstrip()), -_TIMES[text[-1].upper()])
        return self._plain(text)

    def _plain(self, text: str) -> str:
        if self.decimal == "." and PLAIN.fullmatch(text):
            return text if not self.shift else shifted(text, self.shift)
        if _GROUPED[self.decimal].fullmatch(text):
            digits = text.lstrip("+")
            if self.decimal == ".":
                digits = re.sub(r"[,'\u00a0\u202f ]", "", digits)
            else:
                digits = re.sub(r"[.'\u00a0\u202f ]", "", digits).replace(",", ".")
        elif self.decimal == "." and _FLOAT.fullmatch(text):
            digits = format(Decimal(text), "f")
        else:
            raise FigureError(self._problem(text))
        return shifted(digits, self.shift) if self.shift else digits

    def _problem(self, text: str) -> str:
        try:
            number = Decimal(text)
        except InvalidOperation:
            return f"is not a number: {text[:40]!r}"
        if not number.is_finite():
            return f"is not a finite number: {text[:40]!r}"
        return f"is not a number whose decimals follow {self.decimal!r}: {text[:40]!r}"


def is_not_reported(text: str) -> bool:
    """Whether the cell holds no figure, in one of the usual spellings."""
    return text.strip().lower() in NOT_REPORTED


def shifted(text: str, places: int) -> str:
    """A plain figure divided by 10**places, exactly."""
    _, _, fraction = text.partition(".")
    digits = len(fraction)
    counted = parse_units(text, digits) * 10 ** max(-places, 0)
    moved = format_units(counted, digits + max(places, 0))
    return moved.rstrip("0").rstrip(".") if "." in moved else moved


def find_decimal(figures: Iterable[str], separator: str) -> str:
    """The sign before the decimals of these cells: "." or ","; empty when it cannot be told."""
    signs: set[str] = set()
    has_either = has_point = False
    for cell in figures:
        text = cell.strip().lstrip(CURRENCIES)
        if is_not_reported(text):
            continue
        point, comma = text.rfind("."), text.rfind(",")
        if point >= 0 and comma >= 0:
            signs.add("." if point > comma else ",")
        elif comma >= 0:
            if _EITHER.fullmatch(text):
                has_either = True
                if text.count(",") > 1:
                    signs.add(".")
            else:
                signs.add(",")
        elif point >= 0:
            if text.count(".") > 1:
                signs.add(",")
            elif _EITHER.fullmatch(text):
                has_point = True
            else:
                signs.add(".")
    if len(signs) == 1:
        return signs.pop()
    if signs:
        # Both were seen: the rows will tell which of them is wrong.
        return ""
    if has_either:
        return ""
    # 17.814 is 17814 in a file of a country that divides cells by semicolons because its decimals
    # follow a comma; where cells are divided by commas, a point is a point.
    return "" if has_point and separator in (";", "\t") else "."
