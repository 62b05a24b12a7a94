"""Sizes against formulas worked out by hand, and the promise that risk is never exceeded."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos import sizing
from logos.core.instrument import FeeSchedule, Instrument, instrument
from logos.core.strategy import Context, Number

COINED = instrument("INV", tick="0.5", lot="1", quote="XBT", settlement="inverse")
ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
COIN = instrument(
    "COIN",
    tick="0.01",
    lot="0.001",
    quote="USD",
    min_notional="5",
    fees=FeeSchedule(taker_rate=1_000_000, decimals=8),
)
PER_SHARE = instrument(
    "PER",
    tick="0.01",
    lot="1",
    quote="USD",
    fees=FeeSchedule(per_unit=5_000_000, minimum=10**9, decimals=2),
)
FUTURE = instrument(
    "FUT", tick="0.25", lot="1", quote="USD", multiplier="50", settlement="margin", leverage=10
)


@dataclass
class Known:
    """The part of a context that sizing asks."""

    money: Decimal = Decimal(100_000)
    power: Decimal | None = Decimal(100_000)
    price: Decimal | None = Decimal(100)
    spread: Decimal = Decimal(0)

    def equity(self, currency: str) -> Decimal:
        return self.money

    def buying_power(self, symbol: str) -> Decimal | None:
        return self.power

    def bid(self, symbol: str) -> Decimal | None:
        return None if self.price is None else self.price - self.spread

    def ask(self, symbol: str) -> Decimal | None:
        return self.price


def known(**values: Any) -> Context:
    return cast(Context, Known(**values))


@pytest.mark.parametrize(
    ("traded", "risk", "stop", "wanted"),
    [
        (ACME, "0.01", 95, "200"),  # 1,000 at risk, 5 a share
        (ACME, 0.01, 105, "200"),  # a sale: the stop is above
        (ACME, "0.01", "97", "333"),  # 333.33 shares
        (ACME, "0.5", 99, "995"),  # 50,000 shares are within the risk, and 100,000 USD buy 995
        (ACME, "0.00001", 95, "0"),  # 1 at risk
        # 1,000 = q * (5 + 0.001 * (100 + 95)): 192.49...
        (COIN, "0.01", 95, "192.492"),
        # 1,000 = q * (5 + 0.005 * 2)
        (PER_SHARE, "0.01", 95, "199"),
        # 100 = q * 5 + 2 * the minimum of 1: 19.6
        (PER_SHARE, "0.001", 95, "19"),
        (FUTURE, "0.01", 98, "10"),  # 1,000 at 2 points of 50
    ],
)
def test_by_risk(traded: Instrument, risk: Number, stop: Number, wanted: str) -> None:
    assert sizing.by_risk(known(), traded, risk, stop) == Decimal(wanted)


def test_the_entry_is_the_ask_for_a_purchase_and_the_bid_for_a_sale() -> None:
    context = known(spread=Decimal(1))
    assert sizing.by_risk(context, ACME, "0.01", 90) == 100
    assert sizing.by_risk(context, ACME, "0.01", 109) == 100
    assert sizing.by_risk(context, ACME, "0.01", 90, entry=95) == 200


def test_by_volatility_puts_the_stop_some_ranges_away() -> None:
    assert sizing.by_volatility(known(), ACME, "0.01", 2.5) == 200
    assert sizing.by_volatility(known(), ACME, "0.01", "2.5", multiple=1, is_buy=False) == 400


@pytest.mark.parametrize(
    ("traded", "weight", "wanted"),
    [
        (ACME, "0.5", "500"),
        (ACME, 1, "995"),  # 100,000 at 100.5
        (ACME, 0, "0"),
        (COIN, 1, "994.03"),  # 100,000 / (100.5 * 1.001): 994.031...
        (FUTURE, "0.5", "10"),
    ],
)
def test_by_weight(traded: Instrument, weight: Number, wanted: str) -> None:
    size = sizing.by_weight(known(), traded, weight)
    assert abs(size - Decimal(wanted)) < Decimal("0.01")


def test_what_cannot_be_paid_for_or_is_too_small_is_not_sized() -> None:
    assert sizing.by_weight(known(power=Decimal(1_005)), ACME, 1) == 10
    assert sizing.by_weight(known(power=Decimal(-5)), ACME, 1) == 0
    assert sizing.by_weight(known(), COIN, "0.00004") == 0  # 4 USD, and the minimum is 5
    assert sizing.by_weight(known(), COIN, "0.00006") == Decimal("0.06")
    assert sizing.by_weight(known(price=None), ACME, 1) == 0
    assert sizing.by_risk(known(price=None), ACME, "0.01", 95) == 0
    assert sizing.by_volatility(known(price=None), ACME, "0.01", 2) == 0
    assert sizing.by_risk(known(money=Decimal(-1)), ACME, "0.01", 95) == 0
    few = instrument("FEW", tick="0.01", lot="1", quote="USD", max_quantity="7")
    assert sizing.by_weight(known(), few, 1) == 7
    some = instrument("SOME", tick="0.01", lot="1", quote="USD", min_quantity="5")
    assert sizing.by_risk(known(), some, "0.0002", 95) == 0


@pytest.mark.parametrize(
    ("win_rate", "payoff", "cap", "wanted"),
    [
        ("0.6", 1, 1, "0.2"),
        ("0.5", 2, 1, "0.25"),
        ("0.6", 1, "0.1", "0.1"),
        ("0.4", 1, 1, "0"),
        (1, 1, "0.25", "0.25"),
        ("0.55", "1.3", 1, "0.203846153"),
    ],
)
def test_kelly(win_rate: Number, payoff: Number, cap: Number, wanted: str) -> None:
    assert sizing.kelly(win_rate, payoff, cap) == Decimal(wanted)


def test_kelly_of_results_is_that_of_their_share_and_means() -> None:
    assert sizing.kelly_of([10, -5, 10, -5, 10], cap=1) == sizing.kelly("0.6", 2, cap=1)
    assert sizing.kelly_of([10, 20]) == 0
    assert sizing.kelly_of([-10, 0]) == 0
    assert sizing.kelly_of([]) == 0
    assert sizing.by_kelly(known(), ACME, "0.6", 1, cap="0.1") == 100


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sizing.by_risk(known(), ACME, 0, 95), "risk .0. must be above 0"),
        (lambda: sizing.by_risk(known(), ACME, "x", 95), "risk is not a number: 'x'"),
        (lambda: sizing.by_risk(known(), ACME, 1, float("nan")), "stop is NaN"),
        (lambda: sizing.by_weight(known(), ACME, -1), "say the direction with the side"),
        (lambda: sizing.by_volatility(known(), ACME, 1, 0), "volatility .0. must be above 0"),
        (lambda: sizing.by_risk(known(), COINED, 1, 95), "INV is an inverse contract"),
        (lambda: sizing.by_weight(known(), COINED, 1), "size it in contracts"),
        (lambda: sizing.kelly("1.1", 1), "win_rate .1.1. is a share, from 0 to 1"),
        (lambda: sizing.kelly("0.5", 0), "payoff .0. must be above 0"),
    ],
)
def test_numbers_of_no_use_are_refused(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


MONEY = st.decimals(1, 10_000_000, places=2)
PRICES = st.decimals("0.01", 5_000, places=2)


@given(
    st.sampled_from([ACME, COIN, PER_SHARE, FUTURE]),
    MONEY,
    PRICES,
    PRICES,
    st.decimals("0.0001", 1, places=4),
)
def test_the_loss_at_the_stop_is_never_above_what_was_asked(
    traded: Instrument, money: Decimal, entry: Decimal, stop: Decimal, risk: Decimal
) -> None:
    context = known(money=money, power=money, price=entry)
    size = sizing.by_risk(context, traded, risk, stop)
    lot = Fraction(traded.lot, traded.quantity_scale)
    assert size >= 0
    assert Fraction(size) % lot == 0
    budget = Fraction(money) * Fraction(risk)
    assert _loss(traded, Fraction(size), entry, stop) <= budget
    if size and traded is not FUTURE:
        assert _cost(traded, Fraction(size), entry) <= money or stop > entry
    # One lot more would have been too much, or too dear.
    more = Fraction(size) + lot
    room = Fraction("1.005") if stop < entry else Fraction(1)
    is_too_dear = _cost(traded, more, entry, room) > money
    least = Fraction(traded.minimum_notional, 10**traded.value_decimals)
    is_too_small = not size and more * Fraction(entry) < least + lot * Fraction(entry)
    is_too_risky = entry == stop or _loss(traded, more, entry, stop) > budget
    assert is_too_risky or is_too_dear or is_too_small


def _fee(traded: Instrument, quantity: Fraction, price: Fraction) -> Fraction:
    """By hand, for the schedules above: none, a rate, or a price a share with a minimum."""
    if traded is COIN:
        return Fraction(-(-(price * quantity * Fraction("0.001") * 10**8) // 1), 10**8)
    if traded is PER_SHARE and quantity:
        return max(Fraction(1), Fraction(-(-(quantity * Fraction("0.005") * 100) // 1), 100))
    return Fraction(0)


def _loss(traded: Instrument, quantity: Fraction, entry: Decimal, stop: Decimal) -> Fraction:
    size = 50 if traded is FUTURE else 1
    distance = abs(Fraction(entry) - Fraction(stop)) * size
    fees = _fee(traded, quantity, Fraction(entry)) + _fee(traded, quantity, Fraction(stop))
    return quantity * distance + fees


def _cost(
    traded: Instrument, quantity: Fraction, price: Decimal, room: Fraction = Fraction(1)
) -> Fraction:
    dearer = Fraction(price) * room
    size = 50 if traded is FUTURE else 1
    return quantity * dearer * size + _fee(traded, quantity, dearer)
