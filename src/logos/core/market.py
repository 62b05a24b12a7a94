"""A market event meets the state of its instrument: prices, fills of the paper market, marks.

Fills come before the new prices are set: an order meets the event, and only then is the position
valued at what the event leaves. A price that cannot be one (crossed, or not positive), and one that
is not believed (`prices`), change and fill nothing. An instrument with hours fills nothing outside
of them.
"""

from __future__ import annotations

from typing import Any, Final, final

import msgspec

from logos.core.exits.keeper import Exits
from logos.core.instrument_state import InstrumentState
from logos.core.matching import PaperMarket, Path, bar_points
from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.order_manager import OrderManager
from logos.core.prices.sanity import PriceSanity
from logos.core.prices.watch import QUIET_NS, Four, can_be_prices
from logos.core.safety import SafetyMonitor
from logos.core.terms.marks import LAST_TRADE

# Compiled code would look imported classes up for every event.
BAR: Final = Bar
TRADE: Final = Trade
QUOTE_BAR: Final = QuoteBar

# Such code looks each attribute of a struct up by its name as well: a bar is taken apart at once.
_astuple: Final = msgspec.structs.astuple
_BarFields = tuple[int, str, int, int, int, int, int, int, object, object]

_NO_PRICE: Final = "the latest event's price was crossed or not positive"


@final
class Market:
    """Applies one session's market events to the states of their instruments."""

    __slots__ = (
        "_exits",
        "_order_manager",
        "_paper_market",
        "_rules",
        "_safety",
        "_sanity",
        "bad_price_count",
    )

    def __init__(
        self,
        order_manager: OrderManager,
        exits: Exits,
        safety: SafetyMonitor,
        paper_market: PaperMarket,
    ) -> None:
        self._sanity = PriceSanity(order_manager)
        self._order_manager = order_manager
        self._exits = exits
        self._safety = safety
        self._paper_market = paper_market
        self._rules = paper_market.rules
        if paper_market.rules.participation_rate:
            for state in order_manager.states.values():
                state.watch.sees_all = True
        self.bad_price_count: int = 0
        """Events whose prices were crossed or not positive."""

    def apply(self, state: InstrumentState, kind: type, event: Any) -> None:
        """Let a bar or a print of this `kind` meet the open orders, then value the position."""
        if kind is BAR:
            self.apply_bar(state, event)
        elif kind is TRADE:
            self.apply_trade(state, event)
        else:
            self.apply_quote_bar(state, event)

    def apply_quote(self, state: InstrumentState, quote: Quote) -> None:
        """Let the quote meet the open orders, then value the position at its bid or ask."""
        bid = quote.bid_units
        ask = quote.ask_units
        ts_ns = quote.ts_ns
        if not state.calm_low <= bid <= ask <= state.calm_high:
            if not state.watch.lowest <= bid <= ask:
                self._see_bad_price(state)
                return
            if not self._sanity.believes_quote(state, bid, ask, ts_ns):
                return
        state.two_sided = True
        paper_market = self._paper_market
        if self._rules.participation_rate:
            paper_market.offer(state, quote.ask_size_units, quote.bid_size_units, False)
        if state.working:
            self._match_point(state, ts_ns, ask, bid)
        self._set_prices(state, bid, ask)

    def apply_trade(self, state: InstrumentState, trade: Trade) -> None:
        """As `apply_quote`, at the one price of a print; after quotes it is a mark only."""
        price = trade.price_units
        if state.two_sided:
            self._see_trade(state, price)
            return
        ts_ns = trade.ts_ns
        if not state.calm_low <= price <= state.calm_high:
            if price < state.watch.lowest:
                self._see_bad_price(state)
                return
            if not self._sanity.believes_quote(state, price, price, ts_ns):
                return
        state.last_price = price
        paper_market = self._paper_market
        if self._rules.participation_rate:
            paper_market.offer(state, trade.size_units, trade.size_units, True)
        if state.working:
            self._match_point(state, ts_ns, price, price)
        self._set_prices(state, price, price)

    def apply_bar(self, state: InstrumentState, bar: Bar) -> None:
        """As `apply_quote`, along the bar's path, valued at its close; after quotes a mark only."""
        fields: _BarFields = _astuple(bar)
        ts_ns, _, interval_ns, opened_at, high, low, close, volume, _, _ = fields
        if state.two_sided:
            self._see_trade(state, close if low >= state.watch.lowest else 0)
            return
        if low < state.watch.lowest:
            self._see_bad_price(state)
            return
        opened_ns = ts_ns - interval_ns
        bars = state.bars
        if bars.length_ns and bars.is_seen(opened_ns, interval_ns, state.last_ns):
            return
        is_calm = state.calm_low <= low <= high <= state.calm_high
        if is_calm and opened_ns - state.last_ns <= QUIET_NS:
            state.watch.interval_ns = interval_ns  # as `believes_bar` finds, by far most often
        else:
            prices = (opened_at, high, low, close)
            if not self._sanity.believes_bar(state, prices, prices, opened_ns, interval_ns):
                return
        state.last_price = close
        if self._rules.participation_rate:
            self._paper_market.offer(state, volume, volume, True)
        if state.working:
            prices = (opened_at, high, low, close)
            self._match_bar(state, prices, prices, opened_ns, ts_ns)
        self._set_prices(state, close, close)

    def apply_quote_bar(self, state: InstrumentState, bar: QuoteBar) -> None:
        """As `apply_bar`, with a path for each side."""
        if not can_be_prices(bar, state.watch.lowest):
            self._see_bad_price(state)
            return
        if state.bars.is_seen(bar.opened_ns, bar.interval_ns, state.last_ns):
            return
        bids = (bar.bid_open_units, bar.bid_high_units, bar.bid_low_units, bar.bid_close_units)
        asks = (bar.ask_open_units, bar.ask_high_units, bar.ask_low_units, bar.ask_close_units)
        if not self._sanity.believes_bar(state, bids, asks, bar.opened_ns, bar.interval_ns):
            return
        state.two_sided = True
        if self._rules.participation_rate:
            self._paper_market.offer(state, bar.volume_units, bar.volume_units, True)
        if state.working:
            self._match_bar(state, bids, asks, bar.opened_ns, bar.ts_ns)
        self._set_prices(state, bar.bid_close_units, bar.ask_close_units)

    def _match_point(self, state: InstrumentState, ts_ns: int, ask: int, bid: int) -> None:
        """Let a quote or a print meet the open orders; outside of the hours it only ends days."""
        if state.instrument.is_open(ts_ns):
            self._match(state, Path(ts_ns, [ask], [bid]))
        else:
            self._paper_market.end_days(state, ts_ns, self._exits)

    def _match_bar(
        self, state: InstrumentState, bids: Four, asks: Four, opened_ns: int, ts_ns: int
    ) -> None:
        """Let a bar's believed prices meet the open orders; say which ones the others would have
        filled."""
        if not state.instrument.is_open_in(opened_ns, ts_ns):
            self._paper_market.end_days(state, opened_ns, self._exits)
            return
        watch = state.watch
        shown_bids, shown_asks = watch.believed_ends(bids, asks)
        path = self._rules.bar_path
        bid_points = bar_points(shown_bids, path)
        ask_points = bid_points if asks is bids or asks == bids else bar_points(shown_asks, path)
        self._match(state, Path(opened_ns, ask_points, bid_points))
        if state.working and (shown_bids != bids or shown_asks != asks):
            self._sanity.hold_ends(state, bids, asks, opened_ns)

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
        state.bid = bid
        state.ask = ask
        is_breached = state.inventory.position != 0 and state.remark()
        if state.working and state.ledger.limits.has_gross_limit:
            state.refresh_in_flight()  # what a flip could add depends on the mark
        if is_breached:
            self._safety.on_breach(state.ledger)

    def _see_trade(self, state: InstrumentState, price: int) -> None:
        """A trade beside quotes: it fills nothing, and may be what the position is valued at."""
        if not state.instrument.can_be(price) or not state.watch.counts_beside(
            state.bid + state.ask, price
        ):
            return
        state.last_price = price
        if state.mark_rule == LAST_TRADE and state.inventory.position and state.remark():
            self._safety.on_breach(state.ledger)

    def _see_bad_price(self, state: InstrumentState) -> None:
        """A bid above its ask, or a price that is not positive: warned of once, then counted."""
        self.bad_price_count += 1
        self._sanity.see_no_price(state, _NO_PRICE)
        if self.bad_price_count == 1:
            words = "crossed or not positive; prices kept"
            self._order_manager.warn(state.instrument.symbol, "BAD_PRICE", words)
