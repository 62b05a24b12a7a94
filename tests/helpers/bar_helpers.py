"""A strategy that writes down which bars it is told, and bars as figures that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from logos.core.messages import Bar, QuoteBar
from logos.core.strategy import Answer, Context, Strategy


class Listener(Strategy):
    """Writes down what it is told, when, and what history says then."""

    timeframes: Sequence[str] = ("2s", "6s")
    history = 3

    def __init__(self) -> None:
        self.told: list[tuple[int, str, Any, list[float]]] = []
        self.answers: dict[str, Answer] = {}

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        closes = context.history(bar.symbol, 3)
        self.told.append((context.now_ns, context.timeframe, bar, closes))
        return self.answers.get(context.timeframe)


def figures(bar: Bar | QuoteBar) -> tuple[Any, ...]:
    names = [name for name in bar.__struct_fields__ if name != "instrument"]
    return tuple(getattr(bar, name) for name in names)
