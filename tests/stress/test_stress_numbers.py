"""The figures of a stress run, counted by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from stress_evidence import BTC, ETH, evidence

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
    # Locks are held between the first and the last order at the simulator: all three.
    assert (numbers.requests_per_s, numbers.requests_per_order) == (1.5, 0.75)
    assert numbers.lock_held_share == pytest.approx(1_600 / 2e9)
    assert numbers.hold == Spread(3, 400, 800, 800)
    assert numbers.wait == {BTC: Spread(2, 5, 9, 9), ETH: Spread(1, 7, 7, 7)}
    assert numbers.accepted == {"all": Spread(2, 3, 3, 3), BTC: Spread(2, 3, 3, 3)}
    assert numbers.filled == {
        "all": Spread(3, 7, 7, 7), BTC: Spread(2, 7, 7, 7), ETH: Spread(1, 7, 7, 7),
    }  # fmt: skip
    assert (numbers.lost_replies, numbers.refusals) == (1, {"ORDER_RATE": 2})


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
