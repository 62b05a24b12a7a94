"""The statistics of sessions side by side: one row a figure, its words for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from logos.analysis import Analysis, Statistics
from logos.core.types import NS_PER_SECOND

UNDEFINED: Final = "–"
"""Stands for a figure that is not defined, or not known."""

_MINUTE: Final = 60
_DAY: Final = 86_400


class Row(NamedTuple):
    """One figure of every session. `values` are Decimals, floats, counts; None: not defined."""

    key: str
    name: str
    kind: str
    """"money", "signed" (money that may be lost), "percent", "ratio", "count", "duration"
    (nanoseconds) or "text"."""
    values: tuple[Any, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The values in words."""
        written = _WRITTEN[self.kind]
        return tuple(UNDEFINED if value is None else written(value) for value in self.values)

    def difference(self) -> str:
        """How much more the second of two sessions has than the first; empty where that is no
        figure."""
        one, other = self.values
        if one is None or other is None or self.kind == "text":
            return ""
        if one == other:
            return "="
        if self.kind == "percent":
            return f"{(other - one) * 100:+,.2f} pp"
        if self.kind == "duration":
            return ("-" if other < one else "+") + _duration(abs(other - one))
        if self.kind == "count":
            return f"{other - one:+,}"
        return _signed(other - one)


def _money(value: Decimal) -> str:
    return f"{value:,.{_decimals(value)}f}"


def _signed(value: Decimal | float) -> str:
    return f"{value:+,.{_decimals(value)}f}"


def _decimals(value: Decimal | float) -> int:
    """Two, and for amounts that would be nothing then as many as show something, at most eight."""
    size = abs(float(value))
    if not size or size >= 0.01:
        return 2
    return min(8, 1 - Decimal(value).adjusted())


def _ratio(value: float) -> str:
    return f"{value:,.2f}"


def _percent(value: float) -> str:
    return f"{value * 100:,.2f} %"


def _duration(value: int) -> str:
    """Days and hours, hours and minutes, or minutes and seconds."""
    seconds = value // NS_PER_SECOND
    days, rest = divmod(seconds, _DAY)
    hours, minutes = rest // 3_600, rest // _MINUTE % _MINUTE
    if days:
        return f"{days:,} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % _MINUTE} s"


_WRITTEN: Final[dict[str, Callable[[Any], str]]] = {
    "money": _money,
    "signed": _signed,
    "percent": _percent,
    "ratio": _ratio,
    "count": "{:,}".format,
    "duration": _duration,
    "text": str,
}


def _of_book(get: Callable[[Statistics], Any]) -> Callable[[Analysis], Any]:
    return lambda analysis: get(analysis.statistics)


_ROWS: Final[tuple[tuple[str, str, str, Callable[[Analysis], Any]], ...]] = (
    ("currency", "currency", "text", _of_book(lambda of: of.currency)),
    ("initial", "began with", "money", _of_book(lambda of: of.initial)),
    ("net", "net", "signed", _of_book(lambda of: of.net)),
    ("net_ratio", "net %", "percent", _of_book(lambda of: of.net_ratio)),
    ("before_costs", "before costs", "signed", _of_book(lambda of: of.before_costs)),
    ("fees", "fees", "money", _of_book(lambda of: of.fees)),
    ("slippage", "slippage", "money", _of_book(lambda of: of.slippage)),
    ("payments", "funding, interest", "signed", _of_book(lambda of: of.payments)),
    ("buy_and_hold_ratio", "buy and hold", "percent", _of_book(lambda of: of.buy_and_hold_ratio)),
    ("against_hold_ratio", "against hold", "percent", _of_book(lambda of: of.against_hold_ratio)),
    ("max_drawdown", "max drawdown", "money", _of_book(lambda of: of.max_drawdown)),
    ("max_drawdown_ratio", "max drawdown %", "percent",
     _of_book(lambda of: of.max_drawdown_ratio)),
    ("longest_drawdown_ns", "longest drawdown", "duration",
     _of_book(lambda of: of.longest_drawdown_ns)),
    ("cagr", "CAGR", "percent", _of_book(lambda of: of.cagr)),
    ("volatility", "volatility", "percent", _of_book(lambda of: of.volatility)),
    ("sharpe", "Sharpe", "ratio", _of_book(lambda of: of.sharpe)),
    ("sortino", "Sortino", "ratio", _of_book(lambda of: of.sortino)),
    ("calmar", "Calmar", "ratio", _of_book(lambda of: of.calmar)),
    ("trips", "trades", "count", _of_book(lambda of: of.trips.trips)),
    ("win_rate", "win rate", "percent", _of_book(lambda of: of.trips.win_rate)),
    ("profit_factor", "profit factor", "ratio", _of_book(lambda of: of.trips.profit_factor)),
    ("expectancy", "expectancy", "signed", _of_book(lambda of: of.trips.expectancy)),
    ("sqn", "SQN", "ratio", _of_book(lambda of: of.trips.sqn)),
    ("best", "best trade", "signed", _of_book(lambda of: of.trips.best)),
    ("worst", "worst trade", "signed", _of_book(lambda of: of.trips.worst)),
    ("average_duration_ns", "mean duration", "duration",
     _of_book(lambda of: of.trips.average_duration_ns)),
    ("exposure", "exposure", "percent", _of_book(lambda of: of.exposure)),
    ("turnover", "turnover", "ratio", _of_book(lambda of: of.turnover)),
    ("orders", "orders", "count", lambda analysis: analysis.facts.orders),
    ("fills", "fills", "count", lambda analysis: analysis.facts.fills),
    ("refused", "refused", "count", lambda analysis: analysis.facts.refused),
    ("duration_ns", "duration", "duration", _of_book(lambda of: of.duration_ns)),
)  # fmt: skip


def rows(analyses: Sequence[Analysis]) -> list[Row]:
    """The figures of the first book of each analysis. A cost that no session had is left out."""
    found = [
        Row(key, name, kind, tuple(get(each) for each in analyses))
        for key, name, kind, get in _ROWS
    ]
    return [row for row in found if row.key != "payments" or any(row.values)]
