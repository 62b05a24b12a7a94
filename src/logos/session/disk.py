"""Stops a session in order before the disk is full, and refuses a start that would soon stop.

A write that fails ends a session hard: the switch is engaged, nothing is sealed. So the room is
looked at while there still is some. With less free than `disk.min_free_bytes`, or with more in the
session's own files than `disk.max_session_bytes`, the session stops as an operator would stop it:
what rests at a venue is cancelled, books, tables and session.md are written, nothing is lost, and
`logos resume` continues it once there is room.

How it looks. Once a second, as others fill the disk too, and whenever the session itself has
written a part of the room that is left: the looks come closer as room runs out. Between two looks
the hot path compares two numbers.

What an end needs is kept free, whatever the settings say: what one more piece of work may write (a
tenth of a second of it, in which each event may make an order), two snapshots (a new one replaces
an old one), the last rows, state.json and session.md. With too little for a snapshot that is left
out, and the session is resumed from an earlier one or from its beginning.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from logos import paths
from logos.config import Config
from logos.config.environment import Environment
from logos.config.names import PREFIX, read_names
from logos.config.tables.disk import DISK, DiskSettings, disk_problems
from logos.core.types import SessionStatus
from logos.errors import ConfigError, LogosError
from logos.journal.entries import JOURNAL
from logos.journal.inputs import InputsWriter
from logos.session.artifacts.snapshots.snapshot import SNAPSHOT
from logos.session.history import Journal
from logos.session.opening.spec import Purpose, SessionSpec
from logos.session.session import Session
from logos.session.stored.names import log_path
from logos.session.stored.next_steps import resume_command

DISK_LOW: Final = "DISK_LOW"
"""The first word of the reason of a session that was stopped for want of room."""

_LOOK_EVERY_S: Final = 1.0
_STEP_BYTES_MIN: Final = 65_536
_STEP_BYTES_MAX: Final = 16 << 20
_SHARE_OF_ROOM: Final = 8
"""A session looks again after it has written one part in so many of the room that is left: its
tables and log take up to as much again as inputs and journal, which are what is counted."""
_END_BYTES: Final = 1 << 20
"""What state.json, session.md, the last rows and what is still buffered may take."""
_PIECE_BYTES: Final = 16 << 20
"""What a session may write between two looks: an order takes about 3 kB in all files, and 7 us of
the compiled core."""
_INODES_MIN: Final = 64


class DiskLowError(LogosError):
    """There is too little room to start; the message says where, how much, and what to do."""


class Room(msgspec.Struct, frozen=True):
    """What a file system has left for this user."""

    folder: Path
    free_bytes: int
    free_files: int | None
    """None: it has no such limit."""

    @classmethod
    def at(cls, folder: Path) -> Room:
        """That of the file system on which `folder` lies or would lie. Raises OSError."""
        while not folder.exists() and folder.parent != folder:
            folder = folder.parent
        found = os.statvfs(folder)
        files = found.f_favail if found.f_files else None
        # One without blocks (/proc) has no size: what can be written there shows when it is.
        free = found.f_bavail * found.f_frsize if found.f_blocks else sys.maxsize
        return cls(folder, free, files)


class DiskGuard:
    """Watches the disk for one session, which asks `is_low` after each piece of its work."""

    def __init__(
        self, settings: DiskSettings, folder: Path, home: Path | None, *, is_real: bool = False
    ) -> None:
        """`folder` is the session's or where it is to be, `home` its workspace (None: the
        configured one); `is_real`: its orders go to a venue."""
        self.reason = ""
        """Why the session is to stop, in words; empty while there is room."""
        self._settings = settings
        self._command = resume_command(folder.name, is_real=is_real)
        self._folder = folder
        self._log = log_path(folder.name, home)
        self._places = _places(home)
        self._look_at_s = 0.0
        self._look_at_bytes = 0
        self._room_bytes: int | None = None

    def watch(self, session: Session, inputs: InputsWriter | None) -> None:
        """Have `session` ask from now on; `inputs` is where it records what it consumes."""
        folder, script = session.folder, session.script

        def is_disk_low() -> bool:
            written = folder.written_bytes + (0 if inputs is None else inputs.written_bytes)
            if not self.is_low(written):
                return False
            script.stopped_because = self.reason
            return True

        if self._settings.min_free_bytes or self._settings.max_session_bytes:
            session.is_disk_low = is_disk_low
        if session.snapshots is not None:
            session.snapshots.has_room = self._has_room_for_snapshot

    def is_low(self, written_bytes: int) -> bool:
        """Whether the session is to stop for want of room; `written_bytes` of it are written.

        Raises OSError when the disk cannot be asked.
        """
        if self.reason:
            return True
        now_s = time.monotonic()
        if now_s < self._look_at_s and written_bytes < self._look_at_bytes:
            return False
        left = self._look()
        step = min(max(left // _SHARE_OF_ROOM, _STEP_BYTES_MIN), _STEP_BYTES_MAX)
        self._look_at_s = now_s + _LOOK_EVERY_S
        self._look_at_bytes = written_bytes + step
        return bool(self.reason)

    def _has_room_for_snapshot(self) -> bool:
        """Whether the end may take what a snapshot takes, as far as the last look says."""
        room = self._room_bytes
        return not self.reason or room is None or room >= self._end_bytes()

    def check_start(self) -> None:
        """Refuse a start that would soon be stopped. Raises DiskLowError, OSError."""
        self._look(start=True)
        if self.reason:
            raise DiskLowError(self.reason)

    def _look(self, *, start: bool = False) -> int:
        """Set `reason` if there is too little room; returns how many bytes may still be written."""
        left = _STEP_BYTES_MAX * _SHARE_OF_ROOM
        if self._settings.min_free_bytes:
            left = min(left, self._look_at_disks(start=start))
        limit = self._settings.max_session_bytes
        if limit and not self.reason and self._is_there:
            held = sum(file_sizes((self._folder, self._log)).values())
            left = min(left, limit - held)
            if held >= limit:
                larger = limit
                while larger < held * 3 // 2:  # the tables and the log of its end come on top
                    larger *= 2
                self.reason = (
                    f"{DISK_LOW}: the files of the session hold {held:,} bytes, and "
                    f"disk.max_session_bytes is {limit:,}: make it larger, such as "
                    f"{PREFIX}DISK__MAX_SESSION_BYTES={larger} {self._command}"
                )
        return left

    def _look_at_disks(self, *, start: bool) -> int:
        least = max(self._settings.min_free_bytes, self._end_bytes() + _PIECE_BYTES)
        least += least // 4 if start else 0
        rooms = [Room.at(place) for place in self._places]
        lowest = min(rooms, key=lambda room: room.free_bytes)
        self._room_bytes = lowest.free_bytes
        word = "a start needs" if start else "it stops at"
        if lowest.free_bytes < least:
            self.reason = (
                f"{DISK_LOW}: {lowest.free_bytes:,} bytes are free at {lowest.folder}, and "
                f"{word} {least:,} (disk.min_free_bytes is {self._settings.min_free_bytes:,}): "
                f"make room, then {self._next()}"
            )
        for room in rooms:
            if room.free_files is not None and room.free_files < _INODES_MIN and not self.reason:
                self.reason = (
                    f"{DISK_LOW}: {room.free_files} more files can be made at {room.folder}, and "
                    f"{word} {_INODES_MIN}: remove some, then {self._next()}"
                )
        return lowest.free_bytes - least

    @property
    def _is_there(self) -> bool:
        """Whether the session has its folder."""
        return (self._folder / JOURNAL).is_file()

    def _next(self) -> str:
        return self._command if self._is_there else "start it again"

    def _end_bytes(self) -> int:
        """What the end of the session may write at most, by what it has written so far."""
        try:
            snapshot = (self._folder / SNAPSHOT).stat().st_size
        except FileNotFoundError:
            snapshot = _END_BYTES
        return 2 * snapshot + _END_BYTES


def disk_guard(spec: SessionSpec, config: Config, session_id: str) -> DiskGuard:
    """Who watches the disk for this session; an empty id: it has none yet.

    What only ends a session (to close its positions, to seal it) is not limited. Raises
    ConfigError.
    """
    sessions = paths.within(spec.home, paths.sessions_dir())
    settings = config.disk or DISK
    if spec.flatten is not None or spec.purpose is not Purpose.TRADE:
        settings = DiskSettings(min_free_bytes=0, max_session_bytes=0)
    elif spec.config is None:
        settings = disk_settings(config)
    folder = sessions / (session_id or ".")
    return DiskGuard(settings, folder, spec.home, is_real=config.venue.live)


def stopped_because(journal: Journal, session_id: str) -> str:
    """The words with which this guard stopped a session, for its replay; "" if it did not."""
    if journal.status is not SessionStatus.STOPPED or not journal.reason.startswith(DISK_LOW):
        return ""
    for is_real in (True, False):  # the longer command begins with the other one
        head, found, _ = journal.reason.partition(resume_command(session_id, is_real=is_real))
        if found:
            break
    return head + found


def file_sizes(places: Iterable[Path]) -> dict[Path, int]:
    """The bytes of files, and of the files right inside of folders, by path. Raises OSError."""
    sizes: dict[Path, int] = {}
    for place in places:
        for path in sorted(place.iterdir()) if place.is_dir() else (place,):
            try:
                found = path.lstat()
            except FileNotFoundError:
                continue  # replaced a moment ago, or not made yet
            if stat.S_ISREG(found.st_mode):
                sizes[path] = found.st_size
    return sizes


def disk_settings(config: Config, variables: Mapping[str, str] | None = None) -> DiskSettings:
    """The `[disk]` of a session, what variables say laid over what its settings say.

    A session that is resumed has the settings it began with; what limits its files is the
    operator's to change. `variables` replaces those of the process. Raises ConfigError.
    """
    settings = config.disk or DISK
    environment = Environment.read(variables)
    stem = f"{PREFIX}DISK"
    ours = {
        name: text
        for name, text in {**environment.dotenv, **environment.process}.items()
        if name.upper().startswith(stem)
    }
    if not ours:
        return settings
    named = read_names(ours, {})
    table: Mapping[str, Any] = named.tables.get("disk", {})
    problems = list(named.problems)
    try:
        settings = msgspec.convert({**msgspec.to_builtins(settings), **table}, DiskSettings)
    except msgspec.ValidationError as error:
        problems.append(f"disk: {error}")
    problems += disk_problems(settings)
    if problems:
        raise ConfigError(f"the environment: {'; '.join(problems)}", problems)
    return settings


def _places(home: Path | None) -> Sequence[Path]:
    """Folders that a session writes to, one for each file system."""
    folders = (paths.sessions_dir(), paths.logs_dir(), paths.state_dir())
    found: dict[int, Path] = {}
    for folder in folders:
        place = Room.at(paths.within(home, folder)).folder
        found.setdefault(place.stat().st_dev, place)
    return list(found.values())
