"""What a venue charges for what was traded, behind the fills: booked as soon as it is proved.

Problem: a broker of shares takes the day's regulatory fees at its end, as movements of cash that no
fill tells of; the books are then too rich by them, and trading would stop at the difference.
Method: where a ledger's money differs, the venue is asked which charges it lists that are proved to
be the session's. Each is reported once, by the venue's id of it; what they do not explain is a
difference as before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from logos.core.clock import Clock
from logos.core.context import CoreView
from logos.core.messages import Report
from logos.core.types import ReportKind
from logos.execution.bounded import BoundedVenue
from logos.venues.contract import VenueCharge


class Charges:
    """The charges of one session."""

    def __init__(
        self, venue: BoundedVenue, view: CoreView, clock: Clock, put: Callable[[Report], object]
    ) -> None:
        self._venue = venue
        self._view = view
        self._clock = clock
        self._put = put
        self._seen: set[str] = set()
        self._since_ns = clock.now_ns()

    def adopt(self, seen: Iterable[str], since_ns: int) -> None:
        """An earlier run of the session began at `since_ns`, and has booked these."""
        self._seen.update(seen)
        self._since_ns = since_ns

    async def book(self, differing: Collection[str]) -> bool:
        """Report what is new of them, where one of these assets is a ledger's money; whether
        anything was. Raises VenueError when the venue cannot be asked.
        """
        before = len(self._seen)
        currencies = {scales.instrument.quote for scales in self._view.symbols.values()}
        if not currencies.isdisjoint(differing):
            for charge in await self._venue.charges_since(self._since_ns):
                if charge.charge_id not in self._seen and charge.currency in currencies:
                    self._report(charge)
        return len(self._seen) > before

    def _report(self, charge: VenueCharge) -> None:
        decimals = {each.asset: each.decimals for each in self._view.holdings()}
        units = charge.amount.scaleb(decimals[charge.currency])
        if units <= 0 or units % 1:
            return  # it cannot be booked exactly: it stays a difference
        self._seen.add(charge.charge_id)
        self._put(
            Report(
                self._clock.now_ns(),
                ReportKind.CHARGED,
                charge.currency,
                charge.words,
                fee_units=int(units),
                fill_id=charge.charge_id,
            )
        )
