"""The stress judge's rules on files, locks, requests, times and signals, on hand-made evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from stress_evidence import BTC, ETH, LOG_RULES, books, evidence, put, some_symbol

from logos.stress.judge import RULES

Change = Callable[[Any], object]


def plan(each: Any, **changes: Any) -> Any:
    """The plan of the run with other particulars."""
    return msgspec.structs.replace(each.plan, **changes)


def without_orders(each: Any, **changes: Any) -> None:
    """No order at all, and another plan."""
    each.journal.clear()
    each.plan = plan(each, **changes)


def answered_later(each: Any) -> bool:
    """The last request's answer carried its id: the lock was let go before it came."""
    put(each.gateway[15], outcome="confirmed", rid="q1-1")
    answer = {"action": "ZMQ_ANSWER", "ts_ns": 5_000, "rid": "q1-1", "symbol": "*"}
    each.gateway.insert(16, answer | {"outcome": "answered"})
    return True


TAMPERED: list[tuple[str, Change, list[str]]] = [
    # ---- every file ----
    (
        "files",
        lambda e: put(e.hashes, **{"engine.err": "cc"}),
        ["engine.err is another one now"],
    ),
    ("files", lambda e: e.hashes.pop("engine.err"), ["engine.err is not there any more"]),
    ("files", lambda e: put(e.hashes, new="dd"), ["new is not on the list"]),
    (
        "EFSM",
        lambda e: put(e.texts, **{"home/journal": "x EFSM y"}),
        ["home/journal: 'x EFSM y'"],
    ),
    (
        "EFSM",
        lambda e: put(e.texts, new="Operation cannot be accomplished in current state"),
        ["new: 'Operation cannot be accomplished in current state'"],
    ),
    # ---- the lock ----
    ("lock pairs", lambda e: e.gateway.pop(2), ["lock 2 was acquired while 1 was held"]),
    (
        "lock pairs",
        lambda e: e.gateway.pop(15),
        ["lock 7 of '*' was not released before the end"],
    ),
    (
        "lock pairs",
        lambda e: e.gateway.__delitem__(slice(15, 17)),
        ["lock 7 of '*' was never released", "process 1 of 1 did not close its gateway"],
    ),
    (
        "lock pairs",
        lambda e: e.gateway.pop(),
        ["process 1 of 1 did not close its gateway"],
    ),
    (
        "lock pairs",
        lambda e: e.gateway.append(e.gateway[0]),
        [
            "process 2 of 2 did not close its gateway",
            "2 processes wrote the gateway's log; there were 1",
        ],
    ),
    (
        "lock pairs",
        lambda e: setattr(e, "plan", plan(e, kill="engine")),
        ["1 processes wrote the gateway's log; there were 2"],
    ),
    (
        "lock pairs",
        lambda e: put(e.gateway[3], lock_id=4) or put(e.gateway[4], lock_id=4),
        ["lock 4 follows on 1", "lock 3 follows on 4"],
    ),
    ("lock pairs", lambda e: put(e.gateway[4], symbol=ETH), ["lock 2 of 'ETH.s' was not held"]),
    ("lock pairs", lambda e: put(e.gateway[4], lock_id=1), ["lock 1 of 'BTC.s' was not held"]),
    (
        "lock pairs",
        lambda e: put(e.gateway[4], access="access#9"),
        ["lock 2 of 'BTC.s' was not held"],
    ),
    (
        "lock pairs",
        lambda e: put(e.gateway[3], access="access#9") or put(e.gateway[4], access="access#9"),
        ["access#9 of 'BTC.s' is its access number 2"],
    ),
    (
        "lock pairs",
        lambda e: put(e.gateway[14], symbol="") or put(e.gateway[15], symbol=""),
        ["lock 7 is of no symbol"],
    ),
    ("lock pairs", lambda e: e.gateway.__delitem__(slice(1, 16)), ["the log has no lock at all"]),
    # ---- each pair and its request ----
    (
        "requests",
        lambda e: e.gateway.__delitem__(slice(1, 3)),
        [
            "request 2 (TRADE 's-1') came under no lock of ours",
            "the gateway counted 6 answers, its log has 5",
        ],
    ),
    (
        "requests",
        lambda e: e.audit.pop(1),
        [
            "access#1 of BTC.s (s-1) was answered, and the simulator had no such request",
            "the simulator's request 3 follows on 1",
        ],
    ),
    (
        "requests",
        lambda e: put(e.audit[1], symbol=ETH),
        ["access#1 of BTC.s (s-1): the request is of 'ETH.s'"],
    ),
    (
        "requests",
        lambda e: put(e.audit[7], symbol=BTC),
        ["access#1 of * (q1.1): the request is of 'BTC.s'"],
    ),
    (
        "requests",
        lambda e: put(e.audit[1], ts_ns=999),
        ["access#1 of BTC.s (s-1): the simulator read the request outside the lock's time"],
    ),
    (
        "requests",
        lambda e: put(e.audit[1], ts_ns=1_401),
        ["access#1 of BTC.s (s-1): the simulator read the request outside the lock's time"],
    ),
    (
        "requests",
        lambda e: put(e.gateway[2], outcome="not sent"),
        [
            "request 2 (TRADE 's-1') came under no lock of ours",
            "the gateway counted 6 answers, its log has 5",
        ],
    ),
    (
        "requests",
        lambda e: put(e.audit[7], client_id="q2.1"),
        [
            "request 8 (ORDERS 'q2.1') came under no lock of ours",
            "access#1 of * (q1.1) was answered, and the simulator had no such request",
        ],
    ),
    (
        "requests",
        lambda e: put(e.audit[0], action="TRADE"),
        ["request 1 (TRADE 'q0.1') came under no lock of ours"],
    ),
    (
        "requests",
        lambda e: put(e.audit[0], client_id="q1.7"),
        ["request 1 (ORDERS 'q1.7') came under no lock of ours"],
    ),
    (
        "requests",
        lambda e: put(books(e), requests=9),
        ["the simulator counted 9 requests, not 8"],
    ),
    (
        "requests",
        lambda e: put(e.gateway[16], answered=7),
        ["the gateway counted 7 answers, its log has 6"],
    ),
    (
        "requests",
        lambda e: put(e.gateway[15], outcome="confirmed", rid="q1-1"),
        [
            "access#1 of * (q1.1) was read by the terminal, and what came of it is not said",
            "the gateway counted 6 answers, its log has 5",
        ],
    ),
    (
        "requests",
        lambda e: answered_later(e) and put(e.audit[7], ts_ns=5_001),
        ["access#1 of * (q1.1): the simulator read the request outside the lock's time"],
    ),
    # ---- times ----
    (
        "times",
        lambda e: put(e.gateway[4], ts_ns=1_999),
        ["the gateway's log goes back by 1 ns at its time 5"],
    ),
    (
        "times",
        lambda e: put(e.audit[2], ts_ns=5_000),
        ["the simulator's log goes back by 1900 ns at its time 4"],
    ),
    (
        "times",
        lambda e: e.switch.append({"state": "SAFE", "time_ns": 0}),
        ["the switch's history goes back by 1 ns at its time 2"],
    ),
    (
        "times",
        lambda e: e.journal.insert(-1, e.journal[0]),
        ["the journal goes back by 4003 ns at its time 20"],
    ),
    (
        "times",
        lambda e: put(e.gateway[2], hold_ns=2_000_000_401),
        ["lock 1 of BTC.s was held 2000000401 ns, its times are 400 ns apart"],
    ),
    # ---- silence ----
    (
        "silence",
        lambda e: put(e.gateway[16], ts_ns=9 * 10**9) or put(e.gateway[15], outcome="lost"),
        ["the terminal answered nothing for 9.0 s, and the switch was not engaged"],
    ),
    (
        "silence",
        lambda e: (
            put(e.gateway[16], ts_ns=9 * 10**9)
            or put(e.gateway[15], outcome="not sent")
            or e.switch.append({"state": "ENGAGED", "time_ns": 3 * 10**9})
        ),
        ["the terminal answered nothing for 9.0 s, and the switch was engaged after 3.0 s"],
    ),
    (
        "silence",
        lambda e: setattr(e, "plan", plan(e, kill="simulator")),
        ["the simulator was killed, and the switch was never engaged"],
    ),
    # ---- latency ----
    (
        "latency",
        lambda e: setattr(e, "plan", plan(e, latency_ms=5e-6)),
        [
            "BTC.s: made to filled took 0.0 ms (p99), above 5e-06 ms",
            "ETH.s: made to filled took 0.0 ms (p99), above 5e-06 ms",
        ],
    ),
    (
        "latency",
        lambda e: setattr(
            e, "plan", plan(e, latency_ms=2e-6, faults={"slow_ms": 50.0}, reply_timeout_s=1e-15)
        ),
        [
            "BTC.s: made to accepted took 0.0 ms (p99), above 2e-06 ms",
            "BTC.s: made to filled took 0.0 ms (p99), above 2e-06 ms",
        ],
    ),
    (
        "latency",
        lambda e: without_orders(e, latency_ms=1.0),
        ["no order was accepted"],
    ),
    # ---- signals ----
    (
        "signals",
        lambda e: e.journal.pop(0),
        ["BTC.s: 3 signals, 4 were asked for"],
    ),
    (
        "signals",
        lambda e: setattr(e, "plan", plan(e, signals=3, kill="switch")),
        [
            "BTC.s: 4 signals, at most 3 were asked for",
            "ETH.s: 4 signals, at most 3 were asked for",
        ],
    ),
    (
        "signals",
        lambda e: setattr(
            e, "plan", plan(e, symbols=(*e.plan.symbols, some_symbol("X")), signals=0)
        ),
        ["X: 0 signals, some were asked for"],
    ),
    (
        "signals",
        lambda e: setattr(e, "plan", plan(e, symbols=e.plan.symbols[:1])),
        ["'ETH.s': signals that nobody asked for"],
    ),
]


@pytest.mark.parametrize(
    ("rule", "change", "problems"),
    TAMPERED,
    ids=[f"{rule}-{number}" for number, (rule, _, _) in enumerate(TAMPERED)],
)
def test_what_is_changed_is_found_and_said(rule: str, change: Change, problems: list[str]) -> None:
    there = evidence()
    change(there)
    assert RULES[rule](there)[1] == problems


def test_every_rule_of_them_is_shown_to_find_something() -> None:
    assert {rule for rule, _, _ in TAMPERED} == LOG_RULES
