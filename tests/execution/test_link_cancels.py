"""Cancels on the way to a venue, lost, late and raced: rows of docs/RECONCILIATION.md."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from link_bench import BUY, LinkBench, story

from logos.core.messages import TimePassed
from logos.core.outbox import CancelOrder
from logos.core.strategy import Cancel, Replace
from logos.core.types import OrderStatus
from logos.venues.contract import OutcomeUnknown, VenueError, VenueOrder


def test_a_cancel_before_the_order_was_sent_ends_it_here_and_its_successor_is_sent() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(turned_away=1.0, retry_after_s=1.0)
        bench.quote()
        await bench.wait(0.25)
        bench.quote()
        bench.wish()
        await bench.wait(2)
        assert bench.kinds == ["CANCELLED", "ACCEPTED"]
        assert bench.venue.reached == {"test-2": 1}

    story(work, script={1: BUY, 2: Replace(tag="mine", limit_price="9")})


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "silent", "turned_away"])
def test_a_cancel_is_asked_for_until_the_order_has_ended(fault: str) -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        bench.wish(**{fault: 0.9}, late_s=0.0)
        bench.switch.engage("test", "test")
        bench.core.run([TimePassed(bench.clock.now_ns())])
        bench.send()
        await bench.wait(40)
        bench.wish()
        await bench.wait(60)
        assert bench.kinds == ["ACCEPTED", "CANCELLED"]
        assert bench.venue.books.orders["test-1"].status is OrderStatus.CANCELLED

    story(work)


def test_fills_are_reported_while_a_cancel_cannot_be_had() -> None:
    async def work(bench: LinkBench) -> None:
        async def cancel(request: CancelOrder) -> None:
            raise OutcomeUnknown("no answer")

        bench.quote()
        await bench.wait(1)
        bench.venue.cancel = cancel  # type: ignore[method-assign]
        bench.quote()
        await bench.wait(1)
        bench.venue._fill("test-1", 700)
        await bench.wait(2)
        assert bench.held == 700

    story(work, script={1: BUY, 2: Cancel(tag="mine")})


def test_an_order_that_is_gone_ends_though_no_cancel_of_it_is_ever_answered() -> None:
    """A terminal answers for a slow symbol later than is waited for; its lists come in time, and
    while a cancel is under way beside them."""

    async def work(bench: LinkBench) -> None:
        async def cancel(request: CancelOrder) -> None:
            with suppress(VenueError):  # it is gone after the first
                await take(request)
            await bench.clock.sleep(0.25)
            raise OutcomeUnknown("no answer")

        async def slowly(client_order_id: str, symbol: str) -> VenueOrder | None:
            there = await find(client_order_id, symbol)
            await bench.clock.sleep(0.6)
            return there

        bench.quote()
        await bench.wait(1)
        take, find = bench.venue.cancel, bench.venue.find
        bench.venue.cancel = cancel  # type: ignore[method-assign]
        bench.venue.find = slowly  # type: ignore[method-assign]
        bench.quote()
        await bench.wait(8)
        assert bench.kinds == ["ACCEPTED", "CANCELLED"]

    story(work, script={1: BUY, 2: Cancel(tag="mine")})


def test_a_venue_is_not_pestered_with_cancels() -> None:
    async def work(bench: LinkBench) -> None:
        asked: list[float] = []

        async def cancel(request: CancelOrder) -> None:
            asked.append(bench.clock.now_ns() / 1e9)

        bench.quote()
        await bench.wait(1)
        bench.venue.cancel = cancel  # type: ignore[method-assign]
        bench.quote()
        await bench.wait(10)
        assert 4 <= len(asked) <= 6

    story(work, script={1: BUY, 2: Cancel(tag="mine")})


def test_a_fill_that_races_a_cancel_is_booked_before_the_end() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        bench.wish(racing=1.0)
        bench.quote()
        await bench.wait(3)
        filled = bench.venue.books.orders["test-1"].filled
        assert 0 < filled < 2000
        assert bench.kinds == ["ACCEPTED", "FILLED", "CANCELLED"]
        assert bench.held == filled

    story(work, script={1: BUY, 2: Cancel(tag="mine")})


def test_a_last_fill_that_the_ended_order_does_not_count_yet_is_not_forgotten() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        bench.wish(racing=1.0)
        find, lags = bench.venue.find, [True]

        async def stale(client_order_id: str, symbol: str) -> VenueOrder | None:
            there = await find(client_order_id, symbol)
            assert there is not None
            return msgspec.structs.replace(there, filled_units=0) if lags[0] else there

        bench.venue.find = stale  # type: ignore[method-assign]
        bench.quote()
        await bench.wait(3)
        assert bench.kinds == ["ACCEPTED", "FILLED"]
        lags[0] = False
        await bench.wait(1)
        assert bench.kinds == ["ACCEPTED", "FILLED", "CANCELLED"]
        assert bench.held == bench.venue.books.orders["test-1"].filled

    story(work, script={1: BUY, 2: Cancel(tag="mine")})
