"""What a rehearsal says it saw, check by check, in its own words and figures."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from journal_bodies import (
    BOTH,
    ENDED,
    ENGAGED,
    GUARD,
    REDUCING,
    WARNING,
    Body,
    account,
    blocked,
    fill,
    order,
    refusal,
    update,
)
from rehearsal_helpers import evidence

from logos.rehearsal.expectations import Expectation

ACCOUNTS = [account(100), account(100)]
RISING = {**account(97, fees=3), "currency": "EUR"}

# (check, records, whether it holds, what was seen)
SEEN: list[tuple[Body, list[Body], bool, str]] = [
    ({"check": "journal_intact"}, [ENGAGED, ENDED], True, "3 records chained"),
    ({"check": "sealed", "status": "ENDED"}, [ENDED], True, "sealed ENDED: all events processed"),
    ({"check": "sealed", "status": "ENDED", "reason": "drill"}, [ENDED], False,
     "sealed ENDED: all events processed"),
    ({"check": "sealed", "status": "ENDED"}, [ENGAGED], False, "not sealed"),
    ({"check": "unsealed"}, [ENGAGED], True, "not sealed"),
    ({"check": "unsealed"}, [ENDED], False, "sealed"),
    ({"check": "switch_seen", "state": "ENGAGED"}, [ENGAGED], True, "ENGAGED at tick 5: drill"),
    ({"check": "switch_seen", "state": "SAFE"}, [ENGAGED], False, "never seen SAFE"),
    ({"check": "switch_seen", "state": "ENGAGED", "at_injection": True},
     [{**ENGAGED, "tick_id": 3}], False, "ENGAGED at tick 3: drill"),
    ({"check": "switch_seen", "state": "ENGAGED", "at_injection": True},
     [{**ENGAGED, "tick_id": 5}], True, "ENGAGED at tick 5: drill"),
    ({"check": "orders_after_block"}, [], False, "the switch was never seen ENGAGED"),
    ({"check": "orders_after_block"}, [ENGAGED, order(1, 5), fill(1, 5, 1)], False,
     "1 orders, 1 fills after it"),
    ({"check": "orders_after_block"}, [order(1, 5), ENGAGED], True, "0 orders, 0 fills after it"),
    ({"check": "orders_from_injection", "at_most": 1}, [order(1, 4), order(2, 5)], True,
     "1 orders from tick 5 on"),
    ({"check": "orders_from_injection", "at_most": 1}, [order(1, 5), order(2, 6)], False,
     "2 orders from tick 5 on"),
    ({"check": "blocked"}, [], False, "no tick was blocked"),
    ({"check": "blocked"}, [blocked(6), blocked(8)], True, "2 ticks blocked, 6 to 8"),
    ({"check": "blocked", "to_the_end": True}, [blocked(6), blocked(8)], False,
     "2 ticks blocked, 6 to 8"),
    ({"check": "refused", "code": "ORDER_RATE"}, [refusal("ORDER_RATE", 5)], True,
     "1 refused with ORDER_RATE"),
    ({"check": "refused", "code": "ORDER_RATE"}, [refusal("STALE_DATA", 5)], False,
     "0 refused with ORDER_RATE; 1 STALE_DATA"),
    ({"check": "refused", "code": "ORDER_RATE"}, [], False,
     "0 refused with ORDER_RATE; none other"),
    ({"check": "refused"},
     [refusal("ORDER_RATE", 5), refusal("STALE_DATA", 5), refusal("ORDER_RATE", 5)], True,
     "3 refused; 2 ORDER_RATE, 1 STALE_DATA"),
    ({"check": "guards_together", "codes": BOTH}, [], False, "no refusal names them together"),
    ({"check": "guards_together", "codes": BOTH}, [refusal(BOTH[1], 5, BOTH[0])], False,
     "tick 5: out of order: MAX_ORDER_NOTIONAL, MAX_ORDER_QUANTITY"),
    ({"check": "guards_together", "codes": BOTH},
     [refusal(BOTH[0], 5, BOTH[1], "MAX_POSITION")], True,
     "tick 5: MAX_ORDER_QUANTITY, MAX_ORDER_NOTIONAL, MAX_POSITION"),
    ({"check": "guard", "code": "MAX_DRAWDOWN", "action": "engage"}, [GUARD], True,
     "MAX_DRAWDOWN engage at tick 6"),
    ({"check": "guard", "code": "MAX_DRAWDOWN", "action": "engage"},
     [{**GUARD, "action": "refuse"}], False, "MAX_DRAWDOWN refuse at tick 6"),
    ({"check": "guard", "code": "ORDER_RATE", "action": "engage"}, [GUARD], False,
     "no record of ORDER_RATE"),
    ({"check": "tripped", "codes": ["MAX_DRAWDOWN", "ORDER_RATE"]},
     [GUARD, refusal("ORDER_RATE", 7), refusal("ORDER_RATE", 8)], True,
     "MAX_DRAWDOWN at tick 6, ORDER_RATE at tick 7"),
    ({"check": "tripped", "codes": ["MAX_DRAWDOWN", "ORDER_RATE"]}, [GUARD], False,
     "MAX_DRAWDOWN at tick 6, ORDER_RATE never"),
    ({"check": "warned", "code": "BAD_PRICE"}, [WARNING], True, "BAD_PRICE at tick 5"),
    ({"check": "warned", "code": "OTHER"}, [WARNING], False, "no OTHER"),
    ({"check": "every_order_ended"}, [order(1, 1), update(1)], True, "1 orders, 0 left open"),
    ({"check": "every_order_ended"}, [order(1, 1), order(2, 1), update(1)], False,
     "2 orders, 1 left open"),
    ({"check": "every_order_ended", "by": "DAY_ENDED"}, [order(1, 1), update(1)], False,
     "1 orders, 0 left open, 0 ended by DAY_ENDED"),
    ({"check": "every_order_ended", "by": "DAY_ENDED"},
     [order(1, 1), update(1, "EXPIRED", "DAY_ENDED"), order(2, 1)], False,
     "2 orders, 1 left open, 1 ended by DAY_ENDED"),
    ({"check": "no_fills_at_injection"}, [fill(1, 5, 1), fill(1, 5, 1)], False, "2 at tick 5"),
    ({"check": "no_fills_at_injection"}, [fill(1, 4, 1)], True, "0 at tick 5"),
    ({"check": "equity_identity"}, ACCOUNTS, True, "exact in 2 samples"),
    ({"check": "equity_identity"}, [account(100), account(99)], False, "not so for USD at 1 ns"),
    ({"check": "equity_identity"}, [account(103) | {"unrealised_units": 3}], True,
     "exact in 1 samples"),
    ({"check": "equity_identity"}, [account(97) | {"realised_units": -3}], False,
     "USD: the fills' realised_units are not the ledger's"),
    ({"check": "equity_identity"}, [account(97, fees=3)], False,
     "USD: the fills' fees_units are not the ledger's"),
    ({"check": "equity_identity"}, [fill(1, 1, 1, fee=3), account(97, fees=3), RISING], False,
     "EUR: the fills' fees_units are not the ledger's"),
    ({"check": "order_rate", "at_most": 2, "window_s": "3"},
     [order(1, 1), order(2, 2), order(3, 4)], True, "at most 2 orders in 3 s"),
    ({"check": "order_rate", "at_most": 2, "window_s": "3.5"},
     [order(1, 1), order(2, 2), order(3, 4)], False, "at most 3 orders in 3.5 s"),
    ({"check": "no_duplicates", "window_s": "3"}, [order(1, 1), order(2, 3)], False,
     "order 2 repeats one within the window"),
    ({"check": "no_duplicates", "window_s": "3"}, [order(1, 1), order(2, 4)], True,
     "1 different orders, none repeated within 3 s"),
    ({"check": "no_duplicates", "window_s": "3"}, [order(1, 1), order(2, 4), order(3, 6)], False,
     "order 3 repeats one within the window"),
    ({"check": "only_reducing_after"}, [REDUCING, order(7, 6)], False, "order 7 could grow ACME"),
    ({"check": "only_reducing_after"},
     [order(1, 1), fill(1, 2, 1), REDUCING, order(2, 6, "SELL")], True,
     "1 orders after it, none that could grow a position"),
    ({"check": "only_reducing_after"}, [order(1, 1)], False,
     "0 orders after it, none that could grow a position"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "bodies", "holds", "seen"), SEEN)
def test_what_was_seen_is_said(
    tmp_path: Path, check: Body, bodies: list[Body], holds: bool, seen: str
) -> None:
    finding = msgspec.convert(check, Expectation).judge(evidence(tmp_path / "j.jsonl", bodies))
    assert (finding.holds, finding.seen) == (holds, seen)


@pytest.mark.parametrize("torn", [True, False])
def test_a_torn_journal_is_intact_only_where_a_crash_is_expected(
    tmp_path: Path, torn: bool
) -> None:
    path = tmp_path / "j.jsonl"
    found = evidence(path, [order(1, 1), update(1), ENDED])
    path.write_bytes(path.read_bytes()[:-10])
    found.journal.__init__(path)  # type: ignore[misc]
    check = msgspec.convert({"check": "journal_intact", "torn": torn}, Expectation)
    assert check.judge(found).holds is torn
    assert check.judge(found).seen.endswith("records chained, and a torn last line")


@pytest.mark.parametrize(
    ("check", "facts", "holds", "seen"),
    [
        ({"check": "outcome", "exit_code": 4}, {"exit_code": 4, "error": "why"}, True,
         "exit code 4 why"),
        ({"check": "outcome", "exit_code": 0}, {"exit_code": 4}, False, "exit code 4"),
        ({"check": "sessions", "equals": 1}, {"sessions": 2}, False, "2 session folders"),
        ({"check": "switch_history", "last": "SAFE"}, {"switch_history": ["ENGAGED", "SAFE"]},
         True, "ENGAGED -> SAFE"),
        ({"check": "switch_history", "last": "SAFE"}, {"switch_history": []}, False, "no history"),
        ({"check": "no_fills_at_injection"}, {"tick": 0}, False, "0 at tick 0"),
        ({"check": "orders_from_injection", "at_most": 0}, {"tick": 0}, False,
         "0 orders from tick 0 on"),
    ],
)  # fmt: skip
def test_what_was_seen_beside_the_journal_is_said(
    tmp_path: Path, check: Body, facts: Body, holds: bool, seen: str
) -> None:
    found = evidence(tmp_path / "j.jsonl", [ENDED], **facts)
    finding = msgspec.convert(check, Expectation).judge(found)
    assert (finding.holds, finding.seen) == (holds, seen)


@pytest.mark.parametrize(
    ("before", "after", "holds"),
    [
        # Held 2 long: sells of 2 in all may follow, filled or still open; one that ended is off.
        ([], [order(2, 6, "SELL", 2)], True),
        ([], [order(2, 6, "SELL", 3)], False),
        ([], [order(2, 6, "SELL"), order(3, 6, "SELL"), order(4, 6, "SELL")], False),
        ([], [order(2, 6, "SELL", 2), update(2, "CANCELLED"), order(3, 6, "SELL", 2)], True),
        ([], [order(2, 6, "SELL", 2), update(2, "REJECTED"), order(3, 6, "SELL", 2)], True),
        ([], [order(2, 6, "SELL", 2), update(2, "EXPIRED"), order(3, 6, "SELL", 2)], True),
        ([], [order(2, 6, "SELL", 2), update(2, "ACCEPTED"), order(3, 6, "SELL")], False),
        ([order(9, 3, "SELL", 2)], [order(2, 6, "SELL")], False),
        ([order(9, 3, "BUY", 2)], [order(2, 6, "SELL", 2)], True),
        ([{**order(9, 3, "SELL", 2), "symbol": "EMCA"}], [order(2, 6, "SELL", 2)], True),
        ([], [{**order(2, 6, "SELL"), "symbol": "EMCA"}], False),
        (
            [],
            [
                order(2, 6, "SELL"),
                {**fill(2, 6, 1), "side": "SELL"},
                order(3, 6, "SELL"),
                {**fill(3, 6, 0), "side": "SELL"},
                order(4, 7, "SELL"),
            ],
            False,
        ),
        (
            [],
            [order(2, 6, "SELL", 2), {**fill(2, 6, 1), "side": "SELL"}, order(3, 7, "SELL")],
            False,
        ),
    ],
)
def test_only_reducing_counts_what_is_held_and_open(
    tmp_path: Path, before: list[Body], after: list[Body], holds: bool
) -> None:
    long = [order(1, 1, "BUY", 2), fill(1, 2, 1), fill(1, 2, 2)]
    found = evidence(tmp_path / "j.jsonl", [*long, *before, REDUCING, *after])
    check = msgspec.convert({"check": "only_reducing_after"}, Expectation)
    assert check.judge(found).holds is holds


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ({"check": "unsealed"}, "unsealed"),
        ({"check": "sealed", "status": "HALTED"}, "sealed: status HALTED"),
        ({"check": "sealed", "status": ["A", "B"], "reason": "x"}, "sealed: status A, B, reason x"),
        ({"check": "refused", "at_least": 1}, "refused"),
        ({"check": "refused", "code": "X", "or_later": True}, "refused: code X, or later True"),
        ({"check": "blocked", "at_least": 2}, "blocked: at least 2"),
    ],
)
def test_an_expectation_is_printed_in_words(check: Body, words: str) -> None:
    assert msgspec.convert(check, Expectation).words() == words
