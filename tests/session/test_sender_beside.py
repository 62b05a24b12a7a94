"""A session whose settings have `[alerts]` has a sender beside it; another one has none."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from journal_helpers import TRADES, BarByBar, bars, run
from waiting import wait_until

from logos.observe.alerts.outbox import alerts_folder
from logos.session.entry import replay
from logos.session.opening import alert_sender as module
from logos.session.opening.alert_sender import AlertSender, is_sender_running
from logos.testing.builders import Scripted

STAND_IN = f"""#!{sys.executable}
import fcntl, json, os, signal, sys, time
folder = os.path.join(os.environ["LOGOS_HOME"], "state", "alerts")
lock = open(os.path.join(folder, "lock"), "w")
fcntl.flock(lock, fcntl.LOCK_EX)
facts = {{
    "pid": os.getpid(), "words": sys.argv[1:], "is_leader": os.getsid(0) == os.getpid(),
    "held": [int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
}}
with open(os.path.join(folder, "started"), "a") as file:
    file.write(json.dumps(facts) + "\\n")
print("hello", flush=True)
time.sleep(100)
"""
ALERTS = {"channels": {"log": {"type": "command", "command": ["true"]}}}


class StandIn:
    """In place of the sender: a process that takes the lock and says how it was started."""

    def __init__(self, home: Path) -> None:
        self.folder = alerts_folder(home)

    @property
    def starts(self) -> list[dict[str, object]]:
        with suppress(FileNotFoundError):
            lines = (self.folder / "started").read_text().splitlines()
            return [json.loads(line) for line in lines]
        return []

    def kill(self) -> None:
        pid = self.starts[-1]["pid"]
        assert isinstance(pid, int)
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def stand_in(
    logos_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StandIn]:
    program = tmp_path / "python"
    program.write_text(STAND_IN)
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(module, "_LOOK_S", 0.02)
    stand_in = StandIn(logos_home)
    yield stand_in
    for each in stand_in.starts:
        assert isinstance(each["pid"], int)
        with suppress(ProcessLookupError):
            os.kill(each["pid"], signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(each["pid"], 0)


def test_a_sender_is_started_outlives_the_session_and_is_free_of_its_signals(
    stand_in: StandIn,
) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        with AlertSender("desk-1", None, pytest.fail):
            wait_until(lambda: is_sender_running(stand_in.folder), "the sender")
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    assert is_sender_running(stand_in.folder)
    wait_until(lambda: bool(stand_in.starts), "what it says")
    [facts] = stand_in.starts
    words = "-m logos.live alerts run --until-idle --session desk-1"
    assert facts["words"] == words.split()
    assert facts["is_leader"]
    assert facts["held"] == []
    log = stand_in.folder / "sender.log"
    wait_until(lambda: log.read_text() == "hello\n", "its log")
    assert log.stat().st_mode & 0o777 == 0o600


def test_one_that_was_killed_is_followed_by_another(stand_in: StandIn) -> None:
    with AlertSender("desk-1", None, pytest.fail):
        wait_until(lambda: len(stand_in.starts) == 1, "a sender")
        stand_in.kill()
        wait_until(lambda: len(stand_in.starts) == 2, "the next one")
        stand_in.kill()
        wait_until(lambda: len(stand_in.starts) == 3, "and the next one")


def test_one_that_died_just_before_the_session_ends_is_followed_by_another(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 100.0)
    with AlertSender("desk-1", None, pytest.fail):
        wait_until(lambda: len(stand_in.starts) == 1, "the sender")
        stand_in.kill()
        wait_until(lambda: not is_sender_running(stand_in.folder), "its end")
    wait_until(lambda: len(stand_in.starts) == 2, "the one that tells of the end")


def test_where_one_runs_no_other_is_started(stand_in: StandIn) -> None:
    with AlertSender("desk-1", None, pytest.fail):
        wait_until(lambda: len(stand_in.starts) == 1, "the sender")
        with AlertSender("desk-2", None, pytest.fail) as other:
            wait_until(lambda: other.looks > 3, "looks of the other")
    assert len(stand_in.starts) == 1


def test_one_that_cannot_be_started_is_told_once_and_the_session_goes_on(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    said: list[str] = []
    with AlertSender("desk-1", None, said.append) as sender:
        wait_until(lambda: sender.looks > 3, "some looks")
    assert said == ["logos: no alerts are sent: /nowhere/python: No such file or directory"]


@pytest.mark.long
def test_a_session_with_alerts_has_one_and_a_replay_or_another_session_has_none(
    stand_in: StandIn, logos_home: Path
) -> None:
    run(logos_home, session={"id": "plain"})
    assert not stand_in.folder.exists()
    result = run(logos_home, session={"id": "told"}, alerts=ALERTS)
    wait_until(lambda: len(stand_in.starts) == 1, "the sender")
    assert "alerts" in json.loads((result.folder / "config.json").read_text())
    stand_in.kill()
    wait_until(lambda: not is_sender_running(stand_in.folder), "its end")
    replay("told", strategy=Scripted(TRADES), feed=BarByBar(bars(9)))
    assert len(stand_in.starts) == 1
