"""A core, a link and a venue that does as it is told, for tests of the way between them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from link_helpers import coin, rest, run

from logos.core.context import CoreView
from logos.core.engine import TradingCore
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote, Report
from logos.core.orders import Order
from logos.core.records import GuardRecord, Record
from logos.core.strategy import Answer, limit
from logos.core.types import Code, Side
from logos.execution.tracked import LinkRules
from logos.execution.venue_link import VenueLink
from logos.testing.builders import Scripted
from logos.testing.clock import ManualClock
from logos.testing.fake_venue import FakeVenue, Faults, FillRules
from logos.testing.venue_core import outbox_of, venue_core

COIN = coin()
BUY = limit(Side.BUY, "2", "10", tag="mine")
NEVER, AT_ONCE = FillRules(0, 0, 0), FillRules(1, 0, 0)


@dataclass
class LinkBench:
    """A core, a link and a venue, on a clock that is moved by hand."""

    script: Mapping[int, Answer] = field(default_factory=lambda: {1: BUY})
    faults: Faults = field(default_factory=Faults)
    fills: FillRules = NEVER
    rules: LinkRules = field(default_factory=LinkRules)

    def __post_init__(self) -> None:
        self.serving: asyncio.Task[None] | None = None
        self.clock = ManualClock()
        self.switch = InProcessSwitch()
        self.venue = FakeVenue(
            [COIN],
            self.clock,
            Random(1),
            {"USD": "1000000"},
            fills=self.fills,
            faults=self.faults,
        )
        self.venue.set_price("COIN", 1000)
        self.reports: list[Report] = []
        self.kinds: list[str] = []
        self.details: dict[str, list[str]] = {}
        """What was said with the reports of a kind."""
        self.records: list[Record] = []
        self.core = venue_core(Scripted(self.script), COIN, switch=self.switch)
        self.link = self.make_link(self.core)

    def make_link(self, core: TradingCore) -> VenueLink:
        return VenueLink(
            self.venue,
            CoreView(core.order_manager),
            self.switch,
            self.clock,
            Random(2),
            self.reports.append,
            self.rules,
        )

    async def restart(self) -> None:
        """Let the link run; one that did is made anew."""
        if self.serving is not None:
            await self.stop()
            self.link = self.make_link(self.core)
        self.serving = asyncio.create_task(self.link.run())
        await rest()

    async def stop(self) -> None:
        """End the link's tasks."""
        if self.serving is not None:
            self.serving.cancel()
            await asyncio.gather(self.serving, return_exceptions=True)

    def quote(self) -> None:
        """One quote for the core; what it wants leaves."""
        self.core.run([Quote(self.clock.now_ns(), "COIN", 999, 1000, -1, -1, COIN)])
        self.send()

    def send(self) -> None:
        self.records += self.core.take_effects()
        self.link.dispatch(outbox_of(self.core).take())

    def drain(self) -> None:
        while self.reports:
            report = self.reports.pop(0)
            self.kinds.append(report.kind.value)
            self.details.setdefault(report.kind.value, []).append(report.detail)
            self.core.run([report])
            self.send()

    async def wait(self, seconds: float = 0.0) -> None:
        """Let time pass, and the core hear what is said meanwhile."""
        await rest()
        self.drain()
        while seconds > 0:
            await self.clock.advance(min(0.25, seconds))
            await rest()
            self.drain()
            await rest()
            seconds -= 0.25

    @property
    def order(self) -> Order | None:
        return outbox_of(self.core).open.get("test-1")

    @property
    def is_stopped(self) -> bool:
        return any(each.code is Code.RECONCILIATION for each in self.guards())

    def guards(self) -> list[GuardRecord]:
        return [each for each in self.records if isinstance(each, GuardRecord)]

    @property
    def held(self) -> int:
        return self.core.order_manager.states["COIN"].inventory.position

    def wish(self, **faults: float) -> None:
        """What goes wrong from now on."""
        self.venue.faults = replace(Faults(), **faults)


def story(work: Callable[[LinkBench], Awaitable[None]], **how: Any) -> LinkBench:
    """Run `work` with the link of a bench running beside it."""

    async def body() -> LinkBench:
        bench = LinkBench(**how)
        await bench.restart()
        await work(bench)
        await bench.stop()
        assert max(bench.venue.reached.values(), default=0) <= 1
        assert bench.venue.resent == []
        bench.core.order_manager.account.ledgers[0].check()
        return bench

    return run(body())
