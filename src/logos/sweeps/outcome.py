"""What came of one row: figures, hashes, and how its session ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.analysis.analyse import analyse
from logos.analysis.figures import Side, Statistics
from logos.analysis.prices import FirstPrices
from logos.session.entry import compared
from logos.sweeps.spec import Trial

LOWER_IS_BETTER: Final = frozenset(
    (
        *("max_drawdown", "max_drawdown_ratio", "drawdown_length_ns", "longest_drawdown_ns"),
        *("volatility", "fees", "slippage", "turnover", "trips.losses", "trips.loss_streak"),
        *("trips.gross_loss", "trips.average_loss", "average_drawdown_ratio", "trips.fees"),
    )
)
"""Figures of which the smallest is the best."""

Figure = float | int | str | None
"""Money is decimal text, exact; a ratio is a float."""


class Returns(msgspec.Struct, frozen=True, kw_only=True):
    """The daily returns of a session, as what the deflated Sharpe ratio needs of them."""

    count: int
    mean: float
    deviation: float
    """Of a sample (ddof 1)."""
    skewness: float
    kurtosis: float
    """Not the excess: 3 for a normal distribution."""

    @property
    def sharpe(self) -> float:
        """Of a day, not of a year."""
        return self.mean / self.deviation


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a row. `status` is that of the session, or INVALID where none could start with
    these parameters, or LOST where its process died again and again; `reason` says why."""

    trial: Trial
    status: str
    reason: str = ""
    settings_hash: str = ""
    seed: int = 0
    ticks: int = 0
    orders: int = 0
    figures: dict[str, Figure] = {}
    returns: Returns | None = None
    days: list[tuple[str, float]] = []
    """Daily returns, of rows outside of the sample only."""
    artifact_hash: str = ""
    """See `artifact_hash`."""

    @property
    def row(self) -> int:
        """Its number in the table."""
        return self.trial.row

    def value(self, by: str) -> float | None:
        """The figure `by` as a number; None where it is not defined."""
        found = self.figures.get(by)
        if found is None or self.status != "ENDED":
            return None
        number = float(found)
        return number if math.isfinite(number) else None


def figure_names() -> list[str]:
    """The figures that a table has and that may be searched by, in order."""
    return list(_figures(Statistics(currency="")))


def outcome_of(
    trial: Trial,
    folder: Path,
    summary: dict[str, Any],
    *,
    with_days: bool = False,
    firsts: FirstPrices | None = None,
) -> Outcome:
    """What came of the session in `folder`. `firsts` as of `analyse`.

    Raises LogosError, OSError.
    """
    analysis = analyse(folder, firsts=firsts)
    first = analysis.books[0]
    return Outcome(
        trial=trial,
        status=summary["status"],
        reason=summary["reason"],
        settings_hash=summary["config_hash"],
        seed=summary["seed"],
        ticks=summary["ticks"],
        orders=summary["orders"],
        figures=_figures(analysis.statistics),
        returns=moments([each for _, each in first.returns]),
        days=list(first.returns) if with_days else [],
        artifact_hash=artifact_hash(folder),
    )


def artifact_hash(folder: Path) -> str:
    """SHA-256 over the lines `HASH  NAME` of all files that a replay must reproduce, as
    `sha256sum` prints them, in the order of their names."""
    lines = [
        f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in sorted(compared(folder))
    ]
    return sha256("".join(lines).encode()).hexdigest()


def moments(returns: Sequence[float]) -> Returns | None:
    """The moments of returns; None of fewer than two, or where they do not vary.

    Skewness and kurtosis are those of the sample, without a correction for its size: central
    moments over the power of the deviation with ddof 0.
    """
    count = len(returns)
    if count < 2:
        return None
    mean = math.fsum(returns) / count
    scale = max(abs(each - mean) for each in returns)
    if scale <= 1e-15 * max(map(abs, returns)):  # what rounding leaves of equal ones
        return None
    second, third, fourth = (
        math.fsum(((each - mean) / scale) ** power for each in returns) / count
        for power in (2, 3, 4)
    )
    return Returns(
        count=count,
        mean=mean,
        deviation=scale * math.sqrt(second * count / (count - 1)),
        skewness=third / second**1.5,
        kurtosis=fourth / second**2,
    )


def _figures(statistics: Statistics) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for name, value in msgspec.structs.asdict(statistics).items():
        if isinstance(value, Side):
            for part, each in msgspec.structs.asdict(value).items():
                found[f"{name}.{part}"] = _plain(each)
        elif not isinstance(value, str | bool):
            found[name] = _plain(value)
    return found


def _plain(value: Any) -> Figure:
    return value if value is None or isinstance(value, int | float) else str(value)
