"""Calls the methods of a strategy: which of them there are, and what comes out of them.

A method that the strategy does not override is not called: most hear one kind of event. Market
events are handed over by the engine itself, as most of a session's time goes there; all else goes
through `tell`.
"""

from __future__ import annotations

from typing import Any, Final, final

from logos.core.bars.book import BarBook
from logos.core.context import CoreContext
from logos.core.handlers.events import MarketHoursEvent, OrderEvent, Timer
from logos.core.messages import Backfill, EdgeEvent, MarketEvent, PastBar
from logos.core.order_manager import OrderManager
from logos.core.records import PaperFillRecord
from logos.core.strategy import Answer, Strategy
from logos.errors import StrategyError, strategy_failed

ANSWERS_MAX: Final = 10_000
"""Calls about fills and orders that may follow from one event before the strategy is taken to be
in a loop."""

Told = PaperFillRecord | OrderEvent | Timer | MarketHoursEvent


@final
class Callbacks:
    """The methods of one session's strategy; None: nobody is asked about that."""

    __slots__ = (
        "_context",
        "_keeper",
        "_order_manager",
        "_own",
        "_strategy",
        "is_asking",
        "on_bar",
        "on_quote",
        "on_trade",
    )

    def __init__(
        self, order_manager: OrderManager, context: CoreContext, strategy: Strategy
    ) -> None:
        """`strategy` is the session's own; nobody is asked before `ask`."""
        self._order_manager = order_manager
        self._context = context
        self._own = strategy
        self._keeper: Any = None  # a `bars.keeper.BarKeeper`, which needs what is made after this
        self._strategy: Any = strategy
        self.is_asking: bool = False
        """Whether anybody is asked."""
        self.on_quote: Any = None
        self.on_trade: Any = None
        self.on_bar: Any = None

    def ask(self, strategy: Strategy) -> None:
        """From now on, ask `strategy` about all that it has a method for."""
        kind = type(strategy)
        self._strategy = strategy
        self.is_asking = True
        self.on_quote = None if kind.on_quote is Strategy.on_quote else strategy.on_quote
        self.on_trade = None if kind.on_trade is Strategy.on_trade else strategy.on_trade
        self.on_bar = None if kind.on_bar is Strategy.on_bar else strategy.on_bar
        order_manager = self._order_manager
        order_manager.wants_fills = kind.on_fill is not Strategy.on_fill
        order_manager.wants_order_events = kind.on_order is not Strategy.on_order
        if self._keeper is not None:
            if strategy is self._own:
                self._keep(self._keeper)
            else:
                self._keeper.ask(None, None, None)

    def ask_nobody(self) -> None:
        """From now on, ask nobody; what nobody was told of yet is dropped."""
        self.is_asking = False
        self.on_quote = self.on_trade = self.on_bar = None
        self._order_manager.wants_fills = False
        self._order_manager.wants_order_events = False
        self._order_manager.news.clear()
        if self._keeper is not None:
            self._keep(self._keeper)

    # ---- bars that are made here ----

    def keep_bars(self, keeper: Any) -> None:
        """`keeper` makes the bars that the session's strategy asks for."""
        self._keeper = keeper

    def begin(self, ts_ns: int) -> None:
        """The session begins at `ts_ns`."""
        if self._keeper is not None:
            self._keeper.begin(ts_ns)

    def see(self, event: MarketEvent) -> None:
        """An event about which nobody is asked; bars are made of it all the same."""
        if self._keeper is not None:
            self._keeper.see(event)

    def hear(self, event: EdgeEvent) -> None:
        """What a live session hears besides market data: time closes bars, past ones are told."""
        keeper = self._keeper
        if keeper is None:
            return
        if type(event) is PastBar:
            keeper.hear_past(event)
        elif type(event) is Backfill:
            keeper.hear_backfill(event)
        keeper.see_time(event.ts_ns)

    @property
    def book(self) -> BarBook | None:
        """The session's bars; None: it makes none."""
        book: BarBook | None = None if self._keeper is None else self._keeper.book
        return book

    def find_due(self) -> None:
        """Work out anew when which bar ends, after the bars were put in place."""
        if self._keeper is not None:
            self._keeper.find_due()

    def _keep(self, keeper: Any) -> None:
        """Let the keeper of bars hear everything, and ask those that were to be asked."""
        keeper.ask(self.on_quote, self.on_trade, self.on_bar)
        self.on_bar = keeper.on_bar
        if keeper.needs_ticks:
            self.on_quote = keeper.on_quote
            self.on_trade = keeper.on_trade

    # ---- all else ----

    @property
    def hears_hours(self) -> bool:
        """Whether the strategy has a method about the opening or closing of markets."""
        kind = type(self._strategy)
        opens = kind.on_session_open is not Strategy.on_session_open
        return opens or kind.on_session_close is not Strategy.on_session_close

    def start(self) -> Answer:
        """What the strategy's `on_start` answers. Raises StrategyError."""
        answer: Answer = None
        try:
            answer = self._strategy.on_start(self._context)
        except BaseException as error:
            raise strategy_failed("on_start", error) from error
        return answer

    def stop(self) -> Answer:
        """What the strategy's `on_stop` answers. Raises StrategyError."""
        answer: Answer = None
        try:
            answer = self._strategy.on_stop(self._context)
        except BaseException as error:
            raise strategy_failed("on_stop", error) from error
        return answer

    def tell(self, news: Told) -> Answer:
        """What the strategy answers to what is no market data. Raises StrategyError."""
        answer: Answer = None
        name = "on_fill"
        try:
            if type(news) is PaperFillRecord:
                answer = self._strategy.on_fill(self._context, news)
            elif type(news) is OrderEvent:
                name = "on_order"
                answer = self._strategy.on_order(self._context, news)
            elif type(news) is Timer:
                name = "on_timer"
                answer = self._strategy.on_timer(self._context, news)
            elif news.is_open:  # type: ignore[union-attr]
                name = "on_session_open"
                answer = self._strategy.on_session_open(self._context, news.symbol)
            else:
                name = "on_session_close"
                answer = self._strategy.on_session_close(self._context, news.symbol)
        except BaseException as error:
            raise strategy_failed(name, error) from error
        return answer

    def check_count(self, told: int, news: Told) -> None:
        """Raise StrategyError when the strategy answers without end to what its answers did."""
        if told <= ANSWERS_MAX:
            return
        if type(news) is PaperFillRecord:
            raise StrategyError("on_fill keeps ordering on every fill of one event")
        raise StrategyError("on_order keeps answering to what became of its own answers")
