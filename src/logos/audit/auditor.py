"""A second opinion on a session: everything in trades.csv recomputed from its fills alone.

The books that wrote the file may not be trusted to check it, so nothing here is shared with
them: rows are read as text, amounts are exact fractions, lots are kept and closed first in,
first out by code of its own. From side, quantity, price and fees of each row the auditor derives
position, lots, realised profit, fees, wallet and notional, and compares every printed figure.

    report = audit(path, {"COIN": Terms("COIN", "USD", Fraction(1), "spot")}, {"USD": "1000"})
    assert report.is_clean, report

A difference does not stop the audit: the auditor keeps its own figures and goes on. `apply` works
in fractions; `apply_cells` judges the same row in whole units where that is as exact (`quick`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from logos.audit.csv_cells import Cells, Difference, UnreadableTrades, plain
from logos.audit.money.lot_cells import compare_closures, compare_opening
from logos.audit.money.lots import (
    ZERO,
    Book,
    Units,
    rounded_up,
    split_lots,
    taken_off,
    trade,
)
from logos.audit.money.quick import QuickBooks
from logos.audit.money.taken import Taken
from logos.audit.money.terms import Given, Terms
from logos.audit.money.wallets import Wallets

__all__ = [
    "COLUMNS",
    "AuditReport",
    "Auditor",
    "CurrencyState",
    "State",
    "SymbolState",
    "Terms",
    "audit",
    "audit_rows",
]

COLUMNS = [
    *("fill_id", "time", "tick_id", "order_id", "client_order_id", "symbol", "side"),
    *("quantity", "price", "liquidity", "notional", "fee", "currency", "realised"),
    *("lots_closed", "lot_opened", "position", "symbol_realised", "symbol_fees", "wallet"),
    "base_fee",
]
"""What trades.csv must have, in this order."""


class SymbolState(NamedTuple):
    """One symbol's books, exact. `unrealised` is None where no mark was given for a position."""

    position: Fraction
    cost: Fraction
    realised: Fraction
    fees: Fraction
    unrealised: Fraction | None
    open_lots: int


class CurrencyState(NamedTuple):
    """One quote currency: equity = initial + realised - fees + unrealised + payments."""

    initial: Fraction
    wallet: Fraction
    realised: Fraction
    fees: Fraction
    unrealised: Fraction | None
    equity: Fraction | None
    payments: Fraction = Fraction(0)


class State(NamedTuple):
    """The auditor's figures at a moment; `wallets` holds every asset touched or started with."""

    symbols: dict[str, SymbolState]
    currencies: dict[str, CurrencyState]
    wallets: dict[str, Fraction]


@dataclass
class AuditReport:
    """What an audit found; `str` of it is for people."""

    rows: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every printed figure was recomputed to the same value."""
        return not self.differences

    def __str__(self) -> str:
        if self.is_clean:
            return f"{self.rows} fills, every figure recomputed"
        lines = [f"{self.rows} fills, {len(self.differences)} differences"]
        return "\n".join(lines + [str(difference) for difference in self.differences])


class Auditor:
    """Applies the rows of one trades.csv in order and judges each.

    `instruments` maps a symbol to its `Terms` (or to a tuple of the same four), `initial` an
    asset to its starting balance; assets it does not name start at 0.
    """

    def __init__(
        self,
        instruments: Mapping[str, Given],
        initial: Mapping[str, Fraction | str | int],
    ) -> None:
        self._symbols: dict[str, Book] = {}
        for symbol, given in instruments.items():
            base, quote, multiplier, settlement = given[:4]
            if settlement not in ("spot", "margin", "inverse"):
                raise ValueError(
                    f"{symbol}: settlement is spot, margin or inverse, not {settlement!r}"
                )
            is_any_sign = isinstance(given, Terms) and given.allows_negative
            terms = Terms(base, quote, Fraction(multiplier), settlement, is_any_sign)
            self._symbols[symbol] = Book(terms)
        self._initial = {asset: Fraction(amount) for asset, amount in initial.items()}
        self._wallets = Wallets(self._initial)
        self._quick = QuickBooks(self._symbols, self._wallets)
        self._payments: dict[str, Fraction] = {}
        self._last_time_ns = 0
        self._others: dict[str, list[Fraction]] = {}
        self.report = AuditReport()

    def take_over(self, taken: Taken) -> None:
        """Begin with what the session took over from another one."""
        for name, book in taken.books.items():
            if name in self._symbols:
                book.begin(self._symbols[name])
        for asset, balance in taken.balances.items():
            self._wallets.put(asset, balance)
        self._payments = dict(taken.payments)
        self._others = {each: taken.others(each, self._symbols) for each in taken.realised}
        self._last_time_ns = taken.ended_ns

    # ---- one row ----

    def apply_cells(self, cells: list[str]) -> list[Difference]:
        """As `apply`, of a row as its cells in the order of COLUMNS: what a reader of CSV gives."""
        time_ns = self._quick.take(self.report.rows + 1, cells, self._last_time_ns)
        if time_ns is None:
            return self.apply(dict(zip(COLUMNS, cells, strict=False)))
        self.report.rows += 1
        self._last_time_ns = time_ns
        return []

    def apply(self, row: Mapping[str, str]) -> list[Difference]:
        """Take in one row (column to text) and return what is wrong with it.

        Raises UnreadableTrades when the row has no reading at all.
        """
        self.report.rows += 1
        number = self.report.rows
        cells = Cells(number, row)
        symbol = self._symbols.get(cells.text("symbol"))
        if symbol is None:
            raise cells.error("symbol", "not among the instruments")
        self._quick.leave(cells.text("symbol"))
        sign = {"BUY": 1, "SELL": -1}.get(cells.text("side"))
        if sign is None:
            raise cells.error("side", "neither BUY nor SELL")
        quantity = cells.amount("quantity")
        price = cells.amount("price")
        fee = cells.amount("fee")
        if quantity <= 0:
            raise cells.error("quantity", "not positive")
        if price <= 0 and not symbol.terms.allows_negative:
            raise cells.error("price", "not positive")
        self._check_order_of_rows(cells)
        symbol.unit = cells.unit("fee")
        notional = symbol.terms.value(price, quantity, symbol.unit)
        base_fee = _base_fee(cells, symbol.terms)
        change = sign * quantity - taken_off(symbol, base_fee, cells.unit("quantity"))
        closed, opened = trade(symbol, change, price, fee, cells.unit("fee"))
        realised = sum((part.pnl for part in closed), Fraction(0))
        symbol.realised += realised
        symbol.fees += fee
        worth = rounded_up(base_fee * price * symbol.terms.multiplier, cells.unit("fee"))
        if base_fee and fee < worth:
            cells.differ("fee", plain(fee), f"at least {plain(worth)}, the worth of the base fee")
        received = sign * quantity - base_fee
        self._move_money(symbol.terms, received, sign * notional, realised, fee - worth)
        cells.compare("notional", notional)
        cells.compare_text("currency", symbol.terms.quote)
        cells.compare("realised", realised)
        compare_closures(cells, closed)
        compare_opening(cells, opened)
        cells.compare("position", symbol.position())
        cells.compare("symbol_realised", symbol.realised)
        cells.compare("symbol_fees", symbol.fees)
        cells.compare("wallet", self._wallets.get(symbol.terms.quote))
        self.report.differences += cells.differences
        return cells.differences

    def _check_order_of_rows(self, cells: Cells) -> None:
        cells.compare("fill_id", Fraction(cells.number))
        time_ns = cells.time_ns("time")
        if time_ns < self._last_time_ns:
            cells.differ("time", cells.text("time"), "not before the row above")
        self._last_time_ns = time_ns

    def _move_money(
        self, terms: Terms, quantity: Fraction, value: Fraction, realised: Fraction, fee: Fraction
    ) -> None:
        change = (realised if terms.settlement != "spot" else -value) - fee
        self._wallets.add(terms.quote, change)
        if terms.settlement == "spot":
            self._wallets.add(terms.base, quantity)

    # ---- splits and dividends ----

    def currency(self, symbol: str) -> str:
        """What the symbol is quoted in."""
        return self._symbols[symbol].terms.quote

    def split(
        self, name: str, ratio: Fraction, prices: tuple[Fraction, Fraction], units: Units
    ) -> tuple[Fraction, Fraction]:
        """Turn each unit of a symbol into `ratio` units; the cash for what is no whole unit, paid
        at the first of `prices` (beside the position: at the second), and what that had cost."""
        self._quick.settle(name)
        symbol = self._symbols[name]
        terms = symbol.terms
        is_spot = terms.settlement == "spot"
        own = self._wallets.get(terms.base) - symbol.position() if is_spot else ZERO
        part, cost = split_lots(symbol.lots, ratio, units, terms.multiplier)
        own_after = own * ratio // units.base * units.base
        own_part = own * ratio - own_after
        cash = part * prices[0] / ratio * terms.multiplier // units.money * units.money
        cash += own_part * prices[1] / ratio * terms.multiplier // units.money * units.money
        symbol.realised += cash - cost
        if is_spot:
            self._wallets.put(terms.base, symbol.position() + own_after)
        self._wallets.add(terms.quote, cash if is_spot else cash - cost)
        return cash, cost

    def pay(self, name: str, amount: Fraction, unit: Fraction) -> Fraction:
        """Pay a dividend of `amount` for each unit, rounded down to `unit`; what that comes to."""
        self._quick.settle(name)
        symbol = self._symbols[name]
        terms = symbol.terms
        is_spot = terms.settlement == "spot"
        held = self._wallets.get(terms.base) if is_spot else symbol.position()
        cash = held * amount * terms.multiplier // unit * unit
        symbol.realised += cash
        self._wallets.add(terms.quote, cash)
        return cash

    def book_payment(self, currency: str, amount: Fraction) -> None:
        """Book what time brought (above 0) or cost, and no fill."""
        self._payments[currency] = self.payments(currency) + amount
        self._wallets.add(currency, amount)

    # ---- the figures ----

    def payments(self, currency: str) -> Fraction:
        """What time brought of a currency so far."""
        return self._payments.get(currency, Fraction(0))

    def wallet(self, asset: str) -> Fraction:
        """What there is of an asset."""
        return self._wallets.get(asset)

    def terms(self, symbol: str) -> Terms:
        """What the auditor was told of a symbol. Raises KeyError."""
        return self._symbols[symbol].terms

    def state(self, marks: Mapping[str, Fraction | str | int] | None = None) -> State:
        """The books after the rows so far, positions valued at `marks` (symbol to price)."""
        prices = {symbol: Fraction(mark) for symbol, mark in (marks or {}).items()}
        symbols: dict[str, SymbolState] = {}
        for name, symbol in self._symbols.items():
            position, cost, realised, fees, open_lots = self._quick.figures(name)
            unrealised: Fraction | None = Fraction(0)
            if position != 0:
                unrealised = None
                if name in prices:
                    value = symbol.terms.value(prices[name], position, symbol.unit)
                    unrealised = cost - value if symbol.terms.is_inverse else value - cost
            symbols[name] = SymbolState(position, cost, realised, fees, unrealised, open_lots)
        quotes = dict.fromkeys(symbol.terms.quote for symbol in self._symbols.values())
        currencies = {quote: self._currency(quote, symbols) for quote in quotes}
        return State(symbols, currencies, self._wallets.amounts())

    def _currency(self, quote: str, symbols: Mapping[str, SymbolState]) -> CurrencyState:
        mine = [state for n, state in symbols.items() if self._symbols[n].terms.quote == quote]
        initial = self._initial.get(quote, Fraction(0))
        others = self._others.get(quote, [ZERO, ZERO])
        realised = sum((state.realised for state in mine), others[0])
        fees = sum((state.fees for state in mine), others[1])
        open_profits = [state.unrealised for state in mine]
        known = [profit for profit in open_profits if profit is not None]
        is_known = len(known) == len(open_profits)
        unrealised = sum(known, Fraction(0)) if is_known else None
        payments = self.payments(quote)
        equity = None if unrealised is None else initial + realised - fees + unrealised + payments
        wallet = self.wallet(quote)
        return CurrencyState(initial, wallet, realised, fees, unrealised, equity, payments)


def _base_fee(cells: Cells, terms: Terms) -> Fraction:
    """What the venue kept of the asset itself; nothing if the cell is empty."""
    if not cells.text("base_fee"):
        return Fraction(0)
    base_fee = cells.amount("base_fee")
    if base_fee <= 0 or terms.settlement != "spot":
        raise cells.error("base_fee", "only a spot market takes one, and it is above 0")
    return base_fee


def rows_of(lines: Iterable[str]) -> tuple[list[str] | None, Iterator[list[str]]]:
    """The head of a CSV (None: nothing is there) and its rows, as cells; lines without any are
    passed over. Reading raises csv.Error for what is no CSV."""
    reader = csv.reader(lines, strict=True)
    return next(reader, None), filter(None, reader)


def audit_rows(
    lines: Iterable[str],
    instruments: Mapping[str, Given],
    initial: Mapping[str, Fraction | str | int],
) -> AuditReport:
    """Audit the lines of a trades.csv, head included. Raises UnreadableTrades."""
    head, rows = rows_of(lines)
    if head != COLUMNS:
        raise UnreadableTrades(
            f"the head is {head}, not {','.join(COLUMNS)}: is this a trades.csv?"
        )
    auditor = Auditor(instruments, initial)
    for row in rows:
        if len(row) > len(COLUMNS):
            raise UnreadableTrades(f"row {auditor.report.rows + 1} has more cells than the head")
        if len(row) < len(COLUMNS):
            cells = Cells(auditor.report.rows + 1, dict(zip(COLUMNS, row, strict=False)))
            raise cells.error(COLUMNS[len(row)], "the cell is missing")
        auditor.apply_cells(row)
    return auditor.report


def audit(
    path: str | Path,
    instruments: Mapping[str, Given],
    initial: Mapping[str, Fraction | str | int],
) -> AuditReport:
    """Recompute every figure of the trades.csv at `path`.

    `instruments` maps each symbol to (base, quote, multiplier, settlement), `initial` assets to
    starting balances. Raises UnreadableTrades for a file that is none, OSError for no file.
    """
    with open(path, encoding="utf-8", newline="") as lines:
        return audit_rows(lines, instruments, initial)
