"""What is told of orders at MetaTrader and turns out otherwise: counted once, or a doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mt5_hedging import QUICK, SYMBOL, Desk, at_desk
from mt5_helpers import Hand, HandClock, an_order, bench, coin, quiet

from logos.adapters.mt5.gateway.wire import FIELDS
from logos.adapters.mt5.known import ledger as ledger_module
from logos.adapters.mt5.known.ledger import Ledger
from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.records import Deal, Mark
from logos.adapters.mt5.tickets import legs, orders
from logos.adapters.mt5.tickets.held import Tickets
from logos.adapters.mt5.venue import Mt5Venue
from logos.core.types import OrderStatus, OrderType, Side
from logos.simulators.mt5.faults import Fate, FaultPlan
from logos.simulators.mt5.simulator import SimOptions
from logos.simulators.mt5.wire import parse_request
from logos.venues.contract import OutcomeUnknown, Unavailable

# ---- comments ----


def test_requests_of_a_session_with_a_long_name_are_told_apart(tmp_path: Path) -> None:
    name = "a-session-with-a-long-name-1"  # its orders' ids have 30 characters

    async def story(on: Desk) -> None:
        for _ in range(12):
            await on.buy(10)
        await on.sell(120)
        asked = [comment for _, comment, _ in on.trades()]
        assert len(asked) == 24
        assert len({each[: legs.COMMENT_MAX] for each in asked}) == 24
        for position in on.book.holdings.open():
            position.magic = 0  # as a broker may
        on.venue = on.another()
        await on.venue.open()
        fills = [each.client_order_id for each in await on.venue.fills_since(0)]
        assert fills.count(f"{name}-13") == 12
        assert (on.tickets(), on.stops) == ([], [])

    at_desk(tmp_path, story, session_id=name)


def test_an_order_comes_to_no_more_requests_than_can_be_numbered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "LEGS_MAX", 2)

    async def story(on: Desk) -> None:
        for _ in range(3):
            await on.buy(10)
        told = await on.sell(30)
        assert (told.status, told.filled_units) == (OrderStatus.CANCELLED, 20)
        assert "it has come to 2 requests, and may to no more" in told.reason
        await on.sell(10)
        assert (on.tickets(), on.stops) == ([], [])

    at_desk(tmp_path, story)


# ---- deals and answers ----


class NoLists:
    """A terminal that holds nothing and has dealt nothing, at the first look."""

    def __init__(self) -> None:
        self.names = {SYMBOL: SYMBOL}

    async def tickets(self) -> list[Any]:
        return []

    async def deals(self, _from_s: int) -> list[Deal]:
        return []


async def counted(parts: list[int], before: int, side: Side) -> None:
    """An order is done in some deals, of which `before` are told earlier than the answer."""
    ledger = Ledger("run")
    sent = ledger.remember(an_order(coin(), side, sum(parts), name="run-1").terms, 1)
    held = Tickets(NoLists(), ledger, HandClock(Hand()))  # type: ignore[arg-type]
    held.is_on = True
    await held.positions()
    mark = Mark(sent.comment, sent.magic)
    deals = [
        Deal(str(number), "77", SYMBOL, side, units, 1, Decimal(0), 1, mark, "77")
        for number, units in enumerate(parts, 100)
    ]
    sign, seen = 1 if side is Side.BUY else -1, 0
    for each in deals[:before]:
        held.note(each)
        seen += each.volume_units
        assert held._units[SYMBOL] == sign * seen
    held.answered(SYMBOL, "77", side, sum(parts))
    assert held._units[SYMBOL] == sign * sum(parts)
    for _ in range(2):
        held.note_all(deals)
        assert held._units[SYMBOL] == sign * sum(parts)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.integers(0, 4),
    st.sampled_from(list(Side)),
)
@settings(max_examples=40, deadline=None)
def test_an_answer_of_several_deals_is_counted_once_whichever_comes_first(
    parts: list[int], before: int, side: Side
) -> None:
    asyncio.run(counted(parts, before, side))


# ---- absence ----


def keeps_back(on: Desk, number: int) -> Callable[[], None]:
    """The n-th trade from now on is not read; what is returned has the terminal read it after
    all."""
    on.meets(number, FaultPlan(unread=1))
    trade, kept = on.venue._by_ticket._trade, list[Mapping[str, object]]()

    async def noted(*given: Any) -> dict[str, Any]:
        kept.append(given[1])
        return await trade(*given)

    on.venue._by_ticket._trade = noted

    def arrives() -> None:
        request = parse_request(msgspec.json.encode(dict.fromkeys(FIELDS) | dict(kept[number - 1])))
        on.box.simulator.terminal.handle(request, Fate("", 0, False))
        on.venue._shared.answered_ns = 0

    return arrives


def test_a_close_that_is_done_after_it_was_said_to_be_absent_stops_trading(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        arrives = keeps_back(on, 1)
        with pytest.raises(OutcomeUnknown):
            await on.sell(30)
        assert await on.told("run-2") is None
        assert on.stops == []
        arrives()
        await on.venue.fills_since(0)
        [words] = on.stops
        assert words.startswith(f"{SYMBOL}: run-2 was said not to be at the terminal, but for 0")
        assert words.endswith("tells of 30 units of it")

    at_desk(tmp_path, story, settings=QUICK)


def test_the_rest_of_an_order_that_is_done_after_it_was_said_to_be_gone_stops_trading(
    tmp_path: Path,
) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        await on.buy(50)
        arrives = keeps_back(on, 2)
        with pytest.raises(OutcomeUnknown):
            await on.sell(60)
        told = await on.told("run-3")
        assert told is not None
        assert (told.status, told.filled_units) == (OrderStatus.CANCELLED, 30)
        assert on.stops == []
        arrives()
        await on.venue.fills_since(0)
        [words] = on.stops
        assert "run-3 was said not to be at the terminal, but for 30 units" in words
        assert words.endswith("tells of 60 units of it")

    at_desk(tmp_path, story, settings=QUICK)


def test_an_order_that_waits_after_it_was_said_to_be_absent_stops_trading(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        arrives = keeps_back(on, 1)
        with pytest.raises(OutcomeUnknown):
            await on.venue.submit(on.order(Side.BUY, 10, OrderType.LIMIT, 9_000))
        assert await on.told("run-1") is None
        arrives()
        assert [each.client_order_id for each in await on.venue.open_orders()] == ["run-1"]
        [words] = on.stops
        assert words.endswith("and it waits there as 1001")

    at_desk(tmp_path, story, settings=QUICK)


def test_deals_that_an_answer_told_of_and_that_never_come_are_a_doubt(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        await on.buy(50)
        on.box.simulator.terminal._push_transaction = lambda _: None
        await on.sell(60)
        on.book.deals.pop()
        for _ in range(2):
            with pytest.raises(Unavailable, match="30 of 60 units are among the deals"):
                await on.venue.find("run-3", SYMBOL)
            on.hand.now_s += 31
        [words] = on.stops
        assert words == "run-3: 30 of 60 units are among the deals, for 30 s"

    at_desk(tmp_path, story)


def test_a_taken_order_whose_deal_never_comes_is_a_doubt_on_any_account() -> None:
    async def story() -> None:
        async with bench(SimOptions(has_ids=True), quiet()) as box:
            hand, stops = Hand(), list[str]()
            symbols = {SYMBOL: Mt5VenueSymbol(coin(), SYMBOL)}
            venue = Mt5Venue(
                box.gateway, symbols, HandClock(hand), session_id="run", is_sandbox=True, settle_s=0
            )
            venue.stop_on_doubt(stops.append)
            await venue.open()
            await venue.submit(an_order())
            box.simulator.book.deals.clear()
            for _ in range(2):
                with pytest.raises(Unavailable, match="its deals are not in the history yet"):
                    await venue.find("run-1", SYMBOL)
                hand.now_s += 31
            assert stops == ["run-1: its deals are not in the history yet, for 30 s"]

    asyncio.run(story())


# ---- memory ----


def test_a_ledger_of_many_orders_keeps_no_more_than_its_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger_module, "REMEMBERED", 10)
    ledger = Ledger("run")
    for number in range(1, 101):
        terms = an_order(coin(), name=f"run-{number}").terms
        sent = ledger.remember(terms, number)
        ledger.doubt(sent, number)
        for ticket in (5, 6, 7):
            ledger.learn_ticket(sent, str(10 * number + ticket))
        ledger.add_ticket(sent, str(10 * number + 8))
        ledger.own_deal(str(number), sent.client_order_id)
        ledger.deny(sent)
    sizes = {
        name: sum(len(each) if isinstance(each, (dict, list)) else 1 for each in kept.values())
        for name, kept in vars(ledger).items()
        if isinstance(kept, dict)
    }
    assert max(sizes.values()) <= 40, sizes
    assert ledger.client_id_of(Mark(None, 0), "1005") == "run-100"
