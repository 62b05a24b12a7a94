"""What `logos kill`, `status`, `sessions` and `pause` say of workspaces; sessions are made up."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from heartbeat_helpers import Journals

from logos.cli import kill
from logos.cli.main import main
from logos.cli.running import stopping
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.files import OsLayer
from logos.session.presence.commands import command_folder
from logos.session.presence.heartbeat import HeartbeatFile, heartbeat_path
from logos.session.presence.registry import Registration, enter

Output = pytest.CaptureFixture[str]


class Desk:
    """A workspace with an armed switch and, if wanted, one live session of this process."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir()
        with closing(CircuitBreaker(home / "state" / "kill-switch")) as breaker:
            breaker.arm_if_new()
        self.journals = Journals(home / "runs" / "live" / "sessions")
        self.entries: list[Registration] = []

    def begin(self, name: str, *, is_blocked: bool = True) -> HeartbeatFile:
        entry = enter("trade", self.home, name)
        self.entries.append(entry)
        entry.name(name, self.home)
        path = heartbeat_path(name, self.home)
        beat = HeartbeatFile(path, name, self.journals.hold(name), entry.token)
        beat.beat(beat._beat.written_ns, is_live=True, symbols=("ACME",), switch="SAFE")
        beat.acknowledge(is_blocked, is_blocked, 9)
        return beat

    def close(self) -> None:
        for entry in self.entries:
            entry.close()
        self.journals.close()

    @property
    def is_marked(self) -> bool:
        return (self.home / "state" / "kill-switch" / "KILL").exists()


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[tuple[Desk, Desk]]:
    pair = Desk(tmp_path / "one"), Desk(tmp_path / "two")
    yield pair
    for desk in pair:
        desk.close()


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, in no workspace."""
    folder = tmp_path / "outside"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("LOGOS_HOME", raising=False)
    return folder


def logos_kill(*words: str) -> int:
    parser = argparse.ArgumentParser(prog="logos kill")
    kill.add_arguments(parser)
    return kill.run(parser.parse_args(words))


# ---- kill ----


def test_a_session_is_named_with_its_workspace_only_if_that_is_another_one(
    desks: tuple[Desk, Desk], outside: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    one, two = desks
    one.begin("mine")
    two.begin("mine")
    monkeypatch.chdir(one.home / "runs" / "live")
    assert logos_kill() == stopping.EXIT_DONE
    out = capsys.readouterr().out
    me = os.getpid()
    assert out.startswith(
        f"engaging the kill switch of workspace {one.home}\n"
        f"engaging the kill switch of workspace {two.home}\n"
        f"workspace {one.home}: ENGAGED at epoch 2\n"
        f"workspace {two.home}: ENGAGED at epoch 2\n"
    )
    assert f"session mine (pid {me}): BLOCKED, DRAINED\n" in out
    assert f"session mine of workspace {two.home} (pid {me}): BLOCKED, DRAINED\n" in out
    assert f"to clear: LOGOS_HOME={one.home} logos kill reset" in out
    assert f"to clear: LOGOS_HOME={two.home} logos kill reset" in out


def test_one_session_that_is_not_stopped_is_enough_for_the_exit_code(
    desks: tuple[Desk, Desk], outside: Path, capsys: Output
) -> None:
    one, two = desks
    one.begin("good")
    two.begin("bad", is_blocked=False)
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOT_DRAINED
    printed = capsys.readouterr()
    assert "session good" in printed.out
    assert "BLOCKED, DRAINED\n" in printed.out
    assert f"session bad of workspace {two.home} (pid {os.getpid()}): NOT BLOCKED" in printed.err


def test_only_reduce_only_reaches_all_and_waits_for_nobody(
    desks: tuple[Desk, Desk], outside: Path, capsys: Output
) -> None:
    one, _ = desks
    one.begin("mine", is_blocked=False)
    assert logos_kill("reduce-only") == stopping.EXIT_DONE
    assert f"workspace {one.home}: REDUCE_ONLY at epoch 2\n" in capsys.readouterr().out
    assert not one.is_marked


def test_without_write_permission_it_reads_not_engaged(
    desks: tuple[Desk, Desk], outside: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    one, _ = desks
    one.begin("mine", is_blocked=False)
    really_open = OsLayer.open

    def no_writing(
        layer: OsLayer, name: str, flags: int, mode: int = 0o644, *, dir_fd: int | None
    ) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise PermissionError(13, "Permission denied", name)
        return really_open(layer, name, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(OsLayer, "open", no_writing)
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOT_DRAINED
    printed = capsys.readouterr()
    assert f"workspace {one.home}: NOT ENGAGED: neither the marker nor the record" in printed.out
    assert "\nENGAGED" not in printed.out
    assert ": ENGAGED" not in printed.out
    assert "permission denied" in printed.err
    assert "session mine" in printed.err
    assert not one.is_marked


def test_a_switch_that_does_not_answer_keeps_no_other_one_from_being_engaged(
    desks: tuple[Desk, Desk], outside: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    one, two = desks
    one.begin("stuck")
    two.begin("good")
    really_engage = CircuitBreaker.engage

    def engage(breaker: CircuitBreaker, reason: str, by: str = "") -> object:
        if breaker.folder.is_relative_to(one.home):
            raise SystemError("a disk that does not answer")
        return really_engage(breaker, reason, by)

    monkeypatch.setattr(CircuitBreaker, "engage", engage)
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOT_DRAINED
    printed = capsys.readouterr()
    assert f"workspace {one.home}: NOT ENGAGED: its folder did not answer\n" in printed.out
    assert f"session stuck of workspace {one.home}" in printed.err
    assert two.is_marked


def test_a_replay_is_named_and_not_waited_for(
    desks: tuple[Desk, Desk], outside: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    one, _ = desks
    with closing(enter("replay", one.home, "old")):
        assert logos_kill() == stopping.EXIT_NOTHING
        assert not one.is_marked
        monkeypatch.chdir(one.home)
        assert logos_kill("--here") == stopping.EXIT_NOTHING
        out = capsys.readouterr().out
        assert f"session old (pid {os.getpid()}): a replay, which sends no orders\n" in out
        assert "no session is running in this workspace\n" in out


def test_a_session_whose_heartbeat_went_before_its_entry_has_ended(
    desks: tuple[Desk, Desk], outside: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """A session in order removes its heartbeat first, and leaves the registry last of all."""
    one, _ = desks
    beat = one.begin("mine", is_blocked=False)
    steps = iter([beat.close, one.entries[0].close])
    monkeypatch.setattr("time.sleep", lambda _: next(steps)())
    assert logos_kill() == stopping.EXIT_DONE
    line = f"session mine of workspace {one.home}: BLOCKED, DRAINED (it has ended)\n"
    assert line in capsys.readouterr().out


def test_an_entry_that_cannot_be_judged_is_not_known_to_be_blocked(
    outside: Path, own_registry: Path, capsys: Output
) -> None:
    (own_registry / "odd.json").mkdir()
    assert logos_kill("--timeout", "0") == stopping.EXIT_NOT_DRAINED
    assert "a session: NOT KNOWN TO BE BLOCKED: " in capsys.readouterr().err


# ---- status, sessions ----


def test_status_shows_every_workspace_this_one_first(
    desks: tuple[Desk, Desk], outside: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    one, two = desks
    one.begin("mine")
    two.begin("theirs")
    monkeypatch.chdir(two.home)
    assert main(["status"]) == 0
    headings = [line for line in capsys.readouterr().out.splitlines() if line[0] != " "]
    switch = "switch SAFE at epoch 1"
    assert [line.partition(" since ")[0] for line in headings] == [
        f"workspace {two.home}", switch, "theirs: running",
        f"workspace {one.home}", switch, "mine: running",
    ]  # fmt: skip
    assert main(["status", "--here"]) == 0
    assert "mine" not in capsys.readouterr().out
    assert main(["status", "mine", "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["sessions"]
    assert (shown["workspace"], shown["kind"], shown["verdict"]) == (str(one.home), "trade", "ok")


def test_status_outside_of_all_says_so_and_makes_nothing(outside: Path, capsys: Output) -> None:
    assert main(["status"]) == 0
    assert capsys.readouterr().out == f"{outside} is not in a workspace\nno session is running\n"
    assert main(["sessions", "list"]) == 0
    assert list(outside.iterdir()) == []


def test_a_session_without_a_heartbeat_is_starting_and_then_stalled(
    desks: tuple[Desk, Desk], outside: Path, capsys: Output
) -> None:
    one, _ = desks
    with closing(enter("resume", one.home, "slow")):
        assert main(["status", "--late-after", "60"]) == 0
        assert "slow: starting: no heartbeat yet, " in capsys.readouterr().out
        assert main(["status", "--late-after", "0"]) == 1
        assert "slow: STALLED: starting: no heartbeat yet, " in capsys.readouterr().out


def test_sessions_list_has_name_workspace_state_and_age(
    desks: tuple[Desk, Desk], outside: Path, capsys: Output
) -> None:
    one, two = desks
    one.begin("mine")
    two.begin("theirs")
    assert main(["sessions", "list", "--running"]) == 0
    headings, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert headings == ["session", "workspace", "kind", "state", "age"]
    assert [row[:4] for row in rows] == [
        ["mine", str(one.home), "trade", "ok"],
        ["theirs", str(two.home), "trade", "ok"],
    ]
    assert all(row[4].startswith("0:0") for row in rows)


# ---- pause ----


def test_pause_finds_the_session_from_anywhere_and_asks_where_two_have_its_name(
    desks: tuple[Desk, Desk], outside: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    one, two = desks
    one.begin("mine")
    monkeypatch.setattr("logos.cli.pause._PATIENCE_S", 0.0)
    assert main(["pause", "mine"]) == 1
    printed = capsys.readouterr()
    assert printed.out == f"workspace {one.home}\n"
    assert "did not carry out the command" in printed.err
    assert command_folder("mine", one.home).is_dir()
    two.begin("mine")
    assert main(["pause", "mine"]) == 2
    printed = capsys.readouterr()
    assert f"say which: LOGOS_HOME={one.home} or LOGOS_HOME={two.home}" in printed.err
    monkeypatch.chdir(two.home)
    assert main(["pause", "mine"]) == 1
    assert capsys.readouterr().out == f"workspace {two.home}\n"
    assert list(outside.iterdir()) == []
