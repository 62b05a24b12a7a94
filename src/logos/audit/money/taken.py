"""The books with which a session began, as an auditor is told of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from logos.audit.money.lots import ZERO, Book, Lot


class TakenBook(NamedTuple):
    """One symbol; `unit` is the smallest amount of its money."""

    quote: str
    lots: deque[Lot]
    next_lot: int
    realised: Fraction
    fees: Fraction
    unit: Fraction

    def begin(self, book: Book) -> None:
        """Let a symbol's book begin with it."""
        book.lots, book.next_lot, book.unit = self.lots, self.next_lot, self.unit
        book.realised, book.fees = self.realised, self.fees


class Taken(NamedTuple):
    """All of them: symbols by name, money by asset."""

    books: Mapping[str, TakenBook]
    balances: Mapping[str, Fraction]
    realised: Mapping[str, Fraction]
    fees: Mapping[str, Fraction]
    payments: Mapping[str, Fraction]
    ended_ns: int

    def others(self, currency: str, traded: Mapping[str, Book]) -> list[Fraction]:
        """Profit and fees of a currency that are of symbols which are not `traded`."""
        mine = [
            each for name, each in self.books.items() if each.quote == currency and name in traded
        ]
        return [
            self.realised[currency] - sum((each.realised for each in mine), ZERO),
            self.fees[currency] - sum((each.fees for each in mine), ZERO),
        ]
