"""What an order's fills cost: one sum per order, rounded once.

Rounding each fill by itself would make the fee depend on how an order happened to be split.
So an order keeps its unrounded fee so far, and each fill is charged the increase of the rounded
whole (the rule of basana's exchange tests, and of brokers that bill per order).
"""

from __future__ import annotations

from logos.core.fixed import divide, power_of_ten
from logos.core.instrument import RATE_DECIMALS, FeeSchedule, Instrument

_RATE_SCALE = 10**RATE_DECIMALS


def fee_base(
    instrument: Instrument, quantity: int, value: int, is_maker: bool, ledger_decimals: int
) -> int:
    """The unrounded fee of one fill, in 10**-9 of a ledger unit.

    `value` is the fill's notional in ledger units (positive), `quantity` is positive.
    """
    fees = instrument.fees
    base = value * (fees.maker_rate if is_maker else fees.taker_rate)
    if fees.per_unit:
        unit = power_of_ten(ledger_decimals - instrument.quantity_decimals)
        base += fees.per_unit * quantity * unit
    if fees.per_fill:
        base += fees.per_fill * power_of_ten(ledger_decimals)
    return base


def order_fee(fees: FeeSchedule, base: int, ledger_decimals: int) -> int:
    """The fee of a whole order whose unrounded fee is `base`, in ledger units."""
    minimum = fees.minimum * power_of_ten(ledger_decimals)
    if base < minimum:
        base = minimum
    step = power_of_ten(ledger_decimals - fees.decimals)
    return divide(base, _RATE_SCALE * step, fees.rounding) * step
