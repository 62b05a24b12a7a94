"""What looks odd in a stress run and is no problem, by its rules."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from stress_evidence import BTC, D, books, deal, evidence, put

from logos.stress.evidence import Fill
from logos.stress.judge import RULES


def test_a_lock_that_a_kill_cut_off_is_counted_and_no_problem() -> None:
    """Only where the plan kills the engine, and only in its first process."""
    there = evidence()
    there.gateway[2:3] = [{"action": "GATEWAY_OPENED", "ts_ns": 1_300, "tokens": "q2"}]
    for number, place in enumerate((3, 5, 8, 10, 12, 14), start=1):
        for each in there.gateway[place:]:
            if each.get("lock_id") == number + 1:
                each["lock_id"] = number
    for each in there.gateway[3:5]:
        each["access"] = "access#1"
    there.plan = msgspec.structs.replace(there.plan, kill="engine")
    what, problems = RULES["lock pairs"](there)
    assert (what, problems) == ("6 pairs in 2 processes, 1 cut off by a kill", [])
    there.plan = msgspec.structs.replace(there.plan, kill="")
    assert RULES["lock pairs"](there)[1] == [
        "lock 1 of 'BTC.s' was never released",
        "process 1 of 2 did not close its gateway",
        "2 processes wrote the gateway's log; there were 1",
    ]


def test_a_request_that_was_given_up_may_be_read_later_or_never() -> None:
    there = evidence()
    put(there.audit[3], ts_ns=3_900)  # its lock was let go at 3_800, without an answer
    assert RULES["requests"](there)[1] == []
    del there.audit[3]
    for each in there.audit[3:7]:
        each["sequence"] -= 1
    put(books(there), requests=7)
    assert RULES["requests"](there)[1] == []


def test_a_simulator_that_was_killed_counts_from_the_beginning() -> None:
    there = evidence()
    for number, each in enumerate(there.audit[5:8], start=1):
        each["sequence"] = number
    put(books(there), requests=3)
    assert RULES["requests"](there)[1] == ["the simulator's request 1 follows on 5"]
    there.plan = msgspec.structs.replace(there.plan, kill="simulator")
    assert RULES["requests"](there)[1] == []


def test_a_terminal_that_is_silent_and_engages_in_time_is_no_problem() -> None:
    there = evidence()
    put(there.gateway[16], ts_ns=9 * 10**9)
    put(there.gateway[15], outcome="lost")
    there.switch.append({"state": "ENGAGED", "time_ns": 2 * 10**9})
    assert RULES["silence"](there) == ("at most 9.0 s, with requests that failed", [])


def test_an_answer_that_carries_its_id_may_come_after_the_lock_was_let_go() -> None:
    there = evidence()
    put(there.gateway[15], outcome="confirmed", rid="q1-1")
    answer = {"action": "ZMQ_ANSWER", "ts_ns": 5_000, "rid": "q1-1", "symbol": "*"}
    there.gateway.insert(16, answer | {"outcome": "answered"})
    put(there.audit[7], ts_ns=4_900)
    assert RULES["requests"](there)[1] == []
    assert RULES["lock pairs"](there)[1] == []


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, "p99 at most 0.0 of 1 ms, each symbol by itself"),
        # Without ids the slow symbol may cost the others one request's deadline.
        ({"faults": {"slow_ms": 9.0}}, "p99 at most 0.0 of 2001 ms, each symbol by itself, ETH.s"),
        ({"faults": {"lost": 0.1}}, "not judged: lost makes orders wait on purpose"),
        ({"kill": "engine"}, "not judged: a kill makes orders wait on purpose"),
        ({"latency_ms": 0.0}, "not judged: no bound was asked for"),
    ],
)
def test_latency_says_what_it_judged(changes: dict[str, Any], what: str) -> None:
    there = evidence()
    there.plan = msgspec.structs.replace(there.plan, **{"latency_ms": 1.0, **changes})
    said, problems = RULES["latency"](there)
    assert problems == []
    assert said.startswith(what)


def test_a_slow_symbol_may_cost_nothing_where_answers_carry_ids() -> None:
    there = evidence()
    there.gateway.append({"action": "ZMQ_ANSWER", "ts_ns": 9_000, "rid": "x", "outcome": "lost"})
    there.plan = msgspec.structs.replace(there.plan, latency_ms=1.0, faults={"slow_ms": 9.0})
    assert RULES["latency"](there)[0].startswith("p99 at most 0.0 of 1 ms")


def test_an_order_on_its_way_when_the_switch_was_thrown_is_no_problem() -> None:
    """Its lock was acquired before; what was kept back behind the lock is counted."""
    there = evidence()
    there.switch.append({"state": "ENGAGED", "time_ns": 3_050})
    there.requests = there.requests[:3]
    del there.gateway[8:]
    there.gateway.append({"action": "ORDER_KEPT_BACK", "ts_ns": 4_000})
    what, problems = RULES["kill switch"](there)
    assert (what, problems) == ("thrown; 1 on its way, 1 kept back behind the lock", [])


def test_fills_booked_in_another_order_than_dealt_may_realise_otherwise() -> None:
    """A lost answer is booked late: then realised profit alone may differ, the whole may not."""
    there = evidence()
    there.trades.insert(1, there.trades[0] | {"fill_id": "4"})
    there.fills.insert(1, Fill("s-6", BTC, "BUY", D("0.01"), D(90), D(0)))
    there.deals.append(deal(6, BTC, True, "0.01", "90", "0"))
    put(there.positions[BTC], realised="0.10")
    put(books(there)["symbols"][BTC], open_profit="0.50")
    put(there.account, unrealised="10.5", equity="1010.25")
    what, problems = RULES["profit"](there)
    assert problems == []
    assert what == "realised 0.10, fees 0.35; 1 symbols booked in another order than dealt"
