"""When the markets of a session open and close, by the hours of their instruments."""

from __future__ import annotations

from typing import final

from logos.core.handlers.events import MarketHoursEvent
from logos.core.order_manager import OrderManager
from logos.core.types import NEVER_NS


@final
class MarketHours:
    """Tells of each symbol with hours whether its market is open, once for each change.

    A session that begins while a market is open is told so at its first moment. A market that
    opened and closed again between two moments is not told of.
    """

    __slots__ = ("_order_manager", "is_open", "next_ns")

    def __init__(self, order_manager: OrderManager) -> None:
        self._order_manager = order_manager
        self.is_open: dict[str, bool] = {}
        """What was told of each symbol with hours; empty while nobody listens."""
        self.next_ns: int = NEVER_NS
        """When one of them may change next."""

    def begin(self, is_heard: bool) -> None:
        """From now on, watch the markets if that `is_heard`."""
        self.is_open = {}
        self.next_ns = NEVER_NS
        if not is_heard:
            return
        for symbol, state in self._order_manager.states.items():
            if state.instrument.market is not None:
                self.is_open[symbol] = False
                self.next_ns = self._order_manager.now_ns

    def take(self, now_ns: int) -> MarketHoursEvent | None:
        """The next change to be told of at `now_ns`; None: there is no more."""
        if now_ns < self.next_ns:
            return None
        next_ns = NEVER_NS
        for symbol, was_open in self.is_open.items():
            instrument = self._order_manager.states[symbol].instrument
            is_open = instrument.is_open(now_ns)
            if is_open is not was_open:
                self.is_open[symbol] = is_open
                return MarketHoursEvent(symbol, is_open)
            market = instrument.market
            if market is not None:
                next_ns = min(next_ns, market.next_change_ns(now_ns))
        self.next_ns = next_ns
        return None
