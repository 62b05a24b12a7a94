"""The cells of trades.csv, read strictly: plain decimals, nanosecond times, nothing guessed."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from logos.errors import LogosError

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z")


class UnreadableTrades(LogosError, ValueError):
    """The file is not a trades.csv: says which row and what is wrong with it."""


class Difference(NamedTuple):
    """One figure that is not what the fills make it. `row` 1 is the first line after the head."""

    row: int
    column: str
    printed: str
    recomputed: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.column}: printed {self.printed}, is {self.recomputed}"


def plain(amount: Fraction) -> str:
    """`amount` as plain decimal text where it has one of up to 60 digits, else as a fraction."""
    for digits in range(61):
        units = amount * 10**digits
        if units.denominator == 1:
            text = str(abs(units.numerator)).rjust(digits + 1, "0")
            whole, rest = text[: len(text) - digits], text[len(text) - digits :]
            return ("-" if amount < 0 else "") + (f"{whole}.{rest}" if rest else whole)
    return str(amount)


def moment_ns(text: str) -> int:
    """Nanoseconds since 1970 of an ISO time in UTC with nine digits and a Z. Raises ValueError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a UTC time with nine digits after the point and a Z")
    moment = datetime.datetime.fromisoformat(match[1] + "+00:00")
    since = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + int(match[2])


class Cells:
    """One row's cells: reads them strictly, and collects the differences."""

    def __init__(self, number: int, row: Mapping[str, str]) -> None:
        self.number = number
        self._row = row
        self.differences: list[Difference] = []

    def error(self, column: str, what: str) -> UnreadableTrades:
        return UnreadableTrades(f"row {self.number}, {column}: {self._row.get(column)!r}: {what}")

    def text(self, column: str) -> str:
        cell = self._row.get(column)
        if cell is None:
            raise self.error(column, "the cell is missing")
        return cell

    def amount(self, column: str) -> Fraction:
        return self.fraction(column, self.text(column))

    def fraction(self, column: str, text: str) -> Fraction:
        if _DECIMAL.fullmatch(text) is None:
            raise self.error(column, f"{text!r} is not a plain decimal number")
        return Fraction(text)

    def unit(self, column: str) -> Fraction:
        """The value of one in the last digit that is printed."""
        return Fraction(1, 10 ** len(self.text(column).partition(".")[2]))

    def time_ns(self, column: str) -> int:
        """Nanoseconds since 1970 of an ISO time in UTC with nine digits and a Z."""
        try:
            return moment_ns(self.text(column))
        except ValueError as error:
            raise self.error(column, str(error)) from None

    def compare(self, column: str, recomputed: Fraction) -> None:
        if self.amount(column) != recomputed:
            self.differ(column, self.text(column), plain(recomputed))

    def compare_text(self, column: str, recomputed: str) -> None:
        if self.text(column) != recomputed:
            self.differ(column, self.text(column), recomputed)

    def differ(self, column: str, printed: str, recomputed: str) -> None:
        self.differences.append(Difference(self.number, column, printed, recomputed))
