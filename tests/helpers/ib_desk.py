"""A venue of Interactive Brokers, and the simulated gateway behind it."""

from __future__ import annotations

import ib_libraries  # noqa: F401 - first

# isort: split

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from venue_tools import approved, share

from logos.adapters.ib.connection import Connection
from logos.adapters.ib.venue import IbSettings, IbVenue
from logos.core.instrument import Instrument
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import Side, TimeInForce
from logos.execution.clock import SystemClock
from logos.simulators.ib import TwsGateway


@dataclass
class IbDesk:
    """A venue that is open, the gateway, and the session's one share."""

    venue: IbVenue
    gateway: TwsGateway
    share: Instrument
    options: dict[str, Any]

    def buy(
        self, name: str, quantity: str = "10", limit: str = "13.27", **terms: Any
    ) -> SubmitOrder:
        """A buy of the session; it rests below the market unless a test says otherwise."""
        return SubmitOrder(approved(self.share, Side.BUY, quantity, limit, **terms), name, 0)

    @property
    def connection(self) -> Connection:
        """The connection of the venue, which is up or was."""
        found = self.venue._gateway.connection
        assert found is not None
        return found

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """The connection gives up at once what would never be answered."""
        connection = self.connection
        before, connection._timeout_s = connection._timeout_s, 0.05
        yield
        connection._timeout_s = before

    def cancel(self, name: str) -> CancelOrder:
        return CancelOrder(name, self.share.symbol)

    def another(self, client_id: int = 1, session_id: str = "s-1") -> IbVenue:
        """A second venue at the same gateway, not open yet."""
        return make_ib(self.gateway, self.share, client_id, session_id, **self.options)


def make_ib(
    gateway: TwsGateway, what: Instrument, path: object, session_id: str, **options: Any
) -> IbVenue:
    options = {"timeout_s": 20.0, **options}
    clock = options.pop("clock", None) or SystemClock()
    url = f"tcp://127.0.0.1:{gateway.port}/{path}"
    settings = IbSettings(url=url, **options)
    return IbVenue({what.symbol: what}, clock, Random(1), settings, session_id)


@asynccontextmanager
async def ib_desk(
    what: Instrument | None = None,
    *,
    gateway: dict[str, Any] | None = None,
    is_open: bool = True,
    **options: Any,
) -> AsyncIterator[IbDesk]:
    """A desk; `gateway` are the options of the gateway, the others those of the venue."""
    traded = share() if what is None else what
    async with TwsGateway(**(gateway or {})) as there:
        venue = make_ib(there, traded, 1, "s-1", **options)
        try:
            if is_open:
                await venue.open()
            yield IbDesk(venue, there, traded, options)
        finally:
            await venue.close()


DAY = {"time_in_force": TimeInForce.DAY}
