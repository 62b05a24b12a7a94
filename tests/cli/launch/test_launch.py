"""`logos launch`: four phases on record, and a failure that takes back what was made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from launch_helpers import SETTINGS, Desk

from logos.cli.launch import launcher
from logos.cli.launch.deployment import TEMPLATE
from logos.cli.main import main
from logos.config import ConfigError
from logos.rehearsal.acceptance import SCENARIOS, AcceptanceResult
from logos.session import ExitCode

# ---- all well ----


@pytest.mark.long
def test_a_launch_goes_through_all_phases_and_becomes_the_session(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.run() == 0
    printed = capsys.readouterr().out
    assert "BAD" not in printed
    words = ["-m", "logos.live", "run", "desk-1", "--config", str(desk.home / "session.toml")]
    assert desk.executed == [(sys.executable, [sys.executable, *words])]
    report = desk.report()
    assert report["outcome"] == "HANDED OVER"
    assert [(each["name"], each["outcome"]) for each in report["phases"]] == [
        ("pre-checks", "PASSED"),
        ("self-test", "PASSED"),
        ("initialise", "PASSED"),
        ("start", "PASSED"),
    ]
    assert len(report["phases"][1]["findings"]) == len(SCENARIOS)
    assert report["rolled_back"] == []
    assert set(report["hashes"]) == {
        *("deployment file", "settings file", "settings in force", "strategy", "build"),
    }
    assert all(len(digest) == 64 for digest in report["hashes"].values())
    assert {"logos", "python", "msgspec"} <= report["versions"].keys()
    text = (desk.home / "runs/launches/launch-0001/deployment-report.md").read_text("utf-8")
    for finding in (each for phase in report["phases"] for each in phase["findings"]):
        assert finding["name"] in text
    events = [each["event"] for each in desk.log()]
    assert events[0] == "began"
    assert events[-1] == "handed over"
    assert events.count("began") == 4


@pytest.mark.long
def test_the_session_that_was_claimed_is_run_by_the_command_that_follows(desk: Desk) -> None:
    assert desk.run("--quiet") == 0
    _, words = desk.executed[0]
    done = subprocess.run(words, cwd=desk.home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ENDED" in done.stdout
    assert (desk.session / "session.md").is_file()
    assert main(["verify", "desk-1"]) == 0


@pytest.mark.usefixtures("no_self_test")
def test_with_until_it_stops_where_it_is_told_to(desk: Desk) -> None:
    assert desk.run("--until", "pre-checks") == 0
    assert [each["outcome"] for each in desk.report()["phases"]] == ["PASSED", *["SKIPPED"] * 3]
    assert not (desk.home / "state").exists(), "pre-checks change nothing"
    assert desk.run("--until", "initialise") == 0
    assert desk.report(2)["outcome"] == "STOPPED AFTER INITIALISE, AS ASKED"
    assert (desk.session / "config.json").is_file()
    assert desk.executed == []
    assert desk.run() == 0, "and goes on with what it made"
    assert desk.report(3)["phases"][2]["findings"][0]["seen"].endswith("it is resumed")


@pytest.mark.usefixtures("no_self_test")
def test_the_log_is_printed_as_json_lines_and_nothing_else(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.run("--json") == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert printed == desk.log()
    assert all(each["launch"] == "launch-0001" for each in printed)


@pytest.mark.usefixtures("no_self_test")
def test_the_workspace_of_the_file_counts_for_the_session_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_HOME", "/nowhere/at/all")
    desk.launch["workspace"] = "there"
    assert desk.run("--until", "initialise") == 0
    assert os.environ["LOGOS_HOME"] == str(desk.home / "there")
    assert (desk.home / "there/runs/live/sessions/desk-1/config.json").is_file()


def test_init_writes_a_file_that_is_read_and_overwrites_none(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["launch", "--init"]) == 0
    assert (desk.home / "deploy.toml").read_text(encoding="utf-8") == TEMPLATE
    (desk.home / "session.toml").write_text(SETTINGS, encoding="utf-8")
    assert main(["launch", "--until", "pre-checks"]) == 0
    assert main(["launch", "--init"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["launch", "--init", "--config", "no/such/folder.toml"]) == 6


@pytest.mark.parametrize("words", [("mine.toml",), ("--config", "mine.toml")])
def test_the_file_of_a_launch_is_named_with_and_without_its_option(
    words: tuple[str, ...], desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["launch", "--init", *words]) == 0
    assert "then: logos launch --config mine.toml --until pre-checks" in capsys.readouterr().out
    assert (desk.home / "mine.toml").read_text(encoding="utf-8") == TEMPLATE
    (desk.home / "session.toml").write_text(SETTINGS, encoding="utf-8")
    assert main(["launch", *words, "--until", "pre-checks"]) == 0


def test_a_launch_of_two_files_is_refused(desk: Desk) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["launch", "one.toml", "--config", "other.toml"])


# ---- the later phases ----


def test_a_self_test_that_fails_ends_the_launch_before_anything_is_made(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = AcceptanceResult(SCENARIOS[1], 5, 10, 6, ("5 orders, not 4",), 0.1)
    desk.patch.setattr(launcher, "run_acceptance", lambda folder: iter([failed]))
    assert desk.run("--quiet") == 1
    said = capsys.readouterr().err
    assert "5 orders, 10 blocked, the first at tick 6; 5 orders, not 4" in said
    assert "do not trade with this build" in said
    assert desk.report()["outcome"] == "FAILED IN SELF-TEST"
    assert not desk.session.exists()
    assert not (desk.home / "state").exists()


@pytest.mark.usefixtures("no_self_test")
def test_a_phase_that_takes_too_long_fails(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    seconds = iter(range(0, 10_000, 50))
    clock = SimpleNamespace(monotonic=lambda: next(seconds), time_ns=time.time_ns)
    desk.patch.setattr(launcher, "time", clock)
    assert desk.run("--quiet") == 2
    assert "it took 150 s, and limits.phase_s is 120 s" in capsys.readouterr().err


@pytest.mark.usefixtures("no_self_test")
@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ConfigError("session desk-1 exists already"), 2, "exists already"),
        (OSError(28, "No space left on device", "/x"), 6, "cannot write /x: No space left"),
        (KeyboardInterrupt(), 130, "ended by a signal"),
    ],
)
def test_initialising_that_fails_takes_its_folders_back(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: str,
) -> None:
    def claim(_config: object, origin: object) -> object:
        raise error

    desk.patch.setattr(launcher, "claim_folder", claim)
    assert desk.run("--quiet") == code
    assert words in capsys.readouterr().err
    assert not (desk.home / "runs/live").exists()
    assert not (desk.home / "logos").exists()
    assert [Path(each).name for each in desk.report()["rolled_back"]] == [
        *("logs", "logos", "sessions", "live"),
    ]


@pytest.mark.usefixtures("no_self_test")
def test_a_start_that_fails_gives_the_id_back(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.execute_error = OSError(2, "No such file or directory")
    assert desk.run("--quiet") == int(ExitCode.CANNOT_WRITE)
    assert f"cannot start {sys.executable}: No such file" in capsys.readouterr().err
    assert desk.report()["outcome"] == "FAILED IN START"
    assert desk.report()["rolled_back"][0] == "the id desk-1"
    assert not (desk.home / "runs/live").exists()
    desk.execute_error = None
    assert desk.run("--quiet") == 0, "the same id again"
