"""The desk, the dealing and the loop: what small changes of them showed to be untested.

Every test here notices a change of `core/desk.py`, `core/dealing.py` or `core/engine.py` that the
other tests did not; see `tests/kill/mutation.py`.
"""

from __future__ import annotations

import pytest
from guard_helpers import BUY, SELL, Desk, trips_in

from logos.core.orders import InvariantBroken
from logos.core.strategy import Cancel, limit, market
from logos.core.types import Code, Side

# ---- the desk ----


@pytest.mark.parametrize(("side", "other", "away"), [(BUY, SELL, 120), (SELL, BUY, 80)])
def test_gate_2_counts_what_older_orders_of_the_side_will_close(
    side: Side, other: Side, away: int
) -> None:
    desk = Desk()
    desk.show(100, market(side, 5))
    desk.core.switch.set_reduce_only("careful", "ann")
    desk.show(100, [limit(other, 3, away), limit(other, 3, away), limit(other, 2, away)])
    assert trips_in(desk.records) == [[Code.REDUCE_ONLY]]
    working = desk.core.desk.books["AAA"].working
    assert [order.remaining for order in working] == [3, 2]


def test_orders_are_remembered_only_while_duplicates_are_refused() -> None:
    for window_ns, remembered in ((0, 0), (10, 2)):
        desk = Desk(duplicate_window_ns=window_ns)
        desk.show(100, [market(BUY, 1), market(BUY, 2)])
        assert len(desk.core.desk.books["AAA"].recent_orders) == remembered


def test_an_order_that_has_ended_binds_nothing() -> None:
    desk = Desk()
    desk.show(100, limit(BUY, 1, 90, tag="x"))
    order = desk.core.desk.books["AAA"].working[0]
    assert order.locked > 0
    desk.show(100, Cancel(tag="x"))
    assert order.locked == 0
    assert desk.core.desk.account.ledger("USD").wallet.locked == 0


@pytest.mark.parametrize("side", [BUY, SELL])
def test_less_than_nothing_in_flight_is_a_broken_invariant(side: Side) -> None:
    desk = Desk()
    desk.show(100, limit(side, 1, 100 - 10 if side is BUY else 100 + 10, tag="x"))
    book = desk.core.desk.books["AAA"]
    book.open_buy, book.open_sell = 0, 0
    with pytest.raises(InvariantBroken, match="AAA: less than nothing is in flight"):
        desk.show(100, Cancel(tag="x"))
