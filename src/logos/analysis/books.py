"""The figures of one book: its curve, its round trips and its costs, put together.

The conventions of the figures for a year stand here, once, and are passed to the formulas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from logos.analysis import ratios
from logos.analysis.calendar import Calendar
from logos.analysis.curve import BookCurve, ratio
from logos.analysis.figures import Statistics, SymbolFigures
from logos.analysis.fills import Exposure
from logos.analysis.model import Book
from logos.analysis.tally import SideTally, Slots
from logos.session.artifacts.derived.equity import TOTAL
from logos.session.artifacts.derived.reading import EXACT
from logos.session.artifacts.derived.trips import RoundTrip

DDOF: Final = 1
"""Deviations are those of a sample."""

RISK_FREE: Final = 0.0
"""Return of a day without risk: Sharpe ratios are above it, Sortino ratios above the same."""

FEW_DAYS: Final = 30
"""Below so many daily returns, figures for a year say little."""


class Costs(msgspec.Struct):
    """What a book came to at its last sample, and what its fills cost."""

    realised: Decimal = Decimal(0)
    unrealised: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    payments: Decimal = Decimal(0)
    slippage: Decimal = Decimal(0)
    traded: Decimal = Decimal(0)

    def add(self, other: Costs, rate: Decimal) -> None:
        """Those of another book, times `rate`."""
        for name in self.__struct_fields__:
            worth = EXACT.multiply(getattr(other, name), rate)
            setattr(self, name, EXACT.add(getattr(self, name), worth))


class BookMaker:
    """One currency, or the total; takes points of its curve and round trips in order."""

    def __init__(self, name: str, currency: str, calendar: Calendar) -> None:
        self.name = name
        self.currency = currency
        self.calendar = calendar
        self.curve = BookCurve(calendar)
        self.costs = Costs()
        self.exposure: Exposure | None = None
        self.hold_ratio: float | None = None
        self._all, self._long, self._short = SideTally(), SideTally(), SideTally()
        self._hours, self._weekdays = Slots(), Slots()

    def take(self, trip: RoundTrip, rate: Decimal = Decimal(1)) -> None:
        """A round trip, its money times `rate`."""
        self._all.add(trip, rate)
        (self._long if trip.is_long else self._short).add(trip, rate)
        entered = self.calendar.local(trip.entry_ns)
        net = EXACT.multiply(trip.net, rate)
        self._hours.add(entered.hour, net)
        self._weekdays.add(entered.weekday(), net)

    def book(self) -> Book:
        """All of it."""
        days = self.curve.days
        returns = days.returns()
        return Book(
            name=self.name,
            currency=self.currency,
            statistics=self._statistics([each for _, each in returns]),
            equity=self.curve.curve.equity(),
            returns=tuple(returns),
            by_hour=self._hours.slots(),
            by_weekday=self._weekdays.slots(),
            monthly=days.periods(by_month=True),
            yearly=days.periods(by_month=False),
        )

    def _statistics(self, returns: Sequence[float]) -> Statistics:
        return msgspec.structs.replace(
            self._money(), **self._annual(returns), **self._falls(), **self._sides()
        )

    def _money(self) -> Statistics:
        """What it came to, over what time, at what cost."""
        curve, costs = self.curve, self.costs
        first_ns, last_ns = curve.first_ns, curve.last_ns
        duration_ns = 0 if first_ns is None or last_ns is None else last_ns - first_ns
        exposure_ns = 0
        if self.exposure is not None and last_ns is not None:
            exposure_ns = self.exposure.until(last_ns)
        initial = Decimal(0) if curve.initial is None else curve.initial
        net = EXACT.subtract(curve.final, initial)
        net_ratio = ratio(net, initial)
        hold = self.hold_ratio
        has_both = net_ratio is not None and hold is not None
        taken = EXACT.subtract(EXACT.add(costs.fees, costs.slippage), costs.payments)
        return Statistics(
            currency=self.currency,
            is_total=self.name == TOTAL,
            begun_ns=first_ns,
            ended_ns=last_ns,
            duration_ns=duration_ns,
            exposure_ns=exposure_ns,
            exposure=exposure_ns / duration_ns if duration_ns else None,
            initial=initial,
            final=curve.final,
            net=net,
            net_ratio=net_ratio,
            realised=costs.realised,
            unrealised=costs.unrealised,
            fees=costs.fees,
            slippage=costs.slippage,
            payments=costs.payments,
            before_costs=EXACT.add(net, taken),
            traded=costs.traded,
            turnover=ratio(costs.traded, curve.mean),
            buy_and_hold_ratio=hold,
            against_hold_ratio=net_ratio - hold if has_both else None,  # type: ignore[operator]
        )

    def _annual(self, returns: Sequence[float]) -> dict[str, Any]:
        """The figures for a year."""
        periods = self.calendar.periods_a_year
        return {
            "days": len(returns),
            "periods_a_year": periods,
            "zone": self.calendar.zone,
            "cagr": ratios.cagr(returns, periods),
            "volatility": ratios.volatility(returns, periods, DDOF),
            "sharpe": ratios.sharpe(returns, periods, DDOF, RISK_FREE),
            "sortino": ratios.sortino(returns, periods, RISK_FREE),
            "calmar": ratios.calmar(returns, periods),
            "is_short": len(returns) < FEW_DAYS,
        }

    def _falls(self) -> dict[str, Any]:
        falls = self.curve.falls
        return {
            "max_drawdown": falls.deepest,
            "max_drawdown_ratio": falls.deepest_ratio,
            "drawdown_peak_ns": falls.peak_ns,
            "drawdown_trough_ns": falls.trough_ns,
            "drawdown_recovered_ns": falls.recovered_ns,
            "drawdown_length_ns": falls.length_ns,
            "longest_drawdown_ns": falls.longest_ns,
            "average_drawdown_ratio": falls.average_ratio,
        }

    def _sides(self) -> dict[str, Any]:
        return {
            "trips": self._all.side(),
            "long": self._long.side(),
            "short": self._short.side(),
        }


def hold_of(symbols: Sequence[SymbolFigures]) -> float | None:
    """The return of the same money spread evenly over symbols; None: no price of one is known."""
    held = [each.hold_ratio for each in symbols]
    known = [each for each in held if each is not None]
    return sum(known) / len(known) if known and len(known) == len(held) else None


def total_hold(makers: Sequence[BookMaker], rates: Mapping[str, Decimal]) -> float | None:
    """That of the total: each book's, by its part of the money at the start."""
    parts, whole = 0.0, 0.0
    for each in makers:
        money = float(EXACT.multiply(each.curve.initial or Decimal(0), rates[each.currency]))
        whole += money
        if money and each.hold_ratio is None:
            return None
        parts += money * (each.hold_ratio or 0.0)
    return parts / whole if whole > 0.0 else None
