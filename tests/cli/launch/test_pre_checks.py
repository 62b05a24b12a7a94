"""Each pre-check of a launch fails alone, says what to do, and nothing is made."""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Callable
from contextlib import closing
from enum import Enum
from pathlib import Path
from types import SimpleNamespace

import pytest
from launch_helpers import INSTRUMENT, LEAVE, LIVE, SETTINGS, Desk
from places import PROJECT

from logos.cli import doctor
from logos.cli.doctor import Finding
from logos.cli.launch import checks, machine
from logos.cli.main import main
from logos.config import ConfigError, FeedName, VenueName, make_config
from logos.config.tables.coordinator import CoordinatorBackend
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.fleet.records import SCHEMA, FleetRecord, Reading, encode
from logos.venues.contract import CheckLine

NAMED = "[launch]\nsettings = 'x'\nsession_id = 'a'\n"


def _python(desk: Desk) -> None:
    desk.patch.setattr(checks, "sys", SimpleNamespace(version_info=(3, 10, 4), version="3.10.4"))


def _system(desk: Desk) -> None:
    desk.patch.setattr(checks, "system_problem", lambda: "logos runs on Linux")


def _build(desk: Desk) -> None:
    desk.launch["expected_build"] = "f" * 64


def _settings(desk: Desk) -> None:
    desk.settings += "[riks]\nx = 1\n"


def _no_settings(desk: Desk) -> None:
    desk.launch["settings"] = "sesion.toml"


def _paper_with_leave(desk: Desk) -> None:
    desk.settings += '[venue]\nname = "alpaca"\n'


def _hash(desk: Desk) -> None:
    desk.launch["expected_config_hash"] = "0" * 64


def _no_strategy(desk: Desk) -> None:
    desk.settings = SETTINGS.replace('name = "sma_cross"', "").replace("params", "# params")


def _parameter(desk: Desk) -> None:
    desk.settings = SETTINGS.replace("fast", "fats")


def _library(desk: Desk) -> None:
    desk.settings += '[live]\nfeed = "ccxt"\nexchange = "binance"\n' + INSTRUMENT
    desk.patch.setattr(checks, "find_spec", lambda name: None)


def _data(desk: Desk) -> None:
    desk.settings = SETTINGS.replace("ETHUSDT_quotes", "ETHUSDT_qutoes")


def _clock(desk: Desk) -> None:
    stopped = SimpleNamespace(time_ns=lambda: 10**18, monotonic_ns=time.monotonic_ns)
    desk.patch.setattr(machine, "time", stopped)


def _disk(desk: Desk) -> None:
    desk.limits["min_free_mb"] = 10**12


def _no_folder(*path: str) -> Callable[[Desk], None]:
    """A file stands where a folder is wanted."""

    def change(desk: Desk) -> None:
        for name in path[:-1]:
            (desk.home / name).mkdir(parents=True, exist_ok=True)
        (desk.home / path[-1]).write_text("in the way")

    return change


def _unwritable(name: str) -> Callable[[Desk], None]:
    def change(desk: Desk) -> None:
        real = doctor.check_folder

        def check(what: str, folder: Path) -> Finding:
            if what != name:
                return real(what, folder)
            return Finding(what, False, f"{folder}: cannot write", "make it writable")

        desk.patch.setattr(machine, "check_folder", check)

    return change


def _open_settings(desk: Desk) -> None:
    desk.is_open = True


def _open_dotenv(desk: Desk) -> None:
    (desk.home / ".env").write_text("APCA_API_KEY_ID=PKabc\n")
    (desk.home / ".env").chmod(0o644)


def _umask(_desk: Desk) -> None:
    os.umask(0)


def _registry(desk: Desk) -> None:
    desk.patch.setenv("LOGOS_REGISTRY", "/no/such/folder/registry")


def _engaged(desk: Desk) -> None:
    with closing(CircuitBreaker()) as breaker:
        breaker.arm_if_new()
        breaker.engage("drill", "test")


def _no_coordinator(desk: Desk) -> None:
    desk.settings += (
        '[killswitch.coordinator]\nfleet = "desks"\nendpoints = ["http://127.0.0.1:1"]\n'
    )


def _ended(desk: Desk) -> None:
    path = desk.home / "session.toml"
    path.write_text(SETTINGS)
    assert main(["trade", "--config", str(path), "--session-id", "desk-1", "--quiet"]) == 0


def _pruned(desk: Desk) -> None:
    _ended(desk)
    assert main(["sessions", "prune", "--keep", "0", "--yes"]) == 0


FAILURES: dict[str, tuple[Callable[[Desk], None], str, int, str]] = {
    "python": (_python, "python", 2, "3.10.4"),
    "system": (_system, "system", 2, "logos runs on Linux"),
    "build": (_build, "build", 2, f"expected {'f' * 64}"),
    "unknown key": (_settings, "settings", 2, "riks"),
    "no settings": (_no_settings, "settings", 2, "sesion.toml: there is no such file"),
    "a venue in paper": (_paper_with_leave, "mode", 2, "but real orders were asked for"),
    "config hash": (_hash, "config hash", 2, f"expected {'0' * 64}"),
    "no strategy": (_no_strategy, "strategy", 2, "none is named"),
    "parameter": (_parameter, "strategy", 2, "fats"),
    "library": (_library, "libraries", 2, "ccxt: not installed"),
    "data": (_data, "data", 2, "ETHUSDT_qutoes.csv: there is no such file"),
    "clock": (_clock, "clock", 2, "2001-09-09"),
    "disk": (_disk, "disk", 2, "at least 1000000000000 MB"),
    "sessions": (_no_folder("runs", "runs/live"), "sessions", 2, "cannot write in"),
    "logs": (_no_folder("logos"), "logs", 2, "cannot write in"),
    "state": (_unwritable("state"), "state", 2, "cannot write"),
    "workspace": (_unwritable("workspace"), "workspace", 2, "cannot write"),
    "open settings": (_open_settings, "permissions", 2, "may be written by others (mode 666)"),
    "open .env": (_open_dotenv, "permissions", 2, ".env"),
    "umask": (_umask, "umask", 2, "0000"),
    "registry": (_registry, "registry", 2, "/no/such/folder: no such folder"),
    "kill switch": (_engaged, "kill switch", 4, "ENGAGED at epoch"),
    "coordinator": (_no_coordinator, "coordinator", 4, "127.0.0.1:1"),
    "pruned session": (_pruned, "session", 2, "its id stays taken"),
    "ended session": (_ended, "session", 2, "desk-1 has ended: ENDED"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", FAILURES)
def test_a_pre_check_fails_alone_says_what_to_do_and_nothing_is_made(
    desk: Desk, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change, finding, code, words = FAILURES[name]
    change(desk)
    there = {path for path in desk.home.rglob("*") if "launches" not in path.parts}
    capsys.readouterr()
    assert desk.run("--quiet") == code
    said = capsys.readouterr().err
    phase = desk.report()["phases"][0]
    bad = [each for each in phase["findings"] if not each["fine"]]
    assert [each["name"] for each in bad] == [finding]
    assert words in bad[0]["seen"]
    assert bad[0]["advice"]
    for text in (words, f"do: {bad[0]['advice']}", "FAILED in phase 1 of 4, pre-checks"):
        assert text in said
    assert "rolled back: nothing was made" in said
    assert desk.report()["outcome"] == "FAILED IN PRE-CHECKS"
    assert [each["outcome"] for each in desk.report()["phases"]] == ["FAILED", *["SKIPPED"] * 3]
    assert desk.executed == []
    after = {path for path in desk.home.rglob("*") if "launches" not in path.parts}
    made = {path.name for path in after - there}
    assert made <= {"session.toml", "deploy.toml", "runs"}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (FleetRecord(SCHEMA, 3, "SAFE", "ANN", "reset", 1), ""),
        (
            FleetRecord(SCHEMA, 4, "ENGAGED", "ANN", "drill", 1),
            "fleet desks is ENGAGED at epoch 4: drill",
        ),
        (None, "fleet desks has no switch: the key is not there"),
    ],
)
def test_the_switch_of_the_fleet_is_looked_at_as_a_session_would(
    desk: Desk, record: FleetRecord | None, words: str
) -> None:
    _no_coordinator(desk)
    value = None if record is None else encode(record)
    store = SimpleNamespace(read=lambda: Reading("c1", 9, value, 9), close=lambda: None)
    desk.patch.setattr(checks, "connect", lambda terms: store)
    assert desk.run("--quiet", "--until", "pre-checks") == (4 if words else 0)
    findings = desk.report()["phases"][0]["findings"]
    [found] = [each for each in findings if each["name"] == "coordinator"]
    assert found["fine"] is not bool(words)
    assert found["seen"].startswith(words or "fleet desks is SAFE at epoch 3")
    assert found["advice"] == f"see: logos status --fleet desks --config {desk.home}/session.toml"


def test_the_library_of_every_feed_venue_and_coordinator_is_looked_for() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    kinds: tuple[type[Enum], ...] = (FeedName, VenueName, CoordinatorBackend)
    named = {each.value for kind in kinds for each in kind}
    wanted = named & set(project["optional-dependencies"])
    assert {"ccxt", "kafka", "redis"} <= wanted <= set(checks._LIBRARIES)


def test_the_library_of_the_coordinator_is_wanted_where_there_is_one() -> None:
    at = {"fleet": "desks", "backend": "redis", "endpoints": ["redis://127.0.0.1:1"]}
    assert checks.extras_of(make_config({"killswitch": {"coordinator": at}})) == ["redis"]
    assert checks.extras_of(make_config({})) == []


def test_a_report_that_cannot_be_written_is_a_finding_too(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    _no_folder("runs", "runs/launches")(desk)
    assert desk.run("--quiet") == 2
    said = capsys.readouterr().err
    assert said.startswith("no report can be written: ")
    assert "BAD: report" in said


def test_live_takes_both_words_a_venue_and_an_armed_switch(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.launch["mode"] = "live"
    assert desk.run("--quiet") == 4
    said = capsys.readouterr().err
    assert "live, and real orders were not permitted" in said
    assert "give --live --i-acknowledge-risk, each time" in said
    assert "logos kill reset --by YOUR_NAME" in said
    assert "--mode live" in said
    assert desk.run("--quiet", *LEAVE) == 4
    assert "the paper venue has no live orders; set venue.name" in capsys.readouterr().err
    assert desk.run("--quiet", "--live") == 2
    assert "--live needs --i-acknowledge-risk" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([CheckLine("clock", False, "2 s apart")], "venue clock"),
        (ConfigError("no keys: set APCA_API_KEY_ID"), "no keys"),
    ],
)
def test_what_the_venue_says_is_a_finding_each(
    desk: Desk, capsys: pytest.CaptureFixture[str], answer: object, words: str
) -> None:
    def dry_run(*_: object) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    desk.patch.setattr(checks, "dry_run", dry_run)
    desk.launch["mode"] = "live"
    desk.settings = LIVE
    for name, value in (("APCA_API_KEY_ID", "PKdesk"), ("APCA_API_SECRET_KEY", "s" * 40)):
        desk.patch.setenv(name, value)
    assert desk.run("--quiet", *LEAVE) == 4
    said = capsys.readouterr().err
    assert "FAILED in phase 1 of 4, pre-checks: BAD: kill switch, venue" in said
    assert words in said
    assert "logos venue check alpaca" in said


def test_a_session_that_runs_is_left_alone(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    _ended(desk)
    desk.patch.setattr(checks, "is_in_use", lambda journal: True)
    assert desk.run("--quiet") == 2
    assert "desk-1 is running" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[launch]\nsettings = 'x'\n", "session_id"),
        ("[launch]\nsettings = 'x'\nsession_id = '../x'\n", "not a session id"),
        ("[launch]\nsettings = 'x'\nsession_id = 'a'\nmod = 'live'\n", "mod"),
        ("[launch]\nsettings = 'x'\nsession_id = 'a'\nmode = 'real'\n", "real"),
        (f"{NAMED}[limits]\nphase_s = 0\n", "phase_s = 0"),
        (f"{NAMED}[limits]\nntp_server = 'time.example.com:99999'\n", "must be HOST or HOST:PORT"),
        (f"{NAMED}[limits]\nntp_server = 'time.example.com:ntp'\n", "must be HOST or HOST:PORT"),
        ("[launch\n", "not valid TOML"),
    ],
)
def test_a_bad_deployment_file_is_refused_by_name(
    desk: Desk, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk.home / "deploy.toml").write_text(text)
    assert main(["launch"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "deploy.toml" in said
    assert not (desk.home / "runs").exists()
