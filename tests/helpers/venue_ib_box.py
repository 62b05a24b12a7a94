"""A venue of Interactive Brokers in a box; see `venue_boxes`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from ib_desk import IbDesk, make_ib
from ib_world import until
from venue_box import Box
from venue_tools import NOW_NS, share

from logos.core.risk import Approved
from logos.core.types import TimeInForce
from logos.simulators.ib import APPLE, TwsGateway
from logos.testing.clock import ManualClock
from logos.venues.contract import Venue, VenueOrder

_MESSAGES = {"submit": 3, "cancel": 4}


class IbBox(Box):
    """A gateway with an account of shares on margin."""

    market_force = TimeInForce.DAY
    keeps_positions = True

    def __init__(self) -> None:
        self.now_ns = NOW_NS
        self.instrument = share(min_quantity="1", settlement="margin")
        self.low, self.high = 15_000, 90_000
        self.since_ns = NOW_NS
        self.gateway = TwsGateway(now_ns=lambda: self.now_ns)
        self.gateway.quote("AAPL", "199.99", "200.01")
        self.gateway.desk.funds = {"DU1234567": Decimal(100_000)}

    async def start(self, is_open: bool) -> None:
        await self.gateway.start()
        # The clock of the place stands; the dry run compares it.
        clock = ManualClock(self.now_ns)
        self.made = make_ib(self.gateway, self.instrument, 1, "s-1", clock=clock)
        self.venue = self.made
        if is_open:
            await self.venue.open()

    @property
    def desk(self) -> IbDesk:
        return IbDesk(self.made, self.gateway, self.instrument, {})

    async def submit(self, order: Approved, client_order_id: str = "s-1-1") -> VenueOrder:
        await self._hear_of_the_broker()
        return await super().submit(order, client_order_id)

    async def cancel(self, client_order_id: str = "s-1-1") -> None:
        await self._hear_of_the_broker()
        await super().cancel(client_order_id)

    async def find(self, client_order_id: str = "s-1-1") -> VenueOrder:
        await self._hear_of_the_broker()
        return await super().find(client_order_id)

    async def _hear_of_the_broker(self) -> None:
        if self.made._gateway.connection is not None:
            connection = self.desk.connection
            is_there = self.gateway.desk.is_connected
            await until(lambda: not connection.is_up or connection.has_broker is is_there)

    def fill(self, client_order_id: str, lots: int) -> None:
        order = self.gateway.order(client_order_id)
        self.gateway.desk.fill(order, self.text(lots), str(order.limit))

    def by_hand(self) -> None:
        self.gateway.desk.by_hand(APPLE.con_id, "SELL", "1", "900.00")

    def arrived(self) -> list[str]:
        return [order.order_ref for order in self.gateway.desk.book.orders]

    def requests(self) -> int:
        return len(self.gateway.heard)

    async def pass_time(self, seconds: float) -> None:
        self.now_ns += round(seconds * 10**9)

    def lose(self, what: str, is_handled: bool) -> None:
        self.gateway.cuts[_MESSAGES[what]] = is_handled

    def turn_away(self, what: str) -> None:
        self.gateway.lose_broker()

    def fall_silent(self) -> None:
        self.gateway.is_mute = True
        self.desk.connection._timeout_s = 0.1

    def recover(self) -> None:
        self.gateway.is_mute = False
        self.gateway.cuts.clear()
        if not self.gateway.desk.is_connected:
            self.gateway.find_broker()

    def another(self, session_id: str = "s-1") -> Venue:
        self.gateway.drop()  # the first life has ended: one client id is connected once
        return make_ib(self.gateway, self.instrument, 1, session_id)


@asynccontextmanager
async def ib_box(is_open: bool) -> AsyncIterator[IbBox]:
    """A box, started; stopped at the end."""
    made = IbBox()
    await made.start(is_open)
    try:
        yield made
    finally:
        await made.venue.close()
        await made.gateway.stop()
