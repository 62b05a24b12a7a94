"""Instruments: units, exact values, and errors that name the field."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.core.instrument import instrument, rate_units

PLAIN: dict[str, Any] = {"tick": "0.05", "lot": "0.001", "quote": "USD"}


def test_texts_become_units_of_their_own_scale() -> None:
    traded = instrument(
        "GOLD",
        tick="0.05",
        lot="0.010",
        quote="USD",
        multiplier="0.1",
        min_quantity="0.02",
        max_quantity="5",
        min_notional="10",
        settlement="margin",
        leverage=20,
        initial_margin="0.1",
        maintenance_margin="0.025",
    )
    assert (traded.price_decimals, traded.tick, traded.price_scale) == (2, 5, 100)
    assert (traded.quantity_decimals, traded.lot, traded.quantity_scale) == (2, 1, 100)
    assert (traded.multiplier, traded.value_decimals) == (1, 5)
    assert (traded.minimum_quantity, traded.maximum_quantity) == (2, 500)
    assert traded.minimum_notional == 10 * 10**5
    assert (traded.leverage, traded.initial_margin_rate) == (20, 100_000_000)
    assert traded.maintenance_margin_rate == 25_000_000
    assert traded.base == "GOLD"
    assert traded.price_text(12_345) == "123.45"
    assert traded.quantity_text(-7) == "-0.07"
    assert traded.quantity_decimal(7) == Decimal("0.07")


def test_a_tick_of_ten_needs_no_decimals() -> None:
    traded = instrument("INDEX", tick="10", lot="100", quote="JPY", multiplier="1000")
    assert (traded.price_decimals, traded.tick, traded.lot) == (0, 10, 100)
    assert traded.value(20, -100) == -2_000_000


@given(
    st.integers(0, 6),
    st.integers(0, 8),
    st.sampled_from(["1", "0.1", "100", "0.0025", "12.5"]),
    st.integers(1, 10**12),
    st.integers(-(10**12), 10**12),
)
def test_a_value_is_price_times_quantity_times_multiplier_exactly(
    price_decimals: int, quantity_decimals: int, multiplier: str, price: int, quantity: int
) -> None:
    traded = instrument(
        "X",
        tick=str(Decimal(1).scaleb(-price_decimals)),
        lot=str(Decimal(1).scaleb(-quantity_decimals)),
        quote="USD",
        multiplier=multiplier,
    )
    expected = (
        Fraction(price, 10**price_decimals)
        * Fraction(quantity, 10**quantity_decimals)
        * Fraction(multiplier)
    )
    assert Fraction(traded.value(price, quantity), 10**traded.value_decimals) == expected


def test_a_minimum_notional_finer_than_any_value_is_rounded_up() -> None:
    traded = instrument("X", tick="1", lot="1", quote="USD", min_notional="10.5")
    assert traded.minimum_notional == 11


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tick": "0"}, "instrument X: tick must be positive, not 0"),
        ({"tick": "-0.01"}, "instrument X: tick must be positive"),
        ({"lot": "0"}, "instrument X: lot must be positive"),
        ({"multiplier": "0"}, "instrument X: multiplier must be positive"),
        (
            {"settlement": "barter"},
            "instrument X: settlement is 'spot', 'margin' or 'inverse', not 'barter'",
        ),
        ({"leverage": 0}, "instrument X: leverage must be 1 or more"),
    ],
)
def test_a_wrong_field_is_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        instrument("X", **{**PLAIN, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"tick": "abc"},
        {"tick": "NaN"},
        {"lot": "Infinity"},
        {"min_quantity": "0.00001"},
        {"min_quantity": "-1"},
        {"min_quantity": "2", "max_quantity": "1"},
        {"max_quantity": "x"},
        {"min_notional": "x"},
        {"min_notional": "-5"},
        {"initial_margin": "y"},
        {"initial_margin": "-1"},
        {"maintenance_margin": "-0.1"},
    ],
)
def test_a_field_that_makes_no_sense_is_a_value_error_that_names_it(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        instrument("X", **{**PLAIN, **wrong})


def test_rates_hold_nine_decimals_and_no_more() -> None:
    assert rate_units("0.001") == 1_000_000
    with pytest.raises(ValueError, match="more than 9"):
        rate_units("0.0000000001")
