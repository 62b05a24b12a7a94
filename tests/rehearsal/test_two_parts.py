"""The engine's part lends limits and says so; the other lends nothing and names what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from journal_bodies import GUARD
from places import PROJECT
from rehearsal_helpers import DATA, write_journal

from logos.cli.main import main
from logos.config import Config, load_config, make_config
from logos.core import risk
from logos.core.types import Code
from logos.rehearsal import feed, stage
from logos.rehearsal.evidence import JournalView
from logos.rehearsal.limits import OwnLimits, guards_lent, lend, missing_limits, tightened
from logos.rehearsal.profile import BaselineProfile
from logos.rehearsal.run import Rehearsal, ScenarioResult, Verdict, rehearse
from logos.rehearsal.scenarios import Scenario, bundled_scenarios, choose
from logos.session.plan import make_plan

BTC = str(DATA / "BTCUSDT_1m_bars.csv")
LENDING = [each.name for each in bundled_scenarios() if guards_lent(each)]
UNLIMITED: dict[str, Any] = {"unlimited": True} if hasattr(Config().risk, "unlimited") else {}
"""Where limits have defaults, those are no limits of the user's."""


def settings(risk: Mapping[str, Any], **tables: Any) -> Config:
    basics = {"strategy": {"name": "sma_cross"}, "data": {"paths": [BTC]}}
    return make_config({**basics, **tables, "risk": {**UNLIMITED, **risk}})


def perform(tmp_path: Path, config: Config, *names: str) -> Rehearsal:
    return rehearse(config, choose(bundled_scenarios(), names), out=tmp_path / "out")


def own(rehearsal: Rehearsal) -> dict[str, ScenarioResult]:
    return {result.scenario.name: result for result in rehearsal.own}


def broken(results: list[ScenarioResult]) -> dict[str, tuple[str, str, list[str]]]:
    return {
        each.scenario.name: (
            each.verdict.value,
            each.reason,
            [f"{words}: {finding.seen}" for words, finding in each.findings if not finding.holds],
        )
        for each in results
        if each.verdict in (Verdict.FAIL, Verdict.ERROR)
    }


# ---- nothing is ended by one scenario ----


@pytest.mark.campaign
@pytest.mark.parametrize("name", ["session", "live"])
@pytest.mark.usefixtures("logos_home")
def test_both_shipped_settings_files_are_rehearsed_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(PROJECT)
    over = {"data": {"paths": ["data/cache"], "accept": ["gap"]}}
    config = load_config(f"examples/{name}.toml", over, sends_orders=False)
    rehearsal = perform(tmp_path, config, "kill_at_tick", *LENDING)
    assert broken(rehearsal.every) == {}
    assert len(rehearsal.results) == 1 + len(LENDING)
    assert [each.scenario.name for each in rehearsal.own] == LENDING


@pytest.mark.long
@pytest.mark.parametrize("raised", [RuntimeError("boom"), OSError(5, "gone", "state.jsonl")])
@pytest.mark.usefixtures("logos_home")
def test_a_scenario_that_cannot_run_is_an_error_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    def break_one(scenario: Scenario, profile: Any) -> Any:
        if scenario.name == "bad_print":
            raise raised
        return feed.places_of(scenario, profile)

    monkeypatch.setattr(stage, "places_of", break_one)
    rehearsal = perform(tmp_path, settings({}), "bad_print", "kill_at_tick")
    assert [each.verdict for each in rehearsal.results] == [Verdict.ERROR, Verdict.PASS]
    assert str(raised) in rehearsal.results[0].reason
    assert rehearsal.failed == 1


@pytest.mark.long
@pytest.mark.usefixtures("logos_home")
def test_a_limit_that_a_lent_one_contradicts_is_lowered_and_that_is_said(tmp_path: Path) -> None:
    rehearsal = perform(tmp_path, settings({"max_order_notional": "60000"}), "exposure_breach")
    result = rehearsal.results[0]
    assert (result.verdict, broken(rehearsal.results)) == (Verdict.PASS, {})
    assert any(
        words.startswith("risk.max_order_notional = ") and words.endswith("(yours: 60000)")
        for words in result.lent
    )


# ---- what is lent, and that it never loosens ----


def test_a_lent_limit_never_loosens_one_of_the_user() -> None:
    user = {
        "risk": {"price_collar": "0.01", "total": {"max_orders": 20, "max_orders_window_s": "60"}}
    }
    lent = {
        "risk": {"price_collar": "0.05", "total": {"max_orders": 10, "max_orders_window_s": "1"}}
    }
    assert tightened(lent, user) == {
        "risk": {"price_collar": "0.01", "total": {"max_orders": 10, "max_orders_window_s": "60"}}
    }


def test_the_window_of_no_limit_is_no_limit() -> None:
    user = {"total": {"max_orders": 0, "max_orders_window_s": "60"}}
    lent = {"total": {"max_orders": 10, "max_orders_window_s": "1"}}
    assert tightened(lent, user) == lent


def test_an_action_of_the_user_gives_way_to_that_of_the_scenario() -> None:
    user = {"actions": {"max_drawdown": "reduce_only"}}
    assert tightened({"actions": {"max_drawdown": "engage"}}, user) == {
        "actions": {"max_drawdown": "engage"}
    }


def test_everything_that_is_not_the_users_is_named_with_what_theirs_is() -> None:
    config = settings({"price_collar": "0.01", "symbols": {"BTCUSDT": {"max_position": "2"}}})
    changes = {"risk": {"price_collar": "0.05", "duplicate_window_s": "60"}}
    whole, lent = lend(config, changes, "drill")
    assert lent == [
        "risk.duplicate_window_s = 60 (yours: 0)",
        "risk.symbols.BTCUSDT.duplicate_window_s = 60 (yours: 0)",
    ]
    assert whole.session.id == "drill"
    assert lend(config, {"risk": {"price_collar": "0.05"}}, "drill")[1] == []


# ---- the user's own limits ----


@pytest.mark.long
@pytest.mark.usefixtures("logos_home")
def test_without_limits_every_guard_that_was_lent_one_is_named(tmp_path: Path) -> None:
    rehearsal = perform(tmp_path, settings({}), *LENDING)
    assert {each.verdict for each in rehearsal.own} == {Verdict.NO_LIMIT_SET}
    assert rehearsal.without_limit == len(LENDING)
    reasons = {name: result.reason for name, result in own(rehearsal).items()}
    assert reasons["duplicate_orders"] == (
        "DUPLICATE_ORDER has no limit: set risk.duplicate_window_s"
    )
    assert "MAX_ORDER_QUANTITY has no limit" in reasons["two_guards_at_once"]
    assert "MAX_ORDER_NOTIONAL has no limit" in reasons["two_guards_at_once"]
    passed = [each for each in rehearsal.results if each.verdict is Verdict.PASS]
    assert all(each.lent for each in passed)


WHOLE = {
    "max_order_notional": "60000",
    "max_order_quantity": "2",
    "price_collar": "0.05",
    "duplicate_window_s": "5",
    "total": {
        "max_gross_exposure": "100000",
        "max_drawdown": "5000",
        "max_orders": 20,
        "max_orders_window_s": "60",
    },
}


@pytest.mark.campaign
@pytest.mark.usefixtures("logos_home")
def test_limits_of_the_user_are_met_by_incidents_as_large_as_they_are(tmp_path: Path) -> None:
    account = {"balances": {"USDT": "100000"}}
    names = [name for name in LENDING if name != "stale_feed"]
    rehearsal = perform(tmp_path, settings(WHOLE, account=account), *names)
    assert broken(rehearsal.every) == {}
    verdicts = {name: result.verdict for name, result in own(rehearsal).items()}
    assert verdicts == dict.fromkeys(names, Verdict.PASS)
    assert all(each.lent == () for each in rehearsal.own)


@pytest.mark.long
@pytest.mark.usefixtures("logos_home")
def test_a_symbol_that_falls_silent_meets_the_users_own_bound(tmp_path: Path) -> None:
    data = {"paths": [str(DATA)], "accept": ["gap"]}
    risk = {"stale_after_s": "600", "actions": {"stale_data": "refuse"}}
    config = settings(risk, data=data)
    assert own(perform(tmp_path, config, "stale_feed"))["stale_feed"].verdict is Verdict.PASS


@pytest.mark.long
@pytest.mark.usefixtures("logos_home")
def test_a_silence_shorter_than_the_users_bound_is_no_pass(tmp_path: Path) -> None:
    data = {"paths": [str(DATA)], "accept": ["gap"]}
    config = settings({"stale_after_s": "9000000"}, data=data)
    result = own(perform(tmp_path, config, "stale_feed"))["stale_feed"]
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert "your stale_after_s is 9000000" in result.reason


@pytest.mark.long
@pytest.mark.usefixtures("logos_home")
def test_a_loss_that_does_not_reach_the_limit_is_no_pass(tmp_path: Path) -> None:
    config = settings(
        {"max_order_notional": "1000", "total": {"max_drawdown": "90000"}},
        account={"balances": {"USDT": "100000"}},
    )
    result = own(perform(tmp_path, config, "drawdown"))["drawdown"]
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert "did not reach your limit" in result.reason
    assert "of 90000.00 USDT" in result.reason


@pytest.mark.long
@pytest.mark.usefixtures("logos_home")
def test_a_guard_of_the_users_that_does_not_act_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings({"price_collar": "0.05"})
    monkeypatch.setattr(risk, "check_market", lambda *_: None)
    result = own(perform(tmp_path, config, "bad_print"))["bad_print"]
    assert result.verdict is Verdict.FAIL
    assert any("PRICE_COLLAR never" in finding.seen for _, finding in result.findings)


@pytest.mark.usefixtures("logos_home")
def test_a_guard_that_only_refuses_leaves_room_for_incidents_behind_it(tmp_path: Path) -> None:
    """A guard that stops the session is where an undisturbed session ends; refusing is no end."""
    config = settings({})
    plan = make_plan(config)
    refuses, stops = ({**GUARD, "tick_id": 40, "action": action} for action in ("refuse", "engage"))
    for record, ticks in ((refuses, 100), (stops, 39)):
        profile = BaselineProfile(plan.feed, plan.config, plan.instruments)
        profile.ticks = 100
        profile.see_session(JournalView(write_journal(tmp_path / "j.jsonl", [record])))
        assert profile.ticks == ticks


@pytest.mark.long
def test_orders_that_the_settings_shrink_below_the_limit_never_meet_it(tmp_path: Path) -> None:
    config = settings({"max_order_notional": "10000"}, orders={"cap_notional": "5000"})
    result = own(perform(tmp_path, config, "price_spike"))["price_spike"]
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert "orders.cap_notional = 5000 shrinks every order" in result.reason


def test_an_exception_for_one_symbol_counts_for_that_symbol_alone() -> None:
    scenario = next(each for each in bundled_scenarios() if each.name == "duplicate_orders")
    config = settings({"symbols": {"BTCUSDT": {"duplicate_window_s": "5"}}})
    assert missing_limits(scenario, OwnLimits(config, "BTCUSDT")) == ""
    assert "DUPLICATE_ORDER" in missing_limits(scenario, OwnLimits(config, "ETHUSDT"))


def test_scenarios_that_lend_nothing_have_no_second_part() -> None:
    lent = {each.name: [guard.code for guard in guards_lent(each)] for each in bundled_scenarios()}
    assert lent["kill_at_tick"] == lent["gap_in_feed"] == []
    assert lent["order_storm"] == [Code.ORDER_RATE]
    assert lent["two_guards_at_once"] == [Code.MAX_ORDER_QUANTITY, Code.MAX_ORDER_NOTIONAL]


# ---- what the command says of it ----

COMMAND = ("rehearse", "duplicate_orders", "--strategy", "sma_cross", "--data", BTC)


@pytest.mark.long
@pytest.mark.parametrize(("more", "code"), [((), 0), (("--strict",), 1)])
@pytest.mark.usefixtures("logos_home")
def test_a_missing_limit_is_said_and_is_a_failure_when_strict(
    more: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*COMMAND, *more]) == code
    printed = capsys.readouterr()
    assert "NO LIMIT SET" in printed.out
    assert "PASS (lent)" in printed.out
    assert "the engine     1 PASS\nyour settings  1 NO LIMIT SET" in printed.out
    assert ("(--strict)" in printed.err) == bool(more)


@pytest.mark.long
def test_nobody_is_told_of_an_incident_that_is_only_rehearsed(tmp_path: Path) -> None:
    channel = {"type": "command", "command": ["touch", str(tmp_path / "told")]}
    config = settings({}, alerts={"channels": {"desk": channel}})
    rehearsal = perform(tmp_path, config, "marker_touched")
    assert rehearsal.plan.config.alerts is msgspec.UNSET
    assert not list(tmp_path.rglob("sender.log"))
