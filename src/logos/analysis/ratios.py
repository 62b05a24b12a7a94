"""The figures of performance as plain functions of a series of returns.

Every convention is a parameter: nothing is assumed. `returns` are simple returns of equal periods
(0.01 is one per cent), the first one over the capital at the start. `periods` is how many such
periods a year has. `risk_free` is the return of one period without risk. A figure that is not
defined (too few returns, no deviation, capital used up) is None, never infinite and never NaN.

The formulas are the usual ones, as `empyrical-reloaded` has them; docs/RESULTS.md has the table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate


def mean(values: Sequence[float]) -> float | None:
    """The arithmetic mean; None of nothing."""
    return math.fsum(values) / len(values) if values else None


def deviation(values: Sequence[float], ddof: int) -> float | None:
    """The standard deviation over `len - ddof`; None where that is not above 0."""
    count = len(values) - ddof
    if count <= 0:
        return None
    middle = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / count)


def total_return(returns: Sequence[float]) -> float:
    """What the returns come to together, compounded."""
    return math.prod(1.0 + each for each in returns) - 1.0


def cagr(returns: Sequence[float], periods: int) -> float | None:
    """Compound growth for a year: the total to the power of `periods` over the returns there are.

    None without returns, where nothing of the capital is left, and beyond what a float can hold.
    """
    growth = 1.0 + total_return(returns)
    if not returns or growth <= 0.0:
        return None
    try:
        return float(growth ** (periods / len(returns))) - 1.0
    except OverflowError:
        return None


def volatility(returns: Sequence[float], periods: int, ddof: int) -> float | None:
    """Deviation of the returns, times the root of `periods`."""
    spread = deviation(returns, ddof)
    return None if spread is None else spread * math.sqrt(periods)


def sharpe(returns: Sequence[float], periods: int, ddof: int, risk_free: float) -> float | None:
    """Mean over deviation of the returns above `risk_free`, times the root of `periods`."""
    above = [each - risk_free for each in returns]
    middle, spread = mean(above), deviation(above, ddof)
    if middle is None or not spread or _is_noise(spread, above):
        return None
    return middle / spread * math.sqrt(periods)


def sortino(returns: Sequence[float], periods: int, required: float) -> float | None:
    """Mean of the returns above `required`, for a year, over the downside deviation for a year.

    The downside deviation is the root of the mean square of what lies below `required`, over all
    returns: those above count as 0.
    """
    above = [each - required for each in returns]
    middle = mean(above)
    if middle is None or len(returns) < 2:
        return None
    below = math.sqrt(math.fsum(min(each, 0.0) ** 2 for each in above) / len(above))
    if not below:
        return None
    return middle * periods / (below * math.sqrt(periods))


def max_drawdown(returns: Sequence[float]) -> float:
    """The deepest fall of the compounded returns below their highest before, 0 or less."""
    level = high = 1.0
    deepest = 0.0
    for level in accumulate((1.0 + each for each in returns), lambda a, b: a * b):
        high = max(high, level)
        deepest = min(deepest, level / high - 1.0)
    return deepest


def calmar(returns: Sequence[float], periods: int) -> float | None:
    """`cagr` over the deepest fall; None without a fall."""
    growth, fall = cagr(returns, periods), max_drawdown(returns)
    return None if growth is None or fall == 0.0 else growth / -fall


def _is_noise(spread: float, values: Sequence[float]) -> bool:
    """Whether a deviation is what rounding leaves of equal values."""
    return spread <= 1e-15 * max(abs(each) for each in values)
