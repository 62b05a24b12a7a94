"""Limits where nothing is set, and limits of real orders against what the account could bear."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from logos.config import Config, ConfigError, live_problems, make_config, with_limits
from logos.core.guards import Action

SPOT = {"quote": "USD", "tick": "0.01", "lot": "1"}
MARGIN = {**SPOT, "settlement": "margin", "leverage": 20}
ABSURD = 99_999_999_999_999


def filled(risk: dict[str, Any] | None = None, **tables: Any) -> Any:
    """`[risk]` with every limit in it."""
    return with_limits(make_config({"risk": risk or {}, **tables})).risk


def test_what_nobody_set_is_limited() -> None:
    risk = filled()
    assert (risk.max_order_share, risk.max_position_share) == (1, 2)
    assert (risk.price_collar, risk.stale_after_s) == (Decimal("0.5"), 0)
    total = risk.total
    assert (total.max_gross_share, total.max_drawdown_share) == (3, Decimal("0.25"))
    assert (total.max_open_orders, total.max_orders, total.max_refusals) == (200, 100, 100)
    assert risk.actions == {"max_drawdown": Action.HALT}


def test_unlimited_is_said_in_words_and_takes_back_what_is_not_set() -> None:
    risk = filled({"unlimited": True, "price_collar": "0.1", "total": {"max_orders": 7}})
    assert (risk.max_order_share, risk.max_position_share, risk.stale_after_s) == (0, 0, 0)
    assert (risk.price_collar, risk.total.max_orders) == (Decimal("0.1"), 7)
    assert (risk.total.max_gross_share, risk.total.max_drawdown_share) == (0, 0)
    assert (risk.total.max_open_orders, risk.total.max_refusals) == (0, 0)
    assert risk.actions == {}


def test_a_limit_of_the_operators_own_takes_the_place_of_its_default() -> None:
    total = {"max_gross_exposure": 5, "max_drawdown": 5}
    risk = filled({"max_order_notional": 5, "max_position": 5, "total": total})
    assert (risk.max_order_share, risk.max_position_share) == (0, 0)
    assert (risk.total.max_gross_share, risk.total.max_drawdown_share) == (0, 0)
    assert risk.actions == {}, "a drawdown that the operator limits engages, as ever"


@pytest.mark.parametrize(
    ("given", "action"),
    [({"max_drawdown_share": "0.1"}, None), ({}, Action.HALT)],
)
def test_only_a_drawdown_that_nobody_limited_halts(
    given: dict[str, Any], action: Action | None
) -> None:
    assert filled({"total": given}).actions.get("max_drawdown") is action


def test_an_action_of_the_operators_own_holds_for_the_default_too() -> None:
    risk = filled({"actions": {"max_drawdown": "engage"}})
    assert risk.actions == {"max_drawdown": Action.ENGAGE}


def test_one_limit_is_taken_back_by_setting_it_to_0() -> None:
    assert filled({"price_collar": 0}).price_collar == 0
    assert filled({"total": {"max_orders": 0}}).total.max_orders == 0


def test_a_symbols_table_has_what_it_does_not_name_from_above() -> None:
    own = {"max_order_notional": 9}
    risk = filled({"price_collar": "0.1", "symbols": {"AAA": own, "BBB": {"price_collar": 0}}})
    assert (risk.symbols["AAA"].price_collar, risk.symbols["AAA"].max_order_share) == (
        Decimal("0.1"),
        0,
    )
    assert (risk.symbols["BBB"].price_collar, risk.symbols["BBB"].max_order_share) == (0, 1)


def test_all_symbols_may_have_open_what_one_may() -> None:
    assert filled({"symbols": {"AAA": {"max_open_orders": 500}}}).total.max_open_orders == 500


@pytest.mark.parametrize(
    ("live", "seconds"),
    [
        ({"feed": "ccxt", "exchange": "kraken"}, 60),
        ({"feed": "ccxt", "exchange": "kraken", "kind": "bars", "interval": "5m"}, 960),
        ({"feed": "yahoo", "kind": "bars", "interval": "1h"}, 10_860),
        ({"feed": "mt5", "interval": "tick"}, 60),
        ({"feed": "replay"}, 60),
        ({"feed": "replay", "speed": 0}, 0),
        ({"feed": "replay", "speed": 10}, 0),
        ({}, 0),
    ],
)
def test_only_live_prices_grow_old_by_default(live: dict[str, Any], seconds: int) -> None:
    assert filled(live=live).stale_after_s == seconds


def test_a_replay_at_another_speed_has_no_default_that_counts_by_time() -> None:
    total = filled(live={"feed": "replay", "speed": 0}).total
    assert (total.max_orders, total.max_refusals, total.max_open_orders) == (0, 0, 200)


def test_filling_in_twice_changes_nothing() -> None:
    for risk in ({}, {"unlimited": True}, {"max_position": 5, "symbols": {"AAA": {}}}):
        once = with_limits(make_config({"risk": risk}), is_live=True)
        assert with_limits(once, is_live=False) == once


@pytest.mark.parametrize("key", ["max_orders", "max_refusals"])
def test_a_window_of_no_length_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=f"{key} needs a {key}_window_s above 0"):
        make_config({"risk": {"total": {f"{key}_window_s": 0}}})


# ---- real orders ----


def real(
    risk: dict[str, Any] | None = None, total: dict[str, Any] | None = None, **tables: Any
) -> Config:
    """Settings of a session with real orders that are all right but for what is given."""
    sound = {"max_order_notional": 100, "max_position": 5}
    return make_config(
        {
            "instruments": {"AAA": SPOT},
            "account": {"balances": {"USD": "1000"}},
            "risk": {**sound, **(risk or {}), "total": {"max_drawdown": 50, **(total or {})}},
            **tables,
        }
    )


def test_sound_limits_are_accepted() -> None:
    assert live_problems(real()) == []
    most = {"max_order_notional": 1000, "max_position": 100_000, "price_collar": "0.5"}
    total = {"max_gross_exposure": 1000, "max_net_exposure": 1000, "max_drawdown": 1000}
    assert live_problems(real({**most, "stale_after_s": 300}, total)) == []


@pytest.mark.parametrize(
    ("risk", "total", "words"),
    [
        ({"unlimited": True}, {}, "a live venue needs limits: take risk.unlimited out"),
        ({"price_collar": 0}, {}, "a live venue needs risk.price_collar above 0"),
        ({"stale_after_s": 0}, {}, "a live venue needs risk.stale_after_s above 0"),
        ({"max_order_notional": 0}, {}, "a live venue needs risk.max_order_notional above 0"),
        ({"max_position": 0}, {}, "a live venue needs risk.max_position above 0"),
        ({}, {"max_open_orders": 0}, "a live venue needs risk.total.max_open_orders above 0"),
        ({}, {"max_orders": 0}, "a live venue needs risk.total.max_orders above 0"),
        ({}, {"max_refusals": 0}, "a live venue needs risk.total.max_refusals above 0"),
        ({}, {"max_gross_share": 0}, "a live venue needs risk.total.max_gross_exposure above 0"),
        ({}, {"max_drawdown": 0}, "a live venue needs a limit on losses"),
        (
            {"symbols": {"AAA": {"price_collar": 0}}},
            {},
            "a live venue needs risk.symbols.AAA.price_collar above 0",
        ),
    ],
)
def test_no_limit_of_real_orders_can_be_taken_away(
    risk: dict[str, Any], total: dict[str, Any], words: str
) -> None:
    assert any(words in each for each in live_problems(real(risk, total)))


MONEY = "balance and leverage carry 1000 USD; set it to that or less"
TICKS = "is no limit for AAA: even at a price of 0.01 that is more than the 1000 USD"


@pytest.mark.parametrize(
    ("risk", "total", "words"),
    [
        ({"max_order_notional": ABSURD}, {}, MONEY),
        ({"max_order_notional": "1000.01"}, {}, MONEY),
        ({}, {"max_gross_exposure": ABSURD}, MONEY),
        ({}, {"max_net_exposure": ABSURD}, MONEY),
        ({}, {"max_drawdown": ABSURD}, MONEY),
        ({}, {"max_daily_loss": ABSURD}, MONEY),
        ({"max_position": ABSURD}, {}, TICKS),
        ({"max_position": 100_001}, {}, TICKS),
        ({"price_collar": 2}, {}, "risk.price_collar (2) is no limit for real orders: 0.5 at most"),
        ({"stale_after_s": ABSURD}, {}, "is no limit for real orders: 300 at most"),
        ({"max_open_orders": ABSURD}, {}, "is no limit for real orders: 1000 at most"),
        ({}, {"max_open_orders": ABSURD}, "is no limit for real orders: 1000 at most"),
        ({}, {"max_refusals": ABSURD}, "is no limit for real orders: 1000 at most"),
        ({}, {"max_drawdown_share": ABSURD}, "is no limit for real orders: 0.5 at most"),
        ({}, {"max_gross_share": ABSURD}, "is no limit for USD: 3 at most"),
        ({}, {"max_orders": ABSURD}, "is no limit for orders at a sandbox: 10000 a second at most"),
    ],
)
def test_a_limit_that_the_account_could_never_reach_is_refused(
    risk: dict[str, Any], total: dict[str, Any], words: str
) -> None:
    assert any(words in each for each in live_problems(real(risk, total)))


@pytest.mark.parametrize(
    ("sandbox", "most", "where"),
    [(False, 1000, "real orders"), (True, 10_000, "orders at a sandbox")],
)
def test_more_orders_a_second_than_money_may_send_are_for_a_sandbox_only(
    sandbox: bool, most: int, where: str
) -> None:
    venue = {"name": "mt5", "sandbox": sandbox}
    for window_s in (1, 3):
        total = {"max_orders": most * window_s, "max_orders_window_s": window_s}
        assert live_problems(real({}, total, venue=venue)) == []
        total["max_orders"] += 1
        [problem] = live_problems(real({}, total, venue=venue))
        assert problem == (
            f"risk.total.max_orders ({most * window_s + 1} in {window_s} s) is no limit for "
            f"{where}: {most} a second at most"
        )


def test_leverage_counts() -> None:
    margin = {"instruments": {"AAA": MARGIN}}
    assert live_problems(real({"max_order_notional": 20_000}, **margin)) == []
    [problem] = live_problems(real({"max_order_notional": 20_001}, **margin))
    assert "risk.max_order_notional (20001) is no limit" in problem
    assert live_problems(real({}, {"max_gross_share": 20}, **margin)) == []
    assert live_problems(real({}, {"max_gross_share": 21}, **margin)) != []


def test_the_balance_of_what_is_traded_is_said_by_the_operator() -> None:
    words = "a live venue needs account.balances.USD: what the session may use"
    both = {"AAA": SPOT, "BBB": SPOT}
    assert live_problems(real(account={"balances": {}}, instruments=both)) == [words]


def test_a_symbols_own_limits_are_judged() -> None:
    [problem] = live_problems(real({"symbols": {"AAA": {"max_order_notional": 2000}}}))
    assert problem.startswith("risk.symbols.AAA.max_order_notional (2000) is no limit: ")
