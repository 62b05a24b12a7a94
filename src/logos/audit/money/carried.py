"""What a session took over from another, as its settings say: where an audit of it begins.

Read here by code of its own, in exact fractions, from the same texts that the session was given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import msgspec

from logos.audit.money.lots import ZERO, Lot
from logos.audit.money.taken import Taken, TakenBook
from logos.config import Config
from logos.config.tables.carry import CarriedSymbol, CarrySettings


def carry_of(config: Config) -> CarrySettings | None:
    """What the session took over; None: nothing."""
    return None if isinstance(config.carry, msgspec.UnsetType) else config.carry


def lots_of(carried: CarriedSymbol) -> deque[Lot]:
    """The open lots, oldest first. Raises ValueError for a text that is none."""
    lots = deque[Lot]()
    for text in carried.lots:
        number, left, price, fee, _, rest, worth = text.split(" ")
        amounts = (Fraction(each) for each in (left, price, fee, rest, worth))
        lots.append(Lot(int(number), *amounts))
    return lots


def _money_unit(carried: CarriedSymbol) -> Fraction:
    """The smallest amount of money in which its lots are counted."""
    text = carried.lots[0].split(" ")[3] if carried.lots else ""
    return Fraction(1, 10 ** len(text.partition(".")[2]))


def taken_of(carry: CarrySettings) -> Taken:
    """The same as an auditor is told of it."""

    def table(amounts: Mapping[str, Decimal]) -> dict[str, Fraction]:
        return {asset: Fraction(amount) for asset, amount in amounts.items()}

    books = {
        symbol: TakenBook(
            each.quote,
            lots_of(each),
            each.next_lot,
            Fraction(each.realised),
            Fraction(each.fees),
            _money_unit(each),
        )
        for symbol, each in carry.symbols.items()
    }
    return Taken(
        books,
        table(carry.balances),
        table(carry.realised),
        table(carry.fees),
        table(carry.payments),
        carry.ended_ns,
    )


def position_of(config: Config, symbol: str) -> Fraction:
    """What of a symbol was taken over, signed."""
    carry = carry_of(config)
    carried = None if carry is None else carry.symbols.get(symbol)
    return ZERO if carried is None else sum((lot.left for lot in lots_of(carried)), ZERO)


def cash_of(config: Config, currency: str) -> Fraction:
    """What fills and payments had brought of a currency, less what the open lots cost."""
    carry = carry_of(config)
    if carry is None:
        return ZERO
    cash = _in(carry.realised, currency) - _in(carry.fees, currency)
    cash += _in(carry.payments, currency)
    for symbol, each in carry.symbols.items():
        settings = config.instruments.get(symbol)
        if each.quote == currency and settings is not None and settings.settlement != "inverse":
            for lot in lots_of(each):
                cash -= lot.left * lot.price * Fraction(settings.multiplier) + lot.rest
    return cash


def _in(table: Mapping[str, object], currency: str) -> Fraction:
    return Fraction(str(table.get(currency, 0)))
