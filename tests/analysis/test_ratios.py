"""The figures of performance, held against `empyrical-reloaded` and against plain cases."""

from __future__ import annotations

import math
from collections.abc import Callable

import empyrical
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.analysis import ratios

# A fall of a millionth has but ten digits left in a double, in either library.
RETURNS = st.lists(
    st.floats(-0.5, 0.5, allow_nan=False).map(lambda each: round(each, 3)), min_size=3, max_size=60
).filter(lambda series: len(set(series)) > 1)
PERIODS = st.sampled_from([52, 252, 365])


def same(ours: float | None, theirs: float) -> bool:
    """Equal to 1e-12, relative; not defined on both sides."""
    if ours is None or not math.isfinite(theirs):
        return ours is None and not math.isfinite(theirs)
    return math.isclose(ours, float(theirs), rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ratios.cagr, lambda r, n: empyrical.annual_return(r, annualization=n)),
        (
            lambda r, n: ratios.volatility(r, n, ddof=1),
            lambda r, n: empyrical.annual_volatility(r, annualization=n),
        ),
        (
            lambda r, n: ratios.sharpe(r, n, ddof=1, risk_free=0.0),
            lambda r, n: empyrical.sharpe_ratio(r, risk_free=0.0, annualization=n),
        ),
        (
            lambda r, n: ratios.sharpe(r, n, ddof=1, risk_free=0.0001),
            lambda r, n: empyrical.sharpe_ratio(r, risk_free=0.0001, annualization=n),
        ),
        (lambda r, _: ratios.max_drawdown(r), lambda r, _: empyrical.max_drawdown(r)),
        (lambda r, _: ratios.total_return(r), lambda r, _: empyrical.cum_returns_final(r)),
        (ratios.calmar, lambda r, n: empyrical.calmar_ratio(r, annualization=n)),
    ],
    ids=["cagr", "volatility", "sharpe", "sharpe over 0.0001", "drawdown", "total", "calmar"],
)
@settings(max_examples=15, deadline=None)
@given(returns=RETURNS, periods=PERIODS)
def test_it_is_what_empyrical_says(
    ours: Callable[[list[float], int], float | None],
    theirs: Callable[[object, int], float],
    returns: list[float],
    periods: int,
) -> None:
    assert same(ours(returns, periods), theirs(np.array(returns), periods))


@settings(max_examples=15, deadline=None)
@given(returns=RETURNS, periods=PERIODS)
def test_sortino_is_what_empyrical_says_where_a_return_is_below(
    returns: list[float], periods: int
) -> None:
    theirs = empyrical.sortino_ratio(np.array(returns), required_return=0.0, annualization=periods)
    assert same(ratios.sortino(returns, periods, 0.0), theirs)


def test_plain_cases() -> None:
    assert ratios.total_return([0.1, -0.5]) == pytest.approx(-0.45)
    assert ratios.cagr([0.1, 0.1], 4) == pytest.approx(1.1**4 - 1)
    assert ratios.volatility([0.01, 0.03], 100, 1) == pytest.approx(0.0141421356237 * 10)
    assert ratios.sharpe([0.01, 0.03], 100, 1, 0.0) == pytest.approx(0.02 / 0.0141421356237 * 10)
    assert ratios.sortino([0.03, -0.01], 100, 0.0) == pytest.approx(
        0.01 / math.sqrt(0.0001 / 2) * 10
    )
    assert ratios.max_drawdown([0.1, -0.2, 0.1, -0.1]) == pytest.approx(0.8 * 1.1 * 0.9 - 1)
    assert ratios.max_drawdown([-0.1, 0.2]) == pytest.approx(-0.1)  # below the start counts


@pytest.mark.parametrize("returns", [[], [0.01], [0.0, 0.0, 0.0], [0.001, 0.001, 0.001]])
def test_what_is_not_defined_is_none(returns: list[float]) -> None:
    assert ratios.sharpe(returns, 252, 1, 0.0) is None
    assert ratios.sortino(returns, 252, 0.0) is None
    assert ratios.calmar(returns, 252) is None
    if len(returns) < 2:
        assert ratios.volatility(returns, 252, 1) is None


def test_nothing_overflows_and_nothing_of_the_capital_is_left() -> None:
    assert ratios.cagr([1e10] * 2, 365) is None
    assert ratios.cagr([-1.0, 0.5], 365) is None
    assert ratios.cagr([], 365) is None
