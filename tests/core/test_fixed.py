"""Fixed-point numbers against `decimal`: every rounding mode, every reading, every writing."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.core.fixed import (
    ROUNDING_MODES,
    decimals_of,
    divide,
    format_units,
    parse_units,
    power_of_ten,
    to_decimal,
    to_step,
)

DECIMAL_MODE = {
    "down": decimal.ROUND_DOWN,
    "up": decimal.ROUND_UP,
    "floor": decimal.ROUND_FLOOR,
    "ceiling": decimal.ROUND_CEILING,
    "half_up": decimal.ROUND_HALF_UP,
    "half_even": decimal.ROUND_HALF_EVEN,
}

modes = st.sampled_from(ROUNDING_MODES)
any_units = st.integers(-(10**30), 10**30)
scales = st.integers(0, 18)


def test_the_table_of_modes_is_complete() -> None:
    assert set(DECIMAL_MODE) == set(ROUNDING_MODES)


@given(any_units, st.integers(0, 12), modes)
def test_dividing_by_a_power_of_ten_rounds_as_decimal_does(
    units: int, digits: int, mode: str
) -> None:
    with decimal.localcontext() as context:
        context.prec = 60
        expected = Decimal(units).scaleb(-digits).quantize(Decimal(1), DECIMAL_MODE[mode])
    assert divide(units, 10**digits, mode) == int(expected)


@given(any_units, st.integers(1, 10**12), modes)
def test_dividing_is_never_off_by_a_whole_unit_and_halves_are_nearest(
    numerator: int, denominator: int, mode: str
) -> None:
    error = divide(numerator, denominator, mode) - Fraction(numerator, denominator)
    assert abs(error) < 1
    if mode.startswith("half"):
        assert abs(error) <= Fraction(1, 2)
    if mode == "floor":
        assert error <= 0
    if mode == "ceiling":
        assert error >= 0


@pytest.mark.parametrize(
    ("numerator", "expected"),
    [
        (25, {"down": 2, "up": 3, "floor": 2, "ceiling": 3, "half_up": 3, "half_even": 2}),
        (35, {"down": 3, "up": 4, "floor": 3, "ceiling": 4, "half_up": 4, "half_even": 4}),
        (-25, {"down": -2, "up": -3, "floor": -3, "ceiling": -2, "half_up": -3, "half_even": -2}),
        (-21, {"down": -2, "up": -3, "floor": -3, "ceiling": -2, "half_up": -2, "half_even": -2}),
        (30, {"down": 3, "up": 3, "floor": 3, "ceiling": 3, "half_up": 3, "half_even": 3}),
    ],
)
def test_ties_and_signs_by_mode(numerator: int, expected: dict[str, int]) -> None:
    assert {mode: divide(numerator, 10, mode) for mode in expected} == expected


@given(any_units, st.integers(1, 10**9), modes)
def test_a_step_is_a_multiple_less_than_one_step_away(units: int, step: int, mode: str) -> None:
    rounded = to_step(units, step, mode)
    assert rounded % step == 0
    assert abs(rounded - units) < step


@pytest.mark.parametrize("denominator", [0, -1])
def test_a_denominator_must_be_positive(denominator: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        divide(1, denominator, "down")


def test_an_unknown_mode_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'sideways'.*half_even"):
        divide(1, 3, "sideways")


def test_a_negative_power_is_refused() -> None:
    assert power_of_ten(0) == 1
    with pytest.raises(ValueError, match=r"10\*\*-1"):
        power_of_ten(-1)


@given(any_units, scales)
def test_what_is_written_is_read_back(units: int, decimals: int) -> None:
    text = format_units(units, decimals)
    assert parse_units(text, decimals) == units
    assert "e" not in text.lower()
    assert len(text.partition(".")[2]) == decimals


@given(any_units, scales, st.integers(1, 5))
def test_a_decimal_is_exact_in_any_context(units: int, decimals: int, precision: int) -> None:
    with decimal.localcontext() as context:
        context.prec = precision
        number = to_decimal(units, decimals)
        assert parse_units(number, decimals) == units
    assert Fraction(number) == Fraction(units, 10**decimals)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_decimals_of_is_the_coarsest_scale_that_holds_the_number(number: Decimal) -> None:
    decimals = decimals_of(number)
    units = parse_units(number, decimals)
    assert Fraction(units, 10**decimals) == Fraction(number)
    if decimals:
        with pytest.raises(ValueError, match="more than"):
            parse_units(number, decimals - 1)


@pytest.mark.parametrize(
    ("text", "decimals", "units"),
    [
        ("1.25", 4, 12_500),
        ("-0", 2, 0),
        ("1e3", 2, 100_000),
        ("12e-1", 1, 12),
        ("+.5", 1, 5),
        (7, 3, 7_000),
        (Decimal("0.0100"), 2, 1),
        ("100000000000000000000.000000001", 9, 10**29 + 1),
    ],
)
def test_readings(text: str | int | Decimal, decimals: int, units: int) -> None:
    assert parse_units(text, decimals) == units


@pytest.mark.parametrize("text", ["", "abc", "1,5", "0x10", "1.2.3", "--1"])
def test_text_that_is_no_number_is_refused_and_shown(text: str) -> None:
    with pytest.raises(ValueError, match=f"not a decimal number: {text!r}"):
        parse_units(text, 2)


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-inf"])
def test_numbers_that_are_not_finite_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        parse_units(text, 2)
    with pytest.raises(ValueError, match="not a finite number"):
        decimals_of(text)


@pytest.mark.parametrize("text", ["1e5000", "1e-5000"])
def test_numbers_beyond_any_use_are_refused_before_they_are_built(text: str) -> None:
    with pytest.raises(ValueError, match="out of range"):
        parse_units(text, 2)


def test_a_digit_too_many_is_never_rounded_away() -> None:
    with pytest.raises(ValueError, match=r"1\.005 has more than 2 decimals"):
        parse_units("1.005", 2)


@pytest.mark.parametrize(
    ("text", "decimals"), [("0.0100", 2), ("1", 0), ("100", 0), ("0", 0), ("0.000", 0), ("1e-7", 7)]
)
def test_trailing_zeros_need_no_decimals(text: str, decimals: int) -> None:
    assert decimals_of(text) == decimals
