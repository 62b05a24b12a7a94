"""Money on session.md is rounded half to even, also where a library has set another rounding."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest

from logos.session.artifacts.session_md.money import half_even


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0.965", "0.96"), ("1000000.625", "1,000,000.62"), ("-0.001", "0.00"), ("0.975", "0.98")],
)
def test_the_page_rounds_half_to_even_whatever_a_library_does(amount: str, shown: str) -> None:
    with localcontext() as context:
        context.rounding, context.prec = ROUND_HALF_UP, 6
        assert half_even(Decimal(amount), 2) == shown
