"""The two strategies of distance: rolling figures exact, entries and exits where they belong."""

from __future__ import annotations

import statistics
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.errors import StrategyError
from logos.strategies.mean_reversion import MeanReversion
from logos.strategies.pairs import Pairs
from logos.strategies.tools import RollingWindow

if TYPE_CHECKING:
    from tests.strategies.conftest import MakeBench


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=60), st.integers(2, 12))
def test_the_rolling_z_score_equals_one_computed_afresh(values: list[int], size: int) -> None:
    window = RollingWindow(size)
    for count, value in enumerate(values, 1):
        window.add(value)
        last = values[max(0, count - size) : count]
        z_score = window.z_score(value)
        if count < size or len(set(last)) == 1:
            assert z_score is None
        else:
            expected = (value - statistics.fmean(last)) / statistics.pstdev(last)
            assert z_score == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_it_buys_far_below_the_mean_and_sells_near_it(make_bench: MakeBench) -> None:
    bench = make_bench(MeanReversion(window=5, entry=1.5, exit=0.5, quantity=Decimal(4)))
    for close in ("100", "101", "100", "101"):
        bench.bar("ACME", close)
    bench.bar("ACME", "90")
    assert bench.position("ACME") == 4
    bench.bar("ACME", "91")  # still below: held
    assert bench.position("ACME") == 4
    bench.bar("ACME", "99")
    assert bench.orders == ["BUY 4 ACME", "SELL 4 ACME"]


@pytest.mark.parametrize(("allow_short", "orders"), [(False, []), (True, ["SELL 4 ACME"])])
def test_far_above_it_shorts_only_if_allowed(
    make_bench: MakeBench, allow_short: bool, orders: list[str]
) -> None:
    strategy = MeanReversion(
        window=5, entry=1.5, exit=0.5, quantity=Decimal(4), allow_short=allow_short
    )
    bench = make_bench(strategy, settlement="margin")
    for close in ("100", "101", "100", "101", "110"):
        bench.bar("ACME", close)
    assert bench.orders == orders


def test_a_short_is_closed_near_the_mean(make_bench: MakeBench) -> None:
    strategy = MeanReversion(window=5, entry=1.5, quantity=Decimal(4), allow_short=True)
    bench = make_bench(strategy, settlement="margin")
    for close in ("100", "101", "100", "101", "110", "101"):
        bench.quote("ACME", close, close)
    assert bench.orders == ["SELL 4 ACME", "BUY 4 ACME"]


def both(bench: object, first: str, second: str) -> None:
    """Bars of both symbols that close at the same moment."""
    bench.bar("ACME", first)  # type: ignore[attr-defined]
    bench.bar("BOLT", second, minutes=0)  # type: ignore[attr-defined]


def make_pairs(make_bench: MakeBench, **params: object) -> object:
    strategy = Pairs(window=4, entry=1.5, exit=0.5, **params)
    return make_bench(strategy, symbols=("ACME", "BOLT"), settlement="margin")


def test_a_stretched_ratio_is_sold_and_bought_back(make_bench: MakeBench) -> None:
    bench = make_pairs(make_bench, first="ACME", second="BOLT", quantity=Decimal(10))
    for first in ("100", "101", "100"):
        both(bench, first, "50")
    both(bench, "110", "50")
    assert bench.orders == ["SELL 10 ACME", "BUY 22 BOLT"]  # type: ignore[attr-defined]
    both(bench, "104", "50")
    assert bench.orders[2:] == ["BUY 10 ACME", "SELL 22 BOLT"]  # type: ignore[attr-defined]


def test_a_fallen_ratio_is_bought_in_equal_weights(make_bench: MakeBench) -> None:
    bench = make_pairs(make_bench, weight=Decimal("0.1"))
    for first in ("100", "101", "100"):
        both(bench, first, "50")
    both(bench, "80", "50")
    assert bench.orders == ["BUY 125 ACME", "SELL 200 BOLT"]  # type: ignore[attr-defined]


def test_a_price_without_its_counterpart_is_not_used(make_bench: MakeBench) -> None:
    bench = make_pairs(make_bench)
    for first in ("100", "101", "100"):
        both(bench, first, "50")
    bench.bar("ACME", "110")  # type: ignore[attr-defined]
    bench.bar("ACME", "90")  # type: ignore[attr-defined]
    bench.bar("BOLT", "50")  # type: ignore[attr-defined]
    assert bench.orders == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("second", ["NOPE", "ACME", ""])
def test_symbols_that_make_no_pair_end_the_start(make_bench: MakeBench, second: str) -> None:
    with pytest.raises(StrategyError, match="two symbols of this session"):
        make_pairs(make_bench, first="ACME", second=second)


def test_with_a_stop_it_enters_behind_one_and_again_only_after_it_has_been_back(
    make_bench: MakeBench,
) -> None:
    strategy = MeanReversion(window=5, entry=1.5, quantity=Decimal(4), stop=Decimal("0.05"))
    bench = make_bench(strategy)
    for close in ("100", "101", "100", "101", "90", "85", "80"):
        bench.bar("ACME", close)
    # 85.5 is 5 % below 90; what fell on is not bought again
    assert bench.orders == ["BUY 4 ACME", "SELL 4 ACME stop 85.50 #stop"]
    assert bench.position("ACME") == 0
    for close in ("84", "90", "90", "90", "90", "82"):
        bench.bar("ACME", close)
    assert bench.orders[2:] == ["BUY 4 ACME", "SELL 4 ACME stop 77.90 #stop"]


def test_with_a_stop_it_leaves_near_the_mean_and_leaves_no_stop_behind(
    make_bench: MakeBench,
) -> None:
    strategy = MeanReversion(
        window=5, entry=1.5, quantity=Decimal(4), stop=Decimal("0.05"), allow_short=True
    )
    bench = make_bench(strategy, settlement="margin")
    for close in ("100", "101", "100", "101", "90", "99"):
        bench.bar("ACME", close)
    assert bench.position("ACME") == 0
    assert bench.core.order_manager.states["ACME"].working == []


def test_with_a_stop_and_a_weight_it_buys_what_the_weight_is_worth(make_bench: MakeBench) -> None:
    bench = make_bench(MeanReversion(window=5, entry=1.5, stop=Decimal("0.1")))
    for close in ("100", "101", "100", "101", "80"):
        bench.bar("ACME", close)
    assert bench.orders == ["BUY 250 ACME", "SELL 250 ACME stop 72.00 #stop"]  # a fifth of 100,000
