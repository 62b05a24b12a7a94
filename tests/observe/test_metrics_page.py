"""The metrics page: what it says of sessions that run, ended, died, and of files that lie."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from metrics_helpers import FIGURES, NOW_NS, Desk

from logos.core.types import NS_PER_DAY, NS_PER_SECOND
from logos.killswitch.breaker import CircuitBreaker
from logos.observe.metrics.catalog import BY_NAME, METRICS
from logos.observe.metrics.samples import Samples
from logos.session.presence.heartbeat import PermitStands

# ---- what it says ----


def test_money_counts_and_ages_come_out_in_base_units(desk: Desk) -> None:
    desk.begin(open_orders=2, waiting=3, peak_waiting=9, market_age_ns=250_000_000)
    desk.figures()
    desk.now_ns += 2 * NS_PER_SECOND
    page = desk.scrape()
    usd, aaa = {"currency": "USD"}, {"symbol": "AAA"}
    wanted = [
        ("logos_up", {}, 1),
        ("logos_session_info", {"mode": "paper", "kind": "trade"}, 1),
        ("logos_session_state", {"state": "running"}, 1),
        ("logos_session_state", {"state": "dead"}, 0),
        ("logos_heartbeat_age_seconds", {}, 2),
        ("logos_heartbeat_timestamp_seconds", {}, NOW_NS / 1e9),
        ("logos_feed_age_seconds", {}, 2.25),
        ("logos_feed_state", {"feed": "box AAA", "state": "LIVE"}, 1),
        ("logos_feed_state", {"feed": "box AAA", "state": "GAP"}, 0),
        ("logos_price_age_seconds", aaa, 2.5),
        ("logos_inbox_events", {}, 3),
        ("logos_inbox_events_peak", {}, 9),
        ("logos_quotes_conflated_total", {}, 11),
        ("logos_open_orders", {}, 2),
        ("logos_ticks_total", {}, 1_000),
        ("logos_orders_total", aaa, 7),
        ("logos_fills_total", aaa, 5),
        ("logos_trades_won_total", aaa, 2),
        ("logos_refusals_total", {"code": "MAX_POSITION"}, 4),
        ("logos_guard_actions_total", {"code": "STALE_DATA"}, 1),
        ("logos_blocked_total", {}, 2),
        ("logos_session_exit_code", {}, None),
        ("logos_equity", usd, 999.5),
        ("logos_drawdown", usd, 1),
        ("logos_drawdown_peak", usd, 3),
        ("logos_day_profit", usd, -0.5),
        ("logos_net_exposure", usd, -200),
        ("logos_position", aaa, -2),
        ("logos_mark_price", aaa, 10.005),
        ("logos_fees", {**aaa, **usd}, 1),
        ("logos_exposure", {**aaa, **usd}, 200),
        ("logos_guard_used_ratio", {"code": "MAX_DRAWDOWN", "subject": "USD"}, 0.25),
        ("logos_guard_used_ratio", {"code": "MAX_POSITION", "subject": "AAA"}, math.inf),
        ("logos_order_answer_seconds_sum", aaa, 0.003),
        ("logos_order_answer_seconds_count", aaa, 6),
        ("logos_fsync_seconds_sum", {"file": "journal"}, 0.006),
        ("logos_fsync_seconds_count", {"file": "inputs"}, 2),
    ]
    got = [(name, labels, desk.value(name, page, **labels)) for name, labels, _ in wanted]
    assert got == wanted


def test_the_latency_histogram_is_cumulative_and_ends_with_all(desk: Desk) -> None:
    desk.begin(market_age_ns=0)
    desk.figures()
    page = desk.scrape()
    stage = {"stage": "feed to strategy"}
    name = "logos_latency_seconds"
    bounds = {
        float(dict(labels)["le"]): value
        for (of, labels), value in page.items()
        if of == f"{name}_bucket"
    }
    assert bounds == {65.535e-6: 4, 131.071e-6: 9, math.inf: 10}
    assert list(bounds) == sorted(bounds)
    assert desk.value(f"{name}_count", page, **stage) == 10
    assert desk.value(f"{name}_sum", page, **stage) == 0.001


def test_no_series_says_when_it_was_created(desk: Desk) -> None:
    desk.begin(market_age_ns=0)
    desk.figures()
    for accept in ("", "application/openmetrics-text; version=1.0.0"):
        content, content_type = desk.page.encoded(accept)
        assert b"_created" not in content
        assert ("openmetrics" in content_type) is bool(accept)


def test_labels_in_the_words_of_others_are_escaped(desk: Desk) -> None:
    name = 'A"\\\nB} 1\nlogos_up{session="forged"} 1'
    symbol = {**FIGURES["risk"]["symbols"][0], "symbol": name}
    desk.begin(symbols=(name,))
    desk.figures(risk={**FIGURES["risk"], "symbols": [symbol]})
    page = desk.scrape()
    assert desk.value("logos_position", page, symbol=name) == -2
    assert not [labels for _, labels in page if ("session", "forged") in labels]


def test_every_metric_of_the_catalogue_can_come(desk: Desk) -> None:
    """A name that no page ever has would be a promise of the documents alone."""
    CircuitBreaker(desk.home / "state" / "kill-switch").arm_if_new()
    desk.begin(market_age_ns=0, permit=PermitStands("desks", 3, 4 * 10**9, 5 * 10**9))
    desk.figures()
    (desk.home / "runs" / "live" / "sessions" / "desk" / "inputs.jsonl").write_text("{}\n")
    desk.figures("past", exit_code=4)
    names = {sample.name for sample in desk.gatherer.gather()}
    assert names == set(BY_NAME)
    assert len(METRICS) == len(BY_NAME)


def test_the_permit_of_a_fleet_is_shown_while_the_session_runs(desk: Desk) -> None:
    desk.begin(permit=PermitStands("desks", 3, 4_500_000_000, 5_000_000_000))
    page = desk.scrape()
    assert desk.value("logos_fleet_epoch", page, fleet="desks") == 3
    assert desk.value("logos_fleet_permit_left_seconds", page, fleet="desks") == 4.5
    assert desk.value("logos_fleet_permit_age_seconds", page, fleet="desks") == 0.5
    desk.beat(permit=PermitStands("desks", 4, 0, 5_000_000_000))
    page = desk.scrape()
    assert desk.value("logos_fleet_permit_left_seconds", page, fleet="desks") == 0
    assert not [name for name, _ in page if name == "logos_fleet_permit_age_seconds"]
    desk.die()
    assert not [name for name, _ in desk.scrape() if name.startswith("logos_fleet")]


def test_a_sample_has_the_labels_of_the_catalogue() -> None:
    samples = Samples("/desk", "one")
    with pytest.raises(KeyError):
        samples.add("logos_unheard_of", 1)
    with pytest.raises(ValueError, match="logos_equity has the labels"):
        samples.add("logos_equity", 1)


# ---- the switch ----


def test_the_switch_is_told_as_its_files_say_it(desk: Desk) -> None:
    breaker = CircuitBreaker(desk.home / "state" / "kill-switch")
    breaker.arm_if_new()
    home = ("workspace", str(desk.home))

    def state(name: str) -> float:
        return desk.scrape()["logos_switch_state", frozenset({home, ("state", name)})]

    epoch = desk.scrape()["logos_switch_epoch", frozenset({home})]
    assert (state("SAFE"), state("ENGAGED")) == (1, 0)
    breaker.engage("stop", "ann")
    assert (state("SAFE"), state("ENGAGED")) == (0, 1)
    assert desk.scrape()["logos_switch_epoch", frozenset({home})] == epoch + 1


def test_a_workspace_without_a_switch_shows_none(desk: Desk) -> None:
    assert not [name for name, _ in desk.scrape() if name.startswith("logos_switch")]


# ---- who is shown, and how long ----


def test_a_session_that_ended_is_down_for_a_day_with_its_last_figures_then_gone(
    desk: Desk,
) -> None:
    desk.begin(market_age_ns=0)
    desk.figures()
    assert desk.value("logos_up") == 1
    desk.figures(exit_code=0)
    desk.end()
    page = desk.scrape()
    assert desk.value("logos_up", page) == 0
    assert desk.value("logos_session_state", page, state="ended") == 1
    assert desk.value("logos_orders_total", page, symbol="AAA") == 7
    assert desk.value("logos_heartbeat_age_seconds", page) is None
    assert desk.value("logos_feed_age_seconds", page) is None
    desk.now_ns += NS_PER_DAY
    assert desk.value("logos_up") == 0
    desk.now_ns += 1
    assert desk.value("logos_up") is None


def test_a_session_that_ended_before_the_exporter_began_is_known_by_its_figures(
    desk: Desk,
) -> None:
    desk.figures()
    assert desk.value("logos_up") == 0
    assert desk.value("logos_session_info", mode="paper", kind="") == 1
    assert desk.value("logos_session_exit_code") is None
    desk.figures(exit_code=4)
    assert desk.value("logos_session_exit_code") == 4


def test_a_session_without_figures_is_remembered_as_ended(desk: Desk) -> None:
    desk.begin()
    assert desk.value("logos_up") == 1
    desk.end()
    assert desk.value("logos_session_state", state="ended") == 1


def test_a_session_that_was_killed_is_dead_for_a_day(desk: Desk) -> None:
    desk.begin(market_age_ns=0, open_orders=2)
    desk.figures()
    desk.die()
    page = desk.scrape()
    assert desk.value("logos_up", page) == 0
    assert desk.value("logos_session_state", page, state="dead") == 1
    assert desk.value("logos_position", page, symbol="AAA") == -2
    desk.now_ns += NS_PER_DAY + 1
    assert desk.value("logos_up") is None


def test_a_killed_session_whose_resume_was_refused_has_not_ended(desk: Desk) -> None:
    """The refused process takes the heartbeat of the dead one away; the figures have no end."""
    desk.begin(market_age_ns=0)
    desk.figures()
    assert desk.value("logos_up") == 1
    desk.die()
    desk.begin(kind="resume")
    desk.end()
    page = desk.scrape()
    assert desk.value("logos_up", page) == 0
    assert desk.value("logos_session_state", page, state="dead") == 1
    assert desk.value("logos_session_exit_code", page) is None


def test_a_late_heartbeat_is_a_stalled_session_that_is_still_up(desk: Desk) -> None:
    desk.begin(market_age_ns=0)
    desk.now_ns += 6 * NS_PER_SECOND
    page = desk.scrape()
    assert desk.value("logos_up", page) == 1
    assert desk.value("logos_session_state", page, state="stalled") == 1
    assert desk.value("logos_heartbeat_age_seconds", page) == 6


def test_a_session_that_has_met_no_event_shows_no_figures_of_nothing(desk: Desk) -> None:
    desk.begin()
    page = desk.scrape()
    assert desk.value("logos_session_state", page, state="running") == 0
    assert desk.value("logos_open_orders", page) is None


def test_a_replay_is_not_the_session_that_it_runs_again(desk: Desk) -> None:
    desk.begin(kind="replay", market_age_ns=0)
    assert desk.value("logos_up") is None


def test_two_workspaces_may_have_a_session_of_one_name(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with Desk(tmp_path / "other") as other:
        desk.begin(market_age_ns=0)
        other.begin(market_age_ns=0)
        page = desk.scrape()
        assert desk.value("logos_up", page) == 1
        assert desk.value("logos_up", page, workspace=str(other.home)) == 1


# ---- counters ----


def test_a_counter_does_not_fall_while_a_resumed_session_comes_up_to_where_it_was(
    desk: Desk,
) -> None:
    desk.begin(market_age_ns=0)
    desk.figures()
    assert desk.value("logos_orders_total", symbol="AAA") == 7
    desk.die()
    desk.begin(kind="resume", market_age_ns=0)
    trades = FIGURES["symbols"][0]
    desk.figures(ticks=10, symbols=[{**trades, "orders": 1}])
    page = desk.scrape()
    assert desk.value("logos_orders_total", page, symbol="AAA") == 7
    assert desk.value("logos_ticks_total", page) == 1_000
    desk.figures(ticks=1_001, symbols=[{**trades, "orders": 9}])
    assert desk.value("logos_orders_total", symbol="AAA") == 9


def test_what_was_measured_in_a_process_begins_again_with_the_next(desk: Desk) -> None:
    """Were it held at what the process before it counted, the first of this one would be lost."""
    desk.begin(market_age_ns=0)
    desk.figures()
    assert desk.value("logos_quotes_conflated_total") == 11
    desk.die()
    desk.begin(kind="resume", market_age_ns=0)
    desk.figures(market={"conflated": 1})
    assert desk.value("logos_quotes_conflated_total") == 1


def test_a_new_session_of_an_old_name_counts_from_its_beginning(desk: Desk) -> None:
    desk.begin(market_age_ns=0)
    desk.figures()
    assert desk.value("logos_ticks_total") == 1_000
    desk.end()
    desk.figures(pid=1)  # still what the process before it wrote
    desk.begin(market_age_ns=0)
    assert desk.value("logos_ticks_total") is None
    desk.figures(ticks=3)
    assert desk.value("logos_ticks_total") == 3
