"""The order manager: what orders count towards, are remembered by, and keep in flight."""

from __future__ import annotations

import pytest
from guard_helpers import AT_ONCE, BUY, SELL, A, Rig, trips_in

from logos.core.records import PaperFillRecord
from logos.core.strategy import Answer, Cancel, Context, limit, market
from logos.core.types import Code, Side
from logos.errors import InvariantBroken, StrategyError
from logos.testing.builders import (
    Scripted,
    quote,
    trading_core,
)

# ---- the rig ----


@pytest.mark.parametrize(("side", "other", "away"), [(BUY, SELL, 120), (SELL, BUY, 80)])
def test_gate_2_counts_what_older_orders_of_the_side_will_close(
    side: Side, other: Side, away: int
) -> None:
    rig = Rig()
    rig.show(100, market(side, 5))
    rig.core.switch.set_reduce_only("careful", "ann")
    rig.show(100, [limit(other, 3, away), limit(other, 3, away), limit(other, 2, away)])
    assert trips_in(rig.records) == [[Code.REDUCE_ONLY]]
    working = rig.core.order_manager.states["AAA"].working
    assert [order.remaining for order in working] == [3, 2]


def test_orders_are_remembered_only_while_duplicates_are_refused() -> None:
    for window_ns, remembered in ((0, 0), (10, 2)):
        rig = Rig(duplicate_window_ns=window_ns)
        rig.show(100, [market(BUY, 1), market(BUY, 2)])
        assert len(rig.core.order_manager.states["AAA"].recent_orders) == remembered


def test_an_order_that_has_ended_binds_nothing() -> None:
    rig = Rig()
    rig.show(100, limit(BUY, 1, 90, tag="x"))
    order = rig.core.order_manager.states["AAA"].working[0]
    assert order.locked > 0
    rig.show(100, Cancel(tag="x"))
    assert order.locked == 0
    assert rig.core.order_manager.account.ledger("USD").wallet.locked == 0


@pytest.mark.parametrize("side", [BUY, SELL])
def test_less_than_nothing_in_flight_is_a_broken_invariant(side: Side) -> None:
    rig = Rig()
    rig.show(100, limit(side, 1, 100 - 10 if side is BUY else 100 + 10, tag="x"))
    book = rig.core.order_manager.states["AAA"]
    book.open_buy, book.open_sell = 0, 0
    with pytest.raises(InvariantBroken, match="AAA: less than nothing is in flight"):
        rig.show(100, Cancel(tag="x"))


def test_gross_exposure_sees_what_this_very_event_ordered_and_cancelled_elsewhere() -> None:
    for quantity, trips in ((6, []), (7, [[Code.GROSS_EXPOSURE]])):
        rig = Rig(max_gross_exposure="2000")
        rig.show(100, symbol="BBB")
        other = market(BUY, quantity, symbol="BBB")
        rig.show(100, [limit(BUY, 15, 90, tag="x"), other])
        assert trips_in(rig.records) == trips
    rig.show(100, [Cancel(tag="x"), market(BUY, 20, symbol="BBB")])
    assert trips_in(rig.records) == [[Code.GROSS_EXPOSURE]], "what was cancelled makes room at once"


# ---- the dealing ----


class OrdersOnEveryFill(Scripted):
    """Orders again at every fill, until it has been told of `count`."""

    count = 0

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        self.fills.append(fill)
        return market(BUY, 1) if len(self.fills) < self.count else None


@pytest.mark.long
def test_ten_thousand_fills_may_follow_from_one_event_and_not_one_more() -> None:
    for count in (10_000, 10_001):
        strategy = OrdersOnEveryFill({1: market(BUY, 1)})
        strategy.count = count
        core = trading_core(strategy, A, rules=AT_ONCE, cash={"USD": "1000000"})
        core.start(0)
        if count == 10_000:
            core.step(quote(A, 1, "100", "100"))
            assert len(strategy.fills) == count
        else:
            with pytest.raises(StrategyError, match="keeps ordering"):
                core.step(quote(A, 1, "100", "100"))
