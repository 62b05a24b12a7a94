"""A venue that fills every order and denies it, and a strategy that wants one unit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
from live_venue_helpers import World, venue_settings

from logos.core.messages import Quote
from logos.core.outbox import SubmitOrder
from logos.core.strategy import Answer, Context, Strategy, Target
from logos.session.build import make_instruments
from logos.testing.fake_venue import FakeVenue, FillRules
from logos.venues.contract import OutcomeUnknown, VenueFill, VenueOrder


class Wanting(Strategy):
    """Wants one unit of AAA, whatever happens."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return Target(1) if quote.symbol == "AAA" else None


class Denying(FakeVenue):
    """Fills every order, answers none, and cannot find one by the client's id.

    `names` says whose a fill is: "no" list of fills at all, under the "venue" id alone,
    or under "all" ids; with "all" the venue denies nothing any more.
    """

    names = "no"

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        there = await super().submit(request)
        if self.names == "all":
            return there
        raise OutcomeUnknown(f"{self.name}: an id, and no status")

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        there = await super().find(client_order_id, symbol)
        return there if self.names == "all" else None

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        fills = await super().fills_since(ts_ns)
        if self.names == "no":
            return []
        if self.names == "all":
            return fills
        return [msgspec.structs.replace(fill, client_order_id="") for fill in fills]


def denying_world(home: Path, names: str) -> World:
    there = World(home)
    instruments = list(make_instruments(venue_settings().instruments).values())
    rules = FillRules(1.0, 0.0, 0.0)
    venue = Denying(instruments, there.clock, Random(1), {"USD": "1000000"}, fills=rules)
    venue.names = names
    for instrument in instruments:
        venue.set_price(instrument.symbol, 10_000)
    there.venue = venue
    return there
