"""Round trips added up: all of them, the long and the short ones, by hour and by weekday.

Sums are exact; what a ratio or a deviation makes of them is a float. Nothing is kept of a trip.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from logos.analysis.curve import ratio
from logos.analysis.figures import Side, Slot
from logos.session.artifacts.derived.reading import EXACT, QUOTIENT
from logos.session.artifacts.derived.trips import RoundTrip

_ONE = Decimal(1)


class SideTally:
    """Adds up round trips in the order in which they ended."""

    def __init__(self) -> None:
        self._count = self._wins = self._losses = 0
        self._net = self._gross = self._fees = Decimal(0)
        self._profit = self._loss = self._squares = Decimal(0)
        self._ratios: float = 0.0
        self._ratio_count = 0
        self._best: Decimal | None = None
        self._worst: Decimal | None = None
        self._streak = 0
        self._win_streak = self._loss_streak = 0
        self._duration_ns = self._longest_ns = 0

    def add(self, trip: RoundTrip, rate: Decimal = _ONE) -> None:
        """The next trip, its money times `rate`."""
        gross, fees = EXACT.multiply(trip.gross, rate), EXACT.multiply(trip.fees, rate)
        net = EXACT.subtract(gross, fees)
        self._count += 1
        self._net = EXACT.add(self._net, net)
        self._gross = EXACT.add(self._gross, gross)
        self._fees = EXACT.add(self._fees, fees)
        self._squares = EXACT.add(self._squares, EXACT.multiply(net, net))
        if net > 0:
            self._wins += 1
            self._profit = EXACT.add(self._profit, net)
            self._streak = max(self._streak, 0) + 1
        elif net < 0:
            self._losses += 1
            self._loss = EXACT.subtract(self._loss, net)
            self._streak = min(self._streak, 0) - 1
        else:
            self._streak = 0
        self._win_streak = max(self._win_streak, self._streak)
        self._loss_streak = max(self._loss_streak, -self._streak)
        self._best = net if self._best is None else max(self._best, net)
        self._worst = net if self._worst is None else min(self._worst, net)
        of_worth = trip.ratio
        if of_worth is not None:
            self._ratios += float(of_worth)
            self._ratio_count += 1
        duration_ns = trip.exit_ns - trip.entry_ns
        self._duration_ns += duration_ns
        self._longest_ns = max(self._longest_ns, duration_ns)

    def side(self) -> Side:
        """The figures of what was added."""
        count = self._count
        if not count:
            return Side()
        win = self._mean(self._profit, self._wins)
        loss = self._mean(self._loss, self._losses)
        return Side(
            trips=count,
            wins=self._wins,
            losses=self._losses,
            net=self._net,
            gross=self._gross,
            fees=self._fees,
            gross_profit=self._profit,
            gross_loss=self._loss,
            win_rate=self._wins / count,
            profit_factor=ratio(self._profit, self._loss),
            expectancy=self._mean(self._net, count),
            expectancy_ratio=self._ratios / self._ratio_count if self._ratio_count else None,
            average_win=win,
            average_loss=loss,
            payoff=_payoff(self._profit, self._wins, self._loss, self._losses),
            best=self._best,
            worst=self._worst,
            sqn=self._sqn(),
            win_streak=self._win_streak,
            loss_streak=self._loss_streak,
            average_duration_ns=self._duration_ns // count,
            longest_duration_ns=self._longest_ns,
        )

    def _mean(self, total: Decimal, count: int) -> Decimal | None:
        """Rounded half even to the decimals of the money."""
        if not count:
            return None
        exponent = self._net.as_tuple().exponent
        assert isinstance(exponent, int)  # no figure of a table is infinite
        mean = QUOTIENT.divide(total, Decimal(count))
        return mean.quantize(_ONE.scaleb(exponent), rounding=ROUND_HALF_EVEN, context=EXACT)

    def _sqn(self) -> float | None:
        count = self._count
        if count < 2:
            return None
        # Exact: n * sum of squares - square of the sum, which is n * (n - 1) times the variance.
        spread = EXACT.subtract(
            EXACT.multiply(self._squares, Decimal(count)), EXACT.multiply(self._net, self._net)
        )
        if spread <= 0:
            return None
        variance = QUOTIENT.divide(spread, Decimal(count * (count - 1)))
        mean = QUOTIENT.divide(self._net, Decimal(count))
        return math.sqrt(count) * float(QUOTIENT.divide(mean, variance.sqrt(QUOTIENT)))


def _payoff(profit: Decimal, wins: int, loss: Decimal, losses: int) -> float | None:
    if not wins or not losses:
        return None
    return ratio(EXACT.multiply(profit, Decimal(losses)), EXACT.multiply(loss, Decimal(wins)))


class Slots:
    """Round trips by an hour or a weekday."""

    def __init__(self) -> None:
        self._counts: dict[int, list[int]] = {}
        self._nets: dict[int, Decimal] = {}

    def add(self, slot: int, net: Decimal) -> None:
        """A trip that was entered in `slot`."""
        counts = self._counts.setdefault(slot, [0, 0])
        counts[0] += 1
        counts[1] += net > 0
        self._nets[slot] = EXACT.add(self._nets.get(slot, Decimal(0)), net)

    def slots(self) -> tuple[Slot, ...]:
        """Those with trips, in order."""
        counts: Mapping[int, list[int]] = self._counts
        return tuple(
            Slot(
                slot=slot,
                trips=counts[slot][0],
                wins=counts[slot][1],
                net=self._nets[slot],
                win_rate=counts[slot][1] / counts[slot][0],
            )
            for slot in sorted(counts)
        )
