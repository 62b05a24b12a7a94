"""Regulatory fees on shares at a local broker: told of where they are proved ours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest
from venue_tools import NOW_NS, BrokerDesk, approved, broker_desk

from logos.core.outbox import SubmitOrder
from logos.core.types import NS_PER_DAY, Side, TimeInForce
from logos.venues.contract import Unavailable, VenueCharge

FIRST_NS = NOW_NS - 1000


async def trade(desk: BrokerDesk, name: str, side: Side, quantity: str) -> None:
    order = approved(desk.share, side, quantity, time_in_force=TimeInForce.DAY)
    await desk.venue.submit(SubmitOrder(order, name, 0))


def by_hand(desk: BrokerDesk) -> None:
    desk.account.place_by_hand(
        {
            "symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day",
            "qty": "1", "client_order_id": "by-hand",
        }
    )  # fmt: skip


async def charged(desk: BrokerDesk, session_id: str = "s-1") -> Sequence[VenueCharge]:
    """What a process of that session that begins now is told of."""
    venue = desk.another(session_id)
    await venue.open()
    try:
        return await venue.charges_since(FIRST_NS)
    finally:
        await venue.close()


def test_a_days_fees_are_told_once_each_with_what_they_cost_and_their_words() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            desk.account.held["AAPL"] = Decimal(100)
            await trade(desk, "s-1-1", Side.BUY, "10")
            await trade(desk, "s-1-2", Side.SELL, "100")
            assert await desk.venue.charges_since(FIRST_NS) == []
            before = desk.account.cash
            desk.account.post_fees()
            told = await desk.venue.charges_since(FIRST_NS)
            # 100 * 199.99 * 0.0000278 = 0.556, 100 * 0.000166 = 0.0166, 110 * 0.000046 = 0.00506
            assert [(each.currency, each.amount) for each in told] == [
                ("USD", Decimal("0.01")),
                ("USD", Decimal("0.56")),
                ("USD", Decimal("0.02")),
            ]
            assert before - desk.account.cash == sum(each.amount for each in told)
            assert told[1].words.startswith("REG fee for proceed of $19999.00 on 20")
            assert len({each.charge_id for each in told}) == 3
            assert await charged(desk) == told, "another process of the session knows its orders"

    asyncio.run(story())


def test_of_a_day_on_which_others_traded_in_shares_nothing_is_proved() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await trade(desk, "s-1-1", Side.BUY, "10")
            by_hand(desk)
            desk.account.post_fees()
            assert await charged(desk) == []
            assert await charged(desk, "s-2") == []

    asyncio.run(story())


def test_another_days_trade_of_others_does_not_make_todays_fee_theirs() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            by_hand(desk)
            desk.account.post_fees()
            await desk.exchange.advance(NS_PER_DAY / 10**9)
            await desk.clock.advance(NS_PER_DAY / 10**9)
            await trade(desk, "s-1-1", Side.BUY, "10")
            desk.account.post_fees()
            [fee] = await charged(desk)
            assert fee.words.startswith("CAT fee for proceed of 1 trades on ")

    asyncio.run(story())


@pytest.mark.parametrize("skew_s", [0.0, -0.4])
def test_a_session_begun_after_midnight_utc_trades_on_the_markets_day_before(skew_s: float) -> None:
    assert NOW_NS % NS_PER_DAY == 0, "19:00 in New York"

    async def story() -> None:
        async with broker_desk() as desk:
            desk.exchange.market.skew_ns = round(skew_s * 10**9)
            await trade(desk, "s-1-1", Side.BUY, "10")
            await desk.exchange.advance(40.0)
            desk.account.post_fees()
            [fee] = await charged(desk)
            assert fee.words.endswith(" on 2025-12-31")

    asyncio.run(story())


def test_coins_and_their_fees_are_no_trade_in_shares() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            desk.account.held["BTC/USD"] = Decimal(1)
            for number, side in enumerate((Side.BUY, Side.SELL)):
                order = approved(desk.coin, side, "0.1")
                await desk.venue.submit(SubmitOrder(order, f"s-2-{number + 1}", 0))
            desk.account.post_fees()
            assert await charged(desk, "s-2") == []
            await trade(desk, "s-1-1", Side.BUY, "10")
            desk.account.post_fees()
            assert [each.amount for each in await charged(desk)] == [Decimal("0.01")]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("change", "is_told"),
    [
        ({"activity_sub_type": None}, True),
        ({"activity_sub_type": "ORF"}, False),
        ({"net_amount": "0.01"}, False),
        ({"status": "canceled"}, False),
        ({"currency": "EUR"}, False),
        ({"date": "2026-13-45"}, None),
        ({"net_amount": "-0,01"}, None),
    ],
)
def test_a_fee_that_is_not_clearly_one_is_left_to_the_comparison_of_holdings(
    change: dict[str, object], is_told: bool | None
) -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await trade(desk, "s-1-1", Side.BUY, "10")
            desk.account.post_fees()
            [row] = [
                row
                for row in await desk.venue._questions.rows("fees", "/account/activities/FEE")
                if row["activity_sub_type"] == "CAT"
            ]
            desk.replaced["GET /v2/account/activities/FEE"] = [{**row, **change}]
            if is_told is None:
                with pytest.raises(Unavailable):
                    await desk.venue.charges_since(FIRST_NS)
            else:
                assert bool(await desk.venue.charges_since(FIRST_NS)) is is_told

    asyncio.run(story())
