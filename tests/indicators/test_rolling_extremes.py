"""Extremes of a window against the window itself, what they save, and sums on every Python."""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.indicators import (
    SMA,
    Bollinger,
    Donchian,
    LinearRegression,
    RollingMax,
    RollingMin,
    Stochastic,
)

FIGURES = st.one_of(
    st.integers(-3, 3).map(float), st.floats(-1e9, 1e9), st.sampled_from([0.0, -0.0])
)


@given(st.integers(1, 12), st.lists(FIGURES, max_size=50))
def test_an_extreme_is_that_of_its_window_at_every_value(period: int, values: list[float]) -> None:
    high, low = RollingMax(period), RollingMin(period)
    for seen, value in enumerate(values, 1):
        high.add(value)
        low.add(value)
        window = values[max(0, seen - period) : seen]
        is_full = seen >= period
        assert high.value == (max(window) if is_full else None)
        assert low.value == (min(window) if is_full else None)


@given(st.integers(1, 12), st.lists(FIGURES, min_size=1, max_size=50))
def test_what_an_extreme_keeps_is_what_can_still_become_one(
    period: int, values: list[float]
) -> None:
    high = RollingMax(period)
    for value in values:
        high.add(value)
    saved = high.save()
    start, count = saved["_start"], saved["_count"]
    kept = list(zip(saved["_numbers"][start:], saved["_values"][start:], strict=True))
    window = list(enumerate(values, 1))[-period:]
    # All that are above every later one.
    may = [
        (number, value)
        for place, (number, value) in enumerate(window)
        if all(value > later for _, later in window[place + 1 :])
    ]
    assert (count, kept) == (len(values), may)
    assert start < period
    assert len(saved["_values"]) == len(saved["_numbers"]) <= 2 * period


@given(st.integers(1, 9), st.lists(FIGURES, max_size=40), st.lists(FIGURES, max_size=40))
def test_one_that_was_loaded_goes_on_like_the_one_that_was_saved(
    period: int, before: list[float], after: list[float]
) -> None:
    one = Donchian(period)
    for value in before:
        one.add(value + 1, value)
    other = Donchian(period).load(one.save())
    for value in after:
        one.add(value + 1, value)
        other.add(value + 1, value)
        assert other.save() == one.save()


def test_the_saved_state_is_that_of_earlier_versions() -> None:
    """As it was before extremes were made faster: their snapshots must load, and stay the same."""
    one = RollingMax(3)
    said = []
    for value in (5.0, 4.0, 4.0, 3.0, 2.0, 1.0, 6.0, 6.0, 2.0, 1.0, 0.5):
        one.add(value)
        said.append((one.save()["_numbers"], one.save()["_values"], one.save()["_start"]))
    assert said == [
        ([1], [5.0], 0),
        ([1, 2], [5.0, 4.0], 0),
        ([1, 3], [5.0, 4.0], 0),
        ([1, 3, 4], [5.0, 4.0, 3.0], 1),
        ([1, 3, 4, 5], [5.0, 4.0, 3.0, 2.0], 1),
        ([1, 3, 4, 5, 6], [5.0, 4.0, 3.0, 2.0, 1.0], 2),
        ([1, 3, 7], [5.0, 4.0, 6.0], 2),
        ([1, 3, 8], [5.0, 4.0, 6.0], 2),
        ([1, 3, 8, 9], [5.0, 4.0, 6.0, 2.0], 2),
        ([1, 3, 8, 9, 10], [5.0, 4.0, 6.0, 2.0, 1.0], 2),
        ([9, 10, 11], [2.0, 1.0, 0.5], 0),
    ]
    assert set(one.save()) == {"_count", "_numbers", "_start", "_values", "period", "value"}


# ---- sums ----

JUMPY = [1e16, 1.0, -1e16, 1.0, 3.5, -2.25, 1e-9, 7.0, 0.1, 0.2, 0.3, 0.7]
"""Their sum depends on how it is taken."""


def compensated(values: Iterable[float], start: float = 0) -> float:
    """As the sum of Python 3.12 and later, or better."""
    return math.fsum(values) + start


def fed(one: Any) -> list[dict[str, Any]]:

    bars = isinstance(one, Stochastic)
    said = []
    for value in JUMPY * 2:
        one.add(*((value + 1, value - 1, value) if bars else (value,)))
        said.append(one.save())
    return said


@pytest.mark.parametrize(
    "make",
    [
        lambda: SMA(4),
        lambda: Bollinger(4),
        lambda: LinearRegression(4),
        lambda: Stochastic(3, 2, 2),
    ],
)
def test_what_an_indicator_says_does_not_depend_on_how_python_takes_sums(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = fed(make())
    monkeypatch.setattr(builtins, "sum", compensated)
    assert fed(make()) == here


def test_a_mean_is_summed_from_left_to_right() -> None:
    mean = SMA(4)
    for value in JUMPY[:4]:
        mean.add(value)
    [*_, total] = itertools.accumulate(JUMPY[:4])
    assert mean.value == total / 4
    assert total != math.fsum(JUMPY[:4])
