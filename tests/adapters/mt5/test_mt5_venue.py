"""The MT5 venue against the simulated terminal."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import product

import pytest
from mt5_helpers import FAST, WallClock, an_order, bench, coin
from sampling import first_quick
from waiting import until

from logos.adapters.mt5.lists import Mt5Transaction, Mt5VenueSymbol
from logos.adapters.mt5.venue import Mt5Venue
from logos.core.outbox import CancelOrder
from logos.core.types import OrderStatus, OrderType, Side
from logos.simulators.mt5.faults import FaultPlan
from logos.simulators.mt5.simulator import SimOptions
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable, VenueFill

SYMBOL = "BTCUSD.s"
BTC = coin()


def test_a_market_order_is_filled_and_found_again_in_the_deals() -> None:
    async def scenario() -> None:
        async with bench() as box:
            venue = box.venue()
            await venue.open()
            told = await venue.submit(an_order(BTC, Side.BUY, 150))
            assert (told.status, told.filled_units) == (OrderStatus.FILLED, 150)
            assert told.side is Side.BUY
            found = await venue.find("run-1", SYMBOL)
            assert found == told
            [fill] = await venue.fills_since(0)
            order = told.venue_order_id
            assert (fill.client_order_id, fill.venue_order_id) == ("run-1", order)
            assert (fill.quantity_units, fill.price_units) == (150, 10_010)
            assert (fill.fee, fill.fee_currency) == (Decimal(0), "USD")
            assert await venue.positions() == {SYMBOL: 150}
            assert await venue.balances() == {"USD": Decimal(100_000)}

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("type", "side", "price", "reached"),
    [
        (OrderType.LIMIT, Side.BUY, 9_900, (9_880, 9_890)),
        (OrderType.LIMIT, Side.SELL, 10_200, (10_210, 10_220)),
        (OrderType.STOP, Side.BUY, 10_200, (10_190, 10_200)),
        (OrderType.STOP, Side.SELL, 9_900, (9_890, 9_900)),
    ],
)
def test_an_order_waits_until_the_market_comes_to_it(
    type: OrderType, side: Side, price: int, reached: tuple[int, int]
) -> None:
    async def scenario() -> None:
        async with bench() as box:
            venue = box.venue()
            await venue.open()
            told = await venue.submit(an_order(BTC, side, 100, type, price))
            assert (told.status, told.filled_units) == (OrderStatus.ACCEPTED, 0)
            [waiting] = await venue.open_orders()
            assert (waiting.client_order_id, waiting.type, waiting.side) == ("run-1", type, side)
            assert waiting.limit_price_units == (price if type is OrderType.LIMIT else 0)
            box.simulator.terminal.price(SYMBOL, *reached)
            found = await venue.find("run-1", SYMBOL)
            assert found is not None
            assert (found.status, found.filled_units) == (OrderStatus.FILLED, 100)
            assert await venue.open_orders() == []

    asyncio.run(scenario())


def test_a_cancelled_order_is_told_as_cancelled_and_cancelling_again_is_refused() -> None:
    async def scenario() -> None:
        async with bench() as box:
            venue = box.venue()
            await venue.open()
            await venue.submit(an_order(BTC, Side.BUY, 100, OrderType.LIMIT, 9_000))
            await venue.cancel(CancelOrder("run-1", SYMBOL))
            found = await venue.find("run-1", SYMBOL)
            assert found is not None
            assert found.status is OrderStatus.CANCELLED
            with pytest.raises(Refused, match="10035"):
                await venue.cancel(CancelOrder("run-1", SYMBOL))
            with pytest.raises(Refused, match="not waiting"):
                await venue.cancel(CancelOrder("run-2", SYMBOL))

    asyncio.run(scenario())


def test_an_order_whose_answer_was_lost_is_known_to_have_been_there_once_it_is_cancelled() -> None:
    async def scenario() -> None:
        async with bench() as box:
            venue = box.venue()
            await venue.open()
            await venue.submit(an_order(BTC, Side.BUY, 100, OrderType.LIMIT, 9_000))
            sent = venue._ledger.get("run-1")
            assert sent is not None
            sent.ticket = ""  # as after a lost answer
            venue._ledger.doubt(sent, 1)
            await venue.cancel(CancelOrder("run-1", SYMBOL))
            found = await venue.find("run-1", SYMBOL)
            assert found is not None, "it never reached the terminal, it says"
            assert found.status is OrderStatus.CANCELLED

    asyncio.run(scenario())


def test_a_venue_after_a_restart_finds_and_cancels_what_the_one_before_sent() -> None:
    async def scenario() -> None:
        long_id = "a-session-with-a-name-that-is-much-too-long-for-a-comment"
        async with bench() as box:
            first = box.venue(long_id)
            await first.open()
            rest = OrderType.LIMIT
            await first.submit(an_order(BTC, Side.BUY, 100, rest, 9_000, name=f"{long_id}-7"))
            await first.submit(an_order(BTC, Side.BUY, 100, name=f"{long_id}-8"))
            comments = [deal.comment for deal in box.simulator.book.deals]
            assert all(len(comment) <= 31 for comment in comments)
            second = box.venue(long_id)
            [waiting] = await second.open_orders()
            assert waiting.client_order_id == f"{long_id}-7"
            found = await second.find(f"{long_id}-8", SYMBOL)
            assert found is not None
            assert (found.status, found.filled_units) == (OrderStatus.FILLED, 100)
            assert "does not tell" in found.reason
            await second.cancel(CancelOrder(f"{long_id}-7", SYMBOL))
            assert await second.open_orders() == []
            assert await second.find(f"{long_id}-9", SYMBOL) is None

    asyncio.run(scenario())


def test_what_was_traded_by_hand_is_told_without_a_client_id() -> None:
    async def scenario() -> None:
        async with bench() as box:
            venue = box.venue()
            await venue.open()
            heard: list[Mt5Transaction] = []
            watching = asyncio.create_task(venue.watch(heard.append))
            box.simulator.terminal.by_hand(SYMBOL, False, 30)
            await venue.submit(an_order(BTC, Side.BUY, 100))
            fills: list[VenueFill] = list(await venue.fills_since(0))
            told = [(f.client_order_id, f.side, f.quantity_units) for f in fills]
            assert told == [("", Side.SELL, 30), ("run-1", Side.BUY, 100)]
            assert await venue.positions() == {SYMBOL: 70}
            await until(lambda: len(heard) >= 2, "both deals are told", watching)
            names = [(each.client_order_id, each.symbol) for each in heard]
            assert names == [("", SYMBOL), ("run-1", SYMBOL)]
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(scenario())


def test_a_partial_fill_ends_a_market_order() -> None:
    async def scenario() -> None:
        async with bench(SimOptions(faults=FaultPlan(partial=1.0))) as box:
            venue = box.venue()
            await venue.open()
            told = await venue.submit(an_order(BTC, Side.BUY, 100))
            assert (told.status, told.filled_units) == (OrderStatus.CANCELLED, 50)
            found = await venue.find("run-1", SYMBOL)
            assert found is not None
            assert (found.status, found.filled_units) == (OrderStatus.CANCELLED, 50)

    asyncio.run(scenario())


def test_a_limit_on_the_wrong_side_of_the_market_is_refused_with_the_reason() -> None:
    async def scenario() -> None:
        async with bench() as box:
            venue = box.venue()
            await venue.open()
            with pytest.raises(Refused, match=r"10015.*side of the market"):
                await venue.submit(an_order(BTC, Side.BUY, 100, OrderType.LIMIT, 11_000))
            box.simulator.book.balance = 0
            with pytest.raises(Refused, match="10019"):
                await venue.submit(an_order(BTC, Side.BUY, 5_000, name="run-2"))

    asyncio.run(scenario())


async def _resolve(venue: Mt5Venue, name: str) -> OrderStatus | None:
    """Ask until there is an answer."""
    while True:
        try:
            found = await venue.find(name, SYMBOL)
        except Unavailable:
            continue
        return None if found is None else found.status


@pytest.mark.long
@pytest.mark.parametrize(("seed", "does_echo"), first_quick(product((1, 2), (True, False))))
def test_every_unknown_order_is_settled_by_asking_and_none_is_sent_twice(
    seed: int, does_echo: bool
) -> None:
    plan = FaultPlan(
        seed=seed, unread=0.05, ok_lost=0.05, lost=0.1, late=0.05, late_s=0.2, requote=0.1
    )
    options = SimOptions(faults=plan, does_echo=does_echo, in_order=not does_echo)

    async def scenario() -> None:
        async with bench(options, settings=FAST) as box:
            venue = box.venue(settle_s=0.05)
            outcomes: dict[str, OrderStatus | None] = {}
            for number in range(1, 26):
                name = f"run-{number}"
                try:
                    told = await venue.submit(an_order(BTC, Side.BUY, 1, name=name))
                    outcomes[name] = told.status
                except OutcomeUnknown:
                    outcomes[name] = await _resolve(venue, name)
                except NotSent:
                    outcomes[name] = None
            book = box.simulator.book
            there = {name for name, status in outcomes.items() if status is not None}
            assert there == set(book.client_ids)
            assert set(book.client_ids.values()) == {1}
            assert len(book.deals) == len(there)
            assert box.gateway.stats.lost > 0

    asyncio.run(scenario())


def test_an_order_is_not_declared_absent_before_it_can_have_arrived() -> None:
    async def scenario() -> None:
        async with bench(settings=FAST) as box:
            venue = box.venue(settle_s=30.0)
            box.simulator.faults = FaultPlan(unread=1.0)
            with pytest.raises(OutcomeUnknown):
                await venue.submit(an_order(BTC))
            box.simulator.faults = FaultPlan()
            with pytest.raises(Unavailable, match="too early") as caught:
                await venue.find("run-1", SYMBOL)
            assert 0 < caught.value.retry_after_s <= 30
            with pytest.raises(NotSent, match="run-1 is still unknown"):
                await venue.submit(an_order(BTC, name="run-2"))

    asyncio.run(scenario())


def test_the_dry_run_names_what_does_not_fit_and_trades_nothing() -> None:
    async def scenario() -> None:
        async with bench() as box:
            venue = box.venue()
            lines = {line.name: line for line in await venue.check()}
            assert all(line.is_ok for line in lines.values())
            wrong = Mt5Venue(
                box.gateway,
                {"BTCUSD": Mt5VenueSymbol(coin("BTCUSD"), "BTCUSD")},
                WallClock(),
                session_id="run",
                is_sandbox=False,
                settle_s=0.0,
            )
            lines = {line.name: line for line in await wrong.check()}
            assert not lines["sandbox"].is_ok
            assert "suffix" in lines["BTCUSD"].detail
            assert not [r for r in box.audited("request") if r["action"] == "TRADE"]

    asyncio.run(scenario())
