"""Every bundled scenario on the bundled data; and what does not apply is not passed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rehearsal_helpers import DATA, TRADE_OPTIONS

from logos.cli.main import main
from logos.config import make_config
from logos.core import order_manager
from logos.core.account import Ledger
from logos.core.guards import SessionGuards
from logos.core.strategy import Answer, Context, Strategy
from logos.killswitch.breaker import CircuitBreaker
from logos.rehearsal.run import ScenarioResult, Verdict, rehearse
from logos.rehearsal.scenarios import bundled_scenarios, choose

pytestmark = pytest.mark.long

NAMES = [scenario.name for scenario in bundled_scenarios()]


class Watcher(Strategy):
    """Looks at everything and never trades."""

    def on_bar(self, context: Context, bar: object) -> Answer:
        return None


@pytest.fixture(scope="module")
def everything(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, dict[str, ScenarioResult]]:
    """All scenarios with a bundled strategy over all bundled data; the workspace and results."""
    home = tmp_path_factory.mktemp("home")
    before = os.environ.get("LOGOS_HOME")
    os.environ["LOGOS_HOME"] = str(home)
    try:
        config = make_config(
            {"strategy": {"name": "sma_cross"}, "data": {"paths": [str(DATA)], "accept": ["gap"]}}
        )
        rehearsal = rehearse(config, bundled_scenarios())
    finally:
        os.environ.pop("LOGOS_HOME")
        if before is not None:
            os.environ["LOGOS_HOME"] = before
    return home, {result.scenario.name: result for result in rehearsal.results}


def run_some(
    tmp_path: Path, names: list[str], strategy: str, *data: str
) -> dict[str, ScenarioResult]:
    paths = [str(DATA / name) for name in data]
    config = make_config(
        {"strategy": {"name": strategy}, "data": {"paths": paths, "accept": ["gap"]}}
    )
    chosen = choose(bundled_scenarios(), names)
    results = rehearse(config, chosen, out=tmp_path / "out").results
    return {result.scenario.name: result for result in results}


@pytest.mark.parametrize("name", NAMES)
def test_every_bundled_scenario_passes_on_the_bundled_data(
    everything: tuple[Path, dict[str, ScenarioResult]], name: str
) -> None:
    result = everything[1][name]
    broken = [(words, finding.seen) for words, finding in result.findings if not finding.holds]
    assert (result.verdict, broken, result.reason) == (Verdict.PASS, [], "")


def test_a_storm_is_stopped_by_the_rate_limit(
    everything: tuple[Path, dict[str, ScenarioResult]],
) -> None:
    seen = [finding.seen for _, finding in everything[1]["order_storm"].findings]
    assert any("ORDER_RATE" in words for words in seen)


def test_a_rehearsal_leaves_the_switch_and_state_of_the_workspace_alone(
    everything: tuple[Path, dict[str, ScenarioResult]],
) -> None:
    home, _ = everything
    assert [path.name for path in home.iterdir()] == ["runs"]
    assert [path.name for path in (home / "runs").iterdir()] == ["rehearsals"]


def test_the_command_prints_a_table_and_writes_the_report(
    logos_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rehearse", "kill_at_tick", "drawdown", *TRADE_OPTIONS]) == 0
    printed = capsys.readouterr().out
    assert "2 PASS" in printed
    folder = logos_home / "runs" / "rehearsals" / "rehearsal-0001"
    report = (folder / "rehearsal.md").read_text(encoding="utf-8")
    assert "## kill_at_tick: PASS" in report
    assert "## drawdown: PASS" in report
    assert "0 orders, 0 fills after it" in report


def test_the_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rehearse", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == NAMES


@pytest.mark.usefixtures("logos_home")
def test_one_symbol_of_one_sided_bars_makes_some_scenarios_not_applicable(tmp_path: Path) -> None:
    names = ["crossed_quotes", "stale_feed", "kill_at_tick"]
    results = run_some(tmp_path, names, "sma_cross", "BTCUSDT_1m_bars.csv")
    assert results["crossed_quotes"].verdict is Verdict.NOT_APPLICABLE
    assert "one-sided" in results["crossed_quotes"].reason
    assert results["stale_feed"].verdict is Verdict.NOT_APPLICABLE
    assert "two symbols" in results["stale_feed"].reason
    assert results["kill_at_tick"].verdict is Verdict.PASS


@pytest.mark.usefixtures("logos_home")
def test_a_strategy_that_never_trades_leaves_gate_2_and_drawdown_not_applicable(
    tmp_path: Path,
) -> None:
    names = ["kill_between_signal_and_order", "drawdown", "order_storm"]
    results = run_some(tmp_path, names, f"{__name__}:Watcher", "BTCUSDT_1m_bars.csv")
    assert "sends no order" in results["kill_between_signal_and_order"].reason
    assert "holds nothing" in results["drawdown"].reason
    assert results["order_storm"].verdict is Verdict.PASS


@pytest.mark.usefixtures("logos_home")
def test_when_nothing_applies_the_command_does_not_succeed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = [*TRADE_OPTIONS, "--symbols", "BTCUSDT"]
    assert main(["rehearse", "crossed_quotes", *options]) == 1
    printed = capsys.readouterr()
    assert "NOT APPLICABLE" in printed.out
    assert "nothing was rehearsed" in printed.err


@pytest.mark.parametrize(
    ("where", "name", "weakened", "scenario"),
    [
        (order_manager, "why_closed", lambda *_: None, "kill_between_signal_and_order"),
        (SessionGuards, "is_rate_exceeded", lambda *_: False, "order_storm"),
        (Ledger, "is_drawn_down", property(lambda _: False), "drawdown"),
        (CircuitBreaker, "set_reduce_only", lambda *_: None, "reduce_only"),
    ],
)
@pytest.mark.usefixtures("logos_home")
def test_a_weakened_safety_is_found(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: object,
    name: str,
    weakened: object,
    scenario: str,
) -> None:
    monkeypatch.setattr(where, name, weakened)
    results = run_some(tmp_path, [scenario], "sma_cross", "BTCUSDT_1m_bars.csv")
    assert results[scenario].verdict is Verdict.FAIL


@pytest.mark.usefixtures("logos_home")
def test_incidents_come_before_a_guard_of_the_user_has_acted(tmp_path: Path) -> None:
    config = make_config(
        {
            "strategy": {"name": "mean_reversion"},
            "data": {"paths": [str(DATA)], "symbols": ["EURUSD"]},
            "switch": {"on_engaged": "block"},
            "risk": {
                "total": {"max_consecutive_losses": 3},
                "actions": {"consecutive_losses": "reduce_only"},
            },
        }
    )
    names = ["marker_touched", "reduce_only", "duplicate_orders", "feed_ends_mid_order"]
    chosen = choose(bundled_scenarios(), names)
    results = rehearse(config, chosen, out=tmp_path / "out").results
    assert [result.verdict for result in results] == [Verdict.PASS] * len(names)


@pytest.mark.usefixtures("logos_home")
def test_limits_of_the_user_that_are_tighter_are_kept(tmp_path: Path) -> None:
    config = make_config(
        {
            "strategy": {"name": "sma_cross"},
            "data": {"paths": [str(DATA / "BTCUSDT_1m_bars.csv")]},
            "risk": {"price_collar": "0.001", "duplicate_window_s": "3600"},
        }
    )
    chosen = choose(bundled_scenarios(), ["bad_print", "duplicate_orders"])
    results = rehearse(config, chosen, out=tmp_path / "out").results
    assert "risk.price_collar = 0.001" in results[0].done
    assert "risk.duplicate_window_s = 3600" in results[1].done
    assert [result.verdict for result in results] == [Verdict.PASS, Verdict.PASS]
