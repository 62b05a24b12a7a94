"""Prices and sizes of a table as exact integers of the instrument.

Text and Decimals are read exactly. A float stands for the nearest tick, and only if it lies within
float noise of it: within a millionth of a tick or a few steps of its own precision, or if it is
just what single precision makes of that tick's price (as yfinance stores prices). Anything further
off is no price of this instrument; which finer tick would hold it is worked out for the message.
Sizes are cut off at the instrument's decimals, as those of files are.
"""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from logos.core.fixed import decimals_of, format_units
from logos.core.instrument import Instrument
from logos.core.types import SIZE_UNKNOWN
from logos.data.defects import BAD_NUMBER, NON_POSITIVE_PRICE, NOT_A_NUMBER, OFF_TICK
from logos.data.readers.numbers import UNITS_LIMIT, PriceReader, RowError, SizeReader

NOISE_TICKS: Final = Fraction(1, 1_000_000)
_NOISE_STEPS: Final = 4
"""How many steps of its own precision a computed double may be off."""
_COARSE_TICKS: Final = Fraction(1, 100)
"""A double whose own precision is coarser than this part of a tick cannot name one surely."""

_ENTRIES_MAX: Final = 200_000
_DECIMALS_BELIEVED: Final = 8


class PriceCells(dict[Any, int]):
    """A cell -> price units, a positive multiple of the tick. Raises RowError.

    Keys are what tables hold: floats, integers, Decimals, text.
    """

    def __init__(self, instrument: Instrument) -> None:
        super().__init__()
        self._instrument = instrument
        self._texts = PriceReader(instrument)

    def __missing__(self, cell: Any) -> int:
        if isinstance(cell, float):
            units = self._from_float(cell)
        else:
            units = self._texts[_exact_text(cell)]
        if len(self) >= _ENTRIES_MAX:
            self.clear()
        self[cell] = units
        return units

    def _from_float(self, price: float) -> int:
        if not math.isfinite(price):
            raise RowError(NOT_A_NUMBER, f"not a finite number: {price!r}")
        is_any_sign = self._instrument.allows_negative
        if price <= 0 and not is_any_sign:
            raise RowError(NON_POSITIVE_PRICE, f"price {price!r} is not positive")
        per_tick = Fraction(self._instrument.price_scale, self._instrument.data_tick)
        step = Fraction(math.ulp(price)) * per_tick
        exact = Fraction(price) * per_tick
        ticks = round(exact)
        if step > _COARSE_TICKS:
            raise RowError(
                BAD_NUMBER, f"price {price!r} is too large for a float: give text or Decimals"
            )
        is_noise = abs(exact - ticks) <= max(NOISE_TICKS, _NOISE_STEPS * step)
        units = ticks * self._instrument.data_tick
        if (ticks <= 0 and not is_any_sign) or not (is_noise or self._is_single(price, units)):
            tick = format_units(self._instrument.data_tick, self._instrument.price_decimals)
            raise RowError(OFF_TICK, f"price {price!r} is not a multiple of the tick {tick}")
        if abs(units) >= UNITS_LIMIT:
            raise RowError(BAD_NUMBER, f"price {price!r} is out of range")
        return units

    def _is_single(self, price: float, units: int) -> bool:
        """Whether `price` is what single precision makes of the price of `units`."""
        nearest = units / self._instrument.price_scale
        tick = self._instrument.data_tick / self._instrument.price_scale
        # Half a tick must be more than a step of single precision, or two ticks would be one.
        return _single(nearest) == price and abs(nearest) * 2.0**-23 < tick / 2


class SizeCells(dict[Any, int]):
    """A cell -> quantity units, cut off at the instrument's decimals; None is SIZE_UNKNOWN.

    Raises RowError.
    """

    def __init__(self, instrument: Instrument) -> None:
        super().__init__()
        self._texts = SizeReader(instrument)

    def __missing__(self, cell: Any) -> int:
        units = SIZE_UNKNOWN if cell is None else self._texts[_exact_text(cell) or "empty"]
        if len(self) >= _ENTRIES_MAX:
            self.clear()
        self[cell] = units
        return units


def finer_tick(cells: list[Any]) -> str:
    """The coarsest tick 10**-n on which all these prices lie; "" when it would be below 10**-8."""
    decimals = max((_decimals(cell) for cell in cells), default=0)
    return format_units(1, decimals) if decimals <= _DECIMALS_BELIEVED else ""


def _decimals(cell: Any) -> int:
    """Decimals of a price, without what single precision or double precision add to it."""
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return 0  # what is no number says nothing about ticks
        for decimals in range(_DECIMALS_BELIEVED + 1):
            rounded = round(cell, decimals)
            if abs(rounded - cell) <= _NOISE_STEPS * math.ulp(cell) or _single(rounded) == cell:
                return decimals
        return _DECIMALS_BELIEVED + 1
    try:
        return decimals_of(_exact_text(cell))
    except (ArithmeticError, ValueError, RowError):
        return 0


def _single(number: float) -> float:
    try:
        (single,) = struct.unpack("f", struct.pack("f", number))
    except OverflowError:
        return math.inf
    return float(single)


def _exact_text(cell: Any) -> str:
    """A cell as decimal text. Raises RowError for what is no number."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool) or not isinstance(cell, int | float | Decimal):
        what = "no value" if cell is None else f"not a number: a {type(cell).__name__}"
        raise RowError(NOT_A_NUMBER, what)
    return format(cell, "f") if isinstance(cell, Decimal) and cell.is_finite() else str(cell)
