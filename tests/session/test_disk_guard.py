"""A session stops in order while the disk still has room for its end, and can be resumed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest
from crash_helpers import truth
from crash_sessions import STORIES, begin, first_difference, replay, resume, session_folder
from live_session_helpers import Alternating, ScriptedFeed, TickingClock, live, resumed
from live_venue_helpers import Resting, World, open_there

from logos.config import make_config
from logos.config.tables.disk import DiskSettings
from logos.core.gates import InProcessSwitch
from logos.core.messages import Flatten
from logos.core.types import SessionStatus, SwitchState
from logos.errors import ConfigError
from logos.session import ExitCode, disk, entry
from logos.session.disk import DiskGuard, DiskLowError, disk_settings

GIB = 1 << 30
MIB = 1 << 20


@dataclass
class FakeDisk:
    """What the file systems say, and when they were asked."""

    free_bytes: int = GIB
    free_files: int = 100_000
    looks: int = 0
    after: dict[int, int] = field(default_factory=dict)
    """From so many looks on there are so many bytes."""

    def at(self, folder: Path) -> disk.Room:
        self.looks += 1
        for look, free_bytes in self.after.items():
            if self.looks >= look:
                self.free_bytes = free_bytes
        return disk.Room(folder, self.free_bytes, self.free_files)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeDisk:
    """A disk that a test fills; every piece of work of a session looks at it."""
    made = FakeDisk()
    monkeypatch.setattr(disk.Room, "at", made.at)
    monkeypatch.setattr(disk, "_LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(disk, "_places", lambda home: [Path("/")])
    return made


STORY = replace(STORIES["saved"], every=1000)


# ---- recorded sessions ----


@pytest.mark.long
def test_a_session_stops_in_order_before_the_disk_is_full_and_resumes_to_the_same_bytes(
    tmp_path: Path, fake: FakeDisk
) -> None:
    fake.after = {6: 10 * MIB}
    switch = InProcessSwitch()
    stopped = begin(STORY, tmp_path, switch)
    assert (stopped.status, stopped.exit_code) == (SessionStatus.STOPPED, ExitCode.DISK_LOW)
    assert stopped.reason == (
        "DISK_LOW: 10,485,760 bytes are free at /, and it stops at 268,435,456 "
        "(disk.min_free_bytes is 268,435,456): make room, then logos resume crashed"
    )
    assert switch.authority() is SwitchState.SAFE, "a full disk is no matter of the switch"
    page = (session_folder(tmp_path) / "session.md").read_text()
    assert "| exit code | 10 |" in page
    assert "DISK_LOW: 10,485,760 bytes" in page
    replay(STORY, tmp_path)  # the stop too is replayed to the same bytes

    fake.after, fake.free_bytes = {}, GIB
    ended = resume(STORY, tmp_path, InProcessSwitch())
    assert ended.status is SessionStatus.ENDED
    assert first_difference(tmp_path, truth("saved")) == ""


def test_room_is_asked_for_before_anything_is_made(tmp_path: Path, fake: FakeDisk) -> None:
    fake.free_bytes = 300 * MIB
    home = tmp_path / "desk"
    with pytest.raises(DiskLowError) as refused:
        begin(STORY, home)
    assert str(refused.value) == (
        "DISK_LOW: 314,572,800 bytes are free at /, and a start needs 335,544,320 "
        "(disk.min_free_bytes is 268,435,456): make room, then start it again"
    )
    assert not (home / "runs").exists()
    assert not (home / "state" / "kill-switch").exists(), "the switch was not even armed"


@pytest.mark.long
def test_a_stopped_session_is_not_resumed_before_there_is_room(
    tmp_path: Path, fake: FakeDisk
) -> None:
    fake.after = {6: 10 * MIB}
    begin(STORY, tmp_path, InProcessSwitch())
    before = (session_folder(tmp_path) / "state.jsonl").read_bytes()
    with pytest.raises(DiskLowError, match=r"make room, then logos resume crashed$"):
        resume(STORY, tmp_path, InProcessSwitch())
    assert (session_folder(tmp_path) / "state.jsonl").read_bytes() == before


@pytest.mark.long
def test_sealing_and_flattening_need_no_room_to_spare(tmp_path: Path, fake: FakeDisk) -> None:
    fake.after = {6: 10 * MIB}
    begin(STORY, tmp_path, InProcessSwitch())
    asked = fake.looks
    flatten = Flatten(0, "the disk is full", "ann")
    result = resume(STORY, tmp_path, InProcessSwitch(), flatten=flatten)
    assert result.status is SessionStatus.ENDED
    assert fake.looks == asked


@pytest.mark.long
def test_a_session_that_may_not_look_is_stopped_by_nothing(
    tmp_path: Path, fake: FakeDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(STORY), "config", _with_disk(min_free_bytes=0))
    fake.free_bytes = 0
    assert begin(STORY, tmp_path, InProcessSwitch()).status is SessionStatus.ENDED
    assert fake.looks == 0


def test_files_are_counted_like_bytes(tmp_path: Path, fake: FakeDisk) -> None:
    fake.free_files = 63
    with pytest.raises(DiskLowError, match="DISK_LOW: 63 more files can be made at /"):
        begin(STORY, tmp_path, InProcessSwitch())


@pytest.mark.long
def test_the_files_of_a_session_have_a_size_that_an_operator_may_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_STEP_BYTES_MIN", 1)
    monkeypatch.setattr(type(STORY), "config", _with_disk(max_session_bytes=40_000))
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    stopped = begin(STORY, tmp_path, InProcessSwitch())
    assert (stopped.status, stopped.exit_code) == (SessionStatus.STOPPED, ExitCode.DISK_LOW)
    assert "disk.max_session_bytes is 40,000: make it larger, such as " in stopped.reason
    with pytest.raises(DiskLowError, match="the files of the session hold"):
        resume(STORY, tmp_path, InProcessSwitch())
    name, _, command = stopped.reason.rpartition("such as ")[2].partition(" ")[0].partition("=")
    assert (name, command) == ("LOGOS_CFG__DISK__MAX_SESSION_BYTES", "80000")
    monkeypatch.setenv(name, "8000000")
    assert resume(STORY, tmp_path, InProcessSwitch()).status is SessionStatus.ENDED


@pytest.mark.long
def test_the_size_that_is_suggested_lets_the_session_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(STORY), "config", _with_disk(max_session_bytes=5_000))
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    begin(STORY, tmp_path, InProcessSwitch())
    before = (session_folder(tmp_path) / "state.jsonl").stat().st_size
    with pytest.raises(DiskLowError) as refused:
        resume(STORY, tmp_path, InProcessSwitch())
    name, _, size = str(refused.value).rpartition("such as ")[2].partition(" ")[0].partition("=")
    monkeypatch.setenv(name, size)
    resume(STORY, tmp_path, InProcessSwitch())
    assert (session_folder(tmp_path) / "state.jsonl").stat().st_size > before


@pytest.mark.long
def test_the_end_leaves_its_snapshot_out_when_there_is_no_room_for_one(
    tmp_path: Path, fake: FakeDisk
) -> None:
    fake.after = {6: MIB}
    begin(STORY, tmp_path / "low", InProcessSwitch())
    assert not (session_folder(tmp_path / "low") / "snapshot.json").exists()
    fake.after, fake.free_bytes = {fake.looks + 7: 10 * MIB}, GIB
    begin(STORY, tmp_path / "enough", InProcessSwitch())
    assert (session_folder(tmp_path / "enough") / "snapshot.json").exists()
    fake.after, fake.free_bytes = {}, GIB
    resume(STORY, tmp_path / "low", InProcessSwitch())
    assert first_difference(tmp_path / "low", truth("saved")) == ""


# ---- how it looks ----


def test_looks_come_closer_as_room_runs_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However fast it is written, a session is stopped with its reserve hardly touched."""
    free = 2 * GIB
    looks: list[int] = []

    def at(folder: Path) -> disk.Room:
        looks.append(free)
        return disk.Room(folder, free, None)

    monkeypatch.setattr(disk.Room, "at", at)
    monkeypatch.setattr(disk, "_places", lambda home: [Path("/")])
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)  # only what is written counts
    guard = DiskGuard(DiskSettings(min_free_bytes=256 * MIB), tmp_path / "none", tmp_path)
    looks.clear()
    written = 0
    while not guard.is_low(written):
        written += 20_000  # a batch: inputs and journal, and as much again of tables and log
        free -= 40_000
    assert 256 * MIB - 200_000 < free <= 256 * MIB
    assert len(looks) < 2 * GIB // disk._STEP_BYTES_MAX + 100


def test_between_two_looks_nothing_is_asked(tmp_path: Path, fake: FakeDisk) -> None:
    guard = DiskGuard(DiskSettings(), tmp_path / "none", tmp_path)
    disk_looks = fake.looks
    guard._look_at_s = float("inf")
    for written in range(1000):
        guard._look_at_bytes = 10**9
        assert not guard.is_low(written)
    assert fake.looks == disk_looks


def test_the_real_disk_is_asked_where_a_folder_would_lie(tmp_path: Path) -> None:
    room = disk.Room.at(tmp_path / "not" / "there")
    found = os.statvfs(tmp_path)
    assert room.folder == tmp_path
    assert abs(room.free_bytes - found.f_bavail * found.f_frsize) < 64 * MIB


# ---- settings ----


def test_settings_without_the_table_are_written_without_it() -> None:
    plain = make_config({"session": {"id": "x"}})
    assert "disk" not in msgspec.to_builtins(plain)
    assert disk_settings(plain, {}) == DiskSettings()
    assert disk_settings(make_config({"disk": {"min_free_bytes": 5}}), {}).min_free_bytes == 5


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"LOGOS_CFG__DISK__MIN_FREE_BYTES": "much"}, "Expected `int`"),
        ({"LOGOS_CFG__DISK__MIN_FREE_BYTES": "-1"}, "must be 0 (none) or more, not -1"),
        ({"LOGOS_CFG__DISK__SEGMENT_BYTES": "1"}, "must be 0 (never) or at least 65,536, not 1"),
        ({"LOGOS_CFG__DISK__ROOM": "1"}, "LOGOS_CFG__DISK__ROOM"),
    ],
)
def test_variables_of_a_resumed_session_are_checked(variables: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        disk_settings(make_config({}), variables)
    assert words in str(refused.value)


# ---- live sessions ----


@pytest.mark.long
def test_a_live_session_stops_in_order_and_the_switch_stays_as_it_is(
    tmp_path: Path, fake: FakeDisk
) -> None:
    clock, switch = TickingClock(), InProcessSwitch()
    feed = ScriptedFeed(clock, 60, after={30: _set(fake, 10 * MIB)})
    stopped = live(tmp_path, feed, clock, switch=switch)
    assert (stopped.status, stopped.exit_code) == (SessionStatus.STOPPED, ExitCode.DISK_LOW)
    assert switch.authority() is SwitchState.SAFE
    entry.replay("live", strategy=Alternating(), home=tmp_path)

    fake.free_bytes = GIB
    ended = resumed(tmp_path, ScriptedFeed(clock, 30), clock, switch=switch)
    assert ended.status is SessionStatus.ENDED
    assert ended.summary["orders"] >= stopped.summary["orders"] + 30
    entry.replay("live", strategy=Alternating(), home=tmp_path)


@pytest.mark.long
def test_what_rests_at_a_venue_is_cancelled_before_the_session_stops(
    tmp_path: Path, fake: FakeDisk
) -> None:
    there = World(tmp_path)
    feed = ScriptedFeed(there.clock, 60, after={25: _set(fake, 10 * MIB)})
    stopped = there.run(feed, Resting())
    assert stopped.exit_code is ExitCode.DISK_LOW
    assert stopped.reason.endswith("make room, then logos resume live --live --i-acknowledge-risk")
    entry.replay("live", strategy=Resting(), home=tmp_path)  # with the same reason
    assert len(there.venue.submits) == 3, "nothing is ordered any more"
    assert open_there(there) == []
    [suspend] = [
        line
        for line in (stopped.folder / "state.jsonl").read_text().splitlines()
        if '"kind":"command"' in line
    ]
    assert '"by":"disk guard"' in suspend
    assert "DISK_LOW: " in suspend


def _set(fake: FakeDisk, free_bytes: int) -> Callable[[], object]:
    return lambda: setattr(fake, "free_bytes", free_bytes)


def _with_disk(**table: int) -> property:
    plain = type(STORY).config
    assert isinstance(plain, property)
    assert plain.fget is not None
    make = plain.fget
    return property(lambda story: {**make(story), "disk": table})
