"""The local exchange itself: its faults come when they are told to, and a feed survives any mix."""

from __future__ import annotations

from random import Random

import pytest
from live_helpers import ccxt_feed, following, listing, run, world
from sampling import first_quick

from logos.core.messages import Trade
from logos.feeds.contract import FeedState
from logos.simulators.exchange.faults import Fault, FaultPlan, Rule
from logos.testing.clock import START_NS

aiohttp = pytest.importorskip("aiohttp", reason="the exchange needs the extra logos-trading[ccxt]")

ODDS = {
    Fault.RESET_BEFORE: 0.05,
    Fault.RESET_AFTER: 0.05,
    Fault.RATE_LIMIT: 0.05,
    Fault.SERVER_ERROR: 0.05,
    Fault.SERVER_ERROR_AFTER: 0.05,
    Fault.UNAVAILABLE: 0.05,
    Fault.MAINTENANCE: 0.05,
    Fault.MALFORMED: 0.05,
    Fault.TRUNCATED: 0.05,
    Fault.DUPLICATE: 0.05,
    Fault.REORDERED: 0.05,
    Fault.LATE: 0.05,
}


@pytest.mark.long
@pytest.mark.parametrize("seed", first_quick(range(6), 2))
def test_under_a_seeded_plan_of_faults_no_trade_is_lost_or_comes_twice(seed: int) -> None:
    async def work() -> None:
        async with world(listing(trades=600)) as there:
            async with following(ccxt_feed(there, kind="trades"), there.sink):
                await there.pass_time(1)
                there.exchange.faults.roll(Random(seed), ODDS, ["aggTrades"])
                for _ in range(60):
                    await there.pass_time(1)
                there.exchange.faults.clear()
                await there.pass_until(lambda: len(there.sink.events) >= 600, 10)
            trades = [event for event in there.sink.events if isinstance(event, Trade)]
            assert [each.price_units for each in trades] == list(range(6_000_001, 6_000_601))
            assert len(there.exchange.faults.spoiled) > 5
            assert there.sink.states("BTCUSDT")[-1] is FeedState.LIVE

    run(work())


def test_the_same_seed_spoils_the_same_requests() -> None:
    plans = []
    for _ in range(2):
        plan = FaultPlan()
        plan.roll(Random(7), ODDS, ["/a"])
        for number in range(200):
            plan.next("GET /a" if number % 2 else "GET /b")
        plans.append(plan.spoiled)
    assert plans[0] == plans[1]
    assert 20 < len(plans[0]) < 100
    assert {line for line, _ in plans[0]} == {"GET /a"}


def test_a_rule_lets_some_pass_then_spoils_some() -> None:
    plan = FaultPlan()
    plan.add(Rule("/a", Fault.RATE_LIMIT, times=2, after=1))
    answers = [plan.next(line) for line in ["GET /a", "GET /b", "GET /a", "POST /a", "GET /a"]]
    assert [rule is not None for rule in answers] == [False, False, True, True, False]


def test_its_own_clock_can_be_wrong_and_time_goes_one_way() -> None:
    async def work() -> None:
        async with world(listing(trades=3)) as there:
            there.exchange.market.skew_ns = 5_000_000_000
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{there.exchange.url}/api/v3/time") as answer,
            ):
                assert await answer.json() == {"serverTime": START_NS // 1_000_000 + 5_000}
            with pytest.raises(ValueError, match="cannot go back"):
                await there.exchange.advance(-1)

    run(work())


def test_a_symbol_it_does_not_list_is_refused_as_the_real_one_does() -> None:
    async def work() -> None:
        async with world(listing(trades=3)) as there:
            url = f"{there.exchange.url}/api/v3/depth?symbol=NOPE"
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                assert answer.status == 400
                assert (await answer.json())["code"] == -1121

    run(work())
