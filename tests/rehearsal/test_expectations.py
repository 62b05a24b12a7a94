"""Each check can hold and can fail; the journal is verified before it is believed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_bodies import (
    BOTH,
    ENDED,
    ENGAGED,
    GUARD,
    HALTED,
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
from rehearsal_helpers import evidence, write_journal

from logos.core.instrument import instrument
from logos.core.messages import Quote
from logos.rehearsal.evidence import JournalView
from logos.rehearsal.expectations import Expectation
from logos.rehearsal.feed import scaled

# (check, records or facts with which it holds, those with which it must not)
CASES: list[tuple[Body, list[Body] | Body, list[Body] | Body]] = [
    ({"check": "sealed", "status": "HALTED"}, [HALTED], [ENDED]),
    ({"check": "sealed", "status": ["ENDED", "HALTED"]}, [ENDED], []),
    ({"check": "sealed", "status": "HALTED", "reason": "drill"}, [HALTED], [ENDED]),
    ({"check": "unsealed"}, [ENGAGED], [ENDED]),
    ({"check": "switch_seen", "state": "ENGAGED"}, [ENGAGED], [REDUCING]),
    (
        {"check": "switch_seen", "state": "ENGAGED", "at_injection": True},
        [{**ENGAGED, "tick_id": 4}],
        [{**ENGAGED, "tick_id": 6}],
    ),
    ({"check": "orders_after_block"}, [order(1, 4), ENGAGED], [ENGAGED, order(1, 5)]),
    ({"check": "orders_after_block"}, [ENGAGED], [order(1, 4), ENGAGED, fill(1, 5, 1)]),
    ({"check": "orders_after_block"}, [ENGAGED], []),
    ({"check": "orders_from_injection", "at_most": 0}, [order(1, 4)], [order(1, 5)]),
    ({"check": "orders_from_injection", "at_most": 0}, [], {"tick": 0}),
    ({"check": "blocked", "at_least": 2}, [blocked(5), blocked(6)], [blocked(5)]),
    (
        {"check": "blocked", "to_the_end": True},
        [blocked(tick) for tick in range(5, 11)],
        [blocked(tick) for tick in range(5, 10)],
    ),
    (
        {"check": "refused", "code": "STALE_DATA"},
        [refusal("MARKET_CLOSED", 5, "STALE_DATA")],
        [refusal("STALE_DATA", 4), refusal("STALE_DATA", 6)],
    ),
    (
        {"check": "refused", "at_least": 2},
        [refusal("ORDER_RATE", 5), refusal("MAX_POSITION", 5)],
        [refusal("ORDER_RATE", 5), refusal("MAX_POSITION", 6)],
    ),
    (
        {"check": "refused", "code": "ORDER_RATE", "at_least": 2, "or_later": True},
        [refusal("ORDER_RATE", 5), refusal("ORDER_RATE", 7)],
        [refusal("ORDER_RATE", 4), refusal("ORDER_RATE", 7)],
    ),
    (
        {"check": "guards_together", "codes": BOTH},
        [refusal(BOTH[0], 5, BOTH[1])],
        [refusal(BOTH[1], 5, BOTH[0])],
    ),
    (
        {"check": "guards_together", "codes": BOTH},
        [refusal(BOTH[0], 5, BOTH[1])],
        [refusal(BOTH[0], 5), refusal(BOTH[1], 5), refusal(BOTH[0], 4, BOTH[1])],
    ),
    (
        {"check": "guard", "code": "MAX_DRAWDOWN", "action": "engage"},
        [GUARD],
        [{**GUARD, "action": "refuse"}, {**GUARD, "tick_id": 4}],
    ),
    (
        {"check": "guard", "code": "MAX_DRAWDOWN", "action": "engage"},
        [{**GUARD, "tick_id": 5}],
        [{**GUARD, "tick_id": 4}],
    ),
    ({"check": "orders_from_injection", "at_most": 0}, {"tick": 1}, {"tick": 0}),
    (
        {"check": "only_reducing_after"},
        [REDUCING, {**REDUCING, "state": "SAFE"}],
        [REDUCING, {**REDUCING, "state": "SAFE"}, order(1, 6)],
    ),
    (
        {"check": "tripped", "codes": [*BOTH, "MAX_DRAWDOWN"]},
        [refusal(BOTH[0], 5, BOTH[1]), GUARD],
        [refusal(BOTH[0], 5), GUARD],
    ),
    (
        {"check": "tripped", "codes": BOTH[:1]},
        [refusal("STALE_DATA", 9, BOTH[0])],
        [refusal(BOTH[0], 4)],
    ),
    ({"check": "tripped", "codes": ["MAX_DRAWDOWN"]}, [{**GUARD, "tick_id": 5}], {"tick": 0}),
    ({"check": "warned", "code": "BAD_PRICE"}, [WARNING], [{**WARNING, "code": "OTHER"}]),
    ({"check": "every_order_ended"}, [order(1, 1), update(1)], [order(1, 1)]),
    (
        {"check": "every_order_ended", "by": "SESSION_ENDED"},
        [order(1, 1), update(1, "CANCELLED", "SESSION_ENDED")],
        [order(1, 1), update(1)],
    ),
    ({"check": "no_fills_at_injection"}, [fill(1, 6, 1)], [fill(1, 5, 1)]),
    ({"check": "equity_identity"}, [account(100)], [account(101)]),
    (
        {"check": "equity_identity"},
        [fill(1, 1, 1, fee=3), account(97, fees=3)],
        [fill(1, 1, 1, fee=2), account(97, fees=3)],
    ),
    ({"check": "equity_identity"}, [account(100)], []),
    (
        {"check": "order_rate", "at_most": 2, "window_s": "3"},
        [order(1, 1), order(2, 2), order(3, 4)],
        [order(1, 1), order(2, 2), order(3, 3)],
    ),
    (
        {"check": "no_duplicates", "window_s": "3"},
        [order(1, 1), order(2, 4), order(3, 4, quantity=2)],
        [order(1, 1), order(2, 3)],
    ),
    (
        {"check": "only_reducing_after"},
        [order(1, 1), fill(1, 2, 1), REDUCING, order(2, 6, "SELL")],
        [order(1, 1), fill(1, 2, 1), REDUCING, order(2, 6, "SELL"), order(3, 6, "SELL")],
    ),
    ({"check": "only_reducing_after"}, [REDUCING], [REDUCING, order(1, 6)]),
    ({"check": "only_reducing_after"}, [REDUCING], [order(1, 6)]),
    ({"check": "outcome", "exit_code": 4}, {"exit_code": 4}, {"exit_code": 0}),
    (
        {"check": "outcome", "exit_code": 4, "says": "reset"},
        {"exit_code": 4, "error": "kill reset"},
        {"exit_code": 4},
    ),
    ({"check": "sessions", "equals": 1}, {"sessions": 1}, {"sessions": 2}),
    (
        {"check": "switch_history", "last": "ENGAGED"},
        {"switch_history": ["SAFE", "ENGAGED"]},
        {"switch_history": ["ENGAGED", "SAFE"]},
    ),
    ({"check": "journal_intact"}, [ENDED], {"damage": True}),
]


def judge(check: Body, case: list[Body] | Body, path: Path) -> bool:
    expectation = msgspec.convert(check, Expectation)
    facts = dict(case) if isinstance(case, dict) else {}
    damage = facts.pop("damage", False)
    bodies = case if isinstance(case, list) else [ENDED]
    found = evidence(path, bodies, **facts)
    if damage:
        path.write_bytes(path.read_bytes().replace(b"ENDED", b"ENDEd"))
        found.journal.__init__(path)  # type: ignore[misc]
    return bool(expectation.judge(found).holds)


@pytest.mark.parametrize(("check", "good", "bad"), CASES)
def test_a_check_holds_when_it_should_and_fails_when_it_must(
    tmp_path: Path, check: Body, good: list[Body] | Body, bad: list[Body] | Body
) -> None:
    assert judge(check, good, tmp_path / "good.jsonl")
    assert not judge(check, bad, tmp_path / "bad.jsonl")


def test_every_kind_of_check_is_shown_to_fail() -> None:
    kinds = {str(kind.__struct_config__.tag) for kind in Expectation.__args__}
    assert {check["check"] for check, _, _ in CASES} == kinds


def test_a_torn_last_line_is_told_from_damage(tmp_path: Path) -> None:
    path = write_journal(tmp_path / "j.jsonl", [order(1, 1), update(1), ENDED])
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    torn = JournalView(path)
    assert (len(torn.records), torn.is_torn, torn.problem) == (3, True, "")
    lines = whole.splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    assert "record 2" in JournalView(path).problem


def test_an_absent_journal_proves_nothing(tmp_path: Path) -> None:
    journal = JournalView(tmp_path / "absent.jsonl")
    assert journal.problem
    assert journal.records == []


@given(
    bid=st.integers(1, 10**9),
    spread=st.integers(0, 100),
    factor=st.decimals(Decimal("0.001"), Decimal(1000), places=3),
)
def test_scaled_prices_stay_on_the_tick_and_keep_their_order(
    bid: int, spread: int, factor: Decimal
) -> None:
    acme = instrument("ACME", tick="0.25", lot="1", quote="USD")
    quote = Quote(1, "ACME", bid * acme.tick, (bid + spread) * acme.tick, -1, -1, acme)
    changed = scaled(quote, factor)
    assert isinstance(changed, Quote)
    assert changed.bid_units % acme.tick == changed.ask_units % acme.tick == 0
    assert 0 < changed.bid_units <= changed.ask_units
    assert abs(changed.bid_units - quote.bid_units * factor) <= acme.tick
