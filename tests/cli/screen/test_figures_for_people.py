"""Figures as a person reads them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from logos.cli.screen.figures import amount, clock, exact, lasted, percent, price
from logos.session.presence.now import money_decimals


@pytest.mark.parametrize(
    ("value", "sign", "text"),
    [
        ("1234567.891", False, "1,234,567.89"),
        ("-1234.5", True, "-1,234.50"),
        ("1234.5", True, "+1,234.50"),
        ("-0.004", True, "0.00"),
        ("0.005", False, "0.00"),
        ("0.015", False, "0.02"),
        ("1E+3", False, "1,000.00"),
    ],
)
def test_money_has_two_decimals_and_a_sign_where_it_says_something(
    value: str, sign: bool, text: str
) -> None:
    assert amount(Decimal(value), sign=sign) == text


def test_small_money_has_more_decimals() -> None:
    assert [money_decimals(Decimal(each)) for each in ("0", "100000", "50", "1.5")] == [2, 2, 4, 8]
    assert amount(Decimal("0.00012"), 8, sign=True) == "+0.00012000"


def test_parts_are_percentages_with_two_decimals() -> None:
    assert percent(0.12345) == "12.34%"
    assert percent(-0.0000001, sign=True) == "0.00%"
    assert percent(1.5, sign=True) == "+150.00%"
    assert percent(1e-9) == "0.00%"


def test_quantities_are_exact_and_prices_keep_their_decimals() -> None:
    assert exact(10_000, 4) == "1"
    assert exact(-12_345_600, 4, sign=True) == "-1,234.56"
    assert exact(100, 0) == "100"
    assert price(320_000, 2) == "3,200.00"


def test_lengths_of_time_and_times_of_day() -> None:
    lengths = [0, 12_345_678, 1_250_000_000, 45 * 10**9, 185 * 10**9, 7_380 * 10**9]
    assert [lasted(each) for each in lengths] == [
        "0 ms", "12 ms", "1.2 s", "45 s", "3:05 min", "2:03 h",
    ]  # fmt: skip
    assert clock(1_800_000_000 * 10**9 + 5) == "08:00:00"
