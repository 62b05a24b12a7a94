"""Base of strategies that act out what is known beforehand: each entry once its time has come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from logos.core.messages import Bar, MarketEvent, Quote, QuoteBar, Trade
from logos.core.strategy import Answer, Context, Request, Strategy

Entry = tuple[int, str, Request]
"""A time (nanoseconds UTC), a symbol, and what to answer then."""


class Queued(Strategy):
    """Answers each entry at the first event of its symbol at or after its time plus a delay.

    Entries of one symbol are taken in the order given, which must be that of their times. A
    subclass that is made of the same entries again can be saved: it says so with
    `save = Queued.save` and `load = Queued.load`.
    """

    def __init__(self, entries: Iterable[Entry], delay_ns: int = 0) -> None:
        """`delay_ns` nanoseconds are added to every time."""
        self._delay_ns = delay_ns
        self._queues: dict[str, deque[Entry]] = {}
        for entry in entries:
            self._queues.setdefault(entry[1], deque()).append(entry)

    @property
    def unused(self) -> dict[str, int]:
        """Entries not answered (yet), by symbol: of symbols the session lacks, or left over."""
        return {symbol: len(queue) for symbol, queue in self._queues.items() if queue}

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return self._due(bar)

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self._due(quote)

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return self._due(trade)

    def save(self) -> dict[str, Any]:
        # What is left stands at the ends of the queues, which are made of the same rows again.
        return {symbol: len(queue) for symbol, queue in self._queues.items()}

    def load(self, context: Context, state: dict[str, Any]) -> None:
        for symbol, left in state.items():
            queue = self._queues[symbol]
            while len(queue) > left:
                queue.popleft()

    def _due(self, event: MarketEvent) -> Answer:
        queue = self._queues.get(event.symbol)
        now_ns = event.ts_ns - self._delay_ns
        if not queue or queue[0][0] > now_ns:
            return None
        due = []
        while queue and queue[0][0] <= now_ns:
            due.append(queue.popleft()[2])
        return due
