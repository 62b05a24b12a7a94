"""How far the best of many may be luck, against the paper's figures and another computation."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from logos.sweeps.outcome import Outcome, Returns, moments
from logos.sweeps.ranking import expected_maximum, overfitting, probabilistic, ranked
from logos.sweeps.spec import Stretch, Trial


def outcome(row: int, status: str = "ENDED", **figures: float | None) -> Outcome:
    trial = Trial(row=row, fold=1, sample="in", stretch=Stretch(), params={})
    return Outcome(trial=trial, status=status, figures=dict(figures))


def test_the_example_of_the_paper() -> None:
    """Bailey and Lopez de Prado 2014, "A numerical example": an annual Sharpe ratio of 2.5 over
    1,250 days of 250 a year, skewness -3, kurtosis 10, the best of 100 trials whose annual Sharpe
    ratios have a variance of 1/2."""
    returns = Returns(
        count=1250, mean=2.5 / math.sqrt(250), deviation=1.0, skewness=-3.0, kurtosis=10.0
    )
    expected = expected_maximum(100, 0.5 / 250)
    assert round(expected, 4) == 0.1132
    deflated = probabilistic(returns, expected)
    assert deflated is not None
    assert round(deflated, 4) == 0.9004
    fewer = probabilistic(returns, expected_maximum(46, 0.5 / 250))
    assert fewer is not None
    assert round(fewer, 4) == 0.9505


@given(
    st.lists(st.integers(-2000, 2000).map(lambda each: each / 10_000), min_size=3, max_size=60),
    st.integers(2, 10_000),
    st.floats(1e-6, 1.0),
)
def test_the_formulas_as_another_library_computes_them(
    values: list[float], trials: int, spread: float
) -> None:
    found = moments(values)
    if found is None:
        return
    assert math.isclose(found.skewness, stats.skew(values), rel_tol=1e-6, abs_tol=1e-6)
    assert math.isclose(found.kurtosis, stats.kurtosis(values, fisher=False), rel_tol=1e-6)
    assert math.isclose(found.deviation, stats.tstd(values), rel_tol=1e-9)
    normal = stats.norm
    expected = math.sqrt(spread) * (
        (1 - 0.5772156649015329) * normal.ppf(1 - 1 / trials)
        + 0.5772156649015329 * normal.ppf(1 - 1 / (trials * math.e))
    )
    assert math.isclose(expected_maximum(trials, spread), expected, rel_tol=1e-9, abs_tol=1e-12)
    judged = probabilistic(found, expected)
    under = 1 - found.skewness * found.sharpe + (found.kurtosis - 1) / 4 * found.sharpe**2
    if under <= 0:
        assert judged is None
        return
    statistic = (found.sharpe - expected) * math.sqrt(found.count - 1) / math.sqrt(under)
    assert judged is not None
    assert math.isclose(judged, normal.cdf(statistic), rel_tol=1e-6, abs_tol=1e-12)


def test_the_expected_maximum_is_that_of_many_draws() -> None:
    generator = random.Random(7)
    tops = [max(generator.gauss(0, 0.3) for _ in range(50)) for _ in range(1_500)]
    assert abs(sum(tops) / len(tops) - expected_maximum(50, 0.09)) < 0.02


def test_among_trials_of_no_worth_the_best_is_called_luck() -> None:
    generator = random.Random(3)
    rows = []
    for row in range(1, 41):
        returns = moments([generator.gauss(0, 0.01) for _ in range(120)])
        assert returns is not None
        trial = Trial(row=row, fold=1, sample="in", stretch=Stretch(), params={})
        figures = {"sharpe": returns.sharpe}
        rows.append(Outcome(trial=trial, status="ENDED", figures=figures, returns=returns))  # type: ignore[arg-type]  # floats are figures
    best = ranked(rows, "sharpe")[0]
    found = overfitting(best, rows)
    assert found is not None
    assert found.trials == 40
    assert found.probabilistic is not None
    assert found.probabilistic > 0.95  # alone it would look real
    assert not found.is_likely


def test_few_returns_are_never_called_proof() -> None:
    steady = [0.01, 0.011, 0.009]
    for days, is_likely in ((3, False), (30, True)):
        returns = moments(steady * (days // 3))
        assert returns is not None
        trial = Trial(row=1, fold=1, sample="in", stretch=Stretch(), params={})
        alone = Outcome(trial=trial, status="ENDED", returns=returns)
        found = overfitting(alone, [alone])
        assert found is not None
        assert found.deflated is not None
        assert found.deflated > 0.95
        assert found.is_likely is is_likely


def test_one_trial_is_not_deflated() -> None:
    returns = moments([0.01, 0.02, -0.01, 0.03])
    assert returns is not None
    trial = Trial(row=1, fold=1, sample="in", stretch=Stretch(), params={})
    alone = Outcome(trial=trial, status="ENDED", returns=returns)
    found = overfitting(alone, [alone])
    assert found is not None
    assert found.expected == 0.0
    assert found.deflated == found.probabilistic


@pytest.mark.parametrize("values", [[], [0.01], [0.01, 0.01, 0.01], [0.0, 0.0]])
def test_returns_that_do_not_vary_have_no_moments(values: list[float]) -> None:
    assert moments(values) is None


def test_the_best_is_the_highest_or_of_falls_and_costs_the_lowest() -> None:
    rows = [
        outcome(1, sharpe=1.0, max_drawdown=5.0),
        outcome(2, sharpe=None, max_drawdown=None),
        outcome(3, sharpe=2.0, max_drawdown=9.0),
        outcome(4, "FAILED", sharpe=9.0, max_drawdown=0.0),
        outcome(5, sharpe=2.0, max_drawdown=math.nan),
    ]
    assert [each.row for each in ranked(rows, "sharpe")] == [3, 5, 1]
    assert [each.row for each in ranked(rows, "max_drawdown")] == [1, 3]
