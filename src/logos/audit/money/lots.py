"""The lots of an auditor: closed first in, first out, and split, in exact fractions."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from logos.audit.money.terms import Terms, Worth

ZERO = Fraction(0)


class Units(NamedTuple):
    """The smallest amounts that a session counts in."""

    quantity: Fraction
    price: Fraction
    money: Fraction
    base: Fraction
    """Of the wallet of the traded asset."""


class Figures(NamedTuple):
    """What a symbol has come to."""

    position: Fraction
    cost: Fraction
    realised: Fraction
    fees: Fraction
    open_lots: int


@dataclass
class Lot:
    number: int
    left: Fraction  # signed
    price: Fraction
    fee: Fraction
    rest: Fraction = Fraction(0)
    """What it cost besides price times quantity, since a split."""
    worth: Fraction = Fraction(0)
    """What is left of its entry value; of inverse contracts."""


@dataclass
class Book:
    terms: Terms
    unit: Fraction = Fraction(1)  # of money
    lots: deque[Lot] = field(default_factory=deque)
    next_lot: int = 1
    spare: Fraction = Fraction(0)  # taken off the position for fees, and not yet by the venue
    realised: Fraction = Fraction(0)
    fees: Fraction = Fraction(0)

    def position(self) -> Fraction:
        return sum((lot.left for lot in self.lots), Fraction(0))

    def cost(self) -> Fraction:
        if self.terms.is_inverse:
            signs = ((1 if lot.left > 0 else -1, lot.worth) for lot in self.lots)
            return sum((sign * worth for sign, worth in signs), Fraction(0))
        raw = sum((lot.left * lot.price for lot in self.lots), Fraction(0))
        return raw * self.terms.multiplier + sum((lot.rest for lot in self.lots), Fraction(0))

    def figures(self) -> Figures:
        return Figures(self.position(), self.cost(), self.realised, self.fees, len(self.lots))


class Closed(NamedTuple):
    number: int
    quantity: Fraction
    price: Fraction
    pnl: Fraction
    fee: Fraction


def rounded_up(amount: Fraction, unit: Fraction) -> Fraction:
    return -(-amount // unit) * unit


def taken_off(symbol: Book, base_fee: Fraction, unit: Fraction) -> Fraction:
    """What a fee takes off the position: whole units, and what is too much serves the next fee."""
    taken = max(rounded_up(base_fee - symbol.spare, unit), Fraction(0))
    symbol.spare += taken - base_fee
    return taken


def trade(
    symbol: Book, quantity: Fraction, price: Fraction, fee: Fraction, unit: Fraction
) -> tuple[list[Closed], Lot | None]:
    """Close the oldest lots against a fill, then open a lot with the rest.

    The fill's fee goes to the first lot it touches. A lot's own fee leaves it in proportion,
    rounded down to `unit`, the smallest amount of money; its last part takes the remainder.
    """
    closed: list[Closed] = []
    rest = quantity
    worth = Worth(symbol.terms, price, unit)
    while rest and symbol.lots and symbol.lots[0].left * rest < 0:
        lot = symbol.lots[0]
        part = min(abs(lot.left), abs(rest))
        direction = 1 if lot.left > 0 else -1
        beside = lot.rest  # what the part cost beside its price
        if part < abs(lot.left):
            beside = beside * part / abs(lot.left) // unit * unit
        if symbol.terms.is_inverse:
            entered = worth.leaving(lot.worth, part / abs(lot.left))
            lot.worth -= entered
            pnl = direction * (entered - worth.of_next(part))
        else:
            pnl = (price - lot.price) * part * direction * symbol.terms.multiplier - beside
        lot.rest -= beside
        share = lot.fee * part / abs(lot.left) // unit * unit
        lot.left -= part * direction
        if lot.left == 0:
            share = lot.fee
            symbol.lots.popleft()
        lot.fee -= share
        rest += part * direction
        closed.append(Closed(lot.number, part, lot.price, pnl, share + fee))
        fee = Fraction(0)
    if not rest:
        return closed, None
    opened = Lot(symbol.next_lot, rest, price, fee, worth=worth.of_next(abs(rest)))
    symbol.next_lot += 1
    symbol.lots.append(opened)
    return closed, opened


def split_lots(
    lots: deque[Lot], ratio: Fraction, units: Units, multiplier: Fraction
) -> tuple[Fraction, Fraction]:
    """Turn each unit of the lots into `ratio` units; what is no whole unit of them (signed), which
    leaves, and its cost.

    How many units a lot has is the difference of the running sums, each rounded down. A lot that
    comes to nothing leaves cost and fee to the next, the last to the one before.
    """
    sign = -1 if lots and lots[0].left < 0 else 1
    old = list(lots)
    lots.clear()
    total = given = cost = fee = ZERO
    for lot in old:
        total += abs(lot.left) * ratio
        due = total // units.quantity * units.quantity
        cost += lot.left * lot.price * multiplier + lot.rest
        fee += lot.fee
        if due > given:
            lots.append(Lot(lot.number, sign * (due - given), ZERO, fee, cost))
            cost = fee = ZERO
        given = max(given, due)
    part = total - given
    if lots:
        newest = lots[-1]
        newest.fee += fee
        whole = newest.rest + cost
        size = abs(newest.left)
        cost = whole * part / (size + part) // units.money * units.money
        newest.rest = whole - cost
    for lot in lots:  # so far the whole cost stands in the rest
        value = lot.left * multiplier
        lot.price = lot.rest / value // units.price * units.price
        lot.rest -= lot.price * value
    return sign * part, cost
