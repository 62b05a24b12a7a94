"""Exits that were held back from a venue, judged again from records alone."""

from __future__ import annotations

from typing import Any

import pytest
from judge_records import BUY, MONDAY_NS, SELL, filled, judged, order, switch, update

from logos.core.records import CommandRecord, GuardRecord
from logos.core.types import Code, OrderStatus, OrderType
from logos.journal.entries import SessionRecord

HELD, NEW = OrderStatus.HELD, OrderStatus.NEW
LONG: list[SessionRecord] = [order(), *filled(1, BUY, 10, 10)]


def exit_order(number: int, **more: Any) -> SessionRecord:
    """A stop at 9.00 that only reduces, of all that is held."""
    fields: dict[str, Any] = {"type": OrderType.STOP, "stop_price_units": 900, "reduce_only": True}
    return order(number, SELL, **{**fields, **more})


def test_the_life_of_an_exit_that_was_held_is_no_finding() -> None:
    records = [*LONG, exit_order(2), update(2, HELD), update(2, NEW, tick=2)]
    assert judged([*records, *filled(2, SELL, 10, 0, tick=2)]) == []


def test_an_exit_is_not_filled_while_it_is_held() -> None:
    records = [*LONG, exit_order(2), update(2, HELD), update(2, OrderStatus.ACCEPTED)]
    assert judged(records) == ["order 2 was HELD, and cannot become ACCEPTED"]


def test_an_order_is_not_held_again_once_it_was_sent() -> None:
    records = [
        *LONG,
        exit_order(2),
        update(2, HELD),
        update(2, NEW),
        update(2, OrderStatus.UNKNOWN),
    ]
    assert judged([*records, update(2, HELD)]) == ["order 2 was UNKNOWN, and cannot become HELD"]


def test_an_exit_that_was_sent_while_the_switch_was_engaged_is_found() -> None:
    before = [*LONG, exit_order(2), update(2, HELD), switch("ENGAGED", tick=2)]
    [message] = judged([*before, update(2, NEW, tick=5)])
    assert message == "order 2 of ACME: sent while the kill switch was ENGAGED"
    assert judged([*before, update(2, OrderStatus.CANCELLED, tick=5)]) == []


def test_reduce_only_lets_an_exit_be_sent_and_no_held_entry() -> None:
    entry = order(2, BUY, type=OrderType.STOP, stop_price_units=1100, group="g")
    records = [*LONG, entry, update(2, HELD), exit_order(3), update(3, HELD)]
    records.append(switch("REDUCE_ONLY", tick=2))
    assert judged([*records, update(3, NEW, tick=5)]) == []
    [message] = judged([*records, update(2, NEW, tick=5)])
    assert message == (
        "order 2 of ACME: grows the position, sent while the kill switch was REDUCE_ONLY"
    )


def test_a_held_sale_does_not_stand_in_its_own_way() -> None:
    sale = order(2, SELL, type=OrderType.STOP, stop_price_units=900, group="g")
    records = [*LONG, sale, update(2, HELD), switch("REDUCE_ONLY", tick=2)]
    assert judged([*records, update(2, NEW, tick=5)]) == []


def test_an_exit_that_is_sent_after_a_halt_or_in_a_paused_symbol_is_found() -> None:
    before = [*LONG, exit_order(2), update(2, HELD)]
    halt = GuardRecord(MONDAY_NS, 1, Code.MAX_DRAWDOWN, "halt", "USD", "fell")
    [message] = judged([*before, halt, update(2, NEW)])
    assert message == "order 2 of ACME: sent after a guard had halted the session"
    pause = CommandRecord(MONDAY_NS, 1, "pause", "look", "ann", "ACME")
    [message] = judged([*before, pause, update(2, NEW)])
    assert message == "order 2 of ACME: sent while an operator had paused the symbol"


AGAIN: list[SessionRecord] = [
    *LONG,
    exit_order(2),
    update(2, HELD),
    update(2, NEW),
    update(2, OrderStatus.REJECTED),
]


def test_an_exit_in_the_place_of_another_passes_limits_as_that_did() -> None:
    strict = {"duplicate_window_s": "60", "total": {"max_orders": 2, "max_orders_window_s": "60"}}
    assert judged([*AGAIN, exit_order(3, follows=2, at_s=1)], strict) == []
    found = judged([*AGAIN, exit_order(3, at_s=1)], strict)
    assert found != [], "without one it passes none"


@pytest.mark.parametrize(
    "more",
    [
        {"follows": 9},
        {"follows": 1},
        {"follows": 3},
        {"follows": 2, "stop_price_units": 950},
        {"follows": 2, "reduce_only": False},
        {"follows": 2, "type": OrderType.MARKET, "stop_price_units": 0},
    ],
    ids=["no order", "the entry", "itself", "another price", "no exit", "another type"],
)
def test_an_order_that_only_claims_the_place_of_an_exit_is_found(more: dict[str, Any]) -> None:
    found = judged([*AGAIN, exit_order(3, **more)])
    words = f"order 3 takes the place of {more['follows']}, which was no such exit"
    assert words in found
