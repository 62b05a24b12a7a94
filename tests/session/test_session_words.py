"""In which words a session refuses what it cannot be made of."""

from __future__ import annotations

from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from places import PROJECT
from session_helpers import ListFeed, session_config

from logos.config import Config, load_config
from logos.errors import ConfigError, StrategyError
from logos.execution.clock import SystemClock
from logos.session import ExitCode, run
from logos.session.artifacts.snapshots.snapshot import plain_copy
from logos.session.connections import make_feeds
from logos.session.drive import LiveEngine, LiveRules
from logos.session.entry import drive
from logos.session.opening.machine_switch import SwitchEngagedError, open_switch
from logos.session.outcome import session_failure
from logos.session.plan import make_plan
from logos.session.presence.heartbeat import read_heartbeat
from logos.session.presence.registry import Place, make_place
from logos.session.recorded import RecordedSwitch, Recording
from logos.testing.builders import Scripted


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of the bundled session, from whose folder its data is found."""
    monkeypatch.chdir(PROJECT)
    return PROJECT / "examples" / "session.toml"


def test_a_session_without_a_strategy_is_refused_with_both_ways_to_name_one(
    bundled: Path,
) -> None:
    config = load_config(str(bundled), {"strategy": {"name": ""}})
    words = "no strategy: name one with --strategy .* or a file of signals with --signals"
    with pytest.raises(ConfigError, match=words):
        make_plan(config)


@pytest.mark.long
def test_a_feed_that_holds_nothing_is_no_session(tmp_path: Path) -> None:
    result = run(session_config(), strategy=Scripted(), feed=ListFeed([]), home=tmp_path)
    assert result.exit_code is ExitCode.BAD_DATA
    assert "no events: the data between 'from' and 'to' is empty" in result.reason


def test_a_live_session_without_a_feed_is_refused_with_the_feeds_there_are() -> None:
    plan: Any = SimpleNamespace(config=Config())
    with pytest.raises(ConfigError, match=r"live\.feed is '': name one of replay, ccxt"):
        make_feeds(plan, SystemClock(), Random(1), None)


def test_a_session_that_still_waits_when_its_recording_has_ended_is_a_broken_invariant() -> None:
    never: Any = SimpleNamespace(
        source=SimpleNamespace(batches=list),
        supervisor=SimpleNamespace(ready=lambda: None),
        is_over=False,
        result=None,
        apply=lambda _: None,
    )
    words = "the session waits for a venue's reports after its last event"
    with pytest.raises(RuntimeError, match=words):
        drive(never)


def test_an_engine_without_a_view_has_no_figures_to_show() -> None:
    source: Any = SimpleNamespace(
        inbox=None, connections=SimpleNamespace(feeds=[], clock=SystemClock())
    )
    session: Any = None
    engine = LiveEngine(session, source, LiveRules())
    with pytest.raises(RuntimeError, match="an engine without a view keeps no figures"):
        engine.snapshot()


def test_a_recorded_switch_is_not_asked_before_it_follows_a_session() -> None:
    switch = RecordedSwitch(Recording([], [], 0, 0, 0, True), None)
    with pytest.raises(RuntimeError, match="needs its session's order manager: call attach"):
        switch.authority()


def test_a_state_that_json_cannot_hold_is_not_saved() -> None:
    assert plain_copy({"a": [1, "b"]}) == {"a": [1, "b"]}
    with pytest.raises(ValueError, match="not JSON data: Object of type object"):
        plain_copy({"a": object()})
    with pytest.raises(ValueError, match="it comes back as something else"):
        plain_copy({"a": (1,)})


def test_a_heartbeat_under_another_name_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"session_id":"theirs","pid":1,"start_ticks":1}', encoding="utf-8")
    report = read_heartbeat(path)
    assert report is not None
    assert "it is the heartbeat of 'theirs'" in report.problem
    assert report.running


def test_an_engaged_switch_names_the_reason_and_the_way_out(tmp_path: Path) -> None:
    first = open_switch(lambda _: None, tmp_path)
    first.engage("a drill", "ann")
    command = first.status().clear_command
    first.close()
    with pytest.raises(SwitchEngagedError) as caught:
        open_switch(lambda _: None, tmp_path)
    said = str(caught.value)
    assert " by ann: a drill\nNothing is traded until a person clears it:\n  " in said
    assert said.endswith(command)


def test_what_is_no_exception_is_the_strategy_s_failure() -> None:
    failure = session_failure(SystemExit(3))
    assert isinstance(failure, StrategyError)
    assert str(failure).startswith("the strategy raised SystemExit")


def test_a_place_of_the_registry_without_its_folder_is_no_place(tmp_path: Path) -> None:
    base = tmp_path / "none"
    with pytest.raises(FileNotFoundError, match="no such folder"):
        make_place(Place(base, base / "logos"))
    assert not base.exists()
