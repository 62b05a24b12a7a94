"""Reconciliation: what counts as a difference, when, and how often it is said."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from link_helpers import coin, rest
from reconcile_bench import BUY, COIN, PERP, Books, story

from logos.core.messages import Quote
from logos.core.strategy import limit
from logos.core.types import OrderStatus, OrderType, Side, TimeInForce
from logos.execution.reconcile import ReconcileRules
from logos.testing.fake_venue import Faults
from logos.testing.venue_core import outbox_of
from logos.venues.contract import Unavailable, VenueError


def test_books_that_agree_are_found_to_and_the_moment_is_kept() -> None:
    async def work(books: Books) -> None:
        await books.trade(700)
        assert await books.once() == []
        assert books.reconciler.last_ns == books.clock.now_ns()
        assert books.differences == []

    story(work)


def test_what_the_account_held_before_is_its_owners() -> None:
    async def work(books: Books) -> None:
        await books.trade(2000)
        assert await books.once() == []
        assert books.reconciler.baseline == {"USD": Decimal(5000), "COIN": Decimal("0.5")}

    story(work, balances={"USD": "1005000", "COIN": "0.5", "OTHER": "7"})


def test_a_session_cannot_begin_with_more_than_the_venue_holds() -> None:
    async def work(books: Books) -> None:
        await books.finished(books.reconciler.start())
        assert len(books.differences) == 1
        assert "the session is to begin with 1" in books.differences[0]
        assert "USD more than fake holds" in books.differences[0]

    story(work, balances={"USD": "999999"}, is_started=False)


def test_a_deposit_is_a_difference_said_once_until_it_goes_away_and_comes_back() -> None:
    async def work(books: Books) -> None:
        books.venue.change_balance("USD", Decimal(12))
        for _ in range(3):
            (line,) = await books.once()
            assert line == "USD: fake and the session's books differ by 12.000000"
        assert len(books.differences) == 1
        books.venue.change_balance("USD", Decimal(-12))
        assert await books.once() == []
        books.venue.change_balance("USD", Decimal(12))
        await books.once()
        assert len(books.differences) == 2

    story(work)


def test_an_asset_the_venue_no_longer_lists_is_gone() -> None:
    async def work(books: Books) -> None:
        await books.trade(2000)
        books.venue.change_balance("COIN", Decimal(-2))
        assert await books.once() == ["COIN: fake and the session's books differ by -2.000"]

    story(work)


def test_what_the_owner_had_and_took_away_is_a_difference() -> None:
    async def work(books: Books) -> None:
        books.venue.change_balance("COIN", Decimal(-5))
        assert await books.once() == ["COIN: fake and the session's books differ by -5.000"]

    story(work, balances={"USD": "1000000", "COIN": "5"})


def test_a_fill_that_is_not_listed_yet_is_no_difference() -> None:
    async def work(books: Books) -> None:
        books.venue.faults = Faults(listed_s=8.0)
        await books.trade(700)
        assert await books.once() == []
        assert books.differences == []

    story(work)


def test_holdings_are_not_judged_while_an_order_is_not_accounted_for() -> None:
    async def work(books: Books) -> None:
        books.venue.faults = Faults(silent=1.0, silent_arrives=1.0)
        now_ns = books.clock.now_ns()
        books.core.run([Quote(now_ns, "COIN", 999, 1000, -1, -1, COIN)])
        books.link.dispatch(outbox_of(books.core).take())
        await rest()
        books.venue._fill("test-1", 700)
        books.venue.faults = Faults()
        assert await books.once() == []
        assert books.differences == []
        assert books.clock.now_ns() - now_ns > 14 * 10**9

    story(work)


def test_holdings_that_never_agree_count_in_the_end() -> None:
    async def work(books: Books) -> None:
        async def find(client_order_id: str, symbol: str) -> None:
            raise Unavailable("not now")

        await books.trade(700)
        books.venue.find = find  # type: ignore[method-assign]
        books.venue._fill("test-1", 300)
        began_ns = books.clock.now_ns()
        assert len(await books.once()) == 2
        assert 100e9 < books.clock.now_ns() - began_ns < 140e9

    story(work)


def test_the_money_of_margin_trading_is_compared_when_no_position_is_open() -> None:
    async def work(books: Books) -> None:
        await books.trade(2000)
        books.venue.change_balance("USD", Decimal(3))
        assert await books.once() == []
        await books.trade(2000)
        assert books.core.order_manager.states["PERP"].inventory.position == 0
        assert await books.once() == ["USD: fake and the session's books differ by 3.000000"]

    sell = limit(Side.SELL, "2", "10")
    story(work, instruments=(PERP,), script={1: BUY, 2: sell}, cash={"USD": "1000000"})


def test_a_position_that_differs_is_found_where_the_venue_keeps_positions() -> None:
    async def work(books: Books) -> None:
        await books.trade(2000)
        books.venue.books.positions["PERP"] -= 500
        assert await books.once() == ["PERP: fake and the session's books differ by -0.500"]

    story(work, instruments=(PERP,))


def test_a_spot_symbol_listed_as_a_position_is_compared_as_one_also_once_it_is_flat() -> None:
    stock = coin("STOCK", base="SHARES")

    async def work(books: Books) -> None:
        async def positions() -> Mapping[str, int]:
            held = books.venue.books.balances.get("SHARES", Decimal(0))
            return {"STOCK": int(held * 1000)} if held else {}

        async def balances() -> Mapping[str, Decimal]:
            return {"USD": books.venue.books.balances["USD"]}

        books.venue.positions = positions  # type: ignore[method-assign]
        books.venue.balances = balances  # type: ignore[method-assign]
        await books.finished(books.reconciler.start())
        assert await books.once() == []
        await books.trade(2000)
        assert await books.once() == []
        await books.trade(2000)
        assert await books.once() == []
        assert books.differences == []

    sell = limit(Side.SELL, "2", "10")
    story(work, instruments=(stock,), script={1: BUY, 2: sell}, is_started=False)


# ---- orders ----


def test_an_order_that_is_not_ours_is_told_once_and_stops_nothing() -> None:
    async def work(books: Books) -> None:
        books.venue.place_external("COIN", Side.BUY, 100, 900)
        assert await books.once() == await books.once() == []
        (line,) = books.told
        assert "order not placed by this session: BUY COIN LIMIT, order V1 at fake" in line

    story(work)


def test_an_order_that_is_not_ours_stops_trading_if_the_operator_wants_that() -> None:
    async def work(books: Books) -> None:
        books.venue.place_external("COIN", Side.BUY, 100, 900)
        assert await books.once() == [
            "BUY COIN LIMIT, order V1 at fake was not placed by this session"
        ]
        await books.once()
        assert len(books.differences) == 1

    story(work, rules=ReconcileRules(stop_on_external=True))


@pytest.mark.parametrize("filled", [0, 300], ids=["untouched", "filled in part"])
def test_an_order_of_ours_that_is_open_there_and_ended_here_is_a_difference(filled: int) -> None:
    async def work(books: Books) -> None:
        venue = books.venue.books
        order = venue.add("test-9", "COIN", Side.BUY, OrderType.LIMIT, 500, 900, TimeInForce.GTC)
        if filled:
            order.filled, order.status = filled, OrderStatus.PARTIALLY_FILLED
        assert await books.once() == [
            "BUY COIN LIMIT, order V1 at fake is open there and has ended here"
        ]

    story(work)


def test_an_order_that_ends_between_two_answers_of_the_venue_is_none() -> None:
    async def work(books: Books) -> None:
        venue = books.venue
        order = venue.books.add(
            "test-9", "COIN", Side.BUY, OrderType.LIMIT, 500, 900, TimeInForce.GTC
        )
        listed = await venue.open_orders()
        venue.books.end(order, OrderStatus.CANCELLED, "")

        async def open_orders() -> Any:
            return listed

        venue.open_orders = open_orders  # type: ignore[method-assign]
        assert await books.once() == []

    story(work)


# ---- a venue that does not answer ----


def test_a_venue_that_cannot_be_asked_is_told_of_and_asked_again_later() -> None:
    async def work(books: Books) -> None:
        running = asyncio.create_task(books.reconciler.run())
        books.venue.faults = Faults(unavailable=1.0)
        await books.wait(25)
        assert len(books.told) == 2
        assert "fake cannot be asked now" in books.told[0]
        books.venue.faults = Faults()
        before_ns = books.reconciler.last_ns
        await books.wait(12)
        assert books.reconciler.last_ns > before_ns
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    story(work, rules=ReconcileRules(every_s=10.0))


def test_a_connection_that_never_answers_does_not_hang_reconciliation() -> None:
    async def work(books: Books) -> None:
        books.venue.faults = replace(Faults(), silent=4.0)
        with pytest.raises(VenueError, match="no answer within 15 s"):
            await books.once()

    story(work)


def test_reconciling_twice_changes_nothing_here_or_there() -> None:
    async def work(books: Books) -> None:
        await books.trade(700)
        first = await books.once()
        orders = [books.venue.books.view(order) for order in books.venue.books.all_orders]
        ticks = books.core.order_manager.tick_id
        assert await books.once() == first == []
        assert [books.venue.books.view(o) for o in books.venue.books.all_orders] == orders
        assert books.core.order_manager.tick_id == ticks

    story(work)


@pytest.mark.parametrize("is_denied", [True, False])
def test_holdings_that_move_after_a_denial_are_found_long_before_the_timer(is_denied: bool) -> None:
    async def work(books: Books) -> None:
        comparing = asyncio.create_task(books.reconciler.run())
        await books.wait(1)
        if is_denied:
            books.link.doubts.wanted.set()
        await books.wait(12)
        books.venue.change_balance("USD", Decimal(-10))
        await books.wait(25)
        assert any("differ by -10" in each for each in books.differences) is is_denied
        comparing.cancel()
        await asyncio.gather(comparing, return_exceptions=True)

    story(work)
