"""What is known of a session's bars: those in the making, and the history of closed ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from logos.core.bars.history import BarHistory
from logos.core.bars.maker import BarMaker
from logos.core.bars.wishes import Wishes, wishes_of
from logos.core.instrument_state import InstrumentState
from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.strategy import Strategy

SOURCES: Final[dict[str, type]] = {
    "bars": Bar,
    "quote_bars": QuoteBar,
    "trades": Trade,
    "quotes": Quote,
}
"""What bars can be made of, by the names that data sources have; in the order of preference."""

NO_HISTORY: Final = "no history is kept: set `history` in the strategy's class to a number of bars"


def source_of(event: Quote | Trade | Bar | QuoteBar) -> str:
    """The name in SOURCES of an event's kind."""
    kind = type(event)
    if kind is Bar:
        return "bars"
    if kind is QuoteBar:
        return "quote_bars"
    return "trades" if kind is Trade else "quotes"


@final
class SymbolBars:
    """One symbol's bars."""

    __slots__ = (
        "done_ns",
        "held",
        "histories",
        "index",
        "is_late_told",
        "is_waiting",
        "length_ns",
        "live_from_ns",
        "makers",
        "past_until_ns",
        "seen_from_ns",
        "source",
        "state",
    )

    def __init__(self, index: int, state: InstrumentState, wishes: Wishes) -> None:
        self.index = index
        self.state = state
        self.source: str = state.bars.source
        """A name of SOURCES; empty: the first kind that comes."""
        self.makers: list[BarMaker] = [
            BarMaker(length_ns, state.instrument) for length_ns in wishes.lengths_ns
        ]
        """One for each timeframe, finest first; the others are fed by the first."""
        count = max(1, len(self.makers)) if wishes.history else 0
        self.histories: list[BarHistory] = [BarHistory(wishes.history) for _ in range(count)]
        self.length_ns: int = 0
        """The length of the data's bars; 0: none seen yet."""
        self.seen_from_ns: int = -1
        """Since when the symbol is seen without a hole, past bars included; -1: not yet."""
        self.live_from_ns: int = -1
        """Since when its own events are seen; -1: not yet."""
        self.is_waiting: bool = False
        """Whether bars from before the session are still to come."""
        self.held: list[Bar | QuoteBar] = []
        """Bars of the finest timeframe that were closed meanwhile, and wait for those."""
        self.past_until_ns: int = 0
        """Up to when the past is known; bars that began before are left out without a word."""
        self.done_ns: int = 0
        """The end of the latest bar of the finest timeframe."""
        self.is_late_told: bool = False


@final
class BarBook:
    """The bars of one session, and which of them the strategy is being told."""

    __slots__ = ("_by_name", "level", "symbols", "wishes")

    def __init__(self, wishes: Wishes, states: Mapping[str, InstrumentState]) -> None:
        self.wishes = wishes
        self.symbols: list[SymbolBars] = [
            SymbolBars(index, state, wishes) for index, state in enumerate(states.values())
        ]
        self._by_name: dict[str, SymbolBars] = {
            each.state.instrument.symbol: each for each in self.symbols
        }
        self.level: int = -1
        """The timeframe of the bar that the strategy is being told, by its place; -1: none is."""

    def of(self, symbol: str) -> SymbolBars:
        """The bars of a symbol. Raises KeyError."""
        return self._by_name[symbol]

    @property
    def timeframe(self) -> str:
        """The timeframe of the bar that is being told; empty: none is, or it is the data's own."""
        if self.level < 0 or not self.wishes.timeframes:
            return ""
        return self.wishes.timeframes[self.level]

    def history(self, symbol: str, count: int, field: str, timeframe: str) -> list[float]:
        """See `strategy.Context.history`."""
        found = self._by_name[symbol]
        if not found.histories:
            raise ValueError(NO_HISTORY)
        level = max(self.level, 0)
        if timeframe:
            names = self.wishes.timeframes
            if timeframe not in names:
                known = ", ".join(names) or "the data's own alone"
                raise ValueError(f"history has no timeframe {timeframe!r}: the class has {known}")
            level = names.index(timeframe)
        return found.histories[level].latest(count, field)


def make_book(strategy: Strategy, states: Mapping[str, InstrumentState]) -> BarBook | None:
    """The book of a session whose strategy asks for bars, or whose bars have sources; else None.

    Raises ValueError for what the strategy cannot have.
    """
    wishes = wishes_of(strategy)
    is_needed = not wishes.is_nothing or any(state.bars.source for state in states.values())
    return BarBook(wishes, states) if is_needed else None
