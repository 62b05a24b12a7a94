"""The simple cross: exact comparisons, one decision a cross, state by symbol."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.core.strategy import Target, Weight
from logos.strategies.sma_cross import SmaCross

if TYPE_CHECKING:
    from tests.strategies.conftest import MakeBench


def test_it_buys_on_the_cross_and_sells_on_the_next(make_bench: MakeBench) -> None:
    bench = make_bench(SmaCross(fast=1, slow=3, quantity=Decimal(7)))
    for close in ("10", "10", "10", "11", "12", "9", "8"):
        bench.bar("ACME", close)
    assert bench.orders == ["BUY 7 ACME", "SELL 7 ACME"]
    assert bench.core.order_manager.now_ns == bench.now_ns


def test_with_shorts_it_goes_from_long_to_short(make_bench: MakeBench) -> None:
    strategy = SmaCross(fast=1, slow=3, quantity=Decimal(7), allow_short=True)
    bench = make_bench(strategy, settlement="margin")
    for close in ("10", "10", "11", "9"):
        bench.bar("ACME", close)
    assert bench.orders == ["BUY 7 ACME", "SELL 14 ACME"]


def test_a_weight_is_a_share_of_equity(make_bench: MakeBench) -> None:
    bench = make_bench(SmaCross(fast=1, slow=3, weight=Decimal("0.5")))
    for close in ("10", "10", "20"):
        bench.bar("ACME", close)
    assert bench.orders == ["BUY 2500 ACME"]  # half of 100,000 USD at 20


def test_equal_averages_change_nothing(make_bench: MakeBench) -> None:
    bench = make_bench(SmaCross(fast=1, slow=2, quantity=Decimal(1)))
    for close in ("10", "11", "11", "11"):
        bench.bar("ACME", close)
    assert bench.orders == ["BUY 1 ACME"]


def test_symbols_do_not_share_state(make_bench: MakeBench) -> None:
    bench = make_bench(SmaCross(fast=1, slow=3, quantity=Decimal(1)), symbols=("ACME", "BOLT"))
    for close in ("10", "10", "11"):
        bench.bar("ACME", close)
        bench.bar("BOLT", "50")
    assert bench.orders == ["BUY 1 ACME"]


def test_two_sided_bars_and_quotes_count_by_their_mid(make_bench: MakeBench) -> None:
    for feed in ("quote", "quote_bar"):
        bench = make_bench(SmaCross(fast=1, slow=3, quantity=Decimal(1)))
        show = getattr(bench, feed)
        show("ACME", "9.99", "10.01")
        show("ACME", "9.98", "10.02")
        assert bench.orders == []
        show("ACME", "9.99", "10.02")
        assert bench.orders == ["BUY 1 ACME"]


@pytest.mark.long
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=80), st.integers(1, 5))
def test_the_running_sums_equal_sums_computed_afresh(prices: list[int], fast: int) -> None:
    slow = fast + 3
    strategy = SmaCross(fast=fast, slow=slow, weight=Decimal(1))
    side = 0
    for count, price in enumerate(prices, 1):
        answer = strategy._see("ACME", price, "bar")
        seen = prices[:count]
        lead = sum(seen[-fast:]) * slow - sum(seen[-slow:]) * fast
        wanted = side if count < slow or lead == 0 else int(lead > 0)
        if wanted == side:
            assert answer is None
        else:
            assert answer == (Weight(Decimal(1), "ACME") if wanted else Target(0, "ACME"))
        side = wanted


def test_trades_count_as_prices_and_only_the_first_kind_of_a_symbol_counts(
    make_bench: MakeBench,
) -> None:
    bench = make_bench(SmaCross(fast=1, slow=3, quantity=Decimal(1)))
    for price in ("10", "10", "11"):
        bench.trade("ACME", price)
        bench.quote("ACME", "1", "1.01")
    assert bench.orders == ["BUY 1 ACME"]
