"""Every rule of the stress judge on evidence made by hand: sound, and with one thing changed.

`test_stress_judge` shows on a whole run that the judge fails; here each finding is shown in its own
words, with its figures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stress_evidence import BTC, ETH, LOG_RULES, D, books, evidence, put, record

from logos.stress.judge import RULES

Change = Callable[[Any], object]


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
        ("files", "2 files by their SHA-256"),
        ("EFSM", "3 files"),
        ("lock pairs", "7 pairs in 1 processes, 0 cut off by a kill"),
        (
            "requests",
            "7 pairs: 6 answered, 1 lost, 0 not sent; 8 requests at the simulator, "
            "1 of them before the log began",
        ),
        ("times", "45 times in 4 logs"),
        ("silence", "at most 0.0 s, with requests that failed"),
        ("latency", "not judged: no bound was asked for"),
        ("signals", "8 signals of 2 symbols"),
        ("orphans", "5 orders of ours, 4 of theirs"),
        ("cross-symbol", "13 requests, orders and deals"),
        ("duplicates", "5 client ids"),
        ("tickets", "a netting account"),
        ("unknown outcomes", "1 times an outcome was unknown"),
        ("fills", "3 fills"),
        ("profit", "realised 0.10, fees 0.35"),
        ("positions", "2 symbols"),
        ("exposure", "at most 61.10 of 60.5 in flight and held"),
        ("kill switch", "it was not thrown"),
        ("session", "20 records"),
    ],
)
def test_every_rule_says_what_it_looked_at(rule: str, what: str) -> None:
    assert RULES[rule](evidence())[0] == what


TAMPERED: list[tuple[str, Change, list[str]]] = [
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
    ("orphans", lambda e: e.audit.pop(8), ["s-4 is over here and waits there"]),
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
    (
        "tickets",
        lambda e: put(e.requests[1], id=1001),
        ["s-2 is a request by ticket, and the account is a netting one"],
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
            "their deal of s-2: realised 0.11, recomputed 0.10",
            "BTC.s: their deals made 0.11, their books 0.10",
            "BTC.s: realised 0.10, theirs 0.11",
        ],
    ),
    (
        "profit",
        lambda e: put(e.trades[1], realised="0.12"),
        ["fill 2: realised 0.12, recomputed 0.10"],
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
        lambda e: e.journal.insert(
            0, record({"kind": "guard", "code": "RECONCILIATION", "detail": "x"})
        ),
        ["not explained: x"],
    ),
    (
        "session",
        lambda e: e.journal.insert(
            0, record({"kind": "refusal", "code": "RECONCILIATION", "detail": "y"})
        ),
        ["not explained: y"],
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
    assert {rule for rule, _, _ in TAMPERED} == set(RULES) - LOG_RULES
