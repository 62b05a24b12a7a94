"""What Gate, Bitget, MEXC and Hyperliquid do in their own way, beyond the common round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from round_trips import CASES, Bench, bench

from logos.adapters.ccxt.connection import make_exchange
from logos.adapters.ccxt.pages import whole
from logos.adapters.ccxt.profiles.bitget import BITGET
from logos.adapters.ccxt.profiles.mexc import MEXC
from logos.adapters.ccxt.profiles.profile import DAY_MS, Pages, Paging
from logos.core.outbox import CancelOrder
from logos.core.types import OrderStatus, Side
from logos.simulators.exchange.dialects.hyperliquid_signing import address_of, keccak
from logos.simulators.exchange.faults import Fault
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable
from logos.venues.records import Unreadable

pytestmark = pytest.mark.long
CASE = {case.exchange_id: case for case in CASES}


def run(exchange_id: str, story: Callable[[Bench], Awaitable[None]], **options: Any) -> None:
    """Tell `story` at a bench of that exchange."""

    async def told() -> None:
        async with bench(CASE[exchange_id], **options) as made:
            await story(made)

    asyncio.run(told())


# ---- Gate ----


def test_at_gate_an_order_that_ended_long_ago_is_sought_among_the_finished_ones() -> None:
    async def story(made: Bench) -> None:
        await made.submit(1)
        made.account.fill(made.placed()[0].client_id, "0.001")
        await made.pass_time(2 * 3600)
        async with made.another_life() as again:
            there = await again.find("s-1-1", "COIN")
            assert there is not None
            assert (there.status, there.client_order_id) == (OrderStatus.FILLED, "s-1-1")
            assert await again.find("s-1-2", "COIN") is None

    run("gate", story)


def test_at_gate_no_cancel_ever_goes_to_the_address_of_cancelling_everything() -> None:
    async def story(made: Bench) -> None:
        made.of_stranger()
        await made.submit(1)
        await made.venue.cancel(CancelOrder("s-1-1", "COIN"))
        paths = {each.path for each in made.exchange.requests if each.method == "DELETE"}
        assert paths == {"/api/v4/spot/orders/t-s-1-1"}

    run("gate", story)


def test_at_gate_points_are_a_coin_of_their_own() -> None:
    async def story(made: Bench) -> None:
        made.charge(("BTC", "0.000001"), ("POINT", "0.02"))
        await made.submit(1)
        made.account.fill(made.placed()[0].client_id, "0.001")
        [fill] = await made.venue.fills_since(made.clock.now_ns() - 10**9)
        assert (fill.fee, fill.fee_currency) == (Decimal("0.000001"), "BTC")
        assert fill.other_fees == (("GATEPOINT", Decimal("0.02")),)

    run("gate", story)


# ---- market orders at a price ----


@pytest.mark.parametrize("exchange_id", ["gate", "bitget", "mexc", "hyperliquid"])
def test_a_market_buy_buys_its_quantity_whatever_it_costs(exchange_id: str) -> None:
    async def story(made: Bench) -> None:
        await made.send(made.at_market(1, Side.BUY, "0.012"))
        [placed] = made.placed()
        # Two in a hundred beyond the price asked, 100,000; it fills at the price asked.
        assert (placed.quantity, placed.limit) == (Decimal("0.012"), Decimal(102_000))
        assert placed.spent == Decimal("0.012") * 100_000
        assert not placed.is_open

    run(exchange_id, story)


def test_what_a_market_buy_cannot_fill_does_not_rest() -> None:
    async def story(made: Bench) -> None:
        _show(made, {"asks": [[90_000.0, 1.0]]})
        await made.send(made.at_market(1, Side.BUY, "0.012"))
        there = await made.venue.find("s-1-1", "COIN")
        assert there is not None
        assert (there.status, there.filled_units) == (OrderStatus.CANCELLED, 0)

    run("gate", story)


@pytest.mark.parametrize("book", [{"asks": []}, {}, [], {"asks": None}])
def test_without_a_price_a_market_buy_is_not_sent(book: object) -> None:
    async def story(made: Bench) -> None:
        _show(made, book)
        with pytest.raises(NotSent, match="no price"):
            await made.send(made.at_market(1, Side.BUY))
        assert made.placed() == []

    run("gate", story)


def test_a_lost_question_for_the_price_sends_nothing() -> None:
    async def story(made: Bench) -> None:
        made.exchange.fail("GET /api/v4/spot/order_book", Fault.RESET_BEFORE)
        with pytest.raises(NotSent):
            await made.send(made.at_market(1, Side.BUY))
        assert made.placed() == []

    run("gate", story)


def _show(made: Bench, book: object) -> None:
    """From now on ccxt says that this is the order book."""

    async def told(_market: str) -> object:
        return book

    made.venue._exchange.fetch_order_book = told


# ---- Bitget ----


def test_bitget_s_sandbox_is_a_mode_of_its_own() -> None:
    async def story(made: Bench) -> None:
        exchange = make_exchange(
            BITGET, made.clock, sandbox=True, url=made.exchange.url, timeout_s=1, limit_rate=False
        )
        signed = exchange.sign("v2/public/time2", ["public", "common"], "GET", {})
        assert signed["headers"]["PAPTRADING"] == "1"
        await exchange.close()

    run("bitget", story)


def test_a_timeout_that_ccxt_takes_for_a_wrong_key_leaves_the_outcome_open() -> None:
    async def story(made: Bench) -> None:
        made.exchange.fail(made.requests["create"], Fault.UNSURE)
        with pytest.raises(OutcomeUnknown, match="40010"):
            await made.submit(1)

    run("bitget", story)


# ---- MEXC ----


def test_mexc_denies_a_new_order_for_a_moment() -> None:
    async def story(made: Bench) -> None:
        await made.submit(1)
        made.troubles.not_found[made.placed()[0].client_id] = 2
        assert await made.venue.find("s-1-1", "COIN") is None  # by either id
        assert await made.venue.find("s-1-1", "COIN") is not None

    run("mexc", story)


def test_mexc_has_no_sandbox() -> None:
    async def story(made: Bench) -> None:
        with pytest.raises(Refused, match="no sandbox"):
            make_exchange(MEXC, made.clock, sandbox=True, url="", timeout_s=1, limit_rate=False)

    run("mexc", story)


# ---- Hyperliquid ----


def test_at_hyperliquid_nothing_is_signed_but_orders_and_cancels() -> None:
    async def story(made: Bench) -> None:
        await made.submit(1)
        await made.send(made.at_market(2, Side.SELL))
        await made.venue.cancel(CancelOrder("s-1-1", "COIN"))
        assert made.dialect.extras == []
        assert made.exchange.asked("POST /exchange") == 3

    run("hyperliquid", story)


def test_at_hyperliquid_a_request_with_an_extra_is_stopped_here() -> None:
    async def story(made: Bench) -> None:
        library = made.venue._exchange
        with pytest.raises(Refused, match="'setReferrer'"):
            await library.privatePostExchange({"action": {"type": "setReferrer", "code": "X"}})
        library.options["approvedBuilderFee"] = True  # ccxt then adds its builder to each order
        with pytest.raises(Refused, match="'builder'"):
            await made.submit(1)
        assert made.exchange.asked("POST /exchange") == 0

    run("hyperliquid", story)


@pytest.mark.parametrize("kind", ["open", "fills", "balances"])
def test_at_hyperliquid_an_answer_of_another_shape_is_no_empty_list(kind: str) -> None:
    async def story(made: Bench) -> None:
        await made.submit(1)
        made.dialect.is_mute = True
        asked = {
            "open": made.venue.open_orders,
            "fills": lambda: made.venue.fills_since(0),
            "balances": made.venue.balances,
        }
        with pytest.raises(Unavailable):
            await asked[kind]()

    run("hyperliquid", story)


def test_at_hyperliquid_a_rest_that_did_not_fill_at_once_is_asked_for() -> None:
    async def story(made: Bench) -> None:
        take = made.account.take

        def in_part(asked: Any) -> Any:
            order = take({**asked, "timeInForce": "GTC", "price": "80000"})
            made.account.fill(order.client_id, "0.0004", "99990")
            made.account.end(order, "CANCELED")
            return order

        made.account.take = in_part  # type: ignore[method-assign]
        with pytest.raises(OutcomeUnknown, match="another quantity"):
            await made.send(made.at_market(1, Side.BUY))
        there = await made.venue.find("s-1-1", "COIN")
        assert there is not None
        assert (there.status, there.filled_units) == (OrderStatus.CANCELLED, 40)

    run("hyperliquid", story)


# ---- lists that are not whole ----


def test_a_list_that_may_not_be_whole_is_said() -> None:
    async def fetch(*_: Any) -> Any:
        return [{"id": str(number), "timestamp": number} for number in range(3)]

    async def told(paging: Paging, since_ms: int) -> Any:
        return await whole(fetch, paging, since_ms, 40 * DAY_MS)

    kept = Paging(Pages.BACKWARD, size=10, kept_ms=30 * DAY_MS)
    with pytest.raises(Unreadable, match="the exchange lists the last 30 days only"):
        asyncio.run(told(kept, 9 * DAY_MS))
    assert len(asyncio.run(told(kept, 10 * DAY_MS))) == 3
    few = Paging(Pages.BACKWARD, size=10, rows_max=3)
    with pytest.raises(Unreadable, match="the exchange lists no more than 3 rows"):
        asyncio.run(told(few, 0))


# ---- signatures of Hyperliquid, from first principles ----


def test_keccak_and_addresses_are_those_of_ethereum() -> None:
    nothing = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak(b"").hex() == nothing
    # The address of the private key 1, which every Ethereum library knows.
    assert address_of("0x" + "0" * 63 + "1") == "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"


# ---- every fault of the way ----

_HANDLED = (
    Fault.TIMEOUT_AFTER,
    Fault.RESET_AFTER,
    Fault.SERVER_ERROR_AFTER,
    Fault.MALFORMED,
    Fault.TRUNCATED,
)
_NOT_HANDLED = (
    Fault.TIMEOUT_BEFORE,
    Fault.RESET_BEFORE,
    Fault.SERVER_ERROR,
    Fault.UNAVAILABLE,
    Fault.MAINTENANCE,
)


@pytest.mark.parametrize("exchange_id", ["gate", "bitget", "mexc", "hyperliquid"])
def test_whatever_happens_on_the_way_an_order_is_there_once_or_not_at_all(exchange_id: str) -> None:
    async def story(made: Bench) -> None:
        for number, fault in enumerate((*_HANDLED, *_NOT_HANDLED), start=1):
            made.exchange.fail(made.requests["create"], fault)
            with made.impatient(), pytest.raises((OutcomeUnknown, NotSent)) as told:
                await made.submit(number)
            there = await made.venue.find(f"s-1-{number}", "COIN")
            assert (there is not None) == (fault in _HANDLED), fault
            assert there is None or told.type is OutcomeUnknown, fault
            assert len(made.placed()) == min(number, len(_HANDLED))
            assert made.exchange.faults.spoiled[-1][1] is fault

    run(exchange_id, story)


@pytest.mark.parametrize("exchange_id", ["gate", "bitget", "mexc", "hyperliquid"])
def test_whatever_happens_to_a_cancel_only_its_order_ends(exchange_id: str) -> None:
    async def story(made: Bench) -> None:
        stranger = made.of_stranger()
        for number, fault in enumerate((*_HANDLED, *_NOT_HANDLED), start=1):
            await made.submit(number)
            made.exchange.fail(made.requests["cancel"], fault)
            with made.impatient(), pytest.raises((OutcomeUnknown, NotSent)):
                await made.venue.cancel(CancelOrder(f"s-1-{number}", "COIN"))
            there = await made.venue.find(f"s-1-{number}", "COIN")
            assert there is not None
            ended = there.status is OrderStatus.CANCELLED
            assert ended == (fault in _HANDLED), fault
        assert sum(order.is_open for order in made.placed()) == len(_NOT_HANDLED) + 1
        assert stranger.is_open

    run(exchange_id, story)


@pytest.mark.parametrize("exchange_id", ["gate", "bitget", "mexc", "hyperliquid"])
def test_a_question_that_fails_stays_open(exchange_id: str) -> None:
    async def story(made: Bench) -> None:
        await made.submit(1)
        asked = {
            "find": lambda: made.venue.find("s-1-1", "COIN"),
            "open": made.venue.open_orders,
            "fills": lambda: made.venue.fills_since(made.clock.now_ns() - 10**9),
            "balances": made.venue.balances,
        }
        for name, ask in asked.items():
            for fault in (*_HANDLED, *_NOT_HANDLED):
                made.exchange.fail(made.requests[name], fault)
                with made.impatient(), pytest.raises(Unavailable):
                    await ask()
                made.exchange.faults.clear()

    run(exchange_id, story)


@pytest.mark.parametrize("exchange_id", ["gate", "bitget", "mexc", "hyperliquid"])
def test_the_dry_run_reads_what_each_of_them_says_of_itself(exchange_id: str) -> None:
    async def story(made: Bench) -> None:
        lines = {line.name: line for line in await made.venue.check()}
        names = ("credentials", "markets", "clock", "COIN market", "COIN tick", "COIN lot")
        assert [lines[name].is_ok for name in names] == [True] * len(names)
        assert "set instruments.COIN.min_notional" in lines["COIN min_notional"].detail
        assert not made.placed()

    run(exchange_id, story, is_open=False)
