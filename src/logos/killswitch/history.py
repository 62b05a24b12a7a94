"""The history of the switch: every transition, who, why and when, never rewritten.

Problem: after an incident the first questions are who threw the switch, why, and who cleared it,
and the answer must not depend on anybody's memory or on the file being whole. Method: one line a
transition, appended and fsynced under the writers' lock, each with its CRC and the SHA-256 of the
line before. A torn last line is cut away before anything is appended; damage further in is
reported with its line number, and a reset moves the damaged file aside and begins a new one.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import msgspec

from logos.killswitch.files import Folder, OsLayer, describe
from logos.killswitch.records import (
    LINE_BYTES_MAX,
    NO_PREVIOUS,
    RecordDamagedError,
    SwitchError,
    Transition,
    decode_line,
    digest,
)

HISTORY_FILE: Final = "history.jsonl"
HISTORY_BYTES_MAX: Final = 64 * 1024 * 1024
_APPEND: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class HistoryDamagedError(SwitchError):
    """The history does not read back; the message says where and what to do."""


class Tail(msgspec.Struct, frozen=True):
    """The end of the history file."""

    exists: bool
    line: bytes
    """The last whole line, newline included; empty when there is none."""
    torn_bytes: int
    """How much follows the last newline: the remains of a write that did not finish."""
    problem: str
    """Why the tail could not be read, in words; empty when it could."""


def read_tail(folder: Folder) -> Tail:
    """The last line, without reading the rest. Never raises for what is on the disk."""
    try:
        fd = folder.open_regular(HISTORY_FILE)
    except FileNotFoundError:
        return Tail(False, b"", 0, "")
    except OSError as error:
        return Tail(True, b"", 0, describe(error, HISTORY_FILE))
    try:
        size = folder.layer.fstat(fd).st_size
        start = max(0, size - 2 * LINE_BYTES_MAX)
        end = folder.layer.pread(fd, size - start, start)
    except OSError as error:
        return Tail(True, b"", 0, describe(error, HISTORY_FILE))
    finally:
        folder.layer.close(fd)
    whole, _, torn = end.rpartition(b"\n")
    last = whole.rpartition(b"\n")[2]
    return Tail(True, last + b"\n" if last else b"", len(torn), "")


class CircuitBreakerMonitor:
    """Reads and checks the history of one switch folder; the switch itself appends through it."""

    def __init__(self, folder: Path, *, layer: OsLayer | None = None) -> None:
        self.folder = Path(os.path.abspath(folder))
        self._layer = layer or OsLayer()

    def history(self) -> list[Transition]:
        """Every transition, oldest first; empty when there is no history.

        Raises HistoryDamagedError for a line that does not read back, a broken chain or a torn
        end, and for a file that cannot be read; SwitchError when the folder cannot be.
        """
        try:
            with Folder(self._layer, self.folder) as folder:
                content = folder.read(HISTORY_FILE, HISTORY_BYTES_MAX)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise HistoryDamagedError(describe(error, str(self.folder / HISTORY_FILE))) from error
        return parse_history(content or b"", str(self.folder / HISTORY_FILE))

    def problem(self) -> str:
        """What is wrong with the history, in words; empty when it is whole (or not there)."""
        try:
            self.history()
        except SwitchError as error:
            return str(error)
        return ""


def parse_history(content: bytes, name: str) -> list[Transition]:
    """Read and verify a whole history. Raises HistoryDamagedError naming file and line."""
    transitions: list[Transition] = []
    previous = ""
    lines = content.split(b"\n")
    if lines[-1]:
        raise HistoryDamagedError(f"{name}:{len(lines)}: the last line is cut off")
    for number, bare in enumerate(lines[:-1], start=1):
        line = bare + b"\n"
        try:
            transition = decode_line(line)
        except RecordDamagedError as error:
            raise HistoryDamagedError(f"{name}:{number}: the line {error}") from None
        if previous and transition.previous != previous:
            raise HistoryDamagedError(
                f"{name}:{number}: the line does not follow the one before it "
                "(lines were removed, changed or reordered)"
            )
        if transitions and transition.epoch <= transitions[-1].epoch:
            raise HistoryDamagedError(
                f"{name}:{number}: epoch {transition.epoch} after {transitions[-1].epoch}"
            )
        transitions.append(transition)
        previous = digest(line)
    return transitions


def append_line(folder: Folder, line: bytes) -> None:
    """Append under the writers' lock, durable on return. Raises OSError.

    What an unfinished write left behind is cut away first, so that lines never run together. The
    first line comes with its file, or not at all.
    """
    if folder.status(HISTORY_FILE) is None:
        folder.replace(HISTORY_FILE, line)
        return
    cut_torn(folder)
    fd = folder.open_regular(HISTORY_FILE, _APPEND)
    try:
        folder.write_all(fd, line)
        folder.layer.fsync(fd)
    finally:
        folder.layer.close(fd)
    folder.sync()


def cut_torn(folder: Folder) -> None:
    """Cut away what an unfinished write left at the end. Under the lock. Raises OSError."""
    torn = read_tail(folder).torn_bytes
    if not torn:
        return
    fd = folder.open_regular(HISTORY_FILE, _APPEND)
    try:
        folder.layer.truncate(fd, folder.layer.fstat(fd).st_size - torn)
        folder.layer.fsync(fd)
    finally:
        folder.layer.close(fd)


def next_previous(tail: Tail) -> str:
    """What a line appended after `tail` names as its predecessor."""
    return digest(tail.line) if tail.line else NO_PREVIOUS


def rotate_damaged(folder: Folder) -> str:
    """Move a damaged history aside, so that a reset can begin a new one. Returns its new name."""
    name = f"history.damaged-{time.time_ns()}.jsonl"
    folder.layer.replace(HISTORY_FILE, name, dir_fd=folder.fd)
    folder.sync()
    return name
