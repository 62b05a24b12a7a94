"""What an order's fills cost: one sum per order, rounded once.

Rounding each fill by itself would make the fee depend on how an order happened to be split.
So an order keeps its unrounded fee so far, and each fill is charged the increase of the rounded
whole (the rule of basana's exchange tests, and of brokers that bill per order).

A rate below zero is a rebate: what the venue pays. The sum of an order may then be below zero, and
is rounded so that `up` is against the trader and `down` for the trader, whichever sign it has.
"""

from __future__ import annotations

from typing import final

from logos.core.fixed import CEILING, DOWN, FLOOR, UP, divide, power_of_ten
from logos.core.instrument import RATE_SCALE, Instrument


@final
class FeeRule:
    """An instrument's fee schedule on the scale of its ledger, where all of it is whole.

    Unrounded fees ("bases") are in 10**-9 of a ledger unit, rounded ones in ledger units.
    """

    __slots__ = (
        "_divisor",
        "_maker_rate",
        "_minimum",
        "_per_fill",
        "_per_unit",
        "_rounding",
        "_step",
        "_taker_rate",
    )

    def __init__(self, instrument: Instrument, ledger_decimals: int) -> None:
        fees = instrument.fees
        scale = power_of_ten(ledger_decimals)
        self._maker_rate = fees.maker_rate
        self._taker_rate = fees.taker_rate
        self._per_unit: int = fees.per_unit * power_of_ten(
            ledger_decimals - instrument.quantity_decimals
        )
        self._per_fill: int = fees.per_fill * scale
        self._minimum: int = fees.minimum * scale
        self._step: int = power_of_ten(ledger_decimals - fees.decimals)
        self._divisor: int = RATE_SCALE * self._step
        signed = {UP: CEILING, DOWN: FLOOR}
        self._rounding = signed.get(fees.rounding, fees.rounding)

    def fill_base(self, quantity: int, value: int, is_maker: bool) -> int:
        """The unrounded fee of one fill of positive `quantity` units worth `value`."""
        rate = self._maker_rate if is_maker else self._taker_rate
        return value * rate + self._per_unit * quantity + self._per_fill

    def order_fee(self, base: int) -> int:
        """The fee of a whole order whose unrounded fee is `base`; below zero: it is paid to us."""
        if self._minimum and base < self._minimum:
            base = self._minimum
        return divide(base, self._divisor, self._rounding) * self._step

    def dearest(self, quantity: int, value: int) -> int:
        """The most that an order filled at once may cost, and never less than nothing."""
        rate = max(self._maker_rate, self._taker_rate)
        base = value * rate + self._per_unit * quantity + self._per_fill
        return max(self.order_fee(base), 0)
