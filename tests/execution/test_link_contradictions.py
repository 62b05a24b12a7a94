"""A venue that contradicts itself about one order: trading stops, with the reason."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from link_bench import AT_ONCE, NEVER, LinkBench, story

from logos.venues.contract import VenueFill, VenueOrder


def test_a_resting_price_that_is_not_ours_stops_trading_at_once() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        bench.venue.books.orders["test-1"].limit_price = 1_001
        await bench.wait(1)
        assert bench.is_stopped
        [guard] = bench.guards()
        assert "has it at 10.01; it was ordered at 10.00" in guard.detail
        await bench.wait(3)
        assert len(bench.guards()) == 1, "it is said once"
        assert bench.venue.books.orders["test-1"].is_open is False, "what rests is cancelled"
        assert bench.order is None

    story(work)


def test_our_own_price_is_no_difference_and_a_better_fill_is_none() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(3)
        assert not bench.is_stopped

    story(work, fills=AT_ONCE)
    story(work)


@pytest.mark.parametrize("what", ["open orders", "fills"])
def test_an_order_that_is_denied_and_listed_stops_trading_and_is_not_called_unsent(
    what: str,
) -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(lost_after=1.0, late_s=0.0, timeout_s=0.1)

        async def denied(_client_order_id: str, _symbol: str) -> None:
            return None

        async def nothing() -> Sequence[VenueOrder]:
            return []

        bench.venue.find = denied  # type: ignore[assignment, method-assign]
        if what == "fills":
            bench.venue.open_orders = nothing  # type: ignore[method-assign]
        bench.quote()
        await bench.wait(25)
        assert bench.kinds == ["UNKNOWN", "DIFFERENCE"]
        assert bench.is_stopped
        lists = "it among the open orders" if what == "open orders" else "fills of it"
        assert f"has no such order, and lists {lists}" in bench.guards()[0].detail
        assert bench.order is not None, "it is followed on"

    story(work, fills=AT_ONCE if what == "fills" else NEVER)


def test_a_denial_without_any_trace_is_believed_and_holdings_are_looked_at() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(lost_before=1.0, timeout_s=0.1)
        bench.quote()
        await bench.wait(25)
        assert bench.kinds == ["UNKNOWN", "NOT_SENT"]
        assert bench.link.denied.is_set()

    story(work)


def test_a_fill_of_another_order_is_no_trace_of_this_one() -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(lost_before=1.0, timeout_s=0.1)
        bench.quote()

        async def others(_ts_ns: int) -> Sequence[VenueFill]:
            real = await type(bench.venue).fills_since(bench.venue, 0)
            return [msgspec.structs.replace(each, client_order_id="test-9") for each in real]

        bench.venue.fills_since = others  # type: ignore[assignment, method-assign]
        await bench.wait(25)
        assert bench.kinds == ["UNKNOWN", "NOT_SENT"]

    story(work)
