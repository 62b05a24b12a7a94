"""A core that trades at the simulated gateway through link and ib_async, on a clock moved by hand.

As `test_ib_link` does in real time: here days pass, without sockets and in no time.
"""

from __future__ import annotations

import ib_libraries  # noqa: F401 - first

# isort: split

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from random import Random
from typing import Any, Final

from exchange_side import Way
from ib_wire import StoryGateway
from link_helpers import rest
from story_loop import run_story
from venue_tools import share

from logos.adapters.ib.venue import IbSettings, IbVenue
from logos.core.context import CoreView
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote, Report
from logos.core.types import NS_PER_SECOND, ReportKind
from logos.execution.reconcile import Reconciler
from logos.execution.venue_link import VenueLink
from logos.simulators.ib import APPLE
from logos.simulators.ib.book import GatewayOrder
from logos.testing.builders import Scripted
from logos.testing.clock import START_NS, ManualClock
from logos.testing.venue_core import outbox_of, venue_core

ACCOUNT: Final = "DU1234567"
HOUR_S: Final = 3600.0
MIDNIGHT_NS: Final = START_NS + 86_400 * NS_PER_SECOND
"""The gateway's first one, in UTC; the clock begins at noon before it."""


class Nights:
    """A core, its link and reconciler, and the gateway. `script` are the orders, by quote."""

    def __init__(self, script: Mapping[int, Any]) -> None:
        self.clock = ManualClock(MIDNIGHT_NS - round(12 * HOUR_S) * NS_PER_SECOND)
        self.gateway = StoryGateway(Way(Random(1), self.clock), now_ns=self.clock.now_ns)
        self.gateway._way.calm()
        self.desk = self.gateway.desk
        self.gateway.cash[ACCOUNT] = {"USD": Decimal(100_000)}
        self.desk.book.positions[ACCOUNT, APPLE.con_id] = (Decimal(100), Decimal(100))
        self.share = share()
        settings = IbSettings(url="tcp://127.0.0.1:4002/1")
        self.venue = IbVenue({"AAPL": self.share}, self.clock, Random(1), settings, "test")
        self.said: list[str] = []
        self.venue.on_words = self.said.append
        self.switch = InProcessSwitch()
        cash = {"USD": "100000", "AAPL": "100"}
        self.core = venue_core(Scripted(script), self.share, switch=self.switch, cash=cash)
        self.told: list[Report] = []
        self._reports: list[Report] = []
        view, put = CoreView(self.core.order_manager), self._reports.append
        self.link = VenueLink(self.venue, view, self.switch, self.clock, Random(1), put)
        self.reconciler = Reconciler(
            self.venue, view, self.link, self.clock, put, lambda _words: None
        )

    async def turn(self) -> None:
        """Let everything run that can, and the core hear of it."""
        await rest()
        while self._reports:
            report = self._reports.pop(0)
            self.told.append(report)
            self.core.run([report])
            self.link.dispatch(outbox_of(self.core).take())
            await rest()

    async def quote(self) -> None:
        """A quote of the session's data: the next orders of the script."""
        quote = Quote(self.clock.now_ns(), "AAPL", 10_000, 10_001, -1, -1, self.share)
        self.core.run([quote])
        self.link.dispatch(outbox_of(self.core).take())
        await self.turn()

    async def wait(self, seconds: float) -> None:
        """So much time passes, in which everybody is awake."""
        while seconds > 0:
            await self.clock.advance(min(0.5, seconds))
            seconds -= 0.5
            await self.turn()

    def jump(self, ns: int) -> None:
        """It is that moment; whoever waited wakes when time passes."""
        self.clock.set_ns(ns)

    def order(self, name: str) -> GatewayOrder:
        return self.gateway.order(name)

    def kinds(self, name: str) -> list[ReportKind]:
        return [each.kind for each in self.told if each.client_order_id == name]

    def words(self, name: str, kind: ReportKind) -> str:
        """The words of the one report of that kind."""
        [report] = [x for x in self.told if (x.client_order_id, x.kind) == (name, kind)]
        return report.detail

    @property
    def differences(self) -> list[str]:
        return [each.detail for each in self.told if each.kind is ReportKind.DIFFERENCE]

    async def run(self, story: Callable[[Nights], Awaitable[None]]) -> None:
        await self.gateway.start()
        await self.venue.open()
        tasks = [asyncio.create_task(self.link.run())]
        try:
            await self.reconciler.start()
            tasks.append(asyncio.create_task(self.reconciler.run()))
            await story(self)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            await self.venue.close()
        assert not [end for end in ends if isinstance(end, Exception)], "a task died"


def nights(script: Mapping[int, Any], story: Callable[[Nights], Awaitable[None]]) -> None:
    """Play a story, in a loop of its own."""

    async def whole() -> None:
        await Nights(script).run(story)

    run_story(whole())
