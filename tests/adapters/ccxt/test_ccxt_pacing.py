"""Requests to an exchange of ccxt go when the session's queue says so, not ccxt's own."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from link_helpers import run
from msgspec import structs
from venue_tools import Desk, exchange_desk
from waiting import until

from logos.adapters.ccxt.connection import make_exchange
from logos.adapters.ccxt.pace import Pacing
from logos.adapters.ccxt.profiles import PROFILES, profile_of
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import NS_PER_SECOND
from logos.execution.bounded import BoundedVenue
from logos.execution.sending.lane import CALL, Call
from logos.simulators.exchange.faults import Fault
from logos.testing.clock import ManualClock
from logos.venues.budget import RequestKind
from logos.venues.contract import NotSent


class Watched:
    """A venue as a session has it, at an exchange that bears one request a second."""

    def __init__(self, desk: Desk) -> None:
        exchange: Any = desk.venue._exchange
        exchange.rateLimit = 1000
        pacing = desk.venue._pacing
        pacing._is_limited = True
        pacing._profile = structs.replace(pacing._profile, budget=None, left=())
        self.clock = desk.clock
        self.venue = BoundedVenue(desk.venue, desk.clock, 1000.0)
        self.sent: list[tuple[str, float]] = []
        fetch, began_ns = exchange.fetch, desk.clock.now_ns()

        async def noting(url: str, method: str = "GET", *rest: Any) -> Any:
            seconds = (desk.clock.now_ns() - began_ns) / NS_PER_SECOND
            self.sent.append((method, seconds))
            return await fetch(url, method, *rest)

        exchange.fetch = noting

    async def until(self, tasks: list[asyncio.Task[Any]]) -> None:
        async def pass_time() -> None:
            if self.clock.sleepers:
                await self.clock.advance(0.05)

        all_done = lambda: all(task.done() for task in tasks)  # noqa: E731
        await until(all_done, "the requests", meanwhile=pass_time)


@pytest.mark.long
def test_a_cancel_overtakes_the_questions_that_ccxt_would_let_out_first() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            name, symbol = "s-1-1", desk.instrument.symbol
            await desk.venue.submit(SubmitOrder(desk.limit_buy(), name, 0))
            there = Watched(desk)
            asking: list[asyncio.Task[Any]]
            asking = [asyncio.create_task(there.venue.balances())]
            await asyncio.sleep(0)
            asking += [asyncio.create_task(there.venue.find(name, symbol))]
            asking += [asyncio.create_task(there.venue.open_orders())]
            asking += [asyncio.create_task(there.venue.positions())]
            await asyncio.sleep(0)
            asking += [asyncio.create_task(there.venue.cancel(CancelOrder(name, symbol)))]
            await there.until(asking)
            methods = [method for method, _ in there.sent]
            assert methods[:2] == ["GET", "DELETE"]
            moments = [seconds for _, seconds in there.sent]
            assert all(later - sooner >= 0.9 for sooner, later in pairwise(moments))

    run(story())


def test_without_a_session_ccxt_paces_by_itself() -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            exchange: Any = desk.venue._exchange
            exchange.enableRateLimit = True
            costs: list[float] = []

            async def throttle(cost: float | None = None) -> None:
                costs.append(cost or 0.0)

            exchange.throttle = throttle
            await desk.venue.balances()
            assert len(costs) == 1

    run(story())


def pacing_of(
    exchange_id: str, *, limit_rate: bool = True, **differs: Any
) -> tuple[Pacing, Any, ManualClock]:
    clock = ManualClock()
    profile = structs.replace(profile_of(exchange_id), **differs)
    exchange = make_exchange(
        profile, clock, sandbox=False, url="", timeout_s=1.0, limit_rate=limit_rate
    )
    return Pacing(exchange, profile, clock), exchange, clock


def test_what_requests_cost_is_learned_from_ccxt_where_no_profile_states_it() -> None:
    async def story() -> None:
        pacing, exchange, _ = pacing_of("binance", budget=None)
        paced: list[RequestKind] = []

        async def pace() -> None:
            call = CALL.get()
            assert call is not None
            paced.append(call.kind)

        pacing.use(pace)
        calls = (
            (RequestKind.FIND, "GET", "order"),
            (RequestKind.FILLS, "GET", "myTrades"),
            (RequestKind.ORDER, "POST", "order"),
        )
        for kind, method, path in calls:
            CALL.set(Call(kind))
            config = exchange.api["private"][method.lower()][path]
            config = config if isinstance(config, dict) else {"cost": config}
            cost = exchange.calculate_rate_limiter_cost("private", method, path, {}, config)
            await exchange.throttle(cost)
        assert paced == [kind for kind, _, _ in calls]
        budget = pacing.budget
        assert budget is not None
        [pool] = budget.pools
        # 6,000 a minute; binance-spot-api-docs rest-api.md: order 1, query 4, account trades 20.
        weight = pool.per_s * 60 / 6000
        costs = [pool.cost_of(kind) / weight for kind, _, _ in calls]
        assert costs == [pytest.approx(4), pytest.approx(20), pytest.approx(1)]
        await exchange.close()

    run(story())


def test_a_server_of_one_s_own_has_no_budget() -> None:
    async def story() -> None:
        pacing, exchange, _ = pacing_of("binance", limit_rate=False)
        assert pacing.budget is None
        await exchange.close()

    run(story())


@pytest.mark.parametrize("retry_after_s", [77, 0])
def test_what_an_exchange_demands_after_a_429_reaches_the_queue(retry_after_s: int) -> None:
    async def story() -> None:
        async with exchange_desk() as desk:
            desk.exchange.fail("POST", Fault.RATE_LIMIT, retry_after_s=retry_after_s)
            with pytest.raises(NotSent) as caught:
                await desk.venue.submit(SubmitOrder(desk.limit_buy(), "s-1-1", 0))
            assert caught.value.demand_s == retry_after_s
            assert caught.value.retry_after_s >= retry_after_s

    run(story())


@pytest.mark.long
@pytest.mark.parametrize("exchange_id", PROFILES)
def test_the_pools_of_every_profile_let_each_kind_of_request_out(exchange_id: str) -> None:
    async def story() -> None:
        pacing, exchange, _ = pacing_of(exchange_id)
        assert pacing.budget is not None
        for pool in pacing.budget.pools:
            assert pool.per_s > 0
            assert all(pool.cost_of(kind) <= pool.size for kind in RequestKind), pool.name
        await exchange.close()

    run(story())
