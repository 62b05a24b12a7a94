"""Fees that a venue takes in the traded asset: the wallets to the last digit, and what is left."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest
from base_fee_helpers import (
    BUY,
    PERP,
    balances,
    filled,
    guards,
    position,
    told,
    trading,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.fixed import format_units
from logos.core.instrument import instrument
from logos.core.messages import Flatten, Report
from logos.core.records import WarningRecord
from logos.core.strategy import Target, limit, market
from logos.core.types import Code, ReportKind, Side
from logos.testing.builders import fills_in, orders_in, refusals_in
from logos.testing.venue_core import outbox_of

# ---- a fill ----


def test_the_fee_leaves_the_asset_and_its_value_is_booked_as_fee() -> None:
    core = trading({1: BUY})
    told(core, 2)
    [fill] = fills_in(filled(core, 1, "2", "10.01", base_fee="0.002"))
    assert balances(core) == (Decimal("1.998"), Decimal("-20.02"))
    assert (fill.fee, fill.base_fee_units, fill.base_decimals) == (Decimal("0.02002"), 200_000, 8)
    assert (fill.quantity, fill.position) == (Decimal(2), Decimal("1.998"))
    assert fill.opened_units == 1998
    ledger = core.order_manager.account.ledgers[0]
    # Cash went down by 20.02, and 1.998 COIN are held at a mark of 10.00.
    gain = Decimal(format_units(ledger.equity - ledger.initial, ledger.decimals))
    assert gain == Decimal("-20.02") + Decimal("1.998") * 10


def test_the_value_of_the_fee_is_rounded_up_to_the_last_digit_of_the_money() -> None:
    core = trading({1: BUY})
    told(core, 2)
    [fill] = fills_in(filled(core, 1, "1", "10.01", base_fee="0.00000001"))
    ledger = core.order_manager.account.ledgers[0]
    assert ledger.decimals == 8
    assert fill.fee_units == 11, "10.01 of the last digit's worth are 11"
    assert ledger.fees == 11


def test_a_fee_finer_than_a_quantity_takes_a_whole_unit_and_the_rest_serves_the_next() -> None:
    core = trading({1: BUY, 2: BUY, 3: BUY})
    steps = []
    for number, base_fee in enumerate(["0.0004", "0.0004", "0.0004"], start=1):
        told(core, 2 * number)
        filled(core, number, "2", "10", base_fee=base_fee)
        steps.append((position(core), balances(core)[0]))
    assert steps == [
        ("1.999", Decimal("1.9996")),
        ("3.999", Decimal("3.9992")),
        ("5.998", Decimal("5.9988")),
    ]


def test_the_smallest_of_purchases_may_leave_no_position_at_all() -> None:
    core = trading({1: BUY})
    told(core, 2)
    [fill] = fills_in(filled(core, 1, "0.001", "10", base_fee="0.000001"))
    assert (fill.position_units, fill.opened_units, fill.lots) == (0, 0, ())
    assert balances(core)[0] == Decimal("0.000999")
    [rest] = fills_in(filled(core, 1, "1.999", "10", base_fee="0.000999"))
    assert rest.position == Decimal("1.999")
    assert balances(core)[0] == Decimal("1.999") - Decimal("0.000999") + Decimal("0.000999")


def test_a_sale_that_is_charged_in_the_asset_gives_more_of_it_away() -> None:
    core = trading({1: BUY, 2: market(Side.SELL, 1)})
    told(core, 2)
    filled(core, 1, "2", "10")
    told(core, 3)
    [fill] = fills_in(filled(core, 2, "1", "12", base_fee="0.002"))
    assert balances(core) == (Decimal("0.998"), Decimal("-8"))
    assert position(core) == "0.998"
    # 1.002 were given away that had cost 10: 12 were paid for the one, nothing for the rest.
    assert (fill.realised, fill.fee) == (Decimal("2.004"), Decimal("0.024"))


def test_a_fee_in_the_quote_comes_out_of_the_quote_as_ever() -> None:
    core = trading({1: BUY})
    told(core, 2)
    [fill] = fills_in(filled(core, 1, "2", "10", base_fee="0.001", fee="0.5"))
    assert balances(core) == (Decimal("1.999"), Decimal("-20.5"))
    assert fill.fee == Decimal("0.51")


@pytest.mark.parametrize("base_fee", ["-0.001", "2", "3"])
def test_a_fee_of_the_whole_fill_or_less_than_nothing_is_not_booked(base_fee: str) -> None:
    core = trading({1: BUY})
    told(core, 2)
    records = filled(core, 1, "2", "10", base_fee=base_fee)
    assert fills_in(records) == []
    assert [code for code, _ in guards(records)] == [Code.RECONCILIATION]
    assert balances(core) == (Decimal(0), Decimal(0))


def test_a_margin_market_has_no_asset_to_take_a_fee_from() -> None:
    core = trading({1: BUY}, PERP)
    told(core, 2, PERP)
    records = filled(core, 1, "2", "10", base_fee="0.001")
    assert [code for code, _ in guards(records)] == [Code.RECONCILIATION]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_wallets_are_a_naive_sum_and_the_position_is_what_of_it_is_whole(seed: int) -> None:
    random = Random(seed)
    core = trading(
        {number: limit(random.choice(list(Side)), "2", 10) for number in range(1, 12)},
        borrow={"COIN": "1000"},
    )
    coins = money = Decimal(0)
    for number in range(1, 12):
        told(core, 2 * number)
    for client_id, order in list(outbox_of(core).open.items()):
        while order.remaining and random.random() < 0.9:
            quantity = random.randint(1, order.remaining)
            price = random.randint(900, 1100)
            base_fee = random.choice([0, 1, random.randint(1, quantity * 10**5 - 1)])
            fee = random.choice([0, random.randint(0, 10**6)])
            core.run(
                [
                    Report(
                        core.order_manager.now_ns, ReportKind.FILLED, client_id, "", quantity,
                        price, fee, False, "F", base_fee,
                    )
                ]
            )  # fmt: skip
            sold = -1 if order.side is Side.SELL else 1
            coins += sold * Decimal(quantity).scaleb(-3) - Decimal(base_fee).scaleb(-8)
            ledger = core.order_manager.account.ledgers[0]
            paid = Decimal(fee).scaleb(-ledger.decimals)
            money -= sold * Decimal(quantity * price).scaleb(-5) + paid
    assert balances(core) == (coins, money)
    book = core.order_manager.states["COIN"]
    assert 0 <= book.base_spare < book.base_factor
    assert book.inventory.position == coins.scaleb(3).to_integral_value("ROUND_FLOOR")
    core.order_manager.sample(core.order_manager.now_ns)  # raises where a ledger does not add up


# ---- selling what is there ----


def test_a_flat_target_sells_what_is_there_and_the_dust_stays_and_is_said() -> None:
    core = trading({1: Target(2), 2: Target(0), 3: Target(0)})
    told(core, 2)
    told(core, 3)
    [order] = orders_in(filled(core, 1, "2", "10", base_fee="0.00200001"))
    assert (order.side, order.quantity_units) == (Side.SELL, 1997)
    filled(core, 2, "1.997", "10")
    assert told(core, 4) == []
    assert position(core) == "0.000"
    assert core.order_manager.states["COIN"].is_flat
    said = [each for each in core.finish() if isinstance(each, WarningRecord)]
    assert [(each.code, each.symbol, each.detail) for each in said] == [
        ("DUST", "COIN", "0.00099999 COIN stays: less than a lot cannot be sold")
    ]


def test_where_a_lot_is_many_units_a_target_within_a_lot_is_reached() -> None:
    coarse = instrument("COIN", tick="0.01", lot="0.005", quote="USD")
    core = trading({1: Target(2), 2: Target(2), 3: Target(0), 4: Target(0)}, coarse)
    told(core, 2, coarse)
    filled(core, 1, "2", "10", base_fee="0.002")
    assert position(core) == "1.998"
    assert told(core, 3, coarse) == [], "2 and 1.998 are less than a lot apart"
    [order] = orders_in(told(core, 4, coarse))
    assert order.quantity_units == 1995
    filled(core, 2, "1.995", "10")
    assert told(core, 5, coarse) == []
    assert (position(core), core.order_manager.states["COIN"].is_flat) == ("0.003", True)


def test_a_target_that_the_fee_alone_missed_is_not_bought_after() -> None:
    core = trading({1: Target(2), 2: Target(2), 3: Target("2.001")})
    told(core, 2)
    filled(core, 1, "2", "10", base_fee="0.00002")
    assert position(core) == "1.999"
    assert told(core, 3) == []
    assert orders_in(told(core, 4))[0].quantity_units == 1


def test_flatten_closes_what_is_there_and_asks_for_no_more() -> None:
    core = trading({1: BUY})
    told(core, 2)
    filled(core, 1, "2", "10", base_fee="0.0025")
    core.run([Flatten(3, "test", "test")])
    [order] = orders_in(core.take_effects())
    assert order.quantity_units == 1997
    filled(core, 2, "1.997", "10")
    assert refusals_in(told(core, 4)) == []
    assert balances(core)[0] == Decimal("0.0005")


def test_more_than_the_wallet_holds_is_not_sold() -> None:
    core = trading({1: BUY, 2: market(Side.SELL, 2)})
    told(core, 2)
    filled(core, 1, "2", "10", base_fee="0.002")
    assert refusals_in(told(core, 3)) == [Code.INSUFFICIENT_BORROW]
