"""The one module that rounds.

Prices, quantities and money are integers inside logos: a count of `10**-decimals` units.
Text and `Decimal` live at the edge only. Everything that turns one into the other, or that
divides, stands here, so that the rounding rule of any figure can be read in one place.

Rules
- `parse_units` never rounds: a text with more digits than the scale holds is an error.
- `format_units` always writes all decimals, so that a figure has one spelling.
- `divide` takes its rounding mode from the caller; there is no default.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

DOWN: Final = "down"  # towards zero
UP: Final = "up"  # away from zero
FLOOR: Final = "floor"  # towards minus infinity
CEILING: Final = "ceiling"  # towards plus infinity
HALF_UP: Final = "half_up"  # to nearest, ties away from zero
HALF_EVEN: Final = "half_even"  # to nearest, ties to even

_POWERS: Final[list[int]] = [10**exponent for exponent in range(40)]

ROUNDING_MODES: Final = (DOWN, UP, FLOOR, CEILING, HALF_UP, HALF_EVEN)


def power_of_ten(exponent: int) -> int:
    """10**exponent for an exponent of 0 or more; raises ValueError below."""
    if exponent < 0:
        raise ValueError(f"no integer is 10**{exponent}")
    if exponent < len(_POWERS):
        return _POWERS[exponent]
    power: int = 10**exponent
    return power


def divide(numerator: int, denominator: int, mode: str) -> int:
    """`numerator / denominator` as an integer, rounded by `mode` (one of ROUNDING_MODES).

    `denominator` must be positive; anything else raises ValueError.
    """
    if denominator <= 0:
        raise ValueError(f"denominator must be positive, not {denominator}")
    magnitude = -numerator if numerator < 0 else numerator
    quotient = magnitude // denominator
    remainder = magnitude - quotient * denominator
    if remainder and _rounds_away(quotient, 2 * remainder, denominator, numerator < 0, mode):
        quotient += 1
    return -quotient if numerator < 0 else quotient


def _rounds_away(
    quotient: int, twice_remainder: int, denominator: int, negative: bool, mode: str
) -> bool:
    """Whether a non-zero remainder moves the magnitude up by one."""
    if mode == DOWN:
        return False
    if mode == UP:
        return True
    if mode == FLOOR:
        return negative
    if mode == CEILING:
        return not negative
    if mode == HALF_UP:
        return twice_remainder >= denominator
    if mode == HALF_EVEN:
        return twice_remainder > denominator or (
            twice_remainder == denominator and quotient % 2 == 1
        )
    raise ValueError(f"unknown rounding mode {mode!r}; use one of {', '.join(ROUNDING_MODES)}")


def to_step(units: int, step: int, mode: str) -> int:
    """The multiple of `step` (positive) next to `units`, by `mode`."""
    return units if step == 1 else divide(units, step, mode) * step


def parse_units(text: str | int | Decimal, decimals: int) -> int:
    """Read a decimal number exactly as a count of `10**-decimals`.

    >>> parse_units("1.25", 4)
    12500

    Raises ValueError when `text` is not a finite decimal number, or when it has digits that
    the scale cannot hold. Floats are not accepted: they belong to indicators.
    """
    if isinstance(text, (bool, float)):
        raise ValueError(f"not exact: {text!r}; give text or a Decimal")
    try:
        number = Decimal(text)
    except (InvalidOperation, ValueError, TypeError):
        raise ValueError(f"not a decimal number: {text!r}") from None
    if not number.is_finite():
        raise ValueError(f"not a finite number: {text!r}")
    return _scaled(number, decimals, text)


def _scaled(number: Decimal, decimals: int, text: object) -> int:
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    shift = exponent + decimals
    if not number:
        return 0
    if not -4000 < shift < 4000:
        raise ValueError(f"number out of range: {text!r}")
    magnitude = 0
    for digit in digits:
        magnitude = magnitude * 10 + digit
    if shift >= 0:
        magnitude *= power_of_ten(shift)
    else:
        magnitude, rest = divmod(magnitude, power_of_ten(-shift))
        if rest:
            raise ValueError(f"{text} has more than {decimals} decimals")
    return -magnitude if sign else magnitude


def to_decimal(units: int, decimals: int) -> Decimal:
    """The exact Decimal of `units`, whatever the ambient decimal context.

    >>> to_decimal(12500, 4)
    Decimal('1.2500')
    """
    return Decimal(format_units(units, decimals))


def format_units(units: int, decimals: int) -> str:
    """Decimal text with exactly `decimals` digits after the point, and no exponent.

    >>> format_units(-5, 2)
    '-0.05'
    """
    if decimals == 0:
        return str(units)
    digits = str(units)
    if units < 0 or len(digits) <= decimals:
        return _format_small(units, decimals)
    return f"{digits[:-decimals]}.{digits[-decimals:]}"


def _format_small(units: int, decimals: int) -> str:
    """`format_units` of what has a sign, or no digit before the point."""
    digits = str(-units if units < 0 else units).rjust(decimals + 1, "0")
    sign = "-" if units < 0 else ""
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def decimals_of(text: str | Decimal) -> int:
    """How many digits after the point are needed to hold `text` (trailing zeros excepted).

    >>> decimals_of("0.0100")
    2
    """
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(f"not a finite number: {text!r}")
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    trailing = 0
    for digit in reversed(digits):
        if digit:
            break
        trailing += 1
    return max(0, -(exponent + trailing)) if number else 0
