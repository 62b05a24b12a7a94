"""What OKX, KuCoin and Coinbase do each in its own way, beyond the round trip that all share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

import pytest
from round_trips import CASES, COINBASE_KEY, COINBASE_PEM, Bench, bench
from venue_tools import NOW_NS, Word, approved

from logos.adapters.ccxt.profiles import profile_of
from logos.adapters.ccxt.venue import CcxtVenue
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import OrderStatus, Side, TimeInForce
from logos.simulators.exchange.dialects.coinbase import Coinbase
from logos.simulators.exchange.dialects.dialect import Dialect
from logos.simulators.exchange.dialects.kucoin import Kucoin
from logos.simulators.exchange.dialects.okx import Okx
from logos.simulators.exchange.faults import Fault
from logos.venues.contract import OutcomeUnknown, Refused, Unavailable

Kind = TypeVar("Kind", bound=Dialect)
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


def at(exchange_id: str, story: Callable[[Bench], Awaitable[None]]) -> None:
    """Run a story at the bench of one exchange."""

    async def run() -> None:
        [case] = [each for each in CASES if each.exchange_id == exchange_id]
        async with bench(case) as made:
            await story(made)

    asyncio.run(run())


def speaking(made: Bench, kind: type[Kind]) -> Kind:
    """The dialect behind a bench."""
    assert isinstance(made.dialect, kind)
    return made.dialect


async def filled(made: Bench, number: int, quantity: str = "0.001") -> None:
    """A new order, filled whole."""
    await made.submit(number, quantity)
    made.account.fill(made.placed()[-1].client_id, quantity)


# ---- OKX ----


def test_okx_knows_a_cancelled_order_without_fills_for_two_hours() -> None:
    async def story(made: Bench) -> None:
        await made.submit(1)
        await made.venue.cancel(CancelOrder("s-1-1", "COIN"))
        await made.pass_time(HOUR_S)
        there = await made.venue.find("s-1-1", "COIN")
        assert there is not None
        assert there.status is OrderStatus.CANCELLED
        await made.pass_time(1.5 * HOUR_S)
        assert await made.venue.find("s-1-1", "COIN") is None

    at("okx", story)


def test_okx_130_fills_in_one_millisecond_are_two_pages() -> None:
    async def story(made: Bench) -> None:
        await made.submit(1, "0.01")
        for _ in range(130):
            made.account.fill(made.placed()[0].client_id, "0.00001")
        assert len(await made.venue.fills_since(NOW_NS)) == 130
        assert made.exchange.asked("fills-history") == 2

    at("okx", story)


def test_okx_a_fill_names_whose_it_is_before_the_order_was_ever_seen() -> None:
    async def story(made: Bench) -> None:
        await filled(made, 1)
        async with made.another_life() as again:
            [fill] = await again.fills_since(NOW_NS)
            assert fill.client_order_id == "s-1-1"

    at("okx", story)


@pytest.mark.parametrize("kind", ["mmp", "elp", "optimal_limit_ioc"])
def test_okx_an_order_of_somebody_else_of_an_unknown_kind_does_not_block_ours(kind: str) -> None:
    async def story(made: Bench) -> None:
        speaking(made, Okx).others_kind = kind
        strange = made.of_stranger()
        await made.submit(1)
        listed = {order.client_order_id: order for order in await made.venue.open_orders()}
        assert set(listed) == {"", "s-1-1"}
        assert listed[""].venue_order_id == str(strange.order_id)
        assert kind in listed[""].reason

    at("okx", story)


def test_okx_tells_a_rebate_as_a_fee_below_zero() -> None:
    async def story(made: Bench) -> None:
        made.charge(("USDT", "-0.009"))
        await filled(made, 1)
        [fill] = await made.venue.fills_since(NOW_NS)
        assert (fill.fee, fill.fee_currency) == (Decimal("-0.009"), "USDT")

    at("okx", story)


def test_okx_sends_the_header_of_demo_trading_in_the_sandbox_only() -> None:
    async def story(made: Bench) -> None:
        speaking(made, Okx).is_demo = True
        with pytest.raises(Refused):
            await made.submit(1)
        made.venue._exchange.set_sandbox_mode(True)
        made.venue._exchange.urls["api"] = {"rest": made.exchange.url}
        await made.submit(2)
        assert len(made.placed()) == 1

    at("okx", story)


# ---- KuCoin ----


def test_kucoin_fills_of_three_weeks_come_in_windows_of_one() -> None:
    async def story(made: Bench) -> None:
        for number in range(1, 5):
            await filled(made, number)
            await made.pass_time(6 * DAY_S)
        fills = await made.venue.fills_since(NOW_NS)
        assert [fill.client_order_id for fill in fills] == ["s-1-1", "s-1-2", "s-1-3", "s-1-4"]

    at("kucoin", story)


def test_kucoin_s_tax_is_said_rather_than_left_out() -> None:
    async def story(made: Bench) -> None:
        speaking(made, Kucoin).tax = "0.01"
        await filled(made, 1)
        with pytest.raises(Unavailable, match="fees in tax"):
            await made.venue.fills_since(NOW_NS)

    at("kucoin", story)


def test_kucoin_gets_no_partner_s_name_signed_into_its_requests() -> None:
    async def story(made: Bench) -> None:
        signed = made.venue._exchange.sign("accounts", ["private"], "GET", {})
        assert not [name for name in signed["headers"] if "PARTNER" in name]

    at("kucoin", story)


def test_kucoin_forgets_a_cancelled_order_after_two_days_and_a_filled_one_after_seven() -> None:
    async def story(made: Bench) -> None:
        await filled(made, 1)
        await made.submit(2)
        await made.venue.cancel(CancelOrder("s-1-2", "COIN"))
        await made.pass_time(3 * DAY_S)
        assert await made.venue.find("s-1-1", "COIN") is not None
        assert await made.venue.find("s-1-2", "COIN") is None
        await made.pass_time(5 * DAY_S)
        assert await made.venue.find("s-1-1", "COIN") is None

    at("kucoin", story)


def test_kucoin_an_answer_without_an_order_is_no_proof_that_there_is_none() -> None:
    async def story(made: Bench) -> None:
        speaking(made, Kucoin).hides_what_is_missing = True
        with pytest.raises(Unavailable, match="no id"):
            await made.venue.find("s-1-1", "COIN")

    at("kucoin", story)


# ---- Coinbase ----


def test_coinbase_an_order_that_is_not_found_by_its_id_yet_is_sought_in_the_list() -> None:
    async def story(made: Bench) -> None:
        await made.submit(1)
        made.troubles.not_found["s-1-1"] = 1
        there = await made.venue.find("s-1-1", "COIN")
        assert there is not None
        assert there.status is OrderStatus.ACCEPTED
        assert made.troubles.not_found["s-1-1"] == 0

    at("coinbase", story)


@pytest.mark.parametrize("word", ["PENDING", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED"])
def test_coinbase_an_order_on_its_way_is_accepted(word: str) -> None:
    async def story(made: Bench) -> None:
        speaking(made, Coinbase).new_status = word
        await made.submit(1)
        there = await made.venue.find("s-1-1", "COIN")
        assert there is not None
        assert there.status is OrderStatus.ACCEPTED

    at("coinbase", story)


def test_coinbase_a_word_that_nobody_knows_leaves_the_question_open() -> None:
    async def story(made: Bench) -> None:
        speaking(made, Coinbase).new_status = "SOMETHING_NEW"
        await made.submit(1)
        with pytest.raises(Unavailable, match="SOMETHING_NEW"):
            await made.venue.find("s-1-1", "COIN")

    at("coinbase", story)


def test_coinbase_a_cursor_on_an_empty_page_ends_the_list() -> None:
    async def story(made: Bench) -> None:
        assert await made.venue.fills_since(NOW_NS) == []
        await made.submit(1, "0.01")
        for _ in range(100):
            made.account.fill("s-1-1", "0.00001")
        assert len(await made.venue.fills_since(NOW_NS)) == 100

    at("coinbase", story)


def test_coinbase_fills_that_were_told_in_quote_are_somebody_else_s() -> None:
    async def story(made: Bench) -> None:
        made.of_stranger()
        made.account.fill("", "0.0017", "80000.01")
        speaking(made, Coinbase).sized_in_quote.add(1)
        await filled(made, 1)
        assert [fill.client_order_id for fill in await made.venue.fills_since(NOW_NS)] == ["s-1-1"]

    at("coinbase", story)


@pytest.mark.parametrize("kind", ["REVERSAL", "CORRECTION", "SYNTHETIC"])
def test_coinbase_a_row_that_undoes_a_fill_is_never_booked_as_one(kind: str) -> None:
    async def story(made: Bench) -> None:
        await filled(made, 1)
        speaking(made, Coinbase).trade_types[1] = kind
        words = f"COIN: a fill whose trade_type is '{kind}' cannot be booked"
        with pytest.raises(Unavailable, match=words):
            await made.venue.fills_since(NOW_NS)

    at("coinbase", story)


def test_coinbase_a_market_that_is_another_s_alias_is_not_traded() -> None:
    async def story(made: Bench) -> None:
        speaking(made, Coinbase).alias = "BTC-USD"
        with pytest.raises(Refused, match="another name of BTC-USD"):
            await made.venue.open()

    at("coinbase", story)


def test_coinbase_takes_its_private_key_with_lines_as_in_json() -> None:
    async def story(made: Bench) -> None:
        venue = CcxtVenue(
            "coinbase",
            {made.coin.symbol: made.coin},
            made.clock,
            Random(1),
            key=Word(COINBASE_KEY),
            secret=Word(COINBASE_PEM.replace("\n", "\\n")),
            sandbox=False,
            url=made.exchange.url,
            limit_rate=False,
        )
        try:
            await venue.open()
            assert await venue.balances()
        finally:
            await venue.close()

    at("coinbase", story)


def test_coinbase_takes_no_fill_or_kill_for_ccxt_cannot_read_them() -> None:
    async def story(made: Bench) -> None:
        terms = approved(made.coin, Side.BUY, "0.001", "90000.00", time_in_force=TimeInForce.FOK)
        with pytest.raises(Refused, match="no FOK orders"):
            await made.send(SubmitOrder(terms, "s-1-1", NOW_NS))
        assert made.exchange.asked("POST") == 0

    at("coinbase", story)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("UNKNOWN_CANCEL_ORDER", Refused),
        ("ORDER_IS_FULLY_FILLED", Refused),
        ("COMMANDER_REJECTED_CANCEL_ORDER", OutcomeUnknown),
        ("UNKNOWN_CANCEL_FAILURE_REASON", OutcomeUnknown),
    ],
)
def test_coinbase_a_cancel_that_failed_says_what_is_known(reason: str, kind: Any) -> None:
    async def story(made: Bench) -> None:
        await made.submit(1)
        speaking(made, Coinbase).cancel_failure = reason
        with pytest.raises(kind):
            await made.venue.cancel(CancelOrder("s-1-1", "COIN"))

    at("coinbase", story)


# ---- all three ----


@pytest.mark.parametrize("exchange_id", ["okx", "kucoin", "coinbase"])
def test_nothing_is_signed_or_named_that_the_order_did_not_say(exchange_id: str) -> None:
    """No broker's tag, no partner: what ccxt would put in by itself stays out."""

    async def story(made: Bench) -> None:
        sent: list[str] = []
        fetch = made.venue._exchange.fetch

        async def noted(url: str, *rest: Any) -> Any:
            sent.append(f"{url} {rest}")
            return await fetch(url, *rest)

        made.venue._exchange.fetch = noted
        await made.submit(1)
        assert sent
        theirs = ("ccxt", "6b9ad766", '"tag"')
        assert not [text for text in sent if any(name in text for name in theirs)]

    at(exchange_id, story)


@pytest.mark.parametrize("exchange_id", ["kucoin", "coinbase"])
def test_what_has_no_sandbox_says_so(exchange_id: str) -> None:
    assert profile_of(exchange_id).test_place.startswith("none")


@pytest.mark.long
@pytest.mark.parametrize("exchange_id", ["okx", "kucoin", "coinbase"])
@pytest.mark.parametrize(
    ("fault", "is_handled"),
    [
        (Fault.RESET_BEFORE, False),
        (Fault.RESET_AFTER, True),
        (Fault.SERVER_ERROR, False),
        (Fault.SERVER_ERROR_AFTER, True),
        (Fault.UNAVAILABLE, False),
        (Fault.MAINTENANCE, False),
        (Fault.MALFORMED, True),
        (Fault.TRUNCATED, True),
    ],
)
def test_whatever_becomes_of_a_request_it_is_sent_once_and_then_asked_for(
    exchange_id: str, fault: Fault, is_handled: bool
) -> None:
    async def story(made: Bench) -> None:
        made.exchange.fail(made.requests["create"], fault)
        with pytest.raises(OutcomeUnknown):
            await made.submit(1)
        assert len(made.placed()) == int(is_handled)
        there = await made.venue.find("s-1-1", "COIN")
        assert (there is not None) is is_handled
        await made.submit(2)
        asked = made.exchange.asked
        before = asked(made.requests["cancel"])
        made.exchange.fail(made.requests["cancel"], fault)
        with pytest.raises(OutcomeUnknown):
            await made.venue.cancel(CancelOrder("s-1-2", "COIN"))
        assert asked(made.requests["cancel"]) == before + 1
        assert made.placed()[-1].is_open is not is_handled
        for name, question in (
            ("find", made.venue.find("s-1-2", "COIN")),
            ("open", made.venue.open_orders()),
            ("fills", made.venue.fills_since(NOW_NS)),
            ("balances", made.venue.balances()),
        ):
            made.exchange.fail(made.requests[name], fault)
            with pytest.raises(Unavailable):
                await question

    at(exchange_id, story)
