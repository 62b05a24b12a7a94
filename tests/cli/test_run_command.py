"""`logos run ID`: started, continued, or left alone, whichever the session needs."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from places import PROJECT

from logos.cli.main import main

Output = pytest.CaptureFixture[str]

SETTINGS = """
[strategy]
name = "{folder}/stopping.py:Stopping"

[data]
paths = ["{project}/data/cache"]
symbols = ["ACME"]
accept = ["gap"]

[risk]
max_position = "{limit}"
"""
STRATEGY = """
import os, signal

import logos


class Stopping(logos.Strategy):
    \"\"\"Buys ten, and does to its process at the event `at` what the environment says, once.\"\"\"

    def __init__(self):
        self.seen = 0

    def on_bar(self, context, bar):
        self.seen += 1
        do = os.environ.pop("TEST_DO", "") if self.seen == 500 else ""
        if do == "fail":
            raise RuntimeError("as asked")
        if do:
            os.kill(os.getpid(), int(do))
        return logos.Target(10)
"""


@pytest.fixture
def settings(logos_home: Path, tmp_path: Path) -> Path:
    (tmp_path / "stopping.py").write_text(STRATEGY)
    return write(tmp_path)


def write(folder: Path, limit: str = "100") -> Path:
    path = folder / "desk.toml"
    path.write_text(SETTINGS.format(folder=folder, project=PROJECT, limit=limit))
    return path


def run(settings: Path, *words: str) -> int:
    return main(["run", "desk", "--config", str(settings), "--quiet", *words])


def status(home: Path) -> str:
    state = json.loads((home / "runs/live/sessions/desk/state.json").read_bytes())
    return str(state["status"])


def journal(home: Path) -> bytes:
    return (home / "runs/live/sessions/desk/state.jsonl").read_bytes()


def test_what_does_not_exist_is_started_and_what_has_ended_is_left_alone(
    settings: Path, logos_home: Path, capsys: Output
) -> None:
    assert run(settings) == 0
    assert status(logos_home) == "ENDED"
    before = journal(logos_home)
    assert main(["run", "desk", "--config", str(settings)]) == 0
    assert "session desk has ended (ENDED" in capsys.readouterr().out
    assert journal(logos_home) == before


@pytest.mark.long
def test_what_was_stopped_is_continued_to_the_same_bytes(
    settings: Path, logos_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_DO", str(int(signal.SIGTERM)))
    assert run(settings) == 0
    assert status(logos_home) == "STOPPED"
    assert run(settings) == 0
    assert status(logos_home) == "ENDED"
    assert main(["verify", "desk"]) == 0
    assert main(["replay", "desk", "--quiet"]) == 0


@pytest.mark.long
def test_a_line_that_carries_a_session_on_may_stay_where_a_supervisor_has_it(
    settings: Path, logos_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = "2026-01-05T17:00:00Z"
    old = ["--config", str(settings), "--session-id", "old", "--to", noon]
    assert main(["trade", *old, "--quiet"]) == 0
    text = settings.read_text()
    settings.write_text(text.replace("[data]", f'[data]\nfrom = "{noon}"'))
    monkeypatch.setenv("TEST_DO", str(int(signal.SIGTERM)))
    for ending in ("STOPPED", "ENDED", "ENDED"):
        assert run(settings, "--carry", "old") == 0
        assert status(logos_home) == ending
    config = json.loads((logos_home / "runs/live/sessions/desk/config.json").read_bytes())
    assert config["carry"]["session"] == "old"
    assert main(["verify", "desk"]) == 0


@pytest.mark.long
def test_what_was_killed_is_continued_without_its_settings_file(
    settings: Path, logos_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["-m", "logos.live", "run", "desk", "--config", str(settings), "--quiet"]
    environment = {**os.environ, "TEST_DO": str(int(signal.SIGKILL))}
    code = os.spawnve(os.P_WAIT, sys.executable, [sys.executable, *words], environment)
    assert code == -signal.SIGKILL
    settings.unlink()
    assert main(["run", "desk", "--quiet"]) == 0
    assert status(logos_home) == "ENDED"


def test_a_session_that_ended_badly_is_not_run_again_and_is_told_aloud(
    settings: Path, logos_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("TEST_DO", "fail")
    assert run(settings) == 5
    capsys.readouterr()
    assert run(settings) == 0
    told = capsys.readouterr().err
    assert "session desk has ended (FAILED, exit code 5: " in told
    assert "as asked" in told


@pytest.mark.long
def test_a_session_that_was_pruned_is_not_started_anew(settings: Path, capsys: Output) -> None:
    assert run(settings) == 0
    assert main(["sessions", "prune", "--keep", "0", "--yes"]) == 0
    assert main(["run", "desk", "--config", str(settings)]) == 0
    assert "session desk ended (ENDED) and was pruned: nothing to run" in capsys.readouterr().out
    assert main(["run", "desk", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.long
def test_that_a_pruned_session_ended_badly_is_said_however_quiet_the_command_is(
    settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("TEST_DO", "fail")
    assert run(settings) == 5
    assert main(["sessions", "prune", "--keep", "0", "--yes"]) == 0
    capsys.readouterr()
    assert main(["run", "desk", "--quiet"]) == 0
    assert "session desk ended (FAILED) and was pruned" in capsys.readouterr().err


@pytest.mark.long
def test_settings_that_changed_since_are_refused_and_named(
    settings: Path, logos_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("TEST_DO", str(int(signal.SIGTERM)))
    assert run(settings) == 0
    assert run(write(settings.parent, limit="5")) == 2
    told = capsys.readouterr().err
    assert "began with other settings" in told
    assert "(risk.max_position)" in told
    assert status(logos_home) == "STOPPED"
    assert run(write(settings.parent)) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "desk"], "session desk does not exist in "),
        (["run", "../desk"], "not a session id"),
        (["run", "desk", "--config", "none.toml"], "there is no such file"),
    ],
)
def test_what_cannot_be_started_is_refused_with_code_2(
    words: list[str], said: str, logos_home: Path, capsys: Output
) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err
    assert not (logos_home / "runs").exists()
