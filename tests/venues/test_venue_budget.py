"""What a venue says of how much it bears, and of being asked too much."""

from __future__ import annotations

import pytest

from logos.venues.budget import Budget, Pool, RequestKind
from logos.venues.contract import NotSent, Unavailable
from logos.venues.failures import Failure, Knowledge, order_error, question_error


@pytest.mark.parametrize(("size", "per_s"), [(0, 1), (1, 0), (-1, 1), (1, -1), (float("nan"), 1)])
def test_a_pool_that_lets_nothing_out_is_refused(size: float, per_s: float) -> None:
    with pytest.raises(ValueError, match="'private': size and per_s must be above 0"):
        Budget((Pool("private", size, per_s),))


def test_a_kind_that_is_not_listed_takes_the_common_cost() -> None:
    pool = Pool("private", 10, 1, 2, {RequestKind.CANCEL: 0, RequestKind.FILLS: 5})
    assert [pool.cost_of(kind) for kind in RequestKind] == [0, 2, 2, 2, 5, 2]


def test_only_cancels_and_orders_change_something() -> None:
    changing = [kind for kind in RequestKind if not kind.is_question]
    assert changing == [RequestKind.CANCEL, RequestKind.ORDER]


@pytest.mark.parametrize("demand_s", [None, 0.0, 30.0])
def test_what_a_venue_demands_reaches_whoever_asked(demand_s: float | None) -> None:
    failure = Failure(Knowledge.NOT_SENT, "too many requests", 2.0, demand_s)
    refused, unanswered = order_error("order x", failure), question_error("find x", failure)
    assert isinstance(refused, NotSent)
    assert isinstance(unanswered, Unavailable)
    assert (refused.retry_after_s, refused.demand_s) == (2.0, demand_s)
    assert (unanswered.retry_after_s, unanswered.demand_s) == (2.0, demand_s)
