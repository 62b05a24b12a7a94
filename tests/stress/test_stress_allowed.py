"""What looks odd in a stress run and is no problem, by its rules."""

from __future__ import annotations

import msgspec
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
