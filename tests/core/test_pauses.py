"""Operators' pauses of a symbol and of the session, and data that comes late."""

from __future__ import annotations

import pytest
from guard_helpers import BUY, SELL, Rig, trips_in

from logos.core.guards import Action
from logos.core.messages import (
    Flatten,
    Lag,
    PauseSymbol,
    ResumeTrading,
    Suspend,
    UnpauseSymbol,
)
from logos.core.records import CommandRecord
from logos.core.strategy import limit, market
from logos.core.types import Code
from logos.testing.builders import (
    ends_in,
    fills_in,
    orders_in,
)

# ---- lag ----


@pytest.mark.parametrize(("lag_ns", "is_stale"), [(0, False), (7, False), (8, True)])
def test_a_price_is_as_old_as_its_receipt_and_its_lag_together(lag_ns: int, is_stale: bool) -> None:
    rig = Rig(stale_after_ns=10, actions={Code.STALE_DATA: Action.REFUSE})
    rig.show(100)
    rig.core.step(Lag(1, "AAA", lag_ns))
    rig.show(100, market(BUY, 1, symbol="AAA"), symbol="BBB", at_ns=4)
    assert trips_in(rig.records) == ([[Code.STALE_DATA]] if is_stale else [])
    assert len(orders_in(rig.records)) == (0 if is_stale else 1)


# ---- a symbol is paused ----


def test_a_paused_symbol_orders_nothing_and_keeps_nothing_open_and_the_others_trade() -> None:
    rig = Rig()
    bids = [limit(BUY, 1, 90), limit(BUY, 1, 90, symbol="BBB")]
    rig.show(100, symbol="BBB")
    rig.show(100, bids)
    records = rig.core.step(PauseSymbol(3, "look", "ann", "AAA"))
    assert records[0] == CommandRecord(3, 2, "pause", "look", "ann", "AAA")
    assert ends_in(records) == {1: "CANCELLED CANCELLED_BY_OPERATOR"}
    assert [len(rig.core.order_manager.states[name].working) for name in ("AAA", "BBB")] == [
        0,
        1,
    ]
    records = rig.show(100, [market(BUY, 1), market(BUY, 1, symbol="BBB")], at_ns=4)
    assert trips_in(records) == [[Code.SYMBOL_PAUSED]]
    assert [fill.symbol for fill in fills_in(records)] == ["BBB"]


def test_a_symbol_that_is_paused_no_more_orders_again() -> None:
    rig = Rig()
    rig.show(100)
    rig.core.step(PauseSymbol(2, "look", "ann", "AAA"))
    records = rig.core.step(UnpauseSymbol(3, "fine", "bob", "AAA"))
    assert records == [CommandRecord(3, 1, "unpause", "fine", "bob", "AAA")]
    records = rig.show(100, market(BUY, 1), at_ns=4)
    assert trips_in(records) == []
    assert len(fills_in(records)) == 1


# ---- the session is closed, and opened again ----


def test_a_closed_session_cancels_and_asks_nobody_until_it_is_opened_again() -> None:
    rig = Rig()
    rig.show(100, limit(BUY, 1, 90))
    core = rig.core
    records = core.step(Suspend(2, "lunch", "ann"))
    assert records[0] == CommandRecord(2, 1, "suspend", "lunch", "ann")
    assert ends_in(records) == {1: "CANCELLED CANCELLED_BY_OPERATOR"}
    assert core.is_suspended
    rig.show(100, market(BUY, 1), at_ns=3)
    assert len(rig.strategy.seen) == 1
    records = core.step(ResumeTrading(4, "back", "bob"))
    assert records == [CommandRecord(4, 2, "resume", "back", "bob")]
    assert not core.is_suspended
    records = rig.show(100, market(SELL, 1), at_ns=5)
    assert len(rig.strategy.seen) == 2
    assert [fill.side for fill in fills_in(records)] == [SELL]
    assert len(rig.strategy.fills) == 1, "it is told of its fills again"


def test_a_closed_session_that_is_flattened_is_closed_no_more() -> None:
    rig = Rig()
    rig.show(100, market(BUY, 2))
    rig.core.step(Suspend(2, "lunch", "ann"))
    rig.core.step(Flatten(3, "enough", "ann"))
    assert not rig.core.is_suspended, "it works on closing what is held"
    assert rig.core.order_manager.states["AAA"].inventory.position == 0
