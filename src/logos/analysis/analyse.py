"""Reads one session: its tables row by row, its journal line by line, and adds them up.

Memory is bounded by the filled orders, the days and the bounds of `model`, not by the events of the
session. Nothing is written. The tables of a session that runs or crashed may be behind its journal:
then the figures are those of the rows that are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import msgspec

from logos.analysis.books import BookMaker, hold_of, total_hold
from logos.analysis.calendar import Calendar
from logos.analysis.figures import SymbolFigures
from logos.analysis.fills import Fills, LastTrips, SymbolFills, open_trips
from logos.analysis.folder import Told, config_of, read_facts, read_told
from logos.analysis.model import Analysis, Bars
from logos.analysis.tally import SideTally
from logos.config import Config, InstrumentSettings
from logos.core.instrument import Instrument
from logos.session.artifacts.derived.equity import EQUITY, TOTAL, Totals, equity_points
from logos.session.artifacts.derived.reading import EXACT, Row, number, table_rows, time_ns
from logos.session.artifacts.derived.trips import RoundTrip, Worth, filled_orders, taken_lots
from logos.session.artifacts.payments import PAYMENTS
from logos.session.build import make_instruments


def worths_of(settings: Mapping[str, InstrumentSettings]) -> dict[str, Worth]:
    """What a quantity of each symbol is worth at a price."""
    return {
        symbol: Worth(each.multiplier, each.settlement == "inverse")
        for symbol, each in settings.items()
    }


def analyse(folder: Path) -> Analysis:
    """Read the session in `folder`, finished, running or dead.

    Raises ConfigError when no session has begun there or its settings cannot be read, OSError when
    a file cannot be read, and ValueError for a table that is none (`logos verify` says more).
    """
    told = read_told(folder)
    config = config_of(told)
    return _Reading(folder, told, config).analysis()


class _Reading:
    """What is gathered while one session is read."""

    def __init__(self, folder: Path, told: Told, config: Config) -> None:
        self._folder = folder
        self._told = told
        self._config = config
        self._instruments: dict[str, Instrument] = make_instruments(config.instruments)
        self._worths = worths_of(config.instruments)
        self._orders = filled_orders(table_rows(folder / "orders.csv"))
        self._fills = Fills(self._orders, self._worths, taken_lots(config))
        self._notes: list[str] = []
        if not told.is_whole:
            self._notes.append("the journal has a line that cannot be read: see `logos verify`")
        self._currencies = tuple(dict.fromkeys(each.quote for each in self._instruments.values()))
        self._makers = {name: self._maker(name, name) for name in self._currencies}
        self._totals = self._find_totals()
        self._total: BookMaker | None = None
        if self._totals is not None:
            self._total = self._maker(TOTAL, self._totals.currency)
        self._sides: dict[str, SideTally] = {}
        self._trips = LastTrips()
        self._held: dict[str, Row] = {}
        self._marks: dict[str, Decimal] = {}
        self._payments: dict[str, Decimal] = {}

    def analysis(self) -> Analysis:
        """Read everything and add it up."""
        self._read_fills()
        self._read_positions()
        self._read_payments()
        self._read_account()
        by_symbol = tuple(self._symbol(name) for name in self._instruments)
        for name, maker in self._makers.items():
            maker.exposure = self._fills.exposures.get(name)
            maker.hold_ratio = hold_of([each for each in by_symbol if each.currency == name])
        makers = list(self._makers.values())
        if self._total is not None and self._totals is not None:
            self._total.exposure = self._fills.exposure
            self._total.hold_ratio = total_hold(makers, self._totals.rates)
            for each in makers:
                self._total.costs.add(each.costs, self._totals.rates[each.currency])
            makers.insert(0, self._total)
        first = makers[0]
        facts = read_facts(self._folder, self._told, self._config, self._currencies, first.currency)
        facts = msgspec.structs.replace(
            facts, begun_ns=first.curve.first_ns, ended_ns=first.curve.last_ns
        )
        return Analysis(
            facts=facts,
            books=tuple(each.book() for each in makers),
            by_symbol=by_symbol,
            trips=self._trips.trips(),
            open_trips=open_trips(self._fills, self._orders, self._worths, self._held),
            fills=tuple(self._fills.last),
            refusals=dict(sorted(self._told.refusals.items())),
            events=tuple(self._told.events),
            notes=tuple(self._notes),
            read_prices=lambda symbol: Bars(symbol=symbol, problem="not read by this version"),
        )

    def _maker(self, name: str, currency: str) -> BookMaker:
        symbols = [
            symbol
            for symbol, each in self._instruments.items()
            if name == TOTAL or each.quote == currency
        ]
        calendar = Calendar(
            [self._instruments[symbol] for symbol in symbols],
            [self._config.instruments[symbol] for symbol in symbols],
        )
        return BookMaker(name, currency, calendar)

    def _find_totals(self) -> Totals | None:
        """How the currencies are added up; None where the settings do not say, or there is only
        the one that they report in."""
        account = self._config.account
        currency = account.report_in
        if not currency or self._currencies == (currency,):
            return None
        rates = {name: account.rates.get(name, Decimal(1)) for name in self._currencies}
        high = deepest = None
        for row in table_rows(self._folder / EQUITY):
            if row["book"] == TOTAL and row["point"] == "low":
                high, deepest = number(row["high_water"]), number(row["drawdown"])
        if high is None:
            self._notes.append(
                "the total's deepest fall is that of its samples: there is no equity.csv yet"
            )
        return Totals(currency, rates, high, deepest)

    def _read_fills(self) -> None:
        for row in table_rows(self._folder / "trades.csv"):
            for trip in self._fills.see(row):
                self._take(trip)
        for trip in self._fills.maker.finish():
            self._take(trip)

    def _take(self, trip: RoundTrip) -> None:
        self._trips.add(trip)
        self._makers[trip.currency].take(trip)
        self._sides.setdefault(trip.symbol, SideTally()).add(trip)
        if self._total is not None and self._totals is not None:
            self._total.take(trip, self._totals.rates[trip.currency])

    def _read_positions(self) -> None:
        for row in table_rows(self._folder / "positions.csv"):
            self._held[row["symbol"]] = row
            if row["symbol"] not in self._marks and number(row["mark"]):
                self._marks[row["symbol"]] = number(row["mark"])

    def _read_payments(self) -> None:
        for row in table_rows(self._folder / PAYMENTS):
            before = self._payments.get(row["symbol"], Decimal(0))
            self._payments[row["symbol"]] = EXACT.add(before, number(row["amount"]))

    def _read_account(self) -> None:
        last: dict[str, Row] = {}

        def rows() -> Iterator[Row]:
            for row in table_rows(self._folder / "account.csv"):
                last[row["currency"]] = row
                yield row

        for point in equity_points(rows(), self._totals):
            maker = self._total if point.book == TOTAL else self._makers[point.book]
            if maker is not None:
                maker.curve.add(point, time_ns(point.time))
        for name, row in last.items():
            costs = self._makers[name].costs
            costs.realised, costs.fees = number(row["realised"]), number(row["fees"])
            costs.unrealised = number(row["unrealised"])
            costs.payments = number(row.get("payments", ""))
            for symbol, each in self._fills.symbols.items():
                if self._instruments[symbol].quote == name:
                    costs.traded = EXACT.add(costs.traded, each.traded)
                    costs.slippage = EXACT.add(costs.slippage, each.slippage)

    def _symbol(self, symbol: str) -> SymbolFigures:
        of_fills = self._fills.symbols.get(symbol, SymbolFills())
        row, payments = self._held.get(symbol), self._payments.get(symbol, Decimal(0))
        realised, fees = of_fills.realised, of_fills.fees
        unrealised, end_ns, last = Decimal(0), 0, Decimal(0)
        if row is not None:
            realised, fees = number(row["realised"]), number(row["fees"])
            unrealised, last = number(row["unrealised"]), number(row["mark"])
            end_ns = time_ns(row["time"])
        first = self._marks.get(symbol)
        gained = EXACT.add(EXACT.add(realised, unrealised), payments)
        has_prices = first is not None and bool(last)
        return SymbolFigures(
            symbol=symbol,
            currency=self._instruments[symbol].quote,
            trips=self._sides[symbol].side() if symbol in self._sides else SideTally().side(),
            orders=self._told.orders[symbol],
            fills=of_fills.count,
            net=EXACT.subtract(gained, fees),
            realised=realised,
            unrealised=unrealised,
            fees=fees,
            payments=payments,
            slippage=of_fills.slippage,
            traded=of_fills.traded,
            position=of_fills.position,
            exposure_ns=of_fills.exposure.until(end_ns),
            first_price=None if first is None else float(first),
            last_price=float(last) if last else None,
            hold_ratio=self._hold(symbol, first, last) if has_prices else None,
        )

    def _hold(self, symbol: str, first: Decimal | None, last: Decimal) -> float | None:
        if first is None or first <= 0 or last <= 0:
            return None
        if self._worths[symbol].is_inverse:
            return 1.0 - float(first) / float(last)  # in the coin, of one unit of it at the start
        return float(last) / float(first) - 1.0
