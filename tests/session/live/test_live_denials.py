"""A venue that denies the orders it fills: nothing is ordered on top of what nobody has compared.

At Kraken a strategy that wanted 0.01 BTC bought 0.12 of it in twelve orders: every order was
answered without a status, was denied when it was asked for by our id, and had been filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest
from live_session_helpers import ScriptedFeed
from live_venue_helpers import World, venue_settings

from logos.audit.verify import verify
from logos.core.messages import Quote
from logos.core.outbox import SubmitOrder
from logos.core.strategy import Answer, Context, Strategy, Target
from logos.core.types import SessionStatus, SwitchState
from logos.session.build import make_instruments
from logos.session.entry import replay
from logos.session.outcome import ExitCode
from logos.testing.fake_venue import FakeVenue, FillRules
from logos.venues.contract import OutcomeUnknown, VenueFill, VenueOrder


class Wanting(Strategy):
    """Wants one unit of AAA, whatever happens."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return Target(1) if quote.symbol == "AAA" else None


class Denying(FakeVenue):
    """Fills every order, answers none, and cannot find one by the client's id.

    `names` says whose a fill is: "no" list of fills at all, one under the "venue" id alone.
    """

    names = "no"

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        await super().submit(request)
        raise OutcomeUnknown(f"{self.name}: an id, and no status")

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        await super().find(client_order_id, symbol)
        return None

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        fills = await super().fills_since(ts_ns)
        if self.names == "no":
            return []
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


@pytest.mark.long
@pytest.mark.parametrize("names", ["no", "venue"])
def test_the_position_at_a_venue_that_denies_what_it_fills_never_passes_the_one_wanted(
    tmp_path: Path, names: str
) -> None:
    there = denying_world(tmp_path, names)
    result = there.run(ScriptedFeed(there.clock, 3_000), Wanting(), drain_s=60)
    assert there.venue.books.positions["AAA"] == 1, "one order, and no other on top of it"
    assert result.status is SessionStatus.HALTED
    assert result.exit_code is ExitCode.HALTED
    assert "RECONCILIATION" in result.summary["guards"]
    assert there.switch.authority() is SwitchState.ENGAGED
    assert "AAA" in result.summary["live"]["holdings at the end"]
    assert replay("live", strategy=Wanting(), home=tmp_path).summary == result.summary
    assert verify(result.folder).exit_code == 0
