"""A gateway that fails, restarts, loses its broker, or says what nobody can read."""

from __future__ import annotations

from ib_desk import IbDesk, ib_desk, make_ib  # first

# isort: split

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import pytest
from ib_world import until
from venue_tools import share
from waiting import until_answered

from logos.core.types import OrderStatus
from logos.simulators.ib import APPLE, Listing, TwsGateway
from logos.venues.contract import NotSent, OrderNews, OutcomeUnknown, Refused, Unavailable

Story = Callable[[IbDesk], Coroutine[Any, Any, None]]

QUESTIONS: dict[str, Callable[[IbDesk], Awaitable[Any]]] = {
    "find": lambda desk: desk.venue.find("s-1-1", "AAPL"),
    "open_orders": lambda desk: desk.venue.open_orders(),
    "fills_since": lambda desk: desk.venue.fills_since(0),
    "positions": lambda desk: desk.venue.positions(),
    "balances": lambda desk: desk.venue.balances(),
}
PLACE, CANCEL, OPEN, EXECUTIONS, COMPLETED = 3, 4, 16, 7, 99


def run(story: Story, **options: Any) -> None:
    async def whole() -> None:
        async with ib_desk(**options) as desk:
            await story(desk)

    asyncio.run(whole())


async def _all(events: AsyncIterator[OrderNews]) -> None:
    async for _ in events:
        pass


# ---- the switch ----


def test_an_order_is_written_in_the_very_step_in_which_it_is_sent() -> None:
    async def story(desk: IbDesk) -> None:
        sent = desk.connection._client.conn.numMsgSent
        work = desk.venue.submit(desk.buy("s-1-1"))
        work.send(None)  # its first step, up to where it waits
        assert desk.connection._client.conn.numMsgSent == sent + 1
        work.close()
        await until(lambda: desk.gateway.asked(PLACE))

    run(story)


def test_no_order_waits_in_a_queue_of_the_library_or_of_the_socket() -> None:
    async def story(desk: IbDesk) -> None:
        for number in range(100):  # the library's own limit is 45 a second
            work = desk.venue.submit(desk.buy(f"s-1-{number}"))
            work.send(None)
            work.close()
        assert not desk.connection._client._msgQ
        desk.connection._client.conn.transport.get_write_buffer_size = lambda: 1
        with pytest.raises(NotSent, match="does not read"):
            await desk.venue.submit(desk.buy("s-1-200"))

    run(story)


# ---- what is lost ----


@pytest.mark.parametrize("is_handled", [True, False])
def test_an_order_without_an_answer_is_unknown_and_asking_tells(is_handled: bool) -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.cuts[PLACE] = is_handled
        with pytest.raises(OutcomeUnknown, match="s-1-1"):
            await desk.venue.submit(desk.buy("s-1-1"))
        assert len(desk.gateway.desk.book.orders) == is_handled
        found = await desk.venue.find("s-1-1", "AAPL")
        assert (found is not None) is is_handled
        if is_handled:
            await desk.venue.cancel(desk.cancel("s-1-1"))
            assert desk.gateway.order("s-1-1").status == "Cancelled"

    run(story)


@pytest.mark.parametrize("is_handled", [True, False])
def test_a_cancel_without_an_answer_is_unknown_and_asking_tells(is_handled: bool) -> None:
    async def story(desk: IbDesk) -> None:
        await desk.venue.submit(desk.buy("s-1-1"))
        desk.gateway.cuts[CANCEL] = is_handled
        with pytest.raises(OutcomeUnknown, match="s-1-1"):
            await desk.venue.cancel(desk.cancel("s-1-1"))
        found = await desk.venue.find("s-1-1", "AAPL")
        assert found is not None
        expected = OrderStatus.CANCELLED if is_handled else OrderStatus.ACCEPTED
        assert found.status is expected

    run(story)


def test_an_id_is_sent_once_for_the_broker_would_take_it_twice() -> None:
    async def story(desk: IbDesk) -> None:
        await desk.venue.submit(desk.buy("s-1-1"))
        with pytest.raises(OutcomeUnknown, match="sent before"):
            await desk.venue.submit(desk.buy("s-1-1"))
        assert desk.gateway.asked(PLACE) == 1

    run(story)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_without_an_answer_stays_open_and_the_next_one_is_answered(
    question: str,
) -> None:
    async def story(desk: IbDesk) -> None:
        await desk.venue.submit(desk.buy("s-1-1"))
        before = await QUESTIONS[question](desk)
        desk.gateway.is_mute = True
        if question == "positions":
            assert await QUESTIONS[question](desk) == {}, "what is owned is in balances"
            return
        with desk.impatient(), pytest.raises(Unavailable):
            await QUESTIONS[question](desk)
        desk.gateway.is_mute = False
        assert await until_answered(lambda: QUESTIONS[question](desk), question) == before

    run(story)


def test_an_end_that_comes_late_is_not_taken_for_that_of_the_next_list() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.ends_missing.add(53)
        await desk.venue.submit(desk.buy("s-1-1"))
        given_up = desk.connection
        with desk.impatient(), pytest.raises(Unavailable, match="or not its end"):
            await desk.venue.open_orders()
        assert not given_up.is_up
        desk.gateway.ends_missing.clear()
        [order] = await until_answered(desk.venue.open_orders, "open orders")
        assert order.client_order_id == "s-1-1"

    run(story)


def test_executions_without_an_end_are_no_list() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.ends_missing.add(55)
        with desk.impatient(), pytest.raises(Unavailable, match="or not its end"):
            await desk.venue.fills_since(0)

    run(story)


# ---- the night ----


def test_orders_and_fills_of_an_outage_are_found_and_the_order_is_cancelled() -> None:
    async def story(desk: IbDesk) -> None:
        await desk.venue.submit(desk.buy("s-1-1"))
        await desk.gateway.stop()
        desk.gateway.desk.fill(desk.gateway.order("s-1-1"), "4", "13.20")
        with pytest.raises(Unavailable):
            await desk.venue.open_orders()
        with pytest.raises(NotSent):
            await desk.venue.prepare(desk.buy("s-1-2"))
        await desk.gateway.start()
        [order] = await until_answered(desk.venue.open_orders, "open orders")
        assert (order.client_order_id, order.filled_units) == ("s-1-1", 4)
        assert [fill.quantity_units for fill in await desk.venue.fills_since(0)] == [4]
        await desk.venue.cancel(desk.cancel("s-1-1"))
        assert desk.gateway.order("s-1-1").status == "Cancelled"

    run(story)


def test_numbers_that_roll_back_change_no_order_and_hide_none() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.quote("AAPL", "13.00", "13.10")
        await desk.venue.submit(desk.buy("s-1-1"))
        await desk.venue.submit(desk.buy("s-1-2", limit="12.00"))
        await desk.gateway.restart(are_ids_kept=False)
        await until(lambda: not desk.connection.is_up)
        await desk.venue.prepare(desk.buy("s-1-3"))
        await desk.venue.submit(desk.buy("s-1-3", limit="11.00"))
        resting = desk.gateway.order("s-1-2")
        assert (str(resting.limit), resting.order_ref) == ("12.00", "s-1-2")
        assert len({each.perm_id for each in desk.gateway.desk.book.orders}) == 3
        assert {each.client_order_id for each in await desk.venue.open_orders()} == {
            "s-1-2",
            "s-1-3",
        }
        [fill] = await desk.venue.fills_since(0)
        assert fill.client_order_id == "s-1-1"

    run(story)


def test_a_number_that_is_taken_leaves_the_order_unsent_and_the_next_one_is_free() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.desk.used[1] = set(range(1, 3))
        with pytest.raises(NotSent, match="103") as caught:
            await desk.venue.submit(desk.buy("s-1-1"))
        assert caught.value.retry_after_s > 0
        desk.gateway.desk.used[1] = set()
        await desk.venue.submit(desk.buy("s-1-1"))
        [order] = desk.gateway.desk.book.orders
        assert order.order_ref == "s-1-1"

    run(story)


def test_without_the_broker_nothing_is_sent_and_no_list_is_believed() -> None:
    async def story(desk: IbDesk) -> None:
        await desk.venue.submit(desk.buy("s-1-1"))
        desk.gateway.lose_broker()
        await until(lambda: not desk.connection.has_broker)
        with pytest.raises(NotSent, match="no connection to the broker"):
            await desk.venue.submit(desk.buy("s-1-2"))
        for ask in QUESTIONS.values():
            if ask is not QUESTIONS["positions"]:
                with pytest.raises(Unavailable, match="lists may be old"):
                    await ask(desk)
        desk.gateway.find_broker()
        await until(lambda: desk.connection.has_broker)
        assert [each.client_order_id for each in await desk.venue.open_orders()] == ["s-1-1"]

    run(story)


# ---- what cannot be read, or is not for us ----


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ([999, 1, 2], "message 999 is unknown"),
        ([3, 13, "Submitted", "many"], "message '3'"),
        (["x"], "message 'x'"),
    ],
)
def test_what_nobody_can_read_ends_the_connection_and_is_said(
    message: list[object], words: str
) -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.seats[0].say(message)
        await until(lambda: not desk.connection.is_up)
        assert words in desk.connection.lost
        assert list(await until_answered(desk.venue.open_orders, "another connection")) == []

    run(story)


def test_times_without_a_zone_are_not_guessed() -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.quote("AAPL", "13.00", "13.10")
        await desk.venue.submit(desk.buy("s-1-1"))
        await until(lambda: "UTC format" in desk.connection.lost)
        with pytest.raises(Unavailable, match="UTC format"):
            await desk.venue.fills_since(0)

    run(story, gateway={"zone": ""})


@pytest.mark.parametrize("zone", ["UTC", "US/Eastern", "Europe/Berlin"])
def test_times_are_read_in_their_zone(zone: str) -> None:
    async def story(desk: IbDesk) -> None:
        desk.gateway.quote("AAPL", "13.00", "13.10")
        await desk.venue.submit(desk.buy("s-1-1"))
        [fill] = await desk.venue.fills_since(0)
        [execution] = desk.gateway.desk.book.executions
        assert fill.ts_ns == execution.ts_ns // 10**9 * 10**9

    run(story, gateway={"zone": zone})


def test_a_client_id_that_is_taken_is_said_at_once() -> None:
    async def story(desk: IbDesk) -> None:
        second = desk.another(1)
        with pytest.raises(Unavailable, match=r"326: .* already in use"):
            await second.open()
        await second.close()

    run(story)


@pytest.mark.parametrize(
    ("accounts", "path", "sandbox", "words"),
    [
        (["U1234567"], "1", True, "U1234567 is a live account, and venue.sandbox is true"),
        (["DU1"], "1", False, "DU1 is a paper account, and venue.sandbox is false"),
        (["DU1", "DU2"], "1", True, "the accounts DU1, DU2: name one in venue.url"),
        (["DU1", "DU2"], "1/DU3", True, "the accounts DU1, DU2: name one in venue.url"),
    ],
)
def test_the_account_is_the_one_that_is_meant(
    accounts: list[str], path: str, sandbox: bool, words: str
) -> None:
    async def story() -> None:
        async with TwsGateway(accounts=accounts) as gateway:
            venue = make_ib(gateway, share(), path, "s-1", sandbox=sandbox)
            with pytest.raises(Refused, match=words):
                await venue.open()
            await venue.close()
            assert gateway.asked(PLACE) == 0

    asyncio.run(story())


def test_two_accounts_are_kept_apart() -> None:
    async def story() -> None:
        async with TwsGateway(accounts=["DU1", "DU2"]) as gateway:
            gateway.quote("AAPL", "13.00", "13.10")
            venues = [make_ib(gateway, share(), f"{n}/DU{n}", "s-1") for n in (1, 2)]
            for number, venue in enumerate(venues, 1):
                await venue.open()
                desk = IbDesk(venue, gateway, share(), {})
                await venue.submit(desk.buy(f"s-1-{number}"))
            for number, venue in enumerate(venues, 1):
                fills = await venue.fills_since(0)
                assert [fill.client_order_id for fill in fills] == [f"s-1-{number}"]
                assert (await venue.balances())["AAPL"] == 10
                await venue.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("listings", "what", "name", "words"),
    [
        ([APPLE], {}, "XXXX", "does not list STK XXXX SMART in USD"),
        ([APPLE], {}, "OPT:AAPL", "names no contract that can be traded here"),
        ([APPLE], {"quote": "EUR"}, "265598", 'set instruments.AAPL.quote = "USD"'),
        ([APPLE, Listing(1, "AAPL", primary_exchange="MEXI")], {}, "AAPL", "2 contracts answer"),
        ([Listing(1, "AAPL", price_magnifier=100)], {}, "AAPL", "in parts of its currency"),
        (
            [Listing(1, "ES", "FUT", multiplier="50", exchange="CME", last_trade_date="20261218")],
            {},
            "FUT:ES:CME:USD:20261218",
            'multiplier = "50"',
        ),
    ],
)
def test_a_contract_that_is_not_the_instrument_is_refused_with_what_to_write(
    listings: list[Listing], what: dict[str, str], name: str, words: str
) -> None:
    async def story(desk: IbDesk) -> None:
        with pytest.raises(Refused, match=words):
            await desk.venue.open()

    options: dict[str, Any] = {"what": share(**what), "markets": {"AAPL": name}}
    run(story, gateway={"listings": listings}, is_open=False, **options)


def test_the_dry_run_says_what_it_found_and_sends_no_order() -> None:
    async def story(desk: IbDesk) -> None:
        lines = {line.name: line for line in await desk.venue.check()}
        assert [line for line in lines.values() if not line.is_ok] == []
        assert "paper account" in lines["environment"].detail
        assert lines["account"].detail == "DU1234567"
        assert "number 265598" in lines["AAPL market"].detail
        assert {"clock", "balances", "AAPL tick", "AAPL lot"} <= set(lines)
        assert desk.gateway.asked(PLACE) == 0

    run(story, what=share(min_quantity="1"), is_open=False)


def test_the_dry_run_shows_rules_that_differ() -> None:
    async def story(desk: IbDesk) -> None:
        bad = [line for line in await desk.venue.check() if not line.is_ok]
        assert [line.name for line in bad] == ["AAPL tick", "AAPL lot"]
        assert 'set instruments.AAPL.tick = "0.01"' in bad[0].detail

    run(story, what=share(tick="0.05", lot="10", min_quantity="10"), is_open=False)


def test_news_of_orders_come_by_themselves() -> None:
    async def story(desk: IbDesk) -> None:
        events = desk.venue.order_events()
        assert (await anext(events)).is_sign_of_life
        await desk.venue.submit(desk.buy("s-1-1"))
        assert (await anext(events)).client_order_id == "s-1-1"
        desk.gateway.drop()
        with pytest.raises(Unavailable):
            await asyncio.wait_for(_all(events), 30)

    run(story)
