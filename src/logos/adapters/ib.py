"""Interactive Brokers: not connected yet, and says so.

Orders at Interactive Brokers go through TWS or IB Gateway, a program on the trader's machine. An
adapter that has never met one would only look like one, so there is none: this class stands in its
place, takes nothing, and says what is missing. It follows the contract, so that settings that name
it end with a clear message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from logos.core.outbox import CancelOrder, SubmitOrder
from logos.venues.contract import (
    Capabilities,
    CheckLine,
    Refused,
    Unavailable,
    VenueFill,
    VenueOrder,
)

MISSING: Final = (
    "there is no adapter for Interactive Brokers yet: it needs TWS or IB Gateway running on this "
    "machine, with its API enabled, and a client for it. Use venue.name = 'paper', 'alpaca' or "
    "'ccxt'; docs/VENUES.md tells what an adapter would have to do"
)


class IbVenue:
    """A venue that cannot be opened; every request is refused and every question stays open."""

    @property
    def name(self) -> str:
        return "ib (not available)"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(frozenset(), frozenset(), has_replace=False, is_sandbox=True)

    async def open(self) -> None:
        """Raises Refused, always."""
        raise Refused(MISSING)

    async def close(self) -> None:
        """Nothing to release."""

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        """Raises Refused, always."""
        raise Refused(f"order {request.client_order_id} in {request.terms.symbol}: {MISSING}")

    async def cancel(self, request: CancelOrder) -> None:
        """Raises Refused, always."""
        raise Refused(f"cancel {request.client_order_id} in {request.symbol}: {MISSING}")

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        """Raises Unavailable, always."""
        raise Unavailable(f"find {client_order_id} in {symbol}: {MISSING}")

    async def open_orders(self) -> Sequence[VenueOrder]:
        """Raises Unavailable, always."""
        raise Unavailable(MISSING)

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        """Raises Unavailable, always."""
        raise Unavailable(f"fills since {ts_ns}: {MISSING}")

    async def positions(self) -> Mapping[str, int]:
        """Raises Unavailable, always."""
        raise Unavailable(MISSING)

    async def balances(self) -> Mapping[str, Decimal]:
        """Raises Unavailable, always."""
        raise Unavailable(MISSING)

    async def check(self) -> Sequence[CheckLine]:
        """One line that says what is missing."""
        return [CheckLine("adapter", False, MISSING)]
