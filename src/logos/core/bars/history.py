"""The latest bars of one symbol and timeframe, kept to be asked for."""

from __future__ import annotations

import math
from typing import Final, final

from logos.core.messages import Bar, QuoteBar

FIELDS: Final = ("open", "high", "low", "close", "volume")
"""What can be asked for of a bar: floats as the bar has them; a volume that is unknown is nan."""


@final
class BarHistory:
    """At least the latest `limit` bars, at most twice as many; nothing is moved but once in `limit`
    bars. The figures of a field are kept as floats from the first time that they are asked for."""

    __slots__ = ("_figures", "bars", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bars: list[Bar | QuoteBar] = []
        self._figures: dict[str, list[float]] = {}

    def add(self, bar: Bar | QuoteBar) -> None:
        """Keep one more bar, the newest."""
        self.bars.append(bar)
        is_full = len(self.bars) > 2 * self.limit
        if is_full:
            del self.bars[: -self.limit]
        for field, figures in self._figures.items():
            figures.append(_figure(bar, field))
            if is_full:
                del figures[: -self.limit]

    def latest(self, count: int, field: str) -> list[float]:
        """The figures of the latest `count` bars, oldest first; fewer when there are fewer.

        Raises ValueError for a field that is none, and for more than are kept.
        """
        if field not in FIELDS:
            raise ValueError(f"history has no field {field!r}; it is one of {', '.join(FIELDS)}")
        if not 0 < count <= self.limit:
            raise ValueError(
                f"{count} bars were asked for, and {self.limit} are kept: ask for 1 to that many, "
                "or set `history` in the strategy's class to more"
            )
        figures = self._figures.get(field)
        if figures is None:
            figures = [_figure(bar, field) for bar in self.bars]
            self._figures[field] = figures
        return figures[-count:]

    def put(self, bars: list[Bar | QuoteBar]) -> None:
        """Hold these bars, and nothing else."""
        self.bars = bars
        self._figures.clear()


def _figure(bar: Bar | QuoteBar, field: str) -> float:
    if field == "close":
        return bar.close
    if field == "open":
        return bar.open
    if field == "high":
        return bar.high
    if field == "low":
        return bar.low
    return bar.volume if bar.volume_units >= 0 else math.nan
