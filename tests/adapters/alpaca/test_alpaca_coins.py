"""Coins at a local broker: the fee is what does not arrive, and is booked or told, never lost."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from venue_tools import NOW_NS, BrokerDesk, approved, broker_desk, share

from logos.core.outbox import SubmitOrder
from logos.core.types import OrderStatus, OrderType, Side
from logos.simulators.alpaca.book import activity_row
from logos.simulators.exchange.faults import Fault
from logos.venues.contract import Refused, Unavailable, VenueFill

FEE = Decimal("0.0025")


async def buy(desk: BrokerDesk, name: str, quantity: str = "0.1", price: str = "") -> None:
    order = approved(desk.coin, Side.BUY, quantity, price)
    await desk.venue.submit(SubmitOrder(order, name, 0))


async def fills(desk: BrokerDesk) -> list[VenueFill]:
    return list(await desk.venue.fills_since(NOW_NS))


def test_a_purchase_costs_coins_and_a_sale_costs_money_exactly() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await buy(desk, "s-1-1")
            [bought] = await fills(desk)
            assert (bought.fee, bought.fee_currency) == (Decimal("0.00025"), "BTC/USD")
            assert (await desk.venue.balances())["BTC/USD"] == Decimal("0.09975")
            sale = approved(desk.coin, Side.SELL, "0.0997")
            await desk.venue.submit(SubmitOrder(sale, "s-1-2", 0))
            _, sold = await fills(desk)
            money = Decimal("0.0997") * Decimal("99990.00")
            assert (sold.fee, sold.fee_currency) == (money * FEE, "USD")
            held = await desk.venue.balances()
            paid = Decimal("0.1") * Decimal("100000.00")
            assert held == {
                "AAPL": Decimal(0),
                "BTC/USD": Decimal("0.00005"),
                "USD": Decimal(100_000) - paid + money - sold.fee,
            }
            # What was told of a fill once is told of it again.
            assert await fills(desk) == [bought, sold]

    asyncio.run(story())


def test_fees_of_several_fills_add_up_to_what_did_not_arrive() -> None:
    async def story() -> None:
        async with broker_desk(is_open=False) as desk:
            desk.account.held["BTC/USD"] = Decimal("0.3")
            await desk.venue.open()
            await buy(desk, "s-1-1", "0.1001", "9000.00")
            for part in ("0.0333", "0.0333", "0.0335"):
                desk.account.fill("s-1-1", part)
            desk.account.place_by_hand(
                {
                    "symbol": "BTC/USD", "side": "buy", "type": "market", "time_in_force": "gtc",
                    "qty": "0.2", "client_order_id": "by-hand",
                }
            )  # fmt: skip
            found = await fills(desk)
            assert [fill.client_order_id for fill in found] == ["s-1-1"] * 3 + [""]
            arrived = sum(
                desk.coin.quantity_decimal(fill.quantity_units) - fill.fee for fill in found
            )
            assert Decimal("0.3") + arrived == desk.account.held["BTC/USD"]
            assert all(0 < fill.fee < Decimal("0.001") for fill in found)

    asyncio.run(story())


def test_the_fee_of_a_speck_is_rounded_up_and_is_a_fee_all_the_same() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            for body in ({"qty": "0.000000625"}, {"qty": "0.000000002"}):
                words = {"symbol": "BTC/USD", "side": "buy", "type": "market"}
                rest = {"time_in_force": "gtc", "client_order_id": f"hand-{body['qty']}"}
                desk.account.place_by_hand(words | rest | body)
            await buy(desk, "s-1-1")
            [fill] = await fills(desk)
            assert Decimal("0.00025") <= fill.fee <= Decimal("0.000250003")
            assert desk.account.held["BTC/USD"] == Decimal("0.099750624")

    asyncio.run(story())


def test_a_price_finer_than_the_tick_beside_a_fee_in_the_coin_is_two_fees() -> None:
    """Two fees of one fill are a difference, which is said (`order_match.unbookable_fee`)."""

    async def story() -> None:
        async with broker_desk() as desk:
            await buy(desk, "s-1-1", "0.1", "9000.00")
            desk.account.fill("s-1-1", "0.1", "8999.9987")
            [fill] = await fills(desk)
            assert (fill.price_units, fill.fee, fill.fee_currency) == (
                899_999,
                Decimal("0.00025"),
                "BTC/USD",
            )
            assert fill.other_fees == (("USD", Decimal("0.00087")),)

    asyncio.run(story())


def test_a_lower_rate_is_what_it_is() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            desk.account.fee_rate = Decimal("0.0008")
            await buy(desk, "s-1-1")
            desk.account.fee_rate = Decimal(0)
            [first] = await fills(desk)
            await buy(desk, "s-1-2")
            _, second = await fills(desk)
            assert (first.fee, second.fee) == (Decimal("0.00008"), Decimal(0))

    asyncio.run(story())


def test_what_is_no_fee_is_asked_again_and_then_left_to_the_comparison_of_holdings() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await buy(desk, "s-1-1")
            desk.account.held["BTC/USD"] -= Decimal("0.05")  # somebody has sent coins away
            with pytest.raises(Unavailable, match="not what its executions and a fee come to"):
                await fills(desk)
            await desk.clock.advance(9)
            with pytest.raises(Unavailable):
                await fills(desk)
            await desk.clock.advance(2)
            [fill] = await fills(desk)
            assert fill.fee == 0
            assert (await desk.venue.balances())["BTC/USD"] == Decimal("0.04975")
            # What comes after is reckoned from there.
            await buy(desk, "s-1-2")
            assert (await fills(desk))[1].fee == Decimal("0.00025")

    asyncio.run(story())


def test_a_position_that_follows_its_fill_late_is_waited_for() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            before = dict(desk.account.held)
            await buy(desk, "s-1-1")
            after, desk.account.held = desk.account.held, before
            with pytest.raises(Unavailable):
                await fills(desk)
            desk.account.held = after
            [fill] = await fills(desk)
            assert fill.fee == Decimal("0.00025")

    asyncio.run(story())


def test_money_that_moves_for_other_reasons_is_no_fee() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await buy(desk, "s-1-1")
            await fills(desk)
            desk.account.cash += Decimal("12.34")  # a dividend
            await desk.venue.balances()
            sale = approved(desk.coin, Side.SELL, "0.05")
            await desk.venue.submit(SubmitOrder(sale, "s-1-2", 0))
            _, sold = await fills(desk)
            assert sold.fee == Decimal("0.05") * Decimal("99990.00") * FEE

    asyncio.run(story())


def test_money_that_moves_is_no_fee_in_an_account_with_a_past_either() -> None:
    async def story() -> None:
        async with broker_desk(is_open=False) as desk:
            by_hand = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day"}
            desk.account.place_by_hand(by_hand | {"qty": "1", "client_order_id": "hand-1"})
            await desk.exchange.advance(10)
            await desk.clock.advance(10)
            desk.account.place_by_hand(by_hand | {"qty": "1", "client_order_id": "hand-2"})
            await desk.venue.open()
            await buy(desk, "s-1-1")
            assert (await fills(desk))[-1].fee == Decimal("0.00025")
            desk.account.cash += Decimal("12.34")  # a dividend
            await desk.venue.balances()
            sale = approved(desk.coin, Side.SELL, "0.05")
            await desk.venue.submit(SubmitOrder(sale, "s-1-2", 0))
            assert (await fills(desk))[-1].fee == Decimal("0.05") * Decimal("99990.00") * FEE

    asyncio.run(story())


def test_fees_that_are_taken_at_the_end_of_the_day_are_seen_in_the_holdings() -> None:
    """As docs.alpaca.markets/docs/crypto-fees has it ("posted end of day")."""

    async def story() -> None:
        async with broker_desk() as desk:
            desk.account.takes_fees_at_once = False
            await buy(desk, "s-1-1")
            [fill] = await fills(desk)
            assert fill.fee == 0
            desk.account.post_fees()
            assert (await desk.venue.balances())["BTC/USD"] == Decimal("0.09975")
            [fee] = [each for each in desk.account.activities if not each.order_id]
            assert activity_row(fee)["activity_type"] == "CFEE"
            assert activity_row(fee)["qty"] == "-0.000250000"
            assert activity_row(fee)["symbol"] == "BTCUSD"

    asyncio.run(story())


def test_coins_have_no_stop_orders_and_that_is_said_here() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            stop = approved(desk.coin, Side.BUY, "0.1", stop="120000.00")
            with pytest.raises(Refused, match="coins have no stop orders at Alpaca"):
                await desk.venue.submit(SubmitOrder(stop, "s-1-1", 0))
            assert desk.exchange.asked("POST") == 0
            both = approved(desk.coin, Side.BUY, "0.1", "120100.00", stop="120000.00")
            order = await desk.venue.submit(SubmitOrder(both, "s-1-2", 0))
            assert (order.type, order.status) == (OrderType.STOP_LIMIT, OrderStatus.ACCEPTED)

    asyncio.run(story())


def test_coins_on_margin_are_refused() -> None:
    async def story() -> None:
        margin = share("BTCUSD", settlement="margin", lot="0.0001")
        names = {"BTCUSD": "BTC/USD"}
        async with broker_desk(what=margin, assets=names, is_open=False) as desk:
            with pytest.raises(Refused, match="settlement"):
                await desk.venue.open()

    asyncio.run(story())


def test_dust_below_a_lot_is_owned_and_does_not_block() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            desk.account.held["BTC/USD"] = Decimal("0.000000123")
            assert await desk.venue.positions() == {}
            assert (await desk.venue.balances())["BTC/USD"] == Decimal("0.000000123")

    asyncio.run(story())


def test_coins_are_traded_against_dollars_only() -> None:
    async def story() -> None:
        pair = share("ETHBTC", quote="BTC", tick="0.000001", lot="0.0001")
        async with broker_desk(what=pair, assets={"ETHBTC": "ETH/BTC"}, is_open=False) as desk:
            with pytest.raises(Refused, match="against USD only"):
                await desk.venue.open()

    asyncio.run(story())


def test_lists_that_lack_an_execution_which_was_seen_settle_nothing() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await buy(desk, "s-1-1")
            desk.exchange.fail("GET /v2/account/activities/FILL", Fault.LATE, times=2, after=1)
            [fill] = await fills(desk)
            assert fill.fee == Decimal("0.00025")

    asyncio.run(story())


def test_an_execution_from_before_a_restart_has_its_fee_by_the_books() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            await buy(desk, "s-1-1")
            [booked] = await fills(desk)
            held = await desk.venue.balances()
            await buy(desk, "s-1-2", "0.2", "9000.00")
            desk.account.fill("s-1-2", "0.1")  # and the process dies
            desk.account.place_by_hand(
                {
                    "symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day",
                    "qty": "1", "client_order_id": "by-hand",
                }
            )  # fmt: skip
            again = desk.another("s-1")
            again.resume_from(held, [booked.fill_id], NOW_NS)
            await again.open()
            desk.account.fill("s-1-2", "0.05")
            found = list(await again.fills_since(NOW_NS))
            coins = [fill.fee for fill in found if fill.symbol == "BTC/USD"]
            assert coins == [0, Decimal("0.00025"), Decimal("0.000125")], "the first is booked"
            await again.close()

    asyncio.run(story())


def test_a_first_execution_that_the_brokers_clock_has_before_the_session_has_its_fee() -> None:
    async def story() -> None:
        async with broker_desk() as desk:
            desk.exchange.market.skew_ns = -400_000_000
            before = await desk.venue.balances()
            await buy(desk, "s-1-1")  # and the process dies before it hears of it
            again = desk.another("s-1")
            again.resume_from(before, [], NOW_NS)
            await again.open()
            [found] = await again.fills_since(NOW_NS - 10**9)
            assert found.ts_ns < NOW_NS
            assert found.fee == Decimal("0.00025")
            await again.close()

    asyncio.run(story())
