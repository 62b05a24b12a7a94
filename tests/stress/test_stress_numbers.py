"""The figures of a stress run, counted by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from stress_evidence import BTC, ETH, D, evidence

from logos.core.records import OrderRecord
from logos.stress.gateway_rules import ACQUIRE, ANSWER, RELEASE
from logos.stress.numbers import Spread, numbers_of, spread
from logos.stress.plan import StressPlan, make_symbols
from logos.stress.report import number_lines
from logos.stress.stages import (
    STAGES,
    Load,
    answers_of,
    bound_words,
    load_of,
    offered_per_s,
    stages_of,
)


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
    [(0.69, "the signals: whatever was offered"), (0.7, "the gateway: its lock was held 70%")],
)
def test_what_bounds_the_throughput_is_said(share: float, words: str) -> None:
    numbers = numbers_of(evidence())
    held = msgspec.structs.replace(numbers, lock_held_share=share, load=Load())
    assert held.bound.startswith(words)


def test_a_terminal_that_reads_by_a_timer_is_bounded_by_that() -> None:
    numbers = numbers_of(evidence())
    timed = msgspec.structs.replace(numbers, requests_per_s=44.8, load=Load(reads_per_s=64))
    assert timed.bound.startswith("the terminal's timer: it reads one request at each event, 64 a")
    slower = msgspec.structs.replace(timed, requests_per_s=44.7)
    assert slower.bound.startswith("the signals")


def test_the_offered_load_is_a_signal_at_each_so_many_prices() -> None:
    symbols = make_symbols("2", "1-4")
    plan = StressPlan(symbols=symbols, signals=0, seconds=1, seed=0, every=5)
    assert offered_per_s(plan) == (1000 + 250) / 5
    numbers = msgspec.structs.replace(
        numbers_of(evidence()), orders_per_s=50.0, load=Load(offered_per_s=250)
    )
    assert "offered load / carried load, orders a second | 250 / 50 (20%) |" in "\n".join(
        number_lines(numbers)
    )


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (Load(), "the signals: whatever was offered was served"),
        (Load(engine_share=0.75, in_flight=8, in_flight_max=8), "the engine: it used 75% of a"),
        (Load(simulator_share=0.7), "the simulator: it used 70% of a processor"),
        (
            Load(in_flight=5.6, in_flight_max=8, seen_share=0.1),
            "the orders in flight: 5.6 of 8 on average, so that more was offered than was served; "
            "most of an order's time was until answered",
        ),
        (Load(in_flight=5.5, in_flight_max=8, seen_share=0.7), "the signals"),
        (Load(seen_share=0.69), "the engine: its strategy saw 69% of the prices"),
    ],
)
def test_what_bounds_it_beside_the_lock_is_what_had_no_time_left(load: Load, words: str) -> None:
    assert bound_words(load, "until answered").startswith(words)


def test_the_stages_of_an_order_are_between_the_times_of_both_logs() -> None:
    there = evidence()
    which = {"symbol": BTC, "lock_id": 1, "access": "access#1"}
    there.gateway = [
        {"action": "GATEWAY_OPENED", "ts_ns": 0, "tokens": "q1", "cpu_ns": 3_000},
        {"action": ACQUIRE, "ts_ns": 1_003, "token": "s-1", "kind": "TRADE", "wait_ns": 2} | which,
        {"action": RELEASE, "ts_ns": 1_004, "rid": "r-1", "hold_ns": 1} | which,
        {"action": ANSWER, "ts_ns": 1_006, "rid": "r-1", "took_ns": 2, "symbol": BTC},
        {"action": ANSWER, "ts_ns": 1_006, "rid": "r-0", "took_ns": 9, "symbol": BTC},
        {"action": "GATEWAY_CLOSED", "ts_ns": 9_000, "answered": 1, "cpu_ns": 5_000},
    ]
    assert stages_of(there) == dict(zip(STAGES, ([1], [2], [1], [2], [1]), strict=True))
    assert answers_of(there) == [2, 9]
    there.audit[-1]["cpu_ns"] = 1_000
    load = load_of(there, [7, 7, 7], 4e-6)
    assert (load.engine_cpu_ns, load.engine_share) == (2_000, 0.5)
    assert (load.simulator_cpu_ns, load.simulator_share) == (1_000, 0.25)
    assert load.in_flight == pytest.approx(21 / 4_000)
    assert load.in_flight_max == 8


def test_without_ids_an_answer_is_the_end_of_the_lock() -> None:
    answers = answers_of(evidence())
    assert sorted(answers) == [50, 50, 50, 50, 400, 400, 800]
    assert all(values == [0] * 3 for values in (stages_of(evidence())["until answered"],))


def test_how_many_of_the_prices_were_seen_is_by_the_orders_own_ticks() -> None:
    there = evidence()
    orders = there.of(OrderRecord)
    first, last = orders[0], orders[-1]
    ends = {first.order_id: (0, 0), last.order_id: (2 * 10**9, 300)}
    there.journal = [
        msgspec.structs.replace(each, ts_ns=ends[each.order_id][0], tick_id=ends[each.order_id][1])
        if isinstance(each, OrderRecord) and each.order_id in ends
        else each
        for each in there.journal
    ]
    made = sum(2_000 / each.interval_ms for each in there.plan.symbols)
    assert load_of(there, [], 1.0).seen_share == pytest.approx(min(1.0, 300 / made))


def test_a_run_without_a_request_has_figures_too() -> None:
    there = evidence()
    there.requests, there.taken, there.gateway = [], [], []
    numbers = numbers_of(there)
    assert (numbers.orders, numbers.best_orders_per_s, numbers.requests_per_order) == (0, 0, 0.0)
    assert numbers.hold == Spread()
    assert numbers.bound.startswith("the signals")
