"""Evidence that an order rests no more counts at once; that its fills are settled comes behind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from link_bench import BUY, LinkBench, story
from link_helpers import rest

from logos.core.strategy import Cancel, limit
from logos.core.types import Side
from logos.venues.contract import Unavailable, VenueOrder

CANCELLED_AT_TWO = {1: BUY, 2: Cancel(tag="mine")}


def settles_late(bench: LinkBench) -> None:
    """From now on the venue does not say yet how an order ended, as a terminal does at first."""

    async def find(_client_order_id: str, _symbol: str) -> VenueOrder | None:
        raise Unavailable("too early to say: it has just left the list of orders", 2.0)

    bench.venue.find = find  # type: ignore[assignment, method-assign]


def lists(bench: LinkBench, answer: Sequence[VenueOrder] | Unavailable) -> None:
    async def open_orders() -> Sequence[VenueOrder]:
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    bench.venue.open_orders = open_orders  # type: ignore[method-assign]


async def cancelled(bench: LinkBench) -> list[str]:
    """An order of the bench that was cancelled while the venue settles late; who was told."""
    told: list[str] = []
    bench.link.on_gone = lambda: told.append("gone")
    bench.quote()
    await bench.wait(1)
    assert bench.link.may_rest("test-1")
    settles_late(bench)
    bench.quote()
    await rest()
    return told


def test_a_cancel_that_was_taken_and_a_list_without_the_order_are_evidence() -> None:
    async def work(bench: LinkBench) -> None:
        told = await cancelled(bench)
        assert not bench.link.may_rest("test-1")
        assert told == ["gone"]
        assert bench.order is not None, "its fills may still be on their way"
        del bench.venue.find
        await bench.wait(3)
        assert bench.kinds == ["ACCEPTED", "CANCELLED"]
        assert bench.order is None

    story(work, script=CANCELLED_AT_TWO)


@pytest.mark.parametrize("answer", ["the order", "one without a name", "nothing"])
def test_without_evidence_an_order_may_rest(answer: str) -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        [shown] = await bench.venue.open_orders()
        bench.venue.place_external("COIN", Side.BUY, 1000, 900)
        nameless = (await bench.venue.open_orders())[1]
        settles_late(bench)
        lists(bench, {
            "the order": [shown],
            "one without a name": [nameless],
            "nothing": Unavailable("no answer"),
        }[answer])  # type: ignore[arg-type]  # fmt: skip
        bench.quote()
        await bench.wait(3)
        assert bench.link.may_rest("test-1")

    story(work, script=CANCELLED_AT_TWO)


def test_a_list_without_the_order_is_no_evidence_while_no_cancel_was_taken() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        bench.wish(turned_away=1.0, retry_after_s=0.1)
        settles_late(bench)
        lists(bench, [])
        bench.quote()
        await bench.wait(3)
        assert bench.link.may_rest("test-1")

    story(work, script=CANCELLED_AT_TWO)


def test_an_order_that_was_never_heard_of_may_rest() -> None:
    async def work(bench: LinkBench) -> None:
        assert bench.link.may_rest("test-77")
        await asyncio.sleep(0)

    story(work)


@pytest.mark.parametrize("fault", ["turned_away", "lost_before", "lost_after"])
def test_with_a_third_of_the_cancels_failing_the_venue_has_none_within_five_seconds(
    fault: str,
) -> None:
    orders: dict[int, Any] = {
        number: limit(Side.BUY, "1", f"{number}", tag=f"t{number}") for number in range(1, 41)
    }
    cancels = {40 + number: Cancel(tag=f"t{number}") for number in range(1, 41)}

    async def work(bench: LinkBench) -> None:
        for _ in range(40):
            bench.quote()
        await bench.wait(2)
        resting = [order for order in bench.venue.books.orders.values() if order.is_open]
        assert len(resting) == 40
        bench.wish(**{fault: 0.3}, retry_after_s=0.1, timeout_s=0.5, late_s=0.5)
        for _ in range(40):
            bench.quote()
        await bench.wait(5)
        left = [name for name in bench.venue.books.orders if bench.link.may_rest(name)]
        is_open = [name for name, order in bench.venue.books.orders.items() if order.is_open]
        assert is_open == []
        assert [name for name in left if name in bench.link._kept] == []

    story(work, script={**orders, **cancels})
