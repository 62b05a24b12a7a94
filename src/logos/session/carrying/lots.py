"""Lots as text in the settings: "NUMBER QUANTITY PRICE FEE OPENED_NS REST WORTH"."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from logos.core.fixed import format_units, parse_units
from logos.core.inventory import Lot
from logos.errors import ConfigError

_WORDS = 7


def lot_text(lot: Lot, prices: int, quantities: int, money: int) -> str:
    """A lot as text; the numbers are the decimals of its price, quantity and money."""
    return " ".join(
        (
            str(lot.lot_id),
            format_units(lot.quantity, quantities),
            format_units(lot.price, prices),
            format_units(lot.fee, money),
            str(lot.opened_ns),
            format_units(lot.rest, money),
            format_units(lot.worth, money),
        )
    )


def read_lot(text: str, prices: int, quantities: int, money: int) -> Lot:
    """The lot of a text. Raises ConfigError for what is none, or does not fit the decimals."""
    words = text.split(" ")
    try:
        if len(words) != _WORDS:
            raise ValueError(f"{len(words)} words, not {_WORDS}")
        lot = Lot(
            int(words[0]),
            parse_units(words[1], quantities),
            parse_units(words[2], prices),
            parse_units(words[3], money),
            int(words[4]),
        )
        lot.rest, lot.worth = parse_units(words[5], money), parse_units(words[6], money)
    except ValueError as error:
        raise ConfigError(f"carry: {text!r} is not a lot: {error}") from None
    return lot


def money_of(text: str) -> list[Decimal]:
    """The amounts of money in the text of a lot."""
    words = text.split(" ")
    return [Decimal(words[place]) for place in (3, 5, 6)] if len(words) == _WORDS else []


def exact(amount: Fraction) -> Decimal:
    """A fraction of tenths as a decimal number, to its last digit."""
    decimals = 0
    while (amount * 10**decimals).denominator != 1:
        decimals += 1
    return Decimal(format_units(int(amount * 10**decimals), decimals))
