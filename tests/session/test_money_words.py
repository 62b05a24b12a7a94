"""Money where people read it: two decimals, and more where two would hide it."""

from __future__ import annotations

import pytest

from logos.session.artifacts.session_md.money import MONEY, rounding


@pytest.mark.parametrize(
    ("initial", "equity", "shown"),
    [
        ("1.00000000", "1.00125000", ("0.00125", "1.00000", "1.00125")),
        ("50.0000", "49.9876", ("-0.0124", "50.0000", "49.9876")),
        ("0.00", "0.00", ("0.00", "0.00", "0.00")),
        ("0.00000000", "0.00000000", ("0.00", "0.00", "0.00")),
        ("1234567.89125", "1234567.89375", ("0.00", "1,234,567.89", "1,234,567.89")),
        ("100000.12500000", "100000.11500001", ("-0.01", "100,000.12", "100,000.12")),
        ("9999.999", "0.000", ("-10,000.00", "10,000.00", "0.00")),
    ],
)
def test_money_has_two_decimals_and_more_where_two_would_hide_it(
    initial: str, equity: str, shown: tuple[str, str, str]
) -> None:
    figures = {**dict.fromkeys((*MONEY, "high_water"), "0.00"), "initial": initial}
    text = rounding({**figures, "equity": equity})
    net = f"{float(equity) - float(initial):.8f}"
    assert (text(net), text(initial), text(equity)) == shown


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert rounding(dict.fromkeys((*MONEY, "high_water"), "1000.00000"))("-0.00400") == "0.00"
