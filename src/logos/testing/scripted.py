"""Strategies that do as they are told, for tests of everything around a strategy."""

# A strategy's methods take what the contract gives them, used or not.
# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Mapping

from logos.core.messages import Bar, MarketEvent, Quote, QuoteBar, Trade
from logos.core.records import PaperFillRecord
from logos.core.strategy import Answer, Context, Strategy


class Scripted(Strategy):
    """Answers the n-th market event (from 1) with `script[n]`, and keeps what it was told.

    Key 0 answers on_start, key -1 answers on_stop.
    """

    def __init__(self, script: Mapping[int, Answer] | None = None) -> None:
        self.script: Mapping[int, Answer] = script or {}
        self.seen: list[MarketEvent] = []
        self.fills: list[PaperFillRecord] = []

    def _next(self, event: MarketEvent) -> Answer:
        self.seen.append(event)
        return self.script.get(len(self.seen))

    def on_start(self, context: Context) -> Answer:
        return self.script.get(0)

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return self._next(bar)

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self._next(quote)

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return self._next(trade)

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        self.fills.append(fill)
        return None

    def on_stop(self, context: Context) -> Answer:
        return self.script.get(-1)


class Always(Strategy):
    """Gives the same answer to every market event."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return self.answer

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self.answer

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return self.answer
