"""One heartbeat on the disk: what may be believed of it, and who may write it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from heartbeat_helpers import Journals, begin, write_heartbeat

from logos.session.presence.heartbeat import (
    Heartbeat,
    HeartbeatFile,
    heartbeat_path,
    read_heartbeat,
    read_sessions,
    sessions_folder,
    start_ticks,
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def journals(tmp_path: Path) -> Iterator[Journals]:
    held = Journals(tmp_path / "runs" / "live" / "sessions")
    yield held
    held.close()


@pytest.fixture
def sleeper() -> Iterator[int]:
    """The id of another process that runs as long as the test."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process.pid
    process.communicate(b"\n")


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
    with pytest.raises(
        FileExistsError, match=rf"already running \(pid {sleeper}\); wait for it to end"
    ):
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
    file.close()
    file.beat(8 * 10**9)
    file.acknowledge(blocked=False, drained=False, epoch=4)
    assert not file.path.exists()
    write_heartbeat(home, "mine", pid=1, start_ticks=1)
    file.close()
    assert file.path.exists(), "that of a later session of the same id"


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
