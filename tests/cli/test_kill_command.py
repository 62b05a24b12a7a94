"""`logos kill` from the outside: what it prints, what it waits for, and its exit codes."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from heartbeat_helpers import Journals, begin, write_heartbeat
from switch_helpers import Workspace

from logos import __version__
from logos.cli import kill
from logos.cli.running import stopping
from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.session.presence.heartbeat import read_sessions, sessions_folder, start_ticks

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
def journals(tmp_path: Path) -> Iterator[Journals]:
    held = Journals(tmp_path / "runs" / "live" / "sessions")
    yield held
    held.close()


def logos_kill(*words: str) -> int:
    parser = argparse.ArgumentParser(prog="logos kill")
    kill.add_arguments(parser)
    return kill.run(parser.parse_args(words))


def test_bare_kill_engages_and_names_the_way_back(armed: CircuitBreaker, capsys: Output) -> None:
    assert logos_kill() == stopping.EXIT_NOTHING
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
    assert logos_kill(*words) == stopping.EXIT_NOTHING
    status = armed.status()
    assert (status.who, status.why) == ("ann", "fire")


def test_status_tells_state_reason_and_way_out(armed: CircuitBreaker, capsys: Output) -> None:
    assert logos_kill("status") == stopping.EXIT_DONE
    assert capsys.readouterr().out.startswith(
        f"kill switch of workspace {armed.folder.parent.parent}\nSAFE at epoch 1 since "
    )
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
    assert logos_kill(*command[3:]) == stopping.EXIT_DONE
    assert armed.authority() is SwitchState.SAFE


def test_a_stale_reset_is_refused_with_the_current_epoch(
    armed: CircuitBreaker, capsys: Output
) -> None:
    armed.engage("fire", "ann")
    words = ("--by", "bob", "--reason", "fine")
    assert logos_kill("reset", *words, "--epoch", "1") == kill.EXIT_REFUSED
    assert "epoch 1 is not the current epoch, 2 is (fire)" in capsys.readouterr().err
    assert armed.authority() is SwitchState.ENGAGED
    assert logos_kill("reset", *words, "--epoch", "2") == stopping.EXIT_DONE
    assert logos_kill("reset", "--by", " ", "--reason", "x", "--epoch", "3") == stopping.EXIT_USAGE


@pytest.mark.parametrize("missing", ["--by", "--reason", "--epoch"])
def test_a_reset_needs_who_why_and_which_epoch(home: Path, missing: str, capsys: Output) -> None:
    words = {"--by": "ann", "--reason": "fine", "--epoch": "1"}
    del words[missing]
    with pytest.raises(SystemExit) as caught:
        logos_kill("reset", *(word for pair in words.items() for word in pair))
    assert caught.value.code == stopping.EXIT_USAGE
    assert missing in capsys.readouterr().err


def test_a_reset_for_live_arms_for_live(armed: CircuitBreaker) -> None:
    words = ("--by", "ann", "--reason", "go", "--epoch", "1", "--mode", "live")
    assert logos_kill("reset", *words) == stopping.EXIT_DONE
    live = CircuitBreaker(armed.folder, mode="live")
    assert live.authority() is SwitchState.SAFE
    assert logos_kill("status", "--mode", "live") == stopping.EXIT_DONE


def test_reduce_only_and_history(armed: CircuitBreaker, capsys: Output) -> None:
    assert logos_kill("reduce-only", "--reason", "thin", "--by", "ann") == stopping.EXIT_DONE
    assert armed.authority() is SwitchState.REDUCE_ONLY
    capsys.readouterr()
    assert logos_kill("history") == stopping.EXIT_DONE
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split("epoch ")[1] for line in lines] == [
        "1  NEW -> SAFE  by logos: first session on this machine: armed for paper",
        "2  SAFE -> REDUCE_ONLY  by ann: thin",
    ]
    assert logos_kill("history", "--json") == stopping.EXIT_DONE
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["epoch"] for entry in entries] == [1, 2]
    (armed.folder / "history.jsonl").write_text("garbage\n")
    assert logos_kill("history") == kill.EXIT_REFUSED
    assert "history.jsonl:1" in capsys.readouterr().err


def test_history_of_a_new_machine_is_empty(home: Path, capsys: Output) -> None:
    assert logos_kill("history") == stopping.EXIT_DONE
    assert capsys.readouterr().out == (
        f"kill switch of workspace {home}\nthe switch has no history\n"
    )


def test_it_waits_for_blocked_and_drained_of_each_session(
    armed: CircuitBreaker, home: Path, journals: Journals, capsys: Output
) -> None:
    beat = begin(home, journals)
    beat.acknowledge(blocked=True, drained=True, epoch=1)
    assert logos_kill() == stopping.EXIT_DONE
    assert f"session mine (pid {os.getpid()}): BLOCKED, DRAINED\n" in capsys.readouterr().out
    beat.acknowledge(blocked=True, drained=False, epoch=1)
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOT_DRAINED
    err = capsys.readouterr().err
    assert err.startswith("KILL_INCOMPLETE\n")
    assert f"session mine (pid {os.getpid()}): BLOCKED, NOT DRAINED" in err
    assert "its last sign of life is 0 s old: repeat `logos kill`" in err
    assert "kill -9" not in err
    beat.acknowledge(blocked=False, drained=False, epoch=1)
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOT_DRAINED
    assert "NOT BLOCKED, NOT DRAINED" in capsys.readouterr().err
    beat.close()
    assert logos_kill() == stopping.EXIT_NOTHING


def test_an_acknowledgement_from_before_the_last_reset_does_not_count(
    armed: CircuitBreaker, home: Path, journals: Journals, capsys: Output
) -> None:
    epoch = armed.engage("first", "ann").epoch
    beat = begin(home, journals)
    beat.acknowledge(blocked=True, drained=True, epoch=epoch)
    armed.reset("ann", "fine", epoch)
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOT_DRAINED
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
    assert logos_kill("--timeout", "0.05") == stopping.EXIT_NOT_DRAINED
    assert "its process is gone), NOT DRAINED" in capsys.readouterr().err
    assert waited


def test_a_session_that_ended_before_is_mentioned_and_not_waited_for(
    armed: CircuitBreaker, home: Path, capsys: Output
) -> None:
    write_heartbeat(home, "gone", pid=os.getpid(), start_ticks=1)
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOTHING
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
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOTHING
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
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOT_DRAINED
    assert "session mine: NOT KNOWN TO BE BLOCKED: another process" in capsys.readouterr().err


def test_a_session_whose_journal_cannot_be_asked_is_not_known_to_be_blocked(
    armed: CircuitBreaker, home: Path, journals: Journals, capsys: Output
) -> None:
    beat = begin(home, journals)
    beat.acknowledge(blocked=True, drained=True, epoch=1)
    (home / "runs" / "live" / "sessions" / "mine" / "state.jsonl").unlink()
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOT_DRAINED
    assert "NOT KNOWN TO BE BLOCKED: its journal cannot be asked" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", ["", "{", '{"x":' + "[" * 4_000, '{"session_id":"other","pid":1,"start_ticks":1}']
)
def test_a_heartbeat_that_cannot_be_read_counts_as_not_stopped(
    armed: CircuitBreaker, home: Path, capsys: Output, content: str
) -> None:
    write_heartbeat(home, "odd").write_text(content)
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOT_DRAINED
    assert "session odd: NOT KNOWN TO BE BLOCKED" in capsys.readouterr().err


def test_what_could_not_be_written_has_an_exit_code_of_its_own(
    armed: CircuitBreaker, capsys: Output
) -> None:
    (armed.folder / "lock").unlink()
    (armed.folder / "lock").mkdir()
    assert logos_kill() == stopping.EXIT_NOT_WRITTEN
    err = capsys.readouterr().err
    assert "is a directory" in err
    assert "the marker stops every session" in err
    assert armed.authority() is SwitchState.ENGAGED


def test_the_command_that_clears_is_for_the_mode_that_the_switch_was_armed_for(
    home: Path, capsys: Output
) -> None:
    with closing(CircuitBreaker(home / "state" / "kill-switch", mode="live")) as breaker:
        breaker.reset("ann", "begin", breaker.status().epoch)
    assert logos_kill() == stopping.EXIT_NOTHING
    assert "--epoch 2 --mode live\n" in capsys.readouterr().out


@pytest.mark.long
def test_the_switch_is_engaged_although_the_output_is_closed(armed: CircuitBreaker) -> None:
    command = [sys.executable, "-m", "logos.live", "kill", "--by", "ann"]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, check=False)
    assert b"Traceback" not in done.stderr
    assert armed.authority() is SwitchState.ENGAGED


def test_the_help_lists_the_exit_codes(capsys: Output) -> None:
    with pytest.raises(SystemExit):
        logos_kill("--help")
    assert "3  KILL_INCOMPLETE: a session did not report" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        logos_kill("--timeout", "-1")


def test_the_workspace_helper_and_the_command_mean_the_same_folder(
    armed: CircuitBreaker, home: Path
) -> None:
    Workspace(home).witness.unlink()
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOTHING
    assert Workspace(home).witness.exists()
