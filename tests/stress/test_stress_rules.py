"""Every rule of the stress judge on evidence made by hand: sound, and with one thing changed.

`test_stress_judge` shows on a whole run that the judge fails; here each finding is shown in its own
words, with its figures.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import stress_helpers  # noqa: F401 - needs the extra first

from logos.stress.evidence import Evidence, Fill, OurOrder
from logos.stress.judge import RULES
from logos.stress.numbers import Spread, numbers_of, spread

D = Decimal
BTC, ETH = "BTC.s", "ETH.s"
Change = Callable[[Any], object]


def our_order(number: int, symbol: str, side: str, quantity: str, status: str = "FILLED") -> Any:
    filled = quantity if status == "FILLED" else "0"
    name = f"s-{number}"
    return OurOrder(name, name, symbol, side, "MARKET", D(quantity), D(filled), status, "")


def deal(number: int, symbol: str, is_buy: bool, volume: str, price: str, fee: str) -> Any:
    return {
        "kind": "deal", "comment": f"s-{number}", "order": number, "symbol": symbol,
        "is_buy": is_buy, "volume": volume, "price": price,
        "commission": -int(D(fee).scaleb(18)), "profit_money": "0",
    }  # fmt: skip


def journal_order(number: int, symbol: str, side: str, units: int, price: int) -> Any:
    return {
        "kind": "order", "order_id": number, "client_order_id": f"s-{number}", "symbol": symbol,
        "side": side, "type": "MARKET", "quantity_units": units, "quantity_decimals": 2,
        "reference_price_units": price, "price_decimals": 0, "ts_ns": number * 1000,
    }  # fmt: skip


def update(number: int, symbol: str, filled: int, status: str) -> Any:
    return {
        "kind": "order_update", "order_id": number, "symbol": symbol, "filled_units": filled,
        "status": status, "ts_ns": number * 1000 + (7 if status == "FILLED" else 3),
    }  # fmt: skip


def fill_record(number: int, units: int, price: int) -> Any:
    return {
        "kind": "fill", "client_order_id": f"s-{number}", "price_units": price,
        "price_decimals": 0, "quantity_units": units, "quantity_decimals": 2,
    }  # fmt: skip


def lock(action: str, number: int, symbol: str, ts_ns: int, **more: Any) -> Any:
    name = f"ZMQ_LOCK_{action}"
    return {"action": name, "symbol": symbol, "lock_id": number, "ts_ns": ts_ns, **more}


def requested(number: int, symbol: str, ts_ns: int) -> Any:
    return {"kind": "request", "client_id": f"s-{number}", "symbol": symbol, "ts_ns": ts_ns}


SOUND: dict[str, Any] = {
    "config": {
        "risk": {
            "symbols": {BTC: {"max_position": "0.03"}, ETH: {"max_position": "0.50"}},
            "total": {"max_gross_exposure": "60.5"},
        },
        "instruments": {
            BTC: {"multiplier": "1", "lot": "0.01"}, ETH: {"multiplier": "10", "lot": "0.01"},
        },
    },
    "gateway": [
        {"action": "GATEWAY_OPENED", "ts_ns": 0},
        lock("ACQUIRE", 1, BTC, 1_000, wait_ns=5),
        lock("RELEASE", 1, BTC, 1_400, hold_ns=400),
        lock("ACQUIRE", 2, BTC, 2_000, wait_ns=9),
        lock("RELEASE", 2, BTC, 2_400, hold_ns=400),
        lock("ACQUIRE", 3, ETH, 3_000, wait_ns=7),
        {"action": "ZMQ_REPLY_LOST", "ts_ns": 3_100},
        lock("RELEASE", 3, ETH, 3_800, hold_ns=800),
        {"action": "GATEWAY_CLOSED", "ts_ns": 9_000},
    ],
    "switch": [{"state": "SAFE", "time_ns": 1}],
    "errors": "",
    "journal": [
        journal_order(1, BTC, "BUY", 2, 100), update(1, BTC, 0, "ACCEPTED"),
        update(1, BTC, 2, "FILLED"), fill_record(1, 2, 100),
        journal_order(2, BTC, "SELL", 1, 110), update(2, BTC, 0, "ACCEPTED"),
        update(2, BTC, 1, "FILLED"), fill_record(2, 1, 110),
        journal_order(3, ETH, "BUY", 50, 10), update(3, ETH, 0, "UNKNOWN"),
        update(3, ETH, 50, "FILLED"), fill_record(3, 50, 10),
        {"kind": "refusal", "code": "ORDER_RATE"}, {"kind": "refusal", "code": "ORDER_RATE"},
        journal_order(4, ETH, "SELL", 30, 12), update(4, ETH, 0, "CANCELLED"),
        journal_order(5, ETH, "SELL", 20, 12), update(5, ETH, 0, "REJECTED"),
        {"kind": "sealed"},
    ],
    "orders": {
        each.comment: each
        for each in (
            our_order(1, BTC, "BUY", "0.02"), our_order(2, BTC, "SELL", "0.01"),
            our_order(3, ETH, "BUY", "0.50"), our_order(4, ETH, "SELL", "0.30", "CANCELLED"),
            our_order(5, ETH, "SELL", "0.20", "REJECTED"),
        )
    },
    "fills": [
        Fill("s-1", BTC, "BUY", D("0.02"), D(100), D("0.1")),
        Fill("s-2", BTC, "SELL", D("0.01"), D(110), D("0.05")),
        Fill("s-3", ETH, "BUY", D("0.50"), D(10), D("0.2")),
    ],
    "trades": [
        {"fill_id": str(n), "client_order_id": f"s-{n}", "quantity": quantity, "price": price}
        for n, quantity, price in ((1, "0.02", "100"), (2, "0.01", "110"), (3, "0.50", "10"))
    ],
    "account": {
        "initial": "1000", "realised": "0.10", "fees": "0.35", "unrealised": "10.2",
        "equity": "1009.95",
    },
    "positions": {
        BTC: {"position": "0.01", "realised": "0.10", "fees": "0.15"},
        ETH: {"position": "0.50", "realised": "0", "fees": "0.2"},
    },
    "taken": [
        {"comment": f"s-{n}", "symbol": symbol, "ticket": n}
        for n, symbol in ((1, BTC), (2, BTC), (3, ETH), (4, ETH))
    ],
    "requests": [
        requested(1, BTC, 1_100), requested(2, BTC, 2_100), requested(3, ETH, 3_100),
        requested(4, ETH, 3_200), requested(5, ETH, 3_300), requested(5, ETH, 3_400),
    ],
    "deals": [
        deal(1, BTC, True, "0.02", "100", "0.1"),
        deal(2, BTC, False, "0.01", "110", "0.05") | {"profit_money": "0.10"},
        deal(3, ETH, True, "0.50", "10", "0.2"),
    ],
    "audit": [
        {"kind": "removed", "ticket": 4},
        {"kind": "refused", "client_id": "s-5"},
        {
            "kind": "books", "open_orders": 0, "repeated_client_ids": {},
            "balance": "999.75", "initial_balance": "1000",
            "symbols": {
                BTC: {
                    "realised": "0.10", "commission": "-0.15", "open_profit": "0.20",
                    "volume": "0.01", "bid": "120", "ask": "121",
                },
                ETH: {
                    "realised": "0", "commission": "-0.2", "open_profit": "10",
                    "volume": "0.50", "bid": "12", "ask": "13",
                },
            },
        },
    ],
}  # fmt: skip


def evidence() -> Any:
    """The sound evidence, one's own to change; what is derived from it is derived for real."""
    made = Evidence.__new__(Evidence)
    for name, value in copy.deepcopy(SOUND).items():
        setattr(made, name, value)
    return made


def books(each: Any) -> Any:
    return each.audit[-1]


def put(record: Any, **changes: object) -> Any:
    record.update(changes)


def reorder(each: Any, number: int, **changes: Any) -> None:
    """Give one of our orders other particulars."""
    each.orders[f"s-{number}"] = each.orders[f"s-{number}"]._replace(**changes)


def refill(each: Any, place: int, **changes: Any) -> None:
    each.fills[place] = each.fills[place]._replace(**changes)


@pytest.mark.parametrize("rule", RULES)
def test_sound_evidence_passes_every_rule(rule: str) -> None:
    assert RULES[rule](evidence())[1] == []


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("lock pairs", "3 pairs in 1 lives, 0 cut off by a kill"),
        ("EFSM", "29 records and texts"),
        ("orphans", "5 orders of ours, 4 of theirs"),
        ("cross-symbol", "13 requests, orders and deals"),
        ("duplicates", "5 client ids"),
        ("unknown outcomes", "1 times an outcome was unknown"),
        ("fills", "3 fills"),
        ("profit", "realised 0.10, fees 0.35"),
        ("positions", "2 symbols"),
        ("exposure", "at most 61.10 of 60.5 in flight and held"),
        ("kill switch", "it was not thrown"),
        ("session", "19 records"),
    ],
)
def test_every_rule_says_what_it_looked_at(rule: str, what: str) -> None:
    assert RULES[rule](evidence())[0] == what


TAMPERED: list[tuple[str, Change, list[str]]] = [
    # ---- the lock ----
    (
        "lock pairs",
        lambda e: e.gateway.pop(2),
        ["lock 2 was acquired while 1 was held"],
    ),
    (
        "lock pairs",
        lambda e: e.gateway.pop(7),
        ["lock 3 of 'ETH.s' was not released before the end"],
    ),
    (
        "lock pairs",
        lambda e: e.gateway.__delitem__(slice(7, 9)),
        ["lock 3 of 'ETH.s' was never released"],
    ),
    (
        "lock pairs",
        lambda e: put(e.gateway[3], lock_id=4) or put(e.gateway[4], lock_id=4),
        ["lock 4 follows on 1", "lock 3 follows on 4"],
    ),
    ("lock pairs", lambda e: put(e.gateway[4], symbol=ETH), ["lock 2 of 'ETH.s' was not held"]),
    ("lock pairs", lambda e: put(e.gateway[4], lock_id=1), ["lock 1 of 'BTC.s' was not held"]),
    ("lock pairs", lambda e: e.gateway.__delitem__(slice(1, 8)), ["the log has no lock at all"]),
    # ---- ZeroMQ ----
    ("EFSM", lambda e: setattr(e, "errors", "x EFSM y"), ["x EFSM y"]),
    (
        "EFSM",
        lambda e: e.journal.append({"words": "Operation cannot be accomplished in current state"}),
        ["{'words': 'Operation cannot be accomplished in current state'}"],
    ),
    ("EFSM", lambda e: e.gateway.append({"reason": "EFSM"}), ["{'reason': 'EFSM'}"]),
    # ---- orders ----
    (
        "orphans",
        lambda e: e.taken.append({"comment": "s-9", "symbol": BTC, "ticket": 1}),
        ["the simulator has 's-9', which is not ours"],
    ),
    (
        "orphans",
        lambda e: e.taken.pop(0),
        ["s-1 is FILLED here, and the simulator never had it"],
    ),
    (
        "orphans",
        lambda e: reorder(e, 5, status="ACCEPTED"),
        ["s-5 is ACCEPTED here, and the simulator never had it"],
    ),
    (
        "orphans",
        lambda e: reorder(e, 5, filled=D("0.1")),
        ["s-5 is REJECTED here, and the simulator never had it"],
    ),
    (
        "orphans",
        lambda e: e.taken.append({"comment": "s-5", "symbol": ETH, "ticket": 3}),
        ["s-5 counts as rejected here, and the simulator took it"],
    ),
    ("orphans", lambda e: e.audit.pop(0), ["s-4 is over here and waits there"]),
    (
        "orphans",
        lambda e: e.journal.pop(0),
        ["orders.csv and the journal tell of other orders"],
    ),
    (
        "cross-symbol",
        lambda e: put(e.requests[0], symbol=ETH),
        ["s-1 is of BTC.s here and of ETH.s there"],
    ),
    (
        "cross-symbol",
        lambda e: put(e.taken[2], symbol=BTC),
        ["s-3 is of ETH.s here and of BTC.s there"],
    ),
    (
        "cross-symbol",
        lambda e: put(e.deals[2], symbol=BTC),
        ["s-3 is of ETH.s here and of BTC.s there"],
    ),
    ("duplicates", lambda e: e.taken.append(e.taken[0]), ["s-1 was taken 2 times"]),
    (
        "duplicates",
        lambda e: e.requests.append(e.requests[0]),
        ["s-1 was sent 2 times, and refused 0 times"],
    ),
    (
        "duplicates",
        lambda e: e.requests.append(e.requests[5]),
        ["s-5 was sent 3 times, and refused 1 times"],
    ),
    (
        "duplicates",
        lambda e: put(books(e), repeated_client_ids={"s-2": 2}),
        ["the simulator's own count says that s-2 was repeated"],
    ),
    ("unknown outcomes", lambda e: reorder(e, 4, status="UNKNOWN"), ["s-4 ended as UNKNOWN"]),
    (
        "unknown outcomes",
        lambda e: reorder(e, 4, status="PARTIALLY_FILLED"),
        ["s-4 ended as PARTIALLY_FILLED"],
    ),
    # ---- fills and money ----
    (
        "fills",
        lambda e: refill(e, 0, price=D(101)),
        [
            "only here: s-1 BUY 0.02 BTC.s at 101, fee 0.1",
            "only there: s-1 BUY 0.02 BTC.s at 100, fee 0.100000000000000000",
        ],
    ),
    (
        "fills",
        lambda e: reorder(e, 1, filled=D("0.01")),
        ["s-1: 0.01 of 0.02, fills 0.02"],
    ),
    (
        "fills",
        lambda e: reorder(e, 1, quantity=D("0.01")),
        ["s-1: 0.02 of 0.01, fills 0.02"],
    ),
    (
        "profit",
        lambda e: put(e.positions[BTC], realised="0.20") or put(e.account, realised="0.20"),
        [
            "BTC.s: realised 0.20, recomputed 0.10",
            "BTC.s: realised 0.20, theirs 0.10",
            "BTC.s: realised and open 0.40, theirs 0.30",
            "the simulator's balance changed by -0.25, ours by -0.15",
            "equity is 1009.95, its parts make 1010.05",
        ],
    ),
    (
        "profit",
        lambda e: put(e.deals[1], profit_money="0.11"),
        [
            "BTC.s: their deals made 0.11, their books 0.10",
            "BTC.s: realised 0.10, theirs 0.11",
        ],
    ),
    (
        "profit",
        lambda e: put(books(e)["symbols"][BTC], open_profit="0.25"),
        ["BTC.s: realised and open 0.30, theirs 0.35"],
    ),
    (
        "profit",
        lambda e: put(books(e)["symbols"][ETH], bid="11"),
        ["ETH.s: realised and open 5.00, theirs 10"],
    ),
    (
        "profit",
        lambda e: put(e.positions[ETH], fees="0.3") or put(e.account, fees="0.45"),
        [
            "ETH.s: fees 0.3, theirs -0.2",
            "the simulator's balance changed by -0.25, ours by -0.35",
            "equity is 1009.95, its parts make 1009.85",
        ],
    ),
    (
        "profit",
        lambda e: put(e.account, realised="0.11"),
        [
            "the account has realised 0.11 and fees 0.35, the symbols sum up to 0.10 and 0.35",
        ],
    ),
    (
        "profit",
        lambda e: put(e.account, fees="0.36"),
        ["the account has realised 0.10 and fees 0.36, the symbols sum up to 0.10 and 0.35"],
    ),
    (
        "profit",
        lambda e: put(books(e), balance="999.76"),
        ["the simulator's balance changed by -0.24, ours by -0.25"],
    ),
    (
        "profit",
        lambda e: put(e.account, equity="1009.96"),
        ["equity is 1009.96, its parts make 1009.95"],
    ),
    (
        "profit",
        lambda e: put(e.account, unrealised="10.3"),
        ["equity is 1009.95, its parts make 1010.05"],
    ),
    (
        "positions",
        lambda e: put(e.positions[BTC], position="0.02"),
        [
            "BTC.s: books, fills and simulator say "
            "(Decimal('0.02'), Decimal('0.01'), Decimal('0.01'))"
        ],
    ),
    (
        "positions",
        lambda e: refill(e, 1, side="BUY"),
        [
            "BTC.s: books, fills and simulator say "
            "(Decimal('0.01'), Decimal('0.03'), Decimal('0.01'))"
        ],
    ),
    (
        "positions",
        lambda e: put(books(e)["symbols"][ETH], volume="0.49"),
        [
            "ETH.s: books, fills and simulator say "
            "(Decimal('0.50'), Decimal('0.50'), Decimal('0.49'))"
        ],
    ),
    (
        "positions",
        lambda e: put(books(e), open_orders=2),
        ["2 orders still wait at the simulator"],
    ),
    # ---- exposure ----
    (
        "exposure",
        lambda e: put(e.config["risk"]["symbols"][ETH], max_position="0.49"),
        [
            "s-3: ETH.s may hold 0.50",
            "s-4: ETH.s may hold 0.50",
            "s-5: ETH.s may hold 0.50",
            "the simulator held 0.50 of ETH.s",
        ],
    ),
    (
        "exposure",
        lambda e: put(e.config["risk"]["total"], max_gross_exposure="60"),
        ["s-4: all may hold 61.10", "s-5: all may hold 61.10"],
    ),
    (
        "exposure",
        lambda e: put(e.config["risk"]["total"], max_gross_exposure="50"),
        ["s-3: all may hold 51.10", "s-4: all may hold 61.10", "s-5: all may hold 61.10"],
    ),
    (
        "exposure",
        lambda e: put(e.deals[0], volume="0.04"),
        ["the simulator held 0.04 of BTC.s"],
    ),
    # ---- the switch and the session ----
    (
        "kill switch",
        lambda e: e.switch.append({"state": "ENGAGED", "time_ns": 1_050}),
        [
            "s-2 left after the switch was thrown",
            "s-3 left after the switch was thrown",
            "s-4 left after the switch was thrown",
            "s-5 left after the switch was thrown",
            "s-5 left after the switch was thrown",
            "6 orders arrived after it was thrown; one may be on its way",
        ],
    ),
    (
        "session",
        lambda e: e.journal.pop(),
        ["the journal ends with 'order_update', not with its seal"],
    ),
    (
        "session",
        lambda e: e.trades.pop(),
        ["2 rows in trades.csv, 3 in the journal"],
    ),
    (
        "session",
        lambda e: put(e.trades[1], price="111"),
        ["fill 2 is another one in the journal"],
    ),
    (
        "session",
        lambda e: put(e.trades[1], quantity="0.02"),
        ["fill 2 is another one in the journal"],
    ),
    (
        "session",
        lambda e: put(e.trades[1], client_order_id="s-1"),
        ["fill 2 is another one in the journal"],
    ),
    (
        "session",
        lambda e: e.journal.insert(0, {"kind": "warning", "code": "RECONCILIATION", "detail": "x"}),
        ["not explained: x"],
    ),
    (
        "session",
        lambda e: setattr(e, "errors", "Traceback (most recent call last):"),
        ["a process told of an exception: see the .err files"],
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


def test_every_rule_is_shown_to_find_something() -> None:
    assert {rule for rule, _, _ in TAMPERED} == set(RULES)


# ---- what is allowed ----


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


# ---- the figures ----


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
