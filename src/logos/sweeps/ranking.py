"""Which row is best, and how far that may be luck.

The best of many trials looks good even where none of them is: with N tries of no worth the highest
Sharpe ratio is expected to be well above 0. The deflated Sharpe ratio is the probability that the
true one is above 0, given how many were tried, how they scattered, how long the record is and how
its returns are distributed:

    D. H. Bailey and M. Lopez de Prado, "The Deflated Sharpe Ratio: Correcting for Selection Bias,
    Backtest Overfitting and Non-Normality", Journal of Portfolio Management 40 (5), 2014
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist, variance
from typing import Final

import msgspec

from logos.analysis.books import FEW_DAYS
from logos.sweeps.outcome import LOWER_IS_BETTER, Outcome, Returns

EULER: Final = 0.5772156649015329
"""The Euler-Mascheroni constant."""
LIKELY: Final = 0.95
"""From here on a deflated Sharpe ratio is called significant, as in the paper."""

_NORMAL: Final = NormalDist()


def ranked(outcomes: Iterable[Outcome], by: str) -> list[Outcome]:
    """Those in which `by` is defined, the best first; of equal ones the one of the lower row."""
    sign = 1.0 if by in LOWER_IS_BETTER else -1.0
    found = []
    for each in outcomes:
        value = each.value(by)
        if value is not None:
            found.append((sign * value, each.row, each))
    return [each for _, _, each in sorted(found, key=lambda entry: entry[:2])]


def expected_maximum(trials: int, spread: float) -> float:
    """The highest Sharpe ratio to be expected of `trials` independent ones of no worth, whose
    estimates have the variance `spread` (equation 1 of the paper); 0 of a single one."""
    if trials < 2:
        return 0.0
    first = _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(spread) * ((1.0 - EULER) * first + EULER * second)


def probabilistic(returns: Returns, above: float) -> float | None:
    """The probability that the true Sharpe ratio of one period is higher than `above`, given the
    estimate, its length, skewness and kurtosis (equation 2 of the paper with SR_0 = `above`)."""
    sharpe = returns.sharpe
    spread = 1.0 - returns.skewness * sharpe + (returns.kurtosis - 1.0) / 4.0 * sharpe**2
    if spread <= 0.0:
        return None
    return _NORMAL.cdf((sharpe - above) * math.sqrt(returns.count - 1) / math.sqrt(spread))


class Overfitting(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said of the best row's Sharpe ratio. Ratios are of one day, not of a year."""

    trials: int
    """Rows with returns: all count as independent, which errs on the careful side."""
    days: int
    sharpe: float
    spread: float
    """Variance of the trials' Sharpe ratios."""
    expected: float
    """The highest one to be expected of so many trials of no worth."""
    probabilistic: float | None
    """That the true one is above 0, had nothing else been tried."""
    deflated: float | None
    """That the true one is above 0, given all that was tried."""

    @property
    def is_likely(self) -> bool:
        """Whether luck is a poor explanation of it: never of few returns."""
        is_high = self.deflated is not None and self.deflated >= LIKELY
        return is_high and self.days >= FEW_DAYS


def overfitting(best: Outcome, outcomes: Sequence[Outcome]) -> Overfitting | None:
    """How far `best`, one of `outcomes`, may be luck; None where it has no returns that vary."""
    if best.returns is None:
        return None
    sharpes = [each.returns.sharpe for each in outcomes if each.returns is not None]
    spread = variance(sharpes) if len(sharpes) > 1 else 0.0
    expected = expected_maximum(len(sharpes), spread)
    return Overfitting(
        trials=len(sharpes),
        days=best.returns.count,
        sharpe=best.returns.sharpe,
        spread=spread,
        expected=expected,
        probabilistic=probabilistic(best.returns, 0.0),
        deflated=probabilistic(best.returns, expected),
    )
