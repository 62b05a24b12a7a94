"""The venue over MetaQuotes' Python package, in a box for the contract suite."""

from __future__ import annotations

from mt5_helpers import Hand, HandClock, lets_out
from mt5_package import NO_CONNECTION, TIMEOUT, Package
from venue_box import Box

from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.native import NativeTerminal
from logos.adapters.mt5.venue import Mt5Venue
from logos.simulators.mt5.faults import FaultPlan
from logos.venues.contract import Venue


class NativeBox(Box):
    """A terminal behind a stand-in for the package."""

    fills_in_parts = False
    keeps_positions = True

    def __init__(self) -> None:
        self.hand = Hand()
        self.package = Package(lambda: self.hand.now_s)
        self.instrument = self.package.instrument
        self.since_ns = self.hand()
        self.low, self.high = 9_000, 20_000
        self.venue = self.another()

    def fill(self, client_order_id: str, lots: int) -> None:
        book = self.package.book
        [order] = [each for each in book.orders.values() if each.comment == client_order_id]
        book.fill(order, order.volume_units, order.price_units, self.hand.now_s)

    def by_hand(self) -> None:
        self.package.book.take_order(
            self.symbol, "ORDER_TYPE_SELL_LIMIT", 1, self.high, (0, 0), 0, "", self.hand.now_s
        )

    def arrived(self) -> list[str]:
        counts = self.package.book.client_ids
        return [name for name, count in counts.items() for _ in range(count)]

    def requests(self) -> int:
        return len(self.package.sent)

    async def pass_time(self, seconds: float) -> None:
        self.hand.now_s += round(seconds)

    def lose(self, what: str, is_handled: bool) -> None:
        self.package.loses_trades, self.package.carries_out = TIMEOUT, is_handled

    def turn_away(self, what: str) -> None:
        self.package.faults = FaultPlan(retcodes={10024: 1.0})

    def fall_silent(self) -> None:
        self.package.fails_with = NO_CONNECTION

    def recover(self) -> None:
        self.package.fails_with = self.package.loses_trades = 0
        self.package.faults = FaultPlan()

    def another(self, session_id: str = "s-1") -> Venue:
        clock = HandClock(self.hand)
        link = NativeTerminal(self.package, clock, reply_timeout_s=5.0, gate=lets_out)
        return Mt5Venue(
            link,
            {self.symbol: Mt5VenueSymbol(self.instrument, self.symbol)},
            clock,
            session_id=session_id,
            is_sandbox=True,
            settle_s=0.0,
        )

    def swap(self, question: str, field: str, word: object) -> None:
        raise NotImplementedError
