"""What the best of each fold came to on data that it had not seen, put together.

The daily returns outside of the samples follow each other, as they would have come to somebody who
searched again before each stretch. They are the only returns of a sweep that nobody has chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from logos.analysis import ratios
from logos.analysis.books import DDOF, RISK_FREE
from logos.sweeps.outcome import Outcome, moments
from logos.sweeps.ranking import probabilistic
from logos.sweeps.run import Finished


class Forward(msgspec.Struct, frozen=True, kw_only=True):
    """The stretches outside of the samples, one after the other."""

    folds: int
    """Those with an outcome."""
    days: int
    net_ratio: float
    """What their returns come to, compounded."""
    sharpe: float | None
    """For a year, of all their daily returns."""
    sharpe_inside: float | None
    """The mean of those of the best rows inside, for a year."""
    efficiency: float | None
    """`sharpe` over `sharpe_inside`: near 1 where what was found holds, near 0 where not."""
    probabilistic: float | None
    """That the true Sharpe ratio outside is above 0; nothing was chosen by it."""


def forward(finished: Finished) -> Forward | None:
    """What came outside; None where nothing was held back, or there is no outcome yet."""
    pairs: list[tuple[Outcome, Outcome]] = []
    for fold in range(1, len(finished.spec.folds) + 1):
        inside, outside = finished.best(fold), finished.outside(fold)
        if inside is not None and outside is not None and outside.figures:
            pairs.append((inside, outside))
    if not pairs:
        return None
    returns = [value for _, outside in pairs for _, value in outside.days]
    periods = int(pairs[0][1].figures.get("periods_a_year") or 0)
    sharpe = ratios.sharpe(returns, periods, DDOF, RISK_FREE)
    before = _mean([inside.value("sharpe") for inside, _ in pairs])
    shape = moments(returns)
    return Forward(
        folds=len(pairs),
        days=len(returns),
        net_ratio=ratios.total_return(returns),
        sharpe=sharpe,
        sharpe_inside=before,
        efficiency=None if sharpe is None or not before or before < 0 else sharpe / before,
        probabilistic=None if shape is None else probabilistic(shape, 0.0),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return math.fsum(known) / len(known) if known else None
