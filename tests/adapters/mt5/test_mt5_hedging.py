"""A hedging account: orders close the session's own tickets, oldest first, and open the rest."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from mt5_hedging import QUICK, SYMBOL, Desk, Judged, at_desk
from mt5_helpers import an_order, bench, quiet

from logos.core.instrument import instrument
from logos.core.outbox import OutstandingOrder
from logos.core.types import OrderStatus, OrderType, Side
from logos.simulators.mt5.faults import FaultPlan
from logos.simulators.mt5.simulator import SimOptions
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable


def judge(on: Desk) -> Judged:
    judged = Judged("run", on.box.audit)
    judged.check_record(on.folder / "run.tickets.jsonl")
    return judged


def test_a_sale_closes_the_oldest_tickets_first_and_opens_nothing(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        await on.buy(50)
        told = await on.sell(60)
        assert (told.status, told.filled_units) == (OrderStatus.FILLED, 60)
        assert on.tickets() == [(1003, 20)]
        assert await on.held() == 20
        assert on.trades()[2:] == [
            ("POSITION_PARTIAL", "run-3", 1001),
            ("POSITION_PARTIAL", "run-3.2", 1003),
        ]
        found = on.venue.told("run-3") or await on.told("run-3")
        assert found is not None
        fills = [each for each in await on.venue.fills_since(0) if each.client_order_id == "run-3"]
        assert [each.quantity_units for each in fills] == [30, 30]
        assert judge(on).complaints == on.stops == []

    at_desk(tmp_path, story)


def test_what_exceeds_the_tickets_opens_the_other_side_once_all_are_closed(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        await on.buy(50)
        await on.sell(100)
        [(ticket, units)] = on.tickets()
        assert (units, await on.held()) == (-20, -20)
        assert on.trades()[-1] == ("ORDER_TYPE_SELL", "run-3.3", 0)
        await on.buy(20)
        assert on.trades()[-1] == ("POSITION_PARTIAL", "run-4", ticket)
        assert on.tickets() == []
        judged = judge(on)
        assert (judged.net, judged.complaints) == (0, [])

    at_desk(tmp_path, story)


def test_what_others_opened_is_neither_counted_nor_closed(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        terminal = on.box.simulator.terminal
        terminal.by_hand(SYMBOL, True, 70)
        stranger = on.another("other")
        await stranger.open()
        order = on.order(Side.BUY, 40)
        await stranger.submit(an_order(on.instrument, Side.BUY, 40, name="other-1"))
        assert (await on.held(), (await stranger.positions())[SYMBOL]) == (0, 40)
        await on.venue.submit(order)
        await on.sell(60)
        assert [units for _, units in on.tickets()] == [70, 40, -20]
        assert (await on.held(), (await stranger.positions())[SYMBOL]) == (-20, 40)
        terminal.by_hand(SYMBOL, False, 70, on.book.holdings.open()[0])
        await on.venue.fills_since(0)
        assert judge(on).complaints == on.stops == []

    at_desk(tmp_path, story)


def test_no_order_that_waits_can_open_the_other_side(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        with pytest.raises(Refused, match="cannot close ticket 1001 at a hedging account"):
            await on.venue.submit(on.order(Side.SELL, 30, OrderType.LIMIT, 11_000))
        await on.venue.submit(on.order(Side.BUY, 10, OrderType.LIMIT, 9_000))
        await on.sell(30)
        with pytest.raises(Refused, match="run-3 waits to BUY there"):
            await on.sell(10)
        with pytest.raises(Refused, match="run-3 waits to BUY there"):
            await on.venue.submit(on.order(Side.SELL, 10, OrderType.STOP, 9_500))
        on.box.simulator.terminal.price(SYMBOL, 8_990, 9_000)
        assert await on.held() == 10
        told = await on.told("run-3")
        assert told is not None
        assert told.status is OrderStatus.FILLED
        await on.sell(10)
        assert on.tickets() == []
        assert judge(on).complaints == on.stops == []

    at_desk(tmp_path, story)


def test_nothing_below_the_smallest_volume_is_asked_for_or_left(tmp_path: Path) -> None:
    made = instrument(
        SYMBOL, tick="0.01", lot="0.01", min_quantity="0.05", quote="USD", settlement="margin"
    )

    async def story(on: Desk) -> None:
        await on.buy(8)
        await on.buy(20)
        await on.sell(10)  # 8 and 2 would be less than 5: 8 of the second would leave 12
        assert [units for _, units in on.tickets()] == [8, 10]
        with pytest.raises(Refused, match=r"0\.03 opened, which is less than the smallest volume"):
            await on.sell(21)
        before = len(on.trades())
        with pytest.raises(Refused, match=r"below the smallest volume 0\.05"):
            await on.sell(6)
        assert len(on.trades()) == before
        await on.sell(18)
        assert on.tickets() == []

    at_desk(tmp_path, story, made=made)


LOSSES = {"lost": FaultPlan(lost=1), "unread": FaultPlan(unread=1), "no ok": FaultPlan(ok_lost=1)}


@pytest.mark.parametrize("lost", LOSSES)
def test_a_close_whose_answer_is_lost_is_asked_for_and_never_sent_again(
    tmp_path: Path, lost: str
) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        await on.buy(50)
        on.meets(2, LOSSES[lost])
        order = on.order(Side.SELL, 60)
        with pytest.raises(OutcomeUnknown):
            await on.venue.submit(order)
        told = await on.told("run-3")
        assert told is not None
        done = 30 if lost == "unread" else 60
        assert told.filled_units == done
        assert told.status is (OrderStatus.FILLED if done == 60 else OrderStatus.CANCELLED)
        assert await on.held() == 80 - done
        with pytest.raises(OutcomeUnknown, match="was sent before"):
            await on.venue.submit(order)
        await on.sell(80 - done + 5)
        assert await on.held() == -5
        judged = judge(on)
        assert (judged.net, judged.complaints, on.stops) == (-5, [], [])

    at_desk(tmp_path, story, settings=QUICK)


def test_what_the_broker_refuses_behind_the_first_close_ends_the_order(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        await on.buy(50)
        on.meets(2, FaultPlan(retcodes={10018: 1.0}))
        told = await on.sell(60)
        assert (told.status, told.filled_units) == (OrderStatus.CANCELLED, 30)
        assert "the market is closed" in told.reason
        again = await on.told("run-3")
        assert again is not None
        assert (again.status, again.filled_units) == (OrderStatus.CANCELLED, 30)

    at_desk(tmp_path, story)


def test_a_requote_is_followed_by_another_request_with_another_record(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        on.box.simulator.faults = FaultPlan(retcodes={10004: 1.0})
        order = on.order(Side.SELL, 30)
        with pytest.raises(NotSent):
            await on.venue.submit(order)
        on.box.simulator.faults = FaultPlan()
        await on.venue.submit(order)
        assert [comment for _, comment, _ in on.trades()] == ["run-1", "run-2", "run-2.2"]
        assert judge(on).complaints == []

    at_desk(tmp_path, story)


def test_a_process_that_died_between_two_closes_repeats_nothing(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        await on.buy(50)
        order = on.order(Side.SELL, 60)
        trade, sent = on.venue._trade, list[str]()

        async def dies_after_one(*given: object) -> object:
            if sent:
                raise asyncio.CancelledError
            sent.append("one")
            return await trade(*given)  # type: ignore[arg-type]

        on.venue._by_ticket._trade = dies_after_one  # type: ignore[assignment]
        with pytest.raises(asyncio.CancelledError):
            await on.venue.submit(order)
        on.venue._by_ticket.close()
        on.venue = on.another()
        await on.venue.open()
        on.venue.adopt([OutstandingOrder(order.terms, 0, OrderStatus.UNKNOWN, False)])
        with pytest.raises(OutcomeUnknown, match="was sent before"):
            await on.venue.submit(order)
        told = await on.told("run-3")
        assert told is not None
        assert (told.status, told.filled_units) == (OrderStatus.CANCELLED, 30)
        assert await on.held() == 50
        await on.sell(50)
        assert on.tickets() == []
        assert judge(on).complaints == on.stops == []

    at_desk(tmp_path, story)


@pytest.mark.parametrize("lost", ["comment", "magic", "both"])
def test_tickets_are_known_again_whatever_the_broker_made_of_their_marks(
    tmp_path: Path, lost: str
) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        await on.buy(50)
        on.box.simulator.terminal.by_hand(SYMBOL, True, 10)
        for position in on.book.holdings.open()[:2]:
            on.book.charge_swap(position.ticket, 0, reopens=True)
            position.comment = "" if lost != "magic" else position.comment
            position.magic = 0 if lost != "comment" else position.magic
        on.venue = on.another()
        await on.venue.open()
        on.venue.adopt([], [("run-1", "1002"), ("run-2", "1004")])
        assert await on.held() == 80
        await on.sell(80)
        assert [units for _, units in on.tickets()] == [10]
        assert on.stops == []

    at_desk(tmp_path, story)


@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize("how", ["by hand", "stop", "stop out"])
def test_a_ticket_that_somebody_else_closes_stops_trading(
    tmp_path: Path, how: str, is_restarted: bool
) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        if is_restarted:
            on.venue = on.another()
            await on.venue.open()
            on.venue.adopt([], [("run-1", "1002")])
        await on.held()
        terminal = on.box.simulator.terminal
        [position] = on.book.holdings.open()
        if how == "stop":
            position.stop_loss_units = 9_950
            terminal.price(SYMBOL, 9_950, 9_960)
        else:
            words = "so: 49.90%/1000.00/2004.01" if how == "stop out" else ""
            terminal.by_hand(SYMBOL, False, 30, position, words)
        with pytest.raises(NotSent, match="deals make it 30"):
            await on.buy(10)
        [words] = on.stops
        assert "changed position 1001 of this session, and no order of it did that" in words
        assert await on.held() == 0, "holdings differ from the session's books, which hold 30"
        assert [each.client_order_id for each in await on.venue.fills_since(0)] == ["run-1", ""]

    at_desk(tmp_path, story)


def test_positions_that_no_deal_explains_are_a_doubt_after_a_while(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        await on.held()
        on.book.holdings.open()[0].lots[0] = (40, 10_010)
        for _ in range(2):
            with pytest.raises(NotSent, match=r"holds 40 units .* its deals make it 30"):
                await on.buy(10)
            on.hand.now_s += 6
        assert [words for words in on.stops if "for 5 s" in words] == on.stops != []

    at_desk(tmp_path, story)


def test_each_deal_costs_its_commission_and_the_swap_that_it_settles(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        on.book.charge_swap(1001, -3 * 10**17)
        await on.sell(10)
        fees = [str(each.fee) for each in await on.venue.fills_since(0)]
        assert fees == ["0", "0.1"]

    at_desk(tmp_path, story)


def test_without_a_record_on_the_disk_nothing_is_sent(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        record = on.venue._by_ticket.record
        assert record is not None
        record.close()
        with pytest.raises(NotSent, match="cannot be recorded"):
            await on.buy(10)
        assert on.trades() == []
        assert "cannot be recorded" in on.stops[0]

    at_desk(tmp_path, story)


def test_a_close_whose_end_cannot_be_recorded_is_told_and_stops_trading(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        trade = on.venue._by_ticket._trade
        record = on.venue._by_ticket.record
        assert record is not None

        async def full(*given: Any) -> dict[str, Any]:
            answer = await trade(*given)
            record.close()
            return answer

        on.venue._by_ticket._trade = full
        told = await on.sell(30)
        assert (told.status, told.filled_units) == (OrderStatus.FILLED, 30)
        assert await on.held() == 0
        [words] = on.stops
        assert "cannot be recorded" in words

    at_desk(tmp_path, story)


def test_a_record_that_is_damaged_keeps_the_venue_closed(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        path = tmp_path / "next.tickets.jsonl"
        path.write_text('{"order": 7}\n')
        with pytest.raises(Unavailable, match="record of requests by ticket cannot be used"):
            await on.another("next").open()

    at_desk(tmp_path, story)


def test_a_terminal_without_ids_that_says_it_hedges_is_refused_at_once() -> None:
    async def scenario() -> None:
        async with bench(SimOptions(is_hedging=True), quiet()) as box:
            answers = box.simulator.terminal._answers
            right = answers._account
            mode = {"margin_mode": "ACCOUNT_MARGIN_MODE_RETAIL_HEDGING"}
            answers._account = lambda request: right(request) | mode  # type: ignore[method-assign]
            venue = box.venue()
            with pytest.raises(Unavailable, match="or logos' own Expert Advisor"):
                await venue.open()

    asyncio.run(scenario())


def test_an_answer_that_names_no_deal_is_completed_by_the_deals_themselves(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        await on.buy(50)
        terminal = on.box.simulator.terminal
        attempt = terminal.attempt
        terminal.attempt = lambda *given: attempt(*given) | {"retcode": 10008, "deal": 0}  # type: ignore[method-assign]
        told = await on.sell(90)
        assert (told.status, told.filled_units) == (OrderStatus.FILLED, 90)
        assert await on.held() == -10
        assert judge(on).complaints == on.stops == []

    at_desk(tmp_path, story)


def test_kills_keep_the_closes_back_that_have_not_left(tmp_path: Path) -> None:
    async def story(on: Desk) -> None:
        await on.buy(30)
        await on.buy(50)
        gate, asked = on.box.gateway.door.gate, list[str]()

        def closes_after_one(order: object) -> str:
            asked.append("")
            return "kill switch in the gateway: a drill" if len(asked) > 1 else gate(order)  # type: ignore[arg-type]

        on.box.gateway.door.gate = closes_after_one
        told = await on.sell(60)
        assert (told.status, told.filled_units) == (OrderStatus.CANCELLED, 30)
        assert "a drill" in told.reason
        assert on.tickets() == [(1003, 50)]

    at_desk(tmp_path, story)
