"""What the fills of a session come to by average cost, beside books that are first in, first out.

Problem: people compare with statements of brokers that average what a position cost. Method: of
each symbol the position and its cost are kept as whole numbers, the cost in price units times
quantity units. What opens adds its price times its quantity; what closes takes its part of the
cost, rounded to the nearest unit (a tie to the even one), and the last of a position takes all
that is left. So profit is only moved between realised and unrealised: their sum is that of the
books, to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from logos.core.fixed import HALF_EVEN, divide, format_units, power_of_ten, to_decimal
from logos.core.handlers.figures import ENTRY_DECIMALS
from logos.core.instrument_state import InstrumentState
from logos.core.records import CorporateActionRecord, PaperFillRecord
from logos.core.types import Side


class AverageCosts:
    """Give it every fill, in order. `save` and `load` are for snapshots."""

    def __init__(self) -> None:
        self._books: dict[str, list[int]] = {}
        """By symbol: position, cost and realised profit, signed."""
        self._paid: dict[str, int] = {}
        """By symbol, what splits and dividends paid, in ledger units."""
        self._taken: dict[str, list[int]] = {}
        """The same as in `_books` of symbols that were taken over, up to their first fill."""

    def take_over(self, states: Mapping[str, InstrumentState]) -> None:
        """Begin with what fresh states hold: by average, lots cost what they cost one by one."""
        for symbol, state in states.items():
            lots = state.inventory.lots()
            if lots or state.realised:
                cost = sum(lot.quantity * lot.price for lot in lots)
                self._taken[symbol] = [state.inventory.position, cost, 0]
                self._paid[symbol] = state.realised

    def _begun(self, symbol: str) -> list[int] | None:
        if symbol in self._taken:
            self._books[symbol] = self._taken.pop(symbol)
        return self._books.get(symbol)

    def add(self, fill: PaperFillRecord) -> None:
        """Take in the next fill."""
        book = self._begun(fill.symbol) or self._books.setdefault(fill.symbol, [0, 0, 0])
        position, cost, _ = book
        sign = 1 if fill.side is Side.BUY else -1
        closed = sign * sum(lot.quantity_units for lot in fill.lots)
        if closed:
            part = cost * abs(closed)
            leaves = divide(part, abs(position), HALF_EVEN)
            book[2] -= closed * fill.price_units + leaves
            book[1] -= leaves
        book[0] += closed + fill.opened_units
        book[1] += fill.opened_units * fill.price_units

    def add_action(self, record: CorporateActionRecord) -> None:
        """Take in a split or dividend: a split keeps the cost, but for the part of a unit that is
        paid, which leaves with its share of it."""
        self._paid[record.symbol] = self._paid.get(record.symbol, 0) + record.cash_units
        if record.new == 0:
            return
        book = self._begun(record.symbol)
        if book is None:
            return
        parts = abs(book[0]) * record.new
        if parts:
            leaves = divide(book[1] * (parts % record.old), parts, HALF_EVEN)
            book[1] -= leaves
            book[2] -= leaves
        book[0] = record.position_units

    def paid(self, symbol: str) -> int:
        """What splits and dividends paid, in ledger units."""
        return self._paid.get(symbol, 0)

    def realised(self, symbol: str) -> int:
        """Realised profit before fees, in price units times quantity units."""
        return self._books[symbol][2]

    def entry_price(self, symbol: str, price_decimals: int) -> Decimal | None:
        """What a unit of the position cost on average; None with nothing held."""
        position, cost, _ = self._books[symbol]
        if position == 0:
            return None
        scaled = abs(cost) * power_of_ten(ENTRY_DECIMALS)
        units = divide(scaled, abs(position), HALF_EVEN)
        sign = 1 if cost * position >= 0 else -1
        return to_decimal(sign * units, price_decimals + ENTRY_DECIMALS)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AverageCosts) and self._books == other._books

    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._books

    def save(self) -> dict[str, Any]:
        """All of it as plain JSON data."""
        books = {symbol: list(book) for symbol, book in self._books.items()}
        taken = {symbol: list(book) for symbol, book in self._taken.items()}
        return {"books": books, "paid": dict(self._paid), "taken": taken}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what `save` told."""
        self._books = {symbol: list(book) for symbol, book in state["books"].items()}
        self._paid = dict(state["paid"])
        self._taken = {symbol: list(book) for symbol, book in state["taken"].items()}


def average_row(
    averages: AverageCosts, symbol: str, unit_value: int, profit: int, decimals: tuple[int, int]
) -> dict[str, str]:
    """A symbol by average cost; money is decimal text.

    `unit_value` is the ledger units of one price unit times one quantity unit, `profit` what the
    books have, realised and unrealised together, in ledger units; `decimals` are those of prices
    and of money.
    """
    prices, money = decimals
    realised = averages.realised(symbol) * unit_value + averages.paid(symbol)
    entry = averages.entry_price(symbol, prices)
    return {
        "entry_price": "" if entry is None else str(entry),
        "realised": format_units(realised, money),
        "unrealised": format_units(profit - realised, money),
    }
