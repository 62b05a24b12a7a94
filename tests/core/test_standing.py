"""How a session stands against its limits, in figures that follow from the books exactly."""

from __future__ import annotations

from typing import Any

from guard_helpers import BUY, REFUSE, SELL, Rig

from logos.core.context import CoreView
from logos.core.guards.uses import GuardUse
from logos.core.strategy import limit, market
from logos.core.types import NS_PER_DAY, NS_PER_SECOND, Code


def rig(**limits: Any) -> Rig:
    return Rig(cash={"USD": "10000"}, actions=REFUSE, **limits)


def used(made: Rig, code: Code, subject: str = "USD", now_ns: int | None = None) -> GuardUse:
    """What is used of a guard's limit."""
    risk = CoreView(made.core.order_manager).risk(made.ts_ns if now_ns is None else now_ns)
    (found,) = (each for each in risk.guards if (each.guard, each.subject) == (code, subject))
    return found


def whole(use: GuardUse) -> tuple[int, int]:
    """Used part and limit in whole units."""
    scale = 10**use.decimals
    assert (use.used_units % scale, use.limit_units % scale) == (0, 0)
    return use.used_units // scale, use.limit_units // scale


def money(made: Rig) -> tuple[int, ...]:
    """Equity, gross and net exposure, drawdown, result of the day, in whole dollars."""
    (usd,) = CoreView(made.core.order_manager).risk(made.ts_ns).currencies
    scale = 10**usd.money_decimals
    figures = (
        *(usd.equity_units, usd.gross_exposure_units, usd.net_exposure_units),
        *(usd.drawdown_units, usd.day_profit_units),
    )
    assert all(figure % scale == 0 for figure in figures)
    return tuple(figure // scale for figure in figures)


def test_money_is_that_of_the_ledger_at_the_latest_marks() -> None:
    made = rig()
    made.show(100, market(BUY, 2))
    made.show(90)
    assert money(made) == (9980, 180, 180, 20, -20)
    made.show(90, at_ns=NS_PER_DAY)
    assert money(made) == (9980, 180, 180, 20, 0)


def test_a_short_position_counts_in_full_as_gross_and_with_its_sign_as_net() -> None:
    made = rig()
    made.show(100, market(SELL, 2))
    assert money(made)[1:3] == (200, -200)


def test_what_has_no_limit_has_no_used_part() -> None:
    assert CoreView(rig().core.order_manager).risk(0).guards == ()


def test_limits_of_a_currency_are_used_by_what_is_held_and_what_is_open() -> None:
    made = rig(
        max_gross_exposure="1000", max_net_exposure="500", max_drawdown="200", max_daily_loss="100"
    )
    made.show(100, market(BUY, 2))
    made.show(90, limit(BUY, 1, 80))
    assert whole(used(made, Code.GROSS_EXPOSURE)) == (260, 1000)
    assert whole(used(made, Code.NET_EXPOSURE)) == (260, 500)
    assert whole(used(made, Code.MAX_DRAWDOWN)) == (20, 200)
    assert whole(used(made, Code.MAX_DAILY_LOSS)) == (20, 100)
    assert used(made, Code.MAX_DRAWDOWN).ratio == 0.1
    made.show(110, at_ns=NS_PER_DAY)
    assert used(made, Code.MAX_DAILY_LOSS).used_units == 0, "a profit uses nothing of a loss"


def test_the_tighter_of_two_exposure_limits_counts() -> None:
    made = rig(max_gross_exposure="30000", gross_share="2")
    assert whole(used(made, Code.GROSS_EXPOSURE)) == (0, 20000)
    made = rig(max_gross_exposure="15000", gross_share="2")
    assert whole(used(made, Code.GROSS_EXPOSURE)) == (0, 15000)


def test_limits_of_a_symbol_count_the_worse_side_as_filled() -> None:
    made = rig(max_position="10", max_open_orders=4, position_share="0.5")
    made.show(100, [market(BUY, 2), limit(BUY, 3, 90), limit(SELL, 9, 120)])
    assert whole(used(made, Code.MAX_POSITION, "AAA")) == (7, 10)
    assert whole(used(made, Code.MAX_POSITION_NOTIONAL, "AAA")) == (700, 5000)
    assert whole(used(made, Code.MAX_OPEN_ORDERS, "AAA")) == (2, 4)
    assert used(made, Code.MAX_POSITION, "BBB").used_units == 0


def test_the_age_of_a_price_is_used_of_its_limit_until_a_newer_one_comes() -> None:
    made = rig(stale_after_ns=10 * NS_PER_SECOND)
    made.show(100)
    seen_ns = made.ts_ns
    assert whole(used(made, Code.STALE_DATA, "AAA", seen_ns + 4 * NS_PER_SECOND)) == (4, 10)
    risk = CoreView(made.core.order_manager).risk(seen_ns + 11 * NS_PER_SECOND)
    assert [(each.symbol, each.is_stale, each.price_age_ns) for each in risk.symbols] == [
        ("AAA", True, 11 * NS_PER_SECOND),
        ("BBB", False, -1),
    ]
    assert [each.subject for each in risk.guards] == ["AAA"], "BBB has shown no price to be old"


def test_limits_of_the_session_count_within_their_windows() -> None:
    second = NS_PER_SECOND
    made = rig(
        max_orders=5, max_orders_window_ns=second, max_refusals=9, refusals_window_ns=second,
        max_order_quantity="3", max_consecutive_losses=3, max_total_open_orders=8,
    )  # fmt: skip
    made.show(100, [market(BUY, 1), limit(BUY, 1, 90), market(BUY, 4), market(BUY, 4)])
    made.show(90, market(SELL, 1))
    assert whole(used(made, Code.ORDER_RATE, "")) == (3, 5)
    assert whole(used(made, Code.REFUSAL_STORM, "")) == (2, 9)
    assert whole(used(made, Code.CONSECUTIVE_LOSSES, "")) == (1, 3)
    assert whole(used(made, Code.MAX_TOTAL_OPEN_ORDERS, "")) == (0, 8)
    later_ns = made.ts_ns + second
    assert used(made, Code.ORDER_RATE, "", later_ns).used_units == 0
    assert used(made, Code.REFUSAL_STORM, "", later_ns).used_units == 0


def test_an_order_and_a_refusal_count_until_their_window_has_passed() -> None:
    second = NS_PER_SECOND
    made = rig(
        max_orders=5, max_orders_window_ns=second, max_refusals=9, refusals_window_ns=second,
        max_order_quantity="3",
    )  # fmt: skip
    made.show(100, [market(BUY, 1), market(BUY, 4)], at_ns=10 * second)
    for code in (Code.ORDER_RATE, Code.REFUSAL_STORM):
        assert used(made, code, "", 11 * second - 1).used_units == 1, code
        assert used(made, code, "", 11 * second).used_units == 0, code


def test_a_limit_that_allows_nothing_more_has_no_ratio() -> None:
    assert GuardUse(Code.GROSS_EXPOSURE, "USD", 5, 0, "USD", 2).ratio is None
    assert GuardUse(Code.GROSS_EXPOSURE, "USD", 0, 0, "USD", 2).ratio == 0
