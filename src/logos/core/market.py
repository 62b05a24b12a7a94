"""A market event meets the state of its instrument: prices, fills of the paper market, marks.

Fills come before the new prices are set: an order meets the event, and only then is the position
valued at what the event leaves. A price that cannot be one (crossed, or not positive) changes and
fills nothing.
"""

from __future__ import annotations

from typing import final

from logos.core.exits.keeper import Exits
from logos.core.instrument_state import LAST_TRADE, InstrumentState
from logos.core.matching import PaperMarket, Path, bar_points
from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.order_manager import OrderManager
from logos.core.safety import SafetyMonitor


@final
class Market:
    """Applies one session's market events to the states of their instruments."""

    __slots__ = (
        "_exits",
        "_order_manager",
        "_paper_market",
        "_rules",
        "_safety",
        "bad_price_count",
    )

    def __init__(
        self,
        order_manager: OrderManager,
        exits: Exits,
        safety: SafetyMonitor,
        paper_market: PaperMarket,
    ) -> None:
        self._order_manager = order_manager
        self._exits = exits
        self._safety = safety
        self._paper_market = paper_market
        self._rules = paper_market.rules
        self.bad_price_count: int = 0
        """Events whose prices were crossed or not positive."""

    def apply_quote(self, state: InstrumentState, quote: Quote) -> None:
        """Let the quote meet the open orders, then value the position at its bid or ask."""
        bid = quote.bid_units
        ask = quote.ask_units
        if not 0 < bid <= ask:
            self._see_bad_price(state)
            return
        state.two_sided = True
        paper_market = self._paper_market
        if self._rules.participation_rate:
            paper_market.offer(state, quote.ask_size_units, quote.bid_size_units, False)
        if state.working:
            self._match(state, Path(quote.ts_ns, [ask], [bid]))
        self._set_prices(state, bid, ask)

    def apply_trade(self, state: InstrumentState, trade: Trade) -> None:
        """As `apply_quote`, at the one price of a print; after quotes it is a mark only."""
        price = trade.price_units
        if price > 0:
            state.last_price = price
        if state.two_sided:
            self._see_trade(state)
            return
        if price <= 0:
            self._see_bad_price(state)
            return
        paper_market = self._paper_market
        if self._rules.participation_rate:
            paper_market.offer(state, trade.size_units, trade.size_units, True)
        if state.working:
            self._match(state, Path(trade.ts_ns, [price], [price]))
        self._set_prices(state, price, price)

    def apply_bar(self, state: InstrumentState, bar: Bar) -> None:
        """As `apply_quote`, along the bar's path, valued at its close; after quotes a mark only."""
        if bar.low_units > 0:
            state.last_price = bar.close_units
        if state.two_sided:
            self._see_trade(state)
            return
        if bar.low_units <= 0:
            self._see_bad_price(state)
            return
        paper_market = self._paper_market
        rules = self._rules
        if rules.participation_rate:
            paper_market.offer(state, bar.volume_units, bar.volume_units, True)
        if state.working:
            points = bar_points(
                bar.open_units, bar.high_units, bar.low_units, bar.close_units, rules.bar_path
            )
            self._match(state, Path(bar.opened_ns, points, points))
        self._set_prices(state, bar.close_units, bar.close_units)

    def apply_quote_bar(self, state: InstrumentState, bar: QuoteBar) -> None:
        """As `apply_bar`, with a path for each side."""
        is_crossed = (
            bar.bid_close_units > bar.ask_close_units or bar.bid_open_units > bar.ask_open_units
        )
        if is_crossed or bar.bid_low_units <= 0:
            self._see_bad_price(state)
            return
        state.two_sided = True
        paper_market = self._paper_market
        rules = self._rules
        if rules.participation_rate:
            paper_market.offer(state, bar.volume_units, bar.volume_units, True)
        if state.working:
            bids = bar_points(
                bar.bid_open_units,
                bar.bid_high_units,
                bar.bid_low_units,
                bar.bid_close_units,
                rules.bar_path,
            )
            asks = bar_points(
                bar.ask_open_units,
                bar.ask_high_units,
                bar.ask_low_units,
                bar.ask_close_units,
                rules.bar_path,
            )
            self._match(state, Path(bar.opened_ns, asks, bids))
        self._set_prices(state, bar.bid_close_units, bar.ask_close_units)

    def _match(self, state: InstrumentState, path: Path) -> None:
        """Let the event meet the open orders of its symbol."""
        exits = self._exits
        if self._order_manager.outbox is not None:
            exits.held.watch(state, path)
            return
        self._paper_market.match(state, path, exits)
        if exits.was_gate_closed:
            exits.was_gate_closed = False
            self._safety.see_switch("order")

    def _set_prices(self, state: InstrumentState, bid: int, ask: int) -> None:
        state.last_ns = self._order_manager.now_ns
        is_breached = state.set_prices(bid, ask)
        if state.working and state.ledger.limits.has_gross_limit:
            state.refresh_in_flight()  # what a flip could add depends on the mark
        if is_breached:
            self._safety.on_breach(state.ledger)

    def _see_trade(self, state: InstrumentState) -> None:
        """A trade beside quotes: it fills nothing, and may be what the position is valued at."""
        if state.mark_rule == LAST_TRADE and state.inventory.position and state.remark():
            self._safety.on_breach(state.ledger)

    def _see_bad_price(self, state: InstrumentState) -> None:
        """A bid above its ask, or a price that is not positive: warned of once, then counted."""
        self.bad_price_count += 1
        if self.bad_price_count == 1:
            words = "crossed or not positive; prices kept"
            self._order_manager.warn(state.instrument.symbol, "BAD_PRICE", words)
