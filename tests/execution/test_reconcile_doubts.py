"""Reconciliation: what is doubted is compared at once, and orders wait for it."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from reconcile_bench import Books, story

from logos.testing.fake_venue import Faults


def test_a_doubt_is_compared_at_once_and_settled_when_holdings_agree() -> None:
    async def work(books: Books) -> None:
        comparing = asyncio.create_task(books.reconciler.run())
        await books.wait(1)
        doubts = books.link.doubts
        doubts.hold("COIN", books.clock.now_ns())
        await books.wait(1)
        assert not doubts.is_held("COIN")
        books.venue.change_balance("USD", Decimal(-10))
        doubts.hold("COIN", books.clock.now_ns())
        await books.wait(8)
        assert doubts.is_held("COIN"), "not while it is being looked at"
        await books.wait(6)
        assert any("differ by -10" in each for each in books.differences)
        assert doubts.is_held("COIN"), "the core has to hear of it first"
        await books.wait(20)
        assert not doubts.is_held("COIN"), "nothing new any more: who resets it has accepted it"
        comparing.cancel()
        await asyncio.gather(comparing, return_exceptions=True)

    story(work)


def test_a_doubt_at_a_venue_that_cannot_be_asked_is_settled_once_it_can() -> None:
    async def work(books: Books) -> None:
        comparing = asyncio.create_task(books.reconciler.run())
        await books.wait(1)
        books.venue.faults = Faults(unavailable=1.0)
        books.link.doubts.hold("COIN", books.clock.now_ns())
        await books.wait(20)
        assert books.link.doubts.is_held("COIN")
        books.venue.faults = Faults()
        await books.wait(8)
        assert not books.link.doubts.is_held("COIN")
        comparing.cancel()
        await asyncio.gather(comparing, return_exceptions=True)

    story(work)


def test_new_orders_of_a_denied_symbol_wait_as_soon_as_holdings_move() -> None:
    async def work(books: Books) -> None:
        comparing = asyncio.create_task(books.reconciler.run())
        await books.wait(1)
        books.link.doubts.note_denial("COIN", books.clock.now_ns())
        await books.wait(1)
        assert not books.link.doubts.is_held("COIN")
        books.venue.change_balance("USD", Decimal(-10))
        await books.wait(6)
        assert books.link.doubts.is_held("COIN")
        assert not books.differences, "it may still explain itself"
        books.venue.change_balance("USD", Decimal(10))
        await books.wait(12)
        assert not books.link.doubts.is_held("COIN")
        comparing.cancel()
        await asyncio.gather(comparing, return_exceptions=True)

    story(work)
