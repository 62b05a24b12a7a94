"""The figures of a stress run, counted by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from stress_evidence import BTC, ETH, D, evidence

from logos.stress.numbers import Spread, numbers_of, spread


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Spread()),
        ([7], Spread(1, 7, 7, 7)),
        ([3, 1, 2], Spread(3, 2, 3, 3)),
        ([4, 1, 3, 2], Spread(4, 2, 4, 4)),
        (range(1, 101), Spread(100, 50, 99, 100)),
        (range(1, 202), Spread(201, 101, 199, 201)),
    ],
)
def test_a_spread_is_of_the_values_themselves(values: Any, expected: Spread) -> None:
    assert spread(values) == expected


def test_the_figures_of_a_run_are_counted_by_hand() -> None:
    there = evidence()
    there.requests[-1]["ts_ns"] = 1_100 + 2 * 10**9
    numbers = numbers_of(there)
    assert (numbers.orders, numbers.seconds) == (4, 2.0)
    assert (numbers.orders_per_s, numbers.best_orders_per_s) == (2.0, 5)
    # Locks are held between the first and the last order at the simulator: all seven.
    assert (numbers.requests_per_s, numbers.requests_per_order) == (3.5, 1.75)
    assert numbers.lock_held_share == pytest.approx(1_800 / 2e9)
    assert numbers.hold == Spread(7, 50, 800, 800)
    assert numbers.wait == {
        BTC: Spread(2, 5, 9, 9), ETH: Spread(4, 6, 7, 7), "*": Spread(1, 6, 6, 6),
    }  # fmt: skip
    assert numbers.accepted == {"all": Spread(2, 3, 3, 3), BTC: Spread(2, 3, 3, 3)}
    assert numbers.filled == {
        "all": Spread(3, 7, 7, 7), BTC: Spread(2, 7, 7, 7), ETH: Spread(1, 7, 7, 7),
    }  # fmt: skip
    assert (numbers.lost_replies, numbers.refusals) == (1, {"ORDER_RATE": 3})


def test_what_was_earned_and_risked_is_counted_by_hand() -> None:
    """One lot of 0.02 at 100, half of it sold at 110 with fees of 0.05 each: a trade that loses
    nothing and wins nothing."""
    results = numbers_of(evidence()).results
    btc, eth, every = (results[name] for name in (BTC, ETH, "all"))
    assert (btc.trades, btc.wins, btc.realised, btc.fees) == (1, 0, D("0.10"), D("0.15"))
    assert (eth.trades, eth.wins, eth.realised, eth.fees) == (0, 0, D(0), D("0.2"))
    assert (every.trades, every.realised, every.fees) == (1, D("0.10"), D("0.35"))
    assert (every.net, every.win_rate, eth.win_rate) == (D("-0.25"), D(0), D(0))
    # 0.01 at 110 and 0.50 lots of ten at 10, of an equity of 1009.95.
    assert (btc.exposure, eth.exposure, every.exposure) == (D("1.10"), D(50), D("51.10"))
    assert every.of_equity == D("51.10") / D("1009.95")
    assert (btc.peak_of_limit, eth.peak_of_limit) == (D("0.02") / D("0.03"), D(1))
    assert every.peak_of_limit == D("51.10") / D("60.5")
    assert numbers_of(evidence()).switch == "SAFE"


def test_a_trade_that_earns_more_than_its_fees_is_won() -> None:
    there = evidence()
    there.fills[1] = there.fills[1]._replace(price=D("110.01"))
    result = numbers_of(there).results[BTC]
    assert (result.trades, result.wins, result.win_rate) == (1, 1, D(1))


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.69, "the signals and the orders' own lives"), (0.7, "the gateway: its lock was held 70%")],
)
def test_what_bounds_the_throughput_is_said(share: float, words: str) -> None:
    numbers = numbers_of(evidence())
    held = msgspec.structs.replace(numbers, lock_held_share=share)
    assert held.bound.startswith(words)


def test_a_run_without_a_request_has_figures_too() -> None:
    there = evidence()
    there.requests, there.taken, there.gateway = [], [], []
    numbers = numbers_of(there)
    assert (numbers.orders, numbers.best_orders_per_s, numbers.requests_per_order) == (0, 0, 0.0)
    assert numbers.hold == Spread()
    assert numbers.bound.startswith("the signals")
