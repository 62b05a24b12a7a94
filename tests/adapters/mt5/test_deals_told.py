"""Deals are looked up, never scanned; one that the terminal tells by itself is not asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mt5_helpers import CALM, Bench, WallClock, an_order, bench, coin, quiet
from waiting import until

from logos.adapters.mt5.known.deals import Deals
from logos.adapters.mt5.known.ledger import Ledger
from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.records import Deal, Mark
from logos.adapters.mt5.shared_venue import SharedMt5Venue
from logos.core.outbox import CancelOrder
from logos.core.types import OrderStatus, OrderType, Side
from logos.simulators.mt5.simulator import SimOptions

SYMBOL = "A.s"
IDS = SimOptions(has_ids=True)

A_DEAL = st.builds(
    lambda ticket, time_s, comment, magic, order: Deal(
        str(ticket), order, SYMBOL, Side.BUY, 1, 1, Decimal(0), time_s, Mark(comment, magic)
    ),
    st.integers(1, 60),
    st.integers(0, 9),
    st.sampled_from([None, "", "s-1", "s-2"]),
    st.sampled_from([None, 0, 7, 8]),
    st.sampled_from(["", "11", "12"]),
)


@given(st.lists(A_DEAL, max_size=30, unique_by=lambda each: each.ticket), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_what_is_looked_up_is_what_a_scan_would_find(deals: list[Deal], from_s: int) -> None:
    known = Deals()
    for each in deals:
        assert known.note(each)
        assert not known.note(each)
    ordered = sorted(deals, key=lambda each: (each.time_s, int(each.ticket)))
    later = [each for each in ordered if each.time_s >= from_s]
    assert known.since(from_s) == later
    assert known.blank_since(from_s) == [each for each in later if each.mark.is_blank]
    tickets = [each.ticket for each in deals[:1]]
    for comment, magic, order in (("s-1", 7, "11"), ("s-2", 9, ""), ("s-3", 8, "12")):
        assert known.found_by(comment, magic, order, tickets) == [
            each
            for each in ordered
            if each.mark.comment == comment
            or each.mark.magic == magic
            or (order and each.order == order)
            or each.ticket in tickets
        ]


@given(st.lists(A_DEAL, max_size=20), st.lists(A_DEAL, max_size=20))
@settings(max_examples=40, deadline=None)
def test_what_answers_list_is_taken_once_and_what_came_by_itself_before_is_not(
    told: list[Deal], listed: list[Deal]
) -> None:
    known = Deals()
    for each in told:
        known.note(each)
    known.told(listed, [each.ticket for each in listed], 0)
    heard = {each.ticket for each in told}
    taken = known.take_listed()
    assert [each.ticket for each in taken] == list(
        dict.fromkeys(each.ticket for each in listed if each.ticket not in heard)
    )
    known.told(listed, [each.ticket for each in listed], 0)
    assert known.take_listed() == []


def venue_of(box: Bench) -> SharedMt5Venue:
    symbols = {SYMBOL: Mt5VenueSymbol(coin(SYMBOL), SYMBOL)}
    return SharedMt5Venue(
        box.gateway, symbols, WallClock(), session_id="run", is_sandbox=True, settle_s=1.0
    )


def test_an_order_whose_deal_is_told_is_one_request_with_its_fee() -> None:
    async def scenario() -> None:
        symbol = quiet(SYMBOL)
        async with bench(IDS, symbol, settings=CALM) as box:
            venue = venue_of(box)
            await venue.open()
            before = len(box.audited("request"))
            for number in range(1, 6):
                order = an_order(coin(SYMBOL), name=f"run-{number}")
                assert (await venue.submit(order)).status is OrderStatus.FILLED
                there = await venue.find(f"run-{number}", SYMBOL)
                assert there is not None
                told = venue.told(f"run-{number}")
                assert told is not None
                assert told[0] == there
                [fill] = told[1]
                assert fill.quantity_units == order.terms.quantity
                assert fill.client_order_id == f"run-{number}"
            asked = [each["action"] for each in box.audited("request")][before:]
            # That deals come by themselves is learned from the first.
            assert asked.count("TRADE") == 5
            assert len(asked) <= 6
            fills = await venue.fills_since(0)
            assert [each.fill_id for each in fills] == [
                fill.fill_id
                for n in range(1, 6)
                for fill in (venue.told(f"run-{n}") or ((), ()))[1]
            ]
            await venue.close()

    asyncio.run(scenario())


def test_a_fill_of_an_order_that_waits_is_news_and_a_cancelled_one_is_never_told_whole() -> None:
    async def scenario() -> None:
        async with bench(IDS, quiet(SYMBOL), settings=CALM) as box:
            venue = venue_of(box)
            await venue.open()
            news: list[str] = []
            stream = venue.order_events()
            assert stream is not None

            async def hear() -> None:
                async for each in stream:
                    news.append(each.client_order_id)

            hearing = asyncio.create_task(hear())
            for number in (1, 2):
                waiting = an_order(
                    coin(SYMBOL), Side.BUY, 100, OrderType.LIMIT, 9_000, name=f"run-{number}"
                )
                assert (await venue.submit(waiting)).status is OrderStatus.ACCEPTED
            await until(lambda: news == [""], "the first sign of life")
            await venue.cancel(CancelOrder("run-2", SYMBOL))
            assert (venue.told("run-1"), venue.told("run-2")) == (None, None)
            box.simulator.terminal.price(SYMBOL, 8_990, 9_000)
            await until(lambda: news == ["", "run-1"], "the fill to be told")
            told = venue.told("run-1")
            assert told is not None
            assert told[0].status is OrderStatus.FILLED
            assert venue.told("run-2") is None
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            await venue.close()

    asyncio.run(scenario())


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Each time that it is looked whose an entry is."""
    seen: list[str] = []
    find = Ledger.client_id_of

    def look(ledger: Ledger, mark: Mark, ticket: str) -> str:
        seen.append(ticket)
        return find(ledger, mark, ticket)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "client_id_of", look)
        yield seen


def test_the_end_of_an_order_that_waited_is_told_without_going_through_all_deals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not for each order that ends, the deals of the others are looked at again."""

    async def scenario() -> list[int]:
        async with bench(IDS, quiet(SYMBOL), settings=CALM) as box:
            venue = venue_of(box)
            await venue.open()
            for number in range(1, 31):
                await venue.submit(an_order(coin(SYMBOL), name=f"run-{number}"))
            looked: list[int] = []
            for number in range(31, 34):
                waiting = an_order(
                    coin(SYMBOL), Side.BUY, 100, OrderType.LIMIT, 9_000, name=f"run-{number}"
                )
                assert (await venue.submit(waiting)).status is OrderStatus.ACCEPTED
                await venue.cancel(CancelOrder(f"run-{number}", SYMBOL))
                venue._absence._settle_ns = 0
                with counted(monkeypatch) as seen:
                    there = await venue.find(f"run-{number}", SYMBOL)
                    assert there is not None
                    assert there.status is OrderStatus.CANCELLED
                    assert list(await venue.fills_of(f"run-{number}", 0)) == []
                looked.append(len(seen))
            [fill] = await venue.fills_of("run-7", 0)
            assert fill.client_order_id == "run-7"
            assert list(await venue.fills_of("run-7", fill.ts_ns + 10**12)) == []
            await venue.close()
            return looked

    assert max(asyncio.run(scenario())[1:]) == 0
