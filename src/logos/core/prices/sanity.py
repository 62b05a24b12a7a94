"""What follows when a price is no market: nothing fills, nothing is valued at it, and it is said.

The first event of a symbol whose price does not count leaves a warning (`PRICE_DOUBTED`), and every
order that such a price would have filled leaves one each time (`FILL_HELD_BACK`). The orders wait
for a price that counts. What looks like a split stops the symbol (`SPLIT_SUSPECTED`): its orders
are cancelled, nothing more is ordered in it, and its position keeps the value it had, until an
operator lets it trade on. The first time that bars of a symbol are missing while it is held or
ordered is told too (`PRICE_GAP`).
"""

from __future__ import annotations

from typing import Final, final

from logos.core.exits.lost import lose_exits
from logos.core.instrument_state import InstrumentState
from logos.core.matching import is_limit_active, touches_stop, within_limit
from logos.core.order_manager import OrderManager
from logos.core.orders import Order
from logos.core.prices.actions import CorporateActions
from logos.core.prices.watch import QUIET_NS, Four
from logos.core.types import NS_PER_DAY, NS_PER_SECOND, Code, OrderStatus, OrderType

_DOUBTED: Final = "PRICE_DOUBTED"
_HELD: Final = "FILL_HELD_BACK"
_GAP: Final = "PRICE_GAP"
_STEADY_NS: Final = NS_PER_DAY // 2
_SPLIT: Final = "SPLIT_SUSPECTED"


@final
class PriceSanity:
    """Judges the prices of one session's market events, and holds back what they may not fill."""

    __slots__ = ("_actions", "_order_manager")

    def __init__(self, order_manager: OrderManager) -> None:
        self._order_manager = order_manager
        self._actions = CorporateActions(order_manager)

    def believes_quote(self, state: InstrumentState, bid: int, ask: int, ts_ns: int) -> bool:
        """Whether orders may meet a bid and an ask (equal for a print), in price units."""
        watch = state.watch
        if watch.next_action_ns <= ts_ns:
            self._actions.apply_due(state, ts_ns)
        if watch.is_stopped:
            return False
        if watch.believes_quote(state.bid + state.ask, state.last_ns, bid, ask, ts_ns):
            return self._accept(state, bid, ask)
        state.see_calm()
        self._doubt(state)
        self.hold_back(state, (ask, ask), (bid, bid), ts_ns)
        return False

    def believes_bar(
        self,
        state: InstrumentState,
        bids: Four,
        asks: Four,
        opened_ns: int,
        interval_ns: int,
    ) -> bool:
        """As `believes_quote`, of a bar's open, high, low and close for each side."""
        watch = state.watch
        watch.interval_ns = interval_ns
        low, high = state.calm_low, state.calm_high
        if low <= bids[2] and bids[1] <= high and low <= asks[2] and asks[1] <= high:
            # None of its prices need be judged: what is left is whether bars are missing before it.
            if not watch.is_gap_told and opened_ns - state.last_ns > QUIET_NS:
                self._see_gap(state, opened_ns, bids[0])
            return True
        if watch.next_action_ns <= opened_ns:
            self._actions.apply_due(state, opened_ns)
        if watch.is_stopped:
            return False
        ends = (bids[0], bids[3]), (asks[0], asks[3])
        if watch.believes_bar(state.bid + state.ask, state.last_ns, *ends, opened_ns):
            if not self._accept(state, bids[0], asks[0]):
                return False
            if not watch.is_gap_told:
                self._see_gap(state, opened_ns, bids[0])
            return True
        state.see_calm()
        self._doubt(state)
        self.hold_back(state, (asks[2], asks[1]), (bids[2], bids[1]), opened_ns)
        return False

    def see_no_price(self, state: InstrumentState, words: str) -> None:
        """The event shows no price at all: nothing may fill at the last one meanwhile."""
        state.watch.doubt_all(words)
        state.see_calm()

    def _accept(self, state: InstrumentState, bid: int, ask: int) -> bool:
        """The price counts, unless it looks like a split: then the symbol stands still."""
        split = state.watch.split
        if split is not None:
            self._stop(state, split, bid)
            return False
        state.calm_low, state.calm_high = state.watch.calm_range(bid, ask)
        return True

    def _see_gap(self, state: InstrumentState, opened_ns: int, bid: int) -> None:
        """Warn, once, when bars were missing while the symbol was open, held or ordered.

        A market that has not traded for twelve hours on end before has breaks of its own.
        """
        instrument = state.instrument
        watch = state.watch
        gap_ns = opened_ns - state.last_ns
        if state.bid and gap_ns <= watch.quiet_limit_ns():
            return
        since_ns = watch.steady_since_ns
        watch.steady_since_ns = opened_ns
        is_concerned = state.inventory.position != 0 or len(state.working) > 0
        if state.bid == 0 or not is_concerned or state.last_ns - since_ns < _STEADY_NS:
            return
        if not instrument.has_been_open(state.last_ns, opened_ns):
            return
        watch.is_gap_told = True
        text = instrument.price_text
        words = (
            f"no bar for {gap_ns // NS_PER_SECOND} s, with "
            f"{instrument.quantity_text(state.inventory.position)} held and {len(state.working)} "
            f"orders open: {text(state.bid)} was followed by {text(bid)}"
        )
        self._order_manager.warn(instrument.symbol, _GAP, words)

    def _doubt(self, state: InstrumentState) -> None:
        if not state.watch.is_told:
            state.watch.is_told = True
            self._order_manager.warn(state.instrument.symbol, _DOUBTED, state.watch.doubt)

    def _stop(self, state: InstrumentState, split: tuple[int, int], bid: int) -> None:
        order_manager = self._order_manager
        state.watch.is_stopped = True
        state.is_paused = True
        state.see_calm()
        order_manager.set_target(state, None)
        lose_exits(order_manager, state, Code.CANCELLED_BY_GUARD)
        for order in list(state.working):
            order_manager.cancel(order, Code.CANCELLED_BY_GUARD)
        instrument = state.instrument
        text = instrument.price_text
        words = (
            f"{text(state.bid)} was followed by {text(bid)}: it looks like a split of "
            f"{split[0]} for {split[1]}; nothing is ordered in it any more, and what is held keeps "
            "its last value. Give the split in the settings (splits); live, `logos pause ID "
            f"--symbol {instrument.symbol} --undo` lets it trade on"
        )
        order_manager.warn(instrument.symbol, _SPLIT, words)

    # ---- orders that are held back ----

    def hold_back(
        self,
        state: InstrumentState,
        asks: tuple[int, int],
        bids: tuple[int, int],
        opened_ns: int,
    ) -> None:
        """Say of every open order that prices from the lower to the higher of its side would have
        filled that they do not, because of the watch's doubt."""
        is_paper = self._order_manager.outbox is None
        for order in state.working:
            if not is_paper and order.status is not OrderStatus.HELD:
                continue  # the venue fills it as it finds right
            has_come = order.arrival_ns <= opened_ns
            if not has_come or 0 <= order.cancel_at_ns <= opened_ns:
                continue
            low, high = asks if order.is_buy else bids
            if _would_fill(order, low, high):
                self._say_held(state, order, state.watch.doubt)

    def hold_ends(self, state: InstrumentState, bids: Four, asks: Four, opened_ns: int) -> None:
        """The same of a bar's highs and lows that did not count, after the others were met."""
        watch = state.watch
        watch.episode += 1
        shown_bids, shown_asks = watch.believed_ends(bids, asks)
        for shown, side, is_buy in ((shown_asks, asks, True), (shown_bids, bids, False)):
            for place, name in ((1, "high"), (2, "low")):
                if shown[place] == side[place]:
                    continue
                price = state.instrument.price_text(side[place])
                words = f"a {name} of {price} is further than the band from open and close"
                if bids[place] > asks[place]:
                    words = f"a {name} of {price} is crossed by the other side's"
                for order in state.working:
                    is_met = order.is_buy is is_buy and order.arrival_ns <= opened_ns
                    if is_met and _would_fill(order, side[place], side[place]):
                        self._say_held(state, order, words)

    def may_meet(self, state: InstrumentState, order: Order) -> bool:
        """Whether an order that was just made may fill at the last price; else it waits, and that
        is said."""
        watch = state.watch
        if watch.doubt:
            self._say_held(state, order, watch.doubt)
            return False
        limit_ns = watch.age_limit_ns()
        age_ns = self._order_manager.now_ns - state.last_ns + state.lag_ns
        if limit_ns == 0 or age_ns <= limit_ns:
            return True
        age = f"the last price is {age_ns // NS_PER_SECOND} s old"
        watch.episode += 1
        self._say_held(state, order, f"{age}, and stale after {limit_ns // NS_PER_SECOND} s")
        return False

    def _say_held(self, state: InstrumentState, order: Order, why: str) -> None:
        """Warn of an order that is held back, once in an episode."""
        if order.held_in == state.watch.episode:
            return
        order.held_in = state.watch.episode
        symbol = state.instrument.symbol
        words = f"order {order.order_id} ({order.side.value} {order.type.value}) waits: {why}"
        self._order_manager.warn(symbol, _HELD, words)


def release(state: InstrumentState) -> None:
    """Let a symbol trade again, whoever paused it; if it stood still, its next price counts as it
    is."""
    state.is_paused = False
    watch = state.watch
    if watch.is_stopped:
        watch.is_stopped = False
        watch.is_released = True


def why_paused(state: InstrumentState) -> str:
    """Why nothing may be ordered in a symbol that is paused."""
    if state.watch.is_stopped:
        return "its price looks like a split's"
    return "an operator paused it"


def _would_fill(order: Order, low: int, high: int) -> bool:
    """Whether some price from `low` to `high` would fill the order, or set it off."""
    best, worst = (low, high) if order.is_buy else (high, low)
    if is_limit_active(order):
        return within_limit(order, best)
    if order.stop_price and not order.triggered:
        return touches_stop(order, worst)
    return order.type is OrderType.MARKET or order.triggered
