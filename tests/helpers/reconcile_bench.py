"""A session's books beside those of a venue, and a reconciler between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from decimal import Decimal
from random import Random
from typing import Any

from link_helpers import coin, rest, run

from logos.core.context import CoreView
from logos.core.gates import InProcessSwitch
from logos.core.instrument import Instrument
from logos.core.messages import Quote, Report
from logos.core.strategy import Answer, limit
from logos.core.types import ReportKind, Side
from logos.execution.reconcile import Reconciler, ReconcileRules
from logos.execution.venue_link import VenueLink
from logos.testing.builders import Scripted
from logos.testing.clock import ManualClock
from logos.testing.fake_venue import FakeVenue, FillRules
from logos.testing.venue_core import outbox_of, venue_core

COIN = coin()
PERP = coin("PERP", "margin", base="PBASE")
BUY = limit(Side.BUY, "2", "10")
Work = Callable[["Books"], Coroutine[Any, Any, None]]


class Books:
    """A session's books beside a venue's."""

    def __init__(
        self,
        instruments: tuple[Instrument, ...] = (COIN,),
        balances: Mapping[str, str] | None = None,
        rules: ReconcileRules | None = None,
        baseline: Mapping[str, Decimal] | None = None,
        script: Mapping[int, Answer] | None = None,
        cash: Mapping[str, str] | None = None,
    ) -> None:
        self.clock = ManualClock()
        given = {"USD": "1000000"} if balances is None else balances
        self.venue = FakeVenue(instruments, self.clock, Random(1), given, fills=FillRules(0, 0, 0))
        for instrument in instruments:
            self.venue.set_price(instrument.symbol, 1000)
        self.instruments = instruments
        self.core = venue_core(
            Scripted({1: BUY} if script is None else script), *instruments, cash=cash
        )
        self.reports: list[Report] = []
        self.told: list[str] = []
        self.differences: list[str] = []
        view = CoreView(self.core.order_manager)
        self.link = VenueLink(
            self.venue,
            view,
            InProcessSwitch(),
            self.clock,
            Random(2),
            self.reports.append,
        )
        self.reconciler = Reconciler(
            self.venue,
            view,
            self.link,
            self.clock,
            self.reports.append,
            self.told.append,
            rules,
            baseline,
        )

    def drain(self) -> None:
        reports, self.reports[:] = list(self.reports), []
        for report in reports:
            self.differences += [report.detail] * (report.kind is ReportKind.DIFFERENCE)
        self.core.run(reports)
        self.link.dispatch(outbox_of(self.core).take())

    async def trade(self, quantity: int) -> None:
        """Send the script's order, and have so much of it filled and reported."""
        instrument = self.instruments[0]
        now_ns = self.clock.now_ns()
        self.core.run([Quote(now_ns, instrument.symbol, 999, 1000, -1, -1, instrument)])
        self.link.dispatch(outbox_of(self.core).take())
        await self.wait(1)
        name = f"test-{self.core.order_manager.next_order_id - 1}"
        self.venue._fill(name, quantity)
        await self.wait(1)

    async def wait(self, seconds: float) -> None:
        while seconds > 0:
            await rest()
            self.drain()
            await self.clock.advance(0.5)
            await rest()
            self.drain()
            seconds -= 0.5

    async def once(self) -> list[str]:
        found: list[str] = await self.finished(self.reconciler.once())
        return found

    async def finished(self, work: Coroutine[Any, Any, Any]) -> Any:
        task = asyncio.ensure_future(work)
        for _ in range(600):
            await rest()
            if task.done():
                self.drain()
                return task.result()
            await self.wait(0.5)
        raise AssertionError("it never comes to its end")


def story(work: Work, *, is_started: bool = True, **how: Any) -> Books:
    async def body() -> Books:
        books = Books(**how)
        serving = asyncio.create_task(books.link.run())
        if is_started:
            await books.finished(books.reconciler.start())
        await work(books)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        return books

    return run(body())
