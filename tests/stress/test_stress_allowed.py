"""What looks odd in a stress run and is no problem, by its rules."""

from __future__ import annotations

from stress_evidence import BTC, D, books, deal, evidence, put

from logos.stress.evidence import Fill
from logos.stress.judge import RULES


def test_a_lock_that_a_kill_cut_off_is_counted_and_no_problem() -> None:
    there = evidence()
    opened = {"action": "GATEWAY_OPENED", "ts_ns": 1_300}
    there.gateway[2:3] = [opened]
    put(there.gateway[3], lock_id=1)
    put(there.gateway[4], lock_id=1)
    put(there.gateway[5], lock_id=2)
    put(there.gateway[7], lock_id=2)
    what, problems = RULES["lock pairs"](there)
    assert (what, problems) == ("2 pairs in 2 lives, 1 cut off by a kill", [])


def test_an_order_on_its_way_when_the_switch_was_thrown_is_no_problem() -> None:
    """Its lock was acquired before; what was kept back behind the lock is counted."""
    there = evidence()
    there.switch.append({"state": "ENGAGED", "time_ns": 3_050})
    there.requests = there.requests[:3]
    there.gateway.append({"action": "ORDER_KEPT_BACK", "ts_ns": 4_000})
    what, problems = RULES["kill switch"](there)
    assert (what, problems) == ("thrown; 1 on its way, 1 kept back behind the lock", [])


def test_fills_booked_in_another_order_than_dealt_may_realise_otherwise() -> None:
    """A lost answer is booked late: then realised profit alone may differ, the whole may not."""
    there = evidence()
    there.fills.insert(1, Fill("s-6", BTC, "BUY", D("0.01"), D(90), D(0)))
    there.deals.append(deal(6, BTC, True, "0.01", "90", "0"))
    put(there.positions[BTC], realised="0.10")
    put(books(there)["symbols"][BTC], open_profit="0.50")
    put(there.account, unrealised="10.5", equity="1010.25")
    what, problems = RULES["profit"](there)
    assert problems == []
    assert what == "realised 0.10, fees 0.35; 1 symbols booked in another order than dealt"
