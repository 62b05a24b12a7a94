"""Bars of one length of time."""

from __future__ import annotations

from typing import Any, Final, Self

from logos.core.bars.maker import BarMaker
from logos.core.bars.spans import span_ns, span_text
from logos.core.messages import Bar, MarketEvent, Quote, QuoteBar, Trade
from logos.core.prices.watch import can_be_prices, lowest_price

_FIELDS: Final = (
    *("is_open", "is_two_sided", "start_ns", "end_ns", "volume"),
    *("open", "high", "low", "close", "ask_open", "ask_high", "ask_low", "ask_close"),
)


class TimeBars:
    """Bars of `length` ("30s", "5m", "1h", "1d", "1w"), from multiples of it since 1970 UTC on, or
    from the open where the instrument has hours; see `Strategy.timeframes`, whose bars they are.

    `seen_from_ns`: since when all that happened is given to it; -1: from its first event on. Raises
    ValueError for a length that is none.
    """

    def __init__(self, length: str, seen_from_ns: int = -1) -> None:
        self.length_ns = span_ns(length)
        self._maker: BarMaker | None = None
        self._saved: dict[str, Any] = {}
        """What a maker is to become at the next event, which has the instrument."""
        self._seen_from_ns = seen_from_ns
        self._done_ns = 0

    def add(self, event: MarketEvent) -> list[Bar | QuoteBar]:
        """Take one event in; the bars that it closes, oldest first.

        A bar of trades or quotes is closed by the first event after it, which belongs to the next;
        a bar of bars by the one that ends it. The first bar is left out unless it was seen from its
        beginning. Raises ValueError for bars of which none of this length can be made.
        """
        maker = self._maker or self._begin(event)
        opened_ns = event.ts_ns
        if isinstance(event, Bar | QuoteBar):
            if event.interval_ns <= 0 or self.length_ns % event.interval_ns:
                raise ValueError(
                    f"no bar of {span_text(self.length_ns)} can be made of bars of "
                    f"{span_text(event.interval_ns)}"
                )
            opened_ns = event.opened_ns
        if opened_ns < self._done_ns:
            return []  # it came again, or too late
        closed = self._close(opened_ns)
        if self._seen_from_ns < 0:
            self._seen_from_ns = opened_ns
        if not can_be_prices(event, lowest_price(event.instrument)):
            return closed
        if isinstance(event, Quote):
            maker.add_quote(event.ts_ns, event.bid_units, event.ask_units)
        elif isinstance(event, Trade):
            maker.add_price(event.ts_ns, event.price_units, event.size_units)
        else:
            maker.add_bar(opened_ns, event)
            closed += self._close(event.ts_ns)
        return closed

    def finish(self, now_ns: int) -> list[Bar | QuoteBar]:
        """No more events will come, and all up to `now_ns` (nanoseconds UTC) did: the bar that was
        open and has ended by then, if any."""
        return self._close(now_ns)

    def _begin(self, event: MarketEvent) -> BarMaker:
        maker = self._maker = BarMaker(self.length_ns, event.instrument)
        for name, value in self._saved.items():
            setattr(maker, name, value)
        return maker

    def _close(self, now_ns: int) -> list[Bar | QuoteBar]:
        """The bar that has ended by `now_ns`, if any."""
        maker = self._maker
        if maker is None or not maker.is_open or maker.end_ns > now_ns:
            return []
        is_whole = maker.start_ns >= self._seen_from_ns
        self._done_ns = maker.end_ns
        bar = maker.finish()
        return [bar] if is_whole else []

    def save(self) -> dict[str, Any]:
        """All that it remembers, as JSON data."""
        maker = self._maker
        made = self._saved if maker is None else {name: getattr(maker, name) for name in _FIELDS}
        return {"maker": made, "seen_from_ns": self._seen_from_ns, "done_ns": self._done_ns}

    def load(self, state: dict[str, Any]) -> Self:
        """Become what `save` told; of one made with the same length. Returns itself.

        Raises KeyError for a state that lacks something.
        """
        self._maker, self._saved = None, dict(state["maker"])
        self._seen_from_ns, self._done_ns = state["seen_from_ns"], state["done_ns"]
        return self
