"""Funding, the cost of borrowing and interest: what is due, when, rounded against the account."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from logos.core.engine import TradingCore
from logos.core.instrument import Instrument, instrument, rate_units
from logos.core.records import AccountRecord, PaymentRecord, Record
from logos.core.saved.state import restore_core, save_core
from logos.core.strategy import OrderRequest, market
from logos.core.terms.funding import FundingSchedule
from logos.core.types import NEVER_NS, NS_PER_DAY, Code, Side
from logos.testing.builders import Scripted, guards_in, quote, run, trading_core

HOUR = 3_600 * 10**9
EIGHT_HOURS = [0, 8 * HOUR, 16 * HOUR]


def perpetual(rate: str = "0.0001", moments: dict[int, str] | None = None) -> Instrument:
    made = instrument("P", tick="0.1", lot="0.001", quote="USDT", settlement="margin")
    own = moments or {}
    made.funding = FundingSchedule(
        0 if own else rate_units(rate),
        [] if own else EIGHT_HOURS,
        list(own),
        [rate_units(each) for each in own.values()],
    )
    return made


def paid(records: list[Record]) -> list[tuple[int, Fraction]]:
    return [
        (each.ts_ns // HOUR, Fraction(each.amount_units, 10**each.money_decimals))
        for each in records
        if isinstance(each, PaymentRecord)
    ]


def traded(made: Instrument, script: Mapping[int, OrderRequest], *hours: str) -> list[Record]:
    """A session with a quote at each of these moments, `HOUR BID ASK`."""
    events = []
    for each in hours:
        hour, bid, ask = each.split()
        events.append(quote(made, int(float(hour) * HOUR), bid, ask))
    return run(trading_core(Scripted(dict(script)), made), events)


@pytest.mark.parametrize(
    ("side", "rate", "amount"),
    [(Side.BUY, "0.0001", "-0.02"), (Side.SELL, "0.0001", "0.02002"),
     (Side.BUY, "-0.0001", "0.02"), (Side.SELL, "-0.0001", "-0.02002")],
)  # fmt: skip
def test_longs_pay_shorts_at_a_rate_above_zero(side: Side, rate: str, amount: str) -> None:
    records = traded(perpetual(rate), {1: market(side, 2)}, "1 100 100.1", "2 100 100.1", "9 1 1")
    assert paid(records) == [(8, Fraction(amount))]
    last = [each for each in records if isinstance(each, AccountRecord)][-1]
    assert last.payments_units == Fraction(amount) * 10**last.money_decimals


def test_what_is_held_before_the_event_of_the_moment_counts_at_the_mark_before_it() -> None:
    script = {1: market(Side.BUY, 1), 2: market(Side.SELL, 1)}
    records = traded(perpetual("0.01"), script, "6 100 100", "7 100 100", "8 200 200", "17 50 50")
    assert paid(records) == [(8, Fraction(-1))]  # it is sold at 200 by the event of 08:00 itself


def test_every_moment_of_a_silence_is_paid_and_a_flat_book_pays_nothing() -> None:
    script = {1: market(Side.BUY, 1), 3: market(Side.SELL, 1)}
    records = traded(
        perpetual("0.01"), script, "1 100 100", "2 100 100", "25 100 100", "26 90 90", "50 90 90"
    )
    assert paid(records) == [(8, Fraction(-1)), (16, Fraction(-1)), (24, Fraction(-1))]


def test_a_rate_of_its_own_for_each_moment() -> None:
    own = {5 * HOUR: "0.01", 6 * HOUR: "-0.02"}
    records = traded(
        perpetual(moments=own), {1: market(Side.BUY, 1)}, "1 100 100", "2 100 100", "30 1 1"
    )
    assert paid(records) == [(5, Fraction(-1)), (6, Fraction(2))]


def test_a_payment_is_rounded_against_the_account() -> None:
    made = instrument("P", tick="1", lot="1", quote="USDT", settlement="margin")
    made.funding = FundingSchedule(1, EIGHT_HOURS, [], [])  # 10**-9
    for side, cents in ((Side.BUY, -1), (Side.SELL, 0)):
        records = traded(made, {1: market(side, 1)}, "1 3 3", "2 3 3", "9 3 3")
        [payment] = [each for each in records if isinstance(each, PaymentRecord)]
        assert payment.amount_units == cents


def test_being_short_costs_a_365th_of_its_yearly_rate_at_midnight() -> None:
    made = instrument("X", tick="0.01", lot="1", quote="USD", settlement="margin")
    made.borrow_rate = rate_units("0.365")
    hours = ["1 99 100", "2 99 100", "24 90 90", "49 90 90"]
    assert paid(traded(made, {1: market(Side.SELL, 10)}, *hours)) == [
        (24, -1),
        (48, Fraction(-9, 10)),
    ]
    assert paid(traded(made, {1: market(Side.BUY, 10)}, *hours)) == []


def test_at_spot_only_what_is_owed_of_the_asset_costs() -> None:
    made = instrument("X", tick="1", lot="1", quote="USD")
    made.borrow_rate = rate_units("0.365")
    core = trading_core(
        Scripted({1: market(Side.SELL, 10)}),
        made,
        cash={"USD": "1000", "X": "4"},
        borrow={"X": "9"},
    )
    events = [quote(made, hour * HOUR, "100", "100") for hour in (1, 2, 25)]
    assert paid(run(core, events)) == [(24, Fraction(-6, 10))]


def test_a_payment_can_pass_a_limit() -> None:
    made = perpetual("0.5")
    core = trading_core(Scripted({1: market(Side.BUY, 1)}), made, max_drawdown="40")
    events = [quote(made, hour * HOUR, "100", "100") for hour in (1, 2, 9)]
    assert guards_in(run(core, events))[0][0] is Code.MAX_DRAWDOWN


def test_what_is_due_next_survives_a_snapshot() -> None:
    def fresh() -> tuple[TradingCore, Instrument]:
        made = perpetual("0.01")
        return trading_core(Scripted({1: market(Side.BUY, 1)}), made), made

    core, made = fresh()
    core.start(HOUR)
    for hour in (1, 2, 9):
        core.step(quote(made, hour * HOUR, "100", "100"))
    other, _ = fresh()
    restore_core(other, save_core(core))
    later = quote(made, 17 * HOUR, "100", "100")
    assert paid(core.step(later)) == paid(other.step(later)) == [(16, Fraction(-1))]
    assert core.order_manager.account.ledgers[0].payments < 0


@pytest.mark.long
@settings(max_examples=80, deadline=None)
@given(
    some.lists(
        some.tuples(some.integers(1, 20), some.integers(1, 400), some.integers(-3, 3)),
        min_size=2, max_size=10,
    ),
    some.integers(-(10**7), 10**7),
)  # fmt: skip
def test_funding_is_that_of_a_plain_account(steps: list[tuple[int, int, int]], rate: int) -> None:
    """Worked out beside the core in fractions: cash, position, and each moment of funding."""
    made = instrument("P", tick="0.1", lot="1", quote="USDT", settlement="margin")
    made.funding = FundingSchedule(rate, EIGHT_HOURS, [], [])
    script = {
        number: market(Side.BUY if wish > 0 else Side.SELL, abs(wish))
        for number, (_, _, wish) in enumerate(steps, start=1)
        if wish
    }
    core = trading_core(Scripted(script), made)
    ledger = core.order_manager.account.ledgers[0]
    unit = Fraction(1, 10**ledger.decimals)
    cash, position, price, wish, hour = Fraction(1_000_000), 0, Fraction(0), 0, 1
    core.start(HOUR)
    for gap, tenths, next_wish in steps:
        for due in range(hour + 1, hour + gap + 1):
            if due % 8 == 0 and position:
                exact = -position * price * Fraction(rate, 10**9)
                cash += exact // unit * unit
        hour += gap
        price = Fraction(tenths, 10)
        text = f"{tenths // 10}.{tenths % 10}"
        core.step(quote(made, hour * HOUR, text, text))
        cash -= wish * price
        position += wish
        wish = next_wish
        ledger.check()
        assert Fraction(ledger.equity, 10**ledger.decimals) == cash + position * price


@pytest.mark.parametrize(
    ("times", "moments", "rates"),
    [([], [], []), ([8, 0], [], []), ([0, 0], [], []), ([], [2, 1], [0, 0]), ([], [1], [])],
)
def test_a_schedule_that_is_none_is_refused(
    times: list[int], moments: list[int], rates: list[int]
) -> None:
    with pytest.raises(ValueError, match="funding"):
        FundingSchedule(1, times, moments, rates)


def test_the_next_moment_is_after_the_last() -> None:
    daily = FundingSchedule(1, EIGHT_HOURS, [], [])
    assert daily.next_after(0) == 8 * HOUR
    assert daily.next_after(16 * HOUR) == NS_PER_DAY
    own = FundingSchedule(0, [], [5, 9], [1, 2])
    assert [own.next_after(each) for each in (4, 5, 9)] == [5, 9, NEVER_NS]
    assert [own.rate_at(each) for each in (4, 5, 9)] == [0, 1, 2]
