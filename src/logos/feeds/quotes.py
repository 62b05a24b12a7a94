"""The best prices of one symbol on their way to the session: each change once.

A side that nobody quotes is no price: it is said once, and there is no quote until somebody does.
"""

from __future__ import annotations

from typing import Any

from logos.core.clock import Clock
from logos.data.readers.numbers import RowError
from logos.feeds.common import UnitReader, Voice


class QuotesOut:
    """Hands over quotes of one symbol; `empty` is what is said where a side is missing."""

    def __init__(self, voice: Voice, clock: Clock, units: UnitReader, empty: str) -> None:
        self._voice = voice
        self._clock = clock
        self._units = units
        self._empty = empty
        self._figures: tuple[int, int, int, int] | None = None
        self._is_empty = False

    async def offer(
        self,
        bid: Any,
        ask: Any,
        bid_size: Any,
        ask_size: Any,
        event_ns: int | None,
        *,
        is_news: bool = False,
    ) -> int:
        """Hand over what is news, in units; how many quotes that were.

        A price of None or 0 is none; an event time of None is that of the receipt; equal figures
        are no news unless `is_news`. What cannot be read is left out.
        """
        if _is_none(bid) or _is_none(ask):
            if not self._is_empty:
                self._voice.gap(self._empty)
            self._is_empty, self._figures = True, None
            return 0
        self._is_empty = False
        now_ns = self._clock.now_ns()
        try:
            quote = self._units.quote(bid, ask, bid_size, ask_size, now_ns)
        except RowError as error:
            self._voice.leave_out(error)
            return 0
        figures = quote.bid_units, quote.ask_units, quote.bid_size_units, quote.ask_size_units
        if figures == self._figures and not is_news:
            return 0
        self._figures = figures
        await self._voice.deliver(quote, now_ns if event_ns is None else event_ns)
        return 1


def _is_none(figure: Any) -> bool:
    return figure is None or str(figure).strip("0.") == ""
