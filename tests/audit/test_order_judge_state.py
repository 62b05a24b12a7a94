"""Orders judged again by losses, exposure, equity and the kill switch of their moment."""

from __future__ import annotations

import pytest
from judge_records import BUY, MONDAY_NS, SELL, account, at, filled, judged, order, switch, update

from logos.audit.orders import FINDINGS_MAX, OrderJudge, not_judged
from logos.audit.rules import SessionRules
from logos.config import make_config
from logos.core.records import (
    CommandRecord,
    GuardRecord,
    LedgerAtOrder,
    LotClosure,
)
from logos.core.types import Code, OrderStatus
from logos.journal.entries import Sealed, SessionRecord

# ---- losses ----


def losing(number: int, *, at_s: int) -> list[SessionRecord]:
    """A round trip that loses a dollar."""
    closure = LotClosure(1, 10, 1010, -100, 0)
    return [
        order(number, at_s=at_s), *filled(number, BUY, 10, 10, at_s=at_s),
        order(number + 1, SELL, at_s=at_s),
        *filled(number + 1, SELL, 10, 0, at_s=at_s, lots=(closure,)),
    ]  # fmt: skip


def test_an_order_after_too_many_losses_in_a_row_is_found_unless_it_only_closes() -> None:
    risk = {"total": {"max_consecutive_losses": 2}}
    two = [*losing(1, at_s=0), *losing(3, at_s=1)]
    assert judged(two, risk) == []
    [message] = judged([*two, order(5, at_s=2)], risk)
    assert "made after 2 losses in a row, max_consecutive_losses is 2" in message
    closing = [
        *two[:-3],
        *two[-3:-1],
        two[-1],
    ]
    assert judged(closing, risk) == []


def test_a_gain_ends_the_run_of_losses() -> None:
    gain = LotClosure(1, 10, 990, 100, 0)
    won = [
        order(3, at_s=1), *filled(3, BUY, 10, 10, at_s=1),
        order(4, SELL, at_s=1), *filled(4, SELL, 10, 0, at_s=1, lots=(gain,)),
    ]  # fmt: skip
    records = [*losing(1, at_s=0), *won, *losing(5, at_s=2), order(7, at_s=3)]
    assert judged(records, {"total": {"max_consecutive_losses": 2}}) == []


# ---- exposure and falls of equity, from what the order's ledger showed ----

HELD: list[SessionRecord] = [
    order(ledger=at(0, 0, 100_000)), *filled(1, BUY, 10, 10),
]  # fmt: skip
"""Ten bought at 10.00: 100.00 dollars of the position, if that is still its price."""


def test_gross_exposure_that_could_pass_its_limit_is_found() -> None:
    risk = {"total": {"max_gross_exposure": "150"}}
    shown = at(10_000, 10_000, 100_000)
    assert judged([*HELD, order(2, quantity=5, ledger=shown)], risk) == []
    [message] = judged([*HELD, order(2, quantity=6, ledger=shown)], risk)
    assert "a gross exposure of 16000 money units could result, the limit is 15000" in message


def test_gross_exposure_counts_what_is_open_already() -> None:
    risk = {"total": {"max_gross_exposure": "150"}}
    none = at(0, 0, 100_000)
    assert judged([order(ledger=none), order(2, quantity=5, ledger=none)], risk) == []
    assert len(judged([order(ledger=none), order(2, quantity=6, ledger=none)], risk)) == 1


def test_a_sale_that_turns_the_position_over_is_judged_by_what_it_would_be_then() -> None:
    risk = {"total": {"max_gross_exposure": "150"}}
    shown = at(10_000, 10_000, 100_000)
    assert judged([*HELD, order(2, SELL, 25, ledger=shown)], risk) == []
    [message] = judged([*HELD, order(2, SELL, 26, ledger=shown)], risk)
    assert "a gross exposure of 16000 money units could result" in message


def test_parts_of_equity_are_limits_too() -> None:
    none = at(0, 0, 100_000)
    one = {"max_order_share": "0.1"}
    assert judged([order(ledger=none)], one) == []
    [message] = judged([order(quantity=11, ledger=none)], one)
    assert "adds 11000 money units, max_order_share comes to 10000" in message
    whole = {"max_position_share": "0.1"}
    assert judged([order(quantity=4, ledger=none), order(2, quantity=6, ledger=none)], whole) == []
    [message] = judged([order(quantity=4, ledger=none), order(2, quantity=7, ledger=none)], whole)
    assert "a position worth 11000 money units could result, max_position_share comes to" in message
    gross = {"total": {"max_gross_share": "0.1", "max_gross_exposure": "500"}}
    assert judged([order(ledger=none)], gross) == []
    [message] = judged([order(quantity=11, ledger=none)], gross)
    assert "a gross exposure of 11000 money units could result, the limit is 10000" in message


def test_a_part_of_equity_bounds_what_an_order_adds_and_not_what_it_closes() -> None:
    shown = at(10_000, 10_000, 100_000)
    risk = {"max_order_share": "0.05", "max_position_share": "0.05"}
    sale = order(2, SELL, 15, ledger=shown)
    first = order(quantity=5, ledger=at(0, 0, 100_000))
    bought: list[SessionRecord] = [first, *filled(1, BUY, 5, 5)]
    closing = order(2, SELL, 10, ledger=at(5_000, 5_000, 100_000))
    assert judged([*bought, closing], risk) == []
    assert len(judged([*HELD[:1], *HELD[1:], sale], {"max_order_share": "0.04"})) == 2


def test_net_exposure_that_could_pass_its_limit_is_found_either_way() -> None:
    risk = {"total": {"max_net_exposure": "150"}}
    shown = at(10_000, 10_000, 100_000)
    assert judged([*HELD, order(2, quantity=5, ledger=shown)], risk) == []
    [message] = judged([*HELD, order(2, quantity=6, ledger=shown)], risk)
    assert "a net exposure of 16000 money units could result, the limit is 15000" in message
    assert judged([*HELD, order(2, SELL, 25, ledger=shown)], risk) == []
    assert len(judged([*HELD, order(2, SELL, 26, ledger=shown)], risk)) == 1


def test_an_order_in_a_drawdown_is_found_unless_it_only_closes() -> None:
    risk = {"total": {"max_drawdown": "50"}}
    fallen = at(4_999, 4_999, 94_999)
    [message] = judged([*HELD, order(2, tick=2, reference_price_units=499, ledger=fallen)], risk)
    assert "made 5001 money units below the high-water mark; the settings allow 5000" in message
    closing = order(2, SELL, tick=2, reference_price_units=500, ledger=at(5_000, 5_000, 95_000))
    assert judged([*HELD, closing], risk) == []
    allowed = at(5_000, 5_000, 95_000)
    assert judged([*HELD, order(2, tick=2, reference_price_units=500, ledger=allowed)], risk) == []


def test_a_share_of_the_high_water_mark_is_an_allowance_too() -> None:
    risk = {"total": {"max_drawdown": "500", "max_drawdown_share": "0.05"}}
    fallen = at(4_999, 4_999, 94_999)
    [message] = judged([*HELD, order(2, tick=2, reference_price_units=499, ledger=fallen)], risk)
    assert "the settings allow 5000" in message


def test_an_order_after_the_days_loss_is_found() -> None:
    risk = {"total": {"max_daily_loss": "50"}}
    records = [account(100_000), *HELD]
    lost = order(2, tick=2, reference_price_units=499, ledger=at(4_999, 4_999, 94_999))
    [message] = judged([*records, lost], risk)
    assert "made after 5001 money units were lost on the day; max_daily_loss is 5000" in message
    # The next day begins at 950.00.
    morrow = order(
        2, at_s=90_000, tick=2, reference_price_units=499, ledger=at(4_999, 4_999, 94_999)
    )
    assert judged([*records, account(95_000, at_s=86_400), morrow], risk) == []


def test_a_fall_that_no_guard_noticed_is_found_in_the_samples() -> None:
    risk = {"total": {"max_drawdown": "50"}}
    guard = GuardRecord(MONDAY_NS, 1, Code.MAX_DRAWDOWN, "refuse", "USD", "fell")
    fallen = account(94_000, fell=6_000, high=100_000, at_s=60)
    assert judged([account(100_000), guard, fallen], risk) == []
    [message] = judged([account(100_000), fallen], risk)
    assert message == (
        "USD: equity had fallen by 6000 money units, 5000 are allowed, and no guard tripped"
    )


def test_an_order_that_hides_its_ledger_is_found_where_a_limit_asks_for_it() -> None:
    risk = {"total": {"max_gross_exposure": "150"}}
    [message] = judged([order()], risk)
    assert "does not say what its ledger showed, and a limit asks for it" in message
    assert judged([order()], risk, has_ledger=False) == []  # older software noted nothing


@pytest.mark.parametrize(
    "shown",
    [
        at(0, 0, 90_000),  # no worth at all, of ten held
        at(9_000, 10_000, 100_000),  # more with its sign than without
        at(12_000, 10_000, 100_000),  # one position, and two worths of it
        at(10_000, 10_000, 100_001),  # equity that does not follow from cash and worth
    ],
)
def test_a_ledger_that_contradicts_the_fills_is_found(shown: LedgerAtOrder) -> None:
    risk = {"total": {"max_gross_exposure": "1000"}}
    [message] = judged([*HELD, order(2, ledger=shown)], risk)
    assert message == "order 2 of ACME: its ledger does not agree with the fills before it"


def test_a_mark_that_the_order_shows_must_be_that_of_its_ledger() -> None:
    risk = {"total": {"max_gross_exposure": "1000"}}
    shown = at(9_000, 9_000, 99_000)
    assert judged([*HELD, order(2, SELL, reference_price_units=900, ledger=shown)], risk) == []
    assert len(judged([*HELD, order(2, SELL, reference_price_units=901, ledger=shown)], risk)) == 1


# ---- the switch ----


def test_an_order_while_the_switch_was_engaged_is_found() -> None:
    [message] = judged([switch("ENGAGED"), order(tick=2)])
    assert message == "order 1 of ACME: made while the kill switch was ENGAGED"
    assert judged([switch("ENGAGED"), switch("SAFE", tick=2), order(tick=2)]) == []


def test_an_order_that_grows_the_position_under_reduce_only_is_found() -> None:
    before = [*HELD, switch("REDUCE_ONLY")]
    assert judged([*before, order(2, SELL, 10)]) == []
    for number in (order(2), order(2, SELL, 11)):
        [message] = judged([*before, number])
        assert "grows the position, made while the kill switch was REDUCE_ONLY" in message


def test_a_reset_between_the_two_gates_of_one_tick_explains_an_order() -> None:
    records: list[SessionRecord] = [switch("REDUCE_ONLY"), order(tick=5)]
    assert judged([*records, switch("SAFE", tick=6)]) == []
    assert len(judged([*records, switch("SAFE", tick=7)])) == 1
    assert len(judged([*records, switch("ENGAGED", tick=6)])) == 1


@pytest.mark.parametrize(
    ("action", "state"),
    [("engage", "ENGAGED"), ("reduce_only", "REDUCE_ONLY")],
)
def test_a_guard_that_was_to_throw_the_switch_and_did_not_is_found(action: str, state: str) -> None:
    guard = GuardRecord(MONDAY_NS, 1, Code.MAX_POSITION, action, "ACME", "")
    assert judged([guard, switch(state)]) == []
    assert judged([switch("ENGAGED"), guard, account(100_000)]) == []
    [message] = judged([guard, Sealed("ENDED", "")])
    assert message == f"a guard was to make the switch {state}; it did not"


def test_a_state_that_no_switch_has_is_found_and_lets_nothing_out() -> None:
    assert judged([switch("OFF")]) == ["'OFF' is no state of a kill switch"]


def test_an_order_after_a_guard_halted_the_session_is_found() -> None:
    guard = GuardRecord(MONDAY_NS, 1, Code.MAX_POSITION, "halt", "ACME", "")
    assert judged([order(), guard]) == []
    [message] = judged([guard, order()])
    assert message == "order 1 of ACME: made after a guard had halted the session"


def test_an_order_in_a_paused_symbol_is_found() -> None:
    pause, unpause, flatten = (
        CommandRecord(MONDAY_NS, 1, word, "", "anna", "ACME")
        for word in ("pause", "unpause", "flatten")
    )
    [message] = judged([pause, order()])
    assert message == "order 1 of ACME: made while an operator had paused the symbol"
    assert judged([pause, unpause, order()]) == []
    assert judged([pause, flatten, order()]) == []


def test_findings_are_counted_beyond_those_that_are_described() -> None:
    config = make_config({"instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}}})
    judge = OrderJudge("one", SessionRules.of(config), has_ledger=True)
    for sequence in range(FINDINGS_MAX + 5):
        judge.see(sequence, update(1, OrderStatus.ACCEPTED))
    assert (len(judge.findings), judge.found_count) == (FINDINGS_MAX, FINDINGS_MAX + 5)
    judge.close()
    assert judge.findings[-1].message == "5 more findings about orders are not listed"


def test_what_the_settings_ask_for_and_the_journal_cannot_show_is_named() -> None:
    assert not_judged(make_config({})) == ["funds that open orders bind"]
    risk = {"symbols": {"ACME": {"stale_after_s": "5"}}, "guards": ["mine:small"]}
    names = ["funds that open orders bind", "the age of prices", "guards of your own"]
    assert not_judged(make_config({"risk": risk})) == names
    live = make_config({"live": {"feed": "replay"}})
    assert not_judged(live)[1] == "the latencies in session.md"
