"""A kill with twenty resting orders, in real time, at an exchange that answers over HTTP."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import Any

import pytest
from venue_tools import bitcoin, exchange_desk
from waiting import until

from logos.core.context import CoreView
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote, Report, TimePassed
from logos.core.strategy import limit
from logos.core.types import Side
from logos.execution.clock import SystemClock
from logos.execution.venue_link import VenueLink
from logos.testing.builders import Scripted
from logos.testing.venue_core import outbox_of, venue_core

COUNT = 20


@pytest.mark.campaign
def test_a_kill_in_real_time_sends_every_cancel_before_any_question() -> None:
    asyncio.run(asyncio.wait_for(kill_with_resting_orders(), 100))


async def kill_with_resting_orders() -> None:
    clock, switch, coin = SystemClock(), InProcessSwitch(), bitcoin()
    async with exchange_desk(clock=clock, is_open=False) as desk:
        venue = desk.another("test")
        desk.exchange.market.now_ns = clock.now_ns()
        await venue.open()
        script = {n: limit(Side.BUY, "0.001", f"{90_000 - n}.00") for n in range(1, COUNT + 1)}
        core = venue_core(Scripted(script), coin, switch=switch, cash={"USDT": "1000000"})
        reports: list[Report] = []
        link = VenueLink(
            venue, CoreView(core.order_manager), switch, clock, Random(1), reports.append
        )
        exchange: Any = venue._exchange
        sent: list[tuple[float, str]] = []
        fetch = exchange.fetch

        async def noting(url: str, method: str = "GET", *rest: Any) -> Any:
            desk.exchange.market.now_ns = clock.now_ns()
            sent.append((time.monotonic(), method))
            return await fetch(url, method, *rest)

        exchange.fetch = noting
        serving = asyncio.create_task(link.run())

        async def turn() -> None:
            while reports:
                core.run([reports.pop(0)])
            link.dispatch(outbox_of(core).take())

        for _ in range(COUNT):
            core.run([Quote(clock.now_ns(), coin.symbol, 9_999_000, 10_000_000, -1, -1, coin)])
            await turn()

        def rest() -> bool:
            orders = outbox_of(core).open.values()
            return len(orders) == COUNT and all(each.status.name == "ACCEPTED" for each in orders)

        await until(rest, "orders that rest", meanwhile=turn)
        # From here on it bears two cancels a second, and a question in two.
        exchange.rateLimit, venue._pacing._is_limited = 2500, True
        sent.clear()
        await until(lambda: bool(sent), "a question that takes what it bears", meanwhile=turn)
        sent.clear()
        began_s = time.monotonic()
        switch.engage("drill", "ann")
        core.run([TimePassed(clock.now_ns())])
        gone = lambda: not any(link.may_rest(name) for name in link._kept)  # noqa: E731
        await until(gone, "nothing that rests", meanwhile=turn)
        drained_s = time.monotonic() - began_s
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await venue.close()
        methods = [method for _, method in sent]
        first = methods.index("DELETE")
        assert methods[first : first + COUNT] == ["DELETE"] * COUNT
        assert first <= 1, "a question that had left already"
        last_s = max(moment for moment, method in sent if method == "DELETE") - began_s
        print(f"{COUNT} cancels left within {last_s:.1f} s, drained after {drained_s:.1f} s")
