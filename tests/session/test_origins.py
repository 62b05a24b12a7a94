"""Files that settings name are found beside them, and by a resumed session from anywhere."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest
from places import PROJECT

import logos
from logos.cli.main import main
from logos.core.types import SessionStatus

Output = pytest.CaptureFixture[str]

STRATEGY = """
import os, signal

import logos


class Desk(logos.Strategy):
    def __init__(self):
        self.seen = 0

    def on_bar(self, context, bar):
        self.seen += 1
        if self.seen == 300 and os.environ.pop("TEST_DO", ""):
            os.kill(os.getpid(), signal.SIGTERM)
        return logos.Target(10)
"""
GUARD = "def calm(order):\n    return None\n"
RATES = "time,rate\n2026-01-05T16:00:00Z,0.0001\n"
SIGNALS = "timestamp,symbol,target\n2026-01-05T15:00:00Z,ACME,5\n"


def settings(decides: str) -> str:
    return f"""
[strategy]
{decides}

[data]
paths = ["market"]
symbols = ["ACME"]
accept = ["gap"]

[risk]
guards = ["guards/own.py:calm"]

[instruments.ACME]
quote = "USD"
tick = "0.01"
lot = "1"
settlement = "margin"
funding = {{ file = "rates.csv" }}
"""


@pytest.fixture
def desk(logos_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings and all that they name, and another one to be in."""
    folder = tmp_path / "desk"
    (folder / "market").mkdir(parents=True)
    shutil.copy(PROJECT / "data" / "cache" / "ACME_1m_bars.csv", folder / "market")
    (folder / "guards").mkdir()
    (folder / "guards" / "own.py").write_text(GUARD)
    (folder / "strategies.py").write_text(STRATEGY)
    (folder / "signals.csv").write_text(SIGNALS)
    (folder / "rates.csv").write_text(RATES)
    (folder / "desk.toml").write_text(settings('name = "strategies.py:Desk"'))
    (folder / "signals.toml").write_text(settings('signals = "signals.csv"'))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return folder


@pytest.mark.long
@pytest.mark.parametrize("name", ["desk.toml", "signals.toml"])
def test_what_settings_name_is_found_beside_them_from_any_folder(
    name: str, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(desk / name)
    assert main(["config", "check", "--config", path, "--quiet"]) == 0
    assert main(["trade", "--config", path, "--session-id", "a", "--quiet"]) == 0
    monkeypatch.chdir(tmp_path)
    assert main(["replay", "a", "--quiet"]) == 0
    monkeypatch.chdir(desk)
    assert main(["replay", "a", "--quiet"]) == 0
    assert main(["trade", "--config", name, "--session-id", "b", "--quiet"]) == 0
    a, b = (_settings(tmp_path, each) for each in "ab")
    assert a == b, "the same settings, wherever they were read from"


def _settings(folder: Path, session_id: str) -> str:
    path = folder / "home" / "runs" / "live" / "sessions" / session_id / "state.jsonl"
    return str(json.loads(path.read_bytes().splitlines()[0])["body"]["config_hash"])


@pytest.mark.long
def test_a_session_that_was_stopped_is_resumed_from_another_folder(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logos_home: Path
) -> None:
    monkeypatch.setenv("TEST_DO", "stop")
    path = str(desk / "desk.toml")
    assert main(["trade", "--config", path, "--session-id", "a", "--quiet"]) == 0
    folder = logos_home / "runs" / "live" / "sessions" / "a"
    assert json.loads((folder / "state.json").read_bytes())["status"] == "STOPPED"
    monkeypatch.chdir(tmp_path)
    assert main(["resume", "a", "--quiet"]) == 0
    assert json.loads((folder / "state.json").read_bytes())["status"] == "ENDED"


@pytest.mark.long
def test_what_the_command_line_names_is_in_the_folder_one_is_in(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logos_home: Path
) -> None:
    shutil.copytree(desk / "market", tmp_path / "elsewhere" / "market")
    data = tmp_path / "elsewhere" / "market" / "ACME_1m_bars.csv"
    data.write_text("".join(data.read_text().splitlines(keepends=True)[:200]))
    given = ["--config", str(desk / "desk.toml"), "--quiet", "--session-id"]
    assert main(["trade", *given, "here", "--data", "market"]) == 0
    assert main(["trade", *given, "there"]) == 0
    seen = [
        json.loads((logos_home / f"runs/live/sessions/{each}/state.json").read_bytes())["tick_id"]
        for each in ("here", "there")
    ]
    assert seen[0] == 199 < seen[1]
    monkeypatch.chdir(tmp_path)
    assert main(["replay", "here", "--quiet"]) == 0


@pytest.mark.long
def test_a_file_that_is_only_in_the_folder_one_is_in_is_still_found(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.move(desk / "market", tmp_path / "elsewhere" / "market")
    path = str(desk / "desk.toml")
    assert main(["trade", "--config", path, "--session-id", "a", "--quiet"]) == 0
    monkeypatch.chdir(tmp_path)
    assert main(["replay", "a", "--quiet"]) == 0


@pytest.mark.long
def test_the_library_finds_them_too_and_a_session_of_it_is_replayed_from_anywhere(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = logos.run(config=desk / "desk.toml", session_id="a")
    assert result.status is SessionStatus.ENDED
    monkeypatch.chdir(tmp_path)
    logos.replay("a")


@pytest.mark.long
def test_a_session_without_an_origin_is_looked_for_in_the_folder_one_is_in(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output, logos_home: Path
) -> None:
    monkeypatch.chdir(desk)
    assert main(["trade", "--config", "desk.toml", "--session-id", "a", "--quiet"]) == 0
    (logos_home / "state" / "origins" / "a.json").unlink()
    assert main(["replay", "a", "--quiet"]) == 0
    monkeypatch.chdir(tmp_path)
    assert main(["replay", "a", "--quiet"]) == 3
    assert "there is no such file or folder" in capsys.readouterr().err


@pytest.mark.long
def test_an_origin_that_cannot_be_read_is_told(
    desk: Path, capsys: Output, logos_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_DO", str(int(signal.SIGTERM)))
    path = str(desk / "desk.toml")
    assert main(["trade", "--config", path, "--session-id", "a", "--quiet"]) == 0
    (logos_home / "state" / "origins" / "a.json").write_text("[")
    assert main(["resume", "a", "--quiet"]) == 2
    assert "does not say where the session began" in capsys.readouterr().err
