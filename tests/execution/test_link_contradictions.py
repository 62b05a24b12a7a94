"""A venue that contradicts itself about one order: trading stops, with the reason."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from link_bench import AT_ONCE, BUY, NEVER, LinkBench, story

from logos.core.strategy import Cancel, market
from logos.core.types import Side
from logos.execution.tracked import LinkRules
from logos.testing.fake_venue import FillRules
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
        assert bench.link.doubts.wanted.is_set()

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


@pytest.mark.parametrize("what", ["quantity", "side"])
def test_another_order_under_our_id_stops_trading_at_once(what: str) -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(1)
        there = bench.venue.books.orders["test-1"]
        if what == "quantity":
            there.quantity += 1
        else:
            there.side = Side.SELL
        await bench.wait(1)
        assert bench.is_stopped
        [guard] = bench.guards()
        assert "has another order under this id" in guard.detail

    story(work)


@pytest.mark.parametrize(("fills", "stops"), [(NEVER, True), (FillRules(0, 1, 0, 5), False)])
def test_a_market_order_that_nothing_fills_for_a_minute_stops_trading(
    fills: FillRules, stops: bool
) -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(55)
        assert not bench.is_stopped
        await bench.wait(10)
        assert bench.is_stopped is stops
        if stops:
            assert "market order and lists no fill of it" in bench.guards()[0].detail

    story(work, fills=fills, script={1: market(Side.BUY, 2)})


def test_a_market_order_that_its_venue_holds_back_may_wait_and_has_its_minute_then() -> None:
    async def work(bench: LinkBench) -> None:
        find, is_closed = bench.venue.find, True

        async def held_back(client_order_id: str, symbol: str) -> VenueOrder | None:
            there = await find(client_order_id, symbol)
            return None if there is None else msgspec.structs.replace(there, is_waiting=is_closed)

        bench.venue.find = held_back  # type: ignore[method-assign]
        bench.quote()
        await bench.wait(300)
        assert not bench.is_stopped
        is_closed = False
        await bench.wait(55)
        assert not bench.is_stopped
        await bench.wait(10)
        assert bench.is_stopped
        assert "lists no fill of it after 6" in bench.guards()[0].detail

    story(work, fills=NEVER, script={1: market(Side.BUY, 2)})


def test_a_limit_order_may_rest_for_as_long_as_it_likes() -> None:
    async def work(bench: LinkBench) -> None:
        bench.quote()
        await bench.wait(100)
        assert not bench.is_stopped

    story(work)


@pytest.mark.parametrize("is_found_between", [False, True])
def test_a_second_denial_in_a_row_of_one_symbol_is_not_believed(is_found_between: bool) -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(lost_before=1.0, timeout_s=0.1)
        bench.quote()
        await bench.wait(25)
        assert bench.kinds == ["UNKNOWN", "NOT_SENT"]
        if is_found_between:
            bench.wish()
            bench.quote()
            await bench.wait(2)
        bench.wish(lost_before=1.0, timeout_s=0.1)
        bench.quote()
        await bench.wait(25)
        assert bench.is_stopped is not is_found_between
        if not is_found_between:
            assert bench.kinds[-2:] == ["UNKNOWN", "DIFFERENCE"], "it is followed, not given up"
            assert "the second of COIN in a row" in bench.guards()[0].detail

    story(work, script={1: BUY, 2: BUY, 3: BUY})


@pytest.mark.parametrize("what", ["open orders", "fills"])
def test_what_is_listed_without_a_name_and_looks_like_a_denied_order_stops_trading(
    what: str,
) -> None:
    async def work(bench: LinkBench) -> None:
        bench.wish(lost_after=1.0, late_s=0.0, timeout_s=0.1)
        venue = bench.venue

        async def denied(_client_order_id: str, _symbol: str) -> None:
            return None

        async def orders() -> Sequence[VenueOrder]:
            real = await type(venue).open_orders(venue)
            return [msgspec.structs.replace(each, client_order_id="") for each in real]

        async def fills(_ts_ns: int) -> Sequence[VenueFill]:
            real = await type(venue).fills_since(venue, 0)
            return [msgspec.structs.replace(each, client_order_id="") for each in real]

        venue.find = denied  # type: ignore[assignment, method-assign]
        venue.open_orders = orders  # type: ignore[method-assign]
        venue.fills_since = fills  # type: ignore[assignment, method-assign]
        bench.quote()
        await bench.wait(25)
        assert bench.kinds == ["UNKNOWN", "DIFFERENCE"]
        assert "without a name that looks like" in bench.guards()[0].detail
        assert bench.order is not None, "it is followed on"

    story(work, fills=AT_ONCE if what == "fills" else NEVER)


def test_a_fill_without_a_name_of_an_order_denied_for_a_moment_is_no_trace_of_a_lost_one() -> None:
    async def work(bench: LinkBench) -> None:
        venue = bench.venue
        find, fills = venue.find, venue.fills_since
        hidden = {"test-2"}

        async def find_but_those(name: str, symbol: str) -> VenueOrder | None:
            return None if name in hidden else await find(name, symbol)

        async def without_names(ts_ns: int) -> Sequence[VenueFill]:
            return [
                msgspec.structs.replace(each, client_order_id="") for each in await fills(ts_ns)
            ]

        venue.find = find_but_those  # type: ignore[assignment, method-assign]
        venue.fills_since = without_names  # type: ignore[method-assign]
        bench.wish(lost_before=1.0, timeout_s=0.1)
        bench.quote()
        await bench.wait(7)
        bench.wish(lost_after=1.0, late_s=0.0, timeout_s=0.1)
        bench.quote()
        await bench.wait(5)  # the first is denied for long enough, the second for a moment
        hidden.clear()
        await bench.wait(25)
        assert bench.kinds == ["UNKNOWN", "UNKNOWN", "FILLED", "NOT_SENT"]
        assert not bench.is_stopped

    story(work, fills=AT_ONCE, script={1: BUY, 2: BUY})


@pytest.mark.parametrize("is_accepted", [True, False])
def test_two_denials_with_a_long_time_between_them_are_not_judged_yet(is_accepted: bool) -> None:
    """Where a venue bears few questions, two answers of a moment may be all that was heard."""

    async def work(bench: LinkBench) -> None:
        bench.wish(**({} if is_accepted else {"lost_after": 1.0, "late_s": 0.0, "timeout_s": 0.1}))
        find, left = bench.venue.find, [2]

        async def denied_twice(name: str, symbol: str) -> VenueOrder | None:
            left[0] -= 1
            return None if left[0] >= 0 else await find(name, symbol)

        bench.venue.find = denied_twice  # type: ignore[assignment, method-assign]
        bench.quote()
        await bench.wait(60)
        assert left[0] < 0
        assert not bench.is_stopped
        assert bench.order is not None
        assert "NOT_SENT" not in bench.kinds

    story(work, rules=LinkRules(poll_s=12.0))


def test_a_denial_is_believed_only_after_a_comparison_of_holdings_that_began_behind_it() -> None:
    async def work(bench: LinkBench) -> None:
        bench.link.doubts.is_compared = True
        bench.wish(lost_before=1.0, timeout_s=0.1)
        bench.quote()
        await bench.wait(5)
        bench.link.doubts.settle(bench.clock.now_ns())
        await bench.wait(30)
        assert bench.kinds == ["UNKNOWN"], "that comparison began before the denial counted"
        assert bench.link.doubts.wanted.is_set()
        bench.link.doubts.settle(bench.clock.now_ns())
        await bench.wait(1)
        assert bench.kinds == ["UNKNOWN", "NOT_SENT"]

    story(work)


def test_a_denial_is_not_believed_against_holdings_that_differ() -> None:
    async def work(bench: LinkBench) -> None:
        bench.link.doubts.is_compared = True
        bench.wish(lost_before=1.0, timeout_s=0.1)
        bench.quote()
        await bench.wait(15)
        said_ns = bench.clock.now_ns()
        bench.link.doubts.settle(said_ns, said_ns)
        bench.link.doubts.settle(said_ns + 1, said_ns)  # there still, and nothing new
        await bench.wait(1)
        assert bench.kinds == ["UNKNOWN", "DIFFERENCE"]
        assert "its holdings differ from ours" in bench.guards()[0].detail
        assert bench.order is not None, "it stays in doubt, and counts in every limit"

    story(work)


@pytest.mark.parametrize("compared", [True, False])
def test_new_orders_of_a_doubted_symbol_wait_until_holdings_were_compared(compared: bool) -> None:
    async def work(bench: LinkBench) -> None:
        doubts = bench.link.doubts
        doubts.is_compared = True
        doubts.hold("COIN", bench.clock.now_ns())
        bench.quote()
        await bench.wait(1)
        assert bench.kinds == []
        assert not bench.venue.submits
        if compared:
            doubts.settle(bench.clock.now_ns())
        await bench.wait(3)
        if compared:
            assert bench.kinds[0] == "ACCEPTED"
        else:
            assert bench.kinds == ["NOT_SENT"], "too old to be sent when the doubt is over"
            assert not bench.venue.submits

    story(work)


def test_a_cancel_reaches_an_order_that_waits_for_holdings() -> None:
    async def work(bench: LinkBench) -> None:
        bench.link.doubts.is_compared = True
        bench.link.doubts.hold("COIN", bench.clock.now_ns())
        bench.quote()
        await bench.wait(0.5)
        bench.quote()
        await bench.wait(0.25)
        assert bench.kinds == ["CANCELLED"]
        assert not bench.venue.submits

    story(work, script={1: BUY, 2: Cancel(1)})


@pytest.mark.parametrize("is_accepted", [True, False])
def test_a_difference_that_was_said_before_the_order_was_made_does_not_keep_its_denial(
    is_accepted: bool,
) -> None:
    async def work(bench: LinkBench) -> None:
        bench.link.doubts.is_compared = True
        said_ns = bench.clock.now_ns()
        await bench.wait(1)
        bench.wish(lost_before=1.0, timeout_s=0.1)
        bench.quote()
        await bench.wait(15)
        if not is_accepted:
            said_ns = bench.clock.now_ns() - 5_000_000_000
        bench.link.doubts.settle(bench.clock.now_ns(), said_ns)
        await bench.wait(1)
        assert bench.kinds == ["UNKNOWN", "NOT_SENT" if is_accepted else "DIFFERENCE"]

    story(work)
