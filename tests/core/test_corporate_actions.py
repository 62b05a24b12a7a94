"""Splits and dividends: lots, orders, wallets and cash, exact to the last digit.

A script is daily bars `open high low close`; the action comes with the day of its number (from 1).
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.audit.money.lots import Lot, Units, split_lots
from logos.core.engine import TradingCore
from logos.core.instrument import Instrument, instrument, rate_units
from logos.core.inventory import Inventory
from logos.core.messages import Event
from logos.core.prices.watch import CorporateAction, PriceWatch
from logos.core.records import CorporateActionRecord, OrderUpdate, Record, WarningRecord
from logos.core.strategy import Answer, Target, limit, market, stop
from logos.core.types import NS_PER_DAY, Side
from logos.testing.builders import Scripted, bar, ends_in, fills_in, quote, run, trading_core

SHARE = instrument("SHARE", tick="0.01", lot="1", quote="USD")
BUY = Side.BUY
SELL = Side.SELL


def day(number: int) -> int:
    """When the bar of that day begins."""
    return (number - 1) * NS_PER_DAY


def split(number: int, new: int, old: int) -> CorporateAction:
    return CorporateAction(day(number), new, old)


def dividend(number: int, cents: int) -> CorporateAction:
    return CorporateAction(day(number), 0, 0, cents, 2)


def core_of(
    answers: dict[int, Answer],
    actions: list[CorporateAction],
    share: Instrument = SHARE,
    **settings: Any,
) -> TradingCore:
    core = trading_core(Scripted(answers), share, **settings)
    watch = PriceWatch(1, rate_units("0.2"), 0, 0, stops_at_splits=True)
    watch.set_actions(actions)
    core.order_manager.states["SHARE"].watch = watch
    return core


def days(*shown: str, share: Instrument = SHARE) -> list[Event]:
    return [
        bar(share, number, text, interval_ns=NS_PER_DAY) for number, text in enumerate(shown, 1)
    ]


def updates(records: list[Record]) -> list[tuple[int, int, int, int]]:
    return [
        (each.order_id, each.quantity_units, each.limit_price_units, each.stop_price_units)
        for each in records
        if isinstance(each, OrderUpdate) and each.quantity_units
    ]


def actions_in(records: list[Record]) -> list[CorporateActionRecord]:
    return [each for each in records if isinstance(each, CorporateActionRecord)]


def warned(records: list[Record]) -> list[str]:
    found = [each for each in records if isinstance(each, WarningRecord)]
    return [f"{each.code} {each.detail}" for each in found]


BEFORE, AFTER = "63 64 62 63", "31 32 31 31.5"


def test_a_split_that_is_known_doubles_the_lots_and_stops_nothing() -> None:
    core = core_of({1: market(BUY, 10)}, [split(3, 2, 1)])
    records = run(core, days(BEFORE, BEFORE, AFTER, AFTER))
    state = core.order_manager.states["SHARE"]
    [lot] = state.inventory.lots()
    assert (state.inventory.position, lot.quantity, lot.price, lot.rest) == (20, 20, 3150, 0)
    assert (state.realised, state.unrealised) == (0, 0)
    assert state.base_wallet.balance == 20
    assert warned(records) == ["CORPORATE_ACTION split of 2 for 1: 10 became 20"]
    assert state.ledger.equity == state.ledger.initial


def test_resting_orders_are_split_and_protect_on_the_very_day() -> None:
    answers: dict[int, Answer] = {
        1: market(BUY, 10),
        2: [stop(SELL, 10, "62.55"), limit(SELL, 5, "70.01"), limit(BUY, 3, "50.01")],
    }
    core = core_of(answers, [split(4, 2, 1)], borrow={"SHARE": "10"})
    records = run(core, days(BEFORE, BEFORE, "64 64 63 64", "31.5 32 31 31.5"))
    # A sell limit and a buy stop go up to the tick, a buy limit and a sell stop down.
    assert updates(records) == [(2, 20, 0, 3127), (3, 10, 3501, 0), (4, 6, 2500, 0)]
    fills = fills_in(records)
    assert [(each.order_id, int(each.quantity), each.price) for each in fills] == [
        (1, 10, Decimal("63.00")),
        (2, 20, Decimal("31.27")),
    ]
    assert fills[1].realised == (Decimal("31.27") - Decimal("31.50")) * 20


def test_a_fraction_is_paid_in_cash_and_takes_its_part_of_the_cost() -> None:
    core = core_of({1: market(BUY, 5)}, [split(3, 3, 2)])
    records = run(core, days("90 90 90 90", "90 90 90 90", "60 60 60 60"))
    [record] = actions_in(records)
    # 5 become 7.5: half a share at 60.00 is paid, and had cost 30.00 of the 450.00.
    assert (record.cash_units, record.realised_units, record.position_units) == (
        30 * 10 ** core.order_manager.account.ledgers[0].decimals,
        0,
        7,
    )
    [lot] = core.order_manager.states["SHARE"].inventory.lots()
    assert lot.price * 7 * 10**6 + lot.rest == 420 * 10**8


def test_a_price_that_is_no_whole_cent_stays_exact_in_the_cost() -> None:
    core = core_of({1: market(BUY, 10), 3: market(SELL, 10), 4: market(SELL, 20)}, [split(3, 3, 1)])
    records = run(core, days("100 100 100 100", "100 100 100 100", *["34 34 34 34"] * 3))
    fills = fills_in(records)
    assert [each.realised for each in fills] == [0, Decimal("6.66666667"), Decimal("13.33333333")]
    assert sum(each.realised for each in fills) == 30 * 34 - 1000


def test_a_reverse_split_leaves_what_is_no_share_in_cash() -> None:
    core = core_of({1: market(BUY, 7), 2: limit(SELL, 7, "20")}, [split(4, 1, 10)])
    records = run(core, days(*["10 10 10 10"] * 3, "101 101 99 100"))
    state = core.order_manager.states["SHARE"]
    assert state.inventory.position == 0
    assert state.realised == 0  # 7 shares at 10.00, bought at 10.00
    assert ends_in(records)[2] == "CANCELLED CANCELLED_BY_VENUE"
    assert state.base_wallet.locked == 0


def test_a_short_is_split_and_pays_for_its_fraction() -> None:
    share = instrument("SHARE", tick="0.01", lot="1", quote="USD", settlement="margin")
    core = core_of({1: market(SELL, 5)}, [split(3, 3, 2)], share)
    records = run(core, days(*["90 90 90 90"] * 2, "60 60 60 60", share=share))
    state = core.order_manager.states["SHARE"]
    [record] = actions_in(records)
    assert (state.inventory.position, record.realised_units) == (-7, 0)
    assert record.cash_units == -30 * 10**state.ledger.decimals
    assert state.ledger.equity == state.ledger.initial


def test_a_target_that_stands_is_split_too() -> None:
    core = core_of({1: Target(10), 2: Target(8)}, [split(3, 2, 1)])
    run(core, days(BEFORE, BEFORE, AFTER, AFTER))
    assert core.order_manager.states["SHARE"].inventory.position == 16


def test_a_dividend_is_paid_to_who_holds_and_by_who_is_short() -> None:
    core = core_of({1: market(BUY, 10)}, [dividend(2, 25), dividend(3, 25)])
    records = run(core, days(BEFORE, BEFORE, BEFORE))
    unit = 10 ** core.order_manager.account.ledgers[0].decimals
    assert [each.cash_units for each in actions_in(records)] == [0, 250 * unit // 100]
    assert "CORPORATE_ACTION dividend: 2.50000000 USD" in warned(records)
    share = instrument("SHARE", tick="0.01", lot="1", quote="USD", settlement="margin")
    core = core_of({1: market(SELL, 10)}, [dividend(3, 25)], share)
    run(core, days(BEFORE, BEFORE, BEFORE, share=share))
    assert core.order_manager.states["SHARE"].realised == -250 * unit // 100


def test_each_of_two_dividends_is_paid_while_quotes_are_calm() -> None:
    core = core_of({1: market(BUY, 10)}, [dividend(2, 25), dividend(3, 25)])
    moments = [day(number) + part for number in (1, 2, 3) for part in (1, 2, 3)]
    records = run(core, [quote(SHARE, ts_ns, "63", "63") for ts_ns in moments])
    paid = [each.ts_ns for each in actions_in(records)]
    assert paid == [day(2) + 1, day(3) + 1]
    unit = 10 ** core.order_manager.account.ledgers[0].decimals
    assert [each.cash_units for each in actions_in(records)] == [250 * unit // 100] * 2


def test_what_came_before_the_first_price_is_in_it() -> None:
    core = core_of({1: market(BUY, 10)}, [split(1, 2, 1), split(2, 2, 1), split(9, 2, 1)])
    first = bar(SHARE, 3, BEFORE, interval_ns=NS_PER_DAY)
    records = run(core, [first, bar(SHARE, 4, BEFORE, interval_ns=NS_PER_DAY)])
    assert actions_in(records) == []
    assert core.order_manager.states["SHARE"].inventory.position == 10


def test_the_first_quote_at_its_time_meets_the_split_also_where_nothing_rests() -> None:
    core = core_of({1: market(BUY, 10)}, [split(2, 2, 1)])
    shown = [(day(2) - 2, "63"), (day(2) - 1, "63"), (day(2), "31.5"), (day(2) + 1, "31.5")]
    records = run(core, [quote(SHARE, ts_ns, bid, bid) for ts_ns, bid in shown])
    [record] = actions_in(records)
    assert record.ts_ns == day(2)
    assert core.order_manager.states["SHARE"].inventory.position == 20


# ---- against fractions ----


@given(
    st.lists(st.tuples(st.integers(1, 500), st.integers(1, 9999)), min_size=1, max_size=6),
    st.integers(1, 20),
    st.integers(1, 20),
    st.booleans(),
    st.lists(st.integers(1, 400), max_size=6),
)
def test_lots_are_what_an_independent_split_makes_them(
    bought: list[tuple[int, int]], new: int, old: int, is_short: bool, sold: list[int]
) -> None:
    sign = -1 if is_short else 1
    inventory = Inventory(7)
    lots: deque[Lot] = deque()
    for number, (quantity, price) in enumerate(bought, 1):
        inventory.apply_fill(sign * quantity, price, 3 * number, number)
        lots.append(Lot(number, Fraction(sign * quantity), Fraction(price), Fraction(3 * number)))
    cost_before = inventory.cost
    rest, cost = inventory.apply_split(new, old)
    unit = Fraction(1)
    part, mine = split_lots(lots, Fraction(new, old), Units(unit, unit, unit, unit), Fraction(7))
    assert (Fraction(rest, old), Fraction(cost)) == (part, mine)
    kept = [(each.lot_id, each.quantity, each.price, each.rest) for each in inventory.lots()]
    assert kept == [(each.number, int(each.left), int(each.price), int(each.rest)) for each in lots]
    exact = sum(quantity for quantity, _ in bought) * Fraction(new, old)
    assert inventory.position == sign * (exact // 1)
    # Nothing is lost: what is closed later realises what it brings less what it cost.
    assert inventory.cost == cost_before - cost
    for quantity in sold:
        quantity = min(quantity, abs(inventory.position))
        if quantity:
            before = inventory.cost
            booking = inventory.apply_fill(-sign * quantity, 50, 0, 99)
            assert booking.realised == sign * quantity * 50 * 7 + (inventory.cost - before)
    assert inventory.cost == sum(
        each.quantity * each.price * 7 + each.rest for each in inventory.lots()
    )


@pytest.mark.parametrize(("new", "old"), [(2, 1), (3, 2), (1, 10), (7, 3)])
def test_equity_is_the_same_before_and_after_to_the_last_price_unit(new: int, old: int) -> None:
    core = core_of({1: market(BUY, 1001)}, [split(3, new, old)])
    price = Decimal(60) * old / new
    shown = f"{price:.2f} {price:.2f} {price:.2f} {price:.2f}"
    run(core, days("60 60 60 60", "60 60 60 60", shown))
    ledger = core.order_manager.account.ledgers[0]
    held = core.order_manager.states["SHARE"].inventory.position
    assert abs(ledger.equity - ledger.initial) <= (held + 1) * 10 ** (ledger.decimals - 2)
