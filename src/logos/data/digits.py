"""Which decimals a price was written for: the noise of binary floats told from figures.

A price of 473.65 that went through a float of 32 bits reads 473.6499938964844, one that went
through sums of floats 473.65000000000003. Both mean 473.65, and only such noise may be rounded
away. What remains is what the source said: a tick that is coarser would change prices.
"""

from __future__ import annotations

import struct
from decimal import Decimal, InvalidOperation
from typing import Final

from logos.core.fixed import HALF_EVEN, decimals_of, format_units, parse_units, to_step
from logos.errors import DataError

_DIGITS_PLAIN: Final = 9
"""Figures of up to so many digits are meant as they stand."""
_DIGITS_SINGLE: Final = 6
_DIGITS_DOUBLE: Final = 15
_DIGITS_PRICE: Final = 7
"""A price that went through a float of 32 bits has no more digits than that holds."""
_DIGITS_NOISELESS: Final = 12
"""A double that has noise is a figure of at most so many digits, and then nines or noughts."""
_MAGNITUDE_MAX: Final = 30


def shown(text: str) -> Decimal:
    """The number that `text` means, without the noise of binary floats.

    Raises ValueError for what is no finite number.
    """
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"not a number: {text[:40]!r}") from None
    if not number.is_finite() or abs(number.adjusted()) > _MAGNITUDE_MAX:
        raise ValueError(f"not a finite number: {text[:40]!r}")
    if _digits(number) <= _DIGITS_PLAIN:
        return number
    value = float(number)
    for found in (_single(value), _double(value)):
        if found is not None:
            return found
    return number


def shown_decimals(text: str) -> int:
    """How many decimals `text` means; see `shown`."""
    return max(0, decimals_of(_plain(shown(text))))


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _digits(number: Decimal) -> int:
    return len(str(int("".join(map(str, number.as_tuple().digits)) or 0)).rstrip("0"))


def _single(value: float) -> Decimal | None:
    """The shortest decimal that a value of 32 bits stands for; None for one of 64."""
    try:
        if struct.unpack("f", struct.pack("f", value))[0] != value:
            return None
        for digits in range(_DIGITS_SINGLE, _DIGITS_PLAIN + 1):
            text = f"{value:.{digits}g}"
            if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
                return Decimal(text)
    except OverflowError:
        pass
    return None


def _double(value: float) -> Decimal | None:
    """The figure of few digits that a value of 64 bits is a hair away from, or None."""
    found = Decimal(f"{value:.{_DIGITS_DOUBLE}g}")
    return found if _digits(found) <= _DIGITS_NOISELESS else None


class TickRounding:
    """Rounds prices to a tick, half to even, as long as that takes away noise alone.

    A price that would be moved by more is counted, and `problem` says then which tick would move
    none. Raises DataError for a tick that is none.
    """

    def __init__(self, tick: str) -> None:
        try:
            self._decimals = decimals_of(tick)
            self._tick = parse_units(tick, self._decimals)
        except (ArithmeticError, ValueError):
            self._tick = 0
        if self._tick <= 0:
            raise DataError(f"the tick must be a positive number, not {tick!r}")
        self._text = tick
        self._finest = 0
        self.moved = 0
        """How many prices the tick would change."""
        self._first = ""

    @property
    def plain_decimals(self) -> int:
        """The decimals of a tick that is a one behind zeros: a price with as many or fewer stays
        as it is. 0 for any other tick."""
        return self._decimals if self._tick == 1 else 0

    def __call__(self, text: str, where: str = "") -> str:
        """The price on the tick, as plain text; `where` says its place, for `problem`."""
        try:
            number = shown(text)
        except ValueError as error:
            raise DataError(str(error)) from None
        plain = _plain(number)
        decimals = max(decimals_of(plain), self._decimals)
        step = self._tick * 10 ** (decimals - self._decimals)
        units = parse_units(plain, decimals)
        rounded = to_step(units, step, HALF_EVEN)
        # A float that is not a hair away from a figure of few digits was computed (a price adjusted
        # for dividends), and the tick that was said is what it is worth.
        is_computed = _digits(Decimal(text.strip())) > _DIGITS_NOISELESS
        if not (is_computed and _digits(number) > _DIGITS_PRICE):
            self._finest = max(self._finest, decimals_of(plain))
            if rounded != units:
                self.moved += 1
                self._first = self._first or f"{where}{': ' if where else ''}{plain}"
        return format_units(rounded // 10 ** (decimals - self._decimals), self._decimals)

    def problem(self) -> str:
        """Why the tick cannot be used, and which can; empty where it moved no price."""
        if not self.moved:
            return ""
        finer = format_units(1, max(self._finest, self._decimals))
        return (
            f"--tick {self._text} would change {self.moved:,} prices by more than the noise of"
            f" floats (first: {self._first}); the digits of all prices show {finer}: say --tick"
            f" {finer}. Orders can have a coarser tick than the data: data_tick in the instrument"
        )
