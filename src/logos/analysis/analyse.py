"""Reads one session: its tables row by row, its journal line by line, and adds them up.

Memory is bounded by the filled orders, the days and the bounds of `model`, not by the events of the
session. Nothing is written. The tables of a session that runs or crashed may be behind its journal:
then the figures are those of the rows that are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec

from logos.analysis.books import BookMaker, hold_of, total_hold
from logos.analysis.calendar import Calendar
from logos.analysis.figures import SymbolFigures
from logos.analysis.fills import Fills, LastTrips, SymbolFills, open_trips
from logos.analysis.folder import Tables, Told, config_of, read_facts, read_told, workspace_of
from logos.analysis.model import Analysis, Facts
from logos.analysis.prices import FirstPrices, SessionPrices
from logos.analysis.tally import SideTally
from logos.config import Config
from logos.core.instrument import Instrument
from logos.errors import LogosError, error_words
from logos.journal.names import JOURNAL
from logos.session.artifacts.derived.equity import EQUITY, TOTAL, Totals, equity_points
from logos.session.artifacts.derived.files import (
    Ground,
    fill_excursions,
    totals_of,
    worths_of,
)
from logos.session.artifacts.derived.orders import filled_orders
from logos.session.artifacts.derived.reading import EXACT, Row, number, time_ns
from logos.session.artifacts.derived.trips import (
    TRIPS,
    RoundTrip,
    taken_lots,
)
from logos.session.artifacts.payments import PAYMENTS
from logos.session.build import make_instruments


def analyse(
    folder: Path, *, with_excursions: bool = False, firsts: FirstPrices | None = None
) -> Analysis:
    """Read the session in `folder`, finished, running or dead.

    MAE and MFE of round trips are those of trips.csv; `with_excursions` reads the data once more
    for those that have none there: of sessions that are long, old, running or dead. `firsts` keeps
    first prices for the next session on the same data and instruments.

    Raises ConfigError when no session has begun there or its settings cannot be read, another
    LogosError that names the file that is damaged (`logos verify` says more), and OSError when a
    file cannot be read.
    """
    told = read_told(folder)
    tables = Tables(folder)
    try:
        config = config_of(told)
        reading = _Reading(folder, told, config, tables)
        return reading.analysis(with_excursions=with_excursions, firsts=firsts)
    except (ValueError, LookupError, ArithmeticError) as error:
        what = str(error) if isinstance(error, ValueError) else error_words(error)
        raise LogosError(f"{tables.at} is damaged: {what}") from error


class _Reading:
    """What is gathered while one session is read."""

    def __init__(self, folder: Path, told: Told, config: Config, tables: Tables) -> None:
        self._folder = folder
        self._told = told
        self._config = config
        self._tables = tables
        self._instruments: dict[str, Instrument] = make_instruments(config.instruments)
        self._worths = worths_of(config)
        self._orders = filled_orders(tables.rows("orders.csv"))
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
        self._trips = LastTrips(tables.rows(TRIPS))
        self._begun: dict[str, Row] = {}
        """Each symbol's first row of positions.csv; what `[carry]` took over is in it."""
        self._held: dict[str, Row] = {}
        self._marks: dict[str, float] = {}
        self._payments: dict[str, Decimal] = {}

    def analysis(self, *, with_excursions: bool, firsts: FirstPrices | None) -> Analysis:
        """Read everything and add it up."""
        self._read_positions()
        self._read_fills()
        self._read_payments()
        self._read_account()
        facts = self._facts()
        prices = SessionPrices(facts, self._config, self._instruments, workspace_of(self._folder))
        for symbol in self._instruments:
            first = prices.first_price(symbol, firsts)
            if first is not None:
                self._marks[symbol] = first
        if with_excursions:
            self._read_excursions(prices)
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
            read_prices=prices.bars,
        )

    def _facts(self) -> Facts:
        self._tables.at = self._folder / JOURNAL
        first = self._total or next(iter(self._makers.values()))
        facts = read_facts(self._folder, self._told, self._config, self._currencies, first.currency)
        curve = first.curve
        return msgspec.structs.replace(facts, begun_ns=curve.first_ns, ended_ns=curve.last_ns)

    def _read_excursions(self, prices: SessionPrices) -> None:
        try:
            ground = Ground(self._config, self._instruments, None, prices.feed)
            fill_excursions(self._trips.unread, ground)
        except (LogosError, OSError) as error:
            self._notes.append(f"MAE and MFE were not read: {error}")

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
        high = deepest = None
        for row in self._tables.rows(EQUITY):
            if row["book"] == TOTAL and row["point"] == "low":
                high, deepest = number(row["high_water"]), number(row["drawdown"])
        totals = totals_of(self._config, self._currencies, high, deepest)
        if high is None and totals is not None:
            self._notes.append(
                "the total's deepest fall is that of its samples: there is no equity.csv"
            )
        return totals

    def _read_fills(self) -> None:
        for symbol, row in self._begun.items():
            if position := number(row["position"]):
                self._fills.begin(symbol, row["currency"], position, time_ns(row["time"]))
        for row in self._tables.rows("trades.csv"):
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
        for row in self._tables.rows("positions.csv"):
            self._begun.setdefault(row["symbol"], row)
            self._held[row["symbol"]] = row
            if row["symbol"] not in self._marks and number(row["mark"]):
                self._marks[row["symbol"]] = float(row["mark"])

    def _read_payments(self) -> None:
        for row in self._tables.rows(PAYMENTS):
            before = self._payments.get(row["symbol"], Decimal(0))
            self._payments[row["symbol"]] = EXACT.add(before, number(row["amount"]))

    def _read_account(self) -> None:
        first: dict[str, Row] = {}
        last: dict[str, Row] = {}

        def rows() -> Iterator[Row]:
            for row in self._tables.rows("account.csv"):
                first.setdefault(row["currency"], row)
                last[row["currency"]] = row
                yield row

        for point in equity_points(rows(), self._totals):
            maker = self._total if point.book == TOTAL else self._makers[point.book]
            if maker is not None:
                maker.curve.add(point, time_ns(point.time))
        for name, row in last.items():
            costs, begun = self._makers[name].costs, first[name]
            costs.realised = _since(begun, row, "realised")
            costs.fees = _since(begun, row, "fees")
            costs.payments = _since(begun, row, "payments")
            costs.unrealised = number(row["unrealised"])
            for symbol, each in self._fills.symbols.items():
                if self._instruments[symbol].quote == name:
                    costs.traded = EXACT.add(costs.traded, each.traded)
                    costs.slippage = EXACT.add(costs.slippage, each.slippage)

    def _symbol(self, symbol: str) -> SymbolFigures:
        of_fills = self._fills.symbols.get(symbol, SymbolFills())
        row, payments = self._held.get(symbol), self._payments.get(symbol, Decimal(0))
        realised, fees = of_fills.realised, of_fills.fees
        unrealised = opened = last = Decimal(0)
        end_ns = 0
        if row is not None:
            begun = self._begun[symbol]
            realised, fees = _since(begun, row, "realised"), _since(begun, row, "fees")
            unrealised, last = number(row["unrealised"]), number(row["mark"])
            opened = _since(begun, row, "unrealised")
            end_ns = time_ns(row["time"])
        first = self._marks.get(symbol)
        gained = EXACT.add(EXACT.add(realised, opened), payments)
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
            first_price=first,
            last_price=float(last) if last else None,
            hold_ratio=self._hold(symbol, first, float(last)),
        )

    def _hold(self, symbol: str, first: float | None, last: float) -> float | None:
        if first is None or first <= 0 or last <= 0:
            return None
        if self._worths[symbol].is_inverse:
            return 1.0 - first / last  # in the coin, of one unit of it at the start
        return last / first - 1.0


def _since(begun: Row, row: Row, column: str) -> Decimal:
    """How much a figure has grown since the session's first sample: those of a session that
    carries another on (`[carry]`) go on where the other's ended. 0 without such a column."""
    return EXACT.subtract(number(row.get(column, "")), number(begun.get(column, "")))
