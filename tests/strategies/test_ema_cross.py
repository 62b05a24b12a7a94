"""The exponential cross: its averages, its decisions, and the acceptance test of another engine."""

from __future__ import annotations

import csv
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.core.fixed import parse_units, to_decimal
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Bar
from logos.core.types import NS_PER_MINUTE, FillRule
from logos.data.readers.numbers import parse_timestamp
from logos.strategies.ema_cross import EmaCross
from logos.testing.builders import fee_schedule, paper_rules, run, trading_core

if TYPE_CHECKING:
    from tests.strategies.conftest import MakeBench


def moving(*closes: str) -> list[tuple[str, str]]:
    """(open, close) pairs of bars that all moved."""
    return [(str(Decimal(close) - Decimal("0.01")), close) for close in closes]


def test_the_first_decision_waits_for_the_warmup(make_bench: MakeBench) -> None:
    bench = make_bench(EmaCross(fast=2, slow=4, quantity=Decimal(3), warmup=6))
    for number in range(6):
        assert bench.orders == []
        bench.bar("ACME", f"{100 + number}", open_="99")
    assert bench.orders == ["BUY 3 ACME"]


@pytest.mark.parametrize(
    ("flip", "orders"),
    [
        ("close_then_open", ["BUY 3 ACME", "SELL 3 ACME", "SELL 3 ACME"]),
        ("one_order", ["BUY 3 ACME", "SELL 6 ACME"]),
    ],
)
def test_a_flip_is_two_orders_or_one(make_bench: MakeBench, flip: str, orders: list[str]) -> None:
    strategy = EmaCross(fast=1, slow=2, quantity=Decimal(3), flip=flip)
    bench = make_bench(strategy, settlement="margin")
    for open_, close in moving("100", "101", "90", "80"):
        bench.bar("ACME", close, open_=open_)
    assert bench.orders == orders
    assert bench.position("ACME") == -3


def test_a_flat_bar_moves_the_averages_but_decides_nothing(make_bench: MakeBench) -> None:
    strategy = EmaCross(fast=1, slow=2, quantity=Decimal(3))
    bench = make_bench(strategy)
    bench.bar("ACME", "100")
    bench.bar("ACME", "110")
    assert strategy.averages["ACME"].count == 2
    assert strategy.averages["ACME"].fast == 110.0
    assert bench.orders == []
    bench.bar("ACME", "111", open_="110")
    assert bench.orders == ["BUY 3 ACME"]


def test_without_shorts_the_position_is_only_closed(make_bench: MakeBench) -> None:
    bench = make_bench(EmaCross(fast=1, slow=2, quantity=Decimal(3), allow_short=False))
    for open_, close in moving("100", "101", "90", "80", "70"):
        bench.bar("ACME", close, open_=open_)
    assert bench.orders == ["BUY 3 ACME", "SELL 3 ACME"]


@pytest.mark.parametrize(("close_at_end", "left"), [(True, 0), (False, 3)])
def test_the_position_is_closed_at_the_end_if_wanted(
    make_bench: MakeBench, close_at_end: bool, left: int
) -> None:
    bench = make_bench(EmaCross(fast=1, slow=2, quantity=Decimal(3), close_at_end=close_at_end))
    for open_, close in moving("100", "101"):
        bench.bar("ACME", close, open_=open_)
    bench.stop()
    assert bench.position("ACME") == left


def test_nothing_is_decided_while_an_order_is_in_flight(make_bench: MakeBench) -> None:
    bench = make_bench(EmaCross(fast=1, slow=2, quantity=Decimal(3)), fill_rule=FillRule.NEXT_OPEN)
    for open_, close in moving("100", "101", "102", "103"):
        bench.bar("ACME", close, open_=open_)
    assert bench.orders == ["BUY 3 ACME"]
    assert bench.position("ACME") == 3


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=60), st.integers(1, 9))
def test_the_averages_equal_a_naive_float64_loop_and_are_close_to_exact_ones(
    ticks: list[int], fast: int
) -> None:
    one = instrument("ACME", tick="0.01", lot="1", quote="USD")
    strategy = EmaCross(fast=fast, slow=fast + 7, warmup=10_000)
    for number, close in enumerate(ticks):
        bar = Bar(number, "ACME", NS_PER_MINUTE, close, close, close, close, 0, one)
        strategy.on_bar(None, bar)  # type: ignore[arg-type]  # before the warmup it asks nothing
    for n, got in (
        (fast, strategy.averages["ACME"].fast),
        (fast + 7, strategy.averages["ACME"].slow),
    ):
        alpha = Fraction(2, n + 1)
        exact = Fraction(ticks[0], 100)
        naive = ticks[0] / 100
        for close in ticks[1:]:
            exact += alpha * (Fraction(close, 100) - exact)
            naive = (2.0 / (n + 1)) * (close / 100) + (1.0 - 2.0 / (n + 1)) * naive
        assert got == pytest.approx(float(exact), rel=1e-12)
        assert got == naive


def read_bars(path: Path, perp: Instrument) -> list[Bar]:
    """The real bars, stamped with their close."""
    bars = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            open_, high, low, close = (
                parse_units(row[name], 2) for name in ("open", "high", "low", "close")
            )
            ts_ns = parse_timestamp(row["timestamp"]) + NS_PER_MINUTE
            bars.append(Bar(ts_ns, perp.symbol, NS_PER_MINUTE, open_, high, low, close, -1, perp))
    return bars


@pytest.mark.long
def test_it_reproduces_the_acceptance_test_of_nautilus_trader(market_data: Path) -> None:
    fees = fee_schedule(maker="0.001", taker="0.001")
    perp = instrument("BTC-PERP", tick="0.01", lot="0.001", base="BTC", quote="USDT", fees=fees)
    strategy = EmaCross(fast=10, slow=20, quantity=Decimal("0.001"))
    core = trading_core(
        strategy,
        perp,
        cash={"USDT": "10000000", "BTC": "10"},
        rules=paper_rules(FillRule.DECISION_CLOSE),
    )
    run(core, read_bars(market_data / "bars" / "BTC-PERP_1m_2021-12-31_first10000.csv", perp))
    wallets = {
        one.asset: to_decimal(one.balance, one.decimals)
        for one in core.order_manager.account.wallets
    }
    assert strategy.averages["BTC-PERP"].count == 10_000
    assert core.order_manager.order_count == 902
    assert wallets == {"USDT": Decimal("9999954.943133"), "BTC": Decimal(10)}
    assert core.order_manager.states["BTC-PERP"].inventory.position == 0
