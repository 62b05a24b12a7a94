"""`logos kill` from the outside: what it prints, what it waits for, and its exit codes."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from switch_helpers import Workspace

from logos import __version__
from logos.cli import kill
from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.session.presence.heartbeat import (
    Heartbeat,
    HeartbeatFile,
    heartbeat_path,
    read_heartbeat,
    read_sessions,
    sessions_folder,
    start_ticks,
)

Output = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def armed(home: Path) -> Iterator[CircuitBreaker]:
    breaker = CircuitBreaker(home / "state" / "kill-switch", build=__version__, mode="paper")
    breaker.arm_if_new()
    yield breaker
    breaker.close()


@pytest.fixture
def sleeper() -> Iterator[int]:
    """The id of another process that runs as long as the test."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process.pid
    process.communicate(b"\n")


def logos_kill(*words: str) -> int:
    parser = argparse.ArgumentParser(prog="logos kill")
    kill.add_arguments(parser)
    return kill.run(parser.parse_args(words))


class Journals:
    """Journals of sessions, which a session that runs holds locked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def hold(self, name: str) -> Path:
        """The journal of a session that runs."""
        path = self._folder / name / "state.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._held[name] = os.open(path, os.O_WRONLY | os.O_CREAT)
        fcntl.flock(self._held[name], fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path

    def release(self, name: str) -> None:
        """The session runs no more."""
        os.close(self._held.pop(name))

    def close(self) -> None:
        for name in list(self._held):
            self.release(name)


@pytest.fixture
def journals(tmp_path: Path) -> Iterator[Journals]:
    held = Journals(tmp_path / "runs" / "live" / "sessions")
    yield held
    held.close()


def write_heartbeat(home: Path, name: str, **fields: object) -> Path:
    path = heartbeat_path(name, home)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"session_id": name, **fields}, default=str))
    return path


def begin(home: Path, journals: Journals, name: str = "mine") -> HeartbeatFile:
    """A session of this process begins."""
    return HeartbeatFile(heartbeat_path(name, home), name, journals.hold(name))


def test_bare_kill_engages_and_names_the_way_back(armed: CircuitBreaker, capsys: Output) -> None:
    assert logos_kill() == kill.EXIT_DONE
    out = capsys.readouterr().out
    home = armed.folder.parent.parent
    assert out.startswith(
        f"engaging the kill switch of workspace {home}\nENGAGED at epoch 2\nno session is running\n"
    )
    assert f"LOGOS_HOME={armed.folder.parent.parent} logos kill reset" in out
    assert "--epoch 2" in out
    assert armed.authority() is SwitchState.ENGAGED
    assert armed.status().why == "operator"


@pytest.mark.parametrize(
    "words",
    [
        ("--reason", "fire", "--by", "ann"),
        ("engage", "--reason", "fire", "--by", "ann"),
        ("--reason", "fire", "engage", "--by", "ann"),
        ("--by", "ann", "engage", "--reason", "fire"),
    ],
)
def test_reason_and_person_may_stand_before_or_after(
    armed: CircuitBreaker, words: tuple[str, ...]
) -> None:
    assert logos_kill(*words) == kill.EXIT_DONE
    status = armed.status()
    assert (status.who, status.why) == ("ann", "fire")


def test_status_tells_state_reason_and_way_out(armed: CircuitBreaker, capsys: Output) -> None:
    assert logos_kill("status") == kill.EXIT_DONE
    assert capsys.readouterr().out.startswith("SAFE at epoch 1 since ")
    armed.engage("fire", "ann")
    assert logos_kill("status") == kill.EXIT_NOT_SAFE
    out = capsys.readouterr().out
    assert "by ann: fire" in out
    assert "--epoch 2" in out
    assert logos_kill("status", "--json") == kill.EXIT_NOT_SAFE
    fields = json.loads(capsys.readouterr().out)
    assert (fields["state"], fields["epoch"], fields["who"]) == ("ENGAGED", 2, "ann")


def test_status_on_a_new_machine_changes_nothing(home: Path, capsys: Output) -> None:
    assert logos_kill("status") == kill.EXIT_NOT_SAFE
    assert "nothing was ever armed" in capsys.readouterr().out
    assert list(home.iterdir()) == []


def test_the_command_that_status_prints_clears_it(armed: CircuitBreaker, capsys: Output) -> None:
    armed.engage("fire", "ann")
    logos_kill("status", "--json")
    command = json.loads(capsys.readouterr().out)["clear_command"].split()
    assert command[1:3] == ["logos", "kill"]
    assert logos_kill(*command[3:]) == kill.EXIT_DONE
    assert armed.authority() is SwitchState.SAFE


def test_a_stale_reset_is_refused_with_the_current_epoch(
    armed: CircuitBreaker, capsys: Output
) -> None:
    armed.engage("fire", "ann")
    words = ("--by", "bob", "--reason", "fine")
    assert logos_kill("reset", *words, "--epoch", "1") == kill.EXIT_REFUSED
    assert "epoch 1 is not the current epoch, 2 is (fire)" in capsys.readouterr().err
    assert armed.authority() is SwitchState.ENGAGED
    assert logos_kill("reset", *words, "--epoch", "2") == kill.EXIT_DONE
    assert logos_kill("reset", "--by", " ", "--reason", "x", "--epoch", "3") == kill.EXIT_USAGE


@pytest.mark.parametrize("missing", ["--by", "--reason", "--epoch"])
def test_a_reset_needs_who_why_and_which_epoch(home: Path, missing: str, capsys: Output) -> None:
    words = {"--by": "ann", "--reason": "fine", "--epoch": "1"}
    del words[missing]
    with pytest.raises(SystemExit) as caught:
        logos_kill("reset", *(word for pair in words.items() for word in pair))
    assert caught.value.code == kill.EXIT_USAGE
    assert missing in capsys.readouterr().err


def test_a_reset_for_live_arms_for_live(armed: CircuitBreaker) -> None:
    words = ("--by", "ann", "--reason", "go", "--epoch", "1", "--mode", "live")
    assert logos_kill("reset", *words) == kill.EXIT_DONE
    live = CircuitBreaker(armed.folder, build=__version__, mode="live")
    assert live.authority() is SwitchState.SAFE
    assert logos_kill("status", "--mode", "live") == kill.EXIT_DONE


def test_reduce_only_and_history(armed: CircuitBreaker, capsys: Output) -> None:
    assert logos_kill("reduce-only", "--reason", "thin", "--by", "ann") == kill.EXIT_DONE
    assert armed.authority() is SwitchState.REDUCE_ONLY
    capsys.readouterr()
    assert logos_kill("history") == kill.EXIT_DONE
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("epoch ")[1] for line in lines] == [
        "1  NEW -> SAFE  by logos: first session on this machine: armed for paper",
        "2  SAFE -> REDUCE_ONLY  by ann: thin",
    ]
    assert logos_kill("history", "--json") == kill.EXIT_DONE
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["epoch"] for entry in entries] == [1, 2]
    (armed.folder / "history.jsonl").write_text("garbage\n")
    assert logos_kill("history") == kill.EXIT_REFUSED
    assert "history.jsonl:1" in capsys.readouterr().err


def test_history_of_a_new_machine_is_empty(home: Path, capsys: Output) -> None:
    assert logos_kill("history") == kill.EXIT_DONE
    assert capsys.readouterr().out == "the switch has no history\n"


def test_it_waits_for_blocked_and_drained_of_each_session(
    armed: CircuitBreaker, home: Path, journals: Journals, capsys: Output
) -> None:
    beat = begin(home, journals)
    beat.acknowledge(blocked=True, drained=True, epoch=1)
    assert logos_kill() == kill.EXIT_DONE
    assert f"session mine (pid {os.getpid()}): BLOCKED, DRAINED\n" in capsys.readouterr().out
    beat.acknowledge(blocked=True, drained=False, epoch=1)
    assert logos_kill("--timeout", "0") == kill.EXIT_NOT_DRAINED
    err = capsys.readouterr().err
    assert f"session mine (pid {os.getpid()}): BLOCKED, NOT DRAINED in time" in err
    beat.acknowledge(blocked=False, drained=False, epoch=1)
    assert logos_kill("--timeout", "0") == kill.EXIT_NOT_DRAINED
    assert "NOT BLOCKED, NOT DRAINED" in capsys.readouterr().err
    beat.close()
    assert logos_kill() == kill.EXIT_DONE


def test_an_acknowledgement_from_before_the_last_reset_does_not_count(
    armed: CircuitBreaker, home: Path, journals: Journals, capsys: Output
) -> None:
    epoch = armed.engage("first", "ann").epoch
    beat = begin(home, journals)
    beat.acknowledge(blocked=True, drained=True, epoch=epoch)
    armed.reset("ann", "fine", epoch)
    assert logos_kill("--timeout", "0") == kill.EXIT_NOT_DRAINED
    assert "NOT BLOCKED" in capsys.readouterr().err


def test_a_session_that_died_while_draining_is_named(
    armed: CircuitBreaker,
    home: Path,
    journals: Journals,
    capsys: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    me = {"pid": os.getpid(), "journal": journals.hold("dying")}
    write_heartbeat(home, "dying", start_ticks=start_ticks(os.getpid()), **me)
    waited: list[float] = []

    def die_meanwhile(seconds: float) -> None:
        if not waited:
            journals.release("dying")
        waited.append(seconds)
        write_heartbeat(home, "dying", start_ticks=1, **me)

    monkeypatch.setattr("time.sleep", die_meanwhile)
    assert logos_kill("--timeout", "0.05") == kill.EXIT_NOT_DRAINED
    assert "its process is gone), NOT DRAINED" in capsys.readouterr().err
    assert waited


def test_a_session_that_ended_before_is_mentioned_and_not_waited_for(
    armed: CircuitBreaker, home: Path, capsys: Output
) -> None:
    write_heartbeat(home, "gone", pid=os.getpid(), start_ticks=1)
    assert logos_kill("--timeout", "0") == kill.EXIT_DONE
    assert "session gone: its process" in capsys.readouterr().out


def test_an_acknowledgement_is_believed_only_together_with_the_lock(
    armed: CircuitBreaker, home: Path, journals: Journals, capsys: Output
) -> None:
    """The process of a library's session lives on when the session has ended out of order."""
    beat = begin(home, journals)
    assert read_sessions(sessions_folder(home))[0].running
    journals.release("mine")
    report = read_sessions(sessions_folder(home))[0]
    assert (report.running, report.process_is_gone, report.problem) == (False, False, "")
    assert logos_kill("--timeout", "0") == kill.EXIT_DONE
    assert f"session mine: process {os.getpid()} does not run it any more" in (
        capsys.readouterr().out
    )
    beat.close()


def test_a_session_that_another_process_took_over_is_not_known_to_be_blocked(
    armed: CircuitBreaker, home: Path, journals: Journals, capsys: Output
) -> None:
    """What the killed process acknowledged says nothing of the one that resumes its session."""
    gone = {"pid": os.getpid(), "start_ticks": 1, "journal": journals.hold("mine")}
    write_heartbeat(home, "mine", blocked=True, drained=True, epoch=9, **gone)
    assert logos_kill("--timeout", "0") == kill.EXIT_NOT_DRAINED
    assert "session mine: NOT KNOWN TO BE BLOCKED: another process" in capsys.readouterr().err


def test_a_session_whose_journal_cannot_be_asked_is_not_known_to_be_blocked(
    armed: CircuitBreaker, home: Path, journals: Journals, capsys: Output
) -> None:
    beat = begin(home, journals)
    beat.acknowledge(blocked=True, drained=True, epoch=1)
    (home / "runs" / "live" / "sessions" / "mine" / "state.jsonl").unlink()
    assert logos_kill("--timeout", "0") == kill.EXIT_NOT_DRAINED
    assert "NOT KNOWN TO BE BLOCKED: its journal cannot be asked" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", ["", "{", '{"x":' + "[" * 4_000, '{"session_id":"other","pid":1,"start_ticks":1}']
)
def test_a_heartbeat_that_cannot_be_read_counts_as_not_stopped(
    armed: CircuitBreaker, home: Path, capsys: Output, content: str
) -> None:
    write_heartbeat(home, "odd").write_text(content)
    assert logos_kill("--timeout", "0") == kill.EXIT_NOT_DRAINED
    assert "session odd: NOT KNOWN TO BE BLOCKED" in capsys.readouterr().err


def test_what_could_not_be_written_has_an_exit_code_of_its_own(
    armed: CircuitBreaker, capsys: Output
) -> None:
    (armed.folder / "lock").unlink()
    (armed.folder / "lock").mkdir()
    assert logos_kill() == kill.EXIT_NOT_WRITTEN
    err = capsys.readouterr().err
    assert "is a directory" in err
    assert "the marker stops every session" in err
    assert armed.authority() is SwitchState.ENGAGED


def test_the_command_that_clears_is_for_the_mode_that_the_switch_was_armed_for(
    home: Path, capsys: Output
) -> None:
    with closing(
        CircuitBreaker(home / "state" / "kill-switch", build=__version__, mode="live")
    ) as breaker:
        breaker.reset("ann", "begin", breaker.status().epoch)
    assert logos_kill() == kill.EXIT_DONE
    assert "--epoch 2 --mode live\n" in capsys.readouterr().out


def test_the_switch_is_engaged_although_the_output_is_closed(armed: CircuitBreaker) -> None:
    command = [sys.executable, "-m", "logos.live", "kill", "--by", "ann"]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, check=False)
    assert b"Traceback" not in done.stderr
    assert armed.authority() is SwitchState.ENGAGED


def test_a_heartbeat_tells_a_reused_process_id_from_its_owner(
    home: Path, journals: Journals, sleeper: int
) -> None:
    ticks = start_ticks(sleeper)
    write_heartbeat(home, "theirs", pid=sleeper, start_ticks=ticks, journal=journals.hold("theirs"))
    write_heartbeat(home, "reused", pid=sleeper, start_ticks=ticks - 1)
    reports = read_sessions(sessions_folder(home))
    assert [(report.session_id, report.running) for report in reports] == [
        ("reused", False),
        ("theirs", True),
    ]


def test_two_processes_cannot_run_one_session(home: Path, journals: Journals, sleeper: int) -> None:
    path, journal = heartbeat_path("mine", home), journals.hold("mine")
    write_heartbeat(home, "mine", pid=sleeper, start_ticks=start_ticks(sleeper), journal=journal)
    with pytest.raises(FileExistsError, match=f"pid {sleeper}"):
        HeartbeatFile(path, "mine", journal)
    write_heartbeat(home, "mine", pid=sleeper, start_ticks=1, journal=journal)
    HeartbeatFile(path, "mine", journal).close()
    assert not path.exists()
    with pytest.raises(ValueError, match="session id"):
        HeartbeatFile(path, "../mine", journal)


def test_what_a_power_cut_left_of_a_heartbeat_keeps_no_session_from_starting(
    home: Path, journals: Journals
) -> None:
    """Its journal is locked by who starts: no other process can run the session."""
    write_heartbeat(home, "mine").write_bytes(b"")
    begin(home, journals)
    report = read_heartbeat(heartbeat_path("mine", home))
    assert report is not None
    assert (report.pid, report.running, report.problem) == (os.getpid(), True, "")


@pytest.mark.parametrize("kind", ["link", "folder", "FIFO", "large"])
def test_what_is_no_file_to_believe_is_neither_followed_nor_waited_for(
    home: Path, journals: Journals, kind: str
) -> None:
    begin(home, journals)
    path = heartbeat_path("odd", home)
    if kind == "link":
        path.symlink_to(heartbeat_path("mine", home))
    elif kind == "folder":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    else:
        path.write_bytes(b" " * 2_000_000)
    report = read_heartbeat(path)
    assert report is not None
    assert (report.running, report.heartbeat, report.pid) == (True, None, 0)
    assert "odd.json" in report.problem


def test_a_heartbeat_is_written_for_news_and_keeps_what_was_said(
    home: Path, journals: Journals
) -> None:
    file = begin(home, journals)
    first = file.path.stat().st_ino
    file.acknowledge(blocked=False, drained=False, epoch=0)
    assert file.path.stat().st_ino == first
    file.acknowledge(blocked=True, drained=False, epoch=3)
    file.beat(7 * 10**9, ticks=12, feeds={"paced": "LIVE"})
    file.acknowledge(blocked=True, drained=True, epoch=3)
    report = read_heartbeat(file.path)
    assert report is not None
    assert report.heartbeat is not None
    beat = report.heartbeat
    assert (beat.blocked, beat.drained, beat.epoch, beat.ticks) == (True, True, 3, 12)
    assert (beat.feeds, beat.age_s(9 * 10**9)) == ({"paced": "LIVE"}, 2.0)
    assert [report.has_stopped(epoch) for epoch in (3, 4)] == [True, False]
    assert list(file.path.parent.iterdir()) == [file.path], "no other file is left"


def test_a_program_with_parentheses_in_its_name_is_read_right(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    fields = " ".join(["S", *map(str, range(4, 53))])
    (tmp_path / "7" / "stat").write_text(f"7 (a) S (b) {fields}\n")
    assert start_ticks(7, tmp_path) == 22
    (tmp_path / "7" / "stat").write_text(f"7 (a) {fields.replace('S', 'Z')}\n")
    assert start_ticks(7, tmp_path) == 0
    assert start_ticks(8, tmp_path) == 0


def test_no_folder_means_no_sessions(tmp_path: Path) -> None:
    assert read_sessions(tmp_path / "none") == []
    (tmp_path / "file").write_text("")
    assert read_sessions(tmp_path / "file")[0].problem
    assert read_heartbeat(tmp_path / "none" / "a.json") is None
    assert Heartbeat("a", 1, 2).blocked is False


def test_the_help_lists_the_exit_codes(capsys: Output) -> None:
    with pytest.raises(SystemExit):
        logos_kill("--help")
    assert "3  a session did not report BLOCKED and DRAINED in time" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        logos_kill("--timeout", "-1")


def test_the_workspace_helper_and_the_command_mean_the_same_folder(home: Path) -> None:
    assert logos_kill("--timeout", "0") == kill.EXIT_DONE
    assert Workspace(home).witness.exists()
