"""What the published Expert Advisor cannot do, said by the venue before harm is done."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from mt5_helpers import WallClock, an_order, quiet
from mt5_published import BTC, SYMBOL, limit, stage

from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.venue import Mt5Venue
from logos.core.instrument import instrument
from logos.core.outbox import CancelOrder
from logos.core.types import NS_PER_SECOND, OrderStatus, OrderType, Side
from logos.simulators.mt5.faults import FaultPlan
from logos.simulators.mt5.simulator import SimSymbol
from logos.venues.contract import NotSent, Refused, Unavailable


def test_a_list_with_an_error_before_it_proves_no_absence() -> None:
    async def scenario() -> None:
        async with stage() as on:
            await on.venue.submit(limit(9_000, "run-1"))
            assert (await on.settled()).status is OrderStatus.ACCEPTED
            on.box.simulator.faults = FaultPlan(seed=3, damaged=1.0)
            told = set[object]()
            for _ in range(12):
                try:
                    found = await on.venue.find("run-1", SYMBOL)
                    assert found is not None
                    told.add(found.status)
                except Unavailable as error:
                    told.add(str(error)[:12])
            assert told <= {OrderStatus.ACCEPTED, "orders: an e", "orders: the "}
            assert OrderStatus.ACCEPTED in told
            for ask in (on.venue.open_orders, on.venue.positions):
                on.box.simulator.book.positions[SYMBOL].apply(100, 10_000)
                with pytest.raises(Unavailable, match=r"5040|4753|4754|could be read"):
                    await ask()

    asyncio.run(scenario())


def test_a_price_rounded_to_another_symbols_digits_is_said_before_the_second_order() -> None:
    fine = instrument(
        "EURUSD.s",
        tick="0.0001",
        lot="0.01",
        min_quantity="0.01",
        quote="USD",
        settlement="margin",
    )
    prices = SimSymbol(instrument=fine, prices=itertools.repeat((11_000, 11_002)), interval_s=0.0)

    async def scenario() -> None:
        async with stage(quiet(), prices, chart=SYMBOL) as on:
            first = an_order(fine, Side.BUY, 100, OrderType.LIMIT, 10_987, name="run-1")
            await on.venue.submit(first)
            second = an_order(fine, Side.BUY, 100, OrderType.LIMIT, 10_912, name="run-2")
            with pytest.raises(Refused, match="rounds to the digits of its chart"):
                await on.venue.submit(second)
            assert len(on.stops) == 1
            assert "ordered at 10987" in on.stops[0]
            found = await on.venue.find("run-1", "EURUSD.s")
            assert found is not None
            assert found.limit_price_units == 11_000
            assert on.box.simulator.book.client_ids == {"run-1": 1}

    asyncio.run(scenario())


def test_what_waits_under_a_ticket_of_more_than_31_bits_cannot_be_cancelled_and_that_is_said() -> (
    None
):
    async def scenario() -> None:
        async with stage(first_ticket=2**32 + 2**31 + 5) as on:
            await on.venue.submit(limit(9_000))
            found = await on.settled()
            assert found.venue_order_id == str(2**32 + 2**31 + 5)
            with pytest.raises(NotSent, match="by hand"):
                await on.venue.cancel(CancelOrder("run-1", SYMBOL))
            assert len(on.stops) == 1
            with pytest.raises(Refused, match="32 bits"):
                await on.venue.submit(limit(9_001, "run-2"))
            # A market order needs no cancel.
            await on.venue.submit(an_order(BTC, name="run-3"))
            assert (await on.settled("run-3")).status is OrderStatus.FILLED

    asyncio.run(scenario())


def test_what_has_more_decimals_than_five_is_refused() -> None:
    tiny = instrument(
        "TINY.s",
        tick="0.000001",
        lot="0.01",
        min_quantity="0.01",
        quote="USD",
        settlement="margin",
    )
    prices = SimSymbol(instrument=tiny, prices=itertools.repeat((100, 101)), interval_s=0.0)

    async def scenario() -> None:
        async with stage(prices) as on:
            with pytest.raises(Refused, match="5 decimals"):
                await on.venue.submit(an_order(tiny))

    asyncio.run(scenario())


def test_old_deals_in_words_that_nobody_knows_are_not_read() -> None:
    async def scenario() -> None:
        async with stage() as on:
            on.by_hand(True, 10)
            expert: Any = on.box.simulator._expert
            plain = expert._deal

            def old(deal: Any) -> Any:
                told = plain(deal)
                if deal.order == 1001:
                    told |= {"type": "Unknown type", "time": told["time"] - 10**6, "price": None}
                return told

            expert._deal = old
            await on.venue.submit(an_order(BTC))
            assert (await on.settled()).status is OrderStatus.FILLED

    asyncio.run(scenario())


def test_new_deals_in_words_that_nobody_knows_are_an_error() -> None:
    async def scenario() -> None:
        async with stage() as on:
            expert: Any = on.box.simulator._expert
            plain = expert._deal
            expert._deal = lambda deal: plain(deal) | {"type": "Canceled Buy type"}
            await on.venue.submit(an_order(BTC))
            on.price()
            with pytest.raises(Unavailable, match="a deal of the type 'Canceled Buy type'"):
                await on.venue.find("run-1", SYMBOL)
            expert._deal = lambda deal: plain(deal) | {"type": "Daily Commission type"}
            with pytest.raises(Unavailable, match="nothing is said to be absent"):
                await on.venue.find("run-1", SYMBOL)

    asyncio.run(scenario())


def test_the_dry_run_says_how_orders_are_followed_there() -> None:
    async def scenario() -> None:
        async with stage() as on:
            on.by_hand(True, 10)
            lines = {line.name: line for line in await on.venue.check()}
            assert lines["recognition"].is_ok
            assert "this is the published Expert Advisor" in lines["recognition"].detail
            assert "stops the session" in lines["recognition"].detail

    asyncio.run(scenario())


def test_an_order_of_which_deals_stay_missing_is_a_doubt_after_a_while() -> None:
    class Later(WallClock):
        moved_ns = 0

        def now_ns(self) -> int:
            return super().now_ns() + self.moved_ns

    async def scenario() -> None:
        async with stage() as on:
            clock = Later()
            venue = Mt5Venue(
                on.box.gateway,
                {SYMBOL: Mt5VenueSymbol(BTC, SYMBOL)},
                clock,
                session_id="run",
                is_sandbox=True,
                settle_s=2.0,
            )
            venue.stop_on_doubt(on.stops.append)
            await venue.open()
            await venue.submit(an_order(BTC, quantity=50))
            sent = venue._ledger.get("run-1")
            assert sent is not None
            sent.answered_units = 80  # the answer told of more than the deals that are listed
            sent.quantity_units = 80
            on.price()
            for _ in range(8):
                with pytest.raises(Unavailable, match=r"too early|50 of 80 units are among"):
                    await venue.find("run-1", SYMBOL)
                clock.moved_ns += 5 * NS_PER_SECOND
            assert [words for words in on.stops if "50 of 80 units" in words] == on.stops != []

    asyncio.run(scenario())


def test_a_hedging_account_is_refused_at_its_second_position() -> None:
    async def scenario() -> None:
        async with stage(is_hedging=True) as on:
            for number in (1, 2):
                await on.venue.submit(an_order(BTC, name=f"run-{number}"))
            with pytest.raises(Unavailable, match="position 1001 twice"):
                await on.venue.positions()
            assert len(on.stops) == 1
            with pytest.raises(Refused, match="a netting account is needed"):
                await on.venue.submit(an_order(BTC, name="run-3"))
            assert "run-3" not in on.box.simulator.book.client_ids

    asyncio.run(scenario())
