"""A core trades at the simulated gateway through the link and the real ib_async, in real time."""

from __future__ import annotations

from ib_desk import IbDesk, ib_desk, make_ib  # first

# isort: split

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any

import pytest
from venue_tools import share
from waiting import until

from logos.adapters.ib.venue import IbVenue
from logos.core.context import CoreView
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote, Report, TimePassed
from logos.core.outbox import SubmitOrder
from logos.core.strategy import limit, market
from logos.core.types import ReportKind, Side
from logos.execution.clock import SystemClock
from logos.execution.tracked import LinkRules
from logos.execution.venue_link import VenueLink
from logos.testing.builders import Scripted
from logos.testing.venue_core import outbox_of, venue_core

pytestmark = pytest.mark.long

RULES = LinkRules(poll_s=0.05, settle_s=1.0, cancel_again_s=0.2, send_again_s=20.0)


class Trading:
    """A core, its link and the gateway. `script` are the orders, one at each quote."""

    def __init__(self, desk: IbDesk, venue: IbVenue, script: Mapping[int, Any]) -> None:
        self.desk, self.venue = desk, venue
        self.clock, self.switch = SystemClock(), InProcessSwitch()
        self.share = desk.share
        self.core = venue_core(
            Scripted(script), self.share, switch=self.switch, cash={"USD": "100000"}
        )
        self.told: list[Report] = []
        self._reports: list[Report] = []
        view = CoreView(self.core.order_manager)
        put = self._reports.append
        self.link = VenueLink(venue, view, self.switch, self.clock, Random(1), put, RULES)

    async def turn(self) -> None:
        while self._reports:
            report = self._reports.pop(0)
            self.told.append(report)
            self.core.run([report])
        self.link.dispatch(outbox_of(self.core).take())

    async def quote(self) -> None:
        """A quote of the session's data: the next order of the script."""
        quote = Quote(self.clock.now_ns(), self.share.symbol, 25_794, 25_795, -1, -1, self.share)
        self.core.run([quote])
        await self.turn()

    async def until(self, is_so: Callable[[], object], what: str) -> None:
        await until(lambda: bool(is_so()), what, meanwhile=self.turn)

    def kinds(self, name: str) -> list[ReportKind]:
        return [each.kind for each in self.told if each.client_order_id == name]


def trade(script: Mapping[int, Any], story: Callable[[Trading], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with ib_desk(share(settlement="margin"), is_open=False) as desk:
            venue = make_ib(desk.gateway, desk.share, 1, "test")
            await venue.open()
            trading = Trading(desk, venue, script)
            serving = asyncio.create_task(trading.link.run())
            try:
                await story(trading)
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)
                await venue.close()

    asyncio.run(asyncio.wait_for(whole(), 100))


def position(trading: Trading) -> int:
    return trading.core.order_manager.states[trading.share.symbol].inventory.position


def test_an_order_fills_over_a_restart_with_its_commission_late_and_the_rest_is_killed() -> None:
    script = {
        1: market(Side.BUY, "3"),
        2: limit(Side.BUY, "10", "250.00"),
    }

    async def story(trading: Trading) -> None:
        gateway = trading.desk.gateway
        gateway.desk.whims.late_commissions = True
        gateway.quote("AAPL", "257.94", "257.95")
        await trading.quote()
        await trading.until(lambda: gateway.desk.book.executions, "a fill at the gateway")
        gateway.desk.tell_commissions()
        gateway.desk.whims.late_commissions = False
        await trading.until(lambda: ReportKind.FILLED in trading.kinds("test-1"), "the fill")
        await trading.quote()
        accepted = lambda: ReportKind.ACCEPTED in trading.kinds("test-2")  # noqa: E731
        await trading.until(accepted, "an order that rests")
        gateway.desk.fill(gateway.order("test-2"), "4", "250.00")
        await gateway.restart(are_ids_kept=False)
        filled = lambda: ReportKind.FILLED in trading.kinds("test-2")  # noqa: E731
        await trading.until(filled, "the part that filled")
        trading.switch.engage("drill", "ann")
        trading.core.run([TimePassed(trading.clock.now_ns())])
        ended = lambda: ReportKind.CANCELLED in trading.kinds("test-2")  # noqa: E731
        await trading.until(ended, "the end of the rest")
        assert gateway.desk.open_orders() == []
        assert trading.kinds("test-1") == [ReportKind.ACCEPTED, ReportKind.FILLED]
        assert not [each for each in trading.told if each.kind is ReportKind.DIFFERENCE]
        [held] = gateway.desk.book.positions.values()
        assert position(trading) == held[0] == 7
        assert [order.order_ref for order in gateway.desk.book.orders] == ["test-1", "test-2"]

    trade(script, story)


def test_an_order_whose_answer_was_lost_is_found_and_never_sent_again() -> None:
    async def story(trading: Trading) -> None:
        gateway = trading.desk.gateway
        gateway.cuts[3] = True
        await trading.quote()
        accepted = lambda: ReportKind.ACCEPTED in trading.kinds("test-1")  # noqa: E731
        await trading.until(accepted, "the order that was found")
        assert trading.kinds("test-1") == [ReportKind.UNKNOWN, ReportKind.ACCEPTED]
        assert gateway.asked(3) == 1

    trade({1: limit(Side.BUY, "10", "250.00")}, story)


def test_an_order_that_waits_for_the_gateway_does_not_leave_after_a_kill() -> None:
    async def story(trading: Trading) -> None:
        gateway = trading.desk.gateway
        await gateway.stop()
        prepare, tried = trading.venue.prepare, []

        async def noting(request: SubmitOrder) -> None:
            tried.append(request)
            await prepare(request)

        trading.venue.prepare = noting  # type: ignore[method-assign]
        await trading.quote()
        await trading.until(lambda: tried, "an order that is to leave")
        trading.switch.engage("drill", "ann")
        await gateway.start()
        not_sent = lambda: ReportKind.NOT_SENT in trading.kinds("test-1")  # noqa: E731
        await trading.until(not_sent, "the order that stays here")
        await trading.venue.open_orders()
        assert gateway.asked(3) == 0

    trade({1: limit(Side.BUY, "10", "250.00")}, story)


def test_a_corrected_quantity_that_was_booked_is_a_difference() -> None:
    async def story(trading: Trading) -> None:
        gateway = trading.desk.gateway
        await trading.quote()
        await trading.until(lambda: gateway.desk.book.orders, "an order at the gateway")
        first = gateway.desk.fill(gateway.order("test-1"), "4", "250.00")
        await trading.until(lambda: ReportKind.FILLED in trading.kinds("test-1"), "its fill")
        gateway.desk.correct(first, "3", "250.00")
        differs = lambda: ReportKind.DIFFERENCE in trading.kinds("test-1")  # noqa: E731
        await trading.until(differs, "the difference")

    trade({1: limit(Side.BUY, "10", "250.00")}, story)
