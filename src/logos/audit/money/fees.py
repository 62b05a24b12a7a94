"""What the fills of a paper session should have cost, from the settings alone.

The fee of an order is worked out as one sum in fractions and rounded once; each of its fills must
have been charged what it adds to that. What a real venue charges is its own affair: there is
nothing to recompute.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from logos.audit.auditor import Terms
from logos.audit.csv_cells import plain
from logos.config import Config, FeeSettings, VenueName


class FeeAudit:
    """Give it every row of trades.csv, in order."""

    def __init__(self, config: Config, terms: Mapping[str, Terms]) -> None:
        self._schedules = (
            {symbol: each.fees for symbol, each in config.instruments.items()}
            if config.venue.name is VenueName.PAPER
            else {}
        )
        self._terms = terms
        self._sums: dict[str, Fraction] = {}
        """By order, its fee before it is rounded."""
        self._charged: dict[str, Fraction] = {}

    def judge(self, row: Mapping[str, str]) -> tuple[str, str] | None:
        """The fee of a row and what it should be, where the two differ."""
        schedule = self._schedules.get(row["symbol"])
        if schedule is None:
            return None
        order, fee = row["order_id"], Fraction(row["fee"])
        quantity = Fraction(row["quantity"])
        unit = Fraction(1, 10 ** len(row["fee"].partition(".")[2]))
        terms = self._terms[row["symbol"]]
        notional = abs(terms.value(Fraction(row["price"]), quantity, unit))
        rate = schedule.maker if row["liquidity"] == "MAKER" else schedule.taker
        cost = notional * Fraction(rate) + quantity * Fraction(schedule.per_unit)
        self._sums[order] = self._sums.get(order, Fraction(0)) + cost + Fraction(schedule.per_fill)
        charged = self._charged.get(order, Fraction(0))
        self._charged[order] = charged + fee
        due = _rounded(self._sums[order], schedule) - charged
        return None if fee == due else (row["fee"], plain(due))


def _rounded(amount: Fraction, schedule: FeeSettings) -> Fraction:
    """The fee of an order whose unrounded sum is `amount`."""
    least = Fraction(schedule.minimum)
    if least and amount < least:
        amount = least
    units = amount * 10**schedule.decimals
    below = units // 1
    rest = units - below
    is_above = {
        "up": rest > 0,
        "ceiling": rest > 0,
        "down": False,
        "floor": False,
        "half_up": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and below >= 0),
        "half_even": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and below % 2 == 1),
    }[schedule.rounding]
    return Fraction(below + is_above, 10**schedule.decimals)
