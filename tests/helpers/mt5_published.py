"""The venue at the published Expert Advisor, and what a test does there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
from mt5_helpers import Bench, an_order, bench, coin, quiet
from waiting import until_answered

from logos.adapters.mt5.gateway.settings import GatewaySettings
from logos.adapters.mt5.venue import Mt5Venue
from logos.core.outbox import SubmitOrder
from logos.core.types import OrderType, Side
from logos.simulators.mt5.simulator import SimOptions, SimSymbol
from logos.venues.contract import VenueFill, VenueOrder

SYMBOL = "BTCUSD.s"
BTC = coin()
QUICK = GatewaySettings(reply_timeout_s=0.25, heartbeat_s=60.0, dead_after_s=60.0)


class Stage:
    """A bench, its venue, and the reasons why the session would have stopped."""

    def __init__(self, box: Bench) -> None:
        self.box = box
        self.stops: list[str] = []
        self.venue = self.another()

    def another(self) -> Mt5Venue:
        venue = self.box.venue()
        venue.stop_on_doubt(self.stops.append)
        return venue

    def price(self, bid: int = 10_000, ask: int = 10_010) -> None:
        """A price, without which the terminal does not list its newest deals."""
        self.box.simulator.terminal.price(SYMBOL, bid, ask)

    async def settled(self, name: str = "run-1") -> VenueOrder:
        async def ask() -> VenueOrder:
            self.price()
            found = await self.venue.find(name, SYMBOL)
            assert found is not None
            return found

        return await until_answered(ask, f"{name} to be told")

    async def fills(self) -> list[VenueFill]:
        self.price()
        return list(await self.venue.fills_since(0))

    def by_hand(self, is_buy: bool, units: int) -> None:
        self.box.simulator.terminal.by_hand(SYMBOL, is_buy, units)
        self.price()


@asynccontextmanager
async def stage(*symbols: SimSymbol, opened: bool = True, **more: Any) -> AsyncIterator[Stage]:
    options = SimOptions(ea="published", timer_s=0.001, **more)
    async with bench(options, *(symbols or (quiet(),)), settings=QUICK) as box:
        made = Stage(box)
        if opened:
            await made.venue.open()
        yield made


def limit(
    price: int, name: str = "run-1", quantity: int = 100, side: Side = Side.BUY
) -> SubmitOrder:
    """A limit order of the bench's symbol."""
    return an_order(BTC, side, quantity, OrderType.LIMIT, price, name=name)
