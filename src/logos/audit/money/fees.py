"""What the fills of a paper session should have cost, from the settings alone.

The fee of an order is worked out as one sum and rounded once; each of its fills must have been
charged what it adds to that. The sum is kept in whole units of `10**-_DECIMALS`, and in fractions
where it is none. What a real venue charges is its own affair: there is nothing to recompute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from logos.audit.auditor import COLUMNS, Terms
from logos.audit.csv_cells import plain
from logos.audit.money.quick import decimals_of, units_of
from logos.config import Config, FeeSettings, VenueName

_DECIMALS: Final = 40
_ORDER, _SYMBOL, _QUANTITY, _PRICE, _LIQUIDITY, _FEE = (
    COLUMNS.index(name) for name in ("order_id", "symbol", "quantity", "price", "liquidity", "fee")
)


@dataclass(frozen=True, slots=True)
class _Costs:
    """Of one symbol's rows with so many decimals, in units of `10**-_DECIMALS`: `maker` and `taker`
    for a price unit times a quantity unit, `per_unit` for a quantity unit, `per_fill`."""

    maker: int
    taker: int
    per_unit: int
    per_fill: int
    minimum: int
    step: int
    """What one unit of the rounded fee is."""
    rounding: str

    @classmethod
    def of(cls, schedule: FeeSettings, terms: Terms, quantities: int, prices: int) -> _Costs | None:
        """None where they are no whole numbers, or where what they make is."""
        if terms.is_inverse:
            return None
        quantity = Fraction(10) ** (_DECIMALS - quantities)
        notional = quantity / Fraction(10) ** prices * terms.multiplier
        found = [
            notional * Fraction(schedule.maker),
            notional * Fraction(schedule.taker),
            quantity * Fraction(schedule.per_unit),
            Fraction(schedule.per_fill) * 10**_DECIMALS,
            Fraction(schedule.minimum) * 10**_DECIMALS,
            Fraction(10) ** (_DECIMALS - schedule.decimals),
        ]
        if any(each.denominator != 1 for each in found):
            return None
        maker, taker, per_unit, per_fill, minimum, step = (each.numerator for each in found)
        return cls(maker, taker, per_unit, per_fill, minimum, step, schedule.rounding)

    def rounded(self, amount: int) -> int:
        """The fee of an order whose unrounded sum is `amount`; as `_rounded`."""
        if self.minimum and amount < self.minimum:
            amount = self.minimum
        below, rest = divmod(amount, self.step)
        if self.rounding in ("up", "ceiling"):
            below += rest > 0
        elif self.rounding in ("half_up", "half_even"):
            is_tie_up = below >= 0 if self.rounding == "half_up" else below % 2 == 1
            below += 2 * rest > self.step or (2 * rest == self.step and is_tie_up)
        return below * self.step


class FeeAudit:
    """Give it every row of trades.csv, in order."""

    def __init__(self, config: Config, terms: Mapping[str, Terms]) -> None:
        self._schedules = (
            {symbol: each.fees for symbol, each in config.instruments.items()}
            if config.venue.name is VenueName.PAPER
            else {}
        )
        self._terms = terms
        self._costs: dict[tuple[str, int, int], _Costs | None] = {}
        self._units: dict[str, tuple[int, int]] = {}
        """By order, its fee before it is rounded, and what was charged, in whole units."""
        self._sums: dict[str, Fraction] = {}
        """The fee of the others."""
        self._charged: dict[str, Fraction] = {}

    def judge(self, row: Sequence[str]) -> tuple[str, str] | None:
        """The fee of a row, of which every cell has its reading, and what it should be, where the
        two differ."""
        schedule = self._schedules.get(row[_SYMBOL])
        if schedule is None:
            return None
        if row[_ORDER] not in self._sums and self._is_due(row, schedule):
            return None
        return self._judge_exactly(row, schedule)

    def _is_due(self, row: Sequence[str], schedule: FeeSettings) -> bool:
        """Whether the fee is what is due: booked then. False: it is not, or no whole number."""
        key = row[_SYMBOL], decimals_of(row[_QUANTITY]), decimals_of(row[_PRICE])
        if key not in self._costs:
            self._costs[key] = _Costs.of(schedule, self._terms[key[0]], key[1], key[2])
        costs, money = self._costs[key], decimals_of(row[_FEE])
        quantity, price = units_of(row[_QUANTITY], key[1]), units_of(row[_PRICE], key[2])
        fee = units_of(row[_FEE], money)
        if costs is None or quantity is None or price is None or fee is None:
            return False
        if money > _DECIMALS:
            return False
        fee *= 10 ** (_DECIMALS - money)
        rate = costs.maker if row[_LIQUIDITY] == "MAKER" else costs.taker
        due, charged = self._units.get(row[_ORDER], (0, 0))
        due += price * quantity * rate + quantity * costs.per_unit + costs.per_fill
        if costs.rounded(due) != charged + fee:
            return False
        self._units[row[_ORDER]] = due, charged + fee
        return True

    def _judge_exactly(self, row: Sequence[str], schedule: FeeSettings) -> tuple[str, str] | None:
        order, fee = row[_ORDER], Fraction(row[_FEE])
        if order not in self._sums:
            due_units, charged_units = self._units.pop(order, (0, 0))
            self._sums[order] = Fraction(due_units, 10**_DECIMALS)
            self._charged[order] = Fraction(charged_units, 10**_DECIMALS)
        quantity = Fraction(row[_QUANTITY])
        unit = Fraction(1, 10 ** decimals_of(row[_FEE]))
        terms = self._terms[row[_SYMBOL]]
        notional = abs(terms.value(Fraction(row[_PRICE]), quantity, unit))
        rate = schedule.maker if row[_LIQUIDITY] == "MAKER" else schedule.taker
        cost = notional * Fraction(rate) + quantity * Fraction(schedule.per_unit)
        self._sums[order] += cost + Fraction(schedule.per_fill)
        charged = self._charged[order]
        self._charged[order] = charged + fee
        due = _rounded(self._sums[order], schedule) - charged
        return None if fee == due else (row[_FEE], plain(due))


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
