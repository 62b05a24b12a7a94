"""Fees: one sum per order, rounded once, against a reference in fractions."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.fees import FeeRule
from logos.core.fixed import ROUNDING_MODES
from logos.core.instrument import FeeSchedule, Instrument, instrument
from logos.core.records import PaperFillRecord
from logos.core.strategy import limit, market
from logos.core.types import Liquidity, Side
from logos.testing.builders import Scripted, bar, fee_schedule, paper_rules, run, trading_core

DECIMAL_MODE = {
    "down": decimal.ROUND_DOWN,
    "up": decimal.ROUND_UP,
    "floor": decimal.ROUND_FLOOR,
    "ceiling": decimal.ROUND_CEILING,
    "half_up": decimal.ROUND_HALF_UP,
    "half_even": decimal.ROUND_HALF_EVEN,
}
SIGNED_MODE = {"up": "ceiling", "down": "floor"}
"""What `up` and `down` are of a sum that may be below zero: against the trader, and for them."""
LEDGER_DECIMALS = 10


def traded(fees: FeeSchedule) -> Instrument:
    return instrument("X", tick="0.01", lot="0.001", quote="USD", fees=fees)


def rounded(exact: Fraction, decimals: int, mode: str) -> Fraction:
    """`exact` to `decimals`, by the decimal module's own rounding."""
    with decimal.localcontext() as context:
        context.prec = 200
        scaled = exact * 10**decimals
        whole, rest = divmod(abs(scaled.numerator), scaled.denominator)
        # A half, less than a half or more than a half is all that any mode looks at.
        twice = 2 * rest - scaled.denominator
        tail = Decimal(0) if rest == 0 else Decimal("0.5") + Decimal(twice > 0) / 4
        if twice < 0 < rest:
            tail = Decimal("0.25")
        value = (Decimal(whole) + tail) * (-1 if scaled < 0 else 1)
        return Fraction(int(value.quantize(Decimal(1), DECIMAL_MODE[mode])), 10**decimals)


rates = st.integers(-(10**6), 10**8)
flat = st.integers(0, 10**10)
fills = st.lists(
    st.tuples(st.integers(1, 10**7), st.integers(1, 10**6), st.booleans()), min_size=1, max_size=8
)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(fills, rates, rates, flat, flat, flat, st.integers(0, 8), st.sampled_from(ROUNDING_MODES))
def test_the_fee_of_an_order_is_its_unrounded_sum_rounded_once(
    order_fills: list[tuple[int, int, bool]],
    maker: int,
    taker: int,
    per_unit: int,
    per_fill: int,
    minimum: int,
    decimals: int,
    mode: str,
) -> None:
    schedule = FeeSchedule(maker, taker, per_unit, per_fill, minimum, decimals, mode)
    instrument_ = traded(schedule)
    unit_value = 10 ** (LEDGER_DECIMALS - instrument_.value_decimals)
    rule = FeeRule(instrument_, LEDGER_DECIMALS)
    base = 0
    exact = Fraction(0)
    charged = 0
    for quantity, price, is_maker in order_fills:
        value = instrument_.value(price, quantity) * unit_value
        base += rule.fill_base(quantity, value, is_maker)
        after = rule.order_fee(base)
        charged += after - charged
        notional = Fraction(price, 100) * Fraction(quantity, 1000)
        exact += notional * Fraction(maker if is_maker else taker, 10**9)
        exact += Fraction(per_unit, 10**9) * Fraction(quantity, 1000) + Fraction(per_fill, 10**9)
        least = Fraction(minimum, 10**9) if minimum else exact
        due = rounded(max(exact, least), decimals, SIGNED_MODE.get(mode, mode))
        assert Fraction(charged, 10**LEDGER_DECIMALS) == due


@pytest.mark.parametrize(
    ("schedule", "is_maker", "fee"),
    [
        (fee_schedule(taker="0.0025", decimals=2), False, "0.58"),  # basana: 231.00 costs 0.58
        (fee_schedule(taker="0.0025", decimals=2, rounding="down"), False, "0.57"),
        (fee_schedule(taker="0.0025", decimals=4), False, "0.5775"),
        (fee_schedule(maker="0.001", taker="0.0025", decimals=3), True, "0.231"),
        (fee_schedule(per_unit="0.005", decimals=2), False, "0.01"),
        (fee_schedule(per_fill="1", decimals=2), False, "1"),
        (fee_schedule(per_unit="0.005", per_fill="0.5", minimum="0.25", decimals=2), True, "0.51"),
        (fee_schedule(per_unit="0.005", minimum="0.35", decimals=2), False, "0.35"),
        (fee_schedule(maker="-0.0001", decimals=8), True, "-0.0231"),  # a rebate
        (fee_schedule(maker="-0.0001", decimals=2), True, "-0.02"),  # up: against the trader
        (fee_schedule(maker="-0.0001", decimals=2, rounding="down"), True, "-0.03"),
        (fee_schedule(maker="-0.0001", decimals=2, rounding="half_up"), True, "-0.02"),
        (fee_schedule(maker="-0.0001", per_fill="0.01", decimals=4), True, "-0.0131"),
        (fee_schedule(maker="-0.0001", minimum="0.01", decimals=4), True, "0.01"),
        (fee_schedule(taker="-0.0001", decimals=4), False, "-0.0231"),
        (fee_schedule(), False, "0"),
    ],
)
def test_two_units_at_115_50_cost(schedule: FeeSchedule, is_maker: bool, fee: str) -> None:
    instrument_ = traded(schedule)
    value = instrument_.value(11_550, 2_000) * 10**5
    rule = FeeRule(instrument_, LEDGER_DECIMALS)
    charged = rule.order_fee(rule.fill_base(2_000, value, is_maker))
    assert Fraction(charged, 10**LEDGER_DECIMALS) == Fraction(fee)


def fills_of(schedule: FeeSchedule, volume: str, answer: object) -> list[PaperFillRecord]:
    share = traded(schedule)
    strategy = Scripted({1: answer})  # type: ignore[dict-item]
    core = trading_core(strategy, share, rules=paper_rules(participation="1"))
    run(core, [bar(share, n, "10 11 9 10", volume) for n in range(1, 9)])
    return strategy.fills


def test_an_order_filled_in_pieces_costs_what_it_costs_in_one() -> None:
    schedule = fee_schedule(taker="0.001", decimals=2)
    whole = fills_of(schedule, "100", market(Side.BUY, 5))
    pieces = fills_of(schedule, "1", market(Side.BUY, 5))
    assert [fill.fee for fill in whole] == [Decimal("0.05")]
    assert len(pieces) == 5
    # 0.01 is charged at once (rounded up), and then only what the sum adds to it.
    assert [str(fill.fee) for fill in pieces] == ["0.01000"] * 5
    odd = fills_of(fee_schedule(taker="0.0004", decimals=2), "1", market(Side.BUY, 5))
    assert [str(fill.fee)[:4] for fill in odd] == ["0.01", "0.00", "0.01", "0.00", "0.00"]


def test_a_minimum_is_charged_once_an_order() -> None:
    schedule = fee_schedule(taker="0.001", minimum="0.02", decimals=2)
    pieces = fills_of(schedule, "1", market(Side.BUY, 4))
    assert [str(fill.fee)[:4] for fill in pieces] == ["0.02", "0.00", "0.01", "0.01"]


def test_a_resting_limit_pays_the_maker_rate() -> None:
    schedule = fee_schedule(maker="0.001", taker="0.01", decimals=4)
    resting = fills_of(schedule, "100", limit(Side.BUY, 1, "9.5"))
    crossing = fills_of(schedule, "100", limit(Side.BUY, 1, "10.5"))
    assert [(f.liquidity, str(f.fee)[:6]) for f in resting] == [(Liquidity.MAKER, "0.0095")]
    assert [(f.liquidity, str(f.fee)[:6]) for f in crossing] == [(Liquidity.TAKER, "0.1000")]
