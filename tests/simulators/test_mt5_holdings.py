"""What a simulated account holds is looked up, and what it binds is exact."""

from __future__ import annotations

from decimal import Decimal

import mt5_libraries  # noqa: F401 - before anything that needs zmq
from hypothesis import given
from hypothesis import strategies as st
from mt5_helpers import coin

from logos.simulators.mt5.answers import Answers
from logos.simulators.mt5.book import MONEY_DECIMALS, SimBook
from logos.simulators.mt5.holdings import Holdings
from logos.simulators.mt5.market import SymbolMarket

NAMES = ("A", "B", "C")


@given(
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(-3, 3).filter(bool)), max_size=12),
)
def test_the_positions_of_a_symbol_are_those_among_all_that_are_its(
    is_hedging: bool, deals: list[tuple[str, int]]
) -> None:
    holdings = Holdings(NAMES, is_hedging=is_hedging)
    for order, (symbol, units) in enumerate(deals, 1):
        position = holdings.target(symbol, 0, order)
        position.identifier = order
        position.apply(units, 100)
        holdings.forget_flat(position)
    every = holdings.open()
    for symbol in NAMES:
        assert holdings.open(symbol) == [each for each in every if each.symbol == symbol]
        assert holdings.net_units(symbol) == sum(n for name, n in deals if name == symbol)
    assert holdings.open("D") == []


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_position_binds_a_hundredth_of_its_value_to_the_last_digit(
    price_units: int, volume_units: int
) -> None:
    made = coin("A")
    book = SimBook({"A": made}, "1", {}, lambda _: None)
    answers = Answers({"A": made}, book, {"A": SymbolMarket(made)})
    value = Decimal(made.value(price_units, volume_units)).scaleb(-made.value_decimals)
    bound = Decimal(answers.margin_of("A", volume_units, price_units)).scaleb(-MONEY_DECIMALS)
    assert bound == value / 100
