"""A venue that always answers: whatever takes too long becomes what is known after a timeout.

The problem: a connection can be half open. The request went out, or did not, and no answer and no
error ever comes; a keeper that waits for it would never cancel its order again. An adapter has
timeouts of its own, but nobody's safety may hang on them.

So every call is given up after `call_s`: an order or a cancel is then `OutcomeUnknown`, a question
`Unavailable`. The call begins in the caller's own step: nothing can happen between a look at the
kill switch and the submit that follows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from logos.core.clock import Clock
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.venues.contract import (
    Capabilities,
    CheckLine,
    OutcomeUnknown,
    Unavailable,
    Venue,
    VenueFill,
    VenueOrder,
)

Answer = TypeVar("Answer")


class BoundedVenue:
    """The same venue; `submit` and `cancel` raise OutcomeUnknown, questions Unavailable, in time.

    `open` and `close` are left alone: they belong to whoever made the venue.
    """

    def __init__(self, venue: Venue, clock: Clock, call_s: float) -> None:
        self._venue = venue
        self._clock = clock
        self._call_s = call_s

    @property
    def name(self) -> str:
        return self._venue.name

    @property
    def capabilities(self) -> Capabilities:
        return self._venue.capabilities

    async def open(self) -> None:
        await self._venue.open()

    async def close(self) -> None:
        await self._venue.close()

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        """Send an order, once. Raises what the venue does, OutcomeUnknown after `call_s`."""
        try:
            return await self._within(self._venue.submit(request))
        except TimeoutError:
            raise OutcomeUnknown(self._words(f"order {request.client_order_id}")) from None

    async def cancel(self, request: CancelOrder) -> None:
        """Ask for a cancel, once. Raises what the venue does, OutcomeUnknown after `call_s`."""
        try:
            await self._within(self._venue.cancel(request))
        except TimeoutError:
            raise OutcomeUnknown(self._words(f"cancel {request.client_order_id}")) from None

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        return await self._ask("find", self._venue.find(client_order_id, symbol))

    async def open_orders(self) -> Sequence[VenueOrder]:
        return await self._ask("open orders", self._venue.open_orders())

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        return await self._ask("fills", self._venue.fills_since(ts_ns))

    async def positions(self) -> Mapping[str, int]:
        return await self._ask("positions", self._venue.positions())

    async def balances(self) -> Mapping[str, Decimal]:
        return await self._ask("balances", self._venue.balances())

    async def check(self) -> Sequence[CheckLine]:
        return await self._ask("check", self._venue.check())

    async def _ask(self, what: str, call: Awaitable[Answer]) -> Answer:
        try:
            return await self._within(call)
        except TimeoutError:
            raise Unavailable(self._words(what)) from None

    def _words(self, what: str) -> str:
        return f"{self._venue.name}: {what}: no answer within {self._call_s:g} s"

    async def _within(self, call: Awaitable[Answer]) -> Answer:
        """Await `call` in this very task; TimeoutError once the clock has gone too far."""
        # asyncio's own timeout counts the loop's time; the session has a clock of its own.
        async with asyncio.timeout(None) as limit:
            watchdog = asyncio.create_task(self._expire(limit))
            try:
                return await call
            finally:
                watchdog.cancel()

    async def _expire(self, limit: asyncio.Timeout) -> None:
        await self._clock.sleep(self._call_s)
        limit.reschedule(asyncio.get_running_loop().time())
