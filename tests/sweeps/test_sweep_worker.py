"""One row as a worker runs it: the bytes of a lone session, and nothing left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from sweep_helpers import make_market, make_sweep, settings

import logos
from logos.config import make_config
from logos.killswitch.breaker import CircuitBreaker
from logos.session import run as run_session
from logos.session.entry import compared
from logos.session.presence import registry
from logos.sweeps.outcome import Outcome, artifact_hash
from logos.sweeps.prepare import Wish
from logos.sweeps.run import WORK, task_of
from logos.sweeps.spec import Stretch, Trial, read_spec, trial_config
from logos.sweeps.worker import Reply, Task, run_task


def make(tmp_path: Path, strategy: str = "Above", **wish: Any) -> tuple[Path, Task]:
    """A sweep, and the task of a row of it."""
    make_market(tmp_path / "market")
    wish.setdefault("params", {"length": "3,4"})
    folder = make_sweep(tmp_path / "market", tmp_path / "home", Wish(**wish), strategy)
    params = {name: text.partition(",")[0] for name, text in wish["params"].items()}
    trial = Trial(row=7, fold=1, sample="in", stretch=Stretch(), params=params)
    return folder, task_of(folder, read_spec(folder), trial)


def run(task: Task) -> Reply:
    return msgspec.json.decode(run_task(msgspec.json.encode(task)), type=Reply)


def outcome(task: Task) -> Outcome:
    reply = run(task)
    assert reply.outcome is not None, reply
    return reply.outcome


def test_a_row_has_the_bytes_of_the_same_session_alone(tmp_path: Path) -> None:
    folder, task = make(tmp_path)
    kept = folder / "kept"
    swept = outcome(msgspec.structs.replace(task, kept=str(kept)))
    there = kept / "runs" / "live" / "sessions" / "trial-0007"
    tables = settings(tmp_path / "market")
    tables["strategy"]["params"] = {"length": "3"}
    tables["session"] = {"id": "trial-0007"}
    alone = run_session(make_config(tables), home=tmp_path / "alone", tell=lambda _text: None)
    names = sorted(compared(alone.folder))
    assert names == sorted(compared(there))
    assert len(names) >= 10
    for name in names:
        assert (there / name).read_bytes() == (alone.folder / name).read_bytes(), name
    assert swept.artifact_hash == artifact_hash(alone.folder)
    assert swept.settings_hash == alone.summary["config_hash"]
    assert swept.orders == alone.summary["orders"] > 3
    assert swept.figures["net"] == str(
        logos.result("trial-0007", home=kept).analysis.statistics.net
    )


def test_nothing_is_left_of_an_attempt_and_leftovers_of_another_are_not_met(tmp_path: Path) -> None:
    folder, task = make(tmp_path)
    first = outcome(task)
    assert list((folder / WORK).iterdir()) == []
    (folder / WORK / "trial-0007.1" / "runs" / "live" / "sessions" / "trial-0007").mkdir(
        parents=True
    )
    assert outcome(task) == first
    assert [path.name for path in (folder / WORK).iterdir()] == ["trial-0007.1"]


def test_an_engaged_switch_keeps_a_session_from_beginning(tmp_path: Path) -> None:
    _, task = make(tmp_path)
    switch = CircuitBreaker(tmp_path / "home" / "state" / "kill-switch")
    switch.engage("a drill", "me")
    switch.close()
    reply = run(task)
    assert reply.outcome is None
    assert "a drill" in reply.stopped


def test_a_session_that_met_the_switch_is_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session's own gate: the switch is thrown once it has begun."""
    _, task = make(tmp_path)

    monkeypatch.setattr("logos.session.plan.Plan.begin_at", _thrown(tmp_path / "home"))
    reply = run(task)
    assert reply.outcome is None
    assert "thrown in the middle" in reply.stopped


def _thrown(home: Path) -> Any:
    """`Plan.begin_at`, which a session asks right before its start, with the switch thrown."""
    from logos.session.plan import Plan

    begin = Plan.begin_at

    def begin_at(self: Plan, first_ns: int) -> int:
        switch = CircuitBreaker(home / "state" / "kill-switch")
        switch.engage("thrown in the middle", "me")
        switch.close()
        return begin(self, first_ns)

    return begin_at


def test_the_registry_names_the_workspace_of_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, task = make(tmp_path)
    seen: list[tuple[str, str]] = []
    close = registry.Registration.close

    def look(self: registry.Registration) -> None:
        seen.extend(
            (each.entry.kind, each.entry.workspace)
            for each in registry.read_registry()
            if each.entry is not None
        )
        close(self)

    monkeypatch.setattr(registry.Registration, "close", look)
    outcome(task)
    assert seen == [("trial", str(tmp_path / "home"))]


def test_parameters_that_the_strategy_refuses_are_an_outcome(tmp_path: Path) -> None:
    _, task = make(tmp_path, "Refusing", params={"fast": "2,5", "slow": "5"})
    trial = msgspec.structs.replace(task.trial, params={"fast": "5", "slow": "5"})
    found = outcome(msgspec.structs.replace(task, trial=trial))
    assert (found.status, found.artifact_hash) == ("INVALID", "")
    assert "fast (5) must be below slow (5)" in found.reason


def test_a_strategy_that_fails_is_an_outcome_without_figures_to_rank(tmp_path: Path) -> None:
    _, task = make(tmp_path)
    trial = msgspec.structs.replace(task.trial, params={"length": "13"})
    found = outcome(msgspec.structs.replace(task, trial=trial))
    assert found.status == "FAILED"
    assert "an unlucky number" in found.reason
    assert found.value("net") is None


def test_secrets_reach_neither_a_request_nor_a_reply_nor_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_CFG__STRATEGY__PARAMS__API_KEY", "hunter2-hunter2")
    make_market(tmp_path / "market")
    name = f"{tmp_path / 'market' / 'mine.py'}:Keyed"
    tables = {"strategy": {"name": name, "params": {"api_key": "hunter2-hunter2"}}}
    wish = Wish(params={"length": "3,5"})
    folder = make_sweep(tmp_path / "market", tmp_path / "home", wish, "Keyed", **tables)
    trial = Trial(row=1, fold=1, sample="in", stretch=Stretch(), params={"length": "5"})
    request = msgspec.json.encode(task_of(folder, read_spec(folder), trial))
    reply = run_task(request)
    assert b"refused by the server" in reply
    assert b'"FAILED"' in reply
    printed = capfd.readouterr()
    everything = b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file()
    ) + bytes(printed.out + printed.err, "utf-8")
    for text in (request, reply, everything):
        assert b"hunter2" not in text


def test_a_worker_with_other_sources_says_so(tmp_path: Path) -> None:
    _, task = make(tmp_path)
    reply = run(msgspec.structs.replace(task, build="another"))
    assert "the sources of logos are not those" in reply.failed
    assert run_task(b"{}").count(b"internal error") == 1


def test_the_settings_of_a_row_are_those_of_the_sweep_with_its_own_on_top(tmp_path: Path) -> None:
    _, task = make(tmp_path)
    stretch = Stretch("2026-01-02T00:00:00Z", "2026-01-05T00:00:00Z")
    trial = msgspec.structs.replace(task.trial, stretch=stretch)
    config = trial_config(task.settings, trial)
    assert (config.session.id, config.data.start, config.data.end) == (
        "trial-0007",
        "2026-01-02T00:00:00Z",
        "2026-01-05T00:00:00Z",
    )
    assert config.strategy.params == {"length": "3"}
    assert outcome(msgspec.structs.replace(task, trial=trial)).ticks == 12
