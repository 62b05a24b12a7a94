"""Which price a position is valued at, as a plain number, and what a unit of it is worth."""

from __future__ import annotations

from typing import Final

from logos.core.fixed import power_of_ten
from logos.core.instrument import Instrument
from logos.core.types import MarkRule

USUAL: Final = 0
"""The bid for a long, the ask for a short. It is asked for on every tick, so it is false."""
MIDDLE: Final = 1
LAST_TRADE: Final = 2
BY_TOUCH: Final = 3
"""As USUAL, for prices below zero and inverse contracts: their value takes a longer way."""

_RULES: Final = (MarkRule.BID_ASK, MarkRule.MID, MarkRule.LAST)


def mark_rule(instrument: Instrument) -> int:
    """The rule of the instrument as one of the numbers above."""
    rule = _RULES.index(instrument.mark)
    is_plain = not (instrument.allows_negative or instrument.is_inverse)
    return BY_TOUCH if rule == USUAL and not is_plain else rule


def unit_value(instrument: Instrument, ledger_decimals: int) -> int:
    """Ledger units in one price unit times one quantity unit; of an inverse contract those of one
    quantity unit at a price of one price unit."""
    scale = ledger_decimals - instrument.value_decimals
    if instrument.is_inverse:
        scale += 2 * instrument.price_decimals
    return instrument.multiplier * power_of_ten(scale)
