"""A venue cancels the orders of those it does not hear from; a healthy, armed loop is heard."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest
from venue_tools import NOW_NS, Word, bitcoin

from logos.adapters.ccxt.profiles import profile_of
from logos.adapters.ccxt.venue import CcxtVenue
from logos.core.gates import InProcessSwitch
from logos.session.venue.dead_man import AFTER_S, EVERY_S, DeadManKeeper
from logos.simulators.exchange.dead_man import ALL, DeadManSwitch
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.market import Listing, Market
from logos.simulators.exchange.orders import ExchangeOrders
from logos.simulators.exchange.server import Exchange
from logos.testing.clock import ManualClock
from logos.venues.contract import Unavailable

SECRET = "c2VjcmV0c2VjcmV0"  # base64, as Kraken's are


class There:
    """An exchange with one order that rests, and a venue that speaks its language."""

    def __init__(self, exchange_id: str) -> None:
        listing = Listing("BTCUSDT", "BTC", "USDT")
        listing.add_top(NOW_NS - 1, "99990.00", "100000.00", "5", "5")
        self.exchange = Exchange(Market([listing], NOW_NS))
        self.account = ExchangeOrders(self.exchange, "key", "secret", {"USDT": "100000"})
        self.switch = DeadManSwitch(self.exchange, self.account)
        self.account.place_by_hand("BTCUSDT", "BUY", "0.1", "100.00", "s-1-1")
        self.exchange_id = exchange_id

    def venue(self) -> CcxtVenue:
        venue = CcxtVenue(
            self.exchange_id, {"BTCUSDT": bitcoin()}, ManualClock(), Random(1), key=Word("k" * 16),
            secret=Word(SECRET), password=Word("p" * 8), sandbox=False, url=self.exchange.url,
            limit_rate=False,
        )  # fmt: skip
        venue._markets = {"BTCUSDT": {"id": "BTCUSDT", "symbol": "BTC/USDT"}}
        venue._exchange.markets = {}
        return venue


def story(exchange_id: str, work: Any) -> None:
    async def body() -> None:
        there = There(exchange_id)
        async with there.exchange:
            venue = there.venue()
            try:
                await work(there, venue)
            finally:
                await venue.close()

    asyncio.run(body())


EXCHANGES = ("kraken", "okx", "binanceusdm", "gate")
BY_MARKET = ("binanceusdm", "gate")


@pytest.mark.parametrize("exchange_id", EXCHANGES)
def test_an_exchange_that_hears_nothing_for_its_time_cancels(exchange_id: str) -> None:
    async def work(there: There, venue: CcxtVenue) -> None:
        assert venue.dead_man is not None
        await venue.dead_man.cancel_all_after(60)
        due = there.switch.due_ns["BTCUSDT" if exchange_id in BY_MARKET else ALL]
        assert due == NOW_NS + 60 * 10**9
        await there.exchange.advance(59)
        await venue.dead_man.cancel_all_after(60)
        await there.exchange.advance(59)
        assert there.account.order("s-1-1").is_open
        await there.exchange.advance(2)
        assert there.switch.cancelled == ["s-1-1"]
        assert there.switch.due_ns == {}

    story(exchange_id, work)


@pytest.mark.parametrize("exchange_id", EXCHANGES)
def test_nothing_is_cancelled_once_it_was_taken_back(exchange_id: str) -> None:
    async def work(there: There, venue: CcxtVenue) -> None:
        assert venue.dead_man is not None
        await venue.dead_man.cancel_all_after(60)
        await venue.dead_man.cancel_all_after(0)
        await there.exchange.advance(1_000)
        assert there.account.order("s-1-1").is_open

    story(exchange_id, work)


@pytest.mark.parametrize("exchange_id", EXCHANGES)
@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.MALFORMED])
def test_what_is_not_known_to_be_set_is_said(exchange_id: str, fault: Fault) -> None:
    async def work(there: There, venue: CcxtVenue) -> None:
        there.exchange.fail("POST", fault)
        assert venue.dead_man is not None
        with pytest.raises(Unavailable, match="cancel all after 60 s"):
            await venue.dead_man.cancel_all_after(60)

    story(exchange_id, work)


@pytest.mark.parametrize("exchange_id", ["okx", "gate"])
def test_a_time_that_the_exchange_does_not_take_is_not_set(exchange_id: str) -> None:
    async def work(there: There, venue: CcxtVenue) -> None:
        assert venue.dead_man is not None
        with pytest.raises(Unavailable):
            await venue.dead_man.cancel_all_after(4)
        assert there.switch.due_ns == {}

    story(exchange_id, work)


@pytest.mark.parametrize("exchange_id", ["binance", "bitget", "bybit"])
def test_an_exchange_without_one_has_none(exchange_id: str) -> None:
    assert profile_of(exchange_id).dead_man is None


class Heard:
    """A dead man's switch that writes down what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.error: Unavailable | None = None

    async def cancel_all_after(self, seconds: int) -> None:
        if self.error is not None:
            raise self.error
        self.asked.append(seconds)


class Loop:
    """A keeper beside a session whose loop turns as long as the test says."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.switch = InProcessSwitch()
        self.heard = Heard()
        self.told: list[str] = []
        self.now_ns = 0
        self.keeper = DeadManKeeper(
            self.heard, self.clock, self.switch.authority, lambda: self.now_ns, self.told.append
        )

    async def turn(self, times: int) -> None:
        for _ in range(times):
            self.now_ns += 1
            await self.clock.advance(EVERY_S)
            await asyncio.sleep(0)

    async def stand_still(self, times: int) -> None:
        for _ in range(times):
            await self.clock.advance(EVERY_S)
            await asyncio.sleep(0)


def beside(work: Any) -> None:
    async def body() -> None:
        loop = Loop()
        keeping = asyncio.create_task(loop.keeper.run())
        await loop.clock.wait_for_sleepers()
        await work(loop)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    asyncio.run(body())


def test_a_loop_that_turns_is_heard_well_within_the_time() -> None:
    async def work(loop: Loop) -> None:
        await loop.turn(4)
        assert loop.heard.asked == [AFTER_S] * 5
        assert AFTER_S >= 3 * EVERY_S

    beside(work)


def test_a_loop_that_stands_still_is_not_heard() -> None:
    async def work(loop: Loop) -> None:
        await loop.stand_still(4)
        assert loop.heard.asked == [AFTER_S]
        await loop.turn(1)
        assert loop.heard.asked == [AFTER_S] * 2

    beside(work)


def test_an_engaged_switch_lets_it_run_out_and_a_reset_renews_it() -> None:
    async def work(loop: Loop) -> None:
        loop.switch.engage("enough", "test")
        await loop.turn(4)
        assert loop.heard.asked == [AFTER_S]
        loop.switch.flag[0] = 0
        await loop.turn(1)
        assert loop.heard.asked == [AFTER_S] * 2

    beside(work)


def test_a_venue_that_cannot_be_asked_is_told_of_and_asked_again() -> None:
    async def work(loop: Loop) -> None:
        loop.heard.error = Unavailable("no answer")
        await loop.turn(1)
        assert loop.told == ["the venue's dead man's switch: no answer"]
        loop.heard.error = None
        await loop.turn(1)
        assert loop.heard.asked == [AFTER_S] * 2

    beside(work)


@pytest.mark.parametrize("has_orders", [True, False])
def test_in_the_end_it_is_taken_back_only_when_nothing_is_left(has_orders: bool) -> None:
    async def work(loop: Loop) -> None:
        await loop.turn(1)
        await loop.keeper.end(has_orders=has_orders)
        assert (loop.heard.asked[-1] == 0) is not has_orders

    beside(work)
