"""What a venue says is read exactly or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from venue_tools import bitcoin

from logos.venues.records import Unreadable, decimal_of, price_units, quantity_units, time_ns


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2021-03-16T18:38:01.937734123Z", 1_615_919_881_937_734_123),
        ("2021-03-16T18:38:01.9Z", 1_615_919_881_900_000_000),
        ("2021-03-16T14:38:01-04:00", 1_615_919_881_000_000_000),
    ],
)
def test_times_are_read_exactly(text: str, expected: int) -> None:
    assert time_ns(text) == expected


@pytest.mark.parametrize(
    "text", [None, 5, "", "2021-03-16", "2021-13-16T18:38:01Z", "2021-03-16T18:38:01"]
)
def test_a_time_that_is_none_is_unreadable(text: object) -> None:
    with pytest.raises(Unreadable):
        time_ns(text)


@pytest.mark.parametrize("text", [None, 1, 1.5, "", "abc", "NaN", "0.001", "1e999999"])
def test_a_figure_that_is_not_exact_in_units_is_unreadable(text: object) -> None:
    with pytest.raises(Unreadable):
        price_units(bitcoin(), text, "price")


def test_figures_are_read_exactly() -> None:
    assert price_units(bitcoin(), "90000.010000", "price") == 9_000_001
    assert quantity_units(bitcoin(), "1E-5", "quantity") == 1
    assert decimal_of("0.1000000000000000000001", "fee") == Decimal("0.1000000000000000000001")
    for text in ("Infinity", "x", None):
        with pytest.raises(Unreadable):
            decimal_of(text, "fee")
