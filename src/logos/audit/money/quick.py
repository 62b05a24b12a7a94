"""The usual row of trades.csv judged in whole units, twenty times as fast as in fractions.

The auditor's arithmetic is that of exact fractions, and what it finds it says in them. Nearly every
row is sound, though, and of a kind for which whole numbers are as exact: a spot or margin symbol
whose quantities, prices and money have the same decimals as in its rows before. Of such a row every
cell is worked out here in units, and compared as text with the one that is there. Where all are the
same the row is sound, and booked. Whatever else a row is (a cell that differs, another number of
decimals, an inverse contract, a fee in the asset, a price below zero, what a split left) is not
judged here: the books go back to fractions, and the auditor judges it in them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from logos.audit.csv_cells import moment_ns
from logos.audit.money.lots import Book, Figures, Lot
from logos.audit.money.terms import Terms
from logos.audit.money.wallets import Purse, Wallets

CELLS = 21
_SIGNS = {"BUY": 1, "SELL": -1}


def units_of(text: str, decimals: int) -> int | None:
    """Plain decimal text of 0 or more with exactly so many decimals, in units of its last digit;
    None for any other text."""
    digits = text.replace(".", "", 1)
    if not digits.isdigit() or not digits.isascii():
        return None
    if decimals:
        is_such = len(digits) > decimals and text[-decimals - 1] == "."
    else:
        is_such = len(digits) == len(text)
    return int(digits) if is_such else None


def signed_units_of(text: str, decimals: int) -> int | None:
    """The same of text that may have a sign."""
    if not text.startswith("-"):
        return units_of(text, decimals)
    units = units_of(text[1:], decimals)
    return None if units is None else -units


def decimals_of(text: str) -> int:
    """How many digits stand behind the point."""
    return len(text.partition(".")[2])


def text_of(units: int, decimals: int) -> str:
    """Units as plain decimal text with all its decimals."""
    if not decimals:
        return str(units)
    if units < 0:
        return "-" + text_of(-units, decimals)
    digits = str(units)
    if len(digits) <= decimals:
        digits = digits.rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}"


def _whole(amount: Fraction, decimals: int) -> int | None:
    units = amount * 10**decimals
    return units.numerator if units.denominator == 1 else None


@dataclass(slots=True)
class UnitLot:
    """A lot: `left` signed, in quantity units, `price` in price units, `fee` in money units."""

    number: int
    left: int
    price: int
    fee: int


@dataclass(slots=True)
class UnitBook:
    """One symbol in whole units; `unit_value` is the money units of a price unit times a quantity
    unit."""

    terms: Terms
    quantities: int
    prices: int
    money: int
    unit_value: int
    lots: deque[UnitLot]
    next_lot: int
    position: int
    cost: int
    realised: int
    fees: int

    @classmethod
    def of(cls, book: Book, quantities: int, prices: int, money: int) -> UnitBook | None:
        """The book in units of so many decimals; None where it has none."""
        if book.terms.is_inverse or book.spare or book.terms.base == book.terms.quote:
            return None
        lots = deque[UnitLot]()
        for lot in book.lots:
            left, price = _whole(lot.left, quantities), _whole(lot.price, prices)
            fee = _whole(lot.fee, money)
            if left is None or price is None or fee is None or lot.rest:
                return None
            lots.append(UnitLot(lot.number, left, price, fee))
        scale = Fraction(10) ** (money - quantities - prices)
        unit_value = _whole(book.terms.multiplier * scale, 0)
        realised, fees = _whole(book.realised, money), _whole(book.fees, money)
        if unit_value is None or realised is None or fees is None:
            return None
        position = sum(lot.left for lot in lots)
        cost = sum(lot.left * lot.price for lot in lots) * unit_value
        decimals = quantities, prices, money
        return cls(
            book.terms, *decimals, unit_value, lots, book.next_lot, position, cost, realised, fees
        )

    def give_back(self, book: Book) -> None:
        """Let the book in fractions stand where this one does."""
        quantity, price = 10**self.quantities, 10**self.prices
        money = 10**self.money
        book.lots = deque(
            Lot(
                lot.number,
                Fraction(lot.left, quantity),
                Fraction(lot.price, price),
                Fraction(lot.fee, money),
            )
            for lot in self.lots
        )
        book.next_lot, book.unit = self.next_lot, Fraction(1, money)
        book.realised, book.fees = Fraction(self.realised, money), Fraction(self.fees, money)

    def figures(self) -> Figures:
        """Position, cost, realised profit, fees and the number of open lots."""
        money = 10**self.money
        return Figures(
            Fraction(self.position, 10**self.quantities),
            Fraction(self.cost, money),
            Fraction(self.realised, money),
            Fraction(self.fees, money),
            len(self.lots),
        )


class QuickBooks:
    """Books in whole units, beside the auditor's `books` in fractions and with its `wallets`."""

    def __init__(self, books: Mapping[str, Book], wallets: Wallets) -> None:
        self._books = books
        self._wallets = wallets
        self._units: dict[str, UnitBook] = {}
        self._left: set[str] = set()
        """Symbols that are judged in fractions for good: one unusual row is seldom the last."""
        self._second, self._second_ns = "", 0

    def leave(self, symbol: str) -> None:
        """The symbol is the auditor's from now on."""
        self.settle(symbol)
        self._left.add(symbol)

    def settle(self, symbol: str) -> None:
        """Bring the auditor's book of the symbol up to date; it may be changed until the next
        row."""
        units = self._units.pop(symbol, None)
        if units is not None:
            units.give_back(self._books[symbol])

    def figures(self, symbol: str) -> Figures:
        """What the symbol has come to."""
        units = self._units.get(symbol)
        return self._books[symbol].figures() if units is None else units.figures()

    def take(self, number: int, cells: list[str], after_ns: int) -> int | None:
        """Judge row `number`, not before the time `after_ns`, and book it if it is sound: then its
        time, nanoseconds. None: it is not judged, and nothing has changed."""
        if len(cells) != CELLS or cells[5] in self._left or cells[20] or cells[0] != str(number):
            return None
        time_ns = self._time_ns(cells[1])
        book = self._units.get(cells[5]) or self._begin(cells)
        if book is None or time_ns is None or time_ns < after_ns:
            return None
        sign = _SIGNS.get(cells[6])
        quantity = units_of(cells[7], book.quantities)
        price, fee = units_of(cells[8], book.prices), signed_units_of(cells[11], book.money)
        if sign is None or not quantity or not price or fee is None:
            return None
        quote = self._wallets.purse(book.terms.quote, book.money)
        if quote is None or not _book(book, cells, sign * quantity, price, fee, quote):
            return None
        if book.terms.settlement == "spot":
            self._move_base(book, sign * quantity)
        return time_ns

    def _begin(self, cells: list[str]) -> UnitBook | None:
        book = self._books.get(cells[5])
        if book is None:
            return None
        decimals = [decimals_of(cells[column]) for column in (7, 8, 11)]
        units = UnitBook.of(book, *decimals)
        if units is not None:
            self._units[cells[5]] = units
        return units

    def _time_ns(self, text: str) -> int | None:
        """As `moment_ns`, or None; the second is kept, as rows come in order."""
        digits = text[20:29]
        if text[:20] == self._second and text[29:] == "Z" and digits.isdigit():
            if digits.isascii() and len(digits) == 9:
                return self._second_ns + int(digits)
            return None
        try:
            time_ns = moment_ns(text)
        except ValueError:
            return None
        self._second, self._second_ns = text[:20], time_ns // 10**9 * 10**9
        return time_ns

    def _move_base(self, book: UnitBook, quantity: int) -> None:
        purse = self._wallets.purse(book.terms.base, book.quantities)
        if purse is None:
            amount = Fraction(quantity, 10**book.quantities)
            self._wallets.add(book.terms.base, amount)
        else:
            purse.units += quantity * 10 ** (purse.decimals - book.quantities)


def _book(
    book: UnitBook, cells: list[str], change: int, price: int, fee: int, quote: Purse
) -> bool:
    """Work out what a fill makes of the book and its money; where the row says the same it is
    booked. Whether it does."""
    quantities, prices, money = book.quantities, book.prices, book.money
    rest, realised, charged, cost, closed = change, 0, fee, 0, list[str]()
    gone, shrunk = 0, None
    for lot in book.lots:
        if not rest or (lot.left > 0) is (rest > 0):
            break
        size = abs(lot.left)
        part = min(size, abs(rest))
        signed = part if lot.left > 0 else -part
        if part == size:
            share = lot.fee
            gone += 1
        else:
            share = lot.fee * part // size
            shrunk = UnitLot(lot.number, lot.left - signed, lot.price, lot.fee - share)
        pnl = (price - lot.price) * signed * book.unit_value
        closed.append(
            f"L{lot.number}:{text_of(part, quantities)}@{text_of(lot.price, prices)}"
            f":{text_of(pnl, money)}:{text_of(share + charged, money)}"
        )
        charged = 0
        realised += pnl
        cost += signed * lot.price * book.unit_value
        rest += signed
    value = change * price * book.unit_value
    position, fees = book.position + change, book.fees + fee
    made = book.realised + realised
    moved = (-value if book.terms.settlement == "spot" else realised) - fee
    factor = 10 ** (quote.decimals - money)
    wallet, beside = divmod(quote.units + moved * factor, factor)
    opened = f"L{book.next_lot}:{text_of(rest, quantities)}" if rest else ""
    if beside or cells[10] != text_of(abs(value), money):
        return False
    if cells[12:20] != [
        book.terms.quote,
        text_of(realised, money),
        ";".join(closed),
        opened,
        text_of(position, quantities),
        text_of(made, money),
        text_of(fees, money),
        text_of(wallet, money),
    ]:
        return False
    for _ in range(gone):
        book.lots.popleft()
    if shrunk is not None:
        book.lots[0] = shrunk
    if rest:
        book.lots.append(UnitLot(book.next_lot, rest, price, charged))
        book.next_lot += 1
        cost -= rest * price * book.unit_value
    book.position, book.cost = position, book.cost - cost
    book.realised, book.fees = made, fees
    quote.units += moved * factor
    return True
