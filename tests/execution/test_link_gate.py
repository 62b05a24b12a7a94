"""The last gate: what the link lets leave for a venue in each state of the switch."""

from __future__ import annotations

import asyncio
from random import Random
from typing import cast

import pytest
from guard_helpers import BUY, SELL, A

from logos.core.context import CoreView
from logos.core.gates import Switch
from logos.core.messages import (
    Report,
)
from logos.core.outbox import SubmitOrder
from logos.core.strategy import limit, market
from logos.core.types import Code, ReportKind, Side, SwitchState
from logos.execution.venue_link import VenueLink
from logos.testing.builders import (
    Scripted,
    quote,
)
from logos.testing.clock import ManualClock
from logos.testing.fake_venue import FakeVenue
from logos.testing.venue_core import outbox_of, report, venue_core
from logos.venues.contract import VenueOrder


@pytest.mark.parametrize("state", ["SAFE", "REDUCE_ONLY", "ENGAGED"])
def test_an_order_that_closes_a_position_leaves_unless_the_switch_is_engaged(state: str) -> None:
    core = venue_core(Scripted({1: market(BUY, 2), 2: market(SELL, 2)}), A)
    core.start(1)
    core.run([quote(A, 1, "100", "100")])
    outbox_of(core).take()
    core.run([report(ReportKind.FILLED, 2, quantity=2, price=100), quote(A, 3, "100", "100")])
    requests = outbox_of(core).take()
    assert [each.terms.signed_quantity for each in requests if isinstance(each, SubmitOrder)] == [
        -2
    ]
    if state == "REDUCE_ONLY":
        core.switch.set_reduce_only("careful", "ann")
    elif state == "ENGAGED":
        core.switch.engage("drill", "ann")

    async def send() -> tuple[list[Report], dict[str, int]]:
        clock = ManualClock()
        reports: list[Report] = []
        venue = FakeVenue([A], clock, Random(1), {"USD": "1000"})
        venue.set_price("AAA", 100)
        link = VenueLink(
            venue,
            CoreView(core.order_manager),
            core.switch,
            clock,
            Random(2),
            reports.append,
        )
        serving = asyncio.create_task(link.run())
        link.dispatch(requests)
        while not reports and not clock.sleepers:
            await asyncio.sleep(0)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        return reports, venue.submits

    reports, submits = asyncio.run(asyncio.wait_for(send(), 20))
    assert submits == ({} if state == "ENGAGED" else {"test-2": 1})
    words = "kill switch before it left: drill (by ann)"
    expected = (ReportKind.NOT_SENT, words) if state == "ENGAGED" else (ReportKind.ACCEPTED, "")
    assert [(said.kind, said.detail) for said in reports] == [expected]


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(
    ("quantities", "leaves"),
    [([2], [True]), ([3], [False]), ([1, 2], [False, False]), ([1, 1], [True, True])],
)
def test_reduce_only_lets_leave_what_closes_the_position_with_all_that_is_on_its_way(
    side: Side, quantities: list[int], leaves: list[bool]
) -> None:
    other = SELL if side is BUY else BUY
    price = 110 if other is SELL else 90
    closing = [limit(other, quantity, price) for quantity in quantities]
    core = venue_core(Scripted({1: market(side, 2), 2: closing}), A)
    core.start(1)
    core.run([quote(A, 1, "100", "100")])
    outbox_of(core).take()
    core.run([report(ReportKind.FILLED, 2, quantity=2, price=100), quote(A, 3, "100", "100")])
    requests = outbox_of(core).take()
    orders = [request.terms for request in requests if isinstance(request, SubmitOrder)]
    assert len(orders) == len(quantities)
    view = CoreView(core.order_manager)
    assert {view.why_closed(core.switch, order) for order in orders} == {None}
    core.switch.set_reduce_only("careful", "ann")
    assert [view.why_closed(core.switch, order) for order in orders] == [
        None if may else Code.REDUCE_ONLY for may in leaves
    ]


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_kill_while_a_venue_asks_what_an_order_needs_keeps_the_order_here(
    is_killed: bool,
) -> None:
    core = venue_core(Scripted({1: market(BUY, 2)}), A)
    core.start(1)
    core.run([quote(A, 1, "100", "100")])
    requests = outbox_of(core).take()

    async def send() -> tuple[list[Report], dict[str, int]]:
        clock = ManualClock()
        reports: list[Report] = []
        asked: list[str] = []

        class Asks(FakeVenue):
            async def prepare(self, request: SubmitOrder) -> None:
                asked.append(request.client_order_id)
                await asyncio.sleep(0)
                if is_killed:
                    core.switch.engage("drill", "ann")

        venue = Asks([A], clock, Random(1), {"USD": "1000"})
        venue.set_price("AAA", 100)
        view = CoreView(core.order_manager)
        link = VenueLink(venue, view, core.switch, clock, Random(2), reports.append)
        serving = asyncio.create_task(link.run())
        link.dispatch(requests)
        while not reports:
            await asyncio.sleep(0)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        assert asked == ["test-1"]
        return reports, venue.submits

    reports, submits = asyncio.run(asyncio.wait_for(send(), 20))
    assert submits == ({} if is_killed else {"test-1": 1})
    assert reports[0].kind is (ReportKind.NOT_SENT if is_killed else ReportKind.ACCEPTED)


def test_the_switch_is_looked_at_when_an_order_begins_to_wait_and_when_it_leaves() -> None:
    """Twice, and no more: each look asks the system three times."""
    core = venue_core(Scripted({1: market(BUY, 2)}), A)
    core.start(1)
    core.run([quote(A, 1, "100", "100")])
    requests = outbox_of(core).take()
    looks: list[str] = []

    class Watched(FakeVenue):
        async def submit(self, request: SubmitOrder) -> VenueOrder:
            looks.append("leaves")
            return await super().submit(request)

    class Looked:
        def __init__(self) -> None:
            self.epoch = core.switch.epoch

        def authority(self) -> SwitchState:
            looks.append("look")
            return core.switch.authority()

    async def send() -> None:
        clock = ManualClock()
        reports: list[Report] = []
        venue = Watched([A], clock, Random(1), {"USD": "1000"})
        venue.set_price("AAA", 100)
        view = CoreView(core.order_manager)
        link = VenueLink(venue, view, cast(Switch, Looked()), clock, Random(2), reports.append)
        serving = asyncio.create_task(link.run())
        link.dispatch(requests)
        while not reports:
            await asyncio.sleep(0)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(asyncio.wait_for(send(), 20))
    assert looks == ["look", "look", "leaves"]
