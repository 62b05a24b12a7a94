"""A ccxt exchange is asked in turn by the venue's queue, within the counters that it documents."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from round_trips import CASES, Bench, Case, bench

from logos.adapters.ccxt.pace import Pacing
from logos.adapters.ccxt.profiles import PROFILES
from logos.core.outbox import CancelOrder
from logos.core.types import NS_PER_SECOND
from logos.execution.sending.lane import Lane
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.server import Handler
from logos.testing.clock import ManualClock
from logos.venues.budget import Pool, RequestKind
from logos.venues.contract import NotSent, Unavailable

BUDGETED = [case for case in CASES if PROFILES[case.exchange_id].budget is not None]
WINDOWS = {
    ("okx", "orders"): (300, 2),
    ("okx", "cancels"): (60, 2),
    ("okx", "looks"): (60, 2),
    ("okx", "open orders"): (60, 2),
    ("okx", "fills"): (10, 2),
    ("okx", "balances"): (10, 2),
    ("kucoin", "spot"): (4000, 30),
    ("kucoin", "management"): (2000, 30),
    ("coinbase", "private requests"): (30, 1),
    ("binance", "weight of the address"): (6000, 60),
    ("binance", "orders in 10 s"): (50, 10),
    ("binance", "orders in a day"): (160_000, 86_400),
    ("bybit", "/v5/order/create"): (20, 1),
    ("bybit", "/v5/order/cancel"): (20, 1),
    ("bybit", "/v5/order/realtime"): (50, 1),
    ("bybit", "/v5/order/history"): (50, 1),
    ("bybit", "/v5/execution/list"): (50, 1),
    ("bybit", "/v5/account/wallet-balance"): (50, 1),
    ("bybit", "requests of the address"): (600, 5),
    ("gate", "POST /api/v4/spot/orders"): (10, 1),
    ("gate", "DELETE /api/v4/spot/orders"): (200, 1),
    ("gate", "GET /api/v4/spot/orders"): (200, 10),
    ("gate", "GET /api/v4/spot/open_orders"): (200, 10),
    ("gate", "GET /api/v4/spot/my_trades"): (200, 10),
    ("gate", "GET /api/v4/spot/accounts"): (200, 10),
    ("bitget", "/trade/place-order"): (10, 1),
    ("bitget", "/trade/cancel-order"): (10, 1),
    ("bitget", "/trade/orderInfo"): (20, 1),
    ("bitget", "/trade/unfilled-orders"): (20, 1),
    ("bitget", "/trade/fills"): (10, 1),
    ("bitget", "/account/assets"): (10, 1),
    ("bitget", "requests of the address"): (6000, 60),
    ("hyperliquid", "weight"): (1200, 60),
    # Has no rate: how many are left is asked for.
    ("hyperliquid", "actions of the address"): (10_000, 60),
    # Counters that fall: never above this.
    ("kraken", "calls"): (15, 0),
    ("kraken", "engine"): (60, 0),
}
"""Of each pool: how much the exchange bears in how many seconds; see `budget` in `sources`."""


def pools() -> list[tuple[str, Pool]]:
    return [
        (each.exchange_id, pool)
        for each in PROFILES.values()
        if each.budget is not None
        for pool in each.budget.pools
    ]


def case_of(exchange_id: str) -> Case:
    return next(each for each in CASES if each.exchange_id == exchange_id)


def test_no_pool_lets_out_more_than_the_exchange_bears_in_its_window() -> None:
    for exchange_id, pool in pools():
        much, seconds = WINDOWS[exchange_id, pool.name]
        assert pool.size + pool.per_s * seconds <= much, (exchange_id, pool.name)


@pytest.mark.parametrize("kind", RequestKind, ids=lambda kind: kind.name)
def test_every_kind_of_request_is_counted_somewhere(kind: RequestKind) -> None:
    for profile in PROFILES.values():
        if profile.budget is not None:
            assert any(pool.cost_of(kind) > 0 for pool in profile.budget.pools)


def test_what_is_told_to_be_left_is_of_a_pool_of_the_budget() -> None:
    for profile in PROFILES.values():
        named = {left.pool for left in profile.left}
        named |= set() if profile.counter is None else {profile.counter.pool}
        pools_of = () if profile.budget is None else profile.budget.pools
        assert named <= {pool.name for pool in pools_of}, profile.exchange_id


# ---- every request waits for its turn ----


async def ask_all(made: Bench) -> None:
    for number in (1, 2):
        await made.submit(number)
    await made.venue.cancel(CancelOrder("s-1-2", "COIN"))
    await made.venue.find("s-1-1", "COIN")
    await made.venue.open_orders()
    await made.venue.fills_since(made.clock.now_ns() - 10 * 24 * 3600 * NS_PER_SECOND)
    await made.venue.balances()


@pytest.mark.long
@pytest.mark.parametrize("case", BUDGETED, ids=lambda case: case.exchange_id)
def test_each_request_awaits_its_turn_pages_included(case: Case) -> None:
    heard: list[str] = []
    turns: list[int] = []

    @web.middleware
    async def listen(request: web.Request, handler: Handler) -> web.StreamResponse:
        heard.append(request.path)
        assert len(turns) >= len(heard), f"{request.path} did not wait for its turn"
        return await handler(request)

    async def turn() -> None:
        turns.append(1)

    async def story() -> None:
        async with bench(case, middlewares=(listen,), is_open=False) as made:
            made.venue.use_pace(turn)
            await made.venue.open()
            await ask_all(made)

    asyncio.run(story())
    assert len(turns) == len(heard) > 6


def fake(headers: dict[str, str]) -> Any:
    """A ccxt exchange of which only these members are met here."""

    async def fetch(url: str) -> Any:
        return exchange.on_rest_response(200, "OK", url, "GET", headers, "{}", {}, None)

    exchange = SimpleNamespace(
        enableRateLimit=True, rateLimit=50, fetch=fetch, on_rest_response=lambda *told: told[5]
    )
    return exchange


@pytest.mark.parametrize("exchange_id", ["okx", "kucoin", "mexc"])
def test_no_request_of_a_session_waits_in_the_queue_of_ccxt(exchange_id: str) -> None:
    exchange = fake({})
    pacing = Pacing(exchange, PROFILES[exchange_id], ManualClock(0))
    paced: list[int] = []

    async def pace() -> None:
        paced.append(1)

    pacing.use(pace)
    assert exchange.enableRateLimit, "ccxt asks its hook before each request"
    asyncio.run(exchange.throttle(1.5))
    assert paced == [1]


def trial(exchange_id: str, work: Callable[[Bench], Awaitable[None]]) -> None:
    async def story() -> None:
        async with bench(case_of(exchange_id)) as made:
            await work(made)

    asyncio.run(story())


# ---- asked too much ----


@pytest.mark.parametrize(
    ("exchange_id", "demand_s"), [("kucoin", 1.489), ("okx", 0.0), ("coinbase", 0.0)]
)
def test_an_exchange_that_is_asked_too_much_is_left_alone(
    exchange_id: str, demand_s: float
) -> None:
    async def work(made: Bench) -> None:
        made.exchange.fail(made.requests["create"], Fault.RATE_LIMIT)
        with pytest.raises(NotSent) as order:
            await made.submit(1)
        assert order.value.demand_s == demand_s
        assert order.value.retry_after_s >= demand_s
        made.exchange.fail(made.requests["open"], Fault.RATE_LIMIT)
        with pytest.raises(Unavailable) as question:
            await made.venue.open_orders()
        assert question.value.demand_s == demand_s
        made.exchange.fail(made.requests["open"], Fault.SERVER_ERROR)
        with pytest.raises(Unavailable) as other:
            await made.venue.open_orders()
        assert other.value.demand_s is None

    trial(exchange_id, work)


def test_a_cancel_waits_as_long_as_the_exchange_demands() -> None:
    async def work(made: Bench) -> None:
        lane = Lane(made.venue, made.clock)
        made.exchange.fail(made.requests["open"], Fault.RATE_LIMIT)
        with pytest.raises(Unavailable) as question:
            await made.venue.open_orders()
        assert lane.go(RequestKind.CANCEL)
        lane.obey(question.value)
        assert not lane.go(RequestKind.CANCEL)
        await made.clock.advance(1.5)
        assert lane.go(RequestKind.CANCEL)

    trial("kucoin", work)
