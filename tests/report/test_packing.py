"""Figures in few bytes come out as they went in, and joined bars keep every extreme."""

from __future__ import annotations

from base64 import b64decode
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.report.packing import Bars, decimals_of, packed, packed_bars, packed_figures
from logos.report.tables import Extremes


def unpacked(text: str) -> list[int]:
    """What report.js does, in its own words."""
    found, number, unit = [], 0, 1
    for byte in b64decode(text):
        number += (byte & 127) * unit
        unit *= 128
        if byte < 128:
            found.append(-(number + 1) // 2 if number % 2 else number // 2)
            number, unit = 0, 1
    return found


@given(st.lists(st.integers(-(2**53), 2**53)))
def test_whole_numbers_come_out_as_they_went_in(numbers: list[int]) -> None:
    assert unpacked(packed(numbers)) == numbers


@pytest.mark.long
@given(st.lists(st.decimals(-(10**9), 10**9, places=4)))
def test_figures_come_out_to_their_decimals(values: list[Decimal]) -> None:
    made = packed_figures(values, 4)
    found = list(accumulate(unpacked(made["packed"])))
    assert [Decimal(each).scaleb(-4) for each in found] == values


PRICES = st.lists(
    st.tuples(*[st.integers(-(10**7), 10**7)] * 4).map(
        lambda each: (each[0], max(each), min(each), each[3])
    ),
    min_size=1,
    max_size=60,
)


@pytest.mark.long
@given(PRICES)
def test_bars_come_out_as_they_went_in(rows: list[tuple[int, int, int, int]]) -> None:
    columns = [[price / 100 for price in column] for column in zip(*rows, strict=True)]
    times = [60_000_000_000 * at for at in range(len(rows))]
    made = packed_bars(Bars(times, *columns))
    assert made["decimals"] <= 2
    scale = 10 ** made["decimals"]
    numbers, close, found = unpacked(made["packed"]), 0, []
    for at in range(0, len(numbers), 4):
        first = close + numbers[at]
        close = first + numbers[at + 1]
        high = max(first, close) + numbers[at + 2]
        low = min(first, close) - numbers[at + 3]
        found.append(tuple(round(each * 100 / scale) for each in (first, high, low, close)))
    assert found == rows
    assert list(accumulate(unpacked(made["times"]))) == [each // 1_000_000 for each in times]


@pytest.mark.long
@given(PRICES, st.integers(1, 20))
def test_joined_bars_keep_the_ends_and_every_extreme(
    rows: list[tuple[int, int, int, int]], most: int
) -> None:
    opens, highs, lows, closes = (list(map(float, each)) for each in zip(*rows, strict=True))
    whole = Bars(list(range(len(rows))), opens, highs, lows, closes)
    fewer = whole.fewer(most)
    assert len(fewer) <= most
    assert (max(fewer.high), min(fewer.low)) == (max(highs), min(lows))
    assert (fewer.open[0], fewer.close[-1], fewer.time_ns[-1]) == (
        opens[0],
        closes[-1],
        len(rows) - 1,
    )


def test_decimals_of_prices() -> None:
    assert decimals_of([1.0, 2.5, 100.125]) == 3
    assert decimals_of([1e-7]) == 7
    assert decimals_of([]) == 0
    assert decimals_of([1 / 3]) == 10


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=500))
def test_a_curve_within_a_bound_keeps_its_extremes_in_order(values: list[int]) -> None:
    curve = Extremes(20)
    for at, value in enumerate(values):
        curve.add(at, value)
    times, found = curve.points()
    assert len(times) <= 40
    assert times == sorted(times)
    assert (max(found), min(found)) == (max(values), min(values))
    assert all(values[at] == value for at, value in zip(times, found, strict=True))
