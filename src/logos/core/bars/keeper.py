"""Makes the bars that a strategy's class asks for, keeps their history, and asks the strategy.

It stands between the engine and the strategy's methods, and only where a class asks for timeframes,
a history or a warm-up, or where a symbol has bars of two kinds: every other session has none.

A bar is told once it is closed and not before: one made of trades or quotes at the first event, of
any symbol, at or after its end; one made of shorter bars with the one that ends it, or with the
next one of its symbol where that is missing. Bars that close together are told in the order of
their end, the finest first, then in the session's order of symbols. The event that closes a bar has
met the market before the bar is told, and belongs to the next one. A bar whose beginning was not
seen is not told.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any, final

from logos.core.bars.book import SOURCES, BarBook, SymbolBars, source_of
from logos.core.bars.maker import BarMaker
from logos.core.bars.spans import span_text
from logos.core.bars.wishes import Wishes
from logos.core.context import CoreContext
from logos.core.messages import Backfill, Bar, PastBar, Quote, QuoteBar, Trade
from logos.core.order_manager import OrderManager
from logos.core.pipeline import OrderPipeline
from logos.core.prices.watch import can_be_prices
from logos.core.records import WarmUpRecord
from logos.core.safety import SafetyMonitor
from logos.core.strategy import Answer
from logos.core.types import NEVER_NS
from logos.errors import StrategyError, strategy_failed


@final
class BarKeeper:
    """The bars of one session. `on_quote`, `on_trade` and `on_bar` stand for the strategy's."""

    __slots__ = (
        "_context",
        "_due",
        "_on_bar",
        "_on_quote",
        "_on_trade",
        "_order_manager",
        "_pipeline",
        "_safety",
        "book",
        "due_ns",
    )

    def __init__(
        self,
        book: BarBook,
        order_manager: OrderManager,
        safety: SafetyMonitor,
        pipeline: OrderPipeline,
        context: CoreContext,
    ) -> None:
        self.book = book
        self._order_manager = order_manager
        self._safety = safety
        self._pipeline = pipeline
        self._context = context
        self._on_quote: Any = None
        self._on_trade: Any = None
        self._on_bar: Any = None
        self._due: list[tuple[int, int, int]] = []
        """When which open bar of trades or quotes ends, its timeframe and symbol; a heap."""
        self.due_ns: int = NEVER_NS
        """When the next of them ends."""

    @property
    def needs_ticks(self) -> bool:
        """Whether quotes and trades matter to the bars or to the warm-up."""
        return bool(self.book.wishes.timeframes) or self.book.wishes.warmup_ns > 0

    def begin(self, ts_ns: int) -> None:
        """The session begins at `ts_ns`: so does its warm-up."""
        wishes = self.book.wishes
        for found in self.book.symbols:
            found.state.bars.begin_warm_up(ts_ns, wishes.warmup_bars, wishes.warmup_ns)

    def ask(self, on_quote: Any, on_trade: Any, on_bar: Any) -> None:
        """From now on, tell events and bars to these; None: nobody is told."""
        self._on_quote = on_quote
        self._on_trade = on_trade
        self._on_bar = on_bar

    # ---- events, which have met the market ----

    def on_quote(self, context: CoreContext, quote: Quote) -> Answer:
        """A quote: bars that it closes, and then itself."""
        self.see(quote)
        if self._safety.is_halted:
            return ()  # no answer, and the engine looks at what has become of the session
        return None if self._on_quote is None else self._on_quote(context, quote)

    def on_trade(self, context: CoreContext, trade: Trade) -> Answer:
        """As `on_quote`."""
        self.see(trade)
        if self._safety.is_halted:
            return ()
        return None if self._on_trade is None else self._on_trade(context, trade)

    def on_bar(self, _context: CoreContext, bar: Bar | QuoteBar) -> Answer:
        """A bar of the data: told as it is where no timeframes are asked for."""
        self.see(bar)
        return None

    def see(self, event: Quote | Trade | Bar | QuoteBar) -> None:
        """Take an event in, and tell the bars that it closes. Raises StrategyError."""
        self.see_time(event.ts_ns)
        found = self.book.of(event.symbol)
        kind = type(event)
        if found.state.bars.is_warming:
            self._end_warm_up(found)
        if found.source == "":
            if kind is not Bar and kind is not QuoteBar and not found.makers:
                return
            found.source = source_of(event)
            self.find_due()
        if kind is not SOURCES[found.source]:
            return
        if not can_be_prices(event, found.state.watch.lowest):
            return
        if type(event) is Bar or type(event) is QuoteBar:
            self._see_bar(found, event)
        elif found.makers:
            maker = self._tick_maker(found, event.ts_ns)
            was_open = maker.is_open
            is_in = False
            if type(event) is Quote:
                is_in = maker.add_quote(event.ts_ns, event.bid_units, event.ask_units)
            elif type(event) is Trade:
                is_in = maker.add_price(event.ts_ns, event.price_units, event.size_units)
            if is_in and not was_open:
                self._expect(maker.end_ns, 0, found.index)

    def see_time(self, now_ns: int) -> None:
        """Time has come to `now_ns`: tell the bars of trades and quotes that end by then."""
        while self.due_ns <= now_ns:
            _, level, index = heappop(self._due)
            self.due_ns = self._due[0][0] if self._due else NEVER_NS
            self._finish(self.book.symbols[index], level, True)

    def _tick_maker(self, found: SymbolBars, ts_ns: int) -> BarMaker:
        if found.live_from_ns < 0:
            self._join(found, ts_ns)
        return found.makers[0]

    def _join(self, found: SymbolBars, ts_ns: int) -> None:
        """The symbol is seen from now on."""
        is_known = found.past_until_ns and not found.is_waiting
        found.live_from_ns = min(ts_ns, found.past_until_ns) if is_known else ts_ns
        if found.seen_from_ns < 0:
            found.seen_from_ns = ts_ns

    def _expect(self, end_ns: int, level: int, index: int) -> None:
        heappush(self._due, (end_ns, level, index))
        self.due_ns = self._due[0][0]

    def _see_bar(self, found: SymbolBars, bar: Bar | QuoteBar) -> None:
        """A bar of the data: part of longer ones, or told as it is."""
        shorter_ns = found.state.bars.length_ns
        if found.makers and shorter_ns not in (0, bar.interval_ns):
            return  # the shorter ones, of which the timeframes are made, say the same
        if found.length_ns == 0:
            found.length_ns = bar.interval_ns
            if found.makers:
                check_length(self.book.wishes, bar.symbol, bar.interval_ns)
        closed_ns = bar.closed_ns or bar.ts_ns
        opened_ns = closed_ns - found.length_ns
        if found.live_from_ns < 0:
            self._join(found, opened_ns)
        if opened_ns < found.past_until_ns:
            return  # it was among the past bars
        if not found.makers:
            if found.is_waiting:
                found.held.append(bar)
            else:
                self._tell(found, 0, bar, False)
            return
        if opened_ns < found.done_ns:
            self._tell_late(found)
            return
        self._finish_until(found, opened_ns)
        found.makers[0].add_bar(opened_ns, bar)
        self._finish_until(found, closed_ns)

    def _tell_late(self, found: SymbolBars) -> None:
        """A bar of the data came after the bar that it was a part of: it is left out."""
        if not found.is_late_told:
            found.is_late_told = True
            words = "a bar came again, or too late for the longer one that it was a part of"
            self._order_manager.warn(found.state.instrument.symbol, "LATE_BAR", words)

    # ---- bars from before the session ----

    def hear_backfill(self, event: Backfill) -> None:
        """A symbol's past bars begin to come, or all of them have come."""
        found = self.book.of(event.symbol)
        if not event.is_over:
            found.is_waiting = True
            return
        found.is_waiting = False
        found.past_until_ns = max(found.past_until_ns, event.until_ns)
        if event.detail:
            self._order_manager.warn(event.symbol, "BACKFILL", event.detail)
        held = found.held
        found.held = []
        first_ns = held[0].opened_ns if held else max(found.live_from_ns, event.until_ns)
        if event.until_ns == 0 or (found.live_from_ns >= 0 and found.past_until_ns < first_ns):
            # Between the past and what was seen lies a hole: longer bars begin behind it.
            found.seen_from_ns = first_ns
        for bar in held:
            if not found.makers:
                if (bar.closed_ns or bar.ts_ns) - found.length_ns >= found.past_until_ns:
                    self._tell(found, 0, bar, False)
            elif bar.opened_ns >= found.past_until_ns:
                self._take_finest(found, bar, False)
        self.find_due()

    def hear_past(self, event: PastBar) -> None:
        """A bar from before the session, of the finest timeframe. One that came is left out."""
        found = self.book.of(event.symbol)
        bar = event.bar
        if bar.opened_ns < found.past_until_ns or bar.opened_ns < found.done_ns:
            return
        found.past_until_ns = bar.ts_ns
        if found.seen_from_ns < 0 or bar.opened_ns < found.seen_from_ns:
            found.seen_from_ns = bar.opened_ns
        if found.makers:
            self._take_finest(found, bar, True)
        else:
            self._tell(found, 0, bar, True)

    def _take_finest(self, found: SymbolBars, bar: Bar | QuoteBar, is_past: bool) -> None:
        """A closed bar of the finest timeframe whose end is past: it closes longer ones as well."""
        self._finish_until(found, bar.opened_ns, 1)
        found.done_ns = bar.ts_ns
        for longer in found.makers[1:]:
            longer.add_bar(bar.opened_ns, bar)
        self._tell(found, 0, bar, is_past)
        self._finish_until(found, bar.ts_ns, 1)

    # ---- bars that are closed ----

    def _finish_until(self, found: SymbolBars, now_ns: int, first: int = 0) -> None:
        """Close what ends by `now_ns` of the timeframes from place `first` on, in the order of the
        ends, the finest first."""
        while True:
            level = -1
            for place in range(first, len(found.makers)):
                maker = found.makers[place]
                is_due = maker.is_open and maker.end_ns <= now_ns
                if is_due and (level < 0 or maker.end_ns < found.makers[level].end_ns):
                    level = place
            if level < 0:
                return
            self._finish(found, level, False)

    def _finish(self, found: SymbolBars, level: int, is_timed: bool) -> None:
        """Close one bar, feed the longer ones with it, and tell it; `is_timed`: the longer ones
        end with time."""
        maker = found.makers[level]
        start_ns = maker.start_ns
        if level == 0 and found.is_waiting:
            bar = maker.finish()
            if start_ns >= found.live_from_ns:
                found.held.append(bar)
            return
        bar = maker.finish()
        if level == 0:
            if start_ns < found.past_until_ns:
                return  # the past had it whole
            found.done_ns = bar.ts_ns
            for place in range(1, len(found.makers)):
                longer = found.makers[place]
                was_open = longer.is_open
                if longer.add_bar(start_ns, bar) and is_timed and not was_open:
                    self._expect(longer.end_ns, place, found.index)
        if start_ns >= (found.live_from_ns if level == 0 else found.seen_from_ns):
            self._tell(found, level, bar, False)

    def _tell(self, found: SymbolBars, level: int, bar: Bar | QuoteBar, is_past: bool) -> None:
        """Keep a bar that is closed, and tell it to the strategy unless nobody is to be asked."""
        if found.histories:
            found.histories[level].add(bar)
        safety = self._safety
        if self._on_bar is not None and not safety.is_halted and not safety.is_blocking:
            self.book.level = level
            try:
                answer: Answer = self._on_bar(self._context, bar)
            except BaseException as error:
                raise strategy_failed("on_bar", error) from error
            finally:
                self.book.level = -1
            if answer is not None:
                self._pipeline.carry_out(found.state, answer)
                if self._order_manager.is_unsettled:
                    self._pipeline.settle()
        if level == 0 and found.state.bars.is_warming:
            found.state.bars.note_bar(bar.opened_ns, is_past)
            self._end_warm_up(found)

    def _end_warm_up(self, found: SymbolBars) -> None:
        """Record that the symbol's warm-up is over, if it is."""
        terms = found.state.bars
        order_manager = self._order_manager
        if terms.warming_words(order_manager.now_ns):
            return
        terms.is_warming = False
        order_manager.effects.append(
            WarmUpRecord(
                order_manager.now_ns,
                order_manager.tick_id,
                found.state.instrument.symbol,
                terms.warm_since_ns,
                terms.bars_seen,
                terms.past_bars_seen,
            )
        )

    def find_due(self) -> None:
        """Work out anew when which bar ends, after the bars were put in place."""
        self._due = [
            (maker.end_ns, level, each.index)
            for each in self.book.symbols
            if each.source == "trades" or each.source == "quotes"
            for level, maker in enumerate(each.makers)
            if maker.is_open and (level == 0 or not each.is_waiting)
        ]
        heapify(self._due)
        self.due_ns = self._due[0][0] if self._due else NEVER_NS


def check_length(wishes: Wishes, symbol: str, length_ns: int) -> None:
    """Refuse data of which no timeframe can be made. Raises StrategyError."""
    finest_ns = wishes.lengths_ns[0]
    if length_ns <= 0 or length_ns > finest_ns or finest_ns % length_ns:
        raise StrategyError(cannot_make(wishes.timeframes[0], symbol, length_ns))


def cannot_make(timeframe: str, symbol: str, length_ns: int) -> str:
    """Why bars of that length are of no use for a timeframe."""
    return (
        f"timeframes: {symbol} has bars of {span_text(length_ns)}, of which no bar of {timeframe} "
        "can be made"
    )
