"""Prices and volumes as multiples of their step, against the rule in fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logos.adapters.mt5.records import STEP_TOLERANCE, nearest
from logos.venues.records import Unreadable


def by_the_rule(value: int | Decimal, scale: int, step: int) -> int | None:
    """The multiple that `value` is within the tolerance of; None: there is none."""
    steps = Fraction(value) * scale / step
    count = round(steps)
    return count * step if count >= 0 and abs(steps - count) <= STEP_TOLERANCE else None


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**24), max_value=10**24)
    | st.integers(-(10**24), 10**24)
    | st.integers(0, 10**9).map(lambda units: Decimal(units).scaleb(-2)),
    st.sampled_from([1, 100, 100_000]),
    st.sampled_from([1, 5, 25]),
)
@example(Decimal("-0.0"), 100, 1)
@example(Decimal("1.0000000000000000000000000000000000001"), 100, 1)
@example(Decimal("0.99999999"), 100, 1)
@example(Decimal(2**63), 1, 1)
@example(Decimal("92233720368547758.07"), 100, 1)
@settings(max_examples=300, deadline=None)
def test_any_number_is_the_multiple_that_the_rule_in_fractions_says(
    value: int | Decimal, scale: int, step: int
) -> None:
    expected = by_the_rule(value, scale, step)
    if expected is None:
        with pytest.raises(Unreadable, match="no multiple of the lot"):
            nearest(value, scale, step, "volume", "lot")
    else:
        assert nearest(value, scale, step, "volume", "lot") == expected
