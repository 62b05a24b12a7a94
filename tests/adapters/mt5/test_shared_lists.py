"""Questions that many ask at once are put once; what an earlier process sent is not forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from stress_helpers import Record
from waiting import until

from logos.adapters.mt5.known.shared_lists import SharedLists, SharedQuestion
from logos.adapters.mt5.lists import Mt5VenueSymbol, TerminalLists
from logos.adapters.mt5.server_clock import ServerClock
from logos.adapters.mt5.shared_venue import SharedMt5Venue
from logos.core.instrument import instrument
from logos.core.outbox import OrderTerms, OutstandingOrder, SubmitOrder
from logos.core.types import OrderStatus, OrderType, Side, TimeInForce
from logos.venues.contract import Unavailable

COIN = instrument("C.s", tick="0.01", lot="0.01", quote="USD", settlement="margin")
SYMBOLS = {"C.s": Mt5VenueSymbol(COIN, "C.s")}
NOW_S = 1_700_000_000


def a_deal(ticket: int, time_s: int, order: int = 7, comment: str = "s-1") -> Record:
    return {
        "ticket": ticket,
        "order": order,
        "time": time_s,
        "price": Decimal("10.00"),
        "volume": Decimal("0.02"),
        "symbol": "C.s",
        "type": "DEAL_TYPE_BUY",
        "comment": comment,
        "magic": 0,
        "commission": Decimal("-0.01"),
        "fee": 0,
    }


class Terminal:
    """Answers from lists that a test fills; `lose` answers are lost first."""

    does_echo = True
    has_ids = False

    def __init__(self) -> None:
        self.deals: list[Record] = []
        self.orders: list[Record] = []
        self.asked: list[Mapping[str, object]] = []
        self.lose = 0

    async def open(self) -> None:
        if self.lose:
            self.lose -= 1
            raise Unavailable("lost")

    async def close(self) -> None:
        raise AssertionError("the terminal's owner closes the gateway")

    async def next_transaction(self, timeout_s: float) -> Record | None:
        raise NotImplementedError

    def listen(self, on_transaction: Callable[[Mapping[str, Any]], None]) -> None:
        self.tell = on_transaction

    def epoch(self) -> int:
        return 0

    async def request(
        self,
        symbol: str,
        fields: Mapping[str, object],
        order: SubmitOrder | None = None,
        epoch: int | None = None,
    ) -> dict[str, Any]:
        self.asked.append(fields)
        await asyncio.sleep(0)
        if self.lose:
            self.lose -= 1
            raise Unavailable("lost")
        if fields["action"] == "HISTORY":
            from_s = int(str(fields["fromDate"]))
            return {"error": False, "trades": [d for d in self.deals if d["time"] >= from_s]}
        if fields["action"] == "ACCOUNT":
            return {"error": False, "currency": "USD", "balance": 1}
        return {"error": False, "orders": list(self.orders)}


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.ns = NOW_S * 1_000_000_000

    def now_ns(self) -> int:
        return self.ns

    async def sleep(self, seconds: float) -> None:
        self.ns += round(seconds * 1e9)


def venue_on(terminal: Terminal, clock: HandClock) -> SharedMt5Venue:
    return SharedMt5Venue(terminal, SYMBOLS, clock, session_id="s", is_sandbox=True, settle_s=1.0)


def an_order(number: int, type: OrderType, status: OrderStatus) -> OutstandingOrder:
    limit = 900 if type is OrderType.LIMIT else 0
    made_ns = NOW_S * 1_000_000_000
    terms = OrderTerms(f"s-{number}", COIN, Side.BUY, type, 2, limit, 0, TimeInForce.GTC, made_ns)
    return OutstandingOrder(terms, 0, status, False)


def test_all_who_ask_while_a_question_is_under_way_share_the_next() -> None:
    async def scenario() -> None:
        begun: list[asyncio.Future[int]] = []

        async def ask() -> int:
            begun.append(asyncio.get_running_loop().create_future())
            return await begun[-1]

        question = SharedQuestion(ask)
        first = asyncio.create_task(question.answer())
        await until(lambda: len(begun) == 1, "the first question")
        others = [asyncio.create_task(question.answer()) for _ in range(50)]
        await until(lambda: question.asked == 51, "all others are waiting")
        assert len(begun) == 1
        begun[0].set_result(1)
        await until(lambda: len(begun) == 2, "the second question")
        begun[1].set_result(2)
        assert await first == 1
        assert await asyncio.gather(*others) == [2] * 50
        assert (question.asked, question.rounds) == (51, 2)

    asyncio.run(scenario())


def test_who_gives_up_takes_the_answer_from_nobody_and_a_failure_reaches_all() -> None:
    async def scenario() -> None:
        gate: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        question = SharedQuestion(lambda: gate)
        impatient = asyncio.create_task(question.answer())
        await until(lambda: question.asked == 1, "the impatient one is waiting")
        impatient.cancel()
        patient = [asyncio.create_task(question.answer()) for _ in range(3)]
        await until(lambda: question.asked == 4, "the patient ones are waiting")
        gate.set_exception(Unavailable("lost"))
        found = await asyncio.gather(*patient, return_exceptions=True)
        assert [type(each) for each in found] == [Unavailable] * 3

    asyncio.run(scenario())


def test_deals_are_read_once_and_told_from_any_moment() -> None:
    async def scenario() -> None:
        terminal = Terminal()
        terminal.deals = [a_deal(number, NOW_S + number) for number in range(20)]
        lists = SharedLists(terminal, SYMBOLS, ServerClock(HandClock()))
        assert len(await lists.deals(NOW_S + 15)) == 5
        terminal.deals.append(a_deal(20, NOW_S + 20))
        assert [d.ticket for d in await lists.deals(NOW_S + 17)] == ["17", "18", "19", "20"]
        assert terminal.asked[-1]["fromDate"] == NOW_S + 17
        # Whoever looks further back than what is known gets all of it.
        assert len(await lists.deals(NOW_S)) == 21
        assert terminal.asked[-1]["fromDate"] == NOW_S

    asyncio.run(scenario())


def test_a_deal_that_was_booked_late_is_found_by_who_still_looks_for_it() -> None:
    async def scenario() -> None:
        terminal = Terminal()
        terminal.deals = [a_deal(1, NOW_S)]
        lists = SharedLists(terminal, SYMBOLS, ServerClock(HandClock()))
        await lists.deals(NOW_S - 5)
        terminal.deals += [a_deal(3, NOW_S + 30), a_deal(2, NOW_S + 1)]
        assert [d.ticket for d in await lists.deals(NOW_S - 5)] == ["1", "2", "3"]
        terminal.deals.append(a_deal(4, NOW_S + 2))
        found = await lists.deals(NOW_S - 5)
        assert [d.ticket for d in found] == ["1", "2", "4", "3"]

    asyncio.run(scenario())


def test_lost_answers_to_questions_are_asked_for_again_but_not_for_ever() -> None:
    async def scenario() -> None:
        terminal = Terminal()
        venue = venue_on(terminal, HandClock())
        terminal.lose = 2
        await venue.open()
        terminal.lose = 2
        assert await venue.open_orders() == []
        terminal.lose = 3
        with pytest.raises(Unavailable):
            await venue.open_orders()
        await venue.close()

    asyncio.run(scenario())


def test_an_order_taken_from_an_earlier_process_that_left_every_list_was_cancelled() -> None:
    async def scenario() -> None:
        terminal, clock = Terminal(), HandClock()
        venue = venue_on(terminal, clock)
        venue.adopt([an_order(3, OrderType.LIMIT, OrderStatus.ACCEPTED)])
        with pytest.raises(Unavailable, match="too early"):
            await venue.find("s-3", "C.s")
        clock.ns += 1_100_000_000
        found = await venue.find("s-3", "C.s")
        assert found is not None
        assert (found.status, found.filled_units) == (OrderStatus.CANCELLED, 0)

    asyncio.run(scenario())


def test_a_market_order_taken_from_an_earlier_process_is_never_declared_gone() -> None:
    async def scenario() -> None:
        terminal, clock = Terminal(), HandClock()
        venue = venue_on(terminal, clock)
        venue.adopt([an_order(4, OrderType.MARKET, OrderStatus.ACCEPTED)])
        for _ in range(3):
            with pytest.raises(Unavailable):
                await venue.find("s-4", "C.s")
            clock.ns += 5_000_000_000
        terminal.deals = [a_deal(9, NOW_S + 1, comment="s-4")]
        found = await venue.find("s-4", "C.s")
        assert found is not None
        assert (found.status, found.filled_units) == (OrderStatus.FILLED, 2)

    asyncio.run(scenario())


def test_an_order_that_may_never_have_left_is_denied_after_a_while_only() -> None:
    async def scenario() -> None:
        terminal, clock = Terminal(), HandClock()
        venue = venue_on(terminal, clock)
        venue.adopt([an_order(5, OrderType.LIMIT, OrderStatus.NEW)])
        with pytest.raises(Unavailable, match="too early"):
            await venue.find("s-5", "C.s")
        clock.ns += 1_100_000_000
        assert await venue.find("s-5", "C.s") is None

    asyncio.run(scenario())


def test_deals_before_the_moment_are_left_out_of_an_answer_that_has_everything() -> None:
    """Some terminals send all their history whatever they are asked for."""

    class Everything(Terminal):
        async def request(
            self,
            symbol: str,
            fields: Mapping[str, object],
            order: SubmitOrder | None = None,
            epoch: int | None = None,
        ) -> dict[str, Any]:
            return await super().request(symbol, {**fields, "fromDate": 0}, order, epoch)

    async def scenario() -> None:
        terminal = Everything()
        terminal.deals = [a_deal(number, NOW_S + number - 2) for number in (1, 2, 3)]
        lists = TerminalLists(terminal, SYMBOLS, ServerClock(HandClock()))
        assert [deal.ticket for deal in await lists.deals(NOW_S)] == ["2", "3"]
        assert [deal.ticket for deal in await lists.deals(-5)] == ["1", "2", "3"]

    asyncio.run(scenario())
