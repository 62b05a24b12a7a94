"""What the fills of a journal come to by average cost, worked out anew for the page that says so.

The cost of a symbol's position is kept in price units times quantity units. A fill that closes
takes its share of the cost, to the nearest whole unit, a half to the even one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from logos.audit.csv_cells import plain
from logos.audit.money.carried import lots_of
from logos.audit.money.shown import says
from logos.config.tables.carry import CarrySettings
from logos.core.records import CorporateActionRecord, PaperFillRecord, PositionRecord
from logos.core.types import Side


@dataclass(slots=True)
class _Book:
    """Signed; `held` in quantity units, `cost` and `made` in price units times quantity units."""

    last: PaperFillRecord | CorporateActionRecord
    held: int = 0
    cost: int = 0
    made: int = 0


class AverageBooks:
    """Give it every fill of a journal, in order."""

    def __init__(self) -> None:
        self._books: dict[str, _Book] = {}
        self._paid: dict[str, Fraction] = {}
        self._taken: dict[str, tuple[Fraction, Fraction]] = {}
        """Position and cost that were taken over, of symbols without a fill or action so far."""

    def take_over(self, carry: CarrySettings) -> None:
        """Begin with the books of another session: by average, its lots cost what they cost."""
        for symbol, carried in carry.symbols.items():
            lots = lots_of(carried)
            held = sum((lot.left for lot in lots), Fraction(0))
            self._taken[symbol] = held, sum((lot.left * lot.price for lot in lots), Fraction(0))
            self._paid[symbol] = Fraction(carried.realised)

    def _begun(self, record: PaperFillRecord | CorporateActionRecord) -> _Book | None:
        """The book of a symbol; None: nothing was taken over or filled."""
        taken = self._taken.pop(record.symbol, None)
        if taken is not None:
            quantities = 10**record.quantity_decimals
            held, cost = taken[0] * quantities, taken[1] * quantities * 10**record.price_decimals
            self._books[record.symbol] = _Book(record, int(held), int(cost))
        return self._books.get(record.symbol)

    def see(self, fill: PaperFillRecord) -> None:
        """Take in the next fill."""
        book = self._begun(fill) or self._books.setdefault(fill.symbol, _Book(fill))
        book.last = fill
        closed = sum(lot.quantity_units for lot in fill.lots)
        if closed and book.held:  # a journal that was tampered with may close what nobody holds
            leaves = round(Fraction(book.cost * closed, abs(book.held)))
            bought = closed if fill.side is Side.BUY else -closed
            book.made -= bought * fill.price_units + leaves
            book.cost -= leaves
            book.held += bought
        book.held += fill.opened_units
        book.cost += fill.opened_units * fill.price_units

    def see_action(self, record: CorporateActionRecord) -> None:
        """Take in a split or dividend: what it paid is profit, less what that had cost."""
        paid = Fraction(record.cash_units, 10**record.money_decimals)
        self._paid[record.symbol] = self._paid.get(record.symbol, Fraction(0)) + paid
        if not (record.new and record.old):
            return
        book = self._begun(record)
        if book is None:
            return
        exact = Fraction(abs(book.held) * record.new, record.old)
        if exact:
            leaves = round(book.cost * (exact - exact // 1) / exact)
            book.cost -= leaves
            book.made -= leaves
        book.held = record.position_units

    def differences(
        self,
        rows: Mapping[str, Mapping[str, str]],
        positions: Mapping[str, PositionRecord],
        multipliers: Mapping[str, Fraction],
    ) -> Iterator[tuple[str, str, str]]:
        """Place, printed text and recomputed figure of what differs in the page's `rows`."""
        for symbol in rows:
            if symbol not in self._books:
                yield symbol, "a row", "no fill"
        for symbol, book in self._books.items():
            row, record = rows.get(symbol, {}), positions.get(symbol)
            if record is None:
                continue
            scale = 10 ** (book.last.price_decimals + book.last.quantity_decimals)
            realised = book.made * multipliers.get(symbol, Fraction(1)) / scale
            realised += self._paid.get(symbol, Fraction(0))
            profit = Fraction(
                record.realised_units + record.unrealised_units, 10**record.money_decimals
            )
            figures = {"realised": realised, "unrealised": profit - realised}
            for column, mine in figures.items():
                said = row.get(column, "missing")
                if not says(said, mine):
                    yield f"{symbol}: {column}", said, plain(mine)
            said = row.get("entry price", "missing")
            if book.held == 0:
                if said:
                    yield f"{symbol}: entry price", said, ""
                continue
            entry = Fraction(book.cost, book.held * 10**book.last.price_decimals)
            shown = 10 ** len(said.partition(".")[2])
            if _number(said) != Fraction(round(entry * shown), shown):
                yield f"{symbol}: entry price", said, str(float(entry))


def _number(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
